"""Custom objects written through SQL."""

from __future__ import annotations

import json

import pytest

import klaviyo_sql
from tests.writes.shop import Shop, attributes, named, pass_time

PROPERTIES = [{"id": 1, "name": "key", "type": "string"}, {"id": 2, "name": "size", "type": "int"}]


def mappings(source: str) -> str:
    paths = ((1, "$.key"), (2, "$.size"))
    return json.dumps([{"id": number, "type": "simple", "source": {"source_id": source, "id_path": "$.key", "data_path": path}} for number, path in paths])


def test_from_a_source_to_records_and_back(shop: Shop) -> None:
    shop.run("INSERT INTO data_sources (title, visibility) VALUES ('Src', 'private')")
    source = named(shop.account.data_sources, "Src", "title")["id"]
    sent = shop.run("INSERT INTO ObjectTypes (Title, Properties, PropertyMappings) VALUES ('Boat', ?, ?)", json.dumps(PROPERTIES), mappings(source))
    assert sent[0][:2] == ("POST", "/api/object-types")
    assert attributes(sent)[0]["object-schema"]["data"]["attributes"]["properties"] == PROPERTIES
    boat = named(shop.account.object_types, "Boat", "title")["id"]
    schema = shop.one("SELECT draft_schema_id FROM object_types WHERE id = ?", boat)
    sent = shop.run("UPDATE object_schemas SET description = 'd' WHERE object_type_id = ? AND id = ?", boat, schema)
    assert sent == [("PATCH", f"/api/object-schemas/{schema}", {"data": {"type": "object-schema", "id": schema, "attributes": {"description": "d"}}})]
    assert shop.account.object_schemas[schema]["attributes"]["description"] == "d"
    mapping = shop.one("SELECT id FROM source_mappings WHERE object_schema_id = ?", schema)
    ((method, path, _),) = shop.run("UPDATE SourceMappings SET PropertyMappings = ? WHERE Id = ?", mappings(source), mapping)
    assert (method, path) == ("PATCH", f"/api/source-mappings/{mapping}")
    shop.run("UPDATE object_schemas SET status = 'active' WHERE object_type_id = ? AND id = ?", boat, schema)
    pass_time(shop)
    rows = [(source, json.dumps({"key": f"b{number}", "size": number})) for number in range(501)]
    sent = shop.run("INSERT INTO object_records (data_source_id, record_properties) VALUES (?, ?)", rows)
    assert [path for _, path, _ in sent] == ["/api/data-source-record-bulk-create-jobs"] * 2
    assert sent[0][2]["data"]["relationships"] == {"data-source": {"data": {"type": "data-source", "id": source}}}
    pass_time(shop)
    assert shop.account.object_records[f"{boat}:::b500"]["attributes"]["record_properties"] == {"key": "b500", "size": 500}
    keys = ", ".join(f"'{boat}:::b{number}'" for number in range(501))
    sent = shop.run(f"DELETE FROM ObjectRecords WHERE ObjectTypeId = ? AND Id IN ({keys})", boat)
    assert [path for _, path, _ in sent] == ["/api/object-record-bulk-delete-jobs"] * 2
    pass_time(shop)
    assert f"{boat}:::b500" not in shop.account.object_records
    shop.run("DELETE FROM object_types WHERE id = ?", boat)
    shop.run("DELETE FROM DataSources WHERE Id = ?", source)
    assert boat not in shop.account.object_types
    assert source not in shop.account.data_sources


def test_another_version_of_a_schema(shop: Shop) -> None:
    boat = next(one["id"] for one in shop.account.object_types.values() if one["draft_schema_id"] is None and one["current_schema_id"] is not None)
    ((method, path, body),) = shop.run("INSERT INTO object_schemas (object_type_id, title, properties) VALUES (?, 'V2', ?)", boat, json.dumps(PROPERTIES))
    assert (method, path) == ("POST", "/api/object-schemas")
    assert body["data"]["relationships"] == {"object-type": {"data": {"type": "object-type", "id": boat}}}
    assert shop.account.object_schemas[shop.account.object_types[boat]["draft_schema_id"]]["attributes"]["title"] == "V2"


def test_schemas_relate_to_each_other_and_to_profiles(shop: Shop) -> None:
    one, other = list(shop.account.object_schemas)[:2]
    sql = "INSERT INTO object_type_relations (schema_id, related_schema_id, relation_name) VALUES (?, ?, 'is like')"
    ((method, path, body),) = shop.run(sql, one, other)
    assert (method, path) == ("POST", f"/api/object-schemas/{one}/relationships/object-schemas")
    assert body["data"] == [{"type": "object-schema", "id": other, "meta": {"name": "is like"}}]
    assert [link["other_schema_id"] for link in shop.account.object_relationships.values() if link["name"] == "is like"] == [other]
    profiles = f"{shop.account.account['id']}-profile-schema"
    shop.run("INSERT INTO ObjectTypeProfileRelations (SchemaId, ProfileSchemaId, RelationName) VALUES (?, ?, 'belongs to')", one, profiles)
    assert [link["profile_schema_id"] for link in shop.account.object_relationships.values() if link["name"] == "belongs to"] == [profiles]


REFUSED = [
    ("INSERT INTO data_sources (title) VALUES ('')", "1 to 255 characters"),
    ("INSERT INTO data_sources (title, visibility) VALUES ('x', 'secret')", "takes one of private, shared"),
    ("UPDATE data_sources SET title = 'x' WHERE id = 'y'", "make a new one"),
    ('INSERT INTO object_types (title, properties) VALUES (\'x\', \'[{"id": 1, "name": "n", "type": "blob"}]\')', "takes one of boolean, float"),
    ("UPDATE object_types SET title = 'x' WHERE id = 'y'", "UPDATE object_schemas"),
    ("INSERT INTO object_schemas (object_type_id, title) VALUES ('x', 'y')", "needs properties"),
    ("UPDATE object_schemas SET status = 'gone' WHERE object_type_id = 'x' AND id = 'y'", "takes one of active, draft"),
    ("DELETE FROM object_schemas WHERE id = 'y'", "DELETE FROM object_types"),
    ("INSERT INTO object_records (record_properties) VALUES ('{}')", "needs data_source_id"),
    ("INSERT INTO object_records (data_source_id) VALUES ('x')", "needs record_properties"),
    ("INSERT INTO object_records (data_source_id, record_properties) VALUES ('x', '[]')", "a JSON object"),
    ("UPDATE object_records SET record_properties = '{}' WHERE id = 'x'", "INSERT the record once more"),
    ("INSERT INTO object_type_relations (schema_id, related_schema_id) VALUES ('x', 'y')", "needs relation_name"),
    ("DELETE FROM object_type_relations WHERE object_type_id = 'x'", "its own pages only"),
    ('UPDATE source_mappings SET property_mappings = \'[{"id": 1, "type": "odd"}]\' WHERE id = \'x\'', "takes one of constant, simple"),
]


@pytest.mark.parametrize(("sql", "said"), REFUSED)
def test_what_is_wrong_is_refused_before_anything_is_sent(shop: Shop, sql: str, said: str) -> None:
    with pytest.raises((klaviyo_sql.DataError, klaviyo_sql.NotSupportedError), match=said):
        shop.connection.execute(sql)
    assert not list(shop.connection.requests)
