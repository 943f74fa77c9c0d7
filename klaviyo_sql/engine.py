"""The hinge between SQL and Klaviyo: a scan in, rows out. Both know only this.

`Engine.scan` plans a scan and runs the plan lazily: a page is asked for when its first row is wanted. `Scanner` is a scan that is repeated
with other values, as the inner side of a join is; it remembers what it has read.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from klaviyo_sql import errors
from klaviyo_sql.fetch import Client, Window, Workers
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model.clock import Clock
from klaviyo_sql.model.table import Collection, Detail, Id, Table
from klaviyo_sql.plan import scan as planning
from klaviyo_sql.plan.constraints import Constraint, Operator
from klaviyo_sql.plan.cost import SMALL_TABLE
from klaviyo_sql.plan.scan import Chain, Order, Plan, Scan, Today

_REMEMBERED_KEYS = 10_000
_KLAVIYO_BEGAN = datetime(2012, 1, 1, tzinfo=UTC)


class Engine:
    """Answers scans of one account's tables."""

    def __init__(self, client: Client, clock: Clock, tables: dict[str, Table], *, parallel: int, poll: Callable[[], None]) -> None:
        """`parallel` is how many requests of one scan may be under way; `poll` is called while a scan waits, and raises to end it."""
        self.client = client
        self.parallel = parallel
        self._poll = poll
        self._workers = Workers(parallel)
        self.tables = tables
        self._clock = clock
        self._timezone: str | None = None

    def scan(self, scan: Scan) -> Iterator[Row]:
        """The rows of a scan: the values of `scan.columns` first, then others that were needed on the way.

        DataError when a time column is compared with a text that is no time, before anything is sent; the exceptions of `Client.send`.
        """
        return self.run(self.plan(scan))

    def plan(self, scan: Scan) -> Plan:
        """The plan of a scan; the first of a period table reads the account's time zone."""
        return planning.plan(self._cuttable(scan), self.tables, self._today)

    @property
    def knows_timezone(self) -> bool:
        """Whether the account's time zone has been read."""
        return self._timezone is not None

    def presumed(self, scan: Scan) -> Plan:
        """The plan of a scan without sending anything: where the account's time zone is not known yet, it is taken to be UTC."""
        return planning.plan(self._cuttable(scan), self.tables, lambda: self._today_in(self._timezone or "UTC"))

    def _cuttable(self, scan: Scan) -> Scan:
        return replace(scan, cut=self.parallel > 1)

    def run(self, plan: Plan) -> Iterator[Row]:
        """The rows of a plan, in its order if it has one."""
        if plan.order is not None and len(plan.chains) > 1:
            return self._merged(plan, plan.order)
        return self._rows(plan, self._chains(plan))

    def _chains(self, plan: Plan) -> Iterator[Chain]:
        """The chains, those of children one parent at a time, as the parents' pages come in."""
        if plan.parents is None or plan.chains_of is None:
            yield from plan.chains
            return
        seen = set()
        for parent_id, *_ in self.run(plan.parents):
            if parent_id not in seen:
                seen.add(parent_id)
                yield from plan.chains_of(parent_id)

    def _merged(self, plan: Plan, order: Order) -> Iterator[Row]:
        """Several ordered chains as one."""

        def keyed(chain: Chain) -> Iterator[tuple[tuple[bool, Any], Row]]:
            position = chain.columns.index(order.column)
            for row in self._rows(plan, [chain]):
                yield _sort_key(row[position]), row

        merged = heapq.merge(*map(keyed, plan.chains), key=lambda entry: entry[0], reverse=order.descending)
        return (row for _, row in merged)

    def _rows(self, plan: Plan, chains: Iterable[Chain]) -> Iterator[Row]:
        """The rows of chains that are read side by side; in order, if the plan has one, of a single chain."""
        window = Window(
            self.client,
            self._workers,
            chains,
            most=self.parallel,
            ordered=plan.order is not None,
            poll=self._poll,
            until=self._until,
        )
        rows = itertools.chain.from_iterable(self._with_detail(plan.table, page, chain) if chain.detail else page for chain, page in window.pages())
        if plan.order is not None:
            return _in_order(rows, plan.table, plan.chains[0].columns.index(plan.order.column), plan.order) if plan.chains else iter(())
        return rows

    def _until(self, chain: Chain) -> int:
        """Where rows are likely to end whose range nobody bounded: the present, or the year in which Klaviyo began."""
        instant = _KLAVIYO_BEGAN if chain.slicing and chain.slicing.descending else self._clock.now()
        return int(instant.timestamp())

    def _with_detail(self, table: Table, rows: list[Row], chain: Chain) -> list[Row]:
        """The rows with the columns that only the by-id operation knows: one request a row."""
        id_position = next(n for n, column in enumerate(chain.decoded) if isinstance(column.place, Id))
        detailed = [n for n, column in enumerate(chain.decoded) if isinstance(column.place, Detail)]
        columns = tuple(chain.columns[n] for n in (*detailed, id_position))
        completed = []
        for row in rows:
            key = Constraint(chain.columns[id_position], Operator.EQUAL, row[id_position])
            found = next(self.scan(Scan(table, columns, (key,))), None)
            values = list(row)
            for position, n in enumerate(detailed):
                values[n] = found[position] if found else None
            completed.append(tuple(values))
        return completed

    def _today(self) -> Today:
        """The account's time zone, read once for the engine, and the date there now."""
        if self._timezone is None:
            table = self.tables["accounts"]
            row = next(self.scan(Scan(table, (table.index("timezone"),))), None)
            if row is None or not row[0]:
                raise errors.OperationalError("Klaviyo does not tell the account's time zone, without which days and months cannot be told apart.")
            try:
                ZoneInfo(row[0])
            except (ZoneInfoNotFoundError, ValueError):
                raise errors.OperationalError(
                    f"The account's time zone {row[0]!r} is not in this machine's time zone data; install the package tzdata."
                ) from None
            self._timezone = str(row[0])
        return self._today_in(self._timezone)

    def _today_in(self, timezone: str) -> Today:
        return Today(timezone, self._clock.now().astimezone(ZoneInfo(timezone)).date())


