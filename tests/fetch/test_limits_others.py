"""Another program uses the same key: what it takes is counted as soon as it shows, we back off when Klaviyo says 429, and recover."""

from __future__ import annotations

import threading
from collections import Counter

import httpx

from klaviyo_sql.fetch import Limits
from klaviyo_sql.fetch.limits import JOURNEY, Admission, Delay
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.model.request import Request
from klaviyo_sql.sandbox import SANDBOX_KEY, SANDBOX_URL, Account, Sandbox, SandboxTransport
from klaviyo_sql.settings import Settings
from klaviyo_sql.sqlite.connection import Connection

EVENT = Request("get_event", "GET", "/api/events/1")
PROFILES = Request("get_profiles", "GET", "/api/profiles")
LIMIT = "10, 10;w=1, 150;w=60"


def admitted(limits: Limits, request: Request) -> Admission:
    verdict = limits.admit(request)
    assert isinstance(verdict, Admission)
    return verdict


def told(remaining: int) -> httpx.Headers:
    return httpx.Headers({"RateLimit-Limit": LIMIT, "RateLimit-Remaining": str(remaining), "RateLimit-Reset": "0"})


def used(limits: Limits) -> int:
    return limits.remaining("get_event")[0].used


def sent_within(limits: Limits, seconds: float) -> int:
    """How many requests go out in so many seconds, each answered at once."""
    end, count = limits.clock.monotonic() + seconds, 0
    while limits.clock.monotonic() < end:
        verdict = limits.admit(EVENT)
        if isinstance(verdict, Delay):
            limits.clock.sleep(verdict.seconds)
        else:
            limits.answered(verdict)
            count += 1
    return count


def test_what_others_took_of_the_second_is_counted_once(clock: SimulatedClock) -> None:
    limits = Limits(clock, journey=JOURNEY)
    limits.answered(admitted(limits, EVENT), told(9))
    assert used(limits) == 1
    limits.answered(admitted(limits, EVENT), told(4))
    assert used(limits) == 6  # four that were not ours
    limits.answered(admitted(limits, EVENT), told(3))
    assert used(limits) == 7
    assert limits.remaining("get_event")[1].used == 7
    for _ in range(3):
        admitted(limits, EVENT)
    assert isinstance(limits.admit(EVENT), Delay)


def test_a_reply_that_took_long_tells_of_a_second_long_gone(clock: SimulatedClock) -> None:
    limits = Limits(clock, journey=JOURNEY)
    slow = admitted(limits, EVENT)
    for _ in range(5):
        limits.answered(admitted(limits, EVENT))
    clock.sleep(5)
    limits.answered(slow, told(4))
    assert limits.remaining("get_event")[1].used == 6


def test_requests_under_way_are_ours_and_not_others(clock: SimulatedClock) -> None:
    limits = Limits(clock, journey=JOURNEY)
    sent = [admitted(limits, EVENT) for _ in range(10)]
    for remaining, one in enumerate(reversed(sent)):
        limits.answered(one, told(remaining))
    assert used(limits) == 10


def test_after_a_429_the_pace_is_half_and_grows_again(clock: SimulatedClock) -> None:
    clock.sleep(1000)
    limits = Limits(clock)
    assert sent_within(limits, 1.0) == 10
    clock.sleep(100)
    limits.block("get_event", 2)
    limits.block("get_event", 2)  # what else was under way is refused too, and tells nothing new
    clock.sleep(2.001)
    assert sent_within(limits, 1.0) == 5
    clock.sleep(10)
    assert 6 <= sent_within(limits, 1.0) <= 7
    clock.sleep(40)
    assert sent_within(limits, 1.0) == 10


def test_it_never_stands_still(clock: SimulatedClock) -> None:
    clock.sleep(1000)
    limits = Limits(clock)
    for _ in range(20):
        limits.block("get_event", 1)
        clock.sleep(1.001)
    assert sent_within(limits, 1.0) == 1


def test_a_scan_beside_another_program_that_uses_half_the_limit(account: Account) -> None:
    """The other one sends five every four seconds, 75 of the 150 a minute, as a plain client does: without looking at what we do."""
    clock = SimulatedClock()
    sandbox = Sandbox(account, clock=clock)
    stranger = httpx.Client(
        transport=SandboxTransport(sandbox), base_url=SANDBOX_URL, headers={"Authorization": f"Klaviyo-API-Key {SANDBOX_KEY}", "revision": "2026-07-15"}
    )
    ids = [event["id"] for event in account.events_in_order()][:300]
    ours: Counter[int] = Counter()
    lock = threading.Lock()
    strange = 0

    class Beside(SandboxTransport):
        """Before each of our requests is answered, the stranger sends what it would have sent by now."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal strange
            with lock:
                while strange < clock.monotonic() * 1.25:
                    strange += 1
                    stranger.get(f"/api/events/{ids[0]}")
                response = super().handle_request(request)
                ours[response.status_code] += 1
                return response

    settings = Settings(api_key=SANDBOX_KEY, base_url=SANDBOX_URL, cache_seconds=0, parallel=4)
    with stranger, Connection(settings, transport=Beside(sandbox), clock=clock, limits=Limits(clock), sandbox=sandbox) as connection:
        query = f"SELECT id FROM events WHERE id IN ({','.join('?' * len(ids))})"
        assert sorted(row[0] for row in connection.execute(query, ids)) == sorted(ids)
        assert connection.execute("SELECT max(retries) FROM klaviyo_requests").fetchone()[0] <= 3
    assert strange > 100
    assert ours[200] == 300
    assert ours[429] <= 30
