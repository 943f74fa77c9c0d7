"""Campaigns of three channels with their messages: sent ones that the events speak of, and everything else that a campaign can be."""

from __future__ import annotations

from random import Random
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.generation.content import add_template
from klaviyo_sql.sandbox.generation.identifiers import ShortIds, ulid
from klaviyo_sql.sandbox.generation.moments import microseconds_text
from klaviyo_sql.sandbox.generation.tags import carried_tags
from klaviyo_sql.sandbox.generation.words import LONG_NAME, NASTY_TEXTS, SUBJECTS

EMAILED = 12
"""`Campaign #0` to `Campaign #11`, which the email events name, are the first campaigns of all."""

_DAY = 86_400
_COUNTS = {"email": 128, "sms": 13, "mobile_push": 5}
_ARCHIVED_EVERY = {"email": 9, "sms": 4}
"""Every so many campaigns of a channel are archived; of mobile push none."""

_STATUSES = (
    "Sent",
    "Draft",
    "Sent",
    "Scheduled",
    "Sent",
    "Cancelled",
    "Sent",
    "Cancelled: No Recipients",
    "Variations Sent",
    "Draft",
    "Sending",
    "Queued without Recipients",
    "Preparing to send",
    "Cancelled: Smart Sending",
)
_BEFORE_SENDING = frozenset(("Draft", "Scheduled", "Queued without Recipients", "Preparing to send"))
_ODD_NAMES = (*NASTY_TEXTS, LONG_NAME, "Summer sale", "Summer sale", "summer SALE", "")


def make_campaigns(random: Random, account: Account, start: int, end: int) -> None:
    """The campaigns, the messages, the templates of the messages, the tags and the recipient estimations."""
    ids = ShortIds(random)
    position = 0
    for channel, count in _COUNTS.items():
        for number in range(count):
            _add_campaign(random, account, ids, channel, number, position, start, end)
            position += 1


def _add_campaign(random: Random, account: Account, ids: ShortIds, channel: str, number: int, position: int, start: int, end: int) -> None:
    emailed = channel == "email" and number < EMAILED
    status = "Sent" if emailed else _STATUSES[position % len(_STATUSES)]
    created = start + int((end - start - 40 * _DAY) * random.random())
    # Two that were made in the same second, and one at a whole second, which is written with decimals all the same.
    created_at = microseconds_text(created, 0 if number == 3 else random.randrange(1_000_000))
    identifier = ulid(random, created * 1000)
    tested = not emailed and position % 6 == 4
    scheduled = created + 3 * _DAY + random.randrange(_DAY) if status not in ("Draft", "Queued without Recipients") else None
    sent = scheduled if scheduled is not None and status not in _BEFORE_SENDING else None
    if status == "Scheduled":
        scheduled = end + _DAY * (1 + number % 20)
    name = f"Campaign #{number}" if emailed else _ODD_NAMES[position % len(_ODD_NAMES)] if position % 3 == 0 else f"{channel} {number}"
    every = _ARCHIVED_EVERY.get(channel)
    account.campaigns[identifier] = {
        "type": "campaign",
        "id": identifier,
        "attributes": {
            "name": name,
            "status": status,
            "archived": every is not None and not emailed and number % every == every - 1,
            "audiences": _audiences(random, account, position),
            "send_options": _send_options(channel, position),
            "tracking_options": _tracking_options(channel, position),
            "send_strategy": {"method": "ab_test_campaign"} if tested else _send_strategy(channel, position, scheduled or created),
            "created_at": created_at,
            "scheduled_at": microseconds_text(scheduled - 7200, random.randrange(1_000_000)) if scheduled is not None else None,
            "updated_at": microseconds_text((sent or created) + 60, random.randrange(1_000_000)),
            "send_time": microseconds_text(sent, random.randrange(1_000_000) if number % 2 else 0) if sent is not None else None,
        },
        "channel": channel,
    }
    for variation in range(2 + position % 2 if tested else 1):
        _add_message(random, account, ids, account.campaigns[identifier], number, variation, created, scheduled)
    account.campaign_tags[identifier] = carried_tags(random, account, position)
    if sent is not None and position % 5 != 2:
        account.recipient_estimations[identifier] = {
            "type": "campaign-recipient-estimation",
            "id": identifier,
            "attributes": {"estimated_recipient_count": 0 if position % 7 == 0 else random.randrange(1, 3000)},
        }
        _add_job(account.recipient_estimation_jobs, "campaign-recipient-estimation-job", identifier, "complete")
    if status == "Sending":
        _add_job(account.recipient_estimation_jobs, "campaign-recipient-estimation-job", identifier, "processing")
    if status not in ("Draft", "Scheduled"):
        job = "cancelled" if status.startswith("Cancelled") else "complete" if sent is not None and status != "Sending" else "processing"
        _add_job(account.campaign_send_jobs, "campaign-send-job", identifier, job)


def _add_job(jobs: dict[str, Resource], kind: str, campaign_id: str, status: str) -> None:
    jobs[campaign_id] = {"type": kind, "id": campaign_id, "attributes": {"status": status}}


