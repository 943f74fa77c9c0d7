"""What statements become; that the answers are the same is shown in tests/oracle/test_counts.py."""

from __future__ import annotations

import pytest

from klaviyo_sql.statements.counting import counted
from klaviyo_sql.tables.event_counts import BOUNDS, EVENT_COUNTS, INTERVAL

RANGE = "metric_id = 'X' AND datetime >= '2026-01-01'"
EDITED = "metric_id = 'X' AND klaviyo_bound >= '2026-01-01'"

EDITS = [
    (
        f"SELECT count(*) FROM events WHERE {RANGE}",
        f"SELECT coalesce(sum(klaviyo_count), 0) AS \"count(*)\" FROM klaviyo_event_counts('day', 1) AS events WHERE {EDITED}",
    ),
    (
        f"select Count( * ) N from Events E where E.{RANGE}",
        f"select coalesce(sum(klaviyo_count), 0) N from klaviyo_event_counts('day', 1) E where E.{EDITED}",
    ),
    (
        "SELECT count(*) FROM events WHERE metric_id = ?2 AND datetime BETWEEN :a AND @b -- ?",
        "SELECT coalesce(sum(klaviyo_count), 0) AS \"count(*)\" FROM klaviyo_event_counts('day', 2) AS events "
        "WHERE metric_id = ?2 AND klaviyo_bound BETWEEN :a AND @b -- ?",
    ),
    (
        f"SELECT strftime('%H', datetime), sum(\"value\") FROM events WHERE {RANGE} GROUP BY 1;",
        'SELECT strftime(\'%H\', klaviyo_bucket) AS "strftime(\'%H\', datetime)", sum(klaviyo_sum) AS "sum(""value"")" '
        f"FROM klaviyo_event_counts('hour', 1) AS events WHERE {EDITED} GROUP BY 1;",
    ),
    (
        f"CREATE TABLE t AS SELECT date(datetime) day, count(*) FROM events WHERE {RANGE} GROUP BY day",
        'CREATE TABLE t AS SELECT date(klaviyo_bucket) day, coalesce(sum(klaviyo_count), 0) AS "count(*)" '
        f"FROM klaviyo_event_counts('day', 1) AS events WHERE {EDITED} GROUP BY day",
    ),
    (
        f"SELECT 'count(*) FROM events', (SELECT count(*) FROM events WHERE {RANGE})",
        f"SELECT 'count(*) FROM events', (SELECT coalesce(sum(klaviyo_count), 0) AS \"count(*)\" FROM klaviyo_event_counts('day', 1) AS events "
        f'WHERE {EDITED}) AS "(SELECT count(*) FROM events WHERE {RANGE})"',
    ),
    (
        f"SELECT CASE WHEN count(*) > 3 THEN 'many' END, count(*) IS NULL, -count(*) \"less\" FROM events WHERE {RANGE}",
        "SELECT CASE WHEN coalesce(sum(klaviyo_count), 0) > 3 THEN 'many' END AS \"CASE WHEN count(*) > 3 THEN 'many' END\", "
        'coalesce(sum(klaviyo_count), 0) IS NULL AS "count(*) IS NULL", -coalesce(sum(klaviyo_count), 0) "less" '
        f"FROM klaviyo_event_counts('day', 1) AS events WHERE {EDITED}",
    ),
]


@pytest.mark.parametrize(("sql", "edited"), EDITS)
def test_edited(sql: str, edited: str) -> None:
    assert counted(sql, sums=True) == edited


@pytest.mark.parametrize("sql", [edited for _, edited in EDITS])
def test_what_is_edited_is_not_edited_again(sql: str) -> None:
    assert counted(sql, sums=True) is None


