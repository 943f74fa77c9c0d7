"""Calls of procedures, as every adapter carries them out: what is refused, what is sent, and what a call returns.

A call acts at once, not at COMMIT. SQLite may evaluate an expression more often than it is written, and scan a table again for each row of another: the same
call in one statement is made once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from klaviyo_sql import contract, errors
from klaviyo_sql.engine import Engine
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.procedure import USUAL_RESULTS, MembersOnly, Procedure, Result
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Type
from klaviyo_sql.plan.constraints import Constraint, Operator
from klaviyo_sql.plan.scan import Scan
from klaviyo_sql.procedures import PROCEDURES
from klaviyo_sql.session.index import EQUAL, IS, IndexInfo
from klaviyo_sql.session.pending import Pending
from klaviyo_sql.session.rehearsal import Rehearsal
from klaviyo_sql.statements.calls import MOST_IN_ORDER
from klaviyo_sql.write.calls import changes_of, completed, hidden_name, usage
from klaviyo_sql.write.changes import Change, Kind
from klaviyo_sql.write.requests import stages
from klaviyo_sql.writer import Writer


class Calls:
    """Carries out calls on one connection; `engine` gives the engine of its account. Without `pending` the connection is read-only."""

    def __init__(self, writer: Writer, engine: Callable[[], Engine], pending: Pending | None, rehearsal: Rehearsal) -> None:
        self._writer = writer
        self._engine = engine
        self._pending = pending
        self._rehearsal = rehearsal
        self._made: dict[tuple[str, Row], list[Row]] = {}
        self.due: list[Change] = []
        """What aggregates have gathered: it is sent when SQLite returns their row, for SQLite ends them after an error as well."""

    def begin_statement(self) -> None:
        """Another statement begins: what the one before gathered and did not return is not sent, and what it called is called anew."""
        self._made.clear()
        self.due.clear()

    def acts(self, name: str) -> Procedure | None:
        """The procedure of that name which changes something, if there is one."""
        found = BY_SQL_NAME.get(name.lower())
        return found if found is not None and not found.reads else None

    def refuse(self, name: str) -> None:
        """ReadOnlyError when what is about to be prepared calls the procedure and the connection is read-only; looking what it would do is allowed."""
        found = self.acts(name)
        if found is not None and self._pending is None and not self._rehearsal.looking:
            raise errors.call_refused(found.name)

    def call(self, procedure: Procedure, given: Row) -> list[Row]:
        """Carry out a call, and return what came of it; `given` are the values of the inputs in their order."""
        key = (procedure.name, given)
        if key not in self._made:
            self._made[key] = self._called(procedure, _named(procedure, given))
        return self._made[key]

    def _called(self, procedure: Procedure, given: Mapping[str, Any]) -> list[Row]:
        if self._rehearsal.on:
            self._rehearse(procedure, given)
            return []
        if procedure.looks is not None:
            return [self._looked(procedure, procedure.looks, completed(procedure, given))]
        if procedure.reads:
            return [self._read(procedure, changes_of(procedure, given))]
        return self._sent(procedure, self._allowed(procedure, [given]))

    def _changes(self, procedure: Procedure, given: Mapping[str, Any]) -> list[Change]:
        if self._pending is None and not self._rehearsal.on:
            raise errors.call_refused(procedure.name)
        statement = self._pending.statement if self._pending is not None else 0
        return changes_of(procedure, given, statement=statement, account=self._engine().account)

    def _allowed(self, procedure: Procedure, calls: Iterable[Mapping[str, Any]]) -> list[Change]:
        """What the calls write.

        ProgrammingError when they would take away more than they may, when rows wait for COMMIT that they might depend on, or when they are for members of a
        group who are none.
        """
        found = [(given, self._changes(procedure, given)) for given in calls]
        self._allow(procedure, [change for _, changes in found for change in changes])
        if procedure.members is None:
            return [change for _, changes in found for change in changes]
        choice = next(known for known in procedure.inputs if known.name == procedure.members.otherwise)
        by_choice: dict[Any, list[Change]] = {}
        for given, changes in found:
            by_choice.setdefault(given.get(choice.name) or choice.default, []).extend(changes)
        return [change for chosen, changes in by_choice.items() for change in self._of_members(procedure, procedure.members, chosen, changes)]

    def _of_members(self, procedure: Procedure, members: MembersOnly, chosen: Any, changes: list[Change]) -> list[Change]:
        """The changes without those of who is no member, unless they go on as well."""
        if chosen not in ("refuse", "skip"):
            return changes
        by_group: dict[str, list[Change]] = {}
        for change in changes:
            group = change.named.get(members.group)
            if group is not None:
                by_group.setdefault(str(group), []).append(change)
        others: set[int] = set()
        for group, some in by_group.items():
            known = self._members(members, group, some)
            others |= {id(change) for change in some if not known & set(_identifiers(members, change))}
        if others and chosen == "refuse":
            strangers = [one for change in changes if id(change) in others for _, one in _identifiers(members, change)[:1]]
            shown = ", ".join(strangers[:3]) + (" …" if len(strangers) > 3 else "")
            raise errors.ProgrammingError(
                f"{procedure.name}: {len(others):,} of {len(changes):,} are not on the list: {shown}. {members.because}. Nothing was sent."
            )
        return [change for change in changes if id(change) not in others]

    def _members(self, members: MembersOnly, group: str, changes: list[Change]) -> set[tuple[str, str]]:
        """Who of those in the changes is a member of the group, by column and value, as Klaviyo knows it now."""
        engine = self._engine()
        table = engine.tables[members.table]
        engine.client.forget()
        found: set[tuple[str, str]] = set()
        for name in members.by:
            wanted = sorted({value for change in changes for column, value in _identifiers(members, change) if column == name})
            if wanted:
                position = table.index(name)
                terms = (Constraint(table.index(members.group), Operator.EQUAL, group), Constraint(position, Operator.IN, tuple(wanted)))
                found |= {(name, str(row[0]).lower()) for row in engine.scan(Scan(table, (position,), terms))}
        return found

    def _allow(self, procedure: Procedure, changes: list[Change]) -> None:
        most = self._writer.manner.max_writes
        if procedure.takes_away and most is not None and len(changes) > most:
            raise errors.ProgrammingError(
                f"{procedure.name} would be for {len(changes):,} rows, and one statement may take away {most:,}. Nothing of it is sent. Name fewer, or allow "
                f"more: max_writes={len(changes)} in connect(), --max-writes {len(changes)} on the command line, KLAVIYO_SQL_MAX_WRITES={len(changes)}."
            )
        waiting = len(self._pending) if self._pending is not None else 0
        if waiting:
            raise errors.ProgrammingError(
                f"{procedure.name} acts at once, and {waiting:,} row{'s' if waiting > 1 else ''} of this transaction wait{'' if waiting > 1 else 's'} for "
                "COMMIT: COMMIT or ROLLBACK first. Nothing was sent."
            )

    def _sent(self, procedure: Procedure, changes: list[Change]) -> list[Row]:
        before = len(self._writer.rehearsed)
        self._writer.apply(changes)
        if self._writer.manner.dry_run:
            return [_row(procedure, status="dry run", operation=made.operation, request=made.readable) for made in self._writer.rehearsed[before:]]
        together: dict[tuple[Any, ...], list[Change]] = {}
        for number, change in enumerate(changes):
            told = change.reply is not None or (change.key is not None and change.kind is not Kind.DELETE)
            alone = number if change.job is None and told else None
            together.setdefault((change.status, change.job, change.operation, alone), []).append(change)
        rows = []
        for (status, job, operation, _), some in together.items():
            identifier = str(some[0].key[-1]) if some[0].key and job is None and len(some) == 1 else None
            rows.append(_row(procedure, some[0].reply, status=str(status), id=identifier, rows=len(some), job=job, operation=operation))
        return rows

    def _read(self, procedure: Procedure, changes: list[Change]) -> Row:
        """What Klaviyo answers to a question that takes a POST."""
        request = _requests(changes)[0]
        engine = self._engine()
        reply = engine.client.send(request, cache=False, budget=engine.statement_budget)
        return _row(procedure, reply.body, status="done", id=_data(reply.body).get("id"), rows=1, operation=request.operation)

    def _looked(self, procedure: Procedure, looks: Mapping[str, str], values: Mapping[str, Any]) -> Row:
        request = _look(procedure, looks, values)
        engine = self._engine()
        reply = engine.client.send(request, cache=False, budget=engine.statement_budget)
        data = _data(reply.body)
        return _row(procedure, reply.body, status=data.get("attributes", {}).get("status"), id=data.get("id"), rows=1, operation=request.operation)

    def _rehearse(self, procedure: Procedure, given: Mapping[str, Any]) -> None:
        """Note what would be sent, as far as that does not depend on rows which are not read now."""
        try:
            if procedure.looks is not None:
                self._rehearsal.calls.append(_look(procedure, procedure.looks, completed(procedure, given)).readable)
            else:
                self._rehearsal.calls.extend(request.readable for request in _requests(self._changes(procedure, given)))
        except errors.ProgrammingError:
            self._rehearsal.calls.append(f"{procedure.name}: a call for each row that is read")

    # Functions.

    def told(self, procedure: Procedure, given: Row) -> Any:
        """Carry out a call as the function of the procedure's name does: what tells most of what came of it."""
        columns = [found.name for found in procedure.all_results]
        rows = self.call(procedure, given)
        if not rows:
            return None
        return next((value for name in ("request", procedure.tells) if (value := rows[0][columns.index(name)])), rows[0][columns.index("status")])

    def gathered(self, procedure: Procedure, calls: list[Row]) -> str | None:
        """The end of an aggregate: the rows of all its calls go together, when SQLite has returned its row."""
        if self._rehearsal.on:
            if not calls:
                self._rehearsal.calls.append(f"{procedure.name}: as few requests as the rows that are read fit into")
            for given in calls:
                self._rehearse(procedure, _named(procedure, given))
            return None
        changes = self._allowed(procedure, [_named(procedure, given) for given in calls])
        if self._writer.manner.dry_run:
            before = len(self._writer.rehearsed)
            self._writer.apply(changes)
            return msgspec.json.encode([made.readable for made in self._writer.rehearsed[before:]]).decode()
        self.due.extend(changes)
        return msgspec.json.encode({"rows": len(changes)}).decode()

    @staticmethod
    def of_array(procedure: Procedure) -> str:
        """The statement that calls a procedure for many rows at once, as it is shown to somebody."""
        name = hidden_name(procedure, procedure.inputs[_each(procedure)])
        return f"SELECT * FROM {procedure.name} WHERE {name} = (SELECT json_group_array(…) FROM …) AND …"  # noqa: S608 - it is shown

    def send_due(self) -> None:
        """Send what aggregates have gathered, whose row SQLite has returned; the exceptions of `Writer.apply`."""
        changes, self.due = self.due, []
        if changes:
            self._writer.apply(changes)


