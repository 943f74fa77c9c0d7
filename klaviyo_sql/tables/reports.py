"""Metric aggregates and reports, as functions that return tables: `SELECT … FROM campaign_values('last_30_days')`.

What they are asked with are hidden columns, in the order of the arguments; a condition `WHERE timeframe = 'last_30_days'` says the same.
"""

from __future__ import annotations

from klaviyo_sql.model.table import (
    BucketStart,
    Column,
    Dimension,
    Example,
    Grouping,
    Measurement,
    MetricQuestion,
    Parameter,
    Report,
    RowKey,
    Statistic,
    Table,
    Type,
)


def _argument(name: str, doc: str, *, required: bool = False) -> Column:
    return Column(name, Parameter(name, required), Type.TEXT, doc, hidden=True)


_ROW_KEY = Column("row_key", RowKey(), Type.TEXT, "What sets the row apart from all others, as JSON.", hidden=True, not_null=True)

METRIC_AGGREGATES = Table(
    name="metric_aggregates",
    doc="Events of one metric, counted by Klaviyo: one row for each hour, day, week or month and each group.",
    source=MetricQuestion("query_metric_aggregates"),
    key=("row_key",),
    typical_rows=1000,
    columns=(
        _argument("metric_id", "The metric's id. Klaviyo does not aggregate custom metrics.", required=True),
        _argument("interval", "hour, day (the default), week or month."),
        _argument("by", "The dimensions to group by, separated by commas or as a JSON array: '$message' or 'Subject,URL'."),
        _argument("timezone", "The time zone that periods are of, such as 'Europe/Berlin'; the default is the account's."),
        _argument("since", "Periods that begin before are left out; the default is a year, of which the last day is that before until."),
        _argument("until", "Periods that begin then or later, or in the future, are left out; the default is a year after since, or now."),
        Column("start", BucketStart(), Type.TIMESTAMP, "When the period begins.", not_null=True),
        Column("local_start", BucketStart(local=True), Type.TEXT, "The same by the clock of the time zone, YYYY-MM-DD HH:MM:SS.", not_null=True),
        Column("dimensions", Dimension(), Type.JSON, "The group: its dimensions by their names; NULL without any."),
        Column("dimension_1", Dimension(0), Type.TEXT, "The group's value of the first dimension; empty for events that lack it."),
        Column("dimension_2", Dimension(1), Type.TEXT, "That of the second dimension."),
        Column("dimension_3", Dimension(2), Type.TEXT, "That of the third dimension."),
        Column("count", Measurement("count"), Type.INTEGER, "How many events there were."),
        Column("sum_value", Measurement("sum_value"), Type.REAL, "The sum of the events' values; currencies are not converted."),
        Column("unique_count", Measurement("unique"), Type.INTEGER, "How many different profiles had the event; never to be added up."),
        _ROW_KEY,
    ),
    notes=(
        "Every period is whole, the present one up to now; without groups one without events is a row of zeros.",
        "Times without an offset are those of the time zone.",
        "One request for each year; all measurements that are read come in one.",
    ),
    examples=(
        Example(
            "How did orders go by hour in the last three days?",
            "SELECT local_start, count, sum_value\n"
            "FROM metric_aggregates((SELECT id FROM metrics WHERE name = 'Placed Order'), 'hour')\nWHERE since = date('now', '-3 days')",
        ),
        Example(
            "Which messages brought most clicks in each month?",
            "SELECT local_start, dimension_1 AS message_id, max(count) AS clicks\n"
            "FROM metric_aggregates((SELECT id FROM metrics WHERE name = 'Clicked Email'), 'month', '$message') GROUP BY local_start",
        ),
        Example(
            "How many people opened email each week, by the clock of Berlin?",
            "SELECT local_start, unique_count FROM metric_aggregates\n"
            "WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Opened Email') AND interval = 'week' AND timezone = 'Europe/Berlin'",
        ),
    ),
)

