"""Campaigns and their messages: created, changed, cloned, sent, cancelled, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account

from .conftest import Ask
from .described import hold_against
from .writes import document, refusal

TRACKING = [{"type": "static", "name": "utm_source", "value": "a"}, {"type": "dynamic", "name": "utm_medium", "value": "message_type"}]
NOW = "2026-11-20T13:00:00.000000+00:00"
PUSH = {"channel": "mobile_push", "notification_type": "standard", "content": {"title": "A", "body": "B"}}


def _campaign(account: Account, *definitions: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    messages = [{"type": "campaign-message", "attributes": {"definition": definition}} for definition in definitions or ({"channel": "email"},)]
    audiences = {"included": [next(iter(account.lists))]}
    return document("campaign", {"name": "New", "audiences": audiences, "campaign-messages": {"data": messages}, **attributes})


def _patch(send: Ask, kind: str, identifier: str, attributes: dict[str, Any] | None, **relationships: Any) -> Any:
    return send(f"/api/{kind}s/{identifier}", document(kind, attributes, identifier=identifier, **relationships), method="PATCH")


@pytest.fixture
def campaign(send: Ask, fresh_account: Account) -> str:
    created = send("/api/campaigns", _campaign(fresh_account))
    assert created.status == 201, created.document
    hold_against("create_campaign", created.document)
    return str(created.document["data"]["id"])


@pytest.fixture
def message(campaign: str, fresh_account: Account) -> str:
    return next(message["id"] for message in fresh_account.campaign_messages.values() if message["campaign_id"] == campaign)


@pytest.fixture
def template(send: Ask) -> str:
    sent = document("template", {"name": "T", "editor_type": "CODE", "html": "<p>hi</p>"})
    return str(send("/api/templates", sent).document["data"]["id"])


def _assign(message: str, template: str) -> dict[str, Any]:
    return document("campaign-message", identifier=message, template={"type": "template", "id": template})


def test_a_campaign_of_email(send: Ask, fresh_account: Account, campaign: str, message: str) -> None:
    assert fresh_account.campaigns[campaign]["attributes"] == {
        "name": "New",
        "status": "Draft",
        "archived": False,
        "audiences": {"included": [next(iter(fresh_account.lists))], "excluded": []},
        "send_options": {"use_smart_sending": True, "ignore_unsubscribes": False},
        "tracking_options": {"add_tracking_params": False, "custom_tracking_params": [], "is_tracking_clicks": True, "is_tracking_opens": True},
        "send_strategy": {"method": "immediate"},
        "created_at": NOW,
        "updated_at": NOW,
        "scheduled_at": None,
        "send_time": None,
    }
    assert campaign in send('/api/campaigns?filter=equals(messages.channel,"email")&sort=-created_at').ids
    assert campaign not in send('/api/campaigns?filter=equals(messages.channel,"sms")').ids
    found = send(f"/api/campaigns/{campaign}?include=campaign-messages,tags").document
    assert [included["id"] for included in found["included"]] == [message]
    content = found["included"][0]["attributes"]["definition"]["content"]
    assert set(content.values()) == {None}
    assert send(f"/api/campaign-messages/{message}/template").document == {"data": None}


def test_campaigns_of_other_channels(send: Ask, fresh_account: Account) -> None:
    image_id = next(iter(fresh_account.images))
    body = _campaign(fresh_account, {"channel": "sms", "content": {"body": "Hi"}}, send_options={"use_smart_sending": False})
    body["data"]["attributes"]["campaign-messages"]["data"][0]["relationships"] = {"image": {"data": {"type": "image", "id": image_id}}}
    created = send("/api/campaigns", body)
    assert created.status == 201, created.document
    hold_against("create_campaign", created.document)
    attributes = created.document["data"]["attributes"]
    assert (attributes["send_options"], attributes["tracking_options"]) == (
        {"use_smart_sending": False},
        {"add_tracking_params": False, "custom_tracking_params": []},
    )
    (message,) = send(f"/api/campaigns/{created.document['data']['id']}/campaign-messages").document["data"]
    assert message["attributes"]["definition"]["content"] == {"body": "Hi", "media_url": None}
    assert send(f"/api/campaign-messages/{message['id']}/relationships/image").document["data"]["id"] == image_id
    pushed = send("/api/campaigns", _campaign(fresh_account, PUSH))
    assert pushed.status == 201, pushed.document
    assert pushed.document["data"]["attributes"]["tracking_options"] is None
    assert pushed.document["data"]["id"] in send('/api/campaigns?filter=equals(messages.channel,"mobile_push")&sort=-created_at').ids


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "name"),
        ({"audiences": {"included": ["NOPE01"]}}, "audiences/included/0"),
        ({"audiences": {"excluded": []}}, "audiences/included"),
        ({"campaign-messages": {"data": []}}, "campaign-messages/data"),
        ({"tracking_options": {"add_tracking_params": True, "custom_tracking_params": TRACKING[:1]}}, "tracking_options/custom_tracking_params"),
        ({"send_strategy": {"method": "throttled", "datetime": "2027-01-01T00:00:00Z", "throttle_percentage": 3}}, "send_strategy/throttle_percentage"),
        ({"send_strategy": {"method": "ab_test_campaign"}}, "send_strategy/method"),
        ({"status": "Sent"}, "status"),
    ],
)
def test_campaigns_that_are_refused(send: Ask, fresh_account: Account, changes: dict[str, Any], pointer: str) -> None:
    before = len(fresh_account.campaigns), len(fresh_account.campaign_messages)
    status, pointers = refusal(send("/api/campaigns", _campaign(fresh_account, **changes)))
    assert status == 400
    assert f"/data/attributes/{pointer}" in pointers
    assert (len(fresh_account.campaigns), len(fresh_account.campaign_messages)) == before


def test_messages_that_are_refused(send: Ask, fresh_account: Account) -> None:
    place = "/data/attributes/campaign-messages/data"
    mixed = _campaign(fresh_account, {"channel": "email"}, {"channel": "sms"})
    assert refusal(send("/api/campaigns", mixed)) == (400, [f"{place}/1/attributes/definition/channel"])
    pictured = _campaign(fresh_account)
    pictured["data"]["attributes"]["campaign-messages"]["data"][0]["relationships"] = {
        "image": {"data": {"type": "image", "id": next(iter(fresh_account.images))}}
    }
    assert refusal(send("/api/campaigns", pictured)) == (400, [f"{place}/0/relationships/image/data/id"])
    clicks = _campaign(fresh_account, {"channel": "sms"}, tracking_options={"is_tracking_clicks": True})
    assert refusal(send("/api/campaigns", clicks)) == (400, ["/data/attributes/tracking_options/is_tracking_clicks"])
    tracked = _campaign(fresh_account, PUSH, tracking_options={"add_tracking_params": True})
    assert refusal(send("/api/campaigns", tracked)) == (400, ["/data/attributes/tracking_options"])


def test_a_change_keeps_what_was_not_sent(send: Ask, clock: SimulatedClock, fresh_account: Account, campaign: str) -> None:
    segment_id = next(iter(fresh_account.segments))
    clock.sleep(2)
    sent = {
        "name": "Renamed",
        "audiences": {"excluded": [segment_id]},
        "tracking_options": {"add_tracking_params": True, "custom_tracking_params": TRACKING},
        "send_options": {"use_smart_sending": False},
    }
    changed = _patch(send, "campaign", campaign, sent)
    assert changed.status == 200, changed.document
    hold_against("update_campaign", changed.document)
    attributes = fresh_account.campaigns[campaign]["attributes"]
    assert attributes["audiences"] == {"included": [next(iter(fresh_account.lists))], "excluded": [segment_id]}
    assert attributes["tracking_options"] == {
        "add_tracking_params": True,
        "custom_tracking_params": TRACKING,
        "is_tracking_clicks": True,
        "is_tracking_opens": True,
    }
    assert attributes["send_options"] == {"use_smart_sending": False, "ignore_unsubscribes": False}
    assert (attributes["name"], attributes["send_strategy"], attributes["updated_at"]) == (
        "Renamed",
        {"method": "immediate"},
        "2026-11-20T13:00:02.000000+00:00",
    )


def test_only_drafts_and_scheduled_ones_are_changed(send: Ask, fresh_account: Account) -> None:
    sent = next(campaign for campaign in fresh_account.campaigns.values() if campaign["attributes"]["status"] == "Sent")
    assert refusal(_patch(send, "campaign", sent["id"], {"name": "A"})) == (400, ["/data"])
    message = next(message for message in fresh_account.campaign_messages.values() if message["campaign_id"] == sent["id"])
    assert refusal(_patch(send, "campaign-message", message["id"], {"definition": {"channel": sent["channel"]}})) == (400, ["/data"])
    assert refusal(_patch(send, "campaign", "nope", {"name": "A"})) == (404, ["/data/"])


def test_a_message_is_changed(send: Ask, fresh_account: Account, message: str) -> None:
    changed = _patch(send, "campaign-message", message, {"definition": {"channel": "email", "label": "L", "content": {"subject": "S"}}})
    assert changed.status == 200, changed.document
    hold_against("update_campaign_message", changed.document)
    assert _patch(send, "campaign-message", message, {"definition": {"channel": "email", "content": {"from_email": "a@example.com"}}}).status == 200
    definition = fresh_account.campaign_messages[message]["attributes"]["definition"]
    assert definition["label"] == "L"
    assert {name: value for name, value in definition["content"].items() if value is not None} == {"subject": "S", "from_email": "a@example.com"}
    other = {"definition": {"channel": "sms", "content": {"body": "B"}}}
    assert refusal(_patch(send, "campaign-message", message, other)) == (400, ["/data/attributes/definition/channel"])
    image = {"type": "image", "id": next(iter(fresh_account.images))}
    assert refusal(_patch(send, "campaign-message", message, {}, image=image)) == (400, ["/data/relationships/image/data/id"])
    assert refusal(send(f"/api/campaign-messages/{message}/relationships/image", {"data": image}, method="PATCH")) == (400, ["/data/id"])


def test_the_image_of_a_message(send: Ask, fresh_account: Account) -> None:
    first, second = list(fresh_account.images)[:2]
    created = send("/api/campaigns", _campaign(fresh_account, PUSH))
    (message,) = [linked["id"] for linked in created.document["data"]["relationships"]["campaign-messages"]["data"]]
    target = f"/api/campaign-messages/{message}/relationships/image"
    assert send(target, {"data": {"type": "image", "id": first}}, method="PATCH")[::2] == (204, None)
    assert fresh_account.campaign_messages[message]["image_id"] == first
    assert _patch(send, "campaign-message", message, {}, image={"type": "image", "id": second}).status == 200
    assert fresh_account.campaign_messages[message]["image_id"] == second
    assert refusal(send(target, {"data": {"type": "image", "id": "1"}}, method="PATCH")) == (404, ["/data/id"])


def test_assigning_a_template_copies_it(send: Ask, fresh_account: Account, message: str, template: str) -> None:
    reply = send("/api/campaign-message-assign-template", _assign(message, template))
    assert reply.status == 200, reply.document
    attributes = reply.document["data"]["attributes"]
    assert (attributes["channel"], attributes["label"]) == ("email", "")
    assert "definition" not in attributes
    hold_against("assign_template_to_campaign_message", {name: part for name, part in reply.document.items() if name != "included"})
    copied = fresh_account.campaign_messages[message]["template_id"]
    assert copied != template
    assert [included["id"] for included in reply.document["included"]] == [copied]
    assert fresh_account.templates[copied]["attributes"]["name"] == f"Clone of {template}"
    assert copied not in send("/api/templates?sort=-created").ids
    assert send(f"/api/campaign-messages/{message}/template").document["data"]["id"] == copied
    changed = document("template", {"html": "<p>other</p>"}, identifier=template)
    assert send(f"/api/templates/{template}", changed, method="PATCH").status == 200
    assert "other" not in fresh_account.templates[copied]["attributes"]["html"]
    assert send("/api/campaign-message-assign-template", _assign(message, template)).status == 200
    assert copied not in fresh_account.templates
    assert refusal(send("/api/campaign-message-assign-template", _assign(message, "NOPE01"))) == (404, ["/data/relationships/template/data/id"])
    assert refusal(send("/api/campaign-message-assign-template", _assign("nope", template))) == (404, ["/data/id"])


def test_a_clone_is_a_draft_of_its_own(send: Ask, fresh_account: Account, campaign: str, message: str, template: str) -> None:
    assert send("/api/campaign-message-assign-template", _assign(message, template)).status == 200
    cloned = send("/api/campaign-clone", document("campaign", {"new_name": "Second"}, identifier=campaign))
    assert cloned.status == 201, cloned.document
    hold_against("create_campaign_clone", cloned.document)
    clone = fresh_account.campaigns[cloned.document["data"]["id"]]
    assert (clone["attributes"]["name"], clone["attributes"]["status"], clone["channel"]) == ("Second", "Draft", "email")
    assert clone["attributes"]["send_strategy"]["method"] == "static"
    (copied,) = [found for found in fresh_account.campaign_messages.values() if found["campaign_id"] == clone["id"]]
    assert copied["template_id"] not in (None, fresh_account.campaign_messages[message]["template_id"])
    assert _patch(send, "campaign", clone["id"], {"name": "Third"}).status == 200
    assert fresh_account.campaigns[campaign]["attributes"]["name"] == "New"
    assert send("/api/campaign-clone", document("campaign", {}, identifier=campaign)).document["data"]["attributes"]["name"] == "Clone of New"
    assert refusal(send("/api/campaign-clone", document("campaign", {}, identifier="nope"))) == (404, ["/data/id"])


def test_a_campaign_is_deleted_with_what_it_has(send: Ask, fresh_account: Account, campaign: str, message: str, template: str) -> None:
    assert send("/api/campaign-message-assign-template", _assign(message, template)).status == 200
    copied = fresh_account.campaign_messages[message]["template_id"]
    tag_id = next(iter(fresh_account.tags))
    send(f"/api/tags/{tag_id}/relationships/campaigns", {"data": [{"type": "campaign", "id": campaign}]})
    assert send(f"/api/campaigns/{campaign}", method="DELETE").status == 204
    assert message not in fresh_account.campaign_messages
    assert copied not in fresh_account.templates
    assert template in fresh_account.templates
    assert campaign not in send(f"/api/tags/{tag_id}/relationships/campaigns").ids
    assert send(f"/api/campaigns/{campaign}").status == 404


def _ready(send: Ask, campaign: str, message: str, template: str, **attributes: Any) -> None:
    assert send("/api/campaign-message-assign-template", _assign(message, template)).status == 200
    if attributes:
        assert _patch(send, "campaign", campaign, attributes).status == 200


def test_a_campaign_is_sent(send: Ask, clock: SimulatedClock, fresh_account: Account, campaign: str, message: str, template: str) -> None:
    _ready(send, campaign, message, template)
    job = send("/api/campaign-send-jobs", document("campaign-send-job", identifier=campaign))
    assert job.status == 202, job.document
    hold_against("send_campaign", job.document)
    target = f"/api/campaign-send-jobs/{campaign}"
    seen = []
    for _ in range(5):
        seen.append((send(target).document["data"]["attributes"]["status"], fresh_account.campaigns[campaign]["attributes"]["status"]))
        clock.sleep(2.5)
    assert list(dict.fromkeys(seen)) == [("queued", "Preparing to send"), ("processing", "Sending"), ("processing", "Sent"), ("complete", "Sent")]
    assert fresh_account.campaigns[campaign]["attributes"]["send_time"] is not None
    assert refusal(send("/api/campaign-send-jobs", document("campaign-send-job", identifier=campaign))) == (409, ["/data/id"])
    late = document("campaign-send-job", {"action": "cancel"}, identifier=campaign)
    assert refusal(send(target, late, method="PATCH")) == (409, ["/data/id"])


@pytest.mark.parametrize(("action", "status"), [("cancel", "Cancelled"), ("revert", "Draft")])
def test_a_scheduled_campaign_is_called_off(
    send: Ask, clock: SimulatedClock, fresh_account: Account, campaign: str, message: str, template: str, action: str, status: str
) -> None:
    _ready(send, campaign, message, template, send_strategy={"method": "static", "datetime": "2026-11-20T14:00:00Z"})
    assert send("/api/campaign-send-jobs", document("campaign-send-job", identifier=campaign)).status == 202
    clock.sleep(20)
    found = send(f"/api/campaigns/{campaign}").document["data"]["attributes"]
    assert (found["status"], found["scheduled_at"], found["send_time"]) == ("Scheduled", NOW, None)
    body = document("campaign-send-job", {"action": action}, identifier=campaign)
    assert send(f"/api/campaign-send-jobs/{campaign}", body, method="PATCH")[::2] == (204, None)
    assert send(f"/api/campaign-send-jobs/{campaign}").document["data"]["attributes"]["status"] == "cancelled"
    clock.sleep(7200)
    assert send(f"/api/campaigns/{campaign}").document["data"]["attributes"]["status"] == status


def test_a_scheduled_campaign_is_sent_when_its_time_comes(send: Ask, clock: SimulatedClock, campaign: str, message: str, template: str) -> None:
    _ready(send, campaign, message, template, send_strategy={"method": "static", "datetime": "2026-11-20T14:00:00Z"})
    assert send("/api/campaign-send-jobs", document("campaign-send-job", identifier=campaign)).status == 202
    clock.sleep(3601)
    found = send(f"/api/campaigns/{campaign}").document["data"]["attributes"]
    assert (found["status"], found["send_time"]) == ("Sent", "2026-11-20T14:00:00.000000+00:00")


def test_campaigns_that_are_not_sent(send: Ask, fresh_account: Account, campaign: str, message: str, template: str) -> None:
    body = document("campaign-send-job", identifier=campaign)
    assert refusal(send("/api/campaign-send-jobs", body)) == (400, ["/data/id"])
    _ready(send, campaign, message, template, audiences={"included": []})
    assert refusal(send("/api/campaign-send-jobs", body)) == (400, ["/data/id"])
    assert refusal(send("/api/campaign-send-jobs", document("campaign-send-job", identifier="nope"))) == (404, ["/data/id"])
    action = document("campaign-send-job", {"action": "cancel"}, identifier=campaign)
    assert refusal(send(f"/api/campaign-send-jobs/{campaign}", action, method="PATCH")) == (404, ["/data/"])
    wrong = document("campaign-send-job", {"action": "stop"}, identifier=campaign)
    assert refusal(send(f"/api/campaign-send-jobs/{campaign}", wrong, method="PATCH")) == (400, ["/data/attributes/action"])
    assert fresh_account.campaigns[campaign]["attributes"]["status"] == "Draft"


def test_recipients_are_estimated(send: Ask, clock: SimulatedClock, fresh_account: Account, campaign: str) -> None:
    included, excluded = sorted(fresh_account.list_members, key=lambda identifier: len(fresh_account.list_members[identifier]))[-2:]
    assert _patch(send, "campaign", campaign, {"audiences": {"included": [included], "excluded": [excluded]}}).status == 200
    assert send(f"/api/campaign-recipient-estimations/{campaign}").status == 404
    job = send("/api/campaign-recipient-estimation-jobs", document("campaign-recipient-estimation-job", identifier=campaign))
    assert job.status == 202
    hold_against("refresh_campaign_recipient_estimation", job.document)
    assert job.document["data"]["attributes"]["status"] == "processing"
    assert send(f"/api/campaign-recipient-estimations/{campaign}").status == 404
    clock.sleep(11)
    assert send(f"/api/campaign-recipient-estimation-jobs/{campaign}").document["data"]["attributes"]["status"] == "complete"
    expected = len(set(fresh_account.list_members[included]) - set(fresh_account.list_members[excluded]))
    found = send(f"/api/campaign-recipient-estimations/{campaign}").document["data"]["attributes"]
    assert found == {"estimated_recipient_count": expected}
    nobody = document("campaign-recipient-estimation-job", identifier="nope")
    assert refusal(send("/api/campaign-recipient-estimation-jobs", nobody)) == (404, ["/data/id"])
