"""Reading after writing: nothing stale, and no order made anew that need not be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account, Sandbox, endpoints
from klaviyo_sql.sandbox.account import event_order
from klaviyo_sql.sandbox.selection import Ordered

from .conftest import Ask, asker, walk
from .writes import document, linkage

EVENTS = "/api/events?page[size]=1000&sort=datetime"


@pytest.fixture
def sorted_anew(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many resources each order had that was made from nothing."""
    made: list[int] = []

    class Counted(Ordered):
        def __init__(self, resources: Iterable[Any], key: Callable[[Any], Any]) -> None:
            super().__init__(resources, key)
            made.append(len(self.keys))

    monkeypatch.setattr(endpoints, "Ordered", Counted)
    return made


def _event(email: str, **attributes: Any) -> dict[str, Any]:
    metric, profile = document("metric", {"name": "Rated"}), document("profile", {"email": email})
    return document("event", {"properties": {}, "metric": metric, "profile": profile, **attributes})


def test_writes_do_not_sort_the_events_again(send: Ask, clock: SimulatedClock, fresh_account: Account, sorted_anew: list[int]) -> None:
    assert len(send(EVENTS).ids) == sorted_anew[0]
    sorted_anew.clear()
    profile_id = send("/api/profiles", document("profile", {"email": "a@example.com"})).document["data"]["id"]
    list_id = send("/api/lists", document("list", {"name": "A"})).document["data"]["id"]
    send(f"/api/lists/{list_id}/relationships/profiles", {"data": linkage("profile", [profile_id])})
    send(f"/api/profiles/{profile_id}", document("profile", {"first_name": "A"}, identifier=profile_id), method="PATCH")
    send(f"/api/lists/{list_id}", method="DELETE")
    assert send(EVENTS).ids == [event["id"] for event in fresh_account.events]
    for number, time in enumerate(("2026-11-20T13:00:00Z", "2020-01-01T00:00:00Z", "2026-05-05T05:05:05Z")):
        assert send("/api/events", _event("a@example.com", time=time, unique_id=str(number))).status == 202
        clock.sleep(6)
        assert send(EVENTS).ids == [event["id"] for event in fresh_account.events]
    assert sorted_anew == []
    assert fresh_account.events == sorted(fresh_account.events, key=event_order)


def test_an_order_grows_by_what_its_filter_lets_through(send: Ask, clock: SimulatedClock, fresh_account: Account, sorted_anew: list[int]) -> None:
    send("/api/events", _event("a@example.com", unique_id="0"))
    clock.sleep(6)
    (profile_id,) = send('/api/profiles?filter=equals(email,"a@example.com")').ids
    target = f'/api/events?sort=-datetime&filter=equals(profile_id,"{profile_id}"),less-than(datetime,2026-11-21T00:00:00Z)'
    assert len(send(target).ids) == 1
    sorted_anew.clear()
    send("/api/events", _event("a@example.com", time="2026-11-19T00:00:00Z", unique_id="1"))
    send("/api/events", _event("b@example.com", time="2026-11-19T00:00:00Z", unique_id="2"))
    clock.sleep(6)
    newest, oldest = send(target).ids
    assert [event["id"] for event in fresh_account.events_of_profile(profile_id)] == [oldest, newest]
    assert sorted_anew == []


def test_pages_hold_while_events_come(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    pages = walk(send, "/api/events?page[size]=50&sort=datetime")
    before = [event["id"] for event in fresh_account.events_in_order()]
    seen = next(pages).ids
    send("/api/events", _event("a@example.com", time="1999-01-01T00:00:00Z"))
    clock.sleep(6)
    for page in pages:
        seen += page.ids
    assert seen == before


def test_rows_that_are_remembered_are_those_of_now(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    """What an event looks like depends on its profile, when that is included, though the order of the events does not."""
    event = next(event for event in fresh_account.events if event["profile_id"])
    profile_id = event["profile_id"]
    target = f'{EVENTS}&include=profile&filter=equals(profile_id,"{profile_id}")'
    send(target)
    send(f"/api/profiles/{profile_id}", document("profile", {"first_name": "Changed"}, identifier=profile_id), method="PATCH")
    assert [profile["attributes"]["first_name"] for profile in send(target).document["included"]] == ["Changed"]
    gone = document("data-privacy-deletion-job", {"profile": document("profile", {}, identifier=profile_id)})
    assert send("/api/data-privacy-deletion-jobs", gone).status == 202
    clock.sleep(6)
    assert send(target).ids == []
    found = {item["id"]: item["relationships"]["profile"]["data"] for item in send(f"{EVENTS}&include=profile").document["data"]}
    assert found[event["id"]] is None


def test_events_that_tests_change_by_hand_are_seen(send: Ask, fresh_account: Account) -> None:
    assert len(send(EVENTS).ids) == len(fresh_account.events)
    fresh_account.events.pop()
    fresh_account.changed()
    assert send(EVENTS).ids == [event["id"] for event in fresh_account.events]


def test_what_is_written_later_comes_in_the_order_in_which_it_is_due(fresh_account: Account, clock: SimulatedClock) -> None:
    send = asker(Sandbox(fresh_account, clock=clock, limits=False, visible_after=20))
    job = document("profile-bulk-import-job", {"profiles": {"data": [document("profile", {"email": "a@example.com"})["data"]]}})
    send("/api/events", _event("a@example.com"))
    send("/api/profile-bulk-import-jobs", job)
    clock.sleep(30)
    (profile_id,) = send('/api/profiles?filter=equals(email,"a@example.com")').ids
    assert len(fresh_account.events_of_profile(profile_id)) == 1
    assert fresh_account.profiles[profile_id]["attributes"]["created"] == "2026-11-20T13:00:00+00:00"


def test_writes_and_reads_at_the_same_time(fresh_sandbox: Sandbox, fresh_account: Account) -> None:
    send = asker(fresh_sandbox)
    number, before = len(fresh_account.lists), set(fresh_account.profiles)
    profile_ids = list(before)

    def work(worker: int) -> list[int]:
        statuses = []
        for turn in range(25):
            list_id = send("/api/lists", document("list", {"name": f"{worker} {turn}"})).document["data"]["id"]
            statuses.append(send(f"/api/lists/{list_id}/relationships/profiles", {"data": linkage("profile", profile_ids)}).status)
            statuses.append(send("/api/profiles", document("profile", {"external_id": f"{worker} {turn}"})).status)
            statuses.append(send(f"/api/profiles/{profile_ids[worker]}?include=lists,segments").status)
            statuses.append(send(f"/api/lists/{list_id}/profiles?page[size]=100").status)
            statuses.append(send("/api/events?page[size]=100&include=profile").status)
        return statuses

    with ThreadPoolExecutor(4) as pool:
        outcomes = [status for statuses in pool.map(work, range(4)) for status in statuses]
    assert sorted(set(outcomes)) == [200, 201, 204]
    assert len(fresh_account.lists) == number + 100
    assert len(fresh_account.profiles) == len(before) + 100
    assert all(set(members) == before for list_id, members in list(fresh_account.list_members.items())[-100:])
