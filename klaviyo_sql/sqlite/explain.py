"""The requests that a query would make, without making them.

SQLite's own plan says which tables are scanned, in which order, with which terms; a rehearsal of the statement, in which every scan is empty,
gives the values that do not come from other rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import apsw
import apsw.ext
import msgspec

from klaviyo_sql import contract
from klaviyo_sql.contract import Rate
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Aggregates, Collection, Id, Table
from klaviyo_sql.plan.constraints import Operator
from klaviyo_sql.plan.cost import SMALL_TABLE
from klaviyo_sql.plan.scan import Plan, Scan
from klaviyo_sql.sqlite import index, introspection
from klaviyo_sql.sqlite.cursor import Parameters, bindings_of

if TYPE_CHECKING:
    from klaviyo_sql.sqlite.connection import Connection

ROUND_TRIP = 0.2
"""Seconds that a request is taken to last; Klaviyo's pages take 0.15 to 0.3 s."""
_MARK = " VIRTUAL TABLE INDEX 0:"


@dataclass(frozen=True, slots=True)
class Step:
    """One scan of one table.

    `requests` are those that are known beforehand, as a person reads them; `times` says how often the scan runs, `more` what follows the first
    requests. `exact` and `rechecked` name the columns whose conditions Klaviyo is sent.
    """

    table: str
    times: str
    requests: tuple[str, ...]
    least: int
    more: str
    exact: tuple[str, ...]
    rechecked: tuple[str, ...]
    ordered: bool
    limit: str
    nothing: str | None = None
    reads_timezone: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """All scans of a query in the order in which SQLite runs them; `least` requests and `seconds` are the fewest that it can take."""

    steps: tuple[Step, ...]
    least: int
    seconds: float

    def __str__(self) -> str:
        return "\n".join(_text(self))


def explain(connection: Connection, sql: str, parameters: Parameters = ()) -> Explanation:
    """What the query would ask of Klaviyo; nothing is sent. ProgrammingError and DataError as when it is executed."""
    with connection.translating():
        agreements = _agreements(connection.sqlite, sql, parameters)
        values = _rehearsed(connection, sql, parameters) if apsw.ext.query_info(connection.sqlite, sql).is_readonly else {}
    declared = {table.name: table for known in connection.tables() for table in (known, known.in_pascal_case())}
    steps: list[Step] = []
    waiting = 0.0
    for parent, agreed in agreements:
        agreement = index.read(agreed)
        table = declared[agreement.table]
        constraints = agreement.constraints(values[agreed]) if agreed in values else agreement.presumed()
        plan = connection.engine.presumed(Scan(table, agreement.columns, constraints, agreement.scan_order, agreement.limit))
        around = [index.read(other).table for above, other in agreements[: len(steps)] if above == parent]
        by_key = any(operator is Operator.EQUAL and isinstance(table.columns[column].place, Id) for column, operator, _ in agreement.terms)
        reads_timezone = isinstance(table.source, Aggregates) and not connection.engine.knows_timezone and not any(step.reads_timezone for step in steps)
        times = _times(table, plan, around, by_key=by_key)
        at_once = connection.engine.parallel
        steps.append(_step(table, plan, times, limit=agreement.limit, at_once=at_once, reads_timezone=reads_timezone))
        waiting += _waiting(_rate(plan.chains[0].request), len(plan.chains)) if plan.chains else 0.0
    least = sum(step.least for step in steps)
    return Explanation(tuple(steps), least, round(least * ROUND_TRIP + waiting, 1))


def _agreements(sqlite: apsw.Connection, sql: str, parameters: Parameters) -> list[tuple[int, str]]:
    """What was agreed on each scan of a Klaviyo table, with the loop that it is part of."""
    found = []
    for _, parent, _, detail in sqlite.execute(f"EXPLAIN QUERY PLAN {sql}", bindings_of(parameters)):
        _, mark, agreed = str(detail).partition(_MARK)
        if mark and agreed.startswith("{"):
            found.append((int(str(parent)), agreed))
    return found


def _rehearsed(connection: Connection, sql: str, parameters: Parameters) -> dict[str, tuple[Any, ...]]:
    """The values with which each scan would begin, as far as they do not depend on rows."""
    rehearsal = connection.rehearsal
    rehearsal.scans.clear()
    rehearsal.on = True
    try:
        cursor = connection.cursor()
        cursor.execute(sql, parameters).fetchall()
    finally:
        rehearsal.on = False
    # A NULL may be what a subquery returns when it has no rows.
    return {agreed: values for agreed, values in rehearsal.scans.items() if not any(value is None for value in values)}


