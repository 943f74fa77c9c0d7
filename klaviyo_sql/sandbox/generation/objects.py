"""Custom objects: types with several versions of their schema, related to each other and to profiles, with records and log entries."""

from __future__ import annotations

from random import Random
from typing import Any

from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.generation.identifiers import random_uuid, ulid
from klaviyo_sql.sandbox.generation.moments import microseconds_text
from klaviyo_sql.sandbox.generation.words import NASTY_TEXTS

_NAMESPACE = "custom-objects"
_TYPES = (("Pet", "active", 3, 130), ('Subscription "box"', "active", 1, 12), ("Store", "draft", 0, 0), ("pet", "publishing", 2, 0))
"""Title, status, how many versions of the schema, how many records; each but the last has a draft besides."""

_SOURCES = 23
_PROPERTIES = ("string", "int", "float", "boolean", "timestamp")


def make_data_sources(random: Random, account: Account, start: int, end: int) -> None:
    """Sources for more than one page of twenty."""
    for number in range(_SOURCES):
        identifier = ulid(random, 1000 * (start + int((end - start) * random.random())))
        attributes = {
            "title": NASTY_TEXTS[number % len(NASTY_TEXTS)] if number % 3 == 0 else f"Source {number // 2}",
            "visibility": "shared" if number % 4 == 1 else "private",
            "description": "" if number % 2 else "Pets, from the vet's system",
            "namespace": _NAMESPACE,
        }
        account.data_sources[identifier] = {"type": "data-source", "id": identifier, "attributes": attributes}


def make_objects(random: Random, account: Account, start: int, end: int) -> None:
    """The types; the first two are related to each other, and the first to profiles."""
    for title, status, versions, records in _TYPES:
        created = start + int((end - start) * random.random())
        type_id = ulid(random, created * 1000)
        draft = title != "pet"
        schemas = [
            _add_schema(random, account, type_id, title, created + 60 * version, active=version < versions, first=version == 0)
            for version in range(versions + draft)
        ]
        account.object_types[type_id] = {
            "type": "object-type",
            "id": type_id,
            "attributes": {
                "title": title,
                "description": "" if records == 0 else "Things, 100% custom",
                "status": status,
                "namespace": _NAMESPACE,
                "created_at": microseconds_text(created, random.randrange(1_000_000)),
                "updated_at": microseconds_text(created + 7200, 0),
            },
            "current_schema_id": schemas[versions - 1] if versions else None,
            "draft_schema_id": schemas[-1] if draft else None,
        }
        for number in range(records):
            _add_record(random, account, type_id, number, end)
    first, second = list(account.object_types.values())[:2]
    for name, other in (("owner of", second), ("gift from", second), ("friend of", None)):
        profile = other is None
        account.object_relationships[random_uuid(random)] = {
            "name": name,
            "description": None if profile else 'Who "gets" it',
            "type_id": first["id"],
            "schema_id": first["current_schema_id"],
            "other_type_id": other["id"] if other is not None else None,
            "other_schema_id": other["current_schema_id"] if other is not None else None,
            "profile_type_id": f"{account.account['id']}-profile" if profile else None,
            "profile_schema_id": f"{account.account['id']}-profile-schema" if profile else None,
        }


def _add_schema(random: Random, account: Account, type_id: str, title: str, created: int, *, active: bool, first: bool) -> str:
    identifier = ulid(random, created * 1000)
    mapping_id = ulid(random, created * 1000) if active else None
    properties = [{"id": place + 1, "name": f"{kind}_value", "type": kind, "description": None if place % 2 else ""} for place, kind in enumerate(_PROPERTIES)]
    account.object_schemas[identifier] = {
        "type": "object-schema",
        "id": identifier,
        "attributes": {
            "title": title,
            "description": "",
            "status": "active" if active else "draft",
            "properties": properties if not first else properties[:2],
            "required": ["string_value"],
            "published_at": microseconds_text(created, random.randrange(1_000_000)) if active else None,
            "visibility": "private",
        },
        "type_id": type_id,
        "source_mapping_id": mapping_id,
    }
    if mapping_id is not None:
        source_id = next(iter(account.data_sources))
        mapped: list[dict[str, Any]] = [
            {"id": 1, "type": "simple", "source": {"source_id": source_id, "id_path": "$.id", "data_path": "$.name"}},
            {"id": 2, "type": "constant", "value": 7},
        ]
        attributes = {"property_mappings": mapped, "relationship_mappings": []}
        account.source_mappings[mapping_id] = {"type": "source-mapping", "id": mapping_id, "attributes": attributes}
    return identifier


def _add_record(random: Random, account: Account, type_id: str, number: int, end: int) -> None:
    own_id = f'record {number} 50%/"x"' if number % 20 == 0 else f"record-{number}"
    identifier = f"{type_id}:::{own_id}"
    properties: dict[str, Any] = {
        "string_value": NASTY_TEXTS[number % len(NASTY_TEXTS)],
        "int_value": number,
        "float_value": None if number % 3 == 0 else number / 4,
        "boolean_value": number % 2 == 0,
    }
    account.object_records[identifier] = {
        "type": "object-record",
        "id": identifier,
        "attributes": {"record_properties": properties if number % 11 != 10 else {}},
        "type_id": type_id,
    }
    if number % 3 == 1:
        log_id = random_uuid(random)
        errors = [
            {"code": "invalid_type", "message": "'float_value' must be a number.", "property": "float_value", "invalid_value": None if number % 2 else "a, b"}
        ]
        account.ingestion_logs[log_id] = {
            "type": "object-ingestion-log",
            "id": log_id,
            "attributes": {
                "status": ("error", "warning", "info")[number // 3 % 3],
                "event_type": "validation_error",
                "timestamp": microseconds_text(end - random.randrange(30 * 86_400), random.randrange(1_000_000)),
                "summary": f"Record {own_id} was not taken whole.",
                "errors": errors if number % 4 else [],
            },
            "type_id": type_id,
            "record_id": identifier,
        }
