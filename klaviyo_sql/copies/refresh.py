"""Brings a copy up to date: what Klaviyo has is read into a table beside the copy, and takes effect all at once or not at all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import apsw

from klaviyo_sql.copies.file import CopyFile
from klaviyo_sql.copies.layout import Layout
from klaviyo_sql.copies.need import Copy, Need, State, delta, need
from klaviyo_sql.engine import Engine
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.clock import Clock
from klaviyo_sql.model.table import Type
from klaviyo_sql.plan.constraints import in_sql
from klaviyo_sql.plan.scan import Scan

_BATCH = 5_000
"""Rows that are written in one transaction while they come in."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did: `read` rows came from Klaviyo, `changed` of them were new or different, or rows were gone; the copy has `rows` now."""

    table: str
    whole: bool
    read: int
    changed: int
    rows: int


def refresh(copy: Copy, file: CopyFile, engine: Engine, clock: Clock, *, least: Need = Need.NOTHING) -> Refreshed | None:
    """Do what the copy needs before it may answer, and at least `least`; None when that is nothing.

    One connection of all processes refreshes a table at a time. Who had to wait for another takes what that one read, if it began after the wait
    did. The exceptions of `Client.send`; the copy is then as it was before.
    """
    asked = clock.now()
    before = file.state(copy.layout.name)
    if least is Need.NOTHING and need(copy, before, asked) is Need.NOTHING:
        return None
    with file.lock(copy.layout.name):
        state = file.state(copy.layout.name)
        others = state is not None and (before is None or state.serial != before.serial)
        if others and state is not None and state.refreshed_at >= asked and least is not Need.WHOLE and need(copy, state, asked) is not Need.WHOLE:
            return None
        now = clock.now()
        needed = need(copy, state, now)
        if needed is Need.NOTHING and least is Need.NOTHING:
            return None
        if needed is not Need.WHOLE:
            needed = Need.WHOLE if least is Need.WHOLE or copy.layout.change is None or state is None or state.high is None else Need.DELTA
        if needed is Need.WHOLE or state is None:
            return _whole(copy, file, engine, state, now)
        return _delta(copy, file, engine, state, now)


def _whole(copy: Copy, file: CopyFile, engine: Engine, state: State | None, now: datetime) -> Refreshed:
    """Everything, into a new table that takes the place of the old one."""
    layout = copy.layout
    read = _come_in(layout, file, engine.scan(Scan(layout.table, layout.columns, fresh=True)))
    serial = state.serial + 1 if state else 1
    for statement in layout.index_ddl(layout.incoming, serial):
        with file.writing() as writer:
            writer.execute(statement)
    with file.writing() as writer:
        rows = int(writer.execute(f'SELECT count(*) FROM "{layout.incoming}"').get)
        changed = rows
        if state is not None and state.layout == layout.fingerprint:
            changed = _different(writer, layout) + _gone(writer, layout)
        writer.execute(f'DROP TABLE IF EXISTS "{layout.name}"')
        writer.execute(f'ALTER TABLE "{layout.incoming}" RENAME TO "{layout.name}"')
        _settle(writer, State(layout.name, layout.fingerprint, rows, _high(writer, layout, now), now, now, serial))
    with file.writing() as writer:  # how the values are spread, for the choice among the indexes
        writer.execute("PRAGMA analysis_limit = 1000")
        writer.execute(f'ANALYZE "{layout.name}"')
    return Refreshed(layout.name, whole=True, read=read, changed=changed, rows=rows)


def _delta(copy: Copy, file: CopyFile, engine: Engine, state: State, now: datetime) -> Refreshed:
    """What is new or changed, with the look-back."""
    layout = copy.layout
    read = _come_in(layout, file, engine.scan(Scan(layout.table, layout.columns, delta(copy, state, now), fresh=True)))
    with file.writing() as writer:
        changed = _different(writer, layout)
        new = int(writer.execute(f'SELECT count(*) FROM "{layout.incoming}" AS new WHERE NOT EXISTS ({_same_key(layout)})').get)
        if changed:
            others = [name for name in layout.quoted if name not in layout.key]
            columns = ", ".join(layout.quoted)
            replaced = ", ".join(f"{name} = excluded.{name}" for name in others)
            writer.execute(
                f'INSERT INTO "{layout.name}"({columns}) SELECT {columns} FROM "{layout.incoming}" AS new WHERE NOT EXISTS ({_same_row(layout)}) '
                f"ON CONFLICT({', '.join(layout.key)}) DO UPDATE SET {replaced}"
            )
        writer.execute(f'DROP TABLE "{layout.incoming}"')
        rows = state.rows + new
        _settle(writer, State(layout.name, layout.fingerprint, rows, _high(writer, layout, now), now, state.reread_at, state.serial + 1))
    return Refreshed(layout.name, whole=False, read=read, changed=changed, rows=rows)


def _come_in(layout: Layout, file: CopyFile, rows: Iterator[Row]) -> int:
    """Read the rows into a table of their own, and say how many there were; what an earlier attempt left is dropped.

    A row that comes twice, because pages shifted under way, is there once: as it came last.
    """
    count, width = 0, len(layout.columns)
    insert = f'INSERT OR REPLACE INTO "{layout.incoming}" VALUES ({",".join("?" * width)})'
    with file.writing() as writer:
        writer.execute(f'DROP TABLE IF EXISTS "{layout.incoming}"')
        writer.execute(layout.ddl(layout.incoming))
    while batch := [row[:width] for row in itertools.islice(rows, _BATCH)]:
        with file.writing() as writer:
            writer.executemany(insert, batch)
        count += len(batch)
    return count


def _settle(writer: apsw.Connection, state: State) -> None:
    writer.execute(
        "INSERT OR REPLACE INTO copies(name, layout, rows, high, refreshed_at, reread_at, serial) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (state.name, state.layout, state.rows, state.high, state.refreshed_at.timestamp(), state.reread_at.timestamp(), state.serial),
    )


def _high(writer: apsw.Connection, layout: Layout, now: datetime) -> str | None:
    """Until when everything is known to be in the copy: the newest row's time, but not after the reading began.

    Rows that changed while it went on may have been read before they changed; and events may lie in the future, as far as their senders please.
    """
    if layout.change is None:
        return None
    column = layout.table.columns[layout.change]
    limit = in_sql(column, now if column.type is Type.TIMESTAMP_MICROSECONDS else timestamps.floor(now))
    found = writer.execute(f'SELECT max("{column.name}") FROM "{layout.name}" WHERE "{column.name}" <= ?', (limit,)).get
    return None if found is None else str(found)


def _same_key(layout: Layout) -> str:
    return f'SELECT 1 FROM "{layout.name}" AS old WHERE ' + " AND ".join(f"old.{name} = new.{name}" for name in layout.key)


def _same_row(layout: Layout) -> str:
    return _same_key(layout) + "".join(f" AND old.{name} IS new.{name}" for name in layout.quoted if name not in layout.key)


def _different(writer: apsw.Connection, layout: Layout) -> int:
    """How many of the rows that came in are new or not as they were."""
    return int(writer.execute(f'SELECT count(*) FROM "{layout.incoming}" AS new WHERE NOT EXISTS ({_same_row(layout)})').get)


def _gone(writer: apsw.Connection, layout: Layout) -> int:
    """How many rows of the copy did not come in."""
    same = " AND ".join(f"old.{name} = new.{name}" for name in layout.key)
    return int(writer.execute(f'SELECT count(*) FROM "{layout.name}" AS old WHERE NOT EXISTS (SELECT 1 FROM "{layout.incoming}" AS new WHERE {same})').get)
