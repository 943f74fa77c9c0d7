"""Which flows are started by a list, a segment or a metric: the pages of those include their flows."""

from __future__ import annotations

from klaviyo_sql.model.table import Attribute, Collection, Column, Example, Filter, Id, Included, Linked, Related, Table, Type
from klaviyo_sql.tables.columns import linked

_RELATION = "flow-triggers"


def _flow(name: str, type_: Type, doc: str) -> Column:
    return Column(f"flow_{name}", Included(_RELATION, "flow", Attribute((name,))), type_, doc)


def _triggers(resource: str, of: str, list_: str, get: str, sort: str | None, *filters: Filter) -> Table:
    key = f"{resource}_id"
    name = f"{resource}_flow_triggers"
    return Table(
        name=name,
        doc=f"Which {resource} starts which flow, one row for each pair.",
        source=Collection(resource=resource, list=list_, get=get, most_gets=1, default_sort=sort, each=(Linked(_RELATION, "flow"),), of=of),
        key=(key, "flow_id"),
        typical_rows=20,
        columns=(
            linked(key, Id(), f"The {resource}'s id.", *filters, not_null=True),
            linked("flow_id", Related(_RELATION, "flow"), "The id of the flow that it starts.", not_null=True),
            linked(f"{resource}_name", Attribute(("name",)), f"The {resource}'s name."),
            _flow("name", Type.TEXT, "The flow's name."),
            _flow("status", Type.TEXT, "The flow's status: draft, manual or live."),
            _flow("archived", Type.BOOLEAN, "1 when the flow is archived."),
            _flow("trigger_type", Type.TEXT, "What kind of trigger the flow has."),
            _flow("created", Type.TIMESTAMP, "When the flow was made."),
            _flow("updated", Type.TIMESTAMP, "When the flow last changed."),
        ),
        notes=(f"Read from the {of}, whose pages include the flows.",),
        examples=(
            Example("What starts which flow?", f"SELECT {resource}_name, flow_name, flow_status FROM {name} ORDER BY 1, 2"),
            Example(f"Which {of} start more than nothing?", f"SELECT {resource}_name, count(*) AS flows FROM {name} GROUP BY {key} ORDER BY flows DESC"),
            Example(f"What does one {resource} start?", f"SELECT flow_id, flow_name FROM {name} WHERE {key} = (SELECT {key} FROM {name} LIMIT 1)"),
        ),
    )


LIST_FLOW_TRIGGERS = _triggers("list", "lists", "get_lists", "get_list", "id", Filter("id", exact=True))
SEGMENT_FLOW_TRIGGERS = _triggers("segment", "segments", "get_segments", "get_segment", "id", Filter("id", exact=True))
METRIC_FLOW_TRIGGERS = _triggers("metric", "metrics", "get_metrics", "get_metric", None)
