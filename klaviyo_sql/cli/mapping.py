"""Which column of a file goes to which column of a table: by name, without regard to case, spaces and underscores, and as --map says."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.cli.files.record import REASON, Record
from klaviyo_sql.cli.parameters import value as number_or_text
from klaviyo_sql.custom_properties import holder
from klaviyo_sql.errors import NotSupportedError
from klaviyo_sql.model.table import Table
from klaviyo_sql.write.changes import Conflict, Kind
from klaviyo_sql.write.ways import refused, takes

_MARKS = re.compile(r"[\s_\-.]+")
_PROPERTIES = "properties."
_TYPES = ("text", "number", "boolean", "json")
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Mode(StrEnum):
    """What becomes of the rows of the file."""

    INSERT = "insert"
    UPSERT = "upsert"
    UPDATE = "update"
    DELETE = "delete"

    @property
    def kind(self) -> Kind:
        """The statement that it is in SQL."""
        return {Mode.UPDATE: Kind.UPDATE, Mode.DELETE: Kind.DELETE}.get(self, Kind.INSERT)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column of the file goes: a column of the table, with `property` a key of the JSON in it, as a value of `type`; else nowhere, and `why`."""

    column: str | None
    property: str | None = None
    type: str | None = None
    why: str = ""

    def __str__(self) -> str:
        if self.column is None:
            return f"nowhere{f': {self.why}' if self.why else ''}"
        typed = f":{self.type}" if self.type else ""
        return self.column if self.property is None else f"{_PROPERTIES}{self.property}{typed}"


class Unfit(Exception):  # noqa: N818 - it is about a row, and no error of the program
    """A row cannot be written: `column` is the file's, if one is at fault."""

    def __init__(self, column: str | None, reason: str) -> None:
        super().__init__(reason)
        self.column = column


