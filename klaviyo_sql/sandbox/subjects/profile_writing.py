"""Writing profiles: who is meant, who owns an identifier already, and what a change leaves as it was.

Whatever writes profiles comes here: create, update, create or update, imports, and events and push tokens by the way.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, Endpoint, Replied, require, shown
from klaviyo_sql.sandbox.generation.identifiers import ulid
from klaviyo_sql.sandbox.generation.people import no_consent, predictions
from klaviyo_sql.sandbox.problems import Problem, RefusedError, conflict, invalid, not_found
from klaviyo_sql.sandbox.writing import Attributes, receive, to_the_second

IDENTIFIERS = ("email", "phone_number", "external_id")
LARGEST_PROFILE = 100_000
"""Bytes."""

_TEXTS = ("first_name", "last_name", "organization", "locale", "title", "image")
_PLACES = ("address1", "address2", "city", "country", "latitude", "longitude", "region", "zip", "timezone", "ip")
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>.]+(\.[^@\s,;<>.]+)+")
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


def create_profile(call: Call) -> dict[str, Any]:
    """A new profile; 409 when somebody has one of its identifiers."""
    write = receive(call, largest=LARGEST_PROFILE)
    sent = cleaned(write.attributes, "/data/attributes")
    refuse_nobody(sent, None, "/data/attributes")
    _refuse_owned(write.account, sent, None, "/data/attributes")
    return shown(call, "profile elsewhere", add(write.account, sent, call.now))


def update_profile(call: Call) -> dict[str, Any]:
    """The attributes that were sent, null among them; the others stay."""
    write = receive(call, largest=LARGEST_PROFILE)
    profile = require(call, "profile")
    sent = cleaned(write.attributes, "/data/attributes")
    _refuse_owned(write.account, sent, profile, "/data/attributes")
    change(write.account, profile, sent, write.data.get("meta"), call.now)
    return shown(call, "profile elsewhere", profile)


def create_or_update_profile(call: Call) -> Replied:
    """201 for a new profile, 200 for one that was there."""
    write = receive(call, largest=LARGEST_PROFILE)
    profile, new = upsert(write.account, write.data, call.now, "/data")
    return Replied(201 if new else 200, shown(call, "profile elsewhere", profile))


def upsert(account: Account, data: Mapping[str, Any], now: datetime, pointer: str) -> tuple[Resource, bool]:
    """The profile that is meant by id or identifiers, changed or made, and whether it was made; RefusedError."""
    place = f"{pointer}/attributes"
    sent = cleaned(data.get("attributes") or {}, place)
    profile = meant(account, data.get("id"), sent, pointer)
    _refuse_owned(account, sent, profile, place)
    meta = data.get("meta") or sent.pop("meta", None)
    if profile is None:
        refuse_nobody(sent, None, place)
        made = add(account, sent, now)
        try:
            change(account, made, {}, meta, now)
        except RefusedError:
            remove(account, made)
            raise
        return made, True
    change(account, profile, sent, meta, now)
    return profile, False


def encounter(account: Account, data: Mapping[str, Any], now: datetime, pointer: str) -> Resource:
    """The profile that something happens to: made if it is new, changed by what comes along, but never cleared; who owns an identifier keeps it."""
    sent = {name: value for name, value in cleaned(data["attributes"], f"{pointer}/attributes").items() if value is not None}
    meta = data.get("meta") or sent.pop("meta", None)
    profile = meant(account, data.get("id"), sent, pointer)
    for name in IDENTIFIERS:
        owner = account.profile_with(name, sent[name]) if name in sent else None
        if owner is not None:
            del sent[name]
    if profile is None:
        profile = add(account, sent, now)
        sent = {}
    if meta or any(name in sent for name in (*IDENTIFIERS, *_TEXTS, "location", "properties")):
        change(account, profile, sent, meta, now)
    return profile


def meant(account: Account, profile_id: str | None, sent: Attributes, pointer: str) -> Resource | None:
    """The profile that an id, or the first identifier that somebody has, leads to; None when it would be a new one."""
    if profile_id is not None:
        profile = account.profiles.get(profile_id)
        if profile is None:
            raise RefusedError(not_found(f"A profile with id {profile_id} does not exist.", pointer=f"{pointer}/id"))
        return profile
    for name in (*IDENTIFIERS, "anonymous_id"):
        if sent.get(name) and (profile := account.profile_with(name, sent[name])) is not None:
            return profile
    exchanged = account.exchange_ids.get(sent.get("_kx") or "")
    return account.profiles.get(exchanged) if exchanged is not None else None


def cleaned(sent: Attributes, pointer: str) -> Attributes:
    """The attributes as Klaviyo keeps them: emails in lower case; RefusedError for what is no email and no phone number."""
    attributes = dict(sent)
    for name in IDENTIFIERS:
        if isinstance(attributes.get(name), str):
            attributes[name] = attributes[name].strip() or None
    if attributes.get("email"):
        attributes["email"] = clean_email(attributes["email"], f"{pointer}/email")
    if attributes.get("phone_number"):
        clean_phone(attributes["phone_number"], f"{pointer}/phone_number")
    return attributes


def clean_email(text: str, pointer: str) -> str:
    """In lower case; RefusedError."""
    if not _EMAIL.fullmatch(text):
        raise RefusedError(invalid("Invalid email address", pointer=pointer))
    return text.lower()


def clean_phone(text: str, pointer: str) -> None:
    """RefusedError when it is not in E.164 form."""
    if not _E164.fullmatch(text):
        raise RefusedError(invalid("Invalid phone number format (Example of a valid format: +12345678901)", pointer=pointer))


def check_encountered(account: Account, data: Mapping[str, Any], pointer: str) -> None:
    """RefusedError when nothing says who is meant, or an id or an address that nobody can have."""
    sent = cleaned(data["attributes"], f"{pointer}/attributes")
    refuse_nobody(sent, data.get("id"), f"{pointer}/attributes", ("anonymous_id", "_kx"))
    meant(account, data.get("id"), sent, pointer)


def refuse_nobody(sent: Attributes, profile_id: str | None, pointer: str, others: tuple[str, ...] = ()) -> None:
    """RefusedError when nothing says who is meant."""
    if profile_id is None and not any(sent.get(name) for name in (*IDENTIFIERS, *others)):
        detail = f"At least one of these identifiers is required: {', '.join((*IDENTIFIERS, *others))}."
        raise RefusedError(invalid(detail, pointer=pointer))


def _refuse_owned(account: Account, sent: Attributes, profile: Resource | None, pointer: str) -> None:
    for name in IDENTIFIERS:
        owner = account.profile_with(name, sent[name]) if sent.get(name) else None
        if owner is not None and owner is not profile:
            raise RefusedError(_duplicate(owner, pointer))


def _duplicate(owner: Resource, pointer: str) -> Problem:
    detail = "A profile already exists with one of these identifiers."
    return conflict(detail, code="duplicate_profile", pointer=pointer, meta={"duplicate_profile_id": owner["id"]})


def add(account: Account, sent: Attributes, now: datetime) -> Resource:
    """A new profile with these attributes."""
    moment = to_the_second(now)
    attributes = {name: sent.get(name) for name in (*IDENTIFIERS, *_TEXTS)}
    attributes |= {"created": moment, "updated": moment, "last_event_date": None}
    attributes["location"] = dict.fromkeys(_PLACES) | (sent.get("location") or {})
    attributes["properties"] = dict(sent.get("properties") or {})
    attributes |= {"subscriptions": no_consent(), "predictive_analytics": predictions([], 0)}
    identifier = ulid(account.random, int(now.timestamp() * 1000))
    profile: Resource = {"type": "profile", "id": identifier, "attributes": attributes}
    if sent.get("anonymous_id"):
        profile["anonymous_id"] = sent["anonymous_id"]
    account.profiles[identifier] = profile
    account.identified(profile)
    account.changed(events=False)
    return profile


def change(account: Account, profile: Resource, sent: Attributes, meta: Mapping[str, Any] | None, now: datetime) -> None:
    """Sets what was sent, clears what was sent as null, and patches properties and emails as `meta` says."""
    before = dict(profile)
    attributes = dict(profile["attributes"])
    for name in (*IDENTIFIERS, *_TEXTS):
        if name in sent:
            attributes[name] = sent[name]
    if not any(attributes[name] for name in IDENTIFIERS) and any(profile["attributes"][name] for name in IDENTIFIERS):
        raise RefusedError(invalid("A profile must keep at least one identifier.", pointer="/data/attributes"))
    if "location" in sent:
        kept = attributes["location"] if sent["location"] is not None else dict.fromkeys(_PLACES)
        attributes["location"] = kept | (sent["location"] or {})
    properties = attributes["properties"]
    if "properties" in sent:
        properties = {**properties, **sent["properties"]} if sent["properties"] is not None else {}
    attributes["properties"] = _patched(properties, (meta or {}).get("patch_properties") or {})
    attributes["updated"] = to_the_second(now)
    if emails := (meta or {}).get("patch_identifiers"):
        profile["secondary_emails"] = _emails(account, profile, emails)
    profile["attributes"] = attributes
    account.identified(profile, before)
    account.changed(events=False)


def _patched(properties: dict[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    if not patch:
        return properties
    changed = copy.copy(properties)
    for name, value in (patch.get("append") or {}).items():
        changed[name] = [*_several(changed.get(name)), *_several(value)]
    for name, value in (patch.get("unappend") or {}).items():
        if name in changed:
            taken = _several(value)
            changed[name] = [element for element in _several(changed[name]) if element not in taken]
    unset = patch.get("unset") or ()
    for name in (unset,) if isinstance(unset, str) else unset:
        changed.pop(name, None)
    return changed


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _emails(account: Account, profile: Resource, patch: Mapping[str, Any]) -> list[str]:
    """The secondary addresses of the profile; there are no other secondary identifiers."""
    kept: list[str] = list(profile.get("secondary_emails", ()))
    for verb in ("append", "unappend"):
        place = f"/data/meta/patch_identifiers/{verb}"
        sent = patch.get(verb) or {}
        if other := next((name for name in sent if name != "email"), None):
            raise RefusedError(invalid(f"{other!r} is not supported; only 'email' is.", pointer=f"{place}/{other}"))
        for text in _several(sent.get("email")):
            if not isinstance(text, str):
                raise RefusedError(invalid("Invalid email address", pointer=f"{place}/email"))
            address = clean_email(text, f"{place}/email")
            owner = account.profile_with("email", address)
            if verb == "unappend":
                kept = [known for known in kept if known != address]
            elif owner is not None and owner is not profile:
                raise RefusedError(_duplicate(owner, f"{place}/email"))
            elif address not in kept and address != profile["attributes"]["email"]:
                kept.append(address)
    return kept


def merge_profiles(call: Call) -> dict[str, Any]:
    """Later, the source is part of the destination and gone; until then both are there."""
    write = receive(call)
    sources = write.linked("profiles") or []
    place = "/data/relationships/profiles/data"
    if len(sources) != 1:
        raise RefusedError(invalid("Exactly one source profile is required.", pointer=place))
    destination = write.require("profile", write.data["id"], "/data/id")
    source = write.require("profile", sources[0], f"{place}/0/id")
    if source is destination:
        raise RefusedError(invalid("A profile cannot be merged into itself.", pointer=f"{place}/0/id"))
    call.later(lambda: _merge(write.account, source, destination, call.now))
    # Recorded: with no attributes but those two links.
    data = {"type": "profile", "id": destination["id"], "links": {"self": f"{call.origin}/api/profiles/{destination['id']}/"}}
    return {"data": data, "links": {"self": call.link(call.query.pairs)}}


def _merge(account: Account, source: Resource, destination: Resource, now: datetime) -> None:
    if account.profiles.get(source["id"]) is not source or account.profiles.get(destination["id"]) is not destination:
        return
    account.hand_over_events(source["id"], destination["id"])
    for members in (*account.list_members.values(), *account.segment_members.values()):
        if (joined := members.pop(source["id"], None)) is not None:
            members.setdefault(destination["id"], joined)
    for owned in (*account.push_tokens.values(), *account.conversations.values(), *account.back_in_stock):
        if owned["profile_id"] == source["id"]:
            owned["profile_id"] = destination["id"]
    remove(account, source)
    theirs, own = source["attributes"], destination["attributes"]
    given = {name: theirs[name] for name in (*IDENTIFIERS, *_TEXTS) if not own[name] and theirs[name]}
    given["location"] = {name: value for name, value in theirs["location"].items() if own["location"].get(name) is None}
    given["properties"] = {name: value for name, value in theirs["properties"].items() if name not in own["properties"]}
    change(account, destination, given, None, now)
    if theirs["email"] and theirs["email"] != destination["attributes"]["email"]:
        destination["secondary_emails"] = [*destination.get("secondary_emails", ()), theirs["email"]]
        account.identified(destination)
    latest = max(theirs["last_event_date"] or "", destination["attributes"]["last_event_date"] or "")
    destination["attributes"] = destination["attributes"] | {"last_event_date": latest or None}


def request_profile_deletion(call: Call) -> None:
    """Later, every profile that matches is gone; 404 when none does now."""
    write = receive(call)
    data = write.attributes["profile"]["data"]
    place = "/data/attributes/profile/data"
    given = {"id": data.get("id"), **data["attributes"]}
    named = [(name, value) for name, value in given.items() if value]
    if len(named) != 1:
        raise RefusedError(invalid("Exactly one of id, email and phone_number is required.", pointer=place))
    ((name, value),) = named
    value = value.lower() if name == "email" else value

    def matching() -> list[Resource]:
        if name == "id":
            return [write.account.profiles[value]] if value in write.account.profiles else []
        found = [profile for profile in write.account.profiles.values() if (profile["attributes"][name] or "") == value]
        other = write.account.profile_with(name, value)
        return found if other is None or other in found else [*found, other]

    if not matching():
        raise RefusedError(not_found(f'No profile with {name} "{value}" found.  The profile may have already been deleted.'))

    def delete() -> None:
        for profile in matching():
            write.account.hand_over_events(profile["id"], None)
            remove(write.account, profile)

    call.later(delete)


def remove(account: Account, profile: Resource) -> None:
    """Take a profile away, and all that was its own but its events."""
    identifier = profile["id"]
    del account.profiles[identifier]
    account.identified(profile, profile)
    for members in (*account.list_members.values(), *account.segment_members.values()):
        members.pop(identifier, None)
    for owned in (account.push_tokens, account.conversations):
        for other in [key for key, resource in owned.items() if resource["profile_id"] == identifier]:
            del owned[other]
    account.back_in_stock[:] = [waiting for waiting in account.back_in_stock if waiting["profile_id"] != identifier]
    account.changed(events=False)


ENDPOINTS: dict[str, Endpoint] = {
    "create_profile": ActionEndpoint(create_profile),
    "update_profile": ActionEndpoint(update_profile),
    "create_or_update_profile": ActionEndpoint(create_or_update_profile),
    "merge_profiles": ActionEndpoint(merge_profiles),
    "request_profile_deletion": ActionEndpoint(request_profile_deletion),
}
