"""klaviyo-sql catalog: a database file in which programs find the account's tables listed."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

import klaviyo_sql
from klaviyo_sql.cli import exits
from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.cli.opening import told
from klaviyo_sql.session.schemas import MODULES


def run(arguments: Namespace) -> int:
    """List the tables of one schema in the file."""
    write(arguments.file, arguments.schema, arguments.config)
    return exits.FINE


def write(file: Path, name: str, config: Path | None) -> None:
    """The same, of the schema of this name; UsageError when a table of somebody's own is in the way."""
    with told():
        connection = klaviyo_sql.connect(file, autocommit=True, config=config)
    with connection:
        tables = list(connection.tables(name))
        read_only = connection.session.is_only_read(name)
        there = {found.lower(): (sql or "").startswith("CREATE VIRTUAL TABLE") for found, sql in connection.execute("SELECT name, sql FROM main.sqlite_schema")}
        for table in tables:
            if there.get(table.name.lower()) is False:
                raise UsageError(f"{file} has a table {table.name} of its own: name another file.")
        connection.sqlite.execute("BEGIN")
        for table in tables:
            module = MODULES[read_only or len(table.key) > 1]
            listed = table.name if name == "main" else f"{name}.{table.name}"
            if table.name.lower() in there:
                connection.sqlite.execute(f'DROP TABLE main."{table.name}"')
            connection.sqlite.execute(f'CREATE VIRTUAL TABLE main."{table.name}" USING {module}({listed})')
        connection.sqlite.execute("COMMIT")
    print(f"{len(tables)} tables are listed in {file}.", file=sys.stderr)
