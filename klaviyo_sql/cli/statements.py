"""The SQL that the command got: from the argument or standard input, cut into statements."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator

from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.cli.terminal import is_terminal

_EXAMPLE = "SELECT name FROM metrics"
_NOTHING = re.compile(r"(?:\s|;|--[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?)*")


def given(argument: str | None, command: str) -> list[str]:
    """The statements of the argument, or of standard input when it is `-` or missing; UsageError when there are none."""
    if argument is None and is_terminal(sys.stdin):
        raise UsageError(f'There is no SQL: write it after the command, as in {command} "{_EXAMPLE}", or pipe it in.')
    sql = _read() if argument is None or argument == "-" else argument
    if "\0" in sql:
        raise UsageError("The SQL has a NUL character in it: is it text in UTF-8?")
    statements = list(split(sql))
    if not statements:
        raise UsageError("The SQL is empty: there is no statement in it.")
    return statements


def split(sql: str) -> Iterator[str]:
    """The statements of a script, without those that are only comments.

    SQLite itself says where one ends, so that semicolons in texts, comments and triggers do not count.
    """
    start = end = 0
    while (end := sql.find(";", end) + 1) > 0:
        if sqlite3.complete_statement(sql[start:end]):
            yield from _unless_empty(sql[start:end])
            start = end
    yield from _unless_empty(sql[start:])


def _unless_empty(statement: str) -> Iterator[str]:
    if not _NOTHING.fullmatch(statement):
        yield statement.strip()


def _read() -> str:
    buffer = getattr(sys.stdin, "buffer", None)
    try:
        # UTF-8 whatever the locale, and without the mark that Windows editors put in front.
        return sys.stdin.read() if buffer is None else buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError("The SQL on standard input is not UTF-8.") from None
