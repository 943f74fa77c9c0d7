"""metrics, and their aggregates by day, week and month."""

from __future__ import annotations

from klaviyo_sql.model.table import Aggregates, Attribute, Collection, Column, Example, Filter, Id, Measurement, Parent, ParentId, PeriodStart, Table, Type

METRICS = Table(
    name="metrics",
    doc="The kinds of events that the account records, one row each; names are not unique, ids are.",
    # The collection has no filter on id and is a page or two, so more than one id is answered by reading it whole.
    source=Collection(resource="metric", list="get_metrics", get="get_metric", most_gets=1),
    key=("id",),
    typical_rows=100,
    columns=(
        Column("id", Id(), Type.TEXT, "The metric's id, six characters.", not_null=True),
        Column("name", Attribute(("name",)), Type.TEXT, "The metric's name, such as Placed Order; several integrations can have the same."),
        Column("created", Attribute(("created",)), Type.TIMESTAMP, "When the metric was first seen."),
        Column("updated", Attribute(("updated",)), Type.TIMESTAMP, "When the metric last changed."),
        Column("integration_id", Attribute(("integration", "id")), Type.TEXT, "The id of the integration that sends the metric."),
        Column("integration_key", Attribute(("integration", "key")), Type.TEXT, "The integration's key, such as shopify."),
        Column("integration_name", Attribute(("integration", "name")), Type.TEXT, "The integration's name.", filters=(Filter("integration.name"),)),
        # A filter on integration.category is accepted and returns nothing (seen on a real account), so it is not sent.
        Column("integration_category", Attribute(("integration", "category")), Type.TEXT, "The integration's category."),
        Column("integration", Attribute(("integration",)), Type.JSON, "The whole integration object, as JSON."),
    ),
    examples=(
        Example("Which kinds of events are there?", "SELECT id, name, integration_name FROM metrics ORDER BY name"),
        Example("Which names are used more than once?", "SELECT name, count(*) AS metrics FROM metrics GROUP BY name HAVING metrics > 1"),
        Example("Which come from one integration?", "SELECT name FROM metrics WHERE integration_name = 'API'"),
    ),
)


INTEGRATIONS = Table(
    name="integrations",
    doc="The integrations that the account's metrics come from, one row each.",
    # There is no list of integrations: each metric tells its own, and a metric that somebody made may have none.
    source=Collection(resource="metric", list="get_metrics", of="metrics", distinct=True),
    key=("id",),
    typical_rows=20,
    columns=(
        Column("id", Attribute(("integration", "id")), Type.TEXT, "The integration's id.", not_null=True),
        Column("key", Attribute(("integration", "key")), Type.TEXT, "The integration's key, such as shopify."),
        Column("name", Attribute(("integration", "name")), Type.TEXT, "The integration's name.", filters=(Filter("integration.name"),)),
        Column("category", Attribute(("integration", "category")), Type.TEXT, "The integration's category."),
        Column("integration", Attribute(("integration",)), Type.JSON, "The whole integration object, as JSON."),
    ),
    notes=("Made of the metrics, for Klaviyo has no list of integrations: one without a metric is not there.",),
    examples=(
        Example("Which integrations send events?", "SELECT name, category FROM integrations ORDER BY name"),
        Example(
            "How many kinds of events does each send?",
            "SELECT integrations.name, count(*) AS metrics FROM integrations JOIN metrics ON metrics.integration_id = integrations.id\n"
            "GROUP BY integrations.id ORDER BY metrics DESC",
        ),
        Example("Which shop is connected?", "SELECT key, name FROM integrations WHERE category = 'eCommerce'"),
    ),
)


def _periods(name: str, interval: str, start: str, doc: str, start_doc: str, rows: int, *examples: Example) -> Table:
    return Table(
        name=name,
        doc=doc,
        source=Aggregates(interval=interval, operation="query_metric_aggregates", parent=Parent("metrics", "metric_id")),
        key=("metric_id", start),
        typical_rows=rows,
        columns=(
            Column("metric_id", ParentId(), Type.TEXT, "The metric's id; without it every metric is asked for, one request each.", not_null=True),
            Column(start, PeriodStart(), Type.DATE, start_doc, not_null=True),
            Column("count", Measurement("count"), Type.INTEGER, "How many events the metric had in the period.", not_null=True),
            Column("sum_value", Measurement("sum_value"), Type.REAL, "The sum of the events' values; currencies are not converted.", not_null=True),
            Column(
                "unique_count",
                Measurement("unique"),
                Type.INTEGER,
                "How many different profiles had the event in the period; never to be added up over periods.",
                not_null=interval != "week",  # see the engine: weeks that have to be made of days have none
            ),
        ),
        notes=(
            "Only complete past periods of the account's time zone are returned.",
            f"A range of {start} is cut to the full periods inside it; no range means the last year, a start alone one year from it, "
            "an end alone the year before it. Only conditions joined by AND make a range: one inside an OR is applied to the last year's rows.",
            "One request for each metric and year, three a second and sixty a minute.",
        ),
        examples=examples,
    )


DAILY_METRICS = _periods(
    "daily_metrics",
    "day",
    "date",
    "Each metric's events by day.",
    "The day, YYYY-MM-DD, in the account's time zone.",
    36_500,
    Example(
        "How did orders go in the last two weeks?",
        "SELECT date, count, sum_value FROM daily_metrics\n"
        "WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order') AND date >= date('now', '-14 days')",
    ),
    Example(
        "What were the best days of the last year?",
        "SELECT date, sum_value FROM daily_metrics\nWHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order') ORDER BY sum_value DESC LIMIT 5",
    ),
    Example(
        "The same as Skyvia's users write it:",
        "SELECT Date, Count, UniqueCount FROM DailyMetrics\n"
        "WHERE MetricId = (SELECT id FROM metrics WHERE name = 'Placed Order') AND Date > date('now', '-8 days')",
    ),
)
WEEKLY_METRICS = _periods(
    "weekly_metrics",
    "week",
    "week_start_date",
    "Each metric's events by week, Monday to Sunday.",
    "The Monday that the week begins with, YYYY-MM-DD, in the account's time zone.",
    5_200,
    Example(
        "How did orders go by week?",
        "SELECT week_start_date, count, sum_value FROM weekly_metrics\nWHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order')",
    ),
    Example(
        "How many different people opened email each week?",
        "SELECT week_start_date, unique_count FROM weekly_metrics\n"
        "WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Opened Email') AND week_start_date >= date('now', '-56 days')",
    ),
    Example(
        "How much more than the week before?",
        "SELECT week_start_date, sum_value - lag(sum_value) OVER (ORDER BY week_start_date) AS change FROM weekly_metrics\n"
        "WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order')",
    ),
)
MONTHLY_METRICS = _periods(
    "monthly_metrics",
    "month",
    "month_start_date",
    "Each metric's events by calendar month.",
    "The first day of the month, YYYY-MM-DD, in the account's time zone.",
    1_200,
    Example(
        "What was the revenue by month?",
        "SELECT month_start_date, sum_value FROM monthly_metrics\nWHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order')",
    ),
    Example(
        "What does a customer spend in a month?",
        "SELECT month_start_date, round(sum_value / unique_count, 2) AS per_customer FROM monthly_metrics\n"
        "WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order') AND unique_count > 0",
    ),
    Example(
        "Which metrics had the most events last month?",
        "SELECT metrics.name, monthly_metrics.count FROM monthly_metrics JOIN metrics ON metrics.id = monthly_metrics.metric_id\n"
        "WHERE month_start_date >= date('now', 'start of month', '-1 month') ORDER BY count DESC LIMIT 5",
    ),
)
