"""Chains read side by side: how many requests are under way, whose page is next, and in which order rows come out.

The first page is one request. Only when its rows are used up does the window open, and it grows as pages are used: a query that stops early
costs what it read. Workers send and decode; everything is decided in the thread that wants the rows.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from threading import Event

from klaviyo_sql import errors
from klaviyo_sql.fetch import pages
from klaviyo_sql.fetch.client import Client
from klaviyo_sql.fetch.pages import Page
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.fetch.workers import Workers
from klaviyo_sql.model.request import Request
from klaviyo_sql.plan.scan import Chain, Check
from klaviyo_sql.plan.slices import Slice, Slicer, Slicing, within

_FIRST_WINDOW = 4
"""Requests under way when the consumer wants more than the first page."""
_WAITING_PAGES = 12
"""Pages that may lie ready beyond those under way; with pages of a megabyte this bounds the memory."""
_POLL_SECONDS = 0.05


@dataclass(slots=True)
class _Run:
    """One chain, or one slice of one, on its way."""

    chain: Chain
    request: Request | None
    slice: Slice | None = None
    slicer: Slicer | None = None
    first: bool = False
    """Whether this is the chain as it was planned, which stops where its first slice begins."""
    number: int = 0
    rows: int = 0
    under_way: bool = False
    seen: set[str] = field(default_factory=set)
    ready: deque[list[Row]] = field(default_factory=deque)

    @property
    def finished(self) -> bool:
        return self.request is None and not self.under_way


class Window:
    """Reads chains with up to `most` requests under way.

    `ordered` chains (one at a time) come out in the order of their key; otherwise pages come out as they arrive. `poll` is called every 50 ms while
    there is nothing to do but wait, and raises to end the scan. `until` gives the key at which rows without an upper (or lower) end are
    likely to end.
    """

    def __init__(
        self,
        client: Client,
        workers: Workers,
        chains: Iterable[Chain],
        *,
        most: int,
        ordered: bool,
        poll: Callable[[], None],
        until: Callable[[Chain], int],
    ) -> None:
        self._client = client
        self._workers = workers
        self._chains = iter(chains)
        self._most = most
        self._ordered = ordered
        self._poll = poll
        self._until = until
        self._window = 1
        self._under_way = 0
        self._runs: deque[_Run] = deque()
        """The runs that are not finished, in the order of their keys if that matters."""
        self._slicers: deque[Slicer] = deque()
        self._chain_of: dict[int, Chain] = {}
        self._outcomes: SimpleQueue[tuple[_Run, Page | BaseException]] = SimpleQueue()
        self._stop = Event()

    def pages(self) -> Iterator[tuple[Chain, list[Row]]]:
        """The pages, with the chain whose columns their rows have."""
        try:
            while True:
                self._fill()
                found = self._taken()
                if found is not None:
                    yield found
                    self._window = min(self._most, max(_FIRST_WINDOW, self._window * 2)) if self._most > 1 else 1
                elif self._under_way:
                    self._settle(*self._next_outcome())
                else:
                    return
        finally:
            self._stop.set()

    def _fill(self) -> None:
        """Send as many requests as the window allows."""
        while self._under_way < self._window and self._under_way + self._lying_ready() < self._window + _WAITING_PAGES:
            run = self._next_run()
            if run is None:
                return
            self._send(run)

    def _lying_ready(self) -> int:
        return sum(len(run.ready) for run in self._runs) + self._outcomes.qsize()

    def _next_run(self) -> _Run | None:
        """Whose page to ask for: a chain that was begun, then the next slice, then the next chain."""
        for run in self._runs:
            if run.request is not None and not run.under_way:
                return run
        while self._slicers:
            slicer = self._slicers[0]
            part = slicer.next()
            if part is not None:
                return self._begun(_slice_of(self._chain_of[id(slicer)], part, slicer))
            self._slicers.popleft()
        if self._ordered and self._runs:
            return None
        chain = next(self._chains, None)
        return None if chain is None else self._begun(_Run(chain, chain.request, first=True))

    def _begun(self, run: _Run) -> _Run:
        self._runs.append(run)
        return run

    def _send(self, run: _Run) -> None:
        request = run.request
        assert request is not None  # noqa: S101 - the run was chosen because it has one
        run.under_way = True
        run.number += 1
        run.seen.add(request.target)
        self._under_way += 1
        client, number, stop, outcomes = self._client, run.number, self._stop, self._outcomes

        def job() -> None:
            try:
                outcomes.put((run, pages.read(client, run.chain, request, number, stop.is_set)))
            except BaseException as error:
                outcomes.put((run, error))

        self._workers.run(job)

    def _next_outcome(self) -> tuple[_Run, Page | BaseException]:
        while True:
            try:
                return self._outcomes.get(timeout=_POLL_SECONDS)
            except Empty:
                self._poll()

    def _settle(self, run: _Run, outcome: Page | BaseException) -> None:
        """Take in what a worker brought."""
        self._under_way -= 1
        run.under_way = False
        if isinstance(outcome, BaseException):
            raise outcome
        rows, following = outcome.rows, outcome.following
        chain = run.chain
        run.rows += len(rows)
        if chain.most_rows is not None and run.rows >= chain.most_rows:
            following = None
        if following is not None and following.target in run.seen:
            raise self._client.garbage(following, "the link to the next page leads to one that was read before")
        if run.first and chain.slicing is not None and rows:
            rows, following = self._cut(run, rows, following)
        run.request = following
        for check in chain.checks:
            position = chain.columns.index(check.column)
            rows = [row for row in rows if check.holds(row[position])]
        run.ready.append(rows)
        if following is None and run.slicer is not None and run.slice is not None:
            run.slicer.learn(run.slice, run.rows)

    def _cut(self, run: _Run, rows: list[Row], following: Request | None) -> tuple[list[Row], Request | None]:
        """Of a chain that turns out to have more pages, what is behind its own part is left to slices."""
        slicing = run.chain.slicing
        assert slicing is not None  # noqa: S101 - asked only then
        position = run.chain.columns.index(slicing.column)
        keys = [row[position] for row in rows]
        if None in keys:
            return rows, following
        if any((b > a) if slicing.descending else (b < a) for a, b in itertools.pairwise(keys)):
            raise errors.OperationalError(
                f"Klaviyo did not return {run.chain.request.table} in the order that it was asked for, so the scan cannot be cut into parts; "
                "open the connection with parallel=1"
            )
        if run.number == 1 and following is not None and self._most > 1:
            slicer = Slicer(slicing, self._until(run.chain), self._most)
            if slicer.begin(slicing.key(keys[0]), slicing.key(keys[-1]), len(rows)):
                run.slicer, run.slice = slicer, slicer.reserved
                self._slicers.append(slicer)
                self._chain_of[id(slicer)] = run.chain
        if run.slice is None:
            return rows, following
        inside = _check(slicing, run.slice)
        kept = [row for row, key in zip(rows, keys, strict=True) if inside.holds(key)]
        return kept, following if len(kept) == len(rows) else None

    def _taken(self) -> tuple[Chain, list[Row]] | None:
        """A page that lies ready: the first run's when the order matters, else any."""
        while self._runs and self._runs[0].finished and not self._runs[0].ready:
            self._runs.popleft()
        if len(self._runs) > 4 * self._most:
            self._runs = deque(run for run in self._runs if run.ready or not run.finished)
        for run in self._runs:
            if run.ready:
                return run.chain, run.ready.popleft()
            if self._ordered:
                return None
        return None


def _check(slicing: Slicing, part: Slice) -> Check:
    """Whether a row is in the slice; rows that a widened filter lets in belong to its neighbor."""
    return Check(slicing.column, low=slicing.bound(part.low, inclusive=True), high=slicing.bound(part.high, inclusive=False))


def _slice_of(chain: Chain, part: Slice, slicer: Slicer) -> _Run:
    """A run of one slice."""
    slicing = slicer.slicing
    request = replace(chain.request, parameters=within(slicing, part, chain.request.parameters))
    return _Run(replace(chain, request=request, checks=(*chain.checks, _check(slicing, part))), request, part, slicer)
