"""Profiles created, changed, merged and deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account

from .conftest import Answer, Ask
from .described import hold_against
from .writes import document, linkage, refusal

Change = Callable[..., Answer]
NOW = "2026-11-20T13:00:00+00:00"


@pytest.fixture
def profile_id(send: Ask) -> str:
    attributes = {
        "email": "Ada@Example.com",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "location": {"city": "London", "latitude": "51.5", "longitude": -0.1},
        "properties": {"skus": ["A", "B"], "plan": "pro", "score": 7},
    }
    created = send("/api/profiles", document("profile", attributes))
    assert created.status == 201
    identifier: str = created.document["data"]["id"]
    return identifier


@pytest.fixture
def change(send: Ask, profile_id: str) -> Change:
    return lambda meta=None, **attributes: send(
        f"/api/profiles/{profile_id}", document("profile", attributes, identifier=profile_id, meta=meta), method="PATCH"
    )


def _duplicate_of(answer: Answer) -> str:
    (error,) = answer.errors
    assert (answer.status, error["code"], error["title"]) == (409, "duplicate_profile", "Conflict.")
    assert error["source"] == {"pointer": "/data/attributes"}
    identifier: str = error["meta"]["duplicate_profile_id"]
    return identifier


def test_a_profile_is_created(send: Ask, profile_id: str, fresh_account: Account) -> None:
    attributes = fresh_account.profiles[profile_id]["attributes"]
    assert len(profile_id) == 26
    assert attributes["email"] == "ada@example.com"
    assert attributes["phone_number"] is None
    assert (attributes["created"], attributes["updated"], attributes["last_event_date"]) == (NOW, NOW, None)
    assert attributes["location"]["city"] == "London"
    assert attributes["location"]["zip"] is None
    assert attributes["properties"] == {"skus": ["A", "B"], "plan": "pro", "score": 7}
    assert send('/api/profiles?filter=equals(email,"ada@example.com")').ids == [profile_id]


def test_the_reply_has_what_is_asked_for(send: Ask) -> None:
    plain = send("/api/profiles", document("profile", {"external_id": "1"}))
    hold_against("create_profile", plain.document)
    assert "subscriptions" not in plain.document["data"]["attributes"]
    more = send("/api/profiles?additional-fields[profile]=subscriptions", document("profile", {"external_id": "2"}))
    hold_against("create_profile", more.document)
    assert more.document["data"]["attributes"]["subscriptions"]["email"]["marketing"]["consent"] == "NEVER_SUBSCRIBED"


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({}, "/data/attributes"),
        ({"first_name": "Nobody"}, "/data/attributes"),
        ({"email": "", "phone_number": None}, "/data/attributes"),
        ({"email": "no address"}, "/data/attributes/email"),
        ({"email": "a@b"}, "/data/attributes/email"),
        ({"phone_number": "0123 456"}, "/data/attributes/phone_number"),
        ({"phone_number": "+012345678"}, "/data/attributes/phone_number"),
        ({"email": "a@example.com", "id": "X"}, "/data/attributes/id"),
        ({"email": "a@example.com", "subscriptions": {}}, "/data/attributes/subscriptions"),
        ({"email": "a@example.com", "properties": []}, "/data/attributes/properties"),
        ({"email": "a@example.com", "location": {"town": "X"}}, "/data/attributes/location/town"),
    ],
)
def test_bad_profiles(send: Ask, fresh_account: Account, attributes: dict[str, Any], pointer: str) -> None:
    before = set(fresh_account.profiles)
    for target in ("/api/profiles", "/api/profile-import"):
        assert refusal(send(target, document("profile", attributes))) == (400, [pointer])
    assert set(fresh_account.profiles) == before


@pytest.mark.parametrize("target", ["/api/profiles", "/api/profile-import"])
def test_a_profile_may_not_be_too_large(send: Ask, target: str) -> None:
    assert refusal(send(target, document("profile", {"email": "a@example.com", "properties": {"a": "x" * 100_000}}))) == (413, ["/data"])


@pytest.mark.parametrize("identifier", [{"email": "ADA@example.com"}, {"external_id": "e1"}, {"phone_number": "+12025550100"}])
def test_an_identifier_is_owned_once(send: Ask, profile_id: str, change: Change, fresh_account: Account, identifier: dict[str, str]) -> None:
    assert change(external_id="e1", phone_number="+12025550100").status == 200
    before = dict(fresh_account.profiles)
    assert _duplicate_of(send("/api/profiles", document("profile", {"last_name": "Other", **identifier}))) == profile_id
    other = send("/api/profiles", document("profile", {"external_id": "other"})).document["data"]["id"]
    theirs = fresh_account.profiles[other]["attributes"]
    answer = send(f"/api/profiles/{other}", document("profile", identifier, identifier=other), method="PATCH")
    assert _duplicate_of(answer) == profile_id
    assert fresh_account.profiles[other]["attributes"] == theirs
    assert set(fresh_account.profiles) - set(before) == {other}


def test_only_what_is_sent_changes_and_null_clears(send: Ask, profile_id: str, change: Change, clock: SimulatedClock, fresh_account: Account) -> None:
    clock.sleep(60)
    before = fresh_account.profiles[profile_id]["attributes"]
    kept = dict(before)
    answer = change(last_name=None, title="Countess", location={"zip": "W1"})
    assert answer.status == 200
    hold_against("update_profile", answer.document)
    after = fresh_account.profiles[profile_id]["attributes"]
    changed = {name for name in after if after[name] != kept[name]}
    assert changed == {"last_name", "title", "location", "updated"}
    assert (after["last_name"], after["title"], after["updated"]) == (None, "Countess", "2026-11-20T13:01:00+00:00")
    assert (after["location"]["city"], after["location"]["zip"]) == ("London", "W1")
    assert before == kept
    assert change(location=None).status == 200
    assert set(fresh_account.profiles[profile_id]["attributes"]["location"].values()) == {None}


def test_an_identifier_moves(send: Ask, profile_id: str, change: Change) -> None:
    assert change(email="new@example.com").status == 200
    assert send("/api/profiles", document("profile", {"email": "ada@example.com"})).status == 201
    assert _duplicate_of(send("/api/profiles", document("profile", {"email": "new@example.com"}))) == profile_id
    assert refusal(change(email=None)) == (400, ["/data/attributes"])
    assert change(email=None, external_id="e").status == 200
    assert send("/api/profiles", document("profile", {"email": "new@example.com"})).status == 201


@pytest.mark.parametrize(
    ("meta", "attributes", "properties"),
    [
        (None, {"properties": {"plan": "free", "new": None}}, {"skus": ["A", "B"], "plan": "free", "score": 7, "new": None}),
        (None, {"properties": None}, {}),
        ({"unset": "plan"}, {}, {"skus": ["A", "B"], "score": 7}),
        ({"unset": ["plan", "skus", "never there"]}, {}, {"score": 7}),
        ({"append": {"skus": "C"}}, {}, {"skus": ["A", "B", "C"], "plan": "pro", "score": 7}),
        ({"append": {"skus": ["C", "D"], "more": 1}}, {}, {"skus": ["A", "B", "C", "D"], "plan": "pro", "score": 7, "more": [1]}),
        ({"unappend": {"skus": "A", "none": 1}}, {}, {"skus": ["B"], "plan": "pro", "score": 7}),
        ({"append": {"skus": "C"}, "unset": "score"}, {"properties": {"plan": "x"}}, {"skus": ["A", "B", "C"], "plan": "x"}),
    ],
)
def test_properties_are_patched(
    change: Change,
    profile_id: str,
    fresh_account: Account,
    meta: dict[str, Any] | None,
    attributes: dict[str, Any],
    properties: dict[str, Any],
) -> None:
    assert change(meta={"patch_properties": meta} if meta else None, **attributes).status == 200
    assert fresh_account.profiles[profile_id]["attributes"]["properties"] == properties


def test_secondary_addresses(send: Ask, change: Change, profile_id: str, fresh_account: Account) -> None:
    assert change(meta={"patch_identifiers": {"append": {"email": ["Second@example.com", "third@example.com"]}}}).status == 200
    assert fresh_account.profiles[profile_id]["attributes"]["email"] == "ada@example.com"
    assert _duplicate_of(send("/api/profiles", document("profile", {"email": "second@example.com"}))) == profile_id
    assert change(meta={"patch_identifiers": {"unappend": {"email": "second@example.com"}}}).status == 200
    other = send("/api/profiles", document("profile", {"email": "second@example.com"}))
    assert other.status == 201
    taken = change(meta={"patch_identifiers": {"append": {"email": "second@example.com"}}})
    assert (taken.status, taken.errors[0]["meta"]) == (409, {"duplicate_profile_id": other.document["data"]["id"]})
    bad = change(meta={"patch_identifiers": {"append": {"phone_number": "+12025550100"}}})
    assert refusal(bad) == (400, ["/data/meta/patch_identifiers/append/phone_number"])


def test_a_change_of_nobody(send: Ask) -> None:
    assert refusal(send("/api/profiles/NOBODY", document("profile", {}, identifier="NOBODY"), method="PATCH")) == (404, ["/data/"])


def test_created_or_updated(send: Ask, profile_id: str, fresh_account: Account) -> None:
    created = send("/api/profile-import", document("profile", {"email": "new@example.com", "properties": {"a": 1}}))
    assert created.status == 201
    hold_against("create_or_update_profile", created.document)
    new = created.document["data"]["id"]
    updated = send("/api/profile-import", document("profile", {"email": "NEW@example.com", "first_name": "N", "external_id": "n"}))
    assert (updated.status, updated.document["data"]["id"]) == (200, new)
    by_other = send("/api/profile-import", document("profile", {"external_id": "n", "first_name": None}))
    assert (by_other.status, by_other.document["data"]["id"]) == (200, new)
    attributes = fresh_account.profiles[new]["attributes"]
    assert (attributes["email"], attributes["first_name"], attributes["properties"]) == ("new@example.com", None, {"a": 1})
    meta = {"patch_properties": {"unset": "a"}}
    by_id = send("/api/profile-import", document("profile", {"email": "moved@example.com"}, identifier=new, meta=meta))
    assert (by_id.status, by_id.document["data"]["id"]) == (200, new)
    attributes = fresh_account.profiles[new]["attributes"]
    assert (attributes["email"], attributes["properties"]) == ("moved@example.com", {})
    assert _duplicate_of(send("/api/profile-import", document("profile", {"email": "ada@example.com"}, identifier=new))) == profile_id
    assert refusal(send("/api/profile-import", document("profile", {"email": "x@example.com"}, identifier="NOBODY"))) == (404, ["/data/id"])


def test_a_profile_with_a_bad_patch_does_not_come_into_being(send: Ask, fresh_account: Account) -> None:
    before = set(fresh_account.profiles)
    meta = {"patch_identifiers": {"append": {"email": ["no address"]}}}
    assert refusal(send("/api/profile-import", document("profile", {"external_id": "n"}, meta=meta))) == (
        400,
        ["/data/meta/patch_identifiers/append/email"],
    )
    assert set(fresh_account.profiles) == before
    assert send("/api/profile-import", document("profile", {"external_id": "n"})).status == 201


def test_a_merge_takes_effect_later(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    source, destination = sorted(fresh_account.profiles, key=lambda identifier: -len(fresh_account.events_of_profile(identifier)))[:2]
    theirs, own = fresh_account.events_of_profile(source), fresh_account.events_of_profile(destination)
    moved = {event["id"] for event in (*theirs, *own)}
    list_id = next(iter(fresh_account.lists))
    assert send(f"/api/lists/{list_id}/relationships/profiles", {"data": linkage("profile", [source])}).status == 204
    email = fresh_account.profiles[source]["attributes"]["email"]
    events = [event["id"] for event in fresh_account.events_in_order()]
    merged = send("/api/profile-merge", document("profile-merge", None, identifier=destination, profiles=linkage("profile", [source])))
    assert merged.status == 201
    hold_against("merge_profiles", merged.document)
    assert merged.document["data"]["id"] == destination
    assert send(f"/api/profiles/{source}").status == 200
    clock.sleep(6)
    assert send(f"/api/profiles/{source}").status == 404
    assert {event["id"] for event in fresh_account.events_of_profile(destination)} == moved
    assert set(send(f'/api/events?page[size]=1000&filter=equals(profile_id,"{destination}")').ids) == moved
    assert send(f'/api/events?filter=equals(profile_id,"{source}")').ids == []
    assert send("/api/events?page[size]=1000&sort=datetime").ids == events
    assert destination in fresh_account.list_members[list_id]
    assert all(source not in members for members in (*fresh_account.list_members.values(), *fresh_account.segment_members.values()))
    if email:
        assert _duplicate_of(send("/api/profiles", document("profile", {"email": email}))) == destination


def test_bad_merges(send: Ask, fresh_account: Account) -> None:
    first, second, third = list(fresh_account.profiles)[:3]

    def merge(destination: str, *sources: str) -> tuple[int, list[str]]:
        return refusal(send("/api/profile-merge", document("profile-merge", None, identifier=destination, profiles=linkage("profile", sources))))

    place = "/data/relationships/profiles/data"
    assert merge(first) == (400, [place])
    assert merge(first, second, third) == (400, [place])
    assert merge(first, first) == (400, [f"{place}/0/id"])
    assert merge("NOBODY", first) == (404, ["/data/id"])
    assert merge(first, "NOBODY") == (404, [f"{place}/0/id"])


def _deletion(attributes: dict[str, Any], identifier: str | None = None) -> dict[str, Any]:
    return document("data-privacy-deletion-job", {"profile": document("profile", attributes, identifier=identifier)})


@pytest.mark.parametrize("by", ["id", "email", "phone_number"])
def test_a_deletion_takes_effect_later(send: Ask, clock: SimulatedClock, fresh_account: Account, by: str) -> None:
    profile_id = max(fresh_account.profiles, key=lambda identifier: len(fresh_account.events_of_profile(identifier)))
    own = {"email": "gone@example.com", "phone_number": "+12025550199"}
    assert send(f"/api/profiles/{profile_id}", document("profile", own, identifier=profile_id), method="PATCH").status == 200
    body = _deletion({}, profile_id) if by == "id" else _deletion({by: own[by].upper()})
    events = [event["id"] for event in fresh_account.events_of_profile(profile_id)]
    assert send("/api/data-privacy-deletion-jobs", body) == (202, {}, None)
    assert send(f"/api/profiles/{profile_id}").status == 200
    clock.sleep(6)
    assert send(f"/api/profiles/{profile_id}").status == 404
    assert events
    assert {fresh_account.event(event_id)["profile_id"] for event_id in events} == {None}  # type: ignore[index]
    assert all(profile_id not in members for members in fresh_account.list_members.values())
    assert all(token["profile_id"] != profile_id for token in fresh_account.push_tokens.values())
    again = send("/api/data-privacy-deletion-jobs", body)
    assert refusal(again) == (404, ["/data/"])
    assert again.errors[0]["detail"].startswith(f"No profile with {by} ")
    assert send("/api/profiles", document("profile", own)).status == 201


@pytest.mark.parametrize(
    ("attributes", "identifier"), [({}, None), ({"email": "a@example.com", "phone_number": "+12025550100"}, None), ({"email": "a@example.com"}, "X")]
)
def test_a_deletion_names_exactly_one(send: Ask, attributes: dict[str, Any], identifier: str | None) -> None:
    assert refusal(send("/api/data-privacy-deletion-jobs", _deletion(attributes, identifier))) == (400, ["/data/attributes/profile/data"])
