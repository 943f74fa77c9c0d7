"""How the command ends: the exit codes, and the mistakes that are the caller's."""

from __future__ import annotations

FINE = 0
FAILED = 1
"""The query failed, or Klaviyo did."""
WRONG_USAGE = 2
"""An unknown option or table, or SQL that makes no sense."""
STOPPED = 130
"""^C, as shells number it: 128 and the signal."""
PIPE_CLOSED = 141
"""The reader went away, as `head` does: the code of a program that the signal ended, which shells and `pipefail` know."""


class UsageError(Exception):
    """The command was called with something that makes no sense; the text is a sentence that says what to do."""
