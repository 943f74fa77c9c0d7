"""Custom objects: their types, the schemas of those, records, what went wrong with records, and where they come from."""

from __future__ import annotations

from klaviyo_sql.model.table import Collection, Example, FromParent, Linked, Parent, ParentId, Related, Table
from klaviyo_sql.tables.columns import json, linked, own_id, precise_time, text

_SLOW = "Klaviyo permits three requests a second and sixty a minute; an account without custom objects answers with an error that says so (403)."

DATA_SOURCES = Table(
    name="data_sources",
    doc="The sources that custom objects are made from, one row each.",
    source=Collection(resource="data-source", list="get_data_sources", get="get_data_source", most_gets=1),
    key=("id",),
    typical_rows=5,
    columns=(
        own_id("The source's id.", filter=None),
        text("title", "The source's title."),
        text("description", "What the source is."),
        text("namespace", "The namespace that it is in."),
        text("visibility", "Who may see it: private or shared."),
    ),
    notes=(_SLOW,),
    examples=(
        Example("Which sources are there?", "SELECT id, title, namespace FROM data_sources ORDER BY title"),
        Example("Which are shared?", "SELECT title, visibility FROM data_sources ORDER BY visibility"),
        Example("What are they?", "SELECT title, description FROM data_sources"),
    ),
)

OBJECT_TYPES = Table(
    name="object_types",
    doc="The types of custom objects, one row each.",
    source=Collection(resource="object-type", list="get_object_types", get="get_object_type", most_gets=1),
    key=("id",),
    typical_rows=5,
    columns=(
        own_id("The type's id.", filter=None),
        text("title", "The type's title."),
        text("description", "What the type is."),
        text("status", "The status, such as active or draft."),
        text("namespace", "The namespace that it is in.", filter="namespace"),
        linked("current_schema_id", Related("current-schema", "object-schema"), "The id of the schema in force."),
        linked("draft_schema_id", Related("draft-schema", "object-schema"), "The id of the schema that is being made."),
        precise_time("created_at", "When the type was made."),
        precise_time("updated_at", "When the type last changed."),
    ),
    notes=(_SLOW,),
    examples=(
        Example("Which types are there?", "SELECT id, title, status, namespace FROM object_types ORDER BY title"),
        Example("Which schema has each?", "SELECT title, current_schema_id, draft_schema_id FROM object_types"),
        Example("Which are in use?", "SELECT title FROM object_types WHERE status = 'active'"),
    ),
)

OBJECT_SCHEMAS = Table(
    name="object_schemas",
    doc="The versions of the schemas of custom objects, one row each.",
    source=Collection(resource="object-schema", list="get_schema_versions_for_object_type", parent=Parent("object_types", "object_type_id")),
    key=("object_type_id", "id"),
    typical_rows=10,
    columns=(
        linked("object_type_id", ParentId(), "The type's id; without it every type is asked, one request each.", not_null=True),
        own_id("The schema's id.", filter=None),
        text("title", "The schema's title."),
        text("description", "What the schema is."),
        text("status", "The status, such as active or draft."),
        json("properties", "The properties that records have, a JSON array of {id, name, type, description}."),
        json("required", "The properties that records must have, as a JSON array."),
        precise_time("published_at", "When the schema came into force."),
        text("visibility", "Who may see it: private or shared."),
    ),
    notes=(_SLOW,),
    examples=(
        Example("Which versions has each type?", "SELECT object_type_id, id, status, published_at FROM object_schemas"),
        Example(
            "Which properties have records?", "SELECT title, property.value ->> '$.name' AS property FROM object_schemas, json_each(properties) AS property"
        ),
        Example("Which are in force?", "SELECT object_type_id, id FROM object_schemas WHERE status = 'active'"),
    ),
)


def _relations(name: str, relation: str, resource: str, other: str, doc: str) -> Table:
    return Table(
        name=name,
        doc=doc,
        source=Collection(
            resource="object-type", list="get_object_type", parent=Parent("object_types", "object_type_id"), one=True, each=(Linked(relation, resource),)
        ),
        key=("object_type_id", other),
        typical_rows=5,
        columns=(
            linked("object_type_id", ParentId(), "The type's id; without it every type is asked, one request each.", not_null=True),
            linked(other, Related(relation, resource), "The id of what it relates to.", not_null=True),
            text("title", "The type's title."),
        ),
        notes=(_SLOW,),
        examples=(
            Example("What relates to what?", f"SELECT title, {other} FROM {name}"),
            Example("How many relations has each?", f"SELECT title, count(*) AS relations FROM {name} GROUP BY object_type_id"),
            Example("What does one relate to?", f"SELECT {other} FROM {name} WHERE object_type_id = (SELECT object_type_id FROM {name} LIMIT 1)"),
        ),
    )


