"""Consent: who is subscribed on which channel, who is suppressed, and the requests that change it.

None of them moves a profile's `updated`: Klaviyo does not promise that it does, and a client must not count on it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress as suppress_refusals
from datetime import datetime
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.bulk_jobs import settle, stages
from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, Endpoint, shown
from klaviyo_sql.sandbox.problems import Problem, RefusedError, invalid
from klaviyo_sql.sandbox.subjects.jobs import SUPPRESSION_JOBS
from klaviyo_sql.sandbox.subjects.lists import join
from klaviyo_sql.sandbox.subjects.profile_writing import add, change, clean_email, clean_phone, meant
from klaviyo_sql.sandbox.subjects.push_tokens import register, unregister
from klaviyo_sql.sandbox.writing import Attributes, Write, receive, refuse_too_many, timed, to_the_microsecond, to_the_second

MOST_SUPPRESSIONS = 100
MOST_SUBSCRIPTIONS = 1000
MOST_UNSUBSCRIPTIONS = 100

_PROFILES = "/data/attributes/profiles/data"
_MANUAL = "USER_SUPPRESSED"
_LIFTED_BY_SUBSCRIBING = frozenset(("UNSUBSCRIBE", "SPAM_COMPLAINT", _MANUAL))
_PERMISSIONS = {
    ("sms", "marketing"): "can_receive_sms_marketing",
    ("sms", "transactional"): "can_receive_sms_transactional",
    ("whatsapp", "marketing"): "can_receive",
    ("whatsapp", "transactional"): "can_receive",
    ("whatsapp", "conversational"): "can_receive",
    ("email", "open_tracking"): "can_receive",
    ("mobile_push", "marketing"): "can_receive_push_marketing",
}


# Suppressions.


def suppress(call: Call) -> dict[str, Any]:
    """A job that suppresses profiles, by email (who is not known is made) or as members of a list or a segment."""

    def one(write: Write, email: str) -> bool:
        sent = {"email": email}
        profile = meant(write.account, None, sent, "/data") or add(write.account, sent, call.now)
        subscriptions = _own(profile)
        marketing = subscriptions["email"]["marketing"]
        if any(entry["reason"] == _MANUAL for entry in marketing["suppression"]):
            return False
        moment = to_the_microsecond(call.now)
        _suppressed(marketing, [*marketing["suppression"], {"reason": _MANUAL, "timestamp": moment}], moment)
        _give(profile, subscriptions)
        return True

    return _suppression_job(call, SUPPRESSION_JOBS[0], one)


def unsuppress(call: Call) -> dict[str, Any]:
    """A job that lifts manual suppressions, and no others."""

    def one(write: Write, email: str) -> bool:
        profile = write.account.profile_with("email", email)
        if profile is None:
            return False
        subscriptions = _own(profile)
        marketing = subscriptions["email"]["marketing"]
        left = [entry for entry in marketing["suppression"] if entry["reason"] != _MANUAL]
        if len(left) == len(marketing["suppression"]):
            return False
        _suppressed(marketing, left, to_the_microsecond(call.now))
        _give(profile, subscriptions)
        return True

    return _suppression_job(call, SUPPRESSION_JOBS[1], one)


def _suppressed(marketing: Attributes, entries: list[dict[str, str]], moment: str) -> None:
    marketing |= {"suppression": entries, "can_receive_email_marketing": not entries, "last_updated": moment}


def _suppression_job(call: Call, kind: str, one: Callable[[Write, str], bool]) -> dict[str, Any]:
    write = receive(call)
    account = call.account
    profiles = write.attributes.get("profiles")
    named = {name: ids[0] for name in ("list", "segment") if (ids := write.linked(name))}
    if (profiles is not None) + len(named) != 1:
        raise RefusedError(invalid("Exactly one of profiles, a list and a segment is required.", pointer="/data"))
    for name, identifier in named.items():
        write.require(name, identifier, f"/data/relationships/{name}/data/id")
    emails: list[str] = []
    if profiles is not None:
        refuse_too_many(len(profiles["data"]), MOST_SUPPRESSIONS, _PROFILES)
        emails = [clean_email(row["attributes"]["email"], f"{_PROFILES}/{position}/attributes/email") for position, row in enumerate(profiles["data"])]
    moment = to_the_microsecond(call.now)
    job: Resource = {
        "type": kind,
        "id": timed(write),
        # Recorded: processing, with no counts, and complete at a time although it is not.
        "attributes": {
            "status": "processing",
            "created_at": moment,
            "total_count": 0,
            "completed_count": 0,
            "completed_at": moment,
            "skipped_count": 0,
        },
        "list_ids": [named["list"]] if "list" in named else [],
        "segment_ids": [named["segment"]] if "segment" in named else [],
    }
    account.jobs.setdefault(kind, {})[job["id"]] = job
    account.changed(events=False)
    outcomes: list[bool] = []

    def work() -> None:
        outcomes.extend(one(write, email) for email in dict.fromkeys(emails or _members(account, named)))
        account.changed(events=False)

    def complete() -> None:
        done = sum(outcomes)
        settle(account, job, status="complete", total_count=len(outcomes), completed_count=done, skipped_count=len(outcomes) - done)

    stages(write, lambda: None, work, complete)
    return shown(call, kind, job)


def _members(account: Account, named: dict[str, str]) -> list[str]:
    members = account.list_members.get(named.get("list", ""), {}) or account.segment_members.get(named.get("segment", ""), {})
    emails = [account.profiles[identifier]["attributes"]["email"] for identifier in members if identifier in account.profiles]
    return [email for email in emails if email]


# Subscriptions.


def subscribe(call: Call) -> None:
    """Later, the profiles are subscribed, and on the list if there is one; a double opt-in waits for a confirmation that never comes here."""
    write = receive(call)
    rows = write.attributes["profiles"]["data"]
    refuse_too_many(len(rows), MOST_SUBSCRIPTIONS, _PROFILES)
    historical = bool(write.attributes.get("historical_import"))
    listed = _list(write)
    problems = [problem for position, row in enumerate(rows) for problem in _subscribing(row, f"{_PROFILES}/{position}", call.now, historical=historical)]
    if problems:
        raise RefusedError(*problems)
    for position, row in enumerate(rows):
        if row.get("id"):
            write.require("profile", row["id"], f"{_PROFILES}/{position}/id")
    source = write.attributes.get("custom_source")

    def store() -> None:
        account = call.account
        process = listed["attributes"]["opt_in_process"] if listed is not None else account.opt_in_process
        if process == "double_opt_in" and not historical:
            return
        for row in rows:
            # Who was deleted meanwhile is not subscribed.
            with suppress_refusals(RefusedError):
                _subscribed(account, row, listed, source, call.now, historical=historical)
        account.changed(events=False)

    call.later(store)


def _subscribed(account: Account, row: dict[str, Any], listed: Resource | None, source: str | None, now: datetime, *, historical: bool) -> None:
    sent = row["attributes"]
    person = _person(sent)
    profile = meant(account, row.get("id"), person, "/data")
    if profile is None:
        # Recorded: somebody who was never seen does not come into being without a list.
        if listed is None and not historical:
            return
        profile = add(account, person, now)
    elif missing := {name: value for name, value in person.items() if not profile["attributes"][name] and account.profile_with(name, value) is None}:
        change(account, profile, missing, None, now)
    subscriptions = _own(profile)
    for channel, kind, consent in _consents(sent["subscriptions"]):
        moment = _moment(consent.get("consented_at"), now)
        if (channel, kind) == ("email", "marketing"):
            marketing = subscriptions["email"]["marketing"]
            left = [entry for entry in marketing["suppression"] if entry["reason"] not in _LIFTED_BY_SUBSCRIBING]
            _suppressed(marketing, left, to_the_microsecond(now))
            marketing["list_suppressions"] = [entry for entry in marketing["list_suppressions"] if listed is None or entry["list_id"] != listed["id"]]
            marketing |= {"consent": "SUBSCRIBED", "consent_timestamp": moment, "method": "API", "method_detail": ""}
            marketing |= {"custom_method_detail": source, "double_optin": False}
        else:
            _set(subscriptions, channel, kind, "SUBSCRIBED", moment)
    for token in (sent["subscriptions"].get("push") or {}).get("tokens") or ():
        register(account, token, profile, now)
    _give(profile, subscriptions)
    if listed is not None and listed["id"] in account.lists:
        join(account, listed["id"], profile["id"], to_the_second(now))


def unsubscribe(call: Call) -> None:
    """Later, the members of the list are unsubscribed from it; who is not on it, and everybody without a list, from everything."""
    write = receive(call)
    rows = write.attributes["profiles"]["data"]
    refuse_too_many(len(rows), MOST_UNSUBSCRIPTIONS, _PROFILES)
    listed = _list(write)
    problems = [problem for position, row in enumerate(rows) for problem in _reachable(row, f"{_PROFILES}/{position}")]
    if problems:
        raise RefusedError(*problems)

    def store() -> None:
        for row in rows:
            _unsubscribed(call.account, row["attributes"], listed, call.now)
        call.account.changed(events=False)

    call.later(store)


def _unsubscribed(account: Account, sent: Attributes, listed: Resource | None, now: datetime) -> None:
    profile = meant(account, None, _person(sent), "/data")
    if profile is None:
        return
    subscriptions = _own(profile)
    moment = to_the_microsecond(now)
    members = account.list_members.get(listed["id"], {}) if listed is not None else {}
    member = profile["id"] in members
    for channel, kind, _ in _consents(sent["subscriptions"]):
        if (channel, kind) != ("email", "marketing"):
            _set(subscriptions, channel, kind, "UNSUBSCRIBED", moment)
            continue
        marketing = subscriptions["email"]["marketing"]
        if listed is not None and member:
            others = [entry for entry in marketing["list_suppressions"] if entry["list_id"] != listed["id"]]
            marketing["list_suppressions"] = [*others, {"list_id": listed["id"], "reason": "UNSUBSCRIBE", "timestamp": moment}]
            marketing["last_updated"] = moment
        else:
            others = [entry for entry in marketing["suppression"] if entry["reason"] != "UNSUBSCRIBE"]
            _suppressed(marketing, [*others, {"reason": "UNSUBSCRIBE", "timestamp": moment}], moment)
            marketing |= {"consent": "UNSUBSCRIBED", "consent_timestamp": moment, "method": "API", "method_detail": ""}
    for token in (sent["subscriptions"].get("push") or {}).get("tokens") or ():
        unregister(account, token["token"], profile)
    members.pop(profile["id"], None)
    _give(profile, subscriptions)


def _person(sent: Attributes) -> Attributes:
    person = {name: sent[name] for name in ("email", "phone_number") if sent.get(name)}
    return person | ({"email": person["email"].lower()} if "email" in person else {})


def _list(write: Write) -> Resource | None:
    ids = write.linked("list")
    return write.require("list", ids[0], "/data/relationships/list/data/id") if ids else None


def _consents(sent: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Channel, kind and what was sent for it; the channel by the name that profiles have for it."""
    return [
        ("mobile_push" if channel == "push" else channel, kind, consent)
        for channel, kinds in sent.items()
        for kind, consent in (kinds or {}).items()
        if isinstance(consent, dict) and "consent" in consent
    ]


