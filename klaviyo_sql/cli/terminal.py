"""Where output goes: a terminal with a width and colors, or a pipe that wants plain UTF-8."""

from __future__ import annotations

import io
import os
import shutil
import sys
from dataclasses import dataclass
from typing import TextIO

_USUAL_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Look:
    """How text may look in one place; `width` is None where nothing is cut."""

    width: int | None = None
    color: bool = False
    unicode: bool = True
    terminal: bool = False

    @property
    def mark(self) -> str:
        """What stands where something was cut off."""
        return "…" if self.unicode else "~"

    @property
    def line(self) -> str:
        """What rules are drawn with."""
        return "─" if self.unicode else "-"

    def bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self.color else text

    def dim(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self.color else text


def look(stream: TextIO, width: int | None = None) -> Look:
    """The look of a stream: as wide as its terminal, unless a width is asked for (0: nothing is cut)."""
    terminal = is_terminal(stream)
    if width is None:
        width = columns() if terminal else 0
    # https://no-color.org: the variable counts when it is not empty.
    color = can_erase(stream) and not os.environ.get("NO_COLOR")
    return Look(width=width or None, color=color, unicode=_speaks_unicode(stream), terminal=terminal)


def columns() -> int:
    """The width of the terminal, or a usual one when there is none."""
    return shutil.get_terminal_size((_USUAL_WIDTH, 24)).columns


def is_terminal(stream: TextIO) -> bool:
    """Whether a person is looking."""
    return stream.isatty()


def can_erase(stream: TextIO) -> bool:
    """Whether a line can be taken back there."""
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def prepare() -> None:
    """Make the standard streams fit for data: UTF-8 in pipes whatever the locale, line ends as written, and no failure over a character."""
    # A program that was started without standard streams has None there.
    sys.stdin = sys.stdin or io.StringIO()
    sys.stdout = sys.stdout or io.StringIO()
    sys.stderr = sys.stderr or io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace", newline="")


def abandon_output() -> None:
    """Send what is left of the output nowhere: its reader is gone, and Python would complain of that at its end."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass  # the stream is no file, so nothing will be flushed into a pipe


def _speaks_unicode(stream: TextIO) -> bool:
    try:
        "─…█".encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
