"""The changes of the transaction that is running: nothing is sent before COMMIT, a savepoint can be gone back to, and a ROLLBACK sends nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from klaviyo_sql import errors
from klaviyo_sql.write.changes import Change, Kind
from klaviyo_sql.write.checking import check
from klaviyo_sql.write.shipment import Shipment
from klaviyo_sql.writer import Writer


class Pending:
    """What waits for COMMIT. SQLite tells each table of savepoints by itself, and only those that the transaction writes to."""

    def __init__(self, writer: Writer, written: Callable[[list[Change]], None]) -> None:
        """`written` is told of changes that were sent, or were to be."""
        self.writer = writer
        self._written = written
        self._changes: list[Change] = []
        self._marks: defaultdict[int, dict[int, int]] = defaultdict(dict)
        self._joined: dict[int, int] = {}
        self._counted = 0
        self._statement = 0
        self._touched = 0
        self._what = ""

    @property
    def statement(self) -> int:
        """The number of the statement that is running."""
        return self._statement

    def begin_statement(self) -> None:
        """Another statement begins: it is counted by itself."""
        self._statement += 1
        self._touched = 0

    def add(self, owner: int, change: Change) -> None:
        """Put a change of the table `owner` aside, after a look at it. DataError and NotSupportedError when it could not be sent.

        Rows that are more than one UPDATE or DELETE may touch are only counted, until the statement ends.
        """
        most = self.writer.manner.max_writes
        if change.kind is not Kind.INSERT and most is not None:
            self._touched += 1
            self._what = f"{change.kind} of {change.table.name}"
            if self._touched > most:
                return
        check(change)
        change.statement = self._statement
        self._counted += 1
        change.owner = owner
        change.number = self._counted  # its place in the transaction, until the log numbers it
        self._changes.append(change)

    def refuse_excess(self) -> None:
        """The same as `end_statement`, for a SQLite that does not say when a statement ends: with the first row too many."""
        if self._touched > (self.writer.manner.max_writes or self._touched):
            self.end_statement(more=True)

    def end_statement(self, *, more: bool = False) -> None:
        """The statement has ended: ProgrammingError when it touched more rows than it may, and then none of them is written. `more`: it would go on."""
        most = self.writer.manner.max_writes
        touched, self._touched = self._touched, 0
        if most is None or touched <= most:
            return
        self._changes = [change for change in self._changes if change.statement != self._statement]
        if more:
            raise errors.ProgrammingError(
                f"The {self._what} would touch more than {most:,} rows, which is what one statement may touch. Nothing of it is sent. Narrow its WHERE, or "
                "allow more: KLAVIYO_SQL_MAX_WRITES=…."
            )
        raise errors.ProgrammingError(
            f"The {self._what} would touch {touched:,} rows, and one statement may touch {most:,}. Nothing of it is sent. Narrow its WHERE, or allow "
            f"more: max_writes={touched} in connect(), --max-writes {touched} on the command line, KLAVIYO_SQL_MAX_WRITES={touched}."
        )

    def forget_statement(self) -> None:
        """The statement has failed: SQL takes back what it did. SQLite says so to the tables, but not through apsw while an exception is on its way."""
        self._touched = 0
        self._changes = [change for change in self._changes if change.statement != self._statement]

    def join(self, owner: int) -> None:
        """The transaction writes to the table `owner` from here on: savepoints that are there already began before anything of it."""
        self._joined[owner] = self._counted
        self._marks.pop(owner, None)

    def savepoint(self, owner: int, level: int) -> None:
        """From here on, what the table `owner` adds lies behind the savepoint `level`."""
        self._marks[owner][level] = self._counted

    def release(self, owner: int, level: int) -> None:
        """The savepoint, and those within it, are forgotten; the changes stay."""
        self._marks[owner] = {known: mark for known, mark in self._marks[owner].items() if known < level}

    def roll_back_to(self, owner: int, level: int) -> None:
        """Forget what the table has added since the savepoint."""
        self._touched = 0
        first = self._marks[owner].get(level, self._joined.get(owner, 0))
        self._changes = [change for change in self._changes if change.owner != owner or change.number <= first]

    def roll_back(self) -> None:
        """Forget everything: nothing was sent."""
        self._changes = []
        self._touched = 0
        self._marks.clear()
        self._joined.clear()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is written within is for a rehearsal: it can be planned there, and is forgotten."""
        kept, self._changes = self._changes, []
        try:
            yield
        finally:
            self._changes, self._touched = kept, 0

    def planned(self) -> list[Shipment]:
        """The requests that COMMIT would send; ProgrammingError when a statement touched more rows than it may."""
        self.end_statement()
        return self.writer.planned(self._changes)

    def __len__(self) -> int:
        return len(self._changes)

    def send(self) -> None:
        """Carry out everything that waits, which SQLite wants before it commits; the exceptions of `Writer.apply`."""
        self.end_statement()
        changes, self._changes = self._changes, []
        if changes:
            try:
                self.writer.apply(changes)
            finally:
                self._written(changes)
