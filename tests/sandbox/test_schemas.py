"""Every kind of reply of every operation that is imitated, held against the JSON schema that Klaviyo publishes for it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from klaviyo_sql.contract import operation, schemas
from klaviyo_sql.sandbox import Account
from klaviyo_sql.sandbox.subjects import ENDPOINTS

from .conftest import Ask

Schema = dict[str, Any]

# Seen in live replies, and not described.
_UNDESCRIBED = {"click_tracking", "conversation"}
# Described as strings; live replies have null in these places.
_NULL_IN_PRACTICE = {("CollectionLinks", "next"), ("CollectionLinks", "prev"), ("ObjectLinks", "next"), ("ObjectLinks", "prev")}

_VARIANTS: dict[str, list[str]] = {
    "get_accounts": ["", "?fields[account]=timezone,contact_information.street_address.city"],
    "get_account": [""],
    "get_profiles": ["?page[size]=100", "?page[size]=100&additional-fields[profile]=subscriptions,predictive_analytics", "?include=push-tokens,conversations"],
    "get_profile": ["", "?include=lists,segments,push-tokens,conversations&additional-fields[profile]=subscriptions,predictive_analytics"],
    "get_lists": ["", "?include=tags,flow-triggers"],
    "get_list": ["", "?include=tags,flow-triggers&additional-fields[list]=profile_count"],
    "get_profiles_for_list": ["?page[size]=100", "?page[size]=100&additional-fields[profile]=subscriptions,predictive_analytics"],
    "get_profile_ids_for_list": ["", "?page[size]=100"],
    "get_segments": ["", "?include=tags,flow-triggers"],
    "get_segment": ["", "?include=tags,flow-triggers&additional-fields[segment]=profile_count"],
    "get_profiles_for_segment": ["?page[size]=100", "?additional-fields[profile]=subscriptions,predictive_analytics"],
    "get_profile_ids_for_segment": [""],
    "get_metrics": ["", "?include=flow-triggers"],
    "get_metric": ["", "?include=flow-triggers"],
    "get_events": ["?page[size]=1000", "?page[size]=1000&include=metric,profile,attributions&filter=has(profile)"],
    "get_event": ["", "?include=metric,profile,attributions"],
    "get_metric_for_event": [""],
    "get_profile_for_event": ["", "?additional-fields[profile]=subscriptions,predictive_analytics"],
    "get_lists_for_profile": [""],
    "get_segments_for_profile": [""],
    "get_tags_for_list": [""],
    "get_tags_for_segment": [""],
}


def test_no_operation_is_left_out() -> None:
    assert set(_VARIANTS) | {"query_metric_aggregates", "create_event"} == set(ENDPOINTS)


@pytest.mark.parametrize(("name", "variant"), [(name, variant) for name, variants in _VARIANTS.items() for variant in variants])
def test_replies_are_as_described(ask: Ask, account: Account, name: str, variant: str) -> None:
    for identifier in _ids(account, name):
        answer = ask(operation(name).path.replace("{id}", identifier) + variant)
        assert answer.status == 200, answer.document
        _hold_against(name, answer.document, sparse="fields[" in variant.replace("additional-fields[", ""))


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


def _ids(account: Account, name: str) -> list[str]:
    path = operation(name).path
    if "{id}" not in path:
        return [""]
    collection = path.split("/")[2]
    if collection == "events":
        attributed = next(iter(account.event_attributions))
        return [attributed, account.events[0]["id"], account.events[-1]["id"]]
    if collection == "profiles":
        return list(account.profiles)[:12]
    return {"accounts": [account.account["id"]], "lists": list(account.lists), "segments": list(account.segments), "metrics": list(account.metrics)}[collection]


def _hold_against(name: str, document: Any, *, sparse: bool = False) -> None:
    reply = operation(name).reply
    assert reply is not None
    assert reply.schema is not None
    errors = [error for error in _validator(name).iter_errors(document) if not (sparse and error.validator == "required")]
    assert not errors, errors[0]
    assert set(_undescribed(document, [reply.schema])) - _UNDESCRIBED == set()


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    reply = operation(name).reply
    assert reply is not None
    definitions = {title: _converted(schema, title) for title, schema in schemas().items()}
    return Draft202012Validator({**_converted(reply.schema, ""), "$defs": definitions})


def _converted(schema: Any, title: str) -> Any:
    """OpenAPI 3.0's `nullable` as a choice, and bare references as pointers."""
    if isinstance(schema, list):
        return [_converted(item, "") for item in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {key: _converted(value, "") for key, value in schema.items() if key != "nullable" or not isinstance(value, bool)}
    if isinstance(schema.get("$ref"), str):
        converted["$ref"] = f"#/$defs/{schema['$ref']}"
    for place, name in _NULL_IN_PRACTICE:
        if place == title and name in converted.get("properties", {}):
            converted["properties"][name] = {"anyOf": [converted["properties"][name], {"type": "null"}]}
    if title == "ObjectLinks":
        # Metric aggregates have next and prev as collections do.
        converted["properties"] |= {"next": {"type": "null"}, "prev": {"type": "null"}}
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
