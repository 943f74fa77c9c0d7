"""How the schemas of custom objects relate to each other and to profiles: relating, renaming, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, Endpoint, require
from klaviyo_sql.sandbox.problems import RefusedError, conflict, invalid, not_found
from klaviyo_sql.sandbox.writing import receive, refuse_too_many, timed


def _link(other: str) -> tuple[str, Callable[[Account, str], Resource | None]]:
    """Under which name a relationship keeps what it leads to, and how that is found."""
    if other == "object":
        return "other_schema_id", lambda account, identifier: account.object_schemas.get(identifier)
    return "profile_schema_id", _profile_schema


def _profile_schema(account: Account, identifier: str) -> Resource | None:
    """There is one for all profiles, which nobody makes."""
    own = profile_schema_id(account)
    return {"id": own, "type_id": f"{account.account['id']}-profile"} if identifier == own else None


def profile_schema_id(account: Account) -> str:
    """The id of the schema of profiles."""
    return f"{account.account['id']}-profile-schema"


def _relate(other: str) -> Endpoint:
    end, find = _link(other)

    def create(call: Call) -> None:
        write = receive(call)
        schema = require(call, "object-schema")
        sent: list[dict[str, Any]] = write.document["data"]
        refuse_too_many(len(sent), None, "/data")
        for position, item in enumerate(sent):
            if find(call.account, item["id"]) is None:
                raise RefusedError(not_found(f"{item['type']} with id `{item['id']}` does not exist.", pointer=f"/data/{position}/id"))
            if not (item.get("meta") or {}).get("name", "").strip():
                raise RefusedError(invalid("The name of the relationship is required.", pointer=f"/data/{position}/meta/name"))
        names = [link["name"] for link in call.account.object_relationships.values() if link["schema_id"] == schema["id"]]
        for position, item in enumerate(sent):
            if item["meta"]["name"] in names:
                raise RefusedError(conflict(f"The schema has a relationship '{item['meta']['name']}' already.", pointer=f"/data/{position}/meta/name"))
            names.append(item["meta"]["name"])
        for item in sent:
            found = find(call.account, item["id"]) or {}
            ends = dict.fromkeys(("other_type_id", "other_schema_id", "profile_type_id", "profile_schema_id"))
            ends |= {end: item["id"], end.replace("schema", "type"): found["type_id"]}
            told = {"name": item["meta"]["name"], "description": item["meta"].get("description")}
            call.account.object_relationships[timed(write)] = {**told, "type_id": schema["type_id"], "schema_id": schema["id"], **ends}
        call.account.changed(events=False)

    return ActionEndpoint(create)


def _related(call: Call, end: str, item: dict[str, Any], pointer: str) -> str:
    """The id of the relationship that was named, if it is one between these two."""
    schema = require(call, "object-schema")
    relationship_id: str | None = (item.get("meta") or {}).get("relationship_id")
    link = call.account.object_relationships.get(relationship_id or "")
    if relationship_id is None or link is None or (link["schema_id"], link[end]) != (schema["id"], item["id"]):
        raise RefusedError(not_found(f"relationship with id `{relationship_id}` does not exist.", pointer=f"{pointer}/meta/relationship_id"))
    return relationship_id


def _rename(other: str) -> Endpoint:
    end, _ = _link(other)

    def change(call: Call) -> None:
        write = receive(call)
        relationship_id = _related(call, end, write.data, "/data")
        sent = {name: value for name, value in write.data["meta"].items() if name == "description" or (name == "name" and value is not None)}
        links = call.account.object_relationships
        links[relationship_id] = links[relationship_id] | sent
        call.account.changed(events=False)

    return ActionEndpoint(change)


def _unrelate(other: str) -> Endpoint:
    end, _ = _link(other)

    def delete(call: Call) -> None:
        write = receive(call)
        require(call, "object-schema")
        sent: list[dict[str, Any]] = write.document["data"]
        refuse_too_many(len(sent), None, "/data")
        for relationship_id in [_related(call, end, item, f"/data/{position}") for position, item in enumerate(sent)]:
            call.account.object_relationships.pop(relationship_id, None)
        call.account.changed(events=False)

    return ActionEndpoint(delete)


ENDPOINTS: dict[str, Endpoint] = {
    "create_object_schema_relationship": _relate("object"),
    "update_object_schema_relationship": _rename("object"),
    "delete_object_schema_relationship": _unrelate("object"),
    "create_profile_schema_relationship": _relate("profile"),
    "update_profile_schema_relationship": _rename("profile"),
    "delete_profile_schema_relationship": _unrelate("profile"),
}
