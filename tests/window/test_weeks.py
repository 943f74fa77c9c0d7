"""Weeks of an account whose weeks Klaviyo begins on another day than Monday: made of days, as far as days add up."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import httpx

from klaviyo_sql.fetch import Limits
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.settings import from_environment
from klaviyo_sql.sqlite.connection import Connection

TODAY = date(2026, 11, 20)


def answer(request: httpx.Request) -> httpx.Response:
    """An account in UTC that had `day of the month` events each day; weeks begin on Sunday."""
    if request.url.path == "/api/accounts":
        return httpx.Response(200, json={"data": [{"type": "account", "id": "A", "attributes": {"timezone": "UTC"}}]})
    asked = json.loads(request.content)["data"]["attributes"]
    start, end = (datetime.fromisoformat(clause[clause.index(",") + 1 : -1]).date() for clause in asked["filter"])
    step = {"day": 1, "week": 7}[asked["interval"]]
    begin = start - timedelta(days=(start.weekday() + 1) % 7) if step == 7 else start
    days = [begin + timedelta(days=n) for n in range(0, (end - begin).days, step)]
    counts = [sum((day + timedelta(days=n)).day for n in range(step) if start <= day + timedelta(days=n) < end) for day in days]
    measured = dict.fromkeys(asked["measurements"], counts)
    dates = [f"{day}T00:00:00+00:00" for day in days]
    attributes = {"dates": dates, "data": [{"dimensions": [], "measurements": measured}]}
    return httpx.Response(200, json={"data": {"type": "metric-aggregate", "id": "1", "attributes": attributes}})


def test_counts_and_sums_are_made_of_days_and_unique_profiles_are_unknown() -> None:
    clock = SimulatedClock(datetime(2026, 11, 20, 12, tzinfo=UTC))
    settings = from_environment(api_key="pk_test", base_url="http://127.0.0.1:1", environment={})
    connection = Connection(settings, transport=httpx.MockTransport(answer), clock=clock, limits=Limits(clock))
    rows = connection.execute(
        "SELECT week_start_date, count, sum_value, unique_count FROM weekly_metrics WHERE metric_id = 'M' AND week_start_date >= '2026-10-12'"
    ).fetchall()
    mondays = [date(2026, 10, 12) + timedelta(days=7 * n) for n in range(5)]
    expected = [sum((monday + timedelta(days=n)).day for n in range(7)) for monday in mondays]
    assert rows == [(monday.isoformat(), count, float(count), None) for monday, count in zip(mondays, expected, strict=True)]
    assert [record.operation for record in connection.requests] == ["get_accounts", "query_metric_aggregates", "query_metric_aggregates"]
    connection.close()
