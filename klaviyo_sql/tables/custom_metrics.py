"""custom and mapped metrics, and the properties of metrics."""

from __future__ import annotations

from klaviyo_sql.model.table import Attribute, Collection, Column, Detail, Example, FromParent, Id, Included, Linked, Parent, ParentId, Related, Table, Type
from klaviyo_sql.tables.columns import json, linked, own_id, text, time

_SLOW = "Klaviyo permits three requests a second and sixty a minute."

CUSTOM_METRICS = Table(
    name="custom_metrics",
    doc="The metrics that the account computes from others, one row each; they cannot be asked for in events or period tables.",
    source=Collection(resource="custom-metric", list="get_custom_metrics", get="get_custom_metric", most_gets=1),
    key=("id",),
    typical_rows=10,
    columns=(
        own_id("The custom metric's id.", filter=None),
        text("name", "The custom metric's name."),
        text("aggregation_method", "How it adds up: count or value.", "definition", "aggregation_method"),
        json("metric_groups", "Which metrics it is made of, under which conditions, as a JSON array.", "definition", "metric_groups"),
        time("created", "When it was made."),
        time("updated", "When it last changed."),
    ),
    notes=(_SLOW,),
    examples=(
        Example("Which are there?", "SELECT id, name, aggregation_method FROM custom_metrics ORDER BY name"),
        Example("How many conditions have they?", "SELECT name, json_array_length(metric_groups) AS metric_groups FROM custom_metrics"),
        Example("Which changed last?", "SELECT name, updated FROM custom_metrics ORDER BY updated DESC LIMIT 3"),
    ),
)

CUSTOM_METRIC_METRICS = Table(
    name="custom_metric_metrics",
    doc="Which metrics a custom metric is made of, one row for each pair.",
    source=Collection(
        resource="custom-metric",
        list="get_custom_metrics",
        get="get_custom_metric",
        most_gets=1,
        each=(Linked("metrics", "metric"),),
        of="custom_metrics",
    ),
    key=("custom_metric_id", "metric_id"),
    typical_rows=20,
    columns=(
        linked("custom_metric_id", Id(), "The custom metric's id.", not_null=True),
        linked("metric_id", Related("metrics", "metric"), "The id of a metric that it is made of.", not_null=True),
        text("custom_metric_name", "The custom metric's name.", "name"),
        linked("metric_name", Included("metrics", "metric", Attribute(("name",))), "The metric's name."),
    ),
    notes=(_SLOW,),
    examples=(
        Example("What are they made of?", "SELECT custom_metric_name, metric_name FROM custom_metric_metrics ORDER BY 1, 2"),
        Example("Which metrics are used?", "SELECT metric_name, count(*) AS custom_metrics FROM custom_metric_metrics GROUP BY metric_id"),
        Example(
            "What is one made of?",
            "SELECT metric_id FROM custom_metric_metrics WHERE custom_metric_id = (SELECT id FROM custom_metrics LIMIT 1)",
        ),
    ),
)

MAPPED_METRICS = Table(
    name="mapped_metrics",
    doc="Which metric stands for revenue, started checkouts and so on: seven rows.",
    source=Collection(resource="mapped-metric", list="get_mapped_metrics", get="get_mapped_metric", most_gets=1, absent_statuses=frozenset({400, 404})),
    key=("id",),
    typical_rows=7,
    columns=(
        own_id(
            "What is mapped: added_to_cart, cancelled_sales, ordered_product, refunded_sales, revenue, started_checkout or viewed_product.",
            filter=None,
        ),
        linked("metric_id", Related("metric", "metric"), "The id of the metric, or NULL."),
        linked("metric_name", Included("metric", "metric", Attribute(("name",))), "The metric's name."),
        linked("custom_metric_id", Related("custom-metric", "custom-metric"), "The id of the custom metric, or NULL."),
        linked("custom_metric_name", Included("custom-metric", "custom-metric", Attribute(("name",))), "The custom metric's name."),
        time("updated", "When the mapping last changed."),
    ),
    notes=(_SLOW,),
    examples=(
        Example("What stands for what?", "SELECT id, coalesce(metric_name, custom_metric_name) AS metric FROM mapped_metrics"),
        Example("What is revenue?", "SELECT metric_id, custom_metric_id FROM mapped_metrics WHERE id = 'revenue'"),
        Example("What is not mapped?", "SELECT id FROM mapped_metrics WHERE metric_id IS NULL"),
    ),
)

METRIC_PROPERTIES = Table(
    name="metric_properties",
    doc="The properties that the events of metrics have, one row each.",
    source=Collection(
        resource="metric-property", list="get_properties_for_metric", get="get_metric_property", parent=Parent("metrics", "metric_id"), most_gets=1
    ),
    key=("id",),
    typical_rows=1_500,
    columns=(
        own_id("The property's id.", filter=None),
        linked("metric_id", ParentId("metric", "metric"), "The metric's id; without it every metric is asked, one request each.", not_null=True),
        linked("metric_name", FromParent("name"), "The metric's name.", hidden=True),
        text("property", "The property's key, as in event_properties."),
        text("label", "How Klaviyo shows the property."),
        text("inferred_type", "The type that Klaviyo takes it to have."),
        Column(
            "sample_values",
            Detail(("sample_values",), additional="sample_values"),
            Type.JSON,
            "Some of its values, as a JSON array; each row costs a request of its own (1 a second, 15 a minute), so SELECT * leaves it out: name it.",
            hidden=True,
        ),
    ),
    notes=("One request for each metric, one a second and fifteen a minute: ask for a metric_id.",),
    examples=(
        Example(
            "What do the events of one metric have?",
            "SELECT property, inferred_type FROM metric_properties WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order')",
        ),
        Example(
            "How are they shown?",
            "SELECT label FROM metric_properties WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order') ORDER BY label",
        ),
        Example(
            "What values have they?",
            "SELECT property, sample_values FROM metric_properties\nWHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order') LIMIT 1",
        ),
    ),
)
