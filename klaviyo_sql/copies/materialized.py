"""The materialized tables of a connection: asked for what is new once a statement, and answered from one state of the copy."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import apsw

from klaviyo_sql import errors
from klaviyo_sql.copies import choice
from klaviyo_sql.copies.file import CopyFile
from klaviyo_sql.copies.layout import layout
from klaviyo_sql.copies.need import Copy, Need, State, delta, need, refuse_unless_right
from klaviyo_sql.copies.refresh import Refreshed, refresh
from klaviyo_sql.copies.view import View, of_itself
from klaviyo_sql.engine import Engine
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.freshness import Freshness
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.clock import Clock
from klaviyo_sql.model.table import Table
from klaviyo_sql.plan.constraints import Constraint
from klaviyo_sql.plan.scan import Order, Scan
from klaviyo_sql.write.changes import Change, Kind
from klaviyo_sql.write.requests import touches

_FIRST_PAGE = 100
_PAGE = 1_000
"""Rows that are taken from the copy at a time; fewer at first, for queries that want only some."""
_ATTEMPTS = 3
"""How often a copy is made that another program replaces in the moment before it is read."""


@dataclass(eq=False)
class Snapshots:
    """What one statement sees: for each table one state of its copy, taken after what the table needed was read."""

    file: CopyFile
    seen: dict[str, apsw.Connection] = field(default_factory=dict)

    def close(self) -> None:
        """The statement has ended."""
        seen, self.seen = self.seen, {}
        for connection in seen.values():
            self.file.give_back(connection)


@dataclass(frozen=True, slots=True)
class Report:
    """One copy as people want to know it; None where there is no copy yet. Ages are in seconds."""

    table: str
    rows: int | None
    refreshed_at: datetime | None
    age: float | None
    reread_at: datetime | None
    reread_age: float | None
    newest: str | None
    max_age: float | None
    reread_after: float | None
    look_back: float | None


class Copies:
    """All copies of a connection; InterfaceError for a table that does not exist or that no copy could be right of."""

    def __init__(self, engine: Engine, clock: Clock, file: CopyFile, freshness: Mapping[str, Freshness]) -> None:
        self.file = file
        self._engine = engine
        self._clock = clock
        self._names = {name.lower(): table for table in engine.tables.values() for name in table.names}
        self._copies: dict[str, Copy] = {}
        for name, wanted in freshness.items():
            table = self._named(name)
            refuse_unless_right(table, wanted)
            self._copies[table.name] = Copy(layout(table, all_columns=wanted.all_columns), wanted)
        self.current = Snapshots(file)
        """What the statement sees that is running at this moment."""
        self._rows: dict[str, int] = {}

    @property
    def active(self) -> bool:
        """Whether any table is materialized."""
        return bool(self._copies)

    @property
    def names(self) -> list[str]:
        """The materialized tables."""
        return list(self._copies)

    def of(self, table: Table) -> Copy | None:
        """The copy of a table, under either of its names; None when the table is not materialized."""
        named = self._names.get(table.name.lower())
        return self._copies.get(named.name) if named else None

    def view(self, table: Table) -> View | None:
        """How a table is answered from its own copy; None when it is not materialized."""
        copy = self.of(table)
        return None if copy is None else of_itself(copy, table)

    def begin(self) -> Snapshots:
        """A statement begins: it asks for what is new again."""
        self.current = Snapshots(self.file)
        return self.current

    def pages(self, view: View, columns: tuple[int, ...], constraints: tuple[Constraint, ...], order: Order | None) -> Iterator[list[Row]]:
        """The rows of a scan from the copy, some at a time; the copy is brought up to date before the statement's first."""
        copy = view.copy
        held = tuple(map(view.position, columns))
        sql, values = choice.select(copy.layout, held, view.constraints(constraints, self._engine.metrics_named), view.order(order))
        rows = self._snapshot(copy).execute(sql, values)
        yield list(itertools.islice(rows, _FIRST_PAGE))
        while page := list(itertools.islice(rows, _PAGE)):
            yield page

    def row_count(self, copy: Copy) -> int:
        """How many rows the copy has, or a table of its kind usually has, for the planner."""
        name = copy.layout.name
        if name not in self._rows and self.file.exists and (state := self.file.state(name)) is not None:
            self._rows[name] = state.rows
        return self._rows.get(name, copy.layout.table.typical_rows)

    def expected(self, copy: Copy) -> tuple[Need, State | None, Scan | None]:
        """What a statement would ask for now, without asking: the need, the copy that there is, the scan of what is missing."""
        state = self.file.state(copy.layout.name) if self.file.exists else None
        now = self._clock.now()
        needed = need(copy, state, now)
        if needed is Need.NOTHING:
            return needed, state, None
        constraints = delta(copy, state, now) if needed is Need.DELTA and state is not None else ()
        return needed, state, Scan(copy.layout.table, copy.layout.columns, constraints, fresh=True)

    def now(self) -> datetime:
        """The time by which ages are counted."""
        return self._clock.now()

    def refresh(self, name: str, *, whole: bool) -> Refreshed:
        """Read what is new, whatever the age; everything if `whole`. InterfaceError when the table is not materialized."""
        table = self._named(name)
        copy = self._copies.get(table.name)
        if copy is None:
            raise errors.InterfaceError(
                f"{table.name} is not materialized, so that there is nothing to refresh: open the connection with materialized=('{table.name}',) or set "
                f"KLAVIYO_SQL_MATERIALIZED={table.name}"
            )
        done = refresh(copy, self.file, self._engine, self._clock, least=Need.WHOLE if whole else Need.DELTA)
        if done is None:  # another connection has just done it
            state = self.file.state(copy.layout.name)
            done = Refreshed(copy.layout.name, whole=whole, read=0, changed=0, rows=state.rows if state else 0)
        self._rows[copy.layout.name] = done.rows
        return done

    def written(self, changes: Iterable[Change]) -> None:
        """Rows of the account were written: copies that they may show in are too old now, those in which something may be missing to be read whole."""
        kinds: dict[str, bool] = {}
        for table, kind in {(change.table, change.kind) for change in changes}:
            for touched in touches(table):
                kinds[touched] = kinds.get(touched, False) or kind is Kind.DELETE
        if not kinds or not self.file.exists:
            return
        now = self._clock.now().timestamp()
        for name, copy in self._copies.items():
            found = [kinds[touched] for touched in touches(copy.layout.table) if touched in kinds]
            if found:
                with self.file.writing() as writer:
                    refreshed = now - copy.max_age - 1
                    reread = now - copy.freshness.reread_age - 1 if any(found) else now
                    writer.execute(
                        "UPDATE copies SET refreshed_at = min(refreshed_at, ?), reread_at = min(reread_at, ?) WHERE name = ?", (refreshed, reread, name)
                    )

    def reports(self) -> list[Report]:
        """Every materialized table, and whatever else lies in the file."""
        states = self.file.states() if self.file.exists else {}
        now = self._clock.now()
        return [self._report(name, states.get(name), now) for name in dict.fromkeys((*self._copies, *states))]

    def clear(self, name: str | None = None) -> list[str]:
        """Drop the copy of one table, or all of them; the names of those that there were."""
        wanted = None if name is None else self._named(name).name
        if not self.file.exists:
            return []
        cleared = [known for known in self.file.states() if wanted in (None, known)]
        for known in cleared:
            with self.file.lock(known), self.file.writing() as writer:
                writer.execute(f'DROP TABLE IF EXISTS "{known}"')
                writer.execute(f'DROP TABLE IF EXISTS "incoming_{known}"')
                writer.execute("DELETE FROM copies WHERE name = ?", (known,))
        if cleared:
            self.file.shrink()
        self._rows.clear()
        return cleared

    def close(self) -> None:
        """Close the file."""
        self.current = Snapshots(self.file)
        self.file.close()

    def _snapshot(self, copy: Copy) -> apsw.Connection:
        """The state of the table that the running statement sees."""
        snapshots, name = self.current, copy.layout.name
        for _ in range(_ATTEMPTS):
            if name in snapshots.seen:
                return snapshots.seen[name]
            done = refresh(copy, self.file, self._engine, self._clock)
            if done is not None:
                self._rows[name] = done.rows
            reader = self.file.reader()
            state = self.file.state(name, reader)
            if state is not None and state.layout == copy.layout.fingerprint:
                snapshots.seen[name] = reader
            else:
                self.file.give_back(reader)
        if name in snapshots.seen:
            return snapshots.seen[name]
        raise errors.OperationalError(
            f"The local copy of {name} is replaced again and again by another program that wants other columns of it, or clears it: "
            "give each a file of its own with copy_file."
        )

    def _named(self, name: str) -> Table:
        table = self._names.get(name.lower())
        if table is None:
            raise errors.InterfaceError(f"There is no table {name} that could be materialized; the table klaviyo_tables lists them all.")
        return table

    def _report(self, name: str, state: State | None, now: datetime) -> Report:
        copy = self._copies.get(name)
        return Report(
            table=name,
            rows=state.rows if state else None,
            refreshed_at=state.refreshed_at if state else None,
            age=(now - state.refreshed_at).total_seconds() if state else None,
            reread_at=state.reread_at if state else None,
            reread_age=(now - state.reread_at).total_seconds() if state else None,
            newest=state.high if state else None,
            max_age=copy.max_age if copy else None,
            reread_after=copy.freshness.reread_age if copy else None,
            look_back=copy.look_back if copy and copy.layout.change is not None else None,
        )


def report_row(report: Report) -> tuple[Any, ...]:
    """A report as the table klaviyo_copies has it."""
    return (
        report.table,
        report.rows,
        report.refreshed_at and timestamps.to_sql(report.refreshed_at),
        None if report.age is None else round(report.age, 3),
        report.reread_at and timestamps.to_sql(report.reread_at),
        None if report.reread_age is None else round(report.reread_age, 3),
        report.newest,
        report.max_age,
        report.look_back,
        report.reread_after,
    )
