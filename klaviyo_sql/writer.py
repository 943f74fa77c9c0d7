"""The hinge for writes: changed rows in, requests out, and of every row what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from klaviyo_sql import errors
from klaviyo_sql.engine import Engine
from klaviyo_sql.fetch.audit import Audit
from klaviyo_sql.fetch.jobs import Jobs
from klaviyo_sql.fetch.sending import Sender
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.clock import Clock
from klaviyo_sql.model.request import Request
from klaviyo_sql.plan.constraints import Constraint, Operator
from klaviyo_sql.plan.scan import Scan
from klaviyo_sql.write.changes import Change, Conflict, Status
from klaviyo_sql.write.log import WriteLog
from klaviyo_sql.write.requests import stages
from klaviyo_sql.write.shipment import Shipment

_CLOCKS_DIFFER = timedelta(minutes=1)
_SHOWN = 3


@dataclass(slots=True)
class Manner:
    """How a connection writes.

    `dry_run` makes the requests and sends none. `go_on` writes the other rows when one is refused. `job_patience` is how many seconds bulk jobs are waited for
    (None: until they are done; 0: not at all). `audit_file` is where every write is noted. The `max_writes` are the rows that one UPDATE or DELETE may touch.
    """

    dry_run: bool = False
    go_on: bool = False
    job_patience: float | None = None
    audit_file: Path | None = None
    max_writes: int | None = 1000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the writing is: requests and those answered, and the bulk jobs that are followed now and those of them that have ended."""

    requests: int
    answered: int = 0
    jobs: int = 0
    ended: int = 0


class Writer:
    """Carries out changes; `engine_of` gives the engine of a named account (None: the connection's own)."""

    def __init__(self, engine_of: Callable[[str | None], Engine], clock: Clock, manner: Manner, poll: Callable[[], None]) -> None:
        self.log = WriteLog()
        self.manner = manner
        self.rehearsed: list[Request] = []
        """The requests that dry runs did not send, the newest last."""
        self.progress: Callable[[Progress], None] | None = None
        """Told how far the writing is, each time that it gets farther, if somebody wants to know."""
        self._progress = Progress(0)
        self._engine_of = engine_of
        self._clock = clock
        self._poll = poll

    def apply(self, changes: Sequence[Change]) -> None:
        """Carry out the changes, in the fewest requests; their order is kept where it matters.

        DataError and NotSupportedError before anything is sent; WriteFailed when rows could not be written, which the changes tell of; the exceptions of
        `Client.send` that are about more than a row, after as much as was carried out.
        """
        by_account: dict[str | None, list[Change]] = {}
        for change in changes:
            by_account.setdefault(change.account, []).append(change)
        planned = [(self._engine_of(account), list(stages(own))) for account, own in by_account.items()]
        self.log.extend(changes)
        if self.manner.dry_run:
            for _, found in planned:
                self._rehearse(found)
            return
        self._tell(Progress(sum(len(stage) for _, found in planned for stage in found)))
        try:
            for engine, found in planned:
                self._carry_out(engine, found)
        except errors.Interrupted as error:
            sent = sum(change.status not in (Status.WAITING, Status.NOT_SENT) for change in changes)
            told = f"{sent:,} of {len(changes):,} rows were sent, and klaviyo_writes tells what became of each." if sent else "Nothing of it was sent."
            raise errors.Interrupted(f"{error} {told}") from error
        finally:
            for change in changes:
                if change.status is Status.WAITING:
                    change.failed("It was not sent, because an earlier row could not be written.", Status.NOT_SENT)
        _raise_failures(changes)

    def planned(self, changes: Iterable[Change]) -> list[Shipment]:
        """The requests that the changes are, in their order; nothing is sent."""
        by_account: dict[str | None, list[Change]] = {}
        for change in changes:
            by_account.setdefault(change.account, []).append(change)
        return [shipment for own in by_account.values() for stage in stages(own) for shipment in stage]

    def _tell(self, progress: Progress) -> None:
        self._progress = progress
        if self.progress is not None:
            self.progress(progress)

    def _answered(self, more: int) -> None:
        known = self._progress
        self._tell(replace(known, requests=known.requests + more, answered=known.answered + 1))

    def _ended(self, jobs: int, ended: int) -> None:
        self._tell(replace(self._progress, jobs=jobs, ended=ended))

    def _rehearse(self, found: Iterable[list[Shipment]]) -> None:
        for stage in found:
            for shipment in stage:
                self.rehearsed.append(shipment.request)
                for change in shipment.changes:
                    change.status, change.operation = Status.DRY_RUN, shipment.request.operation

    def _carry_out(self, engine: Engine, found: list[list[Shipment]]) -> None:
        budget, manner = engine.statement_budget, self.manner
        count = sum(len(stage) for stage in found)
        if count:
            budget.foresee(found[0][0].request.table, count)
        audit = Audit(manner.audit_file, self._clock.now, engine.account) if manner.audit_file is not None else None
        if audit is not None:
            audit.check()
        sender = Sender(
            engine.client,
            engine.workers,
            parallel=engine.parallel,
            poll=self._poll,
            budget=budget,
            audit=audit,
            go_on=manner.go_on,
            answered=self._answered,
        )
        jobs = Jobs(engine.client, self._clock, poll=self._poll, budget=budget, patience=manner.job_patience, ended=self._ended)
        began = self._clock.now()
        for stage in found:
            sender.send(stage, lambda shipment: _is_there(engine, shipment, began))
            if manner.job_patience != 0:
                jobs.follow(stage)
            if not manner.go_on and any(_is_failure(change) for shipment in stage for change in shipment.changes):
                return


