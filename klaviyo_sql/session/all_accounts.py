"""The same table of several accounts as one, with the account's name as its first column.

Each account is read by its own engine, with its own key and its own limits; their first pages are asked for side by side, and then their pages come in turn.
A failure of one is the failure of the scan, and names the account.
"""

from __future__ import annotations

import functools
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from klaviyo_sql.engine import Engine
from klaviyo_sql.fetch import Budget, CountBudget
from klaviyo_sql.fetch.merging import merged
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model.table import AccountName, Column, Table, Type
from klaviyo_sql.plan.chains import Plan
from klaviyo_sql.plan.constraints import Constraint, Operator
from klaviyo_sql.plan.scan import Order, Scan

SCHEMA = "all_accounts"
"""The schema that these tables are in."""
COLUMN = "account"


@dataclass(frozen=True, slots=True)
class Part:
    """What one account has to do with a scan."""

    account: str
    engine: Engine
    plan: Plan


@dataclass(frozen=True, slots=True)
class JointPlan:
    """A scan of all accounts: one part for each that is asked for; `shown` is where the account's name stands in the rows, if it does."""

    parts: tuple[Part, ...]
    shown: int | None
    order: int | None
    """Where the column that rows are sorted by stands in the parts' rows."""
    descending: bool
    one_by_one: bool
    """Whether few rows are enough, so that the next account is asked only when the one before has too few."""


class AllAccounts:
    """Answers scans over the tables of several accounts, as `Engine` answers those of one."""

    def __init__(self, engines: Mapping[str, Callable[[], Engine]], tables: Mapping[str, Table]) -> None:
        """`engines` are made when they are asked for the first time; `tables` are those of one account."""
        self._engines = engines
        self.tables = dict(tables)

    @functools.cached_property
    def _alone(self) -> dict[str, Table]:
        """The tables of one account under each of their names."""
        return {spelled.name: spelled for table in self.tables.values() for spelled in _spelled(table)}

    def joint(self, table: Table) -> Table:
        """The table with the account's name in front, and in its key."""
        count = len(self._engines)
        column = Column(COLUMN, AccountName(count), Type.TEXT, "The name of the account in the settings.", not_null=True)
        others = tuple(map(self.joint, table.others))
        rows = table.typical_rows * count
        return replace(table, columns=(column, *table.columns), key=(COLUMN, *table.key), typical_rows=rows, examples=(), others=others, writes=None)

    @property
    def parallel(self) -> int:
        """How many requests of one account may be under way."""
        return next(iter(self._engines.values()))().parallel

    @property
    def statement_budget(self) -> Budget:
        """What the statement that is running may still send and read, from all accounts together."""
        return next(iter(self._engines.values()))().statement_budget

    def scan(self, scan: Scan) -> Iterator[Row]:
        """The rows of a scan, as `Engine.scan` gives them."""
        return itertools.chain.from_iterable(self.pages(self.plan(scan)))

    def pages_of(self, scan: Scan, budget: Budget | None = None) -> Iterator[list[Row]]:
        """The same rows in lists that are not empty."""
        return self.pages(self.plan(scan), budget=budget)

    def count(self, scan: Scan, budget: Budget | None = None) -> int | None:
        """Nobody counts the rows of all accounts."""
        return None

    def count_budget(self, table: Table) -> CountBudget:
        """What a scan of the table may use of the statement's budget, as long as none of its rows is read."""
        return next(iter(self._engines.values()))().count_budget(table)

    def read_whole(self, scan: Scan) -> list[Row]:
        """All rows of a scan, for somebody who will not stop halfway."""
        return list(itertools.chain.from_iterable(self.pages(self.plan(scan), eager=True)))

    def plan(self, scan: Scan) -> JointPlan:
        """The plan of a scan; the first of a period table reads the accounts' time zones."""
        return self._planned(scan, Engine.plan)

    def presumed(self, scan: Scan) -> JointPlan:
        """The plan of a scan without sending anything."""
        return self._planned(scan, Engine.presumed)

    def _planned(self, scan: Scan, planned: Callable[[Engine, Scan], Plan]) -> JointPlan:
        columns = tuple(column - 1 for column in scan.columns if column)
        order = Order(scan.order.column - 1, scan.order.descending) if scan.order else None
        if order is not None and order.column not in columns:
            columns = (*columns, order.column)
        constraints = tuple(replace(term, column=term.column - 1) for term in scan.constraints if term.column)
        inner = Scan(self._alone[scan.table.name], columns, constraints, order, scan.limit)
        names = _chosen(tuple(self._engines), [term for term in scan.constraints if not term.column])
        parts = tuple(Part(name, engine := self._engines[name](), planned(engine, inner)) for name in names)
        return JointPlan(
            parts,
            shown=scan.columns.index(0) if 0 in scan.columns else None,
            order=columns.index(order.column) if order else None,
            descending=bool(order and order.descending),
            one_by_one=order is None and scan.limit is not None,
        )

    def pages(self, plan: JointPlan, *, eager: bool = False, budget: Budget | None = None) -> Iterator[list[Row]]:
        """The rows in lists that are not empty, in the plan's order if it has one."""
        if plan.one_by_one:
            for part in plan.parts:
                yield from _named(part.engine.pages(part.plan, eager=eager, budget=budget), part.account, plan.shown)
            return
        reading: list[Iterator[list[Row]]] = []
        try:
            for part in plan.parts:
                reading.append(part.engine.pages(part.plan, eager=eager, begin=True, budget=budget))
            named = [_named(pages, part.account, plan.shown) for part, pages in zip(plan.parts, reading, strict=True)]
            if plan.order is None:
                yield from _in_turn(named)
            else:
                position = plan.order + (plan.shown is not None and plan.shown <= plan.order)
                yield from merged([(pages, position) for pages in named], descending=plan.descending)
        finally:
            for pages in reading:
                _close(pages)


def _spelled(table: Table) -> tuple[Table, ...]:
    return (table, table.in_pascal_case()) if len(table.names) > 1 else (table,)


def _chosen(names: tuple[str, ...], terms: list[Constraint]) -> tuple[str, ...]:
    """The accounts that all terms allow; nothing but a name is one."""
    for term in terms:
        allowed = term.value if term.operator is Operator.IN else (term.value,)
        known = [value for value in allowed if isinstance(value, str)]
        # What is not known when a query is only explained may be any of them.
        names = tuple(
            name for name in names if name in known or any(value is not None and not isinstance(value, str | int | float | bytes) for value in allowed)
        )
    return names


def _named(pages: Iterator[list[Row]], account: str, shown: int | None) -> Iterator[list[Row]]:
    if shown is None:
        return pages
    name = (account,)
    return ([row[:shown] + name + row[shown:] for row in page] for page in pages)


def _in_turn(readers: list[Iterator[list[Row]]]) -> Iterator[list[Row]]:
    """A page of each in turn, so that all of them go on reading ahead."""
    waiting = deque(readers)
    while waiting:
        pages = waiting.popleft()
        page = next(pages, None)
        if page is not None:
            yield page
            waiting.append(pages)


def _close(pages: Iterator[list[Row]]) -> None:
    """Stop what is still being read."""
    close = getattr(pages, "close", None)
    if close is not None:
        close()
