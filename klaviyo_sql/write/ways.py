"""The ways in which Klaviyo takes changes of a table: the operations, the columns that they take, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Collection

from klaviyo_sql import contract
from klaviyo_sql.errors import NotSupportedError
from klaviyo_sql.model.table import Table
from klaviyo_sql.model.writing import Many, One
from klaviyo_sql.write.bodies import Template, body_path, template
from klaviyo_sql.write.changes import Conflict, Kind


def operations_of(table: Table, kind: Kind, conflict: Conflict) -> tuple[One | None, Many | None]:
    """What writes one row, and what many."""
    writes = table.writes
    if writes is None:
        return None, None
    if kind is Kind.UPDATE:
        return writes.update, writes.update_many
    if kind is Kind.DELETE:
        return writes.delete, writes.delete_many
    if conflict is Conflict.REPLACE:
        if writes.replace is None and writes.replace_many is None:
            raise NotSupportedError(f"INSERT OR REPLACE is not possible on {table.name}: Klaviyo has no such operation. Use UPDATE for rows that are there.")
        return writes.replace, writes.replace_many
    return writes.insert, writes.insert_many


def template_of(table: Table, one: One | None, many: Many | None) -> Template | None:
    """Where columns go in what writes a row, or in one of many."""
    if one is not None:
        return template(table, one.operation)
    return template(table, many.operation, many.key) if many is not None else None


def takes(table: Table, kind: Kind, conflict: Conflict = Conflict.ABORT) -> frozenset[int]:
    """The positions of the columns that such a change can write; a link is written by the ids at its ends, a row is deleted by its key."""
    writes = table.writes
    if writes is None or kind is Kind.DELETE:
        return frozenset()
    if writes.links is not None:
        return frozenset(map(table.index, (writes.links.path, writes.links.ids)))
    one, many = operations_of(table, kind, conflict)
    made = template_of(table, one, many)
    looked_up = (table.index(lookup.column) for lookup in writes.lookups) if kind is Kind.INSERT else ()
    uploaded = (table.index(writes.upload[0]),) if kind is Kind.INSERT and writes.upload is not None else ()
    around = map(table.index, many.around if many is not None else ())
    return frozenset(made.paths if made is not None else ()).union(looked_up, uploaded, around)


def repeated(table: Table, positions: Collection[int]) -> frozenset[int]:
    """What an UPDATE of these columns has to repeat, because Klaviyo replaces it as a whole together with one of them."""
    one = table.writes.update if table.writes is not None else None
    if one is None or not one.whole:
        return frozenset()
    paths = {position: body_path(table, table.columns[position]) or () for position in positions}
    found: set[int] = set()
    for whole in one.whole:
        root = tuple(whole.path.split("."))
        if any(path[: len(root)] == root and path != root for path in paths.values()):
            found |= {table.index(name) for name in whole.columns}
    return frozenset(found.difference(positions))


def ways(table: Table, kind: Kind, conflict: Conflict = Conflict.ABORT) -> list[str]:
    """How such changes are sent, for people: a sentence for each operation, with how many rows it takes."""
    writes = table.writes
    if writes is None or not writes.allows(kind):
        return []
    if writes.links is not None:
        name = writes.links.add if kind is Kind.INSERT else writes.links.remove
        return [] if name is None else [f"{_called(name)}: one request for up to {writes.links.most:,} {writes.links.ids} of each {writes.links.path}"]
    one, many = operations_of(table, kind, conflict)
    found = []
    if many is not None:
        least = f", from {many.least} rows on" if one is not None and many.least > 1 else ""
        job = "; then its job is looked at until it is done" if many.job is not None else ""
        found.append(f"{_called(many.operation)}: one request for up to {many.most:,} rows and {many.megabytes} MB{least}{job}")
    if one is not None:
        found.append(f"{_called(one.operation)}: one request a row{', for fewer rows' if many is not None else ''}")
    return found


def _called(name: str) -> str:
    operation = contract.operation(name)
    return f"{operation.method} {operation.path}"


def refused(table: Table, kind: Kind) -> str:
    """Why a table takes no such statement, and what to do instead."""
    writes = table.writes
    if writes is None:
        return f"{table.name} cannot be written to: Klaviyo has no way to change it."
    if kind in writes.refused:
        return f"{kind} is not possible on {table.name}: {writes.refused[kind]}"
    return f"{kind} is not possible on {table.name}: Klaviyo has no such operation. What is possible: {', '.join(writes.kinds)}."
