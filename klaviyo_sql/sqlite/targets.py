"""Which tables the statement that SQLite prepares writes to, and which of their columns it reads.

SQLite asks an authorizer about every access. An UPDATE reads all columns of a virtual table, though it looks only at some of them: what it need not know is
not asked for, and a row that is named by its key is not asked for at all.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

import apsw

_WORDS = re.compile(r"\w+")


@dataclass(slots=True)
class Target:
    """A table that a statement writes to: the columns that its expressions read and those that it sets (none: it deletes), in lower case.

    `alone`: the statement mentions the table just once, and no view does.
    """

    reads: set[str] = field(default_factory=set)
    sets: set[str] = field(default_factory=set)
    alone: bool = True


class Targets:
    """The targets of the statement that is being prepared."""

    def __init__(self) -> None:
        self._written: dict[str, set[str]] = {}
        self._reads: dict[str, set[str]] = {}
        self._in_views: set[str] = set()
        self._words: list[str] = []
        self.unbounded = False
        """Whether the statement is an UPDATE or DELETE without a WHERE."""

    def begin(self, sql: str, *, unbounded: bool) -> None:
        """Another text is about to be prepared."""
        self._written, self._reads, self._in_views = {}, {}, set()
        self._words = [word.lower() for word in _WORDS.findall(sql)]
        self.unbounded = unbounded

    def authorize(self, operation: int, first: str | None, second: str | None, _: str | None, inner: str | None) -> int:
        """SQLite's authorizer: everything is permitted, and noted."""
        if first is None:
            return apsw.SQLITE_OK
        if operation == apsw.SQLITE_READ:
            self._reads.setdefault(first.lower(), set()).add((second or "").lower())
            if inner is not None:
                self._in_views.add(first.lower())
        elif operation in (apsw.SQLITE_UPDATE, apsw.SQLITE_DELETE):
            sets = self._written.setdefault(first.lower(), set())
            if operation == apsw.SQLITE_UPDATE and second is not None:
                sets.add(second.lower())
        return apsw.SQLITE_OK

    def reads(self, name: str) -> Collection[str]:
        """The columns of the table that are read, wherever the statement mentions it, in lower case."""
        return self._reads.get(name.lower(), frozenset())

    def of(self, name: str) -> Target | None:
        """The target of that name; None when the statement does not update or delete its rows."""
        lowered = name.lower()
        if lowered not in self._written:
            return None
        return Target(self._reads.get(lowered, set()), self._written[lowered], lowered not in self._in_views and self._words.count(lowered) == 1)
