"""What one statement may use of Klaviyo and of time, and what it has used: all its scans, joins, details and repeated tries together."""

from __future__ import annotations

import threading
from collections.abc import Callable

from klaviyo_sql import errors
from klaviyo_sql.model.clock import Clock, SystemClock


class Budget:
    """The budget of one statement, from its start; whatever is None is not bounded.

    `max_requests` bounds the requests that are sent (tries that are repeated count, replies from the cache do not), `max_rows` the rows that are
    handed on to SQL, and `seconds` the time from now on by the `clock`. `count_requests` bounds the requests of each scan of which no row is read: it
    only counts them. `narrowing` says of a table how a query of it can be made smaller.
    """

    def __init__(
        self,
        *,
        max_requests: int | None = None,
        max_rows: int | None = None,
        seconds: float | None = None,
        count_requests: int | None = None,
        clock: Clock | None = None,
        narrowing: Callable[[str], str] = lambda table: "Narrow the WHERE.",
    ) -> None:
        self.max_requests = max_requests
        self.max_rows = max_rows
        self.seconds = seconds
        self.count_requests = count_requests
        self.requests = 0
        self.rows = 0
        self._narrowing = narrowing
        self._clock = clock or SystemClock()
        self._ends = None if seconds is None else self._clock.monotonic() + seconds
        self._lock = threading.Lock()

    @property
    def left(self) -> int | None:
        """How many requests may still be sent; None: any number."""
        return None if self.max_requests is None else self.max_requests - self.requests

    def send(self, table: str) -> None:
        """Count one request before it is sent; BudgetExceeded when there is none left, StatementTimeout."""
        self.check_time(table)
        with self._lock:
            if self.max_requests is not None and self.requests >= self.max_requests:
                raise self._exceeded(
                    table, "requests", f"has sent {self.requests} {_requests(self.requests)} to Klaviyo, as many as it may", self.max_requests, "needs more"
                )
            self.requests += 1

    def foresee(self, table: str, requests: int) -> None:
        """BudgetExceeded when so many more requests, which are known to be needed, do not fit."""
        if self.max_requests is not None and self.requests + requests > self.max_requests:
            sent = f", after {self.requests} that it has sent" if self.requests else ""
            said = f"needs at least {requests} {_requests(requests)}{sent}, and may send {self.max_requests}"
            raise self._exceeded(table, "requests", said, self.max_requests, "is not begun")

    def read(self, rows: int) -> int:
        """Count the rows of a page; how many of them the statement may still have."""
        fitting = rows if self.max_rows is None else min(rows, self.max_rows - self.rows)
        self.rows += fitting
        return fitting

    def too_many_rows(self, table: str) -> errors.BudgetExceeded:
        """The exception for a statement that wants more rows than it may have."""
        return self._exceeded(table, "rows", f"has read {self.rows:,} rows from Klaviyo, as many as it may", self.max_rows or 0, "has more")

    def check_time(self, table: str = "") -> None:
        """StatementTimeout when the time is over."""
        if self._ends is None or self._clock.monotonic() < self._ends:
            return
        where = f" while reading {table}" if table else ""
        raise errors.StatementTimeout(
            f"The statement took longer than it may (statement_timeout is {self.seconds:g} s) and was ended{where}, after {self.requests} "
            f"{_requests(self.requests)}. {self._way_out(table)}, or raise statement_timeout."
        )

    def narrowed(self, table: str) -> str:
        """How a query of the table can be made smaller, as a sentence."""
        return self._narrowing(table)

    def _exceeded(self, table: str, what: str, said: str, most: int, more: str) -> errors.BudgetExceeded:
        return errors.BudgetExceeded(f"The statement {said} (max_{what} is {most}), and {table} {more}. {self._way_out(table)}, or raise max_{what}.")

    def _way_out(self, table: str) -> str:
        return f"{self._narrowing(table)} Add a LIMIT" if table else "Narrow the WHERE, add a LIMIT"


class CountBudget(Budget):
    """The part of a statement's budget that a scan may use as long as none of its rows is read."""

    def __init__(self, statement: Budget, hint: str) -> None:
        """`hint` is how else the rows could be counted, as a sentence, or nothing."""
        super().__init__(max_requests=statement.count_requests)
        self._statement = statement
        self._hint = hint

    def lift(self) -> None:
        """A row is read: from now on this is a scan like any other."""
        self.max_requests = None

    @property
    def left(self) -> int | None:
        """How many requests may still be sent; None: any number."""
        bounds = [left for left in (super().left, self._statement.left) if left is not None]
        return min(bounds, default=None)

    def send(self, table: str) -> None:
        """Count one request before it is sent; BudgetExceeded when there is none left, StatementTimeout."""
        with self._lock:
            if self.max_requests is not None and self.requests >= self.max_requests:
                said = f"The rows of {table} are only counted, and that has taken {self.requests} {_requests(self.requests)}, as many as a count may"
                hint = f"{self._statement.narrowed(table)} {self._hint}".rstrip(" .")
                raise errors.BudgetExceeded(f"{said} (count_requests is {self.max_requests}). {hint}, or raise count_requests.")
            self.requests += 1
        self._statement.send(table)

    def read(self, rows: int) -> int:
        """Count the rows of a page; how many of them the statement may still have."""
        return self._statement.read(rows)

    def too_many_rows(self, table: str) -> errors.BudgetExceeded:
        """The exception for a statement that wants more rows than it may have."""
        return self._statement.too_many_rows(table)

    def check_time(self, table: str = "") -> None:
        """StatementTimeout when the time is over."""
        self._statement.check_time(table)


def _requests(count: int) -> str:
    return "request" if count == 1 else "requests"
