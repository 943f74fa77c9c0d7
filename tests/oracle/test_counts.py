"""Counts from metric aggregates against a count of the events: what is asked of Klaviyo, and that the answer is the truth either way."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klaviyo_sql import Connection
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Sandbox

from . import truth
from .examples import ONE_ORACLE, examples
from .oracle import Oracle, Query

NOW = datetime.combine(truth.TODAY, time(18), tzinfo=UTC)


@functools.cache
def _metrics() -> dict[str, str]:
    """The ids of the metrics by name; of two with one name, the first."""
    found: dict[str, str] = {}
    for identifier, metric in truth.generated().metrics.items():
        found.setdefault(metric["attributes"]["name"], identifier)
    return found


def _opened(cached: bool) -> Connection:
    sandbox = Sandbox(truth.generated(), clock=SimulatedClock(NOW))
    # One request at a time: in simulated time every thread that waits for the low limit of aggregates moves the clock of all.
    return opened(":memory:", sandbox=sandbox, autocommit=True, cache_seconds=60.0 if cached else 0, parallel=1, counts="aggregates+sums")


@pytest.fixture(scope="module")
def counts() -> Iterator[Oracle]:
    made = truth.generated()
    oracle = Oracle(made, truth.database(truth.contents(made)), opens=_opened)
    yield oracle
    oracle.close()


def _asked(oracle: Oracle, sql: str, parameters: Any = (), **how: Any) -> dict[str, int]:
    """How often each operation was asked for, of a query that is answered with the truth."""
    oracle.check(Query(_filled(sql), tuple(parameters), **how), cached=False)
    records = oracle._connections[False].sandbox.requests  # type: ignore[union-attr]
    asked: dict[str, int] = {}
    for record in records:
        asked[record.operation] = asked.get(record.operation, 0) + 1
    return asked


def _filled(sql: str) -> str:
    """`{order}` and its like are the ids of metrics, `{range}` three months of whole days."""
    metrics = _metrics()
    return (
        sql.replace("{order}", f"'{metrics['Placed Order']}'")
        .replace("{open}", f"'{metrics['Opened Email']}'")
        .replace("{never}", f"'{metrics['Never happened']}'")
        .replace("{range}", "datetime >= '2025-06-01' AND datetime < '2025-09-01'")
        .replace("{days}", "events.datetime >= '2025-06-01' AND events.datetime < '2025-09-01'")
    )


COUNTED = {
    "all of one": ("SELECT count(*) FROM events WHERE metric_id = {order} AND {range}", 1),
    "one as count": ("SELECT COUNT(1) AS n FROM events WHERE metric_id = {order} AND {range}", 1),
    "a column that is never NULL": ("SELECT count(id), count(events.datetime) FROM events WHERE metric_id = {order} AND {range}", 1),
    "as Events": ('SELECT count(*) FROM "Events" AS "E e" WHERE "E e"."metric_id" = {order} AND "datetime" >= \'2025-06-01\'  AND [datetime] < \'2025-07\'', 1),
    "spaces, comments, capitals": ("SELECT\n count /* how many */ ( * ) -- the count\nFROM EVENTS WHERE METRIC_ID = {order} AND {range} -- the end", 1),
    "nothing happened": ("SELECT count(*) FROM events WHERE metric_id = {never} AND {range}", 1),
    "nothing happened, by day": ("SELECT date(datetime), count(*) FROM events WHERE metric_id = {never} AND {range} GROUP BY 1", 1),
    "by day": ("SELECT date(datetime) AS day, count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY day ORDER BY day", 1),
    "by month": ("SELECT strftime('%Y-%m', datetime), count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 2", 1),
    "by month, start of": ("SELECT date(datetime, 'start of month') m, count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY m", 1),
    "by week": ("SELECT date(datetime, 'weekday 0', '-6 days') AS week, count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY week", 1),
    "by number of the week": ("SELECT strftime('%Y-%W', datetime) AS week, count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY week", 1),
    "by year, cut": ("SELECT substr(datetime, 1, 4), count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY substr(datetime,1,4)", 1),
    "by weekday as number": (
        "SELECT CAST(strftime('%w', datetime) AS INTEGER) + 1, count(*) * 2.0 FROM events WHERE metric_id = {order} AND {range} "
        "GROUP BY CAST(strftime('%w', datetime) AS INTEGER)",
        1,
    ),
    "by hour of the day": ("SELECT strftime('%H', datetime) AS hour, count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY hour", 1),
    "by hour, cut": ("SELECT substr(datetime, 1, 13), count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY 1", 1),
    "from hour to hour": (
        "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '2025-06-01T05:00Z' AND datetime < '2025-06-20T09:00+02:00'",
        1,
    ),
    "half an hour is an hour": (
        "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '2025-06-01T05:30+05:30' AND datetime < '2025-06-20T09:30+05:30'",
        1,
    ),
    "to the last second": ("SELECT count(*) FROM events WHERE metric_id = {order} AND datetime BETWEEN '2025-06-01' AND '2025-06-30 23:59:59'", 1),
    "to the last of it": ("SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '2025-06-01' AND datetime <= '2025-06-30 23:59:59.999'", 1),
    "after the last second": ("SELECT count(*) FROM events WHERE metric_id = {order} AND datetime > '2025-05-31 23:59:59' AND '2025-07-01' > datetime", 1),
    "two years": ("SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '2024-03-01' AND datetime < '2026-03-01'", 2),
    "several metrics": ("SELECT metric_id, count(*) FROM events WHERE metric_id IN ({order}, {open}, {never}) AND {range} GROUP BY metric_id", 3),
    "of one, shown": ("SELECT metric_id, date(datetime), count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY 2", 1),
    "a metric by name": ("SELECT count(*) FROM events WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order') AND {range}", 1),
    "metrics by name": ("SELECT count(*) FROM events WHERE metric_id IN (SELECT id FROM metrics WHERE name = 'Viewed Product') AND {range}", 2),
    "joined": (
        "SELECT metrics.name, count(*) AS n FROM events JOIN metrics ON metrics.id = events.metric_id "
        "WHERE metrics.name IN ('Placed Order', 'Opened Email') AND {days} GROUP BY metrics.id ORDER BY n DESC",
        2,
    ),
    "joined the other way": (
        "SELECT m.name, strftime('%Y-%m', e.datetime) AS month, count(*) FROM metrics m "
        "INNER JOIN events e ON (e.metric_id = m.id AND e.datetime >= '2025-06') "
        "WHERE m.name = 'Placed Order' AND e.datetime < '2025-09-01' GROUP BY m.id, month HAVING count(*) > 3 ORDER BY month",
        1,
    ),
    "joined by a comma": (
        "SELECT e.metric_id, count(*) FROM metrics m, events e WHERE m.id = e.metric_id AND m.name = 'Viewed Product' "
        "AND e.datetime >= '2025-06-01' AND e.datetime < '2025-07-01' GROUP BY e.metric_id",
        2,
    ),
    "in a subquery": (
        "SELECT max(n), min(day) FROM (SELECT date(datetime) AS day, count(*) AS n FROM events WHERE metric_id = {order} AND {range} GROUP BY day)",
        1,
    ),
    "a star around it": ("SELECT * FROM (SELECT date(datetime), count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY 1)", 1),
    "in a common table": (
        "WITH days AS (SELECT date(datetime) AS day, count(*) AS n FROM events WHERE metric_id = {order} AND {range} GROUP BY day) "
        "SELECT day, n, sum(n) OVER (ORDER BY day) FROM days",
        1,
    ),
    "for each metric": (
        "SELECT name, (SELECT count(*) FROM events WHERE metric_id = metrics.id AND {range}) FROM metrics WHERE name LIKE '%Order'",
        2,
    ),
    "one after another": (
        "SELECT 'orders', count(*) FROM events WHERE metric_id = {order} AND {range} UNION ALL "
        "SELECT 'opens', count(*) FROM events WHERE metric_id = {open} AND {range}",
        2,
    ),
    "a ratio": (
        "SELECT 1.0 * (SELECT count(*) FROM events WHERE metric_id = {order} AND {range}) / (SELECT count(*) FROM events WHERE metric_id = {open} AND {range})",
        2,
    ),
    "sums": (
        "SELECT strftime('%Y-%m', datetime), sum(value), total(value), round(sum(value) / count(*), 2) FROM events "
        "WHERE metric_id = {order} AND {range} GROUP BY 1",
        1,
    ),
    "no sum of nothing": ("SELECT sum(value), total(value) FROM events WHERE metric_id = {never} AND {range}", 1),
    "only in HAVING": ("SELECT date(datetime) FROM events WHERE metric_id = {order} AND {range} GROUP BY 1 HAVING count(*) > 2", 1),
    "only in ORDER BY": ("SELECT date(datetime) d FROM events WHERE metric_id = {order} AND {range} GROUP BY 1 ORDER BY count(*) DESC, d LIMIT 3", 1),
    "a day of the week": ("SELECT count(*) FROM events WHERE metric_id = {order} AND {range} AND strftime('%w', datetime) IN ('0', '6')", 1),
    "an empty range": ("SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '2025-06-01' AND datetime < '2025-06-01'", 0),
    "a contradiction": ("SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '2025-06-01' AND datetime < '2025-05-01'", 0),
    "NULL": ("SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= NULL AND datetime < '2025-05-01'", 0),
    "moved by days": (
        "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= date('2025-06-10', '-7 days') AND datetime < date('2025-06-10')",
        1,
    ),
    "names of results that are columns": (
        "SELECT count(*) AS value, date(datetime) AS id FROM events WHERE metric_id = {order} AND {range} GROUP BY date(datetime) ORDER BY count(*), id",
        1,
    ),
}


@pytest.mark.parametrize("name", COUNTED)
def test_counted_by_klaviyo(counts: Oracle, name: str) -> None:
    sql, requests = COUNTED[name]
    asked = _asked(counts, sql)
    assert asked.get("query_metric_aggregates", 0) == requests
    assert "get_events" not in asked


READ = {
    "no metric": "SELECT count(*) FROM events WHERE {range}",
    "all metrics": "SELECT metric_id, count(*) FROM events WHERE {range} GROUP BY metric_id",
    "all metrics, joined": "SELECT metrics.name, count(*) FROM events JOIN metrics ON metrics.id = events.metric_id WHERE {days} GROUP BY metrics.id",
    "another metric": "SELECT count(*) FROM events WHERE metric_id <> {order} AND {range}",
    "no range": "SELECT count(*) FROM events WHERE metric_id = {order}",
    "no beginning": "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime < '2025-09-01'",
    "a beginning within an hour": "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '2025-06-01T00:00:01' AND datetime < '2025-07-01'",
    "an end within an hour": "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '2025-06-01' AND datetime < '2025-07-01T00:30'",
    "after the first second": "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime > '2025-06-01' AND datetime < '2025-07-01'",
    "with the first second": "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '2025-06-01' AND datetime <= '2025-07-01'",
    "BETWEEN days": "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime BETWEEN '2025-06-01' AND '2025-06-30'",
    "long ago": "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '2020-01-01' AND datetime < '2026-01-01'",
    "one instant": "SELECT count(*) FROM events WHERE metric_id = {order} AND {range} AND datetime = '2025-07-01'",
    "not an instant": "SELECT count(*) FROM events WHERE metric_id = {order} AND {range} AND datetime <> '2025-07-01'",
    "by minute": "SELECT strftime('%H:%M', datetime), count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY 1",
    "by the whole time": "SELECT datetime, count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY datetime",
    "in another zone": "SELECT date(datetime, '-5 hours'), count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY 1",
    "in local time": "SELECT date(datetime, 'localtime'), count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY 1",
    "by timestamp": "SELECT timestamp / 86400, count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY 1",
    "cut too late": "SELECT substr(datetime, 1, 16), count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY 1",
    "cut elsewhere": "SELECT substr(datetime, 12, 2), count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY 1",
    "by person": "SELECT profile_id, count(*) FROM events WHERE metric_id = {order} AND {range} GROUP BY profile_id",
    "people": "SELECT count(DISTINCT profile_id) FROM events WHERE metric_id = {order} AND {range}",
    "events with a person": "SELECT count(profile_id) FROM events WHERE metric_id = {order} AND {range}",
    "events with a value": "SELECT count(value) FROM events WHERE metric_id = {order} AND {range}",
    "days": "SELECT count(DISTINCT date(datetime)) FROM events WHERE metric_id = {order} AND {range}",
    "average": "SELECT avg(value), count(*) FROM events WHERE metric_id = {order} AND {range}",
    "the largest": "SELECT max(value), count(*) FROM events WHERE metric_id = {order} AND {range}",
    "the latest": "SELECT max(datetime), count(*) FROM events WHERE metric_id = {order} AND {range}",
    "a sum of something else": "SELECT sum(value * 2) FROM events WHERE metric_id = {order} AND {range}",
    "a sum of different values": "SELECT sum(DISTINCT value) FROM events WHERE metric_id = {order} AND {range}",
    "a sum of cases": "SELECT sum(CASE WHEN metric_id = {order} THEN 1 ELSE 0 END) FROM events WHERE metric_id IN ({order}, {open}) AND {range}",
    "a count of some": "SELECT count(*) FILTER (WHERE value > 50), count(*) FROM events WHERE metric_id = {order} AND {range}",
    "a condition on a property": "SELECT count(*) FROM events WHERE metric_id = {order} AND {range} AND event_properties ->> '$.OrderId' IS NOT NULL",
    "a condition on the value": "SELECT count(*) FROM events WHERE metric_id = {order} AND {range} AND value > 100",
    "a condition on the person": "SELECT count(*) FROM events WHERE metric_id = {order} AND {range} AND profile_id IS NOT NULL",
    "a condition in HAVING": "SELECT profile_id FROM events WHERE metric_id = {order} AND {range} GROUP BY profile_id HAVING count(*) > 1",
    "a window": "SELECT date(datetime), count(*) OVER () FROM events WHERE metric_id = {order} AND {range}",
    "rows": "SELECT date(datetime) FROM events WHERE metric_id = {order} AND {range}",
    "different days": "SELECT DISTINCT date(datetime) FROM events WHERE metric_id = {order} AND {range}",
    "one or the other": "SELECT count(*) FROM events WHERE (metric_id = {order} OR profile_id IS NULL) AND {range}",
    "one range or another": "SELECT count(*) FROM events WHERE metric_id = {order} AND ({range} OR datetime >= '2026-01-01')",
    "with others that are missing": (
        "SELECT metrics.name, count(*) FROM metrics LEFT JOIN events ON events.metric_id = metrics.id AND {days} "
        "WHERE metrics.name LIKE '%e%' GROUP BY metrics.id"
    ),
    "joined with people": "SELECT count(*) FROM events JOIN profiles ON profiles.id = events.profile_id WHERE metric_id = {order} AND {days}",
    "with itself": (
        "SELECT count(*) FROM events JOIN events AS other ON other.metric_id = events.metric_id AND other.profile_id = events.profile_id "
        "WHERE events.metric_id = {order} AND {days} AND other.datetime >= '2025-06-01' AND other.datetime < '2025-07-01'"
    ),
    "a natural join": "SELECT count(*) FROM events NATURAL JOIN (SELECT {order} AS metric_id) WHERE {range}",
    "another's sum": (
        "SELECT count(*), group_concat(length(metrics.name)) FROM events JOIN metrics ON metrics.id = events.metric_id "
        "WHERE metrics.name = 'Placed Order' AND {days} GROUP BY metrics.id"
    ),
    "a count of the others' rows": (
        "SELECT count(metrics.id) FROM events JOIN metrics ON metrics.id = events.metric_id WHERE metrics.name = 'Placed Order' AND {days}"
    ),
    "an aggregate from within": "SELECT count(*), (SELECT count(events.metric_id) FROM accounts) FROM events WHERE metric_id = {order} AND {range}",
    "an end that is compared": "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '2025-06-01' AND (datetime < '2025-07-01') IS NOT NULL",
    "an end without brackets": "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '2025-06-01' AND datetime < '2025-07-01' IS NOT NULL",
    "an end from each row": (
        "SELECT count(*) FROM events JOIN metrics ON metrics.id = events.metric_id "
        "WHERE metrics.name = 'Placed Order' AND events.datetime >= metrics.updated AND events.datetime < '2025-07-01'"
    ),
    "an end that is only compared": "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '2025-06-01' AND +datetime < '2025-07-01'",
    "a metric that is only compared": "SELECT count(*) FROM events WHERE +metric_id = {order} AND {range}",
    "a metric without capitals": "SELECT count(*) FROM events WHERE metric_id = lower({order}) COLLATE NOCASE AND {range}",
    "NOT": "SELECT count(*) FROM events WHERE metric_id = {order} AND NOT (datetime < '2025-06-01') AND NOT datetime >= '2025-07-01'",
}


@pytest.mark.parametrize("name", READ)
def test_read_row_by_row(counts: Oracle, name: str) -> None:
    assert "query_metric_aggregates" not in _asked(counts, READ[name])


def test_a_metric_that_klaviyo_does_not_know(counts: Oracle) -> None:
    made = Query(_filled("SELECT metric_id, count(*) FROM events WHERE metric_id IN ({order}, 'NONE00') AND {range} GROUP BY metric_id"))
    counts.check(made, cached=False)


def _terms(draw: Any) -> str:
    """A range of time, with ends at days, hours and elsewhere, or without them."""
    first = datetime(2024, 4, 1, tzinfo=UTC) + timedelta(days=draw(st.integers(0, 750)))
    last = first + timedelta(days=draw(st.sampled_from((0, 1, 2, 7, 30, 31, 90, 364, 365, 366, 500, 900))))
    first, last = (end + draw(st.sampled_from((timedelta(0), timedelta(0), timedelta(0), timedelta(hours=5), -timedelta(seconds=1)))) for end in (first, last))
    low = f"{_time(draw)} {draw(st.sampled_from(('>=', '>=', '>')))} {_instant(draw, first)}"
    high = f"{_time(draw)} {draw(st.sampled_from(('<', '<', '<=')))} {_instant(draw, last)}"
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return low
    if kind == 1:
        return f"datetime BETWEEN {_instant(draw, first)} AND {_instant(draw, last)}"
    return f"{low} AND {high}" if kind < 9 else f"{high} AND {low} AND {_time(draw)} >= '2025-01-01'"


def _time(draw: Any) -> str:
    return draw(st.sampled_from(("datetime", "events.datetime", 'events."datetime"', "DATETIME")))


def _instant(draw: Any, moment: datetime) -> str:
    form = draw(st.sampled_from(("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+00:00")))
    return f"'{moment.strftime(form)}'"


_BUCKETS = (
    "date(datetime)",
    "substr(datetime, 1, 10)",
    "substr(datetime, 1, 7)",
    "substr(events.datetime, 1, 13)",
    "strftime('%Y-%m', datetime)",
    "strftime('%Y-W%W', events.datetime)",
    "strftime('%w', datetime)",
    "strftime('%Y-%m-%d %H:00', datetime)",
    "date(datetime, 'start of month')",
    "date(events.datetime, 'weekday 0', '-6 days')",
    "datetime(datetime, 'start of day')",
    "strftime('%H:%M', datetime)",
    "metric_id",
)
_VALUES = (
    "count(*)",
    "count(*)",
    "COUNT(1)",
    "count(events.id)",
    "total(value)",
    "count(*) + 1",
    "round(total(value) / count(*), 3)",
    "count(DISTINCT metric_id)",
)
_PINNED = (
    "metric_id = {order}",
    "metric_id IN ({order}, {open})",
    "metric_id IN (SELECT id FROM metrics WHERE name LIKE '%Email%')",
    "metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order')",
    "metrics.name = 'Viewed Product'",
    "metrics.name IN ('Placed Order', 'Opened Email') AND metric_id <> {open}",
    "{order} = metric_id",
)


@st.composite
def _queries(draw: Any) -> Query:
    groups = draw(st.lists(st.sampled_from(_BUCKETS), max_size=2, unique=True))
    values = draw(st.lists(st.sampled_from(_VALUES), min_size=1, max_size=2, unique=True))
    pinned = draw(st.sampled_from(_PINNED))
    joined = "metrics." in pinned
    if joined and draw(st.booleans()):
        groups.append("metrics.id")
    results = [*groups, *values, *(["metrics.name"] if "metrics.id" in groups else [])]
    sql = f"SELECT {', '.join(results)} FROM events{' JOIN metrics ON metrics.id = events.metric_id' if joined else ''} WHERE {pinned} AND {_terms(draw)}"
    if draw(st.integers(0, 5)) == 0:
        sql += f" AND {draw(st.sampled_from(('value > 20', 'profile_id IS NOT NULL', 'timestamp % 2', chr(39) + '2026-01-01' + chr(39) + ' <> datetime')))}"
    if groups:
        sql += f" GROUP BY {', '.join(draw(st.sampled_from((group, str(number)))) for number, group in enumerate(groups, 1))}"
        if draw(st.booleans()):
            sql += f" HAVING count(*) {draw(st.sampled_from(('>', '<=', '=')))} {draw(st.integers(0, 20))}"
    full, keys = sql, ()
    if groups and draw(st.booleans()):
        sql += f" ORDER BY {', '.join(map(str, range(1, len(groups) + 1)))}"
        keys = tuple(range(len(groups)))
        if draw(st.booleans()):
            sql += f" LIMIT {draw(st.integers(0, 9))}"
    return Query(_filled(sql), keys=keys, full=_filled(full) if "LIMIT" in sql else "")


@examples(250, ONE_ORACLE)
@given(query=_queries(), cached=st.booleans())
def test_generated_counts_are_the_truth(counts: Oracle, query: Query, cached: bool) -> None:
    counts.check(query, cached=cached)
