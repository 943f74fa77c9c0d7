"""Several sorted sequences of pages as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from klaviyo_sql.fetch.rows import Row

SortKey = tuple[bool, Any]
"""Whether the value is not NULL, and the value: NULL comes before everything, as SQLite sorts."""


@dataclass(slots=True)
class _Sequence:
    """One sequence: the page that it stands in, and the keys of the rows that are left of it."""

    pages: Iterator[list[Row]]
    position: int
    rows: list[Row]
    keys: list[SortKey]

    def turn(self) -> bool:
        """Go to the next page that has rows; False at the end."""
        self.rows = next((page for page in self.pages if page), [])
        self.keys = [sort_key(row[self.position]) for row in self.rows]
        return bool(self.rows)


def merged(sequences: Sequence[tuple[Iterator[list[Row]], int]], *, descending: bool) -> Iterator[list[Row]]:
    """The rows of all sequences, each given with the position of its key, in the order of the key.

    What comes out at a time is all that the pages at hand can settle: the rows up to the first of their last keys. A page is asked for when the
    one before is used up.
    """
    standing = [sequence for sequence in (_Sequence(pages, position, [], []) for pages, position in sequences) if sequence.turn()]
    while standing:
        lasts = [sequence.keys[-1] for sequence in standing]
        bound = max(lasts) if descending else min(lasts)
        settled: list[tuple[SortKey, Row]] = []
        for sequence in standing:
            count = sum(1 for _ in takewhile((bound.__le__ if descending else bound.__ge__), sequence.keys))
            settled += zip(sequence.keys[:count], sequence.rows[:count], strict=True)
            sequence.rows, sequence.keys = sequence.rows[count:], sequence.keys[count:]
        settled.sort(key=lambda entry: entry[0], reverse=descending)
        yield [row for _, row in settled]
        standing = [sequence for sequence in standing if sequence.rows or sequence.turn()]


def sort_key(value: Any) -> SortKey:
    """The key of a value."""
    return (value is not None, value)
