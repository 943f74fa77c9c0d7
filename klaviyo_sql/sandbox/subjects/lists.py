"""Lists, and the lists of one profile."""

from __future__ import annotations

from collections.abc import Iterable

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation
from klaviyo_sql.sandbox.subjects.flows import FLOW_TRIGGERS

KINDS = {
    "list": Kind(
        "list",
        "/api/lists",
        lambda account, identifier: account.lists.get(identifier),
        "A list with id `{id}` does not exist.",
        relations=(
            Relation("profiles", "profile elsewhere", lambda account, resource: account.list_members.get(resource["id"], {})),
            Relation("tags", "tag", lambda account, resource: account.list_tags.get(resource["id"], [])),
            FLOW_TRIGGERS,
        ),
        additional=frozenset(("profile_count",)),
        computed=lambda account, resource: {"profile_count": len(account.list_members.get(resource["id"], {}))},
    )
}


def lists_of(account: Account, profile_id: str) -> list[str]:
    """The ids of the lists that a profile is on."""
    return [list_id for list_id, members in account.list_members.items() if profile_id in members]


def _of_profile(account: Account, profile_id: str, clauses: object) -> Iterable[Resource]:
    return [account.lists[list_id] for list_id in lists_of(account, profile_id)]


ENDPOINTS: dict[str, Endpoint] = {
    "get_lists": CollectionEndpoint("list", lambda account, parent, clauses: account.lists.values()),
    "get_list": ResourceEndpoint("list"),
    "get_lists_for_profile": CollectionEndpoint("list", _of_profile, parent="profile"),
}
