"""Tags, their groups, and what carries them."""

from __future__ import annotations

from collections.abc import Callable

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, own, pointing, stored


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

ENDPOINTS: dict[str, Endpoint] = {
    "get_tags": CollectionEndpoint("tag", everything("tags")),
    "get_tag": ResourceEndpoint("tag"),
    "get_tag_groups": CollectionEndpoint("tag-group", everything("tag_groups")),
    "get_tag_group": ResourceEndpoint("tag-group"),
}
