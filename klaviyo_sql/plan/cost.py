"""What a scan is likely to cost, for SQLite's choice of the order of joins: requests first, rows second."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from klaviyo_sql import contract
from klaviyo_sql.model.table import (
    AccountName,
    Aggregates,
    Argument,
    Attribute,
    Choice,
    CountedCollection,
    Detail,
    Elsewhere,
    FromParent,
    Id,
    ParentId,
    PeriodStart,
    Question,
    Related,
    Table,
    Type,
    pascal_case,
)
from klaviyo_sql.plan import pushdown
from klaviyo_sql.plan.constraints import Operator
from klaviyo_sql.plan.filters import MOST_VALUES

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
_UNHURRIED = 750
"""Requests a minute from which the limit of an operation does not matter for the choice of a way; a lower one makes each request dearer."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Rows, requests and cost of one scan of a table of its typical size; `unique` when it is one row at most.

    A lookup of a key has a part of a request, for many keys are answered by one or from memory.
    """

    rows: int
    requests: float
    cost: float
    unique: bool


def way_for(table: Table, columns: Iterable[int], taken: Sequence[tuple[int, Operator]], tables: dict[str, Table], sorted_by: int | None = None) -> Table:
    """The way to read the table that costs least with these terms handed over, of those that tell what is read and sort by that column.

    SQLite is given the costs, and the order, of the same way.
    """
    if not table.others:
        return table
    instants = (column for column, _ in taken if table.columns[column].type.is_instant)
    used = {*columns, *instants}
    fit = [way for way in table.ways if _tells(way, used, taken) and (sorted_by is None or pushdown.sorts(way, sorted_by))]
    return min(fit, key=lambda way: _dearness(way, used, taken, tables), default=table)


def batches(table: Table, columns: Iterable[int], column: int, others: Iterable[tuple[int, Operator]], tables: dict[str, Table]) -> bool:
    """Whether one request can ask for the rows of many values of the column, in the way that the table is read then, with the other terms handed over."""
    return pushdown.batches(way_for(table, columns, ((column, Operator.IN), *others), tables), column)


def _tells(way: Table, used: Iterable[int], taken: Iterable[tuple[int, Operator]]) -> bool:
    """Whether this way knows the columns; what is an argument it knows only when it is given."""
    given = {column for column, operator in taken if operator in (Operator.EQUAL, Operator.IN)}
    for column in used:
        place = way.columns[column].place
        if isinstance(place, Elsewhere) or (isinstance(place, Argument) and not way.columns[column].hidden and column not in given):
            return False
    return True


def _dearness(way: Table, used: Iterable[int], taken: Sequence[tuple[int, Operator]], tables: dict[str, Table]) -> float:
    """The cost, in which requests beyond an operation's burst count more, the lower its limit is."""
    source = way.source
    found = estimate(way, useful(way, taken), tables)
    details = found.rows if any(isinstance(way.columns[column].place, Detail) for column in used) else 0
    # A parent's column costs the reading of the parents even when their ids are given.
    carried = any(isinstance(way.columns[column].place, FromParent) for column in used)
    requests = found.requests + details + carried
    rate = contract.operation(source.operation if isinstance(source, Aggregates | Question) else source.list).rate
    waiting = max(0.0, requests - rate.burst) * max(0.0, _UNHURRIED / rate.steady - 1)
    return (requests + waiting) * _REQUEST + found.rows * _ROW


def useful(way: Table, taken: Sequence[tuple[int, Operator]]) -> list[tuple[int, Operator]]:
    """The terms that save requests when the table is read this way, of those that some way has a use for."""
    return [(column, operator) for column, operator in taken if pushdown.is_pushed(way, column, operator)]


