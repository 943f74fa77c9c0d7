"""An account made up from a seed: the same seed, day and sizes always give the same account, id for id.

Another day moves the times; names and numbers are drawn as they were, so that what is found on one day is found on the next.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.generation.activity import Sendings, make_events
from klaviyo_sql.sandbox.generation.campaigns import make_campaigns
from klaviyo_sql.sandbox.generation.catalogs import make_catalog
from klaviyo_sql.sandbox.generation.contacts import make_conversations, make_push_tokens
from klaviyo_sql.sandbox.generation.content import make_images, make_templates, make_universal_content
from klaviyo_sql.sandbox.generation.coupons import make_coupons
from klaviyo_sql.sandbox.generation.definitions import make_custom_metrics, make_mapped_metrics, make_metric_properties
from klaviyo_sql.sandbox.generation.flows import make_flow_actions
from klaviyo_sql.sandbox.generation.forms import make_forms
from klaviyo_sql.sandbox.generation.groups import fill_groups, make_flows, make_lists, make_segments
from klaviyo_sql.sandbox.generation.identifiers import ShortIds
from klaviyo_sql.sandbox.generation.jobs import make_jobs
from klaviyo_sql.sandbox.generation.metrics import make_metrics
from klaviyo_sql.sandbox.generation.objects import make_data_sources, make_objects
from klaviyo_sql.sandbox.generation.people import make_profiles
from klaviyo_sql.sandbox.generation.reviews import make_reviews
from klaviyo_sql.sandbox.generation.settings import make_tracking_settings, make_web_feeds, make_webhooks
from klaviyo_sql.sandbox.generation.tags import make_tags

_SPAN = timedelta(days=730)
_DRAWN = "2026-11-20"
"""A word in every seed, whatever day it is: the names and numbers that tests expect and documents show were drawn with it."""

_BEFORE_EVENTS = (make_tags, make_templates, make_universal_content, make_images, make_campaigns, make_flow_actions)
"""What events speak of, each made from what was made before it."""

_AFTER_EVENTS = (
    make_forms,
    make_catalog,
    make_coupons,
    make_push_tokens,
    make_conversations,
    make_custom_metrics,
    make_mapped_metrics,
    make_metric_properties,
    make_jobs,
    make_data_sources,
    make_objects,
    make_reviews,
    make_webhooks,
    make_web_feeds,
    make_tracking_settings,
)


def generate(seed: int = 1, today: date | None = None, profiles: int = 3000, events: int = 60_000) -> Account:
    """An account whose last event is at noon UTC of `today` (default: today in UTC) and whose first is two years earlier."""
    day = today or datetime.now(UTC).date()
    random = Random(f"{seed} {_DRAWN} {profiles} {events}")
    last = datetime.combine(day, time(12), tzinfo=UTC)
    start, end = int((last - _SPAN).timestamp()), int(last.timestamp())
    ids = ShortIds(random)
    account = Account(today=day, account=_account(ids.next()))
    metrics, plans = make_metrics(random, ids, start)
    account.metrics = {metric["id"]: metric for metric in metrics}
    account.lists = make_lists(random, ids, start, end)
    account.segments = make_segments(random, ids, start, end, list(account.lists))
    people = make_profiles(random, profiles, start, end, list(account.lists))
    account.profiles = {profile["id"]: profile for profile in people}
    account.exchange_ids = {f"kx-{number}.{account.account['id']}": profile["id"] for number, profile in enumerate(people[:5])}
    fill_groups(random, account, start, end)
    make_flows(random, ids, account, start)
    senders = list(account.flows)

    def make(subject: Callable[[Random, Account, int, int], None]) -> None:
        # Each has a stream of random numbers of its own, so that one more of something leaves everything else as it was.
        subject(Random(f"{seed} {_DRAWN} {subject.__module__}.{subject.__name__}"), account, start, end)

    for subject in _BEFORE_EVENTS:
        make(subject)
    make_events(random, account, metrics, plans, events, start, end, Sendings.of(account, senders))
    for subject in _AFTER_EVENTS:
        make(subject)
    account.changed()
    return account


def _account(identifier: str) -> Resource:
    return {
        "type": "account",
        "id": identifier,
        "attributes": {
            "test_account": True,
            "contact_information": {
                "default_sender_name": 'The "Example" Shop',
                "default_sender_email": "shop@example.com",
                "website_url": "https://shop.example.com",
                "organization_name": "Example & Søn, Inc.",
                "street_address": {
                    "address1": "1 Main St.",
                    "address2": None,
                    "city": "New York",
                    "region": "New York",
                    "country": "United States",
                    "zip": "10001",
                },
            },
            "industry": "Ecommerce, Apparel",
            "timezone": "America/New_York",
            "preferred_currency": "USD",
            "public_api_key": identifier,
            "locale": "en-US",
        },
    }
