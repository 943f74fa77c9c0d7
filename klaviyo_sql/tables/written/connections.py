"""Writing what connects the account with the outside."""

from __future__ import annotations

from klaviyo_sql.model.table import Type
from klaviyo_sql.model.writing import One, Whole, Writes
from klaviyo_sql.tables.written.declaring import Written, named, only, refused

_ENDPOINT = (r"https://[^\s*]+", "an https URL, written out (Klaviyo masks it when it is read)")
_UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_id", "utm_term")

CONNECTIONS: dict[str, Written] = {
    "accounts": refused("Klaviyo changes accounts in its own pages only."),
    "web_feeds": Written(named("web_feed", patterns={"name": (r"[0-9A-Za-z_]+", "letters, digits and _")})),
    "webhooks": Written(
        named(
            "webhook",
            created="created_at",
            patterns={"endpoint_url": _ENDPOINT},
            hints={"enabled": "A new webhook is on: UPDATE it afterwards."},
            notes=("topic_ids are all topics of the webhook, as a JSON array of ids from webhook_topics; an UPDATE replaces them.",),
        ),
        added=(
            only("secret_key", "attributes.secret_key", "The key that Klaviyo signs with."),
            only("topic_ids", "relationships.webhook-topics", "What it tells of, all topics, as a JSON array of ids.", Type.JSON),
        ),
    ),
    "webhook_topics": refused("the topics are Klaviyo's own."),
    "webhook_webhook_topics": refused("Klaviyo replaces the topics of a webhook all at once: UPDATE webhooks SET topic_ids = '[…]'."),
    "tracking_settings": Written(
        Writes(
            # Whether the side that is not sent stays is not documented.
            update=One("update_tracking_setting", whole=tuple(Whole(f"attributes.{name}", (f"{name}_campaign", f"{name}_flow")) for name in _UTM)),
            refused=dict.fromkeys(("INSERT", "DELETE"), "the one row is always there: UPDATE tracking_settings SET … WHERE true."),
            notes=(
                "Each parameter is JSON of {type, value}: static with any value, or dynamic with one of Klaviyo's, such as campaign_name.",
                "An UPDATE of a parameter for campaigns sends the one for flows as well, and reads it before; and the other way round.",
            ),
        ),
    ),
}
