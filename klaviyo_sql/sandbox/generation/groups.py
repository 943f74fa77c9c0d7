"""Lists, segments, tags and flows, and who belongs to them."""

from __future__ import annotations

from random import Random
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.generation.identifiers import ShortIds, random_uuid
from klaviyo_sql.sandbox.generation.moments import seconds_text
from klaviyo_sql.sandbox.generation.words import (
    EMPTY_LIST,
    EMPTY_SEGMENT,
    LARGE_LIST,
    LIST_NAMES,
    PROCESSING_SEGMENT,
    SEGMENT_NAMES,
    TAG_NAMES,
)

_DAY = 86_400
_LIST_SHARES = (0.3, 0.02, 0.05, 0.01, 0.004, 0.1, 0.003, 0.02, 0.01, 0.005, 0, 0.001, 0.15, 0.9)
_SEGMENT_SHARES = (0.25, 0.1, 0.01, 0.03, 0.12, 0.002, 0, 0, 0.05, 0.02, 0.04, 0.6)


def make_lists(random: Random, ids: ShortIds, start: int, end: int) -> dict[str, Resource]:
    """The lists; two of them were created in the same second."""
    times = [start + int((end - start) * random.random()) for _ in LIST_NAMES]
    times[1] = times[0]
    lists: dict[str, Resource] = {}
    for number, (name, created) in enumerate(zip(LIST_NAMES, times, strict=True)):
        attributes = {
            "name": name,
            "created": seconds_text(created),
            "updated": seconds_text(created + int((end - created) * random.random())),
            "opt_in_process": "double_opt_in" if number % 3 else "single_opt_in",
        }
        identifier = ids.next()
        lists[identifier] = {"type": "list", "id": identifier, "attributes": attributes}
    return lists


def make_segments(random: Random, ids: ShortIds, start: int, end: int, list_ids: list[str]) -> dict[str, Resource]:
    """The segments, with definitions of two kinds."""
    segments: dict[str, Resource] = {}
    for number, name in enumerate(SEGMENT_NAMES):
        created = start + int((end - start) * random.random())
        property_condition = {
            "type": "profile-property",
            "property": f"properties['it''s {number}']",
            "filter": {"type": "string", "operator": "equals", "value": name},
        }
        member_condition = {
            "type": "profile-group-membership",
            "is_member": True,
            "group_ids": [list_ids[number % len(list_ids)]],
            "timeframe_filter": None,
        }
        groups: list[dict[str, list[dict[str, Any]]]] = [{"conditions": [property_condition]}]
        if number % 2:
            groups.insert(0, {"conditions": [member_condition]})
        attributes = {
            "name": name,
            "definition": {"condition_groups": groups},
            "created": seconds_text(created),
            "updated": seconds_text(created + int((end - created) * random.random())),
            "is_active": number % 5 != 4,
            "is_processing": number == PROCESSING_SEGMENT,
            "is_starred": number % 4 == 1,
        }
        identifier = ids.next()
        segments[identifier] = {"type": "segment", "id": identifier, "attributes": attributes}
    return segments


def fill_groups(random: Random, account: Account, start: int, end: int) -> None:
    """Give the lists and segments their members and tags, and some of them a flow that they start."""
    profile_ids = list(account.profiles)
    for number, (list_id, share) in enumerate(zip(account.lists, _LIST_SHARES, strict=True)):
        minimum = 0 if number == EMPTY_LIST else 260 if number == LARGE_LIST else 1
        account.list_members[list_id] = _members(random, profile_ids, share, minimum, start, end)
    for number, (segment_id, share) in enumerate(zip(account.segments, _SEGMENT_SHARES, strict=True)):
        minimum = 0 if number in (EMPTY_SEGMENT, PROCESSING_SEGMENT) else 1
        account.segment_members[segment_id] = _members(random, profile_ids, share, minimum, start, end)
    tag_ids = [random_uuid(random) for _ in TAG_NAMES]
    account.tags = {tag_id: {"type": "tag", "id": tag_id, "attributes": {"name": name}} for tag_id, name in zip(tag_ids, TAG_NAMES, strict=True)}
    account.list_tags = {list_id: random.sample(tag_ids, k=number % 4) for number, list_id in enumerate(account.lists)}
    account.segment_tags = {segment_id: random.sample(tag_ids, k=number % 3) for number, segment_id in enumerate(account.segments)}


def make_flows(random: Random, ids: ShortIds, account: Account, start: int) -> None:
    """Three flows: started by a list, by a segment and by a metric."""
    triggers = (
        ("Welcome, new friend!", "live", "Added to List", next(iter(account.lists))),
        ("Win-back", "draft", "Unconfigured", next(iter(account.segments))),
        ("Order thanks", "manual", "Metric", next(iter(account.metrics))),
    )
    for number, (name, status, trigger_type, trigger_id) in enumerate(triggers):
        identifier = ids.next()
        created = start + number * _DAY + random.randrange(_DAY)
        account.flows[identifier] = {
            "type": "flow",
            "id": identifier,
            "attributes": {
                "name": name,
                "status": status,
                "archived": False,
                "created": seconds_text(created),
                "updated": seconds_text(created + _DAY),
                "trigger_type": trigger_type,
            },
        }
        account.flow_triggers[trigger_id] = [identifier]


def _members(random: Random, profile_ids: list[str], share: float, minimum: int, start: int, end: int) -> dict[str, str]:
    size = min(len(profile_ids), max(minimum, int(len(profile_ids) * share)))
    # A third of them came in one import, so they joined in one second.
    imported = start + int((end - start) * random.random())
    joined = [imported if random.random() < 0.33 else start + int((end - start) * random.random()) for _ in range(size)]
    return {profile_id: seconds_text(when) for profile_id, when in zip(random.sample(profile_ids, k=size), joined, strict=True)}