def _subscribing(row: dict[str, Any], place: str, now: datetime, *, historical: bool) -> list[Problem]:
    problems = _reachable(row, place)
    for channel, kind, consent in _consents(row["attributes"]["subscriptions"]):
        if kind == "open_tracking":
            continue
        pointer = f"{place}/attributes/subscriptions/{'push' if channel == 'mobile_push' else channel}/{kind}/consented_at"
        consented = consent.get("consented_at")
        if historical and consented is None:
            problems.append(invalid("'consented_at' is required for a historical import.", pointer=pointer))
        elif not historical and consented is not None:
            problems.append(invalid("'consented_at' is for historical imports only.", pointer=pointer))
        elif consented is not None and _instant(consented, now) >= now:
            problems.append(invalid("'consented_at' must be in the past.", pointer=pointer))
    return problems


def _reachable(row: dict[str, Any], place: str) -> list[Problem]:
    """What is wrong with who is meant, and whether they can be reached on the channels."""
    sent = row["attributes"]
    problems: list[Problem] = []
    for name, clean in (("email", clean_email), ("phone_number", clean_phone)):
        if sent.get(name):
            try:
                clean(sent[name], f"{place}/attributes/{name}")
            except RefusedError as refusal:
                problems += refusal.problems
    if not any((row.get("id"), sent.get("email"), sent.get("phone_number"))):
        problems.append(invalid("An email address or a phone number is required.", pointer=f"{place}/attributes"))
    consents = _consents(sent["subscriptions"])
    if not consents:
        problems.append(invalid("At least one subscription is required.", pointer=f"{place}/attributes/subscriptions"))
    for channel, needed in (("email", "email"), ("sms", "phone_number"), ("whatsapp", "phone_number")):
        if any(found == channel for found, _, _ in consents) and not sent.get(needed) and not row.get("id"):
            problems.append(invalid(f"'{needed}' is required for {channel} subscriptions.", pointer=f"{place}/attributes/{needed}"))
    return problems


