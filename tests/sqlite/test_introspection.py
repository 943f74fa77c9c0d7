"""The tables in which the driver tells of itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from klaviyo_sql import Connection, RateLimitError, RequestRejected, contract
from klaviyo_sql.sandbox import Fault
from klaviyo_sql.session.own_tables import OWN_TABLES, OwnTable
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.reports import REPORTS

Open = Callable[..., Connection]
ALL = TABLES | REPORTS


def rows(connection: Connection, sql: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql)
    assert cursor.description is not None
    return [dict(zip([column[0] for column in cursor.description], row, strict=True)) for row in cursor]


def test_klaviyo_tables(connection: Connection) -> None:
    found = {row["name"]: row for row in rows(connection, "SELECT * FROM klaviyo_tables WHERE schema = 'main'")}
    assert found.keys() == ALL.keys()
    assert found["profiles"]["page_size"] == 100
    assert found["events"]["page_size"] == 1000
    assert found["lists"]["page_size"] == 10
    assert found["metrics"]["page_size"] is None
    assert found["list_profiles"]["key_columns"] == "list_id, profile_id"
    assert found["list_profiles"]["pascal_case_name"] == "ListProfiles"
    assert found["lists"]["pascal_case_name"] is None
    assert found["daily_metrics"]["requests_per_minute"] == 60
    assert found["events"]["scopes"] == "events:read"
    for name, row in found.items():
        assert row["description"] == ALL[name].doc
        assert row["operation"] in contract.facts().operations
        assert connection.execute(f"SELECT * FROM {name} LIMIT 0").fetchall() == []
        if row["pascal_case_name"]:
            assert connection.execute(f"SELECT * FROM {row['pascal_case_name']} LIMIT 0").fetchall() == []
    assert connection.sandbox is not None
    assert connection.sandbox.requests == []


def test_klaviyo_columns(connection: Connection) -> None:
    found = rows(connection, "SELECT * FROM klaviyo_columns WHERE schema = 'main'")
    assert [(row["table_name"], row["position"], row["name"]) for row in found] == [
        (table.name, position, column.name) for table in ALL.values() for position, column in enumerate(table.columns)
    ]
    by_name = {(row["table_name"], row["name"]): row for row in found}
    assert by_name["profiles", "email"]["pushed"] == "=, IN"
    assert by_name["profiles", "created"]["pushed"] == "=, IN, >, >=, <, <="
    assert (by_name["profiles", "created"]["exact"], by_name["profiles", "created"]["sorted"]) == (0, 1)
    assert by_name["lists", "created"]["pushed"] == "=, IN, >, >="
    assert by_name["events", "metric_id"]["pushed"] == "=, IN, IS NOT NULL"
    assert (by_name["events", "datetime"]["exact"], by_name["events", "datetime"]["sorted"]) == (1, 1)
    assert by_name["profiles", "location_city"]["pushed"] is None
    assert by_name["segments", "is_starred"]["pushed"] is None
    assert by_name["lists", "profile_count"]["hidden"] == 1
    assert by_name["list_profiles", "joined_group_at"]["pascal_case_name"] == "JoinedGroupAt"
    assert by_name["lists", "name"]["pascal_case_name"] is None
    assert by_name["list_profiles", "profile_id"]["pushed"] is None
    assert by_name["segment_profiles", "profile_id"]["pushed"] == "=, IN"


@pytest.mark.parametrize("table", [name for table in ALL.values() for name in table.names])
def test_sqlite_sees_the_columns_that_are_declared(connection: Connection, table: str) -> None:
    declared = next(one for one in ALL.values() if table in one.names)
    pascal = declared if table == declared.name else declared.in_pascal_case()
    columns = {row["name"]: row for row in rows(connection, f"PRAGMA table_xinfo({table})")}
    assert list(columns) == [column.name for column in pascal.columns]
    for column in pascal.columns:
        seen = columns[column.name]
        assert seen["type"] == column.type.declared
        assert seen["hidden"] == int(column.hidden)
        assert bool(seen["notnull"]) == column.not_null
        assert bool(seen["pk"]) == (column.name in pascal.key)


@pytest.mark.parametrize("table", OWN_TABLES.values(), ids=OWN_TABLES)
def test_its_own_tables_have_the_columns_that_are_told_of_them(connection: Connection, table: OwnTable) -> None:
    connection.execute("SELECT count(*) FROM lists").fetchall()
    cursor = connection.execute(f"SELECT * FROM {table.name}")
    assert cursor.description is not None
    assert [column[0] for column in cursor.description] == [column.name for column in table.columns]
    assert cursor.fetchall() or table.name in ("klaviyo_copies", "klaviyo_writes"), "nothing is materialized or written here"


@pytest.mark.parametrize("table", ["klaviyo_tables", "klaviyo_requests", "klaviyo_limits"])
def test_its_own_tables_can_be_joined_and_sorted(connection: Connection, table: str) -> None:
    connection.execute("SELECT count(*) FROM lists").fetchall()
    everything = connection.execute(f"SELECT * FROM {table}").fetchall()
    assert len(connection.execute(f"SELECT a.* FROM {table} a, {table} b WHERE a.rowid = b.rowid").fetchall()) == len(everything)
    assert sorted(map(str, connection.execute(f"SELECT * FROM {table} ORDER BY 3 DESC").fetchall())) == sorted(map(str, everything))


def test_klaviyo_requests(connection: Connection) -> None:
    assert rows(connection, "SELECT * FROM klaviyo_requests") == []
    connection.execute("SELECT id, name FROM lists WHERE created > '2020-01-01'").fetchall()
    first, second = rows(connection, "SELECT * FROM klaviyo_requests")
    assert (first["number"], second["number"]) == (1, 2)
    assert (first["operation"], first["table_name"], first["method"], first["path"]) == ("get_lists", "lists", "GET", "/api/lists")
    assert first["query"] == "fields[list]=created,name&filter=greater-than(created,2020-01-01T00:00:00Z)&page[size]=10&sort=id"
    assert "page[cursor]=" in second["query"]
    assert (first["status"], first["rows"], second["rows"], first["cached"], first["retries"], first["error"]) == (200, 10, 4, 0, 0, None)
    assert first["bytes"] > 100
    assert first["milliseconds"] >= 0
    assert first["limit_left"] == 74
    assert datetime.fromisoformat(first["started_at"]).year == 2026


def test_requests_that_came_from_the_cache(connection: Connection) -> None:
    for _ in range(2):
        connection.execute("SELECT id FROM lists LIMIT 3").fetchall()
    assert [(row["cached"], row["rows"], row["status"]) for row in rows(connection, "SELECT * FROM klaviyo_requests")] == [(0, 3, 200), (1, 3, 200)]
    connection.forget()
    connection.execute("SELECT id FROM lists LIMIT 3").fetchall()
    assert connection.execute("SELECT cached FROM klaviyo_requests WHERE number = 3").fetchone() == (0,)


def test_requests_that_failed_or_were_repeated(connection: Connection) -> None:
    assert connection.sandbox is not None
    connection.sandbox.faults.add(Fault("status", status=503, times=2))
    connection.execute("SELECT count(*) FROM accounts").fetchall()
    connection.sandbox.faults.add(Fault("status", status=400))
    with pytest.raises(RequestRejected):
        connection.execute("SELECT count(*) FROM metrics").fetchall()
    repeated, failed = rows(connection, "SELECT * FROM klaviyo_requests")
    assert (repeated["retries"], repeated["status"], repeated["error"]) == (2, 200, None)
    assert repeated["waited_milliseconds"] > 0
    assert failed["status"] == 400
    assert "400" in failed["error"]


def test_the_question_of_an_aggregate_is_shown(connection: Connection) -> None:
    connection.execute("SELECT count FROM monthly_metrics WHERE metric_id = 'X' AND month_start_date = '2026-10-01'").fetchall()
    row = rows(connection, "SELECT * FROM klaviyo_requests WHERE method = 'POST'")[0]
    assert '"metric_id":"X"' in row["query"]


def test_python_and_sql_see_the_same_log(connection: Connection) -> None:
    connection.execute("SELECT count(*) FROM profiles").fetchall()
    assert connection.execute("SELECT count(*), sum(rows) FROM klaviyo_requests").fetchone() == (5, 420)
    assert [record.number for record in connection.requests] == [1, 2, 3, 4, 5]
    assert len(connection.requests) == connection.requests.written == 5


def test_klaviyo_limits(connection: Connection) -> None:
    assert rows(connection, "SELECT * FROM klaviyo_limits") == []
    connection.execute("SELECT name FROM lists WHERE id = 'nobody'").fetchall()
    connection.execute("SELECT profile_count FROM lists LIMIT 1").fetchall()
    found = {(row["operation"], row["tier"], row["window_seconds"]): row for row in rows(connection, "SELECT * FROM klaviyo_limits")}
    second = found["get_list", "additional-fields[list]=profile_count", 1]
    assert (second["allowed"], second["used"], second["remaining"]) == (1, 1, 0)
    assert second["reason"] == "1 request a second"
    assert datetime.fromisoformat(second["free_at"]) > datetime(2026, 11, 20, 13)  # noqa: DTZ001 - as SQL has it
    usual = found["get_lists", "usual", 60]
    assert (usual["used"], usual["free_at"], usual["reason"]) == (usual["allowed"] - usual["remaining"], None, None)
    assert connection.execute("SELECT sum(used) FROM klaviyo_limits WHERE window_seconds = 60").fetchone() == (len(connection.requests),)


def test_klaviyo_limits_tells_why_nothing_is_sent(connection: Connection) -> None:
    assert connection.sandbox is not None
    connection.sandbox.faults.add(Fault("throttle", retry_after=4 * 3600))
    with pytest.raises(RateLimitError):
        connection.execute("SELECT count(*) FROM lists").fetchall()
    for row in rows(connection, "SELECT * FROM klaviyo_limits"):
        assert (row["remaining"], row["reason"]) == (0, "Klaviyo's Retry-After")
        assert row["free_at"].startswith("2026-11-20 17:00")
