"""klaviyo-sql tables: what there is to query, and what of a query Klaviyo does itself. It needs no key and sends nothing."""

from __future__ import annotations

import difflib
import sys
import textwrap
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from klaviyo_sql import contract
from klaviyo_sql.cli import exits
from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.cli.formats import FORMATS
from klaviyo_sql.cli.opening import connected
from klaviyo_sql.cli.terminal import Look, look
from klaviyo_sql.model.table import Column, Table, Type
from klaviyo_sql.plan import pushdown
from klaviyo_sql.session import introspection
from klaviyo_sql.session.own_tables import OWN_TABLES, OwnColumn, OwnTable
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.reports import REPORTS
from klaviyo_sql.vocabularies import VOCABULARIES

_LIST = ("name", "description", "requests_per_second", "requests_per_minute", "page_size")
_COLUMNS = ("name", "type", "exact", "rechecked", "sorted", "hidden", "description")
_ABOUT_THE_DRIVER = (
    "klaviyo_tables and klaviyo_columns tell of the tables, klaviyo_requests of the requests so far, klaviyo_limits of what Klaviyo allows, "
    "klaviyo_copies of local copies, klaviyo_writes of every row that was written, klaviyo_procedures of what can be called, in SQL."
)
_LEGEND = (
    "exact: Klaviyo is asked for these comparisons and returns just the rows that are wanted.",
    "rechecked: Klaviyo is asked for them too, may return more rows, and SQLite checks them again.",
    "sorted: ORDER BY on the column is Klaviyo's own order, so that with a LIMIT only the first pages are read.",
    "Every other condition is checked by SQLite, on all rows that the conditions above leave.",
)
_VOCABULARY_EXAMPLE = "fivetran.person"
_NARROWEST = 24
_NAME = 25
"""Characters that most names fit in."""


def run(arguments: Namespace) -> int:
    """List the tables, or describe one."""
    style = look(sys.stdout, arguments.width)
    with connected(arguments) as connection:
        schemas = {"main": list(connection.tables())} | {name: list(connection.tables(name)) for name in connection.schemas}
        vocabularies = {name: list(connection.tables(name)) for name in VOCABULARIES} if arguments.name is not None and "." in arguments.name else {}
    table = named(arguments.name, schemas | vocabularies) if arguments.name is not None else None
    if isinstance(table, OwnTable):
        return _run_own(table, arguments, style)
    if arguments.format == "table":
        sys.stdout.writelines(_listed(style, list(schemas)) if table is None else _described(table, style))
        return exits.FINE
    write = FORMATS[arguments.format]
    sys.stdout.writelines(write(_LIST, _tables(), style) if table is None else write(_COLUMNS, _columns(table), style))
    if table is not None and arguments.format == "markdown":
        sys.stdout.writelines(f"\n{note}\n" for note in (_limits(table), *table.notes))
    return exits.FINE


def _run_own(table: OwnTable, arguments: Namespace, style: Look) -> int:
    """Describe a table in which the driver tells of itself."""
    if arguments.format == "table":
        sys.stdout.writelines(_paragraphs((f"{table.name}: {table.doc}",), style, first_bold=len(table.name)))
        sys.stdout.write("\n")
        longest = max(len(column.name) for column in table.columns)
        for column in table.columns:
            sys.stdout.write(f"{style.bold(column.name.ljust(longest))}  {_own_type(column)}\n")
            sys.stdout.writelines(f"    {line}\n" for line in _wrapped(column.doc, 4, style))
    else:
        rows = ((column.name, _own_type(column), None, None, 0, 0, column.doc) for column in table.columns)
        sys.stdout.writelines(FORMATS[arguments.format](_COLUMNS, rows, style))
    return exits.FINE


def _own_type(column: OwnColumn) -> str:
    return column.type.split()[0].lower()


def _written(found: tuple[str, str, Table]) -> str:
    schema, _, table = found
    return table.name if schema == "main" else f"{schema}.{table.name}"


def named(name: str, schemas: Mapping[str, Sequence[Table]]) -> Table | OwnTable:
    """The table of that name in the style of the name (`monthly_metrics`, `MonthlyMetrics`); UsageError with the nearest names.

    A table of a named account is written as in SQL: `shop_a.profiles`.
    """
    known = {
        f"{'' if schema == 'main' else f'{schema}.'}{alias}".lower(): (schema, alias, table)
        for schema, tables in schemas.items()
        for table in tables
        for alias in table.names
    }
    if found := known.get(name.strip().lower().removeprefix("main.")):
        schema, alias, table = found
        chosen = table if alias == table.name else table.in_pascal_case()
        return chosen if schema == "main" else replace(chosen, name=f"{schema}.{chosen.name}")
    if own := OWN_TABLES.get(name.strip().lower()):
        return own
    near = difflib.get_close_matches(name.lower(), [*known, *OWN_TABLES], n=3, cutoff=0.5)
    # The two names of a table are one suggestion.
    tables = dict.fromkeys(_written(known[match]) if match in known else match for match in near)
    hint = f" Did you mean {' or '.join(tables)}?" if tables else ""
    raise UsageError(f"There is no table {name}.{hint} klaviyo-sql tables lists them all.")


