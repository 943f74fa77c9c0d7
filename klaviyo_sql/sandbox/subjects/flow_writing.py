"""Writing flows: creating one from a definition, switching it on and off, deleting it, and changing and deleting its actions."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, Endpoint, shown
from klaviyo_sql.sandbox.generation.flows import CHANNELS
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.subjects.template_writing import copied_template
from klaviyo_sql.sandbox.writing import (
    Attributes,
    CreateEndpoint,
    DeleteEndpoint,
    PatchEndpoint,
    Write,
    digits,
    receive,
    refuse_blank,
    short,
    to_the_second,
)

Definition = dict[str, Any]
"""Of an action, or of a whole flow."""

_STATUSES = ("draft", "manual", "live")
_TRIGGERS = {
    "list": "Added to List",
    "segment": "Added to List",
    "metric": "Metric",
    "date": "Date Based",
    "price-drop": "Price Drop",
    "low-inventory": "Low Inventory",
}
"""What the type of a trigger is called in the flow's attributes."""

_STARTED_BY = {"list": "lists", "segment": "segments", "metric": "metrics"}
_SPLITS = ("trigger-split", "conditional-split", "action-output-split")
_DEFINITION = "/data/attributes/definition"


@dataclass(frozen=True, slots=True)
class _Arrow:
    """A place in a definition that names the action that comes next."""

    holder: dict[str, Any]
    name: str
    pointer: str


def _arrows(definition: Definition, pointer: str) -> Iterator[_Arrow]:
    for name in definition.get("links") or {}:
        yield _Arrow(definition["links"], name, f"{pointer}/links/{name}")
    for position, branch in enumerate((definition.get("data") or {}).get("branches") or []):
        for name in branch.get("links") or {}:
            yield _Arrow(branch["links"], name, f"{pointer}/data/branches/{position}/links/{name}")


def _inner(definition: Definition) -> list[Definition]:
    """The actions inside an action: what a test sends, and its variations."""
    data = definition.get("data") or {}
    experiment = data.get("current_experiment") or {}
    return [action for action in (data.get("main_action"), *(experiment.get("variations") or [])) if action is not None]


def _senders(definition: Definition) -> list[Definition]:
    """An action and the ones inside it, as far as they have a message."""
    return [action for action in (definition, *_inner(definition)) if action["type"] in CHANNELS and (action.get("data") or {}).get("message") is not None]


def _check_templates(account: Account, definition: Definition, pointer: str) -> None:
    for action in _senders(definition):
        template_id = action["data"]["message"].get("template_id")
        if template_id is not None and template_id not in account.templates:
            raise RefusedError(invalid(f"Template with id '{template_id}' does not exist", pointer=f"{pointer}/data/message/template_id"))


def _check_new(write: Write) -> None:
    refuse_blank(write.attributes, "name")
    definition = write.attributes["definition"]
    for position, trigger in enumerate(definition["triggers"]):
        collection = _STARTED_BY.get(trigger["type"])
        identifier = trigger.get("id")
        if collection is not None and identifier is not None and identifier not in getattr(write.account, collection):
            detail = f"A {trigger['type']} with id '{identifier}' does not exist."
            raise RefusedError(invalid(detail, pointer=f"{_DEFINITION}/triggers/{position}/id"))
    known: set[str] = set()
    for position, action in enumerate(definition["actions"]):
        pointer = f"{_DEFINITION}/actions/{position}"
        temporary = action.get("temporary_id")
        if action.get("id") is not None or not temporary:
            raise RefusedError(invalid("A new action has a 'temporary_id' and no 'id'.", pointer=f"{pointer}/temporary_id"))
        if temporary in known:
            raise RefusedError(invalid(f"The temporary id '{temporary}' is not unique.", pointer=f"{pointer}/temporary_id"))
        known.add(temporary)
        _check_templates(write.account, action, pointer)
    _check_arrows(definition["actions"], known)
    entry = definition["entry_action_id"]
    if entry not in known and (known or entry is not None):
        raise RefusedError(invalid(f"There is no action '{entry}' to begin with.", pointer=f"{_DEFINITION}/entry_action_id"))


def _check_arrows(actions: list[Definition], known: set[str], pointer: str = f"{_DEFINITION}/actions/{{}}") -> None:
    for position, action in enumerate(actions):
        for arrow in _arrows(action, pointer.format(position)):
            following = arrow.holder[arrow.name]
            if following is not None and following not in known:
                raise RefusedError(invalid(f"There is no action '{following}'.", pointer=arrow.pointer))


def _new_number(write: Write) -> str:
    return next(number for number in iter(lambda: digits(write), "") if number not in write.account.flow_actions)


