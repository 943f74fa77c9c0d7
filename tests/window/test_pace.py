"""How a scan uses the time, by a clock that only replies move: requests, round trips, and what lies ready, each the same in every run."""

from __future__ import annotations

import heapq
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from klaviyo_sql.fetch import window as windows
from klaviyo_sql.fetch.budget import Budget
from klaviyo_sql.fetch.pages import Page
from klaviyo_sql.fetch.window import Window
from klaviyo_sql.model.request import Request
from klaviyo_sql.opening import opened
from klaviyo_sql.plan.chains import Chain
from klaviyo_sql.plan.scan import Order, Scan
from klaviyo_sql.sandbox import Sandbox, generate

PARALLEL = 20
PAGE = 1_000
BOUND = re.compile(r"(greater-or-equal|less-than)\(datetime,([^)]*)\)")
BEGAN, ENDED = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2024, 2026))


class Replies:
    """Replies on their way: each arrives a round trip after a thread was free to ask for it, sooner or later by some chance."""

    def __init__(self, spread: float, threads: int) -> None:
        self.now = 0.0
        self.asked = 0
        self.at_once = 0
        """The most that were under way or waited for a thread."""
        self._spread = spread
        self._threads = threads
        self._random = Random(7)
        self._coming: list[tuple[float, int, Any]] = []

    def put(self, outcome: Any) -> None:
        self.asked += 1
        ends = sorted(at for at, *_ in self._coming if at > self.now)
        began = self.now if len(ends) < self._threads else ends[-self._threads]
        heapq.heappush(self._coming, (began + 1 + self._spread * self._random.random(), self.asked, outcome))
        self.at_once = max(self.at_once, len(ends) + 1)

    def get(self, timeout: float | None = None) -> Any:
        at, _, outcome = heapq.heappop(self._coming)
        self.now = max(self.now, at)
        return outcome

    def empty(self) -> bool:
        return not self.qsize()

    def qsize(self) -> int:
        return sum(at <= self.now for at, *_ in self._coming)


class AtOnce:
    """Workers that do a job when they get it; its reply takes its time in `Replies`."""

    def run(self, job: Callable[[], None], *_: Any) -> None:
        job()


