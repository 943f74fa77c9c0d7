"""Writing into the catalog: items, variants and categories, one by one and in jobs, and which item is in which category."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.bulk_jobs import BulkJobEndpoint, Work, changing, creating, deleting, room_for
from klaviyo_sql.sandbox.endpoints import Call, Endpoint
from klaviyo_sql.sandbox.generation.moments import microseconds_text
from klaviyo_sql.sandbox.problems import RefusedError, conflict, invalid
from klaviyo_sql.sandbox.writing import Attributes, CreateEndpoint, DeleteEndpoint, LinkEndpoint, PatchEndpoint, Write, refuse_blank

MOST_ROWS = 100
MOST_JOBS = 500
"""Rows of one job, and jobs of one kind at once."""

_CATALOG = "$default"
_WHERE = frozenset(("catalog_type", "integration_type"))
"""Which catalog is written to: there is only one, and it is never told."""

_PICTURES: Attributes = {"image_full_url": "", "image_thumbnail_url": "", "images": [], "custom_metadata": {}, "published": True}


def _to_the_millisecond(moment: datetime) -> str:
    return microseconds_text(int(moment.timestamp()), moment.microsecond // 1000 * 1000)


def _identify(write: Write) -> str:
    return f"$custom:::{_CATALOG}:::{write.attributes['external_id']}"


def _check_new(collection: str, word: str) -> Callable[[Write], None]:
    def check(write: Write) -> None:
        refuse_blank(write.attributes, "external_id")
        if write.attributes.get("catalog_type") not in (None, _CATALOG):
            raise RefusedError(invalid(f"'catalog_type' must be '{_CATALOG}'.", pointer="/data/attributes/catalog_type"))
        if _identify(write) in getattr(write.account, collection):
            detail = f"{word} with the external id '{write.attributes['external_id']}' already exists."
            raise RefusedError(conflict(detail, pointer="/data/attributes/external_id"))
        refuse_blank(write.attributes, "title")
        refuse_blank(write.attributes, "name")

    return check


def _check_item(write: Write) -> None:
    _check_new("catalog_items", "An item")(write)
    write.require_linked("categories", "catalog-category")


def _place_item(write: Write, item: Resource) -> None:
    write.account.item_categories[item["id"]] = write.require_linked("categories", "catalog-category")


def _replace_categories(write: Write, item: Resource, attributes: Attributes) -> None:
    if write.linked("categories") is not None:
        _place_item(write, item)


def _forget_item(call: Call, item: Resource) -> None:
    account = call.account
    account.item_categories.pop(item["id"], None)
    for identifier in [variant["id"] for variant in account.catalog_variants.values() if variant["item_id"] == item["id"]]:
        del account.catalog_variants[identifier]


def _check_variant(write: Write) -> None:
    _check_new("catalog_variants", "A variant")(write)
    write.require("catalog-item", write.the_one("item"), "/data/relationships/item/data/id")


def _place_variant(write: Write, variant: Resource) -> None:
    variant["item_id"] = write.the_one("item")


def _check_category(write: Write) -> None:
    _check_new("catalog_categories", "A category")(write)
    write.require_linked("items", "catalog-item")


def _place_category(write: Write, category: Resource) -> None:
    # Categories are sorted by when they were made, which they do not show.
    category["created"] = category["attributes"]["updated"]
    _fill(write.account, category["id"], write.require_linked("items", "catalog-item"))


def _replace_items(write: Write, category: Resource, attributes: Attributes) -> None:
    if write.linked("items") is not None:
        items = write.require_linked("items", "catalog-item")
        _clear(write.account, category["id"])
        _fill(write.account, category["id"], items)


def _fill(account: Account, category_id: str, item_ids: list[str]) -> None:
    for item_id in item_ids:
        categories = account.item_categories.get(item_id, [])
        if category_id not in categories:
            account.item_categories[item_id] = [*categories, category_id]


def _clear(account: Account, category_id: str, item_ids: list[str] | None = None) -> None:
    """Take these items out of a category, or all."""
    for item_id in list(account.item_categories) if item_ids is None else item_ids:
        kept = [other for other in account.item_categories.get(item_id, []) if other != category_id]
        account.item_categories[item_id] = kept


def _refuse_linked(write: Write, pairs: list[tuple[str, str]]) -> None:
    """Recorded: an item that is in a category already is not put there again."""
    for item_id, category_id in pairs:
        if category_id in write.account.item_categories.get(item_id, []):
            raise RefusedError(conflict(f"The item '{item_id}' is in the category '{category_id}' already."))


def _add_items(write: Write, category: Resource, item_ids: list[str]) -> None:
    _refuse_linked(write, [(item_id, category["id"]) for item_id in item_ids])
    _fill(write.account, category["id"], item_ids)


def _set_items(write: Write, category: Resource, item_ids: list[str]) -> None:
    _clear(write.account, category["id"])
    _fill(write.account, category["id"], item_ids)


def _remove_items(write: Write, category: Resource, item_ids: list[str]) -> None:
    _clear(write.account, category["id"], item_ids)


def _add_categories(write: Write, item: Resource, category_ids: list[str]) -> None:
    _refuse_linked(write, [(item["id"], category_id) for category_id in category_ids])
    for category_id in category_ids:
        _fill(write.account, category_id, [item["id"]])


def _set_categories(write: Write, item: Resource, category_ids: list[str]) -> None:
    write.account.item_categories[item["id"]] = category_ids


def _remove_categories(write: Write, item: Resource, category_ids: list[str]) -> None:
    for category_id in category_ids:
        _clear(write.account, category_id, [item["id"]])


_CREATIONS = {
    "item": CreateEndpoint(
        "catalog-item",
        "catalog_items",
        _identify,
        defaults={"price": None, **_PICTURES},
        stamps=("created", "updated"),
        moment=_to_the_millisecond,
        check=_check_item,
        complete=_place_item,
        unstored=_WHERE,
    ),
    "variant": CreateEndpoint(
        "catalog-variant",
        "catalog_variants",
        _identify,
        defaults={"inventory_policy": 0, **_PICTURES},
        stamps=("created", "updated"),
        moment=_to_the_millisecond,
        check=_check_variant,
        complete=_place_variant,
        unstored=_WHERE,
    ),
    "category": CreateEndpoint(
        "catalog-category",
        "catalog_categories",
        _identify,
        stamps=("updated",),
        moment=_to_the_millisecond,
        check=_check_category,
        complete=_place_category,
        unstored=_WHERE,
    ),
}
_CHANGES = {
    "item": PatchEndpoint("catalog-item", stamps=("updated",), moment=_to_the_millisecond, apply=_replace_categories),
    "variant": PatchEndpoint("catalog-variant", stamps=("updated",), moment=_to_the_millisecond),
    "category": PatchEndpoint("catalog-category", stamps=("updated",), moment=_to_the_millisecond, apply=_replace_items),
}
_DELETIONS = {
    "item": DeleteEndpoint("catalog-item", "catalog_items", after=_forget_item),
    "variant": DeleteEndpoint("catalog-variant", "catalog_variants"),
    "category": DeleteEndpoint("catalog-category", "catalog_categories", after=lambda call, category: _clear(call.account, category["id"])),
}
_SEVERAL = {"item": ("items", "catalog_items"), "variant": ("variants", "catalog_variants"), "category": ("categories", "catalog_categories")}
"""What jobs call their rows, and what their operations call them."""


def _job(thing: str, verb: str, work: Work) -> dict[str, Endpoint]:
    rows, name = _SEVERAL[thing]
    kind = f"catalog-{thing}-bulk-{verb}-job"
    return {f"bulk_{verb}_{name}": BulkJobEndpoint(kind, rows, MOST_ROWS, work, check=room_for((kind,), MOST_JOBS))}


ENDPOINTS: dict[str, Endpoint] = {
    "add_items_to_catalog_category": LinkEndpoint("catalog-category", "catalog-item", _add_items),
    "update_items_for_catalog_category": LinkEndpoint("catalog-category", "catalog-item", _set_items, replaces=True),
    "remove_items_from_catalog_category": LinkEndpoint("catalog-category", "catalog-item", _remove_items),
    "add_categories_to_catalog_item": LinkEndpoint("catalog-item", "catalog-category", _add_categories),
    "update_categories_for_catalog_item": LinkEndpoint("catalog-item", "catalog-category", _set_categories, replaces=True),
    "remove_categories_from_catalog_item": LinkEndpoint("catalog-item", "catalog-category", _remove_categories),
}
for _thing in _SEVERAL:
    ENDPOINTS[f"create_catalog_{_thing}"] = _CREATIONS[_thing]
    ENDPOINTS[f"update_catalog_{_thing}"] = _CHANGES[_thing]
    ENDPOINTS[f"delete_catalog_{_thing}"] = _DELETIONS[_thing]
    ENDPOINTS |= _job(_thing, "create", creating(_CREATIONS[_thing]))
    ENDPOINTS |= _job(_thing, "update", changing(_CHANGES[_thing]))
    ENDPOINTS |= _job(_thing, "delete", deleting(_DELETIONS[_thing]))
