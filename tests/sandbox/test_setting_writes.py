"""Custom and mapped metrics, reviews, tracking settings, web feeds, webhooks and messages into conversations, written."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account, Sandbox

from .conftest import Ask, asker
from .described import hold_against
from .writes import document, linkage, refusal


def _patch(send: Ask, path: str, kind: str, identifier: str, attributes: dict[str, Any] | None, **relationships: Any) -> Any:
    return send(f"{path}/{identifier}", document(kind, attributes, identifier=identifier, **relationships), method="PATCH")


# Metrics


def _definition(*metric_ids: str) -> dict[str, Any]:
    return {"aggregation_method": "value", "metric_groups": [{"metric_id": metric_id, "value_property": "$value"} for metric_id in metric_ids]}


def _custom(name: str, *metric_ids: str) -> dict[str, Any]:
    return document("custom-metric", {"name": name, "definition": _definition(*metric_ids)})


def test_a_custom_metric(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    first, second = list(fresh_account.metrics)[:2]
    created = send("/api/custom-metrics", _custom("Net", first))
    assert created.status == 201, created.document
    hold_against("create_custom_metric", created.document)
    metric_id = created.document["data"]["id"]
    assert metric_id in send("/api/custom-metrics").ids
    clock.sleep(1)
    changed = _patch(send, "/api/custom-metrics", "custom-metric", metric_id, {"definition": _definition(first, second)})
    assert changed.status == 200
    hold_against("update_custom_metric", changed.document)
    attributes = fresh_account.custom_metrics[metric_id]["attributes"]
    assert (attributes["name"], attributes["updated"]) == ("Net", "2026-11-20T13:00:01.000000+00:00")
    assert set(send(f"/api/custom-metrics/{metric_id}/metrics").ids) == {first, second}
    assert _patch(send, "/api/mapped-metrics", "mapped-metric", "revenue", None, **{"custom-metric": {"type": "custom-metric", "id": metric_id}}).status == 200
    assert send(f"/api/custom-metrics/{metric_id}", method="DELETE").status == 204
    assert send(f"/api/custom-metrics/{metric_id}").status == 404
    assert fresh_account.mapped_metrics["revenue"]["custom_metric_id"] is None


def test_custom_metrics_that_are_refused(send: Ask, fresh_account: Account) -> None:
    metric_id = next(iter(fresh_account.metrics))
    first, second = list(fresh_account.custom_metrics.values())[:2]
    path, place = "/api/custom-metrics", "/data/attributes/definition/metric_groups"
    taken = first["attributes"]["name"]
    assert refusal(send(path, _custom(taken, metric_id))) == (400, ["/data/attributes/name"])
    assert refusal(send(path, _custom("", metric_id))) == (400, ["/data/attributes/name"])
    assert refusal(send(path, _custom("A", metric_id, "NOPE01"))) == (400, [f"{place}/1/metric_id"])
    assert refusal(send(path, _custom("A"))) == (400, [place])
    assert refusal(_patch(send, path, "custom-metric", second["id"], {"name": taken})) == (400, ["/data/attributes/name"])
    assert _patch(send, path, "custom-metric", first["id"], {"name": taken}).status == 200
    assert len(fresh_account.custom_metrics) == 4


def _slot(kind: str, identifier: str | None) -> dict[str, Any]:
    return {kind: {"type": kind, "id": identifier} if identifier is not None else None}


def test_a_slot_is_mapped_twice_a_day(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    metric_id, custom_id = next(iter(fresh_account.metrics)), next(iter(fresh_account.custom_metrics))

    def change(**relationships: Any) -> Any:
        return _patch(send, "/api/mapped-metrics", "mapped-metric", "revenue", None, **relationships)

    changed = change(**_slot("metric", metric_id))
    assert changed.status == 200, changed.document
    hold_against("update_mapped_metric", changed.document)
    slot = fresh_account.mapped_metrics["revenue"]
    assert (slot["metric_id"], slot["custom_metric_id"]) == (metric_id, None)
    assert send("/api/mapped-metrics/revenue/metric").document["data"]["id"] == metric_id
    # Null empties it.
    assert change(**_slot("metric", None)).status == 200
    assert (slot["metric_id"], slot["custom_metric_id"]) == (None, None)
    refused = change(**_slot("custom-metric", custom_id))
    assert refusal(refused) == (403, ["/data/"])
    assert refused.errors[0]["detail"] == "Mapped Metric `revenue` has reached the daily limit of updates (2)."
    assert slot["custom_metric_id"] is None
    clock.sleep(86_400)
    assert change(**_slot("custom-metric", custom_id)).status == 200
    assert slot["custom_metric_id"] == custom_id


def test_mappings_that_are_refused(send: Ask, fresh_account: Account) -> None:
    metric_id, custom_id = next(iter(fresh_account.metrics)), next(iter(fresh_account.custom_metrics))
    before = dict(fresh_account.mapped_metrics["revenue"])

    def change(slot: str = "revenue", **relationships: Any) -> Any:
        return _patch(send, "/api/mapped-metrics", "mapped-metric", slot, None, **relationships)

    assert refusal(change(**_slot("metric", metric_id), **_slot("custom-metric", custom_id))) == (400, ["/data/relationships"])
    assert refusal(change()) == (400, ["/data/relationships"])
    assert refusal(change(**_slot("metric", "NOPE01"))) == (404, ["/data/relationships/metric/data/id"])
    assert refusal(change("profit", **_slot("metric", metric_id))) == (400, ["/data/id"])
    assert fresh_account.mapped_metrics["revenue"] == before


# Reviews


def test_the_status_of_a_review(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    review_id = next(iter(fresh_account.reviews))
    clock.sleep(1)
    for status in ({"value": "featured"}, {"value": "rejected", "rejection_reason": {"reason": "other", "status_explanation": "No"}}, {"value": "pending"}):
        changed = _patch(send, "/api/reviews", "review", review_id, {"status": status})
        assert changed.status == 200, changed.document
        hold_against("update_review", changed.document)
        assert fresh_account.reviews[review_id]["attributes"]["status"] == status
    assert fresh_account.reviews[review_id]["attributes"]["updated"] == "2026-11-20T13:00:01+00:00"
    status_place = "/data/attributes/status"
    assert refusal(_patch(send, "/api/reviews", "review", review_id, {"status": {"value": "lost"}}))[0] == 400
    missing = _patch(send, "/api/reviews", "review", review_id, {"status": {"value": "rejected"}})
    assert refusal(missing) == (400, [f"{status_place}/rejection_reason"])
    assert refusal(_patch(send, "/api/reviews", "review", review_id, {"status": None})) == (400, [status_place])
    assert refusal(_patch(send, "/api/reviews", "review", review_id, {})) == (400, [status_place])
    assert refusal(_patch(send, "/api/reviews", "review", review_id, {"rating": 5})) == (400, ["/data/attributes/rating"])
    assert refusal(_patch(send, "/api/reviews", "review", "1", {"status": {"value": "featured"}})) == (404, ["/data/"])


# Tracking settings


def test_tracking_settings_are_changed_by_halves(send: Ask, fresh_account: Account) -> None:
    setting_id = fresh_account.account["id"]
    before = dict(fresh_account.tracking_settings[setting_id]["attributes"])
    sent = {
        "auto_add_parameters": False,
        "utm_source": {"flow": {"type": "static", "value": "new"}},
        "utm_id": {"campaign": {"type": "dynamic", "value": "campaign_id"}},
        "custom_parameters": [],
    }
    changed = _patch(send, "/api/tracking-settings", "tracking-setting", setting_id, sent)
    assert changed.status == 200, changed.document
    hold_against("update_tracking_setting", changed.document)
    attributes = fresh_account.tracking_settings[setting_id]["attributes"]
    assert attributes["utm_source"] == {"flow": {"type": "static", "value": "new"}, "campaign": before["utm_source"]["campaign"]}
    assert attributes["utm_id"] == {"flow": None, "campaign": {"type": "dynamic", "value": "campaign_id"}}
    assert (attributes["auto_add_parameters"], attributes["custom_parameters"], attributes["utm_medium"]) == (False, [], before["utm_medium"])
    wrong = {"utm_source": {"flow": {"type": "dynamic", "value": "weather"}}}
    assert refusal(_patch(send, "/api/tracking-settings", "tracking-setting", setting_id, wrong))[0] == 400
    assert refusal(_patch(send, "/api/tracking-settings", "tracking-setting", "OTHER1", sent)) == (404, ["/data/"])


# Web feeds


FEED = {"name": "feed_1", "url": "https://shop.example.com/feed", "request_method": "get", "content_type": "json"}


def test_a_web_feed(send: Ask, fresh_account: Account) -> None:
    created = send("/api/web-feeds", document("web-feed", FEED))
    assert created.status == 201, created.document
    hold_against("create_web_feed", created.document)
    feed_id = created.document["data"]["id"]
    assert fresh_account.web_feeds[feed_id]["attributes"]["status"] is None
    changed = _patch(send, "/api/web-feeds", "web-feed", feed_id, {"content_type": "xml"})
    assert changed.status == 200
    hold_against("update_web_feed", changed.document)
    assert {name: fresh_account.web_feeds[feed_id]["attributes"][name] for name in FEED} == {**FEED, "content_type": "xml"}
    assert send(f"/api/web-feeds/{feed_id}", method="DELETE").status == 204
    assert send(f"/api/web-feeds/{feed_id}").status == 404


@pytest.mark.parametrize(("name", "value"), [("name", "a-b"), ("name", ""), ("url", "ftp://x"), ("request_method", "put"), ("content_type", None)])
def test_web_feeds_that_are_refused(send: Ask, fresh_account: Account, name: str, value: Any) -> None:
    assert refusal(send("/api/web-feeds", document("web-feed", {**FEED, name: value}))) == (400, [f"/data/attributes/{name}"])
    feed_id = next(iter(fresh_account.web_feeds))
    refused = _patch(send, "/api/web-feeds", "web-feed", feed_id, {name: value})
    assert refusal(refused) == (400, [f"/data/attributes/{name}"])
    if value == "a-b":
        assert refused.errors[0]["detail"] == "'name' must match regex '^[0-9_A-z]+$' ('a-b' doesn't)"


# Webhooks


HOOK = {"name": "W", "endpoint_url": "https://hooks.example.com:8443/in?key=1", "secret_key": "hush"}


@pytest.fixture
def entitled(fresh_account: Account, clock: SimulatedClock) -> Ask:
    return asker(Sandbox(fresh_account, clock=clock, limits=False, entitlements=("webhooks", "conversations")))


def _hook(topics: list[str], **attributes: Any) -> dict[str, Any]:
    return document("webhook", {**HOOK, **attributes}, **{"webhook-topics": linkage("webhook-topic", topics)})


def test_a_webhook(entitled: Ask, fresh_account: Account) -> None:
    first, second = list(fresh_account.webhook_topics)[:2]
    created = entitled("/api/webhooks", _hook([first]))
    assert created.status == 201, created.document
    hold_against("create_webhook", created.document)
    webhook_id = created.document["data"]["id"]
    attributes = fresh_account.webhooks[webhook_id]["attributes"]
    assert (attributes["endpoint_url"], attributes["enabled"], attributes["description"]) == ("https://hooks.example.com:8443/*****", True, None)
    assert "hush" not in str(fresh_account.webhooks[webhook_id])
    changed = _patch(
        entitled, "/api/webhooks", "webhook", webhook_id, {"enabled": False, "secret_key": "other"}, **{"webhook-topics": linkage("webhook-topic", [second])}
    )
    assert changed.status == 200, changed.document
    hold_against("update_webhook", changed.document)
    stored = fresh_account.webhooks[webhook_id]
    assert (stored["attributes"]["enabled"], stored["topic_ids"], "secret_key" in stored["attributes"]) == (False, [second], False)
    assert _patch(entitled, "/api/webhooks", "webhook", webhook_id, {"endpoint_url": "https://other.example.com/x"}).status == 200
    assert fresh_account.webhooks[webhook_id]["attributes"]["endpoint_url"] == "https://other.example.com/*****"
    assert fresh_account.webhooks[webhook_id]["topic_ids"] == [second]
    assert entitled(f"/api/webhooks/{webhook_id}", method="DELETE").status == 204
    assert entitled(f"/api/webhooks/{webhook_id}").status == 404


def test_webhooks_that_are_refused(entitled: Ask, fresh_account: Account) -> None:
    topic = next(iter(fresh_account.webhook_topics))
    assert refusal(entitled("/api/webhooks", _hook([topic], endpoint_url="http://hooks.example.com/"))) == (400, ["/data/attributes/endpoint_url"])
    assert refusal(entitled("/api/webhooks", _hook([topic], endpoint_url="https://"))) == (400, ["/data/attributes/endpoint_url"])
    assert refusal(entitled("/api/webhooks", _hook([topic], secret_key=""))) == (400, ["/data/attributes/secret_key"])
    assert refusal(entitled("/api/webhooks", _hook([]))) == (400, ["/data/relationships/webhook-topics/data"])
    assert refusal(entitled("/api/webhooks", _hook(["event:nope"])))[0] == 404
    webhook_id = next(iter(fresh_account.webhooks))
    assert refusal(_patch(entitled, "/api/webhooks", "webhook", webhook_id, {"enabled": None})) == (400, ["/data/attributes/enabled"])
    none = _patch(entitled, "/api/webhooks", "webhook", webhook_id, {}, **{"webhook-topics": []})
    assert refusal(none) == (400, ["/data/relationships/webhook-topics/data"])


def test_webhooks_need_an_entitlement(send: Ask, fresh_account: Account) -> None:
    before = len(fresh_account.webhooks)
    assert refusal(send("/api/webhooks", _hook(list(fresh_account.webhook_topics)[:1]))) == (403, ["/data/"])
    webhook_id = next(iter(fresh_account.webhooks))
    assert refusal(send(f"/api/webhooks/{webhook_id}", method="DELETE")) == (403, ["/data/"])
    assert len(fresh_account.webhooks) == before


# Conversations


def test_a_message_into_a_conversation(entitled: Ask, send: Ask, fresh_account: Account) -> None:
    conversation_id = next(iter(fresh_account.conversations))

    def message(identifier: str = conversation_id, **attributes: Any) -> dict[str, Any]:
        return document("conversation-message", {"body": "Hi", **attributes}, conversation={"type": "conversation", "id": identifier})

    assert entitled("/api/conversation-messages", message())[::2] == (202, None)
    assert fresh_account.conversation_messages == [{"conversation_id": conversation_id, "body": "Hi"}]
    assert refusal(entitled("/api/conversation-messages", message(body=" "))) == (400, ["/data/attributes/body"])
    assert refusal(entitled("/api/conversation-messages", message("nope"))) == (404, ["/data/relationships/conversation/data/id"])
    alone = [{"message": "Hi", "message_format": "SMS"}]
    assert refusal(entitled("/api/conversation-messages", message(message_hierarchy=alone))) == (400, ["/data/attributes/message_hierarchy"])
    assert refusal(send("/api/conversation-messages", message())) == (403, ["/data/"])
    assert len(fresh_account.conversation_messages) == 1
