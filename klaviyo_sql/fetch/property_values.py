"""What a custom property becomes in SQL: anybody may have put anything there, and nothing of it is lost.

The value is that of SQLite's `properties ->> '$.path'` with the affinity of the declared type. What does not fit the type stays what it is; objects and arrays
are JSON text. Beyond affinity, times are written as all time columns have them, and the texts true and false are a BOOLEAN's 1 and 0.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from typing import Any

import msgspec

from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Property, Type

_NUMBER = re.compile(r"[ \t\n\v\f\r]*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t\n\v\f\r]*")
_WHOLE = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+[ \t\n\v\f\r]*")
SMALLEST, LARGEST = -(2**63), 2**63 - 1
"""The whole numbers that SQLite has."""
_EXACT = 2**53
_UNNAMEABLE = re.compile(r'["\\\x00-\x1f]')


def keys_of(place: Property) -> tuple[str, ...]:
    """The keys that a page is decoded by: those of the attribute and of the property in it, if a decoder can be made for that."""
    first = place.path[0]
    assert isinstance(first, str)  # noqa: S101 - a path begins with a key
    return place.keys if _UNNAMEABLE.search(first) else (*place.keys, first)


@functools.lru_cache(maxsize=1024)
def reader(place: Property, type_: Type) -> Callable[[Any], Any]:
    """What makes a cell of what is found at `keys_of`, decoded or as a slice of the page."""
    rest = place.path[len(keys_of(place)) - len(place.keys) :]
    convert = CONVERT[type_]

    def read(found: Any) -> Any:
        if found.__class__ is msgspec.Raw:
            found = msgspec.json.decode(found)
        return convert(_at(found, rest) if rest else found)

    return read


def whole(number: int) -> Any:
    """A whole number as SQLite can have it: of 64 bits, else as a float, else as text."""
    if SMALLEST <= number <= LARGEST:
        return number
    try:
        return float(number)
    except OverflowError:
        return str(number)


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        if isinstance(step, str):
            if not isinstance(value, dict):
                return None
            value = value.get(step)
        else:
            if not isinstance(value, list) or not -len(value) <= step < len(value):
                return None
            value = value[step]
    return value


def _plain(value: Any) -> Any:
    """JSON's value as SQLite's `->>` returns it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return whole(value)
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value


def _text(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    plain = _plain(value)
    return repr(plain) if isinstance(plain, int | float) else plain


def _number(value: Any, *, integer: bool) -> Any:
    """Numbers, and texts that are written as numbers, as REAL columns and (`integer`) as INTEGER and BOOLEAN ones have them."""
    plain = _plain(value)
    if isinstance(plain, str):
        if isinstance(value, str) and _NUMBER.fullmatch(plain):
            return _number(_of_text(plain), integer=integer) if _of_text(plain) is not None else plain
        return plain
    if isinstance(plain, int):
        return plain if integer else float(plain)
    if isinstance(plain, float) and integer and plain.is_integer() and abs(plain) < _EXACT:
        return int(plain)
    return plain


def _of_text(text: str) -> int | float | None:
    """The number that is written there; None when it is none that a float can be."""
    if _WHOLE.fullmatch(text) and SMALLEST <= (number := int(text)) <= LARGEST:
        return number
    real = float(text)
    return real if math.isfinite(real) else None


def _boolean(value: Any) -> Any:
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return int(value.strip().lower() == "true")
    return _number(value, integer=True)


def _timestamp(value: Any) -> Any:
    """A time with the decimals that it came with, up to six; what is no time, or is finer, stays as it is."""
    if not isinstance(value, str):
        return _text(value)
    try:
        instant = timestamps.parse(value)
    except ValueError:
        return value
    return timestamps.to_sql(instant, microseconds=bool(instant.microsecond))


def _json(value: Any) -> Any:
    return None if value is None else msgspec.json.encode(value).decode()


CONVERT: dict[Type, Callable[[Any], Any]] = {
    Type.TEXT: _text,
    Type.INTEGER: functools.partial(_number, integer=True),
    Type.REAL: functools.partial(_number, integer=False),
    Type.BOOLEAN: _boolean,
    Type.JSON: _json,
    Type.DATE: _text,
    Type.TIMESTAMP: _timestamp,
}
