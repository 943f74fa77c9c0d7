"""A table that is answered from the copy of another, or of itself: where its columns are there, and what holds of all its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from klaviyo_sql.copies.need import Copy
from klaviyo_sql.model.table import Related, Table
from klaviyo_sql.plan.constraints import Constraint, Operator
from klaviyo_sql.plan.scan import Order


@dataclass(frozen=True, slots=True)
class View:
    """`columns` are the positions, in the copied table, of the columns of the table that is asked for; None for what the copied table does not have.

    `always` are conditions on the copied table that all rows meet, `of_metrics` the names of the metrics that they are of, if they are of any metrics alone.
    """

    copy: Copy
    columns: tuple[int | None, ...]
    always: tuple[Constraint, ...] = ()
    of_metrics: tuple[str, ...] = ()

    def holds(self, columns: Iterable[int]) -> bool:
        """Whether all of these columns of the table are in the copy."""
        copied = [self.columns[column] for column in columns]
        return None not in copied and self.copy.layout.holds(column for column in copied if column is not None)

    def position(self, column: int) -> int:
        """The position in the copied table of a column that is held."""
        found = self.columns[column]
        assert found is not None  # noqa: S101 - asked only of columns that are held
        return found

    def constraints(self, constraints: Iterable[Constraint], metrics_named: Callable[[tuple[str, ...]], tuple[Any, ...]]) -> tuple[Constraint, ...]:
        """The conditions on the table as those on the copied one, with what holds of all rows."""
        found = [replace(constraint, column=self.position(constraint.column)) for constraint in constraints]
        if self.of_metrics:
            columns = self.copy.layout.table.columns
            metric = next(n for n, column in enumerate(columns) if isinstance(column.place, Related) and column.place.relation == "metric")
            found.append(Constraint(metric, Operator.IN, metrics_named(self.of_metrics)))
        return (*found, *self.always)

    def order(self, order: Order | None) -> Order | None:
        """The order of the table as one of the copied table."""
        return None if order is None else replace(order, column=self.position(order.column))


def of_itself(copy: Copy, table: Table) -> View:
    """The copied table itself, under either of its names."""
    return View(copy, tuple(range(len(table.columns))))