def _each(procedure: Procedure) -> int:
    """The place of the input that is another one in each row of a SELECT."""
    each = next(way.each for way in procedure.ways if way.each is not None)
    return next(number for number, known in enumerate(procedure.inputs) if known.name == each)


class Gatherer:
    """One group of an aggregate: the calls of its rows. A NULL among what is gathered is left out, as SQL's aggregates do."""

    def __init__(self, procedure: Procedure, calls: Calls) -> None:
        self._procedure = procedure
        self._calls = calls
        self._given: list[Row] = []
        self._each = _each(procedure)

    def step(self, *given: Any) -> None:
        """One row of the SELECT."""
        others = [number for number, known in enumerate(self._procedure.inputs) if known.name in self._procedure.exactly_one]
        wanted = others or [self._each]
        if len(given) > self._each and all(number >= len(given) or given[number] is None for number in wanted):
            return
        self._given.append(given)

    def final(self) -> Any:
        """No more rows, or an error: only SQLite's return of the row tells which."""
        return self._calls.gathered(self._procedure, self._given)


class CallTable:
    """A procedure as a function that returns a table, with the inputs as hidden columns."""

    def __init__(self, procedure: Procedure, calls: Calls) -> None:
        self.procedure = procedure
        self.calls = calls
        self.width = len(procedure.all_results)
        """Its own columns; those of the inputs are behind them."""

    @property
    def declaration(self) -> str:
        """The table as SQLite declares it."""
        columns = [f"{found.name} {found.type.declared}" for found in self.procedure.all_results]
        columns += [f'"{hidden_name(self.procedure, known)}" HIDDEN' for known in self.procedure.all_inputs]
        return f"CREATE TABLE x({', '.join(columns)})"

    def agree(self, info: IndexInfo) -> bool:
        """Fill in SQLite's index information; False when an input would only be known later. ProgrammingError when one is given twice."""
        used: list[int] = []
        checked: list[int] = []
        for number in range(info.nConstraint):
            column = info.get_aConstraint_iColumn(number) - self.width
            operator = info.get_aConstraint_op(number)
            if column < 0 or operator not in (EQUAL, IS):
                continue
            if not info.get_aConstraint_usable(number):
                return False  # an input that comes from a table which is read later: only another order of the tables will do
            if column in used:
                raise errors.ProgrammingError(f"{self.procedure.name}: {self.procedure.all_inputs[column].name} is given twice. Nothing was sent.")
            used.append(column)
            if number >= MOST_IN_ORDER and operator == EQUAL:
                checked.append(column)
            info.set_aConstraintUsage_argvIndex(number, len(used))
            info.set_aConstraintUsage_omit(number, True)
        info.idxStr = f"{','.join(map(str, used))};{','.join(map(str, checked))}"
        info.estimatedCost, info.estimatedRows = 1e6, 1
        return True

    def rows(self, agreed: str | None, values: Iterable[Any], made: dict[Row, list[Row]]) -> list[Row]:
        """What came of the call with these values, and the values; `made` are the calls that the same loop has made before, which are not made again."""
        procedure = self.procedure
        columns, checked = ([int(column) for column in part.split(",") if column] for part in (agreed or ";").split(";"))
        given: list[Any] = [None] * len(procedure.all_inputs)
        for column, value in zip(columns, values, strict=True):
            given[column] = value
            if value is None and column in checked:
                raise errors.ProgrammingError(
                    f"{procedure.name}: a value behind the sixteenth cannot be NULL here, for SQLite would drop what the call returns. Write "
                    f"CALL {procedure.name}(name => value, …). Nothing was sent."
                )
        key = tuple(given)
        if key not in made:
            made[key] = [(*row, *key) for row in self.calls.call(procedure, key)]
        return made[key]


