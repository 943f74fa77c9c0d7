"""Conversations, which are read from the profiles that they are with."""

from __future__ import annotations

from klaviyo_sql.sandbox.endpoints import Endpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, own, stored

KINDS = {
    "conversation": Kind(
        "conversation",
        "/api/conversations",
        stored("conversations"),
        "A conversation with id {id} does not exist.",
        relations=(Relation("profile", "profile elsewhere", own("profile_id"), many=False),),
    )
}

ENDPOINTS: dict[str, Endpoint] = {}
