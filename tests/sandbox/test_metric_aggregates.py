"""Aggregates held against a count of the events that works differently: every event is given the name of its local period."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from klaviyo_sql.sandbox import Account

from .conftest import Answer, Ask

Query = dict[str, Any]


def _query(metric_id: str, start: str, end: str, /, **given: Any) -> Query:
    attributes = {
        "metric_id": metric_id,
        "measurements": ["count", "sum_value", "unique"],
        "filter": [f"greater-or-equal(datetime,{start})", f"less-than(datetime,{end})"],
        **given,
    }
    return {"data": {"type": "metric-aggregate", "attributes": attributes}}


def _metric(account: Account, name: str) -> str:
    return next(metric_id for metric_id, metric in account.metrics.items() if metric["attributes"]["name"] == name)


def _period(instant: datetime, interval: str, zone: ZoneInfo) -> str:
    local = instant.astimezone(zone)
    if interval == "hour":
        # The offset tells the two hours apart that have one name when the clocks go back.
        return local.strftime("%Y-%m-%d %H %z")
    if interval == "week":
        return (local.date() - timedelta(days=local.weekday())).isoformat()
    return local.strftime("%Y-%m-%d" if interval == "day" else "%Y-%m")


def _brute_force(account: Account, metric_id: str, start: datetime, end: datetime, interval: str, zone: ZoneInfo) -> dict[str, list[float]]:
    found: dict[str, list[Any]] = defaultdict(lambda: [0, 0.0, set()])
    for event in account.events:
        instant = datetime.fromisoformat(event["attributes"]["datetime"])
        if event["metric_id"] == metric_id and start <= instant < end:
            entry = found[_period(instant, interval, zone)]
            entry[0] += 1
            entry[1] += event["attributes"]["event_properties"].get("$value") or 0
            if event["profile_id"] is not None:
                entry[2].add(event["profile_id"])
    return {period: [count, round(total, 4), len(people)] for period, (count, total, people) in found.items()}


@pytest.mark.parametrize("timezone", ["America/New_York", "UTC", "Asia/Kolkata", "Pacific/Auckland"])
@pytest.mark.parametrize(
    ("interval", "start", "end"),
    [
        ("month", "2025-11-20T00:00:00", "2026-11-20T00:00:00"),
        ("month", "2025-12-01T00:00:00", "2026-02-01T00:00:00"),
        ("week", "2025-12-22T00:00:00", "2026-01-12T00:00:00"),
        ("week", "2026-02-26T00:00:00", "2026-04-09T00:00:00"),
        ("day", "2025-11-20T00:00:00", "2026-11-20T00:00:00"),
        ("day", "2026-10-30T00:00:00", "2026-11-04T00:00:00"),
        ("day", "2026-03-06T13:20:11", "2026-03-11T02:00:00"),
        ("hour", "2026-10-31T22:00:00", "2026-11-02T03:00:00"),
        ("hour", "2026-03-08T00:00:00", "2026-03-09T00:00:00"),
        ("hour", "2025-12-31T12:00:00", "2026-01-01T12:00:00"),
    ],
)
def test_buckets_are_local_periods(ask: Ask, account: Account, timezone: str, interval: str, start: str, end: str) -> None:
    zone = ZoneInfo(timezone)
    first, last = (datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC) for text in (start, end))
    # The busiest metrics, so that short ranges have something in them.
    for metric_id in sorted(account.metrics, key=lambda metric_id: -len(account.events_of_metric(metric_id)))[:4]:
        attributes = ask("/api/metric-aggregates", _query(metric_id, start, end, interval=interval, timezone=timezone)).document["data"]["attributes"]
        dates = [datetime.fromisoformat(text) for text in attributes["dates"]]
        (group,) = attributes["data"]
        assert group["dimensions"] == []
        rows = zip(*(group["measurements"][name] for name in ("count", "sum_value", "unique")), strict=True)
        periods = [_period(date, interval, zone) for date in dates]
        assert len(set(periods)) == len(periods)
        answered = {period: [count, round(total, 4), unique] for period, (count, total, unique) in zip(periods, rows, strict=True)}
        assert {period: row for period, row in answered.items() if row[0]} == _brute_force(account, metric_id, first, last, interval, zone)
        assert all(date.tzinfo is not None and date.utcoffset() == timedelta(0) for date in dates)
        assert dates[0] <= first < dates[1] if len(dates) > 1 else dates[0] <= first
        assert dates[-1] < last


def test_the_hours_of_a_day_on_which_the_clocks_change(ask: Ask, account: Account) -> None:
    metric_id = _metric(account, "Received Email")
    for day, following, hours in (("2026-03-08", "2026-03-09", 23), ("2026-11-01", "2026-11-02", 25), ("2026-06-01", "2026-06-02", 24)):
        query = _query(metric_id, f"{day}T00:00:00", f"{following}T00:00:00", interval="hour", timezone="America/New_York")
        assert len(ask("/api/metric-aggregates", query).document["data"]["attributes"]["dates"]) == hours


def test_midnight_moves_with_the_clocks(ask: Ask, account: Account) -> None:
    query = _query(_metric(account, "Placed Order"), "2026-10-31T00:00:00", "2026-11-03T00:00:00", timezone="America/New_York")
    dates = ask("/api/metric-aggregates", query).document["data"]["attributes"]["dates"]
    assert dates == ["2026-10-31T04:00:00+00:00", "2026-11-01T04:00:00+00:00", "2026-11-02T05:00:00+00:00"]


def test_weeks_start_on_monday_before_the_range(ask: Ask, account: Account) -> None:
    query = _query(_metric(account, "Placed Order"), "2026-01-01T00:00:00Z", "2026-01-20T00:00:00Z", interval="week")
    dates = ask("/api/metric-aggregates", query).document["data"]["attributes"]["dates"]
    assert dates == [f"{day}T00:00:00+00:00" for day in ("2025-12-29", "2026-01-05", "2026-01-12", "2026-01-19")]


def test_groups(ask: Ask, account: Account) -> None:
    metric_id = _metric(account, "Placed Order")
    plain = ask("/api/metric-aggregates", _query(metric_id, "2026-01-01T00:00:00", "2026-11-01T00:00:00", interval="month"))
    (whole,) = plain.document["data"]["attributes"]["data"]
    query = _query(metric_id, "2026-01-01T00:00:00", "2026-11-01T00:00:00", interval="month", by=["$value_currency", "$attributed_flow"])
    groups = ask("/api/metric-aggregates", query).document["data"]["attributes"]["data"]
    assert {group["dimensions"][0] for group in groups} == {"USD", "EUR"}
    assert "" in {group["dimensions"][1] for group in groups}
    assert len({tuple(group["dimensions"]) for group in groups}) == len(groups)
    for name in ("count", "sum_value"):
        summed = [sum(values) for values in zip(*(group["measurements"][name] for group in groups), strict=True)]
        assert summed == pytest.approx(whole["measurements"][name])
    query["data"]["attributes"]["filter"].append('equals($value_currency,"EUR")')
    narrowed = ask("/api/metric-aggregates", query).document["data"]["attributes"]["data"]
    assert narrowed == [group for group in groups if group["dimensions"][0] == "EUR"]


def test_a_metric_without_events_is_all_zeros(ask: Ask, account: Account) -> None:
    query = _query(_metric(account, "Never happened"), "2026-01-01T00:00:00", "2026-01-04T00:00:00")
    attributes = ask("/api/metric-aggregates", query).document["data"]["attributes"]
    assert attributes["data"] == [{"dimensions": [], "measurements": {name: [0, 0, 0] for name in ("count", "sum_value", "unique")}}]


def test_only_what_was_asked_for_is_measured(ask: Ask, account: Account) -> None:
    query = _query(_metric(account, "Placed Order"), "2026-01-01T00:00:00", "2026-01-04T00:00:00", measurements=["unique"])
    answer = ask("/api/metric-aggregates?fields[metric-aggregate]=data", query)
    assert list(answer.document["data"]["attributes"]) == ["data"]
    assert list(answer.document["data"]["attributes"]["data"][0]["measurements"]) == ["unique"]
    assert answer.document["links"] == {
        "self": "https://a.klaviyo.com/api/metric-aggregates?fields%5Bmetric-aggregate%5D=data",
        "next": None,
        "prev": None,
    }


def _bad(ask: Ask, account: Account, **given: Any) -> Answer:
    return ask("/api/metric-aggregates", _query(_metric(account, "Placed Order"), "2026-01-01T00:00:00", "2026-02-01T00:00:00", **given))


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"metric_id": None}, "metric_id"),
        ({"measurements": []}, "measurements"),
        ({"measurements": ["sum"]}, "measurements"),
        ({"measurements": "count"}, "measurements"),
        ({"interval": "year"}, "interval"),
        ({"page_size": 499}, "page_size"),
        ({"page_size": "500"}, "page_size"),
        ({"sort": "count"}, "sort"),
        ({"limit": 5}, "limit"),
        ({"timezone": "america/new_york"}, "timezone"),
        ({"timezone": "Europe/Kyiv"}, "timezone"),
        ({"timezone": "Factory"}, "timezone"),
        ({"by": ["Shoe Size"]}, "by"),
        ({"filter": []}, "filter"),
        ({"filter": ["greater-or-equal(datetime,2026-01-01T00:00:00Z)"]}, "filter"),
        ({"filter": ["less-than(datetime,2026-01-01T00:00:00Z)"]}, "filter"),
        ({"filter": ["greater-than(datetime,2026-01-01T00:00:00Z)", "less-than(datetime,2026-01-02T00:00:00Z)"]}, "filter"),
        ({"filter": ["greater-or-equal(datetime,2026-01-02T00:00:00Z)", "less-than(datetime,2026-01-02T00:00:00Z)"]}, "filter"),
        ({"filter": ["greater-or-equal(datetime,2025-01-01T00:00:00Z)", "less-than(datetime,2026-01-01T00:00:01Z)"]}, "filter"),
        ({"filter": ["nonsense"]}, "filter"),
        (
            {"filter": ["greater-or-equal(datetime,2026-01-01T00:00:00Z)", "less-than(datetime,2026-01-02T00:00:00Z)", 'equals($flow,"x")']},
            "filter",
        ),
    ],
)
def test_bad_questions_are_refused(ask: Ask, account: Account, given: dict[str, Any], pointer: str) -> None:
    answer = _bad(ask, account, **given)
    assert answer.status == 400
    assert answer.errors[0]["source"] == {"pointer": f"/data/attributes/{pointer}"}


def test_a_whole_year_is_not_too_long(ask: Ask, account: Account) -> None:
    year = ["greater-or-equal(datetime,2024-03-01T00:00:00)", "less-than(datetime,2025-03-01T00:00:00)"]
    assert _bad(ask, account, filter=year, timezone="America/New_York").status == 200


def test_events_without_the_dimension_are_in_one_group(ask: Ask, account: Account) -> None:
    answer = _bad(ask, account, by=["Inbox Provider", "$usage_amount"])
    assert answer.status == 200
    (group,) = answer.document["data"]["attributes"]["data"]
    assert group["dimensions"] == ["", ""]


def test_other_bodies_are_refused(ask: Ask) -> None:
    for body in (b"", b"{", b"[]", b'{"data":{"type":"metric"}}', b'{"data":{"type":"metric-aggregate"}}'):
        assert ask("/api/metric-aggregates", body, method="POST").status == 400
    assert ask("/api/metric-aggregates", _query("NOPE01", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")).status == 404