class Mapping:
    """The places of a file's columns in a table, for one mode."""

    def __init__(self, table: Table, mode: Mode, columns: Sequence[str], given: Iterable[str], *, properties: bool) -> None:
        """UsageError when something cannot be mapped as it is said; NotSupportedError when the table takes no such statement."""
        self._table = table
        self._mode = mode
        writes = table.writes
        if writes is None or not writes.allows(mode.kind):
            raise NotSupportedError(refused(table, mode.kind))
        conflict = Conflict.REPLACE if mode is Mode.UPSERT else Conflict.ABORT
        can = {table.columns[position].name for position in takes(table, mode.kind, conflict)}
        self._key = set(table.key) if mode.kind is not Kind.INSERT else set()
        self._can = can | self._key
        self._holder = self._property_holder()
        if properties and self._holder is None:
            raise UsageError(f"--properties is for tables with custom properties, and a {mode} of {table.name} takes none.")
        chosen = self._chosen(columns, given)
        self.places = {column: chosen.get(column) or self._by_name(column, properties=properties) for column in columns}
        self._check()

    def _property_holder(self) -> str | None:
        place = holder(self._table)
        name = next((column.name for column in self._table.columns if column.place is place), None) if place is not None else None
        return name if name in self._can else None

    def _chosen(self, columns: Sequence[str], given: Iterable[str]) -> dict[str, Place]:
        """What --map says."""
        found: dict[str, Place] = {}
        for text in given:
            column, mark, field = text.rpartition("=")
            if not mark:
                raise UsageError(f"--map takes COLUMN=FIELD, such as 'E-Mail=email'; {text!r} has no =.")
            if column not in columns:
                raise UsageError(f"--map: the file has no column {column!r}.{_nearest(column, columns)}")
            found[column] = self._named(field.strip()) if field.strip() else Place(None, why="--map says so")
        return found

    def _named(self, field: str) -> Place:
        if (place := self._property(field)) is not None:
            return place
        known = {_plain(column.name): column.name for column in self._table.columns}
        name = known.get(_plain(field))
        if name is None:
            raise UsageError(f"--map: {self._table.name} has no column {field}.{_nearest(field, known.values())}")
        if name not in self._can:
            raise UsageError(f"--map: {self._table.name}.{name} cannot be written by {self._mode}; what can is {', '.join(sorted(self._can))}.")
        return Place(name)

    def _property(self, field: str) -> Place | None:
        """The place of `properties.X`, with or without a type; None for another name."""
        prefix = next((known for known in (_PROPERTIES, f"{self._holder}.") if field.lower().startswith(known)), None)
        if prefix is None or self._holder is None or len(field) == len(prefix):
            return None
        name, mark, type_ = field[len(prefix) :].rpartition(":")
        return Place(self._holder, name, type_) if mark and name and type_ in _TYPES else Place(self._holder, field[len(prefix) :])

    def _by_name(self, column: str, *, properties: bool) -> Place:
        if column == REASON:
            return Place(None, why="it says why the row was rejected before")
        if (place := self._property(column)) is not None:
            return place
        name = next((known.name for known in self._table.columns if _plain(known.name) == _plain(column)), None)
        if name in self._can:
            return Place(name)
        if name is not None:
            return Place(None, why=f"{name} cannot be written by {self._mode}")
        return Place(self._holder, column) if properties else Place(None, why=f"{self._table.name} has no such column")

    def _check(self) -> None:
        """UsageError when two columns go to one place, or none goes anywhere, or the rows would not be named."""
        found: dict[tuple[str, str | None], str] = {}
        for column, place in self.places.items():
            if place.column is None:
                continue
            other = found.setdefault((place.column, place.property), column)
            if other != column:
                raise UsageError(f"The columns {other!r} and {column!r} both go to {place}: leave one out with --map '{column}='.")
        mapped = {column for column, _ in found}
        if not mapped:
            raise UsageError(
                f"No column of the file is one of {self._table.name}: the first row must name the columns, or --map must say where they go. "
                f"What {self._mode} can write is {', '.join(sorted(self._can))}."
            )
        for name in sorted(self._key - mapped):
            raise UsageError(f"{self._mode} needs a column of the file that goes to {self._table.name}.{name}, which names the row.")

    @property
    def unmapped(self) -> list[str]:
        """The columns of the file that go nowhere and are not left out on purpose."""
        return [column for column, place in self.places.items() if place.column is None and column != REASON and place.why != "--map says so"]

    def column_for(self, name: str) -> str | None:
        """The file's column that goes to a column of the table, if it is one."""
        found = [column for column, place in self.places.items() if place.column == name]
        return found[0] if len(found) == 1 else None

    def values(self, record: Record) -> dict[str, Any]:
        """What the row says, by the table's columns; Unfit when it cannot be written."""
        if record.problem is not None:
            raise Unfit(None, record.problem)
        found: dict[str, Any] = {}
        properties: dict[str, Any] = {}
        for column, value in record.values.items():
            place = self.places.get(column)
            if place is None or place.column is None or (value is None and self._mode.kind is Kind.INSERT and place.property is None):
                continue
            if place.property is not None:
                properties[place.property] = _typed(column, value, place.type)
            else:
                found[place.column] = _flat(value)
        if properties and self._holder is not None:
            found[self._holder] = _joined(found.get(self._holder), properties)
        for name in self._key:
            if found.get(name) is None:
                raise Unfit(self.column_for(name), f"{self._table.name} needs {name}, which names the row")
        if not found.keys() - self._key and self._mode is not Mode.DELETE:
            raise Unfit(None, "the row says nothing that can be written")
        return found


def _plain(name: str) -> str:
    return _MARKS.sub("", name).lower()


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def _flat(value: Any) -> Any:
    """A value as a column takes it."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return int(value) if isinstance(value, bool) else value


def _typed(column: str, value: Any, type_: str | None) -> Any:
    """A value as a custom property; a text stays one unless a type is named."""
    if type_ is None or value is None:
        return value
    if type_ == "text":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if not isinstance(value, str):
        return value
    text = value.strip()
    if type_ == "number":
        found = number_or_text(text)
        if isinstance(found, str):
            try:
                found = float(text)
            except ValueError:
                raise Unfit(column, f"it takes a number, not {value!r}") from None
        if found - found != 0:  # infinite, or no number
            raise Unfit(column, f"it takes a number, not {value!r}")
        return found
    if type_ == "boolean":
        if text.lower() not in _BOOLEANS:
            raise Unfit(column, f"it takes true or false, not {value!r}")
        return _BOOLEANS[text.lower()]
    try:
        return json.loads(text)
    except ValueError:
        raise Unfit(column, f"it takes JSON, not {value!r}") from None


def _joined(whole: Any, properties: dict[str, Any]) -> str:
    """The column of all custom properties, with single ones beside or over what is in it."""
    try:
        known = json.loads(whole) if isinstance(whole, str) else {}
    except ValueError:
        raise Unfit(None, "the custom properties are not JSON") from None
    if not isinstance(known, dict):
        raise Unfit(None, "the custom properties are no JSON object")
    return json.dumps({**known, **properties}, ensure_ascii=False, default=str)
