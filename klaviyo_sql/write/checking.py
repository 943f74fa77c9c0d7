"""Changes are looked at before anything is sent: one row by itself, and the columns of a statement before a row is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from klaviyo_sql.errors import DataError, NotSupportedError
from klaviyo_sql.model.table import Table
from klaviyo_sql.write.bodies import form_body, form_template, template, unwritable
from klaviyo_sql.write.changes import Change, Conflict, Kind
from klaviyo_sql.write.documents import check_size, document_of, ends_of, envelope_of, split_around, upload_of
from klaviyo_sql.write.ways import operations_of, refused, template_of


def check(change: Change) -> None:
    """Look at one row by itself before it is put aside.

    DataError when a value cannot be taken or one is missing; NotSupportedError when such a row cannot be written at all.
    """
    table, writes = change.table, change.table.writes
    if writes is None or not writes.allows(change.kind):
        raise NotSupportedError(refused(table, change.kind))
    if change.kind is Kind.DELETE:
        return
    if writes.links is not None:
        ends_of(table, writes.links, change)
        return
    if change.kind is Kind.INSERT and writes.one_of and not any(change.values.get(table.index(name)) is not None for name in writes.one_of):
        raise DataError(f"{table.name} needs {' or '.join(writes.one_of)}: nothing else tells one row from another")
    one, many = operations_of(table, change.kind, change.conflict)
    document: dict[str, Any] = {}
    if (upload := upload_of(change, change.values)) is not None:
        form_body(table, form_template(table, upload.operation, writes.upload[0]), change.values)  # type: ignore[index]
    elif one is not None:
        document = document_of(change, change.values, template(table, one.operation), one, change.repeated)
    elif many is not None:
        around, values = split_around(table, many, change.values)
        missing = [name for name in many.needs if around.get(table.index(name)) is None]
        if missing:
            raise DataError(f"{table.name} needs {' and '.join(missing)}: Klaviyo takes no row without")
        envelope_of(table, many, around)
        document = document_of(change, values, template(table, many.operation, many.key))
    if many is not None and many.most_bytes is not None:
        check_size(table, many.most_bytes, len(msgspec.json.encode(document)))


def check_columns(table: Table, positions: Sequence[int]) -> None:
    """Look at an UPDATE of these columns, or at a DELETE if there are none, before a row is known; NotSupportedError when it cannot be carried out."""
    kind = Kind.UPDATE if positions else Kind.DELETE
    writes = table.writes
    if writes is None or not writes.allows(kind):
        raise NotSupportedError(refused(table, kind))
    if kind is Kind.DELETE:
        return
    one, many = operations_of(table, kind, Conflict.ABORT)
    made = template_of(table, one, many)
    for position in positions:
        if made is not None and not made.takes(position):
            raise NotSupportedError(unwritable(table, table.columns[position], made, is_new=False))
    names = [table.columns[position].name for position in positions]
    alone = [name for name in names if one is not None and name in one.alone]
    if alone and len(names) > 1:
        raise NotSupportedError(f"{table.name}.{alone[0]} is changed by itself: set it in an UPDATE of its own, before or after the one of the other columns.")
