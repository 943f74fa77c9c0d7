"""Further sets of tables in the same connection, each as a schema: `shop_a.profiles`.

A schema is a database in memory whose tables SQLite finds listed, as if they had been made by CREATE VIRTUAL TABLE; each is set up when a statement first
uses it. The list is made once for each set of names and copied into every connection, which is a thousand times faster than making the tables. SQLite looks
for a name without a schema in all of them, and finds it in the connection's own first.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import apsw

from klaviyo_sql.session.schemas import MODULES, Schema, is_only_read


def attach(sqlite: apsw.Connection, schemas: Iterable[Schema], *, write: bool) -> None:
    """Make the schemas known to the connection, which has the modules already and may write or not; names without a schema are looked for in this order."""
    images: dict[tuple[int, bool], bytes] = {}
    for schema in schemas:
        kind = id(schema.declared), schema.seen_as is not None
        if kind not in images:
            tables = schema.declared.values()
            images[kind] = _image(tuple((name, kind[1] or is_only_read(table, write=write)) for table in tables for name in table.names))
        sqlite.execute(f"ATTACH ':memory:' AS \"{schema.name}\"")
        sqlite.deserialize(schema.name, images[kind])


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
