"""Profiles: who they are, what they consented to, and what is predicted of them."""

from __future__ import annotations

from random import Random
from typing import Any

from klaviyo_sql.sandbox.account import Resource
from klaviyo_sql.sandbox.generation.identifiers import ulid
from klaviyo_sql.sandbox.generation.moments import microseconds_text, seconds_text
from klaviyo_sql.sandbox.generation.words import CITIES, FIRST_NAMES, LAST_NAMES, NASTY_TEXTS, ORGANIZATIONS

SUPPRESSION_REASONS = ("HARD_BOUNCE", "INVALID_EMAIL", "SPAM_COMPLAINT", "UNSUBSCRIBE", "USER_SUPPRESSED")
ORDERS_BEFORE_PREDICTION = 3
"""Klaviyo predicts nothing until a profile has enough orders; the number here is the sandbox's own."""

_DAY = 86_400
_MIXED_VALUES: tuple[Any, ...] = ("7", 7, 7.5, True, None, "", ["7", 7], {"value": 7, "unit": "points"})


def make_profiles(random: Random, count: int, start: int, end: int, list_ids: list[str]) -> list[Resource]:
    """The profiles, in the order in which they were created."""
    created_times = sorted(start - 90 * _DAY + int((end - start + 89 * _DAY) * random.random()) for _ in range(count))
    # Several people created in one import have the same second.
    for position in range(10, count - 5, 37):
        created_times[position + 1] = created_times[position]
    created_times.sort()
    return [_profile(random, number, created, end, list_ids) for number, created in enumerate(created_times)]


def settle_activity(profile: Resource, order_values: list[float], last_order: int, last_event: int | None) -> None:
    """Write into the profile what follows from its events."""
    attributes = profile["attributes"]
    if last_event is not None:
        attributes["last_event_date"] = seconds_text(last_event)
    attributes["predictive_analytics"] = predictions(order_values, last_order)


