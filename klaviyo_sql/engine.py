"""The hinge between SQL and Klaviyo: a scan in, rows out. Both know only this.

`Engine.scan` plans a scan and runs the plan lazily: a page is asked for when its first row is wanted.
"""

from __future__ import annotations

import functools
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from klaviyo_sql import errors
from klaviyo_sql.fetch import Budget, Client, CountBudget, Window, Workers
from klaviyo_sql.fetch.merging import SortKey, merged, sort_key
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model.clock import Clock
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Collection, CountedCollection, Detail, Id, Question, Table
from klaviyo_sql.plan import counts, named_metrics, planning, pushdown, questions
from klaviyo_sql.plan.chains import Chain, Plan
from klaviyo_sql.plan.constraints import Constraint, Operator, Unknown
from klaviyo_sql.plan.scan import Order, Scan, Today

_REVENUE = "Placed Order"
_REVENUE_COLUMNS = ("name", "integration_category", "created", "id")
_TIMEZONE = ("timezone",)
_NAMED = ("id", "name")
_KLAVIYO_BEGAN = datetime(2012, 1, 1, tzinfo=UTC)


class Scans(Protocol):
    """Whoever answers scans: the engine of one account, or all of them together. See `Engine` for what its parts do."""

    tables: dict[str, Table]

    @property
    def parallel(self) -> int: ...

    @property
    def statement_budget(self) -> Budget: ...

    def scan(self, scan: Scan) -> Iterator[Row]: ...

    def pages_of(self, scan: Scan, budget: Budget | None = None) -> Iterator[list[Row]]: ...

    def count(self, scan: Scan, budget: Budget | None = None) -> int | None: ...

    def count_budget(self, table: Table) -> CountBudget: ...

    def read_whole(self, scan: Scan) -> list[Row]: ...


class _Account(NamedTuple):
    """What plans depend on that only the account can tell, asked for when it matters."""

    today: Callable[[], Today]
    revenue_metric: Callable[[], str]
    metrics_named: named_metrics.MetricsNamed


