"""Metrics."""

from __future__ import annotations

from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind
from klaviyo_sql.sandbox.selection import never
from klaviyo_sql.sandbox.subjects.flows import FLOW_TRIGGERS

KINDS = {
    "metric": Kind(
        "metric",
        "/api/metrics",
        lambda account, identifier: account.metrics.get(identifier),
        "Metric with id {id} does not exist.",
        relations=(FLOW_TRIGGERS,),
    )
}

ENDPOINTS: dict[str, Endpoint] = {
    "get_metrics": CollectionEndpoint(
        "metric",
        lambda account, parent, clauses: account.metrics.values(),
        # Recorded: a filter on the category is accepted and finds nothing.
        readers={"integration.category": never},
        page_size=200,
    ),
    "get_metric": ResourceEndpoint("metric"),
}
