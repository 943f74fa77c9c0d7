"""The objects of Stitch's Klaviyo integration: the events of single metrics, which it knew by their names."""

from __future__ import annotations

from klaviyo_sql.model.table import Column, Constant, Detail, Type, Whole
from klaviyo_sql.vocabularies.vocabulary import Object, Vocabulary, same

_COLUMNS = same("id", "uuid", "datetime", "timestamp", "event_properties", statistic_id="metric_id", event_name="metric_name")
_ADDED = (
    Column("person", Whole("profile", "profile"), Type.JSON, "The profile that did it, as JSON: person ->> '$.email' reads its address."),
    Column("object", Constant("event"), Type.TEXT, "event, in every row.", not_null=True),
)


def _events(name: str, *metrics: str) -> Object:
    """The events of the metrics with these names, of which the first is the present one."""
    doc = f"The events of the metric {metrics[0]}, one row each."
    return Object(name, "events", _COLUMNS, kept=("profile_id",), added=_ADDED, of_metrics=metrics, doc=doc)


STITCH = Vocabulary(
    "stitch",
    "Stitch",
    (
        _events("bounce", "Bounced Email"),
        _events("click", "Clicked Email"),
        _events("dropped_email", "Dropped Email"),
        Object(
            "global_exclusions",
            "global_exclusions",
            same("email", "reason", "timestamp"),
            added=(Column("object", Constant("exclusion"), Type.TEXT, "exclusion, in every row.", not_null=True),),
        ),
        Object(
            "lists",
            "lists",
            same("id", "name", "created", "updated"),
            added=(
                Column("list_type", Constant("list"), Type.TEXT, "list, in every row.", not_null=True),
                Column("object", Constant("list"), Type.TEXT, "list, in every row.", not_null=True),
                Column(
                    "person_count",
                    Detail(("profile_count",), additional="profile_count"),
                    Type.INTEGER,
                    "How many profiles are in the list; each row costs a request of its own (1 a second, 15 a minute), so SELECT * leaves it out: name it.",
                    hidden=True,
                ),
            ),
        ),
        _events("mark_as_spam", "Marked Email as Spam"),
        _events("open", "Opened Email"),
        _events("receive", "Received Email"),
        _events("subscribe_list", "Subscribed to List"),
        _events("unsub_list", "Unsubscribed from List"),
        _events("unsubscribe", "Unsubscribed from Email Marketing", "Unsubscribed"),
        _events("update_email_preferences", "Updated Email Preferences"),
    ),
    notes=(
        "The objects of events have the rows of all metrics with the name that is told, whatever integration sends them. The names are looked up in the "
        "account, in one request more for each statement, which is kept for a minute like every page. Where the account has no such metric there are no "
        "rows, and no error.",
        "`person` has the profile's present values under their present names: `person ->> '$.email'` where Stitch had `$email`, and custom properties in "
        "`person ->> '$.properties.…'`. The hidden column `profile_id` finds the events of one.",
        "`lists` are lists alone; Stitch had segments among them, which are in `segments`. `reason` is one of Klaviyo's present words, such as `UNSUBSCRIBE`.",
    ),
)
