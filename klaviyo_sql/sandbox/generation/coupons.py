"""Coupons with their codes: given to profiles, used, expired, never given."""

from __future__ import annotations

from random import Random

from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.generation.moments import seconds_text

_DAY = 86_400
_COUPONS = (("SUMMER_10", '10% off, "everything"', 230), ("Welcome", None, 40), ("welcome", "", 12), ("EXPIRED_2024", "Gone", 9), ("NO_CODES_YET", "Ünused", 0))
"""Each with its description and the number of its codes: the first has more than two pages of a hundred."""

_STATUSES = ("UNASSIGNED", "ASSIGNED_TO_PROFILE", "USED", "UNASSIGNED", "ASSIGNED_TO_PROFILE", "PROCESSING", "UNASSIGNED", "VERSION_NOT_ACTIVE")
_GIVEN = frozenset(("ASSIGNED_TO_PROFILE", "USED"))


def make_coupons(random: Random, account: Account, start: int, end: int) -> None:
    """The same code can belong to two coupons; one profile has several."""
    profile_ids = list(account.profiles)
    for position, (external_id, description, count) in enumerate(_COUPONS):
        monitored = {"low_balance_threshold": 100} if position == 0 else None
        attributes = {"external_id": external_id, "description": description, "monitor_configuration": monitored}
        account.coupons[external_id] = {"type": "coupon", "id": external_id, "attributes": attributes}
        for number in range(count):
            code = f"CODE-{number:04d}" if number % 10 else f"code {number} 50%"
            status = _STATUSES[number % len(_STATUSES)]
            expires = start + random.randrange(_DAY) if external_id.startswith("EXPIRED") else end + random.randrange(-100 * _DAY, 365 * _DAY)
            given = status in _GIVEN and profile_ids
            identifier = f"{external_id}-{code}"
            account.coupon_codes[identifier] = {
                "type": "coupon-code",
                "id": identifier,
                "attributes": {"unique_code": code, "expires_at": None if number % 17 == 16 else seconds_text(expires), "status": status},
                "coupon_id": external_id,
                "profile_id": (profile_ids[0] if number % 5 == 1 else random.choice(profile_ids)) if given else None,
            }
