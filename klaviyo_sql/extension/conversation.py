"""What one connection of the host asks, and the answers: a session behind a socket, as `sqlite/connection.py` is one behind apsw."""

from __future__ import annotations

import functools
import json
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from klaviyo_sql import errors
from klaviyo_sql.copies import Snapshots
from klaviyo_sql.extension import wire
from klaviyo_sql.extension.planning import Offer
from klaviyo_sql.extension.wire import After
from klaviyo_sql.fetch import Budget
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Table
from klaviyo_sql.session import index, schemas
from klaviyo_sql.session.arrangement import Arrangement
from klaviyo_sql.session.calls import BY_SQL_NAME, CallTable, Gatherer
from klaviyo_sql.session.own_tables import OwnTable
from klaviyo_sql.session.served import Served, Standing, key_text
from klaviyo_sql.session.session import Session
from klaviyo_sql.statements.guards import changed_table, is_one_call, is_unbounded, reads_none
from klaviyo_sql.version import VERSION
from klaviyo_sql.write.changes import Conflict

_BATCH = 500
"""Rows in a batch: half of the largest page, so that the host uses one half while the other is encoded."""

_MOST_TIMES = 50_000
"""Rows that one may stand for; the host takes a few more."""

Arrange = Callable[[Mapping[str, str]], Arrangement]

_log = logging.getLogger("klaviyo_sql.extension")

_CODES: tuple[tuple[type[errors.Error], int], ...] = (
    (errors.Interrupted, 9),
    (errors.ReadOnlyError, 8),
    (errors.AuthenticationError, 23),
    (errors.PermissionDenied, 23),
    (errors.IntegrityError, 19),
    (errors.InternalError, 2),
)
"""SQLite's codes for errors that it has one for; all others are its general one."""
_GENERAL = 1
_CONFLICTS = {2: Conflict.IGNORE, 5: Conflict.REPLACE}
"""SQLite's numbers for what a statement says of rows that are in the way; all others end it."""
_READ, _WRITTEN = range(2)
"""What the host is told of a name."""


