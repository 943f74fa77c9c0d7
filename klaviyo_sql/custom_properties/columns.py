"""Custom properties as typed columns: how they are declared, and the table that has them.

`tier TEXT '$.loyalty.tier'` in SQL, `tier = { type = "TEXT", path = "$.loyalty.tier" }` in the settings file and the same mapping in Python: a name, a type,
and a path as SQLite's JSON functions have it. Without a path the name is the property's key.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from klaviyo_sql.errors import ProgrammingError
from klaviyo_sql.model.table import Attribute, Column, Property, Table, Type, with_properties

TYPES: dict[str, Type] = {
    "TEXT": Type.TEXT,
    "INTEGER": Type.INTEGER,
    "REAL": Type.REAL,
    "BOOLEAN": Type.BOOLEAN,
    "DATE": Type.DATE,
    "TIMESTAMP": Type.TIMESTAMP,
    "JSON": Type.JSON,
}
"""The types that a column can have, as they are written."""

_HOLDERS = (("properties",), ("event_properties",))
"""The attributes of free JSON that properties are in."""

_NAME = r'(?:[^\W\d]\w*|"(?:[^"]|"")+"|`(?:[^`]|``)+`|\[[^\]]+\])'
_DECLARATION = re.compile(rf"\s*(?P<name>{_NAME})\s+(?P<type>\w+)(?:\s+(?P<path>'(?:[^']|'')*'))?\s*", re.DOTALL)
_TABLE = re.compile(rf"\s*(?:(?P<schema>{_NAME})\s*\.\s*)?(?P<table>{_NAME})\s*")
_STEP = re.compile(r'\."(?P<quoted>(?:[^"\\]|\\.)*)"|\.(?P<bare>[^.\["]+)|\[(?P<index>\d+|#-\d+)\]', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Declared:
    """A property column as it was declared: its name, type and path."""

    name: str
    type: Type
    path: tuple[str | int, ...]

    @property
    def sql(self) -> str:
        """The column as CREATE VIRTUAL TABLE takes it."""
        return " ".join((quoted(self.name), self.type.name, "'" + written(self.path).replace("'", "''") + "'"))


def path(text: str) -> tuple[str | int, ...]:
    """The keys and positions of a path such as `$.items[0]."a.b"`; ProgrammingError when it is none."""
    steps: list[str | int] = []
    at = 1
    if not text.startswith("$"):
        raise ProgrammingError(f"the path {text!r} must begin with $, as '$.{text}' does")
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise ProgrammingError(
                f"the path {text!r} cannot be read at {text[at:]!r}: it is written as '$.key', '$.key.inner', '$.list[0]', "
                "'$.list[#-1]' for the last, or '$.\"a key with . or [\"'"
            )
        if found["index"] is not None:
            position = int(found["index"].removeprefix("#"))
            if found["index"] == "#-0":
                raise ProgrammingError(f"the path {text!r} has no position #-0: the last one is #-1")
            steps.append(position)
        else:
            steps.append(found["bare"] if found["quoted"] is None else _ESCAPED.sub(r"\1", found["quoted"]))
        at = found.end()
    if not steps or not isinstance(steps[0], str):
        raise ProgrammingError(f"the path {text!r} must begin with the key of a property, as '$.key' does")
    return tuple(steps)


def written(steps: Iterable[str | int]) -> str:
    """The path as text, which `path` and SQLite's JSON functions read."""
    parts = ["$"]
    for step in steps:
        if isinstance(step, int):
            parts.append(f"[{step}]" if step >= 0 else f"[#{step}]")
        elif re.fullmatch(r"[^\W\d]\w*", step):
            parts.append(f".{step}")
        else:
            parts.append('."' + re.sub(r'(["\\])', r"\\\1", step) + '"')
    return "".join(parts)


def quoted(name: str) -> str:
    """The name as SQL takes it, in quotes where it needs them."""
    return name if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) else '"' + name.replace('"', '""') + '"'


def from_sql(text: str) -> Declared:
    """One column as in `tier TEXT '$.loyalty.tier'`; ProgrammingError when it is not written so."""
    found = _DECLARATION.fullmatch(text)
    if found is None:
        raise ProgrammingError(
            f"the column {text.strip()!r} is not written as NAME TYPE 'PATH', such as tier TEXT '$.loyalty.tier'; the path may be left out, and "
            'a name with other letters stands in "quotes"'
        )
    name = _unquoted(found["name"])
    return _declared(name, found["type"], None if found["path"] is None else found["path"][1:-1].replace("''", "'"))


