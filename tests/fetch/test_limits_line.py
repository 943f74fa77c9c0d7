"""Those who wait for a limit: everybody is served, in a fair order, and whoever leaves lets the next one go."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

import httpx
import pytest

from klaviyo_sql import errors
from klaviyo_sql.fetch import Client, Limits
from klaviyo_sql.fetch.ledger import Admission, Ledger
from klaviyo_sql.fetch.line import Line, Place
from klaviyo_sql.fetch.meter import Delay
from klaviyo_sql.fetch.turns import Patience, admitted
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.model.request import Request
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import SANDBOX_KEY, SANDBOX_URL, Account, Sandbox, SandboxTransport

ACCOUNTS = Request("get_accounts", "GET", "/api/accounts")
EVENT = "get_event"
LONG, SHORT = object(), object()


def nobody() -> bool:
    return False


def soon(condition: Callable[[], bool]) -> None:
    """Return when it is so: other threads take the time that they take."""
    for _ in range(20_000):
        if condition():
            return
        time.sleep(0.0005)
    raise AssertionError("it never came to be")


class Waiting:
    """Threads that wait for one limit, one after the other, whose last place is taken until `open`."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.limits = Limits(clock)
        first = self.limits.admit(ACCOUNTS)
        assert isinstance(first, Admission)
        self._first = first
        self.served: list[str] = []
        self.ended: dict[str, object] = {}
        self._threads: list[threading.Thread] = []

    def add(self, name: str, queue: object, interrupted: Callable[[], bool] = nobody, most: float = 120.0) -> None:
        """One more thread, which stands in line when this returns."""
        line = self.limits.line(ACCOUNTS)
        before = len(line)
        thread = threading.Thread(target=self._wait, args=(name, queue, interrupted, most))
        self._threads.append(thread)
        thread.start()
        soon(lambda: len(line) > before or name in self.ended)

    def open(self) -> None:
        """Let the request come back that everybody waits for."""
        self.limits.answered(self._first)

    def join(self) -> list[str]:
        """The names in the order in which they were served."""
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()
        return self.served

    def _wait(self, name: str, queue: object, interrupted: Callable[[], bool], most: float) -> None:
        try:
            verdict = admitted(self.limits, ACCOUNTS, queue, Patience(most), interrupted)
        except errors.Interrupted as error:
            self.ended[name] = error
            return
        self.ended[name] = verdict
        if isinstance(verdict, Admission):
            # Nobody else is admitted before the window lets one more in, which is after this one was answered.
            self.served.append(name)
            self.limits.answered(verdict)


def order(line: Line, places: dict[str, Place]) -> list[str]:
    """The names in the order in which they become first."""
    found = []
    while places:
        name = next(name for name, place in places.items() if line.is_first(place))
        found.append(name)
        line.leave(places.pop(name))
    return found


def test_within_a_queue_who_came_first_goes_first() -> None:
    line = Line()
    assert order(line, {name: line.join(LONG) for name in "abcde"}) == list("abcde")
    assert len(line) == 0


def test_queues_take_turns() -> None:
    line = Line()
    places = {f"{name}{number}": line.join(queue) for queue, name, count in ((LONG, "a", 4), (SHORT, "b", 1), (line, "c", 2)) for number in range(count)}
    assert order(line, places) == ["a0", "b0", "c0", "a1", "c1", "a2", "a3"]


def test_leaving_from_the_middle_and_twice_changes_nothing_for_the_others() -> None:
    line = Line()
    places = {name: line.join(LONG) for name in "abc"}
    gone, lonely = line.join(LONG), line.join(SHORT)
    line.leave(gone)
    line.leave(gone)
    line.leave(lonely)
    assert order(line, places) == ["a", "b", "c"]
    assert len(line) == 0


def test_those_behind_the_first_are_sent_along_in_their_order_as_long_as_there_are_tickets() -> None:
    line = Line[Any]()
    places = {f"{name}{number}": line.join(queue) for queue, name, count in ((LONG, "a", 3), (SHORT, "b", 2), (line, "c", 1)) for number in range(count)}
    tickets = iter([1, 2, 3])
    line.send_along(lambda: next(tickets, None))
    assert {name: place.ticket for name, place in places.items() if place.ticket} == {"b0": 1, "c0": 2, "a1": 3}
    assert [name for name, place in places.items() if place.bell.is_set()] == ["a1", "b0", "c0"]
    assert len(line) == 3
    for name in ("b0", "c0", "a1"):
        line.leave(places.pop(name))  # with a ticket one is in nobody's way any more
    assert order(line, places) == ["a0", "b1", "a2"]
    line.send_along(pytest.fail)  # nobody is there, so that no ticket is made


