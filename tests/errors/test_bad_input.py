"""Mistakes in SQL and settings: the right class, one sentence that helps, and nothing sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql import Connection, DataError, InterfaceError, NotSupportedError, ProgrammingError, ReadOnlyError
from klaviyo_sql.tables import TABLES

TIMES = [(table.name, column.name) for table in TABLES.values() for column in table.columns if column.type.is_instant]


def is_a_sentence(error: BaseException) -> bool:
    """A text for a person: one line, with a beginning, an end, and nothing of Python's inside."""
    text = str(error)
    return bool(text.strip()) and "\n" not in text and "Traceback" not in text and "object at 0x" not in text and "apsw" not in text.lower()


def nothing_was_sent(connection: Connection) -> bool:
    assert connection.sandbox is not None
    return not connection.sandbox.requests


# Names


@pytest.mark.parametrize(
    ("sql", "name", "nearest"),
    [
        ("SELECT * FROM profile", "profile", "profiles"),
        ("SELECT * FROM event", "event", "events"),
        ("SELECT * FROM list_profile", "list_profile", "list_profiles"),
        ("SELECT * FROM MonthlyMetric", "MonthlyMetric", "MonthlyMetrics"),
        ("SELECT * FROM main.segment", "segment", "segments"),
    ],
)
def test_an_unknown_table_comes_with_the_nearest(connection: Connection, sql: str, name: str, nearest: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        connection.execute(sql)
    assert name in str(caught.value)
    assert nearest in str(caught.value)
    assert "klaviyo_tables" in str(caught.value)
    assert is_a_sentence(caught.value)
    assert nothing_was_sent(connection)


def test_a_table_like_no_other(connection: Connection) -> None:
    with pytest.raises(ProgrammingError, match=r"There is no table xyzzy\. ") as caught:
        connection.execute("SELECT * FROM xyzzy")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("sql", "name", "nearest"),
    [
        ("SELECT emial FROM profiles", "emial", "email"),
        ("SELECT p.emails FROM profiles p", "emails", "email"),
        ("SELECT id FROM events WHERE date_time > '2026-01-01'", "date_time", "datetime"),
        ("SELECT id FROM profiles ORDER BY create", "", ""),
        ("SELECT metricid FROM events", "metricid", "metric_id"),
    ],
)
def test_an_unknown_column_comes_with_the_nearest(connection: Connection, sql: str, name: str, nearest: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        connection.execute(sql)
    assert name in str(caught.value)
    assert nearest in str(caught.value)
    assert is_a_sentence(caught.value)
    assert nothing_was_sent(connection)


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT * FROM", "SELECT (", "SELECT 'a", "SELECT nofunction(1)", "SELECT id FROM profiles LIMIT 'x'"])
def test_wrong_sql(connection: Connection, sql: str) -> None:
    with pytest.raises(klaviyo_sql.DatabaseError) as caught:
        connection.execute(sql).fetchall()
    assert isinstance(caught.value, ProgrammingError | DataError)
    assert is_a_sentence(caught.value)
    assert nothing_was_sent(connection)


# Times

BAD = "yesterday"


@pytest.mark.parametrize(
    "condition",
    [
        f"datetime = '{BAD}'",
        f"datetime > '{BAD}'",
        f"'{BAD}' <= datetime",
        f"datetime IN ('2026-01-01', '{BAD}')",
        f"datetime BETWEEN '2026-01-01' AND '{BAD}'",
        f"datetime BETWEEN '{BAD}' AND '2026-01-01'",
        f"datetime = '{BAD}' OR datetime = '2026-01-01'",
        f"datetime > '2026-01-01' AND datetime < '{BAD}'",
        f"datetime = lower('{BAD.upper()}')",
        f"datetime > (SELECT '{BAD}')",
        f"metric_id = 'x' AND datetime > '{BAD}'",
    ],
)
def test_a_text_that_is_no_time_names_the_column(connection: Connection, condition: str) -> None:
    with pytest.raises(DataError) as caught:
        connection.execute(f"SELECT id FROM events WHERE {condition}").fetchall()
    assert BAD in str(caught.value)
    assert "events.datetime" in str(caught.value)
    assert "ISO 8601" in str(caught.value)
    assert is_a_sentence(caught.value)
    assert nothing_was_sent(connection)


@pytest.mark.parametrize(
    ("condition", "parameters"),
    [
        ("datetime >= ?", (BAD,)),
        ("datetime = :when", {"when": BAD}),
        ("datetime IN (?, ?)", ("2026-01-01", BAD)),
        ("datetime BETWEEN ? AND ?", ("2026-01-01", BAD)),
        ("datetime = ? OR metric_id = 'x'", (BAD,)),
    ],
)
def test_a_bound_text_that_is_no_time_names_the_column(connection: Connection, condition: str, parameters: Any) -> None:
    with pytest.raises(DataError) as caught:
        connection.execute(f"SELECT id FROM events WHERE {condition}", parameters).fetchall()
    assert BAD in str(caught.value)
    assert "events.datetime" in str(caught.value)
    assert nothing_was_sent(connection)


@pytest.mark.parametrize("condition", [f"datetime <> '{BAD}'", f"datetime = '{BAD}' OR value > 5", f"NOT datetime > '{BAD}'", f"datetime NOT IN ('{BAD}')"])
def test_a_text_that_is_no_time_where_only_sqlite_compares(connection: Connection, condition: str) -> None:
    with pytest.raises(DataError, match=BAD):
        connection.execute(f"SELECT id FROM events WHERE {condition} LIMIT 1").fetchall()
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (14,)


@pytest.mark.parametrize(("table", "column"), TIMES)
def test_every_time_column_refuses_what_is_no_time(connection: Connection, table: str, column: str) -> None:
    with pytest.raises(DataError, match=re.escape(f"{table}.{column}")):
        connection.execute(f"SELECT 1 FROM {table} WHERE {column} >= '31.1.2026'").fetchall()
    assert nothing_was_sent(connection)


@pytest.mark.parametrize("table", ["daily_metrics", "weekly_metrics", "monthly_metrics", "MonthlyMetrics"])
def test_a_period_that_is_no_date(connection: Connection, table: str) -> None:
    column = {"daily_metrics": "date", "weekly_metrics": "week_start_date", "monthly_metrics": "month_start_date", "MonthlyMetrics": "MonthStartDate"}[table]
    with pytest.raises(DataError, match=re.escape(f"{table}.{column}")):
        connection.execute(f"SELECT count(*) FROM {table} WHERE {column} > '{BAD}'").fetchall()
    assert nothing_was_sent(connection)


# Writing


def writes(table: str) -> list[str]:
    declared = next(one for one in TABLES.values() if table in one.names)
    columns = declared.columns if table == declared.name else declared.in_pascal_case().columns
    key, other = columns[0].name, columns[-1].name if not columns[-1].hidden else columns[1].name
    return [
        f"INSERT INTO {table} (\"{key}\") VALUES ('x')",
        f"UPDATE {table} SET \"{other}\" = 'x'",
        f"UPDATE {table} SET \"{other}\" = 'x' WHERE \"{key}\" = 'y'",
        f"DELETE FROM {table}",
        f"DELETE FROM {table} WHERE \"{key}\" = 'y'",
        f"REPLACE INTO {table} (\"{key}\") VALUES ('x')",
    ]


KINDS = ("INSERT", "UPDATE", "DELETE")
NAMES = [name for table in TABLES.values() for name in table.names]


@pytest.mark.parametrize("table", NAMES)
def test_writes_are_refused_with_the_way_to_allow_them(connection: Connection, table: str) -> None:
    for sql in writes(table):
        with pytest.raises(ReadOnlyError) as caught:
            connection.execute(sql)
        text = str(caught.value)
        assert table in text
        assert "write=True" in text
        assert "KLAVIYO_SQL_WRITE" in text
        assert is_a_sentence(caught.value)
    assert nothing_was_sent(connection)
    connection.rollback()
    assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    "table", [name for table in TABLES.values() if table.writes is None or not any(map(table.writes.allows, KINDS)) for name in table.names]
)
def test_what_klaviyo_lets_nobody_write_is_refused(open_sandbox: Callable[..., Connection], table: str) -> None:
    connection = open_sandbox(write=True)
    for sql in writes(table):
        with pytest.raises(NotSupportedError) as caught:
            connection.execute(sql)
        assert "write=True" not in str(caught.value)
        assert is_a_sentence(caught.value)
    assert nothing_was_sent(connection)


def test_the_own_tables_of_the_driver_cannot_be_written_to(connection: Connection) -> None:
    for table in ("klaviyo_requests", "klaviyo_tables", "klaviyo_columns", "klaviyo_limits"):
        with pytest.raises(klaviyo_sql.DatabaseError):
            connection.execute(f"DELETE FROM {table}")


def test_an_own_table_may_have_the_name_of_a_klaviyo_table(connection: Connection) -> None:
    """Whoever creates one means it: it is an ordinary table then, until it is dropped."""
    connection.execute("CREATE TABLE lists (x)")
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (0,)
    assert nothing_was_sent(connection)
    connection.execute("DROP TABLE lists")
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (14,)


# Settings


@pytest.mark.parametrize(
    "setting",
    [
        {"timeout": 0},
        {"timeout": "5"},
        {"timeout": float("nan")},
        {"max_wait": -1},
        {"cache_seconds": -1},
        {"cache_bytes": True},
        {"cache_bytes": -5},
    ],
)
def test_settings_that_make_no_sense(setting: dict[str, Any]) -> None:
    with pytest.raises(InterfaceError, match=next(iter(setting))):
        klaviyo_sql.connect(sandbox=True, **setting)


@pytest.mark.parametrize(
    "base_url",
    ["a.klaviyo.com", "http://a.klaviyo.com", "ftp://a.klaviyo.com", "https://", "https://me:secret@a.klaviyo.com", "https://a.klaviyo.com/?x=1"],
)
def test_servers_that_cannot_be_used(base_url: str) -> None:
    with pytest.raises(InterfaceError, match="base_url") as caught:
        klaviyo_sql.connect(api_key="pk_1234567890", base_url=base_url)
    assert "secret" not in str(caught.value)


def test_a_write_setting_that_is_neither_yes_nor_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLAVIYO_SQL_WRITE", "perhaps")
    with pytest.raises(InterfaceError, match="KLAVIYO_SQL_WRITE"):
        klaviyo_sql.connect(sandbox=True)


def test_a_write_setting_of_the_environment_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLAVIYO_SQL_WRITE", "1")
    with klaviyo_sql.connect(sandbox=True) as connection, pytest.raises(NotSupportedError) as caught:
        connection.execute("DELETE FROM metrics WHERE id = 'x'")
    assert "write=True" not in str(caught.value)