def _times(table: Table, plan: Plan, around: Sequence[str], *, by_key: bool) -> str:
    """How often the scan runs, inside the loops over the tables `around` it."""
    if plan.nothing:
        return "never"
    if not around:
        return "once"
    rows = f"the rows of {' and '.join(around)}"
    if not by_key:
        return f"once for each of {rows}"
    times = f"once for each different id in {rows}"
    return f"{times}, the whole table at the second" if table.typical_rows <= SMALL_TABLE else times


def _step(table: Table, plan: Plan, times: str, *, limit: int | None, at_once: int, reads_timezone: bool) -> Step:
    source = table.source
    requests = [chain.request for chain in plan.chains]
    more = []
    chains = plan.chains
    if plan.parents is not None and plan.chains_of is not None and source.parent is not None:
        parent = source.parent.table.removesuffix("s")
        chains = plan.chains_of(f"<{parent}>")
        requests = [chain.request for chain in (*plan.parents.chains, *chains)]
        more.append(f"what is asked of one {parent} is asked of each")
    if isinstance(source, Collection) and any(not chain.single and chain.most_rows is None for chain in chains):
        page = contract.operation(source.list).page
        if limit is None or page is None or limit > page.max:
            side_by_side = f", up to {at_once} at once" if any(chain.slicing for chain in chains) else ""
            more.append((f"one request more for each further {page.max:,} rows" if page else "one request more for each further page") + side_by_side)
    if isinstance(source, Collection) and source.get and any(chain.detail and not chain.single for chain in chains):
        detail = next(chain.detail for chain in chains if chain.detail)
        lower = contract.operation(source.get).lower_rates[0].rate
        more.append(f"one request for the {detail.additional} of each row, {lower.burst} a second and {lower.steady} a minute")
    least = 0 if plan.nothing else len(plan.parents.chains) if plan.parents else len(plan.chains)
    rate = _rate(chains[0].request) if chains else _rate(Request(introspection.operation_name(table), "", ""))
    timezone = ("GET /api/accounts?fields[account]=timezone",) if reads_timezone and not plan.nothing else ()
    return Step(
        table=table.name,
        times=times,
        requests=(*timezone, *(request.readable for request in requests)),
        least=least + len(timezone),
        more="; ".join(more),
        exact=plan.sent,
        rechecked=plan.rechecked,
        ordered=plan.order is not None and bool(chains),
        limit=f"{rate.burst} a second, {rate.steady:,} a minute" + (f", {rate.daily} a day" if rate.daily else ""),
        nothing=plan.nothing,
        reads_timezone=reads_timezone,
    )


def _rate(request: Request) -> Rate:
    """The limit that the request falls under."""
    operation = contract.operation(request.operation)
    for lower in operation.lower_rates:
        if any(name == lower.parameter and lower.value in value.split(",") for name, value in request.parameters):
            return lower.rate
    return operation.rate


def _waiting(rate: Rate, count: int) -> float:
    """Seconds for which the limit holds back the last of so many requests."""
    minutes, rest = divmod(max(0, count - 1), rate.steady)
    return minutes * 60.0 + rest // rate.burst


def _text(explanation: Explanation) -> list[str]:
    lines = []
    for number, step in enumerate(explanation.steps, 1):
        lines.append(f"{number}. {step.table}: {step.times}")
        if step.nothing:
            lines.append(f"   no request: {step.nothing}")
            continue
        shown = step.requests if len(step.requests) <= 4 else (*step.requests[:3], f"… and {len(step.requests) - 3} more like these")
        lines += [f"   {request}" for request in shown]
        if step.more:
            lines.append(f"   then {step.more}")
        if step.exact:
            lines.append(f"   filtered by Klaviyo: {', '.join(step.exact)}")
        if step.rechecked:
            lines.append(f"   filtered by Klaviyo and checked again: {', '.join(step.rechecked)}")
        if step.ordered:
            lines.append("   sorted by Klaviyo")
        lines.append(f"   limit: {step.limit}")
    if not explanation.steps:
        lines.append("No Klaviyo table is read: 0 requests.")
    else:
        plural = "" if explanation.least == 1 else "s"
        lines.append(f"At least {explanation.least} request{plural}, {explanation.seconds:g} s at {ROUND_TRIP:g} s a request and within the limits.")
    return lines


def as_json(explanation: Explanation) -> str:
    """The explanation as a JSON object."""
    return msgspec.json.encode(explanation).decode()
