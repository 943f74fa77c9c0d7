"""The requests that a statement would make, without making them.

SQLite's own plan says which tables are scanned, in which order, with which terms; a rehearsal of the statement, in which every scan is empty,
gives the values that do not come from other rows. What a statement writes is rehearsed as well: rows that are named by their key, or whose values stand in
the statement, become the requests that they would be.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import apsw
import apsw.ext

from klaviyo_sql import contract, errors
from klaviyo_sql.contract import Rate
from klaviyo_sql.copies.expectation import expectation
from klaviyo_sql.engine import Engine
from klaviyo_sql.fetch.limits import rate_of
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Collection, Id, Table
from klaviyo_sql.plan import filters
from klaviyo_sql.plan.chains import Chain, Plan
from klaviyo_sql.plan.constraints import Operator
from klaviyo_sql.plan.cost import SMALL_TABLE, batches, estimate
from klaviyo_sql.plan.scan import Scan
from klaviyo_sql.session import index, introspection
from klaviyo_sql.session.all_accounts import AllAccounts
from klaviyo_sql.session.index import Agreement
from klaviyo_sql.sqlite.cursor import Parameters, bindings_of
from klaviyo_sql.sqlite.explanation import ROUND_TRIP, Explanation, Node, Step, Written
from klaviyo_sql.statements import tokens
from klaviyo_sql.statements.calls import rewritten
from klaviyo_sql.tables import TABLES
from klaviyo_sql.write.changes import Conflict, Kind
from klaviyo_sql.write.ways import ways

if TYPE_CHECKING:
    from klaviyo_sql.sqlite.connection import Connection
    from klaviyo_sql.sqlite.virtual_tables import VirtualTable

_CONTROLS = re.compile(r"\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*(?:BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE)\b", re.IGNORECASE | re.DOTALL)
"""Statements that begin and end transactions, which are not rehearsed."""
_MARK = " VIRTUAL TABLE INDEX 0:"


def explain(connection: Connection, sql: str, parameters: Parameters = ()) -> Explanation:
    """What the query would ask of Klaviyo; nothing is sent. ProgrammingError and DataError as when it is executed."""
    sql = rewritten(sql)
    connection.prepare(sql)
    rehearsal = connection.rehearsal
    rehearsal.looking = True
    rehearsal.calls.clear()
    try:
        with connection.translating():
            sql = connection.counting(sql)
            connection.foretell(sql)
            lines = [
                _Line(int(str(number)), int(str(parent)), str(detail))
                for number, parent, _, detail in connection.sqlite.execute(f"EXPLAIN QUERY PLAN {sql}", bindings_of(parameters))
            ]
            written = connection.written_by(sql)
            rehearsable = written or (apsw.ext.query_info(connection.sqlite, sql).is_readonly and not _CONTROLS.match(sql))
            values, sent = _rehearsed(connection, sql, parameters, written) if rehearsable else ({}, None)
    finally:
        rehearsal.looking = False
    reader = _Reader(connection, lines, values)
    tree = reader.inside(0, _Around())
    steps = tuple(reader.steps)
    lookups = tuple(connection.rehearsal.lookups) if written else ()
    writes = tuple(_written(sql, table, kind, sent, lookups) for table, kind in written)
    writing = sum(len(one.requests) + len(one.lookups) for one in writes)
    least, likely = sum(step.least for step in steps) + writing, sum(step.likely for step in steps) + writing
    seconds = least * ROUND_TRIP + sum(reader.waiting)
    likely_seconds = max(seconds, sum(step.seconds for step in steps) + writing * ROUND_TRIP)
    return Explanation(tree, steps, least, round(seconds, 1), likely, round(likely_seconds, 1), writes, tuple(rehearsal.calls))


def _written(sql: str, table: Table, kind: Kind, sent: list[Request] | None, lookups: tuple[tuple[str, Any], ...]) -> Written:
    """What is written to one table: `sent` are all requests, if they are known."""
    known = {lookup.table for lookup in table.writes.lookups} if table.writes is not None and kind is Kind.INSERT else set()
    looked_up = tuple((name, given) for name, given in lookups if name in known)
    conflict = Conflict.REPLACE if kind is Kind.INSERT and any(token.is_word("REPLACE") for token in tokens.read(sql) or ()) else Conflict.ABORT
    own = tuple(request for request in sent or () if request.table == table.name)
    return Written(table.name, str(kind), own, () if sent is not None else tuple(ways(table, kind, conflict)), looked_up)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of EXPLAIN QUERY PLAN."""

    number: int
    parent: int
    detail: str

    @property
    def agreed(self) -> str | None:
        _, mark, agreed = self.detail.partition(_MARK)
        return agreed if mark and agreed.startswith("{") else None

    @property
    def is_loop(self) -> bool:
        """Whether what follows it under the same parent runs for each of its rows."""
        return self.detail.startswith(("SCAN ", "SEARCH ", "MULTI-INDEX OR"))

    @property
    def name(self) -> str:
        """The table's alias in the query."""
        return self.detail.split()[1] if " " in self.detail else ""