BY_SQL_NAME = {name.lower(): procedure for procedure in PROCEDURES.values() for name in procedure.names}
"""The procedures by every name that SQL has for them, in lower case."""


def _named(procedure: Procedure, given: Row) -> dict[str, Any]:
    """The values by the names of the inputs; ProgrammingError when there are too many."""
    inputs = procedure.all_inputs
    if len(given) > len(inputs):
        raise errors.ProgrammingError(f"{procedure.name} takes at most {len(inputs)} values, and {len(given)} were given. {usage(procedure)} Nothing was sent.")
    return {known.name: value for known, value in zip(inputs, given, strict=False)}


def _identifiers(members: MembersOnly, change: Change) -> list[tuple[str, str]]:
    """What tells who somebody is, by column, in lower case as Klaviyo keeps it."""
    named = change.named
    return [(name, str(named[name]).strip().lower()) for name in members.by if named.get(name) is not None]


def _requests(changes: Iterable[Change]) -> list[Request]:
    return [shipment.request for stage in stages(changes) for shipment in stage]


def _look(procedure: Procedure, looks: Mapping[str, str], values: Mapping[str, Any]) -> Request:
    kind, identifier = (values[known.name] for known in procedure.inputs[:2])
    known = contract.operation(looks[kind])
    path = re.sub(r"\{\w+\}", lambda _: quote(str(identifier), safe=""), known.path)
    return Request(looks[kind], known.method, path, table=procedure.name)


def _data(body: bytes | None) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body) if body else {}
    except msgspec.DecodeError:
        return {}
    found = document.get("data") if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def _row(procedure: Procedure, reply: bytes | None = None, **usual: Any) -> Row:
    """A row of the result: what Klaviyo's reply tells, and what every call does."""
    data = _data(reply) if procedure.results else {}
    return (*(_value(found, data) for found in procedure.results), *(usual.get(found.name) for found in USUAL_RESULTS))


def _value(found: Result, data: Mapping[str, Any]) -> Any:
    value: Any = data
    for key in found.keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    if value is None:
        return None
    if found.type is Type.JSON or isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    if found.type is Type.TIMESTAMP and isinstance(value, str):
        try:
            return timestamps.from_klaviyo(value)
        except ValueError:
            return value
    return value
