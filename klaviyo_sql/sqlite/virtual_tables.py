"""Klaviyo's tables as SQLite virtual tables: one module a name, all of them this one class."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

import apsw

from klaviyo_sql import errors
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.session import index
from klaviyo_sql.session.served import Served, Standing
from klaviyo_sql.session.session import Known, Session
from klaviyo_sql.write.changes import Conflict


class Module:
    """A virtual table module for one declared table."""

    def __init__(self, table: VirtualTable) -> None:
        self._table = table
        self._ddl = table.declaration

    def Create(self, sqlite: apsw.Connection, *_: Any) -> tuple[str, VirtualTable]:  # noqa: N802 - apsw's name
        self._table.configure(sqlite)
        return self._ddl, self._table

    Connect = Create


class SchemaModule:
    """The module of tables that are listed in a schema: which one it is SQLite says when a statement first uses it."""

    def __init__(self, table: Callable[[str, str, tuple[str, ...]], VirtualTable]) -> None:
        self._table = table

    def Create(self, sqlite: apsw.Connection, _: str, schema: str, name: str, *arguments: str) -> tuple[str, VirtualTable]:  # noqa: N802
        table = self._table(schema, name, arguments)
        table.configure(sqlite)
        return table.declaration, table

    Connect = Create


class PropertiesModule(SchemaModule):
    """The module `klaviyo`: CREATE VIRTUAL TABLE vip USING klaviyo(profiles, tier TEXT '$.loyalty.tier', ltv REAL)."""


class VirtualTable(Served):
    """One declared table on one engine."""

    def __init__(self, known: Known, session: Session) -> None:
        super().__init__(known, session, targets=session.targets)
        self.rehearsal = session.rehearsal
        """Whether the statement that runs is only rehearsed."""
        self._sqlite: apsw.Connection | None = None

    def configure(self, sqlite: apsw.Connection) -> None:
        """Tell SQLite of the table, while it is being made: INSERT OR IGNORE and OR REPLACE are carried out here."""
        self._sqlite = sqlite
        if self.pending is not None:
            sqlite.vtab_config(apsw.SQLITE_VTAB_CONSTRAINT_SUPPORT, 1)

    def BestIndexObject(self, info: apsw.IndexInfo) -> bool:  # noqa: N802
        return self.agree(info)

    def Open(self) -> Cursor:  # noqa: N802
        return Cursor(self)

    def Disconnect(self) -> None:  # noqa: N802
        """Nothing is held."""

    Destroy = Disconnect

    # SQLite calls Begin before a statement that writes reads its first row, so that what is refused sends nothing.

    def Begin(self) -> None:  # noqa: N802
        self.writable().join(id(self))

    def Sync(self) -> None:  # noqa: N802
        if self.pending is not None:
            self.pending.send()

    def Commit(self) -> None:  # noqa: N802
        """Everything was sent before."""

    def Rollback(self) -> None:  # noqa: N802
        if self.pending is not None:
            self.pending.roll_back()

    def Savepoint(self, level: int) -> None:  # noqa: N802
        if self.pending is not None:
            self.pending.savepoint(id(self), level)

    def Release(self, level: int) -> None:  # noqa: N802
        if self.pending is not None:
            self.pending.release(id(self), level)

    def RollbackTo(self, level: int) -> None:  # noqa: N802
        if self.pending is not None:
            self.pending.roll_back_to(id(self), level)

    def UpdateInsertRow(self, rowid: int | None, fields: tuple[Any, ...]) -> int | None:  # noqa: N802
        rehearsed = self.rehearsal.lookups if self.rehearsal.on else None
        self.insert(dict(enumerate(fields[: len(self.table.columns)])), self._conflict, rehearsed)
        return 0 if rowid is None else None  # the new row has no row id, and apsw wants one

    def UpdateChangeRow(self, row: Any, new: Any, fields: tuple[Any, ...]) -> None:  # noqa: N802
        self.update(row, {position: value for position, value in enumerate(fields) if value is not apsw.no_change}, self._conflict)

    def UpdateDeleteRow(self, row: Any) -> None:  # noqa: N802
        self.delete(row, self._conflict)

    @property
    def _conflict(self) -> Conflict:
        return _CONFLICTS.get(self._sqlite.vtab_on_conflict() if self._sqlite is not None else 0, Conflict.ABORT)


_CONFLICTS = {apsw.SQLITE_REPLACE: Conflict.REPLACE, apsw.SQLITE_IGNORE: Conflict.IGNORE}


class Cursor(Standing):
    """A scan in progress.

    `Eof` is no method of Python's. SQLite takes no error from it, but an end: a ^C that Python noticed there would end the scan as if there were no more
    rows, and CREATE TABLE AS would keep what came so far. Python notices nothing within a function of C.
    """

    __slots__ = ("Eof", "_current", "_pages", "_repeated", "_table", "agreed")

    def __init__(self, table: VirtualTable) -> None:
        super().__init__()
        self._table = table
        self._pages: Iterator[list[Row]] = iter(())
        self._current: list[Row | None] = [None]
        self._repeated: frozenset[int] = frozenset()
        self.agreed = ""
        """What was agreed on the scan."""
        self.Eof = functools.partial(self._current.__contains__, None)

    def Filter(self, _: int, agreed: str, values: tuple[Any, ...]) -> None:  # noqa: N802
        table = self._table
        if table.rehearsal.on and not index.read(agreed).presumed_rows:
            table.rehearsal.scans.setdefault(agreed, values)
            self._row = self._current[0] = None
            return
        table.refuse()
        self.agreed = agreed
        self._repeated = table.repeated()
        self._row = self._current[0] = None  # an inner loop that is run again looks for what is waiting in others, not here
        self._pages = table.pages(agreed, values, self)
        self.take_up(table, agreed, self._pages)
        table.statement.enter(self)
        self._turn()

    def Next(self) -> None:  # noqa: N802
        self._at += 1
        if self._at < len(self._page):
            self._row = self._current[0] = self._page[self._at]
        else:
            self._turn()

    def _turn(self) -> None:
        """Go to the next page, which has rows, or to the end; nothing holds the last one while the next is decoded, in memory that is at hand."""
        self._at = 0
        self._page = []
        self._row = self._current[0] = None
        self._page = next(self._pages, self._page)
        self._row = self._current[0] = self._page[0] if self._page else None

    def Column(self, column: int) -> Any:  # noqa: N802
        try:
            return self._row[self._positions[column]]  # type: ignore[index]  # SQLite asks for no column at the end
        except KeyError:
            if self.reads():
                self._current[0] = self._row
                return self.Column(column)
            if column == self._table.row_key:
                return self.key
            raise errors.InternalError(f"{self._table.name}: column {column} was not agreed on") from None

    def ColumnNoChange(self, column: int) -> Any:  # noqa: N802
        """A column that an UPDATE does not set: it is not written, unless Klaviyo would put it back to what it was at first."""
        return self.Column(column) if column in self._repeated else apsw.no_change

    @property
    def waiting(self) -> int:
        """Rows of the page at hand that come after the row where it stands."""
        return len(self._page) - 1 - self._at

    def hand_on(self, row: Row, columns: tuple[int, ...]) -> Iterator[Row] | None:
        """These columns of the rows that are waiting, as SQLite would return them, and go to the last of them: they are SQLite's no more.

        `row` is what SQLite made of the row where the cursor stands. None, and nothing is changed, when that is anything but these columns of it.
        """
        at_hand, places = self._row, [self._positions[column] for column in columns if column in self._positions]
        if at_hand is None or len(places) < len(columns):
            return None
        cells = tuple(at_hand[place] for place in places)
        if row != cells or list(map(type, row)) != list(map(type, cells)):
            return None
        rows = self._page[self._at + 1 :]
        if rows:
            self._at = len(self._page) - 1
            self._row = self._current[0] = self._page[self._at]
        if places == list(range(len(at_hand))):
            return iter(rows)
        chosen = map(itemgetter(*places), rows)
        return chosen if len(places) > 1 else zip(chosen)

    def Rowid(self) -> int:  # noqa: N802
        raise errors.InternalError("tables WITHOUT ROWID have none")

    def Close(self) -> None:  # noqa: N802
        self._table.statement.leave(self)
        self._pages, self._page, self._row = iter(()), [], None


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
