"""The body of a write: where the value of each column goes, what Klaviyo requires, what it does not take."""

from __future__ import annotations

import functools
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from klaviyo_sql.errors import DataError, NotSupportedError
from klaviyo_sql.model.request import Upload
from klaviyo_sql.model.table import Attribute, Choice, Collection, Column, Detail, Id, Included, Linked, Property, Related, Table, Type
from klaviyo_sql.write import files, fitting, values
from klaviyo_sql.write.schema import Schema, data, element, form

_META = ("meta", "patch_properties")
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """Where the columns of a table go in one kind of body: positions to paths, and the schema that the body must fit."""

    schema: Schema
    paths: Mapping[int, Path]

    def takes(self, position: int) -> bool:
        """Whether the column can be written this way."""
        return position in self.paths


@functools.lru_cache(maxsize=512)
def template(table: Table, operation: str, key: str | None = None) -> Template:
    """The template for an operation's own body, or for one of the many things under a key of it."""
    schema = data(operation) if key is None else element(operation, key)
    found = {}
    for position, column in enumerate(table.columns):
        path = body_path(table, column)
        if path is not None and (path != ("id",) or column.body is not None) and schema.at(path) is not None:
            found[position] = path
    return Template(schema, found)


def body_path(table: Table, column: Column) -> Path | None:
    """Where the value of a column goes, from `data` on; None when it can never be written."""
    place = column.place
    if column.body is not None:
        return column.body or None
    if isinstance(place, Property):
        if not all(isinstance(step, str) for step in place.path):
            return None  # a place in an array, which cannot be written alone
        holder = next((body_path(table, other) for other in table.columns if type(other.place) is Attribute and other.place.keys == place.keys), None)
        return (*(holder or ("attributes", *place.keys)), *map(str, place.path))
    if isinstance(place, Attribute | Detail):
        return ("attributes", *place.keys)
    if isinstance(place, Choice) and place.keys is not None:
        return ("attributes", *place.keys)
    if isinstance(place, Related):
        return ("relationships", place.relation)
    if isinstance(place, Included) and isinstance(place.place, Attribute):
        # Read with what it belongs to, the row is the included resource.
        each = table.source.each[:1] if isinstance(table.source, Collection) else ()
        return ("attributes", *place.place.keys) if each == (Linked(place.relation, place.resource),) else None
    return ("id",) if isinstance(place, Id) else None


def body(
    table: Table,
    made: Template,
    given: Mapping[int, Any],
    *,
    identifier: str | None = None,
    is_new: bool,
    repeated: Container[int] = (),
    clears: Container[str] = (),
    whole: bool = True,
) -> dict[str, Any]:
    """What stands in `data`: the values that are given, each checked, and whatever is required beside them, unless this is not the `whole` of it.

    `repeated` are positions of values that were read and stay as they are, `clears` the related ids that may be taken away.
    DataError with a sentence when a value cannot be taken or one is missing; NotSupportedError when a column cannot be written.
    """
    document: dict[str, Any] = {}
    for position, value in given.items():
        if value is None and (is_new or position in repeated):
            continue
        column = table.columns[position]
        path = made.paths.get(position)
        place = made.schema.at(path) if path is not None else None
        if path is None or place is None:
            raise NotSupportedError(unwritable(table, column, made, is_new=is_new))
        name = f"{table.name}.{column.name}"
        if isinstance(column.place, Property) and value is None and made.schema.at(_META) is not None and len(path) == 3:
            _put(document, (*_META, "unset"), [*_got(document, (*_META, "unset"), []), path[-1]])
            continue
        if path[0] == "relationships":
            if value is None and column.name not in clears:
                raise DataError(f"{name} cannot be NULL")
            _put(document, path, _related(name, value, place))
            continue
        taken = values.taken(name, path[-1], column.type, value, place)
        if position in repeated:
            taken = fitting.pruned(taken, place)
        else:
            _check_pattern(table, column, taken)
        _put(document, path, taken, into=column.name)
    known = made.schema.get("id")
    if identifier is not None and known is not None:
        if known.enum and identifier not in known.enum:
            raise DataError(f"{table.name} has only the rows {', '.join(known.enum)}, and no {identifier!r}")
        document["id"] = identifier
    filled = _filled(made.schema, document)
    if is_new and table.writes is not None:
        for path_, value in table.writes.fixed.items():
            _fix(table, filled, path_.split("."), value)
    if whole:
        _complete(table, made, filled)
        _fit(table, made, filled)
    return {name: filled[name] for name in ("type", "id", "attributes", "relationships", "meta") if name in filled}


