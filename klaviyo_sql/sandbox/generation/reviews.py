"""Reviews of every type, rating and status."""

from __future__ import annotations

from random import Random
from typing import Any

from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.generation.moments import seconds_text
from klaviyo_sql.sandbox.generation.words import FIRST_NAMES, NASTY_TEXTS

_REVIEWS = 120
"""More than one page of a hundred."""

_TYPES = ("review", "rating", "review", "question", "store")
_REJECTIONS: tuple[dict[str, Any], ...] = ({"reason": "other", "status_explanation": 'Not ours, "really"'}, {"reason": "fake"}, {"reason": "unrelated"})


def make_reviews(random: Random, account: Account, start: int, end: int) -> None:
    """Some belong to an item of the catalog, some to events, some to neither."""
    item_ids = list(account.catalog_items)
    identifier = 900_000 + random.randrange(10_000)
    for number in range(_REVIEWS):
        identifier += random.randrange(1, 9)
        review_type = _TYPES[number % len(_TYPES)]
        created = start + int((end - start) * random.random())
        item_id = random.choice(item_ids) if review_type != "store" and number % 6 else None
        attributes: dict[str, Any] = {
            "email": f"person{number}@example.com" if number % 9 else None,
            "status": _status(number),
            "verified": number % 3 == 0,
            "review_type": review_type,
            "created": seconds_text(created),
            "updated": seconds_text(created + random.randrange(86_400)),
            "images": [f"https://images.example.com/review-{identifier}.jpg"] * (number % 3),
            "rating": None if review_type == "question" else 1 + number % 5,
            "author": FIRST_NAMES[number % len(FIRST_NAMES)],
            "content": (NASTY_TEXTS[number % len(NASTY_TEXTS)], "", "Love it. " * 60)[number % 3] if review_type != "rating" else None,
            "title": None if number % 4 == 2 else "So-so, 50%",
            "smart_quote": "Love it" if number % 7 == 0 else None,
        }
        if item_id is not None:
            item = account.catalog_items[item_id]["attributes"]
            attributes["product"] = {
                "url": item["url"],
                "name": item["title"],
                "image_url": item["image_full_url"] or None,
                "external_id": item["external_id"],
            }
        if number % 8 == 0:
            attributes["public_reply"] = {"content": "Thank you!", "author": "The shop", "updated": seconds_text(created + 90_000)}
        account.reviews[str(identifier)] = {
            "type": "review",
            "id": str(identifier),
            "attributes": attributes,
            "item_id": item_id,
            "event_ids": [event["id"] for event in random.sample(account.events, k=min(number % 3, len(account.events)))],
        }


def _status(number: int) -> dict[str, Any] | None:
    value = ("published", "pending", "featured", "rejected", "unpublished")[number // 5 % 5]
    if number == 17:
        return None
    return {"value": value} if value != "rejected" else {"value": value, "rejection_reason": _REJECTIONS[number % len(_REJECTIONS)]}
