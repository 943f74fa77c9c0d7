"""A SQL value as Klaviyo takes it, checked before anything is sent."""

from __future__ import annotations

import difflib
import math
import re
from typing import Any

import msgspec

from klaviyo_sql.errors import DataError
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Type
from klaviyo_sql.write.schema import Schema

_E164 = re.compile(r"\+[1-9]\d{6,14}\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_TRUE = frozenset({"1", "true", "yes"})
_FALSE = frozenset({"0", "false", "no"})


def taken(name: str, key: str, type_: Type, value: Any, schema: Schema) -> Any:
    """The value of the column `name` for the place `key` of a body; DataError with a sentence when Klaviyo would not take it."""
    if value is None:
        if not schema.nullable and schema.type is not None:
            raise DataError(f"{name} cannot be NULL")
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        raise DataError(f"{name} takes no blob: write the text, or the JSON text")
    if type_ is Type.JSON or schema.type in ("array", "object"):
        found = _json(name, value, schema)
    elif type_.is_instant or schema.format == "date-time":
        found = _instant(name, value)
    elif type_ is Type.BOOLEAN or schema.type == "boolean":
        found = _boolean(name, value)
    elif schema.type in ("number", "integer") or (schema.type is None and type_ in (Type.REAL, Type.INTEGER)):
        found = _number(name, value, whole=schema.type == "integer")
    elif schema.type == "string" or type_ is Type.TEXT:
        found = _text(name, key, value, schema)
    else:
        found = value
    _among(name, found, schema)
    return found


def _json(name: str, value: Any, schema: Schema) -> Any:
    if not isinstance(value, str):
        return value
    try:
        found = msgspec.json.decode(value.encode())
    except (msgspec.DecodeError, UnicodeEncodeError):
        if schema.type == "string" or (schema.type is None and any(kind.type == "string" for kind in schema.alternatives)):
            return value
        raise DataError(f"{name} takes JSON, and {_shown(value)} is none") from None
    if schema.type == "array" and not isinstance(found, list):
        raise DataError(f"{name} takes a JSON array, such as '[…]', not {_shown(value)}")
    if schema.type == "object" and not isinstance(found, dict):
        raise DataError(f"{name} takes a JSON object, such as '{{…}}', not {_shown(value)}")
    if schema.type == "array":
        found = [_resource(element, schema.items) for element in found]
        for element in found:
            _among(name, element, schema.items)
    return found


def _resource(element: Any, schema: Schema) -> Any:
    """An element that is to be a resource, but is written as its attributes alone."""
    kind = schema.get("type")
    if not isinstance(element, dict) or kind is None or not kind.enum or schema.get("attributes") is None or element.get("type") in kind.enum:
        return element
    own = {key: value for key, value in element.items() if key == "id" and schema.get("id") is not None}
    return {"type": kind.enum[0], **own, "attributes": {key: value for key, value in element.items() if key not in own}}


def _instant(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise DataError(f"{name} takes a time, such as '2026-01-31T08:30:00Z', not {_shown(value)}")
    try:
        return timestamps.to_klaviyo(timestamps.parse(value)).replace("Z", "+00:00")
    except ValueError:
        raise DataError(f"{name} takes a time, such as '2026-01-31T08:30:00Z', not {_shown(value)}") from None


def _boolean(name: str, value: Any) -> bool:
    text = str(value).strip().lower()
    if text in _TRUE or value == 1:
        return True
    if text in _FALSE or value == 0:
        return False
    raise DataError(f"{name} takes 1 or 0, not {_shown(value)}")


def _number(name: str, value: Any, *, whole: bool) -> float | int:
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        number = math.nan
    if not isinstance(number, int | float) or not math.isfinite(number):
        raise DataError(f"{name} takes a number, not {_shown(value)}")
    if isinstance(number, float) and number.is_integer() and (whole or isinstance(value, str)) and abs(number) < 2**53:
        return int(number)
    if whole and not isinstance(number, int):
        raise DataError(f"{name} takes a whole number, not {_shown(value)}")
    return number


def _text(name: str, key: str, value: Any, schema: Schema) -> str:
    text = value if isinstance(value, str) else repr(value)
    if key == "phone_number" and not _E164.match(text):
        raise DataError(f"{name} takes a phone number in E.164, such as '+15005550006', not {_shown(value)}")
    if key == "email" and not _EMAIL.match(text.strip()):
        raise DataError(f"{name} takes an email address, not {_shown(value)}")
    if schema.longest is not None and len(text) > schema.longest:
        raise DataError(f"{name} takes at most {schema.longest} characters, not {len(text)}")
    return text


def _among(name: str, value: Any, schema: Schema) -> None:
    if not schema.enum or value in schema.enum:
        return
    near = difflib.get_close_matches(str(value).lower(), [str(known) for known in schema.enum], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise DataError(f"{name} takes one of {', '.join(str(known) for known in schema.enum)}, not {_shown(value)}.{hint}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
