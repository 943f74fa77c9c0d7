"""Records of custom objects."""

from __future__ import annotations

from dataclasses import replace

from klaviyo_sql.model.procedure import Input, Procedure, Way, own_table
from klaviyo_sql.model.table import Type
from klaviyo_sql.model.writing import One, Writes
from klaviyo_sql.tables.written.objects import GIVEN, GONE

_SOURCE = Input("data_source_id", "The data source.", body="relationships.data-source", required=True)
_RECORD = Input("record", "The record, as a JSON object.", Type.JSON, "attributes.data-source-record.data.attributes.record", required=True)
_ONE = own_table("create_data_source_record", "A record.", (_SOURCE, _RECORD), Writes(insert=One("create_data_source_record")))

_MANY = own_table(
    "create_data_source_records",
    "Records.",
    (_SOURCE, Input("record", "The record.", Type.JSON, "attributes.record")),
    # Nothing says that records of anybody's own making have an id, by which Klaviyo would take one that is sent twice only once.
    Writes(insert_many=replace(GIVEN, repeatable=False)),
)
_GONE = own_table("bulk_delete_object_records", "Records.", (), Writes(delete_many=GONE))

PROCEDURES = (
    Procedure(
        "create_data_source_record",
        "Give a data source a record, from which custom objects are made.",
        (_SOURCE, _RECORD),
        (Way(_ONE),),
        notes=("Klaviyo carries it out later, and tells no job: object_ingestion_logs has what went wrong.",),
        example='CALL create_data_source_record((SELECT id FROM data_sources LIMIT 1), \'{"id": "P-1", "name": "Rex"}\');',
    ),
    Procedure(
        "create_data_source_records",
        "Give a data source many records at once.",
        (
            _SOURCE,
            Input("records", "A JSON array of records, each an object of its own making.", Type.JSON, required=True, names=("record",)),
        ),
        (Way(_MANY, each="records", column="record"),),
        others=("bulk_create_data_source_records",),
        notes=("One request for each 500 records, as far as 4 MB hold them.",),
        example='CALL create_data_source_records((SELECT id FROM data_sources LIMIT 1), \'[{"id": "P-1"}, {"id": "P-2"}]\');',
    ),
    Procedure(
        "bulk_delete_object_records",
        "Delete records of custom objects.",
        (Input("record_ids", "A record's id, or a JSON array of ids.", required=True, names=("record_id", "ids", "id")),),
        (Way(_GONE, "DELETE", each="record_ids", column="record_id", key="record_id"),),
        takes_away=True,
        notes=("One request for each 500 records.",),
        example="CALL bulk_delete_object_records((SELECT id FROM object_records LIMIT 1));",
    ),
)
