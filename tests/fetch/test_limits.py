"""Limits: no window of the server's is ever overrun, wherever it starts, and little of what is allowed is wasted."""

from __future__ import annotations

import heapq
import random
from collections import Counter

import httpx
import pytest

from klaviyo_sql import contract, errors
from klaviyo_sql.fetch.limits import JOURNEY, Admission, Delay, Limits, rate_of, shared_limits
from klaviyo_sql.model.clock import SimulatedClock, SystemClock
from klaviyo_sql.model.request import Request

EVENTS = Request("get_events", "GET", "/api/events")
PROFILES = Request("get_profiles", "GET", "/api/profiles")
REPORT = Request("query_flow_values", "POST", "/api/flow-values-reports")
ACCOUNTS = Request("get_accounts", "GET", "/api/accounts")


def admitted(limits: Limits, request: Request) -> Admission:
    verdict = limits.admit(request)
    assert isinstance(verdict, Admission)
    return verdict


def delayed(limits: Limits, request: Request) -> Delay:
    verdict = limits.admit(request)
    assert isinstance(verdict, Delay)
    return verdict


def arrivals(request: Request, *, seconds: float, workers: int, latency: float, seed: int) -> list[float]:
    """The instants at which a server sees the requests of so many workers, each of which sends as soon as the limits let it.

    Nothing is waited for: the events are played in the order of their times. A request arrives anywhere between sending and reply,
    but not later than connecting may take: that much the limits rely on.
    """
    chance = random.Random(seed)
    clock = SimulatedClock()
    limits = Limits(clock, journey=JOURNEY)
    seen: list[float] = []
    events: list[tuple[float, int, Admission | None]] = [(0.0, worker, None) for worker in range(workers)]
    while events:
        at, worker, admission = heapq.heappop(events)
        if at > seconds:
            continue
        clock.sleep(at - clock.monotonic())
        if admission is not None:
            limits.answered(admission)
        verdict = limits.admit(request)
        if isinstance(verdict, Delay):
            heapq.heappush(events, (at + verdict.seconds, worker, None))
        else:
            duration = chance.uniform(0.01, latency)
            seen.append(at + chance.uniform(0.0, min(duration, JOURNEY)))
            heapq.heappush(events, (at + duration, worker, verdict))
    return seen