@dataclass(frozen=True, slots=True)
class _Around:
    """The loops that a scan runs inside of, by their tables' aliases, and how many times that is, if Klaviyo's tables are of typical sizes."""

    names: tuple[str, ...] = ()
    runs: float = 1.0


class _Reader:
    """Reads SQLite's plan line by line, asking the engine what it would do."""

    def __init__(self, connection: Connection, lines: Sequence[_Line], values: dict[str, tuple[Any, ...]]) -> None:
        self._copies = connection.copies
        self._engine = connection.engine
        self._tables = connection.virtual_tables
        self._values = values
        self._lines = lines
        self._rows: dict[str, float] = {}
        """The rows that subqueries are likely to have, by their names."""
        self._asked_before: set[tuple[int, str]] = set()
        """What scans so far have to ask before their plan is known, and of whom."""
        self._refreshed: set[str] = set()
        """The copies that scans so far have brought up to date."""
        self.steps: list[Step] = []
        self.waiting: list[float] = []

    def inside(self, parent: int, around: _Around) -> tuple[Node, ...]:
        """The nodes of the lines under this one; each loop has those within it that run for each of its rows."""
        return self._nodes([line for line in self._lines if line.parent == parent], around)

    def _nodes(self, lines: Sequence[_Line], around: _Around) -> tuple[Node, ...]:
        nodes: list[Node] = []
        for place, line in enumerate(lines):
            if not line.is_loop:
                before = len(self.steps)
                nodes.append(Node(line.detail, None, self.inside(line.number, around)))
                if line.detail.startswith(("CO-ROUTINE", "MATERIALIZE")):
                    self._rows[line.name] = max((step.rows for step in self.steps[before:]), default=1)
                continue
            step, within = self._loop(line, around)
            own = self.inside(line.number, around)
            # What SQLite does with all rows, such as sorting them, stands behind the loops and is not part of them.
            rest = [other for other in lines[place + 1 :] if other.is_loop or other.detail.startswith("CORRELATED")]
            nodes.append(Node("" if step else line.detail, step, (*own, *self._nodes(rest, within))))
            nodes += self._nodes([other for other in lines[place + 1 :] if other not in rest], around)
            break
        return tuple(nodes)

    def _loop(self, line: _Line, around: _Around) -> tuple[Step | None, _Around]:
        agreed = line.agreed
        if agreed is None:
            names = () if line.detail.startswith("MULTI-INDEX OR") or "CONSTANT ROW" in line.detail else (line.name,)
            return None, _Around((*around.names, *names), around.runs * self._rows.get(line.name, 1.0))
        agreement = index.read(agreed)
        scanned = self._tables[agreement.table]
        table = scanned.table
        if agreement.presumed_rows:
            step = _unread(scanned.name, line.name)
            self.steps.append(step)
            return step, _Around((*around.names, line.name), around.runs)
        if agreement.copied:
            step = self._copied(scanned, line.name, agreement, around)
            self.steps.append(step)
            return step, _Around((*around.names, line.name), max(1.0, float(step.rows)))
        constraints = agreement.constraints(self._values[agreed]) if agreed in self._values else agreement.presumed()
        scan = Scan(table, agreement.columns, constraints, agreement.scan_order, agreement.limit)
        engine = scanned.engine
        accounts: tuple[str, ...] = ()
        if isinstance(engine, AllAccounts):
            plan, accounts = _one_of_all(engine, scan)
        else:
            assert isinstance(engine, Engine)  # noqa: S101 - there are no others
            plan = engine.presumed(scan)
            total = engine.total(scan) if agreement.fixed is not None and not plan.nothing else None
            if total is not None:
                plan = replace(plan, note="; ".join(filter(None, (plan.note, _only_counted(total)))))
        before = self._not_before(engine, plan)
        step = _step(plan.table, line.name, plan, agreement, around, at_once=engine.parallel, before=before)
        if scanned.name != table.name:
            step = _in_each(replace(step, table=scanned.name), accounts)
        self.steps.append(step)
        self.waiting.append(_waiting(rate_of(plan.chains[0].first), len(plan.chains)) if plan.chains else 0.0)
        return step, _Around((*around.names, line.name), max(1.0, float(step.rows)))

    def _not_before(self, engine: object, plan: Plan) -> tuple[str, ...]:
        """What has to be asked before the plan, without what an earlier scan has asked already."""
        found = [request.readable for request in plan.before if (id(engine), request.readable) not in self._asked_before]
        self._asked_before |= {(id(engine), text) for text in found}
        return tuple(found)

    def _copied(self, scanned: VirtualTable, alias: str, agreement: Agreement, around: _Around) -> Step:
        """A scan that is answered from the local copy."""
        view = scanned.view
        assert view is not None  # noqa: S101 - such a scan is agreed on for materialized tables only
        copy, table = view.copy, view.copy.layout.table
        expected = expectation(self._copies, copy, self._engine, asked_before=copy.layout.name in self._refreshed)
        self._refreshed.add(copy.layout.name)
        names = self._not_before(self._engine, self._engine.presumed(Scan(scanned.table, ()))) if view.of_metrics else ()
        share = estimate(table, [(view.position(column), operator) for column, operator, _ in agreement.terms], TABLES).rows / table.typical_rows
        return Step(
            table=scanned.name,
            alias=alias,
            times=f"for each row of {' and '.join(around.names)}" if around.names else "once",
            requests=(*names, *expected.requests),
            least=expected.least + len(names),
            more=expected.more if expected.requests else "",
            exact=(),
            rechecked=(),
            ordered=False,
            limit="",
            likely=expected.likely + len(names),
            seconds=round(expected.likely * ROUND_TRIP, 1),
            rows=max(1, round(share * self._copies.row_count(copy) * around.runs)),
            repeated=bool(around.names),
            before=names,
            copy=expected.says,
        )


