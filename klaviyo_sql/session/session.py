"""A session: the accounts that a connection reaches, their tables, and what the running statement may use."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import httpx
import msgspec

from klaviyo_sql import custom_properties, errors
from klaviyo_sql.copies import Copies, CopyFile, View
from klaviyo_sql.engine import Engine, Scans
from klaviyo_sql.fetch import Budget, Client, Limits, RequestLog
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model.clock import Clock, SystemClock
from klaviyo_sql.model.table import Table
from klaviyo_sql.plan.constraints import Constraint, Operator
from klaviyo_sql.session import all_accounts, introspection, own_tables, schemas
from klaviyo_sql.session.all_accounts import AllAccounts
from klaviyo_sql.session.calls import Calls
from klaviyo_sql.session.own_tables import OwnTable
from klaviyo_sql.session.pending import Pending
from klaviyo_sql.session.rehearsal import Rehearsal
from klaviyo_sql.session.schemas import Schema
from klaviyo_sql.session.statement import Statement
from klaviyo_sql.session.targets import Targets
from klaviyo_sql.settings import COUNTING, ON_ERROR, Settings
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.event_counts import EVENT_COUNTS
from klaviyo_sql.tables.events import EVENTS
from klaviyo_sql.tables.reports import REPORTS
from klaviyo_sql.vocabularies import VOCABULARIES
from klaviyo_sql.writer import Manner, Writer

Reach = Callable[[str], tuple[httpx.BaseTransport | None, Limits | None]]
"""How a named account is reached that is not the connection's own: its transport and its limits (None: those of the process)."""


class Known(NamedTuple):
    """A table that a statement may name: its name among all tables of the session, its declaration, who scans it, and which local copy does, if any."""

    name: str
    table: Table
    engine: Scans
    view: View | None
    keyed: bool = False
    """Whether SQLite takes the table to be one that can be written, even if Klaviyo does not write it."""