def table_and_columns(arguments: Iterable[str]) -> tuple[str | None, str, tuple[Declared, ...]]:
    """What stands in the parentheses of `USING klaviyo(…)`: the schema (None: the connection's account), the table, and the columns."""
    first, *others = arguments or ("",)
    found = _TABLE.fullmatch(first)
    if found is None:
        raise ProgrammingError("USING klaviyo(…) begins with a table, as in USING klaviyo(profiles, tier TEXT '$.loyalty.tier')")
    return found["schema"] and _unquoted(found["schema"]), _unquoted(found["table"]), tuple(map(from_sql, others))


def from_mapping(columns: Any) -> tuple[Declared, ...]:
    """Columns by their names, each a type or a mapping of `type` and `path`; ProgrammingError when they are something else."""
    if not isinstance(columns, Mapping):
        raise ProgrammingError('property columns are given by their names, as in {"tier": {"type": "TEXT", "path": "$.loyalty.tier"}, "ltv": "REAL"}')
    found = []
    for name, given in columns.items():
        if not isinstance(name, str) or not name or "\0" in name:
            raise ProgrammingError(f"{name!r} is no name of a column")
        if isinstance(given, str):
            found.append(_declared(name, given, None))
            continue
        if not isinstance(given, Mapping) or not isinstance(given.get("type"), str) or not isinstance(given.get("path", ""), str):
            raise ProgrammingError(f'the column {name} is a type, such as "REAL", or has a type and a path: {{ type = "TEXT", path = "$.loyalty.tier" }}')
        for key in given:
            if key not in ("type", "path"):
                raise ProgrammingError(f"the column {name} has a setting {key!r}; there are type and path")
        found.append(_declared(name, given["type"], given.get("path")))
    return tuple(found)


def holder(table: Table) -> Attribute | None:
    """The attribute that the table's custom properties are in; None when it has none."""
    return next((column.place for column in table.columns if isinstance(column.place, Attribute) and column.place.keys in _HOLDERS), None)


def extended(table: Table, columns: Iterable[Declared]) -> Table:
    """The table with property columns; ProgrammingError when it has no properties or a name is there already."""
    place = holder(table)
    if place is None:
        raise ProgrammingError(f"{table.name} has no custom properties: profiles, events, list_profiles and segment_profiles have")
    own = {column.name.lower(): column.name for column in table.columns}
    added: dict[str, Column] = {}
    for declared in columns:
        lowered = declared.name.lower()
        if lowered in own:
            raise ProgrammingError(f"{table.name} has a column {own[lowered]} already: give the property column {declared.name} another name")
        if lowered in added:
            raise ProgrammingError(f"{table.name} would have two columns {declared.name}, for SQLite ignores case: give one of them another name")
        added[lowered] = _column(declared, place)
    return _with(table, (*_properties(table), *added.values()))


def without(table: Table, columns: Iterable[Declared]) -> Table:
    """The table without those of its property columns that are declared anew: what the settings add later must not break a table that is there."""
    anew = {declared.name.lower() for declared in columns}
    return _with(table, [column for column in _properties(table) if column.name.lower() not in anew])


def _properties(table: Table) -> list[Column]:
    return [column for column in table.columns if isinstance(column.place, Property)]


def _with(table: Table, properties: Iterable[Column]) -> Table:
    """The table with these property columns and no others, whichever way it is read: properties are in the same place in each."""
    added = tuple(properties)
    ways = [replace(way, columns=with_properties((column for column in way.columns if not isinstance(column.place, Property)), added)) for way in table.ways]
    return replace(ways[0], others=tuple(ways[1:]))


def _column(declared: Declared, place: Attribute) -> Column:
    where = f"{place.keys[-1]} ->> {written(declared.path)!r}"
    return Column(declared.name, Property(place.keys, place.additional, declared.path), declared.type, f"The custom property {where}.")


def _declared(name: str, type_name: str, path_text: str | None) -> Declared:
    found = TYPES.get(type_name.upper())
    if found is None:
        near = difflib.get_close_matches(type_name.upper(), TYPES, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ProgrammingError(f"the column {name} has the type {type_name}: there are {', '.join(TYPES)}.{hint}")
    return Declared(name, found, (name,) if path_text is None else path(path_text))


def _unquoted(name: str) -> str:
    first = name[:1]
    if first == "[":
        return name[1:-1]
    return name[1:-1].replace(first * 2, first) if first in ('"', "`") else name
