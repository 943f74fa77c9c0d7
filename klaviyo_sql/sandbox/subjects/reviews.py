"""Reviews of what is in the catalog."""

from __future__ import annotations

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, own, stored
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.writing import PatchEndpoint, Write


def _statuses(account: Account, review: Resource) -> list[str]:
    """What a filter on the status may say to find a review: its own, or that any will do."""
    status = review["attributes"]["status"]
    return ["all"] if status is None else [status["value"], "all"]


KINDS = {
    "review": Kind(
        "review",
        "/api/reviews",
        stored("reviews"),
        "A review with id `{id}` does not exist.",
        relations=(
            Relation("events", "event", own("event_ids")),
            Relation("item", "catalog-item", own("item_id"), many=False),
        ),
        readers={"item.id": own("item_id"), "status": _statuses},
    )
}


def _check_status(write: Write, review: Resource) -> None:
    if write.attributes.get("status") is None:
        raise RefusedError(invalid("A status is required.", pointer="/data/attributes/status"))


ENDPOINTS: dict[str, Endpoint] = {
    "get_reviews": CollectionEndpoint("review", everything("reviews")),
    "get_review": ResourceEndpoint("review"),
    "update_review": PatchEndpoint("review", stamps=("updated",), check=_check_status),
}
