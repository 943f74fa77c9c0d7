"""Further sets of tables in the same connection, each as a schema: `shop_a.profiles`.

A schema is a database in memory whose tables SQLite finds listed, as if they had been made by CREATE VIRTUAL TABLE; each is set up when a statement first
uses it. The list is made once for each set of names and copied into every connection, which is a thousand times faster than making the tables.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import apsw

from klaviyo_sql.engine import Scans
from klaviyo_sql.model.table import Table

OWN = "klaviyo"
"""The schema of the connection's own account. SQLite looks for a name without a schema in all of them, and finds it here first."""
MODULES = ("klaviyo_table", "klaviyo_link")
"""The virtual table modules of all these tables: SQLite lets a table WITHOUT ROWID be written to only when its key is one column."""


@dataclass(frozen=True)
class Schema:
    """A name, the tables that it has, and who answers scans of them, made when it is first needed.

    `seen_as` makes of each of the tables what it is in this schema, with the same names, when it is first needed; such tables are only read.
    """

    name: str
    declared: Mapping[str, Table]
    engine: Callable[[], Scans]
    seen_as: Callable[[Table], Table] | None = None

    @property
    def tables(self) -> Mapping[str, Table]:
        """The tables by their names."""
        return self.declared if self.seen_as is None else {name: self.seen_as(table) for name, table in self.declared.items()}

    def table(self, name: str) -> Table | None:
        """The table of that name, in whatever case it is written."""
        lowered = name.lower()
        for declared in self.declared.values():
            if lowered in map(str.lower, declared.names):
                table = declared if self.seen_as is None else self.seen_as(declared)
                return next(found for found in spelled(table) if found.name.lower() == lowered)
        return None


def spelled(table: Table) -> tuple[Table, ...]:
    """The table under each of its names, with columns to match."""
    return (table, table.in_pascal_case()) if len(table.names) > 1 else (table,)


def attach(sqlite: apsw.Connection, schemas: Iterable[Schema], *, write: bool) -> None:
    """Make the schemas known to the connection, which has the modules already and may write or not; names without a schema are looked for in this order."""
    images: dict[tuple[int, bool], bytes] = {}
    for schema in schemas:
        kind = id(schema.declared), schema.seen_as is not None
        if kind not in images:
            tables = schema.declared.values()
            images[kind] = _image(tuple((name, kind[1] or _is_only_read(table, write=write)) for table in tables for name in table.names))
        sqlite.execute(f"ATTACH ':memory:' AS \"{schema.name}\"")
        sqlite.deserialize(schema.name, images[kind])


def _is_only_read(table: Table, *, write: bool) -> bool:
    """Whether SQLite is not to write to the table: it could only if its key were one column, which it becomes where there is something to write."""
    return len(table.key) > 1 and not (write and table.writes is not None)


@functools.lru_cache(maxsize=64)
def _image(names: tuple[tuple[str, bool], ...]) -> bytes:
    """A database that lists these virtual tables, each by its module."""
    scratch = apsw.Connection(":memory:")
    try:
        scratch.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
        scratch.execute("CREATE TABLE begun(x); DROP TABLE begun; PRAGMA writable_schema = ON")
        scratch.executemany(
            "INSERT INTO sqlite_schema VALUES ('table', ?1, ?1, 0, ?2)",
            ((name, f'CREATE VIRTUAL TABLE "{name}" USING {MODULES[link]}') for name, link in names),
        )
        return scratch.serialize("main")
    finally:
        scratch.close()
