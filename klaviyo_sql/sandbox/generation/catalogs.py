"""A catalog of items with variants, in categories: many to many, some items in none, one category with nothing in it."""

from __future__ import annotations

from random import Random
from typing import Any

from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.generation.moments import microseconds_text
from klaviyo_sql.sandbox.generation.words import LONG_NAME, NASTY_TEXTS, PRODUCTS

_ITEMS = 230
"""More than two pages of a hundred."""

_DAY = 86_400
_CATEGORIES = ("Basics", "basics", "Home & Garden", "Kitchen", "Books", "Gifts", "Home", "100% off_ers", 'The "odd" ones', "Ñandú 🎉", "Basics", "Nothing here")
_ODD_IDS = ("sku 50%", 'say "hi"', "c++", "a,b", "ünï", "x/y", "o'neil", "[1]")


def catalog_id(external_id: str) -> str:
    """The id of what is in the catalog that the API writes to."""
    return f"$custom:::$default:::{external_id}"


def make_catalog(random: Random, account: Account, start: int, end: int) -> None:
    """The products that events name come first."""

    def moment() -> int:
        return start + int((end - start - 30 * _DAY) * random.random())

    def written(when: int) -> str:
        # Milliseconds, with six digits all the same.
        return microseconds_text(when, random.randrange(1000) * 1000)

    for number, name in enumerate(_CATEGORIES):
        created = moment()
        identifier = catalog_id(f"cat-{number}")
        attributes: dict[str, Any] = {"external_id": f"cat-{number}", "name": name, "updated": written(created + _DAY)}
        account.catalog_categories[identifier] = {"type": "catalog-category", "id": identifier, "attributes": attributes, "created": written(created)}
    filled = list(account.catalog_categories)[:-1]
    for number in range(_ITEMS):
        external_id = (
            PRODUCTS[number][1] if number < len(PRODUCTS) else _ODD_IDS[number // 25 % len(_ODD_IDS)] + f" {number}" if number % 25 == 0 else f"item-{number}"
        )
        identifier = catalog_id(external_id)
        created = moment()
        price = PRODUCTS[number % len(PRODUCTS)][2]
        account.catalog_items[identifier] = {
            "type": "catalog-item",
            "id": identifier,
            "attributes": {
                "external_id": external_id,
                "title": PRODUCTS[number % len(PRODUCTS)][0] if number % 6 else (*NASTY_TEXTS, LONG_NAME)[number // 6 % (len(NASTY_TEXTS) + 1)],
                "description": ("Soft.", "", None, 'A "fine" thing, 100% yours\nand more')[number % 4],
                "price": None if number % 19 == 7 else 0 if number % 23 == 5 else price,
                "url": f"https://shop.example.com/products/{number}?a=1&b=2",
                "image_full_url": f"https://images.example.com/{number}-full.jpg" if number % 3 else "",
                "image_thumbnail_url": f"https://images.example.com/{number}-thumb.jpg" if number % 5 else "",
                "images": [f"https://images.example.com/{number}-{view}.jpg" for view in range(number % 3)],
                "custom_metadata": ({}, {"color": "blue", "weight": 1.25, "tags": ["a", "b"]}, None)[number % 3],
                "published": number % 8 != 3,
                "created": written(created),
                "updated": written(created + random.randrange(30 * _DAY)),
            },
        }
        account.item_categories[identifier] = random.sample(filled, k=number % 4)
        for size in range(number % 4):
            _add_variant(random, account, identifier, external_id, number, size, written(created + 60 + size))


def _add_variant(random: Random, account: Account, item_id: str, external_id: str, number: int, size: int, created: str) -> None:
    identifier = catalog_id(f"{external_id}-{'SML'[size]}")
    account.catalog_variants[identifier] = {
        "type": "catalog-variant",
        "id": identifier,
        "attributes": {
            "external_id": f"{external_id}-{'SML'[size]}",
            "title": f"Size {'SML'[size]}",
            "description": None if number % 2 else "",
            "sku": f"SKU-{number // 2}-{'SML'[size]}",
            "inventory_policy": (0, 1, 2)[number % 3],
            "inventory_quantity": None if number % 13 == 6 else 0.5 if number % 31 == 9 else 0 if number % 37 == 11 else random.randrange(200),
            "price": 0 if number % 11 == 3 else round(10 + 100 * random.random(), 2),
            "url": f"https://shop.example.com/products/{number}?size={'SML'[size]}",
            "image_full_url": "",
            "image_thumbnail_url": "",
            "images": [],
            "custom_metadata": {"size": "SML"[size]} if number % 2 else None,
            "published": (number + size) % 7 != 4,
            "created": created,
            "updated": created,
        },
        "item_id": item_id,
    }