def _complete(write: Write, flow: Resource) -> None:
    account = write.account
    definition = copy.deepcopy(write.attributes["definition"])
    triggers, actions = definition["triggers"], definition.pop("actions")
    flow["attributes"]["trigger_type"] = _TRIGGERS[triggers[0]["type"]] if triggers else "Unconfigured"
    numbers = {action["temporary_id"]: _new_number(write) for action in actions}
    for action in actions:
        identifier = numbers[action["temporary_id"]]
        action.setdefault("links", dict.fromkeys(("next_if_true", "next_if_false") if action["type"] in _SPLITS else ("next",)))
        for arrow in _arrows(action, ""):
            arrow.holder[arrow.name] = numbers.get(arrow.holder[arrow.name])
        _add_action(write, flow, identifier, action)
    flow["definition"] = {"profile_filter": None, **definition, "entry_action_id": numbers.get(definition["entry_action_id"])}
    for trigger in triggers:
        if trigger["type"] in _STARTED_BY and trigger.get("id") is not None:
            account.flow_triggers[trigger["id"]] = [*account.flow_triggers.get(trigger["id"], []), flow["id"]]


def _add_action(write: Write, flow: Resource, identifier: str, definition: Definition) -> None:
    now = to_the_second(write.call.now)
    kept = {name: value for name, value in definition.items() if name not in ("id", "temporary_id")}
    settled = {"id": identifier, **kept}
    write.account.flow_actions[identifier] = {
        "type": "flow-action",
        "id": identifier,
        "attributes": {"created": now, "updated": now, "definition": settled},
        "flow_id": flow["id"],
    }
    for inner in _inner(settled):
        inner.pop("temporary_id", None)
        inner["id"] = _new_number(write)
    for sender in _senders(settled):
        sender["data"].setdefault("status", "draft")
        _add_message(write, identifier, sender)


def _add_message(write: Write, action_id: str, action: Definition) -> None:
    account, now = write.account, to_the_second(write.call.now)
    sent = action["data"]["message"]
    identifier = short("flow_messages")(write)
    message = {**sent, "id": identifier, "name": sent.get("name") or f"{CHANNELS[action['type']]} message"}
    if message.get("template_id") is not None:
        message["template_id"] = _own_template(write, message["template_id"])
    action["data"]["message"] = message
    account.flow_messages[identifier] = {
        "type": "flow-message",
        "id": identifier,
        "attributes": {"channel": CHANNELS[action["type"]], "definition": message, "created": now, "updated": now},
        "action_id": action_id,
        "template_id": message.get("template_id"),
    }


def _own_template(write: Write, template_id: str) -> str:
    """The id of a copy: a message does not follow what becomes of the template that it was made with."""
    return str(copied_template(write, write.account.templates[template_id], f"Clone of {template_id}", listed=False)["id"])


_CREATE = CreateEndpoint(
    "flow",
    "flows",
    short("flows"),
    defaults={"status": "draft", "archived": False},
    stamps=("created", "updated"),
    check=_check_new,
    complete=_complete,
    unstored=frozenset(("definition",)),
)


def _create(call: Call) -> dict[str, Any]:
    """Recorded: the reply has the definition, which is not asked for."""
    flow = _CREATE.create(receive(call))
    return shown(call, "flow created", flow | {"attributes": flow["attributes"] | definition_of(call.account, flow)})


def definition_of(account: Account, flow: Resource) -> dict[str, Any]:
    """The definition of a flow, put together from its actions and from what starts it."""
    actions = [account.flow_actions[identifier] for identifier in account.pointing("flow_actions", "flow_id").get(flow["id"], [])]
    definitions = [action["attributes"]["definition"] for action in actions]
    if "definition" in flow:
        return {"definition": {**flow["definition"], "actions": definitions}}
    triggers = [identifier for identifier, flows in account.flow_triggers.items() if flow["id"] in flows]
    return {
        "definition": {
            "triggers": [
                {"type": name, "id": identifier} for identifier in triggers for name, kept in _STARTED_BY.items() if identifier in getattr(account, kept)
            ],
            "profile_filter": None,
            "actions": definitions,
            "entry_action_id": actions[0]["id"] if actions else None,
            "reentry_criteria": None,
        }
    }


def _actions(account: Account, flow_id: str) -> list[Resource]:
    return [action for action in account.flow_actions.values() if action["flow_id"] == flow_id]


def _check_status(write: Write, flow: Resource) -> None:
    status = write.attributes["status"]
    if status not in _STATUSES:
        raise RefusedError(invalid(f"{status!r} is not a valid status. Allowed: {', '.join(_STATUSES)}.", pointer="/data/attributes/status"))


def _switch(write: Write, flow: Resource, attributes: Attributes) -> None:
    """The actions get the status of the flow."""
    for action in _actions(write.account, flow["id"]):
        definition = copy.deepcopy(action["attributes"]["definition"])
        for part in (definition, *_inner(definition)):
            if "status" in (part.get("data") or {}):
                part["data"]["status"] = attributes["status"]
        action["attributes"] = action["attributes"] | {"definition": definition, "updated": attributes["updated"]}


