"""The metrics of the generated account: names are not unique, and one has no integration."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from klaviyo_sql.sandbox.account import Resource
from klaviyo_sql.sandbox.generation.identifiers import ShortIds
from klaviyo_sql.sandbox.generation.moments import seconds_text


class MetricPlan(NamedTuple):
    """A metric: its name, its integration (key of `INTEGRATIONS`), its share of all events, and what its events look like."""

    name: str
    integration: str | None
    share: float
    shape: str


INTEGRATIONS = {
    "klaviyo": {"name": "Klaviyo", "category": "Internal"},
    "shopify": {"name": "Shopify", "category": "eCommerce"},
    "api": {"name": "API", "category": "API"},
    "woocommerce": {"name": "WooCommerce", "category": "eCommerce"},
}

PLANS = (
    MetricPlan("Placed Order", "shopify", 6, "order"),
    MetricPlan("Ordered Product", "shopify", 9, "ordered product"),
    MetricPlan("Started Checkout", "shopify", 5, "checkout"),
    MetricPlan("Viewed Product", "api", 14, "view"),
    MetricPlan("Viewed Product", "woocommerce", 4, "view"),
    MetricPlan("Active on Site", "api", 17, "visit"),
    MetricPlan("Received Email", "klaviyo", 22, "email"),
    MetricPlan("Opened Email", "klaviyo", 12, "open"),
    MetricPlan("Clicked Email", "klaviyo", 4, "click"),
    MetricPlan("Bounced Email", "klaviyo", 0.7, "bounce"),
    MetricPlan("Unsubscribed from Email Marketing", "klaviyo", 0.8, "unsubscribe"),
    MetricPlan("Subscribed to List", "klaviyo", 2, "subscribe"),
    MetricPlan("Refunded Order", "shopify", 0.6, "refund"),
    MetricPlan('Custom "Score", 100%', "api", 0.9, "custom"),
    MetricPlan("Imported without integration", None, 0.4, "visit"),
    MetricPlan("Never happened", "api", 0, "visit"),
)


def make_metrics(random: Random, ids: ShortIds, start: int) -> tuple[list[Resource], list[MetricPlan]]:
    """The metric resources, and the plan of each at the same position."""
    integration_ids = {key: ids.next() for key in INTEGRATIONS}
    resources: list[Resource] = []
    for plan in PLANS:
        created = start - random.randrange(86_400 * 365)
        integration = None
        if plan.integration is not None:
            described = INTEGRATIONS[plan.integration]
            integration = {"object": "integration", "id": integration_ids[plan.integration], "key": plan.integration, **described}
        attributes = {
            "name": plan.name,
            "created": seconds_text(created),
            "updated": seconds_text(created + random.randrange(86_400 * 30)),
            "integration": integration,
        }
        resources.append({"type": "metric", "id": ids.next(), "attributes": attributes})
    return resources, list(PLANS)
