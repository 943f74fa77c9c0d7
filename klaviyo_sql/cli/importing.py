"""The rows of a file, checked one by one before anything is sent, then sent in batches.

Both go through SQL: a row is an INSERT, an UPDATE or a DELETE, so that it means what it means there, and a batch is a transaction.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from klaviyo_sql import Connection, DataError, NotSupportedError, ProgrammingError, ReadOnlyError, WriteFailed
from klaviyo_sql.cli.files.record import Record, Rejects
from klaviyo_sql.cli.mapping import Mapping, Mode, Unfit
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Table
from klaviyo_sql.statements.names import quoted
from klaviyo_sql.write.changes import Change, Status

BATCH = 10_000
"""Rows that are in memory at a time, and as many as one request of Klaviyo's takes."""

_GOOD = frozenset({Status.DONE, Status.ACCEPTED, Status.ABSENT})


@dataclass(frozen=True, slots=True)
class Unwritable:
    """A row that cannot be written: `column` is the file's, if one is at fault."""

    record: Record
    column: str | None
    reason: str


@dataclass(slots=True)
class Checked:
    """What a look at every row has shown: how many can be written in how many requests, how many cannot, and the first of these."""

    good: int = 0
    requests: int = 0
    bad: int = 0
    first: list[Unwritable] = field(default_factory=list)


@dataclass(slots=True)
class _Batch:
    """Rows that wait in a transaction, and rows that cannot be written."""

    good: list[Record] = field(default_factory=list)
    bad: list[Unwritable] = field(default_factory=list)

    def records(self) -> list[Record]:
        """All rows of it, in their order."""
        return sorted((*self.good, *(bad.record for bad in self.bad)), key=lambda record: record.number)


class Importer:
    """Writes records into a table, or tells what writing them would be; `statuses` counts what became of those that were sent."""

    def __init__(self, connection: Connection, table: Table, mode: Mode, mapping: Mapping) -> None:
        self.connection = connection
        self._table = table
        self._mode = mode
        self._mapping = mapping
        self._name = ".".join(map(quoted, table.name.split(".")))
        self._cursor = connection.cursor()
        self._batch = _Batch()
        """What waits, and is not sent yet."""
        self.seen = 0
        """How many rows were looked at, or sent, so far."""
        self.statuses: Counter[Status] = Counter()
        self.reasons: Counter[str] = Counter()

    def check(self, records: Iterable[Record], most: int, rejects: Rejects | None = None) -> Checked:
        """Look at every row; nothing is written. `most` is how many of those that cannot be written are kept to be shown."""
        found = Checked()
        for batch in self._batches(records):
            found.good += len(batch.good)
            found.requests += len(self.connection.planned())
            self.connection.rollback()
            found.bad += len(batch.bad)
            found.first += batch.bad[: most - len(found.first)]
            for bad in batch.bad:
                if rejects is not None:
                    rejects.write(bad.record, bad.reason)
        return found

    def planned(self, records: Iterable[Record]) -> Iterator[Request]:
        """The requests that the rows that can be written take; none is sent."""
        for _ in self._batches(records):
            requests = self.connection.planned()
            self.connection.rollback()
            yield from requests

    def send(self, records: Iterable[Record], rejects: Rejects | None, *, go_on: bool) -> bool:
        """Write the rows, batch by batch, and put those that are not written into `rejects`; whether all could be tried.

        Without `go_on` it ends with the first batch in which a row is not written; the rows behind it are rejected as not sent.
        """
        records = iter(records)
        is_whole = False
        try:
            for batch in self._batches(records):
                for bad in batch.bad:
                    self._reject(bad.record, Status.FAILED, bad.reason, rejects)
                if not self._commit(batch, rejects) and not go_on:
                    return False
            is_whole = True
        finally:
            if not is_whole:
                self._leave(itertools.chain(self._batch.records(), records), rejects)
        return is_whole

    def _commit(self, batch: _Batch, rejects: Rejects | None) -> bool:
        """Send a batch, and say of each of its rows what became of it."""
        log = self.connection.writer.log
        before = log.written
        written = True
        try:
            self.connection.commit()
        except WriteFailed:
            written = False
        finally:
            self._batch = _Batch()
            changes: list[Change | None] = list(log.since(before))
            changes += [None] * (len(batch.good) - len(changes))
            for record, change in zip(batch.good, changes, strict=True):
                status = change.status if change is not None else Status.NOT_SENT
                if status in _GOOD:
                    self.statuses[status] += 1
                else:
                    self._reject(record, status, (change.error if change is not None else None) or "It was not sent.", rejects)
        return written

    def _reject(self, record: Record, status: Status, reason: str, rejects: Rejects | None) -> None:
        self.statuses[status] += 1
        if status is not Status.NOT_SENT:
            self.reasons[reason] += 1
        if rejects is not None:
            rejects.write(record, f"unknown: {reason}" if status is Status.UNKNOWN else reason)

    def _leave(self, records: Iterable[Record], rejects: Rejects | None) -> None:
        """The rest of the file is not sent."""
        for record in records:
            self._reject(record, Status.NOT_SENT, "It was not sent, because an earlier row could not be written.", rejects)

    def _batches(self, records: Iterable[Record]) -> Iterator[_Batch]:
        """Transactions with the rows that can be written waiting in them, which whoever gets one ends."""
        batch = self._batch = _Batch()
        for record in records:
            if not self.connection.in_transaction:
                self.connection.execute("BEGIN")
            try:
                self._put(record)
            except Unfit as unfit:
                batch.bad.append(Unwritable(record, unfit.column, str(unfit)))
            else:
                batch.good.append(record)
            self.seen += 1
            if len(batch.good) + len(batch.bad) >= BATCH:
                yield batch
                batch = self._batch = _Batch()
        if batch.good or batch.bad:
            yield batch

    def _put(self, record: Record) -> None:
        """Execute the row's statement; Unfit when it cannot be written."""
        values = self._mapping.values(record)
        key = self._table.key
        others = [name for name in values if name not in key]
        match self._mode:
            case Mode.UPDATE:
                sql = f"UPDATE {self._name} SET {', '.join(f'{quoted(name)} = ?' for name in others)} WHERE {self._is_key()}"  # noqa: S608 - declared names
                given = [*(values[name] for name in others), *(values[name] for name in key)]
            case Mode.DELETE:
                sql, given = f"DELETE FROM {self._name} WHERE {self._is_key()}", [values[name] for name in key]  # noqa: S608
            case _:
                replace = " OR REPLACE" if self._mode is Mode.UPSERT else ""
                sql = f"INSERT{replace} INTO {self._name} ({', '.join(map(quoted, values))}) VALUES ({', '.join('?' * len(values))})"
                given = list(values.values())
        try:
            self._cursor.execute(sql, given)
        except ReadOnlyError:
            raise
        except (DataError, NotSupportedError, ProgrammingError) as error:
            column, reason = self._blamed(str(error))
            raise Unfit(column, reason) from None
        if self._cursor.rowcount != 1:
            raise Unfit(None, f"{self._table.name} has no such row")

    def _is_key(self) -> str:
        return " AND ".join(f"{quoted(name)} = ?" for name in self._table.key)

    def _blamed(self, sentence: str) -> tuple[str | None, str]:
        """The file's column that a sentence is about, and the sentence."""
        for known in self._table.columns:
            if sentence.startswith(f"{self._table.name.rpartition('.')[2]}.{known.name} "):
                return self._mapping.column_for(known.name), sentence
        return None, sentence
