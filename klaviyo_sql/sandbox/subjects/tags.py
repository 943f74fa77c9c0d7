"""Tags, their groups, and what carries them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import Call, CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, own, pointing, stored
from klaviyo_sql.sandbox.problems import Problem, RefusedError, invalid
from klaviyo_sql.sandbox.writing import CreateEndpoint, DeleteEndpoint, LinkEndpoint, PatchEndpoint, Write, refuse_blank, uuid

MOST_TAGS = 500
MOST_GROUPS = 50
MOST_ON_ONE = 100
"""How many an account has of both, and how many tags one thing carries."""

_CARRIERS = {"list": "list_tags", "segment": "segment_tags", "campaign": "campaign_tags", "flow": "flow_tags"}
"""Where the account keeps the tags of everything that may carry them."""


def _tagged(links: str) -> Callable[[Account, Resource], list[str]]:
    """The ids of what carries a tag, by the account's tag ids of all that may."""

    def ids(account: Account, tag: Resource) -> list[str]:
        tags_of: dict[str, list[str]] = getattr(account, links)
        return [identifier for identifier, tags in tags_of.items() if tag["id"] in tags]

    return ids


KINDS = {
    "tag": Kind(
        "tag",
        "/api/tags",
        stored("tags"),
        "A tag with id {id} does not exist.",
        relations=(
            Relation("tag-group", "tag-group", own("group_id"), many=False),
            Relation("lists", "list", _tagged("list_tags")),
            Relation("segments", "segment", _tagged("segment_tags")),
            Relation("campaigns", "campaign", _tagged("campaign_tags")),
            Relation("flows", "flow", _tagged("flow_tags")),
        ),
    ),
    "tag-group": Kind(
        "tag-group",
        "/api/tag-groups",
        stored("tag_groups"),
        "A tag group with id {id} does not exist.",
        relations=(Relation("tags", "tag", pointing("tags", "group_id"), page_links=True),),
    ),
}


def _check_new(collection: str, most: int, what: str) -> Callable[[Write], None]:
    def check(write: Write) -> None:
        refuse_blank(write.attributes, "name")
        if len(getattr(write.account, collection)) >= most:
            raise RefusedError(invalid(f"An account cannot have more than {most} {what}.", pointer="/data"))

    return check


def _put_in_group(write: Write, tag: Resource) -> None:
    groups = write.account.tag_groups
    asked = write.linked("tag-group")
    found = groups.get(asked[0]) if asked else next((group for group in groups.values() if group["attributes"]["default"]), None)
    if found is None:
        # Recorded: another code than that of all other 404s.
        raise RefusedError(Problem(404, "tag_service_error", "Tag Service Error", f"Tag Group with id {asked[0] if asked else None} not found"))
    tag["group_id"] = found["id"]


def _take_off(account: Account, tag_id: str) -> None:
    for links in _CARRIERS.values():
        tags_of: dict[str, list[str]] = getattr(account, links)
        tags_of.update({identifier: [tag for tag in tags if tag != tag_id] for identifier, tags in tags_of.items() if tag_id in tags})


def _keep_default(call: Call, group: Resource) -> None:
    if group["attributes"]["default"]:
        raise RefusedError(invalid("The default tag group cannot be deleted.", pointer="/data"))


def _empty(call: Call, group: Resource) -> None:
    account = call.account
    for tag_id in [tag["id"] for tag in account.tags.values() if tag["group_id"] == group["id"]]:
        _take_off(account, tag_id)
        del account.tags[tag_id]


def _tagging(links: str) -> Callable[[Write, Resource, list[str]], None]:
    def add(write: Write, tag: Resource, identifiers: list[str]) -> None:
        account = write.account
        tags_of: dict[str, list[str]] = getattr(account, links)
        exclusive = account.tag_groups[tag["group_id"]]["attributes"]["exclusive"]
        untagged = [identifier for identifier in identifiers if tag["id"] not in tags_of.get(identifier, [])]
        for identifier in untagged:
            carried = tags_of.get(identifier, [])
            if len(carried) >= MOST_ON_ONE:
                raise RefusedError(invalid(f"{identifier!r} cannot be associated with more than {MOST_ON_ONE} tags.", pointer="/data"))
            if exclusive and any(account.tags[other]["group_id"] == tag["group_id"] for other in carried):
                raise RefusedError(invalid(f"{identifier!r} has a tag of this exclusive tag group already.", pointer="/data"))
        tags_of.update({identifier: [*tags_of.get(identifier, []), tag["id"]] for identifier in untagged})

    return add


def _untagging(links: str) -> Callable[[Write, Resource, list[str]], None]:
    def remove(write: Write, tag: Resource, identifiers: list[str]) -> None:
        tags_of: dict[str, list[str]] = getattr(write.account, links)
        tags_of.update({identifier: [other for other in tags_of.get(identifier, []) if other != tag["id"]] for identifier in identifiers})

    return remove


def _check_name(write: Write, resource: Any = None) -> None:
    refuse_blank(write.attributes, "name")


ENDPOINTS: dict[str, Endpoint] = {
    "get_tags": CollectionEndpoint("tag", everything("tags")),
    "get_tag": ResourceEndpoint("tag"),
    "get_tag_groups": CollectionEndpoint("tag-group", everything("tag_groups")),
    "get_tag_group": ResourceEndpoint("tag-group"),
    "create_tag": CreateEndpoint("tag", "tags", uuid, check=_check_new("tags", MOST_TAGS, "tags"), complete=_put_in_group),
    "update_tag": PatchEndpoint("tag", check=_check_name),
    "delete_tag": DeleteEndpoint("tag", "tags", after=lambda call, tag: _take_off(call.account, tag["id"])),
    "create_tag_group": CreateEndpoint(
        "tag-group",
        "tag_groups",
        uuid,
        defaults={"exclusive": False, "default": False},
        check=_check_new("tag_groups", MOST_GROUPS, "tag groups"),
    ),
    "update_tag_group": PatchEndpoint("tag-group", check=_check_name, unstored=frozenset(("return_fields",))),
    "delete_tag_group": DeleteEndpoint("tag-group", "tag_groups", check=_keep_default, after=_empty),
}
ENDPOINTS |= {f"tag_{kind}s": LinkEndpoint("tag", kind, _tagging(links)) for kind, links in _CARRIERS.items()}
ENDPOINTS |= {f"remove_tag_from_{kind}s": LinkEndpoint("tag", kind, _untagging(links)) for kind, links in _CARRIERS.items()}