_REALS = frozenset({"average_order_value", "conversion_value", "revenue_per_recipient", "text_message_roi", "text_message_spend"})
_STATISTICS_OF_MESSAGES = {
    "recipients": "To how many it was sent",
    "delivered": "How many arrived",
    "delivery_rate": "The part of the recipients to whom it was delivered",
    "opens": "How often it was opened",
    "opens_unique": "By how many it was opened",
    "open_rate": "The part that opened it",
    "clicks": "How often a link was clicked",
    "clicks_unique": "By how many a link was clicked",
    "click_rate": "The part that clicked",
    "click_to_open_rate": "The part of those who opened it that clicked",
    "conversions": "How many events of the conversion metric are attributed to it",
    "conversion_uniques": "How many people had one",
    "conversion_rate": "The part that had one",
    "conversion_value": "The sum of their values",
    "average_order_value": "Their average value",
    "revenue_per_recipient": "Their value by recipient",
    "unsubscribes": "How many unsubscriptions it brought",
    "unsubscribe_uniques": "How many people unsubscribed",
    "unsubscribe_rate": "The part that unsubscribed",
    "spam_complaints": "How often it was marked as spam",
    "spam_complaint_rate": "The part that marked it as spam",
    "bounced": "How many bounced",
    "bounce_rate": "The part that bounced",
    "bounced_or_failed": "How many bounced or failed",
    "bounced_or_failed_rate": "The part that bounced or failed",
    "failed": "How many failed",
    "failed_rate": "The part that failed",
    "message_segment_count_sum": "How many segments the text messages had",
    "text_message_credit_usage_amount": "How many credits the text messages used",
    "text_message_spend": "What the text messages cost",
    "text_message_roi": "What they brought for what they cost",
}
_STATISTICS_OF_FORMS = {
    "viewed_form": "How often it was seen",
    "viewed_form_uniques": "By how many it was seen",
    "submits": "How often it was submitted",
    "submit_rate": "The part of the views that ended in a submission",
    "closed_form": "How often it was closed",
    "closed_form_uniques": "By how many it was closed",
    "qualified_form": "How often somebody qualified for it",
    "qualified_form_uniques": "How many qualified for it",
    "viewed_form_step": "How often a step was seen",
    "viewed_form_step_uniques": "By how many a step was seen",
    "submitted_form_step": "How often a step was submitted",
    "submitted_form_step_uniques": "By how many a step was submitted",
}
_STATISTICS_OF_SEGMENTS = {
    "total_members": "How many members there are",
    "members_added": "How many came",
    "members_removed": "How many left",
    "net_members_changed": "How many more came than left",
}
_CHANNELS = ("email", "sms", "push-notification", "whatsapp")
_OF_MESSAGES = {
    "send_channel": "email, sms, push-notification or whatsapp",
    "tag_id": "A tag's id; who has several tags has a row for each",
    "tag_name": "The tag's name",
    "text_message_format": "SMS, MMS and the like",
    "variation": "The id of the variation of a test",
    "variation_name": "Its name",
}
_OF_CAMPAIGNS = {
    "campaign_id": "The campaign's id",
    "campaign_message_id": "The message's id",
    "campaign_message_name": "The message's name",
    "group": "The id of the group",
    "group_name": "The group's name",
    **_OF_MESSAGES,
}
_OF_FLOWS = {
    "flow_id": "The flow's id",
    "flow_message_id": "The message's id",
    "flow_message_name": "The message's name",
    "flow_name": "The flow's name",
    **_OF_MESSAGES,
}
_OF_FORMS = {"form_id": "The form's id", "form_version_id": "The id of the form's version"}
_OF_SEGMENTS = {"segment_id": "The segment's id"}

_DAILY = "Klaviyo answers 2 of these a minute and 225 a day. `klaviyo_limits` shows how many are left; when none is, the error says when the next may be sent."
_ONE_CALL = "All statistics that are read come in one request, and the same question within the cache's life costs none."
_CHANGING = "In a join whose rows give other arguments each time, the third question is refused. Join the answer to one question instead."


