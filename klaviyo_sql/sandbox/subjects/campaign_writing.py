"""Writing campaigns: creating one with its messages, changing, cloning, deleting and sending it, and estimating whom it will reach."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.bulk_jobs import settle, stages
from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, Endpoint, require, shown
from klaviyo_sql.sandbox.problems import RefusedError, conflict, invalid, not_found
from klaviyo_sql.sandbox.subjects.template_writing import copied_template
from klaviyo_sql.sandbox.writing import (
    Attributes,
    CreateEndpoint,
    DeleteEndpoint,
    LinkEndpoint,
    PatchEndpoint,
    Write,
    receive,
    refuse_blank,
    timed,
    to_the_microsecond,
    to_the_second,
)

_UNTRACKED: dict[str, Any] = {"add_tracking_params": False, "custom_tracking_params": []}
_TRACKING = {"email": _UNTRACKED | {"is_tracking_clicks": True, "is_tracking_opens": True}, "sms": _UNTRACKED}
"""What a channel tracks unless it is told otherwise; mobile push has no such options."""

_SENDING = {"email": {"use_smart_sending": True, "ignore_unsubscribes": False}}
_NEEDED_PARAMETERS = ("utm_source", "utm_medium")
_PICTURED = ("sms", "mobile_push")
"""The channels whose messages have an image of their own."""

_DRAFT = "Draft"
_EDITABLE = (_DRAFT, "Scheduled")
_OPTIONS = ("send_options", "tracking_options")


def _channel(write: Write) -> str:
    channel: str = write.attributes["campaign-messages"]["data"][0]["attributes"]["definition"]["channel"]
    return channel


def _check_new(write: Write) -> None:
    refuse_blank(write.attributes, "name")
    place = "/data/attributes/campaign-messages/data"
    messages = write.attributes["campaign-messages"]["data"]
    if not messages:
        raise RefusedError(invalid("A campaign has at least one message.", pointer=place))
    for position, message in enumerate(messages):
        if message["attributes"]["definition"]["channel"] != _channel(write):
            pointer = f"{place}/{position}/attributes/definition/channel"
            raise RefusedError(invalid("All messages of a campaign have the same channel.", pointer=pointer))
        image = _image_of(message)
        if image is not None:
            _check_image(write, _channel(write), image, f"{place}/{position}/relationships/image/data/id")
    _check_shared(write, _channel(write))


def _image_of(message: dict[str, Any]) -> str | None:
    linkage = ((message.get("relationships") or {}).get("image") or {}).get("data")
    return linkage["id"] if linkage is not None else None


def _check_image(write: Write, channel: str, image_id: str, pointer: str) -> None:
    write.require("image", image_id, pointer)
    if channel not in _PICTURED:
        raise RefusedError(invalid("Only messages of SMS and of mobile push have an image.", pointer=pointer))


def _check_shared(write: Write, channel: str) -> None:
    """What is wrong with a campaign's attributes, whether it is new or changed."""
    account = write.account
    audiences = write.attributes.get("audiences") or {}
    for side in ("included", "excluded"):
        for position, identifier in enumerate(audiences.get(side) or []):
            if identifier not in account.lists and identifier not in account.segments:
                pointer = f"/data/attributes/audiences/{side}/{position}"
                raise RefusedError(invalid(f"No list or segment with id '{identifier}' exists.", pointer=pointer))
    tracking = write.attributes.get("tracking_options") or {}
    place = "/data/attributes/tracking_options"
    if channel not in _TRACKING and tracking:
        raise RefusedError(invalid("Mobile push has no tracking options.", pointer=place))
    unknown = sorted(set(tracking) - set(_TRACKING.get(channel, {})))
    if unknown:
        raise RefusedError(invalid(f"{unknown[0]!r} is an option of email only.", pointer=f"{place}/{unknown[0]}"))
    names = [parameter["name"] for parameter in tracking.get("custom_tracking_params") or []]
    missing = [name for name in _NEEDED_PARAMETERS if name not in names]
    if names and missing:
        raise RefusedError(invalid(f"Custom tracking parameters must include {' and '.join(missing)}.", pointer=f"{place}/custom_tracking_params"))


def _complete(write: Write, campaign: Resource) -> None:
    channel = _channel(write)
    attributes = campaign["attributes"]
    campaign["channel"] = channel
    attributes["audiences"] = {side: attributes["audiences"].get(side) or [] for side in ("included", "excluded")}
    attributes["send_options"] = {**_SENDING.get(channel, {"use_smart_sending": True}), **_said(attributes["send_options"])}
    attributes["tracking_options"] = {**copy.deepcopy(_TRACKING[channel]), **_said(attributes["tracking_options"])} if channel in _TRACKING else None
    for sent in attributes.pop("campaign-messages")["data"]:
        _add_message(write, campaign, sent["attributes"]["definition"], _image_of(sent))


