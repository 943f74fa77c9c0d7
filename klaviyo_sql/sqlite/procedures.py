"""Procedures in apsw: each as a function that returns a table, and as a function that returns a text or gathers the rows of a SELECT."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import apsw

from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model.procedure import Procedure
from klaviyo_sql.procedures import PROCEDURES
from klaviyo_sql.session.calls import Calls, CallTable, Gatherer


def register(sqlite: apsw.Connection, calls: Calls) -> None:
    """Make the procedures known under all their names."""
    for procedure in PROCEDURES.values():
        module: Any = Module(procedure, calls)
        for name in procedure.names:
            sqlite.create_module(name, module, use_bestindex_object=True, iVersion=1, eponymous=True, eponymous_only=True, read_only=True)
            if procedure.gathers:
                sqlite.create_aggregate_function(name, partial(Gatherer, procedure, calls), -1, flags=apsw.SQLITE_DIRECTONLY)
            else:
                sqlite.create_scalar_function(name, _scalar(procedure, calls), -1, flags=apsw.SQLITE_DIRECTONLY)


def _scalar(procedure: Procedure, calls: Calls) -> Callable[..., Any]:
    return lambda *given: calls.told(procedure, given)


class Module:
    """The module of one procedure; a table on its own."""

    def __init__(self, procedure: Procedure, calls: Calls) -> None:
        self._table = VirtualCallTable(procedure, calls)

    def Create(self, sqlite: apsw.Connection, *_: Any) -> tuple[str, VirtualCallTable]:  # noqa: N802 - apsw's name
        sqlite.vtab_config(apsw.SQLITE_VTAB_DIRECTONLY)
        return self._table.declaration, self._table

    Connect = Create


class VirtualCallTable(CallTable):
    """A procedure as SQLite asks about it."""

    def BestIndexObject(self, info: apsw.IndexInfo) -> bool:  # noqa: N802
        return self.agree(info)

    def Open(self) -> CallCursor:  # noqa: N802
        return CallCursor(self)

    def Disconnect(self) -> None:  # noqa: N802
        """Nothing is held."""

    Destroy = Disconnect


class CallCursor:
    """What came of a call, and of those that the same loop made before."""

    def __init__(self, table: CallTable) -> None:
        self._table = table
        self._rows: list[Row] = []
        self._at = 0
        self._made: dict[Row, list[Row]] = {}

    def Filter(self, _: int, agreed: str | None, values: tuple[Any, ...]) -> None:  # noqa: N802
        self._rows, self._at = self._table.rows(agreed, values, self._made), 0

    def Eof(self) -> bool:  # noqa: N802
        return self._at >= len(self._rows)

    def Next(self) -> None:  # noqa: N802
        self._at += 1

    def Column(self, column: int) -> Any:  # noqa: N802
        return self._rows[self._at][column] if column >= 0 else self._at

    def Rowid(self) -> int:  # noqa: N802
        return self._at

    def Close(self) -> None:  # noqa: N802
        self._rows, self._made = [], {}
