"""Reports of campaigns, flows, forms and segments: values over a time frame, or series of them.

Messages are counted from the account's events, by when these occurred (Klaviyo counts by when a message was sent). Forms have no events:
their numbers are made up, the same ones every time.
"""

from __future__ import annotations

import base64
import binascii
import functools
import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from klaviyo_sql.contract import FilterRule
from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, Endpoint
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.subjects.report_requests import CHANNELS, ReportRequest, ReportRules, read_request

PAGE = 100
"""How many results of campaigns and flows come at once; Klaviyo's own number is not known."""

_SCALAR = FilterRule(("equals", "contains-any"), "string")
_LIST = FilterRule(("contains-any", "contains-all"), "string")
_ONE_OR_ANY = FilterRule(("equals", "any"), "string")
_OF_MESSAGES = {
    "send_channel": FilterRule(("equals", "contains-any"), "string", CHANNELS),
    "text_message_format": _SCALAR,
    "variation": _SCALAR,
    "variation_name": _SCALAR,
    "tag_id": _LIST,
    "tag_name": _LIST,
}
_CAMPAIGN = ReportRules(
    ("campaign_id", "campaign_message_id", "send_channel"),
    ("campaign_id", "campaign_message_id"),
    dict.fromkeys(("campaign_id", "campaign_message_id", "campaign_message_name"), _SCALAR) | _OF_MESSAGES,
)
_FLOW = ReportRules(
    ("flow_id", "flow_message_id", "send_channel"),
    ("flow_message_id", "flow_id"),
    dict.fromkeys(("flow_id", "flow_name", "flow_message_id", "flow_message_name"), _SCALAR) | _OF_MESSAGES,
)
_FORM = ReportRules(("form_id",), ("form_id",), {"form_id": _ONE_OR_ANY, "form_version_id": _ONE_OR_ANY})
_SEGMENT = ReportRules(("segment_id",), (), {"segment_id": _ONE_OR_ANY})

_SEND_CHANNELS = {"mobile_push": "push-notification", "Email": "email", "SMS": "sms", "Push": "push-notification", "WhatsApp": "whatsapp"}
_FIRST_SEGMENT_DATA = datetime.fromisoformat("2023-06-01")
_EVENTS_OF = {
    "delivered": "Received Email",
    "opens": "Opened Email",
    "clicks": "Clicked Email",
    "bounced": "Bounced Email",
    "unsubscribes": "Unsubscribed from Email Marketing",
}
"""What each count is a count of, by the name of Klaviyo's own metric."""


@dataclass(slots=True)
class _Tally:
    """What happened with a message in one bucket."""

    counts: dict[str, int] = field(default_factory=dict)
    people: dict[str, set[str | None]] = field(default_factory=dict)
    value: float = 0.0

    def add(self, what: str, event: Resource) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
        self.people.setdefault(what, set()).add(event["profile_id"])
        if what == "conversions":
            self.value += event["attributes"]["event_properties"].get("$value") or 0

    def merge(self, other: _Tally) -> None:
        for what, count in other.counts.items():
            self.counts[what] = self.counts.get(what, 0) + count
            self.people.setdefault(what, set()).update(other.people[what])
        self.value += other.value

    def statistic(self, name: str) -> float:
        """One of the statistics of campaigns and flows; what never happens here is zero."""
        counts = {what: self.counts.get(what, 0) for what in (*_EVENTS_OF, "conversions")}
        people = {what: len(self.people.get(what, ())) for what in counts}
        recipients = counts["delivered"] + counts["bounced"]
        known: dict[str, float] = counts | {
            "recipients": recipients,
            "bounced_or_failed": counts["bounced"],
            "opens_unique": people["opens"],
            "clicks_unique": people["clicks"],
            "unsubscribe_uniques": people["unsubscribes"],
            "conversion_uniques": people["conversions"],
            "conversion_value": round(self.value, 2),
        }
        shares = {
            "delivery_rate": (counts["delivered"], recipients),
            "bounce_rate": (counts["bounced"], recipients),
            "bounced_or_failed_rate": (counts["bounced"], recipients),
            "open_rate": (people["opens"], counts["delivered"]),
            "click_rate": (people["clicks"], counts["delivered"]),
            "click_to_open_rate": (people["clicks"], people["opens"]),
            "unsubscribe_rate": (people["unsubscribes"], counts["delivered"]),
            "conversion_rate": (people["conversions"], counts["delivered"]),
            "average_order_value": (self.value, counts["conversions"]),
            "revenue_per_recipient": (self.value, recipients),
        }
        if name in shares:
            part, whole = shares[name]
            return part / whole if whole else 0.0
        return known.get(name, 0)