def _said(options: Attributes | None) -> Attributes:
    return {name: value for name, value in (options or {}).items() if value is not None}


_CONTENTS: dict[str, tuple[str, ...]] = {
    "email": ("subject", "preview_text", "from_email", "from_label", "reply_to_email", "cc_email", "bcc_email"),
    "sms": ("body", "media_url"),
}


def _add_message(write: Write, campaign: Resource, sent: dict[str, Any], image_id: str | None) -> Resource:
    now = to_the_microsecond(write.call.now)
    definition = copy.deepcopy(sent)
    channel = campaign["channel"]
    if channel in _CONTENTS:
        definition["content"] = dict.fromkeys(_CONTENTS[channel]) | (definition.get("content") or {})
    message: Resource = {
        "type": "campaign-message",
        "id": timed(write),
        "attributes": {"definition": definition, "send_times": [], "created_at": now, "updated_at": now},
        "campaign_id": campaign["id"],
        "template_id": None,
        "image_id": image_id,
    }
    write.account.campaign_messages[message["id"]] = message
    return message


def _check_editable(campaign: Resource) -> None:
    status = campaign["attributes"]["status"]
    if status not in _EDITABLE:
        raise RefusedError(invalid(f"A campaign with the status '{status}' cannot be changed.", pointer="/data"))


def _check_change(write: Write, campaign: Resource) -> None:
    refuse_blank(write.attributes, "name")
    _check_editable(campaign)
    _check_shared(write, campaign["channel"])


def _change(write: Write, campaign: Resource, attributes: Attributes) -> None:
    """Of the options only those are changed that were sent; a list of audiences replaces the one before."""
    known = campaign["attributes"]
    for name in _OPTIONS:
        if name in write.attributes:
            attributes[name] = {**(known[name] or {}), **_said(write.attributes[name])} or None
    if "audiences" in write.attributes:
        attributes["audiences"] = known["audiences"] | {side: identifiers or [] for side, identifiers in write.attributes["audiences"].items()}
    if attributes["send_strategy"] is None:
        attributes["send_strategy"] = known["send_strategy"]


def _messages(account: Account, campaign_id: str) -> list[Resource]:
    return [message for message in account.campaign_messages.values() if message["campaign_id"] == campaign_id]


def _forget(call: Call, campaign: Resource) -> None:
    account, identifier = call.account, campaign["id"]
    for message in _messages(account, identifier):
        del account.campaign_messages[message["id"]]
        account.templates.pop(message["template_id"] or "", None)
    account.campaign_tags.pop(identifier, None)
    for kept in (account.recipient_estimations, account.recipient_estimation_jobs, account.campaign_send_jobs):
        kept.pop(identifier, None)


def _clone(call: Call) -> dict[str, Any]:
    """Recorded: the clone is a draft that would be sent at the time when it was made."""
    write = receive(call)
    source = write.require("campaign", write.data["id"], "/data/id")
    refuse_blank({name: value for name, value in write.attributes.items() if value is not None}, "new_name")
    attributes = copy.deepcopy(source["attributes"])
    now = to_the_microsecond(call.now)
    attributes |= {"name": write.attributes.get("new_name") or f"Clone of {attributes['name']}", "status": _DRAFT, "archived": False}
    attributes |= {"created_at": now, "updated_at": now, "scheduled_at": None, "send_time": None}
    attributes["send_strategy"] = {"method": "static", "datetime": now, "options": {"is_local": False}}
    clone: Resource = {"type": "campaign", "id": timed(write), "attributes": attributes, "channel": source["channel"]}
    call.account.campaigns[clone["id"]] = clone
    for message in _messages(call.account, source["id"]):
        copied = _add_message(write, clone, message["attributes"]["definition"], message["image_id"])
        if message["template_id"] is not None:
            _copy_template(write, copied, message["template_id"])
    call.account.changed(events=False)
    return shown(call, "campaign", clone)


def _copy_template(write: Write, message: Resource, template_id: str) -> Resource:
    """Recorded: a message has a template of its own, which is named for the one it was copied from."""
    copied = copied_template(write, write.account.templates[template_id], f"Clone of {template_id}", listed=False)
    message["template_id"] = copied["id"]
    return copied


