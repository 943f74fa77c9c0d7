"""Klaviyo's tables as SQLite virtual tables: one module a name, all of them this one class."""

from __future__ import annotations

import functools
import itertools
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import apsw
import msgspec

from klaviyo_sql import errors
from klaviyo_sql.copies import Copies
from klaviyo_sql.engine import Engine, Scans
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model.table import Table
from klaviyo_sql.model.writing import Lookup
from klaviyo_sql.plan.constraints import Constraint, Operator
from klaviyo_sql.plan.scan import Scan
from klaviyo_sql.sqlite import copied_index, index
from klaviyo_sql.sqlite.pending import Pending
from klaviyo_sql.sqlite.statement import Statement
from klaviyo_sql.sqlite.targets import Target, Targets
from klaviyo_sql.write.changes import Change, Conflict, Kind
from klaviyo_sql.write.requests import check_columns, refused, repeated

ROW_KEY = "row_key"
"""The column that a table with a key of several columns has for writing: SQLite changes rows of a table WITHOUT ROWID by one column only."""


def ddl(table: Table, *, row_key: bool = False) -> str:
    """The table as SQLite declares it, with the column `row_key` as its key or without.

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
    if row_key:
        columns.append(f"{ROW_KEY} TEXT HIDDEN")
        key = ROW_KEY
    return f"CREATE TABLE x({', '.join(columns)}, PRIMARY KEY ({key})) WITHOUT ROWID"


class Rehearsal:
    """While it is `on`, scans are noted here and return no rows: a statement is run without asking Klaviyo anything."""

    def __init__(self) -> None:
        self.on = False
        self.looking = False
        """Whether a statement is prepared only to see what it would do: it may be one that the connection would refuse."""
        self.scans: dict[str, tuple[Any, ...]] = {}
        """The values of the first run of each scan, by what was agreed on it."""
        self.calls: list[str] = []
        """What procedures would send, as a person reads it."""
        self.lookups: dict[tuple[str, Any], None] = {}
        """The tables and ids that would be looked up for rows that are written."""

    def begin(self) -> None:
        """A statement is about to be rehearsed; whoever begins sets `on` back."""
        self.scans.clear()
        self.lookups.clear()
        self.on = True


class Module:
    """A virtual table module for one declared table."""

    def __init__(self, table: VirtualTable) -> None:
        self._table = table
        self._ddl = ddl(table.table, row_key=table.has_row_key)

    def Create(self, sqlite: apsw.Connection, *_: Any) -> tuple[str, VirtualTable]:  # noqa: N802 - apsw's name
        self._table.configure(sqlite)
        return self._ddl, self._table

    Connect = Create


class SchemaModule:
    """The module of all tables of all schemas: which one it is SQLite says when a statement first uses it."""

    def __init__(self, table: Callable[[str, str], VirtualTable]) -> None:
        self._table = table

    def Create(self, sqlite: apsw.Connection, _: str, schema: str, name: str) -> tuple[str, VirtualTable]:  # noqa: N802
        table = self._table(schema, name)
        table.configure(sqlite)
        return ddl(table.table, row_key=table.has_row_key), table

    Connect = Create


class PropertiesModule:
    """The module `klaviyo`: CREATE VIRTUAL TABLE vip USING klaviyo(profiles, tier TEXT '$.loyalty.tier', ltv REAL)."""

    def __init__(self, table: Callable[[str, str, tuple[str, ...]], VirtualTable]) -> None:
        self._table = table

    def Create(self, sqlite: apsw.Connection, _: str, schema: str, name: str, *arguments: str) -> tuple[str, VirtualTable]:  # noqa: N802
        table = self._table(schema, name, arguments)
        table.configure(sqlite)
        return ddl(table.table, row_key=table.has_row_key), table

    Connect = Create


class VirtualTable:
    """One declared table on one engine."""

    def __init__(
        self,
        table: Table,
        engine: Scans,
        statement: Statement,
        rehearsal: Rehearsal,
        copies: Copies | None,
        *,
        pending: Pending | None = None,
        targets: Targets | None = None,
        name: str | None = None,
        keyed: bool = False,
    ) -> None:
        """`name` tells the table from all others of the connection; the default is its own. Without `copies` it has no local copy.

        `pending` is where changes wait, on a connection that may write; `targets` tell what a statement that writes needs to know. `keyed`: SQLite takes the
        table to be one that can be written, even if Klaviyo does not write it.
        """
        self.name = name or table.name
        self.table = table
        self.copies = copies
        self.copy = copies.of(table) if copies is not None else None
        self.engine = engine
        self.statement = statement
        self.rehearsal = rehearsal
        self.pending = pending
        self.targets = targets
        self._sqlite: apsw.Connection | None = None
        self._keyed = keyed
        self._sql_name = self.name.rpartition(".")[2]
        self._known: dict[tuple[str, Any], Row] = {}

    def configure(self, sqlite: apsw.Connection) -> None:
        """Tell SQLite of the table, while it is being made: INSERT OR IGNORE and OR REPLACE are carried out here."""
        self._sqlite = sqlite
        if self.pending is not None:
            sqlite.vtab_config(apsw.SQLITE_VTAB_CONSTRAINT_SUPPORT, 1)

    @property
    def has_row_key(self) -> bool:
        """Whether rows are told apart by a column `row_key`, so that they can be written."""
        return self.pending is not None and (self._keyed or self.table.writes is not None) and len(self.table.key) > 1

    @property
    def row_key(self) -> int | None:
        """The position of the column `row_key`, if the table has it."""
        return len(self.table.columns) if self.has_row_key else None

    def target(self) -> Target | None:
        """What the statement that is being prepared does with the table, when it changes rows of it."""
        return self.targets.of(self._sql_name) if self.targets is not None else None

    def BestIndexObject(self, info: apsw.IndexInfo) -> bool:  # noqa: N802
        copies, target = self.copies, self.target()
        if (
            target is not None
            or copies is None
            or self.copy is None
            or not copied_index.agree(info, self.table, self.copy.layout, self.engine.tables, copies.row_count(self.copy))
        ):
            reads = self.targets.reads(self._sql_name) if self.targets is not None and self.row_key is not None else ()
            needed = self._needed(target)
            return index.agree(info, self.table, self.engine.tables, self.name, target=needed, row_key=self.row_key, reads=reads)
        return True

    def _needed(self, target: Target | None) -> index.Needed | None:
        """What a statement that changes rows needs to know of them: the key, what its expressions read, and what an update must repeat."""
        if target is None:
            return None
        key = [self.table.index(name) for name in self.table.key]
        reads = {position for position, column in enumerate(self.table.columns) if column.name.lower() in target.reads}
        columns = tuple(sorted(reads.union(key, self._repeated(target))))
        return index.Needed(columns, frozenset(key), presumable=target.alone and self.engine is not None)

    def _repeated(self, target: Target) -> frozenset[int]:
        """The columns that an update repeats, because Klaviyo would put them back to what they were at first."""
        return repeated(self.table, [position for position, column in enumerate(self.table.columns) if column.name.lower() in target.sets])

    def repeated(self) -> frozenset[int]:
        """The columns that the statement has to repeat, if it updates rows of the table."""
        writes, target = self.table.writes, self.target()
        return self._repeated(target) if target is not None and writes is not None and writes.update is not None and writes.update.whole else frozenset()

    def Open(self) -> Cursor:  # noqa: N802
        return Cursor(self)

    def Disconnect(self) -> None:  # noqa: N802
        """Nothing is held."""

    Destroy = Disconnect

    # Writing. SQLite calls Begin before a statement that writes reads its first row, so that what is refused sends nothing.

    def Begin(self) -> None:  # noqa: N802
        self._writable().join(id(self))

    def refuse(self) -> None:
        """Refuse, before a row is read, a statement that changes rows and cannot: one without a WHERE, or that sets what cannot be written.

        ProgrammingError, NotSupportedError.
        """
        target = self.target()
        if target is None or self.targets is None:
            return
        check_columns(self.table, [position for position, column in enumerate(self.table.columns) if column.name.lower() in target.sets])
        if self.targets.unbounded:
            raise errors.ProgrammingError(
                f"An UPDATE or DELETE without a WHERE would change every row of {self.table.name}. Say which rows; if all are meant, write WHERE "
                "true, and allow as many with max_writes."
            )

    def _writable(self) -> Pending:
        if self.pending is None:
            raise errors.write_refused(self.table.name)
        if not isinstance(self.engine, Engine):
            raise errors.NotSupportedError(f"{self.name} cannot be written to: write to the table of one account.")
        if self.table.writes is None:
            raise errors.NotSupportedError(refused(self.table, Kind.INSERT))
        self.refuse()
        return self.pending

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
            self.pending.roll_back_to(id(self), self.table, level)

    def UpdateInsertRow(self, rowid: int | None, fields: tuple[Any, ...]) -> int | None:  # noqa: N802
        values = {position: value for position, value in enumerate(fields[: len(self.table.columns)]) if value is not None}
        self._add(Kind.INSERT, None, self._completed(values))
        return 0 if rowid is None else None  # the new row has no row id, and apsw wants one

    def _completed(self, values: dict[int, Any]) -> dict[int, Any]:
        """The values of a new row with those that it must have, and what is to be looked up."""
        writes, table = self.table.writes, self.table
        if writes is None:
            return values
        for name, value in writes.defaults.items():
            values.setdefault(table.index(name), value)
        if writes.once_by is not None:
            values.setdefault(table.index(writes.once_by), uuid.uuid4().hex)
        for lookup in writes.lookups:
            given = values.pop(table.index(lookup.column), None)
            if given is not None and self.rehearsal.on:
                self.rehearsal.lookups[lookup.table, given] = None
                values |= {table.index(to): f"<{told} of {given} in {lookup.table}>" for told, to in lookup.tells}
            elif given is not None:
                found = self._looked_up(lookup, given)
                values |= {table.index(to): value for (_, to), value in zip(lookup.tells, found, strict=True) if value is not None}
        return values

    def _looked_up(self, lookup: Lookup, given: Any) -> Row:
        """What a table tells of an id; DataError when it has no such row."""
        key = (lookup.table, given)
        if key not in self._known:
            known = self.engine.tables[lookup.table]
            columns = tuple(known.index(told) for told, _ in lookup.tells)
            row = next(self.engine.scan(Scan(known, columns, (Constraint(known.index("id"), Operator.EQUAL, given),))), None)
            if row is None:
                raise errors.DataError(f"{self.table.name}.{lookup.column}: there is no {given!r} in {lookup.table}")
            self._known[key] = row[: len(columns)]
        return self._known[key]

    def UpdateChangeRow(self, row: Any, new: Any, fields: tuple[Any, ...]) -> None:  # noqa: N802
        key = self._key(row)
        known = {self.table.index(name): value for name, value in zip(self.table.key, key, strict=True)}
        values = {
            position: value
            for position, value in enumerate(fields[: len(self.table.columns)])
            if value is not apsw.no_change and not (position in known and known[position] == value)
        }
        self._add(Kind.UPDATE, key, values, self.repeated())

    def UpdateDeleteRow(self, row: Any) -> None:  # noqa: N802
        self._add(Kind.DELETE, self._key(row), {})

    def _key(self, row: Any) -> tuple[Any, ...]:
        return tuple(msgspec.json.decode(row)) if self.row_key is not None else (row,)

    def _add(self, kind: Kind, key: tuple[Any, ...] | None, values: dict[int, Any], repeated: frozenset[int] = frozenset()) -> None:
        account = self.engine.account if isinstance(self.engine, Engine) else None
        conflict = _CONFLICTS.get(self._sqlite.vtab_on_conflict() if self._sqlite is not None else 0, Conflict.ABORT)
        self._writable().add(Change(self.table, kind, key, values, conflict, repeated, account=account))


_CONFLICTS = {apsw.SQLITE_REPLACE: Conflict.REPLACE, apsw.SQLITE_IGNORE: Conflict.IGNORE}


class Cursor:
    """A scan in progress: the page at hand, and the row in it; plain attribute access, because cursor tricks were measured to bring nothing.

    `Eof` is no method of Python's. SQLite takes no error from it, but an end: a ^C that Python noticed there would end the scan as if there were no more
    rows, and CREATE TABLE AS would keep what came so far. Python notices nothing within a function of C.
    """

    __slots__ = ("Eof", "_at", "_current", "_keys", "_page", "_pages", "_positions", "_repeated", "_row", "_table")

    def __init__(self, table: VirtualTable) -> None:
        self._table = table
        self._pages: Iterator[list[Row]] = iter(())
        self._page: list[Row] = []
        self._at = 0
        self._row: Row | None = None
        self._current: list[Row | None] = [None]
        self.Eof = functools.partial(self._current.__contains__, None)
        self._positions: dict[int, int] = {}
        self._keys: tuple[int, ...] = ()
        self._repeated: frozenset[int] = frozenset()

    def Filter(self, _: int, agreed: str, values: tuple[Any, ...]) -> None:  # noqa: N802
        agreement = index.read(agreed)
        table = self._table
        if table.rehearsal.on and not agreement.presumed_rows:
            table.rehearsal.scans.setdefault(agreed, values)
            self._row = self._current[0] = None
            return
        table.refuse()
        self._repeated = table.repeated()
        self._positions = {column: position for position, column in enumerate(agreement.columns)}
        if table.row_key is not None:
            self._keys = tuple(self._positions[position] for position in map(table.table.index, table.table.key) if position in self._positions)
        self._row = self._current[0] = None  # an inner loop that is run again looks for what is waiting in others, not here
        if agreement.presumed_rows:
            self._pages = iter([rows] if (rows := _presumed(agreement, values)) else [])
        elif agreement.copied and table.copy is not None and table.copies is not None:
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
        try:
            return self._row[self._positions[column]]  # type: ignore[index]  # SQLite asks for no column at the end
        except KeyError:
            return self._other(column)

    def _other(self, column: int) -> Any:
        """The column `row_key`: the values of the key, as a JSON array."""
        if column != self._table.row_key:
            raise errors.InternalError(f"{self._table.name}: column {column} was not agreed on")
        return msgspec.json.encode([self._row[position] for position in self._keys]).decode()  # type: ignore[index]

    def ColumnNoChange(self, column: int) -> Any:  # noqa: N802
        """A column that an UPDATE does not set: it is not written, unless Klaviyo would put it back to what it was at first."""
        return self.Column(column) if column in self._repeated else apsw.no_change

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


def _presumed(agreement: index.Agreement, values: tuple[Any, ...]) -> list[Row]:
    """The rows that a statement names by their keys, without asking whether they are there: Klaviyo says so when they are changed."""
    given: dict[int, list[Any]] = {}
    for (column, operator, _), value in zip(agreement.terms, values, strict=True):
        found = sorted((one for one in value or () if one is not None), key=str) if operator is Operator.IN else [value] if value is not None else []
        given[column] = [one for one in found if one in given[column]] if column in given else found
    return list(itertools.product(*(given[column] for column in agreement.columns)))


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
