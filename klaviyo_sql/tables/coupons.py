"""coupons and their codes."""

from __future__ import annotations

from klaviyo_sql.model.table import Argument, Collection, Example, Filter, Parent, Related, Table
from klaviyo_sql.tables.columns import json, linked, own_id, text, time

COUPONS = Table(
    name="coupons",
    doc="The coupons, one row each.",
    # The list has no filter and no order; an id with other characters than letters, digits and _ is answered with 400.
    source=Collection(resource="coupon", list="get_coupons", get="get_coupon", most_gets=1, absent_statuses=frozenset({400, 404})),
    key=("id",),
    typical_rows=30,
    columns=(
        own_id("The coupon's id, which is its external id.", filter=None),
        text("external_id", "The id of the coupon in your own system."),
        text("description", "What the coupon is for."),
        json("monitor_configuration", "When Klaviyo warns that codes run out, as JSON."),
    ),
    examples=(
        Example("Which coupons are there?", "SELECT id, description FROM coupons ORDER BY id"),
        Example("Which are watched?", "SELECT id, monitor_configuration FROM coupons LIMIT 10"),
        Example("How many codes has each?", "SELECT coupon_id, count(*) AS codes FROM coupon_codes GROUP BY coupon_id"),
    ),
)

COUPON_CODES = Table(
    name="coupon_codes",
    doc="The codes of coupons, one row each.",
    source=Collection(
        resource="coupon-code",
        list="get_coupon_codes",
        get="get_coupon_code",
        most_gets=20,
        parent=Parent("coupons", "coupon_id", filter="coupon.id", instead=("profile.id",)),
    ),
    key=("id",),
    typical_rows=20_000,
    columns=(
        own_id("The code's id.", filter=None),
        linked("coupon_id", Related("coupon", "coupon"), "The coupon's id.", Filter("coupon.id", exact=True)),
        linked(
            "profile_id",
            Argument(),
            "The id of a profile: give it to find the codes that are assigned to it; NULL when it is not given.",
            Filter("profile.id", exact=True),
            hidden=True,
        ),
        text("unique_code", "The code that people enter."),
        text("status", "How far the code is: UNASSIGNED, ASSIGNED_TO_PROFILE, USED, PROCESSING, DELETING or VERSION_NOT_ACTIVE.", filter="status"),
        time("expires_at", "When the code ends.", filter="expires_at"),
    ),
    notes=("Klaviyo lists the codes of given coupons or profiles only: without either the coupons are read first, and a hundred asked for at once.",),
    examples=(
        Example("How many codes are left?", "SELECT coupon_id, count(*) AS codes FROM coupon_codes WHERE status = 'UNASSIGNED' GROUP BY coupon_id"),
        Example(
            "Which codes has one coupon?",
            "SELECT unique_code, status, expires_at FROM coupon_codes WHERE coupon_id = (SELECT coupon_id FROM coupon_codes LIMIT 1)",
        ),
        Example("How far are they?", "SELECT status, count(*) AS codes FROM coupon_codes GROUP BY status"),
    ),
)
