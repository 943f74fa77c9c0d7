"""Coupons and their codes."""

from __future__ import annotations

import re

from klaviyo_sql.sandbox.endpoints import Call, CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, own, pointing, stored
from klaviyo_sql.sandbox.problems import RefusedError, invalid

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


ENDPOINTS: dict[str, Endpoint] = {
    "get_coupons": CollectionEndpoint("coupon", everything("coupons")),
    "get_coupon": ResourceEndpoint("coupon"),
    "get_coupon_codes": CollectionEndpoint("coupon-code", everything("coupon_codes"), check=_check_owner),
    "get_coupon_code": ResourceEndpoint("coupon-code"),
}
