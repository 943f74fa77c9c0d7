"""Campaigns, messages, flows and actions written through SQL."""

from __future__ import annotations

import json
from typing import Any

import pytest

import klaviyo_sql
from tests.writes.shop import Shop, attributes, named

MESSAGE = {"definition": {"channel": "email", "label": "First", "content": {"subject": "Hello", "from_email": "shop@example.com", "from_label": "Shop"}}}
DEFINITION = {
    "triggers": [],
    "profile_filter": None,
    "actions": [{"temporary_id": "one", "type": "time-delay", "data": {"unit": "days", "value": 1}, "links": {"next": None}}],
    "entry_action_id": "one",
}


def draft(shop: Shop, channel: str = "email") -> dict[str, Any]:
    """A campaign that may still be changed."""
    return next(campaign for campaign in shop.account.campaigns.values() if campaign["attributes"]["status"] == "Draft" and campaign["channel"] == channel)


def message_of(shop: Shop, campaign: dict[str, Any]) -> dict[str, Any]:
    return next(message for message in shop.account.campaign_messages.values() if message["campaign_id"] == campaign["id"])


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO campaigns (name, audiences_included, send_strategy_method, messages) VALUES (?, ?, 'immediate', ?)",
        "INSERT INTO email_campaigns (name, audiences_included, send_strategy_method, messages) VALUES (?, ?, 'immediate', ?)",
        "INSERT INTO EmailCampaigns (Name, AudiencesIncluded, SendStrategyMethod, Messages) VALUES (?, ?, 'immediate', ?)",
        "INSERT INTO skyvia.EmailCampaigns (Name, AudiencesIncluded, SendStrategyMethod, Messages) VALUES (?, ?, 'immediate', ?)",
    ],
)
def test_a_campaign_is_made_with_its_messages(shop: Shop, sql: str) -> None:
    audience = next(iter(shop.account.lists))
    ((method, path, body),) = shop.run(sql, "Sale", json.dumps([audience]), json.dumps([MESSAGE]))
    assert (method, path) == ("POST", "/api/campaigns")
    assert body["data"]["attributes"] == {
        "name": "Sale",
        "audiences": {"included": [audience]},
        "send_strategy": {"method": "immediate"},
        "campaign-messages": {"data": [{"type": "campaign-message", "attributes": MESSAGE}]},
    }
    campaign = named(shop.account.campaigns, "Sale")
    assert message_of(shop, campaign)["attributes"]["definition"]["content"]["subject"] == "Hello"
    assert shop.reads() == []


def test_the_channel_of_a_table_is_that_of_its_messages(shop: Shop) -> None:
    audience = json.dumps([next(iter(shop.account.lists))])
    text = json.dumps([{"definition": {"content": {"body": "Hi"}}}])
    shop.run("INSERT INTO sms_campaigns (name, audiences_included, messages) VALUES ('Text', ?, ?)", audience, text)
    assert named(shop.account.campaigns, "Text")["channel"] == "sms"


def test_an_update_of_one_side_of_the_audiences_keeps_the_other(shop: Shop) -> None:
    campaign = draft(shop)
    before = campaign["attributes"]["audiences"]
    other = [list(shop.account.lists)[3]]
    ((method, path, body),) = shop.run("UPDATE campaigns SET audiences_excluded = ? WHERE id = ?", json.dumps(other), campaign["id"])
    assert (method, path) == ("PATCH", f"/api/campaigns/{campaign['id']}")
    assert body["data"]["attributes"] == {"audiences": {"included": before["included"], "excluded": other}}
    assert shop.account.campaigns[campaign["id"]]["attributes"]["audiences"] == {"included": before["included"], "excluded": other}


