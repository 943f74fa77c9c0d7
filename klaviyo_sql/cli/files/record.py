"""What a file gives: records, and a way to write those that were rejected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

REASON = "rejected_because"
"""The column of a file of rejected rows that says why; it is left out when such a file is imported again."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a file: `number` counts from 1 without the header, `values` are what is said, by column, `raw` is the row as the file has it.

    A column of which a row says nothing is not among its values. `problem` is why the row cannot be read.
    """

    number: int
    values: dict[str, Any]
    raw: Any
    problem: str | None = None


class Rejects(Protocol):
    """A file of rejected rows, being written."""

    def write(self, record: Record, reason: str) -> None:
        """Add the row as it was, and why it was rejected."""


class File(Protocol):
    """A file of rows."""

    path: Path
    describes: str
    """What the file is, in a few words."""
    columns: Sequence[str]

    def __iter__(self) -> Iterator[Record]:
        """The rows from the first on, each time."""

    def rejects(self, path: Path) -> AbstractContextManager[Rejects]:
        """A file of the same kind for rejected rows; it is made with the first."""
