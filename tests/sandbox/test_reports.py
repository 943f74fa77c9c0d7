"""Reports: counted again here from the account's events, and refused where Klaviyo refuses."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from klaviyo_sql.contract import operation
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account, Sandbox

from .conftest import Answer, Ask, asker

MONTH = {"start": "2026-10-01T00:00:00", "end": "2026-11-01T00:00:00"}


def _metric(account: Account, name: str) -> str:
    return next(identifier for identifier, metric in account.metrics.items() if metric["attributes"]["name"] == name)


def _report(ask: Ask, account: Account, kind: str, **given: Any) -> Answer:
    """Asks for a report; what is given as None is left out."""
    attributes: dict[str, Any] = {"statistics": ["recipients"], "timeframe": MONTH}
    if kind.startswith(("campaign", "flow")):
        attributes["conversion_metric_id"] = _metric(account, "Placed Order")
    elif kind.startswith("form"):
        attributes["statistics"] = ["viewed_form", "submits"]
    else:
        attributes["statistics"] = ["total_members", "members_added"]
    if "series" in kind:
        attributes["interval"] = "daily"
    attributes = {name: value for name, value in (attributes | given).items() if value is not None}
    return ask(f"/api/{kind}s", {"data": {"type": kind, "attributes": attributes}})


def _results(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 200, answer.document
    return list(answer.document["data"]["attributes"]["results"])


def _local(event: dict[str, Any]) -> str:
    return datetime.fromtimestamp(event["attributes"]["timestamp"], ZoneInfo("America/New_York")).replace(tzinfo=None).isoformat()


def _of_month(account: Account, name: str) -> list[dict[str, Any]]:
    metric_id = _metric(account, name)
    return [event for event in account.events if event["metric_id"] == metric_id and MONTH["start"] <= _local(event) < MONTH["end"]]


def test_campaign_values_are_the_events_of_their_messages(ask: Ask, account: Account) -> None:
    statistics = ["delivered", "opens", "opens_unique", "open_rate", "conversions", "conversion_value", "spam_complaints"]
    results = _results(_report(ask, account, "campaign-values-report", statistics=statistics))
    received, opened, orders = (_of_month(account, name) for name in ("Received Email", "Opened Email", "Placed Order"))
    assert results
    for result in results:
        groupings, found = result["groupings"], result["statistics"]
        message = groupings["campaign_message_id"]
        assert list(groupings) == ["campaign_id", "campaign_message_id", "send_channel"]
        assert groupings["campaign_id"] == account.campaign_messages[message]["campaign_id"]
        assert groupings["send_channel"] == "email"
        delivered = [event for event in received if event["attributes"]["event_properties"]["$message"] == message]
        opens = [event for event in opened if event["attributes"]["event_properties"]["$message"] == message]
        bought = [event for event in orders if event["attributes"]["event_properties"].get("$attributed_message") == message]
        people = {event["profile_id"] for event in opens}
        assert found["delivered"] == len(delivered)
        assert (found["opens"], found["opens_unique"]) == (len(opens), len(people))
        assert found["open_rate"] == (len(people) / len(delivered) if delivered else 0)
        assert found["conversions"] == len(bought)
        assert found["conversion_value"] == pytest.approx(sum(event["attributes"]["event_properties"]["$value"] for event in bought), abs=0.01)
        assert found["spam_complaints"] == 0
    messages = {result["groupings"]["campaign_message_id"] for result in results}
    flow_messages = {result["groupings"]["flow_message_id"] for result in _results(_report(ask, account, "flow-values-report"))}
    assert messages | flow_messages >= {event["attributes"]["event_properties"]["$message"] for event in received}


def test_a_series_adds_up_to_the_values(ask: Ask, account: Account) -> None:
    values = _results(_report(ask, account, "flow-values-report", statistics=["delivered", "opens"]))
    answer = _report(ask, account, "flow-series-report", statistics=["delivered", "opens"])
    dates = answer.document["data"]["attributes"]["date_times"]
    assert (len(dates), dates[0], dates[-1]) == (31, "2026-10-01T00:00:00+00:00", "2026-10-31T00:00:00+00:00")
    by_group = {tuple(result["groupings"].values()): result["statistics"] for result in _results(answer)}
    assert len(by_group) == len(values)
    for result in values:
        series = by_group[tuple(result["groupings"].values())]
        assert {name: sum(numbers) for name, numbers in series.items()} == result["statistics"]


def test_groups_by_tag_count_a_message_once_for_each(ask: Ask, account: Account) -> None:
    grouped = ["campaign_id", "campaign_message_id", "tag_id", "tag_name"]
    results = _results(_report(ask, account, "campaign-values-report", group_by=grouped))
    found = {(result["groupings"]["campaign_id"], result["groupings"]["tag_id"]) for result in results}
    active = {result["groupings"]["campaign_id"] for result in _results(_report(ask, account, "campaign-values-report"))}
    assert found == {(campaign, tag) for campaign in active for tag in account.campaign_tags[campaign]}


def test_filters_of_reports(ask: Ask, account: Account) -> None:
    results = _results(_report(ask, account, "campaign-values-report"))
    one = results[0]["groupings"]["campaign_id"]
    filtered = _report(ask, account, "campaign-values-report", filter=f'and(equals(campaign_id,"{one}"),contains-any(send_channel,["email","sms"]))')
    assert [result["groupings"]["campaign_id"] for result in _results(filtered)] == [one]
    assert _results(_report(ask, account, "campaign-values-report", filter='equals(send_channel,"sms")')) == []
    segment = next(iter(account.segments))
    (result,) = _results(_report(ask, account, "segment-values-report", filter=f'any(segment_id,["{segment}"])'))
    assert result["groupings"] == {"segment_id": segment}


def test_segments_report_who_joined(ask: Ask, account: Account) -> None:
    answer = _report(ask, account, "segment-series-report", interval="weekly")
    # Weeks begin on Mondays, the first before the time frame does.
    assert answer.document["data"]["attributes"]["date_times"][0] == "2026-09-28T00:00:00+00:00"
    results = {result["groupings"]["segment_id"]: result["statistics"] for result in _results(answer)}
    assert set(results) == set(account.segments)
    zone = ZoneInfo("America/New_York")
    for segment_id, found in results.items():
        joined = [datetime.fromisoformat(when).astimezone(zone).replace(tzinfo=None).isoformat() for when in account.segment_members[segment_id].values()]
        assert found["total_members"][-1] == sum(when < MONTH["end"] for when in joined)
        assert sum(found["members_added"]) == sum(MONTH["start"] <= when < MONTH["end"] for when in joined)


def test_forms_report_by_form_and_by_version(ask: Ask, account: Account) -> None:
    by_form = _results(_report(ask, account, "form-values-report"))
    by_version = _results(_report(ask, account, "form-values-report", group_by=["form_id", "form_version_id"]))
    assert by_form
    for result in by_form:
        versions = [row for row in by_version if row["groupings"]["form_id"] == result["groupings"]["form_id"]]
        assert result["statistics"]["submits"] == sum(row["statistics"]["submits"] for row in versions)
    assert _results(_report(ask, account, "form-values-report")) == by_form


def test_time_frames_by_name_are_of_the_account(ask: Ask, account: Account) -> None:
    answer = _report(ask, account, "segment-series-report", timeframe={"key": "last_7_days"})
    dates = answer.document["data"]["attributes"]["date_times"]
    # Recorded: eight, since today is among them.
    assert (len(dates), dates[0], dates[-1]) == (8, "2026-11-13T00:00:00+00:00", "2026-11-20T00:00:00+00:00")
    month = _report(ask, account, "segment-series-report", timeframe={"key": "last_12_months"}, interval="monthly")
    assert month.document["data"]["attributes"]["date_times"][0] == "2025-11-01T00:00:00+00:00"
    hours = _report(ask, account, "segment-series-report", timeframe={"key": "yesterday"}, interval="hourly")
    assert len(hours.document["data"]["attributes"]["date_times"]) == 24
    keys = operation("query_flow_values").body
    assert keys is not None


@pytest.mark.parametrize("key", ["last_week", "last_month", "last_year", "this_week", "this_month", "this_year", "today", "last_30_days", "last_90_days"])
def test_every_time_frame_has_an_answer(ask: Ask, account: Account, key: str) -> None:
    assert _report(ask, account, "segment-values-report", timeframe={"key": key}).status == 200


@pytest.mark.parametrize(
    ("kind", "given", "place"),
    [
        ("campaign-values-report", {"statistics": None}, "statistics"),
        ("campaign-values-report", {"statistics": ["revenue"]}, "statistics"),
        ("campaign-values-report", {"conversion_metric_id": None}, "conversion_metric_id"),
        ("campaign-values-report", {"conversion_metric_id": "NOPE01"}, "conversion_metric_id"),
        ("campaign-values-report", {"timeframe": None}, "timeframe"),
        ("campaign-values-report", {"timeframe": {"key": "last_decade"}}, "timeframe/key"),
        ("campaign-values-report", {"timeframe": {"start": "2024-01-01", "end": "2025-06-01"}}, "timeframe"),
        ("campaign-values-report", {"timeframe": {"start": "2025-06-01", "end": "2025-06-01"}}, "timeframe"),
        ("campaign-values-report", {"timeframe": {"start": "then", "end": "now"}}, "timeframe/start"),
        ("campaign-values-report", {"group_by": ["campaign_id"]}, "group_by"),
        ("campaign-values-report", {"group_by": ["campaign_id", "campaign_message_id", "weather"]}, "group_by"),
        ("campaign-values-report", {"interval": "daily"}, "interval"),
        ("campaign-values-report", {"filter": 'equals(send_channel,"mobile_push")'}, "filter"),
        ("campaign-values-report", {"filter": 'equals(campaign_id,"a"),equals(campaign_id,"b")'}, "filter"),
        ("campaign-values-report", {"filter": 'equals(tag_id,"a")'}, "filter"),
        ("campaign-values-report", {"filter": "campaign_id"}, "filter"),
        ("flow-series-report", {"interval": None}, "interval"),
        ("flow-series-report", {"interval": "yearly"}, "interval"),
        ("flow-series-report", {"interval": "hourly"}, "timeframe"),
        ("form-series-report", {"timeframe": {"key": "last_90_days"}}, "timeframe"),
        ("form-values-report", {"group_by": ["form_version_id"]}, "group_by"),
        ("segment-values-report", {"timeframe": {"start": "2023-01-01", "end": "2023-07-01"}}, "timeframe"),
    ],
)
def test_a_bad_request_is_pointed_at(ask: Ask, account: Account, kind: str, given: dict[str, Any], place: str) -> None:
    answer = _report(ask, account, kind, **given)
    assert answer.status == 400
    assert answer.errors[0]["source"] == {"pointer": f"/data/attributes/{place}"}


def test_a_custom_metric_cannot_be_converted_to(ask: Ask, account: Account) -> None:
    answer = _report(ask, account, "campaign-values-report", conversion_metric_id=next(iter(account.custom_metrics)))
    assert answer.status == 400
    assert "does not support querying for values data" in answer.errors[0]["detail"]


def test_reports_are_rationed_by_the_minute_and_by_the_day(account: Account, clock: SimulatedClock) -> None:
    ask = asker(Sandbox(account, clock=clock))
    statuses = []
    for _ in range(3):
        statuses.append(_report(ask, account, "segment-values-report").status)
        clock.sleep(2)
    assert statuses == [200, 200, 429]
    answer = _report(ask, account, "form-values-report")
    assert answer.headers["RateLimit-Limit"] == "1, 1;w=1, 2;w=60, 225;w=86400"


def test_a_page_cursor_is_checked(ask: Ask, account: Account) -> None:
    attributes = {"statistics": ["opens"], "timeframe": MONTH, "conversion_metric_id": _metric(account, "Placed Order")}
    body = {"data": {"type": "flow-values-report", "attributes": attributes}}
    for cursor in ("nonsense", "cGxhY2U6OjEwMDAwMA=="):
        answer = ask(f"/api/flow-values-reports?page_cursor={cursor}", body)
        assert (answer.status, answer.errors[0]["source"]) == (400, {"parameter": "page_cursor"})
    assert set(ask("/api/flow-values-reports", body).document["links"]) == {"self", "next", "prev"}
