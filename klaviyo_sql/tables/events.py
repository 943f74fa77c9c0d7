"""events: everything that profiles did."""

from __future__ import annotations

from klaviyo_sql.model.table import Attribute, Collection, Column, Example, Filter, Id, Related, Table, Type

EVENTS = Table(
    name="events",
    doc="Everything that profiles did and that was sent to them, one row an event.",
    # Reading one event by id has a lower limit (10 a second) than the list; a nonsense id is answered with 400.
    source=Collection(
        resource="event",
        list="get_events",
        get="get_event",
        default_sort="datetime",
        cut_by="datetime",
        changes="datetime",
        absent_statuses=frozenset({400, 404}),
    ),
    key=("id",),
    typical_rows=1_000_000,
    columns=(
        Column("id", Id(), Type.TEXT, "The event's id, about eleven characters.", not_null=True),
        Column(
            "metric_id",
            Related("metric", "metric"),
            Type.TEXT,
            "The id of the metric, which is the kind of the event.",
            filters=(Filter("metric_id", exact=True), Filter("metric")),
        ),
        Column(
            "profile_id",
            Related("profile", "profile"),
            Type.TEXT,
            "The id of the profile; NULL when the profile is gone.",
            filters=(Filter("profile_id", exact=True), Filter("profile")),
        ),
        # Klaviyo cuts event times to seconds, so a range at whole seconds is exact.
        Column(
            "datetime",
            Attribute(("datetime",)),
            Type.TIMESTAMP,
            "When the event happened, to the second.",
            filters=(Filter("datetime", exact=True),),
            sort="datetime",
            not_null=True,
        ),
        Column(
            "timestamp",
            Attribute(("timestamp",)),
            Type.INTEGER,
            "When the event happened, in seconds since 1970-01-01 00:00:00 UTC.",
            filters=(Filter("timestamp", exact=True),),
            sort="timestamp",
            not_null=True,
        ),
        Column("value", Attribute(("event_properties", "$value")), Type.REAL, "The event's numeric value ($value), such as an order's total."),
        Column("value_currency", Attribute(("event_properties", "$value_currency")), Type.TEXT, "The ISO 4217 code of the value's currency ($value_currency)."),
        Column("event_id", Attribute(("event_properties", "$event_id")), Type.TEXT, "The unique id that the sender gave ($event_id)."),
        Column("event_properties", Attribute(("event_properties",)), Type.JSON, "All properties as JSON: event_properties ->> '$.key' reads one."),
        Column("uuid", Attribute(("uuid",)), Type.TEXT, "The event's UUID, which contains its time."),
    ),
    notes=("Several metric_ids are several scans, because Klaviyo has no list filter for them.",),
    examples=(
        Example(
            "What happened in the last hour?",
            "SELECT datetime, metric_id, profile_id FROM events WHERE datetime >= datetime('now', '-1 hour') ORDER BY datetime DESC",
        ),
        Example(
            "What were the last orders worth?",
            "SELECT datetime, value, value_currency FROM events\n"
            "WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order') ORDER BY datetime DESC LIMIT 10",
        ),
        Example(
            "How many events of each kind were there in a week?",
            "SELECT metrics.name, count(*) AS events FROM events JOIN metrics ON metrics.id = events.metric_id\n"
            "WHERE events.datetime >= date('now', '-7 days') GROUP BY metrics.id ORDER BY events DESC",
        ),
    ),
)
