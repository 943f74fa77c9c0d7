"""Coupons and their codes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from klaviyo_sql.sandbox.account import Resource
from klaviyo_sql.sandbox.bulk_jobs import BulkJobEndpoint, creating, room_for
from klaviyo_sql.sandbox.endpoints import Call, CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, own, pointing, stored
from klaviyo_sql.sandbox.problems import RefusedError, conflict, invalid
from klaviyo_sql.sandbox.writing import Attributes, CreateEndpoint, DeleteEndpoint, PatchEndpoint, Write, refuse_blank, to_the_second

_COUPON_ID = re.compile(r"[0-9_A-z]+", re.ASCII)

KINDS = {
    "coupon": Kind(
        "coupon",
        "/api/coupons",
        stored("coupons"),
        "A coupon with the given identifier '{id}' does not exist.",
        relations=(Relation("coupon-codes", "coupon-code", pointing("coupon_codes", "coupon_id"), shown="never"),),
        valid_id=lambda identifier: _COUPON_ID.fullmatch(identifier) is not None,
        malformed="'{id}' is not a valid coupon id.",
    ),
    "coupon-code": Kind(
        "coupon-code",
        "/api/coupon-codes",
        stored("coupon_codes"),
        "A coupon code with given identifier '{id}' does not exist.",
        relations=(
            Relation("coupon", "coupon", own("coupon_id"), many=False),
            Relation("profile", "profile elsewhere", own("profile_id"), many=False),
        ),
        readers={"coupon.id": own("coupon_id"), "profile.id": own("profile_id")},
    ),
}


def _check_owner(call: Call) -> None:
    if not any(clause.field in ("coupon.id", "profile.id") for clause in call.query.clauses):
        raise RefusedError(invalid("A filter on coupon.id or profile.id is required to list coupon codes.", parameter="filter"))


MOST_CODES = 1000
MOST_JOBS = 100
_SMALLEST_THRESHOLD = 100
_VALID_FOR = timedelta(days=365)


def _check_coupon(write: Write) -> None:
    external_id = write.attributes["external_id"]
    if _COUPON_ID.fullmatch(external_id) is None:
        detail = f"'external_id' must match regex '^[0-9_A-z]+$' ({external_id!r} doesn't)"
        raise RefusedError(invalid(detail, pointer="/data/attributes/external_id"))
    if external_id in write.account.coupons:
        raise RefusedError(conflict(f"A coupon with the external id '{external_id}' already exists.", pointer="/data/attributes/external_id"))
    _check_monitor(write)


def _check_monitor(write: Write, coupon: Resource | None = None) -> None:
    """The threshold is recorded as a string of digits."""
    pointer = "/data/attributes/monitor_configuration"
    monitor = write.attributes.get("monitor_configuration")
    if not monitor:
        return
    if set(monitor) != {"low_balance_threshold"}:
        raise RefusedError(invalid("Only 'low_balance_threshold' can be monitored.", pointer=pointer))
    threshold: Any = monitor["low_balance_threshold"]
    number = int(threshold) if isinstance(threshold, str) and threshold.isdecimal() else threshold
    if not isinstance(number, int) or isinstance(number, bool) or number < _SMALLEST_THRESHOLD:
        raise RefusedError(invalid(f"This must be an integer of at least {_SMALLEST_THRESHOLD}.", pointer=f"{pointer}/low_balance_threshold"))


def _forget_codes(call: Call, coupon: Resource) -> None:
    codes = call.account.coupon_codes
    for identifier in [code["id"] for code in codes.values() if code["coupon_id"] == coupon["id"]]:
        del codes[identifier]


def _code_id(write: Write) -> str:
    return f"{write.the_one('coupon')}-{write.attributes['unique_code']}"


def _check_code(write: Write) -> None:
    refuse_blank(write.attributes, "unique_code")
    write.require("coupon", write.the_one("coupon"), "/data/relationships/coupon/data/id")
    if _code_id(write) in write.account.coupon_codes:
        detail = f"The coupon has a code '{write.attributes['unique_code']}' already."
        raise RefusedError(conflict(detail, pointer="/data/attributes/unique_code"))


def _complete_code(write: Write, code: Resource) -> None:
    code["coupon_id"], code["profile_id"] = write.the_one("coupon"), None
    _set_expiry(write, code["attributes"])


def _set_expiry(write: Write, attributes: Attributes) -> None:
    """Null, as nothing at all, is a year from now."""
    sent = write.attributes.get("expires_at")
    moment = datetime.fromisoformat(sent) if sent is not None else write.call.now + _VALID_FOR
    attributes["expires_at"] = to_the_second(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _patch_code(write: Write, code: Resource, attributes: Attributes) -> None:
    if "expires_at" in write.attributes:
        _set_expiry(write, attributes)
    if attributes["status"] is None:
        raise RefusedError(invalid("This may not be null.", pointer="/data/attributes/status"))


def _keep_assigned(call: Call, code: Resource) -> None:
    if code["profile_id"] is not None:
        raise RefusedError(conflict(f"The coupon code '{code['id']}' is assigned to a profile and cannot be deleted."))


_CREATE_CODE = CreateEndpoint(
    "coupon-code",
    "coupon_codes",
    _code_id,
    defaults={"expires_at": None, "status": "UNASSIGNED"},
    check=_check_code,
    complete=_complete_code,
)
_JOB = "coupon-code-bulk-create-job"

ENDPOINTS: dict[str, Endpoint] = {
    "get_coupons": CollectionEndpoint("coupon", everything("coupons")),
    "get_coupon": ResourceEndpoint("coupon"),
    "get_coupon_codes": CollectionEndpoint("coupon-code", everything("coupon_codes"), check=_check_owner),
    "get_coupon_code": ResourceEndpoint("coupon-code"),
    "create_coupon": CreateEndpoint(
        "coupon",
        "coupons",
        lambda write: str(write.attributes["external_id"]),
        defaults={"description": None, "monitor_configuration": None},
        check=_check_coupon,
    ),
    "update_coupon": PatchEndpoint("coupon", check=_check_monitor),
    "delete_coupon": DeleteEndpoint("coupon", "coupons", after=_forget_codes),
    "create_coupon_code": _CREATE_CODE,
    "update_coupon_code": PatchEndpoint("coupon-code", apply=_patch_code),
    "delete_coupon_code": DeleteEndpoint("coupon-code", "coupon_codes", check=_keep_assigned),
    "bulk_create_coupon_codes": BulkJobEndpoint(_JOB, "coupon-codes", MOST_CODES, creating(_CREATE_CODE), check=room_for((_JOB,), MOST_JOBS)),
}
