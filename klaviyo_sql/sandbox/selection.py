"""Which resources a filter lets through, and in which order they come."""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    """The resources that passed, in ascending order, so that a page is found by bisection and pages do not shift when one is added."""

    def __init__(self, resources: Iterable[Resource], key: Callable[[Resource], SortKey]) -> None:
        decorated = sorted(((key(resource), resource) for resource in resources), key=lambda pair: pair[0])
        self.keys = [pair[0] for pair in decorated]
        self.resources = [pair[1] for pair in decorated]

    def page(self, cursor: Cursor | None, size: int, *, descending: bool) -> Page:
        """`size` resources behind (or before) the cursor, in the order asked for."""
        total = len(self.keys)
        # Both bounds are positions in ascending order; a descending page is read off backwards.
        if cursor is None:
            first, last = (max(0, total - size), total) if descending else (0, min(size, total))
        elif cursor.forward != descending:
            first = bisect_right(self.keys, cursor.key)
            last = min(total, first + size)
        else:
            last = bisect_left(self.keys, cursor.key)
            first = max(0, last - size)
        rows = self.resources[first:last]
        keys = self.keys[first:last]
        before, after = first > 0, last < total
        if descending:
            rows.reverse()
            keys.reverse()
            before, after = after, before
        return Page(rows, keys, before, after)


@dataclass(frozen=True, slots=True)
class Page:
    """The resources of a page with their keys, and whether there are others before and after it."""

    resources: list[Resource]
    keys: list[SortKey]
    before: bool
    after: bool


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
