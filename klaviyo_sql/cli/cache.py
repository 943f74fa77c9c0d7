"""klaviyo-sql cache: the local copies of materialized tables, looked at, refreshed and dropped."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from klaviyo_sql import Connection
from klaviyo_sql.cli import exits
from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.cli.formats import FORMATS
from klaviyo_sql.cli.opening import connected
from klaviyo_sql.cli.progress import Progress, counted
from klaviyo_sql.cli.terminal import look
from klaviyo_sql.freshness import parsed
from klaviyo_sql.settings import MATERIALIZED

_REFRESHED = ("table", "whole", "read", "changed", "rows")


def run(arguments: Namespace) -> int:
    """Do what the action says; only refresh asks Klaviyo anything."""
    if arguments.action == "refresh" and arguments.name:
        said = arguments.materialized or [os.environ.get(MATERIALIZED, "")]
        named = arguments.name.lower() in map(str.lower, parsed(said))
        arguments.materialized = said if named else [*said, arguments.name]
    with connected(arguments) as connection:
        match arguments.action:
            case "path":
                print(connection.copies.file.path)
            case "clear":
                cleared = connection.copies.clear(arguments.name)
                print(f"{', '.join(cleared)}: cleared" if cleared else "There is nothing to clear.")
            case "status":
                cursor = connection.execute("SELECT * FROM klaviyo_copies")
                _print(arguments, [column[0] for column in cursor.description or ()], cursor.fetchall())
                size = connection.copies.file.bytes
                if arguments.format == "table":
                    print(f"{connection.copies.file.path}: {counted(size, 'byte')}")
            case "refresh":
                _refresh(connection, arguments)
    return exits.FINE


def _refresh(connection: Connection, arguments: Namespace) -> None:
    """Refresh the named table, or every one that is materialized."""
    names = [arguments.name] if arguments.name else connection.copies.names
    if not names:
        raise UsageError("No table is materialized: name one, as in klaviyo-sql cache refresh events, or set KLAVIYO_SQL_MATERIALIZED.")
    rows = []
    with Progress(connection.requests, sys.stderr):
        for name in names:
            done = connection.copies.refresh(name, whole=arguments.whole)
            rows.append((done.table, int(done.whole), done.read, done.changed, done.rows))
    _print(arguments, list(_REFRESHED), rows)


def _print(arguments: Namespace, names: list[str], rows: Sequence[Sequence[object]]) -> None:
    sys.stdout.writelines(FORMATS[arguments.format](names, iter(rows), look(sys.stdout, arguments.width)))
