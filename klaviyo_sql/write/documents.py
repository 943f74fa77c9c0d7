"""One changed row in the body of a request: the resource that it is there, what stands around it, and the ids that name it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from klaviyo_sql.errors import DataError, NotSupportedError
from klaviyo_sql.model.table import Table
from klaviyo_sql.model.writing import Links, Many, One
from klaviyo_sql.write.bodies import Template, body, template
from klaviyo_sql.write.changes import Change, Kind
from klaviyo_sql.write.schema import data


def document_of(change: Change, values: Mapping[int, Any], made: Template, one: One | None = None, read: Container[int] = ()) -> dict[str, Any]:
    identifier = None if change.kind is Kind.INSERT else str(id_of(change)) if change.key else ""
    clears = one.clears if one is not None else ()
    return body(change.table, made, values, identifier=identifier, is_new=change.kind is Kind.INSERT, repeated=read, clears=clears)


def id_of(change: Change) -> Any:
    names = change.table.key
    key = change.key or ()
    position = names.index("id") if "id" in names else names.index("Id") if "Id" in names else -1
    return key[position]


def upload_of(change: Change, values: Mapping[int, Any]) -> One | None:
    """What takes the file of a new row, if it has one."""
    writes = change.table.writes
    if writes is None or writes.upload is None or change.kind is not Kind.INSERT or values.get(change.table.index(writes.upload[0])) is None:
        return None
    return writes.upload[1]


def split_around(table: Table, many: Many, values: Mapping[int, Any]) -> tuple[dict[int, Any], dict[int, Any]]:
    """The values that stand around the elements of a request, and those that stand in one."""
    around = frozenset(map(table.index, many.around))
    return {at: value for at, value in values.items() if at in around}, {at: value for at, value in values.items() if at not in around}


def envelope_of(table: Table, many: Many, around: Mapping[int, Any]) -> dict[str, Any]:
    """What stands in `data` around the elements."""
    return body(table, template(table, many.operation), around, is_new=True, whole=False) if around else {}


def ends_of(table: Table, links: Links, change: Change) -> tuple[Any, Any]:
    """The ids at both ends of a link."""
    names = (links.path, links.ids)
    if change.kind is Kind.DELETE and change.key is not None:
        key = dict(zip(table.key, change.key, strict=True))
        return key[names[0]], key[names[1]]
    named = change.named
    told = {column for _, column in links.meta}
    for name, value in named.items():
        if name not in names and name not in told and value is not None:
            raise NotSupportedError(f"{table.name}.{name} cannot be written: a row is the link of {names[0]} with {names[1]}, and nothing else.")
    for name in (*names, *(column for key, column in links.meta if key in data(links.add).items.at(("meta",)).required)):  # type: ignore[union-attr]
        if named.get(name) is None:
            raise DataError(f"{table.name} needs {name}: a row is the link of {names[0]} with {names[1]}")
    return named[names[0]], named[names[1]]


def check_size(table: Table, most_bytes: int, size: int) -> None:
    if size > most_bytes:
        raise DataError(f"{table.name}: one row is {size:,} bytes long, and Klaviyo takes at most {most_bytes:,}")
