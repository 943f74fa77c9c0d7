"""A scan that is run again and again with other values, as the inner side of a join is.

It remembers what it has read for as long as the statement runs. Of a key that it is asked for it looks ahead at those that will be asked for
next, which lie in the pages that the outer loops stand in, and asks Klaviyo for a hundred in one request; a small table is read whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cachetools import LRUCache

from klaviyo_sql import contract
from klaviyo_sql.engine import Scans
from klaviyo_sql.errors import NotSupportedError
from klaviyo_sql.fetch import Budget
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model.table import Collection, Detail, Id, Question, Table
from klaviyo_sql.plan import cost
from klaviyo_sql.plan.constraints import Constraint, Operator
from klaviyo_sql.plan.filters import MOST_VALUES
from klaviyo_sql.plan.scan import Order, Scan
from klaviyo_sql.unread import UnreadRows

_REMEMBERED_KEYS = 20_000
_REMEMBERED_ROWS = 10_000
"""Rows of one whole scan that are kept for when it is run again."""

Waiting = Callable[[str], Iterable[str]]
"""The texts that are likely to be asked for after this one, in that order; they may come more than once."""


class _Lookup(NamedTuple):
    """The term whose value changes from run to run, and what stays."""

    column: int
    value: str
    rest: tuple[Constraint, ...]


@dataclass(slots=True)
class Scanner:
    """One way to scan one table, in one statement."""

    engine: Scans
    table: Table
    columns: tuple[int, ...]
    order: Order | None = None
    limit: int | None = None
    sifted: bool = False
    """Whether SQLite drops rows before it counts to a LIMIT."""
    unread: bool = False
    """Whether SQLite may only count the rows."""
    _rest: tuple[int, tuple[Constraint, ...]] | None = None
    """What the remembered keys are true for: the column that they are of, and the other terms."""
    _found: MutableMapping[str, list[Row]] = field(default_factory=lambda: LRUCache(_REMEMBERED_KEYS))
    _whole: dict[str, list[Row]] | None = None
    _batches: int = 1
    _ahead: set[str] = field(default_factory=set)
    """The keys that were asked of Klaviyo with the last one, and by nobody yet."""
    _read_ahead: int = 0
    """How many they were at first."""
    _scanned: tuple[tuple[Constraint, ...], list[Row]] | None = None
    _counted: tuple[tuple[Constraint, ...], list[Row], int] | None = None
    """The terms, the first page and the number of rows of the last scan that was only counted."""
    _asked: set[str] = field(default_factory=set)
    """The questions of which there are only so many a day."""

    def pages(self, constraints: tuple[Constraint, ...], waiting: Waiting) -> Iterator[list[Row]]:
        """The rows for these values, in lists that are not empty."""
        lookup = self._lookup(constraints)
        rows = self._remembered(constraints) if lookup is None else self._looked_up(lookup, waiting)
        if rows is not None:
            return iter((rows,) if rows else ())
        return self._unread(constraints) if self.unread else self._scan(constraints)

    def _unread(self, constraints: tuple[Constraint, ...]) -> UnreadRows:
        """The rows, which may only be counted; how many they are is remembered for when an inner loop is run again."""
        budget = self.engine.count_budget(self.table)
        if self._counted is not None and _same(self._counted[0], constraints):
            _, first, total = self._counted
            return UnreadRows(self.table.name, _resumed(first, self._scan(constraints, budget)), lambda _: total, budget)
        source = self.table.source
        page = contract.operation(source.list).page if isinstance(source, Collection) else None

        def count(first: list[Row]) -> int | None:
            if page is None or len(first) < page.max:
                return None  # there is no second page
            total = self.engine.count(Scan(self.table, self.columns, constraints), budget)
            if total is not None:
                self._counted = constraints, first, total
            return total

        return UnreadRows(self.table.name, self._scan(constraints, budget), count, budget)

    def _scan(self, constraints: tuple[Constraint, ...], budget: Budget | None = None) -> Iterator[list[Row]]:
        """The rows as they come; few enough of them are remembered, for an inner loop is run again for each row of the outer one."""
        self._ration(constraints)
        pages = self.engine.pages_of(Scan(self.table, self.columns, constraints, self.order, self.limit, sifted=self.sifted), budget)
        kept: list[Row] = []
        for page in pages:
            kept += page
            if len(kept) > _REMEMBERED_ROWS:
                kept.clear()
                yield page
                del page
                yield from pages
                return
            yield page
        self._scanned = constraints, kept

    def _ration(self, constraints: tuple[Constraint, ...]) -> None:
        """Refuse to ask for each row of a join what can only be asked so often a day."""
        source = self.table.source
        if not isinstance(source, Question):
            return
        rate = contract.operation(source.operation).rate
        self._asked.add(repr(constraints))
        if rate.daily is not None and len(self._asked) > rate.steady:
            raise NotSupportedError(
                f"{self.table.name} is asked with other arguments for each row of a join or each value of an IN, and Klaviyo answers {rate.steady} a minute "
                f"and {rate.daily} a day: ask it once, for all groups, and join its rows."
            )

    def _remembered(self, constraints: tuple[Constraint, ...]) -> list[Row] | None:
        """The rows of the scan before, if it was the same and has been read to its end."""
        return self._scanned[1] if self._scanned is not None and _same(self._scanned[0], constraints) else None

    def _lookup(self, constraints: tuple[Constraint, ...]) -> _Lookup | None:
        """The term to look up by: the id of a row, or else what one request can ask for many values of."""
        source = self.table.source
        if not isinstance(source, Collection):
            return None
        candidates = [term for term in constraints if term.operator is Operator.EQUAL and isinstance(term.value, str)]
        ids = [term for term in candidates if isinstance(self.table.columns[term.column].place, Id) and source.get and not source.parent]
        for term in ids or candidates:
            found = _Lookup(term.column, term.value, tuple(other for other in constraints if other is not term))
            if ids or self._is_batched(found):
                return found
        return None

    def _looked_up(self, lookup: _Lookup, waiting: Waiting) -> list[Row] | None:
        """The rows of a key; None when they are better read page by page."""
        if self._rest is None or self._rest[0] != lookup.column or not _same(self._rest[1], lookup.rest):
            self._rest = lookup.column, lookup.rest
            self._found.clear()
            self._whole = None
            self._batches = 1
            self._ahead, self._read_ahead = set(), 0
        if self._whole is not None:
            return self._whole.get(lookup.value, [])
        if lookup.value in self._found:
            self._ahead.discard(lookup.value)
            return self._found[lookup.value]
        others = self._others(lookup.value, waiting)
        if self._may_read_whole() and (others or self._found):
            self._whole = self._grouped(lookup, ())
            return self._whole.get(lookup.value, [])
        if not others or not self._is_batched(lookup):
            if not isinstance(self.table.columns[lookup.column].place, Id):
                return None
            term = Constraint(lookup.column, Operator.EQUAL, lookup.value)
            rows = list(self.engine.scan(Scan(self.table, self.columns, (term, *lookup.rest), self.order, self.limit)))
            self._found[lookup.value] = rows
            return rows
        values = (lookup.value, *others)
        self._ahead, self._read_ahead = set(others), len(others)
        grouped = self._grouped(lookup, (Constraint(lookup.column, Operator.IN, values),))
        for value in values:
            self._found[value] = grouped.get(value, [])
        return grouped.get(lookup.value, [])

    def _others(self, value: str, waiting: Waiting) -> list[str]:
        """The keys to ask for with this one.

        One request is all that a LIMIT may turn out to need. Who goes on needs what comes next, more of it each time as long as most of what was read ahead
        is asked for; it may be that SQLite drops the outer rows.
        """
        if self._read_ahead:
            self._batches = self._batches * 2 if len(self._ahead) * 2 <= self._read_ahead else 1
        left = self.engine.statement_budget.left
        most = MOST_VALUES * (self._batches if left is None else max(1, min(self._batches, left)))
        found = {value: None}
        following = iter(waiting(value))
        while len(found) < most and (other := next(following, None)) is not None:
            if other not in self._found:
                found[other] = None
        return list(found)[1:]

    def _is_batched(self, lookup: _Lookup) -> bool:
        others = tuple((term.column, term.operator) for term in lookup.rest)
        return cost.batches(self.table, self.columns, lookup.column, others, self.engine.tables)

    def _may_read_whole(self) -> bool:
        places = (self.table.columns[column].place for column in self.columns)
        return (self.table.typical_rows <= cost.SMALL_TABLE or self._is_in_few_pages()) and not any(isinstance(place, Detail) for place in places)

    def _is_in_few_pages(self) -> bool:
        """Whether the rows are in the resources of a small table, and a hundred keys were not enough: by keys it takes as many requests each time."""
        if not self._found:
            return False
        sources = [way.source for way in self.table.ways if isinstance(way.source, Collection)]
        return any(source.of is not None and source.parent is None and self.engine.tables[source.of].typical_rows <= cost.SMALL_TABLE for source in sources)

    def _grouped(self, lookup: _Lookup, terms: tuple[Constraint, ...]) -> dict[str, list[Row]]:
        """The rows of a scan by their value of the lookup's column."""
        columns = tuple(dict.fromkeys((*self.columns, lookup.column)))
        position = columns.index(lookup.column)
        groups: dict[str, list[Row]] = {}
        for row in self.engine.read_whole(Scan(self.table, columns, (*terms, *lookup.rest), self.order)):
            groups.setdefault(row[position], []).append(row)
        return groups


def _resumed(first: list[Row], pages: Iterator[list[Row]]) -> Iterator[list[Row]]:
    """The pages of a scan whose first rows are known: nothing is asked for until others are wanted."""
    yield first
    known = len(first)
    for page in pages:
        if known < len(page):
            yield page[known:] if known else page
        known = max(0, known - len(page))


def _same(left: tuple[Constraint, ...], right: tuple[Constraint, ...]) -> bool:
    """Whether the terms are the same, types of values included: 1 and 1.0 are equal, but not the same text."""
    return repr(left) == repr(right)
