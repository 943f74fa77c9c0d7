"""Creating an event: answered at once, readable only later, and kept only once."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import Call
from klaviyo_sql.sandbox.generation.identifiers import ShortIds, event_ids, time_uuid, ulid
from klaviyo_sql.sandbox.generation.moments import seconds_text
from klaviyo_sql.sandbox.generation.people import no_consent, predictions
from klaviyo_sql.sandbox.problems import RefusedError, invalid

_LONGEST_METRIC_NAME = 127
_IDENTIFIERS = ("email", "phone_number", "external_id")


def create_event(call: Call) -> None:
    """Take the event; its profile and its metric come into being with it when they are new."""
    attributes = _attributes(call.body)
    moment = _time(attributes.get("time"), call.now)
    call.later(lambda: _store(call.account, attributes, moment))


def _attributes(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise RefusedError(invalid("Invalid JSON.", pointer="/data")) from error
    data = _member(document, "data", "")
    if data.get("type") != "event":
        raise RefusedError(invalid("The type must be 'event'.", pointer="/data/type"))
    attributes = _member(data, "attributes", "/data")
    _member(attributes, "properties", "/data/attributes")
    metric = _nested(attributes, "metric")
    name = metric.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_METRIC_NAME:
        raise RefusedError(invalid("A metric name of 1 to 127 characters is required.", pointer="/data/attributes/metric/data/attributes/name"))
    profile = _nested(attributes, "profile")
    identifier = attributes["profile"]["data"].get("id")
    if identifier is None and not any(profile.get(key) for key in _IDENTIFIERS):
        detail = f"One of id, {', '.join(_IDENTIFIERS)} is required."
        raise RefusedError(invalid(detail, pointer="/data/attributes/profile/data/attributes"))
    value = attributes.get("value")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise RefusedError(invalid("The value must be a number.", pointer="/data/attributes/value"))
    return attributes


def _member(parent: Any, name: str, pointer: str) -> dict[str, Any]:
    found = parent.get(name) if isinstance(parent, dict) else None
    if not isinstance(found, dict):
        raise RefusedError(invalid(f"'{name}' is a required field.", pointer=f"{pointer}/{name}"))
    return found


def _nested(attributes: dict[str, Any], name: str) -> dict[str, Any]:
    data = _member(_member(attributes, name, "/data/attributes"), "data", f"/data/attributes/{name}")
    if data.get("type") != name:
        raise RefusedError(invalid(f"The type must be '{name}'.", pointer=f"/data/attributes/{name}/data/type"))
    return _member(data, "attributes", f"/data/attributes/{name}/data")


def _time(text: Any, now: datetime) -> datetime:
    if text is None:
        return now
    pointer = "/data/attributes/time"
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise RefusedError(invalid(f"{text!r} is not a datetime.", pointer=pointer)) from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if moment.year < 1990 or moment > now + timedelta(days=365):
        raise RefusedError(invalid("The time must be after 1990 and at most one year ahead.", pointer=pointer))
    return moment


def _store(account: Account, attributes: dict[str, Any], moment: datetime) -> None:
    timestamp = int(moment.timestamp())
    random = Random(f"{account.version} {len(account.events)} {timestamp}")
    metric = _metric(account, attributes["metric"]["data"]["attributes"], timestamp, random)
    profile = _profile(account, attributes["profile"]["data"], timestamp, random)
    unique_id = attributes.get("unique_id")
    for earlier in account.events_of_profile(profile["id"]):
        properties = earlier["attributes"]["event_properties"]
        # Without a unique id the second is the key: two events of one profile and metric within one second collapse.
        same = properties.get("$event_id") == unique_id if unique_id is not None else earlier["attributes"]["timestamp"] == timestamp
        if same and earlier["metric_id"] == metric["id"]:
            return
    profile["attributes"]["last_event_date"] = max(profile["attributes"]["last_event_date"] or "", seconds_text(timestamp))
    properties = dict(attributes["properties"])
    if attributes.get("value_currency") is not None:
        properties["$value_currency"] = attributes["value_currency"]
    properties["$event_id"] = unique_id if unique_id is not None else str(timestamp)
    properties["$value"] = attributes.get("value") or 0
    account.add_event(
        {
            "type": "event",
            "id": next(event_ids(random, 1)),
            "attributes": {
                "timestamp": timestamp,
                "event_properties": properties,
                "datetime": seconds_text(timestamp),
                "uuid": time_uuid(timestamp, random.getrandbits(48)),
            },
            "profile_id": profile["id"],
            "metric_id": metric["id"],
        }
    )


def _metric(account: Account, wanted: dict[str, Any], timestamp: int, random: Random) -> Resource:
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
    identifier = ShortIds(random).next()
    account.metrics[identifier] = {
        "type": "metric",
        "id": identifier,
        "attributes": {"name": wanted["name"], "created": written, "updated": written, "integration": integration},
    }
    return account.metrics[identifier]


def _profile(account: Account, wanted: dict[str, Any], timestamp: int, random: Random) -> Resource:
    identifiers = {key: wanted["attributes"].get(key) for key in _IDENTIFIERS}
    if identifiers["email"]:
        identifiers["email"] = identifiers["email"].lower()
    if wanted.get("id") in account.profiles:
        return account.profiles[wanted["id"]]
    for profile in account.profiles.values():
        if any(value and profile["attributes"][key] == value for key, value in identifiers.items()):
            return profile
    written = seconds_text(timestamp)
    names = ("first_name", "last_name", "organization", "locale", "title", "image")
    attributes = identifiers | {name: wanted["attributes"].get(name) for name in names}
    attributes |= {"created": written, "updated": written, "last_event_date": written}
    location = dict.fromkeys(("address1", "address2", "city", "country", "latitude", "longitude", "region", "zip", "timezone", "ip"))
    attributes |= {"location": location | (wanted["attributes"].get("location") or {})}
    attributes |= {"properties": wanted["attributes"].get("properties") or {}}
    attributes |= {"subscriptions": no_consent(), "predictive_analytics": predictions([], 0)}
    identifier = ulid(random, timestamp * 1000)
    account.profiles[identifier] = {"type": "profile", "id": identifier, "attributes": attributes}
    return account.profiles[identifier]
