"""Counts from metric aggregates on a connection: when Klaviyo does not aggregate, parameters, names, other tables, and what the user is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest

from klaviyo_sql import Connection, DataError, InterfaceError
from klaviyo_sql.fetch import Limits
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import SANDBOX_KEY, SANDBOX_URL, Account, Sandbox, SandboxTransport, generate
from klaviyo_sql.sandbox.faults import Fault
from klaviyo_sql.settings import from_environment
from klaviyo_sql.sqlite.explain import explain

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
AGGREGATES = "query_metric_aggregates"
Open = Callable[..., Connection]


@pytest.fixture
def metric(account: Account) -> str:
    return next(id_ for id_, metric in account.metrics.items() if metric["attributes"]["name"] == "Placed Order")


@pytest.fixture
def connection(open_sandbox: Open) -> Connection:
    return open_sandbox(counts="aggregates+sums", cache_seconds=0)


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


SQL = "SELECT count(*) FROM events WHERE metric_id = ? AND datetime >= ? AND datetime < ?"


def test_it_is_off_unless_asked_for(open_sandbox: Open, metric: str) -> None:
    connection = open_sandbox()
    connection.execute(SQL, (metric, "2026-01-01", "2026-02-01")).fetchall()
    assert set(sent(connection)) == {"get_events"}
    assert connection.execute("SELECT count(*) FROM klaviyo_tables WHERE name LIKE 'klaviyo%'").fetchall() == [(0,)]


@pytest.mark.parametrize(("value", "used"), [("aggregates", True), (" Aggregates+Sums ", True), ("rows", False), ("", False)])
def test_the_environment_asks_for_it(open_sandbox: Open, metric: str, monkeypatch: pytest.MonkeyPatch, value: str, used: bool) -> None:
    monkeypatch.setenv("KLAVIYO_SQL_COUNTS", value)
    connection = open_sandbox()
    connection.execute(SQL, (metric, "2026-01-01", "2026-02-01")).fetchall()
    assert (AGGREGATES in sent(connection)) is used


def test_a_local_copy_of_the_events_counts_them_itself(open_sandbox: Open, account: Account, metric: str) -> None:
    connection = open_sandbox(counts="aggregates", materialized="events")
    assert connection.execute(SQL, (metric, "2026-01-01", "2026-02-01")).fetchall() == [(between(account, metric, "2026-01-01", "2026-02-01"),)]
    assert AGGREGATES not in sent(connection)


def test_other_words_are_refused(open_sandbox: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InterfaceError, match="counts is 'always'; it must be one of rows, aggregates, aggregates\\+sums"):
        open_sandbox(counts="always")
    monkeypatch.setenv("KLAVIYO_SQL_COUNTS", "yes")
    with pytest.raises(InterfaceError, match="KLAVIYO_SQL_COUNTS is 'yes'"):
        open_sandbox()


def test_sums_need_their_own_word(open_sandbox: Open, metric: str) -> None:
    connection = open_sandbox(counts="aggregates")
    connection.execute("SELECT count(*), sum(value) FROM events WHERE metric_id = ? AND datetime >= '2026-11'", (metric,)).fetchall()
    assert set(sent(connection)) == {"get_events"}


@pytest.mark.parametrize(
    ("where", "parameters"),
    [
        ("metric_id = ? AND datetime >= ? AND datetime < ?", ("{metric}", "2026-01-01", "2026-02-01")),
        ("metric_id = ?3 AND datetime >= ?1 AND datetime < ?2", ("2026-01-01", "2026-02-01", "{metric}")),
        ("metric_id = :m AND datetime >= @a AND datetime < $b", {"m": "{metric}", "a": "2026-01-01", "b": "2026-02-01"}),
        ("datetime >= ? /* ? */ AND metric_id = ? AND datetime < ? -- ?", ("2026-01-01T00:00:00Z", "{metric}", "2026-02-01")),
    ],
)
def test_parameters_keep_their_meaning(connection: Connection, account: Account, metric: str, where: str, parameters: object) -> None:
    def filled(value: str) -> str:
        return value.format(metric=metric)

    bound = {name: filled(value) for name, value in parameters.items()} if isinstance(parameters, dict) else tuple(map(filled, parameters))  # type: ignore[call-overload]
    assert connection.execute(f"SELECT count(*) FROM events WHERE {where}", bound).fetchall() == [(between(account, metric, "2026-01-01", "2026-02-01"),)]
    assert sent(connection) == {AGGREGATES: 1}


def test_the_values_decide_in_every_run(connection: Connection, account: Account, metric: str) -> None:
    for start, end, operation in (
        ("2026-01-01", "2026-02-01", AGGREGATES),
        ("2026-01-01 00:30", "2026-02-01", "get_events"),
        ("2026-01-01 05:00", "2026-02-01", AGGREGATES),
    ):
        assert connection.execute(SQL, (metric, start, end)).fetchall() == [(between(account, metric, start, end),)]
        assert set(sent(connection)) == {operation}


def test_names_and_types_of_results_stay(open_sandbox: Open, metric: str) -> None:
    sql = (
        'SELECT metric_id, count(*), COUNT ( * ) /* all */ , date(datetime), sum(value) total, count(*)+1 AS "a b" FROM events '
        "WHERE metric_id = ? AND datetime >= '2026-11' GROUP BY metric_id, 4"
    )
    described = []
    for counts in ("rows", "aggregates+sums"):
        connection = open_sandbox(counts=counts)
        described.append(connection.execute(sql, (metric,)).description)
        assert (AGGREGATES in sent(connection)) is (counts != "rows")
    assert described[0] == described[1]


def test_tables_made_of_counts(open_sandbox: Open, metric: str) -> None:
    made = []
    for counts in ("rows", "aggregates"):
        connection = open_sandbox(counts=counts)
        sql = f"SELECT date(datetime), count(*) FROM events WHERE metric_id = '{metric}' AND datetime >= '2026-11' GROUP BY 1"
        connection.execute(f"CREATE TABLE made AS {sql}")
        connection.execute("CREATE TABLE filled (day TEXT, n INTEGER)")
        connection.execute(f"INSERT INTO filled {sql}")
        made.append([connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("made", "filled")])
        made[-1].append([row[1] for row in connection.execute("PRAGMA table_info(made)")])
        assert (AGGREGATES in sent(connection)) is (counts != "rows")
    assert made[0] == made[1]
    assert made[0][0]


@pytest.mark.parametrize("kind", ["TABLE", "TEMP TABLE", "VIEW", "TEMP VIEW"])
def test_a_table_of_ones_own_that_is_called_events(connection: Connection, metric: str, kind: str) -> None:
    connection.execute(f"CREATE {kind} Events AS SELECT 'mine' AS metric_id, '2026-01-01' AS datetime")
    assert connection.execute("SELECT count(*) FROM events WHERE metric_id = 'mine' AND datetime >= '2026-01-01'").fetchall() == [(1,)]
    assert not sent(connection)


def test_a_text_that_is_no_time_is_told_as_ever(connection: Connection, metric: str) -> None:
    for parameters in ((metric, "soon", "2026-02-01"), (metric, "2026-01-01", "later")):
        with pytest.raises(DataError, match=r"events\.datetime is a time and is compared with"):
            connection.execute(SQL, parameters).fetchall()
    with pytest.raises(DataError, match=r"events\.datetime is a time"):
        connection.execute("SELECT count(*) FROM events WHERE metric_id = 'X' AND datetime >= 'soon'").fetchall()


@pytest.mark.parametrize("status", [400, 403, 404])
@pytest.mark.parametrize("parallel", [1, 20])
def test_metrics_that_klaviyo_does_not_aggregate_are_counted_here(open_sandbox: Open, account: Account, metric: str, status: int, parallel: int) -> None:
    connection = open_sandbox(counts="aggregates+sums", cache_seconds=0, parallel=parallel)
    assert connection.sandbox is not None
    fault = connection.sandbox.faults.add(Fault("status", operation=AGGREGATES, status=status, times=None))
    sql = "SELECT date(datetime), count(*), total(value) FROM events WHERE metric_id = ? AND datetime >= '2025-01-01' AND datetime < '2026-11-01' GROUP BY 1"
    plain = open_sandbox().execute(sql, (metric,)).fetchall()
    found = connection.execute(sql, (metric,)).fetchall()
    assert [row[:2] for row in found] == [row[:2] for row in plain]
    assert [row[2] for row in found] == pytest.approx([row[2] for row in plain])
    assert fault.hits == 2
    assert sent(connection)["get_events"] >= 2


def test_one_of_several_metrics_is_not_aggregated(open_sandbox: Open, metric: str) -> None:
    """The rows of the others may have been handed out already: there is no way back, and none is needed."""
    connection = open_sandbox(counts="aggregates", cache_seconds=0)
    assert connection.sandbox is not None
    fault = connection.sandbox.faults.add(Fault("status", operation=AGGREGATES, status=400, nth=2))
    counted = "SELECT count(*) FROM events WHERE metric_id = metrics.id AND datetime >= '2026-01-01' AND datetime < '2026-03-01'"
    sql = f"SELECT name, ({counted}) FROM metrics ORDER BY id"
    assert connection.execute(sql).fetchall() == open_sandbox().execute(sql).fetchall()
    assert fault.hits == 1
    assert sent(connection)["get_events"] == 1


@pytest.mark.parametrize("kind", ["broken_json", "html", "wrong_shape"])
def test_a_reply_that_is_no_aggregate(open_sandbox: Open, account: Account, metric: str, kind: str) -> None:
    connection = open_sandbox(counts="aggregates", cache_seconds=0)
    assert connection.sandbox is not None
    connection.sandbox.faults.add(Fault(kind, operation=AGGREGATES))  # type: ignore[arg-type]
    assert connection.execute(SQL, (metric, "2026-01-01", "2026-02-01")).fetchall() == [(between(account, metric, "2026-01-01", "2026-02-01"),)]


def _edited(account: Account, change: Callable[[dict[str, list[object]], list[str]], None]) -> Iterator[Connection]:
    """A connection whose aggregates are changed on their way."""
    sandbox = Sandbox(account, clock=SimulatedClock(NOW))
    inner = SandboxTransport(sandbox)

    def answer(request: httpx.Request) -> httpx.Response:
        response = inner.handle_request(request)
        if not request.url.path.endswith("metric-aggregates/") and "metric-aggregates" not in request.url.path:
            return response
        document = msgspec.json.decode(response.read())
        attributes = document["data"]["attributes"]
        change(attributes["data"][0]["measurements"], attributes["dates"])
        return httpx.Response(200, headers={"Content-Type": "application/vnd.api+json"}, content=msgspec.json.encode(document))

    settings = from_environment(api_key=SANDBOX_KEY, base_url=SANDBOX_URL, counts="aggregates", cache_seconds=0, environment={})
    clock = sandbox.clock
    with Connection(settings, transport=httpx.MockTransport(answer), clock=clock, limits=Limits(clock), sandbox=sandbox) as connection:
        yield connection


def _half_an_hour_late(_: dict[str, list[object]], dates: list[str]) -> None:
    dates[:] = [(datetime.fromisoformat(text) + timedelta(minutes=30)).isoformat() for text in dates]


def _days_of_another_zone(_: dict[str, list[object]], dates: list[str]) -> None:
    dates[:] = [(datetime.fromisoformat(text) - timedelta(hours=5)).isoformat() for text in dates]


def _halves(measurements: dict[str, list[object]], _: list[str]) -> None:
    measurements["count"][0] = 0.5


def _no_counts(measurements: dict[str, list[object]], _: list[str]) -> None:
    del measurements["count"]


@pytest.mark.parametrize("change", [_half_an_hour_late, _days_of_another_zone, _halves, _no_counts])
def test_buckets_that_are_not_those_that_were_meant(account: Account, metric: str, change: Callable[[dict[str, list[object]], list[str]], None]) -> None:
    for connection in _edited(account, change):
        assert connection.execute(SQL, (metric, "2026-01-01", "2026-02-01")).fetchall() == [(between(account, metric, "2026-01-01", "2026-02-01"),)]
        assert sent(connection) == {AGGREGATES: 1, "get_events": 1}


def test_counts_that_come_as_floats_are_whole_numbers(account: Account, metric: str) -> None:
    def as_floats(measurements: dict[str, list[object]], _: list[str]) -> None:
        measurements["count"] = [float(number) for number in measurements["count"]]  # type: ignore[arg-type]

    for connection in _edited(account, as_floats):
        ((found,),) = connection.execute(SQL, (metric, "2026-01-01", "2026-02-01")).fetchall()
        assert found == between(account, metric, "2026-01-01", "2026-02-01")
        assert isinstance(found, int)
        assert sent(connection) == {AGGREGATES: 1}


@pytest.mark.parametrize("now", ["2026-11-20T13:00:00", "2026-06-01T00:00:00", "2026-05-31T23:59:59", "2026-06-01T12:30:00"])
@pytest.mark.parametrize("upper", ["", " AND datetime < '2027-01-01'"])
def test_what_happens_later_than_now_is_counted(account: Account, metric: str, now: str, upper: str) -> None:
    """The account's last events are of November: for the earlier clocks they were sent by somebody whose clock is wrong."""
    sandbox = Sandbox(account, clock=SimulatedClock(datetime.fromisoformat(now).replace(tzinfo=UTC)))
    with opened(":memory:", sandbox=sandbox, autocommit=True, counts="aggregates") as connection:
        found = connection.execute(f"SELECT count(*) FROM events WHERE metric_id = ? AND datetime >= '2026-05-01'{upper}", (metric,)).fetchall()
        assert found == [(between(account, metric, "2026-05-01", "2027-01-01"),)]
        assert sent(connection)[AGGREGATES] == 1


