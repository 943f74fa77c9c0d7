"""Writing custom objects: types, schemas, how schemas relate and where their records come from, data sources, and records."""

from __future__ import annotations

from collections import Counter
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, Endpoint, shown
from klaviyo_sql.sandbox.problems import RefusedError, conflict, invalid, not_found
from klaviyo_sql.sandbox.writing import (
    Attributes,
    CreateEndpoint,
    DeleteEndpoint,
    PatchEndpoint,
    Write,
    receive,
    timed,
    to_the_microsecond,
)

LONGEST_TITLE = 255
_NAMESPACE = "custom-objects"
_PRIVATE: Attributes = {"visibility": "private", "description": "", "namespace": _NAMESPACE}


def _check_place(write: Write) -> None:
    title = write.attributes["title"]
    if not 1 <= len(title) <= LONGEST_TITLE:
        raise RefusedError(invalid(f"The title must have 1 to {LONGEST_TITLE} characters.", pointer="/data/attributes/title"))
    namespace = write.attributes.get("namespace") or _NAMESPACE
    if namespace != _NAMESPACE and not namespace.startswith("applications/"):
        detail = f"The namespace must be '{_NAMESPACE}' or 'applications/' and the id of an application."
        raise RefusedError(invalid(detail, pointer="/data/attributes/namespace"))


def _check_source(write: Write) -> None:
    _check_place(write)
    place = (write.attributes["title"], write.attributes.get("namespace") or _NAMESPACE)
    if any((source["attributes"]["title"], source["attributes"]["namespace"]) == place for source in write.account.data_sources.values()):
        raise RefusedError(conflict(f"A data source with the title '{place[0]}' already exists.", pointer="/data/attributes/title"))


def _check_type(write: Write) -> None:
    _check_place(write)
    sent = _sent_schema(write)
    if sent is not None:
        place = "/data/attributes/object-schema/data/attributes"
        _check_properties(sent.get("properties") or [], sent.get("required") or [], place)
        _check_mapping(write.account, _sent_mapping(sent), _numbers(sent.get("properties") or []), f"{place}/source-mapping/data/attributes")


def _sent_schema(write: Write) -> Attributes | None:
    sent = write.attributes.get("object-schema")
    return sent["data"]["attributes"] if sent is not None else None


def _sent_mapping(sent: Attributes) -> Attributes:
    mapping = sent.get("source-mapping")
    found: Attributes = mapping["data"]["attributes"] if mapping is not None else {}
    return found


def _numbers(properties: list[Attributes]) -> set[int]:
    return {described["id"] for described in properties}


def _check_properties(properties: list[Attributes], required: list[str], place: str) -> None:
    for position, described in enumerate(properties):
        if described["id"] < 1:
            raise RefusedError(invalid("The id of a property must be a positive integer.", pointer=f"{place}/properties/{position}/id"))
    for name in ("id", "name"):
        for value, count in Counter(described[name] for described in properties).items():
            if count > 1:
                raise RefusedError(invalid(f"The {name} {value!r} is that of two properties.", pointer=f"{place}/properties"))
    unknown = [name for name in required if name not in {described["name"] for described in properties}]
    if unknown:
        raise RefusedError(invalid(f"There is no property {unknown[0]!r} that could be required.", pointer=f"{place}/required"))


def _check_mapping(account: Account, mapping: Attributes, numbers: set[int], place: str) -> None:
    for position, mapped in enumerate(mapping.get("property_mappings") or []):
        pointer = f"{place}/property_mappings/{position}"
        if mapped["id"] not in numbers:
            raise RefusedError(invalid(f"The schema has no property with id {mapped['id']}.", pointer=f"{pointer}/id"))
        _check_known(mapped.get("source"), account.data_sources, "source_id", pointer, "data source")
    for position, mapped in enumerate(mapping.get("relationship_mappings") or []):
        pointer = f"{place}/relationship_mappings/{position}"
        _check_known(mapped, account.object_relationships, "relationship_id", pointer, "relationship")
        _check_known(mapped["source"], account.data_sources, "source_id", f"{pointer}/source", "data source")


def _check_known(holder: Attributes | None, collection: dict[str, Any], name: str, pointer: str, word: str) -> None:
    if holder is not None and holder[name] not in collection:
        raise RefusedError(invalid(f"There is no {word} with id {holder[name]}.", pointer=f"{pointer}/{name}"))


def _complete_type(write: Write, object_type: Resource) -> None:
    object_type |= {"current_schema_id": None, "draft_schema_id": None}
    sent = _sent_schema(write)
    if sent is not None:
        told = {name: object_type["attributes"][name] for name in ("title", "description")}
        _add_schema(write, object_type, {**sent, **told}, write.attributes.get("visibility") or "private")


def _add_schema(write: Write, object_type: Resource, sent: Attributes, visibility: str) -> Resource:
    account = write.account
    schema: Resource = {"type": "object-schema", "id": timed(write), "type_id": object_type["id"]}
    schema["attributes"] = {
        "title": sent["title"],
        "description": sent.get("description") or "",
        "status": "draft",
        "properties": _described(sent.get("properties")),
        "required": sent.get("required") or [],
        "published_at": None,
        "visibility": visibility,
    }
    mapping = _sent_mapping(sent)
    mapping_id = schema["source_mapping_id"] = timed(write)
    attributes = {name: mapping.get(name) or [] for name in ("property_mappings", "relationship_mappings")}
    account.source_mappings[mapping_id] = {"type": "source-mapping", "id": mapping_id, "attributes": attributes}
    account.object_schemas[schema["id"]] = schema
    object_type["draft_schema_id"] = schema["id"]
    if sent.get("status") == "active":
        _publish(write, object_type, schema)
    return schema


