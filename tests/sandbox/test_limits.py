"""Rate limits and the headers that tell of them, in simulated time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from klaviyo_sql.contract import operation
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Sandbox

from .conftest import Ask, asker


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(datetime(2026, 11, 20, 13, tzinfo=UTC))


@pytest.fixture
def ask(account: Account, clock: SimulatedClock) -> Ask:
    return asker(Sandbox(account, clock=clock, api_keys={SANDBOX_KEY: None, "other-key": None}))


def _limit_headers(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith(("RateLimit", "Retry"))}


def test_headers_tell_of_every_window_and_count_the_shortest(ask: Ask) -> None:
    for remaining in ("74", "73"):
        assert _limit_headers(ask("/api/profiles?page[size]=1").headers) == {
            "RateLimit-Limit": "75, 75;w=1, 750;w=60",
            "RateLimit-Remaining": remaining,
            "RateLimit-Reset": "0",
        }


def test_the_shortest_window(ask: Ask, clock: SimulatedClock) -> None:
    clock.sleep(0.25)
    assert [ask("/api/accounts").status for _ in range(3)] == [200, 429, 429]
    clock.sleep(0.7)
    assert ask("/api/accounts").status == 429
    clock.sleep(0.1)
    assert ask("/api/accounts").status == 200


def test_the_window_of_a_minute(ask: Ask, clock: SimulatedClock) -> None:
    for _ in range(15):
        assert ask("/api/accounts").status == 200
        clock.sleep(1)
    refused = ask("/api/accounts")
    assert refused.status == 429
    assert _limit_headers(refused.headers) == {"Retry-After": "45"}
    clock.sleep(45)
    assert ask("/api/accounts").status == 200


def test_a_throttled_reply_is_as_recorded(ask: Ask) -> None:
    ask("/api/accounts")
    refused = ask("/api/accounts")
    assert _limit_headers(refused.headers) == {"Retry-After": "1"}
    (error,) = refused.errors
    assert {**error, "id": ""} == {
        "meta": [],
        "code": "throttled",
        "detail": "Request was throttled. Expected available in 1 second.",
        "links": {"type": "https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling#rate-limits"},
        "id": "",
        "source": {"pointer": "/data"},
        "status": 429,
        "title": "Request was throttled.",
    }


def test_operations_and_keys_have_windows_of_their_own(ask: Ask, account: Account) -> None:
    assert ask("/api/accounts").status == 200
    assert ask("/api/accounts").status == 429
    assert ask(f"/api/accounts/{account.account['id']}").status == 200
    assert ask("/api/accounts", Authorization="Klaviyo-API-Key other-key").status == 200


def test_costly_requests_have_a_lower_limit(ask: Ask, account: Account) -> None:
    list_id = next(iter(account.lists))
    target = f"/api/lists/{list_id}?additional-fields[list]=profile_count"
    assert ask(f"/api/lists/{list_id}").headers["RateLimit-Limit"].startswith("75, ")
    assert ask(target).headers["RateLimit-Limit"] == "1, 1;w=1, 15;w=60"
    assert ask(target).status == 429
    assert ask(f"/api/lists/{list_id}").status == 200
    costly = ask("/api/profiles?page[size]=1&additional-fields[profile]=subscriptions,predictive_analytics")
    assert costly.headers["RateLimit-Limit"] == "10, 10;w=1, 150;w=60"
    profile_id = next(iter(account.profiles))
    assert ask(f"/api/profiles/{profile_id}?include=lists").headers["RateLimit-Limit"] == "1, 1;w=1, 15;w=60"


def test_refusals_count_and_say_so_but_strangers_do_not(ask: Ask) -> None:
    assert ask("/api/accounts", Authorization="Klaviyo-API-Key wrong").status == 401
    refused = ask("/api/accounts?nope=1")
    assert refused.status == 400
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert ask("/api/accounts").status == 429


def test_a_day_has_a_limit_of_its_own(account: Account, clock: SimulatedClock) -> None:
    ask = asker(Sandbox(account, clock=clock))
    daily = operation("create_list").rate.daily
    assert daily == 150
    statuses: list[int] = []
    last: Any = None
    for _ in range(daily + 1):
        last = ask("/api/lists", {}, method="POST")
        statuses.append(last.status)
        clock.sleep(2)
    # What is refused is counted as well.
    assert statuses == [400] * daily + [429]
    assert int(last.headers["Retry-After"]) > 80_000
    assert ask("/api/lists").status == 200


def test_without_limits_there_are_no_headers(account: Account) -> None:
    answer = asker(Sandbox(account, limits=False))("/api/accounts")
    assert _limit_headers(answer.headers) == {}


def test_latency_is_time_of_the_clock(account: Account, clock: SimulatedClock) -> None:
    asker(Sandbox(account, clock=clock, latency=0.2))("/api/accounts")
    assert clock.monotonic() == pytest.approx(0.2)