def form_template(table: Table, operation: str, file: str) -> Template:
    """The template for an operation that takes a form: the column `file` is the file, attributes of its fields' names the fields."""
    schema = form(operation)
    found: dict[int, Path] = {table.index(file): ("file",)}
    for position, column in enumerate(table.columns):
        path = body_path(table, column)
        if path is not None and path[0] == "attributes" and path[1:] != ("file",) and schema.get(path[-1]) is not None:
            found[position] = path[1:]
    return Template(schema, found)


def form_body(table: Table, made: Template, given: Mapping[int, Any]) -> tuple[dict[str, Any], Upload]:
    """The fields of a form, and the file that goes with them; DataError and NotSupportedError."""
    fields: dict[str, Any] = {}
    upload = None
    for position, value in given.items():
        column = table.columns[position]
        path = made.paths.get(position)
        place = made.schema.at(path) if path is not None else None
        if value is None:
            continue
        if path is None or place is None:
            raise NotSupportedError(unwritable(table, column, made, is_new=True))
        if path == ("file",):
            upload = files.image(f"{table.name}.{column.name}", value)
        else:
            fields[path[-1]] = values.taken(f"{table.name}.{column.name}", path[-1], column.type, value, place)
    if upload is None:
        raise DataError(f"{table.name} needs a file")
    return fields, upload


def _check_pattern(table: Table, column: Column, value: Any) -> None:
    pattern = table.writes.patterns.get(column.name) if table.writes is not None else None
    if pattern is not None and isinstance(value, str) and not re.fullmatch(pattern[0], value):
        raise DataError(f"{table.name}.{column.name} takes {pattern[1]}, not {fitting.shown(value)}")


def _fix(table: Table, document: Any, path: Sequence[str], value: str) -> None:
    """Put the value in its place wherever the body has one; DataError when another stands there."""
    key, *rest = path
    if key == "*":
        for element in document if isinstance(document, list) else ():
            _fix(table, element, rest, value)
    elif isinstance(document, dict):
        if rest:
            _fix(table, document.get(key), rest, value)
        elif document.setdefault(key, value) != value:
            raise DataError(f"{table.name} takes only what has the {key} {value!r}, not {fitting.shown(document[key])}")


def _fit(table: Table, made: Template, document: dict[str, Any]) -> None:
    """DataError when the JSON in a column is not what the contract says."""
    for part in ("attributes", "meta"):
        place = made.schema.get(part)
        found = fitting.complaint(document[part], place) if place is not None and part in document else None
        if found is None:
            continue
        where, what = (part, *found[0]), found[1]
        inside = [(path, table.columns[position].name) for position, path in made.paths.items() if path == where[: len(path)]]
        path, name = max(inside, key=lambda one: len(one[0]), default=((part,), ".".join(map(str, where))))
        deeper = f" at {fitting.place(where[len(path) :])}" if len(where) > len(path) and inside else ""
        raise DataError(f"{table.name}.{name}{deeper} {what}")


def _related(name: str, value: Any, place: Schema) -> Any:
    """The id, or the ids as a JSON array, as a relationship; NULL takes it away."""
    inner = place.get("data")
    if inner is None:
        raise DataError(f"{name} cannot be written")
    if value is None:
        return {"data": None}
    if inner.type == "array":
        found = values.taken(name, "", Type.JSON, value, inner) if str(value).lstrip().startswith("[") else [value]
        return {"data": [_identified(name, one, inner.items) for one in found]}
    return {"data": _identified(name, value, inner)}