OBJECT_TYPE_RELATIONS = _relations(
    "object_type_relations", "object-types", "object-type", "related_object_type_id", "Which types of objects relate to each other, one row for each pair."
)
OBJECT_TYPE_PROFILE_RELATIONS = _relations(
    "object_type_profile_relations",
    "profile-object-types",
    "profile-object-type",
    "profile_object_type_id",
    "Which types of objects relate to profiles, one row for each relation.",
)

SOURCE_MAPPINGS = Table(
    name="source_mappings",
    doc="How the properties of records are made from their sources, one row for each schema that has a mapping.",
    source=Collection(resource="source-mapping", list="get_source_mapping_for_object_schema", parent=Parent("object_schemas", "object_schema_id"), one=True),
    key=("id",),
    typical_rows=10,
    columns=(
        linked("object_schema_id", ParentId(), "The schema's id; without it every schema is asked, one request each.", not_null=True),
        linked("object_type_id", FromParent("object_type_id"), "The type's id."),
        own_id("The mapping's id.", filter=None),
        json("property_mappings", "Where each property comes from, as a JSON array."),
        json("relationship_mappings", "Where each relation comes from, as a JSON array."),
    ),
    notes=(_SLOW,),
    examples=(
        Example("What is mapped?", "SELECT object_schema_id, json_array_length(property_mappings) AS properties FROM source_mappings"),
        Example("Where do properties come from?", "SELECT property.value AS mapping FROM source_mappings, json_each(property_mappings) AS property"),
        Example("Of which types?", "SELECT DISTINCT object_type_id FROM source_mappings"),
    ),
)

OBJECT_RECORDS = Table(
    name="object_records",
    doc="The records of custom objects, one row each.",
    source=Collection(resource="object-record", list="get_records_for_object_type", parent=Parent("object_types", "object_type_id")),
    key=("object_type_id", "id"),
    typical_rows=5_000,
    columns=(
        linked("object_type_id", ParentId(), "The type's id; without it the records of every type are read.", not_null=True),
        own_id("The record's id.", filter=None),
        json("record_properties", "All properties as JSON: record_properties ->> '$.key' reads one."),
        linked("object_type_title", FromParent("title"), "The type's title.", hidden=True),
    ),
    notes=(_SLOW, "A hundred records in a request; Klaviyo has no filter on them."),
    examples=(
        Example("How many records has each type?", "SELECT object_type_title, count(*) AS records FROM object_records GROUP BY object_type_id"),
        Example("What is in one?", "SELECT id, record_properties FROM object_records LIMIT 1"),
        Example("Which has one type?", "SELECT id FROM object_records WHERE object_type_id = (SELECT object_type_id FROM object_records LIMIT 1) LIMIT 10"),
    ),
)

OBJECT_INGESTION_LOGS = Table(
    name="object_ingestion_logs",
    doc="What went wrong when records came in, one row for each entry of the log.",
    source=Collection(resource="object-ingestion-log", list="get_ingestion_logs_for_object_type", parent=Parent("object_types", "object_type_id")),
    key=("object_type_id", "id"),
    typical_rows=200,
    columns=(
        linked("object_type_id", ParentId(), "The type's id; without it every type is asked.", not_null=True),
        own_id("The entry's id.", filter=None),
        # The filter takes the record's id in your own system, which is only a part of this.
        linked("record_id", Related("object-record", "object-record"), "The id of the record; NULL when it did not come to be."),
        text("status", "How bad it is: error, warning or info.", filter="status"),
        text("event_type", "What it is about, such as validation_error.", filter="event_type"),
        precise_time("timestamp", "When it was.", filter="timestamp"),
        text("summary", "What it is, in a sentence."),
        json("errors", "What exactly is wrong, a JSON array of {code, message, property, invalid_value}."),
    ),
    notes=("Klaviyo permits one request a second and fifteen a minute.",),
    examples=(
        Example("What went wrong lately?", "SELECT timestamp, summary FROM object_ingestion_logs ORDER BY timestamp DESC LIMIT 10"),
        Example("How bad is it?", "SELECT status, count(*) AS entries FROM object_ingestion_logs GROUP BY status"),
        Example(
            "With which properties?",
            "SELECT error.value ->> '$.property' AS property, count(*) AS errors FROM object_ingestion_logs, json_each(errors) AS error GROUP BY 1",
        ),
    ),
)

OBJECT_TABLES = (
    DATA_SOURCES,
    OBJECT_TYPES,
    OBJECT_SCHEMAS,
    OBJECT_TYPE_RELATIONS,
    OBJECT_TYPE_PROFILE_RELATIONS,
    SOURCE_MAPPINGS,
    OBJECT_RECORDS,
    OBJECT_INGESTION_LOGS,
)
