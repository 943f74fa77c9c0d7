"""One declared table on one engine, as a SQLite asks for it, whichever SQLite that is; and the place where a cursor stands in its rows."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from klaviyo_sql.copies import Copies
from klaviyo_sql.engine import Scans
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model.table import Table
from klaviyo_sql.session import copied_index, index
from klaviyo_sql.session.index import IndexInfo
from klaviyo_sql.session.statement import Statement


def ddl(table: Table) -> str:
    """The table as SQLite declares it.

    It is WITHOUT ROWID, keyed by Klaviyo's ids: SQLite merges the branches of an OR by row id, and an API has none.
    """
    columns = []
    for column in table.columns:
        parts = ['"' + column.name.replace('"', '""') + '"', column.type.declared]
        if column.hidden:
            parts.append("HIDDEN")  # SQLite cuts the word out of the type, and loses a collation that follows: times are never hidden
        if column.collation != "BINARY":
            parts.append(f"COLLATE {column.collation}")
        if column.not_null:
            parts.append("NOT NULL")
        columns.append(" ".join(parts))
    key = ", ".join(f'"{name}"' for name in table.key)
    return f"CREATE TABLE x({', '.join(columns)}, PRIMARY KEY ({key})) WITHOUT ROWID"


class Served:
    """A table as it is known to a SQLite."""

    def __init__(self, table: Table, engine: Scans, statement: Statement, copies: Copies | None, *, name: str | None = None) -> None:
        """`name` tells the table from all others of the connection; the default is its own. Without `copies` it has no local copy."""
        self.name = name or table.name
        self.table = table
        self.copies = copies
        self.copy = copies.of(table) if copies is not None else None
        self.engine = engine
        self.statement = statement

    @property
    def declaration(self) -> str:
        """The table as SQLite declares it."""
        return ddl(self.table)

    def agree(self, info: IndexInfo) -> bool:
        """Fill in SQLite's index information for one way to scan the table; False when that way is impossible.

        DataError when a time column is compared with a literal that is no time.
        """
        copies = self.copies
        if copies is None or self.copy is None or not copied_index.agree(info, self.table, self.copy.layout, self.engine.tables, copies.row_count(self.copy)):
            return index.agree(info, self.table, self.engine.tables, self.name)
        return True

    def pages(self, agreed: str, values: tuple[Any, ...], standing: Standing) -> Iterator[list[Row]]:
        """The rows of a scan as it was agreed on, with the values of this run, in lists that are not empty."""
        agreement = index.read(agreed)
        if agreement.copied and self.copy is not None and self.copies is not None:
            return self.copies.pages(self.copy, agreement.columns, agreement.constraints(values), agreement.scan_order)
        scanner = self.statement.scanner(self.engine, self.table, agreed)
        return scanner.pages(agreement.constraints(values), functools.partial(self.statement.waiting, standing))


class Standing:
    """Where a cursor stands in the rows of its scan: the page at hand, and the row in it.

    A plain class with slots, because a row costs an attribute or two of it and cursor tricks were measured to bring nothing.
    """

    __slots__ = ("_at", "_page", "_positions", "_row")

    def __init__(self) -> None:
        self._page: list[Row] = []
        self._at = 0
        self._row: Row | None = None
        self._positions: dict[int, int] = {}
        """Where in the row each column is."""

    def below(self, value: str) -> list[str]:
        """The texts that stand below the value in its column, in the rest of the page; none when no column of the row has it."""
        row = self._row
        if row is None:
            return []
        for position in self._positions.values():
            if row[position] == value:
                return [text for following in self._page[self._at + 1 :] if isinstance(text := following[position], str)]
        return []
