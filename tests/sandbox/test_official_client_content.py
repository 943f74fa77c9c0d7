"""Klaviyo's official Python SDK writes everything that is not about people: its models make the bodies, and read the replies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from klaviyo_api import KlaviyoAPI
from openapi_client.exceptions import ApiException

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Sandbox, serve

from .test_content_writes import HTML_BLOCK, PNG
from .test_object_writes import PROPERTIES
from .writes import document, linkage


@pytest.fixture
def client(fresh_account: Account, clock: SimulatedClock) -> Iterator[KlaviyoAPI]:
    entitlements = ("webhooks", "conversations", "custom objects")
    with serve(Sandbox(fresh_account, clock=clock, limits=False, entitlements=entitlements)) as url:
        client = KlaviyoAPI(SANDBOX_KEY, max_retries=0, test_host=url)
        yield client
        client.api_client.rest_client.pool_manager.clear()


def _plain(reply: Any) -> dict[str, Any]:
    found: dict[str, Any] = reply if isinstance(reply, dict) else reply.to_dict()
    return found["data"]


def _one(kind: str, identifier: str) -> dict[str, str]:
    return {"type": kind, "id": identifier}


def _many(kind: str, *identifiers: str) -> dict[str, Any]:
    return {"data": linkage(kind, identifiers)}


def _template(client: KlaviyoAPI) -> str:
    sent = document("template", {"name": "T", "editor_type": "CODE", "html": "<p>{{ a }}</p>"})
    return str(_plain(client.Templates.create_template(sent))["id"])


def test_campaigns(client: KlaviyoAPI, clock: SimulatedClock, fresh_account: Account) -> None:
    api = client.Campaigns
    definition = {"channel": "email", "label": "L", "content": {"subject": "S", "from_email": "a@example.com"}}
    messages = {"data": [{"type": "campaign-message", "attributes": {"definition": definition}}]}
    attributes = {"name": "C", "audiences": {"included": [next(iter(fresh_account.lists))]}, "campaign-messages": messages}
    created = _plain(api.create_campaign(document("campaign", attributes)))
    campaign_id, message_id = created["id"], created["relationships"]["campaign-messages"]["data"][0]["id"]
    _plain(api.update_campaign(campaign_id, document("campaign", {"name": "D"}, identifier=campaign_id)))
    changed = {"definition": {"channel": "email", "content": {"subject": "S2"}}}
    _plain(api.update_campaign_message(message_id, document("campaign-message", changed, identifier=message_id)))
    stored = fresh_account.campaign_messages[message_id]["attributes"]["definition"]
    assert (stored["label"], stored["content"]["subject"], stored["content"]["from_email"]) == ("L", "S2", "a@example.com")
    assigned = document("campaign-message", identifier=message_id, template=_one("template", _template(client)))
    assert _plain(api.assign_template_to_campaign_message(assigned))["attributes"]["label"] == "L"
    clone_id = _plain(api.create_campaign_clone(document("campaign", {"new_name": "E"}, identifier=campaign_id)))["id"]
    assert fresh_account.campaigns[clone_id]["attributes"]["name"] == "E"
    api.refresh_campaign_recipient_estimation(document("campaign-recipient-estimation-job", identifier=campaign_id))
    clock.sleep(11)
    assert _plain(api.get_campaign_recipient_estimation(campaign_id))["attributes"]["estimated_recipient_count"] >= 0
    assert _plain(api.send_campaign(document("campaign-send-job", identifier=campaign_id)))["attributes"]["status"] == "queued"
    api.cancel_campaign_send(campaign_id, document("campaign-send-job", {"action": "revert"}, identifier=campaign_id))
    assert fresh_account.campaigns[campaign_id]["attributes"]["status"] == "Draft"
    api.delete_campaign(campaign_id)
    assert campaign_id not in fresh_account.campaigns
    push = {"channel": "mobile_push", "notification_type": "standard", "content": {"title": "A", "body": "B"}}
    messages["data"][0]["attributes"]["definition"] = push
    pushed = _plain(api.create_campaign(document("campaign", attributes)))["relationships"]["campaign-messages"]["data"][0]["id"]
    image_id = next(iter(fresh_account.images))
    api.update_image_for_campaign_message(pushed, {"data": _one("image", image_id)})
    assert fresh_account.campaign_messages[pushed]["image_id"] == image_id


def test_flows(client: KlaviyoAPI, fresh_account: Account) -> None:
    message = {"subject_line": "S", "template_id": _template(client), "name": "N"}
    actions = [
        {"temporary_id": "a", "type": "time-delay", "data": {"unit": "days", "value": 1, "timezone": "profile"}, "links": {"next": "b"}},
        {"temporary_id": "b", "type": "send-email", "data": {"message": message, "status": "draft"}, "links": {"next": None}},
    ]
    triggers = [{"type": "list", "id": next(iter(fresh_account.lists))}]
    definition = {"triggers": triggers, "actions": actions, "entry_action_id": "a"}
    flow_id = _plain(client.Flows.create_flow(document("flow", {"name": "F", "definition": definition})))["id"]
    delay, email = [action["id"] for action in fresh_account.flow_actions.values() if action["flow_id"] == flow_id]
    client.Flows.update_flow(flow_id, document("flow", {"status": "live"}, identifier=flow_id))
    assert fresh_account.flow_actions[email]["attributes"]["definition"]["data"]["status"] == "live"
    changed = {"id": delay, "type": "time-delay", "data": {"unit": "hours", "value": 2, "timezone": "UTC"}, "links": {"next": email}}
    client.Flows.update_flow_action(delay, document("flow-action", {"definition": changed}, identifier=delay))
    assert fresh_account.flow_actions[delay]["attributes"]["definition"]["data"]["value"] == 2
    client.Flows.delete_flow_action(delay)
    assert delay not in fresh_account.flow_actions
    client.Flows.delete_flow(flow_id)
    assert flow_id not in fresh_account.flows


def test_content(client: KlaviyoAPI, fresh_account: Account, tmp_path: Path) -> None:
    api = client.Templates
    template_id = _template(client)
    _plain(api.update_template(template_id, document("template", {"text": "x"}, identifier=template_id)))
    assert _plain(api.clone_template(document("template", {"name": "U"}, identifier=template_id)))["attributes"]["text"] == "x"
    rendered = _plain(api.render_template(document("template", {"context": {"a": "b"}}, identifier=template_id)))
    assert "<p>b</p>" in rendered["attributes"]["html"]
    api.delete_template(template_id)
    assert template_id not in fresh_account.templates
    kind = "template-universal-content"
    content_id = _plain(api.create_universal_content(document(kind, {"name": "A", "definition": HTML_BLOCK})))["id"]
    api.update_universal_content(content_id, document(kind, {"name": "B"}, identifier=content_id))
    assert fresh_account.universal_content[content_id]["attributes"]["name"] == "B"
    api.delete_universal_content(content_id)
    assert content_id not in fresh_account.universal_content
    image_id = _plain(client.Images.upload_image_from_url(document("image", {"import_from_url": "https://shop.example.com/a.gif"})))["id"]
    client.Images.update_image(image_id, document("image", {"name": "B", "hidden": True}, identifier=image_id))
    assert fresh_account.images[image_id]["attributes"]["hidden"] is True
    file = tmp_path / "photo.png"
    file.write_bytes(PNG)
    uploaded = _plain(client.Images.upload_image_from_file(str(file), name="P"))["attributes"]
    assert (uploaded["name"], uploaded["size"]) == ("P", len(PNG))
    blocks = [{"columns": []}, {"columns": []}]
    sent = {"name": "F", "status": "draft", "ab_test": False, "definition": {"versions": [{"steps": blocks, "type": "popup"}]}}
    form_id = _plain(client.Forms.create_form(document("form", sent)))["id"]
    assert len(fresh_account.forms[form_id]["attributes"]["definition"]["versions"]) == 1
    client.Forms.delete_form(form_id)
    assert form_id not in fresh_account.forms


def test_catalogs(client: KlaviyoAPI, clock: SimulatedClock, fresh_account: Account) -> None:
    api = client.Catalogs
    sent: dict[str, dict[str, Any]] = {
        "item": {"external_id": "sdk", "title": "T", "description": "", "url": "https://x.example.com"},
        "category": {"external_id": "sdk", "name": "C"},
        "variant": {"external_id": "sdk", "title": "V", "description": "", "sku": "S", "inventory_quantity": 1, "price": 2.5, "url": "https://x.example.com"},
    }
    several = {"item": "items", "category": "categories", "variant": "variants"}
    identifier = "$custom:::$default:::sdk"
    linked: dict[str, dict[str, Any]] = {"item": {}, "category": {}, "variant": {"item": _one("catalog-item", identifier)}}
    for thing, attributes in sent.items():
        assert _plain(getattr(api, f"create_catalog_{thing}")(document(f"catalog-{thing}", attributes, **linked[thing])))["id"] == identifier
        name = "name" if thing == "category" else "title"
        getattr(api, f"update_catalog_{thing}")(identifier, document(f"catalog-{thing}", {name: "New"}, identifier=identifier))
        assert getattr(fresh_account, f"catalog_{several[thing]}")[identifier]["attributes"][name] == "New"
    other = next(iter(fresh_account.catalog_categories))
    api.add_items_to_catalog_category(identifier, _many("catalog-item", identifier))
    with pytest.raises(ApiException) as again:
        api.add_items_to_catalog_category(identifier, _many("catalog-item", identifier))
    assert again.value.status == 409
    api.update_items_for_catalog_category(other, _many("catalog-item", identifier))
    api.remove_items_from_catalog_category(identifier, _many("catalog-item", identifier))
    assert fresh_account.item_categories[identifier] == [other]
    api.update_categories_for_catalog_item(identifier, _many("catalog-category", identifier))
    api.add_categories_to_catalog_item(identifier, _many("catalog-category", other))
    api.remove_categories_from_catalog_item(identifier, _many("catalog-category", identifier))
    assert fresh_account.item_categories[identifier] == [other]
    for thing, attributes in sent.items():
        created = document(f"catalog-{thing}", {**attributes, "external_id": "bulk"}, **linked[thing])["data"]
        named = _one(f"catalog-{thing}", "$custom:::$default:::bulk")
        rows = {"create": created, "update": {**named, "attributes": {}}, "delete": named}
        for verb, row in rows.items():
            job = document(f"catalog-{thing}-bulk-{verb}-job", {several[thing]: {"data": [row]}})
            assert _plain(getattr(api, f"bulk_{verb}_catalog_{several[thing]}")(job))["attributes"]["status"] == "queued"
            clock.sleep(11)
            api.get_catalog_items(fields_catalog_item=["title"])
            assert (named["id"] in getattr(fresh_account, f"catalog_{several[thing]}")) == (verb != "delete")
    for thing in ("variant", "category", "item"):
        getattr(api, f"delete_catalog_{thing}")(identifier)
        assert identifier not in getattr(fresh_account, f"catalog_{several[thing]}")


def test_coupons(client: KlaviyoAPI, clock: SimulatedClock, fresh_account: Account) -> None:
    api = client.Coupons
    assert _plain(api.create_coupon(document("coupon", {"external_id": "SDK"})))["id"] == "SDK"
    api.update_coupon("SDK", document("coupon", {"description": "D"}, identifier="SDK"))
    assert fresh_account.coupons["SDK"]["attributes"]["description"] == "D"
    code = document("coupon-code", {"unique_code": "A"}, coupon=_one("coupon", "SDK"))
    assert _plain(api.create_coupon_code(code))["id"] == "SDK-A"
    api.update_coupon_code("SDK-A", document("coupon-code", {"status": "USED"}, identifier="SDK-A"))
    assert fresh_account.coupon_codes["SDK-A"]["attributes"]["status"] == "USED"
    api.delete_coupon_code("SDK-A")
    job_id = _plain(api.bulk_create_coupon_codes(document("coupon-code-bulk-create-job", {"coupon-codes": {"data": [code["data"]]}})))["id"]
    clock.sleep(11)
    assert _plain(api.get_bulk_create_coupon_codes_job(job_id))["attributes"]["completed_count"] == 1
    assert "SDK-A" in fresh_account.coupon_codes
    api.delete_coupon("SDK")
    assert "SDK" not in fresh_account.coupons


def test_tags(client: KlaviyoAPI, fresh_account: Account) -> None:
    api = client.Tags
    group_id = _plain(api.create_tag_group(document("tag-group", {"name": "G"})))["id"]
    tag_id = _plain(api.create_tag(document("tag", {"name": "T"}, **{"tag-group": _one("tag-group", group_id)})))["id"]
    api.update_tag_group(group_id, document("tag-group", {"name": "H"}, identifier=group_id))
    api.update_tag(tag_id, document("tag", {"name": "U"}, identifier=tag_id))
    assert (fresh_account.tags[tag_id]["attributes"]["name"], fresh_account.tag_groups[group_id]["attributes"]["name"]) == ("U", "H")
    for carriers in ("lists", "segments", "campaigns", "flows"):
        carrier = next(iter(getattr(fresh_account, carriers)))
        tags_of = getattr(fresh_account, f"{carriers[:-1]}_tags")
        getattr(api, f"tag_{carriers}")(tag_id, _many(carriers[:-1], carrier))
        assert tag_id in tags_of[carrier]
        getattr(api, f"remove_tag_from_{carriers}")(tag_id, _many(carriers[:-1], carrier))
        assert tag_id not in tags_of[carrier]
    api.delete_tag(tag_id)
    api.delete_tag_group(group_id)
    assert (tag_id in fresh_account.tags, group_id in fresh_account.tag_groups) == (False, False)


def test_metrics_and_settings(client: KlaviyoAPI, fresh_account: Account) -> None:
    definition = {"aggregation_method": "count", "metric_groups": [{"metric_id": next(iter(fresh_account.metrics))}]}
    custom_id = _plain(client.Metrics.create_custom_metric(document("custom-metric", {"name": "M", "definition": definition})))["id"]
    client.Metrics.update_custom_metric(custom_id, document("custom-metric", {"name": "N"}, identifier=custom_id))
    slot = document("mapped-metric", identifier="revenue", **{"custom-metric": _one("custom-metric", custom_id)})
    client.Metrics.update_mapped_metric("revenue", slot)
    assert fresh_account.mapped_metrics["revenue"]["custom_metric_id"] == custom_id
    client.Metrics.delete_custom_metric(custom_id)
    assert custom_id not in fresh_account.custom_metrics
    review_id, setting_id = next(iter(fresh_account.reviews)), fresh_account.account["id"]
    client.Reviews.update_review(review_id, document("review", {"status": {"value": "featured"}}, identifier=review_id))
    assert fresh_account.reviews[review_id]["attributes"]["status"] == {"value": "featured"}
    client.Tracking_Settings.update_tracking_setting(setting_id, document("tracking-setting", {"auto_add_parameters": False}, identifier=setting_id))
    assert fresh_account.tracking_settings[setting_id]["attributes"]["auto_add_parameters"] is False
    feed = {"name": "f", "url": "https://x.example.com/f", "request_method": "get", "content_type": "json"}
    feed_id = _plain(client.Web_Feeds.create_web_feed(document("web-feed", feed)))["id"]
    client.Web_Feeds.update_web_feed(feed_id, document("web-feed", {"name": "g"}, identifier=feed_id))
    assert fresh_account.web_feeds[feed_id]["attributes"]["name"] == "g"
    client.Web_Feeds.delete_web_feed(feed_id)
    assert feed_id not in fresh_account.web_feeds
    topics = {"webhook-topics": linkage("webhook-topic", list(fresh_account.webhook_topics)[:1])}
    hook = {"name": "W", "endpoint_url": "https://x.example.com/w", "secret_key": "s"}
    webhook_id = _plain(client.Webhooks.create_webhook(document("webhook", hook, **topics)))["id"]
    client.Webhooks.update_webhook(webhook_id, document("webhook", {"enabled": False}, identifier=webhook_id))
    assert fresh_account.webhooks[webhook_id]["attributes"]["enabled"] is False
    client.Webhooks.delete_webhook(webhook_id)
    assert webhook_id not in fresh_account.webhooks
    conversation_id = next(iter(fresh_account.conversations))
    client.Conversations.create_conversation_message(document("conversation-message", {"body": "Hi"}, conversation=_one("conversation", conversation_id)))
    assert [message["body"] for message in fresh_account.conversation_messages] == ["Hi"]


def test_custom_objects(client: KlaviyoAPI, clock: SimulatedClock, fresh_account: Account) -> None:
    api = client.Custom_Objects
    source_id = _plain(api.create_data_source(document("data-source", {"title": "S"})))["id"]
    schema = {"properties": PROPERTIES, "status": "draft", "required": ["name"]}
    type_id = _plain(api.create_object_type(document("object-type", {"title": "O", "object-schema": document("object-schema", schema)})))["id"]
    schema_id = fresh_account.object_types[type_id]["draft_schema_id"]
    mapping_id = fresh_account.object_schemas[schema_id]["source_mapping_id"]
    mapped = {"id": 1, "type": "simple", "source": {"source_id": source_id, "id_path": "$.id", "data_path": "$.name"}}
    api.update_source_mapping(mapping_id, document("source-mapping", {"property_mappings": [mapped]}, identifier=mapping_id))
    api.update_object_schema(schema_id, document("object-schema", {"status": "active"}, identifier=schema_id))
    clock.sleep(6)
    api.get_data_sources()
    assert fresh_account.object_types[type_id]["current_schema_id"] == schema_id
    linked = {"data-source": _one("data-source", source_id)}
    record = document("data-source-record", {"record": {"id": "1", "name": "A"}})
    api.create_data_source_record(document("data-source-record-create-job", {"data-source-record": record}, **linked))
    rows = {"data": [document("data-source-record", {"record": {"id": "2", "name": "B"}})["data"]]}
    api.bulk_create_data_source_records(document("data-source-record-bulk-create-job", {"data-source-records": rows}, **linked))
    clock.sleep(6)
    api.get_data_sources()
    assert {f"{type_id}:::1", f"{type_id}:::2"} <= set(fresh_account.object_records)
    api.bulk_delete_object_records(document("object-record-bulk-delete-job", **{"object-records": linkage("object-record", [f"{type_id}:::1"])}))
    clock.sleep(6)
    api.get_data_sources()
    assert f"{type_id}:::1" not in fresh_account.object_records
    next_id = _plain(api.create_object_schema(document("object-schema", {"title": "O", "properties": []}, **{"object-type": _one("object-type", type_id)})))[
        "id"
    ]
    assert fresh_account.object_types[type_id]["draft_schema_id"] == next_id
    ends = {"object": next_id, "profile": f"{fresh_account.account['id']}-profile-schema"}
    for word, kind in (("object", "object-schema"), ("profile", "profile-object-schema")):
        before = set(fresh_account.object_relationships)
        getattr(api, f"create_{word}_schema_relationship")(schema_id, {"data": [{**_one(kind, ends[word]), "meta": {"name": word}}]})
        (relationship_id,) = set(fresh_account.object_relationships) - before
        meta = {"relationship_id": relationship_id, "description": "D"}
        getattr(api, f"update_{word}_schema_relationship")(schema_id, {"data": {**_one(kind, ends[word]), "meta": meta}})
        assert fresh_account.object_relationships[relationship_id]["description"] == "D"
        gone = {"data": [{**_one(kind, ends[word]), "meta": {"relationship_id": relationship_id}}]}
        getattr(api, f"delete_{word}_schema_relationship")(schema_id, gone)
        assert relationship_id not in fresh_account.object_relationships
    api.delete_object_type(type_id)
    api.delete_data_source(source_id)
    assert (type_id in fresh_account.object_types, source_id in fresh_account.data_sources) == (False, False)
