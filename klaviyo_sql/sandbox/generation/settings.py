"""What the account is connected to and set to: webhooks, web feeds, tracking settings."""

from __future__ import annotations

import re
from random import Random

from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.generation.identifiers import ulid
from klaviyo_sql.sandbox.generation.moments import microseconds_text, seconds_text

_FEEDS = 23
_FEED_STATUSES = ("ok", "refreshing", None, "disabled", "warning_periodic_refresh_timeout", "critical_nightly_refresh_timeout")


def make_webhooks(random: Random, account: Account, start: int, end: int) -> None:
    """A topic for each metric with an integration, and three webhooks; addresses are masked, as Klaviyo shows them."""
    for metric in account.metrics.values():
        integration = metric["attributes"]["integration"]
        if integration is not None:
            topic = f"event:{integration['key']}.{re.sub(r'[^a-z0-9]+', '_', metric['attributes']['name'].lower()).strip('_')}"
            account.webhook_topics[topic] = {"type": "webhook-topic", "id": topic, "attributes": {}}
    for number, name in enumerate(('Orders to the "warehouse"', "orders to the warehouse", "Nothing yet")):
        created = start + int((end - start) * random.random())
        identifier = ulid(random, created * 1000)
        account.webhooks[identifier] = {
            "type": "webhook",
            "id": identifier,
            "attributes": {
                "name": name,
                "description": ("", None, "100% ünused")[number],
                "endpoint_url": "https://hooks.example.com/*****",
                "enabled": number != 1,
                "created_at": microseconds_text(created, random.randrange(1_000_000)),
                "updated_at": microseconds_text(created + 60, 0) if number else None,
            },
            "topic_ids": random.sample(list(account.webhook_topics), k=(3, 1, 0)[number]),
        }


def make_web_feeds(random: Random, account: Account, start: int, end: int) -> None:
    """Feeds for more than one page of twenty; names have letters, digits and underscores alone."""
    identifier = 9_055_000 + random.randrange(1000)
    for number in range(_FEEDS):
        identifier += random.randrange(1, 9)
        created = start + int((end - start) * random.random())
        account.web_feeds[str(identifier)] = {
            "type": "web-feed",
            "id": str(identifier),
            "attributes": {
                "name": f"{'feed' if number % 2 else 'Feed'}_{number // 2}",
                "url": f"https://shop.example.com/feeds/{number}.{'xml' if number % 3 == 0 else 'json'}?a=1&b=2",
                "request_method": "post" if number % 5 == 4 else "get",
                "content_type": "xml" if number % 3 == 0 else "json",
                "created": seconds_text(created),
                "updated": seconds_text(created + random.randrange(86_400)),
                "status": _FEED_STATUSES[number % len(_FEED_STATUSES)],
            },
        }


def make_tracking_settings(random: Random, account: Account, start: int, end: int) -> None:
    """The one setting."""
    identifier = account.account["id"]
    account.tracking_settings[identifier] = {
        "type": "tracking-setting",
        "id": identifier,
        "attributes": {
            "auto_add_parameters": True,
            "utm_source": {"flow": {"type": "static", "value": "Klaviyo"}, "campaign": {"type": "static", "value": 'Klaviyo, "news"'}},
            "utm_medium": {"flow": {"type": "dynamic", "value": "message_type"}, "campaign": {"type": "dynamic", "value": "message_type"}},
            "utm_campaign": {"flow": None, "campaign": {"type": "dynamic", "value": "campaign_name"}},
            "utm_id": None,
            "utm_term": None,
            "custom_parameters": [{"name": "ref", "flow": {"type": "static", "value": "é&1"}, "campaign": None}],
        },
    }
