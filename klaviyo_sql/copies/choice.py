"""A scan of a copy as a SELECT: the terms that mean the same there as in the statement, with their values as parameters.

A term that may mean something else, because SQLite's rules for mixed types decide it, is left out: the rows are then too many, and SQLite
checks them, as it does every term but those on times.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from klaviyo_sql.copies.layout import Layout
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Column, Property, Table, Type
from klaviyo_sql.plan.constraints import Constraint, Operator, comparable, in_sql
from klaviyo_sql.plan.scan import Order
from klaviyo_sql.statements.names import quoted

_MOST_VALUES = 10_000
"""Values of an IN that are handed on; with more of them every row is looked at."""


def select(layout: Layout, columns: tuple[int, ...], constraints: tuple[Constraint, ...], order: Order | None) -> tuple[str, tuple[Any, ...]]:
    """The statement and its parameters; DataError when a time column is compared with a text that is no time."""
    declared = layout.table.columns
    terms: list[str] = []
    values: list[Any] = []
    for constraint in constraints:
        column = declared[constraint.column]
        name = quoted(column.name)
        if constraint.operator is Operator.NOT_NULL:
            terms.append(f"{name} IS NOT NULL")
            continue
        if isinstance(column.place, Property):
            continue  # its values are of any type, and only the statement knows what a comparison with them means
        asked = constraint.value if constraint.operator is Operator.IN else (constraint.value,)
        known = [value for value in asked if value is not None]
        if column.type.is_instant:
            known = [_stored(layout.table, column, value) for value in known]
        elif not all(_means_the_same(column.type, value) for value in known) or len(known) > _MOST_VALUES:
            continue
        if not known:
            terms.append("FALSE")  # nothing is equal to NULL, more or less than it
        elif constraint.operator is Operator.IN:
            terms.append(f"{name} IN ({','.join('?' * len(known))})")
        else:
            terms.append(f"{name} {constraint.operator} ?")
        values += known
    names = ", ".join([quoted(declared[position].name) for position in columns]) or "NULL"
    sql = f'SELECT {names} FROM "{layout.name}"'
    if terms:
        sql += f" WHERE {' AND '.join(terms)}"
    if order is not None:
        sql += f" ORDER BY {quoted(declared[order.column].name)}" + (" DESC" if order.descending else "")
    return sql, tuple(values)


def _stored(table: Table, column: Column, value: Any) -> str:
    """A time as the copy has it."""
    try:
        return _stored_text(column.type, value)
    except (TypeError, ValueError):
        return in_sql(column, comparable(table, column, value))  # which has the sentence for what is no time


@functools.lru_cache(maxsize=4096)
def _stored_text(type_: Type, text: str) -> str:
    """The same, remembered: an inner loop asks for the same time again and again."""
    instant = timestamps.parse(text)
    return timestamps.to_sql(instant, microseconds=type_ is Type.TIMESTAMP_MICROSECONDS or bool(instant.microsecond))


def _means_the_same(type_: Type, value: Any) -> bool:
    """Whether a comparison of the column with this value is certain to have one meaning, whatever expression the value came from."""
    if type_ in (Type.TEXT, Type.JSON):
        return isinstance(value, str)
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