def _assign(call: Call) -> dict[str, Any]:
    """Recorded: the reply has the message in an older form, and the copied template unasked."""
    write = receive(call)
    message = write.require("campaign-message", write.data["id"], "/data/id")
    template = write.require("template", write.the_one("template"), "/data/relationships/template/data/id")
    if message["attributes"]["definition"]["channel"] != "email":
        raise RefusedError(invalid("A template is assigned to messages of email only.", pointer="/data/id"))
    _check_editable(call.account.campaigns[message["campaign_id"]])
    former = message["template_id"]
    copied = _copy_template(write, message, template["id"])
    if former is not None and not call.account.templates[former]["listed"]:
        del call.account.templates[former]
    message["attributes"] = message["attributes"] | {"updated_at": to_the_microsecond(call.now)}
    call.account.changed(events=False)
    attributes = message["attributes"]
    definition = attributes["definition"]
    flat = {
        "label": definition.get("label") or "",
        "channel": definition["channel"],
        "content": definition["content"],
        "send_times": attributes["send_times"],
        "render_options": definition.get("render_options"),
        "created_at": attributes["created_at"],
        "updated_at": attributes["updated_at"],
    }
    reply = shown(call, "campaign-message assigned", message | {"attributes": flat})
    rendered = call.renderer().data(call.kinds["template"], [copied])
    return {"data": reply["data"], "included": rendered, "links": reply["links"]}


def _check_message(write: Write, message: Resource) -> None:
    channel = message["attributes"]["definition"]["channel"]
    definition = write.attributes.get("definition", {"channel": channel})
    place = "/data/attributes/definition"
    if definition is None:
        raise RefusedError(invalid("This may not be null.", pointer=place))
    if definition["channel"] != channel:
        raise RefusedError(invalid(f"The channel of a message cannot be changed; it is '{channel}'.", pointer=f"{place}/channel"))
    for identifier in write.linked("image") or []:
        _check_image(write, channel, identifier, "/data/relationships/image/data/id")
    _check_editable(write.account.campaigns[message["campaign_id"]])


def _change_message(write: Write, message: Resource, attributes: Attributes) -> None:
    if write.linked("image"):
        message["image_id"] = write.the_one("image")
    if "definition" in write.attributes:
        known = message["attributes"]["definition"]
        attributes["definition"] = _merged(known, write.attributes["definition"])


