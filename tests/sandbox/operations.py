"""How every operation that reads is asked: with which parameters, and about which resources of an account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from klaviyo_sql.contract import operation
from klaviyo_sql.sandbox import Account
from klaviyo_sql.sandbox.subjects import ENDPOINTS

CHANNELS = ("email", "sms", "mobile_push")
# Campaigns and coupon codes are not listed without these.
FILTERS: dict[str, list[str]] = {
    "get_campaigns": [f'equals(messages.channel,"{channel}"),equals(archived,{archived})' for channel in CHANNELS for archived in ("false", "true")],
    "get_coupon_codes": ['any(coupon.id,["SUMMER_10","Welcome"])'],
    "get_flows": ["equals(archived,false)", "equals(archived,true)"],
    "get_images": ["equals(hidden,false)", "equals(hidden,true)"],
}

_MOST_IDS = 12
# Where the account keeps the resources of a path, where the name is another.
_COLLECTIONS = {
    "campaign-recipient-estimation-jobs": "recipient_estimation_jobs",
    "campaign-recipient-estimations": "recipient_estimations",
    "template-universal-content": "universal_content",
}


def variants(name: str) -> Iterator[str]:
    """The query strings that an operation is asked with: nothing, everything that can be included or added, and a sparse fieldset."""
    described = operation(name)
    size = f"page[size]={described.page.max}" if described.page else ""
    for condition in FILTERS.get(name, [""]):
        plain = [size, f"filter={quote(condition)}" if condition else ""]
        yield _joined(plain)
        everything = [f"include={','.join(described.include)}"] if described.include else []
        everything += [f"additional-fields[{kind}]={','.join(names)}" for kind, names in described.additional_fields.items()]
        if everything:
            yield _joined([*plain, *everything])
        if described.fields:
            yield _joined([*plain, *(f"fields[{kind}]={','.join(names[:2])}" for kind, names in described.fields.items())])


def _joined(parts: list[str]) -> str:
    return f"?{'&'.join(part for part in parts if part)}" if any(parts) else ""


READS = [name for name in ENDPOINTS if operation(name).method == "GET"]


def ids(account: Account, name: str, most: int = _MOST_IDS) -> list[str]:
    """The ids that may stand in the path, at most about so many: some that have what is asked for, the first and the last among them."""
    if "{" not in operation(name).path:
        return [""]
    collection = operation(name).path.split("/")[2]
    if collection == "events":
        attributed = next(iter(account.event_attributions))
        return [attributed, account.events[0]["id"], account.events[-1]["id"]]
    if collection == "accounts":
        identifiers = [account.account["id"]]
    elif collection.endswith("-jobs") and "bulk" in collection:
        identifiers = list(account.jobs[collection.removesuffix("s")])
    else:
        identifiers = list(getattr(account, _COLLECTIONS.get(collection, collection.replace("-", "_"))))
    # Spread evenly, the first and the last among them.
    step = max(1, (len(identifiers) - 1) // (most - 1))
    return list(dict.fromkeys([*identifiers[::step], identifiers[-1]]))


def path(name: str, identifier: str) -> str:
    """The path of the operation with this id in it."""
    return re.sub(r"\{\w+\}", quote(identifier, safe=""), operation(name).path)
