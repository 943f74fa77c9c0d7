"""Custom metrics, the seven slots that metrics are mapped to, and the properties of metrics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import Call, CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.filter_grammar import Clause
from klaviyo_sql.sandbox.kinds import Kind, Relation, children, everything, own, stored
from klaviyo_sql.sandbox.problems import Problem, RefusedError, invalid
from klaviyo_sql.sandbox.writing import Attributes, CreateEndpoint, DeleteEndpoint, PatchEndpoint, Write, refuse_blank, timed, to_the_microsecond

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


CHANGES_A_DAY = 2
"""How often a slot is mapped anew in one day."""


def _check_custom(write: Write, resource: Resource | None = None) -> None:
    refuse_blank(write.attributes, "name")
    name = write.attributes.get("name")
    if any(other is not resource and other["attributes"]["name"] == name for other in write.account.custom_metrics.values()):
        raise RefusedError(invalid(f"A custom metric with the name '{name}' already exists.", pointer="/data/attributes/name"))
    definition = write.attributes.get("definition")
    if definition is None:
        return
    place = "/data/attributes/definition/metric_groups"
    if not definition["metric_groups"]:
        raise RefusedError(invalid("At least one metric group is required.", pointer=place))
    for position, group in enumerate(definition["metric_groups"]):
        if group["metric_id"] not in write.account.metrics:
            detail = f"A metric with id {group['metric_id']} does not exist."
            raise RefusedError(invalid(detail, pointer=f"{place}/{position}/metric_id"))


def _vacate(call: Call, resource: Resource) -> None:
    for slot in call.account.mapped_metrics.values():
        if slot["custom_metric_id"] == resource["id"]:
            slot["custom_metric_id"] = None


def _check_mapping(write: Write, slot: Resource) -> None:
    """One of the two, or null for what is there."""
    sent = {name: identifiers for name in ("metric", "custom-metric") if (identifiers := write.linked(name)) is not None}
    if not sent:
        raise RefusedError(invalid("Either a metric or a custom metric is required.", pointer="/data/relationships"))
    if sum(map(len, sent.values())) > 1:
        raise RefusedError(invalid("Only one of a metric and a custom metric can be mapped.", pointer="/data/relationships"))
    for name, identifiers in sent.items():
        for identifier in identifiers:
            write.require(name, identifier, f"/data/relationships/{name}/data/id")
    if slot.get("changes", {}).get(write.call.now.date(), 0) >= CHANGES_A_DAY:
        detail = f"Mapped Metric `{slot['id']}` has reached the daily limit of updates ({CHANGES_A_DAY})."
        raise RefusedError(Problem(403, "permission_denied", "You do not have permission to perform this action.", detail))


def _map(write: Write, slot: Resource, attributes: Attributes) -> None:
    mapped = {name: identifiers for name in ("metric", "custom-metric") if (identifiers := write.linked(name)) is not None}
    if any(mapped.values()):
        slot["metric_id"] = slot["custom_metric_id"] = None
    for name, identifiers in mapped.items():
        slot[name.replace("-", "_") + "_id"] = identifiers[0] if identifiers else None
    today = write.call.now.date()
    slot["changes"] = {today: slot.get("changes", {}).get(today, 0) + 1}


ENDPOINTS: dict[str, Endpoint] = {
    "get_custom_metrics": CollectionEndpoint("custom-metric", everything("custom_metrics"), page_links=False),
    "get_custom_metric": ResourceEndpoint("custom-metric"),
    "get_mapped_metrics": CollectionEndpoint("mapped-metric", everything("mapped_metrics"), page_links=False),
    "get_mapped_metric": ResourceEndpoint("mapped-metric"),
    "get_metric_property": ResourceEndpoint("metric-property"),
    "get_properties_for_metric": CollectionEndpoint("metric-property", _without_samples, parent="metric", page_links=False),
    "create_custom_metric": CreateEndpoint(
        "custom-metric",
        "custom_metrics",
        timed,
        stamps=("created", "updated"),
        moment=to_the_microsecond,
        check=_check_custom,
    ),
    "update_custom_metric": PatchEndpoint("custom-metric", stamps=("updated",), moment=to_the_microsecond, check=_check_custom),
    "delete_custom_metric": DeleteEndpoint("custom-metric", "custom_metrics", after=_vacate),
    "update_mapped_metric": PatchEndpoint("mapped-metric", stamps=("updated",), moment=to_the_microsecond, check=_check_mapping, apply=_map),
    "get_property_ids_for_metric": CollectionEndpoint("metric-property", _properties, parent="metric", page_links=False, identifiers=True),
}
