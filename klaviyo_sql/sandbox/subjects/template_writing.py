"""Writing templates and universal content: creating, changing, deleting, cloning; and rendering, as far as variables go."""

from __future__ import annotations

import copy
import re
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, Endpoint, shown
from klaviyo_sql.sandbox.generation.identifiers import ulid
from klaviyo_sql.sandbox.problems import RefusedError, conflict, invalid, not_imitated
from klaviyo_sql.sandbox.writing import (
    Attributes,
    CreateEndpoint,
    DeleteEndpoint,
    PatchEndpoint,
    Write,
    receive,
    refuse_blank,
    short,
    to_the_microsecond,
    to_the_second,
)

MOST_TEMPLATES = 1000
"""How many an account has when the API makes no more."""

_HTML_EDITORS = ("CODE", "USER_DRAGGABLE")
_BLOCK_EDITOR = "SYSTEM_DRAGGABLE"
_CHANGEABLE_BLOCKS = frozenset(("button", "drop_shadow", "horizontal_rule", "html", "image", "spacer", "text"))
_EMPTY_PAGE = "<html><head></head><body></body></html>"
_VARIABLE = re.compile(r"""\{\{\s*([\w.]+)\s*(?:\|\s*default:\s*(?:"([^"]*)"|'([^']*)')\s*)?\}\}""")
_LINKS = re.compile(r"\{%\s*(?:unsubscribe|unsubscribe_link|manage_preferences|manage_preferences_link|web_view|web_view_link)\b[^%]*%\}")


def _refuse_full(account: Account) -> None:
    if sum(1 for template in account.templates.values() if template["listed"]) >= MOST_TEMPLATES:
        raise RefusedError(invalid(f"The account has {MOST_TEMPLATES} templates, which is the most that the API creates.", pointer="/data"))


def _check_new(write: Write) -> None:
    _refuse_full(write.account)
    refuse_blank(write.attributes, "name")
    editor = write.attributes["editor_type"]
    if editor not in (*_HTML_EDITORS, _BLOCK_EDITOR):
        raise RefusedError(invalid(f"{editor!r} is not a valid editor type.", pointer="/data/attributes/editor_type"))
    needed, other = ("definition", "html") if editor == _BLOCK_EDITOR else ("html", "definition")
    if write.attributes.get(needed) is None:
        raise RefusedError(invalid(f"'{needed}' is required for a template of type {editor}.", pointer=f"/data/attributes/{needed}"))
    _refuse_other(write, editor, other)


def _refuse_other(write: Write, editor: str, other: str) -> None:
    if write.attributes.get(other) is not None:
        raise RefusedError(invalid(f"'{other}' is not allowed for a template of type {editor}.", pointer=f"/data/attributes/{other}"))


def _complete(write: Write, template: Resource) -> None:
    template["listed"] = True
    _normalize(write, template["id"], template["attributes"])


def _normalize(write: Write, identifier: str, attributes: Attributes) -> None:
    """A template is a whole page, whatever was sent; what is dragged and dropped has ids."""
    if attributes.get("definition") is not None:
        definition = copy.deepcopy(attributes["definition"])
        moment = int(write.call.now.timestamp() * 1000)
        definition |= {"id": ulid(write.account.random, moment), "template_id": identifier}
        definition["body"] |= {"id": ulid(write.account.random, moment)}
        attributes["definition"] = definition
        attributes["html"] = attributes["html"] or _EMPTY_PAGE
        return
    html = attributes["html"]
    if "<body" not in html:
        html = f"<body>{html}</body>" if "<html" not in html else html
    if "<html" not in html:
        html = f"<html>{html}</html>"
    if "<head" not in html:
        html = re.sub(r"(<html[^>]*>)", r"\1<head></head>", html, count=1)
    attributes["html"] = html


def _check_change(write: Write, template: Resource) -> None:
    refuse_blank(write.attributes, "name")
    editor = template["attributes"]["editor_type"]
    needed, other = ("definition", "html") if editor == _BLOCK_EDITOR else ("html", "definition")
    if needed in write.attributes and write.attributes[needed] is None:
        raise RefusedError(invalid("This may not be null.", pointer=f"/data/attributes/{needed}"))
    _refuse_other(write, editor, other)


def _change(write: Write, template: Resource, attributes: Attributes) -> None:
    attributes.setdefault("definition", None)
    if "html" in write.attributes or "definition" in write.attributes:
        attributes["html"] = attributes["html"] if attributes["html"] is not None else template["attributes"]["html"]
        _normalize(write, template["id"], attributes)


