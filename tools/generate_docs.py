"""Write docs/tables/ from the declarations: one page for each table, and an index; docs/procedures/ by subject; and docs/other-names.md.

python tools/generate_docs.py            write them
python tools/generate_docs.py --check    fail when what is there is not what would be written
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from klaviyo_sql import contract
from klaviyo_sql.contract import Operation
from klaviyo_sql.model.procedure import Procedure
from klaviyo_sql.model.table import Aggregates, Collection, Parameter, Question, Table, Type, pascal_case
from klaviyo_sql.model.writing import Writes
from klaviyo_sql.plan import pushdown
from klaviyo_sql.procedures import SUBJECTS
from klaviyo_sql.session.introspection import is_exact, operation_name, operations_of, pushed
from klaviyo_sql.session.own_tables import OWN_TABLES
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.reports import REPORTS
from klaviyo_sql.tables.written.examples import EXAMPLES
from klaviyo_sql.vocabularies import VOCABULARIES, Object
from klaviyo_sql.write.bodies import Template, template
from klaviyo_sql.write.calls import shown_type, signature

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "tables"
PROCEDURES_FOLDER = FOLDER.parent / "procedures"
OTHER_NAMES = FOLDER.parent / "other-names.md"

KINDS = ("INSERT", "UPDATE", "DELETE")
TITLES = {
    "people": "Profiles",
    "consent": "Consent and suppression",
    "lists": "Members of lists",
    "events": "Events",
    "campaigns": "Campaigns",
    "templates": "Templates and images",
    "catalogs": "The catalog",
    "coupons": "Coupon codes",
    "objects": "Custom objects",
    "tags": "Tags",
    "conversations": "Conversations",
    "jobs": "Jobs",
}

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
    return {"README.md": index()} | {f"{table.name}.md": page(table) for table in (*TABLES.values(), *REPORTS.values())}


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
        "## Metric aggregates and reports",
        "",
        "Functions that return tables; [Reports](../reports.md) tells how they are asked.",
        "",
        "| function | what it is | asks |",
        "|---|---|---|",
        *(f"| [{table.name}]({table.name}.md) | {table.doc} | `{operation_name(table)}` |" for table in REPORTS.values()),
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


def procedure_pages() -> dict[str, str]:
    """Every file of the folder of procedures, by its name."""
    return {"README.md": procedure_index()} | {f"{subject}.md": subject_page(subject, found) for subject, found in SUBJECTS.items()}


def procedure_index() -> str:
    lines = [
        "# The procedures",
        "",
        "Written by `make docs` from the declarations in `klaviyo_sql/procedures/`. [Procedures](../procedures.md) tells how they are called.",
        "",
        "| procedure | what it does | |",
        "|---|---|---|",
    ]
    for subject, found in SUBJECTS.items():
        for procedure in found:
            marks = [f"needs `confirm => '{procedure.confirm}'`"] if procedure.confirm else []
            marks += ["an aggregate"] if procedure.gathers else []
            marks += ["changes nothing"] if procedure.reads else []
            lines.append(f"| [{procedure.name}]({subject}.md#{procedure.name}) | {procedure.doc} | {', '.join(marks)} |")
    return "\n".join((*lines, ""))


def subject_page(subject: str, found: tuple[Procedure, ...]) -> str:
    """The page of the procedures about one subject."""
    lines = [f"# {TITLES[subject]}", "", "Written by `make docs`. [Procedures](../procedures.md) tells how they are called.", ""]
    for procedure in found:
        lines += procedure_section(procedure)
    return "\n".join(lines)


def procedure_section(procedure: Procedure) -> list[str]:
    """What there is to know of one procedure."""
    operations = [contract.operation(name) for name in operations_of(procedure)]
    scopes = dict.fromkeys(scope for operation in operations for scope in operation.scopes)
    asked = [f"`{operation.method} {operation.path}`" for operation in operations]
    lines = [f"## {procedure.name}", "", procedure.doc, "", "```sql", procedure.example, "```", ""]
    lines += ["As written:", "", f"    {signature(procedure)}", ""]
    lines += [f"- Also as {', '.join(f'`{name}`' for name in procedure.names[1:])}"]
    lines += [f"- Asks {', '.join(asked)}" if len(asked) <= 4 else f"- Asks {', '.join(asked[:3])} and {len(asked) - 3} more like these"]
    lines += [f"- Scopes that the key needs: {', '.join(f'`{scope}`' for scope in scopes)}"]
    if procedure.confirm:
        lines.append(f"- It cannot be taken back, and needs `confirm => '{procedure.confirm}'`")
    if procedure.exactly_one:
        lines.append(f"- Exactly one of {', '.join(f'`{name}`' for name in procedure.exactly_one)}")
    if procedure.one_at_least:
        lines.append(f"- At least one of {', '.join(f'`{name}`' for name in procedure.one_at_least)}")
    if procedure.gathers:
        lines.append(f"- `SELECT {procedure.name}(…) FROM …` gathers the rows into the fewest requests")  # noqa: S608 - a text
    if procedure.reads:
        lines.append("- It changes nothing, and needs no connection that is open for writing")
    lines += [*(f"- {note}" for note in procedure.notes), "", "| input | type | what it is |", "|---|---|---|"]
    for known in procedure.all_inputs:
        more = [f"Default: `{known.default}`."] if known.default is not None else []
        more += [f"One of {', '.join(f'`{choice}`' for choice in known.choices)}."] if known.choices else []
        more += [f"Also as {', '.join(f'`{name}`' for name in known.names)}."] if known.names else []
        lines.append(f"| `{known.name}`{', required' if known.required else ''} | {shown_type(known)} | {' '.join((known.doc, *more))} |")
    if procedure.results:
        told = ", ".join(f"`{found.name}` ({found.doc.rstrip('.')})" for found in procedure.results)
        lines += ["", f"Beside the columns that every call returns: {told}."]
    return [*lines, ""]


def other_names() -> str:
    """The page of other systems' names, which is beside the folder."""
    lines = [
        "# Other systems' names",
        "",
        "Written by `make docs` from the declarations in `klaviyo_sql/vocabularies/`.",
        "",
        "A query that was written for another system's copy of Klaviyo can stay as it is: the account's tables have the names of that system as well, in a "
        "schema of its own.",
        "",
        "```sql",
        "SELECT person.email, event.type, event.datetime FROM fivetran.event JOIN fivetran.person ON person.id = event.person_id",
        "WHERE event.datetime >= date('now', '-1 day');",
        "SELECT Date, Count, SumValue FROM skyvia.DailyMetrics WHERE MetricId = 'X';",
        "```",
        "",
        "Each is a declaration over the same engine: nothing is copied, and conditions, order and columns are sent to Klaviyo as they are for the table. "
        "Upper and lower case do not matter (`fivetran.EVENT`). Names are always written with their schema, and a schema costs nothing until a "
        "statement mentions it. They read the connection's own account, or the local copy where the table is [materialized](materialized-tables.md) and has "
        "what is read. An account cannot be named like one of them. A database of yours that is attached under such a name before stays what it is.",
        "",
        "Columns are called as in the table (in PascalCase for Skyvia), unless they are listed. Columns in *italics* are left out of `SELECT *`.",
        "",
    ]
    for vocabulary in VOCABULARIES.values():
        lines += [f"## {vocabulary.system}: `{vocabulary.name}`", "", *(f"- {note}" for note in vocabulary.notes), *([""] if vocabulary.notes else [])]
        lines += ["| object | table | columns |", "|---|---|---|"]
        tables = vocabulary.tables(TABLES)
        lines += [f"| `{made.name}` | {_base(made)} | {_named_columns(made, tables[made.name])} |" for made in vocabulary.objects]
        lines.append("")
    return "\n".join(lines)


