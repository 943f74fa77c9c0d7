"""The PEP 249 cursor: rows are handed on as SQLite makes them, and pages fetched as SQLite wants rows."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import apsw
import apsw.ext

from klaviyo_sql import errors
from klaviyo_sql.copies import Snapshots
from klaviyo_sql.sqlite.handed_on import WORTH, handed_on
from klaviyo_sql.sqlite.types import bound
from klaviyo_sql.sqlite.virtual_tables import Cursor as Scan
from klaviyo_sql.statements.calls import is_call, rewritten

if TYPE_CHECKING:
    from klaviyo_sql.sqlite.connection import Connection

Parameters = Sequence[Any] | Mapping[str, Any]
_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)?\Z")
_NOTHING = re.compile(r"(?:\s|;|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))*\Z", re.DOTALL)
Description = tuple[tuple[str, str | None, None, None, None, None, bool | None], ...]
_NONE_READY: Iterator[tuple[Any, ...]] = iter(())


class Cursor:
    """One statement at a time, and its rows.

    Parameters are positional (`?`, `?3`) with a sequence, or named (`:name`, `@name`, `$name`) with a mapping.
    """

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._cursor: apsw.Cursor | None = connection.sqlite.cursor()
        began = weakref.WeakMethod(self._began)  # no cycle: a cursor that is dropped ends its statement at once
        self._cursor.exec_trace = lambda cursor, sql, bindings: (method := began()) is not None and method(cursor, sql, bindings)
        self._description: Description | None = None
        self._engine = connection.engine
        self._sqlite = connection.sqlite
        self._budget = connection.engine.budget
        self._rows: Iterator[tuple[Any, ...]] | None = None
        """What SQLite returns, row by row."""
        self._ready = _NONE_READY
        """Rows that it would only hand on, and that come before its next one."""
        self._scan: Scan | None = None
        """The scan whose rows it hands on, as far as that is known."""
        self._asked: tuple[str, Any] = ("", ())
        """What it was given: the statement and its parameters."""
        self._handed_on: tuple[int, ...] | None = None
        """The columns that it hands on; None: it was not looked at yet."""
        self._snapshots: Snapshots | None = None
        self._has_begun = False
        self.rowcount = -1
        self.lastrowid: int | None = None

    @property
    def description(self) -> Description | None:
        """(name, type code, None, None, None, None, None) of each column; None before a query and for statements without rows.

        The type code is the column's declared type, equal to STRING, NUMBER, DATETIME or BINARY; None for an expression.
        """
        return self._description

    def execute(self, sql: str, parameters: Parameters = ()) -> Self:
        """Execute one statement; ProgrammingError when there are several (see `executescript`)."""
        sql = rewritten(sql) if isinstance(sql, str) else sql
        cursor = self._start(sql)
        bindings = bindings_of(parameters)
        with self.connection.translating():
            self._refuse_several(sql)
            self._refuse_missing(sql, bindings)
            self.connection.keep_statistics(sql)
            sql = self.connection.counting(sql)
            self.connection.begin_before(sql)
            cached = self.connection.foretell(sql)
            before = self.connection.sqlite.total_changes()
            with self._forgetting():
                self._rows = iter(cursor.execute(sql, bindings, can_cache=cached))
            scan = self.connection.statement.alone()
            self._scan, self._asked = scan if isinstance(scan, Scan) else None, (sql, bindings)
        if self.connection.calls.due:
            self.connection.calls.send_due()
        self.connection.raise_bad_time()
        if self._description is None:
            self._settle(before)
        return self

    def executemany(self, sql: str, rows: Iterable[Parameters]) -> Self:
        """Execute a statement that returns no rows for each of the parameter sets; all of it is one transaction, with autocommit as well.

        A call is made for each of them by itself, and its rows are dropped.
        """
        if isinstance(sql, str) and is_call(sql):
            for parameters in rows:
                self.execute(sql, parameters).fetchall()
            return self
        cursor = self._start(sql)
        with self.connection.translating():
            self._refuse_several(sql)
            before = self.connection.sqlite.total_changes()
            with self.connection.together(sql), self._forgetting():
                cached = self.connection.foretell(sql)
                self._rows = iter(cursor.executemany(sql, self._one_by_one(rows), can_cache=cached))
                if self._description is not None:
                    raise errors.ProgrammingError("executemany() is for statements that return no rows; use execute()")
                self._settle(before)
        return self

    def _one_by_one(self, rows: Iterable[Parameters]) -> Iterator[Any]:
        """The parameters of each run, when the run before has ended."""
        for number, parameters in enumerate(rows):
            if number:
                self.connection.end_statement()
            yield bindings_of(parameters)

    def executescript(self, sql: str) -> Self:
        """Execute several statements; rows are dropped."""
        self._start(sql)
        self.connection.executescript(sql)
        return self

    def callproc(self, name: str, parameters: Parameters = ()) -> Parameters:
        """Call a procedure with values in order, or by name with a mapping; what it returns is fetched as the rows of a query are.

        No procedure changes the values that it is given: they are returned as they are.
        """
        self._check_open()
        if not isinstance(name, str) or not _NAME.match(name):
            raise errors.ProgrammingError(f"{name!r} is no name of a procedure. The table klaviyo_procedures lists them all.")
        if isinstance(parameters, Mapping):
            for given in parameters:
                if not isinstance(given, str) or not _NAME.match(given) or "." in given:
                    raise errors.ProgrammingError(f"{given!r} is no name of an input of {name}.")
            values = ", ".join(f"{given} => :{given}" for given in parameters)
        else:
            values = ", ".join("?" for _ in bindings_of(parameters))
        self.execute(f"CALL {name}({values})", parameters)
        return parameters

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, None after the last; ProgrammingError when nothing was asked."""
        return next(self, None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """The next `size` rows (default: `arraysize`), fewer at the end."""
        rows = []
        for _ in range(self.arraysize if size is None else size):
            row = next(self, None)
            if row is None:
                break
            rows.append(row)
        return rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        rows = self._results()
        left = list(self._ready)
        while (row := self._step(rows)) is not None:
            left.append(row)
            left += self._ready
            if self._scan is None:
                with self.connection.translating():
                    left += rows
        return left

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[Any, ...]:
        # The hot path of every query: no call that a row does not need.
        for row in self._ready:
            if self._sqlite.is_interrupted:
                break  # SQLite will say so
            return row
        rows = self._rows if self._description is not None else None
        found = self._step(self._results() if rows is None else rows)
        if found is None:
            raise StopIteration
        return found

    def _step(self, rows: Iterator[tuple[Any, ...]]) -> tuple[Any, ...] | None:
        """The next of the rows that SQLite returns, None after the last; those that it would only hand on after it are ready then."""
        self._ready = _NONE_READY
        self._engine.budget = self._budget  # other cursors' statements may have run in between
        if self._snapshots is not None:
            self.connection.copies.current = self._snapshots
        try:
            row = next(rows, None)
        except apsw.Error as error:
            raise self.connection.translated(error) from None
        if row is None:
            self._ended()
        if self.connection.bad_time is not None:
            self.connection.raise_bad_time()
        if self.connection.calls.due:
            self.connection.calls.send_due()
        if row is not None and self._scan is not None:
            self._ready = self._behind(row, self._scan)
        return row

    def _behind(self, row: tuple[Any, ...], scan: Scan) -> Iterator[tuple[Any, ...]]:
        """The rows behind this one in its page, as SQLite would hand them on; none when it would do more, or that is not known yet."""
        if self._handed_on is None:
            if scan.waiting < WORTH:
                return _NONE_READY
            self._handed_on = handed_on(self._sqlite, *self._asked, scan.agreed)
        ready = scan.hand_on(row, self._handed_on) if self._handed_on is not None else None
        if ready is None:
            self._scan = None
            return _NONE_READY
        return ready

    def close(self) -> None:
        """Drop the statement and its rows; the cursor cannot be used again."""
        cursor, self._cursor = self._cursor, None
        self._forget_rows()
        if cursor is not None:
            cursor.close(True)
        self._ended()

    def abandon(self) -> None:
        """Forget the rows without touching SQLite: this is a forked child, and the cursor is the parent's."""
        self._forget_rows()

    def _forget_rows(self) -> None:
        self._rows, self._ready, self._scan, self._handed_on = None, _NONE_READY, None, None

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Nothing to prepare; PEP 249 allows that."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Nothing to prepare; PEP 249 allows that."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _start(self, sql: str) -> apsw.Cursor:
        cursor = self._check_open()
        if not isinstance(sql, str):
            raise errors.ProgrammingError(f"a statement is a text, not {type(sql).__name__}")
        self.connection.prepare(sql)
        self._description = None
        self._forget_rows()
        self._snapshots = None
        self.rowcount = -1
        self.lastrowid = None
        return cursor

    def _began(self, cursor: apsw.Cursor, sql: str, bindings: Any) -> bool:
        """SQLite has prepared the statement and not run it: the one moment when the columns of a query without rows are known."""
        self._has_begun = True
        columns = cursor.get_description()
        self._budget = self.connection.begin_statement(sql)
        self._description = tuple((name, declared, None, None, None, None, None) for name, declared in columns) or None
        if self.connection.copies.active:
            self._snapshots = self.connection.copies.current
        return True

    def _ended(self) -> None:
        """The statement has no more rows: what it saw may be let go."""
        snapshots, self._snapshots = self._snapshots, None
        if snapshots is not None:
            snapshots.close()

    def _refuse_several(self, sql: str) -> None:
        if ";" not in sql.rstrip().rstrip(";"):
            return
        if not _NOTHING.match(apsw.ext.query_info(self.connection.sqlite, sql).query_remaining or ""):
            raise errors.ProgrammingError("execute() takes one statement; use executescript() for several")

    def _refuse_missing(self, sql: str, bindings: Any) -> None:
        """SQLite would take NULL for a named parameter that is not given."""
        if isinstance(bindings, Mapping):
            for name in apsw.ext.query_info(self.connection.sqlite, sql).bindings_names:
                if name is not None and name not in bindings:
                    raise errors.ProgrammingError(f"no value is given for the parameter :{name}")

    @contextmanager
    def _forgetting(self) -> Iterator[None]:
        """What a statement was to write is forgotten when it fails; one that SQLite could not even prepare leaves what earlier ones write alone."""
        self._has_begun = False
        try:
            yield
        except BaseException:
            if self._has_begun:
                self.connection.forget_statement()
            raise

    def _settle(self, changes_before: int) -> None:
        """What a statement without rows did."""
        self._ended()
        self.connection.end_statement()
        sqlite = self.connection.sqlite
        changed = sqlite.total_changes() - changes_before
        self.rowcount = changed
        self.lastrowid = sqlite.last_insert_rowid() or None

    def _results(self) -> Iterator[tuple[Any, ...]]:
        self._check_open()
        if self._rows is None or self._description is None:
            raise errors.ProgrammingError("there are no rows to fetch: execute a query first")
        return self._rows

    def _check_open(self) -> apsw.Cursor:
        if self._cursor is None:
            raise errors.InterfaceError("The cursor is closed.")
        if self.connection.sqlite is None:
            raise errors.InterfaceError("The connection is closed.")
        return self._cursor


def is_nothing(sql: str) -> bool:
    """Whether the text has no statement: spaces, comments and semicolons."""
    return bool(_NOTHING.match(sql))


def bindings_of(parameters: Parameters) -> Any:
    """Parameters as SQLite takes them; ProgrammingError when they are neither a sequence nor a mapping."""
    if isinstance(parameters, Mapping):
        return {name: bound(value) for name, value in parameters.items()}
    if isinstance(parameters, str | bytes) or not isinstance(parameters, Sequence):
        raise errors.ProgrammingError("parameters are a sequence, or a mapping for named ones; a single one is written (value,)")
    return tuple(bound(value) for value in parameters)
