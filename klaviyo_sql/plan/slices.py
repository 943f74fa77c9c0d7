"""A long chain of pages, cut into ranges of its sort key that can be read side by side.

Pages of one chain follow one another, because each needs the last one's cursor: at 0.2 s a page that is five pages a second, where Klaviyo
allows dozens. Ranges of the key are independent. They are half-open and cut at whole seconds of the key as rows show it, so that every row is
in one of them; where they end is decided on the way, from how dense the rows turned out to be.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from klaviyo_sql.contract import FilterRule
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Column, Filter, Type
from klaviyo_sql.plan import filters
from klaviyo_sql.plan.constraints import Bound, Unknown, Wanted

_ROOM = 0.07
"""The part of a page that a slice is meant to leave empty, so that most need no page more than planned; of longer ones its square root as often."""
_LAST_ROOM = 0.2
"""The same for the slices of the last round trip: who is not done with one page takes another round trip, for which everybody waits."""
_REMEMBERED = 16
"""Pages whose density counts for the next slice."""
_PARTS = 2
"""How many times as many parts the rest of a slice is given out in, each time that one has far more rows than was meant; one at first: most are bursts."""
_SHARES = 3
"""How many slices each of those who read side by side has before it, at least: towards the end slices are short, so that all end at about the same time."""
_FIRST_TRUST = 19
"""Slices that are given out before any of them is heard of: a burst on the first page promises more rows than there are."""
_BLIND_TRUST = 9
"""The same when nobody knows how far back rows go."""
_WORTH_CUTTING = 4
"""Pages that must be left for a range to be cut."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = math.floor((datetime.min.replace(tzinfo=UTC) - _EPOCH).total_seconds())
_LATEST = math.floor((datetime.max.replace(microsecond=0, tzinfo=UTC) - _EPOCH).total_seconds())


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
    limit: int | None = None
    """Rows that are enough, when that is known."""

    def inside(self, part: Slice) -> Slicing:
        """The same, for one slice."""
        return replace(self, low=self.low if part.low is None else part.low, high=self.high if part.high is None else part.high)

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
    return Slicing(position, column.type, *chosen, clauses, page, low=_on_the_calendar(_first(wanted.low)), high=_on_the_calendar(_beyond(wanted.high)))


def _on_the_calendar(key: int | None) -> int | None:
    """The key, or no end at all where there is no time for it: the second after the year 9999."""
    return None if key is None or not _EARLIEST <= key <= _LATEST else key


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


WHOLE = Slice(None, None)


@dataclass(slots=True)
class Slicer:
    """Gives out the rest of a range, slice by slice, in the direction of the sort.

    `slicing` bounds the range. `until` is where its rows are likely to end when nothing says where they do: the present, or the time before which
    there was no Klaviyo. `at_once` is how many slices can be read at the same time, `longest` how many pages one is meant to have at most. `depth`
    is how many slices this range is in that were meant to have a page or two, and turned out to have far more. `usual` is how many rows a second there were
    before, if that is known.
    """

    slicing: Slicing
    until: int
    at_once: int
    longest: int
    depth: int = 0
    usual: float = 0.0
    _position: int = 0
    _done: bool = False
    _gap: bool = False
    _unheard: int = 0
    _trusted: int = _FIRST_TRUST
    _density: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def __post_init__(self) -> None:
        if self.slicing.descending and self.slicing.low is None:
            self._trusted = _BLIND_TRUST

    def begin(self, first: int, last: int, rows: int) -> Slice | None:
        """Take over behind a page with so many rows between these keys: the slice that its chain keeps, or None when the rest is not worth it.

        A page that is far denser than usual shows a burst, whose end nobody knows: the rest is given out as if it were behind it, or in
        two parts if that was wrong before, then four, and so on; but in no more than it takes if all of it is as dense.
        """
        self._position = last
        self._density.append((rows, max(1, abs(last - first))))
        pages = self._left() * self.rows_per_second / self.slicing.page
        if pages < _WORTH_CUTTING:
            return None
        kept = self._step()
        self._position = kept
        if self._done:
            return None
        if self.usual:
            least = max(self.usual * self._left() / self.slicing.page, _PARTS ** max(0, self.depth - 1))
            self._density.clear()
            self._density.append((self.slicing.page * min(pages, least), max(1, self._left())))
        s = self.slicing
        return Slice(kept, s.high) if s.descending else Slice(s.low, kept)

    def next(self) -> Slice | None:
        """The next slice; None when the range is given out, or too many slices are unheard of."""
        if self._done or self._unheard >= self._trusted:
            return None
        self._unheard += 1
        start, end = self._position, self._step()
        self._position = end
        s = self.slicing
        if s.descending:
            return Slice(s.low if self._done else end, start)
        return Slice(start, s.high if self._done else end)

    @property
    def rows_per_second(self) -> float:
        """How dense rows lie, by the last pages."""
        seconds = sum(seconds for _, seconds in self._density)
        return sum(rows for rows, _ in self._density) / seconds if seconds else 0.0

    @property
    def gives_whole(self) -> bool:
        """Whether the last slice was all of the rest, however many rows it has."""
        return self._gap

    @property
    def done(self) -> bool:
        """Whether the whole range is given out."""
        return self._done

    def hear(self, rows: int) -> None:
        """What the first page of a slice turned out to hold. After an empty one the rest is given out whole: it is cut again when it has rows."""
        self._unheard -= 1
        self._trusted = min(self.at_once, self._trusted * 2)
        self._gap = rows == 0

    def learn(self, rows: int, seconds: int) -> None:
        """What a page of a slice turned out to hold, and how much of the key that was."""
        self._density.append((rows, seconds))

    def _step(self) -> int:
        """The end of a slice that begins here; the last one is `_done`."""
        s = self.slicing
        rate = self.rows_per_second
        self._gap = self._gap or not rate
        if self._gap:
            self._done = True
            return self._limit()
        pages = self._left() * rate / s.page
        # Before much is known of how dense rows lie, a page that is a little too wide costs two requests: slices of two pages waste less.
        least = 1 if len(self._density) > _REMEMBERED // 2 else 2
        long = min(self.longest, max(least, math.ceil(pages / self.at_once / _SHARES)))
        # Where everything left is read at once, more and shorter slices take no more time.
        is_last_round = pages <= self.at_once * (1 - _LAST_ROOM) and len(self._density) == _REMEMBERED
        room = _LAST_ROOM if is_last_round else _ROOM * math.sqrt(long)
        width = max(1, math.ceil(s.page * (long - room) / rate))
        end = self._position - width if s.descending else self._position + width
        limit = self._limit()
        # A sliver at the end is not worth a request of its own.
        self._done = end - width / 4 <= limit if s.descending else end + width / 4 >= limit
        return limit if self._done else end

    def _limit(self) -> int:
        s = self.slicing
        known = s.low if s.descending else s.high
        return self.until if known is None else known

    def _left(self) -> int:
        ahead = self._position - self._limit() if self.slicing.descending else self._limit() - self._position
        return max(0, ahead)


def within(slicing_: Slicing, slice_: Slice, parameters: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The parameters of the chain's request, for one slice of it."""
    named = dict(parameters)
    named["filter"] = slicing_.clauses_for(slice_.low, slice_.high)
    named["page[size]"] = str(slicing_.page)
    return tuple(sorted(named.items()))
