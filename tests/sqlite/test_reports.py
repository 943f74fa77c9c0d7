"""Metric aggregates and reports as functions: rows held against the account's events, requests, and what is refused before anything is sent."""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from klaviyo_sql import Connection, DataError, NotSupportedError, OperationalError, ProgrammingError, RateLimitError
from klaviyo_sql.fetch import Limits
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.plan import questions
from klaviyo_sql.sandbox import SANDBOX_KEY, SANDBOX_URL, Account, Sandbox, SandboxTransport
from klaviyo_sql.sandbox.subjects import reports
from klaviyo_sql.settings import from_environment
from klaviyo_sql.sqlite.explain import explain
from klaviyo_sql.tables.reports import REPORTS

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
Open = Callable[..., Connection]


def metric(account: Account, name: str) -> str:
    return next(id_ for id_, metric in account.metrics.items() if metric["attributes"]["name"] == name)


def of(account: Account, name: str) -> list[dict[str, Any]]:
    return [event for event in account.events if event["metric_id"] == metric(account, name)]


def moment(event: dict[str, Any], zone: Any = UTC) -> datetime:
    return datetime.fromtimestamp(event["attributes"]["timestamp"], zone)


def sent(connection: Connection) -> Counter[str]:
    """How often each operation was asked for since the last time."""
    assert connection.sandbox is not None
    found = Counter(str(record.operation) for record in connection.sandbox.requests)
    connection.sandbox.requests.clear()
    return found


def worth(events: list[dict[str, Any]]) -> float:
    values = (event["attributes"]["event_properties"].get("$value") for event in events)
    return sum(value for value in values if isinstance(value, int | float))


@pytest.mark.parametrize(
    ("interval", "zone", "begins"),
    [
        ("hour", "UTC", lambda at: at.replace(minute=0, second=0)),
        ("hour", "Asia/Kolkata", lambda at: at.replace(minute=0, second=0)),
        ("day", "America/New_York", lambda at: at.replace(hour=0, minute=0, second=0)),
        ("week", "Europe/Berlin", lambda at: at.replace(hour=0, minute=0, second=0) - timedelta(days=at.weekday())),
        ("month", "America/New_York", lambda at: at.replace(day=1, hour=0, minute=0, second=0)),
    ],
)
def test_metric_aggregates_are_the_events_of_each_whole_period(
    connection: Connection, account: Account, interval: str, zone: str, begins: Callable[[datetime], datetime]
) -> None:
    periods = defaultdict(list)
    for event in of(account, "Placed Order"):
        start = begins(moment(event, ZoneInfo(zone)).replace(tzinfo=None))
        if "2026-07-08 09:30" <= start.isoformat(" ") < "2026-11-12 09:30":
            periods[start.isoformat(" ")].append(event)
    rows = connection.execute(
        "SELECT local_start, count, sum_value, unique_count, start, timezone FROM metric_aggregates(?, ?) WHERE timezone = ? "
        "AND since = '2026-07-08 09:30' AND until = '2026-11-12 09:30' ORDER BY start",
        (metric(account, "Placed Order"), interval, zone),
    ).fetchall()
    assert {row[0]: row[1] for row in rows if row[1]} == {start: len(events) for start, events in periods.items()}
    assert len(periods) > 3
    assert len(set(rows)) == len(rows)
    for local, count, total, unique, start, named in rows:
        assert (count, named) == (len(periods[local]), zone)
        assert total == pytest.approx(worth(periods[local]))
        assert unique == len({event["profile_id"] for event in periods[local]} - {None})
        assert datetime.fromisoformat(start).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat(" ") == local
    assert sent(connection) == {"query_metric_aggregates": 1}


def test_groups_of_metric_aggregates(connection: Connection, account: Account) -> None:
    truth: Counter[tuple[str, str]] = Counter()
    for event in of(account, "Opened Email"):
        at = moment(event, NEW_YORK)
        if at.isoformat() >= "2025-11-20":
            truth[at.strftime("%Y-%m-01 00:00:00"), event["attributes"]["event_properties"]["$message"]] += 1
    truth = Counter({(start, message): count for (start, message), count in truth.items() if start >= "2025-12"})
    sql = "SELECT local_start, dimension_1, count, dimensions, dimension_2 FROM metric_aggregates(?, 'month', '[\"$message\"]') WHERE count > 0"
    rows = connection.execute(sql, (metric(account, "Opened Email"),)).fetchall()
    assert {(start, message): count for start, message, count, *_ in rows} == truth
    assert all(json.loads(dimensions) == {"$message": message} and second is None for _, message, _, dimensions, second in rows)