def _report(
    name: str,
    doc: str,
    groupings: dict[str, str],
    statistics: dict[str, str],
    default: tuple[str, ...],
    required: tuple[str, ...],
    *examples: Example,
) -> Table:
    subject, _, shape = name.partition("_")
    series, conversion, grouped = shape == "series", subject in ("campaign", "flow"), subject != "segment"
    filters = {name: ("equals", "contains-any" if conversion else "any") for name in groupings if name not in ("group", "group_name")}
    filters |= {name: ("contains-any", "contains-any") for name in ("tag_id", "tag_name") if name in groupings}
    arguments = []
    if series:
        arguments.append(_argument("interval", "hourly (up to 7 days), daily (the default; up to 60 days), weekly or monthly (up to 52 weeks)."))
    frame = "last_30_days, or last_7_days by the hour" if series else "last_30_days"
    arguments.append(_argument("timeframe", f"Such as last_month or this_year; the default is {frame}."))
    if grouped:
        told = f"; {' and '.join(required)} must be among them" if required else ""
        arguments.append(_argument("group_by", f"What to group by, separated by commas or as a JSON array: the default is '{','.join(default)}'{told}."))
    if conversion:
        arguments.append(
            _argument(
                "conversion_metric_id",
                "The metric whose events are conversions; the default is the metric Placed Order (of several that of an online shop, then the oldest).",
            )
        )
    arguments += [
        _argument("since", "When the time begins, instead of a timeframe; without an offset by the account's clock."),
        _argument("until", "When it ends, a year later at most; the default is the end of today."),
    ]
    period = (Column("period_start", BucketStart(local=True), Type.TEXT, "When the period begins by the account's clock.", not_null=True),) if series else ()
    return Table(
        name=name,
        doc=doc,
        source=Report(
            f"query_{name}",
            kind=f"{subject}-{shape}-report",
            groupings=default,
            required=required,
            statistic=next(iter(statistics)),
            series=series,
            conversion=conversion,
        ),
        key=("row_key",),
        typical_rows=2000 if series else 200,
        columns=(
            *arguments,
            *period,
            *(
                Column(
                    "message_group" if grouping == "group" else grouping,
                    Grouping(grouping, filters.get(grouping), _CHANNELS if grouping == "send_channel" else None),
                    Type.TEXT,
                    f"{told}{'' if grouping in default else '; NULL unless grouped by it'}.",
                )
                for grouping, told in groupings.items()
            ),
            *(
                Column(
                    statistic,
                    Statistic(statistic),
                    Type.REAL if statistic.endswith("_rate") or statistic in _REALS else Type.INTEGER,
                    f"{told}{', from 0 to 1' if statistic.endswith('_rate') else ''}.",
                )
                for statistic, told in statistics.items()
            ),
            _ROW_KEY,
        ),
        notes=(_DAILY, _ONE_CALL, _CHANGING),
        examples=examples,
    )


_CAMPAIGN_IDS, _FLOW_IDS = ("campaign_id", "campaign_message_id"), ("flow_id", "flow_message_id")

