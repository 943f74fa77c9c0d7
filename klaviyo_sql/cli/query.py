"""klaviyo-sql query: SQL in, rows out."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from klaviyo_sql import Connection, Cursor
from klaviyo_sql.cli import exits, parameters, requests, statements
from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.cli.formats import FORMATS, WITHOUT_GAPS
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
            for result, statement in enumerate(script):
                _answer(connection, statement, values, output, arguments.format, first=result == 0)
        finally:
            if arguments.requests:
                sys.stdout.flush()
                sys.stderr.writelines(requests.as_table(list(connection.requests), look(sys.stderr)))
    return exits.FINE


def execute(connection: Connection, statement: str, values: Parameters) -> Cursor:
    """The cursor after the statement began; UsageError when a named parameter has no value."""
    try:
        return connection.execute(statement, values)
    except KeyError as error:
        name = error.args[0] if error.args else None
        if isinstance(values, Mapping) and name not in values:
            raise UsageError(f"The SQL has a parameter {name} without a value: add --param {name}=VALUE.") from error
        raise


def _answer(connection: Connection, statement: str, values: Parameters, output: Output, format_name: str, *, first: bool) -> None:
    count = 0

    def counting(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    before = connection.requests.written
    with Progress(connection.requests, sys.stderr) as progress:
        cursor = execute(connection, statement, values)
        if cursor.description is not None:
            pieces = FORMATS[format_name]([column[0] for column in cursor.description], counting(cursor), output.look)
            output.write(pieces if first or format_name in WITHOUT_GAPS else _after_a_gap(pieces), progress)
            said = counted(count, "row")
        else:
            said = f"{counted(cursor.rowcount, 'row')} changed" if cursor.rowcount > 0 else "done"
    if is_terminal(sys.stderr):
        sent = requests.since(connection.requests, before)
        print(look(sys.stderr).dim(f"{said}, {requests.summary(sent)}" if sent else said), file=sys.stderr)


def _after_a_gap(pieces: Iterator[str]) -> Iterator[str]:
    for number, piece in enumerate(pieces):
        yield piece if number else f"\n{piece}"
