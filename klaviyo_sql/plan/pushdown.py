"""Which terms of a WHERE clause the planner has a use for, which of them reach Klaviyo, and how far its answer can be trusted.

A table that can be read in several ways takes a term if one of them does; what the way that is chosen has no use for, SQLite checks.
"""

from __future__ import annotations

from dataclasses import replace

from klaviyo_sql import contract
from klaviyo_sql.contract import Operation
from klaviyo_sql.model.table import (
    AccountName,
    Aggregates,
    Argument,
    Choice,
    Collection,
    Column,
    Elsewhere,
    FromParent,
    Grouping,
    Id,
    Parameter,
    ParentId,
    PeriodStart,
    Property,
    Question,
    Related,
    Table,
)
from klaviyo_sql.plan import filters
from klaviyo_sql.plan.constraints import Operator

_EQUALITY = (Operator.EQUAL, Operator.IN)


def takes(table: Table, column: int, operator: Operator) -> bool:
    """Whether the planner has a use for such a term; the others stay SQLite's alone."""
    return any(_takes(way, column, operator) for way in table.ways)


def is_pushed(table: Table, column: int, operator: Operator) -> bool:
    """Whether such a term reaches Klaviyo; times that no filter knows are taken as well, but only compared here."""
    return any(_is_pushed(way, column, operator) for way in table.ways)


def filtered(table: Table) -> list[str]:
    """The columns that Klaviyo can filter the table by, with whatever comparison."""
    return [column.name for position, column in enumerate(table.columns) if any(is_pushed(table, position, operator) for operator in Operator)]


def batches(way: Table, column: int) -> bool:
    """Whether one request can ask for the rows of many values of the column, when the table is read this way."""
    declared = way.columns[column]
    if not isinstance(way.source, Collection) or isinstance(declared.place, ParentId | Argument | AccountName | Elsewhere) or declared.type.is_instant:
        return False
    found = filters.value_filter(declared.filters, contract.operation(way.source.list).filters)
    return found is not None and "any" in found[1].operators


def answers_alone(table: Table, column: int, operator: Operator) -> bool:
    """Whether the scan's rows satisfy such a term for certain, so that SQLite need not look again."""
    if not takes(table, column, operator):
        return False
    if table.columns[column].type.is_instant:
        return True
    return all(isinstance(way.columns[column].place, PeriodStart | Argument | Parameter) for way in table.ways)


def is_exact(table: Table, column: int, operator: Operator) -> bool:
    """Whether Klaviyo's own answer to such a term is exact, so that a page of LIMIT rows has LIMIT rows."""
    return any(_is_exact(way, column, operator) for way in table.ways)


def sorts(table: Table, column: int) -> bool:
    """Whether Klaviyo can return the rows in the order of the column."""
    return any(
        isinstance(way.source, Collection) and way.columns[column].sort in contract.operation(way.source.list).sort and not way.source.one for way in table.ways
    )


def reads_by_id(way: Table) -> bool:
    """Whether a row is found by its id alone: of children, only where the by-id reply tells the parent."""
    source = way.source
    if not isinstance(source, Collection) or source.get is None:
        return False
    if source.parent is None:
        return True
    place = way.columns[way.index_of_parent].place
    return isinstance(place, Related) or (isinstance(place, ParentId) and place.relation is not None)


def _takes(way: Table, column: int, operator: Operator) -> bool:
    declared = way.columns[column]
    place = declared.place
    if isinstance(place, Property):
        return False
    if isinstance(place, AccountName):
        return operator in _EQUALITY
    if isinstance(way.source, Question):
        # Of several values SQLite asks one after the other.
        if isinstance(place, Grouping):
            return place.filters is not None and operator in _EQUALITY
        return isinstance(place, Parameter) and operator is Operator.EQUAL
    if isinstance(way.source, Aggregates):
        return (isinstance(place, ParentId) and operator in _EQUALITY) or (isinstance(place, PeriodStart) and operator is not Operator.NOT_NULL)
    if isinstance(place, ParentId | Argument | Choice):
        return operator in _EQUALITY
    if declared.type.is_instant and operator is not Operator.NOT_NULL:
        return True
    if isinstance(place, FromParent):
        return operator is not Operator.NOT_NULL
    if isinstance(place, Elsewhere):
        return False
    if isinstance(place, Id) and reads_by_id(way) and operator in _EQUALITY:
        return True
    return bool(declared.filters) and _offers(declared, contract.operation(way.source.list), operator)


def _is_pushed(way: Table, column: int, operator: Operator) -> bool:
    declared = way.columns[column]
    if not _takes(way, column, operator) or isinstance(way.source, Aggregates | Question):
        return _takes(way, column, operator)
    if isinstance(declared.place, ParentId | Choice | FromParent | AccountName):
        return True
    # Of a table whose list knows no ids, several are found by reading it whole.
    by_id = operator is Operator.EQUAL or (operator is Operator.IN and way.source.most_gets is None)
    if isinstance(declared.place, Id) and reads_by_id(way) and by_id:
        return True
    return _offers(declared, contract.operation(way.source.list), operator)


def _is_exact(way: Table, column: int, operator: Operator) -> bool:
    declared = way.columns[column]
    if not _takes(way, column, operator):
        return False
    if isinstance(declared.place, ParentId | Argument | Choice | AccountName | PeriodStart) or isinstance(way.source, Aggregates | Question):
        return True
    if isinstance(declared.place, Id) and operator in _EQUALITY:
        return _is_pushed(way, column, operator)
    operation = contract.operation(way.source.list)
    return any(f.exact and _offers(replace(declared, filters=(f,)), operation, operator) for f in declared.filters)


def _offers(column: Column, operation: Operation, operator: Operator) -> bool:
    """Whether one of the column's filters has an operator for it."""
    if operator is Operator.NOT_NULL:
        return filters.presence(column.filters, operation.filters) is not None
    found = filters.value_filter(column.filters, operation.filters)
    if found is None:
        return False
    operators = set(found[1].operators)
    if operator in _EQUALITY:
        return bool(operators & {"equals", "any", "greater-or-equal", "greater-than"})
    if operator in (Operator.GREATER, Operator.GREATER_OR_EQUAL):
        return bool(operators & {"greater-or-equal", "greater-than"})
    return bool(operators & {"less-or-equal", "less-than"})
