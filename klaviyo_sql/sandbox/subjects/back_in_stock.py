"""Back in stock: who wants to hear when a variant can be bought again."""

from __future__ import annotations

from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, Endpoint
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.subjects.profile_writing import check_encountered, cleaned, encounter, meant
from klaviyo_sql.sandbox.writing import receive, refuse_too_many

_NEEDED = {"EMAIL": "email", "SMS": "phone_number", "WHATSAPP": "phone_number"}


def create_back_in_stock_subscription(call: Call) -> None:
    """Later, the profile waits for the variant; it comes into being with that if need be."""
    write = receive(call)
    channels = write.attributes["channels"]
    refuse_too_many(len(channels), None, "/data/attributes/channels")
    (variant_id,) = write.linked("variant") or ("",)
    write.require("catalog-variant", variant_id, "/data/relationships/variant/data/id")
    place = "/data/attributes/profile"
    if write.attributes.get("profile") is None:
        raise RefusedError(invalid("'profile' is a required field.", pointer=place))
    profile = write.attributes["profile"]["data"]
    sent = cleaned(profile["attributes"], f"{place}/data/attributes")
    check_encountered(call.account, profile, f"{place}/data")
    known = meant(call.account, profile.get("id"), sent, f"{place}/data")
    for channel in channels:
        needed = _NEEDED.get(channel)
        if needed is not None and not sent.get(needed) and not (known is not None and known["attributes"][needed]):
            raise RefusedError(invalid(f"'{needed}' is required for the channel {channel}.", pointer=f"{place}/data/attributes/{needed}"))

    def store() -> None:
        person = encounter(call.account, profile, call.now, f"{place}/data")
        call.account.back_in_stock.append({"profile_id": person["id"], "variant_id": variant_id, "channels": list(channels)})

    call.later(store)


ENDPOINTS: dict[str, Endpoint] = {"create_back_in_stock_subscription": ActionEndpoint(create_back_in_stock_subscription)}