@pytest.mark.parametrize(
    "sql",
    [
        f"CREATE VIEW v AS SELECT count(*) FROM events WHERE {RANGE}",
        f"CREATE TRIGGER t AFTER INSERT ON x BEGIN SELECT count(*) FROM events WHERE {RANGE}; END",
        f"WITH events AS (SELECT 'X' AS metric_id, '2026' AS datetime) SELECT count(*) FROM events WHERE {RANGE}",
        f"SELECT count(*) FROM main.events WHERE {RANGE}",
        f"SELECT count(*) FROM temp.events WHERE {RANGE}",
        f"SELECT count(*) FROM events NOT INDEXED WHERE {RANGE}",
        f"SELECT count(*) FROM events WHERE {RANGE}; SELECT 1",
        f"EXPLAIN SELECT count(*) FROM events WHERE {RANGE}",
        f"UPDATE t SET n = (SELECT count(*) FROM events WHERE {RANGE})",
        f"SELECT count(*) FROM events WHERE {RANGE} AND",
        f"SELECT count(*) FROM events WHERE {RANGE} ORDER BY ((((",
        f"SELECT count() FROM events WHERE {RANGE}",
        f"SELECT count(NULL) FROM events WHERE {RANGE}",
        f"SELECT count(*), * FROM events WHERE {RANGE}",
        f"SELECT count(*), events.* FROM events WHERE {RANGE}",
        f"SELECT date(datetime), count(*) FROM events WHERE {RANGE}",
        f"SELECT date(datetime), count(*) FROM events WHERE {RANGE} GROUP BY strftime('%Y-%m', datetime)",
        f"SELECT median(metric_id), count(*) FROM events WHERE {RANGE}",
        f"SELECT count(*), my_function(metric_id) FROM events WHERE {RANGE} GROUP BY metric_id",
        f"SELECT date(datetime, '+1.5 days'), count(*) FROM events WHERE {RANGE} GROUP BY 1",
        f"SELECT date(datetime, ?), count(*) FROM events WHERE {RANGE} GROUP BY 1",
        f"SELECT strftime(?, datetime), count(*) FROM events WHERE {RANGE} GROUP BY 1",
        f"SELECT substr(datetime, 1, ?), count(*) FROM events WHERE {RANGE} GROUP BY 1",
        f"SELECT time(datetime), count(*) FROM events WHERE {RANGE} GROUP BY 1",
        "SELECT count(*) FROM events WHERE metric_id = 'X' AND datetime >= \"2026-01-01\"",
        "SELECT count(*) FROM events WHERE metric_id = 'X' AND datetime >= '2026-01-01' COLLATE NOCASE",
        "SELECT count(*) FROM events WHERE metric_id = 'X' AND date(datetime) >= '2026-01-01'",
        f"SELECT count(*) FROM (SELECT * FROM events) WHERE {RANGE}",
        f"SELECT count(*) FROM (events) WHERE {RANGE}",
        f"SELECT count(*) FROM events CROSS JOIN events e WHERE events.{RANGE}",
        f"SELECT count(*) FROM events RIGHT JOIN metrics ON metrics.id = metric_id WHERE {RANGE}",
        f"SELECT count(*) FROM events FULL JOIN metrics ON metrics.id = metric_id WHERE {RANGE}",
        f"SELECT count(*) FROM events JOIN metrics USING (id) WHERE {RANGE}",
        "SELECT 'events count(*)'",
    ],
)
def test_left_alone(sql: str) -> None:
    assert counted(sql, sums=True) is None


def test_the_arguments_of_the_table_are_its_first_hidden_columns() -> None:
    assert [column.name for column in EVENT_COUNTS.columns if column.hidden][:2] == [INTERVAL, BOUNDS]


def test_sums_are_another_permission() -> None:
    assert counted(f"SELECT sum(value) FROM events WHERE {RANGE}", sums=False) is None
    assert counted(f"SELECT total(value) FROM events WHERE {RANGE}", sums=False) is None
    assert counted(f"SELECT count(*), sum(value) FROM events WHERE {RANGE}", sums=False) is None
    assert counted(f"SELECT count(*) FROM events WHERE {RANGE}", sums=False) is not None
