"""The catalog, coupons and tags written through SQL."""

from __future__ import annotations

import json

import pytest

import klaviyo_sql
from tests.writes.shop import Shop, attributes, named

PREFIX = "$custom:::$default:::"


def test_an_item_is_made_with_categories_changed_and_deleted(shop: Shop) -> None:
    category = next(iter(shop.account.catalog_categories))
    sql = "INSERT INTO catalog_items (external_id, title, description, url, price, category_ids) VALUES ('N1', 'New', 'd', 'https://example.com', '9.5', ?)"
    ((method, path, body),) = shop.run(sql, json.dumps([category]))
    assert (method, path) == ("POST", "/api/catalog-items")
    assert body["data"]["attributes"] == {"external_id": "N1", "title": "New", "description": "d", "url": "https://example.com", "price": 9.5}
    assert body["data"]["relationships"]["categories"]["data"] == [{"type": "catalog-category", "id": category}]
    assert shop.account.item_categories[f"{PREFIX}N1"] == [category]
    sent = shop.run("UPDATE CatalogItems SET Title = 'Newer', ImageFullUrl = NULL WHERE Id = ?", f"{PREFIX}N1")
    assert attributes(sent) == [{"title": "Newer", "image_full_url": None}]
    shop.run("DELETE FROM skyvia.CatalogItems WHERE Id = ?", f"{PREFIX}N1")
    assert f"{PREFIX}N1" not in shop.account.catalog_items
    assert shop.reads() == []


def test_variants_and_categories_as_well(shop: Shop) -> None:
    item = next(iter(shop.account.catalog_items))
    sql = (
        "INSERT INTO skyvia.CatalogVariants (ExternalId, Title, Description, Sku, InventoryQuantity, Price, Url, ItemId) "
        "VALUES ('V1', 'Size', 'd', 's', 3, 5, 'https://example.com', ?)"
    )
    ((_, path, body),) = shop.run(sql, item)
    assert path == "/api/catalog-variants"
    assert body["data"]["relationships"] == {"item": {"data": {"type": "catalog-item", "id": item}}}
    assert attributes(shop.run("UPDATE catalog_variants SET inventory_quantity = 0 WHERE id = ?", f"{PREFIX}V1")) == [{"inventory_quantity": 0}]
    assert shop.account.catalog_variants[f"{PREFIX}V1"]["attributes"]["inventory_quantity"] == 0
    shop.run("DELETE FROM catalog_variants WHERE id = ?", f"{PREFIX}V1")
    assert f"{PREFIX}V1" not in shop.account.catalog_variants
    shop.run("INSERT INTO CatalogCategories (ExternalId, Name) VALUES ('C1', 'Cat')")
    assert attributes(shop.run("UPDATE catalog_categories SET name = 'Dog' WHERE id = ?", f"{PREFIX}C1")) == [{"name": "Dog"}]
    assert shop.account.catalog_categories[f"{PREFIX}C1"]["attributes"]["name"] == "Dog"
    shop.run("DELETE FROM catalog_categories WHERE id = ?", f"{PREFIX}C1")
    assert f"{PREFIX}C1" not in shop.account.catalog_categories


@pytest.mark.parametrize("kind", ["items", "variants", "categories"])
def test_many_go_by_jobs(shop: Shop, kind: str) -> None:
    item = next(iter(shop.account.catalog_items))
    more, marks = {
        "items": ("title, description, url", ("t", "d", "https://example.com")),
        "variants": ("title, description, url, sku, inventory_quantity, price, item_id", ("t", "d", "https://example.com", "s", 1, 2, item)),
        "categories": ("name", ("n",)),
    }[kind]
    rows = [(f"bulk{number}", *marks) for number in range(120)]
    sent = shop.run(f"INSERT INTO catalog_{kind} (external_id, {more}) VALUES ({', '.join('?' * len(rows[0]))})", rows)
    single = {"items": "item", "variants": "variant", "categories": "category"}[kind]
    assert [path for _, path, _ in sent] == [f"/api/catalog-{single}-bulk-create-jobs"] * 2
    stored = getattr(shop.account, f"catalog_{kind}")
    assert all(f"{PREFIX}bulk{number}" in stored for number in range(120))
    keys = ", ".join(f"'{PREFIX}bulk{number}'" for number in range(120))
    column = "name" if kind == "categories" else "title"
    sent = shop.run(f"UPDATE catalog_{kind} SET {column} = 'changed' WHERE id IN ({keys})")
    assert [path for _, path, _ in sent] == [f"/api/catalog-{single}-bulk-update-jobs"] * 2
    assert stored[f"{PREFIX}bulk119"]["attributes"][column] == "changed"
    sent = shop.run(f"DELETE FROM catalog_{kind} WHERE id IN ({keys})")
    assert [path for _, path, _ in sent] == [f"/api/catalog-{single}-bulk-delete-jobs"] * 2
    assert not any(f"{PREFIX}bulk{number}" in stored for number in range(120))


