"""SQLite's index information as it came over the wire, for the one place that agrees on scans (`session/index.py`)."""

from __future__ import annotations

from typing import Any, NamedTuple


class Term(NamedTuple):
    """A condition that SQLite offers, as `wire` describes it."""

    column: int
    operator: int
    usable: bool
    listed: bool
    collation: str | None
    value: Any


class Offer:
    """What SQLite offers for one way to scan a table, and what is agreed on; the names are those that apsw has for them."""

    orderByConsumed = False  # noqa: N815
    estimatedCost = 100.0  # noqa: N815
    estimatedRows = 100  # noqa: N815
    idxFlags = 0  # noqa: N815
    idxStr: str | None = ""  # noqa: N815

    def __init__(self, terms: list[list[Any]], order: list[list[Any]], used: int) -> None:
        self._terms = [Term(*term) for term in terms]
        self._order = order
        self._used = used
        self._uses = [[0, False, False] for _ in terms]

    def agreed(self, *, possible: bool, lasting: bool) -> tuple[Any, ...]:
        """The answer to PLAN."""
        return (possible, self._uses, self.estimatedCost, self.estimatedRows, self.idxFlags, self.orderByConsumed, self.idxStr or "", lasting)

    @property
    def nConstraint(self) -> int:  # noqa: N802
        return len(self._terms)

    @property
    def nOrderBy(self) -> int:  # noqa: N802
        return len(self._order)

    @property
    def colUsed(self) -> set[int]:  # noqa: N802
        return {column for column in range(64) if self._used >> column & 1}

    def get_aConstraint_op(self, which: int) -> int:  # noqa: N802
        return self._terms[which].operator

    def get_aConstraint_iColumn(self, which: int) -> int:  # noqa: N802
        return self._terms[which].column

    def get_aConstraint_usable(self, which: int) -> bool:  # noqa: N802
        return self._terms[which].usable

    def get_aConstraint_collation(self, which: int) -> str:  # noqa: N802
        return self._terms[which].collation or "BINARY"

    def get_aConstraint_rhs(self, which: int) -> Any:  # noqa: N802
        return self._terms[which].value

    def get_aConstraintUsage_in(self, which: int) -> bool:  # noqa: N802
        return self._terms[which].listed

    def set_aConstraintUsage_in(self, which: int, filter_all: bool) -> None:  # noqa: N802
        self._uses[which][2] = filter_all

    def set_aConstraintUsage_argvIndex(self, which: int, argvIndex: int) -> None:  # noqa: N802, N803
        self._uses[which][0] = argvIndex

    def set_aConstraintUsage_omit(self, which: int, omit: bool) -> None:  # noqa: N802
        self._uses[which][1] = omit

    def get_aOrderBy_iColumn(self, which: int) -> int:  # noqa: N802
        return int(self._order[which][0])

    def get_aOrderBy_desc(self, which: int) -> bool:  # noqa: N802
        return bool(self._order[which][1])
