"""Events: two years of a shop, with the moments in it that break careless software."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.generation.campaigns import EMAILED
from klaviyo_sql.sandbox.generation.identifiers import event_ids, random_uuid, time_uuid
from klaviyo_sql.sandbox.generation.metrics import MetricPlan
from klaviyo_sql.sandbox.generation.moments import seconds_text
from klaviyo_sql.sandbox.generation.people import settle_activity
from klaviyo_sql.sandbox.generation.words import CLIENTS, EMAIL_DOMAINS, PRODUCTS, SUBJECTS, URLS

BURST = 1500
"""Events within one second: more than the largest page."""

_ORPHANS = 25
_ATTRIBUTED_SHARE = 0.3
_LARGE_TEXT = "Lorem ipsum dolor sit amet, consectetur adipiscing elit. " * 80

Properties = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sendings:
    """What the messages that events are about came from."""

    flows: list[str]
    flow_messages: list[str]
    """The first email of each flow, at the same position."""
    campaign_messages: list[str]
    """The message of each campaign that events name."""
    campaigns: dict[str, str]
    """Campaign ids by the ids of those messages."""

    @staticmethod
    def of(account: Account, flows: list[str]) -> Sendings:
        """The sendings of these flows and of the first email campaigns."""
        flow_messages = []
        for flow_id in flows:
            actions = account.pointing("flow_actions", "flow_id")[flow_id]
            messages = [message for action in actions for message in account.pointing("flow_messages", "action_id").get(action, [])]
            flow_messages.append(next(message for message in messages if account.flow_messages[message]["attributes"]["channel"] == "Email"))
        campaigns = list(account.campaigns)[:EMAILED]
        campaign_messages = [account.pointing("campaign_messages", "campaign_id")[campaign][0] for campaign in campaigns]
        return Sendings(flows, flow_messages, campaign_messages, dict(zip(campaign_messages, campaigns, strict=True)))


def make_events(
    random: Random, account: Account, metrics: list[Resource], plans: list[MetricPlan], count: int, start: int, end: int, sendings: Sendings
) -> None:
    """Fill `account.events`, in order, and what follows from them in profiles and attributions."""
    times = _moments(random, count, start, end, str(account.account["attributes"]["timezone"]))
    profile_ids = list(account.profiles)
    # A few people do most of what happens, as in any shop; many do nothing at all.
    weights = list(accumulate(1 / (10 + position) for position in range(len(profile_ids))))
    shuffled = random.sample(profile_ids, k=len(profile_ids))
    actors: list[str | None] = list(random.choices(shuffled, cum_weights=weights, k=count)) if profile_ids else [None] * count
    for position in random.sample(range(count), k=min(_ORPHANS, count // 20)):
        actors[position] = None
    picks = random.choices(range(len(plans)), weights=[plan.share for plan in plans], k=count)
    shapes = _Shapes(random, sendings, list(account.lists))
    builders = [shapes.named(plan.shape) for plan in plans]
    metric_ids = [metric["id"] for metric in metrics]
    nodes = random.getrandbits(48)
    events = [
        {
            "type": "event",
            "id": identifier,
            "attributes": {
                "timestamp": when,
                "event_properties": builders[pick](),
                "datetime": seconds_text(when),
                "uuid": time_uuid(when, (nodes + number) & 0xFFFFFFFFFFFF),
            },
            "profile_id": actor,
            "metric_id": metric_ids[pick],
        }
        for number, (identifier, when, actor, pick) in enumerate(zip(event_ids(random, count), times, actors, picks, strict=True))
    ]
    account.events = events
    _settle(random, account, sendings, metric_ids[[plan.name for plan in plans].index("Placed Order")])


def _moments(random: Random, count: int, start: int, end: int, timezone: str) -> list[int]:
    special: list[int] = []
    for midnight in _delicate_instants(start, end, ZoneInfo(timezone)):
        special += [midnight - 1, midnight, midnight + 1, midnight - 3600, midnight + 3599, midnight + 3600]
    special = [moment for moment in special if start <= moment <= end][: count // 4]
    special += [start + int((end - start) * 0.77)] * min(BURST, (count - len(special)) // 3)
    span = end - start
    times = special + [start + int(span * random.random()) for _ in range(count - len(special) - 1)]
    if count:
        times.append(end)
    times.sort()
    return times[:count]


def _delicate_instants(start: int, end: int, zone: ZoneInfo) -> list[int]:
    """Local midnights: the first of every month, year ends, and every day on which the clocks change, with the change itself."""
    instants: list[int] = []
    day = datetime.fromtimestamp(start, zone).date()
    last = datetime.fromtimestamp(end, zone).date()
    while day <= last:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        following = datetime.combine(day + timedelta(days=1), midnight.timetz())
        seconds = int(following.astimezone(UTC).timestamp() - midnight.astimezone(UTC).timestamp())
        if seconds != 86_400:
            instants += [int(midnight.timestamp()), int(midnight.timestamp()) + 2 * 3600, int(following.timestamp())]
        elif day.day == 1:
            instants.append(int(midnight.timestamp()))
        day += timedelta(days=1)
    return instants


def _settle(random: Random, account: Account, sendings: Sendings, order_metric: str) -> None:
    own_random = Random(f"{account.account['id']} attributions")
    orders: dict[str, list[float]] = {}
    last_order: dict[str, int] = {}
    last_event: dict[str, int] = {}
    last_email: dict[str, Resource] = {}
    for event in account.events:
        profile_id = event["profile_id"]
        if profile_id is None:
            continue
        attributes = event["attributes"]
        last_event[profile_id] = attributes["timestamp"]
        properties = attributes["event_properties"]
        if event["metric_id"] == order_metric:
            orders.setdefault(profile_id, []).append(properties["$value"])
            last_order[profile_id] = attributes["timestamp"]
            if profile_id in last_email and random.random() < _ATTRIBUTED_SHARE:
                source = last_email[profile_id]
                sent = source["attributes"]["event_properties"]
                properties.pop("$attributed_flow", None)
                if "$flow" in sent:
                    properties["$attributed_flow"] = sent["$flow"]
                properties["$attributed_message"] = sent["$message"]
                _attribute(account, sendings, event, random_uuid(random), source["id"])
            elif "$attributed_message" in properties:
                _attribute(account, sendings, event, random_uuid(own_random), None)
        elif "$message" in properties:
            last_email[profile_id] = event
    for profile_id, when in last_event.items():
        settle_activity(account.profiles[profile_id], orders.get(profile_id, []), last_order.get(profile_id, 0), when)


def _attribute(account: Account, sendings: Sendings, event: Resource, identifier: str, source: str | None) -> None:
    """Write down what an event is attributed to: what its properties say, and the event of the message if one is known."""
    properties = event["attributes"]["event_properties"]
    message, flow = properties["$attributed_message"], properties.get("$attributed_flow")
    account.attributions[identifier] = {
        "type": "attribution",
        "id": identifier,
        "event_id": event["id"],
        "attributed_event_id": source,
        "campaign_id": None if flow is not None else sendings.campaigns[message],
        "campaign_message_id": None if flow is not None else message,
        "flow_id": flow,
        "flow_message_id": message if flow is not None else None,
    }
    account.event_attributions[event["id"]] = [identifier]


class _Shapes:
    """Event properties of each kind of event.

    Every number comes from `random()` alone: `choice` and `randrange` cost several times as much, and this runs once an event.
    """

    def __init__(self, random: Random, sendings: Sendings, lists: list[str]) -> None:
        self._draw = random.random
        self._flows = sendings.flows
        self._flow_messages = sendings.flow_messages
        self._campaign_messages = sendings.campaign_messages
        self._lists = lists
        self._number = 100_000

    def named(self, shape: str) -> Callable[[], Properties]:
        builder: Callable[[], Properties] = getattr(self, f"_{shape.replace(' ', '_')}")
        return builder

    def _order(self) -> Properties:
        self._number += 1
        draw = self._draw
        number = self._number
        quantity = 1 + int(draw() * 4)
        product = PRODUCTS[int(draw() * len(PRODUCTS))]
        value = round(product[2] * quantity * (0.8 + draw() / 2), 2) if number % 29 else 0
        properties: Properties = {
            "OrderId": str(number),
            "Items": [product[0]] * quantity,
            "Item Count": quantity,
            "Discount Codes": ["SUMMER, 10%"] if number % 7 == 0 else [],
            "$value_currency": "EUR" if number % 13 == 0 else "USD",
            "$event_id": f"order-{number}",
            "$value": value,
        }
        if number % 5 == 0:
            properties["$attributed_flow"] = self._flows[number % len(self._flows)]
            properties["$attributed_message"] = self._flow_messages[number % len(self._flows)]
        if number % 97 == 0:
            properties["$extra"] = {"note": _LARGE_TEXT, "lines": [{"sku": product[1], "quantity": quantity, "price": product[2]}] * 20}
        return properties

    def _ordered_product(self) -> Properties:
        self._number += 1
        draw = self._draw
        name, sku, price, category = PRODUCTS[int(draw() * len(PRODUCTS))]
        return {
            "ProductName": name,
            "SKU": sku,
            "Quantity": 1 + int(draw() * 3),
            "Categories": [category, "All"],
            "$value_currency": "USD",
            "$event_id": f"line-{self._number}",
            "$value": price,
        }

    def _checkout(self) -> Properties:
        self._number += 1
        name, _, price, category = PRODUCTS[int(self._draw() * len(PRODUCTS))]
        return {
            "Items": [name],
            "Categories": [category],
            "CheckoutURL": f"https://shop.example.com/checkout/{self._number}?a=1&b=2",
            "$event_id": f"checkout-{self._number}",
            "$value": price,
        }

    def _refund(self) -> Properties:
        self._number += 1
        price = PRODUCTS[int(self._draw() * len(PRODUCTS))][2]
        return {
            "OrderId": str(self._number),
            "Reason": 'didn\'t "fit"',
            "$value_currency": "USD",
            "$event_id": f"refund-{self._number}",
            "$value": price,
        }

    def _view(self) -> Properties:
        name, sku, price, category = PRODUCTS[int(self._draw() * len(PRODUCTS))]
        return {"ProductName": name, "SKU": sku, "Price": price, "Categories": [category], "URL": URLS[2], "$value": 0}

    def _visit(self) -> Properties:
        draw = self._draw()
        return {"page": URLS[int(draw * len(URLS))], "browser": "Firefox" if draw < 0.4 else "Chrome", "$value": 0}

    def _custom(self) -> Properties:
        self._number += 1
        number = self._number
        mixed: tuple[Any, ...] = (1, "1", 1.5, True, None, [1, "1"], {"deep": {"er": [{}]}}, "")
        return {
            "score": mixed[number % len(mixed)],
            "ключ": "значение 🎉",
            'quo"te\\': "%_'",
            "$event_id": f"custom-{number}",
            "$value": -number % 100 / 4,
        }

    def _email(self) -> Properties:
        draw = self._draw()
        properties: Properties = {
            "Subject": SUBJECTS[int(draw * len(SUBJECTS))],
            "Campaign Name": f"Campaign #{int(draw * EMAILED)}",
            "Email Domain": EMAIL_DOMAINS[int(draw * len(EMAIL_DOMAINS))],
            "$message": self._campaign_messages[int(draw * EMAILED)],
        }
        if draw < 1 / 3:
            sender = int(draw * 3 * len(self._flows)) % len(self._flows)
            properties["$message"] = self._flow_messages[sender]
            properties["$flow"] = self._flows[sender]
        return properties

    def _open(self) -> Properties:
        properties = self._email()
        name, kind = CLIENTS[int(self._draw() * len(CLIENTS))]
        properties["Client Name"] = name
        properties["Client Type"] = kind
        return properties

    def _click(self) -> Properties:
        properties = self._open()
        properties["URL"] = URLS[int(self._draw() * len(URLS))]
        return properties

    def _bounce(self) -> Properties:
        properties = self._email()
        properties["Bounce Type"] = "Hard" if self._draw() < 0.3 else "Soft"
        return properties

    def _unsubscribe(self) -> Properties:
        return {**self._email(), "Method": "API" if self._draw() < 0.2 else "Preference Page"}

    def _subscribe(self) -> Properties:
        return {"List": self._lists[int(self._draw() * len(self._lists))] if self._lists else None, "$event_id": None}