def test_links_are_sent_from_the_side_that_takes_fewer_requests(shop: Shop) -> None:
    shop.run("INSERT INTO catalog_categories (external_id, name) VALUES ('A', 'a')")
    items = list(shop.account.catalog_items)[:3]
    category = f"{PREFIX}A"
    sent = shop.run("INSERT INTO catalog_item_categories (item_id, category_id) VALUES (?, ?)", [(item, category) for item in items])
    assert [(method, body["data"]) for method, _, body in sent] == [("POST", [{"type": "catalog-item", "id": item} for item in items])]
    assert sent[0][1].endswith("/relationships/items")
    assert all(category in shop.account.item_categories[item] for item in items)
    ((method, path, _),) = shop.run("DELETE FROM CatalogItemCategories WHERE ItemId = ? AND CategoryId = ?", items[0], category)
    assert (method, path.rpartition("/")[2]) == ("DELETE", "categories")
    sent = shop.run("DELETE FROM catalog_item_categories WHERE category_id = ? AND item_id IN (?, ?)", category, *items[1:])
    assert [(method, path.rpartition("/")[2]) for method, path, _ in sent] == [("DELETE", "items")]
    assert not any(category in shop.account.item_categories[item] for item in items)


def test_all_categories_of_an_item_are_replaced(shop: Shop) -> None:
    item, categories = next(iter(shop.account.catalog_items)), list(shop.account.catalog_categories)[:2]
    shop.run("UPDATE catalog_items SET category_ids = ? WHERE id = ?", json.dumps(categories), item)
    assert sorted(shop.account.item_categories[item]) == sorted(categories)


def test_coupons_and_codes(shop: Shop) -> None:
    shop.run("INSERT INTO skyvia.Coupons (ExternalId, Description) VALUES ('NEW_1', 'd')")
    assert attributes(shop.run("UPDATE coupons SET description = NULL WHERE id = 'NEW_1'")) == [{"description": None}]
    assert shop.account.coupons["NEW_1"]["attributes"]["description"] is None
    ((_, path, body),) = shop.run("INSERT INTO CouponCodes (CouponId, UniqueCode, ExpiresAt) VALUES ('NEW_1', 'abc', '2027-01-01 00:00:00')")
    assert path == "/api/coupon-codes"
    assert body["data"]["attributes"] == {"unique_code": "abc", "expires_at": "2027-01-01T00:00:00+00:00"}
    assert body["data"]["relationships"]["coupon"]["data"]["id"] == "NEW_1"
    assert attributes(shop.run("UPDATE coupon_codes SET status = 'USED' WHERE id = 'NEW_1-abc'")) == [{"status": "USED"}]
    assert shop.account.coupon_codes["NEW_1-abc"]["attributes"]["status"] == "USED"
    sent = shop.run("INSERT INTO coupon_codes (coupon_id, unique_code) VALUES ('NEW_1', ?)", [(f"c{number}",) for number in range(20)])
    assert [path for _, path, _ in sent] == ["/api/coupon-code-bulk-create-jobs"]
    assert "NEW_1-c19" in shop.account.coupon_codes
    shop.run("DELETE FROM coupon_codes WHERE id = 'NEW_1-c19'")
    assert "NEW_1-c19" not in shop.account.coupon_codes
    shop.run("DELETE FROM coupons WHERE id = 'NEW_1'")
    assert "NEW_1" not in shop.account.coupons