def _unread(table: str, alias: str) -> Step:
    """Rows that a statement changes and names by their key."""
    return Step(
        table=table,
        alias=alias,
        times="once",
        requests=(),
        least=0,
        more="",
        exact=(),
        rechecked=(),
        ordered=False,
        limit="",
        likely=0,
        seconds=0.0,
        rows=1,
        nothing="its rows are named by their key",
    )


def _only_counted(total: Plan) -> str:
    """What is asked where the rows of a scan are only counted, or skipped, which shows when it runs."""
    requests = " and ".join(chain.first.readable for chain in total.chains)
    return f"if nothing is read of the rows of the first page, and there are more, Klaviyo is asked how many: {requests}"


def _one_of_all(engine: AllAccounts, scan: Scan) -> tuple[Plan, tuple[str, ...]]:
    """The plan of one of the accounts that are asked for, and the names of all of them."""
    joint = engine.presumed(scan)
    if not joint.parts:
        return Plan(scan.table, nothing="no account has such a name"), ()
    return joint.parts[0].plan, tuple(part.account for part in joint.parts)


def _in_each(step: Step, accounts: tuple[str, ...]) -> Step:
    """The step of one account as that of several."""
    count = len(accounts)
    if count == 0:
        return step
    if count == 1:
        return replace(step, more="; ".join(filter(None, (step.more, f"of the account {accounts[0]}"))))
    more = "; ".join(filter(None, (step.more, f"the same of each of {count} accounts, side by side: {', '.join(accounts)}")))
    return replace(step, more=more, least=step.least * count, likely=step.likely * count)