def test_years_are_read_one_by_one_and_no_period_twice(connection: Connection, account: Account) -> None:
    sql = "SELECT start, count FROM metric_aggregates(?, 'hour') WHERE timezone = 'UTC' AND since = '2024-03-01' AND until = '2026-11-20'"
    rows = connection.execute(sql, (metric(account, "Placed Order"),)).fetchall()
    assert len({start for start, _ in rows}) == len(rows) == (datetime(2026, 11, 20, tzinfo=UTC) - datetime(2024, 3, 1, tzinfo=UTC)).days * 24
    assert sum(count for _, count in rows) == sum(
        datetime(2024, 3, 1, tzinfo=UTC) <= moment(event) < datetime(2026, 11, 20, tzinfo=UTC) for event in of(account, "Placed Order")
    )
    assert sent(connection) == {"query_metric_aggregates": 3}


def test_the_default_is_one_request_of_a_year_up_to_now(connection: Connection, account: Account) -> None:
    days = [row[0] for row in connection.execute("SELECT local_start FROM metric_aggregates(?) ORDER BY 1", (metric(account, "Placed Order"),))]
    assert (len(days), days[0], days[-1]) == (365, "2025-11-21 00:00:00", "2026-11-20 00:00:00")
    assert sent(connection) == {"get_accounts": 1, "query_metric_aggregates": 1}
    ahead = "SELECT max(local_start), count(*) FROM metric_aggregates(?, 'hour', '', 'UTC', '2026-11-20', '2031-01-01')"
    assert connection.execute(ahead, (metric(account, "Placed Order"),)).fetchone() == ("2026-11-20 12:00:00", 13)
    later = "SELECT count(*) FROM metric_aggregates(?, 'hour', '', 'UTC', '2027-01-01')"
    sent(connection)
    assert connection.execute(later, (metric(account, "Placed Order"),)).fetchone() == (0,)
    assert not sent(connection)


def test_several_intervals_are_asked_one_after_the_other(connection: Connection, account: Account) -> None:
    sql = (
        "SELECT interval, sum(count) FROM metric_aggregates "
        "WHERE metric_id = ? AND interval IN ('day', 'month') AND since = '2026-05-01' AND until = '2026-11-01' GROUP BY 1"
    )
    rows = dict(connection.execute(sql, (metric(account, "Placed Order"),)).fetchall())
    assert rows["day"] == rows["month"] == sum("2026-05-01" <= moment(event, NEW_YORK).isoformat() < "2026-11-01" for event in of(account, "Placed Order"))


def test_either_of_two_questions_in_an_or(connection: Connection, account: Account) -> None:
    one, other = metric(account, "Placed Order"), metric(account, "Opened Email")
    range_ = "since = '2026-05-01' AND until = '2026-11-01'"
    sql = f"SELECT metric_id, sum(count) FROM metric_aggregates WHERE {range_} AND (metric_id = ? OR metric_id = ?) GROUP BY 1"
    both = dict(connection.execute(sql, (one, other)).fetchall())
    alone = "SELECT sum(count) FROM metric_aggregates(?) WHERE since = '2026-05-01' AND until = '2026-11-01'"
    assert both == {id_: connection.execute(alone, (id_,)).fetchone()[0] for id_ in (one, other)}


def in_month(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if (at := moment(event, NEW_YORK)).year == 2026 and at.month == 10]


def by_message(events: list[dict[str, Any]], reference: str) -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for event in in_month(events):
        found[event["attributes"]["event_properties"].get(reference)].append(event)
    return found


