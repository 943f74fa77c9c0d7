"""A whole Klaviyo account in memory: resources as plain dicts in Klaviyo's own shape, and the links between them as ids.

Tests read the truth from here, without going through the API; the API never adds anything that is not here.
"""

from __future__ import annotations

import threading
from bisect import insort
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

Resource = dict[str, Any]
"""`{"type", "id", "attributes", ...}`, and the ids of what it belongs to: an event has `profile_id` (None: the profile was deleted)
and `metric_id`, a tag `group_id`, and so on."""


def event_order(event: Resource) -> tuple[int, str]:
    """The order that events are kept in: when they occurred, then the id."""
    return event["attributes"]["timestamp"], event["id"]


def _identifiers(profile: Resource) -> Iterator[tuple[str, str]]:
    for name in ("email", "phone_number", "external_id"):
        if value := profile["attributes"].get(name):
            yield name, value.lower() if name == "email" else value
    for address in profile.get("secondary_emails", ()):
        yield "email", address
    if anonymous := profile.get("anonymous_id"):
        yield "anonymous_id", anonymous


@dataclass
class Account:
    """Everything that the sandbox knows; change it through the methods, or call `changed()` after changing it by hand."""

    today: date
    account: Resource
    profiles: dict[str, Resource] = field(default_factory=dict)
    metrics: dict[str, Resource] = field(default_factory=dict)
    events: list[Resource] = field(default_factory=list)
    lists: dict[str, Resource] = field(default_factory=dict)
    segments: dict[str, Resource] = field(default_factory=dict)
    tag_groups: dict[str, Resource] = field(default_factory=dict)
    tags: dict[str, Resource] = field(default_factory=dict)
    campaigns: dict[str, Resource] = field(default_factory=dict)
    campaign_messages: dict[str, Resource] = field(default_factory=dict)
    recipient_estimations: dict[str, Resource] = field(default_factory=dict)
    """By campaign id, as the two kinds of jobs are."""
    recipient_estimation_jobs: dict[str, Resource] = field(default_factory=dict)
    campaign_send_jobs: dict[str, Resource] = field(default_factory=dict)
    flows: dict[str, Resource] = field(default_factory=dict)
    flow_actions: dict[str, Resource] = field(default_factory=dict)
    flow_messages: dict[str, Resource] = field(default_factory=dict)
    templates: dict[str, Resource] = field(default_factory=dict)
    """Those with a false `listed` are copies that messages have."""
    universal_content: dict[str, Resource] = field(default_factory=dict)
    images: dict[str, Resource] = field(default_factory=dict)
    forms: dict[str, Resource] = field(default_factory=dict)
    form_versions: dict[str, Resource] = field(default_factory=dict)
    catalog_items: dict[str, Resource] = field(default_factory=dict)
    catalog_variants: dict[str, Resource] = field(default_factory=dict)
    catalog_categories: dict[str, Resource] = field(default_factory=dict)
    item_categories: dict[str, list[str]] = field(default_factory=dict)
    """Category ids by item id."""
    coupons: dict[str, Resource] = field(default_factory=dict)
    coupon_codes: dict[str, Resource] = field(default_factory=dict)
    push_tokens: dict[str, Resource] = field(default_factory=dict)
    conversations: dict[str, Resource] = field(default_factory=dict)
    conversation_messages: list[dict[str, Any]] = field(default_factory=list)
    """No resources, since nothing reads them: what was sent, and the id of the conversation."""
    custom_metrics: dict[str, Resource] = field(default_factory=dict)
    mapped_metrics: dict[str, Resource] = field(default_factory=dict)
    metric_properties: dict[str, Resource] = field(default_factory=dict)
    jobs: dict[str, dict[str, Resource]] = field(default_factory=dict)
    """By resource type and id."""
    import_errors: dict[str, Resource] = field(default_factory=dict)
    object_types: dict[str, Resource] = field(default_factory=dict)
    object_schemas: dict[str, Resource] = field(default_factory=dict)
    object_records: dict[str, Resource] = field(default_factory=dict)
    object_relationships: dict[str, Resource] = field(default_factory=dict)
    """No resources: by relationship id, its name, its description, and the ids at both ends."""
    source_mappings: dict[str, Resource] = field(default_factory=dict)
    ingestion_logs: dict[str, Resource] = field(default_factory=dict)
    data_sources: dict[str, Resource] = field(default_factory=dict)
    reviews: dict[str, Resource] = field(default_factory=dict)
    webhooks: dict[str, Resource] = field(default_factory=dict)
    webhook_topics: dict[str, Resource] = field(default_factory=dict)
    web_feeds: dict[str, Resource] = field(default_factory=dict)
    tracking_settings: dict[str, Resource] = field(default_factory=dict)
    attributions: dict[str, Resource] = field(default_factory=dict)
    list_members: dict[str, dict[str, str]] = field(default_factory=dict)
    """When each member joined, by list id and profile id."""
    segment_members: dict[str, dict[str, str]] = field(default_factory=dict)
    list_tags: dict[str, list[str]] = field(default_factory=dict)
    segment_tags: dict[str, list[str]] = field(default_factory=dict)
    campaign_tags: dict[str, list[str]] = field(default_factory=dict)
    flow_tags: dict[str, list[str]] = field(default_factory=dict)
    flow_triggers: dict[str, list[str]] = field(default_factory=dict)
    """Flow ids by the id of the list, segment or metric that starts them."""
    event_attributions: dict[str, list[str]] = field(default_factory=dict)
    opt_in_process: str = "single_opt_in"
    """How new lists, and subscriptions without a list, are confirmed unless they say so themselves: a setting of the account."""
    back_in_stock: list[Resource] = field(default_factory=list)
    """Who waits for which variant, on which channels; nothing of Klaviyo's API shows it."""
    exchange_ids: dict[str, str] = field(default_factory=dict)
    """Profile ids by the `_kx` of tracked links."""

    def __post_init__(self) -> None:
        self.version = 0
        self.lock = threading.RLock()
        """Held by whoever changes the data or reads it as a whole."""
        self.random = Random(self.account["id"])
        """Where the ids of what is written come from: the same in every run, if the writes are."""
        self._indexed = False
        self._added: list[Resource] = []
        self._arranged = 0
        self._identified: dict[tuple[str, str], str] | None = None
        self._pointing: dict[tuple[str, str], dict[str, list[str]]] = {}
        self._pointing_version = -1
        self.changed()

    def changed(self, *, events: bool = True) -> None:
        """Forget what was derived from the data: indexes, and the order and the JSON of every query that the API remembers.

        With a false `events` only other things changed, and the order of the events, which is the costly one, stays.
        """
        with self.lock:
            self.version += 1
            if events:
                self._indexed = False
                self._identified = None
                self._added = []
                self._arranged += 1

    def profile_with(self, name: str, value: str) -> Resource | None:
        """The profile with this identifier: `email`, of which a profile may have more than one, `phone_number`, `external_id` or `anonymous_id`."""
        with self.lock:
            if self._identified is None:
                self._identified = {place: profile["id"] for profile in self.profiles.values() for place in _identifiers(profile)}
            return self.profiles.get(self._identified.get((name, value), ""))

    def identified(self, profile: Resource, before: Resource | None = None) -> None:
        """Let a profile be found by the identifiers that it has now, and no longer by those that it had before."""
        with self.lock:
            if self._identified is None:
                return
            for place in _identifiers(before) if before is not None else ():
                if self._identified.get(place) == profile["id"]:
                    del self._identified[place]
            if profile["id"] in self.profiles:
                for place in _identifiers(profile):
                    self._identified[place] = profile["id"]

    @property
    def events_known(self) -> tuple[int, int]:
        """How far somebody knows the events who looks at them now; to be given to `events_since`."""
        return self._arranged, len(self._added)

    def events_since(self, known: tuple[int, int]) -> list[Resource] | None:
        """The events that were added since; None when others were changed or taken away as well."""
        arranged, added = known
        return self._added[added:] if arranged == self._arranged else None

    def pointing(self, collection: str, name: str) -> Mapping[str, list[str]]:
        """The ids of a collection's resources by the id that they have under this name; those that have none are left out."""
        with self.lock:
            if self._pointing_version != self.version:
                self._pointing, self._pointing_version = {}, self.version
            if (collection, name) not in self._pointing:
                grouped: defaultdict[str, list[str]] = defaultdict(list)
                for resource in getattr(self, collection).values():
                    if resource[name] is not None:
                        grouped[resource[name]].append(resource["id"])
                self._pointing[collection, name] = dict(grouped)
            return self._pointing[collection, name]

    def events_in_order(self) -> list[Resource]:
        """All events, in order."""
        self._index()
        return self.events

    def event(self, event_id: str) -> Resource | None:
        """The event with this id."""
        self._index()
        return self._by_id.get(event_id)

    def events_of_metric(self, metric_id: str) -> list[Resource]:
        """The events of one metric, in order."""
        self._index()
        return self._by_metric.get(metric_id, [])

    def events_of_profile(self, profile_id: str) -> list[Resource]:
        """The events of one profile, in order."""
        self._index()
        return self._by_profile.get(profile_id, [])

    def add_event(self, event: Resource) -> None:
        """Put an event where it belongs in the order, at a cost that does not depend on how many there are."""
        with self.lock:
            self._index()
            rows = [self.events, self._by_metric[event["metric_id"]]]
            if event["profile_id"] is not None:
                rows.append(self._by_profile[event["profile_id"]])
            for ordered in rows:
                insort(ordered, event, key=event_order)
            self._by_id[event["id"]] = event
            self._added.append(event)
            self.version += 1

    def hand_over_events(self, profile_id: str, heir: str | None) -> None:
        """Give the events of one profile to another, or to nobody."""
        with self.lock:
            self._index()
            moved = self._by_profile.pop(profile_id, [])
            for event in moved:
                event["profile_id"] = heir
                if heir is not None:
                    insort(self._by_profile[heir], event, key=event_order)
            self._added = []
            self._arranged += 1
            self.version += 1

    def _index(self) -> None:
        with self.lock:
            if self._indexed:
                return
            self.events.sort(key=event_order)
            self._by_id: dict[str, Resource] = {}
            self._by_metric: defaultdict[str, list[Resource]] = defaultdict(list)
            self._by_profile: defaultdict[str, list[Resource]] = defaultdict(list)
            for event in self.events:
                self._by_id[event["id"]] = event
                self._by_metric[event["metric_id"]].append(event)
                if event["profile_id"] is not None:
                    self._by_profile[event["profile_id"]].append(event)
            self._indexed = True
