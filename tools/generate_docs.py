"""Write docs/tables/ from the declarations: one page for each table, and an index.

python tools/generate_docs.py            write them
python tools/generate_docs.py --check    fail when what is there is not what would be written
"""

from __future__ import annotations

import sys
from pathlib import Path

from klaviyo_sql import contract
from klaviyo_sql.contract import Operation
from klaviyo_sql.model.table import Aggregates, Collection, Table, Type, pascal_case
from klaviyo_sql.plan import pushdown
from klaviyo_sql.sqlite.introspection import is_exact, operation_name, pushed
from klaviyo_sql.sqlite.own_tables import OWN_TABLES
from klaviyo_sql.tables import TABLES

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "tables"

TYPES = {
    Type.TEXT: "text",
    Type.INTEGER: "integer",
    Type.REAL: "real",
    Type.BOOLEAN: "boolean (0, 1)",
    Type.JSON: "text (JSON)",
    Type.DATE: "date",
    Type.TIMESTAMP: "timestamp",
    Type.TIMESTAMP_MICROSECONDS: "timestamp (microseconds)",
}


def pages() -> dict[str, str]:
    """Every file of the folder, by its name."""
    return {"README.md": index()} | {f"{table.name}.md": page(table) for table in TABLES.values()}


def index() -> str:
    lines = [
        "# Tables",
        "",
        "Written by `make docs` from the declarations in `klaviyo_sql/tables/`.",
        "",
        "| table | what it is | read with |",
        "|---|---|---|",
    ]
    for table in TABLES.values():
        lines.append(f"| [{table.name}]({table.name}.md) | {table.doc} | `{operation_name(table)}` |")
    lines += [
        "",
        "Every multi-word table also answers to its PascalCase name with PascalCase columns (`DailyMetrics` with `MetricId`, `Date`, `Count`).",
        "",
        "## About the driver itself",
        "",
        "Reading these sends nothing.",
        "",
        "| table | what it is | columns |",
        "|---|---|---|",
        *(f"| `{own.name}` | {own.doc} | {', '.join(f'`{column.name}`' for column in own.columns)} |" for own in OWN_TABLES.values()),
        "",
    ]
    return "\n".join(lines)


def page(table: Table) -> str:
    """The page of one table."""
    operation = contract.operation(operation_name(table))
    rate = operation.rate
    lines = [f"# {table.name}", "", table.doc, ""]
    if len(table.names) > 1:
        shown = [f"`{pascal_case(column.name)}`" for column in table.columns[:2]]
        lines += [f"Also as `{table.names[-1]}`, with columns {', '.join(shown)} and so on." if shown[1:] else f"Also as `{table.names[-1]}`.", ""]
    lines += [
        f"- Key: {', '.join(f'`{name}`' for name in table.key)}",
        f"- Read with: {' or '.join(f'`{way.method} {way.path}`' for way in operations(table))}" + (", whichever takes fewer requests" if table.others else ""),
        f"- Limit: {rate.burst} requests a second, {rate.steady:,} a minute" + (f", {rate.daily} a day" if rate.daily else ""),
    ]
    lines += [f"- With `{lower.parameter}={lower.value}`: {lower.rate.burst} a second, {lower.rate.steady:,} a minute" for lower in operation.lower_rates]
    if operation.page:
        lines.append(f"- Rows in a request: up to {operation.page.max:,}")
    lines += [f"- Scopes that the key needs: {', '.join(f'`{scope}`' for scope in operation.scopes)}", ""]
    if table.notes:
        lines += [*(f"- {note}" for note in table.notes), ""]
    lines += ["## Questions that it answers", ""]
    for example in table.examples:
        lines += [example.question, "", "```sql", example.sql, "```", ""]
    lines += ["## Columns", "", *columns(table)]
    return "\n".join(lines)


def operations(table: Table) -> list[Operation]:
    """The operations by which the rows can be listed."""
    names = dict.fromkeys(way.source.list if isinstance(way.source, Collection) else way.source.operation for way in table.ways)
    return [contract.operation(name) for name in names]


def columns(table: Table) -> list[str]:
    """The table of columns, with what of a condition on each is sent to Klaviyo."""
    lines = ["| column | type | sent to Klaviyo | what it is |", "|---|---|---|---|"]
    lines += [
        f"| `{column.name}`{' (hidden)' if column.hidden else ''} | {TYPES[column.type]}{', not null' if column.not_null else ''} "
        f"| {sent(table, position)} | {column.doc} |"
        for position, column in enumerate(table.columns)
    ]
    lines += ["", *legend(table)]
    return lines


def sent(table: Table, position: int) -> str:
    """The comparisons and the order that Klaviyo takes over."""
    operators = pushed(table, position)
    words = [" ".join(f"`{operator}`" for operator in operators)] if operators else []
    if operators and not is_exact(table, position):
        words.append("rechecked")
    if pushdown.sorts(table, position):
        words.append("`ORDER BY`")
    return ", ".join(words)


def legend(table: Table) -> list[str]:
    """What the words of the column table mean, as far as the table uses them."""
    lines = [
        "Conditions that are sent narrow down what Klaviyo returns; *rechecked* ones can return a few rows too many, which are dropped here. All other "
        "conditions are applied by SQLite to the rows that come back."
    ]
    if any(column.hidden for column in table.columns):
        lines += ["", "A hidden column is not in `SELECT *`: name it to read it."]
    if any(column.type.is_instant for column in table.columns):
        lines += [
            "",
            "Timestamps are `YYYY-MM-DD HH:MM:SS` in UTC. They compare as instants with ISO 8601 in any form: `2026-01-31`, `2026-01-31T09:30:00+01:00`.",
        ]
    if isinstance(table.source, Aggregates):
        lines += ["", "Dates are days of the account's time zone (`SELECT timezone FROM accounts`)."]
    return [*lines, ""]


def main() -> None:
    written = pages()
    if sys.argv[1:] == ["--check"]:
        there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
        stale = sorted(name for name in written.keys() | there.keys() if written.get(name) != there.get(name))
        if stale:
            sys.exit(f"docs/tables is out of date ({', '.join(stale)}): run make docs")
        return
    if sys.argv[1:]:
        sys.exit(__doc__)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.md"):
        if path.name not in written:
            path.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(written)} pages in {FOLDER.relative_to(FOLDER.parent.parent)}")


if __name__ == "__main__":
    main()
