"""Every kind of reply of every operation that is imitated, held against the JSON schema that Klaviyo publishes for it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from klaviyo_sql.contract import facts, operation, schemas
from klaviyo_sql.sandbox import Account, Sandbox
from klaviyo_sql.sandbox.subjects import ENDPOINTS

from .conftest import Ask, asker
from .operations import READS, ids, path, variants

Schema = dict[str, Any]

# Seen in live replies, and not described.
_UNDESCRIBED = {"attributes", "click_tracking", "conversation", "ignore_unsubscribes", "image"}
# Described as strings; live replies have null in these places.
_NULL_IN_PRACTICE = {("CollectionLinks", "next"), ("CollectionLinks", "prev"), ("ObjectLinks", "next"), ("ObjectLinks", "prev")}


_REPORTS = {
    "campaign_values": ["opens", "open_rate"],
    "flow_values": ["conversions", "revenue_per_recipient"],
    "flow_series": ["clicks", "click_rate"],
    "form_values": ["viewed_form", "submit_rate"],
    "form_series": ["submits", "submit_rate"],
    "segment_values": ["total_members"],
    "segment_series": ["net_members_changed"],
}
# What answers questions without changing anything, and is sent in a body.
_ASKED_IN_A_BODY = {"query_metric_aggregates"} | {f"query_{name}" for name in _REPORTS}
# Only asks as well, but runs templates through a language of their own, which the sandbox does not speak.
_NOT_IMITATED = {"render_template"}


def test_every_operation_that_only_reads_is_imitated() -> None:
    asking = {name for name, described in facts().operations.items() if described.method == "GET" or name.startswith(("query_", "render_"))}
    assert asking == set(READS) | _ASKED_IN_A_BODY | _NOT_IMITATED
    assert set(ENDPOINTS) >= _ASKED_IN_A_BODY


@pytest.mark.parametrize("name", READS)
def test_replies_are_as_described(account: Account, name: str) -> None:
    ask = asker(Sandbox(account, limits=False, entitlements=("webhooks",)))
    answered = 0
    for variant in variants(name):
        for identifier in ids(account, name):
            target = path(name, identifier) + variant
            answer = ask(target)
            assert answer.status == 200, (target, answer.document)
            _hold_against(name, answer.document, sparse="fields[" in variant.replace("additional-fields[", ""))
            answered += bool(answer.document["data"])
    assert answered, "nothing but empty replies"


@pytest.mark.parametrize(("name", "statistics"), _REPORTS.items())
def test_reports_are_as_described(ask: Ask, account: Account, name: str, statistics: list[str]) -> None:
    attributes: dict[str, Any] = {"statistics": statistics, "timeframe": {"start": "2026-10-01T00:00:00", "end": "2026-10-15T00:00:00"}}
    if name.startswith(("campaign", "flow")):
        attributes["conversion_metric_id"] = next(iter(account.metrics))
    if "series" in name:
        attributes["interval"] = "weekly"
    described = operation(f"query_{name}")
    answer = ask(described.path, {"data": {"type": described.path.removeprefix("/api/").removesuffix("s"), "attributes": attributes}})
    assert answer.status == 200, answer.document
    # In live replies, and not described.
    assert answer.document["data"].pop("id")
    _hold_against(f"query_{name}", answer.document)
    assert answer.document["data"]["attributes"]["results"]


@pytest.mark.parametrize("by", [[], ["$value_currency"]])
def test_metric_aggregates_are_as_described(ask: Ask, account: Account, by: list[str]) -> None:
    attributes = {
        "metric_id": next(iter(account.metrics)),
        "measurements": ["count", "sum_value", "unique"],
        "filter": ["greater-or-equal(datetime,2026-01-01T00:00:00)", "less-than(datetime,2026-03-01T00:00:00)"],
        "by": by,
    }
    answer = ask("/api/metric-aggregates", {"data": {"type": "metric-aggregate", "attributes": attributes}})
    assert answer.status == 200
    _hold_against("query_metric_aggregates", answer.document)


def _hold_against(name: str, document: Any, *, sparse: bool = False) -> None:
    reply = operation(name).reply
    assert reply is not None
    assert reply.schema is not None
    errors = [error for error in _validator(name, sparse=sparse).iter_errors(document) if not _nothing_there(error)]
    assert not errors, errors[0]
    assert set(_undescribed(document, [reply.schema])) - _UNDESCRIBED == set()


def _nothing_there(error: ValidationError) -> bool:
    """The reply of a relationship without anything at its other end: described as an object, null in live replies."""
    return error.instance is None and list(error.absolute_path) == ["data"]


@functools.cache
def _validator(name: str, *, sparse: bool) -> Draft202012Validator:
    reply = operation(name).reply
    assert reply is not None
    definitions = {title: _converted(schema, title, sparse) for title, schema in schemas().items()}
    return Draft202012Validator({**_converted(reply.schema, "", sparse), "$defs": definitions})


def _converted(schema: Any, title: str, sparse: bool) -> Any:
    """OpenAPI 3.0's `nullable` as a choice, and bare references as pointers; nothing is required where fieldsets are sparse."""
    if isinstance(schema, list):
        return [_converted(item, "", sparse) for item in schema]
    if not isinstance(schema, dict):
        return schema
    left_out = {"nullable"} | ({"required"} if sparse else set())
    converted = {key: _converted(value, "", sparse) for key, value in schema.items() if key not in left_out or isinstance(value, dict)}
    if "oneOf" in converted:
        # The choices overlap: a definition of a message is one of several, all of whose members are optional.
        converted["anyOf"] = converted.pop("oneOf")
    if isinstance(schema.get("$ref"), str):
        converted["$ref"] = f"#/$defs/{schema['$ref']}"
    properties = converted.get("properties", {})
    for place, name in _NULL_IN_PRACTICE:
        if place == title and name in properties:
            properties[name] = {"anyOf": [properties[name], {"type": "null"}]}
    if title == "ObjectLinks":
        # Metric aggregates have next and prev as collections do.
        converted["properties"] |= {"next": {"type": "null"}, "prev": {"type": "null"}}
    if set(properties) == {"data", "links"} and "id" in schema["properties"]["data"].get("properties", {}):
        # A relationship to one, with nothing at its other end: null in live replies.
        properties["data"] = {"anyOf": [properties["data"], {"type": "null"}]}
    return {"anyOf": [converted, {"type": "null"}]} if schema.get("nullable") is True else converted


