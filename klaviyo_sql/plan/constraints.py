"""What SQL asks of one column, brought to one form: the values it may have, or the range it must lie in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from klaviyo_sql.errors import DataError
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Column, Table, Type


class Operator(StrEnum):
    """The comparisons that can be taken from SQLite; the value is how SQL writes them."""

    EQUAL = "="
    IN = "IN"
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    NOT_NULL = "IS NOT NULL"


class Unknown:
    """A value that is not known when a query is only explained: a bound parameter, or a value from another table."""

    def __init__(self, text: str = "…") -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Constraint:
    """One term of the WHERE clause: column position, operator, value (for IN: a tuple of values)."""

    column: int
    operator: Operator
    value: Any = None


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range; an Unknown value bounds nothing yet."""

    value: Any
    inclusive: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything that the constraints say of one column.

    `values` are the only values it may have (None: any); `low` and `high` are in the column's own terms: instants for time columns, numbers
    for numeric ones. `impossible` says why no row can satisfy them.
    """

    values: tuple[Any, ...] | None = None
    low: Bound | None = None
    high: Bound | None = None
    not_null: bool = False
    impossible: str | None = None


_NUMERIC = re.compile(r"[ \t\n\v\f\r]*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t\n\v\f\r]*\Z")
"""The texts that SQLite takes for numbers; Python's own conversions take more."""

NOT_COMPARABLE: Final = object()
"""A value whose comparison with the column is left to SQLite, because its rules for mixed types decide it."""


def combine(table: Table, constraints: Iterable[Constraint]) -> dict[int, Wanted]:
    """What is wanted of each constrained column; DataError when a time column is compared with a text that is no time."""
    wanted: dict[int, Wanted] = {}
    for constraint in constraints:
        before = wanted.get(constraint.column, Wanted())
        wanted[constraint.column] = _narrowed(table, before, constraint)
    return {column: _checked(table.columns[column], entry) for column, entry in wanted.items()}


def comparable(table: Table, column: Column, value: Any) -> Any:
    """The value in the column's own terms: what SQLite's affinity makes of it.

    None for NULL, NOT_COMPARABLE where only SQLite can tell; DataError for a text that is no time on a time column.
    """
    if value is None or isinstance(value, Unknown):
        return value
    if column.type.is_instant or column.type is Type.DATE:
        return _instant(table, column, value)
    if column.type in (Type.TEXT, Type.JSON):
        if isinstance(value, bool | int):
            return str(int(value))
        return value if isinstance(value, str) else NOT_COMPARABLE
    number = _number(value)
    return NOT_COMPARABLE if number is None else number


def _instant(table: Table, column: Column, value: Any) -> datetime:
    text = value if isinstance(value, str) else str(value)
    try:
        return timestamps.parse(text)
    except ValueError:
        raise DataError(
            f"{table.name}.{column.name} is a time and is compared with {text!r}, which is none: write it in ISO 8601, such as "
            f"'2026-01-31' or '2026-01-31T08:30:00Z'"
        ) from None


def _number(value: Any) -> int | float | None:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str) and (found := _NUMERIC.match(value)):
        number = float(found[1])
        return (int(found[1]) if found[1].lstrip("+-").isdigit() else number) if math.isfinite(number) else None
    return None


def _narrowed(table: Table, before: Wanted, constraint: Constraint) -> Wanted:
    """`before`, and the constraint as well."""
    column = table.columns[constraint.column]
    if constraint.operator is Operator.NOT_NULL:
        return replace(before, not_null=True)
    if constraint.operator in (Operator.EQUAL, Operator.IN):
        asked = constraint.value if constraint.operator is Operator.IN else (constraint.value,)
        values = [comparable(table, column, value) for value in asked]
        if any(value is NOT_COMPARABLE for value in values):
            return before
        return replace(before, values=_intersected(before.values, values))
    value = comparable(table, column, constraint.value)
    if value is NOT_COMPARABLE:
        return before
    if value is None:
        return replace(before, impossible=f"{column.name} {constraint.operator} NULL is never true")
    upper = constraint.operator in (Operator.LESS, Operator.LESS_OR_EQUAL)
    bound = Bound(value, constraint.operator in (Operator.GREATER_OR_EQUAL, Operator.LESS_OR_EQUAL))
    if column.type is Type.DATE:
        bound = whole_day(bound, upper=upper)
    if upper:
        return replace(before, high=_tighter(before.high, bound, upper=True))
    return replace(before, low=_tighter(before.low, bound, upper=False))


