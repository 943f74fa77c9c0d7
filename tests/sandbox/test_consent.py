"""Suppressions and subscriptions: what is refused, and whose consent is what afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account

from .conftest import Answer, Ask
from .described import hold_against
from .writes import document, linkage, refusal

NOW = "2026-11-20T13:00:00.000000+00:00"
PLACE = "/data/attributes/profiles/data"
SUPPRESS, UNSUPPRESS = "profile-suppression-bulk-create-job", "profile-suppression-bulk-delete-job"
SUBSCRIBE, UNSUBSCRIBE = "profile-subscription-bulk-create-job", "profile-subscription-bulk-delete-job"
EMAIL: dict[str, Any] = {"email": {"marketing": {"consent": "SUBSCRIBED"}}}
NO_EMAIL: dict[str, Any] = {"email": {"marketing": {"consent": "UNSUBSCRIBED"}}}


@pytest.fixture
def person(send: Ask) -> str:
    """A profile that was never asked."""
    identifier: str = send("/api/profiles", document("profile", {"email": "ada@example.com", "phone_number": "+12025550100"})).document["data"]["id"]
    return identifier


@pytest.fixture
def list_id(send: Ask) -> str:
    """A list without members."""
    identifier: str = send("/api/lists", document("list", {"name": "A"})).document["data"]["id"]
    return identifier


def _suppression(send: Ask, kind: str, *emails: str, **relationships: Any) -> Answer:
    rows = {"profiles": {"data": [{"type": "profile", "attributes": {"email": email}} for email in emails]}} if emails else {}
    return send(f"/api/{kind}s", document(kind, rows, **relationships))


def _subscription(send: Ask, kind: str, *people: dict[str, Any], list_id: str | None = None, **attributes: Any) -> Answer:
    relationships = {"list": {"type": "list", "id": list_id}} if list_id else {}
    rows = [{"type": "profile", "attributes": person} for person in people]
    return send(f"/api/{kind}s", document(kind, {"profiles": {"data": rows}, **attributes}, **relationships))


def _marketing(account: Account, profile_id: str, channel: str = "email") -> dict[str, Any]:
    found: dict[str, Any] = account.profiles[profile_id]["attributes"]["subscriptions"][channel]["marketing"]
    return found


def _settled(send: Ask, clock: SimulatedClock) -> None:
    clock.sleep(11)
    send("/api/accounts")


def test_a_suppression_and_its_end(send: Ask, clock: SimulatedClock, fresh_account: Account, person: str) -> None:
    updated = fresh_account.profiles[person]["attributes"]["updated"]
    created = _suppression(send, SUPPRESS, "ADA@example.com", "new@example.com", "ada@example.com")
    assert created.status == 202
    hold_against("bulk_suppress_profiles", created.document)
    # As recorded: it says that it is processing, when it was completed, and nothing else.
    assert created.document["data"]["attributes"] == {
        "status": "processing",
        "created_at": NOW,
        "total_count": 0,
        "completed_count": 0,
        "completed_at": NOW,
        "skipped_count": 0,
    }
    assert _marketing(fresh_account, person)["suppression"] == []
    clock.sleep(11)
    target = f"/api/{SUPPRESS}s/{created.document['data']['id']}"
    done = send(target)
    hold_against("get_bulk_suppress_profiles_job", done.document)
    assert done.document["data"]["attributes"].items() >= {"status": "complete", "total_count": 2, "completed_count": 2, "skipped_count": 0}.items()
    marketing = _marketing(fresh_account, person)
    assert marketing["suppression"] == [{"reason": "USER_SUPPRESSED", "timestamp": NOW}]
    assert (marketing["can_receive_email_marketing"], marketing["consent"]) == (False, "NEVER_SUBSCRIBED")
    assert fresh_account.profiles[person]["attributes"]["updated"] == updated
    (made,) = send('/api/profiles?filter=equals(email,"new@example.com")').ids
    assert _marketing(fresh_account, made)["suppression"] == [{"reason": "USER_SUPPRESSED", "timestamp": NOW}]
    since = "/api/profiles?filter=greater-or-equal(subscriptions.email.marketing.suppression.timestamp,2026-11-20T13:00:00Z)"
    assert set(send(since).ids) >= {person, made}

    again = _suppression(send, SUPPRESS, "ada@example.com")
    clock.sleep(11)
    counts = send(f"/api/{SUPPRESS}s/{again.document['data']['id']}").document["data"]["attributes"]
    assert (counts["total_count"], counts["completed_count"], counts["skipped_count"]) == (1, 0, 1)

    lifted = _suppression(send, UNSUPPRESS, "ada@example.com", "never@example.com")
    hold_against("bulk_unsuppress_profiles", lifted.document)
    clock.sleep(11)
    counts = send(f"/api/{UNSUPPRESS}s/{lifted.document['data']['id']}").document["data"]["attributes"]
    assert (counts["status"], counts["total_count"], counts["completed_count"], counts["skipped_count"]) == ("complete", 2, 1, 1)
    marketing = _marketing(fresh_account, person)
    assert (marketing["suppression"], marketing["can_receive_email_marketing"]) == ([], True)
    assert not send('/api/profiles?filter=equals(email,"never@example.com")').ids


def test_only_manual_suppressions_are_lifted(send: Ask, clock: SimulatedClock, fresh_account: Account, person: str) -> None:
    bounce = {"reason": "HARD_BOUNCE", "timestamp": NOW}
    _marketing(fresh_account, person)["suppression"] = [bounce, {"reason": "USER_SUPPRESSED", "timestamp": NOW}]
    _suppression(send, UNSUPPRESS, "ada@example.com")
    _settled(send, clock)
    marketing = _marketing(fresh_account, person)
    assert (marketing["suppression"], marketing["can_receive_email_marketing"]) == ([bounce], False)


@pytest.mark.parametrize("group", ["list", "segment"])
def test_members_are_suppressed(send: Ask, clock: SimulatedClock, fresh_account: Account, group: str) -> None:
    groups = fresh_account.list_members if group == "list" else fresh_account.segment_members
    group_id = max(groups, key=lambda identifier: len(groups[identifier]))
    members = [identifier for identifier in groups[group_id] if fresh_account.profiles[identifier]["attributes"]["email"]]
    created = _suppression(send, SUPPRESS, **{group: {"type": group, "id": group_id}})
    clock.sleep(11)
    done = send(f"/api/{SUPPRESS}s/{created.document['data']['id']}").document["data"]
    assert done["attributes"]["total_count"] == len(members) > 0
    assert done["relationships"][f"{group}s"]["data"] == linkage(group, [group_id])
    assert all(not _marketing(fresh_account, identifier)["can_receive_email_marketing"] for identifier in members)


@pytest.mark.parametrize("kind", [SUPPRESS, UNSUPPRESS])
def test_bad_suppressions(send: Ask, fresh_account: Account, kind: str) -> None:
    list_, segment = {"type": "list", "id": next(iter(fresh_account.lists))}, {"type": "segment", "id": next(iter(fresh_account.segments))}
    jobs = set(fresh_account.jobs[kind])
    assert refusal(_suppression(send, kind)) == (400, ["/data"])
    assert refusal(_suppression(send, kind, "a@example.com", list=list_)) == (400, ["/data"])
    assert refusal(_suppression(send, kind, list=list_, segment=segment)) == (400, ["/data"])
    assert refusal(_suppression(send, kind, *[f"p{number}@example.com" for number in range(101)])) == (400, [PLACE])
    assert refusal(_suppression(send, kind, "a@example.com", "bad")) == (400, [f"{PLACE}/1/attributes/email"])
    assert refusal(_suppression(send, kind, list={"type": "list", "id": "NOPE01"})) == (404, ["/data/relationships/list/data/id"])
    assert refusal(_suppression(send, kind, segment={"type": "segment", "id": "NOPE01"})) == (404, ["/data/relationships/segment/data/id"])
    assert refusal(send(f"/api/{kind}s", document(kind, {"profiles": {"data": []}}))) == (400, [PLACE])
    assert set(fresh_account.jobs[kind]) == jobs


def test_a_subscription_with_a_list(send: Ask, clock: SimulatedClock, fresh_account: Account, person: str, list_id: str) -> None:
    old = [{"reason": reason, "timestamp": NOW} for reason in ("UNSUBSCRIBE", "SPAM_COMPLAINT", "USER_SUPPRESSED", "HARD_BOUNCE")]
    _marketing(fresh_account, person)["suppression"] = old
    sms = {"marketing": {"consent": "SUBSCRIBED"}}
    known = {"email": "Ada@example.com", "phone_number": "+12025550100", "subscriptions": {**EMAIL, "sms": sms}}
    new = {"email": "new@example.com", "subscriptions": EMAIL}
    assert _subscription(send, SUBSCRIBE, known, new, list_id=list_id, custom_source="Fair") == (202, {}, None)
    assert fresh_account.list_members.get(list_id, {}) == {}
    clock.sleep(6)
    (made,) = send('/api/profiles?filter=equals(email,"new@example.com")').ids
    assert set(fresh_account.list_members[list_id]) == {person, made}
    marketing = _marketing(fresh_account, person)
    assert marketing["suppression"] == old[-1:]
    assert marketing["can_receive_email_marketing"] is False
    given = {"consent": "SUBSCRIBED", "consent_timestamp": NOW, "method": "API", "custom_method_detail": "Fair", "double_optin": False}
    assert marketing.items() >= given.items()
    assert _marketing(fresh_account, made).items() >= {**given, "can_receive_email_marketing": True}.items()
    assert _marketing(fresh_account, person, "sms").items() >= {"consent": "SUBSCRIBED", "can_receive_sms_marketing": True, "consent_timestamp": NOW}.items()
    assert _marketing(fresh_account, made, "sms")["consent"] == "NEVER_SUBSCRIBED"
    answer = send(f"/api/profiles/{person}?additional-fields[profile]=subscriptions")
    hold_against("get_profile", answer.document)


def test_without_a_list_only_who_is_known_is_subscribed(send: Ask, clock: SimulatedClock, fresh_account: Account, person: str) -> None:
    assert (
        _subscription(send, SUBSCRIBE, {"email": "ada@example.com", "subscriptions": EMAIL}, {"email": "new@example.com", "subscriptions": EMAIL}).status == 202
    )
    _settled(send, clock)
    assert _marketing(fresh_account, person)["consent"] == "SUBSCRIBED"
    assert send('/api/profiles?filter=equals(email,"new@example.com")').ids == []


@pytest.mark.parametrize("by", ["list", "account"])
def test_a_double_opt_in_waits(send: Ask, clock: SimulatedClock, fresh_account: Account, person: str, list_id: str, by: str) -> None:
    if by == "list":
        fresh_account.lists[list_id]["attributes"]["opt_in_process"] = "double_opt_in"
    else:
        fresh_account.opt_in_process = "double_opt_in"
    assert _subscription(send, SUBSCRIBE, {"email": "ada@example.com", "subscriptions": EMAIL}, list_id=list_id if by == "list" else None).status == 202
    _settled(send, clock)
    assert _marketing(fresh_account, person)["consent"] == "NEVER_SUBSCRIBED"
    assert person not in fresh_account.list_members.get(list_id, {})


def test_a_historical_import_does_not_wait(send: Ask, clock: SimulatedClock, fresh_account: Account, list_id: str) -> None:
    fresh_account.lists[list_id]["attributes"]["opt_in_process"] = "double_opt_in"
    fresh_account.opt_in_process = "double_opt_in"
    subscriptions = {"email": {"marketing": {"consent": "SUBSCRIBED", "consented_at": "2020-02-03T04:05:06+01:00"}}}
    for email, where in (("one@example.com", list_id), ("two@example.com", None)):
        person = {"email": email, "subscriptions": subscriptions}
        assert _subscription(send, SUBSCRIBE, person, list_id=where, historical_import=True).status == 202
    _settled(send, clock)
    (one,), (two,) = (send(f'/api/profiles?filter=equals(email,"{name}@example.com")').ids for name in ("one", "two"))
    assert set(fresh_account.list_members[list_id]) == {one}
    for profile_id in (one, two):
        assert _marketing(fresh_account, profile_id)["consent_timestamp"] == "2020-02-03T03:05:06.000000+00:00"


def test_every_channel(send: Ask, clock: SimulatedClock, fresh_account: Account, person: str, list_id: str) -> None:
    token = {"token": "t1", "platform": "ios", "vendor": "apns"}
    consent = {"consent": "SUBSCRIBED"}
    subscriptions = {
        "email": {"marketing": consent, "open_tracking": consent},
        "sms": {"marketing": consent, "transactional": consent},
        "whatsapp": {"marketing": consent, "transactional": consent},
        "push": {"marketing": consent, "tokens": [token]},
    }
    who = {"email": "ada@example.com", "phone_number": "+12025550100"}
    assert _subscription(send, SUBSCRIBE, {**who, "subscriptions": subscriptions}, list_id=list_id).status == 202
    _settled(send, clock)
    answer = send(f"/api/profiles/{person}?additional-fields[profile]=subscriptions")
    hold_against("get_profile", answer.document)
    found = answer.document["data"]["attributes"]["subscriptions"]
    kinds = [("email", "open_tracking"), ("sms", "transactional"), ("whatsapp", "marketing"), ("whatsapp", "transactional"), ("mobile_push", "marketing")]
    assert {found[channel][kind]["consent"] for channel, kind in kinds} == {"SUBSCRIBED"}
    assert [token["attributes"]["token"] for token in fresh_account.push_tokens.values() if token["profile_id"] == person] == ["t1"]

    gone = {"consent": "UNSUBSCRIBED"}
    subscriptions = {
        "email": {"open_tracking": gone},
        "sms": {"transactional": gone},
        "whatsapp": {"marketing": gone, "transactional": gone, "conversational": gone},
        "push": {"marketing": gone, "tokens": [token]},
    }
    assert _subscription(send, UNSUBSCRIBE, {**who, "subscriptions": subscriptions}).status == 202
    _settled(send, clock)
    answer = send(f"/api/profiles/{person}?additional-fields[profile]=subscriptions")
    hold_against("get_profile", answer.document)
    found = answer.document["data"]["attributes"]["subscriptions"]
    assert {found[channel][kind]["consent"] for channel, kind in [*kinds, ("whatsapp", "conversational")]} == {"UNSUBSCRIBED"}
    assert (found["email"]["marketing"]["consent"], found["sms"]["marketing"]["consent"]) == ("SUBSCRIBED", "SUBSCRIBED")
    assert all(token["profile_id"] != person for token in fresh_account.push_tokens.values())


def test_who_is_not_on_the_list_is_unsubscribed_from_everything(send: Ask, clock: SimulatedClock, fresh_account: Account, person: str, list_id: str) -> None:
    other = send("/api/profiles", document("profile", {"email": "other@example.com"})).document["data"]["id"]
    assert _subscription(send, SUBSCRIBE, {"email": "ada@example.com", "subscriptions": EMAIL}, list_id=list_id).status == 202
    _settled(send, clock)
    rows = [{"email": f"{name}@example.com", "subscriptions": NO_EMAIL} for name in ("ada", "other", "never-seen")]
    assert _subscription(send, UNSUBSCRIBE, *rows, list_id=list_id) == (202, {}, None)
    _settled(send, clock)
    member, stranger = _marketing(fresh_account, person), _marketing(fresh_account, other)
    assert (member["consent"], member["suppression"], member["can_receive_email_marketing"]) == ("SUBSCRIBED", [], True)
    assert [(entry["list_id"], entry["reason"]) for entry in member["list_suppressions"]] == [(list_id, "UNSUBSCRIBE")]
    assert fresh_account.list_members[list_id] == {}
    assert (stranger["consent"], stranger["can_receive_email_marketing"]) == ("UNSUBSCRIBED", False)
    assert [entry["reason"] for entry in stranger["suppression"]] == ["UNSUBSCRIBE"]
    assert send('/api/profiles?filter=equals(email,"never-seen@example.com")').ids == []


ROW = f"{PLACE}/0/attributes"


@pytest.mark.parametrize(
    ("person", "pointer"),
    [
        ({"subscriptions": EMAIL}, [ROW, f"{ROW}/email"]),
        ({"email": "bad", "subscriptions": EMAIL}, [f"{ROW}/email"]),
        ({"email": "a@example.com", "phone_number": "1", "subscriptions": EMAIL}, [f"{ROW}/phone_number"]),
        ({"email": "a@example.com"}, [f"{ROW}/subscriptions"]),
        ({"email": "a@example.com", "subscriptions": {}}, [f"{ROW}/subscriptions"]),
        ({"email": "a@example.com", "subscriptions": {"email": {"marketing": {"consent": "YES"}}}}, [f"{ROW}/subscriptions/email/marketing/consent"]),
        ({"email": "a@example.com", "subscriptions": {"sms": {"marketing": {"consent": "SUBSCRIBED"}}}}, [f"{ROW}/phone_number"]),
        ({"phone_number": "+12025550100", "subscriptions": EMAIL}, [f"{ROW}/email"]),
        (
            {"email": "a@example.com", "subscriptions": {"email": {"marketing": {"consent": "SUBSCRIBED", "consented_at": "2020-01-01T00:00:00Z"}}}},
            [f"{ROW}/subscriptions/email/marketing/consented_at"],
        ),
    ],
)
def test_bad_subscriptions(send: Ask, person: dict[str, Any], pointer: list[str]) -> None:
    assert refusal(_subscription(send, SUBSCRIBE, person)) == (400, pointer)


@pytest.mark.parametrize("consented_at", [None, "2026-11-20T13:00:01Z"])
def test_a_historical_import_needs_a_time_in_the_past(send: Ask, consented_at: str | None) -> None:
    person = {"email": "a@example.com", "subscriptions": {"email": {"marketing": {"consent": "SUBSCRIBED", "consented_at": consented_at}}}}
    assert refusal(_subscription(send, SUBSCRIBE, person, historical_import=True)) == (400, [f"{ROW}/subscriptions/email/marketing/consented_at"])


def test_not_too_many_and_no_unknown_lists(send: Ask) -> None:
    person = {"email": "a@example.com", "subscriptions": EMAIL}
    stranger = {"email": "a@example.com", "subscriptions": NO_EMAIL}
    assert refusal(_subscription(send, SUBSCRIBE, *[person] * 1001)) == (400, [PLACE])
    assert refusal(_subscription(send, UNSUBSCRIBE, *[stranger] * 101)) == (400, [PLACE])
    assert refusal(_subscription(send, SUBSCRIBE)) == (400, [PLACE])
    for kind, row in ((SUBSCRIBE, person), (UNSUBSCRIBE, stranger)):
        assert refusal(_subscription(send, kind, row, list_id="NOPE01")) == (404, ["/data/relationships/list/data/id"])


def test_by_id_and_by_phone_number(send: Ask, clock: SimulatedClock, fresh_account: Account, list_id: str) -> None:
    sms = {"sms": {"marketing": {"consent": "SUBSCRIBED"}}}
    first = send("/api/profiles", document("profile", {"email": "first@example.com"})).document["data"]["id"]
    second = send("/api/profiles", document("profile", {"external_id": "second"})).document["data"]["id"]
    rows = [
        {"type": "profile", "attributes": {"email": "first@example.com", "phone_number": "+12025550111", "subscriptions": sms}},
        {"type": "profile", "id": second, "attributes": {"subscriptions": EMAIL}},
        {"type": "profile", "attributes": {"phone_number": "+12025550122", "subscriptions": sms}},
    ]
    body = document(SUBSCRIBE, {"profiles": {"data": rows}}, list={"type": "list", "id": list_id})
    assert send(f"/api/{SUBSCRIBE}s", body).status == 202
    _settled(send, clock)
    (third,) = send('/api/profiles?filter=equals(phone_number,"%2B12025550122")').ids
    assert set(fresh_account.list_members[list_id]) == {first, second, third}
    assert fresh_account.profiles[first]["attributes"]["phone_number"] == "+12025550111"
    assert [_marketing(fresh_account, profile_id, "sms")["consent"] for profile_id in (first, second, third)] == [
        "SUBSCRIBED",
        "NEVER_SUBSCRIBED",
        "SUBSCRIBED",
    ]
    assert _marketing(fresh_account, second)["consent"] == "SUBSCRIBED"
    rows[1]["id"] = "NOBODY"
    assert refusal(send(f"/api/{SUBSCRIBE}s", body)) == (404, [f"{PLACE}/1/id"])


def test_who_is_deleted_meanwhile_is_not_subscribed(send: Ask, clock: SimulatedClock, fresh_account: Account, person: str, list_id: str) -> None:
    gone = document("data-privacy-deletion-job", {"profile": document("profile", {}, identifier=person)})
    assert send("/api/data-privacy-deletion-jobs", gone).status == 202
    rows = [
        {"type": "profile", "id": person, "attributes": {"subscriptions": EMAIL}},
        {"type": "profile", "attributes": {"email": "other@example.com", "subscriptions": EMAIL}},
    ]
    body = document(SUBSCRIBE, {"profiles": {"data": rows}}, list={"type": "list", "id": list_id})
    assert send(f"/api/{SUBSCRIBE}s", body).status == 202
    _settled(send, clock)
    (member,) = fresh_account.list_members[list_id]
    assert fresh_account.profiles[member]["attributes"]["email"] == "other@example.com"
