"""Times in every form, at the borders of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

from ..oracle import Query
from .rows import Rows, listed, rows_of


def single_instants(_: Rows) -> Iterator[Query]:
    """More single instants than are asked for one by one."""
    for table, column in (("events", "datetime"), ("events", "timestamp"), ("profiles", "created"), ("list_profiles", "joined_group_at")):
        instants = sorted({row[column] for row in rows_of(table)}, key=str)
        for number in (2, 19, 20, 21, 25, 60):
            some = instants[:: len(instants) // number][:number]
            yield Query(f"SELECT {column}, count(*) FROM {table} WHERE {column} IN ({listed(some)}) GROUP BY 1")
            yield Query(f"SELECT count(*) FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (json.dumps(some),))


def times(rows: Rows) -> Iterator[Query]:
    """Every ISO 8601 form of constants, at the borders of rows."""
    profiles, lists, joined, when = rows.profiles, rows.lists, rows.joined, rows.when
    micro = next(row for row in profiles if row["suppression_timestamp"])
    yield from compared("events", "datetime", when)
    yield from compared("profiles", "created", "2024-12-31 23:59:59")
    yield from compared("profiles", "updated", "2025-01-01 00:00:00")
    yield from compared("profiles", "suppression_timestamp", str(micro["suppression_timestamp"]))
    yield from compared("profiles", "last_event_date", str(next(row["last_event_date"] for row in profiles if row["last_event_date"])))
    yield from compared("list_profiles", "joined_group_at", joined)
    yield from compared("lists", "created", str(lists[0]["created"]))
    yield from compared("segments", "updated", str(rows_of("segments")[0]["updated"]))


def compared(table: str, column: str, text: str) -> Iterator[Query]:
    """Comparisons of a time column with an instant of one of its rows, written in every way, and with instants beside it."""
    instant = datetime.fromisoformat(text).replace(tzinfo=UTC)
    forms = [text, text.replace(" ", "T") + "Z", text.replace(" ", "T") + "+00:00"]
    for hours in (2, -5.5, 14):
        forms.append(instant.astimezone(timezone(timedelta(hours=hours))).isoformat())
    forms += [instant.astimezone(timezone(timedelta(hours=3))).isoformat(" "), text.replace("-", "").replace(":", "").replace(" ", "T") + "Z"]
    week = instant.isocalendar()
    clock = text[11:]
    forms += [
        f"{week.year}-W{week.week:02d}-{week.weekday}T{clock}Z",
        instant.strftime("%Y-%j") + f" {clock}",
        text + ",0" if len(text) == 19 else text,
        text + "+00",
    ]
    columns = {"list_profiles": "list_id, profile_id"}.get(table, "id")
    for form in forms:
        for operator in ("=", "<", ">="):
            yield Query(f"SELECT {columns} FROM {table} WHERE {column} {operator} '{form}'")
    near = [instant + timedelta(microseconds=step) for step in (-1_000_001, -1_000_000, -500_000, -1, 1, 500_000, 1_000_000)]
    near_forms = [moment.isoformat() for moment in near] + [
        text[:10],
        text[:7],
        text[:4],
        f"{week.year}-W{week.week:02d}",
        instant.strftime("%Y%j"),
        "0001-01-01",
        "9999-12-31T23:59:59",
    ]
    for form in near_forms:
        for operator in ("<", "<=", ">", ">=", "=", "<>"):
            yield Query(f"SELECT count(*), min({column}), max({column}) FROM {table} WHERE {column} {operator} ?", (form,))
    before, after = near[1].isoformat(), near[-1].isoformat()
    yield Query(f"SELECT {columns} FROM {table} WHERE {column} BETWEEN ? AND ?", (before, after))
    yield Query(f"SELECT {columns} FROM {table} WHERE {column} > '{before}' AND {column} < '{after}' AND {column} >= '{text[:4]}'")
    yield Query(f"SELECT {columns} FROM {table} WHERE {column} IN ('{forms[1]}', '{forms[4]}', '{before}', NULL)")
    yield Query(f"SELECT {columns} FROM {table} WHERE {column} IN (?, ?)", (forms[5], after))
    yield Query(f"SELECT count(*) FROM {table} WHERE {column} NOT IN (?, ?)", (forms[5], after))
    yield Query(f"SELECT count(*) FROM {table} WHERE {column} NOT BETWEEN ? AND ?", (before, after))
    yield Query(f"SELECT {columns} FROM {table} WHERE {column} = '{forms[4]}' OR {column} = '{after}' OR {column} < '2024-04-01T00:00+01:00'")
    yield Query(f"SELECT count(*) FROM {table} WHERE {column} IS ?", (forms[2],))
    yield Query(f"SELECT count(*) FROM {table} WHERE {column} IS NOT ?", (forms[2],))
    yield Query(f"SELECT {column}, count(*) FROM {table} WHERE date({column}) = date('{text}') GROUP BY {column}")
    yield Query(f"SELECT count(*) FROM {table} WHERE {column} > datetime('{text}', '-30 days') AND {column} <= datetime('{text}')")
