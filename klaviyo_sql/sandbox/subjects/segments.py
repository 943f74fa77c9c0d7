"""Segments, and the segments of one profile."""

from __future__ import annotations

from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, stored
from klaviyo_sql.sandbox.subjects.flows import FLOW_TRIGGERS

KINDS = {
    "segment": Kind(
        "segment",
        "/api/segments",
        stored("segments"),
        "A segment with id `{id}` does not exist.",
        relations=(
            Relation("profiles", "profile elsewhere", lambda account, resource: account.segment_members.get(resource["id"], {})),
            Relation("tags", "tag", lambda account, resource: account.segment_tags.get(resource["id"], [])),
            FLOW_TRIGGERS,
        ),
        additional=frozenset(("profile_count",)),
        computed=lambda account, resource: {"profile_count": len(account.segment_members.get(resource["id"], {}))},
    )
}


def segments_of(account: Account, profile_id: str) -> list[str]:
    """The ids of the segments that a profile is in."""
    return [segment_id for segment_id, members in account.segment_members.items() if profile_id in members]


ENDPOINTS: dict[str, Endpoint] = {
    "get_segments": CollectionEndpoint(
        "segment",
        everything("segments"),
        # Recorded: accepted, and segments that are not starred come as well.
        ignored=frozenset(("is_starred",)),
    ),
    "get_segment": ResourceEndpoint("segment"),
}
