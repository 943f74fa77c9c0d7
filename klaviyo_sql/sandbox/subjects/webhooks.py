"""Webhooks and the topics that they can be told of; private keys may read neither (see entitlements)."""

from __future__ import annotations

from urllib.parse import urlsplit

from klaviyo_sql.sandbox.account import Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, own, stored
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.writing import Attributes, CreateEndpoint, DeleteEndpoint, PatchEndpoint, Write, refuse_blank, timed, to_the_microsecond

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

_SECRET = frozenset(("secret_key",))
"""Sent, and never told."""


def _check(write: Write, webhook: Resource | None = None) -> None:
    for name in ("name", "secret_key"):
        refuse_blank(write.attributes, name)
    address = write.attributes.get("endpoint_url", "https://-")
    if address is None or not address.startswith("https://") or not urlsplit(address).hostname:
        raise RefusedError(invalid("The endpoint url must be https.", pointer="/data/attributes/endpoint_url"))
    topics = write.require_linked("webhook-topics", "webhook-topic")
    if not topics and (webhook is None or write.linked("webhook-topics") is not None):
        raise RefusedError(invalid("At least one topic is required.", pointer="/data/relationships/webhook-topics/data"))


def _mask(write: Write, attributes: Attributes) -> None:
    """Klaviyo never shows more of the address than its host."""
    if "endpoint_url" in write.attributes:
        attributes["endpoint_url"] = f"https://{urlsplit(write.attributes['endpoint_url']).netloc}/*****"


def _complete(write: Write, webhook: Resource) -> None:
    webhook["topic_ids"] = write.require_linked("webhook-topics", "webhook-topic")
    _mask(write, webhook["attributes"])


def _change(write: Write, webhook: Resource, attributes: Attributes) -> None:
    if attributes["enabled"] is None:
        raise RefusedError(invalid("This may not be null.", pointer="/data/attributes/enabled"))
    if write.linked("webhook-topics") is not None:
        webhook["topic_ids"] = write.require_linked("webhook-topics", "webhook-topic")
    _mask(write, attributes)


ENDPOINTS: dict[str, Endpoint] = {
    "get_webhooks": CollectionEndpoint("webhook", everything("webhooks")),
    "get_webhook": ResourceEndpoint("webhook"),
    "create_webhook": CreateEndpoint(
        "webhook",
        "webhooks",
        timed,
        defaults={"description": None, "enabled": True},
        stamps=("created_at", "updated_at"),
        moment=to_the_microsecond,
        check=_check,
        complete=_complete,
        unstored=_SECRET,
    ),
    "update_webhook": PatchEndpoint("webhook", stamps=("updated_at",), moment=to_the_microsecond, check=_check, apply=_change, unstored=_SECRET),
    "delete_webhook": DeleteEndpoint("webhook", "webhooks"),
    "get_webhook_topics": CollectionEndpoint("webhook-topic", everything("webhook_topics")),
    "get_webhook_topic": ResourceEndpoint("webhook-topic"),
}
