"""Bodies of writing requests, held against the contract: what Klaviyo's description does not know, or knows otherwise, is refused with its place.

The schemas become functions once, because a bulk job has ten thousand rows to look at.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

import msgspec

from klaviyo_sql.contract import schemas
from klaviyo_sql.sandbox.endpoints import Call
from klaviyo_sql.sandbox.problems import Problem, RefusedError, invalid

LARGEST_BODY = 5_000_000
"""Bytes; the guides say 5 MB and not which."""

_Complaint = tuple[tuple[str, ...], str]
"""Where (the names on the way in, the last first) and what."""

_Check = Callable[[Any], list[_Complaint]]
_FINE: list[_Complaint] = []

_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("an integer", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "number": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
}


def read(call: Call, *, largest: int = LARGEST_BODY) -> dict[str, Any]:
    """The document that was sent, as the operation's description allows it; RefusedError with every complaint about it.

    `largest` is in bytes, of the whole body. Where the path ends with an id, the document has to repeat it.
    """
    if len(call.body) > largest:
        raise RefusedError(too_large(len(call.body), largest))
    document = decode(call.body)
    complaints = _compiled(call.operation_name, call.operation.body or {})(document)
    if complaints:
        raise RefusedError(*(invalid(detail, pointer="/" + "/".join(reversed(where))) for where, detail in complaints))
    data = document.get("data")
    if call.operation.path.endswith("/{id}") and isinstance(data, dict) and data.get("id") != call.id:
        raise RefusedError(invalid(f"The id {data.get('id')!r} is not the one in the path, {call.id!r}.", pointer="/data/id"))
    return dict(document)


def decode(body: bytes) -> Any:
    """The JSON of a body; RefusedError when it is none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(invalid("Invalid JSON.", pointer="/data")) from error


def too_large(size: int, largest: int) -> Problem:
    """413; both are in bytes."""
    return Problem(413, "payload_too_large", "Payload too large.", f"The payload of {size} bytes is larger than the allowed {largest}.", pointer="/data")


_CLEARED_WITH_NULL = frozenset(("update_mapped_metric",))
"""Operations whose relationships are emptied with null, which Klaviyo's description of them does not say."""