class Engine:
    """Answers scans of one account's tables."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        tables: dict[str, Table],
        *,
        parallel: int,
        poll: Callable[[], None],
        account: str | None = None,
        lead: Engine | None = None,
        counts: bool = False,
    ) -> None:
        """`parallel` is how many requests of one scan may be under way; `poll` is called while a scan waits, and raises to end it.

        `counts`: rows that nobody reads may be counted by Klaviyo.

        `account` is the account's name in the settings, which its errors begin with; `lead` is the engine whose budget counts for it as well.
        """
        self.client = client
        self.account = account
        self._lead = lead
        self._counts = counts
        self._parallel = parallel
        self.budget = Budget()
        """That of the statement that is running: whoever runs it puts it here."""
        self._poll = poll
        self._workers = Workers(parallel)
        self.tables = tables
        self._clock = clock
        self._timezone: str | None = None
        self._revenue: str | None = None
        self._metrics: tuple[Budget, list[Row]] | None = None
        """The ids and names of all metrics, and the statement that they were read for."""

    @property
    def statement_budget(self) -> Budget:
        """What the statement that is running may still send and read, from whichever accounts."""
        return (self._lead or self).budget

    @property
    def parallel(self) -> int:
        """How many requests of one scan may be under way."""
        return self._parallel

    @property
    def workers(self) -> Workers:
        """The threads that send."""
        return self._workers

    def scan(self, scan: Scan) -> Iterator[Row]:
        """The rows of a scan: the values of `scan.columns` first, then others that were needed on the way.

        The exceptions of `plan` before anything is sent; the exceptions of `Client.send`.
        """
        return self.run(self.plan(scan))

    def pages_of(self, scan: Scan, budget: Budget | None = None) -> Iterator[list[Row]]:
        """The same rows in lists that are not empty: what has been read already, without asking for more.

        `budget` is the part of the statement's that the scan may use, where that is not all of it.
        """
        return self.pages(self.plan(scan), sifted=scan.sifted, budget=budget)

    def count(self, scan: Scan, budget: Budget | None = None) -> int | None:
        """How many rows the scan has, where Klaviyo counts them and may be asked; None when they have to be read."""
        total = self.total(scan)
        found = [value for value, *_ in self.run(total, budget)] if total else []
        return sum(found) if found and None not in found else None

    def total(self, scan: Scan) -> Plan | None:
        """The plan by which Klaviyo counts the rows of the scan; None when they have to be read."""
        total = counts.total(scan, self.tables) if self._counts else None
        if total is None:
            return None
        plan = self.presumed(total)  # of what it reads nothing has to be known before
        if isinstance(total.table.source, CountedCollection) and not any(chain.counted for chain in plan.chains):
            return None  # it would read the events as well
        return plan

    def count_budget(self, table: Table) -> CountBudget:
        """What a scan of the table may use of the statement's budget, as long as none of its rows is read."""
        countable = isinstance(table.source, Collection) and table.source.count is not None and not self._counts
        hint = 'Let Klaviyo count where it can, with counts = "aggregates"' if countable else ""
        return CountBudget(self.statement_budget, hint)

    def plan(self, scan: Scan) -> Plan:
        """The plan of a scan that is about to run; the first of a period table reads the account's time zone.

        DataError when a time column is compared with a text that is no time; BudgetExceeded when more requests are known to be needed than are left.
        """
        plan = self._planned(scan, _Account(self._today, self._revenue_metric, self.metrics_named))
        if scan.limit is None and len(plan.chains) > 1:
            self.statement_budget.foresee(plan.table.name, len(plan.chains))
        return plan

    def new_budget(self, *, max_requests: int | None, max_rows: int | None, seconds: float | None, count_requests: int | None = None) -> Budget:
        """The budget of a statement that begins now."""
        return Budget(
            max_requests=max_requests,
            max_rows=max_rows,
            seconds=seconds,
            count_requests=count_requests,
            clock=self._clock,
            narrowing=self._narrowing,
        )

    def _narrowing(self, name: str) -> str:
        """How a query of the table can be made smaller."""
        table = next((table for table in self.tables.values() if name in table.names), None)
        if table is None:  # of a vocabulary, or over another: its columns have names that are not known here
            return "Narrow the WHERE by columns that are pushed down, which klaviyo_columns tells."
        filtered = pushdown.filtered(table)
        if not filtered:
            return f"Klaviyo cannot filter {name}."
        return f"Narrow the WHERE by what Klaviyo filters {name} by ({', '.join(filtered)})."

    def presumed(self, scan: Scan) -> Plan:
        """The plan of a scan without sending anything; what it would have to know of the account is presumed, and would be asked for `before`."""
        before: list[Request] = []

        def unknown(name: str, *columns: str) -> None:
            table = self.tables[name]
            plan = planning.plan(Scan(table, tuple(map(table.index, columns))), self.tables, self._today)
            before.extend(chain.request for chain in plan.chains)

        def today() -> Today:
            if self._timezone is None:
                unknown("accounts", *_TIMEZONE)
            return self._today_in(self._timezone or "UTC")

        def revenue_metric() -> str:
            if self._revenue is None:
                unknown("metrics", *_REVENUE_COLUMNS)
            return self._revenue or f"<the id of {_REVENUE}>"

        def metrics_named(names: tuple[str, ...]) -> tuple[Any, ...]:
            unknown("metrics", *_NAMED)
            return (Unknown(f"<the id of {names[0]}>"),)

        plan = self._planned(scan, _Account(today, revenue_metric, metrics_named))
        return replace(plan, before=tuple(before)) if before and not plan.nothing else plan

    def _planned(self, scan: Scan, account: _Account) -> Plan:
        cuttable = replace(scan, cut=self.parallel > 1)
        source = scan.table.source
        if isinstance(source, CountedCollection):
            return counts.plan(cuttable, self.tables, self._clock.now())
        if isinstance(source, Question):
            return questions.plan(cuttable, questions.Known(self._clock.now(), account.today, account.revenue_metric))
        if isinstance(source, Collection) and source.of_metrics:
            found = named_metrics.with_ids(cuttable, account.metrics_named)
            if isinstance(found, Plan):
                return found
            cuttable = found
        return planning.plan(cuttable, self.tables, account.today)

    def read_whole(self, scan: Scan) -> list[Row]:
        """All rows of a scan, for somebody who will not stop halfway: with as many requests at once as there may be from the first on."""
        return list(itertools.chain.from_iterable(self.pages(self.plan(scan), eager=True)))

    def run(self, plan: Plan, budget: Budget | None = None) -> Iterator[Row]:
        """The rows of a plan, in its order if it has one."""
        return itertools.chain.from_iterable(self.pages(plan, budget=budget))

    def pages(self, plan: Plan, *, eager: bool = False, sifted: bool = False, begin: bool = False, budget: Budget | None = None) -> Iterator[list[Row]]:
        """The same rows in lists that are not empty: what has been read already, without asking for more.

        `eager` when all of them will be wanted: the window need not open step by step; `sifted` when a few may be enough. With `begin` the first requests
        are on their way when this returns, for who reads several scans side by side. `budget` is the statement's, unless another is given.
        """
        pages = self._read(plan, eager=eager, sifted=sifted, budget=budget or self.statement_budget)
        if begin:
            next(pages)
        found = filter(None, pages)
        return _in_order(found, plan, plan.order) if plan.order else found

    def _read(self, plan: Plan, *, eager: bool, sifted: bool, budget: Budget) -> Iterator[list[Row]]:
        """The pages, after an empty one, which is there as soon as the first requests are on their way; errors name the account."""
        order = plan.order
        try:
            if order is not None and len(plan.chains) > 1:
                yield from self._merged(plan, order, budget)
                return
            window = self._window(plan, self._chains(plan, budget), budget, eager=eager, sifted=sifted)
            try:
                window.begin()
                yield []
                yield from self._pages(plan, window)
            finally:
                window.stop()
        except errors.Error as error:
            raise errors.of_account(error, self.account)  # noqa: B904 - it is the same exception

    def _chains(self, plan: Plan, budget: Budget) -> Iterator[Chain]:
        """The chains, those of children as the parents' pages come in."""
        if plan.parents is None or plan.chains_of is None:
            yield from plan.chains
            return
        for parents in _in_groups(_each_once(self.run(plan.parents, budget)), plan.at_once):
            yield from plan.chains_of(parents)

    def _merged(self, plan: Plan, order: Order, budget: Budget) -> Iterator[list[Row]]:
        """Several ordered chains as one; their first pages are read side by side, for all of them are needed to know the first row."""
        windows = [self._window(plan, [chain], budget) for chain in plan.chains]
        waiting = deque(windows)

        def begin_another() -> None:
            if waiting:
                waiting.popleft().begin()

        def pages(window: Window) -> Iterator[list[Row]]:
            for page in self._pages(plan, window):
                begin_another()
                yield page

        try:
            for _ in range(self.parallel):
                begin_another()
            yield []
            positions = [chain.columns.index(order.column) for chain in plan.chains]
            yield from merged([(pages(window), position) for window, position in zip(windows, positions, strict=True)], descending=order.descending)
        finally:
            for window in windows:
                window.stop()

    def _window(self, plan: Plan, chains: Iterable[Chain], budget: Budget, *, eager: bool = False, sifted: bool = False) -> Window:
        """What reads chains side by side, in order, if the plan has one."""
        return Window(
            self.client,
            self._workers,
            chains,
            most=self.parallel,
            first=self.parallel if eager else 1,
            ordered=plan.order is not None,
            sifted=sifted,
            poll=self._poll,
            budget=budget,
            until=self._until,
        )

    def _pages(self, plan: Plan, window: Window) -> Iterator[list[Row]]:
        """The pages of chains, with what had to be read for each row."""
        source = plan.table.source
        if isinstance(source, Collection) and source.distinct:
            return _distinct(plan.table, window.pages())
        return itertools.starmap(functools.partial(self._completed, plan.table), window.pages())

    def _until(self, chain: Chain) -> int:
        """Where rows are likely to end whose range nobody bounded: the present, or the year in which Klaviyo began."""
        instant = _KLAVIYO_BEGAN if chain.slicing and chain.slicing.descending else self._clock.now()
        return int(instant.timestamp())

    def _completed(self, table: Table, chain: Chain, rows: list[Row]) -> list[Row]:
        """The rows with the columns that only the by-id operation knows, one request a row; as they are where there are none."""
        if not chain.detail:
            return rows
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
            row = next(self.scan(Scan(table, tuple(map(table.index, _TIMEZONE)))), None)
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

    def _revenue_metric(self) -> str:
        """The metric that counts as revenue, read once for the engine: Placed Order; of several that of an online shop, then the oldest."""
        if self._revenue is None:
            table = self.tables["metrics"]
            found = [row for row in self.scan(Scan(table, tuple(map(table.index, _REVENUE_COLUMNS)))) if row[0] == _REVENUE]
            if not found:
                raise errors.DataError(f"The account has no metric {_REVENUE}: say which counts as a conversion, WHERE conversion_metric_id = '…'.")
            self._revenue = str(min(found, key=lambda row: ((row[1] or "").lower() != "ecommerce", row[2] or "9999", row[3]))[3])
        return self._revenue

    def metrics_named(self, names: tuple[str, ...]) -> tuple[Any, ...]:
        """The ids of the metrics with these names, read once for a statement: metrics come, and Klaviyo renames them."""
        budget = self.statement_budget
        if self._metrics is None or self._metrics[0] is not budget:
            table = self.tables["metrics"]
            self._metrics = budget, list(self.scan(Scan(table, tuple(map(table.index, _NAMED)))))
        return tuple(id_ for id_, name in self._metrics[1] if name in names)

    def _today_in(self, timezone: str) -> Today:
        return Today(timezone, self._clock.now().astimezone(ZoneInfo(timezone)).date())