def fullest(instants: list[float], window: int, phase: float) -> int:
    return max(Counter(int((instant + phase) // window) for instant in instants).values())


@pytest.mark.parametrize(
    ("request_", "workers", "latency"),
    [(ACCOUNTS, 3, 0.3), (REPORT, 2, 20.0), (PROFILES, 8, 0.3), (PROFILES, 20, 2.5)],
    ids=lambda value: value.operation if isinstance(value, Request) else None,
)
@pytest.mark.parametrize("seed", range(3))
def test_no_fixed_window_is_overrun_wherever_it_starts(request_: Request, workers: int, latency: float, seed: int) -> None:
    instants = arrivals(request_, seconds=190, workers=workers, latency=latency, seed=seed)
    rate = contract.operation(request_.operation).rate
    for step in range(25):
        assert fullest(instants, 1, step / 25) <= rate.burst
        assert fullest(instants, 60, step * 2.4) <= rate.steady


@pytest.mark.parametrize(("request_", "minutes"), [(ACCOUNTS, 20), (PROFILES, 10), (EVENTS, 4)], ids=["accounts", "profiles", "events"])
def test_nearly_all_that_is_allowed_is_used_and_never_more(request_: Request, minutes: int) -> None:
    rate = contract.operation(request_.operation).rate
    instants = arrivals(request_, seconds=60 * minutes, workers=20, latency=0.3, seed=1)
    # Without the first minute, which is a full one whatever comes after.
    assert sum(instant > 61 for instant in instants) >= 0.9 * (minutes - 1) * rate.steady
    for step in range(10):
        assert fullest(instants, 1, step / 10) <= rate.burst
        assert fullest(instants, 60, step * 6.0) <= rate.steady


def test_a_day_has_its_limit_and_its_end(clock: SimulatedClock) -> None:
    limits = Limits(clock, journey=JOURNEY)
    for _ in range(225):
        while isinstance(verdict := limits.admit(REPORT), Delay):
            assert verdict.seconds <= 61
            clock.sleep(verdict.seconds)
        limits.answered(verdict)
    clock.sleep(120)
    delay = delayed(limits, REPORT)
    assert 70_000 < delay.seconds < 86_400
    assert delay.limit == "225 requests a day"
    clock.sleep(delay.seconds)
    admitted(limits, REPORT)


def test_a_request_that_was_never_sent_does_not_count(clock: SimulatedClock) -> None:
    limits = Limits(clock, journey=JOURNEY)
    limits.unsent(admitted(limits, ACCOUNTS))
    limits.answered(admitted(limits, ACCOUNTS))
    assert delayed(limits, ACCOUNTS).limit == "1 request a second"


def test_costly_columns_are_counted_by_their_own_lower_rate(clock: SimulatedClock) -> None:
    costly = Request("get_profiles", "GET", "/api/profiles", (("additional-fields[profile]", "subscriptions,predictive_analytics"),))
    cheap = Request("get_profiles", "GET", "/api/profiles", (("additional-fields[profile]", "subscriptions"),))
    assert rate_of(costly) == contract.Rate(10, 150)
    assert rate_of(cheap) == contract.Rate(75, 750)
    limits = Limits(clock, journey=JOURNEY)
    for _ in range(10):
        admitted(limits, costly)
    assert delayed(limits, costly).limit == "10 requests a second"
    admitted(limits, cheap)
    assert [(left.rate.burst, left.seconds, left.remaining) for left in limits.remaining("get_profiles")] == [
        (75, 1, 74),
        (75, 60, 749),
        (10, 1, 0),
        (10, 60, 140),
    ]


def test_operations_do_not_share_their_limits(clock: SimulatedClock) -> None:
    limits = Limits(clock, journey=JOURNEY)
    admitted(limits, ACCOUNTS)
    delayed(limits, ACCOUNTS)
    admitted(limits, PROFILES)
    assert limits.operations == ("get_accounts", "get_profiles")


@pytest.mark.parametrize(("header", "expected"), [("5, 5;w=1, 20;w=60", 5), ("5,5; w=1,20; w=60,30;w=86400", 5), ("garbage", 75), ("0, 0;w=1", 75)])
def test_the_header_overrules_the_contract(clock: SimulatedClock, header: str, expected: int) -> None:
    limits = Limits(clock, journey=JOURNEY)
    assert limits.answered(admitted(limits, PROFILES), httpx.Headers({"RateLimit-Limit": header, "RateLimit-Remaining": "4"})) == 4
    for _ in range(expected - 1):
        limits.answered(admitted(limits, PROFILES))
    delayed(limits, PROFILES)
    left = {left.seconds: left.limit for left in limits.remaining("get_profiles")}
    assert left[1] == expected
    assert left.get(86400) == (30 if "86400" in header else None)


def test_a_limit_that_is_lowered_below_what_was_sent_waits_for_enough_to_leave(clock: SimulatedClock) -> None:
    limits = Limits(clock, journey=JOURNEY)
    for _ in range(10):
        limits.answered(admitted(limits, PROFILES))
        clock.sleep(0.01)
    limits.answered(admitted(limits, PROFILES), httpx.Headers({"RateLimit-Limit": "2, 2;w=1, 700;w=60"}))
    clock.sleep(delayed(limits, PROFILES).seconds)
    admitted(limits, PROFILES)


def test_nothing_is_sent_before_the_reset_when_nothing_remains(clock: SimulatedClock) -> None:
    limits = Limits(clock, journey=JOURNEY)
    limits.answered(admitted(limits, PROFILES), httpx.Headers({"RateLimit-Remaining": "0", "RateLimit-Reset": "3"}))
    assert delayed(limits, PROFILES).seconds == pytest.approx(3)
    clock.sleep(3.001)
    limits.answered(admitted(limits, PROFILES), httpx.Headers({"RateLimit-Remaining": "0", "RateLimit-Reset": "0"}))
    admitted(limits, PROFILES)


def test_a_block_holds_for_the_whole_operation_and_is_never_shortened(clock: SimulatedClock) -> None:
    limits = Limits(clock, journey=JOURNEY)
    limits.block("get_profiles", 30)
    limits.block("get_profiles", 1)
    assert delayed(limits, PROFILES) == Delay(30, "Klaviyo's Retry-After", refused=True)
    left = limits.remaining("get_profiles")[0]
    assert left.remaining == 0
    assert left.free_at is not None
    assert (left.free_at - clock.now()).total_seconds() == pytest.approx(30)
    admitted(limits, EVENTS)


def test_what_remains_of_an_unused_operation_is_all() -> None:
    burst, steady, daily = Limits().remaining("query_flow_values")
    assert [(left.limit, left.used, left.remaining, left.free_at) for left in (burst, steady, daily)] == [
        (1, 0, 1, None),
        (2, 0, 2, None),
        (225, 0, 225, None),
    ]


def test_an_operation_that_is_not_in_the_contract_is_our_mistake(clock: SimulatedClock) -> None:
    with pytest.raises(errors.InternalError, match="get_nothing"):
        Limits(clock, journey=JOURNEY).admit(Request("get_nothing", "GET", "/api/nothing"))


def test_one_account_has_one_set_of_limits_in_a_process() -> None:
    first = shared_limits("https://a.klaviyo.com", "digest", SystemClock())
    assert shared_limits("https://a.klaviyo.com", "digest", SystemClock()) is first
    assert shared_limits("https://a.klaviyo.com", "another", SystemClock()) is not first
    assert shared_limits("https://b.klaviyo.com", "digest", SystemClock()) is not first
    clock = SimulatedClock()
    simulated = shared_limits("https://a.klaviyo.com", "digest", clock)
    assert simulated is not first
    assert simulated is shared_limits("https://a.klaviyo.com", "digest", clock)
    assert simulated is not shared_limits("https://a.klaviyo.com", "digest", SimulatedClock())


def test_a_simulated_clock_that_runs_ahead_does_not_make_a_request_arrive() -> None:
    # Other threads sleep through minutes before the thread that was admitted gets to send.
    clock = SimulatedClock()
    limits = Limits(clock)
    traveling = admitted(limits, ACCOUNTS)
    clock.sleep(10 * JOURNEY)
    delayed(limits, ACCOUNTS)
    limits.answered(traveling)
    clock.sleep(2)
    admitted(limits, ACCOUNTS)