def _base(made: Object) -> str:
    """The table that an object is of, and which part of it."""
    parts = [f"`{column} = '{values[0]}'`" for column, values in made.part.items()]
    if made.of_metrics:
        parts.append(f"the metric is {' or '.join(made.of_metrics)}")
    part = " and ".join(parts)
    return f"[{made.base}](tables/{made.base}.md){f' where {part}' if part else ''}"


def _named_columns(made: Object, table: Table) -> str:
    """The columns whose names are not the table's, or all of an object that has only some."""
    named = made.columns if made.columns is not None else {theirs: own for own, theirs in made.renamed.items()}
    told = [f"`{theirs}`" if theirs == own else f"`{theirs}` ({own})" for theirs, own in named.items()]
    told += [f"*{column.name}*" if column.hidden else f"`{column.name}`" for column in made.added]
    if made.columns is not None:
        told += [
            f"*{column.name}*" if column.hidden else f"`{column.name}`"
            for column in table.columns
            if column.name not in made.columns and column not in made.added
        ]
    return ", ".join(told) if made.columns is not None or not told else f"the table's, and {', '.join(told)}" if told else ""


def page(table: Table) -> str:
    """The page of one table."""
    operation = contract.operation(operation_name(table))
    rate = operation.rate
    lines = [f"# {table.name}", "", table.doc, ""]
    if isinstance(table.source, Question):
        arguments = [column.name for column in table.columns if isinstance(column.place, Parameter)]
        lines += [
            f"Called as `{table.name}({', '.join(arguments)})`; arguments at the end may be left out, or given in the WHERE. See [Reports](../reports.md).",
            "",
        ]
    elif len(table.names) > 1:
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
    if table.writes is not None:
        lines += ["## Writing", "", *writing(table, table.writes)]
    return "\n".join(lines)