def test_tags_groups_and_what_carries_them(shop: Shop) -> None:
    shop.run("INSERT INTO tag_groups (name, exclusive) VALUES ('G', 1)")
    group = named(shop.account.tag_groups, "G")
    assert group["attributes"]["exclusive"] is True
    ((_, _, body),) = shop.run("INSERT INTO skyvia.Tags (Name, TagGroupId) VALUES ('T', ?)", group["id"])
    assert body["data"]["relationships"]["tag-group"]["data"]["id"] == group["id"]
    tag = named(shop.account.tags, "T")["id"]
    shop.run("UPDATE tags SET name = 'T2' WHERE id = ?", tag)
    shop.run("UPDATE TagGroups SET Name = 'G2' WHERE Id = ?", group["id"])
    assert shop.account.tags[tag]["attributes"]["name"] == "T2"
    assert shop.account.tag_groups[group["id"]]["attributes"]["name"] == "G2"
    for kind in ("list", "segment", "campaign", "flow"):
        tags = getattr(shop.account, f"{kind}_tags")
        ids = [one for one in getattr(shop.account, f"{kind}s") if not tags[one]][:3]
        sent = shop.run(f"INSERT INTO {kind}_tags ({kind}_id, tag_id) VALUES (?, ?)", [(one, tag) for one in ids])
        assert [(method, path) for method, path, _ in sent] == [("POST", f"/api/tags/{tag}/relationships/{kind}s")]
        assert all(tag in tags[one] for one in ids)
        shop.run(f"DELETE FROM {kind.title()}Tags WHERE {kind.title()}Id = ? AND TagId = ?", ids[0], tag)
        assert tag not in tags[ids[0]]
    campaign = next(one for one in shop.account.campaigns if not shop.account.campaign_tags[one])
    shop.run("INSERT INTO skyvia.EmailCampaignTags (CampaignId, TagId) VALUES (?, ?)", campaign, tag)
    assert tag in shop.account.campaign_tags[campaign]
    shop.run("DELETE FROM tags WHERE id = ?", tag)
    shop.run("DELETE FROM tag_groups WHERE id = ?", group["id"])
    assert tag not in shop.account.tags
    assert group["id"] not in shop.account.tag_groups


REFUSED = [
    ("INSERT INTO catalog_items (external_id, title) VALUES ('x', 'y')", "needs description and url"),
    ("INSERT INTO catalog_variants (external_id, title, description, sku, inventory_quantity, price, url) VALUES ('a','b','c','d',1,2,'e')", "needs item_id"),
    (
        "INSERT INTO catalog_variants (external_id, title, description, sku, inventory_quantity, price, url, item_id, inventory_policy) "
        "VALUES ('a','b','c','d',1,2,'e','i',3)",
        "takes one of 0, 1, 2",
    ),
    ("UPDATE catalog_variants SET item_id = 'x' WHERE id = 'y'", "stays with its item"),
    ("UPDATE catalog_items SET external_id = 'x' WHERE id = 'y'", "make a new one"),
    ("INSERT INTO coupons (external_id) VALUES ('a-b')", "letters, digits and _"),
    ("INSERT INTO coupon_codes (unique_code) VALUES ('x')", "needs coupon_id"),
    ("UPDATE coupon_codes SET status = 'LOST' WHERE id = 'x'", "takes one of"),
    ("UPDATE coupon_codes SET expires_at = 'soon' WHERE id = 'x'", "takes a time"),
    ("UPDATE tag_groups SET exclusive = 1 WHERE id = 'x'", "cannot be changed"),
    ("INSERT INTO skyvia.GroupTags (TagGroupId, TagName) VALUES ('x', 'y')", "write to tags"),
]


@pytest.mark.parametrize(("sql", "said"), REFUSED)
def test_what_is_wrong_is_refused_before_anything_is_sent(shop: Shop, sql: str, said: str) -> None:
    with pytest.raises((klaviyo_sql.DataError, klaviyo_sql.NotSupportedError), match=said):
        shop.connection.execute(sql)
    assert not list(shop.connection.requests)