def whole_day(bound: Bound, *, upper: bool) -> Bound:
    """The end of a range of days that a comparison with an instant leaves: the first or the last whole day, included."""
    if isinstance(bound.value, Unknown) or (bound.inclusive and _is_midnight(bound.value)):
        return bound
    day = bound.value.replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        return Bound(day + timedelta(days=-1 if upper else 1), inclusive=True)
    except OverflowError:
        return Bound(day, inclusive=True)


def _is_midnight(instant: datetime) -> bool:
    return not (instant.hour or instant.minute or instant.second or instant.microsecond)


def _intersected(before: tuple[Any, ...] | None, values: list[Any]) -> tuple[Any, ...]:
    """The values in both, NULLs left out (nothing equals NULL), each once, in a stable order."""
    known = list(dict.fromkeys(value for value in values if value is not None))
    if before is None:
        return tuple(known)
    if any(isinstance(value, Unknown) for value in (*before, *known)):
        # Nobody knows yet; the shorter list is as good a guess as any.
        return min(before, tuple(known), key=len)
    return tuple(value for value in before if value in set(known))


def _tighter(before: Bound | None, bound: Bound, *, upper: bool) -> Bound:
    if before is None or isinstance(before.value, Unknown):
        return bound
    if isinstance(bound.value, Unknown):
        return before
    if before.value == bound.value:
        return Bound(bound.value, before.inclusive and bound.inclusive)
    return bound if (bound.value < before.value) == upper else before


def _checked(column: Column, wanted: Wanted) -> Wanted:
    """Values outside the range dropped, and contradictions named."""
    if wanted.impossible:
        return wanted
    if wanted.values is not None:
        inside = tuple(value for value in wanted.values if isinstance(value, Unknown) or (_can_be_in(column, value) and _lies_in(value, wanted)))
        if not inside:
            return replace(wanted, values=(), impossible=f"no value of {column.name} satisfies every condition on it")
        return replace(wanted, values=inside)
    low, high = wanted.low, wanted.high
    if low is None or high is None or isinstance(low.value, Unknown) or isinstance(high.value, Unknown):
        return wanted
    if low.value > high.value or (low.value == high.value and not (low.inclusive and high.inclusive)):
        return replace(wanted, impossible=f"the conditions on {column.name} contradict each other")
    return wanted


def _can_be_in(column: Column, value: Any) -> bool:
    """Whether a row can have the value at all: times of whole seconds and whole numbers have no fraction, days begin at midnight."""
    if column.type is Type.DATE:
        return _is_midnight(value)
    if column.type is Type.TIMESTAMP:
        return not value.microsecond
    if column.type is Type.BOOLEAN:
        return value in (0, 1)
    return not (column.type is Type.INTEGER and isinstance(value, float) and not value.is_integer())


def _lies_in(value: Any, wanted: Wanted) -> bool:
    low, high = wanted.low, wanted.high
    if low is not None and not isinstance(low.value, Unknown) and (value < low.value or (value == low.value and not low.inclusive)):
        return False
    return not (high is not None and not isinstance(high.value, Unknown) and (value > high.value or (value == high.value and not high.inclusive)))


def in_sql(column: Column, instant: datetime) -> str:
    """The instant as a value of the column would be written, with the decimals that decide a comparison."""
    microseconds = column.type is Type.TIMESTAMP_MICROSECONDS or bool(instant.astimezone(UTC).microsecond)
    return timestamps.to_sql(instant, microseconds=microseconds)
