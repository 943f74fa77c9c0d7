"""Push tokens, and who waits for what is not in stock."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account

from .conftest import Answer, Ask
from .described import hold_against
from .writes import document, refusal


def _token(send: Ask, profile: dict[str, Any], identifier: str | None = None, **attributes: Any) -> Answer:
    given = {"token": "abc", "platform": "ios", "vendor": "apns", **attributes, "profile": document("profile", profile, identifier=identifier)}
    return send("/api/push-tokens", document("push-token", given))


def test_a_token_is_created_then_moved_then_deleted(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    before = set(fresh_account.push_tokens)
    device = {"device_model": "iPhone17,1", "environment": "release"}
    assert _token(send, {"email": "new@example.com", "first_name": "New"}, device_metadata=device) == (202, {}, None)
    assert set(fresh_account.push_tokens) == before
    clock.sleep(6)
    (profile_id,) = send('/api/profiles?filter=equals(email,"new@example.com")').ids
    (token_id,) = set(fresh_account.push_tokens) - before
    answer = send(f"/api/push-tokens/{token_id}")
    hold_against("get_push_token", answer.document)
    assert answer.document["data"]["attributes"] == {
        "created": "2026-11-20T13:00:00+00:00",
        "token": "abc",
        "enablement_status": "AUTHORIZED",
        "platform": "ios",
        "vendor": "apns",
        "background": "AVAILABLE",
        "recorded_date": "2026-11-20T13:00:00+00:00",
        "metadata": device,
    }
    assert send(f"/api/profiles/{profile_id}/push-tokens").ids == [token_id]
    other = send("/api/profiles", document("profile", {"email": "other@example.com"})).document["data"]["id"]
    assert _token(send, {}, other, enablement_status="DENIED").status == 202
    clock.sleep(6)
    assert send(f"/api/profiles/{profile_id}/push-tokens").ids == []
    (moved,) = send(f"/api/profiles/{other}/push-tokens").document["data"]
    assert (moved["id"], moved["attributes"]["enablement_status"]) == (token_id, "DENIED")
    assert (moved["attributes"]["created"], moved["attributes"]["recorded_date"]) == ("2026-11-20T13:00:00+00:00", "2026-11-20T13:00:06+00:00")
    assert send(f"/api/push-tokens/{token_id}", method="DELETE") == (204, {}, None)
    assert set(fresh_account.push_tokens) == before
    assert refusal(send(f"/api/push-tokens/{token_id}", method="DELETE")) == (404, ["/data/"])


PROFILE = "/data/attributes/profile/data"


@pytest.mark.parametrize(
    ("profile", "identifier", "attributes", "refused"),
    [
        ({}, None, {}, (400, [f"{PROFILE}/attributes"])),
        ({"email": "bad"}, None, {}, (400, [f"{PROFILE}/attributes/email"])),
        ({}, "NOBODY", {}, (404, [f"{PROFILE}/id"])),
        ({"email": "a@example.com"}, None, {"platform": "windows"}, (400, ["/data/attributes/platform"])),
        ({"email": "a@example.com"}, None, {"device_metadata": {"environment": "test"}}, (400, ["/data/attributes/device_metadata/environment"])),
    ],
)
def test_bad_tokens(
    send: Ask,
    clock: SimulatedClock,
    fresh_account: Account,
    profile: dict[str, Any],
    identifier: str | None,
    attributes: dict[str, Any],
    refused: tuple[int, list[str]],
) -> None:
    before = set(fresh_account.push_tokens)
    assert refusal(_token(send, profile, identifier, **attributes)) == refused
    clock.sleep(6)
    send("/api/accounts")
    assert set(fresh_account.push_tokens) == before


def _waiting(send: Ask, variant_id: str, channels: list[str], profile: dict[str, Any] | None, identifier: str | None = None) -> Answer:
    attributes: dict[str, Any] = {"channels": channels}
    if profile is not None:
        attributes["profile"] = document("profile", profile, identifier=identifier)
    variant = {"type": "catalog-variant", "id": variant_id}
    return send("/api/back-in-stock-subscriptions", document("back-in-stock-subscription", attributes, variant=variant))


def test_somebody_waits_for_a_variant(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    variant_id = next(iter(fresh_account.catalog_variants))
    assert _waiting(send, variant_id, ["EMAIL", "PUSH"], {"email": "new@example.com"}) == (202, {}, None)
    assert fresh_account.back_in_stock == []
    clock.sleep(6)
    (profile_id,) = send('/api/profiles?filter=equals(email,"new@example.com")').ids
    assert fresh_account.back_in_stock == [{"profile_id": profile_id, "variant_id": variant_id, "channels": ["EMAIL", "PUSH"]}]
    assert _waiting(send, variant_id, ["EMAIL"], {}, profile_id).status == 202


@pytest.mark.parametrize(
    ("variant", "channels", "profile", "refused"),
    [
        (False, ["EMAIL"], {"email": "a@example.com"}, (404, ["/data/relationships/variant/data/id"])),
        (True, [], {"email": "a@example.com"}, (400, ["/data/attributes/channels"])),
        (True, ["FAX"], {"email": "a@example.com"}, (400, ["/data/attributes/channels/0"])),
        (True, ["EMAIL"], None, (400, ["/data/attributes/profile"])),
        (True, ["EMAIL"], {}, (400, [f"{PROFILE}/attributes"])),
        (True, ["EMAIL", "SMS"], {"email": "a@example.com"}, (400, [f"{PROFILE}/attributes/phone_number"])),
        (True, ["EMAIL"], {"external_id": "1"}, (400, [f"{PROFILE}/attributes/email"])),
    ],
)
def test_bad_waiting(
    send: Ask,
    clock: SimulatedClock,
    fresh_account: Account,
    variant: bool,
    channels: list[str],
    profile: dict[str, Any] | None,
    refused: tuple[int, list[str]],
) -> None:
    variant_id = next(iter(fresh_account.catalog_variants)) if variant else "$custom:::$default:::nothing"
    assert refusal(_waiting(send, variant_id, channels, profile)) == refused
    clock.sleep(6)
    send("/api/accounts")
    assert fresh_account.back_in_stock == []
