"""What SQLite asks for: a scan of one table, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from klaviyo_sql.model.table import Table
from klaviyo_sql.plan.constraints import Constraint


@dataclass(frozen=True, slots=True)
class Order:
    """The order that rows must come in: by one column."""

    column: int
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Scan:
    """What SQLite asks for: the table, the columns that it will read, the terms it hands over, order, and rows it needs at most."""

    table: Table
    columns: tuple[int, ...]
    constraints: tuple[Constraint, ...] = ()
    order: Order | None = None
    limit: int | None = None
    sifted: bool = False
    """Whether the scan is likely to end early, at a row that nobody knows: a LIMIT counts what conditions leave that are checked elsewhere."""
    cut: bool = False
    """Whether a long scan may be cut into parts that are read side by side."""
    fresh: bool = False
    """Whether Klaviyo has to be asked, even when the answer of a minute ago is still in the page cache."""


@dataclass(frozen=True, slots=True)
class Today:
    """What the period tables need to know besides the query: the account's time zone, and the date there."""

    timezone: str
    day: date
