"""Budgets of statements: requests, rows and time, counted over everything that a statement does, with an error that tells the way out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql import BudgetExceeded, Connection, InterfaceError, StatementTimeout
from klaviyo_sql.model.clock import SystemClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Account, Fault, Sandbox
from klaviyo_sql.settings import Settings, from_environment

Open = Callable[..., Connection]


def sent(connection: Connection) -> int:
    assert connection.sandbox is not None
    return len(connection.sandbox.requests)


# Requests


def test_a_scan_ends_at_its_last_request_with_the_way_out(open_sandbox: Open) -> None:
    connection = open_sandbox(max_requests=3)
    with pytest.raises(BudgetExceeded) as caught:
        connection.execute("SELECT email FROM profiles").fetchall()
    before, _, after = str(caught.value).partition(" (id, ")
    assert before == (
        "The statement has sent 3 requests to Klaviyo, as many as it may (max_requests is 3), and profiles needs more. "
        "Narrow the WHERE by what Klaviyo filters profiles by"
    )
    assert "created, updated, " in after
    assert after.endswith("). Add a LIMIT, or raise max_requests.")
    assert sent(connection) == 3
    assert isinstance(caught.value, klaviyo_sql.OperationalError)


@pytest.mark.parametrize("parallel", [1, 20])
@pytest.mark.parametrize(
    ("sql", "needed"),
    [
        ("SELECT email FROM profiles", 5),
        ("SELECT email FROM profiles LIMIT 300", 3),
        ("SELECT name FROM lists WHERE id IN (SELECT list_id FROM list_profiles)", None),
        ("SELECT count(*) FROM (SELECT id FROM lists UNION ALL SELECT id FROM segments UNION ALL SELECT id FROM metrics)", None),
        ("SELECT name, profile_count FROM lists", None),
        ("SELECT p.email FROM events e JOIN profiles p ON p.id = e.profile_id WHERE e.datetime >= '2026-11-15' LIMIT 40", None),
    ],
)
def test_exactly_enough_is_enough_and_one_less_is_not(open_sandbox: Open, sql: str, needed: int | None, parallel: int) -> None:
    """All scans count: subqueries, joins, details."""
    without = open_sandbox(parallel=1, cache_seconds=0)
    without.execute(sql).fetchall()
    count = sent(without)
    assert needed is None or count == needed
    rows = open_sandbox(parallel=1, cache_seconds=0, max_requests=count).execute(sql).fetchall()
    assert rows
    scarce = open_sandbox(parallel=parallel, cache_seconds=0, max_requests=count - 1)
    with pytest.raises(BudgetExceeded, match="max_requests"):
        scarce.execute(sql).fetchall()
    assert sent(scarce) <= count - 1


def test_reading_ahead_takes_nothing_from_a_statement_that_stops(open_sandbox: Open) -> None:
    """With many requests at once, none is sent ahead that the budget may not have."""
    connection = open_sandbox(parallel=20, cache_seconds=0, max_requests=4)
    assert len(connection.execute("SELECT id FROM profiles WHERE first_name <> 'x'").fetchmany(250)) == 250
    assert sent(connection) <= 4


def test_repeated_tries_count_and_replies_from_the_cache_do_not(open_sandbox: Open) -> None:
    connection = open_sandbox(max_requests=2)
    assert connection.sandbox is not None
    connection.sandbox.faults.add(Fault("status", times=2))
    with pytest.raises(BudgetExceeded):
        connection.execute("SELECT * FROM accounts").fetchall()
    assert sent(connection) == 2
    for _ in range(5):
        connection.execute("SELECT a.timezone FROM accounts a").fetchall()
    assert sent(connection) == 3


def test_every_statement_has_its_own_budget(open_sandbox: Open) -> None:
    connection = open_sandbox(max_requests=3, cache_seconds=0)
    first = connection.execute("SELECT email FROM profiles")
    first.fetchmany(100)
    second = connection.execute("SELECT id FROM profiles")
    assert len(second.fetchmany(300)) == 300
    assert len(first.fetchmany(200)) == 200
    for cursor in (first, second):
        with pytest.raises(BudgetExceeded):
            cursor.fetchall()
    assert sent(connection) == 6
    connection.executescript("CREATE TABLE a AS SELECT * FROM metrics; CREATE TABLE b AS SELECT * FROM metrics; CREATE TABLE c AS SELECT * FROM metrics;")


def test_what_is_known_to_need_more_is_refused_before_anything_is_sent(open_sandbox: Open, account: Account) -> None:
    connection = open_sandbox(max_requests=10)
    ids = ", ".join(f"'{n:026d}'" for n in range(5_000))
    with pytest.raises(BudgetExceeded, match=r"needs at least 50 requests, and may send 10 \(max_requests is 10\), and profiles is not begun"):
        connection.execute(f"SELECT email FROM profiles WHERE id IN ({ids})").fetchall()
    assert sent(connection) == 0
    connection.max_requests = 50
    assert connection.execute(f"SELECT email FROM profiles WHERE id IN ({ids})").fetchall() == []


# Rows


def test_rows_are_bounded_over_all_scans(open_sandbox: Open) -> None:
    connection = open_sandbox(max_rows=250)
    assert len(connection.execute("SELECT id FROM profiles LIMIT 250").fetchall()) == 250
    with pytest.raises(BudgetExceeded, match=r"has read 250 rows from Klaviyo, as many as it may \(max_rows is 250\), and profiles has more") as caught:
        connection.execute("SELECT count(*) FROM profiles").fetchall()
    assert "Add a LIMIT, or raise max_rows." in str(caught.value)
    with pytest.raises(BudgetExceeded, match="max_rows"):
        connection.execute("SELECT a.id FROM profiles a, profiles b LIMIT 1000").fetchall()
    assert connection.execute("SELECT count(*) FROM metrics").fetchone() == (16,)


def test_rows_that_were_read_ahead_do_not_count(open_sandbox: Open) -> None:
    connection = open_sandbox(parallel=20, max_rows=280)
    cursor = connection.execute("SELECT id FROM profiles WHERE id <> 'x'")
    assert len(cursor.fetchmany(279)) == 279
    with pytest.raises(BudgetExceeded, match="max_rows"):
        cursor.fetchall()


# Time


def test_a_statement_that_waits_for_limits_ends_in_time(open_sandbox: Open) -> None:
    connection = open_sandbox(statement_timeout=5)
    with pytest.raises(StatementTimeout, match=r"statement_timeout is 5 s.* while reading lists") as caught:
        connection.execute("SELECT sum(profile_count) FROM lists").fetchall()  # one a second
    assert "or raise statement_timeout" in str(caught.value)
    assert connection.execute("SELECT count(*) FROM metrics").fetchone() == (16,)


def test_a_timeout_is_heard_while_klaviyo_is_silent(account: Account) -> None:
    """The sandbox answers only when the test is over."""
    over = threading.Event()

    class Silent(Sandbox):
        def handle(self, *arguments: Any, **options: Any) -> Any:
            over.wait(60)
            return super().handle(*arguments, **options)

    connection = opened(":memory:", sandbox=Silent(account, clock=SystemClock(), limits=False), autocommit=True, statement_timeout=0.2)
    with pytest.raises(StatementTimeout, match=r"statement_timeout is 0\.2 s"):
        connection.execute("SELECT count(*) FROM metrics").fetchall()
    assert not over.is_set(), "it was not the reply that ended the statement"
    over.set()
    connection.statement_timeout = None
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (14,)
    connection.close()


def test_a_timeout_ends_what_sqlite_computes_by_itself(account: Account) -> None:
    connection = opened(":memory:", sandbox=Sandbox(account, clock=SystemClock()), autocommit=True, statement_timeout=0.2)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(StatementTimeout):
        connection.execute(endless)
    connection.execute("CREATE TABLE kept (n)")
    with pytest.raises(StatementTimeout):
        connection.executescript(f"INSERT INTO kept VALUES (1); CREATE TABLE never AS {endless};")
    connection.statement_timeout = None
    assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)
    assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'never'").fetchall() == []
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (14,)
    connection.close()


# Settings


def test_the_environment_bounds_too() -> None:
    variables = {"KLAVIYO_SQL_MAX_REQUESTS": "50", "KLAVIYO_SQL_MAX_ROWS": "1000", "KLAVIYO_SQL_STATEMENT_TIMEOUT": "2.5"}
    settings = from_environment(environment=variables)
    assert (settings.max_requests, settings.max_rows, settings.statement_timeout) == (50, 1_000, 2.5)
    assert from_environment(environment=variables, max_requests=7).max_requests == 7
    assert (Settings().max_requests, Settings().max_rows, Settings().statement_timeout) == (None, None, None)
    assert from_environment(environment={"KLAVIYO_SQL_MAX_ROWS": " "}).max_rows is None


@pytest.mark.parametrize("name", ["KLAVIYO_SQL_MAX_REQUESTS", "KLAVIYO_SQL_MAX_ROWS", "KLAVIYO_SQL_STATEMENT_TIMEOUT"])
@pytest.mark.parametrize("text", ["0", "-1", "many", "nan"])
def test_bounds_that_make_no_sense(name: str, text: str) -> None:
    with pytest.raises(InterfaceError, match=name.removeprefix("KLAVIYO_SQL_").lower() + "|" + name):
        from_environment(environment={name: text})


def test_half_a_request_makes_no_sense() -> None:
    with pytest.raises(InterfaceError, match="whole number"):
        from_environment(environment={"KLAVIYO_SQL_MAX_REQUESTS": "1.5"})
