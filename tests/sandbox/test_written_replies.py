"""What was written is read as Klaviyo describes it, in every way that it can be read."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql.contract import operation
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account, Sandbox

from .conftest import Ask, asker
from .described import hold_against
from .operations import READS, path, variants
from .test_content_writes import DEFINITION, HTML_BLOCK
from .test_object_writes import PROPERTIES
from .writes import document, linkage

EMAIL = {"channel": "email", "label": "L", "content": {"subject": "S"}}


@pytest.fixture
def ask(fresh_account: Account, clock: SimulatedClock) -> Ask:
    return asker(Sandbox(fresh_account, clock=clock, limits=False, entitlements=("webhooks", "custom objects")))


def _bodies(account: Account) -> dict[str, dict[str, Any]]:
    """One body for each collection, of something with as much in it as can be."""
    list_id, metric_id = next(iter(account.lists)), next(iter(account.metrics))
    item = {"external_id": "new", "title": "T", "description": "", "url": "https://x.example.com"}
    message = {"subject_line": "S", "template_id": next(iter(account.templates)), "name": "N"}
    actions = [
        {"temporary_id": "a", "type": "time-delay", "data": {"unit": "days", "value": 1, "timezone": "profile"}, "links": {"next": "b"}},
        {"temporary_id": "b", "type": "send-email", "data": {"message": message}, "links": {"next": None}},
    ]
    flow = {"triggers": [{"type": "list", "id": list_id}], "actions": actions, "entry_action_id": "a"}
    versions = [{"steps": [{"columns": []}, {"columns": []}], "type": "popup"}]
    schema = document("object-schema", {"properties": PROPERTIES, "status": "active"})
    campaign = {"name": "C", "audiences": {"included": [list_id]}, "campaign-messages": {"data": [document("campaign-message", {"definition": EMAIL})["data"]]}}
    group = {"metric_id": metric_id, "value_property": "$value"}
    hook = {"name": "W", "endpoint_url": "https://x.example.com/w", "secret_key": "s"}
    return {
        "campaigns": document("campaign", campaign),
        "catalog-items": document("catalog-item", item),
        "catalog-variants": document(
            "catalog-variant",
            {**item, "sku": "S", "inventory_quantity": 1, "price": 2},
            item={"type": "catalog-item", "id": "$custom:::$default:::new"},
        ),
        "catalog-categories": document("catalog-category", {"external_id": "new", "name": "C"}, items=linkage("catalog-item", ["$custom:::$default:::new"])),
        "coupons": document("coupon", {"external_id": "NEW", "monitor_configuration": {"low_balance_threshold": 100}}),
        "coupon-codes": document("coupon-code", {"unique_code": "A"}, coupon={"type": "coupon", "id": "NEW"}),
        "custom-metrics": document("custom-metric", {"name": "M", "definition": {"aggregation_method": "value", "metric_groups": [group]}}),
        "data-sources": document("data-source", {"title": "S"}),
        "flows": document("flow", {"name": "F", "definition": flow}),
        "forms": document("form", {"name": "F", "status": "draft", "ab_test": False, "definition": {"versions": versions}}),
        "images": document("image", {"import_from_url": "https://x.example.com/a.png"}),
        "object-types": document("object-type", {"title": "O", "object-schema": schema}),
        "tag-groups": document("tag-group", {"name": "G"}),
        "tags": document("tag", {"name": "T"}),
        "template-universal-content": document("template-universal-content", {"name": "U", "definition": HTML_BLOCK}),
        "templates": document("template", {"name": "T", "editor_type": "SYSTEM_DRAGGABLE", "definition": DEFINITION}),
        "web-feeds": document("web-feed", {"name": "f", "url": "https://x.example.com/f", "request_method": "get", "content_type": "json"}),
        "webhooks": document("webhook", hook, **{"webhook-topics": linkage("webhook-topic", list(account.webhook_topics)[:1])}),
    }


def test_everything_new_is_read_as_described(ask: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    made: dict[str, list[str]] = {}
    for collection, body in _bodies(fresh_account).items():
        created = ask(f"/api/{collection}", body)
        assert created.status in (200, 201), created.document
        made[collection] = [created.document["data"]["id"]]
    clock.sleep(10)
    ask("/api/accounts")
    (flow_id,), (campaign_id,), (type_id,) = made["flows"], made["campaigns"], made["object-types"]
    made["flow-actions"] = [action["id"] for action in fresh_account.flow_actions.values() if action["flow_id"] == flow_id]
    made["flow-messages"] = [message["id"] for message in fresh_account.flow_messages.values() if message["action_id"] in made["flow-actions"]]
    made["campaign-messages"] = [message["id"] for message in fresh_account.campaign_messages.values() if message["campaign_id"] == campaign_id]
    made["form-versions"] = [version["id"] for version in fresh_account.form_versions.values() if version["form_id"] == made["forms"][0]]
    made["object-schemas"] = [schema["id"] for schema in fresh_account.object_schemas.values() if schema["type_id"] == type_id]
    made["source-mappings"] = [fresh_account.object_schemas[schema_id]["source_mapping_id"] for schema_id in made["object-schemas"]]
    answered = set()
    for name in READS:
        collection = operation(name).path.split("/")[2]
        if collection not in made or "{" not in operation(name).path:
            continue
        for identifier in made[collection]:
            # Everything that can be asked for, or all there is when nothing can.
            widest = [variant for variant in variants(name) if "fields[" not in variant.replace("additional-fields[", "")][-1]
            answer = ask(path(name, identifier) + widest)
            assert answer.status == 200, (name, answer.document)
            hold_against(name, answer.document)
            answered.add(collection)
    assert answered == set(made)
