"""Events, counted: the internal table that statements which only count events are made to read.

It has every column of events, so that all names mean what they did, and others that stand for the uses of an event that a count of many
answers as well. Who reads another column than those gets the events themselves, each counted once.
"""

from __future__ import annotations

from dataclasses import fields, replace

from klaviyo_sql.model.table import Argument, Column, CountedCollection, Id, Table, Type
from klaviyo_sql.tables.events import EVENTS

INTERVAL, BOUNDS, BUCKET, BOUND, COUNT, SUM, KEY = (
    "klaviyo_interval",
    "klaviyo_bounds",
    "klaviyo_bucket",
    "klaviyo_bound",
    "klaviyo_count",
    "klaviyo_sum",
    "klaviyo_key",
)
_EVENTS = {column.name: column for column in EVENTS.columns}

EVENT_COUNTS = Table(
    name="klaviyo_event_counts",
    doc="Events of one metric in one hour or day of UTC, counted by Klaviyo where that is exact; otherwise events, each counted once.",
    source=CountedCollection(**{field.name: getattr(EVENTS.source, field.name) for field in fields(EVENTS.source)}, operation="query_metric_aggregates"),
    # Not the id, which SQLite says that it reads when it is the key.
    key=(KEY,),
    typical_rows=EVENTS.typical_rows,
    columns=(
        # What the table is called with, klaviyo_event_counts('day', 2), goes to the first hidden columns that there are; events have some, too.
        Column(INTERVAL, Argument(), Type.TEXT, "The finest part of the time that is used: hour or day.", hidden=True),
        Column(BOUNDS, Argument(), Type.INTEGER, "How many conditions on the bound there are.", hidden=True),
        *EVENTS.columns,
        # SQLite loses the collating sequence of a hidden column. Nothing shows these: statements with a * of events are not made to read this table.
        Column(BUCKET, _EVENTS["datetime"].place, Type.TIMESTAMP, "The time where only its hour or day is used."),
        Column(BOUND, _EVENTS["datetime"].place, Type.TIMESTAMP, "The time where a range is asked for.", filters=_EVENTS["datetime"].filters),
        Column(COUNT, Argument(), Type.INTEGER, "How many events the row stands for."),
        replace(_EVENTS["value"], name=SUM, doc="The sum of their values."),
        Column(KEY, Id(), Type.TEXT, "What sets the row apart from others."),
    ),
)
