"""The rows that the queries name: some that are there, of each kind that matters."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass

from .. import truth

Row = dict[str, object]


@functools.cache
def rows_of(table: str) -> list[Row]:
    """The rows of a table, in the order of the key."""
    names = [column.name for column in truth.TABLES[table].columns]
    return sorted((dict(zip(names, row, strict=True)) for row in truth.rows(truth.account(), table)), key=lambda row: json.dumps(list(row.values()))[:200])


def quoted(value: object) -> str:
    """The value as a literal of SQL."""
    return "NULL" if value is None else str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def listed(values: object) -> str:
    """The values as the inside of an IN."""
    return ", ".join(map(quoted, values))  # type: ignore[call-overload]


@dataclass(frozen=True)
class Rows:
    """All rows of some tables, and of each of them those that queries are about."""

    profiles: list[Row]
    profile: Row
    other: Row
    third: Row
    a: str
    """The id of `profile`, as a literal; `b` and `c` are those of the other two."""
    b: str
    c: str
    many: list[object]
    """Ids of more profiles than one request asks for."""
    created: str
    updated: str
    events: list[Row]
    event: Row
    """One with a number as its value, of a profile."""
    when: str
    thousand: list[object]
    """Ids of events."""
    metrics: list[Row]
    metric: Row
    """Of orders."""
    order: str
    """Its id, as a literal; so are those of a metric of the shop's own and of refunds."""
    custom_id: str
    refund_id: str
    lists: list[Row]
    big: str
    """The id of the list with the most members."""
    joined: str
    """When one of them joined."""


def rows() -> Rows:
    """Those of the account that is the truth."""
    profiles, events, lists, metrics = (rows_of(name) for name in ("profiles", "events", "lists", "metrics"))
    profile, other, third = profiles[20], profiles[100], profiles[200]
    event = next(row for row in events if row["value"] and isinstance(row["value"], float) and row["profile_id"])
    metric = next(row for row in metrics if row["name"] == "Placed Order")
    custom = next(row for row in metrics if str(row["name"]).startswith("Custom"))
    refund = next(row for row in metrics if row["name"] == "Refunded Order")
    members = truth.account().list_members
    big = max(members, key=lambda key: len(members[key]))
    return Rows(
        profiles=profiles,
        profile=profile,
        other=other,
        third=third,
        a=quoted(profile["id"]),
        b=quoted(other["id"]),
        c=quoted(third["id"]),
        many=[row["id"] for row in profiles][:150],
        created=str(profile["created"]),
        updated=str(profile["updated"]),
        events=events,
        event=event,
        when=str(event["datetime"]),
        thousand=[row["id"] for row in events][:1000],
        metrics=metrics,
        metric=metric,
        order=quoted(metric["id"]),
        custom_id=quoted(custom["id"]),
        refund_id=quoted(refund["id"]),
        lists=lists,
        big=big,
        joined=sorted(members[big].values())[150].replace("T", " ")[:19],
    )
