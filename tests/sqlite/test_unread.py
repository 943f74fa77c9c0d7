"""Rows that nobody reads on a connection: bounds, faults, local copies, and what the user is told. What is counted, and that it is right, the oracle says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from klaviyo_sql import BudgetExceeded, Connection, InterfaceError, OperationalError
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account, Sandbox, generate
from klaviyo_sql.sandbox.faults import Fault
from klaviyo_sql.sqlite.explain import explain

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
AGGREGATES = "query_metric_aggregates"
Open = Callable[..., Connection]


@pytest.fixture(scope="module")
def eventful() -> Account:
    """An account that nobody changes, with 1,851 events of one metric in the year before last November."""
    return generate(7, NOW.date(), profiles=150, events=12_000)


@pytest.fixture
def metric(eventful: Account) -> str:
    return next(id_ for id_, metric in eventful.metrics.items() if metric["attributes"]["name"] == "Received Email")


@pytest.fixture
def opens(open_sandbox: Open, eventful: Account) -> Open:
    """Opens connections to that account; statements of theirs are not read before SQLite reads them."""

    def open_one(**given: Any) -> Connection:
        connection = open_sandbox(sandbox=Sandbox(eventful, clock=SimulatedClock(NOW)), **{"counts": "aggregates", "cache_seconds": 0, "parallel": 1, **given})
        connection._counts = "rows"
        return connection

    return open_one


def sent(connection: Connection) -> Counter[str]:
    """How often each operation was asked for since the last time."""
    assert connection.sandbox is not None
    found = Counter(str(record.operation) for record in connection.sandbox.requests)
    connection.sandbox.requests.clear()
    return found


def between(account: Account, metric: str, start: str, end: str) -> int:
    """The truth."""
    low, high = (datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in (start, end))
    return sum(event["metric_id"] == metric and low <= event["attributes"]["timestamp"] < high for event in account.events)


YEAR = ("2025-11-01", "2026-11-01")
FROM = "FROM events WHERE metric_id = ? AND datetime >= ? AND datetime < ?"


def test_it_is_off_unless_asked_for(opens: Open, eventful: Account, metric: str) -> None:
    connection = opens(counts="rows")
    assert connection.execute(f"SELECT count(*) {FROM}", (metric, *YEAR)).fetchall() == [(between(eventful, metric, *YEAR),)]
    assert sent(connection).keys() == {"get_events"}


@pytest.mark.parametrize("parallel", [1, 20])
def test_a_statement_that_the_driver_does_not_read_itself(opens: Open, eventful: Account, metric: str, parallel: int) -> None:
    """However many requests there may be at once: none is sent for the second page before it is known whether it is wanted."""
    connection = opens(parallel=parallel)
    connection._counts = "aggregates"
    connection.execute(f"CREATE TEMP VIEW year AS SELECT * FROM events WHERE metric_id = '{metric}' AND datetime >= '{YEAR[0]}' AND datetime < '{YEAR[1]}'")
    assert connection.execute("SELECT count(*) FROM year").fetchall() == [(between(eventful, metric, *YEAR),)]
    assert sent(connection) == {"get_events": 1, AGGREGATES: 1}


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_metric_that_klaviyo_does_not_aggregate(opens: Open, eventful: Account, metric: str, status: int) -> None:
    connection = opens()
    assert connection.sandbox is not None
    connection.sandbox.faults.add(Fault("status", operation=AGGREGATES, status=status, times=None))
    assert connection.execute(f"SELECT count(*) {FROM}", (metric, *YEAR)).fetchall() == [(between(eventful, metric, *YEAR),)]
    assert sent(connection) == {AGGREGATES: 1, "get_events": 1 + -(-between(eventful, metric, *YEAR) // 1000)}


def test_the_events_of_the_future_are_counted(opens: Open, eventful: Account, metric: str) -> None:
    connection = opens()
    assert connection.execute("SELECT count(*) FROM events WHERE metric_id = ? AND datetime >= '2025-12-01'", (metric,)).fetchall() == [
        (between(eventful, metric, "2025-12-01", "2030-01-01"),)
    ]
    assert sent(connection) == {"get_events": 2, AGGREGATES: 1}


def test_a_count_that_is_behind_the_rows_is_not_believed(opens: Open, eventful: Account, metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = opens()
    monkeypatch.setattr(connection.engine, "count", lambda *_: 17)
    assert connection.execute(f"SELECT count(*) {FROM}", (metric, *YEAR)).fetchall() == [(between(eventful, metric, *YEAR),)]


def test_a_row_that_was_counted_and_is_not_there(opens: Open, metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = opens()
    monkeypatch.setattr(connection.engine, "count", lambda *_: 9000)
    with pytest.raises(OperationalError, match=r'counted more rows of events than it returned.*counts = "rows"'):
        connection.execute(f"SELECT id FROM (SELECT 1) CROSS JOIN (SELECT * {FROM}) LIMIT 1 OFFSET 5000", (metric, *YEAR)).fetchall()


def test_rows_that_are_skipped_before_some_are_read(opens: Open, eventful: Account, metric: str) -> None:
    """What was read before the rows were counted is not read again."""
    connection = opens()
    found = connection.execute(f"SELECT id FROM (SELECT 1) CROSS JOIN (SELECT * {FROM}) LIMIT 2000 OFFSET 1500", (metric, *YEAR)).fetchall()
    assert len(set(found)) == between(eventful, metric, *YEAR) - 1500
    assert sent(connection) == {"get_events": 2, AGGREGATES: 1}


def test_a_local_copy_counts_for_itself(opens: Open, eventful: Account, metric: str) -> None:
    connection = opens(materialized="events,list_profiles:max_age=1h")
    group = max(eventful.list_members, key=lambda id_: len(eventful.list_members[id_]))
    connection.execute("SELECT refresh('events'), refresh('list_profiles')").fetchall()
    sent(connection)
    assert connection.execute(f"SELECT count(*) {FROM}", (metric, *YEAR)).fetchall() == [(between(eventful, metric, *YEAR),)]
    connection.execute("SELECT count(*) FROM list_profiles WHERE list_id = ?", (group,)).fetchall()
    assert not sent(connection).keys() & {AGGREGATES, "get_list"}


def test_a_connection_that_writes_counts_and_deletes_members(opens: Open, eventful: Account) -> None:
    group, members = max(eventful.list_members.items(), key=lambda item: len(item[1]))
    connection = opens(write=True, dry_run=True, max_writes=0)
    assert connection.execute("SELECT count(*) FROM list_profiles WHERE list_id = ?", (group,)).fetchall() == [(len(members),)]
    assert sent(connection) == {"get_profiles_for_list": 1, "get_list": 1}
    connection.execute("BEGIN")
    assert connection.execute("DELETE FROM list_profiles WHERE list_id = ?", (group,)).rowcount == len(members)
    connection.rollback()


def test_explain_tells_of_it(opens: Open, metric: str) -> None:
    connection = opens()
    told = str(explain(connection, f"SELECT datetime {FROM}", (metric, *YEAR)))
    assert "if nothing is read of the rows of the first page, and there are more, Klaviyo is asked how many: POST /api/metric-aggregates" in told
    assert "Klaviyo is asked how many" not in str(explain(connection, f"SELECT value {FROM}", (metric, *YEAR)))
    assert "Klaviyo is asked how many" not in str(explain(connection, f"SELECT datetime {FROM}", (metric, "2025-11-01 00:30", YEAR[1])))
    assert "get_list" not in sent(connection)
    told = str(explain(connection, "SELECT count(*) FROM list_profiles WHERE list_id = 'X'"))
    assert "Klaviyo is asked how many: GET /api/lists/X?additional-fields[list]=profile_count" in told
    assert not sent(connection)


# The bound of what only counts


@pytest.mark.parametrize("parallel", [1, 20])
def test_a_count_stops_at_its_bound(opens: Open, parallel: int) -> None:
    connection = opens(count_requests=2, parallel=parallel, counts="rows")
    with pytest.raises(BudgetExceeded) as told:
        connection.execute("SELECT count(*) FROM events").fetchall()
    assert str(told.value) == (
        "The rows of events are only counted, and that has taken 2 requests, as many as a count may (count_requests is 2). Narrow the WHERE by what Klaviyo "
        'filters events by (id, metric_id, profile_id, datetime, timestamp). Let Klaviyo count where it can, with counts = "aggregates", or raise '
        "count_requests."
    )
    assert sent(connection) == {"get_events": 2}
    with pytest.raises(BudgetExceeded, match=r"timestamp\), or raise count_requests"):
        opens(count_requests=2, parallel=parallel).execute("SELECT count(*) FROM events").fetchall()


@pytest.mark.parametrize("parallel", [1, 20])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM events",
        "SELECT count(value) FROM events",
        "SELECT * FROM profiles",
        "SELECT count(DISTINCT profile_id) FROM events",
        "SELECT count(*) FROM events JOIN profiles ON profiles.id = profile_id",
    ],
)
def test_what_reads_rows_is_not_bound_by_it(opens: Open, sql: str, parallel: int) -> None:
    connection = opens(count_requests=1, parallel=parallel, counts="rows")
    assert sorted(connection.execute(sql).fetchall()) == sorted(opens(counts="rows").execute(sql).fetchall())


def test_each_scan_that_only_counts_has_its_own(opens: Open, eventful: Account) -> None:
    connection = opens(count_requests=2)
    profiles = len(eventful.profiles)
    both = "SELECT (SELECT count(*) FROM profiles), (SELECT count(*) FROM profiles WHERE created >= '2000-01-01')"
    assert connection.execute(both).fetchall() == [(profiles, profiles)]
    assert sent(connection) == {"get_profiles": 4}


def test_it_bounds_the_parents_as_well(opens: Open) -> None:
    connection = opens(count_requests=3)
    with pytest.raises(BudgetExceeded, match="count_requests is 3"):
        connection.execute("SELECT count(*) FROM list_profiles").fetchall()
    assert sent(connection).total() == 3


def test_what_klaviyo_counts_is_within_it(opens: Open, eventful: Account, metric: str) -> None:
    connection = opens(count_requests=2)
    assert connection.execute(f"SELECT count(*) {FROM}", (metric, *YEAR)).fetchall() == [(between(eventful, metric, *YEAR),)]
    connection.count_requests = 1
    with pytest.raises(BudgetExceeded, match="count_requests is 1"):
        connection.execute(f"SELECT count(*) {FROM}", (metric, *YEAR)).fetchall()


def test_the_bound_of_the_statement_holds_as_well(opens: Open) -> None:
    with pytest.raises(BudgetExceeded, match="max_requests is 2"):
        opens(count_requests=4, max_requests=2).execute("SELECT count(*) FROM events").fetchall()


def test_the_environment_and_the_file_have_it(opens: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("KLAVIYO_SQL_COUNT_REQUESTS", "7")
    assert opens().count_requests == 7
    monkeypatch.delenv("KLAVIYO_SQL_COUNT_REQUESTS")
    file = tmp_path / "config.toml"
    file.write_text('count_requests = 9\ncounts = "aggregates"\n', encoding="utf-8")
    connection = opens(config=file, counts=None)
    assert (connection.count_requests, connection.session.counts) == (9, "aggregates")
    for value, said in (("0", "count_requests must be a number of at least 1"), ("few", "KLAVIYO_SQL_COUNT_REQUESTS is 'few'; set it to a number")):
        monkeypatch.setenv("KLAVIYO_SQL_COUNT_REQUESTS", value)
        with pytest.raises(InterfaceError, match=said):
            opens()
