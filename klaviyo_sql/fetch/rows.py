"""A page of JSON:API resources into rows: decoded by types made for just the columns that are used.

A page of a thousand events is a megabyte, most of it properties that a query seldom reads. msgspec decodes into a struct that has only the
keys in use and skips the rest without making objects; free JSON stays a slice of the page. The struct and the loop that reads it are made
once per set of columns and cached.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from klaviyo_sql.fetch import property_values
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Attribute, Column, Detail, Id, Latest, Property, Related, Type

Row = tuple[Any, ...]


class GarbageError(ValueError):
    """A reply that is not the JSON:API document that it should be."""


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one reply, and the URL of the next page (None: this was the last)."""

    rows: list[Row]
    next_url: str | None


@dataclass(frozen=True, slots=True)
class Decoder:
    """Replies into rows of exactly `columns`, in that order; made by `decoder`.

    Columns whose value is not in the resource (a parent's id, a repeated argument) take it from the `constants` given with a page.
    """

    columns: tuple[Column, ...]
    _collection: msgspec.json.Decoder[Any]
    _single: msgspec.json.Decoder[Any]
    _read: Callable[[Iterable[Any], Sequence[Any]], list[Row]]

    def page(self, body: bytes, constants: Sequence[Any]) -> Page:
        """The rows of a collection's page; GarbageError when it is none."""
        try:
            document = self._collection.decode(body)
            return Page(self._read(document.data, constants), document.links.next if document.links else None)
        except (msgspec.DecodeError, UnicodeDecodeError):
            resources, next_url = _resources_as_dictionaries(body)
            return Page([_row_of_dictionary(resource, self.columns, constants) for resource in resources], next_url)

    def single(self, body: bytes, constants: Sequence[Any]) -> Page:
        """The one row of a by-id reply; GarbageError when it is none."""
        try:
            return Page(self._read((self._single.decode(body).data,), constants), None)
        except (msgspec.DecodeError, UnicodeDecodeError):
            resources, _ = _resources_as_dictionaries(body, single=True)
            return Page([_row_of_dictionary(resource, self.columns, constants) for resource in resources], None)


@functools.lru_cache(maxsize=256)
def decoder(columns: tuple[Column, ...]) -> Decoder:
    """The decoder for these columns."""
    resource, read = _Builder(columns).build()
    links = msgspec.defstruct("Links", [("next", str | None, None)], gc=False)
    collection = msgspec.defstruct("Collection", [("data", list[resource]), ("links", links | None, None)], gc=False)  # type: ignore[valid-type]
    single = msgspec.defstruct("Single", [("data", resource)], gc=False)
    return Decoder(columns, msgspec.json.Decoder(collection), msgspec.json.Decoder(single), read)


# What a value becomes in SQL. One function a type, used by both ways through.


def _timestamp(value: Any) -> Any:
    return _instant(value, microseconds=False)


def _timestamp_microseconds(value: Any) -> Any:
    return _instant(value, microseconds=True)


def _instant(value: Any, *, microseconds: bool) -> Any:
    """A text that is no time stays as it is: the row is worth more than the form of one value."""
    if not isinstance(value, str):
        return _text(value)
    try:
        return timestamps.from_klaviyo(value, microseconds=microseconds)
    except ValueError:
        return value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return _json_text(value)


