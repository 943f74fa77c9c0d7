"""Which resources a filter lets through, and in which order they come."""

from __future__ import annotations

import threading
import zlib
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from klaviyo_sql.contract import FilterRule
from klaviyo_sql.sandbox.account import Resource
from klaviyo_sql.sandbox.cursor import Cursor, SortKey
from klaviyo_sql.sandbox.filter_grammar import Clause, Moment

Reader = Callable[[Resource], Any]
"""What a filter or sort field means of a resource: a value, None, or a list of values of which one has to match."""

_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "less-than": lambda value, bound: value < bound,
    "less-or-equal": lambda value, bound: value <= bound,
    "greater-than": lambda value, bound: value > bound,
    "greater-or-equal": lambda value, bound: value >= bound,
    "contains": lambda value, part: part in value,
    "starts-with": lambda value, part: value.startswith(part),
    "ends-with": lambda value, part: value.endswith(part),
}


COMPARISONS = frozenset(("less-than", "less-or-equal", "greater-than", "greater-or-equal"))
"""Operators that leave a range of the values."""

_REMEMBERED_ROWS = 250_000
"""Resources of one order whose JSON is kept in one shape: a few hundred megabytes at the most."""
_REMEMBERED_SHAPES = 4


def at(path: str) -> Reader:
    """Reads the attribute at a dotted path; through a list it reads every element."""
    parts = path.split(".")
    if parts == ["id"]:
        return lambda resource: resource["id"]

    def read(resource: Resource) -> Any:
        found: list[Any] = [resource["attributes"]]
        several = False
        for part in parts:
            following: list[Any] = []
            for value in found:
                inner = value.get(part) if isinstance(value, dict) else None
                if isinstance(inner, list):
                    several = True
                    following += inner
                else:
                    following.append(inner)
            found = following
        return found if several else found[0]

    return read


def never(resource: Resource) -> None:
    """Reads nothing, of any resource."""


@dataclass(frozen=True, slots=True)
class Fields:
    """How a collection's filter and sort fields are read, where the name alone does not say it."""

    readers: Mapping[str, Reader]
    without_case: frozenset[str]
    ignored: frozenset[str]

    def reader(self, name: str) -> Reader:
        return self.readers.get(name) or at(name)

    def predicate(self, clause: Clause, rule: FilterRule) -> Callable[[Resource], bool] | None:
        """Whether a resource passes the clause; None when Klaviyo accepts the clause and does nothing with it."""
        if clause.field in self.ignored:
            return None
        read = self.reader(clause.field)
        if clause.operator == "has":
            return lambda resource: read(resource) is not None
        convert = _converter(rule.type, folded=clause.field in self.without_case)
        if clause.operator in ("equals", "any"):
            values = clause.value if isinstance(clause.value, tuple) else (clause.value,)
            wanted = {convert(_plain(value)) for value in values}
            return _each(read, lambda value: convert(value) in wanted)
        holds = _ORDERINGS[clause.operator]
        bound = convert(_plain(clause.value))
        return _each(read, lambda value: holds(convert(value), bound))


def _plain(value: Any) -> Any:
    return value.instant if isinstance(value, Moment) else value


def _converter(kind: str, *, folded: bool) -> Callable[[Any], Any]:
    if kind == "date-time":
        return lambda value: datetime.fromisoformat(value) if isinstance(value, str) else value
    if folded:
        return lambda value: value.casefold() if isinstance(value, str) else value
    return lambda value: value


def _each(read: Reader, holds: Callable[[Any], bool]) -> Callable[[Resource], bool]:
    def passes(resource: Resource) -> bool:
        value = read(resource)
        if isinstance(value, list):
            return any(holds(element) for element in value if element is not None)
        return value is not None and holds(value)

    return passes