def _forget_flow(call: Call, flow: Resource) -> None:
    account = call.account
    for action in _actions(account, flow["id"]):
        del account.flow_actions[action["id"]]
        _forget_messages(account, action["id"])
    account.flow_tags.pop(flow["id"], None)
    account.flow_triggers.update({started: [other for other in flows if other != flow["id"]] for started, flows in account.flow_triggers.items()})


def _forget_messages(account: Account, action_id: str) -> None:
    for message in [message for message in account.flow_messages.values() if message["action_id"] == action_id]:
        del account.flow_messages[message["id"]]
        account.templates.pop(message["template_id"] or "", None)


def _check_action(write: Write, action: Resource) -> None:
    definition = write.attributes["definition"]
    known = action["attributes"]["definition"]
    if definition.get("temporary_id") is not None or definition.get("id") not in (None, action["id"]):
        raise RefusedError(invalid(f"The id of the action is '{action['id']}'.", pointer=f"{_DEFINITION}/id"))
    if definition["type"] != known["type"]:
        raise RefusedError(invalid(f"The type of an action cannot be changed; it is '{known['type']}'.", pointer=f"{_DEFINITION}/type"))
    _check_templates(write.account, definition, _DEFINITION)
    _check_arrows([definition], {other["id"] for other in _actions(write.account, action["flow_id"])} - {action["id"]}, _DEFINITION)


def _change_action(write: Write, action: Resource, attributes: Attributes) -> None:
    """What was sent of the links and of the data replaces what there was; messages keep their ids, and a template that is another one is copied."""
    account = write.account
    known, sent = action["attributes"]["definition"], copy.deepcopy(write.attributes["definition"])
    settled = {name: sent[name] if sent.get(name) is not None else known[name] for name in ("type", "data", "links") if name in sent or name in known}
    attributes["definition"] = {"id": action["id"], **settled}
    if sent.get("data") is None:
        return
    former = {sender["data"]["message"]["id"]: sender["data"]["message"] for sender in _senders(known)}
    kept: set[str] = set()
    for position, sender in enumerate(_senders(attributes["definition"])):
        message = sender["data"]["message"]
        identifier = message.get("id") or (list(former)[position] if position < len(former) else "")
        if identifier not in former:
            message.pop("id", None)
            _add_message(write, action["id"], sender)
        else:
            _change_message(write, identifier, sender, former[identifier])
        kept.add(sender["data"]["message"]["id"])
    for identifier in set(former) - kept:
        account.templates.pop(account.flow_messages.pop(identifier)["template_id"] or "", None)
    for inner in _inner(attributes["definition"]):
        inner.pop("temporary_id", None)
        inner["id"] = inner.get("id") or _new_number(write)


def _change_message(write: Write, identifier: str, sender: Definition, former: dict[str, Any]) -> None:
    account = write.account
    message = {**former, **sender["data"]["message"], "id": identifier}
    if message.get("template_id") != former.get("template_id"):
        account.templates.pop(former.get("template_id") or "", None)
        message["template_id"] = _own_template(write, message["template_id"]) if message["template_id"] is not None else None
    sender["data"] = {**sender["data"], "message": message}
    stored = account.flow_messages[identifier]
    stored["attributes"] = stored["attributes"] | {"definition": message, "updated": to_the_second(write.call.now)}
    stored["template_id"] = message.get("template_id")


def _forget_action(call: Call, action: Resource) -> None:
    """What led to the action leads to what came after it."""
    account = call.account
    links = action["attributes"]["definition"].get("links") or {}
    following = links.get("next") or links.get("next_if_true")
    for other in _actions(account, action["flow_id"]):
        definition = copy.deepcopy(other["attributes"]["definition"])
        for arrow in _arrows(definition, ""):
            if arrow.holder[arrow.name] == action["id"]:
                arrow.holder[arrow.name] = following
        other["attributes"] = other["attributes"] | {"definition": definition}
    flow = account.flows[action["flow_id"]]
    if flow.get("definition", {}).get("entry_action_id") == action["id"]:
        flow["definition"] = flow["definition"] | {"entry_action_id": following}
    _forget_messages(account, action["id"])


ENDPOINTS: dict[str, Endpoint] = {
    "create_flow": ActionEndpoint(_create),
    "update_flow": PatchEndpoint("flow", stamps=("updated",), check=_check_status, apply=_switch),
    "delete_flow": DeleteEndpoint("flow", "flows", after=_forget_flow),
    "update_flow_action": PatchEndpoint("flow-action", stamps=("updated",), check=_check_action, apply=_change_action),
    "delete_flow_action": DeleteEndpoint("flow-action", "flow_actions", after=_forget_action),
}
