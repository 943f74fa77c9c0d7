"""Tag groups, and tags enough for two pages; the six that lists and segments carry were made with them."""

from __future__ import annotations

from random import Random

from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.generation.identifiers import random_uuid
from klaviyo_sql.sandbox.generation.words import LONG_NAME, NASTY_TEXTS

_GROUPS = (
    ("Ungrouped Tags", False, True),
    ("Season, 2026", True, False),
    ('The "B" group', False, False),
    ("ungrouped tags", False, False),
    ("Nothing in here", False, False),
)
_EXCLUSIVE_TAGS = ("spring", "summer", "autumn", "winter")


def make_tags(random: Random, account: Account, start: int, end: int) -> None:
    """One group is exclusive (nothing carries two of its tags), one has no tags; two names differ in case alone, two not at all."""
    groups = [random_uuid(random) for _ in _GROUPS]
    account.tag_groups = {
        identifier: {"type": "tag-group", "id": identifier, "attributes": {"name": name, "exclusive": exclusive, "default": default}}
        for identifier, (name, exclusive, default) in zip(groups, _GROUPS, strict=True)
    }
    default, exclusive, other, lower, _ = groups
    for number, tag in enumerate(account.tags.values()):
        tag["group_id"] = (default, other)[number % 2]
    wanted = [(name, exclusive) for name in _EXCLUSIVE_TAGS]
    wanted += [(name, default) for name in NASTY_TEXTS] + [(LONG_NAME, other), ("twice", other), ("twice", lower)]
    wanted += [(f"Label {number:02d}", random.choice((default, other, lower))) for number in range(30)]
    for name, group in wanted:
        identifier = random_uuid(random)
        account.tags[identifier] = {"type": "tag", "id": identifier, "attributes": {"name": name}, "group_id": group}


def carried_tags(random: Random, account: Account, position: int) -> list[str]:
    """The tags of one campaign or flow: none for many, several for some, never two of an exclusive group."""
    exclusive = {identifier for identifier, group in account.tag_groups.items() if group["attributes"]["exclusive"]}
    free = [tag["id"] for tag in account.tags.values() if tag["group_id"] not in exclusive]
    bound = [tag["id"] for tag in account.tags.values() if tag["group_id"] in exclusive]
    return random.sample(free, k=position % 4) + ([random.choice(bound)] if position % 5 == 1 else [])
