"""Rows that nobody reads: a scan whose columns may turn out never to be asked for, because SQLite only counts the rows, or skips them.

Whether they are is known when SQLite has had the first page: until then it is a scan like any other. If it goes on without having read anything, it is
enough to know how many rows there are. Rows that are asked for after all are read then, so that the answer is the same either way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from klaviyo_sql.errors import OperationalError
from klaviyo_sql.fetch import CountBudget
from klaviyo_sql.fetch.rows import Row

_AT_ONCE = 10_000
"""Rows of a page that are only counted."""

Count = Callable[[list[Row]], int | None]
"""How many rows a scan has that begins with this page; None when they have to be read."""


class UnreadRows:
    """The pages of a scan, whose rows are alike in all that is known to be read of them; an iterator like that of any scan.

    Whoever uses the rows says so with `reading` when more is read of one than that.
    """

    def __init__(self, table: str, pages: Iterator[list[Row]], count: Count, budget: CountBudget) -> None:
        self._table = table
        self._pages = pages
        self._count: Count | None = count
        self._budget = budget
        self._handed = 0
        """Rows of the pages that were read and handed on."""
        self._counted = 0
        """Rows that were only counted and handed on before the page at hand."""
        self._at_hand = 0
        """Rows of the page at hand that were only counted; 0 when it was read."""
        self._left = 0
        """Rows that were only counted and are to be handed on."""
        self._page: list[Row] = []
        """The page that was read last."""
        self._like: Row = ()
        """What is known of them."""

    def __iter__(self) -> Iterator[list[Row]]:
        return self

    def __next__(self) -> list[Row]:
        if self._count is not None and self._handed:
            self._try_to_count(self._count)
        if self._left:
            self._counted += self._at_hand
            self._at_hand = min(self._left, _AT_ONCE)
            self._left -= self._at_hand
            return [self._like] * self._at_hand
        if self._at_hand:
            raise StopIteration
        page = next(self._pages)
        self._handed += len(page)
        self._like = page[0]
        self._page = page
        return page

    def _try_to_count(self, count: Count) -> None:
        """After the first page: how many more rows there are, if that can be known without them."""
        self._count = None
        total = count(self._page)
        if total is not None and total > self._handed:
            self._left = total - self._handed

    def reading(self, page: list[Row], at: int) -> tuple[list[Row], int]:
        """A row is read: the page that it is in, and where, for a row of the page at hand. From now on this is a scan like any other.

        OperationalError when Klaviyo counted more rows than it has.
        """
        self._budget.lift()
        self._count = None
        if not self._at_hand:
            return page, at
        skipped = self._counted + at
        self._left = self._at_hand = self._counted = 0
        for following in self._pages:
            self._handed += len(following)
            if skipped < len(following):
                return following, skipped
            skipped -= len(following)
        raise OperationalError(
            f"Klaviyo counted more rows of {self._table} than it returned, because they changed meanwhile: run the statement again, or let the rows be "
            'counted as they are read (counts = "rows").'
        )

    def close(self) -> None:
        """Nobody wants the rest."""
        close = getattr(self._pages, "close", None)
        if close is not None:
            close()