def _merged(known: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """Only what was sent is changed, in the parts of a definition as well; free pairs are replaced whole."""
    merged = dict(known)
    for name, value in sent.items():
        inner = merged.get(name)
        merged[name] = {**inner, **value} if isinstance(value, dict) and isinstance(inner, dict) and name != "kv_pairs" else value
    return merged


def _set_image(write: Write, message: Resource, image_ids: list[str]) -> None:
    _check_image(write, message["attributes"]["definition"]["channel"], image_ids[0], "/data/id")
    _check_editable(write.account.campaigns[message["campaign_id"]])
    message["image_id"] = image_ids[0]


def _estimate(call: Call) -> dict[str, Any]:
    write = receive(call)
    account = call.account
    campaign = write.require("campaign", write.data["id"], "/data/id")
    job = _job(write, "campaign-recipient-estimation-job", campaign["id"], account.recipient_estimation_jobs, "processing")

    def complete() -> None:
        if campaign["id"] in account.campaigns:
            count = len(_recipients(account, campaign["attributes"]["audiences"]))
            attributes = {"estimated_recipient_count": count}
            account.recipient_estimations[campaign["id"]] = {"type": "campaign-recipient-estimation", "id": campaign["id"], "attributes": attributes}
            settle(account, job, status="complete")

    call.schedule(call.job_duration, complete)
    return shown(call, job["type"], job)


def _job(write: Write, kind: str, campaign_id: str, jobs: dict[str, Resource], status: str) -> Resource:
    job: Resource = {"type": kind, "id": campaign_id, "attributes": {"status": status}}
    jobs[campaign_id] = job
    write.account.changed(events=False)
    return job


def _recipients(account: Account, audiences: dict[str, Any]) -> set[str]:
    """The members of what is included, without those of what is excluded; whether they have consented is not looked at."""

    def members(identifiers: list[str]) -> set[str]:
        return {profile for identifier in identifiers for profile in account.list_members.get(identifier) or account.segment_members.get(identifier) or ()}

    return members(audiences["included"]) - members(audiences["excluded"] or [])


def _send(call: Call) -> dict[str, Any]:
    """Nothing is sent to anybody: the campaign goes through the statuses of one that is."""
    write = receive(call)
    account = call.account
    campaign = write.require("campaign", write.data["id"], "/data/id")
    attributes = campaign["attributes"]
    if attributes["status"] != _DRAFT:
        raise RefusedError(conflict(f"A campaign with the status '{attributes['status']}' cannot be sent.", pointer="/data/id"))
    if not attributes["audiences"]["included"]:
        raise RefusedError(invalid("A campaign without an included audience cannot be sent.", pointer="/data/id"))
    if campaign["channel"] == "email" and any(message["template_id"] is None for message in _messages(account, campaign["id"])):
        raise RefusedError(invalid("A message of the campaign has no template.", pointer="/data/id"))
    job = _job(write, "campaign-send-job", campaign["id"], account.campaign_send_jobs, "queued")
    scheduled = _scheduled(attributes["send_strategy"], call.now)
    _tell(account, campaign, status="Preparing to schedule" if scheduled is not None else "Preparing to send", scheduled_at=to_the_microsecond(call.now))
    for message in _messages(account, campaign["id"]):
        times = {"datetime": to_the_second(scheduled or call.now), "is_local": bool((attributes["send_strategy"].get("options") or {}).get("is_local"))}
        message["attributes"] = message["attributes"] | {"send_times": [times]}

    def if_going_on(do: Callable[[], None]) -> Callable[[], None]:
        def step() -> None:
            if account.campaign_send_jobs.get(campaign["id"]) is job and job["attributes"]["status"] in ("queued", "processing"):
                do()

        return step

    def begin() -> None:
        settle(account, job, status="processing")
        _tell(account, campaign, status="Scheduled" if scheduled is not None else "Sending")

    def send() -> None:
        if scheduled is None:
            _tell(account, campaign, status="Sent", send_time=to_the_microsecond(call.now))

    def complete() -> None:
        settle(account, job, status="complete")

    stages(write, if_going_on(begin), if_going_on(send), if_going_on(complete))
    if scheduled is not None:
        call.schedule((scheduled - call.now).total_seconds(), lambda: _send_scheduled(account, campaign, job, scheduled))
    return shown(call, "campaign-send-job", job)


def _send_scheduled(account: Account, campaign: Resource, job: Resource, when: datetime) -> None:
    if account.campaign_send_jobs.get(campaign["id"]) is job and campaign["attributes"]["status"] == "Scheduled":
        _tell(account, campaign, status="Sent", send_time=to_the_microsecond(when))


def _scheduled(strategy: dict[str, Any], now: datetime) -> datetime | None:
    """When the campaign is to be sent; None for at once."""
    written = strategy.get("datetime") or strategy.get("date")
    if written is None:
        return None
    moment = datetime.fromisoformat(written)
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return moment if moment > now else None


def _tell(account: Account, campaign: Resource, **attributes: Any) -> None:
    campaign["attributes"] = campaign["attributes"] | attributes
    account.changed(events=False)


def _cancel(call: Call) -> None:
    write = receive(call)
    campaign = require(call, "campaign")
    job = call.account.campaign_send_jobs.get(call.id)
    if job is None:
        raise RefusedError(not_found(call.kinds["campaign-send-job"].missing.format(id=call.id)))
    if job["attributes"]["status"] not in ("queued", "processing") and campaign["attributes"]["status"] != "Scheduled":
        raise RefusedError(conflict(f"The campaign is '{campaign['attributes']['status']}' and no longer being sent.", pointer="/data/id"))
    cancelled = write.attributes["action"] == "cancel"
    settle(call.account, job, status="cancelled")
    _tell(call.account, campaign, status="Cancelled" if cancelled else _DRAFT, updated_at=to_the_microsecond(call.now))
    if not cancelled:
        _tell(call.account, campaign, scheduled_at=None)
        for message in _messages(call.account, call.id):
            message["attributes"] = message["attributes"] | {"send_times": []}


ENDPOINTS: dict[str, Endpoint] = {
    "create_campaign": CreateEndpoint(
        "campaign",
        "campaigns",
        timed,
        defaults={
            "status": _DRAFT,
            "archived": False,
            "send_options": None,
            "tracking_options": None,
            "send_strategy": {"method": "immediate"},
            "scheduled_at": None,
            "send_time": None,
        },
        stamps=("created_at", "updated_at"),
        moment=to_the_microsecond,
        check=_check_new,
        complete=_complete,
    ),
    "update_campaign": PatchEndpoint("campaign", stamps=("updated_at",), moment=to_the_microsecond, check=_check_change, apply=_change),
    "delete_campaign": DeleteEndpoint("campaign", "campaigns", after=_forget),
    "create_campaign_clone": ActionEndpoint(_clone),
    "update_campaign_message": PatchEndpoint(
        "campaign-message",
        stamps=("updated_at",),
        moment=to_the_microsecond,
        check=_check_message,
        apply=_change_message,
    ),
    "update_image_for_campaign_message": LinkEndpoint("campaign-message", "image", _set_image),
    "assign_template_to_campaign_message": ActionEndpoint(_assign),
    "refresh_campaign_recipient_estimation": ActionEndpoint(_estimate),
    "send_campaign": ActionEndpoint(_send),
    "cancel_campaign_send": ActionEndpoint(_cancel),
}