@dataclass(slots=True)
class Scanner:
    """A scan that is run again and again with other values.

    The keys that were looked up are remembered for as long as the statement runs, and a small table is read whole at its second key.
    """

    engine: Engine
    table: Table
    columns: tuple[int, ...]
    order: Order | None = None
    limit: int | None = None
    _found: dict[Any, list[Row]] | None = None
    _whole: dict[Any, Row] | None = None

    def rows(self, constraints: tuple[Constraint, ...]) -> Iterator[Row]:
        """The rows for these values."""
        scan = Scan(self.table, self.columns, constraints, self.order, self.limit)
        key = self._only_key(constraints)
        if key is None:
            return self.engine.scan(scan)
        if self._found is None:
            self._found = {}
        if key in self._found:
            return iter(self._found[key])
        if self._whole is None and self._found and self._may_read_whole():
            self._whole = self._read_whole()
        if self._whole is not None:
            row = self._whole.get(key)
            return iter(()) if row is None else iter((row,))
        rows = list(self.engine.scan(scan))
        if len(self._found) < _REMEMBERED_KEYS:
            self._found[key] = rows
        return iter(rows)

    def _only_key(self, constraints: tuple[Constraint, ...]) -> Any:
        """The id, when the scan asks for the row of one id and for nothing else."""
        source = self.table.source
        if not isinstance(source, Collection) or source.get is None or source.parent or len(constraints) != 1:
            return None
        constraint = constraints[0]
        is_key = isinstance(self.table.columns[constraint.column].place, Id) and constraint.operator is Operator.EQUAL
        return constraint.value if is_key and isinstance(constraint.value, str) else None

    def _may_read_whole(self) -> bool:
        places = (self.table.columns[column].place for column in self.columns)
        return self.table.typical_rows <= SMALL_TABLE and not any(isinstance(place, Detail) for place in places)

    def _read_whole(self) -> dict[Any, Row]:
        id_column = self.table.index(self.table.key[0])
        columns = (*self.columns, id_column)
        position = len(self.columns) if id_column not in self.columns else self.columns.index(id_column)
        return {row[position]: row for row in self.engine.scan(Scan(self.table, tuple(dict.fromkeys(columns))))}


def _sort_key(value: Any) -> tuple[bool, Any]:
    """NULL before everything, as SQLite sorts."""
    return (value is not None, value)


def _in_order(rows: Iterator[Row], table: Table, position: int, order: Order) -> Iterator[Row]:
    """The rows, as long as they come in the order that was asked for: SQLite was told so and does not look."""
    before: tuple[bool, Any] | None = None
    for row in rows:
        key = _sort_key(row[position])
        if before is not None and (key > before if order.descending else key < before):
            name = table.columns[order.column].name
            raise errors.OperationalError(
                f"Klaviyo did not return {table.name} in the order of {name} that it was asked for; sort in SQLite instead: ORDER BY +{name}"
            )
        before = key
        yield row