def _tables() -> Iterator[Sequence[Any]]:
    for table in (*TABLES.values(), *REPORTS.values()):
        operation = contract.operation(introspection.operation_name(table))
        yield table.name, table.doc, operation.rate.burst, operation.rate.steady, operation.page.max if operation.page else None


def _columns(table: Table) -> Iterator[Sequence[Any]]:
    for position, column in enumerate(table.columns):
        exact, rechecked = _pushed(table, position)
        yield (
            column.name,
            _type(column),
            ", ".join(exact) or None,
            ", ".join(rechecked) or None,
            int(pushdown.sorts(table, position)),
            int(column.hidden),
            column.doc,
        )


def _pushed(table: Table, position: int) -> tuple[list[str], list[str]]:
    """The comparisons that Klaviyo answers exactly, and those that it answers with a superset."""
    operators = introspection.pushed(table, position)
    exact = [str(operator) for operator in operators if pushdown.is_exact(table, position, operator)]
    return exact, [str(operator) for operator in operators if operator not in exact]


def _type(column: Column) -> str:
    """The type in a word; how it is declared to SQLite is for tools."""
    return "timestamp" if column.type is Type.TIMESTAMP_MICROSECONDS else column.type.name.lower()


def _listed(style: Look, schemas: Sequence[str]) -> Iterator[str]:
    head = f"{'name':<{_NAME}}  {'a second':>8}  {'a minute':>8}  {'page':>5}  "
    yield style.bold(f"{head}description") + "\n"
    for name, doc, second, minute, page in _tables():
        lines = _wrapped(doc, len(head), style)
        if len(name) > _NAME:  # on a line of its own
            yield f"{name}\n"
            name = ""
        yield f"{name:<{_NAME}}  {second:>8,}  {minute:>8,}  {'-' if page is None else f'{page:,}':>5}  {lines[0]}\n"
        yield from (" " * len(head) + line + "\n" for line in lines[1:])
    yield "\n"
    yield from _paragraphs(
        (
            "a second, a minute: how many requests Klaviyo permits. page: how many rows one request returns at most.",
            *([f"{', '.join(schemas[1:])} have the same tables: {schemas[1]}.profiles."] if len(schemas) > 1 else []),
            f"{', '.join(VOCABULARIES)} have the tables under the names of those systems: {_VOCABULARY_EXAMPLE}.",
            _ABOUT_THE_DRIVER,
            "klaviyo-sql tables NAME describes the columns of one.",
        ),
        style,
    )


def _described(table: Table, style: Look) -> Iterator[str]:
    yield from _paragraphs((f"{table.name}: {table.doc}",), style, first_bold=len(table.name))
    yield "\n"
    longest = max(len(column.name) for column in table.columns)
    for position, column in enumerate(table.columns):
        yield f"{style.bold(column.name.ljust(longest))}  {_type(column)}\n"
        yield from (f"    {line}\n" for line in _wrapped(_sentence(column), 4, style))
        if told := _asked(table, position):
            yield f"    {style.dim(told)}\n"
    yield "\n"
    yield from _paragraphs((_limits(table), *table.notes), style)
    yield "\n"
    yield from _paragraphs(_LEGEND, style)


def _sentence(column: Column) -> str:
    more = (" Never NULL." if column.not_null else "") + (" SELECT * leaves it out." if column.hidden and "SELECT *" not in column.doc else "")
    return column.doc + more


def _asked(table: Table, position: int) -> str:
    exact, rechecked = _pushed(table, position)
    parts = [f"{word}: {'  '.join(operators)}" for word, operators in (("exact", exact), ("rechecked", rechecked)) if operators]
    return "   ".join([*parts, *(["sorted"] if pushdown.sorts(table, position) else [])])


def _limits(table: Table) -> str:
    name = introspection.operation_name(table)
    operation = contract.operation(name)
    rate = operation.rate
    page = f"up to {operation.page.max:,} rows a request, " if operation.page else ""
    scopes = " and ".join(operation.scopes)
    return f"Read with {name}: {page}{rate.burst:,} requests a second and {rate.steady:,} a minute. The key needs {scopes}. Key: {', '.join(table.key)}."


def _paragraphs(texts: Iterable[str], style: Look, *, first_bold: int = 0) -> Iterator[str]:
    for text in texts:
        lines = _wrapped(text, 0, style)
        if first_bold:
            lines[0] = style.bold(lines[0][:first_bold]) + lines[0][first_bold:]
        yield from (f"{line}\n" for line in lines)


def _wrapped(text: str, indent: int, style: Look) -> list[str]:
    if style.width is None:
        return [text]
    return textwrap.wrap(text, max(style.width - indent, _NARROWEST), break_long_words=False, break_on_hyphens=False)
