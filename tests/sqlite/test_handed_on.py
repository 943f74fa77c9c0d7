"""Rows that SQLite would only hand on: which statements have such, and that nothing else is seen of it than its speed. That they are right, the oracle says."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from klaviyo_sql import BudgetExceeded, Connection, InterfaceError, Interrupted, RequestRejected
from klaviyo_sql.model.table import Collection
from klaviyo_sql.sandbox import Account
from klaviyo_sql.sandbox.entitlements import DEFAULT, WEBHOOKS
from klaviyo_sql.sandbox.faults import Fault
from klaviyo_sql.sqlite import cursor as cursors
from klaviyo_sql.sqlite import virtual_tables
from klaviyo_sql.sqlite.handed_on import handed_on
from klaviyo_sql.tables import TABLES

Open = Callable[..., Connection]

EVENTS = "SELECT id, datetime, value FROM events"
BY_SQLITE = " LIMIT 9000000000"
"""Behind a query: SQLite counts the rows, so that each passes through it."""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often SQLite goes to the next row."""
    counted = [0]
    original = virtual_tables.Cursor.Next

    def counting(self: Any) -> None:
        counted[0] += 1
        original(self)

    monkeypatch.setattr(virtual_tables.Cursor, "Next", counting)
    return counted


def columns_of(connection: Connection, sql: str, parameters: Any = ()) -> tuple[str, ...] | None:
    """The names of the columns that the statement only hands on."""
    cursor = connection.execute(sql, parameters)
    cursor.fetchone()
    scan = connection.statement.alone()
    if not isinstance(scan, virtual_tables.Cursor):
        return None
    found = handed_on(connection.sqlite, sql, parameters, scan.agreed)
    return None if found is None else tuple(scan._table.table.columns[column].name for column in found)


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT id FROM events", ("id",)),
        ("SELECT value, id, value FROM events", ("value", "id", "value")),
        ("SELECT id AS a, email AS b FROM profiles", ("id", "email")),
        ("SELECT id FROM events WHERE datetime > '2026-10-01' AND datetime < '2026-11-01'", ("id",)),
        ("SELECT id, datetime FROM events WHERE datetime > datetime('now', '-90 days') ORDER BY datetime DESC", ("id", "datetime")),
        ("SELECT * FROM (SELECT id, name FROM lists)", ("id", "name")),
        ("WITH some AS (SELECT id, email FROM profiles) SELECT email FROM some", ("email",)),
        ("SELECT id FROM profiles AS p WHERE p.updated >= '2020-01-01'", ("id",)),
    ],
)
def test_statements_that_only_hand_on(sql: str, columns: tuple[str, ...], connection: Connection) -> None:
    assert columns_of(connection, sql) == columns


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM events LIMIT 100",
        "SELECT id FROM events LIMIT 100 OFFSET 5",
        "SELECT DISTINCT metric_id FROM events",
        "SELECT count(*) FROM events",
        "SELECT id, 5 FROM events",
        "SELECT lower(email) FROM profiles",
        "SELECT id, row_number() OVER () FROM events",
        "SELECT id, value FROM events WHERE value > 0",
        "SELECT id, value FROM events ORDER BY value",
        "SELECT id FROM events UNION ALL SELECT id FROM profiles",
        "SELECT e.id, m.name FROM events e JOIN metrics m ON m.id = e.metric_id",
        "SELECT id, (SELECT max(name) FROM metrics) FROM events",
        "SELECT email FROM profiles WHERE id IN (SELECT profile_id FROM events WHERE datetime > '2026-11-01')",
        "SELECT metric_id, sum(value) FROM events GROUP BY 1",
        "SELECT number FROM klaviyo_requests",
        "SELECT 1",
        "VALUES (1), (2)",
    ],
)
def test_statements_that_do_more(sql: str, connection: Connection) -> None:
    assert columns_of(connection, sql) is None


def test_parameters(connection: Connection) -> None:
    assert columns_of(connection, "SELECT id FROM events WHERE datetime > ?", ("2026-01-01",)) == ("id",)
    assert columns_of(connection, "SELECT id FROM events WHERE datetime > :when", {"when": "2026-01-01"}) == ("id",)


@pytest.mark.parametrize("parallel", [1, 20])
def test_sqlite_sees_a_row_of_each_page(parallel: int, steps: list[int], open_sandbox: Open, account: Account) -> None:
    connection = open_sandbox(parallel=parallel)
    rows = list(connection.execute(EVENTS))
    assert len(rows) == len(account.events) == 6_000
    assert steps[0] <= 30
    steps[0] = 0
    assert connection.execute(EVENTS + BY_SQLITE).fetchall() == rows
    assert steps[0] >= 6_000


def test_a_short_page_is_not_worth_to_look(steps: list[int], connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursors, "handed_on", lambda *_: pytest.fail("it was looked at"))
    assert len(connection.execute("SELECT id, name FROM lists").fetchall()) == 14
    assert steps[0] == 14


@pytest.mark.parametrize("table", [name for name, table in TABLES.items() if isinstance(table.source, Collection)])
def test_every_table_has_the_same_values_of_the_same_types(table: str, open_sandbox: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursors, "WORTH", 1)
    connection = open_sandbox(options={"entitlements": (*DEFAULT, WEBHOOKS)})
    passed = connection.execute(f"SELECT * FROM {table}{BY_SQLITE}").fetchall()
    handed = connection.execute(f"SELECT * FROM {table}").fetchall()
    assert handed == passed
    assert [list(map(type, row)) for row in handed] == [list(map(type, row)) for row in passed]


