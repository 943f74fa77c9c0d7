"""A line on standard error that says how far a long query is; only where a person looks on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from klaviyo_sql.cli.display import cut
from klaviyo_sql.cli.terminal import can_erase, columns
from klaviyo_sql.fetch.log import RequestLog

_ERASE = "\r\x1b[K"


class Progress:
    """Shows requests and rows after `patience` seconds without output, and again every `interval`; `clear()` before writing anything."""

    def __init__(self, log: RequestLog, stream: TextIO, *, patience: float = 1.0, interval: float = 0.2) -> None:
        self._log = log
        self._stream = stream
        self.note: Callable[[], str] | None = None
        """What else the line says, in front: asked each time that it is shown."""
        self._patience = patience
        self._interval = interval
        self._began = self._quiet_since = time.monotonic()
        self._shown = False
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="progress", daemon=True) if can_erase(stream) else None

    def __enter__(self) -> Self:
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._thread is not None:
            self._ended.set()
            self._thread.join()
            self.clear()

    def clear(self) -> None:
        """Take the line away; it comes back when nothing is written for a while."""
        if self._thread is None:
            return
        with self._lock:
            if self._shown:
                self._stream.write(_ERASE)
                self._stream.flush()
                self._shown = False
            self._quiet_since = time.monotonic()

    def _tell(self) -> None:
        while not self._ended.wait(self._interval):
            with self._lock:
                now = time.monotonic()
                if now - self._quiet_since >= self._patience:
                    self._stream.write(_ERASE + cut(self._text(now), columns() - 1))
                    self._stream.flush()
                    self._shown = True

    def _text(self, now: float) -> str:
        rows = sum(record.rows or 0 for record in self._log)
        told = self.note() if self.note is not None else ""
        if told:
            return f"{told}, {now - self._began:.0f} s"
        return f"{counted(self._log.written, 'request')}, {counted(rows, 'row')} read from Klaviyo, {now - self._began:.0f} s"


def counted(number: int, what: str) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
