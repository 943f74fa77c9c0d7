"""Who must not be emailed: global exclusions and those of single lists, one row for each entry in a profile's subscriptions."""

from __future__ import annotations

from klaviyo_sql.model.table import Attribute, Collection, Column, Element, ElementNumber, Elements, Example, Filter, Table, Type
from klaviyo_sql.tables.columns import linked, own_id, text

_MARKETING = "subscriptions.email.marketing"
# A filter on a timestamp is about any of the entries, or about the newest: neither is documented. What is after a bound stays in both; what is
# before one would be lost with the second, so upper bounds are not sent.
_NO_UPPER = frozenset({"less-than", "less-or-equal"})


def _exclusions(name: str, entries: str, doc: str, list_: tuple[Column, ...], *examples: Example) -> Table:
    place = f"{_MARKETING}.{entries}"
    return Table(
        name=name,
        doc=doc,
        source=Collection(
            resource="profile",
            list="get_profiles",
            get="get_profile",
            most_gets=1,
            default_sort="id",
            cut_by="created",
            each=(Elements(((entries, tuple(place.split("."))),), additional="subscriptions"),),
            always=(f"greater-or-equal({place}.timestamp,1990-01-01T00:00:00Z)",),
            of="profiles",
        ),
        key=("profile_id", "number"),
        typical_rows=10_000,
        columns=(
            own_id("The profile's id.", name="profile_id"),
            Column("number", ElementNumber(), Type.INTEGER, "Which of the profile's entries it is, from 1.", not_null=True),
            text("email", "The profile's email address.", filter="email"),
            *list_,
            linked(
                "reason", Element(("reason",)), "Why: HARD_BOUNCE, INVALID_EMAIL, SPAM_COMPLAINT, UNSUBSCRIBE or USER_SUPPRESSED.", Filter(f"{place}.reason")
            ),
            Column(
                "timestamp",
                Element(("timestamp",)),
                Type.TIMESTAMP_MICROSECONDS,
                "Since when.",
                filters=(Filter(f"{place}.timestamp", never=_NO_UPPER),),
            ),
            Column("profile_created", Attribute(("created",)), Type.TIMESTAMP, "When the profile was made.", sort="created"),
        ),
        notes=("Only profiles that have such an entry are read; of bounds on timestamp Klaviyo is asked for the lower ones.",),
        examples=examples,
    )


GLOBAL_EXCLUSIONS = _exclusions(
    "global_exclusions",
    "suppression",
    "The profiles that Klaviyo sends no email to, one row for each reason.",
    (),
    Example("Who cannot be emailed, and since when?", "SELECT email, reason, timestamp FROM global_exclusions ORDER BY timestamp DESC LIMIT 20"),
    Example("How many for which reason?", "SELECT reason, count(*) AS profiles FROM global_exclusions GROUP BY reason ORDER BY profiles DESC"),
    Example("Which are new this year?", "SELECT email, reason FROM global_exclusions WHERE timestamp >= date('now', '-1 year')"),
)

LIST_EXCLUSIONS = _exclusions(
    "list_exclusions",
    "list_suppressions",
    "The profiles that unsubscribed from single lists, one row for each profile and list.",
    (linked("list_id", Element(("list_id",)), "The list's id.", Filter(f"{_MARKETING}.list_suppressions.list_id")),),
    Example("Who left which list?", "SELECT email, list_id, timestamp FROM list_exclusions ORDER BY timestamp DESC LIMIT 20"),
    Example("How many left each list?", "SELECT list_id, count(*) AS profiles FROM list_exclusions GROUP BY list_id ORDER BY profiles DESC"),
    Example("Why?", "SELECT reason, count(*) AS profiles FROM list_exclusions GROUP BY reason"),
)