def _undescribed(value: Any, described_by: list[Schema]) -> Iterator[str]:
    """The names in the value that none of the schemas has."""
    parts = [part for schema in described_by for part in _parts(schema, value)]
    if isinstance(value, list):
        for item in value:
            yield from _undescribed(item, [part["items"] for part in parts if "items" in part])
    elif isinstance(value, dict):
        properties: dict[str, list[Schema]] = {}
        for part in parts:
            for name, schema in part.get("properties", {}).items():
                properties.setdefault(name, []).append(schema)
        if not properties:
            return  # free JSON
        for name, inner in value.items():
            if name in properties:
                yield from _undescribed(inner, properties[name])
            elif name not in ("next", "prev"):
                yield name


def _parts(schema: Schema, value: Any) -> Iterator[Schema]:
    if "$ref" in schema:
        yield from _parts(schemas()[schema["$ref"]], value)
    for inner in schema.get("allOf", []):
        yield from _parts(inner, value)
    for choice in schema.get("oneOf", []):
        parts = list(_parts(choice, value))
        types = [named for part in parts for named in _type_names(part)]
        if not types or (isinstance(value, dict) and value.get("type") in types):
            yield from parts
    yield schema


def _type_names(part: Schema) -> list[str]:
    named = part.get("properties", {}).get("type", {})
    if "$ref" in named:
        named = schemas()[named["$ref"]]
    return list(named.get("enum", []))
