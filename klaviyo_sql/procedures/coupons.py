"""Many codes of coupons at once."""

from __future__ import annotations

from dataclasses import replace

from klaviyo_sql.errors import DataError
from klaviyo_sql.model.procedure import Input, Procedure, Way
from klaviyo_sql.model.table import Table, Type
from klaviyo_sql.model.writing import Writes
from klaviyo_sql.tables import TABLES


def _codes() -> Table:
    codes = TABLES["coupon_codes"]
    assert codes.writes is not None  # noqa: S101 - codes are written
    assert codes.writes.insert_many is not None  # noqa: S101
    return replace(codes, name="bulk_create_coupon_codes", others=(), writes=Writes(insert_many=replace(codes.writes.insert_many, least=1)))


def _needs_coupon(row: dict[str, object]) -> dict[str, object]:
    if row.get("coupon_id") is None:
        raise DataError("each code needs its coupon: add coupon_id => '…'")
    return row


PROCEDURES = (
    Procedure(
        "bulk_create_coupon_codes",
        "Create many codes of a coupon in one job.",
        (
            Input(
                "codes",
                "A code, or a JSON array: of codes, or of objects with unique_code, expires_at, coupon_id.",
                required=True,
                names=("code", "coupon_codes", "unique_code"),
            ),
            Input("coupon_id", "The coupon, unless each code names its own."),
            Input("expires_at", "When they expire, unless each code tells.", Type.TIMESTAMP),
        ),
        (Way(_codes(), each="codes", column="unique_code", rule=_needs_coupon),),
        notes=("One request for each 1,000 codes.",),
        example='CALL bulk_create_coupon_codes(\'["SPRING-A1", "SPRING-B2"]\', (SELECT id FROM coupons LIMIT 1));',
    ),
)
