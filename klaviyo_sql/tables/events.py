"""events: everything that profiles did."""

from __future__ import annotations

from klaviyo_sql.model.table import Attribute, Collection, Column, Example, Filter, Id, Included, Linked, MetricCount, Related, Table, Type
from klaviyo_sql.tables.columns import linked

_ATTRIBUTED = (
    ("attributed_event_id", "attributed-event", "The id of the event that it is attributed to, such as a clicked email."),
    ("campaign_id", "campaign", "The id of the campaign that it is attributed to."),
    ("campaign_message_id", "campaign-message", "The id of the campaign's message that it is attributed to."),
    ("flow_id", "flow", "The id of the flow that it is attributed to."),
    ("flow_message_id", "flow-message", "The id of the flow's message that it is attributed to."),
    ("flow_message_variation_id", "flow-message-variation", "The id of the variation of the flow's message that it is attributed to."),
)


def _attributed(*, hidden: bool) -> tuple[Column, ...]:
    """What an attribution relates to: on an event, of its first one."""
    return tuple(linked(name, Included("attributions", "attribution", Related(relation, relation)), doc, hidden=hidden) for name, relation, doc in _ATTRIBUTED)


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
        count=MetricCount(metric="metric", time="datetime"),
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
        # Hidden, because what is included makes each page larger and slower to read.
        linked("metric_name", Included("metric", "metric", Attribute(("name",))), "The metric's name, which comes along.", hidden=True),
        linked("profile_email", Included("profile", "profile", Attribute(("email",))), "The profile's email address, which comes along.", hidden=True),
        *_attributed(hidden=True),
    ),
    notes=(
        "Several metric_ids are several scans, because Klaviyo has no list filter for them.",
        "metric_name, profile_email and what an event is attributed to come in the same requests; SELECT * leaves them out: name them.",
        "An event with several attributions shows the first; event_attributions has them all.",
    ),
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

EVENT_ATTRIBUTIONS = Table(
    name="event_attributions",
    doc="What events are attributed to, one row for each attribution.",
    source=Collection(
        resource="event",
        list="get_events",
        get="get_event",
        default_sort="datetime",
        cut_by="datetime",
        absent_statuses=frozenset({400, 404}),
        each=(Linked("attributions", "attribution"),),
        of="events",
    ),
    key=("event_id", "attribution_id"),
    typical_rows=200_000,
    columns=(
        linked("event_id", Id(), "The event's id.", not_null=True),
        linked("attribution_id", Related("attributions", "attribution"), "The attribution's id.", not_null=True),
        *(column for column in EVENTS.columns if column.name in ("metric_id", "profile_id", "datetime")),
        *_attributed(hidden=False),
    ),
    notes=("Read from the events: conditions on metric_id, profile_id and datetime save requests, those on what is attributed do not.",),
    examples=(
        Example(
            "What were the last orders attributed to?", "SELECT datetime, event_id, attributed_event_id FROM event_attributions ORDER BY datetime DESC LIMIT 10"
        ),
        Example(
            "How many events of each kind were attributed?",
            "SELECT metrics.name, count(*) AS events FROM event_attributions JOIN metrics ON metrics.id = metric_id GROUP BY metrics.id",
        ),
        Example("How many a day?", "SELECT date(datetime) AS day, count(*) AS attributed FROM event_attributions GROUP BY day ORDER BY day DESC LIMIT 7"),
    ),
)