def _rehearsed(
    connection: Connection, sql: str, parameters: Parameters, written: Sequence[tuple[Table, Kind]]
) -> tuple[dict[str, tuple[Any, ...]], list[Request] | None]:
    """The values with which each scan would begin, as far as they do not depend on rows, and the requests that write, if no row has to be read for them."""
    sent = None
    scans = connection.rehearsal.scans
    if not written:
        return _values(connection, sql, parameters), None
    with connection.rehearsing() as planned, connection.cursor() as cursor:
        try:
            cursor.execute(sql, parameters)
            sent = planned() if not scans else None
        except errors.ReadOnlyError:
            pass
        except errors.DatabaseError:
            # A value that is NULL because its scan has no rows may be one that cannot be written.
            if not scans:
                raise
        found = dict(scans)
    return _told(found), sent


def _values(connection: Connection, sql: str, parameters: Parameters) -> dict[str, tuple[Any, ...]]:
    """The values with which each scan of a query would begin, as far as they do not depend on rows."""
    rehearsal = connection.rehearsal
    rehearsal.begin()
    try:
        connection.cursor().execute(sql, parameters).fetchall()
    finally:
        rehearsal.on = False
    return _told(rehearsal.scans)


def _told(scans: Mapping[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    # A NULL may be what a subquery returns when it has no rows.
    return {agreed: values for agreed, values in scans.items() if not any(value is None for value in values)}


class _Way(StrEnum):
    """How a scan that runs again and again gets its rows."""

    SCAN = "scan"
    ONCE = "once"
    WHOLE = "whole"
    BATCHES = "batches"
    KEYS = "keys"


def _way(table: Table, agreement: Agreement) -> _Way:
    """How the scan would be repeated: see klaviyo_sql/scanner.py."""
    if all(value is not None for _, _, value in agreement.terms):
        return _Way.ONCE
    source = table.source
    if not isinstance(source, Collection):
        return _Way.SCAN
    keys = [column for column, operator, value in agreement.terms if operator is Operator.EQUAL and value is None]
    by_id = any(isinstance(table.columns[column].place, Id) for column in keys) and source.get and not source.parent
    if by_id and table.typical_rows <= SMALL_TABLE:
        return _Way.WHOLE
    terms = [(column, operator) for column, operator, _ in agreement.terms]
    if any(batches(table, agreement.columns, key, [term for term in terms if term[0] != key], TABLES) for key in keys):
        return _Way.BATCHES
    return _Way.KEYS if by_id else _Way.SCAN


def _times(table: Table, plan: Plan, way: _Way, around: Sequence[str]) -> str:
    """How often the scan runs, inside the loops `around` it."""
    if plan.nothing:
        return "never"
    if not around:
        return "once"
    outer = " and ".join(around)
    return {
        _Way.ONCE: f"once, and from memory for each row of {outer}",
        _Way.WHOLE: f"for the rows of {outer}: read whole as soon as two different ones are wanted",
        _Way.BATCHES: f"for the rows of {outer}: a request for each {filters.MOST_VALUES} different values, as they wait in its pages",
        _Way.KEYS: f"for the rows of {outer}: a request for each different id",
        _Way.SCAN: f"for each row of {outer}",
    }[way]


def _likely(table: Table, plan: Plan, agreement: Agreement, way: _Way, runs: float) -> tuple[int, int]:
    """Requests and rows of the scan, run so many times, if the table has its typical size."""
    if plan.nothing:
        return 0, 0
    found = estimate(table, [(column, operator) for column, operator, _ in agreement.terms], TABLES)
    rows = found.rows if agreement.limit is None else min(found.rows, agreement.limit)
    requests = max(found.requests if agreement.limit is None else 1.0, len(plan.chains))
    if runs > 1:
        different = min(runs, table.typical_rows)
        whole = estimate(table, (), TABLES).requests
        requests = {
            _Way.ONCE: requests,
            _Way.WHOLE: whole,
            _Way.BATCHES: different / filters.MOST_VALUES,
            _Way.KEYS: different,
            _Way.SCAN: requests * runs,
        }[way]
    return max(1, math.ceil(requests)), max(1, round(rows * runs))


def _step(table: Table, alias: str, plan: Plan, agreement: Agreement, around: _Around, *, at_once: int, before: tuple[str, ...]) -> Step:
    limit = agreement.limit
    way = _way(table, agreement)
    source = table.source
    requests = [chain.first for chain in plan.chains]
    more = []
    chains = plan.chains
    if plan.parents is not None and plan.chains_of is not None and source.parent is not None:
        parent = source.parent.table.removesuffix("s")
        chains = plan.chains_of(((f"<{parent}>",),))
        requests = [chain.request for chain in (*_first_chains(plan.parents), *chains)]
        more.append(f"what is asked of one {parent} is asked of each")
    if isinstance(source, Collection) and any(not chain.single and chain.most_rows is None and not chain.counted for chain in chains):
        page = contract.operation(source.list).page
        if limit is None or page is None or limit > page.max:
            together = f", up to {at_once} at once" if any(chain.slicing for chain in chains) else ""
            more.append((f"one request more for each further {page.max:,} rows" if page else "one request more for each further page") + together)
    if isinstance(source, Collection) and source.get and any(chain.detail and not chain.single for chain in chains):
        detail = next(chain.detail for chain in chains if chain.detail)
        by_id = contract.operation(source.get)
        lower = by_id.lower_rates[0].rate if by_id.lower_rates else by_id.rate
        more.append(f"one request for the {detail.keys[0]} of each row, {lower.burst} a second and {lower.steady} a minute")
    least = 0 if plan.nothing else len(_first_chains(plan))
    under = rate_of(chains[0].first) if chains else rate_of(Request(introspection.operation_name(table), "", ""))
    likely, likely_rows = _likely(table, plan, agreement, way, around.runs)
    side_by_side = at_once if len(chains) > 1 or around.names or any(chain.slicing for chain in chains) else 1
    return Step(
        table=plan.table.name,
        alias=alias,
        times=_times(table, plan, way, around.names),
        requests=(*before, *(request.readable for request in requests)),
        least=least + len(before),
        more="; ".join(more),
        exact=plan.sent,
        rechecked=plan.rechecked,
        ordered=plan.order is not None and bool(chains),
        limit=f"{under.burst} a second, {under.steady:,} a minute" + (f", {under.daily} a day" if under.daily else ""),
        likely=max(likely, least) + len(before),
        seconds=round(max(math.ceil(likely / side_by_side) * ROUND_TRIP, _waiting(under, likely)), 1),
        rows=likely_rows,
        repeated=bool(around.names),
        nothing=plan.nothing,
        before=before,
        note=plan.note,
    )


def _first_chains(plan: Plan) -> tuple[Chain, ...]:
    """The chains that a plan begins with: its own, or those of its parents."""
    return _first_chains(plan.parents) if plan.parents is not None else plan.chains


def _waiting(rate: Rate, count: int) -> float:
    """Seconds for which the limit holds back the last of so many requests."""
    minutes, rest = divmod(max(0, count - 1), rate.steady)
    return minutes * 60.0 + rest // rate.burst
