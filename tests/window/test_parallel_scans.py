"""Scans that are cut and read side by side: the same rows as one chain after the other, whatever the data looks like and whatever fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql.model.clock import SimulatedClock, SystemClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Account, Fault, Sandbox, generate

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(today=TODAY, profiles=1_500, events=16_000)


Opener = Callable[..., klaviyo_sql.Connection]


@pytest.fixture
def parallel(account: Account) -> Any:
    connections = []

    def opener(of: Account | None = None, **options: Any) -> klaviyo_sql.Connection:
        sandbox = Sandbox(of or account, clock=SimulatedClock(NOW), limits=False)
        connections.append(opened(":memory:", sandbox=sandbox, autocommit=True, parallel=20, cache_seconds=0, **options))
        return connections[-1]

    yield opener
    for connection in connections:
        connection.close()


def truth(account: Account) -> list[tuple[str, str]]:
    return [(event["id"], event["attributes"]["datetime"][:19].replace("T", " ")) for event in account.events]


def sandbox_of(connection: klaviyo_sql.Connection) -> Sandbox:
    assert connection.sandbox is not None
    return connection.sandbox


def shifted(account: Account, when: Callable[[int], datetime]) -> Account:
    """The account with other event times."""
    changed = generate(today=TODAY, profiles=40, events=6_000)
    for number, event in enumerate(changed.events):
        instant = when(number)
        event["attributes"]["datetime"] = instant.strftime("%Y-%m-%dT%H:%M:%S+00:00")
        event["attributes"]["timestamp"] = int(instant.timestamp())
    changed.changed()
    return changed


SHAPES: dict[str, Callable[[int], datetime]] = {
    "all in one second": lambda n: NOW - timedelta(days=30),
    "all in three seconds": lambda n: NOW - timedelta(days=30, seconds=n % 3),
    "evenly over two years": lambda n: NOW - timedelta(minutes=175 * n),
    "two bursts years apart": lambda n: NOW - timedelta(days=1 if n % 2 else 3_000, seconds=n // 100),
    "one long ago, then many": lambda n: datetime(2013, 1, 1, tzinfo=UTC) if n == 0 else NOW - timedelta(seconds=n),
    "many long ago, one now": lambda n: NOW if n == 0 else datetime(2014, 1, 1, tzinfo=UTC) + timedelta(seconds=n),
    "denser and denser": lambda n: NOW - timedelta(seconds=(n / 10) ** 2.5),
    "sparser and sparser": lambda n: NOW - timedelta(days=900) + timedelta(seconds=(n / 10) ** 2.5),
    "also in the future": lambda n: NOW + timedelta(days=(n % 300) - 150),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", ["", "ORDER BY datetime", "ORDER BY datetime DESC"])
def test_every_event_comes_once_however_they_lie_in_time(shape: str, order: str, account: Account, parallel: Opener) -> None:
    changed = shifted(account, SHAPES[shape])
    rows = parallel(changed).execute(f"SELECT id, datetime FROM events {order}").fetchall()
    assert sorted(rows) == sorted(truth(changed))
    if order:
        assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse="DESC" in order)


@pytest.mark.parametrize(
    "where",
    [
        "datetime >= '2026-01-01' AND datetime < '2026-09-01T12:00:00.5'",
        "datetime > '2026-03-08T07:00:00Z'",
        "datetime <= '2026-06-01 00:00:00'",
        "timestamp BETWEEN 1760000000 AND 1790000000",
        "metric_id IN (SELECT id FROM metrics)",
        "profile_id IS NOT NULL",
        "value > 10",
    ],
)
def test_ranges_and_other_conditions(where: str, account: Account, parallel: Opener) -> None:
    serial = opened(":memory:", sandbox=Sandbox(account, clock=SimulatedClock(NOW), limits=False), autocommit=True)
    sql = f"SELECT id, metric_id, profile_id, value FROM events WHERE {where}"
    expected = serial.execute(sql).fetchall()
    assert len(expected) > 1_000
    assert sorted(parallel().execute(sql).fetchall(), key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id, email, created FROM profiles",
        "SELECT id, created FROM profiles ORDER BY created",
        "SELECT id, created FROM profiles ORDER BY created DESC",
        "SELECT id FROM profiles WHERE created >= '2025-03-01' AND created <= '2026-06-01'",
        "SELECT list_id, profile_id, joined_group_at FROM list_profiles",
        "SELECT profile_id, joined_group_at FROM segment_profiles WHERE joined_group_at > '2025-01-01'",
        "SELECT metric_id, date, count FROM daily_metrics",
        "SELECT email FROM profiles WHERE id IN (SELECT profile_id FROM list_profiles)",
        "SELECT name, profile_count FROM lists",
    ],
)
def test_other_tables(sql: str, account: Account, parallel: Opener) -> None:
    serial = opened(":memory:", sandbox=Sandbox(account, clock=SimulatedClock(NOW)), autocommit=True)
    expected = serial.execute(sql).fetchall()
    assert len(expected) > 10
    assert sorted(parallel().execute(sql).fetchall(), key=str) == sorted(expected, key=str)


def test_a_fault_that_stays_is_one_error_and_the_connection_lives_on(parallel: Opener) -> None:
    connection = parallel()
    sandbox_of(connection).faults.add(Fault(kind="status", status=500, operation="get_events", nth=6, times=None))
    with pytest.raises(klaviyo_sql.OperationalError, match="get_events"):
        connection.execute("SELECT id FROM events").fetchall()
    sandbox_of(connection).faults.clear()
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (14,)


@pytest.mark.parametrize(
    ("sql", "most"),
    [
        ("SELECT id FROM events LIMIT 10", 1),
        ("SELECT id FROM events LIMIT 1000", 1),
        ("SELECT id FROM events LIMIT 1500", 5),
        ("SELECT id FROM events ORDER BY datetime DESC LIMIT 2500", 6),
        ("SELECT email FROM profiles ORDER BY created DESC LIMIT 10", 1),
        # SQLite checks the value: one row in five is enough, so that three pages hold them; no more are asked for ahead than were used.
        ("SELECT id FROM events WHERE value > 10 LIMIT 500", 9),
    ],
)
def test_the_window_opens_only_for_who_reads_on(sql: str, most: int, parallel: Opener) -> None:
    connection = parallel()
    connection.execute(sql).fetchall()
    time.sleep(0.05)  # what was sent in vain arrives as well
    assert len(sandbox_of(connection).requests) <= most


def test_a_cursor_closed_after_the_first_row_has_asked_once(parallel: Opener) -> None:
    connection = parallel()
    cursor = connection.execute("SELECT id FROM events")
    cursor.fetchone()
    cursor.close()
    assert len(sandbox_of(connection).requests) == 1


def test_a_whole_scan_needs_few_requests_more_than_one_chain(account: Account, parallel: Opener) -> None:
    connection = parallel()
    count = connection.execute("SELECT count(*) FROM events").fetchone()[0]
    assert count == len(account.events)
    assert len(sandbox_of(connection).requests) <= 1.35 * (count / 1_000) + 2


class Watched(Sandbox):
    """A sandbox that counts how many requests it has at once; each stays a moment, so that they meet."""

    def __init__(self, account: Account) -> None:
        super().__init__(account, clock=SystemClock(), limits=False)
        self.at_once = self.most_at_once = 0
        self._counting = threading.Lock()

    def handle(self, *arguments: Any, **options: Any) -> Any:
        with self._counting:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            time.sleep(0.03)
            return super().handle(*arguments, **options)
        finally:
            with self._counting:
                self.at_once -= 1


@pytest.mark.parametrize(("parallel", "least", "most"), [(1, 1, 1), (3, 2, 3), (20, 4, 20)])
def test_no_more_requests_are_under_way_than_allowed_and_more_than_one_are(parallel: int, least: int, most: int, account: Account) -> None:
    sandbox = Watched(account)
    connection = opened(":memory:", sandbox=sandbox, autocommit=True, parallel=parallel)
    assert connection.execute("SELECT count(*) FROM events").fetchone() == (len(account.events),)
    assert least <= sandbox.most_at_once <= most
    connection.close()


def test_an_interrupt_is_heard_while_klaviyo_is_silent(account: Account) -> None:
    sandbox = Sandbox(account, clock=SystemClock(), latency=0.8, limits=False)
    connection = opened(":memory:", sandbox=sandbox, autocommit=True, parallel=20)
    sandbox.latency = 3.0
    timer = threading.Timer(0.2, connection.interrupt)
    began = time.monotonic()
    timer.start()
    with pytest.raises(klaviyo_sql.Interrupted):
        connection.execute("SELECT count(*) FROM events").fetchall()
    assert time.monotonic() - began < 2.0, "the reply, which takes three seconds, was not waited for"
    sandbox.latency = 0.0
    assert connection.execute("SELECT count(*) FROM metrics").fetchone() == (len(account.metrics),)
    connection.close()