def _local(request: ReportRequest, timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, request.zone).replace(tzinfo=None)


def _within(request: ReportRequest, events: list[Resource]) -> Iterator[tuple[int, Resource]]:
    """The events of the time frame with the number of their bucket; events are in order."""
    # A day of slack on both sides, as local times are compared below.
    first = bisect_left(events, request.start.timestamp() - 172_800, key=_timestamp)
    last = bisect_right(events, request.end.timestamp() + 172_800, key=_timestamp)
    for event in events[first:last]:
        moment = _local(request, event["attributes"]["timestamp"])
        if request.start <= moment < request.end:
            yield bisect_right(request.starts, moment) - 1, event


def _timestamp(event: Resource) -> int:
    timestamp: int = event["attributes"]["timestamp"]
    return timestamp


def _tallies(account: Account, request: ReportRequest) -> dict[str, dict[int, _Tally]]:
    """What happened with each message, by bucket."""
    tallies: dict[str, dict[int, _Tally]] = {}

    def count(what: str, metric_id: str, reference: str) -> None:
        for bucket, event in _within(request, account.events_of_metric(metric_id)):
            message = event["attributes"]["event_properties"].get(reference)
            if message is not None:
                tallies.setdefault(message, {}).setdefault(bucket, _Tally()).add(what, event)

    for metric_id, metric in account.metrics.items():
        integration = metric["attributes"]["integration"]
        for what, name in _EVENTS_OF.items():
            if integration is not None and integration["key"] == "klaviyo" and metric["attributes"]["name"] == name:
                count(what, metric_id, "$message")
    count("conversions", request.conversion_metric_id, "$attributed_message")
    return tallies


def _tagged(account: Account, tags: list[str]) -> dict[str, Any]:
    return {"tag_id": tags, "tag_name": [account.tags[tag]["attributes"]["name"] for tag in tags]}


def _campaign_messages(account: Account) -> Iterator[tuple[str, dict[str, Any]]]:
    for message_id, message in account.campaign_messages.items():
        campaign = account.campaigns[message["campaign_id"]]
        name = campaign["attributes"]["name"]
        yield (
            message_id,
            {
                "campaign_id": campaign["id"],
                "campaign_message_id": message_id,
                "campaign_message_name": message["attributes"]["definition"].get("label") or name,
                "group": campaign["id"],
                "group_name": name,
                "send_channel": _SEND_CHANNELS.get(campaign["channel"], campaign["channel"]),
                "text_message_format": "SMS" if campaign["channel"] == "sms" else "",
                "variation": "",
                "variation_name": "",
                **_tagged(account, account.campaign_tags.get(campaign["id"], [])),
            },
        )


def _flow_messages(account: Account) -> Iterator[tuple[str, dict[str, Any]]]:
    for message_id, message in account.flow_messages.items():
        flow = account.flows[account.flow_actions[message["action_id"]]["flow_id"]]
        channel = message["attributes"]["channel"]
        yield (
            message_id,
            {
                "flow_id": flow["id"],
                "flow_name": flow["attributes"]["name"],
                "flow_message_id": message_id,
                "flow_message_name": message["attributes"]["definition"]["name"],
                "send_channel": _SEND_CHANNELS.get(channel, channel),
                "text_message_format": "SMS" if channel == "SMS" else "",
                "variation": "",
                "variation_name": "",
                **_tagged(account, account.flow_tags.get(flow["id"], [])),
            },
        )