def test_room_for_many_is_given_to_many_at_once(clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    request, opened_books = Request("get_list", "GET", "/api/lists/A"), []
    limits = Limits(clock)
    assert limits.remaining("get_list")[0].limit > 10
    ledger_opened = Ledger.open

    def counted(self: Ledger) -> Any:
        opened_books.append(self)
        return ledger_opened(self)

    line = limits.line(request)
    first = line.join(LONG)  # somebody who has the books open, until all others have come
    served: list[Admission] = []

    def serve() -> None:
        verdict = admitted(limits, request, LONG, Patience(60), nobody)
        assert isinstance(verdict, Admission)
        served.append(verdict)

    threads = [threading.Thread(target=serve) for _ in range(10)]
    for number, thread in enumerate(threads, 2):
        thread.start()
        soon(lambda number=number: len(line) == number)
    monkeypatch.setattr(Ledger, "open", counted)
    verdict = limits.admit(request)
    assert isinstance(verdict, Admission)
    line.leave(first)
    for thread in threads:
        thread.join(30)
    assert len({admission.slot for admission in [verdict, *served]}) == 11
    assert len(opened_books) == 1
    assert limits.remaining("get_list")[0].used == 11


def test_who_is_interrupted_as_a_ticket_comes_gives_it_back(clock: SimulatedClock) -> None:
    request = Request("get_list", "GET", "/api/lists/A")
    limits = Limits(clock)
    line = limits.line(request)
    first = line.join(LONG)

    def interrupted() -> bool:
        return limits.remaining("get_list")[0].used > 0  # it has its ticket, and has not looked yet

    ended: list[BaseException] = []

    def wait() -> None:
        try:
            admitted(limits, request, LONG, Patience(60), interrupted)
        except errors.Interrupted as error:
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    soon(lambda: len(line) == 2)
    assert isinstance(limits.admit(request), Admission)
    line.leave(first)
    thread.join(30)
    assert ended
    assert limits.remaining("get_list")[0].used == 1
    assert len(line) == 0


def test_twenty_threads_are_served_in_the_order_in_which_they_came(clock: SimulatedClock) -> None:
    waiting = Waiting(clock)
    names = [f"{number:02}" for number in range(20)]
    for name in names:
        waiting.add(name, LONG)
    waiting.open()
    assert waiting.join() == names
    assert clock.monotonic() >= 60  # 15 a minute


def test_a_short_query_is_next_however_many_requests_of_a_long_one_wait(clock: SimulatedClock) -> None:
    waiting = Waiting(clock)
    for number in range(12):
        waiting.add(f"long {number}", LONG)
    waiting.add("short", SHORT)
    waiting.open()
    served = waiting.join()
    assert served[:3] == ["long 0", "short", "long 1"]  # the first was already waiting for the limit
    assert len(served) == 13


@pytest.mark.parametrize("victim", [0, 3, 5], ids=["first", "middle", "last"])
def test_whoever_is_interrupted_leaves_the_line_sound(clock: SimulatedClock, victim: int) -> None:
    waiting = Waiting(clock)
    interrupted = threading.Event()
    for number in range(6):
        waiting.add(str(number), LONG, interrupted.is_set if number == victim else nobody)
    interrupted.set()
    soon(lambda: str(victim) in waiting.ended)
    assert isinstance(waiting.ended[str(victim)], errors.Interrupted)
    waiting.open()
    assert waiting.join() == [str(number) for number in range(6) if number != victim]
    assert len(waiting.limits.line(ACCOUNTS)) == 0


def test_whoever_waits_behind_a_more_patient_one_hears_at_once_that_it_takes_too_long(clock: SimulatedClock) -> None:
    waiting = Waiting(clock)
    waiting.add("patient", LONG, most=1e9)
    waiting.limits.block("get_accounts", 7200)
    waiting.add("impatient", SHORT)
    soon(lambda: "impatient" in waiting.ended)
    verdict = waiting.ended["impatient"]
    assert isinstance(verdict, Delay)
    assert verdict.refused
    waiting.open()
    assert waiting.join() == ["patient"]


def test_time_in_line_is_not_what_max_wait_bounds(clock: SimulatedClock) -> None:
    waiting = Waiting(clock)
    names = [f"{number:02}" for number in range(40)]
    for name in names:
        waiting.add(name, LONG, most=60.0)
    waiting.open()
    assert waiting.join() == names
    assert clock.monotonic() > 120


def test_slow_threads_at_a_small_limit_are_all_served_and_meet_no_429(account: Account) -> None:
    """A request that is slow in coming back holds up the simulated time, instead of having it race ahead."""
    sandbox = Sandbox(account, clock=SimulatedClock())
    chance = random.Random(1)

    class Slow(SandboxTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if chance.random() < 0.1:
                time.sleep(0.005)
            return super().handle_request(request)

    client = Client(api_key=SANDBOX_KEY, base_url=SANDBOX_URL, transport=Slow(sandbox), clock=sandbox.clock, limits=Limits(sandbox.clock), cache_seconds=0)
    paths: SimpleQueue[str] = SimpleQueue()
    for event in account.events_in_order()[:400]:
        paths.put(f"/api/events/{event['id']}")
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while True:
                client.send(Request(EVENT, "GET", paths.get_nowait()))
        except Empty:
            return
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Counter(record.status for record in sandbox.requests) == {200: 400}
    # 150 a minute.
    assert 120 <= sandbox.clock.monotonic() < 300


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_has_a_line_of_its_own_and_does_not_wait_for_its_parents_replies(clock: SimulatedClock) -> None:
    waiting = Waiting(clock)
    waiting.add("parent", LONG)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if isinstance(admitted(waiting.limits, ACCOUNTS, SHORT, Patience(120), nobody), Admission) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    waiting.open()
    assert waiting.join() == ["parent"]


def test_each_scan_is_a_queue(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox(account, clock=SimulatedClock())
    queues: list[object] = []

    def noted(limits: Limits, request: Request, queue: object, *others: Any) -> Admission | Delay:
        queues.append(queue)
        return admitted(limits, request, queue, *others)

    monkeypatch.setattr("klaviyo_sql.fetch.client.admitted", noted)
    connection = opened(":memory:", sandbox=sandbox, autocommit=True, cache_seconds=0, parallel=4)
    for _ in range(2):
        connection.execute("SELECT count(*) FROM profiles").fetchall()
    connection.close()
    counted = Counter(map(id, queues))
    assert len(counted) == 2
    assert min(counted.values()) >= 5
