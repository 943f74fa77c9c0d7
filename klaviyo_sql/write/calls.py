"""A call of a procedure as the rows that it writes: what was given for each input, checked, and spread over the rows."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from klaviyo_sql.errors import DataError, ProgrammingError
from klaviyo_sql.model.procedure import Input, Procedure, Way, plain
from klaviyo_sql.model.table import Table, Type
from klaviyo_sql.write.bodies import body_path
from klaviyo_sql.write.changes import Change, Kind
from klaviyo_sql.write.checking import check

Given = Mapping[str, Any]
"""What was given, by the names of the inputs."""


def completed(procedure: Procedure, given: Given) -> dict[str, Any]:
    """What was given with the defaults; NULL is the same as nothing. ProgrammingError when something is missing, doubled or not confirmed."""
    values = {known.name: given[known.name] for known in procedure.all_inputs if given.get(known.name) is not None}
    missing = [known.name for known in procedure.inputs if known.required and known.name not in values]
    if missing:
        raise ProgrammingError(f"{procedure.name} needs {' and '.join(missing)}. {usage(procedure)} Nothing was sent.")
    chosen = [name for name in procedure.exactly_one if name in values]
    if procedure.exactly_one and len(chosen) != 1:
        said = f"{' and '.join(chosen)} were given" if chosen else "none was given"
        raise ProgrammingError(f"{procedure.name} takes exactly one of {', '.join(procedure.exactly_one)}, and {said}. {usage(procedure)} Nothing was sent.")
    if procedure.one_at_least and not any(name in values for name in procedure.one_at_least):
        raise ProgrammingError(f"{procedure.name} needs at least one of {', '.join(procedure.one_at_least)}. {usage(procedure)} Nothing was sent.")
    for known in procedure.inputs:
        if known.name in values:
            values[known.name] = _taken(procedure, known, values[known.name])
        elif known.default is not None:
            values[known.name] = known.default
    _confirmed(procedure, values)
    return values


def _taken(procedure: Procedure, known: Input, value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        raise DataError(f"{procedure.name}: {known.name} takes no blob: write the text, or the JSON text. Nothing was sent.")
    if known.choices and value not in known.choices:
        near = difflib.get_close_matches(str(value).lower(), known.choices, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DataError(f"{procedure.name}: {known.name} takes one of {', '.join(known.choices)}, not {value!r}.{hint} Nothing was sent.")
    return value


def _confirmed(procedure: Procedure, values: dict[str, Any]) -> None:
    """ProgrammingError, which says what to add, unless what cannot be taken back is confirmed."""
    word = procedure.confirm
    if word is None or str(values.pop("confirm", "")).strip().lower() == word:
        return
    shown = [f"{name} => {_literal(value)}" for name, value in values.items()] + [f"confirm => '{word}'"]
    raise ProgrammingError(
        f"{procedure.name} cannot be taken back, and was not confirmed: nothing was sent. Add confirm => '{word}' to mean it: "
        f"CALL {procedure.name}({', '.join(shown)})"
    )


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        return repr(value)
    text = str(value).replace("'", "''")
    return f"'{text}'" if len(text) <= 60 else "…"


def usage(procedure: Procedure) -> str:
    """How a procedure is called: `Call it as tag_lists(tag_id, list_ids).`"""
    return f"Call it as {signature(procedure)}."


def signature(procedure: Procedure) -> str:
    """The name with the inputs; those that may be left out are in brackets."""
    parts: list[str] = []
    for known in procedure.all_inputs:
        name = f"confirm => '{procedure.confirm}'" if known.name == "confirm" else known.name
        parts.append(name if known.required else f"[{name}]")
    return f"{procedure.name}({', '.join(parts)})"


def hidden_name(procedure: Procedure, known: Input) -> str:
    """The hidden column of the procedure's table that takes an input: of its name, unless a column of the result has it."""
    return f"given_{known.name}" if any(found.name == known.name for found in procedure.all_results) else known.name


def changes_of(procedure: Procedure, given: Given, *, statement: int = 0, account: str | None = None) -> list[Change]:
    """The rows that a call writes, each looked at; ProgrammingError, DataError and NotSupportedError when it cannot be carried out."""
    values = completed(procedure, given)
    way = next((way for way in procedure.ways if not way.given or any(name in values for name in way.given)), None)
    if way is None:
        raise ProgrammingError(f"{procedure.name} cannot be called so. {usage(procedure)} Nothing was sent.")
    kind = Kind(way.kind)
    found = []
    try:
        for row in _rows(procedure, way, values):
            own = way.rule(row) if way.rule is not None else row
            key = (own.pop(way.key),) if way.key is not None else None
            change = Change(way.table, kind, key, _by_position(procedure, way.table, own), statement=statement, account=account, procedure=procedure.name)
            check(change)
            found.append(change)
    except DataError as error:
        raise DataError(f"{_told(procedure, way.table, str(error))}{'' if str(error).endswith(('.', '?')) else '.'} Nothing was sent.") from None
    return found


