"""What the contract says of a body, place by place."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from klaviyo_sql import contract


class Schema:
    """One place in a body: what may stand there. A `$ref` is followed when it is met."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Mapping[str, Any]) -> None:
        while "$ref" in raw:
            raw = contract.schemas()[raw["$ref"]]
        self._raw = raw

    @property
    def type(self) -> str | None:
        """`string`, `number`, `integer`, `boolean`, `array` or `object`; None where several are allowed, or nothing is said."""
        found = self._raw.get("type")
        return found if isinstance(found, str) else None

    @property
    def format(self) -> str | None:
        """`date-time`, `date`, `uri` … of a text."""
        found = self._raw.get("format")
        return found if isinstance(found, str) else None

    @property
    def enum(self) -> tuple[Any, ...]:
        """The only values, if there are such."""
        return tuple(self._raw.get("enum", ()))

    @property
    def nullable(self) -> bool:
        """Whether NULL may be sent."""
        return bool(self._raw.get("nullable"))

    @property
    def longest(self) -> int | None:
        """The most characters of a text."""
        found = self._raw.get("maxLength")
        return found if isinstance(found, int) else None

    @property
    def required(self) -> tuple[str, ...]:
        """The keys that an object must have; what Klaviyo alone says is not asked for."""
        known = self._raw.get("properties", {})
        return tuple(key for key in self._raw.get("required", ()) if not known.get(key, {}).get("readOnly"))

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that an object may have; none when it is free, or one of several kinds."""
        return tuple(self._raw.get("properties", ()))

    @property
    def alternatives(self) -> tuple[Schema, ...]:
        """The kinds of which one must be met, if there are several."""
        return tuple(Schema(raw) for raw in (*self._raw.get("oneOf", ()), *self._raw.get("anyOf", ())))

    @property
    def items(self) -> Schema:
        """The elements of an array."""
        return Schema(self._raw.get("items", {}))

    def get(self, key: str) -> Schema | None:
        """The place below a key; None when the object has no such key."""
        found = self._raw.get("properties", {}).get(key)
        return None if found is None else Schema(found)

    def at(self, path: tuple[str, ...]) -> Schema | None:
        """The place below several keys; a place whose kind is not said takes whatever stands below it, as does a free object. None: it takes none."""
        place = self
        for key in path:
            if place.alternatives:
                found = [below for kind in place.alternatives if (below := kind.get(key)) is not None]
                if not found:
                    return None
                place = found[0] if len(found) == 1 else _ANYTHING
                continue
            if not place.keys:
                return _ANYTHING if place.type in (None, "object") else None
            below = place.get(key)
            if below is None:
                return None
            place = below
        return place


_ANYTHING = Schema({})


@functools.cache
def data(operation: str) -> Schema:
    """What stands in `data` of the operation's body; KeyError when it has no body."""
    body = contract.operation(operation).body
    found = Schema(body).get("data") if body is not None else None
    if found is None:
        raise KeyError(operation)
    return found


@functools.cache
def form(operation: str) -> Schema:
    """The fields of an operation that takes a form with a file."""
    return Schema(contract.operation(operation).body or {})


@functools.cache
def element(operation: str, key: str) -> Schema:
    """One of the many things in `attributes.<key>.data`; KeyError when the operation has no such array."""
    array = data(operation).at(("attributes", key, "data"))
    if array is None or array.type != "array":
        raise KeyError(f"{operation} {key}")
    return array.items
