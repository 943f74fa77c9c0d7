"""Custom objects: types, the versions of their schemas, records, what went wrong with records, and where records come from."""

from __future__ import annotations

from collections.abc import Callable

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Finder, Kind, Relation, children, everything, own, pointing, stored

LOGS_PAGE = 20
"""How many log entries come on a page, which nobody can choose; Klaviyo's own number is not known."""


def _related(own_end: str, other_end: str) -> Callable[[Account, Resource], list[str]]:
    """The ids at the other end of an object's relationships, which lead from one type or schema to another."""

    def ids(account: Account, resource: Resource) -> list[str]:
        links = account.object_relationships.values()
        return list(dict.fromkeys(link[other_end] for link in links if link[own_end] == resource["id"] and link[other_end] is not None))

    return ids


def _described(kind: str, end: str) -> Finder:
    """What is at the other end of a relationship, as an included resource: it tells of the relationship and not of itself."""

    def find(account: Account, identifier: str) -> Resource | None:
        for relationship_id, link in account.object_relationships.items():
            if link[end] == identifier:
                meta = {"relationship_id": relationship_id, "name": link["name"], "description": link["description"]}
                return {"type": kind, "id": identifier, "attributes": {"meta": meta}}
        return None

    return find


def _far_end(kind: str, path: str, end: str) -> Kind:
    return Kind(kind, path, _described(kind, end), f"{kind} with id `{{id}}` does not exist.")


KINDS = {
    "object-type": Kind(
        "object-type",
        "/api/object-types",
        stored("object_types"),
        "object-type with id `{id}` does not exist.",
        relations=(
            Relation("current-schema", "object-schema", own("current_schema_id"), many=False),
            Relation("draft-schema", "object-schema", own("draft_schema_id"), many=False),
            Relation("schema-versions", "object-schema", pointing("object_schemas", "type_id")),
            Relation("object-types", "object-type elsewhere", _related("type_id", "other_type_id")),
            Relation("profile-object-types", "profile-object-type", _related("type_id", "profile_type_id")),
            Relation("object-records", "object-record", pointing("object_records", "type_id"), shown="never"),
        ),
    ),
    "object-type elsewhere": _far_end("object-type", "/api/object-types", "other_type_id"),
    "profile-object-type": _far_end("profile-object-type", "/api/profile-object-types", "profile_type_id"),
    "object-schema": Kind(
        "object-schema",
        "/api/object-schemas",
        stored("object_schemas"),
        "object-schema with id `{id}` does not exist.",
        relations=(
            Relation("source-mapping", "source-mapping", own("source_mapping_id"), many=False),
            Relation("object-schemas", "object-schema elsewhere", _related("schema_id", "other_schema_id")),
            Relation("profile-object-schemas", "profile-object-schema", _related("schema_id", "profile_schema_id")),
        ),
    ),
    "object-schema elsewhere": _far_end("object-schema", "/api/object-schemas", "other_schema_id"),
    "profile-object-schema": _far_end("profile-object-schema", "/api/profile-object-schemas", "profile_schema_id"),
    "source-mapping": Kind("source-mapping", "/api/source-mappings", stored("source_mappings"), "source-mapping with id `{id}` does not exist."),
    "object-record": Kind("object-record", "/api/object-records", stored("object_records"), "Object record `{id}` not found"),
    "object-ingestion-log": Kind(
        "object-ingestion-log",
        "/api/object-ingestion-logs",
        stored("ingestion_logs"),
        "Not found.",
        relations=(
            Relation("object-type", "object-type", own("type_id"), many=False),
            Relation("object-record", "object-record", own("record_id"), many=False),
        ),
        # The filter takes the record's own id, which stands behind that of its type.
        readers={"record_id": lambda account, resource: resource["record_id"].partition(":::")[2]},
    ),
    "data-source": Kind("data-source", "/api/data-sources", stored("data_sources"), "Data source with ID {id} not found."),
}

_LOGS = children("ingestion_logs", "type_id")

ENDPOINTS: dict[str, Endpoint] = {
    "get_object_types": CollectionEndpoint("object-type", everything("object_types"), page_links=False),
    "get_object_type": ResourceEndpoint("object-type"),
    "get_object_schema": ResourceEndpoint("object-schema"),
    "get_source_mapping": ResourceEndpoint("source-mapping"),
    "get_object_record": ResourceEndpoint("object-record"),
    "get_ingestion_logs_for_object_type": CollectionEndpoint("object-ingestion-log", _LOGS, parent="object-type", page_size=LOGS_PAGE),
    "get_ingestion_log_ids_for_object_type": CollectionEndpoint("object-ingestion-log", _LOGS, parent="object-type", page_size=LOGS_PAGE, identifiers=True),
    "get_data_sources": CollectionEndpoint("data-source", everything("data_sources")),
    "get_data_source": ResourceEndpoint("data-source"),
}
