"""Push tokens of profiles."""

from __future__ import annotations

from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, own, stored

KINDS = {
    "push-token": Kind(
        "push-token",
        "/api/push-tokens",
        stored("push_tokens"),
        "Record with token ID: {id} cannot be found.",
        relations=(Relation("profile", "profile elsewhere", own("profile_id"), many=False),),
        readers={"profile.id": own("profile_id")},
    )
}

ENDPOINTS: dict[str, Endpoint] = {
    "get_push_tokens": CollectionEndpoint("push-token", everything("push_tokens")),
    "get_push_token": ResourceEndpoint("push-token"),
}
