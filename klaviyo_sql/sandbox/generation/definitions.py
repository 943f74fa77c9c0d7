"""What is defined over metrics: custom metrics, mapped metrics, and the properties that their events were seen with."""

from __future__ import annotations

import base64
from random import Random
from typing import Any

from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.generation.identifiers import ulid
from klaviyo_sql.sandbox.generation.moments import microseconds_text

_LOOKED_AT = 3000
"""The properties of metrics are those of the first so many events."""

_SAMPLES = 3
_NAMES = ("Revenue, net", 'Orders "today"', "revenue, net", "Ünïcode sum")


def make_custom_metrics(random: Random, account: Account, start: int, end: int) -> None:
    """Custom metrics of one and of two metrics."""
    metric_ids = list(account.metrics)
    for number, name in enumerate(_NAMES):
        created = start + int((end - start) * random.random())
        identifier = ulid(random, created * 1000)
        conditions: list[dict[str, Any]] = []
        if number == 1:
            conditions.append({"property": "Item Count", "filter": {"type": "numeric", "operator": "greater-than", "value": 1}})
        groups = [{"metric_id": metric_ids[number + place], "metric_filters": conditions, "value_property": "$value"} for place in range(1 + number % 2)]
        account.custom_metrics[identifier] = {
            "type": "custom-metric",
            "id": identifier,
            "attributes": {
                "name": name,
                "created": microseconds_text(created, random.randrange(1_000_000)),
                "updated": microseconds_text(created + 3600, 0),
                "definition": {"aggregation_method": "value" if number % 2 == 0 else "count", "metric_groups": groups},
            },
        }


def make_mapped_metrics(random: Random, account: Account, start: int, end: int) -> None:
    """Four slots hold a metric, one a custom metric, two nothing."""
    by_name = {metric["attributes"]["name"]: identifier for identifier, metric in account.metrics.items()}
    metrics = {
        "viewed_product": by_name["Viewed Product"],
        "ordered_product": by_name["Ordered Product"],
        "refunded_sales": by_name["Refunded Order"],
        "started_checkout": by_name["Started Checkout"],
    }
    for slot in ("revenue", "viewed_product", "added_to_cart", "cancelled_sales", "ordered_product", "refunded_sales", "started_checkout"):
        when = start + int((end - start) * random.random())
        account.mapped_metrics[slot] = {
            "type": "mapped-metric",
            "id": slot,
            "attributes": {"updated": microseconds_text(when, random.randrange(1_000_000))},
            "metric_id": metrics.get(slot),
            "custom_metric_id": next(iter(account.custom_metrics)) if slot == "revenue" else None,
        }


def make_metric_properties(random: Random, account: Account, start: int, end: int) -> None:
    """The properties of the events of each metric, with a few of their values."""
    seen: dict[tuple[str, str], list[Any]] = {}
    for event in account.events[:_LOOKED_AT]:
        for name, value in event["attributes"]["event_properties"].items():
            samples = seen.setdefault((event["metric_id"], name), [])
            if len(samples) < _SAMPLES and value is not None and value not in samples:
                samples.append(value)
    for (metric_id, name), samples in seen.items():
        identifier = base64.urlsafe_b64encode(f"{metric_id}.{name}".encode()).decode().rstrip("=")
        label = f"{account.metrics[metric_id]['attributes']['name']} Value" if name == "$value" else name
        plain = [value for value in samples if isinstance(value, str | int | float)]
        attributes = {"label": label, "property": name, "inferred_type": _inferred(samples), "sample_values": plain}
        account.metric_properties[identifier] = {"type": "metric-property", "id": identifier, "attributes": attributes, "metric_id": metric_id}


def _inferred(samples: list[Any]) -> str:
    kinds = {type(value) for value in samples}
    if kinds and kinds <= {int, float}:
        return "numeric"
    if kinds == {bool}:
        return "boolean"
    return "list" if kinds == {list} else "string"
