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
from klaviyo_sql.model.table import Collection, Id, Table
from klaviyo_sql.plan.constraints import Operator
from klaviyo_sql.plan.cost import SMALL_TABLE
from klaviyo_sql.plan.scan import Plan, Scan
from klaviyo_sql.sqlite import index

if TYPE_CHECKING:
    from klaviyo_sql.sqlite.connection import Connection
    from klaviyo_sql.sqlite.cursor import Parameters

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
        agreements = _agreements(connection.sqlite, sql)
        values = _rehearsed(connection, sql, parameters) if apsw.ext.query_info(connection.sqlite, sql).is_readonly else {}
    steps: list[Step] = []
    rates: list[tuple[Rate, int]] = []
    for parent, agreed in agreements:
        agreement = index.read(agreed)
        inside = [index.read(other).table for above, other in agreements[: len(steps)] if above == parent]
        table = next(t for declared in connection.tables() for t in (declared, declared.in_pascal_case()) if t.name == agreement.table)
        constraints = agreement.constraints(values[agreed]) if agreed in values else agreement.presumed()
        plan = connection.engine.presumed(Scan(table, agreement.columns, constraints, agreement.scan_order, agreement.limit))
        by_key = any(operator is Operator.EQUAL and isinstance(table.columns[column].place, Id) for column, operator, _ in agreement.terms)
        step = _step(table, plan, inside, by_key=by_key)
        steps.append(step)
        rates += _rates(plan)
    least = sum(step.least for step in steps)
    return Explanation(tuple(steps), least, round(least * ROUND_TRIP + sum(_waiting(rate, count) for rate, count in rates), 1))


def _agreements(sqlite: apsw.Connection, sql: str) -> list[tuple[int, str]]:
    """What was agreed on each scan of a Klaviyo table, with the loop that it is part of."""
    found = []
    for _, parent, _, detail in sqlite.execute(f"EXPLAIN QUERY PLAN {sql}"):
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


def _step(table: Table, plan: Plan, inside: Sequence[str], *, by_key: bool) -> Step:
    rate = _rate(plan.chains[0].request if plan.chains else None, table)
    source = table.source
    times = "once"
    if inside:
        around = " and ".join(inside)
        times = f"once for each row of {around}"
        if by_key:
            times = f"once for each different id in the rows of {around}"
            if table.typical_rows <= SMALL_TABLE:
                times += ", the whole table at the second"
    requests = [chain.request.readable for chain in plan.chains]
    more = ""
    if plan.nothing:
        times = "never"
    elif plan.parents is not None and plan.chains_of is not None:
        child = plan.chains_of(f"<{source.parent.table[:-1]} id>" if source.parent else "<id>")
        requests = [plan.parents.chains[0].request.readable, *(chain.request.readable for chain in child)]
        more = f"the requests for one {source.parent.table[:-1] if source.parent else 'parent'} are repeated for each"
    if isinstance(source, Collection) and not plan.nothing and not all(chain.single for chain in plan.chains or (None,) if chain):
        page = contract.operation(source.list).page
        pages = f"one request more for each further {page.max:,} rows" if page else "one request more for each further page"
        more = f"{more}; {pages}" if more else pages
    least = 0 if plan.nothing else 1 if plan.parents is not None else len(plan.chains)
    return Step(
        table=table.name,
        times=times,
        requests=tuple(requests),
        least=least,
        more=more,
        exact=plan.sent,
        rechecked=plan.rechecked,
        ordered=plan.order is not None,
        limit=f"{rate.burst} a second, {rate.steady:,} a minute" + (f", {rate.daily} a day" if rate.daily else ""),
        nothing=plan.nothing,
    )


def _rate(request: Request | None, table: Table) -> Rate:
    source = table.source
    if request is None:
        return contract.operation(source.list if isinstance(source, Collection) else source.operation).rate
    operation = contract.operation(request.operation)
    for lower in operation.lower_rates:
        if any(name == lower.parameter and lower.value in value.split(",") for name, value in request.parameters):
            return lower.rate
    return operation.rate


def _rates(plan: Plan) -> list[tuple[Rate, int]]:
    return [(_rate(plan.chains[0].request, plan.table), len(plan.chains))] if plan.chains else []


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