class Conversation:
    """The requests of one connection, answered one after the other."""

    def __init__(self, line: socket.socket, arrange: Arrange, log: Path | None, ready: Callable[[], None]) -> None:
        self._line = line
        self._arrange = arrange
        self._log = log
        self._ready = ready
        self._session: Session | None = None
        self._served: list[ServedOwn | Served | CallTable] = []
        self._names: list[str] = []
        """What SQL calls the tables, in lower case."""
        self._by_name: dict[tuple[str, str, str, tuple[str, ...]], int] = {}
        self._about: dict[str, ServedOwn] = {}
        self._cursors: dict[int, ScanCursor] = {}
        self._made: dict[int, dict[Row, list[Row]]] = {}
        """The calls that each cursor of a procedure's table has made: a loop makes the same one once."""
        self._groups: dict[int, Gatherer] = {}
        self._current = 0
        self._cancelled = 0
        self._unbounded = False
        """Whether a statement that runs is an UPDATE or a DELETE without a WHERE."""
        self._may_write = False
        """Whether the host registered tables of several keys as such that can be written to, which is before the settings are read."""
        self._requests: dict[str, Callable[..., Any]] = {
            "H": self._hello,
            "A": self._more,
            "T": self._table,
            "P": self._plan,
            "S": self._scan,
            "N": self._next,
            "F": self._call,
            "X": self._act,
            "J": self._join,
            "G": self._gather,
            "E": self._end_group,
            "I": self._instant,
            "U": self._update,
            **{kind: functools.partial(self._transact, kind) for kind in "BYMRsro"},
        }
        self._unanswered: dict[str, Callable[[int], object]] = {"C": self._leave, "D": self._drop}
        self._answers = {"H": "h", "A": "a", "T": "t", "P": "p", "S": "b", "N": "b", "I": "i"}

    def cancel(self, number: int) -> None:
        """End the request of that number, which may be under way, or over; any thread may call this."""
        self._cancelled = number

    def run(self) -> None:
        """Answer until the host closes the line."""
        incoming = wire.Incoming(self._line)
        try:
            while (asked := incoming.next()) is not None:
                kind, number, payload = asked
                if kind in self._unanswered:
                    self._unanswered[kind](*wire.content(payload))
                    continue
                self._current = number
                self._line.sendall(self._answer(kind, number, payload))
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            incoming.close()
            self._line.close()
            for cursor in self._cursors.values():
                cursor.close()
            if self._session is not None:
                self._session.close()

    def _answer(self, kind: str, number: int, payload: bytes) -> bytes:
        """The frame that answers a request; every error is one."""
        try:
            handle = self._requests.get(kind)
            if handle is None:
                raise errors.InternalError(f"The extension asks for {kind!r}, which this version of klaviyo-sql does not know: build the extension anew.")
            return wire.frame(self._answers.get(kind, "v"), number, handle(*wire.content(payload)))
        except errors.Error as error:
            code = next((code for class_, code in _CODES if isinstance(error, class_)), _GENERAL)
            return wire.frame("e", number, (code, str(error)))
        except msgspec.DecodeError:
            return wire.frame("e", number, (_GENERAL, "A text of the statement is no UTF-8, which Klaviyo's are."))
        except OverflowError:
            return wire.frame("e", number, (_GENERAL, "A number has more than 64 bits, which SQLite cannot hold."))
        except Exception as error:
            _log.exception("a request failed: %s", kind)
            said = f"klaviyo-sql itself is at fault ({type(error).__name__}: {error}). Please report it with what the log says: {self._log}"
            return wire.frame("e", number, (2, said))

    # Beginning

    @property
    def session(self) -> Session:
        """The accounts and their tables, from the first table on that is asked for."""
        if self._session is None:
            way = self._arrange(os.environ)
            self._session = session = Session(
                way.settings,
                interrupted=self._is_interrupted,
                transport=way.transport,
                clock=way.clock,
                limits=way.limits,
                tables=way.tables,
                reach=way.reach,
                sandboxed=way.sandbox is not None,
            )
            self._about = {table.name: ServedOwn(table, rows) for table, rows in session.own_tables()}
        return self._session

    def _is_interrupted(self) -> bool:
        return self._cancelled == self._current

    def _hello(self, protocol: int, _: int = 0, __: str | None = None, may_write: int = 0) -> Any:
        if protocol != wire.PROTOCOL:
            raise errors.InterfaceError(
                f"The extension speaks another protocol ({protocol}) than the installed klaviyo-sql ({wire.PROTOCOL}): install klaviyo-sql again, "
                "and start the program anew."
            )
        self._may_write = bool(may_write)
        self._ready()
        return wire.PROTOCOL, VERSION

    def _more(self) -> Any:
        return [
            (f"{schema.name}.{name}", _READ if schema.seen_as is not None or schemas.is_only_read(table, write=self._may_write) else _WRITTEN)
            for schema in self.session.schemas.values()
            for table in schema.declared.values()
            for name in table.names
        ]

    def _table(self, module: str, schema: str, name: str, arguments: list[str]) -> Any:
        key = module, schema, name, tuple(arguments)
        if key not in self._by_name:
            self._served.append(self._found(*key))
            self._names.append(name.lower())
            self._by_name[key] = len(self._served) - 1
        number = self._by_name[key]
        return number, self._served[number].declaration

    def _found(self, module: str, schema: str, name: str, arguments: tuple[str, ...]) -> ServedOwn | Served | CallTable:
        session = self.session
        if (procedure := BY_SQL_NAME.get(module.lower())) is not None:
            return CallTable(procedure, session.calls)
        if module in self._about:
            return self._about[module]
        if module == schemas.OWN:
            known = session.table_with_properties(schema, name, arguments)
        elif module in schemas.MODULES:
            known = session.listed_table(schema, name, arguments)
        elif "." in module:
            known = session.table_of_schema(*module.split(".", 1))
        else:
            known = session.own_table(module)
        return Served(known._replace(keyed=known.keyed or module == schemas.MODULES[1]), session, row_keys=self._may_write)

    # Scans

    def _plan(self, table: int, terms: list[list[Any]], order: list[list[Any]], used: int) -> Any:
        served = self._served[table]
        offer = Offer(terms, order, used)
        if isinstance(served, CallTable):
            self.session.calls.refuse(served.procedure.name)
        possible = served.agree(offer)
        return offer.agreed(possible=possible, lasting=not isinstance(served, Served) or served.view is None)

    def _scan(self, number: int, table: int, begun: list[str] | None, agreed: str, values: list[Any], standing: list[list[int]], changing: str | None) -> Any:
        self._begin(begun)
        places: dict[int, int] = {other: row for other, row in standing}  # noqa: C416 - pairs of lists
        for other, standing_cursor in self._cursors.items():
            standing_cursor.stand(places.get(other))
        self._close(number)
        session, served = self.session, self._served[table]
        if isinstance(served, Served):
            agreement, changes = index.read(agreed), changing is not None and changed_table(changing) == self._names[table]
            if self._unbounded and (agreement.updates or changes):
                raise served.unbounded()
            if changes and changing is not None and agreement.names_rows and reads_none(changing, *_names(served.table)):
                agreed = index.presuming(agreed)
        cursor = ScanCursor(session.engine.budget, session.copies.current)
        self._cursors[number] = cursor
        if isinstance(served, CallTable):
            cursor.begin_whole(range(served.width + len(served.procedure.all_inputs)), served.rows(agreed, values, self._made.setdefault(number, {})))
        elif isinstance(served, ServedOwn):
            cursor.begin_whole(served.columns, served.rows())
        else:
            cursor.begin(served, agreed, served.pages(agreed, tuple(values), cursor))
            session.statement.enter(cursor)
        return self._batch(cursor, is_told=False)

    def _next(self, number: int, row: int | None) -> Any:
        cursor = self._cursors[number]
        self.session.engine.budget = cursor.budget
        self.session.copies.current = cursor.snapshots
        if row is not None:
            cursor.read_from(row)
        return self._batch(cursor, is_told=row is None)

    def _batch(self, cursor: ScanCursor, *, is_told: bool) -> Any:
        """The next rows; `is_told` whether the host knows already which columns they have."""
        if self._is_interrupted():
            raise errors.Interrupted("The statement was interrupted.")
        cursor.budget.check_time()  # the host does not ask between its own steps
        after, rows, times = cursor.batch()
        return after, None if is_told else cursor.columns, times, rows

    def _close(self, number: int) -> None:
        cursor = self._cursors.pop(number, None)
        if cursor is not None:
            self.session.statement.leave(cursor)
            cursor.close()
            self._release(cursor.snapshots)

    def _leave(self, number: int) -> None:
        """The host closes the cursor."""
        self._close(number)
        self._made.pop(number, None)

    def _begin(self, begun: list[str] | None) -> None:
        """A statement has begun, unless `begun` is None; these are the texts of those that write."""
        if begun is None:
            return
        self._unbounded = any(map(is_unbounded, begun))
        before = self.session.copies.current
        self.session.begin_statement()
        self._release(before)

    def _release(self, snapshots: Snapshots) -> None:
        """What a statement saw of copies is let go when no cursor of it is left and another has begun."""
        if snapshots is not self.session.copies.current and all(cursor.snapshots is not snapshots for cursor in self._cursors.values()):
            snapshots.close()

    # Everything else

    def _call(self, name: str, values: list[Any]) -> Any:
        if name == "refresh":
            return self.session.refresh(*values)
        if name == "last_insert_id":
            return self.session.last_insert_id(*values)
        if name == "klaviyo_worker":
            told = {"version": VERSION, "pid": os.getpid(), "python": sys.executable, "log": str(self._log) if self._log else None}
            return json.dumps(told)
        raise errors.InternalError(f"there is no function {name}")

    def _instant(self, text: str) -> Any:
        with suppress(ValueError):
            return timestamps.to_sql(timestamps.parse(text), microseconds=True), None
        looks_like_one = len(text) == 19 and text[4] == text[7] == "-" and text[10] == " "
        return None, None if looks_like_one else errors.no_time(text)

    # Procedures

    def _act(self, name: str, begun: list[str] | None, values: list[Any]) -> Any:
        self._begin(begun)
        calls = self.session.calls
        calls.refuse(name)
        return calls.told(BY_SQL_NAME[name.lower()], tuple(values))

    def _join(self, name: str, begun: list[str] | None, group: int, text: str | None) -> None:
        self._begin(begun)
        calls, procedure = self.session.calls, BY_SQL_NAME[name.lower()]
        calls.refuse(name)
        if text is not None and not is_one_call(text, procedure.names):
            raise errors.NotSupportedError(
                f"{name}() of many rows needs a table of the account in its FROM here: of others SQLite does not tell whether they were read to their end or "
                f"failed half-way. Gather the values before: {calls.of_array(procedure)}. Nothing was sent."
            )
        self._groups[group] = Gatherer(procedure, calls)

    def _gather(self, group: int, rows: list[list[Any]]) -> None:
        for row in rows:
            self._groups[group].step(*row)

    def _end_group(self, group: int, rows: list[list[Any]]) -> Any:
        gatherer = self._groups.pop(group)
        for row in rows:
            gatherer.step(*row)
        told = gatherer.final()
        self.session.calls.send_due()
        return told

    def _drop(self, group: int) -> None:
        """The statement has failed: nothing of the group is sent."""
        self._groups.pop(group, None)

    # Writing

    def _update(self, table: int, begun: list[str] | None, resolution: int, values: list[Any]) -> None:
        self._begin(begun)
        served = self._written(table)
        pending, conflict = served.writable(), _CONFLICTS.get(resolution, Conflict.ABORT)
        if len(values) == 1:
            self._refuse_unbounded(served)
            served.delete(values[0], conflict)
        else:
            given = {position: value for position, value in enumerate(values[2:]) if not isinstance(value, msgspec.msgpack.Ext)}
            if values[0] is None:
                served.insert({position: value for position, value in given.items() if position < len(served.table.columns)}, conflict)
                return
            self._refuse_unbounded(served)
            served.update(values[0], given, conflict)
        pending.refuse_excess()

    def _refuse_unbounded(self, served: Served) -> None:
        if self._unbounded:
            raise served.unbounded()

    def _transact(self, kind: str, table: int, level: int, begun: list[str] | None) -> None:
        self._begin(begun)
        served = self._written(table)
        pending = served.writable()
        match kind:
            case "B":
                pending.join(id(served))
            case "Y":
                pending.send()
            case "R":
                pending.roll_back()
            case "s":
                pending.savepoint(id(served), level)
            case "r":
                pending.release(id(served), level)
            case "o":
                pending.roll_back_to(id(served), level)

    def _written(self, table: int) -> Served:
        served = self._served[table]
        if not isinstance(served, Served):
            raise errors.InternalError(f"table {table} cannot be written to")
        return served


