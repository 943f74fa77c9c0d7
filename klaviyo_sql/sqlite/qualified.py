"""Tables that are named in a schema that does not have them.

The connection's own tables are there without being listed anywhere, so that views in a database file can use them. The price is that SQLite takes one of them
for any schema: `shp_a.profiles` would be answered, with the wrong account's rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from klaviyo_sql.session.own_tables import OWN_TABLES
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.reports import REPORTS

_OWN = frozenset(name.lower() for table in (*TABLES.values(), *REPORTS.values()) for name in table.names)
_DRIVERS = frozenset((*OWN_TABLES, "klaviyo_event_counts"))
_TOKEN = re.compile(
    r"""
      \s+ | --[^\n]* | /\*.*?(?:\*/|\Z)
    | '(?:[^']|'')*'
    | "(?P<double>(?:[^"]|"")*)" | `(?P<back>(?:[^`]|``)*)` | \[(?P<bracket>[^\]]*)\]
    | (?P<word>[^\W\d][\w$]*)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_DROP = re.compile(r"\bDROP\b", re.IGNORECASE)
_BEFORE_A_TABLE = frozenset({"from", "join", "into", "update"})
_BEFORE_A_DEFINITION = frozenset({"table", "view", "index", "trigger", "exists"})
"""What is made or dropped there is SQLite's to look at."""


def missing(sql: str, exists: Callable[[str, str], bool]) -> tuple[str, str] | None:
    """The first schema and table of a statement that do not belong together; `exists` says what a schema has.

    `a.b` may be a column as well: then `a` is a table or an alias, which stands alone somewhere.
    """
    if "." not in sql:
        return None
    tokens = tokens_of(sql)
    pairs: list[tuple[str, str, bool]] = []
    alone: set[str] = set()
    for n, (text, is_name) in enumerate(tokens):
        if not is_name or (n >= 1 and tokens[n - 1][0] == "."):
            if is_name and not (n + 1 < len(tokens) and tokens[n + 1][0] == "."):
                alone.add(text.lower())
            continue
        if n + 2 < len(tokens) and tokens[n + 1][0] == "." and tokens[n + 2][1]:
            following = tokens[n + 3][0] if n + 3 < len(tokens) else ""
            if tokens[n + 2][0].lower() in _OWN | _DRIVERS and following != ".":
                before = tokens[n - 1][0].lower() if n else ""
                if before not in _BEFORE_A_DEFINITION:
                    pairs.append((text, tokens[n + 2][0], before in _BEFORE_A_TABLE))
        else:
            alone.add(text.lower())
    for schema, table, certain in pairs:
        if schema.lower() != "main" and (certain or schema.lower() not in alone) and not exists(schema, table):
            return schema, table
    return None


def dropped(sql: str, schema_of: Callable[[str | None, str], str | None]) -> str | None:
    """The account's table that the statement would drop, which SQLite would let it do: its listing is gone then until the connection is closed.

    `schema_of` says in which schema a table is found, for a schema that was written or None.
    """
    if not _DROP.search(sql):
        return None
    tokens = [text for text, _ in tokens_of(sql)]
    for n, text in enumerate(tokens[:-2]):
        if text.lower() != "drop" or tokens[n + 1].lower() != "table":
            continue
        rest = tokens[n + 2 :]
        rest = rest[2:] if [word.lower() for word in rest[:2]] == ["if", "exists"] else rest
        schema, name = (rest[0], rest[2]) if len(rest) > 2 and rest[1] == "." else (None, rest[0] if rest else "")
        if name and schema_of(schema, name) is not None:
            return name if schema is None else f"{schema}.{name}"
    return None


def tokens_of(sql: str) -> list[tuple[str, bool]]:
    """The statement's names and signs, each with whether it is a name; texts, comments and spaces are left out."""
    found = []
    for token in _TOKEN.finditer(sql):
        if token["other"] is not None:
            found.append((token["other"], False))
        elif token["word"] is not None:
            found.append((token["word"], True))
        else:
            name = next((part for part in (token["double"], token["back"], token["bracket"]) if part is not None), None)
            if name is not None:
                found.append((name.replace('""', '"').replace("``", "`"), True))
    return found
