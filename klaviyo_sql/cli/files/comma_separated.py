"""CSV: a header, then rows of as many fields. An empty field says nothing of its column."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.cli.files.record import REASON, Record

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_QUOTED = re.compile(r'"(?:[^"]|"")*"?')
_LONGEST_FIELD = 10_000_000


class CommaSeparated:
    """A CSV file in UTF-8, with a byte order mark or without. Its delimiter is the one that its header has most of, unless one is given."""

    def __init__(self, path: Path, delimiter: str | None) -> None:
        self.path = path
        csv.field_size_limit(_LONGEST_FIELD)
        self._delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter) if delimiter is not None else self._likely_delimiter()
        if len(self._delimiter) != 1 or self._delimiter in '"\r\n':
            raise UsageError("--delimiter is one character, or the word tab.")
        self._header = next(self._rows(), None) or []
        self.columns = [name.strip() for name in self._header]
        self._check()
        self.describes = f"CSV with {_DELIMITERS.get(self._delimiter, repr(self._delimiter))}"

    def _likely_delimiter(self) -> str:
        with self._opened() as file:
            header = _QUOTED.sub("", file.readline())
        return max(_DELIMITERS, key=header.count)  # a comma when there is none

    def _check(self) -> None:
        """UsageError when the first row is no header."""
        if not any(self.columns):
            raise UsageError(f"{self.path} has no header: its first row must name the columns.")
        for number, name in enumerate(self.columns, 1):
            if not name:
                raise UsageError(f"{self.path}: column {number} has no name in the header.")
            if name in self.columns[: number - 1]:
                raise UsageError(f"{self.path} has two columns {name!r}: give them different names.")

    @contextmanager
    def _opened(self) -> Iterator[IO[str]]:
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                yield file
        except UnicodeDecodeError:
            raise UsageError(f"{self.path} is not UTF-8: save it as CSV in UTF-8.") from None

    def _rows(self) -> Iterator[list[str]]:
        with self._opened() as file:
            reader = csv.reader(file, delimiter=self._delimiter, strict=True)
            try:
                for row in reader:
                    if row:  # an empty line is no row
                        yield row
            except csv.Error as error:
                raise UsageError(f"{self.path}, line {reader.line_num}: {error}.") from None

    def __iter__(self) -> Iterator[Record]:
        rows = self._rows()
        next(rows, None)
        for number, row in enumerate(rows, 1):
            if len(row) != len(self.columns):
                yield Record(number, {}, row, f"the row has {len(row)} fields, and the header {len(self.columns)}")
            else:
                yield Record(number, {name: value for name, value in zip(self.columns, row, strict=True) if value != ""}, row)

    @contextmanager
    def rejects(self, path: Path) -> Iterator[_Rejects]:
        """A CSV file with the same columns, and the reason in a last one."""
        kept = [position for position, name in enumerate(self.columns) if name != REASON]
        rejects = _Rejects(path, [self._header[position] for position in kept], kept, self._delimiter)
        try:
            yield rejects
        finally:
            rejects.close()


class _Rejects:
    def __init__(self, path: Path, header: list[str], kept: list[int], delimiter: str) -> None:
        self._path = path
        self._header = header
        self._kept = kept
        self._delimiter = delimiter
        self._file: IO[str] | None = None
        self._writer: Any = None

    def write(self, record: Record, reason: str) -> None:
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file, delimiter=self._delimiter, lineterminator="\r\n")
            self._writer.writerow([*self._header, REASON])
        row = record.raw
        fits = len(row) >= len(self._kept)
        self._writer.writerow([*((row[position] for position in self._kept) if fits and record.problem is None else row), reason])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
