"""Writing the catalog and coupons."""

from __future__ import annotations

from klaviyo_sql.model.table import Type
from klaviyo_sql.model.writing import Job, Links, Many, One, Writes
from klaviyo_sql.tables.written.declaring import Written, named, only

_WORD = (r"[0-9A-Za-z_]+", "letters, digits and _")
_FIXED = "It stays what it was when the row was made: make a new one, and delete this one."


def _catalog(kind: str, many: str, jobs: str, key: str) -> Writes:
    """Items, variants and categories of the catalog: one request a row, or a bulk job for a hundred."""

    def bulk(verb: str, *, repeatable: bool) -> Many:
        return Many(f"bulk_{verb}_{many}", key, 100, Job(f"get_bulk_{verb}_{jobs}_job"), repeatable=repeatable, least=5)

    return Writes(
        insert=One(f"create_{kind}"),
        insert_many=bulk("create", repeatable=False),
        update=One(f"update_{kind}"),
        update_many=bulk("update", repeatable=True),
        delete=One(f"delete_{kind}"),
        delete_many=bulk("delete", repeatable=True),
        unique=("external_id",),
        hints={"external_id": _FIXED, **({"item_id": "A variant stays with its item."} if kind == "catalog_variant" else {})},
        notes=("From five rows on they go by bulk jobs of a hundred.",),
    )


CATALOGS: dict[str, Written] = {
    "catalog_items": Written(
        _catalog("catalog_item", "catalog_items", "catalog_items", "items"),
        added=(only("category_ids", "relationships.categories", "The categories that it is in, all of them, as a JSON array of ids.", Type.JSON),),
    ),
    "catalog_categories": Written(
        _catalog("catalog_category", "catalog_categories", "categories", "categories"),
        added=(only("item_ids", "relationships.items", "The items that are in it, all of them, as a JSON array of ids.", Type.JSON),),
    ),
    "catalog_variants": Written(
        _catalog("catalog_variant", "catalog_variants", "variants", "variants"),
        bodies={"item_id": "relationships.item"},
    ),
    "catalog_item_categories": Written(
        Writes(
            links=Links(
                "add_categories_to_catalog_item",
                "remove_categories_from_catalog_item",
                path="item_id",
                ids="category_id",
                most=100,
                other=Links("add_items_to_catalog_category", "remove_items_from_catalog_category", path="category_id", ids="item_id", most=100),
            ),
            notes=(
                "Rows are sent from the side that takes fewer requests. A pair that is there already is an error.",
                "UPDATE catalog_items SET category_ids = '[…]' replaces all categories of an item, and UPDATE catalog_categories SET item_ids all items "
                "of a category.",
            ),
        ),
    ),
    "coupons": Written(
        named(
            "coupon",
            unique=("external_id",),
            created=None,
            patterns={"external_id": _WORD},
            hints={"external_id": _FIXED},
            notes=("monitor_configuration is JSON of {low_balance_threshold}, 100 at least.",),
        ),
    ),
    "coupon_codes": Written(
        Writes(
            insert=One("create_coupon_code"),
            insert_many=Many("bulk_create_coupon_codes", "coupon-codes", 1000, Job("get_bulk_create_coupon_codes_job"), least=5),
            update=One("update_coupon_code"),
            delete=One("delete_coupon_code"),
            unique=("unique_code",),
            hints={"unique_code": _FIXED, "coupon_id": "A code stays with its coupon.", "profile_id": "Klaviyo assigns codes when it sends them."},
            notes=("From five rows on an INSERT is a bulk job for a thousand. A code that is assigned to a profile cannot be deleted.",),
        ),
    ),
}
