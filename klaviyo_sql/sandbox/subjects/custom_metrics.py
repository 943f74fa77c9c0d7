"""Custom metrics, the seven slots that metrics are mapped to, and the properties of metrics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.filter_grammar import Clause
from klaviyo_sql.sandbox.kinds import Kind, Relation, children, everything, own, stored

MAPPED_METRICS = ("revenue", "viewed_product", "added_to_cart", "cancelled_sales", "ordered_product", "refunded_sales", "started_checkout")


def _metrics(account: Account, resource: Resource) -> list[str]:
    groups: list[dict[str, Any]] = resource["attributes"]["definition"]["metric_groups"]
    return list(dict.fromkeys(group["metric_id"] for group in groups))


KINDS = {
    "custom-metric": Kind(
        "custom-metric",
        "/api/custom-metrics",
        stored("custom_metrics"),
        "Custom metric with id `{id}` does not exist.",
        relations=(Relation("metrics", "metric", _metrics),),
    ),
    "mapped-metric": Kind(
        "mapped-metric",
        "/api/mapped-metrics",
        stored("mapped_metrics"),
        "Mapped metric with id `{id}` does not exist.",
        # Recorded: a slot that nothing is mapped to has no relationships at all.
        relations=(
            Relation("metric", "metric", own("metric_id"), many=False, shown="when filled"),
            Relation("custom-metric", "custom-metric", own("custom_metric_id"), many=False, shown="when filled"),
        ),
        valid_id=lambda identifier: identifier in MAPPED_METRICS,
        malformed="'{id}' is not a valid choice for 'id'.",
        malformed_pointer="/data/attributes/id",
    ),
    "metric-property": Kind(
        "metric-property",
        "/api/metric-properties",
        stored("metric_properties"),
        "A metric property with id `{id}` does not exist.",
        relations=(Relation("metric", "metric", own("metric_id"), many=False, shown="with ids"),),
        additional=frozenset(("sample_values",)),
    ),
}

_properties = children("metric_properties", "metric_id")


def _without_samples(account: Account, metric_id: str, clauses: tuple[Clause, ...]) -> Iterable[Resource]:
    # Recorded: the properties of a metric have null for their samples, even when those are asked for.
    for found in _properties(account, metric_id, clauses):
        yield found | {"attributes": found["attributes"] | {"sample_values": None}}


ENDPOINTS: dict[str, Endpoint] = {
    "get_custom_metrics": CollectionEndpoint("custom-metric", everything("custom_metrics"), page_links=False),
    "get_custom_metric": ResourceEndpoint("custom-metric"),
    "get_mapped_metrics": CollectionEndpoint("mapped-metric", everything("mapped_metrics"), page_links=False),
    "get_mapped_metric": ResourceEndpoint("mapped-metric"),
    "get_metric_property": ResourceEndpoint("metric-property"),
    "get_properties_for_metric": CollectionEndpoint("metric-property", _without_samples, parent="metric", page_links=False),
    "get_property_ids_for_metric": CollectionEndpoint("metric-property", _properties, parent="metric", page_links=False, identifiers=True),
}