def _identified(name: str, value: Any, place: Schema) -> dict[str, Any]:
    kind, known = place.get("type"), place.get("id")
    if isinstance(value, dict) and kind is not None and set(value) == {"type", "id"} and value["type"] in kind.enum:
        value = value["id"]
    if isinstance(value, dict | list) or value is None or kind is None or known is None:
        raise DataError(f"{name} takes an id")
    return {"type": kind.enum[0], "id": values.taken(name, "id", Type.TEXT, value, known)}


def _put(document: dict[str, Any], path: Path, value: Any, into: str = "") -> None:
    at = document
    for key in path[:-1]:
        below = at.setdefault(key, {})
        if not isinstance(below, dict):
            raise DataError(f"{into} lies in another column that is written as a whole: write one of them")
        at = below
    before = at.get(path[-1])
    if isinstance(before, dict) and isinstance(value, dict):
        at[path[-1]] = _merged(value, before)  # the whole, and single values that lie in it, which go before
    elif path[-1] in at and isinstance(before, dict):
        raise DataError(f"{into} is written as a whole and in part: write one of them")
    else:
        at[path[-1]] = value


def _merged(whole: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    found = dict(whole)
    for key, value in parts.items():
        below = found.get(key)
        found[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return found


def _got(document: dict[str, Any], path: Path, otherwise: Any) -> Any:
    at: Any = document
    for key in path:
        if not isinstance(at, dict) or key not in at:
            return otherwise
        at = at[key]
    return at


def _filled(schema: Schema, document: dict[str, Any]) -> dict[str, Any]:
    """The document with the types that say what things are, wherever an object has them, and the attributes that are required even when they are none."""
    filled = dict(document)
    for key in schema.keys:
        below = schema.get(key)
        if below is None:
            continue
        if key == "type" and len(below.enum) == 1 and "type" in schema.required:
            filled.setdefault("type", below.enum[0])
        elif key == "attributes" and "attributes" in schema.required:
            filled.setdefault("attributes", {})
        if isinstance(filled.get(key), dict) and below.keys:
            filled[key] = _filled(below, filled[key])
    return filled


def _complete(table: Table, made: Template, document: dict[str, Any]) -> None:
    """DataError when something is missing that Klaviyo requires."""
    # What is missing inside the JSON of a column is told with its place there.
    missing = [path for path in _missing(made.schema, document, ()) if not any(path != found and path[: len(found)] == found for found in made.paths.values())]
    if not missing:
        return
    names = []
    for path in missing:
        columns = [table.columns[position].name for position, found in made.paths.items() if found[: len(path)] == path]
        names.append(columns[0] if columns else ".".join(path))
    wanted = " and ".join(dict.fromkeys(names))
    raise DataError(f"{table.name} needs {wanted}: Klaviyo takes no row without")


def _missing(schema: Schema, document: dict[str, Any], path: Path) -> list[Path]:
    found: list[Path] = []
    for key in schema.required:
        if key not in document:
            found.append((*path, key))
    for key in schema.keys:
        below = schema.get(key)
        if below is not None and below.keys and isinstance(document.get(key), dict):
            found += _missing(below, document[key], (*path, key))
    return found


def unwritable(table: Table, column: Column, made: Template, *, is_new: bool) -> str:
    """Why a column cannot be written, and which can."""
    can = [table.columns[position].name for position in made.paths]
    what = "an INSERT" if is_new else "an UPDATE"
    why = "is Klaviyo's own to give" if isinstance(column.place, Id) else "cannot be written" if is_new else "cannot be changed"
    hint = table.writes.hints.get(column.name) if table.writes is not None else None
    return f"{table.name}.{column.name} {why}.{f' {hint}' if hint else ''} What {what} can set: {', '.join(can)}."
