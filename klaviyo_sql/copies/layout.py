"""What the copy of one table looks like: its columns, its key, its indexes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from klaviyo_sql.model.table import Argument, Attribute, Column, Detail, Id, Latest, ParentId, Property, Related, Table, Type, WriteOnly
from klaviyo_sql.statements.names import quoted


@dataclass(frozen=True, slots=True)
class Layout:
    """The copy of a table: `columns` are the positions of those that it holds, in the order in which they are stored."""

    table: Table
    columns: tuple[int, ...]

    @property
    def name(self) -> str:
        """The table's name in the file."""
        return self.table.name

    @property
    def incoming(self) -> str:
        """Where rows wait until all of them are there."""
        return f"incoming_{self.table.name}"

    @property
    def change(self) -> int | None:
        """The position of the time by which what is new is found; None when only reading everything finds it."""
        source = self.table.source
        name = getattr(source, "changes", None)
        return None if name is None else self.table.index(name)

    def holds(self, columns: Iterable[int]) -> bool:
        """Whether all of these columns are in the copy."""
        return set(columns) <= set(self.columns)

    @property
    def quoted(self) -> tuple[str, ...]:
        """The names of the columns, as SQL has them."""
        return tuple(quoted(self.table.columns[position].name) for position in self.columns)

    @property
    def key(self) -> tuple[str, ...]:
        """The names of the key's columns, as SQL has them."""
        return tuple(f'"{name}"' for name in self.table.key)

    @property
    def indexed(self) -> tuple[int, ...]:
        """The columns by which rows are found without reading them all, one index each."""
        return tuple(position for position in self.columns if _is_indexed(self.table.columns[position]))

    def ddl(self, name: str) -> str:
        """CREATE TABLE.

        Times are in one fixed-width form, which orders as time does, so that they need no collating sequence here. Custom properties have values of any type,
        which a declared type would change.
        """
        declared = (self.table.columns[position] for position in self.columns)
        columns = [quoted(column.name) + ("" if isinstance(column.place, Property) else f" {column.type.declared}") for column in declared]
        return f'CREATE TABLE "{name}"({", ".join(columns)}, PRIMARY KEY ({", ".join(self.key)}))'

    def index_ddl(self, name: str, generation: int) -> list[str]:
        """CREATE INDEX for each of `indexed`; ids of related rows come with the time, as dashboards ask for them."""
        time = self.change
        statements = []
        for position in self.indexed:
            column = self.table.columns[position]
            parts = [f'"{column.name}"']
            if isinstance(column.place, Related) and time is not None:
                parts.append(f'"{self.table.columns[time].name}"')
            statements.append(f'CREATE INDEX "{self.name}_by_{column.name}_{generation}" ON "{name}"({", ".join(parts)})')
        return statements

    @property
    def fingerprint(self) -> str:
        """What tells this layout from another: a copy of another one is made anew."""
        text = "\n".join((self.ddl(self.name), *self.index_ddl(self.name, 0), str(self.change)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def layout(table: Table, *, all_columns: bool) -> Layout:
    """The layout of a table's copy.

    Left out are arguments and what is only written, which are no data, and what costs a request a row. So are, unless
    `all_columns` is asked for, the columns that Klaviyo returns only when it is asked for them: they lower the limits, and not every change of
    them shows in `updated`. A scan that wants one of them goes to Klaviyo.
    """
    positions = [position for position, column in enumerate(table.columns) if _is_copied(column, all_columns=all_columns)]
    # JSON may be long: what stands before it is read without it.
    return Layout(table, tuple(sorted(positions, key=lambda position: (table.columns[position].type is Type.JSON, position))))


def _is_copied(column: Column, *, all_columns: bool) -> bool:
    if isinstance(column.place, Argument | Detail | WriteOnly):
        return False
    return all_columns or not (isinstance(column.place, Attribute | Latest) and column.place.additional)


def _is_indexed(column: Column) -> bool:
    if isinstance(column.place, Id | ParentId | Related):
        return True
    return (
        column.type is not Type.JSON and not (isinstance(column.place, Attribute | Latest) and column.place.additional) and bool(column.filters or column.sort)
    )
