"""What a statement is about to do for a copy, said beforehand: how old it is, and what will be asked to bring it up to date."""

from __future__ import annotations

import math
from dataclasses import dataclass

from klaviyo_sql import contract
from klaviyo_sql.copies.materialized import Copies
from klaviyo_sql.copies.need import Copy, Need
from klaviyo_sql.engine import Engine
from klaviyo_sql.model.table import Collection
from klaviyo_sql.plan.cost import estimate


@dataclass(frozen=True, slots=True)
class Expectation:
    """`says` is a sentence, `requests` those that are known beforehand, `least` how many there will be at least, `likely` how many for a table of
    typical size, `more` what follows them.
    """

    says: str
    requests: tuple[str, ...] = ()
    least: int = 0
    likely: int = 0
    more: str = ""


def expectation(copies: Copies, copy: Copy, engine: Engine, *, asked_before: bool) -> Expectation:
    """What the next statement would ask for; with `asked_before` another scan of it does that already. Nothing is sent."""
    needed, state, scan = copies.expected(copy)
    if asked_before:
        return Expectation("answered from the local copy, as it is after the scan before")
    age = f"{state.rows:,} rows, {lasting((copies.now() - state.refreshed_at).total_seconds())} old" if state else "there is none yet"
    if scan is None:
        return Expectation(f"answered from the local copy ({age}); nothing is asked within {lasting(copy.max_age)}")
    plan = engine.presumed(scan)
    chains = plan.parents.chains if plan.parents is not None else plan.chains
    source = copy.layout.table.source
    page = contract.operation(source.list).page if isinstance(source, Collection) else None
    what = "what is new or changed" if needed is Need.DELTA else "everything"
    return Expectation(
        f"answered from the local copy ({age}), after {what} is read",
        tuple(chain.request.readable for chain in chains),
        len(chains),
        len(chains) if needed is Need.DELTA else max(len(chains), math.ceil(estimate(copy.layout.table, (), engine.tables).requests)),
        f"one request more for each further {page.max:,} rows" if page else "one request more for each further page",
    )


def lasting(seconds: float) -> str:
    """`40 s`, `12 min`, `5 h`, `3 d`."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
