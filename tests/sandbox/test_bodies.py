"""The bodies of writing requests against the contract, by way of operations that have the case."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql.contract import facts
from klaviyo_sql.sandbox import Account, bodies

from .conftest import Ask
from .writes import document, linkage, refusal


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b"", ["/data"]),
        (b"{", ["/data"]),
        (b'{"data":{"type":"list","attributes":{"name":"\xff"}}}', ["/data"]),
        (b"[" * 100_000, ["/data"]),
        (b"[]", ["/"]),
        (b"null", ["/"]),
        ({}, ["/data"]),
        ({"data": None}, ["/data"]),
        ({"data": []}, ["/data"]),
        ({"data": {}}, ["/data/type", "/data/attributes"]),
        ({"data": {"type": "list", "attributes": {"name": "A"}}, "extra": 1}, ["/extra"]),
        (document("lists", {"name": "A"}), ["/data/type"]),
        (document("list", {"name": 1}), ["/data/attributes/name"]),
        (document("list", {"name": None}), ["/data/attributes/name"]),
        (document("list", {"name": "A", "created": "2026-01-01T00:00:00Z"}), ["/data/attributes/created"]),
        (document("list", {"name": "A", "opt_in_process": "none"}), ["/data/attributes/opt_in_process"]),
        (document("list", {"name": "A", "opt_in_process": True, "colour": 1}), ["/data/attributes/opt_in_process", "/data/attributes/colour"]),
        (document("list", {"name": "A"}, identifier="XYZ123"), ["/data/id"]),
        (document("list", {"name": "A"}, profiles=[]), ["/data/relationships"]),
    ],
)
def test_what_the_contract_does_not_know_is_refused(send: Ask, fresh_account: Account, body: Any, pointers: list[str]) -> None:
    before = dict(fresh_account.lists)
    answer = send("/api/lists", body, method="POST")
    assert refusal(answer) == (400, pointers)
    assert {error["code"] for error in answer.errors} == {"invalid"}
    assert fresh_account.lists == before


def test_the_id_in_the_path_is_repeated(send: Ask, fresh_account: Account) -> None:
    first, second = list(fresh_account.lists)[:2]
    attributes = {"name": "Changed"}
    assert refusal(send(f"/api/lists/{first}", document("list", attributes, identifier=second), method="PATCH")) == (400, ["/data/id"])
    assert refusal(send(f"/api/lists/{first}", document("list", attributes), method="PATCH")) == (400, ["/data/id"])
    assert "Changed" not in {resource["attributes"]["name"] for resource in fresh_account.lists.values()}


def test_places_in_lists_have_their_index(send: Ask) -> None:
    rows: list[dict[str, Any]] = [{"type": "profile", "attributes": {"email": f"p{number}@example.com"}} for number in range(5)]
    rows[1]["attributes"]["emial"] = "x"
    rows[3]["attributes"]["location"] = {"latitude": True}
    rows[4]["type"] = "person"
    answer = send("/api/profile-bulk-import-jobs", document("profile-bulk-import-job", {"profiles": {"data": rows}}))
    place = "/data/attributes/profiles/data"
    assert refusal(answer) == (400, [f"{place}/1/attributes/emial", f"{place}/3/attributes/location/latitude", f"{place}/4/type"])


def test_of_several_shapes_the_one_that_was_meant_is_complained_about(send: Ask) -> None:
    condition = {"type": "profile-group-membership", "is_member": True, "group_ids": "ABC"}
    definition = {"condition_groups": [{"conditions": [condition]}]}
    answer = send("/api/segments", document("segment", {"name": "S", "definition": definition}))
    assert refusal(answer) == (400, ["/data/attributes/definition/condition_groups/0/conditions/0/group_ids"])


def test_true_is_no_number_and_one_is_not_true(send: Ask) -> None:
    event = {
        "properties": {},
        "metric": {"data": {"type": "metric", "attributes": {"name": "M"}}},
        "profile": {"data": {"type": "profile", "attributes": {"email": "a@example.com"}}},
    }
    assert refusal(send("/api/events", document("event", {**event, "value": True}))) == (400, ["/data/attributes/value"])
    assert refusal(send("/api/events", document("event", {**event, "backfill": 1}))) == (400, ["/data/attributes/backfill"])


def test_a_body_that_is_too_large_is_refused_before_it_is_read(send: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def unread(*given: Any) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(bodies.msgspec.json, "decode", unread)
    assert refusal(send("/api/lists", b" " * (bodies.LARGEST_BODY + 1))) == (413, ["/data"])


def test_every_described_body_can_be_checked(send: Ask) -> None:
    checked = 0
    for name, described in facts().operations.items():
        if described.body is None:
            continue
        complaints = bodies._compiled(name, described.body)({"data": {"type": "nothing"}})
        assert complaints, name
        checked += 1
    assert checked == 112


def test_links_are_a_list_of_ids_that_exist(send: Ask, fresh_account: Account) -> None:
    list_id = next(iter(fresh_account.lists))
    target = f"/api/lists/{list_id}/relationships/profiles"
    before = dict(fresh_account.list_members[list_id])
    known = list(fresh_account.profiles)[:2]
    assert refusal(send(target, {"data": linkage("profile", [known[0], "NOBODY", known[1], "NOONE"])})) == (404, ["/data/1/id", "/data/3/id"])
    assert refusal(send(target, {"data": linkage("list", known)})) == (400, ["/data/0/type", "/data/1/type"])
    assert refusal(send(target, {"data": []})) == (400, ["/data"])
    assert refusal(send(target, {"data": linkage("profile", [known[0]] * 1001)})) == (400, ["/data"])
    assert refusal(send("/api/lists/NOPE01/relationships/profiles", {"data": linkage("profile", known)})) == (404, ["/data/"])
    assert fresh_account.list_members[list_id] == before
