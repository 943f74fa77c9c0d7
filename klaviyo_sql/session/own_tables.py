"""The tables in which the driver tells of itself, as data: names, types, and a sentence on each column."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OwnColumn:
    """A column: its name, its type as SQLite is told it, what it is."""

    name: str
    type: str
    doc: str


@dataclass(frozen=True, slots=True)
class OwnTable:
    """A table of the driver; reading it sends nothing."""

    name: str
    doc: str
    columns: tuple[OwnColumn, ...]

    @property
    def ddl(self) -> str:
        """The table as SQLite declares it."""
        return f"CREATE TABLE x({', '.join(f'{column.name} {column.type}' for column in self.columns)})"


def _table(name: str, doc: str, *columns: tuple[str, str, str]) -> OwnTable:
    return OwnTable(name, doc, tuple(OwnColumn(*column) for column in columns))


REQUESTS = _table(
    "klaviyo_requests",
    "Every request of the connection, one row each, as far back as the last 10,000.",
    ("number", "INTEGER", "Counts from 1."),
    ("started_at", "TIMESTAMP TEXT", "When it was wanted; it may have waited for a limit then."),
    ("operation", "TEXT", "Klaviyo's name for what was asked."),
    ("table_name", "TEXT", "The table that it was for."),
    ("method", "TEXT", "The HTTP method."),
    ("path", "TEXT", "The path."),
    ("query", "TEXT", "The parameters as a person reads them, and the question of a POST that asks."),
    ("status", "INTEGER", "The last reply's HTTP status; NULL when there was none."),
    ("milliseconds", "REAL", "How long Klaviyo took, over all tries."),
    ("waited_milliseconds", "REAL", "How long it waited for limits, Retry-After and between tries."),
    ("rows", "INTEGER", "How many rows the reply had."),
    ("bytes", "INTEGER", "How long the reply was, decompressed."),
    ("retries", "INTEGER", "How often it was repeated."),
    ("cached", "BOOLEAN", "1 when the answer came from memory and nothing was sent."),
    ("limit_left", "INTEGER", "What the reply said of the requests left in the second."),
    ("error", "TEXT", "What went wrong, if anything did."),
    ("account", "TEXT", "The account's name in the settings; NULL for one without a name."),
)

LIMITS = _table(
    "klaviyo_limits",
    "How much of Klaviyo's limits is used, one row for each window of each operation that was asked for so far, by any process that shares them.",
    ("operation", "TEXT", "Klaviyo's name for what is asked; each has limits of its own."),
    ("tier", "TEXT", "'usual', or the parameter for costly columns that has a lower limit."),
    ("window_seconds", "INTEGER", "The window's length: 1, 60, or 86400 for a daily limit."),
    ("allowed", "INTEGER", "How many requests Klaviyo allows in the window."),
    ("used", "INTEGER", "How many may be in the window now, those of other programs as far as replies told of them."),
    ("remaining", "INTEGER", "How many may still be sent."),
    ("free_at", "TIMESTAMP TEXT", "When one more may be sent; NULL: now."),
    ("reason", "TEXT", "Why not now; NULL when it is now."),
    ("account", "TEXT", "The account's name in the settings; NULL for one without a name."),
)

TABLES = _table(
    "klaviyo_tables",
    "The account's tables, one row each.",
    ("schema", "TEXT", "main, or the named account that it is of."),
    ("name", "TEXT", "The table's name."),
    ("pascal_case_name", "TEXT", "Its other name, if it has one."),
    ("description", "TEXT", "What it is."),
    ("key_columns", "TEXT", "The columns that tell its rows apart."),
    ("operation", "TEXT", "Klaviyo's name for what reads it."),
    ("page_size", "INTEGER", "How many rows a request returns at most."),
    ("requests_per_second", "INTEGER", "How many requests Klaviyo allows in a second."),
    ("requests_per_minute", "INTEGER", "How many requests Klaviyo allows in a minute."),
    ("scopes", "TEXT", "What the key must be allowed."),
    ("notes", "TEXT", "What else is good to know."),
)

COLUMNS = _table(
    "klaviyo_columns",
    "The columns of the account's tables, one row each.",
    ("schema", "TEXT", "main, or the named account that the table is of."),
    ("table_name", "TEXT", "The table's name."),
    ("position", "INTEGER", "Counts from 0."),
    ("name", "TEXT", "The column's name."),
    ("pascal_case_name", "TEXT", "Its name in the PascalCase table, if there is one."),
    ("type", "TEXT", "Its type, as SQLite is told it."),
    ("not_null", "BOOLEAN", "1 when it always has a value."),
    ("hidden", "BOOLEAN", "1 when SELECT * leaves it out."),
    ("pushed", "TEXT", "The comparisons that Klaviyo is asked for."),
    ("exact", "BOOLEAN", "1 when Klaviyo returns just the rows that those mean."),
    ("sorted", "BOOLEAN", "1 when ORDER BY on it is Klaviyo's own order."),
    ("description", "TEXT", "What it is."),
)

COPIES = _table(
    "klaviyo_copies",
    "The local copies of materialized tables, one row each.",
    ("table_name", "TEXT", "The table's name."),
    ("rows", "INTEGER", "How many rows the copy has."),
    ("refreshed_at", "TIMESTAMP TEXT", "When Klaviyo was last asked for what is new; NULL before the first load."),
    ("age", "REAL", "Seconds since then."),
    ("reread_at", "TIMESTAMP TEXT", "When it was last read whole, which is what shows deleted rows."),
    ("reread_age", "REAL", "Seconds since then."),
    ("newest", "TIMESTAMP TEXT", "The latest time that it knows of, from which what is new is asked for."),
    ("max_age", "REAL", "Seconds for which nothing is asked at all; NULL for a copy that this connection does not use."),
    ("look_back", "REAL", "Seconds before the newest time that are asked for again."),
    ("reread_after", "REAL", "Seconds after which it is read whole."),
)

WRITES = _table(
    "klaviyo_writes",
    "Every row that the connection has written or tried to, one row each, as far back as the last 200,000.",
    ("number", "INTEGER", "Counts from 1."),
    ("statement", "INTEGER", "The statement that wrote it, counted from the connection's first."),
    ("kind", "TEXT", "INSERT, UPDATE or DELETE; CALL for what a procedure did."),
    ("table_name", "TEXT", "The table, or the procedure."),
    ("key", "TEXT", "The row's id, of a new row the one that Klaviyo gave it; of a link both ids as a JSON array. NULL: not known."),
    ("operation", "TEXT", "Klaviyo's name for what wrote it."),
    ("job", "TEXT", "The id of the bulk job that wrote it, if one did."),
    ("status", "TEXT", "done, accepted (Klaviyo carries it out later), absent (there was nothing to delete), failed, unknown, not sent, waiting or dry run."),
    ("error", "TEXT", "Why it was not written."),
    ("row", "TEXT", "What was to be written, by column, as JSON."),
    ("account", "TEXT", "The account's name in the settings; NULL for one without a name."),
)

PROCEDURES = _table(
    "klaviyo_procedures",
    "The procedures, one row each: what Klaviyo does that is no row of a table.",
    ("name", "TEXT", "The procedure's name."),
    ("other_names", "TEXT", "Its other names."),
    ("subject", "TEXT", "What it is about, which is the page of the documents that has it."),
    ("description", "TEXT", "What it does."),
    ("call", "TEXT", "How it is called; what may be left out is in brackets."),
    ("inputs", "TEXT", "What it takes, as a JSON array: name, type, required, default, choices, description, other_names."),
    ("returns", "TEXT", "The columns that it returns, as a JSON array: name, type, description."),
    ("operations", "TEXT", "Klaviyo's names for what it asks."),
    ("scopes", "TEXT", "What the key must be allowed."),
    ("changes", "BOOLEAN", "1 when it changes something, and needs a connection that is open for writing."),
    ("confirm", "TEXT", "The word that confirms what cannot be taken back; NULL where none is needed."),
    ("gathers", "BOOLEAN", "1 when the function is an aggregate: SELECT name(…) FROM … goes into the fewest requests."),
    ("example", "TEXT", "A statement that calls it."),
    ("notes", "TEXT", "What else is good to know."),
)

OWN_TABLES = {table.name: table for table in (REQUESTS, LIMITS, TABLES, COLUMNS, COPIES, WRITES, PROCEDURES)}
