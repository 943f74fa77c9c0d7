"""Tags, their groups and what carries them, written."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql.sandbox import Account

from .conftest import Ask
from .described import hold_against
from .writes import document, linkage, refusal

CARRIERS = ("lists", "segments", "campaigns", "flows")


def _group(account: Account, **attributes: Any) -> str:
    return next(identifier for identifier, group in account.tag_groups.items() if attributes.items() <= group["attributes"].items())


def _tags_of(account: Account, carriers: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = getattr(account, f"{carriers[:-1]}_tags")
    return found


def test_a_tag_is_created_renamed_and_deleted(send: Ask, fresh_account: Account) -> None:
    created = send("/api/tags", document("tag", {"name": "Spring, 'new'"}))
    assert created.status == 201
    hold_against("create_tag", created.document)
    tag_id = created.document["data"]["id"]
    assert fresh_account.tags[tag_id]["group_id"] == _group(fresh_account, default=True)
    assert send(f"/api/tags/{tag_id}/tag-group").document["data"]["attributes"]["default"] is True
    assert send(f"/api/tags/{tag_id}", document("tag", {"name": "B"}, identifier=tag_id), method="PATCH")[::2] == (204, None)
    assert send(f"/api/tags/{tag_id}").document["data"]["attributes"] == {"name": "B"}
    carrier = next(iter(fresh_account.lists))
    assert send(f"/api/tags/{tag_id}/relationships/lists", {"data": linkage("list", [carrier])}).status == 204
    assert tag_id in send(f"/api/lists/{carrier}/tags").ids
    assert send(f"/api/tags/{tag_id}", method="DELETE").status == 204
    assert tag_id not in fresh_account.tags
    assert tag_id not in send(f"/api/lists/{carrier}/tags").ids
    assert refusal(send(f"/api/tags/{tag_id}", method="DELETE")) == (404, ["/data/"])


def test_a_tag_of_a_group(send: Ask, fresh_account: Account) -> None:
    group_id = _group(fresh_account, exclusive=True)
    created = send("/api/tags", document("tag", {"name": "A"}, **{"tag-group": {"type": "tag-group", "id": group_id}}))
    assert created.document["data"]["id"] in send(f"/api/tag-groups/{group_id}/tags").ids
    unknown = "00000000-0000-0000-0000-000000000000"
    refused = send("/api/tags", document("tag", {"name": "A"}, **{"tag-group": {"type": "tag-group", "id": unknown}}))
    assert refusal(refused) == (404, ["/data/"])
    assert refused.errors[0]["code"] == "tag_service_error"
    assert refused.errors[0]["detail"] == f"Tag Group with id {unknown} not found"


def test_a_group_is_created_renamed_and_deleted_with_its_tags(send: Ask, fresh_account: Account) -> None:
    created = send("/api/tag-groups", document("tag-group", {"name": "A", "exclusive": True}))
    assert created.status == 201
    hold_against("create_tag_group", created.document)
    assert created.document["data"]["attributes"] == {"name": "A", "exclusive": True, "default": False}
    group_id = created.document["data"]["id"]
    renamed = document("tag-group", {"name": "B", "return_fields": ["name"]}, identifier=group_id)
    assert send(f"/api/tag-groups/{group_id}", renamed, method="PATCH").status == 204
    assert fresh_account.tag_groups[group_id]["attributes"] == {"name": "B", "exclusive": True, "default": False}
    tag_id = send("/api/tags", document("tag", {"name": "C"}, **{"tag-group": {"type": "tag-group", "id": group_id}})).document["data"]["id"]
    flow_id = next(iter(fresh_account.flows))
    assert send(f"/api/tags/{tag_id}/relationships/flows", {"data": linkage("flow", [flow_id])}).status == 204
    assert send(f"/api/tag-groups/{group_id}", method="DELETE").status == 204
    assert tag_id not in fresh_account.tags
    assert tag_id not in fresh_account.flow_tags[flow_id]


def test_the_default_group_stays(send: Ask, fresh_account: Account) -> None:
    group_id = _group(fresh_account, default=True)
    assert refusal(send(f"/api/tag-groups/{group_id}", method="DELETE")) == (400, ["/data"])
    assert group_id in fresh_account.tag_groups


def test_a_new_group_is_not_exclusive(send: Ask) -> None:
    assert send("/api/tag-groups", document("tag-group", {"name": "A"})).document["data"]["attributes"]["exclusive"] is False


@pytest.mark.parametrize("carriers", CARRIERS)
def test_tags_are_put_on_and_taken_off(send: Ask, fresh_account: Account, carriers: str) -> None:
    tag_id = send("/api/tags", document("tag", {"name": "A"})).document["data"]["id"]
    kind, target = carriers[:-1], f"/api/tags/{tag_id}/relationships/{carriers}"
    first, second = list(getattr(fresh_account, carriers))[:2]
    before = list(_tags_of(fresh_account, carriers).get(first, []))
    assert send(target, {"data": linkage(kind, [first, second])})[::2] == (204, None)
    # What has the tag already keeps it.
    assert send(target, {"data": linkage(kind, [second])}).status == 204
    assert sorted(send(target).ids) == sorted([first, second])
    assert _tags_of(fresh_account, carriers)[first] == [*before, tag_id]
    assert send(target, {"data": linkage(kind, [first])}, method="DELETE")[::2] == (204, None)
    assert send(target).ids == [second]
    assert _tags_of(fresh_account, carriers)[first] == before
    missing = {"data": linkage(kind, [first, "NOPE01"])}
    assert refusal(send(target, missing)) == (404, ["/data/1/id"])
    assert send(target).ids == [second]


def test_one_tag_of_an_exclusive_group(send: Ask, fresh_account: Account) -> None:
    group_id = _group(fresh_account, exclusive=True)
    first, second = [tag_id for tag_id, tag in fresh_account.tags.items() if tag["group_id"] == group_id][:2]
    list_id = next(iter(fresh_account.lists))
    assert send(f"/api/tags/{first}/relationships/lists", {"data": linkage("list", [list_id])}).status == 204
    assert refusal(send(f"/api/tags/{second}/relationships/lists", {"data": linkage("list", [list_id])})) == (400, ["/data"])
    assert first in fresh_account.list_tags[list_id]
    assert second not in fresh_account.list_tags[list_id]


def test_how_many_there_can_be(send: Ask, fresh_account: Account) -> None:
    group_id = _group(fresh_account, default=True)
    while len(fresh_account.tags) < 500:
        identifier = f"tag-{len(fresh_account.tags)}"
        fresh_account.tags[identifier] = {"type": "tag", "id": identifier, "attributes": {"name": identifier}, "group_id": group_id}
    list_id = next(iter(fresh_account.lists))
    fresh_account.list_tags[list_id] = [tag_id for tag_id, tag in fresh_account.tags.items() if tag["group_id"] == group_id][:100]
    fresh_account.changed()
    assert refusal(send("/api/tags", document("tag", {"name": "A"}))) == (400, ["/data"])
    one_more = next(tag_id for tag_id, tag in fresh_account.tags.items() if tag["group_id"] == group_id and tag_id not in fresh_account.list_tags[list_id])
    assert refusal(send(f"/api/tags/{one_more}/relationships/lists", {"data": linkage("list", [list_id])})) == (400, ["/data"])
    while len(fresh_account.tag_groups) < 50:
        assert send("/api/tag-groups", document("tag-group", {"name": "A"})).status == 201
    assert refusal(send("/api/tag-groups", document("tag-group", {"name": "A"}))) == (400, ["/data"])


@pytest.mark.parametrize(("name", "pointer"), [("", "/data/attributes/name"), (None, "/data/attributes/name"), (5, "/data/attributes/name")])
@pytest.mark.parametrize("kind", ["tag", "tag-group"])
def test_names_are_needed(send: Ask, fresh_account: Account, kind: str, name: Any, pointer: str) -> None:
    assert refusal(send(f"/api/{kind}s", document(kind, {"name": name}))) == (400, [pointer])
    identifier = next(iter(fresh_account.tags if kind == "tag" else fresh_account.tag_groups))
    assert refusal(send(f"/api/{kind}s/{identifier}", document(kind, {"name": name}, identifier=identifier), method="PATCH")) == (400, [pointer])
    fixed = document(kind, {"name": "A", "exclusive": True}, identifier=identifier)
    assert refusal(send(f"/api/{kind}s/{identifier}", fixed, method="PATCH")) == (400, ["/data/attributes/exclusive"])