def _is_failure(change: Change) -> bool:
    """Whether the change keeps others from being sent: not when SQL said OR IGNORE."""
    return change.status in (Status.FAILED, Status.UNKNOWN, Status.NOT_SENT) and change.conflict is not Conflict.IGNORE


def _raise_failures(changes: Sequence[Change]) -> None:
    failures = [change for change in changes if _is_failure(change)]
    if not failures:
        return
    counts = {status: sum(change.status is status for change in changes) for status in Status}
    done = counts[Status.DONE] + counts[Status.ACCEPTED] + counts[Status.ABSENT]
    reasons = list(dict.fromkeys(change.error or "no reason given" for change in failures if change.status is not Status.NOT_SENT)) or [failures[0].error or ""]
    more = f" (And {len(reasons) - _SHOWN} more reasons.)" if len(reasons) > _SHOWN else ""
    parts = [
        f"{counts[status]:,} {what}"
        for status, what in ((Status.FAILED, "failed"), (Status.UNKNOWN, "unknown"), (Status.NOT_SENT, "not sent"))
        if counts[status]
    ]
    text = (
        f"{done:,} of {len(changes):,} rows were written and stay written, for Klaviyo has no transactions; " if done else f"Of {len(changes):,} rows "
    ) + f"{', '.join(parts)}. {' '.join(reasons[:_SHOWN])}{more}"
    error = errors.WriteFailed(text if len(changes) > 1 else reasons[0])
    error.done, error.failed, error.unknown, error.not_sent = done, counts[Status.FAILED], counts[Status.UNKNOWN], counts[Status.NOT_SENT]
    raise error


def _is_there(engine: Engine, shipment: Shipment, began: datetime) -> bool:
    """Whether what was to be created is there, when the reply was lost; OutcomeUnknown when that cannot be told."""
    change = next(shipment.changes)
    table, writes = change.table, change.table.writes
    unique = [table.index(name) for name in writes.unique] if writes is not None else []
    given = [position for position in unique if change.values.get(position) is not None]
    if not shipment.creates or shipment.is_many or not given or writes is None:
        raise errors.OutcomeUnknown("nothing tells the row from others")
    columns = [table.index(name) for name in table.key] + ([table.index(writes.created)] if writes.created else [])
    engine.client.forget()
    wanted = tuple(Constraint(position, Operator.EQUAL, change.values[position]) for position in given[:1])
    checked = tuple(dict.fromkeys((*columns, *given[:1])))
    found = [row for row in engine.scan(Scan(table, checked, wanted)) if str(row[checked.index(given[0])]) == str(change.values[given[0]])]
    if writes.created:
        position = checked.index(table.index(writes.created))
        found = [row for row in found if row[position] and timestamps.parse(row[position]) >= began - _CLOCKS_DIFFER]
    if len(found) > 1:
        raise errors.OutcomeUnknown("several rows are like it")
    if found:
        change.key = tuple(found[0][: len(table.key)])
        return True
    return False
