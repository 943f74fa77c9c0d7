"""What a scan is likely to cost, for SQLite's choice of the order of joins: requests first, rows second."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from klaviyo_sql import contract
from klaviyo_sql.model.table import Aggregates, Attribute, CountedCollection, Id, ParentId, PeriodStart, Related, Table, Type
from klaviyo_sql.plan.constraints import Operator

_ROW = 1.0
"""The unit: about two microseconds. SQLite takes every cost below 1 for 1."""
_LOOKUP = 2.5
"""The cost of finding a row of a small table, which is read whole at the second key and answered from memory."""
_REQUEST = 50_000.0
"""The cost of a request: about a tenth of a second."""
SMALL_TABLE = 500
"""Rows up to which a table is read whole at the second different key that a join asks for, instead of one request a key."""
_DIFFERENT_KEYS = 0.04
"""The part of key lookups that become a request: a key that is met again in the same statement is answered from memory."""
_PARTLY_FILLED = 1.0
"""Pages that each chain is taken to need beyond its rows: the last one is seldom full, and rows are spread unevenly over parents and keys."""
_IN_VALUES = 10
"""How many values an IN is taken to have."""
_BUCKETS = 100
"""How many days or hours of one metric have events."""
_RANGE_LEFT = 0.25
"""The part of the rows that one end of a range is taken to leave."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Rows, requests and cost of one scan of a table of its typical size; `unique` when it is one row at most.

    A lookup of a key has a part of a request, for many keys are answered by one or from memory.
    """

    rows: int
    requests: float
    cost: float
    unique: bool


def estimate(table: Table, taken: Iterable[tuple[int, Operator]], tables: dict[str, Table]) -> Estimate:
    """The estimate for a scan with these terms handed over."""
    source = table.source
    if isinstance(source, CountedCollection):
        return _counted(table, taken)
    left = 1.0
    parents = float(tables[source.parent.table].typical_rows) if source.parent else 1.0
    keys = 0
    for position, operator in taken:
        column = table.columns[position]
        values = _IN_VALUES if operator is Operator.IN else 1
        if operator not in (Operator.EQUAL, Operator.IN):
            left *= 1.0 if operator is Operator.NOT_NULL else _RANGE_LEFT
        elif isinstance(column.place, ParentId):
            left *= min(1.0, values / parents)
            parents = min(parents, values)
        else:
            left *= min(1.0, values * _rows_per_value(table, position, tables) / table.typical_rows)
            if isinstance(column.place, Id) and not source.parent:
                keys = values
    rows = max(1.0, table.typical_rows * left)
    if keys == 1 and table.typical_rows <= SMALL_TABLE:
        return Estimate(1, 0.0, _LOOKUP, unique=True)
    requests = _requests(table, rows, parents, keys)
    return Estimate(round(rows), requests, requests * _REQUEST + rows * _ROW, unique=keys == 1)


def _counted(table: Table, taken: Iterable[tuple[int, Operator]]) -> Estimate:
    """A request for each metric, where metrics are named; otherwise the events are read, which is what such a scan is meant to avoid."""
    named = [operator for position, operator in taken if isinstance(table.columns[position].place, Related)]
    if Operator.EQUAL in named or Operator.IN in named:
        metrics = 1 if Operator.EQUAL in named else _IN_VALUES
        return Estimate(metrics * _BUCKETS, metrics, metrics * (_REQUEST + _BUCKETS * _ROW), unique=False)
    return Estimate(table.typical_rows, table.typical_rows / 1000, table.typical_rows * _REQUEST, unique=False)


def _requests(table: Table, rows: float, parents: float, keys: int) -> float:
    """How many requests it takes to read so many rows of so many parents, or by so many keys."""
    source = table.source
    if isinstance(source, Aggregates):
        return parents
    operation = contract.operation(source.list)
    if keys and source.get:
        filtered = any("any" in rule.operators for name, rule in operation.filters.items() if name == "id")
        if keys == 1:
            return _DIFFERENT_KEYS
        if filtered or source.most_gets is None:
            return 1.0 if filtered else keys
        rows = table.typical_rows
    return rows / (operation.page.max if operation.page else 200) + parents * _PARTLY_FILLED


def _rows_per_value(table: Table, position: int, tables: dict[str, Table]) -> float:
    """How many rows have one value of the column."""
    column = table.columns[position]
    if isinstance(column.place, Related):
        related = tables.get(f"{column.place.resource}s")
        return table.typical_rows / related.typical_rows if related else 1.0
    if isinstance(column.place, PeriodStart):
        return table.typical_rows / 365
    if column.type is Type.BOOLEAN:
        return table.typical_rows / 2
    if isinstance(column.place, Attribute) and column.place.keys[-1] in ("reason", "consent"):
        return table.typical_rows / 5
    return 1.0