def _told(procedure: Procedure, table: Table, text: str) -> str:
    """The sentence about the procedure, whatever its table is called."""
    text = text.removeprefix(f"{table.name}.").removeprefix(f"{procedure.name}: ")
    return f"{procedure.name}: {text}"


def _by_position(procedure: Procedure, table: Table, row: Mapping[str, Any]) -> dict[int, Any]:
    names = {column.name: position for position, column in enumerate(table.columns)}
    values: dict[int, Any] = {}
    writes = table.writes
    for name, value in row.items():
        if name not in names:
            raise DataError(f"{procedure.name}: there is no {name} to write")
        values[names[name]] = value
    if writes is not None:
        for name, value in writes.defaults.items():
            values.setdefault(names[name], value)
        if writes.once_by is not None:
            values.setdefault(names[writes.once_by], uuid.uuid4().hex)
    return values


def _rows(procedure: Procedure, way: Way, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What was given for each row: all of it, with one of the elements in the place of the array."""
    if way.each is None or way.column is None:
        yield dict(values)
        return
    shared = {name: value for name, value in values.items() if name != way.each}
    elements = _elements(procedure, next(known for known in procedure.inputs if known.name == way.each), values[way.each])
    if not elements:
        raise ProgrammingError(f"{procedure.name}: {way.each} is empty. Nothing was sent.")
    takes_objects = way.table.columns[way.table.index(way.column)].type is Type.JSON if way.column in {c.name for c in way.table.columns} else False
    for element in elements:
        yield {**shared, **(_of_object(procedure, way.table, element) if isinstance(element, dict) and not takes_objects else {way.column: element})}


def _elements(procedure: Procedure, known: Input, value: Any) -> Sequence[Any]:
    """The elements of a JSON array, of an object with such an array in `data`, of a list with commas, or the one thing that it is."""
    if not isinstance(value, str):
        return [value]
    text = value.strip()
    if text[:1] in ("[", "{"):
        try:
            found = msgspec.json.decode(text.encode())
        except (msgspec.DecodeError, UnicodeEncodeError):
            raise ProgrammingError(f"{procedure.name}: {known.name} begins like JSON and is none. Nothing was sent.") from None
        if isinstance(found, dict) and isinstance(found.get("data"), list):
            found = found["data"]
        return [one for one in found if one is not None] if isinstance(found, list) else [found]
    if not known.listed:
        return [value]
    return [part for one in text.split(",") if (part := one.strip())]


def _of_object(procedure: Procedure, table: Table, element: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of an element: flat, by their names or those of Klaviyo's attributes, or as Klaviyo writes resources."""
    paths = {column.name: path for column in table.columns if (path := body_path(table, column)) is not None}
    if isinstance(element.get("attributes"), dict) or "relationships" in element:
        return _of_resource(procedure, paths, element)
    known = {plain(path[-1]): name for name, path in paths.items() if len(path) == 2 and path[0] == "attributes"}
    known |= {plain(name): name for name in paths}
    known |= {plain(column.name): column.name for column in table.columns}
    found: dict[str, Any] = {}
    for key, value in element.items():
        name = known.get(plain(key))
        if name is None:
            near = difflib.get_close_matches(plain(key), known, n=1)
            hint = f" Did you mean {known[near[0]]}?" if near else f" What can be: {', '.join(dict.fromkeys(known.values()))}."
            raise DataError(f"an element has {key!r}, which is nothing that it can have.{hint}")
        if value is not None:
            found[name] = value
    return found


def _of_resource(procedure: Procedure, paths: Mapping[str, tuple[str, ...]], element: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a resource as Klaviyo writes it; everything in it must have one."""
    left = msgspec.json.decode(msgspec.json.encode(element))
    left.pop("type", None)
    found: dict[str, Any] = {}
    for name, path in sorted(paths.items(), key=lambda item: -len(item[1])):
        *outer, last = path
        place: Any = left
        for key in outer:
            place = place.get(key) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last not in place:
            continue
        value = place.pop(last)
        if path[0] == "relationships" and isinstance(value, dict):
            data = value.get("data")
            value = data.get("id") if isinstance(data, dict) else [one.get("id") for one in data or ()]
        if value is not None:
            found[name] = value
    rest = list(_leaves(left, ""))
    if rest:
        raise DataError(f"an element has {rest[0]}, which {procedure.name} does not take")
    return found


def _leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, below in value.items():
            if key != "type":
                yield from _leaves(below, f"{path}.{key}" if path else key)
    else:
        yield path


def shown_type(known: Input) -> str:
    """The type of an input as documents tell it."""
    return {Type.JSON: "json", Type.TIMESTAMP: "timestamp"}.get(known.type, known.type.declared.lower())
