"""What a copy needs before it may answer: nothing, what changed since, or everything. Pure: the time is passed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from klaviyo_sql import errors
from klaviyo_sql.copies.layout import Layout
from klaviyo_sql.freshness import Freshness
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Collection, Table
from klaviyo_sql.plan.constraints import Constraint, Operator
from klaviyo_sql.plan.cost import SMALL_TABLE

EVENTS_LOOK_BACK = 3_600.0
"""Seconds that a row may come late whose time is its sender's."""
LOOK_BACK = 600.0
"""Seconds that a row may come late whose time is Klaviyo's own: it is set when the row changes, and the row is seen soon after."""
SMALL_TABLE_AGE = 60.0
"""Seconds for which a small table that can only be read whole is not asked for again: as long as pages are kept without a copy."""
CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far a clock may go back without the copy being doubted; a copy from further in the future is read anew."""


class Need(Enum):
    """What is to be asked of Klaviyo."""

    NOTHING = "nothing"
    DELTA = "delta"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a complete copy.

    `refreshed_at` and `reread_at` are when the last refresh and the last whole reading began, by this machine's clock. Everything that happened until
    `high`, by Klaviyo's clock, is in the copy, but for what came late. `serial` counts refreshes.
    """

    name: str
    layout: str
    rows: int
    high: str | None
    refreshed_at: datetime
    reread_at: datetime
    serial: int


@dataclass(frozen=True, slots=True)
class Copy:
    """One materialized table."""

    layout: Layout
    freshness: Freshness

    @property
    def max_age(self) -> float:
        """Seconds within which nothing is asked."""
        if self.freshness.max_age is not None:
            return self.freshness.max_age
        return SMALL_TABLE_AGE if self.layout.change is None else 0.0

    @property
    def look_back(self) -> float:
        """Seconds before the newest row at which a delta begins."""
        if self.freshness.look_back is not None:
            return self.freshness.look_back
        column = self.layout.change
        senders = column is not None and self.layout.table.columns[column].name == "datetime"
        return EVENTS_LOOK_BACK if senders else LOOK_BACK


def refuse_unless_right(table: Table, freshness: Freshness) -> None:
    """InterfaceError when no copy of the table could be right within a known time."""
    source = table.source
    if not isinstance(source, Collection):
        raise errors.InterfaceError(
            f"{table.name} cannot be materialized: Klaviyo computes its rows anew for each question, and events that arrive late change past periods. "
            "It is a request or two as it is."
        )
    if source.changes is None and table.typical_rows > SMALL_TABLE and freshness.max_age is None:
        raise errors.InterfaceError(
            f"{table.name} can be materialized only with an age: Klaviyo does not tell which of its rows changed or left, so that a copy is read whole each "
            f"time it is too old. Say how old it may be, such as {table.name}:max_age=1h"
        )


def need(copy: Copy, state: State | None, now: datetime) -> Need:
    """What the copy needs to answer at this time."""
    if state is None or state.layout != copy.layout.fingerprint:
        return Need.WHOLE
    age, since_reread = now - state.refreshed_at, now - state.reread_at
    if min(age, since_reread) < -CLOCK_TOLERANCE:
        return Need.WHOLE
    if since_reread.total_seconds() >= copy.freshness.reread_age:
        return Need.WHOLE
    if max(0.0, age.total_seconds()) < copy.max_age:
        return Need.NOTHING
    return Need.WHOLE if copy.layout.change is None or state.high is None else Need.DELTA


def delta(copy: Copy, state: State, now: datetime) -> tuple[Constraint, ...]:
    """The condition on the rows that a delta reads: from the look-back before the newest row on, without an end."""
    assert copy.layout.change is not None  # noqa: S101 - need() asks for a delta only then
    assert state.high is not None  # noqa: S101 - likewise
    start = min(timestamps.parse(state.high), now) - timedelta(seconds=copy.look_back)
    return (Constraint(copy.layout.change, Operator.GREATER_OR_EQUAL, timestamps.to_sql(timestamps.floor(start))),)
