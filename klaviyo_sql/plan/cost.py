"""What a scan is likely to cost, for SQLite's choice of the order of joins: requests first, rows second."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from klaviyo_sql import contract
from klaviyo_sql.model.table import Aggregates, Attribute, Id, ParentId, PeriodStart, Related, Table, Type
from klaviyo_sql.plan.constraints import Operator

_REQUEST = 100.0
"""The cost of a request, in the unit in which a row costs `_ROW`: about milliseconds."""
_ROW = 0.002
_LOOKUP = 0.005
"""The cost of finding a row of a small table, which is read whole at the second key and answered from memory."""
SMALL_TABLE = 500
"""Rows up to which a table is read whole at the second different key that a join asks for, instead of one request a key."""
_DIFFERENT_KEYS = 0.04
"""The part of key lookups that become a request: a key that is met again in the same statement is answered from memory."""
_PARTLY_FILLED = 0.5
"""The part of a page that the last one of a chain is taken to waste."""
_IN_VALUES = 10
"""How many values an IN is taken to have."""
_RANGE_LEFT = 0.25
"""The part of the rows that one end of a range is taken to leave."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Rows and cost of one scan; `unique` when it is one row at most."""

    rows: int
    cost: float
    unique: bool


def estimate(table: Table, taken: Iterable[tuple[int, Operator]], tables: dict[str, Table]) -> Estimate:
    """The estimate for a scan with these terms handed over."""
    rows = float(table.typical_rows)
    parents = 1.0
    source = table.source
    if source.parent:
        parents = float(tables[source.parent.table].typical_rows)
    by_key = single = False
    for position, operator in taken:
        column = table.columns[position]
        values = _IN_VALUES if operator is Operator.IN else 1
        if operator in (Operator.EQUAL, Operator.IN):
            if isinstance(column.place, Id) and not source.parent:
                by_key, single = True, operator is Operator.EQUAL
                rows = min(rows, values)
            elif isinstance(column.place, ParentId):
                rows *= min(1.0, values / parents)
                parents = min(parents, values)
            else:
                rows = min(rows, values * _rows_per_value(table, position, tables))
        elif operator is not Operator.NOT_NULL:
            rows *= _RANGE_LEFT
    rows = max(1.0, rows)
    if isinstance(source, Aggregates):
        requests = parents
    elif by_key:
        if single and table.typical_rows <= SMALL_TABLE:
            return Estimate(1, _LOOKUP, unique=True)
        requests = rows * _DIFFERENT_KEYS
    else:
        page = contract.operation(source.list).page
        requests = rows / (page.max if page else 200) + parents * _PARTLY_FILLED
    return Estimate(round(rows), requests * _REQUEST + rows * _ROW, unique=single)


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
