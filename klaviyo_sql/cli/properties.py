"""klaviyo-sql properties: which custom properties there are, and how they are made columns."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from typing import Any

from klaviyo_sql import Connection
from klaviyo_sql.cli import exits
from klaviyo_sql.cli.display import cut, visible
from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.cli.formats import FORMATS
from klaviyo_sql.cli.opening import connected
from klaviyo_sql.cli.terminal import look
from klaviyo_sql.custom_properties import holder, written
from klaviyo_sql.custom_properties.proposals import Proposal, as_sql, as_toml, proposals
from klaviyo_sql.model.table import Attribute, Property

_SAMPLES = {"profiles": 100, "events": 1000}
"""One page of each."""
_LONGEST_EXAMPLE = 24
_COLUMNS = ("column", "type", "path", "filled", "examples")


def run(arguments: Namespace) -> int:
    """Sample the newest rows and print a column for each property, the section for the settings file, and the statement."""
    table = arguments.table
    if arguments.metric is not None and table != "events":
        raise UsageError("A metric is for events: klaviyo-sql properties events METRIC.")
    with connected(arguments) as connection:
        found = _proposed(connection, table, arguments.metric, arguments.sample or _SAMPLES[table])
    if arguments.format in ("toml", "sql"):
        sys.stdout.write(as_toml(table, found) if arguments.format == "toml" else as_sql(table, found, _name(table)))
        return exits.FINE
    columns = _COLUMNS if arguments.examples else _COLUMNS[:-1]
    rows = ([*_row(proposal), *([_examples(proposal)] if arguments.examples else [])] for proposal in found)
    if arguments.format == "table" and not found:
        print("The sample has no custom properties that are not columns already.")
        return exits.FINE
    sys.stdout.writelines(FORMATS[arguments.format](columns, rows, look(sys.stdout, arguments.width)))
    if arguments.format == "table":
        print(
            f"\nIn the settings file, for columns of {table}:\n\n{as_toml(table, found)}\nOr as a table of its own:\n\n{as_sql(table, found, _name(table))}",
            end="",
        )
    return exits.FINE


def _proposed(connection: Connection, table: str, metric: str | None, size: int) -> list[Proposal]:
    where, values = "", []
    if metric is not None:
        values = [row[0] for row in connection.execute("SELECT id FROM metrics WHERE id = ?1 OR name = ?1", (metric,))]
        if not values:
            raise UsageError(f"There is no metric with the name or id {metric}; the table metrics lists them all.")
        where = f"WHERE metric_id IN ({', '.join('?' * len(values))}) "
    held, time = ("event_properties", "datetime") if table == "events" else ("properties", "created")
    sample = f"SELECT {held} FROM {table} {where}ORDER BY {time} DESC LIMIT ?"  # noqa: S608 - made of our own names
    texts = [row[0] for row in connection.execute(sample, (*values, size))]
    declared = next(found for found in connection.tables() if found.name == table)
    place = holder(declared)
    known: set[tuple[str | int, ...]] = set()
    for column in declared.columns:
        if isinstance(column.place, Property):
            known.add(column.place.path)
        elif isinstance(column.place, Attribute) and place is not None and column.place.keys[:-1] == place.keys:
            known.add(column.place.keys[-1:])
    return proposals((_object(text) for text in texts), (column.name for column in declared.columns), known)


def _object(text: str | None) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}


def _row(proposal: Proposal) -> list[Any]:
    share = f"{proposal.filled / proposal.sampled:.1%}"
    return [proposal.column.name, proposal.column.type.name, written(proposal.column.path), share]


def _examples(proposal: Proposal) -> str:
    return ", ".join(cut(visible(example), _LONGEST_EXAMPLE) for example in proposal.examples)


def _name(table: str) -> str:
    return f"my_{table}"
