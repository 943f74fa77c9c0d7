"""Events created in bulk, and what an event does to its profile."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account

from .conftest import Answer, Ask
from .writes import document, refusal

WITHIN = "/data/attributes/events-bulk-create/data"


def _event(name: str = "Rated", **attributes: Any) -> dict[str, Any]:
    event: dict[str, Any] = document("event", {"properties": {}, "metric": document("metric", {"name": name}), **attributes})["data"]
    return event


def _group(email: str | None, *events: dict[str, Any], meta: Any = None, **profile: Any) -> dict[str, Any]:
    who = document("profile", ({"email": email} if email else {}) | profile, meta=meta)
    return {"type": "event-bulk-create", "attributes": {"profile": who, "events": {"data": list(events)}}}


def _create(send: Ask, *groups: dict[str, Any]) -> Answer:
    return send("/api/event-bulk-create-jobs", document("event-bulk-create-job", {"events-bulk-create": {"data": list(groups)}}))


def test_events_of_several_profiles(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    before = {event["id"] for event in fresh_account.events}
    known = next(profile for profile in fresh_account.profiles.values() if profile["attributes"]["email"])
    groups = [
        _group("new@example.com", _event(unique_id="1", value=2.5, time="2026-01-02T03:04:05Z"), _event("Other", unique_id="1"), first_name="New"),
        _group(known["attributes"]["email"].upper(), _event(unique_id="1"), title="Changed", meta={"patch_properties": {"append": {"tags": "x"}}}),
    ]
    assert _create(send, *groups) == (202, {}, None)
    assert {event["id"] for event in fresh_account.events} == before
    clock.sleep(6)
    (new,) = send('/api/profiles?filter=equals(email,"new@example.com")').document["data"]
    assert new["attributes"]["first_name"] == "New"
    rated, other = fresh_account.events_of_profile(new["id"])
    assert (rated["attributes"]["datetime"], rated["attributes"]["event_properties"]) == ("2026-01-02T03:04:05+00:00", {"$event_id": "1", "$value": 2.5})
    assert other["attributes"]["datetime"] == "2026-11-20T13:00:00+00:00"
    assert new["attributes"]["last_event_date"] == "2026-11-20T13:00:00+00:00"
    assert (known["attributes"]["title"], known["attributes"]["properties"]["tags"]) == ("Changed", ["x"])
    assert len(fresh_account.events) == len(before) + 3
    names = {metric["attributes"]["name"]: metric["id"] for metric in fresh_account.metrics.values()}
    assert (rated["metric_id"], other["metric_id"]) == (names["Rated"], names["Other"])


def test_an_event_is_kept_once_however_it_is_sent(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    number = len(fresh_account.events)
    profile = {"profile": document("profile", {"email": "a@example.com"})}
    for _ in range(2):
        assert _create(send, _group("a@example.com", _event(unique_id="1"), _event(unique_id="1", value=9), _event(unique_id="2"))).status == 202
        assert send("/api/events", {"data": _event(unique_id="1", **profile)}).status == 202
        clock.sleep(6)
        send("/api/metrics")
        assert len(fresh_account.events) == number + 2


def test_an_event_never_clears_a_profile_and_takes_nobodys_identifier(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    first = send("/api/profiles", document("profile", {"email": "a@example.com", "first_name": "Ada"})).document["data"]["id"]
    second = send("/api/profiles", document("profile", {"external_id": "theirs"})).document["data"]["id"]
    profile = {"email": "a@example.com", "external_id": "theirs", "first_name": None, "phone_number": "+12025550100"}
    assert send("/api/events", {"data": _event(profile=document("profile", profile))}).status == 202
    clock.sleep(6)
    send("/api/metrics")
    own, theirs = (fresh_account.profiles[identifier]["attributes"] for identifier in (first, second))
    assert (own["first_name"], own["external_id"], own["phone_number"]) == ("Ada", None, "+12025550100")
    assert theirs["external_id"] == "theirs"
    assert len(fresh_account.events_of_profile(first)) == 1


def test_an_event_of_somebody_deleted_meanwhile_is_lost_alone(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    profile_id = send("/api/profiles", document("profile", {"email": "a@example.com"})).document["data"]["id"]
    number = len(fresh_account.events)
    gone = document("data-privacy-deletion-job", {"profile": document("profile", {"email": "a@example.com"})})
    assert send("/api/data-privacy-deletion-jobs", gone).status == 202
    lost = _group(None, _event())
    lost["attributes"]["profile"]["data"]["id"] = profile_id
    assert _create(send, lost, _group("b@example.com", _event())).status == 202
    clock.sleep(6)
    assert send("/api/metrics").status == 200
    assert len(fresh_account.events) == number + 1
    assert profile_id not in fresh_account.profiles


def test_no_more_than_a_thousand(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    number = len(fresh_account.events)
    groups = [_group(f"p{group}@example.com", *[_event(unique_id=f"{group}-{event}") for event in range(100)]) for group in range(10)]
    one_more = [*groups, _group("more@example.com", _event())]
    assert refusal(_create(send, *one_more)) == (400, [WITHIN])
    assert _create(send, *groups).status == 202
    clock.sleep(6)
    send("/api/metrics")
    assert len(fresh_account.events) == number + 1000


@pytest.mark.parametrize(
    ("groups", "pointers"),
    [
        ([], [WITHIN]),
        ([_group("a@example.com")], [WITHIN]),
        ([_group("a@example.com", _event()), _group(None, _event())], [f"{WITHIN}/1/attributes/profile/data/attributes"]),
        ([_group("bad", _event())], [f"{WITHIN}/0/attributes/profile/data/attributes/email"]),
        (
            [_group("a@example.com", _event("x" * 128), _event(), _event(time="2030-01-01T00:00:00Z"))],
            [f"{WITHIN}/0/attributes/events/data/0/attributes/metric/data/attributes/name", f"{WITHIN}/0/attributes/events/data/2/attributes/time"],
        ),
        (
            [_group("a@example.com", _event(properties={str(number): 1 for number in range(401)}))],
            [f"{WITHIN}/0/attributes/events/data/0/attributes/properties"],
        ),
        (
            [_group("a@example.com", _event(properties={"a": [{"b": "x" * 100_001}]}))],
            [f"{WITHIN}/0/attributes/events/data/0/attributes/properties"],
        ),
        ([_group("a@example.com", _event(value="1"))], [f"{WITHIN}/0/attributes/events/data/0/attributes/value"]),
    ],
)
def test_a_batch_is_refused_whole(send: Ask, clock: SimulatedClock, fresh_account: Account, groups: list[dict[str, Any]], pointers: list[str]) -> None:
    number, profiles = len(fresh_account.events), set(fresh_account.profiles)
    assert refusal(_create(send, *groups)) == (400, pointers)
    clock.sleep(6)
    send("/api/metrics")
    assert (len(fresh_account.events), set(fresh_account.profiles)) == (number, profiles)
