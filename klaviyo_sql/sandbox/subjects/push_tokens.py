"""Push tokens of profiles."""

from __future__ import annotations

import zlib
from datetime import datetime
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, own, stored
from klaviyo_sql.sandbox.subjects.profile_writing import LARGEST_PROFILE, check_encountered, encounter
from klaviyo_sql.sandbox.writing import DeleteEndpoint, receive, to_the_second

KINDS = {
    "push-token": Kind(
        "push-token",
        "/api/push-tokens",
        stored("push_tokens"),
        "Record with token ID: {id} cannot be found.",
        relations=(Relation("profile", "profile elsewhere", own("profile_id"), many=False),),
        readers={"profile.id": own("profile_id")},
    )
}


def create_push_token(call: Call) -> None:
    """Later, the token is the profile's, whoever had it before; the profile comes into being with it, or is changed."""
    write = receive(call, largest=LARGEST_PROFILE)
    profile = write.attributes["profile"]["data"]
    place = "/data/attributes/profile/data"
    check_encountered(call.account, profile, place)
    call.later(lambda: register(call.account, write.attributes, encounter(call.account, profile, call.now, place), call.now))


def register(account: Account, sent: dict[str, Any], profile: Resource, now: datetime) -> None:
    """Make a token the profile's."""
    known = _token(account, sent["token"])
    moment = to_the_second(now)
    attributes = {
        "created": known["attributes"]["created"] if known is not None else moment,
        "token": sent["token"],
        "enablement_status": sent.get("enablement_status") or "AUTHORIZED",
        "platform": sent["platform"],
        "vendor": sent["vendor"],
        "background": sent.get("background") or "AVAILABLE",
        "recorded_date": moment,
        "metadata": sent.get("device_metadata") or {},
    }
    identifier = known["id"] if known is not None else f"{zlib.crc32(sent['token'].encode()):08x}{account.random.getrandbits(96):024x}"
    account.push_tokens[identifier] = {"type": "push-token", "id": identifier, "attributes": attributes, "profile_id": profile["id"]}
    account.changed(events=False)


def unregister(account: Account, token: str, profile: Resource) -> None:
    """Take a token from the profile."""
    known = _token(account, token)
    if known is not None and known["profile_id"] == profile["id"]:
        del account.push_tokens[known["id"]]
        account.changed(events=False)


def _token(account: Account, token: str) -> Resource | None:
    return next((known for known in account.push_tokens.values() if known["attributes"]["token"] == token), None)


ENDPOINTS: dict[str, Endpoint] = {
    "get_push_tokens": CollectionEndpoint("push-token", everything("push_tokens")),
    "get_push_token": ResourceEndpoint("push-token"),
    "create_push_token": ActionEndpoint(create_push_token),
    "delete_push_token": DeleteEndpoint("push-token", "push_tokens"),
}