def _refuse_attached(call: Call, template: Resource) -> None:
    for message in call.account.flow_messages.values():
        if message["template_id"] == template["id"]:
            # Recorded, with the line break.
            raise RefusedError(conflict(f"Cannot delete template {template['id']} while it is attached to\nFlowMessage {message['id']}"))


def _detach(call: Call, template: Resource) -> None:
    for message in call.account.campaign_messages.values():
        if message["template_id"] == template["id"]:
            message["template_id"] = None


def copied_template(write: Write, template: Resource, name: str, *, listed: bool) -> Resource:
    """A new template with the same content; those that belong to messages are not `listed`."""
    now = to_the_second(write.call.now)
    copied: Resource = {
        "type": "template",
        "id": short("templates")(write),
        "attributes": {**copy.deepcopy(template["attributes"]), "name": name, "created": now, "updated": now},
        "listed": listed,
    }
    if copied["attributes"].get("definition") is not None:
        copied["attributes"]["definition"]["template_id"] = copied["id"]
    write.account.templates[copied["id"]] = copied
    return copied


def _clone(call: Call) -> dict[str, Any]:
    write = receive(call)
    template = write.require("template", write.data["id"], "/data/id")
    _refuse_full(call.account)
    refuse_blank({name: value for name, value in write.attributes.items() if value is not None}, "name")
    copied = copied_template(write, template, write.attributes.get("name") or f"Clone of {template['attributes']['name']}", listed=True)
    call.account.changed(events=False)
    return shown(call, "template", copied)


def _render(call: Call) -> dict[str, Any]:
    """Variables, with a default or without; a template that has other tags than links is not rendered here."""
    write = receive(call)
    template = write.require("template", write.data["id"], "/data/id")
    attributes = template["attributes"]
    rendered = {name: _filled(attributes[name], write.attributes["context"]) if attributes[name] is not None else None for name in ("html", "text", "amp")}
    return shown(call, "template", template | {"attributes": attributes | rendered})


def _filled(text: str, context: dict[str, Any]) -> str:
    def value(found: re.Match[str]) -> str:
        reached: Any = context
        for part in found[1].split("."):
            reached = reached.get(part) if isinstance(reached, dict) else None
        return str(reached) if reached not in (None, "", False) else found[2] or found[3] or ""

    remaining = _LINKS.sub("", _VARIABLE.sub("", text))
    if "{{" in remaining or "{%" in remaining:
        raise RefusedError(not_imitated("The sandbox renders variables with and without a default, and no other tags."))
    return _VARIABLE.sub(value, text)


def _content_id(write: Write) -> str:
    return f"{write.account.random.getrandbits(128):032x}"


def _check_content(write: Write, content: Resource | None = None) -> None:
    refuse_blank(write.attributes, "name")
    if "definition" not in write.attributes:
        return
    if write.attributes["definition"] is None:
        raise RefusedError(invalid("This may not be null.", pointer="/data/attributes/definition"))
    known = (content["attributes"]["definition"] or {}).get("type") if content is not None else None
    if known is None:
        return
    if known not in _CHANGEABLE_BLOCKS:
        raise RefusedError(invalid(f"The definition of a block of type '{known}' cannot be updated.", pointer="/data/attributes/definition"))
    if write.attributes["definition"]["type"] != known:
        raise RefusedError(invalid(f"The type of a block cannot be changed; it is '{known}'.", pointer="/data/attributes/definition/type"))


ENDPOINTS: dict[str, Endpoint] = {
    "create_template": CreateEndpoint(
        "template",
        "templates",
        short("templates"),
        defaults={"html": None, "text": None, "amp": None, "definition": None},
        stamps=("created", "updated"),
        check=_check_new,
        complete=_complete,
    ),
    "update_template": PatchEndpoint("template", stamps=("updated",), check=_check_change, apply=_change),
    "delete_template": DeleteEndpoint("template", "templates", check=_refuse_attached, after=_detach),
    "clone_template": ActionEndpoint(_clone),
    "render_template": ActionEndpoint(_render),
    "create_universal_content": CreateEndpoint(
        "template-universal-content",
        "universal_content",
        _content_id,
        defaults={"screenshot_status": "never_generated", "screenshot_url": ""},
        stamps=("created", "updated"),
        moment=to_the_microsecond,
        check=_check_content,
    ),
    "update_universal_content": PatchEndpoint("template-universal-content", stamps=("updated",), moment=to_the_microsecond, check=_check_content),
    "delete_universal_content": DeleteEndpoint("template-universal-content", "universal_content"),
}
