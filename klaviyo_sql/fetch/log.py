"""What was asked of Klaviyo: one record a request, the newest last, as many as fit."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from klaviyo_sql.fetch.forking import renew_after_fork


@dataclass(slots=True)
class RequestRecord:
    """One request as it went, whether it failed, was repeated or came from the cache; it never holds the key.

    `number` counts from 1 as the records are written (0: not written yet). `query` is decoded; a reading POST shows its JSON body there.
    `milliseconds` is the time Klaviyo took, over all tries; `waited_ms` the time spent for limits, Retry-After and between tries.
    `rows` is for whoever decodes the reply. `remaining` is what the last reply's RateLimit-Remaining said.
    `account` is the account's name in the settings, if it has one.
    """

    started_at: datetime
    operation: str
    table: str
    method: str
    path: str
    query: str
    number: int = 0
    status: int | None = None
    milliseconds: float = 0.0
    rows: int | None = None
    bytes: int = 0
    retries: int = 0
    cached: bool = False
    waited_ms: float = 0.0
    remaining: int | None = None
    error: str | None = None
    account: str | None = None


class RequestLog:
    """The last `size` records; threads may write it while others read."""

    def __init__(self, size: int = 10_000) -> None:
        self._records: deque[RequestRecord] = deque(maxlen=size)
        self._written = 0
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        self._lock = threading.Lock()

    def append(self, record: RequestRecord) -> None:
        """Number the record and keep it, in the place of the oldest when the log is full."""
        with self._lock:
            self._written += 1
            record.number = self._written
            self._records.append(record)

    def __iter__(self) -> Iterator[RequestRecord]:
        with self._lock:
            return iter(list(self._records))

    def __len__(self) -> int:
        return len(self._records)

    @property
    def written(self) -> int:
        """How many records there ever were: the number of the newest."""
        return self._written
