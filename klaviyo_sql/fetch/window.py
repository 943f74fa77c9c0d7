"""Chains read side by side: how many requests are under way, whose page is next, and in which order rows come out.

The first page is one request. Only when its rows are used up does the window open, and it grows as pages are used: a query that stops early
costs what it read. Workers send and receive; everything is decoded and decided in the thread that wants the rows.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from operator import ge, itemgetter, le
from queue import Empty, SimpleQueue
from threading import Event

from klaviyo_sql import errors
from klaviyo_sql.fetch import pages
from klaviyo_sql.fetch.budget import Budget
from klaviyo_sql.fetch.client import Client
from klaviyo_sql.fetch.pages import Arrival, Page
from klaviyo_sql.fetch.refusals import is_about_the_cursor, subject, told
from klaviyo_sql.fetch.rows import GarbageError, Row
from klaviyo_sql.fetch.workers import Workers
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Id
from klaviyo_sql.plan.chains import Chain, Check
from klaviyo_sql.plan.slices import WHOLE, Slice, Slicer, Slicing, within

_FIRST_WINDOW = 4
"""Requests under way when the consumer wants more than the first page of a scan that may end early: of a LIMIT, or one that SQLite sifts."""
_FIRST_OPEN_WINDOW = 20
"""The same for a scan that nothing is known to end: who wants the second page of it mostly wants all. Pages that may lie ready come with the third."""
_LONGEST = 2
"""Pages that a slice may be meant to have when rows come as they arrive. Long slices waste fewer half-filled pages; in order, they would hold up the rest."""
_WAITING_BYTES = 12 * 2**20
"""Replies that may lie ready beyond those under way, as JSON, of which their rows need about as much: this bounds the memory."""
_UNREAD_BYTES = 4 * 2**20
"""Replies that may wait to be decoded, as they came."""
_WAITING_PAGES = (4, 20)
"""Pages that may lie ready whatever their size, and at the most. In order a page that takes longer holds up all behind it, and these keep coming."""
_THREADS_TO_A_WAITING_REQUEST = 3
"""Once the window is open, a request for each three threads waits until one is free: who brings a reply sends the next request, whatever the consumer does."""
_AHEAD_OF_WAITING = 10
"""Requests that may be under way for what comes before all that lies ready, however much that is: in order everything waits for it."""
_POLL_SECONDS = 0.05
_MORE_TRIES = 2
"""How often a page is asked for again that leads astray, and how often a chain is begun anew without getting on."""
_REMEMBERED_IDS = 50_000
"""Ids of one chain that are kept, so that it can be read again from its beginning; a chain that can be cut needs those of its last rows alone."""

_Outcome = Page | Arrival | BaseException


@dataclass(slots=True)
class _Run:
    """One chain, or one slice of one, on its way; `slicing` is how what is left of it can be cut."""

    chain: Chain
    request: Request | None
    slicing: Slicing | None
    slice: Slice = WHOLE
    slicer: Slicer | None = None
    """Whoever gave out the slice, and wants to know how many rows it has."""
    depth: int = 0
    """How many slices it is in that were meant to have a page or two."""
    number: int = 0
    rows: int = 0
    began: int | None = None
    """The key of its first row."""
    last: int | None = None
    """The key of its last row."""
    covered: int | None = None
    """The key up to which its slicer knows how many rows there are."""
    under_way: bool = False
    seen: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    """The ids of rows that a page may hold once more: all, or those of the last page and of the last key."""
    previous: set[str] = field(default_factory=set)
    """The ids of the last page."""
    forgetful: bool = False
    """Whether `known` are not all of them."""
    garbled: int = 0
    """How often in a row the next page could not be read."""
    astray: int = 0
    """How often in a row the next page was none to go on from."""
    begun_anew: int = 0
    """How often in a row its cursor was refused."""
    overlapping: bool = False
    """Whether it was begun anew and has rows to come that were read before."""
    ready: deque[list[Row]] = field(default_factory=deque)

    @property
    def finished(self) -> bool:
        return self.request is None and not self.under_way


@dataclass(slots=True)
class _Rest:
    """What is behind a run and still to be given out."""

    chain: Chain
    slicer: Slicer


class Window:
    """Reads chains with up to `most` requests under way, `first` of them before the first page was used.

    `ordered` chains (one at a time) come out in the order of their key; otherwise pages come out as they arrive. Of a `sifted` scan a few
    pages may turn out to be enough: no more of them are under way than were used, beyond the first few. `poll` is called every 50 ms while there is nothing
    to do but wait, and before a page is decoded, and raises to end the scan. `budget` is the statement's. `until` gives the key at which rows without an
    upper (or lower) end are likely to end.
    """

    def __init__(
        self,
        client: Client,
        workers: Workers,
        chains: Iterable[Chain],
        *,
        most: int,
        first: int = 1,
        ordered: bool,
        sifted: bool = False,
        poll: Callable[[], None],
        budget: Budget,
        until: Callable[[Chain], int],
    ) -> None:
        self._client = client
        self._workers = workers
        self._chains = iter(chains)
        self._most = most
        self._ordered = ordered
        self._sifted = sifted
        self._poll = poll
        self._budget = budget
        self._until = until
        self._window = first
        self._open = False
        """Whether pages may lie ready beyond the window: it was open already when a page was used."""
        self._used = 0
        """Pages that were handed on."""
        self._under_way = 0
        self._line: list[_Run | _Rest] = []
        """What is being read and what is left, in the order of the keys."""
        self._outcomes: SimpleQueue[tuple[_Run, _Outcome]] = SimpleQueue()
        self._failure: BaseException | None = None
        self._rows = 0
        self._limit: int | None = None
        self._page = 0
        self._table = ""
        """What was asked for last, for messages."""
        self._largest = 1
        """Bytes of the largest reply so far, as JSON."""
        self._largest_kept = 1
        """The same of replies as they came, mostly compressed."""
        self._cut_pages = 0
        """Pages asked for of chains that were cut."""
        self._stop = Event()

    def begin(self) -> None:
        """Send the first request already; whoever begins a window reads its pages or stops it."""
        self._fill()

    def stop(self) -> None:
        """Nobody wants more pages: what is under way is not tried again."""
        self._stop.set()

    def pages(self) -> Iterator[tuple[Chain, list[Row]]]:
        """The pages, with the chain whose columns their rows have."""
        try:
            while True:
                self._hear()
                found = self._taken()
                if found:
                    yield found.pop()  # not held here while it is used: the next page is decoded in the memory that this one leaves
                    self._used += 1
                    self._open = self._window >= self._most and self._limit is None and not self._sifted
                    self._window = min(self._most, self._wider())
                    continue
                if self._failure is not None:
                    raise self._failure
                self._fill(needed=True)
                if not self._under_way:
                    return
                self._settle(*self._next_outcome())
        finally:
            self.stop()

    def _wider(self) -> int:
        """How many requests may be under way after one more page was used."""
        if self._sifted:
            return max(_FIRST_WINDOW, self._used)
        return max(_FIRST_OPEN_WINDOW if self._limit is None else _FIRST_WINDOW, self._window * 2)

    def _hear(self) -> None:
        """Take in what has arrived, as much as it takes to have something to use and the next requests on their way; the rest is decoded when it is used.

        Errors wait until nothing is left to use.
        """
        while self._failure is None:
            if self._window > 1:
                self._fill()  # ahead of the consumer, once it has shown that it wants more than a page
            if self._outcomes.empty() or (
                self._with_next() is not None
                and self._outcomes.qsize() * self._largest_kept <= _UNREAD_BYTES
                and (self._window == 1 or not self._has_room() or self._has_enough())
            ):
                return
            self._look_up()
            self._settle(*self._outcomes.get())

    def _has_enough(self) -> bool:
        """Whether the rows that came, and half of what is under way, are all that a LIMIT wants: then nothing more is asked for ahead of need."""
        return self._limit is not None and self._rows + self._under_way * self._page / 2 >= self._limit

    def _fill(self, *, needed: bool = False) -> None:
        """Send as many requests as the window allows; one at least when it is needed: whatever lies ready may wait for it.

        None is sent ahead of the consumer that the budget may not have, or that a LIMIT will not want.
        """
        while self._failure is None:
            if (needed and not self._under_way) or (self._has_room() and not self._has_enough()):
                run = self._next_run()
            elif self._holds_up():
                run = self._next_run(first=True)
            else:
                return
            if run is None or (self._under_way and self._budget.left is not None and self._budget.left <= self._under_way):
                return
            self._send(run)

    def _holds_up(self) -> bool:
        """Whether as much lies ready as may, but behind what is still to come: of that a few may be under way nevertheless."""
        return self._open and self._ordered and self._under_way < _AHEAD_OF_WAITING

    def _has_room(self) -> bool:
        """Whether one more may be under way.

        Until the window is open no pages may lie ready beyond it, so that it opens no faster than pages are used; nor when a LIMIT says how many are enough.
        What has arrived is not under way, but lies ready, though nobody may have looked at it.
        """
        least, most = _WAITING_PAGES
        waiting = min(most, max(least, _WAITING_BYTES // self._largest)) if self._open else 0
        ready = sum(len(run.ready) for run in self._line if isinstance(run, _Run))
        # With one request at a time the next page is known only when this one is decoded: another chain's would come before it.
        arrived = self._outcomes.qsize() if self._most > 1 else 0
        window = self._window + (self._most // _THREADS_TO_A_WAITING_REQUEST if self._open else 0)
        return self._under_way - arrived < window and self._under_way + ready < window + waiting

    def _next_run(self, *, first: bool = False) -> _Run | None:
        """Whose page to ask for: the first in line that has one to come, else the next chain. With `first`, only what comes before all that lies ready."""
        for place, item in enumerate(self._line):
            if isinstance(item, _Run):
                if first and item.ready:
                    return None
                if item.request is not None and not item.under_way:
                    return item
                continue
            part = item.slicer.next()
            if part is not None:
                run = _slice_of(item, part)
                self._line.insert(place, run)
                return run
        if first or (self._ordered and any(isinstance(item, _Run) for item in self._line)):
            return None
        chain = next(self._chains, None)
        if chain is None:
            return None
        if chain.slicing is not None and chain.slicing.limit is not None:
            # LIMIT counts the rows of all chains together; each alone needs no more pages than that.
            self._most = min(self._most, math.ceil(chain.slicing.limit / chain.slicing.page))
            self._limit = chain.slicing.limit
            self._page = chain.slicing.page
        run = _Run(chain, chain.request, chain.slicing)
        self._line.append(run)
        return run

    def _send(self, run: _Run) -> None:
        request = run.request
        assert request is not None  # noqa: S101 - the run was chosen because it has one
        run.under_way = True
        run.number += 1
        run.seen.add(request.target)
        self._under_way += 1
        self._table = request.table
        self._cut_pages += run.slicer is not None
        client, budget, stop, outcomes = self._client, self._budget, self._stop, self._outcomes
        # Where a scan is cut is decided by what arrives when: its slices are not asked for again like the pages of a chain are.
        cache = max(run.number, self._cut_pages if run.slicer is not None else 0) <= pages.CACHED_PAGES and not run.chain.fresh

        def job() -> None:
            try:
                outcomes.put((run, pages.read(client, run.chain, request, budget, stop.is_set, queue=stop, cache=cache)))
            except BaseException as error:
                outcomes.put((run, error))

        self._workers.run(job, stop)

    def _next_outcome(self) -> tuple[_Run, _Outcome]:
        while True:
            self._look_up()
            with suppress(Empty):
                return self._outcomes.get(timeout=_POLL_SECONDS)

    def _look_up(self) -> None:
        """Whether the scan is to end: asked while it waits, and before each page that is decoded."""
        self._budget.check_time(self._table)
        self._poll()

    def _settle(self, run: _Run, outcome: _Outcome) -> None:
        """Take in what a worker brought."""
        self._under_way -= 1
        run.under_way = False
        if isinstance(outcome, Arrival):
            try:
                outcome = outcome.page()
            except GarbageError as error:
                self._ask_again(run, str(error), run.garbled < pages.MORE_TRIES)
                run.garbled += 1
                return
            except errors.Error as error:
                outcome = error
            run.garbled = 0
        if isinstance(outcome, BaseException):
            if run.request is None or not is_about_the_cursor(outcome, run.request):
                self._failure = outcome
            else:
                self._begin_anew(run, outcome)
            return
        rows, following = outcome.rows, outcome.following
        self._largest = max(self._largest, outcome.size)
        self._largest_kept = max(self._largest_kept, outcome.kept)
        chain = run.chain
        ids = _ids(chain, rows)
        if self._is_astray(run, ids, following):
            return
        rows = _unread(run, rows, ids)
        run.rows += len(rows)
        if chain.most_rows is not None and run.rows >= chain.most_rows:
            following = None
        if run.slicer is not None and run.number == 1:
            run.slicer.hear(len(rows))
        if run.slicing is not None and rows:
            rows, following = self._cut(run, run.slicing, rows, following)
        run.request = following
        for check in chain.checks:
            position = chain.columns.index(check.column)
            rows = [row for row in rows if check.holds(row[position])]
        run.ready.append(rows)
        self._rows += len(rows)
        if run.slicer is not None:
            _learn(run, run.slicer, rows)

    def _cut(self, run: _Run, slicing: Slicing, rows: list[Row], following: Request | None) -> tuple[list[Row], Request | None]:
        """Of a chain that turns out to be long, what is behind its own part is left to others; its rows beyond that are theirs."""
        position = run.chain.columns.index(slicing.column)
        keys = list(map(itemgetter(position), rows))
        if None in keys:
            return rows, following
        if following is not None and self._most > 1:
            first, last = slicing.key(keys[0]), slicing.key(keys[-1])
            run.began = first if run.began is None else run.began
            usual = run.slicer.rows_per_second if run.slicer is not None else (run.rows - len(rows)) / max(1, abs(first - run.began))
            longest = 1 if self._ordered else _LONGEST
            rest = Slicer(slicing.inside(run.slice), self._until(run.chain), self._most, longest, run.depth, usual)
            kept = rest.begin(first, last, len(keys))
            if kept is not None:
                run.slice = kept
                self._line.insert(self._line.index(run) + 1, _Rest(run.chain, rest))
        if run.slice == WHOLE:
            return rows, following
        if not all(map(ge if slicing.descending else le, keys, keys[1:])):
            raise errors.OperationalError(
                f"Klaviyo did not return {run.chain.request.table} in the order that it was asked for, so the scan cannot be cut into parts; "
                "open the connection with parallel=1"
            )
        inside = _check(slicing, run.slice)
        beyond = not inside.holds(keys[-1])
        if beyond or not inside.holds(keys[0]):
            rows = [row for row, key in zip(rows, keys, strict=True) if inside.holds(key)]
        return rows, None if beyond else following

    def _is_astray(self, run: _Run, ids: set[str], following: Request | None) -> bool:
        """Whether the page is none to go on from: it is asked for again, and an error if it stays so."""
        if following is not None and following.target in run.seen:
            reason = "the link to the next page leads to one that was read before"
        elif ids and ids <= run.known and (not run.overlapping or ids <= run.previous):
            reason = "it has the rows of a page before it once more"
        else:
            run.astray = 0
            return False
        self._ask_again(run, reason, run.astray < _MORE_TRIES)
        run.astray += 1
        return True

    def _ask_again(self, run: _Run, reason: str, may: bool) -> None:
        """What came cannot be used: it is asked for once more, if it may be, else that is the error."""
        assert run.request is not None  # noqa: S101 - it was sent
        error = self._client.garbage(run.request, reason)
        if not may:
            self._failure = error
        run.number -= 1

    def _begin_anew(self, run: _Run, error: BaseException) -> None:
        """Read on without the cursor that Klaviyo does not take any more: from the last key, or from the beginning; rows that were read are known."""
        # A request of its own: rows have been read, so that what a count could be instead of them is not asked for any more.
        request = replace(run.chain.request)
        slicing = run.slicing
        if run.begun_anew >= _MORE_TRIES or (run.last is None and run.forgetful):
            text = f"Klaviyo does not take the cursor of a page of {subject(request)} any more, and the rows before it cannot be told from those behind it"
            if run.begun_anew:
                text = f"Klaviyo refused the cursor of a page of {subject(request)} {run.begun_anew + 1} times, and reading anew did not get on"
            reasons = list(error.errors) if isinstance(error, errors.Error) else []
            raise told(errors.OperationalError(f"{text}: run the statement again, and read its rows without long pauses."), request, 400, reasons)
        if slicing is not None and run.last is not None:
            low, high = run.slice.low, run.slice.high
            run.slice = Slice(low, run.last + 1) if slicing.descending else Slice(run.last, high)
            inside = slicing.inside(run.slice)
            request = replace(request, parameters=within(slicing, Slice(inside.low, inside.high), request.parameters))
            run.rows, run.began = 0, None
        run.request = request
        run.begun_anew += 1
        run.number = pages.CACHED_PAGES  # pages in the cache link on by cursors that are as old
        run.overlapping = True
        run.previous = set()
        run.seen.clear()

    def _taken(self) -> list[tuple[Chain, list[Row]]]:
        """A page that lies ready, if there is one: the first in line when the order matters, else any.

        Of the page that has more rows than the statement may have those that it may, and an error for when it wants more.
        """
        self._line = [item for item in self._line if not (item.slicer.done if isinstance(item, _Rest) else item.finished and not item.ready)]
        run = self._with_next()
        if run is None:
            return []
        rows = run.ready.popleft()
        fitting = self._budget.read(len(rows))
        if fitting < len(rows):
            self._failure = self._budget.too_many_rows(run.chain.request.table)
            self._line.clear()
        return [(run.chain, rows[:fitting])]

    def _with_next(self) -> _Run | None:
        """Whose page is to be used next, if it is there."""
        for item in self._line:
            if isinstance(item, _Run) and item.ready:
                return item
            if self._ordered and not (item.slicer.done if isinstance(item, _Rest) else item.finished):
                return None  # it is still under way, or, of a range that was cut once more, not even asked for
        return None


def _ids(chain: Chain, rows: list[Row]) -> set[str]:
    """The ids of the rows; none where rows have none."""
    position = next((position for position, column in enumerate(chain.decoded) if isinstance(column.place, Id)), None)
    return set() if position is None else set(map(itemgetter(position), rows))


def _unread(run: _Run, rows: list[Row], ids: set[str]) -> list[Row]:
    """The rows that did not come before; what has to be known of these is remembered."""
    if not ids:
        return rows
    unread = rows
    repeated = not run.known.isdisjoint(ids)
    if repeated or len(ids) < len(rows):
        position = next(position for position, column in enumerate(run.chain.decoded) if isinstance(column.place, Id))
        unread = [row for row in rows if row[position] not in run.known]
        if not run.chain.each:  # of links and elements a resource has several rows, all of them on one page
            unread = list({row[position]: row for row in unread}.values())
    keep = run.overlapping
    key = None if run.slicing is None else run.chain.columns.index(run.slicing.column)
    if run.slicing is not None and key is not None and rows[-1][key] is not None:
        # All rows of the last key are on this page, unless the page begins with that key.
        keep = keep or rows[0][key] == rows[-1][key]
        run.last = run.slicing.key(rows[-1][key])
    else:
        keep = keep or len(run.known) < _REMEMBERED_IDS
        run.forgetful = run.forgetful or not keep
    if keep:
        run.known |= ids
    else:
        run.known = ids
    run.previous = ids
    run.overlapping = run.overlapping and repeated
    if unread:
        run.begun_anew = 0
    return unread


def _learn(run: _Run, slicer: Slicer, rows: list[Row]) -> None:
    """Tell how many rows a page brought, of how much of the key: at once, for slices that take several pages are the dense ones."""
    start, end = (run.slice.high, run.slice.low) if slicer.slicing.descending else (run.slice.low, run.slice.high)
    start = start if run.covered is None else run.covered
    run.covered = end if run.request is None else run.last
    if start is not None and run.covered is not None:
        slicer.learn(len(rows), abs(run.covered - start))


def _check(slicing: Slicing, part: Slice) -> Check:
    """Whether a row is in the slice; rows that a widened filter lets in belong to its neighbor."""
    return Check(slicing.column, low=slicing.bound(part.low, inclusive=True), high=slicing.bound(part.high, inclusive=False))


def _slice_of(rest: _Rest, part: Slice) -> _Run:
    """A run of one slice."""
    slicing, chain = rest.slicer.slicing, rest.chain
    request = replace(chain.request, parameters=within(slicing, part, chain.request.parameters))
    return _Run(chain, request, slicing, part, rest.slicer, rest.slicer.depth if rest.slicer.gives_whole else rest.slicer.depth + 1)
