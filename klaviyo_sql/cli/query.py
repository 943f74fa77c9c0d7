"""klaviyo-sql query: SQL in, rows out, and what is written into the account."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from klaviyo_sql import Connection, WriteFailed
from klaviyo_sql.cli import exits, parameters, requests, statements
from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.cli.formats import FORMATS, GAPS
from klaviyo_sql.cli.opening import connected
from klaviyo_sql.cli.output import Output
from klaviyo_sql.cli.progress import Progress, counted
from klaviyo_sql.cli.terminal import is_terminal, look
from klaviyo_sql.cli.written import Writing, as_text
from klaviyo_sql.settings import ON_ERROR
from klaviyo_sql.sqlite.cursor import Parameters


def run(arguments: Namespace) -> int:
    """Execute the statements one after another, write their rows, and say what was written to the account."""
    script = statements.given(arguments.sql, "klaviyo-sql query")
    values = parameters.given(arguments.param, len(script))
    code = exits.FINE
    with connected(arguments) as connection, Output(arguments.output, arguments.width) as output:
        try:
            for statement in script:
                try:
                    _answer(connection, statement, values, output, arguments.format)
                except WriteFailed as error:
                    if arguments.on_error != ON_ERROR[1]:
                        raise
                    _say(str(error))
                    code = exits.FAILED
            _all_committed(connection)
        finally:
            if arguments.requests:
                sys.stdout.flush()
                sys.stderr.writelines(requests.as_table(list(connection.requests), look(sys.stderr)))
    return code


def _all_committed(connection: Connection) -> None:
    """UsageError when a transaction that the script began is still open."""
    if connection.in_transaction:
        connection.rollback()
        raise UsageError("The script begins a transaction and does not end it, so nothing of it was written: write COMMIT behind its last statement.")


def _answer(connection: Connection, statement: str, values: Parameters, output: Output, format_name: str) -> None:
    """Execute one statement, write its rows, and say on a terminal how many there were, and everywhere what was written to the account."""
    count = 0

    def counting(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    before = connection.requests.written
    writing = Writing(connection)
    waiting = connection.in_transaction and bool(connection.planned())
    try:
        with Progress(connection.requests, sys.stderr) as progress:
            progress.note = writing.progress
            cursor = connection.execute(statement, values)
            if cursor.description is not None:
                pieces = FORMATS[format_name]([column[0] for column in cursor.description], counting(cursor), output.look)
                output.write(_after(GAPS.get(format_name, ""), pieces) if output.begun else pieces, progress)
                said = counted(count, "row")
            else:
                said = f"{counted(cursor.rowcount, 'row')} changed" if cursor.rowcount > 0 else "done"
            output.write(as_text(writing.not_sent), progress)
    except BaseException:
        _told(writing)
        if waiting and not writing.changes:
            with suppress(OSError):
                _say("The transaction was not committed: nothing of it was sent.")
        raise
    _told(writing)
    if is_terminal(sys.stderr):
        sent = requests.since(connection.requests, before)
        print(look(sys.stderr).dim(f"{said}, {requests.summary(sent)}" if sent else said), file=sys.stderr)


def _told(writing: Writing) -> None:
    """Say what became of the rows that were written."""
    lines = list(writing.summary())
    if lines:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.writelines(f"{line}\n" for line in lines)


def _say(sentence: str) -> None:
    sys.stdout.flush()
    print(f"klaviyo-sql: {sentence}", file=sys.stderr)


def _after(gap: str, pieces: Iterator[str]) -> Iterator[str]:
    """The pieces, with the gap in front once there is one."""
    for number, piece in enumerate(pieces):
        yield piece if number else f"{gap}{piece}"
