"""klaviyo-sql query: SQL in, rows out."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from typing import Any

from klaviyo_sql import Connection
from klaviyo_sql.cli import exits, parameters, requests, statements
from klaviyo_sql.cli.formats import FORMATS, GAPS
from klaviyo_sql.cli.opening import connected
from klaviyo_sql.cli.output import Output
from klaviyo_sql.cli.progress import Progress, counted
from klaviyo_sql.cli.terminal import is_terminal, look
from klaviyo_sql.sqlite.cursor import Parameters


def run(arguments: Namespace) -> int:
    """Execute the statements one after another and write their rows."""
    script = statements.given(arguments.sql, "klaviyo-sql query")
    values = parameters.given(arguments.param, len(script))
    with connected(arguments) as connection, Output(arguments.output, arguments.width) as output:
        try:
            for statement in script:
                _answer(connection, statement, values, output, arguments.format)
        finally:
            if arguments.requests:
                sys.stdout.flush()
                sys.stderr.writelines(requests.as_table(list(connection.requests), look(sys.stderr)))
    return exits.FINE


def _answer(connection: Connection, statement: str, values: Parameters, output: Output, format_name: str) -> None:
    """Execute one statement, write its rows, and say on a terminal how many there were."""
    count = 0

    def counting(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    before = connection.requests.written
    with Progress(connection.requests, sys.stderr) as progress:
        cursor = connection.execute(statement, values)
        if cursor.description is not None:
            pieces = FORMATS[format_name]([column[0] for column in cursor.description], counting(cursor), output.look)
            output.write(_after(GAPS.get(format_name, ""), pieces) if output.begun else pieces, progress)
            said = counted(count, "row")
        else:
            said = f"{counted(cursor.rowcount, 'row')} changed" if cursor.rowcount > 0 else "done"
    if is_terminal(sys.stderr):
        sent = requests.since(connection.requests, before)
        print(look(sys.stderr).dim(f"{said}, {requests.summary(sent)}" if sent else said), file=sys.stderr)


def _after(gap: str, pieces: Iterator[str]) -> Iterator[str]:
    """The pieces, with the gap in front once there is one."""
    for number, piece in enumerate(pieces):
        yield piece if number else f"{gap}{piece}"
