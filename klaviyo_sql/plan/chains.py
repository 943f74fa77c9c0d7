"""What a scan is planned to be: chains of requests, and how their rows are read.

A chain is one first request, whose pages follow one another; the chains of a plan give disjoint rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Column, Detail, Elements, Linked, Table
from klaviyo_sql.plan import periods
from klaviyo_sql.plan.constraints import Bound
from klaviyo_sql.plan.scan import Order
from klaviyo_sql.plan.slices import Slicing

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that a chain's rows must still meet, in the column's own SQL values; instants are fixed-width texts."""

    column: int
    values: frozenset[Any] | None = None
    low: Bound | None = None
    high: Bound | None = None

    def holds(self, value: Any) -> bool:
        """Whether a row with this value stays."""
        if value is None:
            return False
        if self.values is not None and value not in self.values:
            return False
        low, high = self.low, self.high
        if low is not None and (value < low.value or (value == low.value and not low.inclusive)):
            return False
        return not (high is not None and (value > high.value or (value == high.value and not high.inclusive)))


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The periods of one metric aggregate, and the time zone that they are of."""

    span: periods.Span
    timezone: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A metric aggregate whose buckets stand for all rows of a chain, between these instants.

    `row` says of each of the chain's columns what of a bucket it is: `metric`, `start`, `count`, `sum_value`, `key`, or None where its value is known
    or not used.
    """

    request: Request
    metric: str
    interval: str
    start: datetime
    end: datetime
    row: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """How to read the answer to a question: what it is grouped by, in order; of metric aggregates the buckets that are meant, and their time zone."""

    groupings: tuple[str, ...]
    interval: str | None = None
    timezone: str = ""
    start: datetime | None = None
    end: datetime | None = None
    key: tuple[Any, ...] = ()
    """The arguments, which are in the key of every row."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One request, the pages that follow it, and what is known of their rows."""

    request: Request
    columns: tuple[int, ...]
    """The positions of the columns that its rows have, in that order."""
    decoded: tuple[Column, ...]
    """The same columns as the decoder reads them: those whose value is known are not looked for in the resource."""
    constants: tuple[Any, ...]
    """The known value of each column, None where the resource has it."""
    checks: tuple[Check, ...] = ()
    single: bool = False
    """Whether the reply is one resource, not a page of them."""
    absent_statuses: frozenset[int] = frozenset()
    """Statuses that mean that there is no such resource, which is no rows."""
    detail: Detail | None = None
    """What has to be read for each row by a request of its own."""
    most_rows: int | None = None
    """How many rows there can be at most, when that is known: further pages need not be asked for."""
    slicing: Slicing | None = None
    """How the chain can be cut into ranges that are read side by side, where it can."""
    aggregate: Aggregate | None = None
    """What the reply is made of when it is a metric aggregate."""
    fresh: bool = False
    """Whether its pages must not come from the page cache."""
    each: tuple[Linked | Elements, ...] = ()
    """What of each resource is a row, when it is not the resource itself."""
    answer: Answer | None = None
    """How the reply is read when it is the answer to a question."""
    counted: Counted | None = None
    """What is asked for instead of the rows; they are read only when Klaviyo does not aggregate the metric."""

    @property
    def first(self) -> Request:
        """What is asked for first."""
        return self.counted.request if self.counted else self.request


@dataclass(frozen=True, slots=True)
class Plan:
    """All chains of a scan.

    With `parents`, the chains are made when the parents have been read: `chains_of(rows)` gives those of up to `at_once` parents, whose rows begin
    with the id.
    `sent` and `rechecked` name the columns whose conditions Klaviyo is asked for, exactly or not; `nothing` says why no request is made.
    """

    table: Table
    chains: tuple[Chain, ...] = ()
    parents: Plan | None = None
    chains_of: Callable[[Sequence[Row]], tuple[Chain, ...]] | None = None
    at_once: int = 1
    order: Order | None = None
    nothing: str | None = None
    sent: tuple[str, ...] = ()
    rechecked: tuple[str, ...] = ()
    note: str = ""
    """What else there is to know of it, for those who have it explained."""
    before: tuple[Request, ...] = ()
    """What has to be asked before anything of it, where it was made without asking: the plan may be another one then."""
