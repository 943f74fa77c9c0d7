"""Replies held against the JSON schemas that Klaviyo publishes for them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from klaviyo_sql.contract import operation, schemas

Schema = dict[str, Any]

# Seen in live replies, and not described.
_UNDESCRIBED = {"attributes", "click_tracking", "conversation", "ignore_unsubscribes", "image"}
# Described as strings; live replies have null in these places.
_NULL_IN_PRACTICE = {("CollectionLinks", "next"), ("CollectionLinks", "prev"), ("ObjectLinks", "next"), ("ObjectLinks", "prev")}


def hold_against(name: str, document: Any, *, sparse: bool = False) -> None:
    """Whether a reply of an operation is as described; `sparse` when nothing has to be there."""
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
