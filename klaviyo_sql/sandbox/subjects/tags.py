"""Tags, read from the lists and segments that carry them."""

from __future__ import annotations

from collections.abc import Iterable

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation

KINDS = {
    "tag": Kind(
        "tag",
        "/api/tags",
        lambda account, identifier: account.tags.get(identifier),
        "A tag with id {id} does not exist.",
        relations=(
            Relation("tag-group", "tag-group", many=False),
            Relation("lists", "list"),
            Relation("segments", "segment"),
            Relation("campaigns", "campaign"),
            Relation("flows", "flow"),
        ),
    )
}


def _of_list(account: Account, list_id: str, clauses: object) -> Iterable[Resource]:
    return [account.tags[tag_id] for tag_id in account.list_tags.get(list_id, [])]


def _of_segment(account: Account, segment_id: str, clauses: object) -> Iterable[Resource]:
    return [account.tags[tag_id] for tag_id in account.segment_tags.get(segment_id, [])]


# Recorded: the replies to these two have no next and prev, not even as nulls.
ENDPOINTS: dict[str, Endpoint] = {
    "get_tags_for_list": CollectionEndpoint("tag", _of_list, parent="list", page_links=False),
    "get_tags_for_segment": CollectionEndpoint("tag", _of_segment, parent="segment", page_links=False),
}
