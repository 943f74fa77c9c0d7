"""Which terms of a WHERE clause the planner has a use for, which of them reach Klaviyo, and how far its answer can be trusted."""

from __future__ import annotations

from dataclasses import replace

from klaviyo_sql import contract
from klaviyo_sql.contract import Operation
from klaviyo_sql.model.table import Aggregates, Argument, Collection, Column, Id, ParentId, PeriodStart, Table
from klaviyo_sql.plan import filters
from klaviyo_sql.plan.constraints import Operator


def takes(table: Table, column: int, operator: Operator) -> bool:
    """Whether the planner has a use for such a term; the others stay SQLite's alone."""
    declared = table.columns[column]
    place = declared.place
    if isinstance(table.source, Aggregates):
        return (isinstance(place, ParentId) and operator in (Operator.EQUAL, Operator.IN)) or (
            isinstance(place, PeriodStart) and operator is not Operator.NOT_NULL
        )
    if isinstance(place, ParentId | Argument):
        return operator in (Operator.EQUAL, Operator.IN)
    if declared.type.is_instant and operator is not Operator.NOT_NULL:
        return True
    if isinstance(place, Id) and table.source.get and operator in (Operator.EQUAL, Operator.IN):
        return True
    return bool(declared.filters) and _offers(declared, contract.operation(table.source.list), operator)


def is_pushed(table: Table, column: int, operator: Operator) -> bool:
    """Whether such a term reaches Klaviyo; times that no filter knows are taken as well, but only compared here."""
    declared = table.columns[column]
    if not takes(table, column, operator) or isinstance(table.source, Aggregates):
        return takes(table, column, operator)
    if isinstance(declared.place, ParentId):
        return True
    # Of a table whose list knows no ids, several are found by reading it whole.
    by_id = operator is Operator.EQUAL or (operator is Operator.IN and table.source.most_gets is None)
    if isinstance(declared.place, Id) and table.source.get and by_id:
        return True
    return _offers(declared, contract.operation(table.source.list), operator)


def filtered(table: Table) -> list[str]:
    """The columns that Klaviyo can filter the table by, with whatever comparison."""
    return [column.name for position, column in enumerate(table.columns) if any(is_pushed(table, position, operator) for operator in Operator)]


def batches(table: Table, column: int) -> bool:
    """Whether one request can ask for the rows of many values of the column."""
    declared = table.columns[column]
    if not isinstance(table.source, Collection) or isinstance(declared.place, ParentId | Argument) or declared.type.is_instant:
        return False
    found = filters.value_filter(declared.filters, contract.operation(table.source.list).filters)
    return found is not None and "any" in found[1].operators


def answers_alone(table: Table, column: int, operator: Operator) -> bool:
    """Whether the scan's rows satisfy such a term for certain, so that SQLite need not look again."""
    declared = table.columns[column]
    if not takes(table, column, operator):
        return False
    return declared.type.is_instant or isinstance(declared.place, PeriodStart | Argument)


def is_exact(table: Table, column: int, operator: Operator) -> bool:
    """Whether Klaviyo's own answer to such a term is exact, so that a page of LIMIT rows has LIMIT rows."""
    declared = table.columns[column]
    if not takes(table, column, operator):
        return False
    if isinstance(declared.place, ParentId | Argument | PeriodStart) or isinstance(table.source, Aggregates):
        return True
    if isinstance(declared.place, Id) and operator in (Operator.EQUAL, Operator.IN):
        return is_pushed(table, column, operator)
    operation = contract.operation(table.source.list)
    return any(f.exact and _offers(replace(declared, filters=(f,)), operation, operator) for f in declared.filters)


def sorts(table: Table, column: int) -> bool:
    """Whether Klaviyo can return the rows in the order of the column."""
    return isinstance(table.source, Collection) and table.columns[column].sort in contract.operation(table.source.list).sort


def _offers(column: Column, operation: Operation, operator: Operator) -> bool:
    """Whether one of the column's filters has an operator for it."""
    if operator is Operator.NOT_NULL:
        return filters.presence(column.filters, operation.filters) is not None
    found = filters.value_filter(column.filters, operation.filters)
    if found is None:
        return False
    operators = set(found[1].operators)
    if operator in (Operator.EQUAL, Operator.IN):
        return bool(operators & {"equals", "any", "greater-or-equal", "greater-than"})
    if operator in (Operator.GREATER, Operator.GREATER_OR_EQUAL):
        return bool(operators & {"greater-or-equal", "greater-than"})
    return bool(operators & {"less-or-equal", "less-than"})