def _clearable(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    cleared = copy.deepcopy(dict(schemas()[schema["$ref"]]) if "$ref" in schema else dict(schema))
    resource = cleared["properties"]["data"]
    if "$ref" in resource:
        resource = cleared["properties"]["data"] = copy.deepcopy(schemas()[resource["$ref"]])
    for relationship in resource["properties"]["relationships"]["properties"].values():
        relationship["properties"]["data"]["nullable"] = True
    return cleared


_compiled_bodies: dict[str, _Check] = {}


def _compiled(name: str, schema: Mapping[str, Any]) -> _Check:
    if name not in _compiled_bodies:
        _compiled_bodies[name] = _check(_clearable(schema) if name in _CLEARED_WITH_NULL else schema)
    return _compiled_bodies[name]


@functools.cache
def _named(name: str) -> _Check:
    return _check(schemas()[name])


def _check(schema: Mapping[str, Any]) -> _Check:
    inner = _not_null(schema)
    if schema.get("nullable") or schema.get("enum") == [None]:
        return lambda value: [] if value is None else inner(value)
    if not {"type", "$ref", "oneOf", "allOf", "enum"} & set(schema):
        return inner
    if "$ref" in schema:
        # The other schema may allow null.
        return inner
    null: list[_Complaint] = [((), "This may not be null.")]
    return lambda value: null if value is None else inner(value)


def _not_null(schema: Mapping[str, Any]) -> _Check:
    if "$ref" in schema:
        # Looked up when it is needed: definitions of flows contain themselves.
        name = schema["$ref"]
        return lambda value: _named(name)(value)
    if "oneOf" in schema:
        return _choice([_check(choice) for choice in schema["oneOf"]])
    if "allOf" in schema:
        parts = [_check(part) for part in schema["allOf"]]
        return lambda value: [complaint for part in parts for complaint in part(value)]
    if "enum" in schema:
        return _one_of(schema["enum"])
    match schema.get("type"):
        case "object":
            return _object(schema)
        case "array":
            return _array(_check(schema["items"]))
        case "string" if schema.get("format") in _FORMATS:
            return _formatted(*_FORMATS[schema["format"]])
        case str(name):
            return _plain(*_TYPES[name])
    return lambda value: _FINE


def _plain(what: str, holds: Callable[[Any], bool]) -> _Check:
    complaint: list[_Complaint] = [((), f"This must be {what}.")]
    return lambda value: _FINE if holds(value) else complaint


def _one_of(values: Iterable[Any]) -> _Check:
    allowed = [(type(value), value) for value in values]
    names = ", ".join(repr(value) for _, value in allowed)

    def check(value: Any) -> list[_Complaint]:
        # With the type, since True equals 1.
        return _FINE if (type(value), value) in allowed else [((), f"{value!r} is not a valid choice. Allowed: {names}.")]

    return check


def _array(item: _Check) -> _Check:
    def check(value: Any) -> list[_Complaint]:
        if not isinstance(value, list):
            return [((), "This must be a list.")]
        complaints = []
        for position, element in enumerate(value):
            if found := item(element):
                complaints += [((*where, str(position)), detail) for where, detail in found]
        return complaints

    return check


def _object(schema: Mapping[str, Any]) -> _Check:
    described: Mapping[str, Any] | None = schema.get("properties")
    if described is None and schema.get("maxProperties") != 0:
        return _plain("an object", lambda value: isinstance(value, dict))
    members = {name: _check(member) for name, member in (described or {}).items()}
    # What Klaviyo alone can say is never asked for.
    required = tuple(name for name in schema.get("required", ()) if not (described or {}).get(name, {}).get("readOnly"))

    def check(value: Any) -> list[_Complaint]:
        if not isinstance(value, dict):
            return [((), "This must be an object.")]
        complaints: list[_Complaint] = []
        for name, element in value.items():
            member = members.get(name)
            if member is None:
                complaints.append(((name,), f"{name!r} is not a valid field."))
            elif found := member(element):
                complaints += [((*where, name), detail) for where, detail in found]
        complaints += [((name,), f"{name!r} is a required field.") for name in required if name not in value]
        return complaints

    return check


def _choice(choices: list[_Check]) -> _Check:
    def check(value: Any) -> list[_Complaint]:
        # All choices fail: the one that was most nearly meant is the one whose type, method or channel fits, then the one with the fewest complaints.
        nearest: tuple[int, int, list[_Complaint]] | None = None
        for choice in choices:
            found = choice(value)
            if not found:
                return _FINE
            unlike = sum(1 for where, _ in found if where == () or where[-1] in ("type", "method", "channel", "operator"))
            if nearest is None or (unlike, len(found)) < nearest[:2]:
                nearest = (unlike, len(found), found)
        return nearest[2] if nearest else _FINE

    return check


def _formatted(what: str, parse: Callable[[str], object]) -> _Check:
    complaint: list[_Complaint] = [((), f"This must be {what}.")]

    def check(value: Any) -> list[_Complaint]:
        if not isinstance(value, str):
            return complaint
        try:
            parse(value)
        except ValueError:
            return complaint
        return _FINE

    return check


def _address(text: str) -> None:
    if "://" not in text:
        raise ValueError(text)


_FORMATS: dict[str, tuple[str, Callable[[str], object]]] = {
    "date-time": ("a time in ISO 8601 form", datetime.fromisoformat),
    "date": ("a date in ISO 8601 form", date.fromisoformat),
    "time": ("a time of day in ISO 8601 form", time.fromisoformat),
    "uri": ("an address", _address),
}
