"""Descriptions, parameters, rows as they come, and what a cursor says of itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

import klaviyo_sql
from klaviyo_sql import BINARY, DATETIME, NUMBER, STRING, Connection, InterfaceError, ProgrammingError
from klaviyo_sql.sandbox import Account

# Descriptions


@pytest.mark.parametrize("condition", ["", " WHERE id = 'nobody'", " WHERE id = 'a' AND id = 'b'", " LIMIT 0"])
def test_description_names_and_types_the_columns(connection: Connection, condition: str) -> None:
    sql = f"SELECT email, created, location_latitude, properties, subscriptions_email_marketing_double_optin FROM profiles{condition}"
    cursor = connection.execute(sql)
    assert cursor.description is not None
    assert [column[0] for column in cursor.description] == [
        "email",
        "created",
        "location_latitude",
        "properties",
        "subscriptions_email_marketing_double_optin",
    ]
    assert [next(kind for kind in (STRING, NUMBER, DATETIME, BINARY) if column[1] == kind) for column in cursor.description] == [
        STRING,
        DATETIME,
        NUMBER,
        STRING,
        NUMBER,
    ]
    assert all(len(column) == 7 and column[2:] == (None,) * 5 for column in cursor.description)


@pytest.mark.parametrize("table", ["profiles", "events", "lists", "metrics", "daily_metrics", "ListProfiles", "klaviyo_requests", "klaviyo_columns"])
def test_every_column_of_a_table_has_one_type(connection: Connection, table: str) -> None:
    cursor = connection.execute(f"SELECT * FROM {table} LIMIT 0")
    assert cursor.description
    for name, code, *_ in cursor.description:
        assert sum(code == kind for kind in (STRING, NUMBER, DATETIME, BINARY)) == 1, name


def test_an_expression_has_no_type(connection: Connection) -> None:
    cursor = connection.execute("SELECT count(*) AS n, 1 + 1 FROM lists")
    assert cursor.description is not None
    assert [column[:2] for column in cursor.description] == [("n", None), ("1 + 1", None)]


def test_description_is_none_before_and_after_what_returns_no_rows(connection: Connection) -> None:
    cursor = connection.cursor()
    assert cursor.description is None
    cursor.execute("SELECT 1")
    assert cursor.description is not None
    cursor.execute("CREATE TABLE own (x)")
    assert cursor.description is None


def test_description_of_returning(connection: Connection) -> None:
    connection.execute("CREATE TABLE own (x INTEGER)")
    cursor = connection.execute("INSERT INTO own VALUES (1), (2) RETURNING x")
    assert cursor.description is not None
    assert cursor.fetchall() == [(1,), (2,)]


# Parameters


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("SELECT ?, ?", (1, "b")),
        ("SELECT ?, ?", [1, "b"]),
        ("SELECT ?2, ?1", ("b", 1)),
        ("SELECT :one, :two", {"one": 1, "two": "b"}),
        ("SELECT @one, $two", {"one": 1, "two": "b"}),
        ("SELECT :one, :two", {"one": 1, "two": "b", "unused": 3}),
    ],
)
def test_parameters(connection: Connection, sql: str, parameters: Any) -> None:
    assert connection.execute(sql, parameters).fetchall() == [(1, "b")]


@pytest.mark.parametrize(("sql", "parameters"), [("SELECT ?", ()), ("SELECT ?", (1, 2)), ("SELECT 1", (1,)), ("SELECT ?, ?", (1,))])
def test_wrong_counts_are_programming_errors(connection: Connection, sql: str, parameters: Any) -> None:
    with pytest.raises(ProgrammingError):
        connection.execute(sql, parameters).fetchall()


def test_a_missing_name_is_a_programming_error(connection: Connection) -> None:
    with pytest.raises(ProgrammingError):
        connection.execute("SELECT :one, :two", {"one": 1}).fetchall()


@pytest.mark.parametrize("parameters", ["text", b"bytes", 5, {1, 2}, None])
def test_parameters_are_a_sequence_or_a_mapping(connection: Connection, parameters: Any) -> None:
    with pytest.raises(ProgrammingError):
        connection.execute("SELECT ?", parameters)


@pytest.mark.parametrize("value", [object(), {"a": 1}, [1], {1}, 1j, timedelta(1)])
def test_values_that_cannot_be_bound(connection: Connection, value: Any) -> None:
    with pytest.raises(ProgrammingError, match=type(value).__name__):
        connection.execute("SELECT ?", (value,))


def test_an_integer_beyond_64_bits_cannot_be_bound(connection: Connection) -> None:
    with pytest.raises(klaviyo_sql.Error):
        connection.execute("SELECT ?", (2**63,)).fetchall()


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (None, None),
        (True, 1),
        (2**63 - 1, 2**63 - 1),
        (1.5, 1.5),
        ("a\0b 🎉", "a\0b 🎉"),
        (b"\x00\xff", b"\x00\xff"),
        (bytearray(b"x"), b"x"),
        (memoryview(b"x"), b"x"),
        (datetime(2026, 1, 31, 8, 30, tzinfo=UTC), "2026-01-31 08:30:00"),
        (datetime(2026, 1, 31, 8, 30, tzinfo=timezone(timedelta(hours=2))), "2026-01-31 06:30:00"),
        (datetime(2026, 1, 31, 8, 30), "2026-01-31 08:30:00"),  # noqa: DTZ001 - one without a zone is taken as UTC
        (datetime(2026, 1, 31, 8, 30, 0, 5, tzinfo=UTC), "2026-01-31 08:30:00.000005"),
        (date(2026, 1, 31), "2026-01-31"),
        (time(8, 30), "08:30:00"),
        (Decimal("1.10"), "1.10"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    ],
)
def test_values_as_sqlite_gets_them(connection: Connection, value: Any, stored: Any) -> None:
    assert connection.execute("SELECT ?", (value,)).fetchone() == (stored,)


def test_a_datetime_bound_to_a_time_column(connection: Connection, account: Account) -> None:
    start = datetime(2026, 11, 19, 19, tzinfo=timezone(timedelta(hours=-5)))
    found = connection.execute("SELECT count(*) FROM events WHERE datetime >= ?", (start,)).fetchone()
    assert found == (sum(event["attributes"]["timestamp"] >= start.timestamp() for event in account.events),)
    assert connection.sandbox is not None
    assert "2026-11-20T00:00:00Z" in connection.sandbox.requests[-1].query["filter"]


# Streaming


def test_the_first_row_comes_after_one_request(connection: Connection) -> None:
    assert connection.sandbox is not None
    cursor = connection.execute("SELECT id FROM events")
    assert cursor.fetchone() is not None
    assert len(connection.sandbox.requests) == 1
    cursor.fetchmany(1_000)
    assert len(connection.sandbox.requests) == 2


def test_a_cursor_closed_midway_asks_for_no_more(connection: Connection) -> None:
    assert connection.sandbox is not None
    cursor = connection.execute("SELECT id FROM events")
    cursor.fetchmany(3)
    cursor.close()
    assert len(connection.sandbox.requests) == 1
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (14,)


def test_a_statement_replaced_midway_asks_for_no_more(connection: Connection) -> None:
    assert connection.sandbox is not None
    cursor = connection.execute("SELECT id FROM events")
    cursor.fetchmany(3)
    assert cursor.execute("SELECT 7").fetchall() == [(7,)]
    assert len(connection.sandbox.requests) == 1


def test_two_cursors_interleaved(connection: Connection, account: Account) -> None:
    profiles, events = connection.execute("SELECT id FROM profiles ORDER BY created"), connection.execute("SELECT id FROM events")
    rows = list(itertools.zip_longest(profiles, events))
    assert {profile for profile, _ in rows if profile} == {(id_,) for id_ in account.profiles}
    assert [event for _, event in rows] == [(event["id"],) for event in account.events_in_order()]


def test_ways_to_fetch_agree(connection: Connection) -> None:
    sql = "SELECT id, email FROM profiles ORDER BY created LIMIT 250"
    rows = connection.execute(sql).fetchall()
    assert len(rows) == 250
    assert list(connection.execute(sql)) == rows
    cursor = connection.execute(sql)
    assert list(iter(cursor.fetchone, None)) == rows
    cursor = connection.execute(sql)
    cursor.arraysize = 90
    pages = [cursor.fetchmany(), cursor.fetchmany(), cursor.fetchmany(), cursor.fetchmany()]
    assert [len(page) for page in pages] == [90, 90, 70, 0]
    assert list(itertools.chain.from_iterable(pages)) == rows
    cursor = connection.execute(sql)
    assert [cursor.fetchone(), *cursor.fetchmany(9), *cursor.fetchall()] == rows
    assert cursor.fetchone() is None
    assert cursor.fetchmany(5) == cursor.fetchall() == []


def test_arraysize_is_one_and_a_size_of_zero_is_nothing(connection: Connection) -> None:
    cursor = connection.execute("SELECT id FROM lists")
    assert cursor.arraysize == 1
    assert len(cursor.fetchmany()) == 1
    assert cursor.fetchmany(0) == []


@pytest.mark.parametrize("fetch", [lambda c: c.fetchone(), lambda c: c.fetchmany(2), lambda c: c.fetchall(), next])
def test_fetching_without_a_query_is_a_programming_error(connection: Connection, fetch: Callable[[Any], Any]) -> None:
    with pytest.raises(ProgrammingError):
        fetch(connection.cursor())
    with pytest.raises(ProgrammingError):
        fetch(connection.execute("CREATE TEMP TABLE own (x)"))


# What it says of itself


def test_rowcount_and_lastrowid(connection: Connection) -> None:
    cursor = connection.cursor()
    assert (cursor.rowcount, cursor.lastrowid) == (-1, None)
    cursor.execute("CREATE TABLE own (id INTEGER PRIMARY KEY, x)")
    cursor.execute("INSERT INTO own (x) VALUES (1), (2), (3)")
    assert (cursor.rowcount, cursor.lastrowid) == (3, 3)
    cursor.execute("UPDATE own SET x = 0 WHERE id > 1")
    assert cursor.rowcount == 2
    cursor.execute("DELETE FROM own WHERE id = 99")
    assert cursor.rowcount == 0
    cursor.executemany("INSERT INTO own (x) VALUES (?)", [(4,), (5,)])
    assert (cursor.rowcount, cursor.lastrowid) == (2, 5)
    cursor.execute("SELECT * FROM own")
    assert cursor.rowcount == -1


def test_executemany_with_names_and_without_rows(connection: Connection) -> None:
    cursor = connection.execute("CREATE TABLE own (x)")
    cursor.executemany("INSERT INTO own VALUES (:x)", [{"x": 1}, {"x": 2}])
    cursor.executemany("INSERT INTO own VALUES (?)", [])
    assert connection.execute("SELECT x FROM own").fetchall() == [(1,), (2,)]


def test_executemany_is_not_for_queries(connection: Connection) -> None:
    with pytest.raises(ProgrammingError):
        connection.executemany("SELECT ?", [(1,), (2,)])


@pytest.mark.parametrize("sql", ["SELECT 1; SELECT 2", "SELECT 1; DROP TABLE own", "CREATE TABLE a (x); CREATE TABLE b (x);"])
def test_several_statements_are_a_programming_error(connection: Connection, sql: str) -> None:
    with pytest.raises(ProgrammingError, match="executescript"):
        connection.execute(sql)


@pytest.mark.parametrize("sql", ["SELECT 1;", "SELECT 1 ; \n", "SELECT 1; -- done", "SELECT 1; /* done */", "SELECT ';' WHERE 1", "-- first;\nSELECT 1"])
def test_one_statement_with_trimmings(connection: Connection, sql: str) -> None:
    assert len(connection.execute(sql).fetchall()) == 1


@pytest.mark.parametrize("sql", ["", "  ", "-- nothing"])
def test_no_statement_at_all(connection: Connection, sql: str) -> None:
    assert connection.execute(sql).description is None


@pytest.mark.parametrize("sql", [None, 5, b"SELECT 1"])
def test_a_statement_is_a_text(connection: Connection, sql: Any) -> None:
    with pytest.raises(ProgrammingError):
        connection.execute(sql)


def test_executescript(connection: Connection) -> None:
    connection.executescript("CREATE TABLE own (x); INSERT INTO own VALUES (1); INSERT INTO own SELECT count(*) FROM lists; SELECT 1;")
    assert connection.execute("SELECT x FROM own").fetchall() == [(1,), (14,)]
    connection.cursor().executescript("DELETE FROM own; ")
    assert connection.execute("SELECT x FROM own").fetchall() == []


def test_executescript_says_what_is_wrong(connection: Connection) -> None:
    with pytest.raises(ProgrammingError, match="nowhere"):
        connection.executescript("CREATE TABLE own (x); SELECT * FROM nowhere")


# Closed


@pytest.mark.parametrize(
    "use",
    [
        lambda c: c.execute("SELECT 1"),
        lambda c: c.executemany("SELECT 1", [()]),
        lambda c: c.executescript("SELECT 1"),
        lambda c: c.fetchone(),
        lambda c: c.fetchmany(1),
        lambda c: c.fetchall(),
        lambda c: next(c),
        lambda c: c.callproc("x"),
    ],
)
def test_a_closed_cursor_is_an_interface_error(connection: Connection, use: Callable[[Any], Any]) -> None:
    cursor = connection.execute("SELECT id FROM lists")
    cursor.close()
    cursor.close()
    with pytest.raises(InterfaceError):
        use(cursor)


def test_a_cursor_is_a_context_manager(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM lists")
    with pytest.raises(InterfaceError):
        cursor.fetchone()


@pytest.mark.parametrize(
    "use",
    [
        lambda c: c.cursor(),
        lambda c: c.execute("SELECT 1"),
        lambda c: c.executemany("SELECT 1", [()]),
        lambda c: c.executescript("SELECT 1"),
        lambda c: c.commit(),
        lambda c: c.rollback(),
        lambda c: c.in_transaction,
        lambda c: c.interrupt(),
        lambda c: c.__enter__(),
    ],
)
def test_a_closed_connection_is_an_interface_error(connection: Connection, use: Callable[[Any], Any]) -> None:
    connection.close()
    connection.close()
    with pytest.raises(InterfaceError):
        use(connection)


def test_cursors_of_a_closed_connection(connection: Connection) -> None:
    cursor = connection.execute("SELECT id FROM events")
    cursor.fetchone()
    connection.close()
    for use in (cursor.fetchone, cursor.fetchall, lambda: cursor.execute("SELECT 1")):
        with pytest.raises(InterfaceError):
            use()
    cursor.close()
