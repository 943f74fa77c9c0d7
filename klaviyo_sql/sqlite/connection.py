"""The PEP 249 connection: SQLite in this process with the account's tables in it."""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import apsw
import apsw.ext
import httpx

from klaviyo_sql import errors
from klaviyo_sql.engine import Engine
from klaviyo_sql.fetch import Budget, Limits, RequestLog
from klaviyo_sql.fetch.forking import renew_after_fork
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.clock import Clock
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Table
from klaviyo_sql.session.schemas import MODULES, OWN, Schema
from klaviyo_sql.session.session import Known, Reach, Session
from klaviyo_sql.settings import COUNTING, Settings
from klaviyo_sql.sqlite import procedures, qualified, schemas
from klaviyo_sql.sqlite.cursor import Cursor, Parameters, is_nothing
from klaviyo_sql.sqlite.failures import no_table, translated
from klaviyo_sql.sqlite.outer_tables import OuterTables
from klaviyo_sql.sqlite.virtual_tables import Module, PropertiesModule, RowsModule, SchemaModule, VirtualTable
from klaviyo_sql.statements.calls import end, is_call, mentions_call
from klaviyo_sql.statements.guards import is_unbounded
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.reports import REPORTS
from klaviyo_sql.vocabularies import VOCABULARIES
from klaviyo_sql.write.changes import Kind

if TYPE_CHECKING:
    from klaviyo_sql.sandbox import Sandbox

_KINDS = {apsw.SQLITE_INSERT: Kind.INSERT, apsw.SQLITE_UPDATE: Kind.UPDATE, apsw.SQLITE_DELETE: Kind.DELETE}
_STEPS_BETWEEN_LOOKS = 20_000  # of SQLite's machine: some tenths of a millisecond