class Session:
    """What an adapter to SQLite needs of everything below it; one thread at a time may use it."""

    def __init__(
        self,
        settings: Settings,
        *,
        interrupted: Callable[[], bool],
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        limits: Limits | None = None,
        tables: Mapping[str, Table] = TABLES,
        reach: Reach | None = None,
        sandboxed: bool = False,
    ) -> None:
        """`interrupted` says whether the running statement is to end; any thread calls it."""
        self.settings = settings
        self.max_requests = settings.max_requests
        self.max_rows = settings.max_rows
        self.statement_timeout = settings.statement_timeout
        self.count_requests = settings.count_requests
        # A local copy of the events counts them without any request, and as they were when it was made fresh.
        self.counts = COUNTING[0] if EVENTS.name in settings.materialized else settings.counts
        self.declared = {**tables, **REPORTS}
        self.log = RequestLog()
        self.statement = Statement()
        self.engines: dict[str | None, Engine] = {}
        self._interrupted = interrupted
        self._clock = clock
        self.reach: Reach = reach or (lambda _: (transport, None))
        self._vocabularies: dict[str, Schema] = {}
        self.engine = self._engine_of(settings.account, transport, limits)
        # The sandbox is made anew for each process, and so are the copies of it that no file is named for.
        file = CopyFile(settings.copy_file, self.engine.client.account, temporary=sandboxed, poll=self._poll)
        self.copies = Copies(self.engine, clock or SystemClock(), file, settings.materialized)
        manner = Manner(
            dry_run=settings.dry_run,
            go_on=settings.on_error == ON_ERROR[1],
            job_patience=settings.job_timeout,
            audit_file=settings.audit_file,
            max_writes=settings.max_writes or None,
        )
        self.writer = Writer(
            lambda name: self.engine if name == self.engine.account else self.engine_of(name or ""), clock or SystemClock(), manner, self._poll
        )
        """What carries out changes, and remembers what became of each."""
        self.pending = Pending(self.writer, self.copies.written) if settings.write else None
        """What waits for COMMIT, if the session may write."""
        self.targets = Targets()
        self.rehearsal = Rehearsal()
        self.calls = Calls(self.writer, lambda: self.engine, self.pending, self.rehearsal)
        """What carries out procedures."""
        self.schemas: dict[str, Schema] = {schema.name: schema for schema in self._account_schemas()}
        """The sets of tables beside the connection's own: one for each named account, and one for all of them."""

    def close(self) -> None:
        """Close the ways to Klaviyo and the copies."""
        for engine in self.engines.values():
            engine.client.close()
        self.copies.close()

    def forget(self) -> None:
        """Empty the page cache, so that the next query reads everything anew."""
        for engine in self.engines.values():
            engine.client.forget()

    def begin_statement(self) -> Budget:
        """A new statement is about to run: it sees Klaviyo anew, and from now on everything counts for its budget."""
        self.statement.begin()
        self.calls.begin_statement()
        if self.pending is not None:
            self.pending.begin_statement()
        if self.copies.active:
            self.copies.begin()
        self.engine.budget = self.engine.new_budget(
            max_requests=self.max_requests, max_rows=self.max_rows, seconds=self.statement_timeout, count_requests=self.count_requests
        )
        return self.engine.budget

    # Accounts

    def engine_of(self, account: str) -> Engine:
        """The engine of a named account, made when it is first asked for."""
        return self.engines.get(account) or self._engine_of(account, *self.reach(account))

    def _engine_of(self, account: str | None, transport: httpx.BaseTransport | None, limits: Limits | None) -> Engine:
        """The engine of an account, with a client and limits of its own."""
        settings = self.settings
        key, server, no_key = settings.key_and_server(account)
        client = Client(
            api_key=key,
            base_url=server,
            transport=transport,
            clock=self._clock,
            timeout=settings.timeout,
            max_wait=settings.max_wait,
            cache_seconds=settings.cache_seconds,
            cache_bytes=settings.cache_bytes,
            limits=limits,
            state_folder=settings.state_folder,
            interrupted=self._interrupted,
            log=self.log,
            account=account,
            no_key=no_key,
        )
        clock = self._clock or SystemClock()
        lead = next(iter(self.engines.values()), None)
        engine = Engine(
            client, clock, self.declared, parallel=settings.parallel, poll=self._poll, account=account, lead=lead, counts=settings.counts != COUNTING[0]
        )
        self.engines[account] = engine
        return engine

    def _poll(self) -> None:
        if self._interrupted():
            raise errors.Interrupted("The statement was interrupted.")

    # Schemas and tables

    @property
    def own_schema(self) -> Schema:
        """The connection's own tables."""
        return Schema(schemas.OWN, self.declared, lambda: self.engine)

    def _account_schemas(self) -> Iterator[Schema]:
        """The named accounts, and all of them together."""
        engines = {name: functools.partial(self.engine_of, name) for name in self.settings.accounts}
        for name, engine in engines.items():
            yield Schema(name, self.declared, engine)
        if engines:
            everybody = AllAccounts(engines, self.declared)
            yield Schema(all_accounts.SCHEMA, self.declared, lambda: everybody, everybody.joint)

    def schema(self, name: str | None) -> Schema | None:
        """The schema of that name, in whatever case it is written; without a name, or as main, the connection's own tables."""
        if name is None or name.lower() in ("main", schemas.OWN):
            return self.own_schema
        return next((schema for schema in self.schemas.values() if schema.name.lower() == name.lower()), None) or self.vocabulary(name.lower())

    def is_only_read(self, name: str) -> bool:
        """Whether no table of the schema can be written to."""
        schema = self.schema(name)
        return schema is not None and schema.seen_as is not None

    def vocabulary(self, name: str) -> Schema | None:
        """The account's tables under the names of another system, made when it is first mentioned."""
        if name in VOCABULARIES and name not in self._vocabularies:
            self._vocabularies[name] = Schema(name, VOCABULARIES[name].tables(self.declared), lambda: self.engine)
        return self._vocabularies.get(name)

    def tables(self) -> list[tuple[str, Iterable[Table]]]:
        """Every schema with its tables, the connection's own first; of vocabularies those that were mentioned."""
        found = (*self.schemas.values(), *self._vocabularies.values())
        return [("main", self.declared.values()), *((schema.name, schema.tables.values()) for schema in found)]

    def all_tables(self) -> list[tuple[str, Iterable[Table]]]:
        """The same with every vocabulary."""
        for name in VOCABULARIES:
            self.vocabulary(name)
        return self.tables()

    def own(self) -> Iterator[tuple[Known, bool]]:
        """The connection's own tables under all their names, functions that return tables among them; each with whether it is only ever read.

        SQLite lets a table WITHOUT ROWID be written to only when its key is one column.
        """
        for declared in self.declared.values():
            for table in schemas.spelled(declared):
                yield self._known(table.name, table, self.engine), schemas.is_only_read(table, write=self.settings.write)
        if self.counts != COUNTING[0]:
            yield self._known(EVENT_COUNTS.name, EVENT_COUNTS, self.engine), True

    def own_table(self, name: str) -> Known:
        """One of the connection's own tables, or of the functions that return tables, in whatever case its name is written; ProgrammingError."""
        return self.table_of_schema(schemas.OWN, name)

    def table_of_schema(self, schema_name: str, name: str) -> Known:
        """The table of a schema; ProgrammingError when there is none of that name."""
        schema = self.schema(schema_name)
        table = schema.table(name) if schema else None
        if schema is None or table is None:
            raise errors.ProgrammingError(f"There is no table {schema_name}.{name}. The table klaviyo_tables lists them all.")
        if schema.name == schemas.OWN:
            return self._known(table.name, table, schema.engine())
        return self._known(f"{schema.name}.{table.name}", table, schema.engine(), self._view(schema.name, table))

    def _view(self, vocabulary: str, table: Table) -> View | None:
        """How an object of another system is answered from the copy of the account's table, where there is one."""
        if vocabulary not in VOCABULARIES:
            return None
        origin = VOCABULARIES[vocabulary].origin(table, self.declared)
        base = self.declared[origin.base]
        view = self.copies.view(base)
        if view is None:
            return None
        columns = tuple(None if name is None else base.index(name) for name in origin.columns)
        always = tuple(Constraint(base.index(name), Operator.IN, values) for name, values in origin.part.items())
        return replace(view, columns=columns, always=always, of_metrics=origin.of_metrics)

    def listed_table(self, schema_name: str, name: str, arguments: tuple[str, ...]) -> Known:
        """The table that a schema lists: the one of its name there, or the one that USING klaviyo_table(…) names, as in a catalog file."""
        if not arguments:
            return self.table_of_schema(schema_name, name)
        schema, dot, table = arguments[0].rpartition(".")
        return self.table_of_schema(schema if dot else schemas.OWN, table)

    def table_with_properties(self, schema_name: str, name: str, arguments: tuple[str, ...]) -> Known:
        """The table that CREATE VIRTUAL TABLE … USING klaviyo(…) declares, or has declared in this database file."""
        try:
            base_schema, base, columns = custom_properties.table_and_columns(arguments)
            schema = self.schema(base_schema)
            if schema is None:
                raise errors.ProgrammingError(f"there is no account {base_schema} in the settings")
            table = schema.table(base)
            if table is None:
                raise errors.ProgrammingError(f"there is no table {base}{f' in {base_schema}' if base_schema else ''}; klaviyo_tables lists them all")
            extended = custom_properties.extended(custom_properties.without(table, columns), columns) if columns else table
        except errors.ProgrammingError as error:
            raise errors.ProgrammingError(f"The virtual table {name}: {error}.") from None
        return self._known(f"{schema_name}.{name}", extended, schema.engine())._replace(keyed=True)

    def _known(self, name: str, table: Table, engine: Scans, view: View | None = None) -> Known:
        # Copies are of the connection's own tables; a table that is declared over one is answered from the account.
        if view is None and engine is self.engine and name == table.name:
            view = self.copies.view(table)
        return Known(name, table, engine, view)

    # What the driver tells of itself

    def own_tables(self) -> Iterator[tuple[OwnTable, Callable[[], list[Row]]]]:
        """The tables about the driver, with their rows; reading them sends nothing."""
        yield own_tables.REQUESTS, lambda: introspection.requests(self.log)
        yield own_tables.LIMITS, self._limits
        yield own_tables.TABLES, lambda: introspection.tables(self.all_tables())
        yield own_tables.COLUMNS, lambda: introspection.columns(self.all_tables())
        yield own_tables.COPIES, lambda: introspection.copies(self.copies)
        yield own_tables.WRITES, lambda: introspection.writes(self.writer.log)
        yield own_tables.PROCEDURES, introspection.procedures

    def _limits(self) -> list[Row]:
        """The limits of every account that was asked so far."""
        return [(*row, account) for account, engine in self.engines.items() for row in introspection.limits(engine.client.limits)]

    def last_insert_id(self, *_: Any) -> str | None:
        """SQL's last_insert_id(): what Klaviyo called the newest row that this session has inserted."""
        return self.writer.log.last_id

    def refresh(self, *arguments: Any) -> str:
        """SQL's refresh(table) and refresh(table, 'whole'): what was done, as JSON."""
        if not 1 <= len(arguments) <= 2 or not all(isinstance(argument, str) for argument in arguments) or arguments[1:] not in ((), ("whole",)):
            raise errors.ProgrammingError("refresh() takes the name of a materialized table, and 'whole' to read all of it anew: refresh('events', 'whole')")
        return msgspec.json.encode(self.copies.refresh(arguments[0], whole=len(arguments) > 1)).decode()