def _of_messages(rules: ReportRules, kind: str, messages: Callable[[Account], Iterable[tuple[str, dict[str, Any]]]]) -> Callable[[Call], dict[str, Any]]:
    def answer(call: Call) -> dict[str, Any]:
        request = read_request(call, kind, rules)
        tallies = _tallies(call.account, request)
        groups: dict[tuple[str, ...], dict[int, _Tally]] = {}
        for message_id, values in messages(call.account):
            if message_id not in tallies or not request.admits(values):
                continue
            for group in _groups(request.groupings, values):
                merged = groups.setdefault(group, {})
                for bucket, tally in tallies[message_id].items():
                    merged.setdefault(bucket, _Tally()).merge(tally)
        results = [_result(request, group, functools.partial(_message_statistic, found)) for group, found in groups.items()]
        return _document(call, kind, request, results, paged=True)

    return answer


def _message_statistic(found: dict[int, _Tally], name: str, bucket: int) -> float:
    return found.get(bucket, _Tally()).statistic(name)


def _groups(groupings: tuple[str, ...], values: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """The groups that a message belongs to: one, or one for each of its tags."""
    tagged = [name for name in groupings if isinstance(values[name], list)]
    for place in range(len(values[tagged[0]]) if tagged else 1):
        yield tuple(values[name][place] if name in tagged else values[name] for name in groupings)


def _result(request: ReportRequest, group: tuple[str, ...], statistic: Callable[[str, int], float]) -> dict[str, Any]:
    numbers: dict[str, Any] = {}
    for name in request.statistics:
        series = [statistic(name, bucket) for bucket in range(len(request.starts))]
        numbers[name] = series if request.series else series[0]
    return {"groupings": dict(zip(request.groupings, group, strict=True)), "statistics": numbers}


def _document(call: Call, kind: str, request: ReportRequest, results: list[dict[str, Any]], *, paged: bool) -> dict[str, Any]:
    links: dict[str, Any] = {"self": call.link(call.query.pairs)}
    if paged:
        first = _place(call.query.value("page_cursor"), len(results))
        following = first + PAGE
        kept = tuple(pair for pair in call.query.pairs if pair[0] != "page_cursor")
        links["next"] = call.link((*kept, ("page_cursor", _cursor(following)))) if following < len(results) else None
        links["prev"] = call.link((*kept, ("page_cursor", _cursor(max(0, first - PAGE))))) if first else None
        results = results[first:following]
    attributes: dict[str, Any] = {"results": results}
    if request.series:
        attributes["date_times"] = [f"{start.isoformat()}+00:00" for start in request.starts]
    names = call.query.fields.get(kind)
    if names is not None:
        attributes = {name: value for name, value in attributes.items() if name in names}
    # The id means nothing and is never the same.
    return {"data": {"type": kind, "id": str(uuid.uuid4()), "attributes": attributes}, "links": links}


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(f"place::{place}".encode()).decode()


def _place(cursor: str | None, results: int) -> int:
    if cursor is None:
        return 0
    try:
        place = int(base64.b64decode(cursor, altchars=b"-_", validate=True).decode().removeprefix("place::"))
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise RefusedError(invalid("Invalid page cursor.", parameter="page_cursor")) from error
    if not 0 <= place <= results:
        raise RefusedError(invalid("Invalid page cursor.", parameter="page_cursor"))
    return place


def _of_forms(kind: str) -> Callable[[Call], dict[str, Any]]:
    def answer(call: Call) -> dict[str, Any]:
        request = read_request(call, kind, _FORM)
        groups: dict[tuple[str, ...], list[dict[str, int]]] = {}
        for version_id, version in call.account.form_versions.items():
            values = {"form_id": version["form_id"], "form_version_id": version_id}
            if version["attributes"]["status"] != "live" or not request.admits(values):
                continue
            buckets = groups.setdefault(tuple(values[name] for name in request.groupings), [{} for _ in request.starts])
            for moment, numbers in _form_days(call.account, version, request):
                found = buckets[bisect_right(request.starts, moment) - 1]
                for name, number in numbers.items():
                    found[name] = found.get(name, 0) + number
        results = [_result(request, group, functools.partial(_form_statistic, buckets)) for group, buckets in groups.items() if any(buckets)]
        return _document(call, kind, request, results, paged=False)

    return answer


def _form_days(account: Account, version: Resource, request: ReportRequest) -> Iterator[tuple[datetime, dict[str, int]]]:
    """What happened at noon of each day since the version was made."""
    made = datetime.fromisoformat(version["attributes"]["created_at"]).replace(tzinfo=None)
    noon = request.start.replace(hour=12, minute=0, second=0, microsecond=0)
    while noon < request.end:
        if noon >= max(made, request.start) and noon.date() <= account.today:
            random = Random(f"{version['id']} {noon.date()}")
            viewed = random.randrange(40)
            submits = random.randrange(1 + viewed // 4)
            closed = viewed - submits
            yield noon, {"viewed_form": viewed, "submits": submits, "closed_form": closed, "submitted_form_step": submits, "viewed_form_step": viewed}
        noon += timedelta(days=1)


def _form_statistic(buckets: list[dict[str, int]], name: str, bucket: int) -> float:
    numbers = buckets[bucket]
    if name == "submit_rate":
        viewed = numbers.get("viewed_form", 0)
        return numbers.get("submits", 0) / viewed if viewed else 0.0
    # Nobody does anything twice here; a qualified form is one that was submitted.
    counted = name.removesuffix("_uniques")
    return numbers.get("submits" if counted == "qualified_form" else counted, 0)


def _of_segments(kind: str) -> Callable[[Call], dict[str, Any]]:
    def answer(call: Call) -> dict[str, Any]:
        request = read_request(call, kind, _SEGMENT)
        if request.start < _FIRST_SEGMENT_DATA:
            detail = "Data is unavailable before June 1st, 2023."
            raise RefusedError(invalid(detail, pointer="/data/attributes/timeframe"))
        results = []
        for segment_id, members in call.account.segment_members.items():
            if request.admits({"segment_id": segment_id}):
                joined = sorted(_local(request, datetime.fromisoformat(when).timestamp()) for when in members.values())
                results.append(_result(request, (segment_id,), _membership(request, joined)))
        return _document(call, kind, request, results, paged=False)

    return answer


def _membership(request: ReportRequest, joined: list[datetime]) -> Callable[[str, int], float]:
    """Who was there and who came; nobody ever leaves."""

    def statistic(name: str, bucket: int) -> float:
        start = max(request.start, request.starts[bucket])
        end = request.starts[bucket + 1] if bucket + 1 < len(request.starts) else request.end
        total = bisect_left(joined, end)
        if name == "total_members":
            return total
        return 0 if name == "members_removed" else total - bisect_left(joined, start)

    return statistic


ENDPOINTS: dict[str, Endpoint] = {
    "query_campaign_values": ActionEndpoint(_of_messages(_CAMPAIGN, "campaign-values-report", _campaign_messages)),
    "query_flow_values": ActionEndpoint(_of_messages(_FLOW, "flow-values-report", _flow_messages)),
    "query_flow_series": ActionEndpoint(_of_messages(_FLOW, "flow-series-report", _flow_messages)),
    "query_form_values": ActionEndpoint(_of_forms("form-values-report")),
    "query_form_series": ActionEndpoint(_of_forms("form-series-report")),
    "query_segment_values": ActionEndpoint(_of_segments("segment-values-report")),
    "query_segment_series": ActionEndpoint(_of_segments("segment-series-report")),
}
