"""Lists, their members, and segments, written."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account

from .conftest import Ask
from .described import hold_against
from .writes import document, linkage, refusal

MEMBERS = {"condition_groups": [{"conditions": [{"type": "profile-group-membership", "is_member": False, "group_ids": ["ABC123"]}]}]}


def test_a_list_is_created_changed_and_deleted(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    created = send("/api/lists", document("list", {"name": "Ünïcode, 'quoted'"}))
    assert created.status == 201
    hold_against("create_list", created.document)
    list_id = created.document["data"]["id"]
    now = "2026-11-20T13:00:00+00:00"
    assert fresh_account.lists[list_id]["attributes"] == {
        "name": "Ünïcode, 'quoted'",
        "opt_in_process": "single_opt_in",
        "created": now,
        "updated": now,
    }
    assert list_id in {found for page in ("/api/lists?sort=-created",) for found in send(page).ids}
    clock.sleep(60)
    changed = send(f"/api/lists/{list_id}", document("list", {"opt_in_process": "double_opt_in"}, identifier=list_id), method="PATCH")
    assert changed.status == 200
    hold_against("update_list", changed.document)
    attributes = fresh_account.lists[list_id]["attributes"]
    assert (attributes["name"], attributes["opt_in_process"]) == ("Ünïcode, 'quoted'", "double_opt_in")
    assert (attributes["created"], attributes["updated"]) == (now, "2026-11-20T13:01:00+00:00")
    assert send(f"/api/lists/{list_id}", method="DELETE") == (204, {}, None)
    assert list_id not in fresh_account.lists
    assert refusal(send(f"/api/lists/{list_id}", method="DELETE")) == (404, ["/data/"])
    assert send(f"/api/lists/{list_id}").status == 404


def test_a_new_list_has_the_opt_in_process_of_the_account(send: Ask, fresh_account: Account) -> None:
    fresh_account.opt_in_process = "double_opt_in"
    assert send("/api/lists", document("list", {"name": "A"})).document["data"]["attributes"]["opt_in_process"] == "double_opt_in"


def test_a_deleted_list_is_nobodys(send: Ask, fresh_account: Account) -> None:
    list_id = max(fresh_account.list_members, key=lambda identifier: len(fresh_account.list_members[identifier]))
    member = next(iter(fresh_account.list_members[list_id]))
    assert send(f"/api/lists/{list_id}", method="DELETE").status == 204
    assert list_id not in send(f"/api/profiles/{member}/lists").ids
    assert all(list_id not in send(f"/api/tags/{tag_id}/relationships/lists").ids for tag_id in fresh_account.tags)


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({"name": " "}, "/data/attributes/name"),
        ({"name": None}, "/data/attributes/name"),
        ({"opt_in_process": None}, "/data/attributes/opt_in_process"),
    ],
)
def test_bad_changes_of_lists(send: Ask, fresh_account: Account, attributes: dict[str, Any], pointer: str) -> None:
    list_id = next(iter(fresh_account.lists))
    before = dict(fresh_account.lists[list_id]["attributes"])
    assert refusal(send(f"/api/lists/{list_id}", document("list", attributes, identifier=list_id), method="PATCH")) == (400, [pointer])
    assert fresh_account.lists[list_id]["attributes"] == before


def test_changes_of_a_list_that_is_not_there(send: Ask) -> None:
    assert refusal(send("/api/lists/NOPE01", document("list", {"name": "A"}, identifier="NOPE01"), method="PATCH")) == (404, ["/data/"])


def test_members_come_and_go(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    list_id = send("/api/lists", document("list", {"name": "A"})).document["data"]["id"]
    target = f"/api/lists/{list_id}/relationships/profiles"
    first, second, third = list(fresh_account.profiles)[:3]
    consents = [fresh_account.profiles[profile_id]["attributes"]["subscriptions"] for profile_id in (first, second, third)]
    assert send(target, {"data": linkage("profile", [first, second, first])}) == (204, {}, None)
    clock.sleep(60)
    assert send(target, {"data": linkage("profile", [second, third])}).status == 204
    assert fresh_account.list_members[list_id] == {
        first: "2026-11-20T13:00:00+00:00",
        second: "2026-11-20T13:00:00+00:00",
        third: "2026-11-20T13:01:00+00:00",
    }
    assert set(send(target).ids) == {first, second, third}
    assert list_id in send(f"/api/profiles/{third}/lists").ids
    for _ in range(2):
        assert send(target, {"data": linkage("profile", [first, third])}, method="DELETE") == (204, {}, None)
    assert set(send(target).ids) == {second}
    assert consents == [fresh_account.profiles[profile_id]["attributes"]["subscriptions"] for profile_id in (first, second, third)]
    assert refusal(send(target, {"data": linkage("profile", [second, "NOBODY"])}, method="DELETE")) == (404, ["/data/1/id"])
    assert refusal(send(target, method="DELETE")) == (400, ["/data"])
    assert set(send(target).ids) == {second}


def test_a_segment_is_created_empty_and_processing(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    created = send("/api/segments", document("segment", {"name": "S", "definition": MEMBERS, "is_starred": True}))
    assert created.status == 201
    hold_against("create_segment", created.document)
    segment_id = created.document["data"]["id"]
    attributes = fresh_account.segments[segment_id]["attributes"]
    assert attributes == {
        "name": "S",
        "definition": MEMBERS,
        "is_starred": True,
        "is_active": True,
        "is_processing": True,
        "created": "2026-11-20T13:00:00+00:00",
        "updated": "2026-11-20T13:00:00+00:00",
    }
    assert send(f"/api/segments/{segment_id}/profiles").ids == []
    clock.sleep(11)
    assert send(f"/api/segments/{segment_id}").document["data"]["attributes"]["is_processing"] is False


def test_a_segment_is_changed_and_deleted(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    segment_id = next(
        key for key, segment in fresh_account.segments.items() if segment["attributes"]["is_active"] and not segment["attributes"]["is_processing"]
    )
    target = f"/api/segments/{segment_id}"

    def change(**attributes: Any) -> Any:
        return send(target, document("segment", attributes, identifier=segment_id), method="PATCH")

    renamed = change(name="Renamed", is_starred=True)
    hold_against("update_segment", renamed.document)
    attributes = fresh_account.segments[segment_id]["attributes"]
    assert (attributes["name"], attributes["is_starred"], attributes["is_processing"]) == ("Renamed", True, False)
    assert change(definition=MEMBERS).document["data"]["attributes"]["is_processing"] is True
    clock.sleep(11)
    assert send(target).document["data"]["attributes"]["is_processing"] is False
    assert refusal(change(is_active=False, name="No")) == (400, ["/data/attributes/is_active"])
    assert fresh_account.segments[segment_id]["attributes"]["name"] == "Renamed"
    assert change(is_active=False).document["data"]["attributes"]["is_active"] is False
    assert change(is_active=True, name="Back").document["data"]["attributes"]["is_active"] is True
    assert send(target, method="DELETE") == (204, {}, None)
    assert segment_id not in fresh_account.segments
    assert send(target).status == 404


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({"name": "S"}, "/data/attributes/definition"),
        ({"definition": MEMBERS}, "/data/attributes/name"),
        ({"name": "", "definition": MEMBERS}, "/data/attributes/name"),
        ({"name": "S", "definition": {"condition_groups": []}}, "/data/attributes/definition/condition_groups"),
        ({"name": "S", "definition": {"condition_groups": [{"conditions": []}]}}, "/data/attributes/definition/condition_groups"),
        ({"name": "S", "definition": MEMBERS, "is_active": True}, "/data/attributes/is_active"),
    ],
)
def test_bad_segments(send: Ask, fresh_account: Account, attributes: dict[str, Any], pointer: str) -> None:
    before = set(fresh_account.segments)
    assert refusal(send("/api/segments", document("segment", attributes))) == (400, [pointer])
    assert set(fresh_account.segments) == before


def test_writing_changes_nothing_that_was_there_before(send: Ask, fresh_account: Account) -> None:
    """Replies may be made of the old attributes at the same moment, so that they are replaced and never written into."""
    list_id = next(iter(fresh_account.lists))
    old = fresh_account.lists[list_id]["attributes"]
    kept = dict(old)
    assert send(f"/api/lists/{list_id}", document("list", {"name": "New"}, identifier=list_id), method="PATCH").status == 200
    assert old == kept
