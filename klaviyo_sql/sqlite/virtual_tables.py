"""Klaviyo's tables as SQLite virtual tables: one module a name, all of them this one class."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import apsw

from klaviyo_sql import errors
from klaviyo_sql.copies import Copies
from klaviyo_sql.engine import Scans
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model.table import Table
from klaviyo_sql.sqlite import copied_index, index
from klaviyo_sql.sqlite.statement import Statement


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


class Rehearsal:
    """While it is `on`, scans are noted here and return no rows: a statement is run without asking Klaviyo anything."""

    def __init__(self) -> None:
        self.on = False
        self.scans: dict[str, tuple[Any, ...]] = {}
        """The values of the first run of each scan, by what was agreed on it."""


class Module:
    """A virtual table module for one declared table."""

    def __init__(self, table: VirtualTable) -> None:
        self._table = table
        self._ddl = ddl(table.table)

    def Create(self, *_: Any) -> tuple[str, VirtualTable]:  # noqa: N802 - apsw's name
        return self._ddl, self._table

    Connect = Create


class SchemaModule:
    """The module of all tables of all schemas: which one it is SQLite says when a statement first uses it."""

    def __init__(self, table: Callable[[str, str], VirtualTable]) -> None:
        self._table = table

    def Create(self, _: apsw.Connection, __: str, schema: str, name: str) -> tuple[str, VirtualTable]:  # noqa: N802
        table = self._table(schema, name)
        return ddl(table.table), table

    Connect = Create


class PropertiesModule:
    """The module `klaviyo`: CREATE VIRTUAL TABLE vip USING klaviyo(profiles, tier TEXT '$.loyalty.tier', ltv REAL)."""

    def __init__(self, table: Callable[[str, str, tuple[str, ...]], VirtualTable]) -> None:
        self._table = table

    def Create(self, _: apsw.Connection, __: str, schema: str, name: str, *arguments: str) -> tuple[str, VirtualTable]:  # noqa: N802
        table = self._table(schema, name, arguments)
        return ddl(table.table), table

    Connect = Create


class VirtualTable:
    """One declared table on one engine."""

    def __init__(
        self, table: Table, engine: Scans, statement: Statement, rehearsal: Rehearsal, copies: Copies | None, *, write: bool, name: str | None = None
    ) -> None:
        """`name` tells the table from all others of the connection; the default is its own. Without `copies` it has no local copy."""
        self.name = name or table.name
        self.table = table
        self.copies = copies
        self.copy = copies.of(table) if copies is not None else None
        self.engine = engine
        self.statement = statement
        self.rehearsal = rehearsal
        self._refusal = errors.write_refused(table.name, write=write)

    def BestIndexObject(self, info: apsw.IndexInfo) -> bool:  # noqa: N802
        copies = self.copies
        if copies is None or self.copy is None or not copied_index.agree(info, self.table, self.copy.layout, self.engine.tables, copies.row_count(self.copy)):
            return index.agree(info, self.table, self.engine.tables, self.name)
        return True

    def Open(self) -> Cursor:  # noqa: N802
        return Cursor(self)

    def Disconnect(self) -> None:  # noqa: N802
        """Nothing is held."""

    Destroy = Disconnect

    def Begin(self) -> None:  # noqa: N802
        """SQLite calls this before a statement that writes reads its first row, so a refused UPDATE sends nothing."""
        raise self._refusal

    def UpdateInsertRow(self, *_: Any) -> None:  # noqa: N802
        raise self._refusal

    UpdateChangeRow = UpdateDeleteRow = UpdateInsertRow


class Cursor:
    """A scan in progress: the page at hand, and the row in it; plain attribute access, because cursor tricks were measured to bring nothing.

    `Eof` is no method of Python's. SQLite takes no error from it, but an end: a ^C that Python noticed there would end the scan as if there were no more
    rows, and CREATE TABLE AS would keep what came so far. Python notices nothing within a function of C.
    """

    __slots__ = ("Eof", "_at", "_current", "_page", "_pages", "_positions", "_row", "_table")

    def __init__(self, table: VirtualTable) -> None:
        self._table = table
        self._pages: Iterator[list[Row]] = iter(())
        self._page: list[Row] = []
        self._at = 0
        self._row: Row | None = None
        self._current: list[Row | None] = [None]
        self.Eof = functools.partial(self._current.__contains__, None)
        self._positions: dict[int, int] = {}

    def Filter(self, _: int, agreed: str, values: tuple[Any, ...]) -> None:  # noqa: N802
        agreement = index.read(agreed)
        table = self._table
        if table.rehearsal.on:
            table.rehearsal.scans.setdefault(agreed, values)
            self._row = self._current[0] = None
            return
        self._positions = {column: position for position, column in enumerate(agreement.columns)}
        self._row = self._current[0] = None  # an inner loop that is run again looks for what is waiting in others, not here
        if agreement.copied and table.copy is not None and table.copies is not None:
            self._pages = table.copies.pages(table.copy, agreement.columns, agreement.constraints(values), agreement.scan_order)
        else:
            scanner = table.statement.scanner(table.engine, table.table, agreed)
            self._pages = scanner.pages(agreement.constraints(values), functools.partial(table.statement.waiting, self))
        table.statement.enter(self)
        self._turn()

    def Next(self) -> None:  # noqa: N802
        self._at += 1
        if self._at < len(self._page):
            self._row = self._current[0] = self._page[self._at]
        else:
            self._turn()

    def _turn(self) -> None:
        """Go to the next page, which has rows, or to the end."""
        self._at = 0
        self._page = next(self._pages, [])
        self._row = self._current[0] = self._page[0] if self._page else None

    def Column(self, column: int) -> Any:  # noqa: N802
        return self._row[self._positions[column]]  # type: ignore[index]  # SQLite asks for no column at the end

    def Rowid(self) -> int:  # noqa: N802
        raise errors.InternalError("tables WITHOUT ROWID have none")

    def Close(self) -> None:  # noqa: N802
        self._table.statement.leave(self)
        self._pages, self._page, self._row = iter(()), [], None

    def below(self, value: str) -> list[str]:
        """The texts that stand below the value in its column, in the rest of the page; none when no column of the row has it."""
        row = self._row
        if row is None:
            return []
        for position in self._positions.values():
            if row[position] == value:
                return [text for following in self._page[self._at + 1 :] if isinstance(text := following[position], str)]
        return []


class RowsModule:
    """A read-only table over rows that the driver itself has, such as its log."""

    def __init__(self, declaration: str, rows: Callable[[], list[Row]]) -> None:
        self._declaration = declaration
        self._rows = rows

    def Create(self, *_: Any) -> tuple[str, RowsModule]:  # noqa: N802
        return self._declaration, self

    Connect = Create

    def BestIndexObject(self, _: apsw.IndexInfo) -> bool:  # noqa: N802
        return True

    def Open(self) -> RowsCursor:  # noqa: N802
        return RowsCursor(self._rows)

    def Disconnect(self) -> None:  # noqa: N802
        """Nothing is held."""

    Destroy = Disconnect


class RowsCursor:
    """The rows as they were when the scan began."""

    def __init__(self, rows: Callable[[], list[Row]]) -> None:
        self._supply = rows
        self._rows: list[Row] = []
        self._position = 0

    def Filter(self, *_: Any) -> None:  # noqa: N802
        self._rows = self._supply()
        self._position = 0

    def Eof(self) -> bool:  # noqa: N802
        return self._position >= len(self._rows)

    def Next(self) -> None:  # noqa: N802
        self._position += 1

    def Column(self, column: int) -> Any:  # noqa: N802
        return self._position if column < 0 else self._rows[self._position][column]

    def Rowid(self) -> int:  # noqa: N802
        return self._position

    def Close(self) -> None:  # noqa: N802
        self._rows = []
