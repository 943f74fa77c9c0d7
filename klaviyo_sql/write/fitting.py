"""Whether JSON is what the contract says of its place: the keys it must and may have, the types, the only values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from klaviyo_sql.model import timestamps
from klaviyo_sql.write.schema import Schema

Where = tuple[str | int, ...]
Complaint = tuple[Where, str]

_TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "string": ("a text", (str,)),
    "number": ("a number", (int, float)),
    "integer": ("a whole number", (int,)),
    "boolean": ("true or false", (bool,)),
    "array": ("an array", (list,)),
    "object": ("an object", (dict,)),
}


def complaint(value: Any, schema: Schema) -> Complaint | None:
    """The first thing that Klaviyo would not take, and where it is; None when all is well."""
    return next(_complaints(value, schema, ()), None)


def _complaints(value: Any, schema: Schema, at: Where) -> Iterator[Complaint]:
    if value is None:
        if not schema.nullable and schema.type is not None and schema.enum != (None,):
            yield at, "cannot be null"
        return
    if schema.alternatives:
        yield from _of_alternatives(value, schema.alternatives, at)
        return
    if schema.enum and (type(value), value) not in [(type(one), one) for one in schema.enum]:
        yield at, f"takes one of {', '.join(str(one) for one in schema.enum)}, not {shown(value)}"
        return
    if schema.type is not None:
        words, types = _TYPES[schema.type]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            yield at, f"takes {words}, not {shown(value)}"
            return
    if isinstance(value, str):
        yield from _of_text(value, schema, at)
    elif isinstance(value, list):
        for number, element in enumerate(value):
            yield from _complaints(element, schema.items, (*at, number))
    elif isinstance(value, dict) and schema.keys:
        yield from _of_object(value, schema, at)


def _of_text(value: str, schema: Schema, at: Where) -> Iterator[Complaint]:
    if schema.longest is not None and len(value) > schema.longest:
        yield at, f"takes at most {schema.longest} characters, not {len(value)}"
    if schema.format == "date-time":
        try:
            timestamps.parse(value)
        except ValueError:
            yield at, f"takes a time, such as 2026-01-31T08:30:00Z, not {shown(value)}"


def _of_object(value: dict[str, Any], schema: Schema, at: Where) -> Iterator[Complaint]:
    for key in schema.required:
        if key not in value:
            yield at, f"needs {key!r}"
    for key, inner in value.items():
        below = schema.get(key)
        if below is None:
            yield at, f"takes no {key!r}, but {', '.join(schema.keys)}"
        else:
            yield from _complaints(inner, below, (*at, key))


def _of_alternatives(value: Any, alternatives: Sequence[Schema], at: Where) -> Iterator[Complaint]:
    """What is wrong by the alternative that was most likely meant: of those whose telling keys fit the one with the fewest complaints."""
    meant = [kind for kind in alternatives if _is_meant(value, kind)]
    if not meant and isinstance(value, dict):
        for key in dict.fromkeys(key for kind in alternatives for key in _telling(kind)):
            known = list(dict.fromkeys(str(one) for kind in alternatives if (below := kind.get(key)) is not None for one in below.enum))
            if known and str(value.get(key)) not in known:
                yield (at, f"needs {key!r}: one of {', '.join(known)}") if key not in value else ((*at, key), f"takes one of {', '.join(known)}")
                return
    best: list[Complaint] | None = None
    for kind in meant or alternatives:
        found = list(_complaints(value, kind, at))
        if not found:
            return
        if best is None or len(found) < len(best):
            best = found
    yield from best or ()


def _telling(kind: Schema) -> list[str]:
    """The keys whose values tell one kind of object from the others, such as its type."""
    return [key for key in kind.required if (below := kind.get(key)) is not None and below.enum]


def _is_meant(value: Any, kind: Schema) -> bool:
    if kind.alternatives:
        return any(_is_meant(value, inner) for inner in kind.alternatives)
    if not isinstance(value, dict):
        return kind.type is None or isinstance(value, _TYPES[kind.type][1])
    return kind.type in (None, "object") and all(value.get(key) in kind.get(key).enum for key in _telling(kind))  # type: ignore[union-attr]


def pruned(value: Any, schema: Schema) -> Any:
    """What was read, without what Klaviyo tells and does not take."""
    if schema.alternatives:
        meant = [kind for kind in schema.alternatives if _is_meant(value, kind)]
        return pruned(value, meant[0]) if len(meant) == 1 else value
    if isinstance(value, list):
        return [pruned(element, schema.items) for element in value]
    if isinstance(value, dict) and schema.keys:
        return {key: pruned(inner, below) for key, inner in value.items() if (below := schema.get(key)) is not None}
    return value


def place(where: Where) -> str:
    """A place in JSON as SQLite writes it: `$.actions[0].type`."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where)


def shown(value: Any) -> str:
    """A value for a message, which may be long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
