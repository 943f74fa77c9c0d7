"""Flows and their actions, written."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account

from .conftest import Ask
from .described import hold_against
from .writes import document, refusal

DELAY = {"unit": "days", "value": 1, "timezone": "profile"}
PLACE = "/data/attributes/definition"


def _delay(name: str, following: str | None = None) -> dict[str, Any]:
    return {"temporary_id": name, "type": "time-delay", "data": dict(DELAY), "links": {"next": following}}


def _email(name: str, template: str | None, following: str | None = None) -> dict[str, Any]:
    message = {"subject_line": "S", "template_id": template, "name": "Hello"}
    return {"temporary_id": name, "type": "send-email", "data": {"message": message}, "links": {"next": following}}


def _flow(account: Account, actions: list[dict[str, Any]], **definition: Any) -> dict[str, Any]:
    triggers = [{"type": "list", "id": next(iter(account.lists))}]
    entry = actions[0].get("temporary_id") if actions else None
    return document("flow", {"name": "New", "definition": {"triggers": triggers, "actions": actions, "entry_action_id": entry, **definition}})


@pytest.fixture
def template(send: Ask) -> str:
    sent = document("template", {"name": "T", "editor_type": "CODE", "html": "<p>hi</p>"})
    return str(send("/api/templates", sent).document["data"]["id"])


@pytest.fixture
def flow(send: Ask, fresh_account: Account, template: str) -> dict[str, Any]:
    """A delay, a split, an email on one side and nothing on the other."""
    split = {"temporary_id": "b", "type": "conditional-split", "data": {"profile_filter": None}, "links": {"next_if_true": "c", "next_if_false": None}}
    created = send("/api/flows", _flow(fresh_account, [_delay("a", "b"), split, _email("c", template)]))
    assert created.status == 201, created.document
    hold_against("create_flow", created.document)
    data: dict[str, Any] = created.document["data"]
    return data


def test_a_flow_is_created(send: Ask, fresh_account: Account, flow: dict[str, Any], template: str) -> None:
    attributes = flow["attributes"]
    assert (attributes["status"], attributes["archived"], attributes["trigger_type"]) == ("draft", False, "Added to List")
    definition = attributes["definition"]
    delay, split, email = definition["actions"]
    assert definition["entry_action_id"] == delay["id"]
    assert "temporary_id" not in str(definition)
    assert delay["links"] == {"next": split["id"]}
    assert split["links"] == {"next_if_true": email["id"], "next_if_false": None}
    assert set(fresh_account.flow_actions) >= {delay["id"], split["id"], email["id"]}
    message = email["data"]["message"]
    assert email["data"]["status"] == "draft"
    # The message has a template of its own.
    assert message["template_id"] not in (None, template)
    assert message["template_id"] not in send("/api/templates?sort=-created").ids
    list_id = next(iter(fresh_account.lists))
    assert flow["id"] in send(f"/api/lists/{list_id}/flow-triggers").ids
    read = send(f"/api/flows/{flow['id']}?additional-fields[flow]=definition").document["data"]
    assert read["attributes"]["definition"] == definition
    assert "definition" not in send(f"/api/flows/{flow['id']}").document["data"]["attributes"]
    assert send(f"/api/flow-actions/{email['id']}/flow-messages").ids == [message["id"]]
    assert refusal(send(f"/api/templates/{message['template_id']}", method="DELETE")) == (409, ["/data"])
    assert flow["id"] in send("/api/flows?sort=-created").ids


@pytest.mark.parametrize(
    ("trigger", "trigger_type"),
    [
        ({"type": "segment"}, "Added to List"),
        ({"type": "metric"}, "Metric"),
        (None, "Unconfigured"),
    ],
)
def test_what_starts_a_flow(send: Ask, fresh_account: Account, trigger: dict[str, Any] | None, trigger_type: str) -> None:
    triggers = [] if trigger is None else [{**trigger, "id": next(iter(getattr(fresh_account, f"{trigger['type']}s")))}]
    created = send("/api/flows", _flow(fresh_account, [_delay("a")], triggers=triggers))
    assert created.status == 201, created.document
    assert created.document["data"]["attributes"]["trigger_type"] == trigger_type


def test_a_test_has_a_message_for_each_variation(send: Ask, fresh_account: Account, template: str) -> None:
    main, other = _email("m", template), _email("o", template)
    data = {"status": "draft", "experiment_status": "draft", "main_action": main, "current_experiment": {"name": "E", "variations": [other]}}
    created = send("/api/flows", _flow(fresh_account, [{"temporary_id": "a", "type": "ab-test", "data": data, "links": {"next": None}}]))
    assert created.status == 201, created.document
    (action,) = created.document["data"]["attributes"]["definition"]["actions"]
    assert len(send(f"/api/flow-actions/{action['id']}/flow-messages").ids) == 2
    assert "temporary_id" not in str(action)


@pytest.mark.parametrize(
    ("actions", "definition", "pointer"),
    [
        ([_delay("a", "b")], {}, "actions/0/links/next"),
        ([_delay("a"), _delay("a")], {}, "actions/1/temporary_id"),
        ([{**_delay("a"), "id": "1"}], {}, "actions/0/temporary_id"),
        ([{"type": "time-delay", "data": DELAY}], {}, "actions/0/temporary_id"),
        ([_delay("a")], {"entry_action_id": "b"}, "entry_action_id"),
        ([_delay("a")], {"entry_action_id": None}, "entry_action_id"),
        ([_email("a", "NOPE01")], {}, "actions/0/data/message/template_id"),
        ([_delay("a")], {"triggers": [{"type": "list", "id": "NOPE01"}]}, "triggers/0/id"),
        ([{**_delay("a"), "data": {**DELAY, "unit": "years"}}], {}, "actions/0/data/unit"),
    ],
)
def test_flows_that_are_refused(send: Ask, fresh_account: Account, actions: list[dict[str, Any]], definition: dict[str, Any], pointer: str) -> None:
    before = len(fresh_account.flows), len(fresh_account.flow_actions), len(fresh_account.templates)
    status, pointers = refusal(send("/api/flows", _flow(fresh_account, actions, **definition)))
    assert status == 400
    assert f"{PLACE}/{pointer}" in pointers
    assert (len(fresh_account.flows), len(fresh_account.flow_actions), len(fresh_account.templates)) == before


def test_a_flow_is_switched(send: Ask, clock: SimulatedClock, fresh_account: Account, flow: dict[str, Any]) -> None:
    clock.sleep(60)
    target = f"/api/flows/{flow['id']}"
    changed = send(target, document("flow", {"status": "live"}, identifier=flow["id"]), method="PATCH")
    assert changed.status == 200
    hold_against("update_flow", changed.document)
    assert fresh_account.flows[flow["id"]]["attributes"]["status"] == "live"
    actions = send(f"{target}/flow-actions").document["data"]
    assert [action["attributes"]["definition"]["data"].get("status") for action in actions] == [None, None, "live"]
    assert refusal(send(target, document("flow", {"status": "on"}, identifier=flow["id"]), method="PATCH")) == (400, ["/data/attributes/status"])
    renamed = document("flow", {"status": "live", "name": "B"}, identifier=flow["id"])
    assert refusal(send(target, renamed, method="PATCH")) == (400, ["/data/attributes/name"])


def test_a_flow_is_deleted_with_what_it_has(send: Ask, fresh_account: Account, flow: dict[str, Any], template: str) -> None:
    delay, split, email = flow["attributes"]["definition"]["actions"]
    message = email["data"]["message"]
    assert send(f"/api/flows/{flow['id']}", method="DELETE").status == 204
    assert send(f"/api/flows/{flow['id']}").status == 404
    assert not {delay["id"], split["id"], email["id"]} & set(fresh_account.flow_actions)
    assert message["id"] not in fresh_account.flow_messages
    assert message["template_id"] not in fresh_account.templates
    assert template in fresh_account.templates
    assert flow["id"] not in send(f"/api/lists/{next(iter(fresh_account.lists))}/flow-triggers").ids
    assert refusal(send(f"/api/flows/{flow['id']}", method="DELETE")) == (404, ["/data/"])


def _change(send: Ask, action_id: str, definition: dict[str, Any]) -> Any:
    body = document("flow-action", {"definition": definition}, identifier=action_id)
    return send(f"/api/flow-actions/{action_id}", body, method="PATCH")


def test_an_action_is_changed(send: Ask, fresh_account: Account, flow: dict[str, Any], template: str) -> None:
    delay, split, email = flow["attributes"]["definition"]["actions"]
    changed = _change(send, delay["id"], {"id": delay["id"], "type": "time-delay", "data": {**DELAY, "value": 3}})
    assert changed.status == 200, changed.document
    hold_against("update_flow_action", changed.document)
    stored = fresh_account.flow_actions[delay["id"]]["attributes"]["definition"]
    assert stored == {"id": delay["id"], "type": "time-delay", "data": {**DELAY, "value": 3}, "links": {"next": split["id"]}}
    message = email["data"]["message"]
    subject = {"id": email["id"], "type": "send-email", "data": {"message": {"subject_line": "Other"}, "status": "manual"}}
    assert _change(send, email["id"], subject).status == 200
    found = send(f"/api/flow-messages/{message['id']}").document["data"]
    assert (found["attributes"]["definition"]["subject_line"], found["attributes"]["definition"]["template_id"]) == ("Other", message["template_id"])
    subject["data"]["message"] = {"template_id": template}
    assert _change(send, email["id"], subject).status == 200
    copied = fresh_account.flow_messages[message["id"]]["template_id"]
    assert copied not in (template, message["template_id"])
    assert message["template_id"] not in fresh_account.templates


def test_what_an_action_cannot_become(send: Ask, flow: dict[str, Any]) -> None:
    delay, _, email = flow["attributes"]["definition"]["actions"]
    assert refusal(_change(send, delay["id"], {"type": "back-in-stock-delay"})) == (400, [f"{PLACE}/type"])
    assert refusal(_change(send, delay["id"], {"id": "1", "type": "time-delay", "data": DELAY})) == (400, [f"{PLACE}/id"])
    away = {"type": "time-delay", "data": DELAY, "links": {"next": "1"}}
    assert refusal(_change(send, delay["id"], away)) == (400, [f"{PLACE}/links/next"])
    itself = {"type": "time-delay", "data": DELAY, "links": {"next": delay["id"]}}
    assert refusal(_change(send, delay["id"], itself)) == (400, [f"{PLACE}/links/next"])
    unknown = {"type": "send-email", "data": {"message": {"template_id": "NOPE01"}}}
    assert refusal(_change(send, email["id"], unknown)) == (400, [f"{PLACE}/data/message/template_id"])
    assert refusal(_change(send, "x", {"type": "time-delay", "data": DELAY})) == (400, ["/data/id"])
    assert refusal(_change(send, "1", {"type": "time-delay", "data": DELAY})) == (404, ["/data/"])


def test_what_led_to_a_deleted_action_leads_on(send: Ask, fresh_account: Account, flow: dict[str, Any]) -> None:
    delay, split, email = flow["attributes"]["definition"]["actions"]
    assert send(f"/api/flow-actions/{split['id']}", method="DELETE").status == 204
    assert fresh_account.flow_actions[delay["id"]]["attributes"]["definition"]["links"] == {"next": email["id"]}
    assert send(f"/api/flow-actions/{delay['id']}", method="DELETE").status == 204
    read = send(f"/api/flows/{flow['id']}?additional-fields[flow]=definition").document["data"]["attributes"]["definition"]
    assert read["entry_action_id"] == email["id"]
    assert send(f"/api/flow-actions/{email['id']}", method="DELETE").status == 204
    assert email["data"]["message"]["id"] not in fresh_account.flow_messages
    assert send(f"/api/flows/{flow['id']}/flow-actions").ids == []
    assert refusal(send(f"/api/flow-actions/{email['id']}", method="DELETE")) == (404, ["/data/"])