def _distinct(table: Table, pages: Iterable[tuple[Chain, list[Row]]]) -> Iterator[list[Row]]:
    """The first row of each key, of rows that have one."""
    seen: set[Row] = set()
    for chain, page in pages:
        positions = [chain.columns.index(table.index(name)) for name in table.key]
        kept = []
        for row in page:
            key = tuple(row[position] for position in positions)
            if key not in seen and None not in key:
                seen.add(key)
                kept.append(row)
        yield kept


def _each_once(parents: Iterable[Row]) -> Iterator[Row]:
    """The rows, without those whose id came before: of resources that moved from page to page meanwhile."""
    seen = set()
    for row in parents:
        if row[0] not in seen:
            seen.add(row[0])
            yield row


def _in_groups(rows: Iterator[Row], size: int) -> Iterator[tuple[Row, ...]]:
    while group := tuple(itertools.islice(rows, size)):
        yield group


def _in_order(pages: Iterator[list[Row]], plan: Plan, order: Order) -> Iterator[list[Row]]:
    """The pages, as long as their rows come in the order that was asked for: SQLite was told so and does not look."""
    if not plan.chains:
        return iter(())
    position = plan.chains[0].columns.index(order.column)
    before: SortKey | None = None

    def checked(page: list[Row]) -> list[Row]:
        nonlocal before
        keys = [sort_key(row[position]) for row in page]
        pairs = itertools.pairwise(keys if before is None else [before, *keys])
        if any((b > a) if order.descending else (b < a) for a, b in pairs):
            name = plan.table.columns[order.column].name
            raise errors.OperationalError(
                f"Klaviyo did not return {plan.table.name} in the order of {name} that it was asked for; sort in SQLite instead: ORDER BY +{name}"
            )
        before = keys[-1]
        return page

    return map(checked, pages)
