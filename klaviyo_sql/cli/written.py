"""What was written, for people: how far it is while it goes on, what became of the rows, and the requests that were not sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from klaviyo_sql import Connection
from klaviyo_sql.cli.display import visible
from klaviyo_sql.cli.progress import counted
from klaviyo_sql.model.request import Request
from klaviyo_sql.write.changes import Change, Kind, Status
from klaviyo_sql.writer import Progress

_DONE = {Kind.INSERT: "inserted", Kind.UPDATE: "updated", Kind.DELETE: "deleted"}
_TOLD = {
    Status.ACCEPTED: "accepted, which Klaviyo carries out later",
    Status.ABSENT: "not there to be deleted",
    Status.FAILED: "failed",
    Status.UNKNOWN: "sent, and nobody knows whether they were written",
    Status.NOT_SENT: "not sent",
}
_REASONS = 5
"""Reasons of failures that are shown; all of them are in klaviyo_writes."""


class Writing:
    """Watches what a connection writes from now on."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._writer = connection.writer
        self._rows = self._writer.log.written
        self._requests = connection.requests.written
        self._rehearsed = len(self._writer.rehearsed)
        self._progress: Progress | None = None
        self._writer.progress = self._told

    def _told(self, progress: Progress) -> None:
        self._progress = progress

    def progress(self) -> str:
        """How far the sending is, in a few words; nothing when nothing is being sent."""
        known = self._progress
        if known is None:
            return ""
        jobs = f", {known.ended:,} of {counted(known.jobs, 'bulk job')} done" if known.jobs else ""
        return f"{known.answered:,} of {counted(known.requests, 'request')} answered{jobs}"

    @property
    def changes(self) -> list[Change]:
        """The rows that were sent or were to be."""
        return [change for change in self._writer.log.since(self._rows) if change.status is not Status.DRY_RUN]

    @property
    def not_sent(self) -> list[Request]:
        """The requests of a dry run."""
        return self._writer.rehearsed[self._rehearsed :]

    def summary(self) -> Iterator[str]:
        """What became of the rows, by table and kind, with the first reasons of failures; nothing when nothing was to be written."""
        changes = self.changes
        if not changes:
            return
        yield from outcomes(changes)
        sent = sum(record.number > self._requests and record.method != "GET" for record in self._connection.requests)
        jobs = len({change.job for change in changes if change.job is not None})
        told = f", {counted(jobs, 'bulk job')}" if jobs else ""
        yield f"{counted(sent, 'writing request')}{told}."


def outcomes(changes: Iterable[Change]) -> Iterator[str]:
    """A line for each table and kind, and under it the first reasons of what failed."""
    grouped: dict[tuple[str, Kind], list[Change]] = {}
    for change in changes:
        grouped.setdefault((f"{change.account}.{change.table.name}" if change.account else change.table.name, change.kind), []).append(change)
    for (table, kind), rows in grouped.items():
        statuses = Counter(change.status for change in rows)
        told = [f"{counted(statuses[Status.DONE], 'row')} {_DONE[kind]}"] if statuses[Status.DONE] else []
        told += [f"{statuses[status]:,} {words}" for status, words in _TOLD.items() if statuses[status]]
        yield f"{table}: {', '.join(told)}."
        reasons = Counter(change.error for change in rows if change.error and change.status in (Status.FAILED, Status.UNKNOWN))
        for reason, count in reasons.most_common(_REASONS):
            yield f"  {counted(count, 'row')}: {visible(reason)}"
        if len(reasons) > _REASONS:
            yield f"  … and {counted(len(reasons) - _REASONS, 'more reason')}."


def as_text(requests: Iterable[Request]) -> Iterator[str]:
    """The requests of a dry run, each with its whole body and an empty line behind it."""
    for request in requests:
        yield "".join(f"{line}\n" for line in map(visible, request.lines())) + "\n"
