"""What the sandbox imitates, one file per subject of Klaviyo's API."""

from __future__ import annotations

from klaviyo_sql.sandbox.endpoints import Endpoint
from klaviyo_sql.sandbox.kinds import Kind
from klaviyo_sql.sandbox.relationships import endpoints_of
from klaviyo_sql.sandbox.subjects import (
    accounts,
    campaigns,
    events,
    flows,
    images,
    lists,
    metric_aggregates,
    metrics,
    profiles,
    segments,
    tags,
    templates,
)

_KINDS_OF = (accounts, campaigns, events, flows, images, lists, metrics, profiles, segments, tags, templates)
_ENDPOINTS_OF = (*_KINDS_OF, metric_aggregates)


def _not_stored(resource_type: str, path: str) -> Kind:
    return Kind(resource_type, path, lambda account, identifier: None, f"A {resource_type} with id {{id}} does not exist.")


KINDS: dict[str, Kind] = {name: kind for subject in _KINDS_OF for name, kind in subject.KINDS.items()} | {
    kind.type: kind
    for kind in (
        _not_stored("conversation", "/api/conversations"),
        _not_stored("push-token", "/api/push-tokens"),
    )
}
"""Every kind by name; the last ones are only ever at the far end of an empty relationship."""

ENDPOINTS: dict[str, Endpoint] = endpoints_of(KINDS) | {
    name: endpoint for subject in _ENDPOINTS_OF for name, endpoint in subject.ENDPOINTS.items()
}
"""The imitated operations by operation id."""
