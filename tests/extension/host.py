"""Programs that load the extension: this one, through apsw, and others that are run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from klaviyo_sql.sqlite.cursor import bindings_of


class Record(NamedTuple):
    """A request of the worker's, as a person reads it."""

    line: str
    status: int
    operation: str


class Requests:
    """What `serving.py` wrote down."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def clear(self) -> None:
        self._file.write_text("", encoding="utf-8")

    def __iter__(self) -> Iterator[Record]:
        text = self._file.read_text(encoding="utf-8") if self._file.exists() else ""
        return (Record(**json.loads(line)) for line in text.splitlines())


class Account(NamedTuple):
    """What the suites look at of a sandbox, which is in another process here."""

    requests: Requests


class Host:
    """A connection of this program's SQLite, with the extension in it, as far as the suites use one."""

    def __init__(self, library: Path, requests: Requests, database: str = ":memory:") -> None:
        self.sandbox = Account(requests)
        self.sqlite = apsw.Connection(database)
        self.sqlite.enable_load_extension(True)
        self.sqlite.load_extension(str(library))

    def execute(self, sql: str, parameters: Any = ()) -> apsw.Cursor:
        return self.sqlite.cursor().execute(sql, bindings_of(parameters))

    def executescript(self, sql: str) -> None:
        for _ in self.sqlite.cursor().execute(sql):
            pass

    def close(self) -> None:
        self.sqlite.close(True)
