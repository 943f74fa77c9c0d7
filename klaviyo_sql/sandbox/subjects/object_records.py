"""Records of custom objects: what data sources send becomes records by way of the mappings, and records are deleted by their ids."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, Endpoint
from klaviyo_sql.sandbox.generation.identifiers import random_uuid
from klaviyo_sql.sandbox.problems import RefusedError, invalid, not_found
from klaviyo_sql.sandbox.writing import Attributes, Write, receive, refuse_too_many, to_the_microsecond

MOST_RECORDS = 500
LARGEST_RECORDS = 4_000_000
LARGEST_RECORD = 512_000
"""The last two in bytes."""


def _check_sizes(records: list[Attributes], place: str) -> None:
    for position, record in enumerate(records):
        size = len(msgspec.json.encode(record))
        if size > LARGEST_RECORD:
            detail = f"The record has {size} bytes; the maximum is {LARGEST_RECORD}."
            raise RefusedError(invalid(detail, pointer=place.format(position)))


def _ingest_several(call: Call) -> None:
    write = receive(call, largest=LARGEST_RECORDS)
    sent = (write.attributes.get("data-source-records") or {"data": []})["data"]
    refuse_too_many(len(sent), MOST_RECORDS, "/data/attributes/data-source-records/data")
    _ingest(write, [row["attributes"]["record"] for row in sent], "/data/attributes/data-source-records/data/{}/attributes/record")


def _ingest_one(call: Call) -> None:
    write = receive(call)
    record = write.attributes["data-source-record"]["data"]["attributes"]["record"]
    _ingest(write, [record], "/data/attributes/data-source-record/data/attributes/record")


def _ingest(write: Write, records: list[Attributes], place: str) -> None:
    """The records become objects of every type whose current schema takes something from their source, some time later."""
    source_id = write.the_one("data-source")
    write.require("data-source", source_id, "/data/relationships/data-source/data/id")
    _check_sizes(records, place)
    account, now = write.account, write.call.now

    def take() -> None:
        for object_type in account.object_types.values():
            schema = account.object_schemas.get(object_type["current_schema_id"] or "")
            if schema is not None:
                for record in records:
                    _take(account, now, object_type, schema, source_id, record)
        account.changed(events=False)

    write.call.later(take)


_VALUES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "timestamp": lambda value: isinstance(value, str | int) and not isinstance(value, bool),
}


def _take(account: Account, now: datetime, object_type: Resource, schema: Resource, source_id: str, record: Attributes) -> None:
    mapping = account.source_mappings.get(schema["source_mapping_id"] or "")
    mapped = [] if mapping is None else mapping["attributes"]["property_mappings"]
    mine = [entry for entry in mapped if entry["type"] == "simple" and entry["source"]["source_id"] == source_id]
    own_id = _at(record, mine[0]["source"]["id_path"]) if mine else None
    if own_id is None:
        return
    described = {entry["id"]: entry for entry in schema["attributes"]["properties"]}
    values: Attributes = {}
    wrong: list[Attributes] = []
    for entry in mapped:
        if entry["id"] not in described or (entry["type"] == "simple" and entry not in mine):
            continue
        name, kind = described[entry["id"]]["name"], described[entry["id"]]["type"]
        value = entry["value"] if entry["type"] == "constant" else _at(record, entry["source"]["data_path"])
        if value is not None and not _VALUES[kind](value):
            wrong.append({"code": "invalid_type", "message": f"'{name}' must be of type {kind}.", "property": name, "invalid_value": str(value)})
        else:
            values[name] = value
    missing = [name for name in schema["attributes"]["required"] if values.get(name) is None]
    wrong += [{"code": "missing_required", "message": f"'{name}' is required.", "property": name, "invalid_value": None} for name in missing]
    identifier = f"{object_type['id']}:::{own_id}"
    if not missing:
        known = account.object_records.get(identifier, {"attributes": {"record_properties": {}}})
        properties = known["attributes"]["record_properties"] | values
        attributes = {"record_properties": properties}
        account.object_records[identifier] = {"type": "object-record", "id": identifier, "attributes": attributes, "type_id": object_type["id"]}
    if wrong:
        _log(account, now, object_type["id"], identifier, wrong, taken=not missing)


def _log(account: Account, now: datetime, type_id: str, record_id: str, wrong: list[Attributes], *, taken: bool) -> None:
    log_id = random_uuid(account.random)
    own_id = record_id.partition(":::")[2]
    account.ingestion_logs[log_id] = {
        "type": "object-ingestion-log",
        "id": log_id,
        "attributes": {
            "status": "warning" if taken else "error",
            "event_type": "validation_error",
            "timestamp": to_the_microsecond(now),
            "summary": f"Record {own_id} was not taken{' whole' if taken else ''}.",
            "errors": wrong,
        },
        "type_id": type_id,
        "record_id": record_id,
    }


def _at(record: Any, path: str) -> Any:
    """The value at a path such as `$.owner.name`; of JSONPath only names behind each other are understood."""
    for part in path.removeprefix("$").strip(".").split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record


def _delete_records(call: Call) -> None:
    write = receive(call)
    identifiers = write.linked("object-records") or []
    refuse_too_many(len(identifiers), MOST_RECORDS, "/data/relationships/object-records/data")
    for identifier in identifiers:
        type_id = identifier.partition(":::")[0]
        if type_id not in call.account.object_types:
            raise RefusedError(not_found(f"Object type `{type_id}` not found"))

    def delete() -> None:
        for identifier in identifiers:
            call.account.object_records.pop(identifier, None)
        call.account.changed(events=False)

    call.later(delete)


ENDPOINTS: dict[str, Endpoint] = {
    "create_data_source_record": ActionEndpoint(_ingest_one),
    "bulk_create_data_source_records": ActionEndpoint(_ingest_several),
    "bulk_delete_object_records": ActionEndpoint(_delete_records),
}
