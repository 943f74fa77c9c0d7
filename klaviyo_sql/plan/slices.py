"""A long chain of pages, cut into ranges of its sort key that can be read side by side.

Pages of one chain follow one another, because each needs the last one's cursor: at 0.2 s a page that is five pages a second, where Klaviyo
allows dozens. Ranges of the key are independent. They are half-open and cut at whole seconds of the key as rows show it, so that every row is
in one of them; where they end is decided on the way, from how dense the rows turned out to be.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from klaviyo_sql.contract import FilterRule
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Column, Filter, Type
from klaviyo_sql.plan import filters
from klaviyo_sql.plan.constraints import Bound, Unknown, Wanted

_FULL = 0.93
"""How full a slice's pages are meant to be: a little room, so that most slices need no page more than planned."""
_REMEMBERED = 8
"""Slices whose density counts for the next one."""
_GROWTH = 4
"""How much wider than the widest of the last ones a slice may be: a gap in the data is crossed in a few steps."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Slicing:
    """How a chain can be cut: the key column, Klaviyo's filter for it, the other clauses of the chain, and the range that is wanted at all.

    Keys are whole seconds (of the epoch for times); `low` is included, `high` is not.
    """

    column: int
    type: Type
    filter: Filter
    rule: FilterRule
    clauses: tuple[str, ...]
    page: int
    low: int | None = None
    high: int | None = None
    descending: bool = False

    def key(self, value: Any) -> int:
        """The key of a row, from its value in the key column."""
        return _seconds(timestamps.parse(value)) if isinstance(value, str) else math.floor(value)

    def clauses_for(self, low: int | None, high: int | None) -> str:
        """The filter for one slice."""
        ends = (None if low is None else Bound(self._value(low), inclusive=True), None if high is None else Bound(self._value(high), inclusive=False))
        ranged = filters.range_(self.filter, self.rule, *ends)
        return ",".join((*self.clauses, *(ranged.clauses if ranged else ())))

    def bound(self, key: int | None, *, inclusive: bool) -> Bound | None:
        """One end of a slice as rows are compared with it."""
        if key is None:
            return None
        value = self._value(key)
        return Bound(timestamps.to_sql(value) if isinstance(value, datetime) else value, inclusive)

    def _value(self, key: int) -> Any:
        return _EPOCH + timedelta(seconds=key) if self.type is Type.TIMESTAMP else key


def slicing(column: Column, position: int, chosen: tuple[Filter, FilterRule] | None, wanted: Wanted, clauses: tuple[str, ...], page: int) -> Slicing | None:
    """The way to cut a chain that is sorted by the column; None where Klaviyo cannot filter ranges of it, or single values are wanted."""
    if chosen is None or wanted.values is not None or column.type not in (Type.TIMESTAMP, Type.INTEGER):
        return None
    operators = set(chosen[1].operators)
    if not (operators & {"greater-or-equal", "greater-than"} and operators & {"less-or-equal", "less-than"}):
        return None
    if any(bound is not None and isinstance(bound.value, Unknown) for bound in (wanted.low, wanted.high)):
        return None
    return Slicing(position, column.type, *chosen, clauses, page, low=_first(wanted.low), high=_beyond(wanted.high))


def _first(low: Bound | None) -> int | None:
    """The first whole second in the range."""
    if low is None:
        return None
    exact = _exact(low.value)
    return math.ceil(exact) if low.inclusive else math.floor(exact) + 1


def _beyond(high: Bound | None) -> int | None:
    """The first whole second after the range."""
    if high is None:
        return None
    exact = _exact(high.value)
    return math.floor(exact) + 1 if high.inclusive else math.ceil(exact)


def _exact(value: Any) -> float:
    return (value - _EPOCH).total_seconds() if isinstance(value, datetime) else float(value)


def _seconds(instant: datetime) -> int:
    return math.floor((instant - _EPOCH).total_seconds())


@dataclass(frozen=True, slots=True)
class Slice:
    """One range of the key: `low` included, `high` not; None is open."""

    low: int | None
    high: int | None


@dataclass(slots=True)
class Slicer:
    """Decides where the next slice ends.

    It begins behind the part that the first chain keeps for itself (`reserved`) and goes the way of the sort. `until` is where the rows are likely
    to end when nothing says where they do: the present, or a time before which there was no Klaviyo. `slices_wanted` is how many can be read at once.
    """

    slicing: Slicing
    until: int
    at_once: int
    reserved: Slice = field(init=False)
    _position: int = field(init=False)
    _done: bool = field(init=False, default=False)
    _density: deque[tuple[float, float]] = field(init=False, default_factory=lambda: deque(maxlen=_REMEMBERED))
    _widest: float = field(init=False, default=1.0)

    def begin(self, first: int, last: int, rows: int) -> bool:
        """Take over behind the first page, whose keys are given; False when what is left is not worth cutting."""
        s = self.slicing
        self._position = last
        self._density.append((rows, max(1.0, abs(last - first))))
        self._widest = max(1.0, abs(last - first))
        if self._left() * self._rows_per_second() < s.page * 1.5:
            return False
        kept = self._step()
        self.reserved = Slice(None, kept) if not s.descending else Slice(kept, None)
        self._position = kept
        return not self._done

    def next(self) -> Slice | None:
        """The next slice; None when the key range is given out."""
        if self._done:
            return None
        start = self._position
        end = self._step()
        s = self.slicing
        self._position = end
        if s.descending:
            return Slice(s.low if self._done else end, start)
        return Slice(start, s.high if self._done else end)

    def learn(self, done: Slice, rows: int) -> None:
        """What a slice that was read turned out to hold."""
        if done.low is not None and done.high is not None:
            self._density.append((rows, done.high - done.low))

    def _step(self) -> int:
        """The end of a slice that begins here, and whether it is the last."""
        s = self.slicing
        rate = self._rows_per_second()
        pages = self._left() * rate / s.page
        wanted = s.page * _FULL * (2 if pages > 2 * self.at_once else 1)
        width = min(wanted / rate if rate else math.inf, self._widest * _GROWTH)
        width = max(1, math.ceil(width))
        self._widest = max(self._widest, width)
        end = self._position - width if s.descending else self._position + width
        limit = self._limit()
        # A sliver at the end is not worth a request of its own.
        if (end - width / 4 <= limit) if s.descending else (end + width / 4 >= limit):
            self._done = True
            return limit
        return end

    def _limit(self) -> int:
        s = self.slicing
        known = s.low if s.descending else s.high
        return self.until if known is None else known

    def _left(self) -> int:
        return abs(self._limit() - self._position)

    def _rows_per_second(self) -> float:
        rows = sum(rows for rows, _ in self._density)
        seconds = sum(seconds for _, seconds in self._density)
        return rows / seconds if seconds else 0.0


def within(slicing_: Slicing, slice_: Slice, parameters: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The parameters of the chain's request, for one slice of it."""
    named = dict(parameters)
    named["filter"] = slicing_.clauses_for(slice_.low, slice_.high)
    named["page[size]"] = str(slicing_.page)
    return tuple(sorted(named.items()))