def test_a_name_is_changed_without_reading_and_a_campaign_deleted(shop: Shop) -> None:
    campaign = draft(shop)
    sent = shop.run("UPDATE EmailCampaigns SET Name = 'Renamed' WHERE Id = ?", campaign["id"])
    assert attributes(sent) == [{"name": "Renamed"}]
    assert shop.account.campaigns[campaign["id"]]["attributes"]["name"] == "Renamed"
    assert shop.run("DELETE FROM campaigns WHERE id = ?", campaign["id"]) == [("DELETE", f"/api/campaigns/{campaign['id']}", None)]
    assert campaign["id"] not in shop.account.campaigns
    assert shop.reads() == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE campaign_messages SET subject = 'New' WHERE id = ?",
        "UPDATE CampaignMessages SET Subject = 'New' WHERE Id = ?",
        "UPDATE skyvia.EmailCampaignMessages SET Subject = 'New' WHERE Id = ?",
    ],
)
def test_a_part_of_a_message_is_sent_with_the_whole_definition(shop: Shop, sql: str) -> None:
    message = message_of(shop, draft(shop))
    before = json.loads(json.dumps(message["attributes"]["definition"]))
    ((method, path, body),) = shop.run(sql, message["id"])
    assert (method, path) == ("PATCH", f"/api/campaign-messages/{message['id']}")
    content = body["data"]["attributes"]["definition"]["content"]
    assert content["subject"] == "New"
    assert {**content, "subject": None} == {**before["content"], "subject": None}
    assert body["data"]["attributes"]["definition"]["channel"] == "email"
    assert shop.account.campaign_messages[message["id"]]["attributes"]["definition"]["content"]["from_email"] == before["content"]["from_email"]


def test_two_updates_of_a_message_in_a_transaction_are_one_request_with_both(shop: Shop) -> None:
    message = message_of(shop, draft(shop))
    shop.connection.execute("UPDATE campaign_messages SET subject = 'One' WHERE id = ?", (message["id"],))
    (sent,) = shop.run("UPDATE campaign_messages SET preview_text = NULL WHERE id = ?", message["id"])
    content = sent[2]["data"]["attributes"]["definition"]["content"]
    assert (content["subject"], content["preview_text"]) == ("One", None)


def test_a_definition_that_is_set_is_not_overwritten_by_what_was_read(shop: Shop) -> None:
    message = message_of(shop, draft(shop))
    definition = {"channel": "email", "label": "L", "content": {"subject": "A", "from_email": "x@example.com", "from_label": "X"}}
    shop.connection.execute("UPDATE campaign_messages SET definition = ? WHERE id = ?", (json.dumps(definition), message["id"]))
    (sent,) = shop.run("UPDATE campaign_messages SET subject = 'B' WHERE id = ?", message["id"])
    assert sent[2]["data"]["attributes"]["definition"] == {**definition, "content": {**definition["content"], "subject": "B"}}  # type: ignore[dict-item]


def test_the_image_of_a_message_needs_no_definition(shop: Shop) -> None:
    message = message_of(shop, draft(shop, "sms"))
    image = next(iter(shop.account.images))
    ((_, _, body),) = shop.run("UPDATE campaign_messages SET image_id = ? WHERE id = ?", image, message["id"])
    assert "definition" not in body["data"]["attributes"]
    assert shop.account.campaign_messages[message["id"]]["image_id"] == image
    assert shop.reads() == []


def test_a_flow_is_made_started_and_deleted(shop: Shop) -> None:
    sent = shop.run("INSERT INTO flows (name, definition) VALUES ('Wait', ?)", json.dumps(DEFINITION))
    assert attributes(sent) == [{"name": "Wait", "definition": DEFINITION}]
    flow = named(shop.account.flows, "Wait")
    sent = shop.run("UPDATE Flows SET Status = 'manual' WHERE Id = ?", flow["id"])
    assert attributes(sent) == [{"status": "manual"}]
    assert shop.account.flows[flow["id"]]["attributes"]["status"] == "manual"
    assert shop.run("DELETE FROM skyvia.Flows WHERE Id = ?", flow["id"]) == [("DELETE", f"/api/flows/{flow['id']}", None)]
    assert flow["id"] not in shop.account.flows
    assert shop.reads() == []