def _audiences(random: Random, account: Account, position: int) -> dict[str, Any]:
    """Ids of lists and of segments, together; a draft may have none."""
    groups = [*account.lists, *account.segments]
    if position % 13 == 9:
        return {"included": [], "excluded": []}
    chosen = random.sample(groups, k=min(len(groups), 1 + position % 4 + position % 3))
    return {"included": chosen[: 1 + position % 4], "excluded": chosen[1 + position % 4 :]}


def _send_options(channel: str, position: int) -> dict[str, Any]:
    options: dict[str, Any] = {"use_smart_sending": (True, False, None)[position % 3]}
    if channel == "email":
        # Not in the API description; live replies have it.
        options["ignore_unsubscribes"] = False
    return options


def _tracking_options(channel: str, position: int) -> dict[str, Any] | None:
    if channel == "mobile_push" or position % 17 == 16:
        return None
    parameters: list[dict[str, str]] | None = None
    if position % 4 == 1:
        parameters = [
            {"type": "static", "value": 'klaviyo, "news" & more', "name": "utm_source"},
            {"type": "static", "value": channel, "name": "utm_medium"},
            {"type": "dynamic", "value": "campaign_name", "name": "utm_campaign"},
        ]
    elif position % 4 == 2:
        parameters = []
    options: dict[str, Any] = {"add_tracking_params": parameters is not None, "custom_tracking_params": parameters}
    if channel == "email":
        options |= {"is_tracking_clicks": position % 2 == 0, "is_tracking_opens": True}
    return options


def _send_strategy(channel: str, position: int, when: int) -> dict[str, Any]:
    moment = microseconds_text(when, 0).replace(".000000", "")
    strategies: tuple[dict[str, Any], ...] = (
        {"method": "static", "datetime": moment, "options": {"is_local": False}},
        {"method": "static", "datetime": moment, "options": {"is_local": True, "send_past_recipients_immediately": True}},
        {"method": "immediate"},
        {"method": "throttled", "datetime": moment, "throttle_percentage": 20},
        {"method": "smart_send_time", "date": moment[:10]},
        {"method": "static", "datetime": moment, "options": None},
        {"method": "unsupported"},
    )
    return strategies[position % (len(strategies) if channel == "email" else 3)]


def _add_message(random: Random, account: Account, ids: ShortIds, campaign: Resource, number: int, variation: int, created: int, scheduled: int | None) -> None:
    channel = campaign["channel"]
    identifier = ulid(random, created * 1000 + 1 + variation)
    draft = campaign["attributes"]["status"] == "Draft"
    template_id: str | None = None
    image_id: str | None = None
    if channel == "email":
        if not (draft and number % 2):
            # Assigning a template copies it: the copy is read by its id, and stands in no list.
            template_id = add_template(random, account, ids.next(), f"{campaign['attributes']['name']} (copy)", created, 3 * number + variation, listed=False)
        definition = _email(campaign["attributes"]["name"], number, variation, draft=draft)
    elif channel == "sms":
        definition = _text_message(number, draft=draft)
    else:
        image_id = random.choice(list(account.images)) if number % 2 == 0 else None
        definition = _push(number)
    account.campaign_messages[identifier] = {
        "type": "campaign-message",
        "id": identifier,
        "attributes": {
            "definition": definition,
            "send_times": [] if scheduled is None else [{"datetime": microseconds_text(scheduled, 0).replace(".000000", ""), "is_local": number % 3 == 1}],
            "created_at": microseconds_text(created, random.randrange(1_000_000)),
            "updated_at": microseconds_text(created + 90, random.randrange(1_000_000)),
        },
        "campaign_id": campaign["id"],
        "template_id": template_id,
        "image_id": image_id,
    }


def _email(name: str, number: int, variation: int, *, draft: bool) -> dict[str, Any]:
    content: dict[str, Any] = {
        "subject": SUBJECTS[number // 2 % len(SUBJECTS)] if not (draft and number % 2) else None,
        "preview_text": ("", 'Only today, only "here"', None)[number % 3],
        "from_email": "shop@example.com" if not draft else None,
        "from_label": 'The "Example" Shop',
        "reply_to_email": "reply@example.com" if number % 4 == 0 else None,
        "cc_email": None,
        "bcc_email": "archive@example.com" if number % 10 == 0 else None,
    }
    label = f"{name} ({'AB'[variation]})" if variation < 2 and number >= EMAILED else name
    return {"channel": "email", "label": label if number % 8 != 5 else None, "content": content}


def _text_message(number: int, *, draft: bool) -> dict[str, Any]:
    options = {"shorten_links": True, "add_org_prefix": number % 2 == 0, "add_info_link": None, "add_opt_out_language": True}
    content = {"body": None if draft else "50% off, today only 🎉 https://shop.example.com/?a=1&b=2", "media_url": None if number % 3 else ""}
    return {"channel": "sms", "content": content, "render_options": options}


def _push(number: int) -> dict[str, Any]:
    if number == 4:
        return {"channel": "mobile_push", "notification_type": "silent", "kv_pairs": {"refresh": "catalog"}}
    return {
        "channel": "mobile_push",
        "notification_type": "standard",
        "content": {"title": "Hello", "body": "New in the app", "dynamic_image": None, "action_buttons": None},
        "kv_pairs": None if number % 2 else {"sku": "TEE-001"},
        "options": {"on_open": {"type": "open_app"}, "badge": {"display": False}, "play_sound": True},
    }