def test_a_range_in_the_future(account: Account, metric: str, connection: Connection) -> None:
    assert connection.execute(SQL, (metric, "2026-11-21", "2026-12-01")).fetchall() == [(between(account, metric, "2026-11-21", "2026-12-01"),)]
    assert set(sent(connection)) == {"get_events"}


@pytest.mark.parametrize("end", ["9999-12-31", "9999-12-31T23:59:59.999999"])
def test_the_end_of_the_calendar(account: Account, metric: str, connection: Connection, end: str) -> None:
    sql = "SELECT count(*) FROM events WHERE metric_id = ? AND datetime BETWEEN '2026-01-01' AND ?"
    assert connection.execute(sql, (metric, end)).fetchall() == [(between(account, metric, "2026-01-01", "9999-12-31"),)]


def test_it_is_told(connection: Connection, metric: str) -> None:
    told = str(explain(connection, SQL, (metric, "2025-06-01", "2026-06-01")))
    assert "events: once\n      events are counted by Klaviyo (metric aggregates)\n      POST /api/metric-aggregates " in told
    assert "klaviyo_event_counts" not in told
    assert "At least 1 request," in told
    assert not sent(connection)
    told = str(explain(connection, SQL, (metric, "2025-06-01", "2026-06-01 00:30")))
    assert "      the events are read, because the range does not begin and end with an hour of UTC\n      GET /api/events?" in told
    connection.execute(SQL, (metric, "2026-01-01", "2026-02-01")).fetchall()
    logged = connection.execute("SELECT operation, table_name, rows > 0 FROM klaviyo_requests").fetchall()
    assert logged == [(AGGREGATES, "events", 1)]


def test_a_page_of_aggregates_is_kept_like_any_other(open_sandbox: Open, metric: str) -> None:
    connection = open_sandbox(counts="aggregates")
    for _ in range(2):
        connection.execute(SQL, (metric, "2026-01-01", "2026-02-01")).fetchall()
    assert sent(connection) == {AGGREGATES: 1}


def test_events_whose_reading_begins_anew_are_not_counted_by_klaviyo_as_well() -> None:
    account = generate(7, NOW.date(), profiles=50, events=12_000)
    email = next(id_ for id_, metric in account.metrics.items() if metric["attributes"]["name"] == "Received Email")
    sandbox = Sandbox(account, clock=SimulatedClock(NOW))
    sandbox.faults.add(Fault("status", operation=AGGREGATES, status=400))
    expired = sandbox.faults.add(Fault("expired_cursor", operation="get_events"))
    with opened(":memory:", sandbox=sandbox, autocommit=True, counts="aggregates", cache_seconds=0, parallel=1) as connection:
        found = connection.execute(SQL, (email, "2025-11-01", "2026-11-01")).fetchall()
        assert found == [(between(account, email, "2025-11-01", "2026-11-01"),)]
        assert expired.hits == 1
        assert sent(connection)[AGGREGATES] == 1