def writing(table: Table, writes: Writes) -> list[str]:
    """What an INSERT, an UPDATE and a DELETE send, what each takes, and examples."""
    lines = [f"- {kind}: {_sent_by(writes, kind)}" if writes.allows(kind) else f"- {kind}: no. {_why_not(writes, kind)}" for kind in KINDS]
    lines += ["", *(f"- {note}" for note in writes.notes), *([""] if writes.notes else [])]
    if not writes.kinds:
        return lines
    lines += ["[Writing](../writing.md) tells how rows wait for COMMIT, what is refused and what becomes of each row.", ""]
    for statement in EXAMPLES.get(table.name, ()):
        lines += ["```sql write", statement, "```", ""]
    if writes.links is not None:
        ends = [writes.links.path, writes.links.ids, *(column for _, column in writes.links.meta)]
        return [*lines, f"A row is a link: an INSERT gives {', '.join(f'`{name}`' for name in ends)}.", ""]
    made = {kind: found for kind in ("INSERT", "UPDATE") if (found := _template(table, writes, kind)) is not None}
    if not made:
        return lines
    lines += ["| column | INSERT | UPDATE | takes |", "|---|---|---|---|"]
    for position, column in enumerate(table.columns):
        told = {kind: _how(table, writes, found, position, kind) for kind, found in made.items()}
        if any(told.values()):
            lines.append(f"| `{column.name}` | {told.get('INSERT', '')} | {told.get('UPDATE', '')} | {_taken(table, writes, made, position)} |")
    return [*lines, ""]


def _sent_by(writes: Writes, kind: str) -> str:
    one, many = {
        "INSERT": (writes.insert, writes.insert_many),
        "UPDATE": (writes.update, writes.update_many),
        "DELETE": (writes.delete, writes.delete_many),
    }[kind]
    if writes.links is not None:
        names = [name for way in (writes.links, writes.links.other) if way is not None and (name := way.add if kind == "INSERT" else way.remove) is not None]
        return f"{' or '.join(map(_operation, names))}, up to {writes.links.most:,} rows in a request."
    parts = [] if one is None else [f"{_operation(one.operation)}, one request a row"]
    if kind == "INSERT" and writes.upload is not None:
        parts.append(f"{_operation(writes.upload[1].operation)} with a `{writes.upload[0]}`")
    if many is not None:
        parts.append(f"{f'from {many.least} rows on ' if one is not None else ''}{_operation(many.operation)}, up to {many.most:,} rows in a request")
    replacing = writes.replace or writes.replace_many
    return "; ".join(parts) + "." + (" INSERT OR REPLACE updates what is there." if kind == "INSERT" and replacing else "")