def test_an_action_is_changed_and_deleted(shop: Shop) -> None:
    action = next(action for action in shop.account.flow_actions.values() if action["attributes"]["definition"]["type"] == "time-delay")
    definition = shop.one("SELECT definition FROM flow_actions WHERE id = ?", action["id"])
    changed = {**json.loads(definition), "data": {**json.loads(definition)["data"], "value": 7}}
    ((method, path, body),) = shop.run("UPDATE flow_actions SET definition = json_set(definition, '$.data.value', 7) WHERE id = ?", action["id"])
    assert (method, path) == ("PATCH", f"/api/flow-actions/{action['id']}")
    assert body["data"]["attributes"] == {"definition": changed}
    assert shop.account.flow_actions[action["id"]]["attributes"]["definition"]["data"]["value"] == 7
    assert shop.run("DELETE FROM FlowActions WHERE Id = ?", action["id"])[0][0] == "DELETE"
    assert action["id"] not in shop.account.flow_actions


AUDIENCE = "'[\"x\"]'"
REFUSED = [
    ("INSERT INTO campaigns (name, audiences_included) VALUES ('x', '[\"x\"]')", "needs messages"),
    ("INSERT INTO campaigns (name, messages) VALUES ('x', '[]')", "needs audiences_included"),
    (f"INSERT INTO campaigns (name, audiences_included, messages) VALUES ('x', {AUDIENCE}, '[{{\"definition\": {{}}}}]')", "needs 'channel': one of email"),
    (
        f'INSERT INTO campaigns (name, audiences_included, messages) VALUES (\'x\', {AUDIENCE}, \'[{{"definition": {{"channel": "fax"}}}}]\')',
        r"\$\[0\].attributes.definition.channel takes one of email",
    ),
    (
        f'INSERT INTO sms_campaigns (name, audiences_included, messages) VALUES (\'x\', {AUDIENCE}, \'[{{"definition": {{"channel": "email"}}}}]\')',
        "only what has the channel 'sms'",
    ),
    ("INSERT INTO campaigns (name, channel) VALUES ('x', 'email')", "messages of a new campaign tell its channel"),
    ("UPDATE campaigns SET status = 'Sent' WHERE id = 'x'", "send_campaign"),
    ("UPDATE campaigns SET send_strategy = '{\"method\": \"later\"}' WHERE id = 'x'", "takes one of static, throttled, immediate, smart_send_time"),
    (
        'UPDATE campaigns SET send_strategy = \'{"method": "throttled", "datetime": "2026-12-01T00:00:00Z", "throttle_percentage": 3}\' WHERE id = \'x\'',
        "takes one of 1, 2, 5",
    ),
    ("INSERT INTO campaign_messages (label) VALUES ('x')", "made with their campaign"),
    ("DELETE FROM campaign_messages WHERE id = 'x'", "with their campaign only"),
    ("UPDATE campaign_messages SET template_id = 'x' WHERE id = 'y'", "assign_template"),
    ("UPDATE campaign_messages SET channel = 'sms' WHERE id = 'y'", "stays in its channel"),
    ('UPDATE campaign_messages SET definition = \'{"channel": "email", "subject": "x"}\' WHERE id = \'y\'', "takes no 'subject'"),
    ("INSERT INTO campaign_audiences (campaign_id) VALUES ('x')", "audiences are columns of campaigns"),
    ("UPDATE flows SET status = 'on' WHERE id = 'x'", "draft, manual or live"),
    ("UPDATE flows SET name = 'x' WHERE id = 'x'", "only the status of a flow"),
    ("INSERT INTO flows (name) VALUES ('x')", "needs definition"),
    ("INSERT INTO flows (name, definition) VALUES ('x', '{\"triggers\": []}')", "needs 'actions'"),
    ("UPDATE flow_actions SET type = 'x' WHERE id = 'x'", "written as a whole"),
    ("INSERT INTO flow_actions (flow_id) VALUES ('x')", "made with their flow"),
    ("UPDATE flow_messages SET name = 'x' WHERE id = 'x'", "in the definition of their action"),
]


@pytest.mark.parametrize(("sql", "said"), REFUSED)
def test_what_is_wrong_is_refused_before_anything_is_sent(shop: Shop, sql: str, said: str) -> None:
    with pytest.raises((klaviyo_sql.DataError, klaviyo_sql.NotSupportedError), match=said):
        shop.connection.execute(sql)
    assert not list(shop.connection.requests)