class Ordered:
    """The resources that passed, in ascending order, so that a page is found by bisection and pages do not shift when one is added.

    What a page of them looks like is remembered too, resource by resource, so that a scan of a large account is not rendered again by the next one.
    """

    def __init__(self, resources: Iterable[Resource], key: Callable[[Resource], SortKey]) -> None:
        decorated = sorted(((key(resource), resource) for resource in resources), key=lambda pair: pair[0])
        self.keys = [pair[0] for pair in decorated]
        self.resources = [pair[1] for pair in decorated]
        self._scale: list[Any] | None = None
        self._looks: OrderedDict[Any, _Look] = OrderedDict()
        self._lock = threading.Lock()

    def with_added(self, resources: Iterable[Resource], key: Callable[[Resource], SortKey]) -> Ordered:
        """This order and a few resources more, without sorting the rest again."""
        grown = Ordered((), key)
        grown.keys, grown.resources = self.keys.copy(), self.resources.copy()
        for resource in resources:
            place = key(resource)
            position = bisect_left(grown.keys, place)
            grown.keys.insert(position, place)
            grown.resources.insert(position, resource)
        return grown

    @property
    def whole(self) -> Part:
        """All of them."""
        return Part(self, 0, len(self.keys))

    def between(self, clauses: Iterable[Clause], kind: str) -> Part | None:
        """Those whose sort value satisfies the clauses, each a comparison; None when the values do not lie in the order of what they mean."""
        if self._scale is None:
            self._scale = _scale(self.keys, kind)
        scale = self._scale
        if len(scale) < len(self.keys) and not (self.keys[len(scale)][0]):
            return None
        first, last = 0, len(scale)
        for clause in clauses:
            bound = _plain(clause.value)
            if clause.operator == "greater-than":
                first = max(first, bisect_right(scale, bound))
            elif clause.operator == "greater-or-equal":
                first = max(first, bisect_left(scale, bound))
            elif clause.operator == "less-than":
                last = min(last, bisect_left(scale, bound))
            else:
                last = min(last, bisect_right(scale, bound))
        return Part(self, first, max(first, last))

    def rendered(self, shape: Hashable, positions: Iterable[int], render: Callable[[list[Resource]], list[dict[str, Any]]]) -> list[msgspec.Raw]:
        """The resources at these positions as JSON; `shape` is everything but the resource that decides what it looks like."""
        positions = list(positions)
        known = self._look(shape).rows
        missing = [position for position in positions if position not in known]
        new = [msgspec.Raw(msgspec.json.encode(item)) for item in render([self.resources[position] for position in missing])] if missing else []
        fresh = dict(zip(missing, new, strict=True))
        if len(known) < _REMEMBERED_ROWS:
            known.update(fresh)
        return [fresh[position] if position in fresh else known[position] for position in positions]

    def included(self, shape: Hashable) -> dict[Any, msgspec.Raw]:
        """What was included with replies of this shape, to be remembered there."""
        return self._look(shape).included

    def _look(self, shape: Hashable) -> _Look:
        with self._lock:
            look = self._looks.setdefault(shape, _Look())
            self._looks.move_to_end(shape)
            while len(self._looks) > _REMEMBERED_SHAPES:
                self._looks.popitem(last=False)
            return look


@dataclass(frozen=True, slots=True)
class _Look:
    """JSON of resources in one shape: those of the order by their position, those included with them by kind and id."""

    rows: dict[int, msgspec.Raw] = field(default_factory=dict)
    included: dict[Any, msgspec.Raw] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbors in an order, from `start` to before `end`: what a filter for a range of the sort value leaves of it."""

    ordered: Ordered
    start: int
    end: int

    def page(self, cursor: Cursor | None, size: int, *, descending: bool) -> Page:
        """`size` resources behind (or before) the cursor, in the order asked for."""
        start, end, keys = self.start, self.end, self.ordered.keys
        # Both bounds are positions in ascending order; a descending page is read off backwards.
        if cursor is None:
            first, last = (max(start, end - size), end) if descending else (start, min(start + size, end))
        elif cursor.forward != descending:
            first = bisect_right(keys, cursor.key, start, end)
            last = min(end, first + size)
        else:
            last = bisect_left(keys, cursor.key, start, end)
            first = max(start, last - size)
        before, after = first > start, last < end
        if descending:
            return Page(self.ordered, range(last - 1, first - 1, -1), after, before)
        return Page(self.ordered, range(first, last), before, after)


@dataclass(frozen=True, slots=True)
class Page:
    """Where the resources of a page stand in their order, and whether there are others before and after it."""

    ordered: Ordered
    positions: range
    before: bool
    after: bool

    @property
    def resources(self) -> list[Resource]:
        """The resources of the page."""
        return [self.ordered.resources[position] for position in self.positions]

    @property
    def ends(self) -> tuple[SortKey, SortKey]:
        """The keys of the first and of the last; there must be one."""
        return self.ordered.keys[self.positions[0]], self.ordered.keys[self.positions[-1]]


def _scale(keys: list[SortKey], kind: str) -> list[Any]:
    """What the sort values mean to a comparison, as far as that is ascending as they are; missing values, which come last, mean nothing."""
    scale: list[Any] = []
    for missing, value, _ in keys:
        if missing:
            break
        meant = datetime.fromisoformat(value) if kind == "date-time" and isinstance(value, str) else value
        if kind == "date-time" and not isinstance(meant, datetime):
            break
        if scale and meant < scale[-1]:
            break
        scale.append(meant)
    return scale


def order_by(read: Reader | None) -> Callable[[Resource], SortKey]:
    """The key to sort by: missing values last, of several values the latest, the id last; without a reader no order anyone would guess."""
    if read is None:
        return lambda resource: (False, zlib.crc32(resource["id"].encode()), resource["id"])
    reader = read

    def key(resource: Resource) -> SortKey:
        value = reader(resource)
        if isinstance(value, list):
            value = max((element for element in value if element is not None), default=None)
        return (True, "", resource["id"]) if value is None else (False, value, resource["id"])

    return key
