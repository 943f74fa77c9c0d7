"""Coupons and their codes, written one by one and in bulk."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account

from .conftest import Ask
from .described import hold_against
from .writes import document, refusal

MONITOR = "/data/attributes/monitor_configuration"


def _code(code: str, coupon: str = "NEW", **attributes: Any) -> dict[str, Any]:
    return document("coupon-code", {"unique_code": code, **attributes}, coupon={"type": "coupon", "id": coupon})


@pytest.fixture
def coupon(send: Ask) -> str:
    created = send("/api/coupons", document("coupon", {"external_id": "NEW", "monitor_configuration": {"low_balance_threshold": 100}}))
    assert created.status == 201
    hold_against("create_coupon", created.document)
    return str(created.document["data"]["id"])


def test_a_coupon_is_created_changed_and_deleted(send: Ask, fresh_account: Account, coupon: str) -> None:
    assert coupon == "NEW"
    expected = {"external_id": "NEW", "description": None, "monitor_configuration": {"low_balance_threshold": 100}}
    assert fresh_account.coupons[coupon]["attributes"] == expected
    changed = send(f"/api/coupons/{coupon}", document("coupon", {"description": "10 %", "monitor_configuration": None}, identifier=coupon), method="PATCH")
    assert changed.status == 200
    hold_against("update_coupon", changed.document)
    assert fresh_account.coupons[coupon]["attributes"] == {"external_id": "NEW", "description": "10 %", "monitor_configuration": None}
    assert send("/api/coupon-codes", _code("A")).status == 200
    assert send(f"/api/coupons/{coupon}", method="DELETE").status == 204
    assert send("/api/coupon-codes/NEW-A").status == 404
    assert "NEW-A" not in fresh_account.coupon_codes


@pytest.mark.parametrize(
    ("attributes", "status", "pointer"),
    [
        ({"external_id": "a-b"}, 400, "/data/attributes/external_id"),
        ({"external_id": ""}, 400, "/data/attributes/external_id"),
        ({"external_id": "Welcome"}, 409, "/data/attributes/external_id"),
        ({"external_id": "A", "monitor_configuration": {"low_balance_threshold": 99}}, 400, f"{MONITOR}/low_balance_threshold"),
        ({"external_id": "A", "monitor_configuration": {"low_balance_threshold": "many"}}, 400, f"{MONITOR}/low_balance_threshold"),
        ({"external_id": "A", "monitor_configuration": {"other": 100}}, 400, MONITOR),
        ({"description": "B"}, 400, "/data/attributes/external_id"),
    ],
)
def test_coupons_that_are_refused(send: Ask, fresh_account: Account, attributes: dict[str, Any], status: int, pointer: str) -> None:
    before = len(fresh_account.coupons)
    assert refusal(send("/api/coupons", document("coupon", attributes))) == (status, [pointer])
    assert len(fresh_account.coupons) == before


def test_what_a_coupon_cannot_become(send: Ask, coupon: str) -> None:
    threshold = document("coupon", {"monitor_configuration": {"low_balance_threshold": 5}}, identifier=coupon)
    assert refusal(send(f"/api/coupons/{coupon}", threshold, method="PATCH")) == (400, [f"{MONITOR}/low_balance_threshold"])
    renamed = document("coupon", {"external_id": "B"}, identifier=coupon)
    assert refusal(send(f"/api/coupons/{coupon}", renamed, method="PATCH")) == (400, ["/data/attributes/external_id"])
    assert refusal(send("/api/coupons/a-b", method="DELETE")) == (400, ["/data/id"])
    assert refusal(send("/api/coupons/ab", method="DELETE")) == (404, ["/data/"])


def test_a_code_is_created_changed_and_deleted(send: Ask, fresh_account: Account, coupon: str) -> None:
    created = send("/api/coupon-codes", _code("50% off"))
    assert created.status == 200
    hold_against("create_coupon_code", created.document)
    assert created.document["data"]["id"] == "NEW-50% off"
    code = fresh_account.coupon_codes["NEW-50% off"]
    assert code["attributes"] == {"unique_code": "50% off", "expires_at": "2027-11-20T13:00:00+00:00", "status": "UNASSIGNED"}
    assert (code["coupon_id"], code["profile_id"]) == (coupon, None)
    target = "/api/coupon-codes/NEW-50%25%20off"
    sent = {"status": "USED", "expires_at": "2026-12-01T12:00:00.5+02:00"}
    changed = send(target, document("coupon-code", sent, identifier="NEW-50% off"), method="PATCH")
    assert changed.status == 200
    hold_against("update_coupon_code", changed.document)
    assert fresh_account.coupon_codes["NEW-50% off"]["attributes"] == {
        "unique_code": "50% off",
        "expires_at": "2026-12-01T10:00:00+00:00",
        "status": "USED",
    }
    assert send(f"/api/coupons/{coupon}/coupon-codes").ids == ["NEW-50% off"]
    assert send(target, method="DELETE").status == 204
    assert send(target).status == 404


def test_codes_that_are_refused(send: Ask, fresh_account: Account, coupon: str) -> None:
    assert send("/api/coupon-codes", _code("A")).status == 200
    assert refusal(send("/api/coupon-codes", _code("A"))) == (409, ["/data/attributes/unique_code"])
    assert send("/api/coupon-codes", _code("A", "Welcome")).status == 200
    assert refusal(send("/api/coupon-codes", _code("A", "NOPE"))) == (404, ["/data/relationships/coupon/data/id"])
    assert refusal(send("/api/coupon-codes", _code(" "))) == (400, ["/data/attributes/unique_code"])
    assert refusal(send("/api/coupon-codes", _code("B", expires_at="tomorrow"))) == (400, ["/data/attributes/expires_at"])
    assert refusal(send("/api/coupon-codes", document("coupon-code", {"unique_code": "B"}))) == (400, ["/data/relationships"])
    empty = {"data": {"type": "coupon-code", "attributes": {"unique_code": "B"}, "relationships": {"coupon": {}}}}
    assert refusal(send("/api/coupon-codes", empty)) == (400, ["/data/relationships/coupon/data"])
    status = document("coupon-code", {"status": "LOST"}, identifier="NEW-A")
    assert refusal(send("/api/coupon-codes/NEW-A", status, method="PATCH")) == (400, ["/data/attributes/status"])
    renamed = document("coupon-code", {"unique_code": "B"}, identifier="NEW-A")
    assert refusal(send("/api/coupon-codes/NEW-A", renamed, method="PATCH")) == (400, ["/data/attributes/unique_code"])


def test_a_code_that_somebody_has_stays(send: Ask, fresh_account: Account) -> None:
    given = next(code for code in fresh_account.coupon_codes.values() if code["profile_id"] is not None and " " not in code["id"])
    assert refusal(send(f"/api/coupon-codes/{given['id']}", method="DELETE")) == (409, ["/data"])
    assert given["id"] in fresh_account.coupon_codes


def _job(codes: list[dict[str, Any]]) -> dict[str, Any]:
    return document("coupon-code-bulk-create-job", {"coupon-codes": {"data": [code["data"] for code in codes]}})


def test_codes_in_bulk(send: Ask, clock: SimulatedClock, fresh_account: Account, coupon: str) -> None:
    assert send("/api/coupon-codes", _code("C1")).status == 200
    created = send("/api/coupon-code-bulk-create-jobs", _job([_code("C0"), _code("C1"), _code("C2", "NOPE"), _code("C3", expires_at="2027-01-01T00:00:00Z")]))
    assert created.status == 202
    hold_against("bulk_create_coupon_codes", created.document)
    job = f"/api/coupon-code-bulk-create-jobs/{created.document['data']['id']}"
    assert send(job).document["data"]["attributes"]["status"] == "queued"
    clock.sleep(3)
    assert send(job).document["data"]["attributes"]["status"] == "processing"
    assert "NEW-C0" not in fresh_account.coupon_codes
    clock.sleep(8)
    done = send(job + "?include=coupon-codes").document
    attributes = done["data"]["attributes"]
    assert {name: attributes[name] for name in ("status", "total_count", "completed_count", "failed_count")} == {
        "status": "complete",
        "total_count": 4,
        "completed_count": 2,
        "failed_count": 2,
    }
    assert [error["source"]["pointer"] for error in attributes["errors"]] == [
        "/data/attributes/coupon-codes/data/1/attributes/unique_code",
        "/data/attributes/coupon-codes/data/2/relationships/coupon/data/id",
    ]
    assert [code["id"] for code in done["included"]] == ["NEW-C0", "NEW-C3"]
    assert fresh_account.coupon_codes["NEW-C3"]["attributes"]["expires_at"] == "2027-01-01T00:00:00+00:00"


def test_bulk_that_is_refused_as_a_whole(send: Ask, fresh_account: Account, coupon: str) -> None:
    target, place = "/api/coupon-code-bulk-create-jobs", "/data/attributes/coupon-codes/data"
    jobs = fresh_account.jobs["coupon-code-bulk-create-job"]
    before = len(jobs)
    assert refusal(send(target, _job([_code(f"C{number}") for number in range(1001)]))) == (400, [place])
    assert refusal(send(target, _job([]))) == (400, [place])
    wrong: list[dict[str, Any]] = [_code("C1"), document("coupon-code", {"unique_code": 5}, coupon={"type": "coupon", "id": coupon})]
    assert refusal(send(target, _job(wrong))) == (400, [f"{place}/1/attributes/unique_code"])
    assert len(jobs) == before
    running = sum(job["attributes"]["status"] in ("queued", "processing") for job in jobs.values())
    for number in range(100 - running):
        assert send(target, _job([_code(f"D{number}")])).status == 202
    assert refusal(send(target, _job([_code("E")]))) == (400, ["/data"])
