"""The catalog: items, their variants, and categories, of which an item can have many."""

from __future__ import annotations

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, own, pointing, stored


def _categories(account: Account, item: Resource) -> list[str]:
    return account.item_categories.get(item["id"], [])


def _items(account: Account, category: Resource) -> list[str]:
    return [identifier for identifier, categories in account.item_categories.items() if category["id"] in categories]


KINDS = {
    "catalog-item": Kind(
        "catalog-item",
        "/api/catalog-items",
        stored("catalog_items"),
        "An item with id {id} does not exist.",
        relations=(
            Relation("variants", "catalog-variant", pointing("catalog_variants", "item_id")),
            Relation("categories", "catalog-category", _categories, shown="never"),
        ),
        readers={"ids": own("id"), "category.id": _categories},
    ),
    "catalog-variant": Kind(
        "catalog-variant",
        "/api/catalog-variants",
        stored("catalog_variants"),
        "A variant with id {id} does not exist.",
        relations=(Relation("item", "catalog-item", own("item_id"), many=False),),
        readers={"ids": own("id"), "item.id": own("item_id")},
    ),
    "catalog-category": Kind(
        "catalog-category",
        "/api/catalog-categories",
        stored("catalog_categories"),
        "No category with the ID `{id}` exists.",
        relations=(Relation("items", "catalog-item", _items),),
        # Categories are sorted by when they were made, which they do not show.
        readers={"ids": own("id"), "item.id": _items, "created": own("created")},
    ),
}

ENDPOINTS: dict[str, Endpoint] = {
    "get_catalog_items": CollectionEndpoint("catalog-item", everything("catalog_items")),
    "get_catalog_item": ResourceEndpoint("catalog-item"),
    "get_catalog_variants": CollectionEndpoint("catalog-variant", everything("catalog_variants")),
    "get_catalog_variant": ResourceEndpoint("catalog-variant"),
    "get_catalog_categories": CollectionEndpoint("catalog-category", everything("catalog_categories")),
    "get_catalog_category": ResourceEndpoint("catalog-category"),
}