class Events:
    """Events at these seconds, and what Klaviyo would answer."""

    def __init__(self, seconds: list[int], size: Callable[[int], int] = lambda first: 100_000) -> None:
        self._seconds = sorted(seconds)
        self._size = size

    def page(self, client: Any, chain: Chain, request: Request, *_: Any, **__: Any) -> Page:
        named = dict(request.parameters)
        first, last = 0, len(self._seconds)
        for operator, text in BOUND.findall(named.get("filter", "")):
            place = bisect_left(self._seconds, int(datetime.fromisoformat(text).timestamp()))
            first, last = (place, last) if operator == "greater-or-equal" else (first, place)
        read = int(named.get("page[cursor]", 0))
        numbers = range(last - 1, first - 1, -1) if named["sort"].startswith("-") else range(first, last)
        page = numbers[read : read + PAGE]
        following = replace(request, parameters=tuple(sorted({**named, "page[cursor]": str(read + PAGE)}.items()))) if read + PAGE < len(numbers) else None
        shown = [(f"e{n}", datetime.fromtimestamp(self._seconds[n], UTC).strftime("%Y-%m-%d %H:%M:%S")) for n in page]
        return Page(shown, following, self._size(first))


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Scans the events; gives the rows as they come, and the replies with their clock."""
    connection = opened(":memory:", sandbox=Sandbox(generate(profiles=3, events=3)), autocommit=True, parallel=PARALLEL)
    table = connection.engine.tables["events"]
    position = table.index("datetime")

    def scan(
        events: Events, order: str = "", *, spread: float = 0.0, enough: int | None = None, parallel: int = PARALLEL, sifted: bool = False
    ) -> tuple[list[Any], Replies]:
        replies = Replies(spread, parallel)
        monkeypatch.setattr(windows, "SimpleQueue", lambda: replies)
        monkeypatch.setattr(windows.pages, "read", events.page)
        plan = connection.engine.plan(Scan(table, (0, position), (), Order(position, order == "DESC") if order else None))
        window = Window(
            None,  # type: ignore[arg-type]
            AtOnce(),  # type: ignore[arg-type]
            plan.chains,
            most=parallel,
            ordered=bool(order),
            sifted=sifted,
            poll=lambda: None,
            budget=Budget(),
            until=lambda chain: BEGAN if order == "DESC" else ENDED,
        )
        rows: list[Any] = []
        for _, page in window.pages():
            rows += page
            if enough is not None and len(rows) >= enough:
                break
        return rows, replies

    yield scan
    connection.close()


def evenly(count: int) -> list[int]:
    random = Random(3)
    return [random.randrange(BEGAN, ENDED) for _ in range(count)]


@pytest.mark.parametrize("order", ["", "ASC", "DESC"])
@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_a_long_scan_takes_little_more_time_than_twenty_pages_a_round_trip(order: str, spread: float, scanned: Any) -> None:
    pages = 100
    rows, replies = scanned(Events(evenly(pages * PAGE)), order, spread=spread)
    assert len(rows) == len({row[0] for row in rows}) == pages * PAGE
    possible = (1 + spread / 2) * (1 + pages / PARALLEL)
    assert replies.now <= (1.45 if order == "DESC" else 1.4) * possible, "of which most is the window opening, and the last pages of each slice"
    assert replies.asked <= 1.15 * pages, "slices have room, those of the last round trip most of all"
    assert PARALLEL < replies.at_once <= PARALLEL + PARALLEL // 3, "some wait for a thread, so that none waits for who reads"


def within(first: int, seconds: int, count: int) -> list[int]:
    random = Random(4)
    return [random.randrange(first, first + seconds) for _ in range(count)]


@pytest.mark.parametrize(("order", "most"), [("", 15), ("ASC", 22), ("DESC", 48)])
def test_a_dense_stretch_between_sparse_ones_is_read_side_by_side(order: str, most: int, scanned: Any) -> None:
    """Six hours with more events than the two years around them: followed as one chain they are sixty round trips."""
    events = evenly(40 * PAGE) + within((BEGAN + ENDED) // 2, 6 * 3600, 60 * PAGE)
    rows, replies = scanned(Events(events), order, spread=0.1)
    assert len(rows) == len(events)
    assert replies.now <= most
    assert replies.asked <= 160


@pytest.mark.parametrize("order", ["", "ASC", "DESC"])
def test_a_burst_costs_few_requests(order: str, scanned: Any) -> None:
    """Ten minutes in which a page and a half of events came say nothing of the days behind them."""
    even = evenly(100 * PAGE)
    usual = scanned(Events(even), order)[1]
    rows, replies = scanned(Events(even + within((BEGAN + ENDED) // 2, 600, PAGE + PAGE // 2)), order)
    assert len(rows) == 101 * PAGE + PAGE // 2
    assert replies.asked <= usual.asked + 8
    assert replies.now <= usual.now + 3


@pytest.mark.parametrize(("enough", "most"), [(1, 1), (PAGE, 1), (PAGE + 500, 21)])
def test_nothing_is_asked_for_far_ahead_of_who_reads(enough: int, most: int, scanned: Any) -> None:
    _, replies = scanned(Events(evenly(60 * PAGE)), enough=enough)
    assert replies.asked <= most


@pytest.mark.parametrize("enough", [2, 8, 16])
def test_of_a_scan_that_may_end_at_any_row_no_more_is_asked_for_ahead_than_was_used(enough: int, scanned: Any) -> None:
    rows, replies = scanned(Events(evenly(60 * PAGE)), enough=enough * 900, sifted=True)
    used = len(rows) / 900
    assert replies.asked <= used + max(4, used) + 1
    eager = scanned(Events(evenly(60 * PAGE)), enough=enough * 900)[1]
    assert replies.now <= eager.now + 2, "it takes few round trips more, for what is asked for doubles"


def test_replies_that_grow_do_not_stop_the_order(scanned: Any) -> None:
    """What may lie ready is bounded by bytes; a bound that shrinks while a burst holds up the order must not keep the burst from being read."""
    burst = [(3 * BEGAN + ENDED) // 4] * (9 * PAGE)
    events = evenly(60 * PAGE) + burst
    rows, _ = scanned(Events(events, size=lambda first: 1_000 if first < 45 * PAGE else 50_000_000), "ASC")
    assert len(rows) == len(events)
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
