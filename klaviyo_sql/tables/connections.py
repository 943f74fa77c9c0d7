"""What connects the account with the outside: web feeds, webhooks and tracking parameters."""

from __future__ import annotations

from klaviyo_sql.model.table import Attribute, Collection, Column, Example, Id, Linked, Related, Table, Type
from klaviyo_sql.tables.columns import boolean, json, linked, own_id, text, time

_OAUTH = "Klaviyo opens webhooks to OAuth apps only: with a private key, reading them is an error that says so."

WEB_FEEDS = Table(
    name="web_feeds",
    doc="The feeds that templates can show, one row each.",
    source=Collection(resource="web-feed", list="get_web_feeds", get="get_web_feed", most_gets=1, default_sort="created"),
    key=("id",),
    typical_rows=10,
    columns=(
        own_id("The feed's id.", filter=None),
        text("name", "The feed's name.", filter="name"),
        text("url", "Where the feed is."),
        text("request_method", "How it is asked for: get or post."),
        text("content_type", "What it answers: json or xml."),
        text("status", "How the last reading went, such as ok or disabled; NULL before the first."),
        time("created", "When the feed was made.", filter="created", sort="created"),
        time("updated", "When the feed last changed.", filter="updated", sort="updated"),
    ),
    notes=("Klaviyo permits one request a second and fifteen a minute.",),
    examples=(
        Example("Which feeds are there?", "SELECT name, url, status FROM web_feeds ORDER BY name"),
        Example("Which are not well?", "SELECT name, coalesce(status, 'never read') AS status FROM web_feeds ORDER BY status = 'ok'"),
        Example("Which changed last?", "SELECT name, updated FROM web_feeds ORDER BY updated DESC LIMIT 3"),
    ),
)

WEBHOOKS = Table(
    name="webhooks",
    doc="The webhooks of an OAuth app, one row each.",
    source=Collection(resource="webhook", list="get_webhooks", get="get_webhook", most_gets=1),
    key=("id",),
    typical_rows=5,
    columns=(
        own_id("The webhook's id.", filter=None),
        text("name", "The webhook's name."),
        text("description", "What the webhook is for."),
        text("endpoint_url", "Where Klaviyo sends to."),
        boolean("enabled", "1 when it is on."),
        Column("created_at", Attribute(("created_at",)), Type.TIMESTAMP_MICROSECONDS, "When the webhook was made."),
        Column("updated_at", Attribute(("updated_at",)), Type.TIMESTAMP_MICROSECONDS, "When the webhook last changed."),
    ),
    notes=(_OAUTH,),
    examples=(
        Example("Which are on?", "SELECT name, endpoint_url FROM webhooks WHERE enabled = 1"),
        Example("Where does Klaviyo send to?", "SELECT endpoint_url, count(*) AS webhooks FROM webhooks GROUP BY endpoint_url"),
        Example("Which changed last?", "SELECT name, updated_at FROM webhooks ORDER BY updated_at DESC LIMIT 3"),
    ),
)

WEBHOOK_TOPICS = Table(
    name="webhook_topics",
    doc="What webhooks can tell of, one row each.",
    source=Collection(resource="webhook-topic", list="get_webhook_topics", get="get_webhook_topic", most_gets=1),
    key=("id",),
    typical_rows=20,
    columns=(own_id("The topic's id, such as event:klaviyo.sent_sms.", filter=None),),
    notes=(_OAUTH,),
    examples=(
        Example("What can webhooks tell of?", "SELECT id FROM webhook_topics ORDER BY id"),
        Example("How many topics are there?", "SELECT count(*) AS topics FROM webhook_topics"),
        Example("Which are about events?", "SELECT id FROM webhook_topics WHERE id LIKE 'event%'"),
    ),
)

WEBHOOK_TOPIC_LINKS = Table(
    name="webhook_webhook_topics",
    doc="Which webhook tells of which topic, one row for each pair.",
    source=Collection(
        resource="webhook", list="get_webhooks", get="get_webhook", most_gets=1, each=(Linked("webhook-topics", "webhook-topic"),), of="webhooks"
    ),
    key=("webhook_id", "topic_id"),
    typical_rows=10,
    columns=(
        linked("webhook_id", Id(), "The webhook's id.", not_null=True),
        linked("topic_id", Related("webhook-topics", "webhook-topic"), "The topic's id.", not_null=True),
        text("webhook_name", "The webhook's name.", "name"),
    ),
    notes=(_OAUTH,),
    examples=(
        Example("What does each webhook tell of?", "SELECT webhook_name, topic_id FROM webhook_webhook_topics"),
        Example("Which topics are used?", "SELECT topic_id, count(*) AS webhooks FROM webhook_webhook_topics GROUP BY topic_id"),
        Example(
            "What does one tell of?", "SELECT topic_id FROM webhook_webhook_topics WHERE webhook_id = (SELECT webhook_id FROM webhook_webhook_topics LIMIT 1)"
        ),
    ),
)


def _utm(name: str, what: str) -> tuple[Column, ...]:
    return tuple(
        json(f"{name}_{kind}", f"The {what} of links in {plural}, as JSON: {{type, value}}.", name, kind)
        for kind, plural in (("campaign", "campaigns"), ("flow", "flows"))
    )


TRACKING_SETTINGS = Table(
    name="tracking_settings",
    doc="The tracking parameters that links have unless campaigns say otherwise: one row.",
    source=Collection(resource="tracking-setting", list="get_tracking_settings", get="get_tracking_setting", most_gets=1),
    key=("id",),
    typical_rows=1,
    columns=(
        own_id("The account's id.", filter=None),
        boolean("auto_add_parameters", "1 when parameters are added to links."),
        *_utm("utm_source", "source"),
        *_utm("utm_medium", "medium"),
        *_utm("utm_campaign", "campaign"),
        *_utm("utm_id", "id"),
        *_utm("utm_term", "term"),
        json("custom_parameters", "Parameters of your own, as a JSON array."),
    ),
    examples=(
        Example("Are parameters added to links?", "SELECT auto_add_parameters FROM tracking_settings"),
        Example("What is the source of campaigns?", "SELECT utm_source_campaign ->> '$.value' AS source FROM tracking_settings"),
        Example("Which are your own?", "SELECT custom_parameters FROM tracking_settings"),
    ),
)

CONNECTION_TABLES = (WEB_FEEDS, WEBHOOKS, WEBHOOK_TOPICS, WEBHOOK_TOPIC_LINKS, TRACKING_SETTINGS)
