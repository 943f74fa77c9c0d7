"""Custom objects written: data sources, types, schemas, relationships, mappings and records."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account

from .conftest import Ask, walk
from .described import hold_against
from .writes import document, linkage, refusal

PROPERTIES = [{"id": 1, "name": "name", "type": "string"}, {"id": 2, "name": "age", "type": "int"}, {"id": 3, "name": "kind", "type": "string"}]
SCHEMA_PLACE = "/data/attributes/object-schema/data/attributes"


def _patch(send: Ask, path: str, kind: str, identifier: str, attributes: dict[str, Any]) -> Any:
    return send(f"{path}/{identifier}", document(kind, attributes, identifier=identifier), method="PATCH")


def _mapping(source_id: str) -> dict[str, Any]:
    def simple(number: int, path: str) -> dict[str, Any]:
        return {"id": number, "type": "simple", "source": {"source_id": source_id, "id_path": "$.id", "data_path": path}}

    return {"property_mappings": [simple(1, "$.name"), simple(2, "$.body.age"), {"id": 3, "type": "constant", "value": "pet"}]}


def _schema(source_id: str | None = None, **attributes: Any) -> dict[str, Any]:
    described: dict[str, Any] = {"properties": PROPERTIES, "required": ["name"], **attributes}
    if source_id is not None:
        described["source-mapping"] = document("source-mapping", _mapping(source_id))
    return described


@pytest.fixture
def source(send: Ask) -> str:
    created = send("/api/data-sources", document("data-source", {"title": "New"}))
    assert created.status == 201, created.document
    hold_against("create_data_source", created.document)
    assert created.document["data"]["attributes"] == {"title": "New", "visibility": "private", "description": "", "namespace": "custom-objects"}
    return str(created.document["data"]["id"])


@pytest.fixture
def pets(send: Ask, clock: SimulatedClock, source: str) -> str:
    """The id of a type whose schema is active and takes records from the source."""
    sent = {"title": "Pets", "object-schema": document("object-schema", _schema(source, status="active"))}
    created = send("/api/object-types", document("object-type", sent))
    assert created.status == 201, created.document
    hold_against("create_object_type", created.document)
    assert created.document["data"]["attributes"]["status"] == "publishing"
    clock.sleep(6)
    # Whatever is asked finds it published.
    send("/api/accounts")
    return str(created.document["data"]["id"])


def test_data_sources(send: Ask, fresh_account: Account, source: str) -> None:
    assert refusal(send("/api/data-sources", document("data-source", {"title": "New"}))) == (409, ["/data/attributes/title"])
    for title in ("", "x" * 256):
        assert refusal(send("/api/data-sources", document("data-source", {"title": title}))) == (400, ["/data/attributes/title"])
    elsewhere = document("data-source", {"title": "New", "namespace": "elsewhere"})
    assert refusal(send("/api/data-sources", elsewhere)) == (400, ["/data/attributes/namespace"])
    assert send("/api/data-sources", document("data-source", {"title": "New", "namespace": "applications/1"})).status == 201
    assert send(f"/api/data-sources/{source}", method="DELETE").status == 204
    assert source not in fresh_account.data_sources
    assert refusal(send(f"/api/data-sources/{source}", method="DELETE")) == (404, ["/data/"])


def test_a_type_with_its_first_schema(send: Ask, fresh_account: Account, pets: str) -> None:
    attributes = send(f"/api/object-types/{pets}").document["data"]["attributes"]
    assert (attributes["title"], attributes["status"], attributes["description"]) == ("Pets", "active", "")
    schema = send(f"/api/object-types/{pets}/current-schema").document["data"]
    assert (schema["attributes"]["status"], schema["attributes"]["title"], schema["attributes"]["required"]) == ("active", "Pets", ["name"])
    assert send(f"/api/object-types/{pets}/draft-schema").document == {"data": None}
    mapping = send(f"/api/object-schemas/{schema['id']}/source-mapping").document["data"]
    assert len(mapping["attributes"]["property_mappings"]) == 3
    assert send(f"/api/object-types/{pets}", method="DELETE").status == 204
    assert send(f"/api/object-types/{pets}").status == 404
    assert schema["id"] not in fresh_account.object_schemas
    assert mapping["id"] not in fresh_account.source_mappings


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"properties": [{"id": 0, "name": "a", "type": "int"}]}, "properties/0/id"),
        ({"properties": [PROPERTIES[0], {**PROPERTIES[1], "id": 1}]}, "properties"),
        ({"properties": [PROPERTIES[0], {**PROPERTIES[1], "name": "name"}]}, "properties"),
        ({"properties": PROPERTIES, "required": ["nope"]}, "required"),
        ({"properties": [{"id": 1, "name": "a", "type": "money"}]}, "properties/0/type"),
    ],
)
def test_types_that_are_refused(send: Ask, fresh_account: Account, schema: dict[str, Any], pointer: str) -> None:
    before = len(fresh_account.object_types), len(fresh_account.object_schemas)
    body = document("object-type", {"title": "A", "object-schema": document("object-schema", schema)})
    assert refusal(send("/api/object-types", body)) == (400, [f"{SCHEMA_PLACE}/{pointer}"])
    mapped = document("object-schema", {**_schema("nope")})
    pointers = f"{SCHEMA_PLACE}/source-mapping/data/attributes/property_mappings/0/source_id"
    assert refusal(send("/api/object-types", document("object-type", {"title": "A", "object-schema": mapped}))) == (400, [pointers])
    assert (len(fresh_account.object_types), len(fresh_account.object_schemas)) == before


def test_a_next_version_of_a_schema(send: Ask, clock: SimulatedClock, fresh_account: Account, pets: str) -> None:
    first = fresh_account.object_types[pets]["current_schema_id"]
    body = document("object-schema", {"title": "Pets 2", "properties": PROPERTIES[:1]}, **{"object-type": {"type": "object-type", "id": pets}})
    created = send("/api/object-schemas", body)
    assert created.status == 201, created.document
    hold_against("create_object_schema", created.document)
    draft = created.document["data"]["id"]
    assert send(f"/api/object-types/{pets}/draft-schema").document["data"]["id"] == draft
    assert send(f"/api/object-types/{pets}").document["data"]["attributes"]["title"] == "Pets 2"
    assert refusal(send("/api/object-schemas", body)) == (409, ["/data"])
    assert refusal(_patch(send, "/api/object-schemas", "object-schema", first, {"title": "A"})) == (400, ["/data"])
    assert refusal(_patch(send, "/api/object-schemas", "object-schema", draft, {"required": ["age"]})) == (400, ["/data/attributes/required"])
    changed = _patch(send, "/api/object-schemas", "object-schema", draft, {"properties": PROPERTIES[:2], "required": ["age"], "status": "active"})
    assert changed.status == 200, changed.document
    hold_against("update_object_schema", changed.document)
    assert changed.document["data"]["attributes"]["status"] == "publishing"
    assert fresh_account.object_types[pets]["current_schema_id"] == first
    clock.sleep(6)
    assert send(f"/api/object-types/{pets}/current-schema").document["data"]["id"] == draft
    assert fresh_account.object_schemas[draft]["attributes"]["published_at"] is not None
    assert len(send(f"/api/object-types/{pets}/schema-versions").ids) == 2
    nobody = document("object-schema", {"title": "A", "properties": []}, **{"object-type": {"type": "object-type", "id": "nope"}})
    refused = send("/api/object-schemas", nobody)
    assert (refusal(refused), refused.errors[0]["detail"]) == ((404, ["/data/"]), "object-type with id `nope` does not exist")


def test_a_mapping_is_changed(send: Ask, fresh_account: Account, pets: str, source: str) -> None:
    mapping_id = fresh_account.object_schemas[fresh_account.object_types[pets]["current_schema_id"]]["source_mapping_id"]
    changed = _patch(send, "/api/source-mappings", "source-mapping", mapping_id, {"property_mappings": [{"id": 3, "type": "constant", "value": "x"}]})
    assert changed.status == 200, changed.document
    hold_against("update_source_mapping", changed.document)
    assert fresh_account.source_mappings[mapping_id]["attributes"]["property_mappings"] == [{"id": 3, "type": "constant", "value": "x"}]
    place = "/data/attributes/property_mappings/0"
    unknown = {"property_mappings": [{"id": 9, "type": "constant", "value": "x"}]}
    assert refusal(_patch(send, "/api/source-mappings", "source-mapping", mapping_id, unknown)) == (400, [f"{place}/id"])
    nowhere = {"property_mappings": [_mapping("nope")["property_mappings"][0]]}
    assert refusal(_patch(send, "/api/source-mappings", "source-mapping", mapping_id, nowhere)) == (400, [f"{place}/source_id"])
    related = {
        "relationship_id": "nope",
        "type": "simple",
        "source": {"source_id": source, "type": "custom-object", "id_path": "$.a", "related_id_path": "$.b"},
    }
    refused = _patch(send, "/api/source-mappings", "source-mapping", mapping_id, {"relationship_mappings": [related]})
    assert refusal(refused) == (400, ["/data/attributes/relationship_mappings/0/relationship_id"])


@pytest.mark.parametrize("kind", ["object-schema", "profile-object-schema"])
def test_relationships_between_schemas(send: Ask, fresh_account: Account, pets: str, kind: str) -> None:
    schema_id = fresh_account.object_types[pets]["current_schema_id"]
    other = next(iter(fresh_account.object_schemas)) if kind == "object-schema" else f"{fresh_account.account['id']}-profile-schema"
    target = f"/api/object-schemas/{schema_id}/relationships/{kind}s"
    before = set(fresh_account.object_relationships)

    def item(identifier: str = other, **meta: Any) -> dict[str, Any]:
        return {"type": kind, "id": identifier, "meta": meta}

    assert send(target, {"data": [item(name="owner")]})[::2] == (204, None)
    assert send(target).ids == [other]
    (relationship_id,) = set(fresh_account.object_relationships) - before
    assert refusal(send(target, {"data": [item(name="owner")]})) == (409, ["/data/0/meta/name"])
    assert refusal(send(target, {"data": [item(name=" ")]})) == (400, ["/data/0/meta/name"])
    assert refusal(send(target, {"data": [item("nope", name="x")]})) == (404, ["/data/0/id"])
    assert refusal(send(target, {"data": []})) == (400, ["/data"])
    renamed = {"data": item(relationship_id=relationship_id, description="D")}
    assert send(target, renamed, method="PATCH")[::2] == (204, None)
    link = fresh_account.object_relationships[relationship_id]
    assert (link["name"], link["description"]) == ("owner", "D")
    lost = {"data": item(relationship_id="nope", name="x")}
    assert refusal(send(target, lost, method="PATCH")) == (404, ["/data/meta/relationship_id"])
    gone = {"data": [item(relationship_id=relationship_id)]}
    assert send(target, gone, method="DELETE")[::2] == (204, None)
    assert relationship_id not in fresh_account.object_relationships
    assert refusal(send(target, gone, method="DELETE")) == (404, ["/data/0/meta/relationship_id"])
    assert refusal(send(target.replace(schema_id, "nope"), gone, method="DELETE")) == (404, ["/data/"])


def _records(source: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [document("data-source-record", {"record": record})["data"] for record in records]
    return document("data-source-record-bulk-create-job", {"data-source-records": {"data": rows}}, **{"data-source": {"type": "data-source", "id": source}})


def test_records_come_and_go(send: Ask, clock: SimulatedClock, fresh_account: Account, pets: str, source: str) -> None:
    one = document("data-source-record", {"record": {"id": "a", "name": "Rex", "body": {"age": 3}}})
    linked = {"data-source": {"type": "data-source", "id": source}}
    single = document("data-source-record-create-job", {"data-source-record": one}, **linked)
    assert send("/api/data-source-record-create-jobs", single)[::2] == (204, None)
    several = _records(source, [{"id": 7, "name": "Tom", "body": {"age": "old"}}, {"id": "b", "body": {"age": 1}}, {"name": "Nobody"}])
    assert send("/api/data-source-record-bulk-create-jobs", several)[::2] == (204, None)
    assert send(f"/api/object-types/{pets}/object-records").ids == []
    clock.sleep(6)
    found = {row["id"]: row["attributes"]["record_properties"] for row in send(f"/api/object-types/{pets}/object-records").document["data"]}
    assert found == {f"{pets}:::a": {"name": "Rex", "age": 3, "kind": "pet"}, f"{pets}:::7": {"name": "Tom", "kind": "pet"}}
    logs = [log for page in walk(send, f"/api/object-types/{pets}/object-ingestion-logs") for log in page.document["data"]]
    assert {(log["attributes"]["status"], log["attributes"]["errors"][0]["code"]) for log in logs} == {
        ("warning", "invalid_type"),
        ("error", "missing_required"),
    }
    again = document("data-source-record", {"record": {"id": "a", "name": "Rex II"}})
    assert send("/api/data-source-record-create-jobs", document("data-source-record-create-job", {"data-source-record": again}, **linked)).status == 204
    removal = document("object-record-bulk-delete-job", **{"object-records": linkage("object-record", [f"{pets}:::7", f"{pets}:::x"])})
    assert send("/api/object-record-bulk-delete-jobs", removal)[::2] == (202, None)
    clock.sleep(6)
    assert send(f"/api/object-types/{pets}/object-records").ids == [f"{pets}:::a"]
    assert fresh_account.object_records[f"{pets}:::a"]["attributes"]["record_properties"]["name"] == "Rex II"


def test_records_that_are_refused(send: Ask, source: str) -> None:
    target, place = "/api/data-source-record-bulk-create-jobs", "/data/attributes/data-source-records/data"
    assert refusal(send(target, _records(source, [{}] * 501))) == (400, [place])
    assert refusal(send(target, _records(source, []))) == (400, [place])
    assert refusal(send(target, _records("nope", [{}]))) == (404, ["/data/relationships/data-source/data/id"])
    large = {"id": "x" * 512_000}
    assert refusal(send(target, _records(source, [{}, large]))) == (400, [f"{place}/1/attributes/record"])
    assert refusal(send(target, _records(source, [large] * 8))) == (413, ["/data"])
    unlinked = _records(source, [{}])
    del unlinked["data"]["relationships"]
    assert refusal(send(target, unlinked)) == (400, ["/data/relationships/data-source/data"])
    nobody = document("object-record-bulk-delete-job", **{"object-records": linkage("object-record", ["nope:::1"])})
    refused = send("/api/object-record-bulk-delete-jobs", nobody)
    assert (refusal(refused), refused.errors[0]["detail"]) == ((404, ["/data/"]), "Object type `nope` not found")
    many = document("object-record-bulk-delete-job", **{"object-records": linkage("object-record", [f"nope:::{n}" for n in range(501)])})
    assert refusal(send("/api/object-record-bulk-delete-jobs", many)) == (400, ["/data/relationships/object-records/data"])
