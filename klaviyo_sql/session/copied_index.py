"""What SQLite and a virtual table agree on before a scan that is answered from the local copy.

Every term that a copy can find rows by is taken. SQLite checks them again, except those on times, which mean the same in both places.
"""

from __future__ import annotations

from typing import Any

from klaviyo_sql.copies.view import View
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Property, Table
from klaviyo_sql.plan.constraints import Operator, comparable
from klaviyo_sql.plan.cost import estimate
from klaviyo_sql.session import index
from klaviyo_sql.session.index import EQUAL, IS, LIMITS, OPERATORS, SCAN_UNIQUE, Agreement, IndexInfo

_BEGIN = 25.0
"""The cost of running a statement on the copy: some fifty microseconds, in the unit of `plan.cost`."""
_NEWEST = 0.2
"""What is left of the estimate for a range of times that only has a beginning: who keeps a copy mostly asks for the newest rows."""


def agree(info: IndexInfo, table: Table, view: View, tables: dict[str, Table], rows: int, name: str) -> bool:
    """Fill in SQLite's index information; False, and nothing is done, when the scan wants a column that the copy does not hold.

    `rows` is how many the copy has; `name` tells the table from all others of the connection. DataError when a time column is compared with a literal that
    is no time.
    """
    columns = index.used(info, table)
    layout = view.copy.layout
    if not view.holds((*columns, *_constrained(info))):
        return False
    terms: list[tuple[int, Operator, Any]] = []
    for n in range(info.nConstraint):
        code, column = info.get_aConstraint_op(n), info.get_aConstraint_iColumn(n)
        if code in LIMITS or column < 0:
            continue
        declared = table.columns[column]
        operator = OPERATORS.get(EQUAL if code == IS and declared.not_null else code)
        if operator is None:
            continue
        value = info.get_aConstraint_rhs(n)
        collation = declared.collation
        if value is not None and declared.type.collation == timestamps.COLLATION and collation == info.get_aConstraint_collation(n):
            comparable(table, declared, value)
        if isinstance(declared.place, Property):
            continue  # its values are of any type, and only the statement knows what a comparison with them means
        if not info.get_aConstraint_usable(n) or (operator is not Operator.NOT_NULL and info.get_aConstraint_collation(n) != collation):
            continue
        several = operator is Operator.EQUAL and info.get_aConstraintUsage_in(n)
        terms.append((column, Operator.IN if several else operator, value))
        info.set_aConstraintUsage_argvIndex(n, len(terms))
        info.set_aConstraintUsage_omit(n, declared.type.is_instant)
        if several:
            info.set_aConstraintUsage_in(n, True)
    order = _order(info, view)
    taken = [(view.position(column), operator) for column, operator, _ in terms]
    found = estimate(layout.table, taken, tables)
    expected = max(1.0, found.rows * rows / layout.table.typical_rows)
    times = [operator for column, operator in taken if column == layout.change]
    if times and all(operator in (Operator.GREATER, Operator.GREATER_OR_EQUAL) for operator in times):
        expected = max(1.0, expected * _NEWEST)
    by_index = any(column in layout.indexed and operator is not Operator.NOT_NULL for column, operator in taken)
    unique = found.unique or {column for column, operator in taken if operator is Operator.EQUAL} >= {layout.table.index(name) for name in layout.table.key}
    info.orderByConsumed = order is not None
    info.estimatedRows = 1 if unique else round(expected)
    info.estimatedCost = _BEGIN + (1.0 if unique else expected if by_index else float(max(rows, 1)))
    if unique:
        info.idxFlags = SCAN_UNIQUE
    info.idxStr = index.text(Agreement(table=name, terms=tuple(terms), columns=columns, order=order, copied=True))
    return True


def _constrained(info: IndexInfo) -> list[int]:
    """The columns that conditions are on, whether they can be used or not."""
    columns = [info.get_aConstraint_iColumn(n) for n in range(info.nConstraint) if info.get_aConstraint_op(n) not in LIMITS]
    return [column for column in columns if column >= 0]


def _order(info: IndexInfo, view: View) -> tuple[int, bool] | None:
    """The order that an index of the copy keeps, if it is all of what is wanted."""
    if info.nOrderBy != 1:
        return None
    column = info.get_aOrderBy_iColumn(0)
    return (column, bool(info.get_aOrderBy_desc(0))) if column >= 0 and view.columns[column] in view.copy.layout.indexed else None
