"""Where results are written to: standard output, or the file of --output."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from klaviyo_sql.cli.progress import Progress
from klaviyo_sql.cli.terminal import Look, look

_SECONDS_BETWEEN_FLUSHES = 0.2


class Output:
    """Writes text as it comes, and hands it on at least several times a second while it comes.

    A file is opened with the first text, so that a query that fails at once leaves the file of the last one alone.
    """

    def __init__(self, path: Path | None, width: int | None = None) -> None:
        self._path = path
        self._file: TextIO | None = None
        self.begun = False
        """Whether something was written."""
        self.look = look(sys.stdout, width) if path is None else Look(width=width or None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._stream()  # a script without results leaves an empty file
        if self._file is not None:
            self._file.close()

    def write(self, pieces: Iterable[str], progress: Progress) -> None:
        """Write each piece as soon as it is there."""
        flushed = 0.0
        try:
            for piece in pieces:
                stream = self._stream()
                progress.clear()
                stream.write(piece)
                self.begun = True
                now = time.monotonic()
                if now - flushed >= _SECONDS_BETWEEN_FLUSHES:
                    stream.flush()
                    flushed = now
        finally:
            progress.clear()
            if self._path is None or self._file is not None:
                self._stream().flush()

    def _stream(self) -> TextIO:
        if self._path is None:
            return sys.stdout
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8", newline="")
        return self._file