REPORTS: dict[str, Table] = {
    table.name: table
    for table in (
        METRIC_AGGREGATES,
        _report(
            "campaign_values",
            "How campaigns did in a time frame: one row for each message, or for each group.",
            _OF_CAMPAIGNS,
            _STATISTICS_OF_MESSAGES,
            (*_CAMPAIGN_IDS, "send_channel"),
            _CAMPAIGN_IDS,
            Example(
                "Which campaigns of the last 90 days brought most?",
                "SELECT name, sum(conversion_value) AS revenue, sum(recipients) AS recipients\n"
                "FROM campaign_values('last_90_days') AS report JOIN campaigns ON campaigns.id = report.campaign_id\n"
                "GROUP BY campaigns.id ORDER BY revenue DESC LIMIT 5",
            ),
            Example(
                "Which were opened least in October?",
                "SELECT campaign_id, campaign_message_id, open_rate FROM campaign_values\n"
                "WHERE since = '2026-10-01' AND until = '2026-11-01' AND recipients > 0 ORDER BY open_rate LIMIT 10",
            ),
            Example(
                "What did email bring, and what text messages?",
                "SELECT send_channel, sum(recipients) AS recipients, sum(conversion_value) AS revenue\n"
                "FROM campaign_values('last_90_days') GROUP BY send_channel",
            ),
        ),
        _report(
            "flow_values",
            "How the messages of flows did in a time frame: one row for each message, or for each group.",
            _OF_FLOWS,
            _STATISTICS_OF_MESSAGES,
            (*_FLOW_IDS, "send_channel"),
            _FLOW_IDS,
            Example(
                "How are flows opened and clicked?",
                "SELECT flow_name, flow_message_name, open_rate, click_rate\n"
                "FROM flow_values('last_90_days', 'flow_id,flow_message_id,flow_name,flow_message_name') ORDER BY open_rate DESC",
            ),
            Example(
                "Which flows brought most this year?",
                "SELECT flow_id, sum(conversion_value) AS revenue FROM flow_values('this_year') GROUP BY flow_id ORDER BY revenue DESC LIMIT 10",
            ),
            Example(
                "How many started a checkout because of each flow?",
                "SELECT flow_id, sum(conversions) AS checkouts FROM flow_values\n"
                "WHERE conversion_metric_id = (SELECT id FROM metrics WHERE name = 'Started Checkout') GROUP BY flow_id",
            ),
        ),
        _report(
            "flow_series",
            "How the messages of flows did, period by period: one row for each message, or group, and period.",
            _OF_FLOWS,
            _STATISTICS_OF_MESSAGES,
            (*_FLOW_IDS, "send_channel"),
            _FLOW_IDS,
            Example(
                "What did flows bring each week?",
                "SELECT period_start, sum(conversion_value) AS revenue FROM flow_series('weekly', 'last_90_days') GROUP BY period_start",
            ),
            Example(
                "How did one flow go day by day?",
                "SELECT period_start, recipients, opens, clicks FROM flow_series('daily', 'last_30_days')\n"
                "WHERE flow_id = (SELECT flow_id FROM flow_values ORDER BY recipients DESC LIMIT 1) ORDER BY period_start",
            ),
            Example(
                "When were most messages delivered in the last week, by the hour?",
                "SELECT period_start, sum(delivered) AS delivered FROM flow_series('hourly', 'last_7_days')\n"
                "GROUP BY period_start ORDER BY delivered DESC LIMIT 5",
            ),
        ),
        _report(
            "form_values",
            "How forms did in a time frame: one row for each form or version.",
            _OF_FORMS,
            _STATISTICS_OF_FORMS,
            ("form_id",),
            (),
            Example("Which forms work?", "SELECT form_id, viewed_form, submits, submit_rate FROM form_values('last_30_days') ORDER BY submit_rate DESC"),
            Example(
                "What are they called, and how often is each closed?",
                "SELECT forms.name, closed_form FROM form_values('last_90_days') AS report JOIN forms ON forms.id = report.form_id ORDER BY closed_form DESC",
            ),
            Example(
                "Which version of a form works better?",
                "SELECT form_id, form_version_id, submit_rate FROM form_values('last_90_days', 'form_id,form_version_id') ORDER BY form_id, submit_rate DESC",
            ),
        ),
        _report(
            "form_series",
            "How forms did, period by period: one row for each form or version and period.",
            _OF_FORMS,
            _STATISTICS_OF_FORMS,
            ("form_id",),
            (),
            Example(
                "How many forms were submitted each day?", "SELECT period_start, sum(submits) FROM form_series('daily', 'last_30_days') GROUP BY period_start"
            ),
            Example(
                "How often was each form seen each week?",
                "SELECT period_start, form_id, viewed_form FROM form_series('weekly', 'last_90_days') ORDER BY form_id, period_start",
            ),
            Example(
                "On which day were forms closed most often?",
                "SELECT period_start, sum(closed_form) AS closed FROM form_series('daily', 'last_30_days') GROUP BY period_start ORDER BY closed DESC LIMIT 1",
            ),
        ),
        _report(
            "segment_values",
            "How segments grew in a time frame: one row for each segment.",
            _OF_SEGMENTS,
            _STATISTICS_OF_SEGMENTS,
            ("segment_id",),
            (),
            Example(
                "Which segments grow?",
                "SELECT name, total_members, net_members_changed FROM segment_values('last_30_days') AS report\n"
                "JOIN segments ON segments.id = report.segment_id ORDER BY net_members_changed DESC",
            ),
            Example("How many members has each segment?", "SELECT segment_id, total_members FROM segment_values('today') ORDER BY total_members DESC"),
            Example(
                "Where did most come and go last month?",
                "SELECT segment_id, members_added, members_removed FROM segment_values('last_month') ORDER BY members_added + members_removed DESC LIMIT 5",
            ),
        ),
        _report(
            "segment_series",
            "How segments grew, period by period: one row for each segment and period.",
            _OF_SEGMENTS,
            _STATISTICS_OF_SEGMENTS,
            ("segment_id",),
            (),
            Example(
                "How many members were added each week?",
                "SELECT period_start, sum(members_added) FROM segment_series('weekly', 'last_90_days') GROUP BY period_start",
            ),
            Example(
                "How did one segment grow day by day?",
                "SELECT period_start, total_members FROM segment_series('daily', 'last_30_days')\n"
                "WHERE segment_id = (SELECT id FROM segments LIMIT 1) ORDER BY period_start",
            ),
            Example(
                "How many came and went each month?",
                "SELECT period_start, sum(members_added) AS came, sum(members_removed) AS went\n"
                "FROM segment_series('monthly', 'last_12_months') GROUP BY period_start",
            ),
        ),
    )
}
"""Every question that can be asked, by the name of its function."""
