"""Creating and deleting forms; nothing about one can be changed."""

from __future__ import annotations

from typing import Any

from klaviyo_sql.sandbox.account import Resource
from klaviyo_sql.sandbox.endpoints import Call, Endpoint
from klaviyo_sql.sandbox.generation.identifiers import ulid
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.writing import CreateEndpoint, DeleteEndpoint, Write, refuse_blank, short

_FEWEST_STEPS = 2
_TYPES = {"full_screen": "full_page"}
"""What definitions call otherwise than versions do."""

_NUMBERED = frozenset(("steps", "columns", "rows", "blocks", "triggers", "teasers"))
"""Lists in a definition whose elements get an id, unless they have one."""


def _check(write: Write) -> None:
    refuse_blank(write.attributes, "name")
    place = "/data/attributes/definition/versions"
    versions = write.attributes["definition"]["versions"]
    if not versions:
        raise RefusedError(invalid("At least one version is required.", pointer=place))
    for position, version in enumerate(versions):
        if len(version["steps"]) < _FEWEST_STEPS:
            raise RefusedError(invalid("Versions must have at least two steps", pointer=f"{place}/{position}"))
    if write.attributes["ab_test"] != (len(versions) > 1):
        raise RefusedError(invalid("Several versions are an A/B test, and an A/B test has several versions.", pointer="/data/attributes/ab_test"))


def _complete(write: Write, form: Resource) -> None:
    attributes = form["attributes"]
    versions = []
    number = max((int(identifier) for identifier in write.account.form_versions), default=0)
    for position, sent in enumerate(attributes["definition"]["versions"]):
        number += 1
        name = sent.get("name") or f"V{position + 1}"
        version = {"type": "popup", "status": "draft", "triggers": [], **_numbered(write, sent), "id": number, "name": name}
        versions.append(version)
        write.account.form_versions[str(number)] = {
            "type": "form-version",
            "id": str(number),
            "attributes": {
                "form_type": _TYPES.get(version["type"], version["type"]),
                "variation_name": name,
                "ab_test": {"variation_name": attributes["name"]} if attributes["ab_test"] else None,
                "status": version["status"],
                "created_at": attributes["created_at"],
                "updated_at": attributes["updated_at"],
            },
            "form_id": form["id"],
        }
    attributes["definition"] = {"versions": versions}


def _numbered(write: Write, value: Any, *, named: bool = False) -> Any:
    """The same again, with ids wherever Klaviyo gives them."""
    if isinstance(value, list):
        return [_numbered(write, element, named=named) for element in value]
    if not isinstance(value, dict):
        return value
    inner = {name: _numbered(write, element, named=name in _NUMBERED or name == "action") for name, element in value.items()}
    if named and inner.get("id") is None:
        return {"id": ulid(write.account.random, int(write.call.now.timestamp() * 1000)), **{name: element for name, element in inner.items() if name != "id"}}
    return inner


def _forget(call: Call, form: Resource) -> None:
    versions = call.account.form_versions
    for identifier in [version["id"] for version in versions.values() if version["form_id"] == form["id"]]:
        del versions[identifier]


ENDPOINTS: dict[str, Endpoint] = {
    "create_form": CreateEndpoint("form by id", "forms", short("forms"), stamps=("created_at", "updated_at"), check=_check, complete=_complete),
    "delete_form": DeleteEndpoint("form", "forms", after=_forget),
}
