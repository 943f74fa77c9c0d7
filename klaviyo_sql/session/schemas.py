"""Further sets of tables beside the connection's own: `shop_a.profiles`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from klaviyo_sql.engine import Scans
from klaviyo_sql.model.table import Table

OWN = "klaviyo"
"""The schema of the connection's own account."""
MODULES = ("klaviyo_table", "klaviyo_link")
"""The virtual table modules of listed tables: SQLite lets a table WITHOUT ROWID be written to only when its key is one column, and others are of the second."""


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


def is_only_read(table: Table, *, write: bool) -> bool:
    """Whether SQLite is not to write to the table: it could only if its key were one column, which it becomes where there is something to write."""
    return len(table.key) > 1 and not (write and table.writes is not None)