def _operation(name: str) -> str:
    operation = contract.operation(name)
    return f"`{operation.method} {operation.path}`"


def _why_not(writes: Writes, kind: str) -> str:
    sentence = writes.refused.get(kind, "Klaviyo has no such operation.")
    return sentence[:1].upper() + sentence[1:]


def _template(table: Table, writes: Writes, kind: str) -> Template | None:
    one, many = (writes.insert, writes.insert_many) if kind == "INSERT" else (writes.update, writes.update_many)
    return template(table, one.operation) if one is not None else template(table, many.operation, many.key) if many is not None else None


def _how(table: Table, writes: Writes, made: Template, position: int, kind: str) -> str:
    """Whether a column can be written: yes, required, or not at all."""
    name = table.columns[position].name
    if kind == "INSERT" and writes.insert_many is not None and name in writes.insert_many.needs:
        return "required"
    path = made.paths.get(position)
    if kind == "INSERT" and name in writes.one_of:
        return "one of these"
    if path is None:
        return ""
    if kind == "INSERT" and name in writes.defaults:
        return "yes"
    required, place = kind == "INSERT", made.schema
    for key in path:
        required = required and key in place.required
        place = place.at((key,)) or place
    alone = kind == "UPDATE" and writes.update is not None and name in writes.update.alone
    return "required" if required else "yes, alone" if alone else "yes"


def _taken(table: Table, writes: Writes, made: Mapping[str, Template], position: int) -> str:
    """What values a column takes, as far as that is known."""
    column = table.columns[position]
    if writes.upload is not None and writes.upload[0] == column.name:
        return "the path of a PNG, JPEG or GIF, or a blob"
    if column.name in writes.patterns:
        return writes.patterns[column.name][1]
    for found in made.values():
        place = found.schema.at(found.paths[position]) if position in found.paths else None
        if place is None:
            continue
        if place.enum:
            return ", ".join(f"`{value}`" for value in place.enum)
        if found.paths[position][0] == "relationships":
            inner = place.get("data")
            return "ids, as a JSON array" if inner is not None and inner.type == "array" else "an id"
        if column.type is Type.JSON or place.type in ("array", "object"):
            return {"array": "a JSON array", "object": "a JSON object"}.get(place.type or "", "JSON")
        if place.longest is not None:
            return f"at most {place.longest} characters"
        return TYPES[column.type].replace(" (microseconds)", "")
    return TYPES[column.type]


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
    procedures = procedure_pages()
    if sys.argv[1:] == ["--check"]:
        there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
        stale = sorted(name for name in written.keys() | there.keys() if written.get(name) != there.get(name))
        stale += sorted(
            f"procedures/{name}"
            for name, text in procedures.items()
            if not (PROCEDURES_FOLDER / name).is_file() or (PROCEDURES_FOLDER / name).read_text(encoding="utf-8") != text
        )
        if not OTHER_NAMES.is_file() or OTHER_NAMES.read_text(encoding="utf-8") != other_names():
            stale.append(OTHER_NAMES.name)
        if stale:
            sys.exit(f"docs is out of date ({', '.join(stale)}): run make docs")
        return
    if sys.argv[1:]:
        sys.exit(__doc__)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.md"):
        if path.name not in written:
            path.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    PROCEDURES_FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in procedures.items():
        (PROCEDURES_FOLDER / name).write_text(text, encoding="utf-8")
    OTHER_NAMES.write_text(other_names(), encoding="utf-8")
    print(f"{len(written)} pages in {FOLDER.relative_to(FOLDER.parent.parent)}")


if __name__ == "__main__":
    main()
