"""Events, what they were about and who did them, and the one write: creating them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import ActionEndpoint, CollectionEndpoint, Endpoint, RelatedEndpoint, ResourceEndpoint
from klaviyo_sql.sandbox.filter_grammar import Clause, Moment
from klaviyo_sql.sandbox.kinds import Kind, Relation, own
from klaviyo_sql.sandbox.selection import Reader
from klaviyo_sql.sandbox.subjects.event_creation import bulk_create_events, create_event

_ID = re.compile(r"[1-9A-HJ-NP-Za-km-z]{10,12}")

KINDS = {
    "event": Kind(
        "event",
        "/api/events",
        lambda account, identifier: account.event(identifier),
        "An event with id {id} does not exist.",
        relations=(
            Relation("profile", "profile elsewhere", lambda account, resource: resource["profile_id"], many=False),
            Relation("metric", "metric", lambda account, resource: resource["metric_id"], many=False),
            # Recorded: an event without attributions has no such relationship, even when it is included.
            Relation(
                "attributions",
                "attribution",
                lambda account, resource: account.event_attributions.get(resource["id"], []),
                shown="when filled and included",
            ),
        ),
        valid_id=lambda identifier: _ID.fullmatch(identifier) is not None,
        malformed="Invalid Event ID: '{id}'",
    ),
    "attribution": Kind(
        "attribution",
        "/api/attributions",
        lambda account, identifier: account.attributions.get(identifier),
        "An attribution with id {id} does not exist.",
        relations=(
            Relation("event", "event", own("event_id"), many=False, shown="with ids"),
            Relation("attributed-event", "event", own("attributed_event_id"), many=False, shown="when filled"),
            Relation("campaign", "campaign", own("campaign_id"), many=False, shown="when filled"),
            Relation("campaign-message", "campaign-message", own("campaign_message_id"), many=False, shown="when filled"),
            Relation("flow", "flow", own("flow_id"), many=False, shown="when filled"),
            Relation("flow-message", "flow-message", own("flow_message_id"), many=False, shown="when filled"),
        ),
    ),
}


def _events(account: Account, parent: str, clauses: tuple[Clause, ...]) -> Iterable[Resource]:
    candidates = [account.events_in_order()]
    for clause in clauses:
        if clause.field == "profile_id":
            candidates.append(account.events_of_profile(str(clause.value)))
        elif clause.field == "metric_id":
            candidates.append(account.events_of_metric(str(clause.value)))
    rows = min(candidates, key=len)
    first, last = _bounds(rows, clauses)
    return rows[first:last]


def _bounds(rows: list[Resource], clauses: tuple[Clause, ...]) -> tuple[int, int]:
    """The part of the rows outside of which no row can satisfy the bounds on time; the clauses are all applied once more later."""
    first, last = 0, len(rows)
    for clause in clauses:
        bound = clause.value.instant.timestamp() if isinstance(clause.value, Moment) else clause.value
        if clause.field not in ("datetime", "timestamp") or not isinstance(bound, int | float):
            continue
        if clause.operator.startswith("greater"):
            first = max(first, bisect_left(rows, bound, key=_timestamp))
        else:
            last = min(last, bisect_right(rows, bound, key=_timestamp))
    return first, max(first, last)


def _timestamp(resource: Resource) -> float:
    timestamp: int = resource["attributes"]["timestamp"]
    return timestamp


def _metric_id(resource: Resource) -> Any:
    return resource["metric_id"]


def _profile_id(resource: Resource) -> Any:
    return resource["profile_id"]


_READERS: dict[str, Reader] = {"metric_id": _metric_id, "metric": _metric_id, "profile_id": _profile_id, "profile": _profile_id}

ENDPOINTS: dict[str, Endpoint] = {
    "get_events": CollectionEndpoint("event", _events, readers=_READERS, page_after_full=True, grows=True),
    "get_event": ResourceEndpoint("event"),
    "get_metric_for_event": RelatedEndpoint("event", "metric", lambda account, event: event["metric_id"]),
    "get_profile_for_event": RelatedEndpoint("event", "profile elsewhere", lambda account, event: event["profile_id"]),
    "create_event": ActionEndpoint(create_event),
    "bulk_create_events": ActionEndpoint(bulk_create_events),
}
