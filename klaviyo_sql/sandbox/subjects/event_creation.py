"""Creating events, one or up to a thousand: answered at once, readable only later, and each kept only once."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import Call
from klaviyo_sql.sandbox.generation.identifiers import ShortIds, event_ids, time_uuid
from klaviyo_sql.sandbox.generation.moments import seconds_text
from klaviyo_sql.sandbox.problems import Problem, RefusedError, invalid
from klaviyo_sql.sandbox.subjects.profile_writing import check_encountered, encounter
from klaviyo_sql.sandbox.writing import receive, refuse_too_many

MOST_EVENTS = 1000
MOST_PROPERTIES = 400
LONGEST_TEXT = 100_000
"""Bytes of one text in the properties."""

_LONGEST_METRIC_NAME = 127


def create_event(call: Call) -> None:
    """Take the event; its profile and its metric come into being with it when they are new."""
    attributes = receive(call).attributes
    problems = list(_complaints(call, attributes, "/data/attributes"))
    profile = attributes["profile"]["data"]
    problems += _complaints_about_profile(call, profile, "/data/attributes/profile/data")
    if problems:
        raise RefusedError(*problems)
    call.later(lambda: _store(call.account, attributes, profile, call.now))


def bulk_create_events(call: Call) -> None:
    """Take events that are grouped by profile, all of them or none."""
    groups = receive(call).attributes["events-bulk-create"]["data"]
    within = "/data/attributes/events-bulk-create/data"
    refuse_too_many(sum(len(group["attributes"]["events"]["data"]) for group in groups), MOST_EVENTS, within)
    problems: list[Problem] = []
    for number, group in enumerate(groups):
        place = f"{within}/{number}/attributes"
        problems += _complaints_about_profile(call, group["attributes"]["profile"]["data"], f"{place}/profile/data")
        for position, event in enumerate(group["attributes"]["events"]["data"]):
            problems += _complaints(call, event["attributes"], f"{place}/events/data/{position}/attributes")
    if problems:
        raise RefusedError(*problems)

    def store() -> None:
        for group in groups:
            for event in group["attributes"]["events"]["data"]:
                # Whose profile was deleted meanwhile is lost alone.
                with suppress(RefusedError):
                    _store(call.account, event["attributes"], group["attributes"]["profile"]["data"], call.now)

    call.later(store)


def _complaints(call: Call, attributes: dict[str, Any], place: str) -> Iterator[Problem]:
    name = attributes["metric"]["data"]["attributes"]["name"]
    if not 0 < len(name) <= _LONGEST_METRIC_NAME:
        yield invalid("A metric name of 1 to 127 characters is required.", pointer=f"{place}/metric/data/attributes/name")
    if len(attributes["properties"]) > MOST_PROPERTIES:
        yield invalid(f"An event must not have more than {MOST_PROPERTIES} properties.", pointer=f"{place}/properties")
    if len(call.body) > LONGEST_TEXT and any(len(text.encode()) > LONGEST_TEXT for text in _texts(attributes["properties"])):
        yield invalid(f"A text must not be larger than {LONGEST_TEXT} bytes.", pointer=f"{place}/properties")
    moment = _moment(attributes.get("time"), call.now)
    if moment.year < 1990 or moment > call.now + timedelta(days=365):
        yield invalid("The time must be after 1990 and at most one year ahead.", pointer=f"{place}/time")


def _complaints_about_profile(call: Call, profile: dict[str, Any], place: str) -> tuple[Problem, ...]:
    try:
        check_encountered(call.account, profile, place)
    except RefusedError as refusal:
        return refusal.problems
    return ()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _moment(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _store(account: Account, attributes: dict[str, Any], who: dict[str, Any], now: datetime) -> None:
    timestamp = int(_moment(attributes.get("time"), now).timestamp())
    metric = _metric(account, attributes["metric"]["data"]["attributes"], int(now.timestamp()))
    profile = encounter(account, who, now, "/data")
    unique_id = attributes.get("unique_id")
    for earlier in account.events_of_profile(profile["id"]):
        properties = earlier["attributes"]["event_properties"]
        # Without a unique id the second is the key: two events of one profile and metric within one second collapse.
        same = properties.get("$event_id") == unique_id if unique_id is not None else earlier["attributes"]["timestamp"] == timestamp
        if same and earlier["metric_id"] == metric["id"]:
            return
    latest = max(profile["attributes"]["last_event_date"] or "", seconds_text(timestamp))
    profile["attributes"] = profile["attributes"] | {"last_event_date": latest}
    properties = dict(attributes["properties"])
    if attributes.get("value_currency") is not None:
        properties["$value_currency"] = attributes["value_currency"]
    properties["$event_id"] = unique_id if unique_id is not None else str(timestamp)
    properties["$value"] = attributes.get("value") or 0
    account.add_event(
        {
            "type": "event",
            "id": next(identifier for identifier in event_ids(account.random, 1000) if account.event(identifier) is None),
            "attributes": {
                "timestamp": timestamp,
                "event_properties": properties,
                "datetime": seconds_text(timestamp),
                "uuid": time_uuid(timestamp, account.random.getrandbits(48)),
            },
            "profile_id": profile["id"],
            "metric_id": metric["id"],
        }
    )


def _metric(account: Account, wanted: dict[str, Any], timestamp: int) -> Resource:
    key = wanted.get("service") or "api"
    for metric in account.metrics.values():
        integration = metric["attributes"]["integration"]
        if metric["attributes"]["name"] == wanted["name"] and integration is not None and integration["key"] == key:
            return metric
    written = seconds_text(timestamp)
    integration = {
        "object": "integration",
        "id": f"I{zlib.crc32(key.encode()):08x}"[:6],
        "key": key,
        "name": key.upper(),
        "category": key.upper(),
    }
    given = ShortIds(account.random)
    identifier = next(new for new in iter(given.next, "") if new not in account.metrics)
    account.metrics[identifier] = {
        "type": "metric",
        "id": identifier,
        "attributes": {"name": wanted["name"], "created": written, "updated": written, "integration": integration},
    }
    account.changed(events=False)
    return account.metrics[identifier]
