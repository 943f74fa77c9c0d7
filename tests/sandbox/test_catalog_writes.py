"""The catalog, written one by one, by links and in jobs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account

from .conftest import Ask, walk
from .described import hold_against
from .writes import document, linkage, refusal

THINGS = ("item", "variant", "category")
SEVERAL = {"item": "items", "variant": "variants", "category": "categories"}


def _id(external_id: str) -> str:
    return f"$custom:::$default:::{external_id}"


def _path(thing: str, external_id: str = "") -> str:
    base = f"/api/catalog-{SEVERAL[thing]}"
    return f"{base}/{quote(_id(external_id), safe='')}" if external_id else base


def _new(thing: str, external_id: str, /, **given: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = {"external_id": external_id}
    if thing == "category":
        attributes["name"] = "C"
    else:
        attributes |= {"title": "T", "description": "", "url": "https://shop.example.com/1"}
    relationships: dict[str, Any] = {}
    if thing == "variant":
        attributes |= {"sku": "S", "inventory_quantity": 3, "price": 5.5}
        relationships["item"] = {"type": "catalog-item", "id": _id("new-item")}
    return document(f"catalog-{thing}", attributes | given, **relationships)


def _stored(account: Account, thing: str) -> dict[str, Any]:
    found: dict[str, Any] = getattr(account, f"catalog_{SEVERAL[thing]}")
    return found


@pytest.fixture
def item(send: Ask) -> str:
    created = send("/api/catalog-items", _new("item", "new-item"))
    assert created.status == 201, created.document
    hold_against("create_catalog_item", created.document)
    return _id("new-item")


def test_an_item(send: Ask, clock: SimulatedClock, fresh_account: Account, item: str) -> None:
    assert fresh_account.catalog_items[item]["attributes"] == {
        "external_id": "new-item",
        "title": "T",
        "description": "",
        "url": "https://shop.example.com/1",
        "price": None,
        "image_full_url": "",
        "image_thumbnail_url": "",
        "images": [],
        "custom_metadata": {},
        "published": True,
        "created": "2026-11-20T13:00:00.000000+00:00",
        "updated": "2026-11-20T13:00:00.000000+00:00",
    }
    clock.sleep(1)
    sent = {"price": 1.5, "custom_metadata": {"a": [1]}, "description": None, "published": False}
    changed = send(_path("item", "new-item"), document("catalog-item", sent, identifier=item), method="PATCH")
    assert changed.status == 200
    hold_against("update_catalog_item", changed.document)
    attributes = fresh_account.catalog_items[item]["attributes"]
    assert {name: attributes[name] for name in sent} == sent
    assert (attributes["title"], attributes["updated"]) == ("T", "2026-11-20T13:00:01.000000+00:00")
    assert send(_path("variant"), _new("variant", "v")).status == 201
    assert send(_path("item", "new-item"), method="DELETE").status == 204
    assert send(_path("item", "new-item")).status == 404
    assert _id("v") not in fresh_account.catalog_variants


def test_a_variant(send: Ask, fresh_account: Account, item: str) -> None:
    created = send(_path("variant"), _new("variant", "v", inventory_policy=2, custom_metadata=None))
    assert created.status == 201
    hold_against("create_catalog_variant", created.document)
    assert send(f"{_path('item', 'new-item')}/variants").ids == [_id("v")]
    changed = send(_path("variant", "v"), document("catalog-variant", {"inventory_quantity": 0.5}, identifier=_id("v")), method="PATCH")
    hold_against("update_catalog_variant", changed.document)
    attributes = fresh_account.catalog_variants[_id("v")]["attributes"]
    assert (attributes["inventory_policy"], attributes["inventory_quantity"], attributes["custom_metadata"]) == (2, 0.5, {})
    assert send(_path("variant", "v"), method="DELETE").status == 204
    assert send(f"{_path('item', 'new-item')}/variants").ids == []
    orphan = _new("variant", "w")
    orphan["data"]["relationships"]["item"]["data"]["id"] = _id("nope")
    assert refusal(send(_path("variant"), orphan)) == (404, ["/data/relationships/item/data/id"])


def test_a_category_and_its_items(send: Ask, fresh_account: Account, item: str) -> None:
    other = next(iter(fresh_account.catalog_items))
    body = _new("category", "c")
    body["data"]["relationships"] = {"items": {"data": linkage("catalog-item", [item])}}
    created = send(_path("category"), body)
    assert created.status == 201
    hold_against("create_catalog_category", created.document)
    place = f"{_path('category', 'c')}/relationships/items"
    assert send(place).ids == [item]
    assert refusal(send(place, {"data": linkage("catalog-item", [other, item])})) == (409, ["/data"])
    assert send(place).ids == [item]
    assert send(place, {"data": linkage("catalog-item", [other])})[::2] == (204, None)
    assert set(send(place).ids) == {item, other}
    assert send(place, {"data": linkage("catalog-item", [item])}, method="DELETE").status == 204
    assert send(place).ids == [other]
    assert send(place, {"data": linkage("catalog-item", [item])}, method="PATCH").status == 204
    assert send(place).ids == [item]
    assert send(place, {"data": []}, method="PATCH").status == 204
    assert send(place).ids == []
    assert refusal(send(place, {"data": []})) == (400, ["/data"])
    assert refusal(send(place, {"data": linkage("catalog-item", [item, _id("nope")])})) == (404, ["/data/1/id"])
    renamed = document("catalog-category", {"name": "D"}, identifier=_id("c"), items=linkage("catalog-item", [other]))
    changed = send(_path("category", "c"), renamed, method="PATCH")
    hold_against("update_catalog_category", changed.document)
    assert fresh_account.catalog_categories[_id("c")]["attributes"]["name"] == "D"
    assert send(place).ids == [other]
    assert send(_path("category", "c"), method="DELETE").status == 204
    assert all(_id("c") not in categories for categories in fresh_account.item_categories.values())


def test_an_item_and_its_categories(send: Ask, fresh_account: Account, item: str) -> None:
    first, second, third = list(fresh_account.catalog_categories)[:3]
    place = f"{_path('item', 'new-item')}/relationships/categories"
    assert send(place, {"data": linkage("catalog-category", [first, second])}).status == 204
    assert set(send(place).ids) == {first, second}
    assert refusal(send(place, {"data": linkage("catalog-category", [third, second])})) == (409, ["/data"])
    assert send(place, {"data": linkage("catalog-category", [third])}, method="PATCH").status == 204
    assert send(place).ids == [third]
    assert send(place, {"data": linkage("catalog-category", [third, first])}, method="DELETE").status == 204
    assert send(place).ids == []
    body = _new("item", "second")
    body["data"]["relationships"] = {"categories": {"data": linkage("catalog-category", [second])}}
    assert send(_path("item"), body).status == 201
    assert fresh_account.item_categories[_id("second")] == [second]
    moved = document("catalog-item", {}, identifier=_id("second"), categories=linkage("catalog-category", [first]))
    assert send(_path("item", "second"), moved, method="PATCH").status == 200
    assert fresh_account.item_categories[_id("second")] == [first]


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize(
    ("given", "status", "name"),
    [
        ({"external_id": " "}, 400, "external_id"),
        ({"catalog_type": "$other"}, 400, "catalog_type"),
        ({"integration_type": "$shopify"}, 400, "integration_type"),
        ({"nope": 1}, 400, "nope"),
    ],
)
def test_what_is_refused(send: Ask, item: str, thing: str, given: dict[str, Any], status: int, name: str) -> None:
    assert refusal(send(_path(thing), _new(thing, "x", **given))) == (status, [f"/data/attributes/{name}"])


@pytest.mark.parametrize("thing", THINGS)
def test_the_same_id_twice_and_none_at_all(send: Ask, fresh_account: Account, item: str, thing: str) -> None:
    assert send(_path(thing), _new(thing, "twice")).status == 201
    assert refusal(send(_path(thing), _new(thing, "twice"))) == (409, ["/data/attributes/external_id"])
    renamed = document(f"catalog-{thing}", {"external_id": "other"}, identifier=_id("twice"))
    assert refusal(send(_path(thing, "twice"), renamed, method="PATCH")) == (400, ["/data/attributes/external_id"])
    another = document(f"catalog-{thing}", {}, identifier=_id("another"))
    assert refusal(send(_path(thing, "twice"), another, method="PATCH")) == (400, ["/data/id"])
    assert refusal(send(_path(thing, "nope"), method="DELETE")) == (404, ["/data/"])
    nobody = document(f"catalog-{thing}", {}, identifier=_id("nope"))
    assert refusal(send(_path(thing, "nope"), nobody, method="PATCH")) == (404, ["/data/"])


def _job(thing: str, verb: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return document(f"catalog-{thing}-bulk-{verb}-job", {SEVERAL[thing]: {"data": rows}})


@pytest.mark.parametrize("thing", THINGS)
def test_jobs(send: Ask, clock: SimulatedClock, fresh_account: Account, item: str, thing: str) -> None:
    assert send(_path(thing), _new(thing, "there")).status == 201

    def run(verb: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        target = f"/api/catalog-{thing}-bulk-{verb}-jobs"
        created = send(target, _job(thing, verb, rows))
        assert created.status == 202, created.document
        hold_against(f"bulk_{verb}_catalog_{SEVERAL[thing]}", created.document)
        job_id = created.document["data"]["id"]
        assert job_id in {found for page in walk(send, target) for found in page.ids}
        assert created.document["data"]["attributes"]["status"] == "queued"
        clock.sleep(11)
        done: dict[str, Any] = send(f"{target}/{job_id}").document["data"]
        assert done["attributes"]["status"] == "complete"
        assert done["attributes"]["completed_at"] is not None
        return done

    created = run("create", [_new(thing, external_id)["data"] for external_id in ("a", "there", "b", "a")])
    assert (created["attributes"]["completed_count"], created["attributes"]["failed_count"]) == (2, 2)
    place = f"/data/attributes/{SEVERAL[thing]}/data"
    assert [error["source"]["pointer"] for error in created["attributes"]["errors"]] == [f"{place}/{row}/attributes/external_id" for row in (1, 3)]
    assert [linked["id"] for linked in created["relationships"][SEVERAL[thing]]["data"]] == [_id("a"), _id("b")]
    name = "name" if thing == "category" else "title"
    changes = [document(f"catalog-{thing}", {name: "New"}, identifier=_id(external_id))["data"] for external_id in ("a", "nope")]
    updated = run("update", changes)
    assert (updated["attributes"]["completed_count"], updated["attributes"]["failed_count"]) == (1, 1)
    assert [error["source"]["pointer"] for error in updated["attributes"]["errors"]] == [f"{place}/1/id"]
    assert _stored(fresh_account, thing)[_id("a")]["attributes"][name] == "New"
    deleted = run("delete", [{"type": f"catalog-{thing}", "id": _id(external_id)} for external_id in ("a", "b", "nope")])
    assert (deleted["attributes"]["completed_count"], deleted["attributes"]["failed_count"]) == (2, 1)
    assert not {_id("a"), _id("b")} & set(_stored(fresh_account, thing))


@pytest.mark.parametrize("thing", THINGS)
def test_jobs_that_are_refused_as_a_whole(send: Ask, fresh_account: Account, thing: str) -> None:
    place, target = f"/data/attributes/{SEVERAL[thing]}/data", f"/api/catalog-{thing}-bulk-create-jobs"
    many = [_new(thing, f"n{number}")["data"] for number in range(101)]
    assert refusal(send(target, _job(thing, "create", many))) == (400, [place])
    assert refusal(send(target, _job(thing, "create", []))) == (400, [place])
    wrong = [_new(thing, "a")["data"], _new(thing, "b", external_id=5)["data"]]
    assert refusal(send(target, _job(thing, "create", wrong))) == (400, [f"{place}/1/attributes/external_id"])
    jobs = fresh_account.jobs[f"catalog-{thing}-bulk-create-job"]
    for number in range(500):
        jobs[f"job-{number}"] = {"type": "", "id": f"job-{number}", "attributes": {"status": "queued"}, "related_ids": []}
    assert refusal(send(target, _job(thing, "create", many[:1]))) == (400, ["/data"])
