"""Rows that nobody reads, held against a count of them: what Klaviyo is asked, and that the answer is the truth whatever is read after all.

No statement is read before SQLite reads it, so that the scans themselves have to find out; the extension's tests run this file once more.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from . import truth
from .examples import ONE_ORACLE, examples
from .oracle import Oracle, Query


def _filled(sql: str) -> str:
    """`{email}` and its like are ids of metrics, lists and segments with more rows than a page, `{range}` ends at whole days and `{ragged}` does not."""
    metrics = {metric["attributes"]["name"]: identifier for identifier, metric in truth.eventful().metrics.items()}
    return (
        sql.replace("{email}", f"'{metrics['Received Email']}'")
        .replace("{order}", f"'{metrics['Placed Order']}'")
        .replace("{never}", f"'{metrics['Never happened']}'")
        .replace("{list}", f"'{truth.longest(truth.eventful().list_members)}'")
        .replace("{segment}", f"'{truth.longest(truth.eventful().segment_members)}'")
        .replace("{range}", "datetime >= '2025-01-01' AND datetime < '2025-12-01'")
        .replace("{ragged}", "datetime >= '2025-01-01 00:00:01' AND datetime < '2025-12-01'")
    )


def asked(oracle: Oracle, query: Query) -> Counter[str]:
    """How often each operation was asked for, of a query that is answered with the truth."""
    oracle.check(query, cached=False)
    return Counter(record.operation for record in oracle._connections[False].sandbox.requests)  # type: ignore[union-attr,misc]


EVENTS = {"get_events": 1, "query_metric_aggregates": 1}
MEMBERS = {"get_profiles_for_list": 1, "get_list": 1}
COUNTED: dict[str, tuple[str, dict[str, int]]] = {
    "events": ("SELECT count(*) FROM events WHERE metric_id = {email} AND {range}", EVENTS),
    "as 1": ("SELECT sum(1), count(1) FROM events WHERE metric_id = {email} AND {range}", EVENTS),
    "with its metric": ("SELECT metric_id, count(*), max(metric_id) FROM events WHERE metric_id = {email} AND {range} GROUP BY metric_id", EVENTS),
    "of a subquery": ("SELECT count(*) FROM (SELECT datetime FROM events WHERE metric_id = {email} AND {range})", EVENTS),
    "beside others": ("SELECT count(*) + (SELECT count(*) FROM metrics) FROM events WHERE metric_id = {email} AND {range}", {**EVENTS, "get_metrics": 1}),
    "of a metric by name": (
        "SELECT count(*) FROM events WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Received Email') AND {range}",
        {**EVENTS, "get_metrics": 1},
    ),
    "in a join": (
        "SELECT m.name, count(*) FROM metrics m CROSS JOIN events e ON e.metric_id = m.id WHERE m.name IN ('Received Email') AND e.{range} GROUP BY m.id",
        {**EVENTS, "get_metrics": 1},
    ),
    "again and again": (
        "SELECT count(*) FROM (SELECT id FROM metrics LIMIT 5) CROSS JOIN events WHERE metric_id = {email} AND {range}",
        {**EVENTS, "get_metrics": 1},
    ),
    "few": ("SELECT count(*) FROM events WHERE metric_id = {email} AND datetime >= '2025-03-01' AND datetime < '2025-03-08'", {"get_events": 1}),
    "none": ("SELECT count(*) FROM events WHERE metric_id = {never} AND {range}", {"get_events": 1}),
    "some or none": ("SELECT EXISTS (SELECT 1 FROM events WHERE metric_id = {email} AND {range})", {"get_events": 1}),
    "members": ("SELECT count(*) FROM list_profiles WHERE list_id = {list}", MEMBERS),
    "members as Skyvia calls them": ("SELECT count(*) FROM ListProfiles WHERE ListId = {list}", MEMBERS),
    "members of a segment": ("SELECT count(*) FROM segment_profiles WHERE segment_id = {segment}", {"get_profiles_for_segment": 1, "get_segment": 1}),
    "members again and again": (
        "SELECT count(*) FROM (SELECT id FROM metrics LIMIT 5) CROSS JOIN list_profiles WHERE list_id = {list}",
        {**MEMBERS, "get_metrics": 1},
    ),
    "no such list": ("SELECT count(*) FROM list_profiles WHERE list_id = 'NONE00'", {"get_profiles_for_list": 1}),
    "NULL": ("SELECT count(*) FROM list_profiles WHERE list_id = NULL", {}),
}


@pytest.mark.parametrize("name", COUNTED)
def test_counted_by_klaviyo(unread: Oracle, name: str) -> None:
    sql, requests = COUNTED[name]
    assert asked(unread, Query(_filled(sql.replace("e.{range}", "e.datetime >= '2025-01-01' AND e.datetime < '2025-12-01'")))) == requests


READ = {
    "times": "SELECT datetime FROM events WHERE metric_id = {email} AND {range}",
    "the last time": "SELECT max(datetime), count(*) FROM events WHERE metric_id = {email} AND {range}",
    "ids": "SELECT count(id) FROM events WHERE metric_id = {email} AND {range} AND id > '7'",
    "a condition on the rows": "SELECT count(*) FROM events WHERE metric_id = {email} AND {range} AND profile_id IS NOT NULL",
    "a time that is compared": "SELECT count(*) FROM events WHERE metric_id = {email} AND {range} AND +datetime < '2025-11-01'",
    "a range with ragged ends": "SELECT count(*) FROM events WHERE metric_id = {email} AND {ragged}",
    "no beginning": "SELECT count(*) FROM events WHERE metric_id = {email} AND datetime < '2025-12-01'",
    "no metric": "SELECT count(*) FROM events WHERE {range}",
    "several metrics": "SELECT count(*) FROM events WHERE metric_id IN ({email}, {order}) AND {range}",
    "members since": "SELECT count(*) FROM list_profiles WHERE list_id = {list} AND joined_group_at >= '2020-01-01'",
    "members of several lists": "SELECT count(*) FROM list_profiles WHERE list_id IN (SELECT id FROM lists)",
    "members with an address": "SELECT count(email) FROM list_profiles WHERE list_id = {list}",
    "who": "SELECT profile_id FROM list_profiles WHERE list_id = {list}",
}


@pytest.mark.parametrize("name", READ)
def test_read_row_by_row(unread: Oracle, name: str) -> None:
    requests = asked(unread, Query(_filled(READ[name])))
    assert not requests.keys() & {"query_metric_aggregates", "get_list"}
    assert max(requests.values()) > 1  # there was more than a page to read


SKIPPED = {
    "events": "SELECT datetime, id FROM (SELECT 1) CROSS JOIN events WHERE metric_id = {email} AND {range}",
    "members": "SELECT profile_id, list_id FROM (SELECT 1) CROSS JOIN list_profiles WHERE list_id = {list}",
    "members of lists": "SELECT profile_id, list_id, name FROM lists CROSS JOIN list_profiles ON list_id = lists.id",
}


@pytest.mark.parametrize("offset", [0, 1, 99, 100, 101, 199, 250, 999, 1000, 1001, 1500, 5000])
@pytest.mark.parametrize("name", SKIPPED)
def test_rows_that_are_skipped_and_then_read(unread: Oracle, name: str, offset: int) -> None:
    full = _filled(SKIPPED[name])
    unread.check(Query(f"{full} LIMIT 120 OFFSET {offset}", full=full), cached=bool(offset % 2))


_FROM = (
    "events WHERE metric_id = {email} AND {range}",
    "events WHERE metric_id = {email} AND {ragged}",
    "events WHERE metric_id = {order} AND datetime >= '2025-02-01 05:00:00'",
    "events WHERE metric_id = {email} AND datetime BETWEEN '2024-06-01' AND '2025-11-30 23:59:59'",
    "(SELECT id AS metric FROM metrics WHERE name IN ('Received Email', 'Viewed Product')) CROSS JOIN events ON metric_id = metric WHERE {range}",
    "list_profiles WHERE list_id = {list}",
    "list_profiles AS events WHERE list_id IN (SELECT id FROM lists WHERE name LIKE '%e%')",
    "segment_profiles WHERE segment_id = {segment}",
    "lists CROSS JOIN list_profiles ON list_id = lists.id",
)
_CONDITIONS = ("", "", "", " AND EXISTS (SELECT 1 FROM metrics WHERE name = 'Placed Order')", " AND {key} > '01K'", " AND abs(random()) >= 0")


@st.composite
def _queries(draw: Any) -> Query:
    source = draw(st.sampled_from(_FROM))
    table = "events" if "metric_id" in source else "profiles"
    group, key = {"events": ("metric_id", "id"), "profiles": ("segment_id" if "segment" in source else "list_id", "profile_id")}[table]
    key = f"events.{key}" if table == "events" else key
    where = f"{source}{draw(st.sampled_from(_CONDITIONS)).replace('{key}', key)}" if "WHERE" in source else source
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return Query(_filled(f"SELECT count(*) FROM {where}"))
    if kind == 1:
        return Query(_filled(f"SELECT {group}, count(*), count({key}) FROM {where} GROUP BY {group}"))
    if kind == 2:
        return Query(_filled(f"SELECT count(*), max(1) FROM (SELECT {group} FROM {where} LIMIT {draw(st.integers(0, 2500))})"))
    skipped = f" OFFSET {draw(st.integers(0, 2500))}"
    full = _filled(f"SELECT {group}, {key} FROM {where}" if kind == 3 else f"SELECT {group} FROM {where}")
    return Query(f"{full} LIMIT {draw(st.integers(0, 300))}{skipped}", full=full)


@examples(120, ONE_ORACLE)
@given(query=_queries(), cached=st.booleans())
def test_generated_queries_are_answered_with_the_truth(unread: Oracle, query: Query, cached: bool) -> None:
    unread.check(query, cached=cached)


def test_the_range_is_read_as_an_instant(unread: Oracle) -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    for hours in (0, 5):
        zone = timedelta(hours=hours)
        text = (start + zone).strftime("%Y-%m-%dT%H:%M:%S") + f"+{hours:02}:00"
        assert (
            asked(unread, Query(_filled(f"SELECT count(*) FROM events WHERE metric_id = {{email}} AND datetime >= '{text}' AND datetime < '2025-12'")))
            == EVENTS
        )
