"""Events that are told to Klaviyo."""

from __future__ import annotations

from dataclasses import replace

from klaviyo_sql.model.procedure import Input, Procedure, Way, own_table
from klaviyo_sql.model.table import Column, Table, Type, WriteOnly
from klaviyo_sql.model.writing import One, Writes
from klaviyo_sql.procedures.people import patches, profile_inputs
from klaviyo_sql.tables import TABLES

_PROFILE = "attributes.profile.data"
_METRIC = "attributes.metric.data.attributes"

_INPUTS = (
    Input("metric_name", "The metric; one that is not there is made, for ever.", body=f"{_METRIC}.name", required=True, names=("metric",)),
    *profile_inputs(_PROFILE),
    Input("properties", "What else the event has, as a JSON object.", Type.JSON, "attributes.properties", names=("event_properties",)),
    Input("value", "What it is worth, a number.", Type.REAL, "attributes.value"),
    Input("value_currency", "The currency of the value, such as EUR.", body="attributes.value_currency"),
    Input("time", "When it happened; now by default.", Type.TIMESTAMP, "attributes.time", names=("datetime",)),
    Input("unique_id", "By which Klaviyo takes the event only once; a random one by default.", body="attributes.unique_id", names=("event_id",)),
    Input("metric_service", "The integration that a new metric is said to be of.", body=f"{_METRIC}.service", names=("service",)),
    Input("backfill", "1 for history: no flow is started by it.", Type.BOOLEAN, "attributes.backfill"),
    Input(
        "profile_properties",
        "Custom properties that the profile gets, as a JSON object.",
        Type.JSON,
        f"{_PROFILE}.attributes.properties",
        names=("properties_person", "person_properties"),
    ),
    *patches(f"{_PROFILE}.attributes."),
)

_EVENT = own_table(
    "create_event",
    "An event.",
    _INPUTS,
    Writes(insert=One("create_event", repeatable=True), once_by="unique_id", defaults={"properties": "{}"}),
)


def _bulk() -> Table:
    """The table of events, of which even one goes as a job; with the names that Klaviyo has for its columns."""
    events = TABLES["events"]
    writes = events.writes
    assert writes is not None  # noqa: S101 - events are written
    assert writes.insert_many is not None  # noqa: S101
    known = {column.name for column in events.columns}
    prefix = f"{_PROFILE}.attributes."
    more = tuple(
        Column(f"profile_{found.name}", WriteOnly(), found.type, found.doc, hidden=True, body=tuple(str(found.body).split(".")))
        for found in profile_inputs(_PROFILE)
        if found.name != "profile_id" and f"profile_{found.name}" not in known and str(found.body).startswith(prefix)
    )
    return replace(
        events, name="bulk_create_events", columns=(*events.columns, *more), others=(), writes=replace(writes, insert_many=replace(writes.insert_many, least=1))
    )


PROCEDURES = (
    Procedure(
        "create_event",
        "Tell Klaviyo of an event, and of the profile that it is of.",
        _INPUTS,
        (Way(_EVENT),),
        one_at_least=("profile_id", "email", "phone_number", "external_id", "anonymous_id"),
        others=("CreateEventWithMetricAndProfile",),
        notes=(
            "Klaviyo takes it at once and shows it some seconds later. A profile and a metric that are not there are made.",
            "A metric can never be deleted: look at the spelling of a new one.",
        ),
        example="CALL create_event('Placed Order', email => 'ada@example.com', value => 49.9, value_currency => 'EUR', properties => '{\"items\": 2}');",
    ),
    Procedure(
        "bulk_create_events",
        "Tell Klaviyo of many events in one job.",
        (
            Input(
                "events",
                "A JSON array of objects with the columns of events: metric_name, profile_email or profile_id, datetime, value, event_properties, event_id.",
                Type.JSON,
                required=True,
                names=("event",),
            ),
        ),
        (Way(_bulk(), each="events", column="metric_name"),),
        notes=("One request for each 1,000 events, as far as 5 MB hold them. Klaviyo carries it out some seconds later, and tells no job.",),
        example=('CALL bulk_create_events(\'[{"metric_name": "Visited Shop", "profile_email": "ada@example.com", "datetime": "2026-11-01T10:00:00Z"}]\');'),
    ),
)