def _described(properties: list[Attributes] | None) -> list[Attributes]:
    return [{**described, "description": described.get("description") or ""} for described in properties or []]


def _publish(write: Write, object_type: Resource, schema: Resource) -> None:
    """The draft becomes the current version, which takes its time."""
    account, now = write.account, write.call.now

    def tell(status: str) -> None:
        published = {"published_at": to_the_microsecond(now)} if status == "active" else {}
        schema["attributes"] = schema["attributes"] | {"status": status} | published
        object_type["attributes"] = object_type["attributes"] | {"status": status, "updated_at": to_the_microsecond(now)}

    def complete() -> None:
        object_type["current_schema_id"] = schema["id"]
        if object_type["draft_schema_id"] == schema["id"]:
            object_type["draft_schema_id"] = None
        tell("active")
        account.changed(events=False)

    tell("publishing")
    write.call.later(complete)


def _forget_type(call: Call, object_type: Resource) -> None:
    account, type_id = call.account, object_type["id"]
    for schema in [schema for schema in account.object_schemas.values() if schema["type_id"] == type_id]:
        del account.object_schemas[schema["id"]]
        account.source_mappings.pop(schema["source_mapping_id"] or "", None)
    collections: tuple[dict[str, Any], ...] = (account.object_records, account.ingestion_logs)
    for collection in collections:
        for identifier in [identifier for identifier, resource in collection.items() if resource["type_id"] == type_id]:
            del collection[identifier]
    links = account.object_relationships
    for identifier in [identifier for identifier, link in links.items() if type_id in (link["type_id"], link["other_type_id"])]:
        del links[identifier]


def _type_of(write: Write) -> Resource:
    identifier = write.the_one("object-type")
    found = write.account.object_types.get(identifier)
    if found is None:
        # Recorded: without the full stop that reading it has.
        raise RefusedError(not_found(f"object-type with id `{identifier}` does not exist"))
    return found


def _check_schema(write: Write) -> None:
    object_type = _type_of(write)
    if object_type["draft_schema_id"] is not None:
        raise RefusedError(conflict(f"The object type has a draft already, {object_type['draft_schema_id']}."))
    attributes = write.attributes
    _check_properties(attributes["properties"], attributes.get("required") or [], "/data/attributes")
    numbers = _numbers(attributes["properties"])
    _check_mapping(write.account, _sent_mapping(attributes), numbers, "/data/attributes/source-mapping/data/attributes")


def _create_schema(call: Call) -> dict[str, Any]:
    write = receive(call)
    _check_schema(write)
    object_type = _type_of(write)
    schema = _add_schema(write, object_type, write.attributes, "private")
    _keep_step(write, object_type, schema["attributes"])
    call.account.changed(events=False)
    return shown(call, "object-schema", schema)


def _keep_step(write: Write, object_type: Resource, attributes: Attributes) -> None:
    """A type and its schema have the same title and the same description."""
    told = {name: attributes[name] for name in ("title", "description")}
    object_type["attributes"] = object_type["attributes"] | told | {"updated_at": to_the_microsecond(write.call.now)}


def _check_schema_change(write: Write, schema: Resource) -> None:
    if schema["attributes"]["status"] != "draft":
        raise RefusedError(invalid("Only a draft can be changed.", pointer="/data"))
    for name, value in write.attributes.items():
        if value is None:
            raise RefusedError(invalid("This may not be null.", pointer=f"/data/attributes/{name}"))
    known = schema["attributes"]
    _check_properties(write.attributes.get("properties", known["properties"]), write.attributes.get("required", known["required"]), "/data/attributes")


def _change_schema(write: Write, schema: Resource, attributes: Attributes) -> None:
    object_type = write.account.object_types[schema["type_id"]]
    attributes["properties"] = _described(attributes["properties"])
    _keep_step(write, object_type, attributes)
    if write.attributes.get("status") == "active":
        schema["attributes"] = attributes
        _publish(write, object_type, schema)
        attributes |= {"status": "publishing"}


def _check_mapping_change(write: Write, mapping: Resource) -> None:
    schema = next((schema for schema in write.account.object_schemas.values() if schema["source_mapping_id"] == mapping["id"]), None)
    numbers = _numbers(schema["attributes"]["properties"]) if schema is not None else set()
    _check_mapping(write.account, write.attributes, numbers, "/data/attributes")


def _change_mapping(write: Write, mapping: Resource, attributes: Attributes) -> None:
    for name in ("property_mappings", "relationship_mappings"):
        attributes[name] = attributes[name] or []


ENDPOINTS: dict[str, Endpoint] = {
    "create_data_source": CreateEndpoint("data-source", "data_sources", timed, defaults=_PRIVATE, check=_check_source),
    "delete_data_source": DeleteEndpoint("data-source", "data_sources"),
    "create_object_type": CreateEndpoint(
        "object-type",
        "object_types",
        timed,
        defaults={"description": "", "namespace": _NAMESPACE, "status": "draft"},
        stamps=("created_at", "updated_at"),
        moment=to_the_microsecond,
        check=_check_type,
        complete=_complete_type,
        unstored=frozenset(("visibility", "object-schema")),
    ),
    "delete_object_type": DeleteEndpoint("object-type", "object_types", after=_forget_type),
    "create_object_schema": ActionEndpoint(_create_schema),
    "update_object_schema": PatchEndpoint("object-schema", check=_check_schema_change, apply=_change_schema),
    "update_source_mapping": PatchEndpoint("source-mapping", check=_check_mapping_change, apply=_change_mapping),
}