def _names(table: Table) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the key's columns and of all, in lower case."""
    return frozenset(name.lower() for name in table.key), frozenset(column.name.lower() for column in table.columns)


class ScanCursor(Standing):
    """A scan in progress: what the host has of its page, and what is left."""

    __slots__ = ("_before", "_next", "_pages", "_row_key", "budget", "snapshots")

    def __init__(self, budget: Budget, snapshots: Snapshots) -> None:
        super().__init__()
        self.budget = budget
        self.snapshots = snapshots
        self._pages: Iterator[list[Row]] = iter(())
        self._next = 0
        """The first row of the page that the host does not have yet."""
        self._before = 0
        """The rows of the pages before."""
        self._row_key: int | None = None
        """The column `row_key`, if the table has it."""

    def begin(self, table: Served, agreed: str, pages: Iterator[list[Row]]) -> None:
        """The scan begins: these rows of what was agreed on."""
        self.take_up(table, agreed, pages)
        self._row_key = table.row_key
        self._pages = pages

    def begin_whole(self, columns: Iterable[int], rows: list[Row]) -> None:
        """The scan begins: all rows, with all columns, of what is no table of the account."""
        self._positions = {column: column for column in columns}
        self._pages = iter([rows])

    @property
    def columns(self) -> tuple[int, ...]:
        """The columns that the rows of a batch have."""
        return (*self._positions, self._row_key) if self._row_key is not None and self._unread is None else tuple(self._positions)

    def read_from(self, row: int) -> None:
        """The host reads more of that row than it has: from now on, batches begin with it and have all columns."""
        self._at = row - self._before
        if not 0 <= self._at < len(self._page) or not self.reads():
            raise errors.InternalError("A column is read that the scan was not asked for.")
        self._before, self._next = row - self._at, self._at

    def stand(self, row: int | None) -> None:
        """The host is in that row of the scan, which is in the page at hand: the next one is only read when it is past this one. None: it is in none."""
        self._at = max(0, min((row or 0) - self._before, len(self._page) - 1))
        self._row = self._page[self._at] if self._page and row is not None else None

    def batch(self) -> tuple[After, list[Row], int]:
        """The next rows, and for how many each stands: of the page at hand, else of the next one; none at the end."""
        if self._next >= len(self._page):
            self._before += len(self._page)
            self._page = next(self._pages, [])
            self._next = 0
        page, width, first = self._page, len(self._positions), self._next
        if self._unread is not None and page:
            self._next = min(len(page), first + _MOST_TIMES)
            after = After.AT_HAND if self._next < len(page) else After.ASK
            return after, [tuple(page[0][position] for position in self._positions.values())], self._next - first
        self._next = min(len(page), first + _BATCH)
        rows = page if self._next - first == len(page) else page[first : self._next]
        if self._row_key is not None:
            rows = [(*row[:width], key_text([row[position] for position in self._keys])) for row in rows]
        elif rows and len(rows[0]) > width:
            rows = [row[:width] for row in rows]
        return (After.LAST if not rows else After.AT_HAND if self._next < len(page) else After.ASK), rows, 1

    def close(self) -> None:
        """Nobody wants the rest."""
        close = getattr(self._pages, "close", None)
        self._pages = iter(())
        if close is not None:
            close()


class ServedOwn:
    """A table in which the driver tells of itself."""

    view = None

    def __init__(self, table: OwnTable, rows: Callable[[], list[Row]]) -> None:
        self.name = table.name
        self.columns = tuple(range(len(table.columns)))
        self.declaration = table.ddl
        self.rows = rows

    def agree(self, _: Offer) -> bool:
        """Nothing is agreed on: SQLite looks at every row."""
        return True
