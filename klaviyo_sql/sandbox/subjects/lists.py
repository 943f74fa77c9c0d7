"""Lists, and the lists of one profile."""

from __future__ import annotations

from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, stored
from klaviyo_sql.sandbox.subjects.flows import FLOW_TRIGGERS

KINDS = {
    "list": Kind(
        "list",
        "/api/lists",
        stored("lists"),
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


ENDPOINTS: dict[str, Endpoint] = {
    "get_lists": CollectionEndpoint("list", everything("lists")),
    "get_list": ResourceEndpoint("list"),
}