def _set(subscriptions: Attributes, channel: str, kind: str, consent: str, moment: str) -> None:
    permission = _PERMISSIONS[channel, kind]
    kinds = subscriptions[channel] = subscriptions.get(channel) or {}
    known = kinds.get(kind) or {}
    kinds[kind] = known | {permission: consent == "SUBSCRIBED", "consent": consent, "consent_timestamp": moment}
    if channel == "sms":
        kinds[kind] |= {"method": "API", "method_detail": "", "last_updated": moment}
    elif channel != "mobile_push":
        kinds[kind] |= {"last_updated": moment, "created_timestamp": known.get("created_timestamp") or moment}


def _own(profile: Resource) -> Attributes:
    """A copy of the profile's subscriptions, to be changed and given back."""
    return copy.deepcopy(profile["attributes"]["subscriptions"])


def _give(profile: Resource, subscriptions: Attributes) -> None:
    profile["attributes"] = profile["attributes"] | {"subscriptions": subscriptions}


def _instant(text: str, now: datetime) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)


def _moment(text: str | None, now: datetime) -> str:
    return to_the_microsecond(now if text is None else _instant(text, now).astimezone(now.tzinfo))


ENDPOINTS: dict[str, Endpoint] = {
    "bulk_suppress_profiles": ActionEndpoint(suppress),
    "bulk_unsuppress_profiles": ActionEndpoint(unsuppress),
    "bulk_subscribe_profiles": ActionEndpoint(subscribe),
    "bulk_unsubscribe_profiles": ActionEndpoint(unsubscribe),
}