@pytest.mark.parametrize(
    ("function", "column", "messages"), [("campaign_values", "campaign_message_id", "campaign_messages"), ("flow_values", "flow_message_id", "flow_messages")]
)
def test_values_are_the_events_of_the_messages(connection: Connection, account: Account, function: str, column: str, messages: str) -> None:
    received, opened_, orders = (
        by_message(of(account, name), reference)
        for name, reference in (("Received Email", "$message"), ("Opened Email", "$message"), ("Placed Order", "$attributed_message"))
    )
    rows = connection.execute(
        f"SELECT {column}, delivered, opens, opens_unique, open_rate, conversions, conversion_value, conversion_metric_id FROM {function}('last_month')"
    ).fetchall()
    assert {row[0] for row in rows} >= set(received) & set(getattr(account, messages))
    assert any(row[5] for row in rows)
    for message, delivered, opens, unique, rate, conversions, value, conversion_metric in rows:
        people = {event["profile_id"] for event in opened_[message]}
        assert (delivered, opens, unique, conversions) == (len(received[message]), len(opened_[message]), len(people), len(orders[message]))
        assert rate == pytest.approx(len(people) / delivered if delivered else 0)
        assert value == pytest.approx(worth(orders[message]), abs=0.01)
        assert conversion_metric == metric(account, "Placed Order")
    assert sent(connection) == {"get_metrics": 1, f"query_{function}": 1}


@pytest.mark.parametrize(
    ("subject", "group", "number"), [("flow", "flow_message_id", "delivered"), ("form", "form_id", "submits"), ("segment", "segment_id", "members_added")]
)
def test_a_series_adds_up_to_the_values(connection: Connection, subject: str, group: str, number: str) -> None:
    values = dict(connection.execute(f"SELECT {group}, {number} FROM {subject}_values('last_month')").fetchall())
    days = connection.execute(f"SELECT {group}, period_start, {number} FROM {subject}_series('daily', 'last_month')").fetchall()
    assert any(values.values())
    assert {row[1] for row in days} == {f"2026-10-{day:02} 00:00:00" for day in range(1, 32)}
    assert len({row[:2] for row in days}) == len(days) == 31 * len(values)
    assert {id_: sum(row[2] for row in days if row[0] == id_) for id_ in values} == values


def test_every_statistic_and_grouping_is_a_column_and_comes_in_one_request(connection: Connection) -> None:
    for name in REPORTS:
        if name != "metric_aggregates":
            rows = connection.execute(f"SELECT * FROM {name}").fetchall()
            assert rows, name
    assert sent(connection) == {"get_metrics": 1} | {f"query_{name}": 1 for name in REPORTS if name != "metric_aggregates"}
    for name, table in REPORTS.items():
        if name == "metric_aggregates":
            continue
        described = questions._described(questions.contract.operation(table.source.operation).body["$ref"])  # type: ignore[union-attr,index]
        kinds = {"statistics": "Statistic", "group_by": "Grouping"}
        for said, kind in kinds.items():
            if said in described:
                assert {column.place.name for column in table.columns if type(column.place).__name__ == kind} == set(described[said]["items"]["enum"])  # type: ignore[union-attr]


def test_filters_leave_what_sql_would(connection: Connection) -> None:
    query = "SELECT campaign_id, send_channel, tag_id, delivered FROM campaign_values('last_90_days', 'campaign_id,campaign_message_id,send_channel,tag_id')"
    whole = connection.execute(query).fetchall()
    first, second, tag = whole[0][0], whole[-1][0], whole[0][2]
    for condition, holds in (
        (f"campaign_id = '{first}'", lambda row: row[0] == first),
        (f"campaign_id IN ('{first}', '{second}')", lambda row: row[0] in (first, second)),
        (f"tag_id = '{tag}' AND send_channel = 'email'", lambda row: row[2] == tag and row[1] == "email"),
        (f"campaign_id = '{first}' OR tag_id = '{tag}'", lambda row: row[0] == first or row[2] == tag),
        ("send_channel = 'mobile_push'", lambda _: False),
        ("send_channel IN ('', 'email')", lambda row: row[1] == "email"),
        ("send_channel = 'sms' AND send_channel = 'email'", lambda _: False),
    ):
        assert sorted(connection.execute(f"{query} WHERE {condition}").fetchall()) == sorted(filter(holds, whole)), condition


