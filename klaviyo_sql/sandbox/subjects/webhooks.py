"""Webhooks and the topics that they can be told of; private keys may read neither (see entitlements)."""

from __future__ import annotations

from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, own, stored

KINDS = {
    "webhook": Kind(
        "webhook",
        "/api/webhooks",
        stored("webhooks"),
        "Not found.",
        relations=(Relation("webhook-topics", "webhook-topic", own("topic_ids"), shown="with ids", links="none"),),
    ),
    "webhook-topic": Kind("webhook-topic", "/api/webhook-topics", stored("webhook_topics"), "Not found."),
}

ENDPOINTS: dict[str, Endpoint] = {
    "get_webhooks": CollectionEndpoint("webhook", everything("webhooks")),
    "get_webhook": ResourceEndpoint("webhook"),
    "get_webhook_topics": CollectionEndpoint("webhook-topic", everything("webhook_topics")),
    "get_webhook_topic": ResourceEndpoint("webhook-topic"),
}