def estimate(table: Table, taken: Iterable[tuple[int, Operator]], tables: dict[str, Table]) -> Estimate:
    """The estimate for a scan with these terms handed over."""
    source = table.source
    if isinstance(source, CountedCollection):
        return _counted(table, taken)
    if isinstance(source, Question):
        return Estimate(table.typical_rows, 1.0, _REQUEST + table.typical_rows * _ROW, unique=False)
    left = 1.0
    parents = float(tables[source.parent.table].typical_rows) if source.parent else 1.0
    keys = 0
    enumerated = source.parent is not None
    # An id is one row in each account.
    accounts = next((float(column.place.count) for column in table.columns if isinstance(column.place, AccountName)), 1.0)
    for position, operator in taken:
        column = table.columns[position]
        values = _IN_VALUES if operator is Operator.IN else 1
        if operator not in (Operator.EQUAL, Operator.IN):
            left *= 1.0 if operator is Operator.NOT_NULL else _RANGE_LEFT
        elif isinstance(column.place, AccountName):
            left *= min(1.0, values / accounts)
            accounts = min(accounts, values)
        elif isinstance(column.place, ParentId) or (source.parent and source.parent.filter and column.name in _names_of(source.parent.column)):
            left *= min(1.0, values / parents)
            parents = min(parents, values)
            enumerated = False
        elif isinstance(column.place, FromParent) and source.parent:
            parent = tables[source.parent.table]
            part = min(1.0, values * _rows_per_value(parent, parent.index(column.place.column), tables) / parent.typical_rows)
            left *= part
            parents = max(1.0, parents * part)
        else:
            left *= min(1.0, values * _rows_per_value(table, position, tables) / table.typical_rows)
            if isinstance(column.place, Id) and pushdown.reads_by_id(table):
                keys = values
    rows = max(1.0, table.typical_rows * left)
    whole = source.each if not isinstance(source, Aggregates) else ()
    if keys == 1 and table.typical_rows <= SMALL_TABLE and not whole:
        return Estimate(1, 0.0, _LOOKUP, unique=accounts == 1)
    requests = _requests(table, rows, parents, keys, tables) + accounts - 1
    if enumerated and not keys and source.parent:
        parent = tables[source.parent.table]
        requests += estimate(parent, (), tables).requests if parent.others or parent.source.parent else 0.0
    return Estimate(round(rows), requests, requests * _REQUEST + rows * _ROW, unique=keys == 1 and not whole and accounts == 1)


def _counted(table: Table, taken: Iterable[tuple[int, Operator]]) -> Estimate:
    """A request for each metric, where metrics are named; otherwise the events are read, which is what such a scan is meant to avoid."""
    named = [operator for position, operator in taken if isinstance(table.columns[position].place, Related)]
    if Operator.EQUAL in named or Operator.IN in named:
        metrics = 1 if Operator.EQUAL in named else _IN_VALUES
        return Estimate(metrics * _BUCKETS, metrics, metrics * (_REQUEST + _BUCKETS * _ROW), unique=False)
    return Estimate(table.typical_rows, table.typical_rows / 1000, table.typical_rows * _REQUEST, unique=False)


def _names_of(column: str) -> tuple[str, str]:
    return column, pascal_case(column)


def _requests(table: Table, rows: float, parents: float, keys: int, tables: dict[str, Table]) -> float:
    """How many requests it takes to read so many rows of so many parents, or by so many keys."""
    source = table.source
    if isinstance(source, Aggregates):
        return parents
    assert not isinstance(source, Question)  # noqa: S101 - estimated before
    operation = contract.operation(source.list)
    if keys and source.get:
        filtered = any("any" in rule.operators for name, rule in operation.filters.items() if name == "id")
        if keys == 1:
            return 1.0 if source.each else _DIFFERENT_KEYS
        if filtered or source.most_gets is None:
            return 1.0 if filtered else keys
        rows = table.typical_rows
    if source.one:
        return parents
    if source.of is not None:
        # Rows are in the resources, of which a page has so many.
        rows *= tables[source.of].typical_rows / table.typical_rows
    chains = 1.0
    for column in table.columns:
        if isinstance(column.place, Choice):
            chains *= len(column.place.values)
    if source.parent and source.parent.filter:
        parents = max(1.0, parents / MOST_VALUES)
    return rows / (operation.page.max if operation.page else 200) + parents * chains * _PARTLY_FILLED


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