def _json_text(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _number(value: Any) -> Any:
    """Numbers, and texts that are numbers (senders write both), as floats, as a REAL column has them; anything else as text."""
    if value is None or isinstance(value, float):
        return value
    try:
        number = float(value) if isinstance(value, int | str) else math.inf
    except (ValueError, OverflowError):
        return _text(value)
    return number if math.isfinite(number) else _text(value)


def _integer(value: Any) -> Any:
    """Whole numbers of 64 bits; what is none stays what it is."""
    if isinstance(value, float) and value.is_integer():
        return int(value) if abs(value) < property_values.LARGEST else value
    if isinstance(value, int):
        return property_values.whole(int(value))
    return value if value is None or isinstance(value, float) else _text(value)


def _boolean(value: Any) -> Any:
    return _integer(value)


_CONVERT: dict[Type, Callable[[Any], Any]] = {
    Type.TEXT: _text,
    Type.INTEGER: _integer,
    Type.REAL: _number,
    Type.BOOLEAN: _boolean,
    Type.JSON: _json_text,
    Type.DATE: _text,
    Type.TIMESTAMP: _timestamp,
    Type.TIMESTAMP_MICROSECONDS: _timestamp_microseconds,
}


def in_sql(type_: Type, value: Any) -> Any:
    """A value of Klaviyo's JSON as a column of this type has it."""
    return _CONVERT[type_](value)


_EXPECTED: dict[Type, Any] = {
    Type.TEXT: str | None,
    Type.INTEGER: Annotated[int, msgspec.Meta(ge=property_values.SMALLEST, le=property_values.LARGEST)] | None,
    Type.REAL: float | str | None,
    Type.BOOLEAN: bool | None,
    Type.JSON: msgspec.Raw,
    Type.DATE: str | None,
    Type.TIMESTAMP: str | None,
    Type.TIMESTAMP_MICROSECONDS: str | None,
}
"""What is expected on the wire; a page with anything else takes the slower way, which takes everything."""

_CALL: dict[Type, str] = {
    Type.REAL: "({0} if {0} is None or {0}.__class__ is float else _number({0}))",
    Type.BOOLEAN: "(None if {0} is None else int({0}))",
    Type.JSON: "(None if {0} is None or (text := str({0}, 'utf-8')) == 'null' else text)",
    Type.TIMESTAMP: "_timestamp({0})",
    Type.TIMESTAMP_MICROSECONDS: "_timestamp_microseconds({0})",
}
"""What is done to a decoded value, written where it is used: a call would cost more than the rest of the cell.

Free JSON stays as Klaviyo sent it: the text between its first and its last character, not parsed.
"""

_USUAL_TIMESTAMP = "(f'{{{0}[:10]}} {{{0}[11:19]}}' if {0} is not None and {0}[19:] == '+00:00' else _timestamp({0}))"
"""The form that nearly every timestamp has, taken apart without a call."""


def newest(entries: Any, key: str) -> Any:
    """One key of the entry with the latest `timestamp`; NULL when there is no entry. Later entries win a tie."""
    best, best_time = None, ""
    for entry in entries or ():
        if not isinstance(entry, dict):
            continue
        at = str(_timestamp_microseconds(entry.get("timestamp")) or "")
        if best is None or at >= best_time:
            best, best_time = entry, at
    return None if best is None else best.get(key)


@dataclass(slots=True)
class _Node:
    """One key in the resource: what the columns in use want of it."""

    leaf: Type | None = None
    array: bool = False
    anything: bool = False
    """Whether custom properties are read from it, whose types nobody knows."""
    children: dict[str, _Node] = field(default_factory=dict)

    @property
    def is_mixed(self) -> bool:
        """Whether it is wanted both whole and in part, so that it is decoded twice: as a slice, and from the slice."""
        return sum((self.leaf is not None, self.array, self.anything, bool(self.children))) > 1


class _Builder:
    """Makes the struct types and the reading loop for a set of columns."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self.columns = columns
        self.root = _Node()
        self.lines: list[str] = []
        self.names: dict[str, Any] = {
            "_timestamp": _timestamp,
            "_timestamp_microseconds": _timestamp_microseconds,
            "_number": _number,
            "_newest": newest,
        }
        self.values: dict[tuple[str, ...], str] = {}
        for column in columns:
            keys = _keys(column)
            if keys is None:
                continue
            node = self.root
            for key in keys:
                node = node.children.setdefault(key, _Node())
            if isinstance(column.place, Latest):
                node.array = True
            elif isinstance(column.place, Property):
                node.anything = True
            else:
                node.leaf = column.type if not isinstance(column.place, Id | Related) else Type.TEXT

    def build(self) -> tuple[Any, Callable[[Iterable[Any], Sequence[Any]], list[Row]]]:
        resource = self._struct(self.root, ())
        self._emit(self.root, (), "resource")
        cells = [self._cell(position, column) for position, column in enumerate(self.columns)]
        source = "\n".join(
            [
                "def read(resources, constants):",
                "    rows = []",
                "    add = rows.append",
                "    for resource in resources:",
                *(f"        {line}" for line in self.lines),
                f"        add(({''.join(f'{cell}, ' for cell in cells)}))",
                "    return rows",
            ]
        )
        exec(compile(source, "<row decoder>", "exec"), self.names)  # noqa: S102 - the source is made of declarations only
        read: Callable[[Iterable[Any], Sequence[Any]], list[Row]] = self.names["read"]
        return resource, read

    def _struct(self, node: _Node, path: tuple[str, ...]) -> Any:
        """The struct type of an object with these keys; every key may be absent or null."""
        fields: list[Any] = []
        for n, (key, child) in enumerate(node.children.items()):
            here = (*path, key)
            # Everything may be missing but the resource's own id, without which there is no row.
            fields.append((f"key{n}", str) if here == ("id",) else (f"key{n}", self._type(child, here), self._default(child)))
        names = {f"key{n}": key for n, key in enumerate(node.children)}
        # Values that were just decoded hold no cycles: the collector need not look at thousands of them for every page.
        return msgspec.defstruct("_".join(("Resource", *path)), fields, rename=names, kw_only=True, gc=False)

    def _type(self, node: _Node, path: tuple[str, ...]) -> Any:
        if node.is_mixed:
            return msgspec.Raw
        if node.array:
            return list[dict[str, Any]] | None
        if node.anything:
            return Any
        if node.leaf is not None:
            return _EXPECTED[node.leaf]
        return self._struct(node, path) | None

    @staticmethod
    def _default(node: _Node) -> Any:
        return msgspec.Raw(b"null") if node.is_mixed or node.leaf is Type.JSON else None

    def _emit(self, node: _Node, path: tuple[str, ...], expression: str) -> None:
        """Lines that put every wanted value below `node` into a variable."""
        for n, (key, child) in enumerate(node.children.items()):
            here = (*path, key)
            name = f"v{len(self.values)}"
            self.values[here] = name
            self.lines.append(f"{name} = {expression}.key{n}")
            if child.is_mixed and (child.array or child.children):
                part = f"part{len(self.values)}"
                wanted = list[dict[str, Any]] | None if child.array else self._struct(child, here) | None
                self.names[f"decode_{part}"] = msgspec.json.Decoder(wanted).decode
                self.lines.append(f"{part} = decode_{part}({name})")
                if child.array:
                    self.values[(*here, "[]")] = part
                else:
                    self._emit_guarded(child, here, part)
            elif child.array:
                self.values[(*here, "[]")] = name
            elif child.children:
                self._emit_guarded(child, here, name)

    def _emit_guarded(self, node: _Node, path: tuple[str, ...], name: str) -> None:
        """A null object reads as one whose keys are all null."""
        empty = f"empty_{name}"
        self.names[empty] = msgspec.json.decode(b"{}", type=self._struct(node, path))
        self.lines.append(f"if {name} is None: {name} = {empty}")
        self._emit(node, path, name)

    def _cell(self, position: int, column: Column) -> str:
        keys = _keys(column)
        if keys is None:
            return f"constants[{position}]"
        if isinstance(column.place, Latest):
            found = f"_newest({self.values[(*keys, '[]')]}, {column.place.entry_key!r})"
            self.lines.append(f"found{position} = {found}")
            return _CALL.get(column.type, "{0}").format(f"found{position}")
        if isinstance(column.place, Property):
            self.names[f"property{position}"] = property_values.reader(column.place, column.type)
            return f"property{position}({self.values[keys]})"
        if self._node(keys).anything and column.type is not Type.JSON:
            self.names[f"decoded{position}"] = lambda raw: _CONVERT[column.type](msgspec.json.decode(raw))
            return f"decoded{position}({self.values[keys]})"
        call = _USUAL_TIMESTAMP if column.type is Type.TIMESTAMP else _CALL.get(column.type, "{0}")
        return call.format(self.values[keys])

    def _node(self, keys: tuple[str, ...]) -> _Node:
        return functools.reduce(lambda node, key: node.children[key], keys, self.root)


def _keys(column: Column) -> tuple[str, ...] | None:
    """Where in the resource the column is; None when it is not there at all."""
    place = column.place
    if isinstance(place, Id):
        return ("id",)
    if isinstance(place, Property):
        return ("attributes", *property_values.keys_of(place))
    if isinstance(place, Attribute | Latest | Detail):
        return ("attributes", *place.keys)
    if isinstance(place, Related):
        return ("relationships", place.relation, "data", "id")
    return None


def _resources_as_dictionaries(body: bytes, *, single: bool = False) -> tuple[list[dict[str, Any]], str | None]:
    """The slower way, for replies with types that were not expected; GarbageError when it is not JSON:API at all."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GarbageError(f"it is not JSON ({error})") from None
    if not isinstance(document, dict) or "data" not in document:
        raise GarbageError("it has no member named data")
    data = document["data"]
    # Null is the one resource at the other end of a relation that leads nowhere: no row.
    resources = data if isinstance(data, list) else [] if data is None and single else [data]
    if not all(isinstance(resource, dict) for resource in resources):
        raise GarbageError("its data is not made of objects")
    links = document.get("links")
    next_url = links.get("next") if isinstance(links, dict) else None
    if not isinstance(next_url, str | None):
        raise GarbageError("its link to the next page is no text")
    return resources, next_url


def _row_of_dictionary(resource: dict[str, Any], columns: tuple[Column, ...], constants: Sequence[Any]) -> Row:
    row = []
    for position, column in enumerate(columns):
        keys = _keys(column)
        if keys is None:
            row.append(constants[position])
            continue
        value: Any = resource
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(column.place, Latest):
            value = newest(value if isinstance(value, list) else None, column.place.entry_key)
        if value is None and isinstance(column.place, Id):
            raise GarbageError("a resource in it has no id")
        convert = property_values.reader(column.place, column.type) if isinstance(column.place, Property) else _CONVERT[column.type]
        row.append(convert(value))
    return tuple(row)