def _profile(random: Random, number: int, created: int, end: int, list_ids: list[str]) -> Resource:
    updated = created + int((end - created) * random.random())
    first_name: str | None = random.choice(FIRST_NAMES)
    last_name: str | None = random.choice(LAST_NAMES)
    kind = number % 50
    if kind == 3:
        first_name = NASTY_TEXTS[number // 25 % len(NASTY_TEXTS)]
    elif kind == 4:
        last_name = NASTY_TEXTS[(number // 25 + 1) % len(NASTY_TEXTS)]
    elif kind == 5:
        first_name, last_name = None, None
    elif kind == 6:
        first_name, last_name = "", ""
    email: str | None = f"person{number}@example.com"
    phone: str | None = f"+1202555{number:07d}" if random.random() < 0.4 else None
    external: str | None = f"customer-{number}" if random.random() < 0.5 else None
    if kind == 7:
        email, phone = None, f"+4520{number:06d}"
    elif kind == 8:
        email, phone, external = None, None, f"ext:{number}/ü%+,'\""
    elif kind == 9:
        email = f"o'brien+tag{number}@exämple.com"
    elif kind == 10:
        external = f"0{number}"
    attributes: dict[str, Any] = {
        "email": email,
        "phone_number": phone,
        "external_id": external,
        "first_name": first_name,
        "last_name": last_name,
        "organization": random.choice(ORGANIZATIONS) if random.random() < 0.2 else None,
        "locale": random.choice(("en-US", "da-DK", "pt-BR", None)),
        "title": random.choice(("Dr.", "", "Regional Manager", None)) if random.random() < 0.2 else None,
        "image": f"https://images.example.com/{number}.png" if random.random() < 0.1 else None,
        "created": seconds_text(created),
        "updated": seconds_text(updated),
        "last_event_date": None,
        "location": _location(random, number),
        "properties": _properties(random, number),
        "subscriptions": _subscriptions(random, number, created, end, list_ids),
        "predictive_analytics": predictions([], 0),
    }
    return {"type": "profile", "id": ulid(random, created * 1000 + random.randrange(1000)), "attributes": attributes}


def _location(random: Random, number: int) -> dict[str, Any]:
    if random.random() < 0.25:
        return dict.fromkeys(("address1", "address2", "city", "country", "latitude", "longitude", "region", "zip", "timezone", "ip"))
    city, region, country, postal, timezone, latitude, longitude = random.choice(CITIES)
    as_text = number % 3 == 0
    return {
        "address1": f"{random.randrange(1, 999)} Main St., Apt #{number % 40}",
        "address2": random.choice((None, "", "2.th.")),
        "city": city,
        "country": country,
        "latitude": str(latitude) if as_text else latitude,
        "longitude": str(longitude) if as_text else longitude,
        "region": region,
        "zip": postal,
        "timezone": timezone,
        "ip": f"203.0.113.{number % 256}" if number % 4 == 0 else None,
    }


def _properties(random: Random, number: int) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    if random.random() < 0.8:
        properties["score"] = _MIXED_VALUES[number % len(_MIXED_VALUES)]
    if random.random() < 0.5:
        properties["plan"] = random.choice(("free", "pro", "Pro", "enterprise, yearly"))
    if number % 5 == 0:
        properties["Birthday"] = f"19{60 + number % 40}-0{1 + number % 9}-1{number % 10}"
    if number % 11 == 0:
        properties["nested"] = {"a": {"b": [1, {"c": None}, "d'\"\\"]}, "empty": {}, "list": []}
    if number % 50 == 3:
        properties[NASTY_TEXTS[number // 50 % len(NASTY_TEXTS)]] = NASTY_TEXTS[number // 50 % len(NASTY_TEXTS)]
    if number % 17 == 0:
        properties["big"] = 2**53 - number
    return properties


def _subscriptions(random: Random, number: int, created: int, end: int, list_ids: list[str]) -> dict[str, Any]:
    def moment() -> str:
        return microseconds_text(created + int((end - created) * random.random()), random.randrange(1_000_000))

    suppression: list[dict[str, str]] = []
    list_suppressions: list[dict[str, str]] = []
    kind = number % 40
    if kind in (1, 21):
        suppression.append({"reason": SUPPRESSION_REASONS[number // 20 % 5], "timestamp": moment()})
    elif kind == 2:
        reasons = random.sample(SUPPRESSION_REASONS, k=2 + number // 40 % 2)
        suppression += [{"reason": reason, "timestamp": moment()} for reason in reasons]
    if kind in (2, 3, 23) and list_ids:
        listed = random.sample(list_ids, k=min(len(list_ids), 1 + number // 40 % 3))
        list_suppressions += [{"list_id": list_id, "reason": random.choice(("UNSUBSCRIBE", "USER_SUPPRESSED")), "timestamp": moment()} for list_id in listed]
    if kind == 4:
        # Klaviyo writes six decimals even when the time is a whole second.
        suppression.append({"reason": "UNSUBSCRIBE", "timestamp": microseconds_text(created + 60, 0)})
    consent = "UNSUBSCRIBED" if any(entry["reason"] == "UNSUBSCRIBE" for entry in suppression) else random.choice(("SUBSCRIBED", "NEVER_SUBSCRIBED"))
    consented = moment() if consent != "NEVER_SUBSCRIBED" else None
    subscriptions = no_consent()
    subscriptions["email"]["marketing"] |= {
        "can_receive_email_marketing": not suppression,
        "consent": consent,
        "consent_timestamp": consented,
        "last_updated": suppression[0]["timestamp"] if suppression else consented,
        "suppression": suppression,
        "list_suppressions": list_suppressions,
    }
    if consented:
        subscriptions["email"]["marketing"] |= {
            "method": random.choice(("API", "FORM", "PREFERENCE_PAGE")),
            "method_detail": random.choice(("", "Xk3pQz", None)),
            "custom_method_detail": 'signup "footer", 50%' if number % 60 == 0 else None,
            "double_optin": random.choice((True, False)),
        }
    if random.random() < 0.2:
        texted = moment()
        subscriptions["sms"]["marketing"] |= {
            "can_receive_sms_marketing": True,
            "consent": "SUBSCRIBED",
            "consent_timestamp": texted,
            "method": "FORM",
            "method_detail": "RsT4uV",
            "last_updated": texted,
        }
    return subscriptions


def no_consent() -> dict[str, Any]:
    """The subscriptions of somebody who was never asked."""
    return {
        "email": {
            "marketing": {
                "can_receive_email_marketing": True,
                "consent": "NEVER_SUBSCRIBED",
                "consent_timestamp": None,
                "last_updated": None,
                "method": None,
                "method_detail": None,
                "custom_method_detail": None,
                "double_optin": None,
                "suppression": [],
                "list_suppressions": [],
            },
            "open_tracking": _tracking(),
            # Not in the API description; live replies have it.
            "click_tracking": _tracking(),
        },
        "sms": {"marketing": _no_texts("can_receive_sms_marketing"), "transactional": _no_texts("can_receive_sms_transactional")},
        "mobile_push": {"marketing": {"can_receive_push_marketing": False, "consent": "NEVER_SUBSCRIBED", "consent_timestamp": None}},
        "whatsapp": None,
    }


def _tracking() -> dict[str, Any]:
    return {
        "consent": "NEVER_SUBSCRIBED",
        "consent_timestamp": None,
        "last_updated": None,
        "created_timestamp": None,
        "metadata": None,
        "can_receive": False,
        "valid_until": None,
    }


def _no_texts(permission: str) -> dict[str, Any]:
    return {
        permission: False,
        "consent": "NEVER_SUBSCRIBED",
        "consent_timestamp": None,
        "method": None,
        "method_detail": None,
        "last_updated": None,
    }


def predictions(order_values: list[float], last_order: int) -> dict[str, Any]:
    """What is predicted from the orders of a profile: nothing from a few."""
    if len(order_values) < ORDERS_BEFORE_PREDICTION:
        names = (
            "historic_number_of_orders",
            "predicted_number_of_orders",
            "average_days_between_orders",
            "average_order_value",
            "historic_clv",
            "predicted_clv",
            "total_clv",
            "churn_probability",
            "expected_date_of_next_order",
            "ranked_channel_affinity",
        )
        return dict.fromkeys(names)
    number, total = len(order_values), sum(order_values)
    between = round(700 / number, 2)
    return {
        "historic_number_of_orders": number,
        "predicted_number_of_orders": round(number / 3, 3),
        "average_days_between_orders": between,
        "average_order_value": round(total / number, 2),
        "historic_clv": round(total, 2),
        "predicted_clv": round(total / 3, 2),
        "total_clv": round(total * 4 / 3, 2),
        "churn_probability": round(1 / (1 + number), 4),
        "expected_date_of_next_order": seconds_text(last_order + int(between * _DAY)),
        "ranked_channel_affinity": ["email", "sms", "push"] if number % 2 else ["sms", "email"],
    }
