"""Writing custom objects: types, schemas, where records come from, and records."""

from __future__ import annotations

from klaviyo_sql.model.table import Type
from klaviyo_sql.model.writing import Links, Many, One, Writes
from klaviyo_sql.tables.written.declaring import Written, named, only, refused

_SCHEMA = "attributes.object-schema.data.attributes"
_MAPPING = "attributes.source-mapping.data.attributes"
_MAPPED = (
    ("property_mappings", "Where each property of records comes from, as a JSON array."),
    ("relationship_mappings", "Where each relation of records comes from, as a JSON array."),
)
_TITLE = (r"(?s).{1,255}", "1 to 255 characters")
_UNTOLD = "Klaviyo wants the id of the relation, which it tells in its own pages only."
GIVEN = Many(
    "bulk_create_data_source_records",
    "data-source-records",
    500,
    least=1,
    most_bytes=512_000,
    repeatable=True,
    around=("data_source_id",),
    needs=("data_source_id",),
    megabytes=4,
)
"""Records that are given to a data source."""
GONE = Many("bulk_delete_object_records", "object-records", 500, least=1, repeatable=True, linked=True)
"""Records that are deleted."""


def _relations(kind: str, other: str) -> Written:
    return Written(
        Writes(
            links=Links(
                f"create_{kind}_schema_relationship",
                None,
                path="schema_id",
                ids=other,
                most=100,
                meta=(("name", "relation_name"), ("description", "description")),
            ),
            refused={"DELETE": _UNTOLD, "UPDATE": _UNTOLD},
            notes=("An INSERT relates schemas, whose ids are in object_schemas and object_types.draft_schema_id, and gives the relation a name.",),
        ),
        added=(
            only("schema_id", "id", "The id of the schema that gets the relation."),
            only(other, "id", "The id of the schema that it relates to."),
            only("relation_name", "meta.name", "What the relation is called."),
            only("description", "meta.description", "What the relation is."),
        ),
    )


OBJECTS: dict[str, Written] = {
    "data_sources": Written(
        named(
            "data_source",
            update=False,
            unique=("title",),
            created=None,
            patterns={"title": _TITLE},
            refused={"UPDATE": "a source stays what it was made: make a new one, and delete this one."},
        ),
    ),
    "object_types": Written(
        named(
            "object_type",
            update=False,
            unique=("title",),
            created="created_at",
            patterns={"title": _TITLE},
            refused={"UPDATE": "title, description and properties are the schema's: UPDATE object_schemas, whose draft can be changed."},
            hints={"status": "schema_status = 'active' puts the first schema in force."},
            notes=(
                "A new type may come with its first schema: properties is a JSON array of {id, name, type}; a type is boolean, float, int, string or "
                "timestamp.",
            ),
        ),
        added=(
            only("visibility", "attributes.visibility", "Who may see it: private or shared."),
            only("properties", f"{_SCHEMA}.properties", "The properties of its first schema, as a JSON array.", Type.JSON),
            only("required", f"{_SCHEMA}.required", "The names of those that records must have, as a JSON array.", Type.JSON),
            only("schema_status", f"{_SCHEMA}.status", "What its first schema is: active or draft."),
            *(only(name, f"{_SCHEMA}.source-mapping.data.attributes.{name}", doc, Type.JSON) for name, doc in _MAPPED),
        ),
    ),
    "object_schemas": Written(
        Writes(
            insert=One("create_object_schema"),
            update=One("update_object_schema"),
            patterns={"title": _TITLE},
            refused={"DELETE": "Klaviyo keeps the versions of a schema as long as their type: DELETE FROM object_types."},
            notes=("A new version is a draft; only a draft can be changed. UPDATE … SET status = 'active' puts it in force.",),
        ),
        bodies={"object_type_id": "relationships.object-type"},
        added=tuple(only(name, f"{_MAPPING}.{name}", doc, Type.JSON) for name, doc in _MAPPED),
    ),
    "source_mappings": Written(
        Writes(
            update=One("update_source_mapping"),
            refused=dict.fromkeys(("INSERT", "DELETE"), "each schema has its mapping from the beginning: INSERT INTO object_schemas (…, property_mappings)."),
        ),
    ),
    "object_records": Written(
        Writes(
            insert_many=GIVEN,
            delete_many=GONE,
            refused={"UPDATE": "INSERT the record once more, with the same id in it: Klaviyo takes it as a change of the one that is there."},
            hints={"object_type_id": "The mapping of the source tells the type.", "id": "The mapping of the source tells what in the record is its id."},
            notes=(
                "An INSERT gives record_properties to a data source, as the source has them; mappings make records of them some seconds later. "
                "What went wrong then is in object_ingestion_logs.",
                "Five hundred rows are one request, for each source.",
            ),
        ),
        bodies={"record_properties": "attributes.record"},
        added=(only("data_source_id", "relationships.data-source", "The source that a new record comes from."),),
    ),
    "object_ingestion_logs": refused("Klaviyo writes it."),
    "object_type_relations": _relations("object", "related_schema_id"),
    "object_type_profile_relations": _relations("profile", "profile_schema_id"),
}
