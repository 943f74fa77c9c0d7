"""The fault matrix: every fault, in every phase of a scan, on three tables: the rows are the truth, or there is one clear error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Account, Fault, Sandbox, generate

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
IN_TWENTY_SECONDS = "Fri, 20 Nov 2026 12:00:20 GMT"

Opener = Callable[..., klaviyo_sql.Connection]


@cache
def account() -> Account:
    return generate(today=TODAY, profiles=700, events=5_200)


def sandbox() -> Sandbox:
    return Sandbox(account(), clock=SimulatedClock(NOW), limits=False)


@pytest.fixture
def connect() -> Iterator[Opener]:
    connections = []

    def opener(**options: Any) -> klaviyo_sql.Connection:
        given = {"parallel": 20, "cache_seconds": 0} | options
        connections.append(opened(":memory:", sandbox=given.pop("sandbox", None) or sandbox(), autocommit=True, **given))
        return connections[-1]

    yield opener
    for connection in connections:
        connection.close()


def sandbox_of(connection: klaviyo_sql.Connection) -> Sandbox:
    assert connection.sandbox is not None
    return connection.sandbox


TABLES = {
    "events": ("get_events", "SELECT id, datetime FROM events"),
    "profiles": ("get_profiles", "SELECT id, created FROM profiles ORDER BY created DESC"),
    "list_profiles": ("get_profiles_for_list", "SELECT list_id, profile_id FROM list_profiles"),
}


SECOND_PAGES = {"events": 5, "profiles": 6, "list_profiles": 6}
"""How many pages have a cursor when pages are read one after the other; at least."""


@cache
def truth(sql: str) -> list[Any]:
    with opened(":memory:", sandbox=sandbox(), autocommit=True) as connection:
        return sorted(connection.execute(sql).fetchall())


@cache
def pages_of(sql: str, operation: str) -> int:
    """How many requests of the operation the scan makes page after page when nothing fails: the fewest that any way of reading needs."""
    with opened(":memory:", sandbox=sandbox(), autocommit=True, parallel=1, cache_seconds=0) as connection:
        connection.execute(sql).fetchall()
        return sum(record.operation == operation for record in sandbox_of(connection).requests)


FAULTS: dict[str, dict[str, Any]] = {
    "500": {"kind": "status", "status": 500},
    "502 as HTML": {"kind": "status", "status": 502, "body": "html"},
    "503 until a date": {"kind": "status", "headers": {"Retry-After": IN_TWENTY_SECONDS}},
    "524": {"kind": "status", "status": 524, "body": "html"},
    "429": {"kind": "throttle"},
    "429 without Retry-After": {"kind": "throttle", "retry_after": None},
    "429 until a date by a clock that is an hour ahead": {
        "kind": "throttle",
        "headers": {"Retry-After": "Fri, 20 Nov 2026 13:00:05 GMT", "Date": "Fri, 20 Nov 2026 13:00:00 GMT"},
    },
    "reset": {"kind": "reset"},
    "trickle": {"kind": "trickle", "seconds": 0.01},
    "truncated": {"kind": "truncated"},
    "truncated gzip": {"kind": "truncated_gzip"},
    "too short a length": {"kind": "short_length"},
    "too long a length": {"kind": "long_length"},
    "broken JSON": {"kind": "broken_json"},
    "not UTF-8": {"kind": "bad_utf8"},
    "HTML": {"kind": "html"},
    "wrong shape": {"kind": "wrong_shape"},
    "expired cursor": {"kind": "expired_cursor"},
    "repeated page": {"kind": "repeated_page"},
    "short page": {"kind": "short_page"},
    "empty page": {"kind": "empty_page"},
    "linked to itself": {"kind": "linked_to_itself"},
}


PHASES = {
    "first page": (1, lambda pages: 1, 1),
    "middle": (1, lambda pages: pages // 2 + 1, 1),
    "last page": (1, lambda pages: pages, 1),
    "while parallel": (20, lambda pages: pages // 2 + 1, 2),
    "late while parallel": (20, lambda pages: pages - 1, 2),
}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_any_phase_loses_and_repeats_no_row(fault: str, table: str, phase: str, connect: Opener) -> None:
    operation, sql = TABLES[table]
    parallel, which, times = PHASES[phase]
    behind_a_cursor = FAULTS[fault]["kind"] in ("expired_cursor", "repeated_page")
    # These count second and later pages alone, and most slices are one page.
    nth = which(pages_of(sql, operation)) if not behind_a_cursor else which(SECOND_PAGES[table]) if parallel == 1 else 1
    connection = connect(parallel=parallel)
    struck = sandbox_of(connection).faults.add(Fault(operation=operation, nth=nth, times=times, **FAULTS[fault]))
    rows = connection.execute(sql).fetchall()
    assert sorted(rows) == truth(sql)
    if "ORDER BY" in sql:
        assert [created for _, created in rows] == sorted((created for _, created in rows), reverse=True)
    assert struck.hits >= 1 or (behind_a_cursor and parallel > 1)


@pytest.mark.parametrize("parallel", [1, 20])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("nth", [1, 3])
def test_a_link_to_another_host_is_one_error(nth: int, table: str, parallel: int, connect: Opener) -> None:
    operation, sql = TABLES[table]
    connection = connect(parallel=parallel)
    sandbox_of(connection).faults.add(Fault("linked_elsewhere", operation, nth=nth, times=None))
    with pytest.raises(klaviyo_sql.OperationalError, match=r"elsewhere\.invalid.*was not followed"):
        connection.execute(sql).fetchall()
    sandbox_of(connection).faults.clear()
    assert sorted(connection.execute(sql).fetchall()) == truth(sql)


LASTING = {
    "repeated page": (Fault("repeated_page", times=None), "rows of a page before it once more"),
    "linked to itself": (Fault("linked_to_itself", times=None), "was read before"),
    "truncated gzip": (Fault("truncated_gzip", times=None), "failed after 5 tries|cannot be used"),
    "not UTF-8": (Fault("bad_utf8", times=None), "cannot be used"),
    "429": (Fault("throttle", retry_after=None, times=None), "429"),
    "503 until tomorrow": (Fault("status", times=None, headers={"Retry-After": "Sat, 21 Nov 2026 12:00:00 GMT"}), "come back at 2026-11-21 12:00"),
}


@pytest.mark.parametrize("parallel", [1, 20])
@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_stays_is_one_error_and_the_connection_lives_on(fault: str, parallel: int, connect: Opener) -> None:
    connection = connect(parallel=parallel)
    struck, said = LASTING[fault]
    sandbox_of(connection).faults.add(replace(struck, operation="get_profiles"))
    with pytest.raises(klaviyo_sql.OperationalError, match=said) as caught:
        connection.execute("SELECT email FROM profiles WHERE first_name <> 'x'").fetchall()
    assert "get_profiles (table profiles)" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(sandbox_of(connection).requests) < 300
    sandbox_of(connection).faults.clear()
    assert connection.execute("SELECT count(*) FROM profiles").fetchone() == (len(account().profiles),)


def test_cursors_that_always_expire_cost_requests_and_no_row_where_a_scan_can_be_cut(connect: Opener) -> None:
    operation, sql = TABLES["profiles"]
    connection = connect()
    struck = sandbox_of(connection).faults.add(Fault("expired_cursor", operation, times=None))
    assert sorted(connection.execute(sql).fetchall()) == truth(sql)
    assert struck.hits >= 1


def test_a_second_with_more_rows_than_a_page_needs_its_cursor(connect: Opener) -> None:
    connection = connect(sandbox=Sandbox(burst(1), clock=SimulatedClock(NOW), limits=False))
    sandbox_of(connection).faults.add(Fault("expired_cursor", times=None))
    with pytest.raises(klaviyo_sql.OperationalError, match=r"get_events \(table events\) 3 times.*did not get on"):
        connection.execute("SELECT id FROM events").fetchall()


def test_cursors_that_always_expire_are_one_error_where_it_cannot(connect: Opener) -> None:
    connection = connect(parallel=1)
    sandbox_of(connection).faults.add(Fault("expired_cursor", times=None))
    with pytest.raises(klaviyo_sql.OperationalError, match=r"cursor.*3 times.*run the statement again"):
        connection.execute("SELECT email FROM profiles WHERE first_name <> 'x'").fetchall()
    sandbox_of(connection).faults.clear()
    assert connection.execute("SELECT count(*) FROM profiles").fetchone() == (len(account().profiles),)


def test_a_storm_of_429_ends_and_costs_no_row(connect: Opener) -> None:
    connection = connect(max_wait=100_000)
    for retry_after in (1, None, 5):
        sandbox_of(connection).faults.add(Fault("throttle", "get_events", nth=3, times=25, retry_after=retry_after))
    sql = TABLES["events"][1]
    assert sorted(connection.execute(sql).fetchall()) == truth(sql)


def burst(seconds: int) -> Account:
    """An account whose events all happened within these seconds."""
    made = generate(today=TODAY, profiles=40, events=4_500)
    for number, event in enumerate(made.events):
        instant = NOW - timedelta(days=3, seconds=number % seconds)
        event["attributes"] |= {"datetime": instant.strftime("%Y-%m-%dT%H:%M:%S+00:00"), "timestamp": int(instant.timestamp())}
    made.changed()
    return made


@pytest.mark.parametrize("seconds", [1, 3])
@pytest.mark.parametrize("order", ["", "ORDER BY datetime", "ORDER BY datetime DESC"])
@pytest.mark.parametrize("nth", [1, 3])
def test_a_cursor_that_expires_within_a_burst(nth: int, order: str, seconds: int, connect: Opener) -> None:
    made = burst(seconds)
    connection = connect(sandbox=Sandbox(made, clock=SimulatedClock(NOW), limits=False))
    struck = sandbox_of(connection).faults.add(Fault("expired_cursor", nth=nth, times=1))
    rows = connection.execute(f"SELECT id FROM events {order}").fetchall()
    assert sorted(rows) == sorted((event["id"],) for event in made.events)
    assert struck.hits == 1


def test_a_cursor_of_a_page_in_the_cache_may_have_expired(connect: Opener) -> None:
    """The first page comes from memory and links on by a cursor that Klaviyo has forgotten since."""
    connection = connect(cache_seconds=60, parallel=1)
    sql = TABLES["list_profiles"][1]
    assert sorted(connection.execute(sql).fetchall()) == truth(sql)
    cursors = [record.query["page[cursor]"] for record in sandbox_of(connection).requests if "page[cursor]" in record.query]
    assert len(cursors) > 3
    sandbox_of(connection).faults.add(Fault("expired_cursor", times=2))
    connection.forget()
    assert sorted(connection.execute(sql).fetchall()) == truth(sql)


class Jumping(SimulatedClock):
    """A clock whose date is set forth and back by hours, as by a person or a time server; the seconds since its start go on."""

    def __init__(self) -> None:
        super().__init__(NOW)
        self.looks = 0

    def now(self) -> datetime:
        self.looks += 1
        return super().now() + timedelta(hours=(0, 5, -7)[self.looks % 3])


def test_a_clock_that_jumps_costs_no_row(connect: Opener) -> None:
    for table in TABLES:
        operation, sql = TABLES[table]
        clock = Jumping()
        connection = connect(sandbox=Sandbox(account(), clock=clock, limits=False))
        sandbox_of(connection).faults.add(Fault("throttle", operation, nth=2, times=2, headers={"Retry-After": "30"}))
        assert sorted(connection.execute(sql).fetchall()) == truth(sql)
        assert clock.monotonic() >= 30


def test_a_list_that_vanishes_while_it_is_read_does_not_pass_for_its_end(connect: Opener) -> None:
    connection = connect(parallel=1)
    members = account().list_members
    largest = max(members, key=lambda list_id: len(members[list_id]))
    sandbox_of(connection).faults.add(Fault("status", "get_profiles_for_list", nth=2, times=None, status=404))
    with pytest.raises(klaviyo_sql.RequestRejected, match="404"):
        connection.execute("SELECT profile_id FROM list_profiles WHERE list_id = ?", (largest,)).fetchall()
