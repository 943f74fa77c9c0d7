"""Every shape of query that SQLite hands to a virtual table in a way of its own, once, with real and odd values."""

from __future__ import annotations

from ..oracle import Query
from . import conditions, joins, results, times
from .rows import rows

_KINDS = (
    conditions.equality,
    conditions.lists,
    conditions.ranges_and_patterns,
    conditions.nulls,
    conditions.alternatives,
    conditions.affinities,
    conditions.odd_values,
    results.order_and_limits,
    results.groups,
    results.compounds,
    joins.joins,
    joins.own_tables,
    results.columns,
    conditions.contradictions,
    times.single_instants,
    times.times,
)


def shapes() -> list[Query]:
    """All queries; which is which number changes when there are more."""
    found = rows()
    return [query for kind in _KINDS for query in kind(found)]