def test_pages_follow_one_another(open_sandbox: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = open_sandbox().execute("SELECT * FROM flow_values('last_90_days')").fetchall()
    monkeypatch.setattr(reports, "PAGE", 2)
    connection = open_sandbox()
    assert connection.execute("SELECT * FROM flow_values('last_90_days')").fetchall() == whole
    assert sent(connection)["query_flow_values"] == -(-len(whole) // 2) > 1


def test_the_same_question_within_a_minute_costs_nothing(connection: Connection) -> None:
    sql = "SELECT form_id, submits FROM form_values WHERE since = '2026-10-01' AND until = '2026-11-01'"
    first = connection.execute(sql).fetchall()
    assert connection.execute(sql).fetchall() == first
    assert sent(connection) == {"get_accounts": 1, "query_form_values": 1}


def test_a_report_joined_is_asked_for_once(connection: Connection, account: Account) -> None:
    rows = connection.execute("SELECT segments.id, total_members FROM segments LEFT JOIN segment_values ON segment_id = segments.id").fetchall()
    assert {id_ for id_, _ in rows} == set(account.segments)
    assert all(total is not None for _, total in rows)
    assert sent(connection)["query_segment_values"] == 1


def test_a_join_that_would_ask_again_for_each_row_is_refused(connection: Connection) -> None:
    sql = "SELECT name, sum(conversions) FROM metrics JOIN flow_values ON conversion_metric_id = metrics.id GROUP BY 1"
    with pytest.raises(NotSupportedError, match=r"flow_values is asked with other arguments for each row .* 2 a minute and 225 a day: ask it once"):
        connection.execute(sql).fetchall()
    assert sent(connection)["query_flow_values"] == 2
    # Metric aggregates have no such limit.
    assert (
        len(
            connection.execute(
                "SELECT name, sum(count) FROM metrics JOIN metric_aggregates ON metric_id = metrics.id AND interval = 'month' GROUP BY metrics.id"
            ).fetchall()
        )
        > 2
    )


def test_the_day_s_reports_are_counted_and_an_exhausted_day_says_when_it_is_over(open_sandbox: Open) -> None:
    connection = open_sandbox(cache_seconds=0)
    sql = "SELECT submits FROM form_values('yesterday') LIMIT 1"
    connection.execute(sql).fetchall()
    left = "SELECT allowed, used FROM klaviyo_limits WHERE operation = 'query_form_values' AND window_seconds = 86400"
    assert connection.execute(left).fetchone() == (225, 1)
    for _ in range(224):
        connection.execute(sql).fetchall()
    before = connection.sandbox.clock.monotonic()  # type: ignore[union-attr]
    with pytest.raises(RateLimitError, match=r"225 requests a day.*until 2026-11-2\d \d\d:\d\d:\d\d UTC") as raised:
        connection.execute(sql).fetchall()
    assert raised.value.returns_at is not None
    assert connection.sandbox.clock.monotonic() - before < 60  # type: ignore[union-attr]  # of the simulated clock: the minute's limit at most, never the day's
    assert sent(connection) == {"query_form_values": 225}


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("metric_aggregates", r"metric_aggregates needs metric_id: metric_aggregates\('…'\) or WHERE metric_id"),
        ("metric_aggregates('x', 'year')", "has no interval 'year'; there are day, hour, month, week"),
        ("metric_aggregates('x', 'day', '$message,nonsense')", "has no by 'nonsense'; there are .*Bounce Type"),
        ("metric_aggregates('x', 'day', '[1]')", "by is a list of names"),
        ("metric_aggregates('x', 'day', '[')", "by is a list of names"),
        ("metric_aggregates('x', 'day', '', 'Mars/Olympus')", "'Mars/Olympus' is no time zone"),
        ("metric_aggregates('x', 'day', '', 'UTC', 'last week')", "since is 'last week', which is no time"),
        ("metric_aggregates('x', 'day', '', 'UTC', '2026-02-01', '2026-01-01')", "until must be later than since"),
        ("campaign_values('last_fortnight')", "has no timeframe 'last_fortnight'; there are last_12_months"),
        ("campaign_values('last_week', 'campaign_id')", "can only be grouped by campaign_id, campaign_message_id and others"),
        ("campaign_values('last_week', 'color')", "has no group_by 'color'"),
        ("form_values('last_week', 'form_version_id')", "only together with form_id"),
        ("form_values('last_week', '')", "can only be grouped by form_id and others"),
        ("flow_series('yearly')", "has no interval 'yearly'; there are daily, hourly, monthly, weekly"),
        ("flow_series('hourly', 'last_30_days')", "last_30_days is too long for the interval hourly, which takes today"),
        ("segment_series('daily', 'last_90_days')", "last_90_days is too long for the interval daily"),
        ("form_values WHERE timeframe = 'today' AND since = '2026-01-01'", "takes a timeframe, or since and until, not both"),
        ("form_values WHERE until = '2026-01-01'", "needs since where until is given"),
        ("form_series WHERE interval = 'hourly' AND since = '2026-10-01' AND until = '2026-10-09'", "covers 7 days at most where the interval is hourly"),
        ("form_values WHERE since = '2025-01-01' AND until = '2026-01-02'", "covers a year at most"),
        ("form_values WHERE since = '2026-01-02' AND until = '2026-01-01'", "until must be later than since"),
    ],
)
def test_what_klaviyo_would_not_answer_is_refused_before_anything_is_sent(connection: Connection, sql: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        connection.execute(f"SELECT * FROM {sql}").fetchall()
    assert not set(sent(connection)) - {"get_accounts"}


def test_another_metric_for_conversions_and_none_of_that_name(open_sandbox: Open, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = open_sandbox()
    other = metric(account, "Opened Email")
    assert set(connection.execute("SELECT conversion_metric_id FROM flow_values WHERE conversion_metric_id = ?", (other,)).fetchall()) == {(other,)}
    assert sent(connection) == {"query_flow_values": 1}
    monkeypatch.setitem(account.metrics[metric(account, "Placed Order")]["attributes"], "name", "Bought")
    with pytest.raises(DataError, match="no metric Placed Order: say which counts as a conversion"):
        open_sandbox().execute("SELECT * FROM flow_values").fetchall()


def test_of_several_metrics_of_that_name_it_is_the_shop_s_oldest(account: Account) -> None:
    def listed(request: httpx.Request) -> httpx.Response:
        if request.url.path.rstrip("/").endswith("/metrics"):
            data = [
                {"type": "metric", "id": id_, "attributes": {"name": name, "created": created, "integration": {"category": category}}}
                for id_, name, created, category in (
                    ("AAAAAA", "Placed Order", "2020-01-01T00:00:00+00:00", "API"),
                    ("BBBBBB", "Placed Order", "2023-01-01T00:00:00+00:00", "eCommerce"),
                    ("CCCCCC", "Placed Order", "2021-01-01T00:00:00+00:00", "eCommerce"),
                    ("DDDDDD", "Ordered Product", "2019-01-01T00:00:00+00:00", "eCommerce"),
                )
            ]
            return httpx.Response(200, json={"data": data, "links": {"next": None}})
        assert json.loads(request.content)["data"]["attributes"]["conversion_metric_id"] == "CCCCCC"
        result = {"groupings": {"flow_id": "f", "flow_message_id": "m", "send_channel": "email"}, "statistics": {"conversions": 3}}
        return httpx.Response(200, json={"data": {"type": "flow-values-report", "id": "1", "attributes": {"results": [result]}}})

    clock = SimulatedClock(NOW)
    settings = from_environment(api_key=SANDBOX_KEY, base_url=SANDBOX_URL, environment={})
    with Connection(settings, transport=httpx.MockTransport(listed), clock=clock, limits=Limits(clock)) as connection:
        assert connection.execute("SELECT conversion_metric_id, flow_id, conversions FROM flow_values").fetchall() == [("CCCCCC", "f", 3)]


def test_a_series_whose_numbers_do_not_match_its_dates_is_an_error() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        result = {"groupings": {"form_id": "f"}, "statistics": {"submits": [1, 2, 3]}}
        attributes = {"results": [result], "date_times": ["2026-11-01T00:00:00+00:00"]}
        return httpx.Response(200, json={"data": {"type": "form-series-report", "id": "1", "attributes": attributes}})

    clock = SimulatedClock(NOW)
    settings = from_environment(api_key=SANDBOX_KEY, base_url=SANDBOX_URL, environment={})
    connection = Connection(settings, transport=httpx.MockTransport(answer), clock=clock, limits=Limits(clock))
    with connection, pytest.raises(OperationalError, match="its statistics do not match its dates"):
        connection.execute("SELECT submits FROM form_series('daily', 'today')").fetchall()


def test_a_schema_that_does_not_have_them(connection: Connection) -> None:
    with pytest.raises(ProgrammingError):
        connection.execute("SELECT * FROM shop_b.form_values").fetchall()
    assert connection.execute("SELECT * FROM main.form_values").fetchall()


def test_the_plan_of_a_report(connection: Connection) -> None:
    told = str(explain(connection, "SELECT conversions FROM flow_values('last_week')"))
    assert 'POST /api/flow-values-reports {"data":{"type":"flow-values-report"' in told
    assert "<the id of Placed Order>" in told
    (step,) = explain(connection, "SELECT conversions FROM flow_values WHERE since = '2026-10-01' AND until = '2026-11-01'").steps
    assert step.before == ("GET /api/accounts?fields[account]=timezone", "GET /api/metrics?fields[metric]=created,integration,name")
    assert (step.requests[:2], len(step.requests), step.least) == (step.before, 3, 3)
    assert not sent(connection)
    connection.execute("SELECT conversions FROM flow_values WHERE since = '2026-10-01' AND until = '2026-11-01'").fetchall()
    assert sent(connection) == {"get_accounts": 1, "get_metrics": 1, "query_flow_values": 1}
    assert explain(connection, "SELECT conversions FROM flow_values").least == 1


def test_writing_is_refused(connection: Connection) -> None:
    with pytest.raises((NotSupportedError, OperationalError)):
        connection.execute("DELETE FROM form_values")
    assert not sent(connection)


class Changed(httpx.BaseTransport):
    """A sandbox whose replies to metric aggregates are others."""

    def __init__(self, account: Account, clock: SimulatedClock, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
        self._inner = SandboxTransport(Sandbox(account, clock=clock))
        self._change = change
        self.bodies: list[dict[str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "metric-aggregates" not in request.url.path:
            return self._inner.handle_request(request)
        asked = json.loads(request.content)["data"]["attributes"]
        self.bodies.append(dict(asked))
        cursor = asked.pop("page_cursor", None)
        headers = {name: value for name, value in request.headers.items() if name not in ("content-length", "transfer-encoding")}
        body = json.dumps({"data": {"type": "metric-aggregate", "attributes": asked}})
        plain = httpx.Request(request.method, request.url, headers=headers, content=body)
        response = self._inner.handle_request(plain)
        document = json.loads(response.read())
        self._change(document, {"cursor": cursor})
        return httpx.Response(200, json=document)


def changed(account: Account, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> tuple[Connection, Changed]:
    clock = SimulatedClock(NOW)
    transport = Changed(account, clock, change)
    settings = from_environment(api_key=SANDBOX_KEY, base_url=SANDBOX_URL, environment={})
    return Connection(settings, database=":memory:", autocommit=False, transport=transport, clock=clock, limits=Limits(clock)), transport


def test_the_next_page_of_groups_is_asked_for_in_the_body(account: Account) -> None:
    def in_pages(document: dict[str, Any], asked: dict[str, Any]) -> None:
        first = int(asked["cursor"] or 0)
        groups = document["data"]["attributes"]["data"]
        document["data"]["attributes"]["data"] = groups[first : first + 2]
        if first + 2 < len(groups):
            document["links"]["next"] = f"{SANDBOX_URL}/api/metric-aggregates/?page_cursor={first + 2}"

    sql = f"SELECT start, dimension_1, count FROM metric_aggregates('{metric(account, 'Opened Email')}', 'month', '$message')"
    with opened(":memory:", sandbox=Sandbox(account, clock=SimulatedClock(NOW)), autocommit=False) as plain:
        whole = plain.execute(sql).fetchall()
    connection, transport = changed(account, in_pages)
    assert connection.execute(sql).fetchall() == whole
    cursors = [body.get("page_cursor") for body in transport.bodies]
    assert cursors == [None, *(str(n) for n in itertools.islice(itertools.count(2, 2), len(cursors) - 1))]
    assert len(cursors) > 1
    connection.close()


def test_periods_that_begin_elsewhere_are_an_error(account: Account) -> None:
    def sundays(document: dict[str, Any], _: dict[str, Any]) -> None:
        attributes = document["data"]["attributes"]
        attributes["dates"] = [(datetime.fromisoformat(text) - timedelta(days=1)).isoformat() for text in attributes["dates"]]

    connection, _ = changed(account, sundays)
    with pytest.raises(OperationalError, match="does not begin with a week of UTC; ask for a shorter interval"):
        connection.execute(f"SELECT count FROM metric_aggregates('{metric(account, 'Opened Email')}', 'week', '', 'UTC')").fetchall()
    connection.close()