def test_ways_to_fetch_agree(connection: Connection) -> None:
    wanted = connection.execute(EVENTS + BY_SQLITE).fetchall()
    assert list(connection.execute(EVENTS)) == wanted
    assert connection.execute(EVENTS).fetchall() == wanted
    cursor = connection.execute(EVENTS)
    assert list(iter(cursor.fetchone, None)) == wanted
    assert cursor.fetchone() is None
    cursor = connection.execute(EVENTS)
    mixed = [cursor.fetchone(), *cursor.fetchmany(10), next(cursor), *itertools.islice(cursor, 1_500), *cursor.fetchall()]
    assert mixed == wanted
    assert cursor.fetchall() == []


def test_cursors_interleaved(connection: Connection, account: Account) -> None:
    wanted = connection.execute(EVENTS + BY_SQLITE).fetchall()
    one, other = connection.execute(EVENTS), connection.execute(EVENTS)
    emails = connection.execute("SELECT email FROM profiles")
    assert [(first, second) for first, second in zip(one, other, strict=True)] == [(row, row) for row in wanted]
    assert len(emails.fetchall()) == len(account.profiles)


def test_other_statements_in_between(connection: Connection) -> None:
    wanted = connection.execute(EVENTS + BY_SQLITE).fetchall()
    connection.execute("CREATE TEMP TABLE kept (id)")
    rows = []
    for row in connection.execute(EVENTS):
        rows.append(row)
        if len(rows) % 500 == 0:
            connection.execute("INSERT INTO kept VALUES (?)", (row[0],))
            assert connection.execute("SELECT count(*) FROM lists").fetchone() == (14,)
    assert rows == wanted
    assert connection.execute("SELECT count(*) FROM kept").fetchone() == (12,)


def test_a_cursor_takes_another_statement_midway(connection: Connection) -> None:
    cursor = connection.execute(EVENTS)
    cursor.fetchmany(10)
    cursor.execute("SELECT 7")
    assert cursor.fetchall() == [(7,)]
    cursor.execute("SELECT id FROM lists")
    assert len(cursor.fetchall()) == 14


def test_nothing_comes_of_what_is_closed(open_sandbox: Open) -> None:
    connection = open_sandbox()
    cursor, other = connection.execute(EVENTS), connection.execute(EVENTS)
    assert len(cursor.fetchmany(10)) == len(other.fetchmany(10)) == 10
    cursor.close()
    with pytest.raises(InterfaceError):
        cursor.fetchone()
    connection.close()
    for use in (other.fetchone, other.fetchall, other.fetchmany, lambda: next(other)):
        with pytest.raises(InterfaceError):
            use()


@pytest.mark.parametrize("use", ["fetchone", "fetchmany", "fetchall", "__next__"])
def test_an_interrupt_is_heard_at_the_next_row(use: str, connection: Connection) -> None:
    cursor = connection.execute(EVENTS)
    cursor.fetchmany(10)
    connection.interrupt()
    with pytest.raises(Interrupted):
        getattr(cursor, use)()
    assert cursor.fetchone() is None
    assert cursor.fetchall() == []
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (14,)


def test_an_interrupt_before_sqlite_is_asked_for_its_program(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: Any) -> Any:
        connection.interrupt()
        return handed_on(*arguments)

    monkeypatch.setattr(cursors, "handed_on", interrupted)
    cursor = connection.execute(EVENTS)
    assert cursor.fetchone() is not None
    with pytest.raises(Interrupted):
        cursor.fetchone()
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (14,)


def test_what_came_before_an_error_was_handed_on(open_sandbox: Open) -> None:
    connection = open_sandbox(parallel=1, cache_seconds=0)
    wanted = connection.execute(EVENTS + BY_SQLITE).fetchall()
    assert connection.sandbox is not None
    connection.sandbox.faults.add(Fault("status", "get_events", status=400, nth=3))
    rows: list[Any] = []
    with pytest.raises(RequestRejected):
        rows.extend(connection.execute(EVENTS))
    assert rows == wanted[:2_000]


def test_budgets(open_sandbox: Open) -> None:
    connection = open_sandbox(max_rows=2_500, parallel=1)
    with pytest.raises(BudgetExceeded):
        connection.execute(EVENTS).fetchall()
    connection.max_rows = None
    connection.max_requests = 2
    with pytest.raises(BudgetExceeded):
        connection.execute(EVENTS).fetchall()


def test_a_local_copy(open_sandbox: Open, steps: list[int]) -> None:
    connection = open_sandbox(materialized=("events",))
    rows = connection.execute(EVENTS).fetchall()
    steps[0] = 0
    assert connection.execute(EVENTS).fetchall() == rows
    assert steps[0] < 6_000 / 50
    assert sorted(connection.execute(EVENTS + BY_SQLITE).fetchall()) == sorted(rows)


def test_rows_that_sqlite_changes_pass_through_it(connection: Connection, steps: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the program looks like: what SQLite makes of the first row is held against what would be handed on."""
    monkeypatch.setattr(cursors, "handed_on", lambda *_: (0, 3, 4))
    assert connection.execute(EVENTS).fetchall() == connection.execute(EVENTS + BY_SQLITE).fetchall()
    assert steps[0] >= 12_000
