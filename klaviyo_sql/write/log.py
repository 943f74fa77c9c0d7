"""What became of every row that was to be written: the newest last, as many as fit."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Iterable, Iterator

from klaviyo_sql.write.changes import Change, Kind, Status

MOST = 200_000
"""How many rows are remembered."""


class WriteLog:
    """The rows that were written, or were to be; threads may read it while others write."""

    def __init__(self, size: int = MOST) -> None:
        self._changes: deque[Change] = deque(maxlen=size)
        self._written = 0
        self._lock = threading.Lock()

    def extend(self, changes: Iterable[Change]) -> None:
        """Number the changes and keep them, in the place of the oldest when the log is full."""
        with self._lock:
            for change in changes:
                self._written += 1
                change.number = self._written
                self._changes.append(change)

    def __iter__(self) -> Iterator[Change]:
        with self._lock:
            return iter(list(self._changes))

    def __len__(self) -> int:
        return len(self._changes)

    @property
    def written(self) -> int:
        """How many rows there ever were: the number of the newest."""
        return self._written

    def since(self, number: int) -> list[Change]:
        """The rows after the one with this number, as far as they are remembered."""
        with self._lock:
            return list(itertools.takewhile(lambda change: change.number > number, reversed(self._changes)))[::-1]

    @property
    def last_id(self) -> str | None:
        """The id of the newest row that was inserted and has one."""
        for change in reversed(list(self)):
            if change.kind is Kind.INSERT and change.key and change.status in (Status.DONE, Status.ACCEPTED):
                return str(change.key[-1])
        return None