_WRITES = re.compile(r"\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*(?:INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE | re.DOTALL)
_SELECTS = re.compile(r"\bSELECT\b", re.IGNORECASE)
"""Where there is no SELECT there is no join, and nothing to weigh."""
_STARTS_WITH = re.compile(r"\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*WITH\b", re.IGNORECASE | re.DOTALL)
_MENTIONED = re.compile(
    rf"\b(?:{'|'.join((*(name for table in (*TABLES.values(), *REPORTS.values()) for name in table.names), *VOCABULARIES))})\b", re.IGNORECASE
)
_VOCABULARY = re.compile(rf"\b({'|'.join(VOCABULARIES)})\b", re.IGNORECASE)
_COUNTS_EVENTS = re.compile(r"(?=.*\bevents\b).*\b(?:count|sum|total)\b", re.IGNORECASE | re.DOTALL)


class Connection:
    """A database connection in which the account's tables are tables.

    Ordinary tables, views and temporary tables live beside them, in `database` (a file) or in memory. One thread at a time may use it. As PEP 249
    wants it, a transaction begins by itself before a statement that writes, unless `autocommit` is true.
    """

    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    def __init__(
        self,
        settings: Settings,
        *,
        database: str | Path = ":memory:",
        autocommit: bool = False,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        limits: Limits | None = None,
        sandbox: Sandbox | None = None,
        tables: Mapping[str, Table] = TABLES,
        reach: Reach | None = None,
    ) -> None:
        self.autocommit = autocommit
        self.sandbox = sandbox
        """The sandbox that answers instead of Klaviyo, if any."""
        self._closed = False
        self._inherited = False
        self.bad_time: str | None = None
        self._attached: set[str] = set()
        try:
            self._sqlite = apsw.Connection(str(database))
        except apsw.Error as error:
            raise errors.OperationalError(f"The database file {str(database)!r} cannot be opened: {translated(error, list)}") from None
        self.session = Session(
            settings,
            interrupted=self._is_interrupted,
            transport=transport,
            clock=clock,
            limits=limits,
            tables=tables,
            reach=reach,
            sandboxed=sandbox is not None,
        )
        """The accounts and their tables."""
        self.engine = self.session.engine
        self.rehearsal = self.session.rehearsal
        self.statement = self.session.statement
        self._outer_tables = OuterTables(self._sqlite, lambda schema: self.session.schema(schema) is not None and schema.lower() not in ("main", "temp"))
        self.statement.elsewhere = self._outer_tables.below
        self.copies = self.session.copies
        self._counted_at = 0
        self._cursors: weakref.WeakSet[Cursor] = weakref.WeakSet()
        self._write = settings.write
        self.writer = self.session.writer
        """What carries out changes, and remembers what became of each."""
        self._pending = self.session.pending
        self._targets = self.session.targets
        self.calls = self.session.calls
        """What carries out procedures."""
        self._counts = self.session.counts
        self._unattached = [self.session.own_schema, *self.session.schemas.values()]
        self.virtual_tables: dict[str, VirtualTable] = {}
        """Klaviyo's tables that statements have used, by the names that agreements on scans have them by."""
        self._register()
        self._sqlite.set_progress_handler(self._progress, _STEPS_BETWEEN_LOOKS, id="time")
        renew_after_fork(self)

    def renew(self) -> None:
        """In a forked child the connection is the parent's: SQLite forbids to use it there, and the threads that read pages are not there."""
        self._inherited = True
        for cursor in list(self._cursors):
            cursor.abandon()

    def engine_of(self, account: str) -> Engine:
        """The engine of a named account, made when it is first asked for."""
        return self.session.engine_of(account)

    @property
    def schemas(self) -> dict[str, Schema]:
        """The sets of tables beside the connection's own: one for each named account, and one for all of them."""
        return self.session.schemas

    @property
    def max_requests(self) -> int | None:
        """Requests that one statement may send; None: any number. This and the three below hold for statements that begin after they are set."""
        return self.session.max_requests

    @max_requests.setter
    def max_requests(self, most: int | None) -> None:
        self.session.max_requests = most

    @property
    def max_rows(self) -> int | None:
        """Rows that one statement may read from Klaviyo; None: any number."""
        return self.session.max_rows

    @max_rows.setter
    def max_rows(self, most: int | None) -> None:
        self.session.max_rows = most

    @property
    def count_requests(self) -> int | None:
        """Requests that each scan may send whose rows are only counted; None: any number."""
        return self.session.count_requests

    @count_requests.setter
    def count_requests(self, most: int | None) -> None:
        self.session.count_requests = most

    @property
    def statement_timeout(self) -> float | None:
        """Seconds that one statement may take from its start to its last row; None: any time."""
        return self.session.statement_timeout

    @statement_timeout.setter
    def statement_timeout(self, seconds: float | None) -> None:
        self.session.statement_timeout = seconds

    def _virtual_table(self, known: Known) -> VirtualTable:
        found = self.virtual_tables[known.name] = VirtualTable(known, self.session)
        return found

    def _register(self) -> None:
        """Make the account's tables known, under all their names, and the tables about the driver."""
        sqlite = self._sqlite
        sqlite.set_busy_timeout(5_000)
        sqlite.create_collation(timestamps.COLLATION, self._compare_instants)
        sqlite.create_collation(timestamps.COLLATION_OF_ANYTHING, timestamps.compare)
        session = self.session
        for known, read_only in session.own():
            self._create_module(known.name, Module(self._virtual_table(known)), read_only=read_only)
        for name, read_only in zip(MODULES, (False, True), strict=True):
            module = SchemaModule(lambda schema, table, arguments: self._virtual_table(session.listed_table(schema, table, arguments)))
            self._create_module(name, module, read_only=read_only, eponymous=False)
        declared = PropertiesModule(lambda schema, name, arguments: self._virtual_table(session.table_with_properties(schema, name, arguments)))
        self._create_module("klaviyo", declared, read_only=not self._write, eponymous=False)
        for own, rows in session.own_tables():
            self._create_module(own.name, RowsModule(own.ddl, rows), read_only=True)
        sqlite.create_scalar_function("refresh", session.refresh, -1, flags=apsw.SQLITE_DIRECTONLY)
        sqlite.create_scalar_function("last_insert_id", session.last_insert_id, 0)
        procedures.register(sqlite, self.calls)
        sqlite.authorizer = self._targets.authorize if self._write else self._authorize_reading
        if self.copies.active:
            # Statements that no cursor of ours runs, as in a script; each of ours says itself when its statement begins.
            sqlite.exec_trace = lambda *_: self.copies.begin() is not None

    def _authorize_reading(self, operation: int, first: str | None, second: str | None, *_: str | None) -> int:
        """SQLite's authorizer on a read-only connection: what would act is refused before anything is read for it."""
        if operation == apsw.SQLITE_FUNCTION and second is not None:
            self.calls.refuse(second)
        elif operation == apsw.SQLITE_READ and first is not None:
            self.calls.refuse(first)
        return apsw.SQLITE_OK

    def _create_module(self, name: str, module: Any, *, read_only: bool = False, eponymous: bool = True) -> None:
        # Version 2 has savepoints; of the later ones apsw allows 33 modules in a process.
        self._sqlite.create_module(name, module, use_bestindex_object=True, use_no_change=True, iVersion=2, eponymous=eponymous, read_only=read_only)

    def _compare_instants(self, left: str, right: str) -> int:
        """The collating sequence of time columns. It cannot raise: what is no time is remembered, and the cursor raises."""
        if self.bad_time is None:
            for text in (left, right):
                if not _may_be_a_time(text):
                    self.bad_time = text
        return timestamps.compare(left, right)

    def raise_bad_time(self) -> None:
        """DataError when a time column was compared with a text that is no time where no scan could see it."""
        text, self.bad_time = self.bad_time, None
        if text is not None:
            raise errors.DataError(errors.no_time(text))

    # PEP 249

    def cursor(self) -> Cursor:
        """A new cursor."""
        self._check_open()
        cursor = Cursor(self)
        self._cursors.add(cursor)
        return cursor

    def execute(self, sql: str, parameters: Parameters = ()) -> Cursor:
        """A new cursor on which the statement has been executed."""
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Parameters]) -> Cursor:
        """A new cursor on which the statement has been executed for each of the rows of parameters."""
        return self.cursor().executemany(sql, rows)

    def executescript(self, sql: str) -> None:
        """Execute several statements; rows are dropped."""
        self._check_open()
        if self._pending is not None or mentions_call(sql):
            # One by one, for it has to be known of each what it writes to, and SQLite does not know calls.
            for statement in self._statements(sql):
                with self.cursor() as one:
                    one.execute(statement)
                    if one.description is not None:
                        one.fetchall()
            return
        self.prepare(sql)
        cursor = self._sqlite.cursor()
        cursor.exec_trace = lambda _, text, __: self.begin_statement(text) is not None
        with self.translating():
            for _ in cursor.execute(sql):
                pass

    def _statements(self, sql: str) -> Iterator[str]:
        """The statements of a script, one after another: each is found when those before it have been executed."""
        while not is_nothing(sql):
            if is_call(sql):
                behind = end(sql)
                yield sql[:behind]
                sql = sql[behind:]
                continue
            self.prepare(sql)
            with self.translating():
                rest = apsw.ext.query_info(self._sqlite, sql).query_remaining or ""
            yield sql[: len(sql) - len(rest)]
            sql = rest

    def commit(self) -> None:
        """Send what was written to the account's tables, and make what was written to ordinary ones permanent.

        WriteFailed when rows could not be written; then what was written to ordinary tables is taken back, and klaviyo_writes tells what was sent.
        """
        self._end_transaction("COMMIT")

    def rollback(self) -> None:
        """Take back what was written since the last commit: nothing of it is sent."""
        self._end_transaction("ROLLBACK")

    @property
    def waiting(self) -> int:
        """How many changed rows wait for commit() to be sent."""
        return len(self._pending) if self._pending is not None else 0

    def planned(self) -> list[Request]:
        """The requests that commit() would send now, in their order; none on a connection that does not write."""
        self._check_open()
        return [shipment.request for shipment in self._pending.planned()] if self._pending is not None else []

    @contextmanager
    def rehearsing(self) -> Iterator[Callable[[], list[Request]]]:
        """Statements that are executed within read nothing of the account, write nothing to it, and are taken back at the end.

        What it gives tells the requests that they would have made to write.
        """
        pending = self._pending
        with pending.aside() if pending is not None else nullcontext():
            self.sqlite.execute("SAVEPOINT klaviyo_rehearsal")
            self.rehearsal.begin()
            try:
                yield self.planned
            finally:
                self.rehearsal.on = False
                if pending is not None:
                    pending.roll_back()
                if self._sqlite.in_transaction:  # some failures end the transaction
                    self._sqlite.execute("ROLLBACK TO klaviyo_rehearsal; RELEASE klaviyo_rehearsal")

    def written_by(self, sql: str) -> list[tuple[Table, Kind]]:
        """The account's tables that the statement writes to, and how."""
        found: dict[tuple[str, Kind], Table] = {}
        self.foretell(sql)
        for action in apsw.ext.query_info(self._sqlite, sql, actions=True).actions or ():
            kind = _KINDS.get(action.action)
            if kind is None or action.table_name is None or action.database_name is None:
                continue
            table = self._account_table(action.database_name, action.table_name)
            if table is not None:
                found[table.name, kind] = table
        return [(table, kind) for (_, kind), table in found.items()]

    def _account_table(self, schema_name: str, name: str) -> Table | None:
        """The declaration of a table of the account; None for an ordinary one."""
        if known := self.virtual_tables.get(f"{schema_name}.{name}"):
            return known.table
        if self._listed(schema_name, name) is None:
            return None
        schema = self.session.schema(schema_name)
        return schema.table(name) if schema is not None else None

    def close(self) -> None:
        """Close the connection and its cursors, taking back what was not committed; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._inherited:
            _abandoned.append(self._sqlite)
            return
        for cursor in list(self._cursors):
            cursor.close()
        self._sqlite.close(True)
        self.session.close()

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Commit, or roll back after an exception, and close."""
        try:
            if not self._closed:
                if kind is None:
                    self.commit()
                else:
                    self.rollback()
        finally:
            self.close()

    # More than PEP 249

    def interrupt(self) -> None:
        """End the running statement with Interrupted; may be called from any thread."""
        self._check_open()
        self._sqlite.interrupt()

    @property
    def in_transaction(self) -> bool:
        """Whether something was written to ordinary tables and not committed yet."""
        self._check_open()
        return self._sqlite.in_transaction

    @property
    def requests(self) -> RequestLog:
        """Every request of this connection, as the table klaviyo_requests shows them."""
        return self.session.log

    def forget(self) -> None:
        """Empty the page cache, so that the next query reads everything anew."""
        self.session.forget()

    def tables(self, schema: str = "main") -> Iterable[Table]:
        """The declarations of the account's tables, or of those of a schema such as a named account; ProgrammingError when there is none of that name."""
        found = self.session.schema(schema)
        if found is None:
            raise errors.ProgrammingError(f"There is no account or schema {schema}.")
        return found.tables.values()

    # For the cursor

    @property
    def sqlite(self) -> apsw.Connection:
        """SQLite's own connection; InterfaceError when closed."""
        self._check_open()
        return self._sqlite

    def begin_before(self, sql: str) -> None:
        """Begin a transaction before a statement that writes."""
        if not self.autocommit and not self._sqlite.in_transaction and (_WRITES.match(sql) or self._is_writing_cte(sql)):
            self._sqlite.execute("BEGIN")

    @contextmanager
    def together(self, sql: str) -> Iterator[None]:
        """A statement that is executed many times is one transaction, so that what it writes goes together; with autocommit that ends here."""
        if not self.autocommit or self._sqlite.in_transaction or not (_WRITES.match(sql) or self._is_writing_cte(sql)):
            self.begin_before(sql)
            yield
            return
        self._sqlite.execute("BEGIN")
        try:
            yield
        except BaseException:
            if self._sqlite.in_transaction:
                self._sqlite.execute("ROLLBACK")
            raise
        self._end_transaction("COMMIT")

    def foretell(self, sql: str) -> bool:
        """The text is about to be prepared, which shows what it writes to: so one that writes must not come from the cache of prepared statements.

        Whether it may come from there.
        """
        if self._pending is None:
            return True
        self._targets.begin(sql, unbounded=is_unbounded(sql))
        return not (_WRITES.match(sql) or _STARTS_WITH.match(sql))

    def end_statement(self) -> None:
        """A statement that returns no rows has run; ProgrammingError when it touched more rows than it may."""
        if self._pending is not None:
            self._pending.end_statement()

    def forget_statement(self) -> None:
        """A statement has failed: what it was to write is forgotten."""
        if self._pending is not None:
            self._pending.forget_statement()

    def begin_statement(self, sql: str) -> Budget:
        """A new statement is about to run: it sees Klaviyo anew, and from now on everything counts for its budget."""
        self._outer_tables.begin(sql)
        return self.session.begin_statement()

    def counting(self, sql: str) -> str:
        """The statement as SQLite is to read it: where counts of events may come from metric aggregates, it reads counts instead of events."""
        if self._counts == COUNTING[0] or not _COUNTS_EVENTS.match(sql):
            return sql
        from klaviyo_sql.statements.counting import counted  # the parser takes a third of a second to load

        edited = counted(sql, sums=self._counts == COUNTING[-1])
        return edited if edited is not None and not self._has_own_events() and self._looks_the_same(sql, edited) else sql

    def _has_own_events(self) -> bool:
        """Whether an ordinary table or view is called events, which comes before the account's."""
        named = "SELECT 1 FROM {}.sqlite_schema WHERE name = 'events' COLLATE NOCASE"
        return any(self._sqlite.execute(named.format(schema)).fetchall() for schema in ("temp", "main"))

    def _looks_the_same(self, sql: str, edited: str) -> bool:
        """Whether both statements are ones to SQLite, and their results have the same names and declared types."""
        try:
            before, after = (apsw.ext.query_info(self._sqlite, text) for text in (sql, edited))
        except (apsw.Error, errors.Error):
            return False
        return before.description == after.description and before.bindings_names == after.bindings_names

    def keep_statistics(self, sql: str) -> None:
        """Let SQLite count the rows of ordinary tables in memory before they meet Klaviyo's in a query.

        SQLite takes a table that was never analyzed to have a million rows, and would rather read every profile than look up a handful. Database
        files are left alone: ANALYZE is for their owner to run.
        """
        sqlite = self._sqlite
        changes = sqlite.total_changes()
        if changes == self._counted_at or not _SELECTS.search(sql) or not _MENTIONED.search(sql):
            return
        sqlite.execute("PRAGMA analysis_limit = 1000")
        for schema in ("main", "temp"):
            if not sqlite.db_filename(schema):
                sqlite.execute(f"ANALYZE {schema}")
        self._counted_at = sqlite.total_changes()

    def _is_writing_cte(self, sql: str) -> bool:
        return bool(_STARTS_WITH.match(sql)) and not apsw.ext.query_info(self._sqlite, sql).is_readonly

    def prepare(self, sql: str) -> None:
        """What comes before every statement: the first one attaches the schemas, which reads the database file.

        ProgrammingError when a table is named in a schema that does not have it: SQLite would take the connection's own of that name.

        The same when one of the account's tables is to be dropped.
        """
        if self._unattached:
            with self.translating():
                schemas.attach(self._sqlite, self._unattached, write=self._write)
            self._unattached = []
        if "." in sql:
            self._attach_vocabularies(sql)
        dropped = qualified.dropped(sql, self._listed)
        if dropped is not None:
            raise errors.ProgrammingError(f"{dropped} cannot be dropped: it is a table of the account.")
        found = qualified.missing(sql, self._sqlite.table_exists)
        if found is not None:
            raise errors.ProgrammingError(no_table(f"{found[0]}.{found[1]}", self.session.tables()))

    def _attach_vocabularies(self, sql: str) -> None:
        """Make those known that the statement mentions; a database that was attached under such a name stays what it is."""
        for name in sorted({found.lower() for found in _VOCABULARY.findall(sql)} - self._attached):
            known = {schema.lower() for _, schema, _ in self._sqlite.execute("PRAGMA database_list")}
            schema = self.session.vocabulary(name)
            if schema is not None and name not in known:
                with self.translating():
                    schemas.attach(self._sqlite, (schema,), write=self._write)
                self._attached.add(name)

    def _listed(self, schema: str | None, name: str) -> str | None:
        """The schema of the account's table that a name means, if it means one: tables of the database itself go before them."""
        places = (schema,) if schema is not None else ("temp", "main", OWN)
        found = next((place for place in places if self._sqlite.table_exists(place, name)), None)
        if found is None or found.lower() in ("temp", "main") or (found.lower() in VOCABULARIES and found.lower() not in self._attached):
            return None
        return found if self.session.schema(found) is not None else None

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Exceptions of apsw become those of PEP 249."""
        try:
            yield
        except apsw.Error as error:
            raise self.translated(error) from None

    def translated(self, error: apsw.Error) -> errors.Error:
        """The exception of PEP 249 for one of apsw's."""
        return translated(error, self.session.tables, write=self._write)

    def _end_transaction(self, statement: str) -> None:
        self._check_open()
        if self._sqlite.in_transaction:
            self.begin_statement(statement)
            with self.translating():
                self._sqlite.execute(statement)

    def _progress(self) -> bool:
        """SQLite computes, and asks from time to time whether to go on."""
        self.engine.budget.check_time()
        return False

    def _is_interrupted(self) -> bool:
        return not self._closed and bool(self._sqlite.is_interrupted)

    def _check_open(self) -> None:
        if self._closed:
            raise errors.InterfaceError("The connection is closed.")
        if self._inherited:
            raise errors.InterfaceError("The connection belongs to the process that opened it: open one in this process, after the fork.")


_abandoned: list[apsw.Connection] = []
"""What a forked child inherited and let go of: kept, for closing it would reach into the parent's file locks."""
_TIME_LIKE = threading.local()


def _may_be_a_time(text: str) -> bool:
    """Whether the text is a time; the last one seen is remembered, because a scan compares every row with the same text."""
    if len(text) == 19 and text[4] == text[7] == "-" and text[10] == " ":
        return True
    known: dict[str, bool] | None = getattr(_TIME_LIKE, "known", None)
    if known is None or len(known) > 100:
        known = _TIME_LIKE.known = {}
    if text not in known:
        try:
            timestamps.parse(text)
            known[text] = True
        except ValueError:
            known[text] = False
    return known[text]
