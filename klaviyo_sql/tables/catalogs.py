"""The catalog: items, variants, categories, and which item is in which category."""

from __future__ import annotations

from dataclasses import replace

from klaviyo_sql.model.table import (
    Argument,
    Collection,
    Column,
    Example,
    Filter,
    FromParent,
    Id,
    Linked,
    Parent,
    ParentId,
    Place,
    Table,
)
from klaviyo_sql.tables.columns import boolean, integer, json, linked, own_id, precise_time, real, text, through

_ID_NOTE = "Ids look like $custom:::$default:::SKU-1; only that catalog can be listed."


def _product(kind: str) -> tuple[Column, ...]:
    """What items and variants have in common."""
    return (
        text("external_id", f"The id of the {kind} in your own system."),
        text("title", f"The {kind}'s title."),
        text("description", f"The {kind}'s description."),
        real("price", f"The {kind}'s price."),
        text("url", f"The page of the {kind} in your shop."),
        text("image_full_url", "The URL of the picture."),
        text("image_thumbnail_url", "The URL of the small picture."),
        json("images", "The URLs of all pictures, as a JSON array."),
        json("custom_metadata", "What else your system says of it, as JSON."),
        boolean("published", f"1 when the {kind} is published.", filter="published"),
        precise_time("created", f"When the {kind} was made.", sort="created"),
        precise_time("updated", f"When the {kind} last changed."),
    )


CATALOG_ITEMS = Table(
    name="catalog_items",
    doc="The items of the catalog, which are products, one row each.",
    source=Collection(resource="catalog-item", list="get_catalog_items", get="get_catalog_item", most_gets=1, default_sort="created"),
    key=("id",),
    typical_rows=2_000,
    columns=(own_id("The item's id.", filter="ids"), *_product("item")),
    notes=(_ID_NOTE,),
    examples=(
        Example("Which items are new?", "SELECT external_id, title, price FROM catalog_items ORDER BY created DESC LIMIT 10"),
        Example("Which are not published?", "SELECT external_id, title FROM catalog_items WHERE published = 0"),
        Example("What do they cost?", "SELECT min(price), avg(price), max(price) FROM catalog_items WHERE published = 1"),
    ),
)

_VARIANT_COLUMNS: tuple[Column, ...] = (
    own_id("The variant's id.", filter="ids"),
    linked("item_id", Argument(), "The id of the item that it is a variant of.", Filter("item.id", exact=True)),
    text("sku", "The stock-keeping unit.", filter="sku"),
    integer("inventory_policy", "What happens without stock: 1 hides the variant, 0 and 2 do not."),
    real("inventory_quantity", "How many there are."),
    *_product("variant"),
)
_VARIANTS = Table(
    name="catalog_variants",
    doc="The variants of items, such as sizes and colors, one row each.",
    source=Collection(resource="catalog-variant", list="get_catalog_variants", get=None, default_sort="created"),
    key=("id",),
    typical_rows=6_000,
    columns=_VARIANT_COLUMNS,
    notes=(_ID_NOTE, "item_id is not in Klaviyo's variants: unless it is given, they are read with the items, whose pages include them."),
    examples=(
        Example("Which are out of stock?", "SELECT sku, title, inventory_policy FROM catalog_variants WHERE inventory_quantity <= 0"),
        Example("Which variants has one item?", "SELECT sku, title FROM catalog_variants WHERE item_id = (SELECT item_id FROM catalog_variants LIMIT 1)"),
        Example("How many has each item?", "SELECT item_id, count(*) AS variants FROM catalog_variants GROUP BY item_id ORDER BY variants DESC LIMIT 10"),
    ),
)
CATALOG_VARIANTS = replace(
    _VARIANTS,
    others=(
        _VARIANTS.read_otherwise(
            Collection(
                resource="catalog-item",
                list="get_catalog_items",
                get="get_catalog_item",
                most_gets=1,
                default_sort="created",
                each=(Linked("variants", "catalog-variant"),),
                of="catalog_items",
            ),
            {**through("variants", "catalog-variant", _VARIANT_COLUMNS), "item_id": (Id(), (Filter("ids", exact=True),))},
        ),
    ),
)

_CATEGORY_COLUMNS: tuple[Column, ...] = (
    own_id("The category's id.", filter="ids"),
    text("external_id", "The id of the category in your own system."),
    text("name", "The category's name."),
    precise_time("updated", "When the category last changed."),
)
CATALOG_CATEGORIES = Table(
    name="catalog_categories",
    doc="The categories that items are in, one row each.",
    source=Collection(resource="catalog-category", list="get_catalog_categories", get="get_catalog_category", most_gets=1, default_sort="created"),
    key=("id",),
    typical_rows=50,
    columns=_CATEGORY_COLUMNS,
    notes=(_ID_NOTE,),
    examples=(
        Example("Which categories are there?", "SELECT external_id, name FROM catalog_categories ORDER BY name"),
        Example("Which changed lately?", "SELECT name, updated FROM catalog_categories ORDER BY updated DESC LIMIT 5"),
        Example(
            "How many items has each?",
            "SELECT catalog_categories.name, count(*) AS items FROM catalog_categories\n"
            "JOIN catalog_item_categories ON category_id = catalog_categories.id GROUP BY category_id",
        ),
    ),
)

_LINKS = Table(
    name="catalog_item_categories",
    doc="Which item is in which category, one row for each pair.",
    source=Collection(
        resource="catalog-item", list="get_items_for_catalog_category", parent=Parent("catalog_categories", "category_id"), default_sort="created"
    ),
    key=("item_id", "category_id"),
    typical_rows=4_000,
    columns=(
        linked("item_id", Id(), "The item's id.", Filter("ids", exact=True), not_null=True),
        linked("category_id", ParentId(), "The category's id.", not_null=True),
        text("item_title", "The item's title.", "title"),
        linked("category_name", FromParent("name"), "The category's name."),
    ),
    notes=("With an item_id it is the item's categories, without one the items of every category, a hundred in a request.",),
    examples=(
        Example("What is in each category?", "SELECT category_name, item_title FROM catalog_item_categories ORDER BY 1, 2 LIMIT 20"),
        Example("In how many categories are items?", "SELECT item_id, count(*) AS categories FROM catalog_item_categories GROUP BY item_id LIMIT 10"),
        Example(
            "In which categories is one item?",
            "SELECT category_id FROM catalog_item_categories WHERE item_id = (SELECT item_id FROM catalog_item_categories LIMIT 1)",
        ),
    ),
)
_BY_ITEM: dict[str, Place | tuple[Place, tuple[Filter, ...]]] = {
    "item_id": ParentId(),
    "category_id": (Id(), (Filter("ids", exact=True),)),
    "item_title": FromParent("title"),
    "category_name": text("category_name", "", "name").place,
}
CATALOG_ITEM_CATEGORIES = replace(
    _LINKS,
    others=(
        _LINKS.read_otherwise(
            Collection(resource="catalog-category", list="get_categories_for_catalog_item", parent=Parent("catalog_items", "item_id"), default_sort="created"),
            _BY_ITEM,
        ),
    ),
)

CATALOG_TABLES = (CATALOG_ITEMS, CATALOG_VARIANTS, CATALOG_CATEGORIES, CATALOG_ITEM_CATEGORIES)
