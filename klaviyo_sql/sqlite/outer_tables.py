"""Ordinary tables in the outer loops of a join: what their rows below the current one will have an inner loop ask for next.

SQLite shows an inner loop one value at a time, and not where it comes from. The statement's ordinary tables are at hand, though: a column of theirs that has
the value is taken to be the one, and the texts below it are what comes next. If it is not, keys are asked for in vain beside one that is needed, in a request
that is made anyway; no answer depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import apsw

from klaviyo_sql.statements.names import quoted

_WORDS = re.compile(r"\w+")
_BEFORE_ALL = -(2**63)


@dataclass(slots=True)
class _Column:
    """A column of an ordinary table, named as SQL does, and where the value that was asked for last stands in it."""

    table: str
    name: str
    row: int | None = None

    @property
    def find(self) -> str:
        """The statement that finds a text behind a row."""
        return f"SELECT _rowid_ FROM {self.table} WHERE _rowid_ > ? AND {self.name} = ? LIMIT 1"  # noqa: S608 - the names are quoted

    @property
    def below(self) -> str:
        """The statement that reads the texts behind a row."""
        return f"SELECT {self.name} FROM {self.table} WHERE _rowid_ > ? AND typeof({self.name}) = 'text'"  # noqa: S608


class OuterTables:
    """The ordinary tables of one connection."""

    def __init__(self, sqlite: apsw.Connection, is_ours: Callable[[str], bool]) -> None:
        """`is_ours` says whether a schema is one of the account's."""
        self._sqlite = sqlite
        self._is_ours = is_ours
        self._sql = ""
        self._columns: list[_Column] | None = None
        """Those that the statement may read; None when it has not been looked yet."""

    def begin(self, sql: str) -> None:
        """Another statement begins."""
        self._sql = sql
        self._columns = None

    def below(self, value: str) -> Iterator[str]:
        """The texts below the value in a column that has it, in the order of the table; none when no column has it, or its table cannot be read now."""
        try:
            if self._columns is None:
                self._columns = list(self._of({word.lower() for word in _WORDS.findall(self._sql)}))
            for column in self._columns:
                if (row := self._find(column, value)) is not None:
                    column.row = row
                    # It is looked for first where the last one was; a second join may be by another column.
                    self._columns.remove(column)
                    self._columns.insert(0, column)
                    for (text,) in self._rows(column.below, row):
                        yield text
                    return
        except apsw.InterruptError:
            raise
        except apsw.Error:
            self._columns = []  # a table that another connection locks, or whose columns are computed by what fails: the answer does not need it

    def _find(self, column: _Column, value: str) -> int | None:
        """The row of the value: the next one, as a rule, or else any."""
        for place in dict.fromkeys((column.row, None)):
            for (row,) in self._rows(column.find, _BEFORE_ALL if place is None else place, value):
                return int(row)
        return None

    def _of(self, words: Collection[str]) -> Iterator[_Column]:
        """The columns of the ordinary tables that have one of these names."""
        listed = "SELECT schema, name FROM pragma_table_list WHERE type = 'table' AND NOT wr AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        for schema, name in list(self._rows(listed)):
            if name.lower() not in words or self._is_ours(schema):
                continue
            for (column,) in list(self._rows("SELECT name FROM pragma_table_info(?, ?)", name, schema)):
                if column.lower() in words:
                    yield _Column(f"{quoted(schema)}.{quoted(name)}", quoted(column))

    def _rows(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        cursor = self._sqlite.cursor()
        cursor.exec_trace = lambda *_: True  # it is no statement of the user's
        try:
            yield from cursor.execute(sql, values)
        finally:
            cursor.close(True)
