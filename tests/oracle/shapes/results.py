"""What becomes of the rows of a table: order, limits, groups, compounds, columns."""

from __future__ import annotations

from collections.abc import Iterator

from ..oracle import Query
from .rows import Rows, listed


def order_and_limits(rows: Rows) -> Iterator[Query]:
    """ORDER BY, LIMIT, OFFSET."""
    lists, order, custom_id, refund_id, a, b, c, big, many = rows.lists, rows.order, rows.custom_id, rows.refund_id, rows.a, rows.b, rows.c, rows.big, rows.many
    for direction in ("ASC", "DESC"):
        for column, table in (
            ("datetime", "events"),
            ("timestamp", "events"),
            ("created", "profiles"),
            ("updated", "profiles"),
            ("created", "lists"),
            ("updated", "segments"),
        ):
            yield Query(f"SELECT {column}, id FROM {table} ORDER BY {column} {direction}", keys=(0,))
            yield Query(f"SELECT {column}, id FROM {table} ORDER BY {column} {direction}, id", sequence=True)
            plain = f"SELECT {column}, id FROM {table}"
            yield Query(f"{plain} ORDER BY {column} {direction} LIMIT 7", keys=(0,), full=plain)
            yield Query(f"{plain} ORDER BY {column} {direction} LIMIT ? OFFSET ?", (5, 3), keys=(0,), full=f"{plain} WHERE ? + ?")
            yield Query(f"{plain} ORDER BY {column} {direction} NULLS LAST LIMIT 4", keys=(0,), full=plain)
            yield Query(f"{plain} ORDER BY {column} {direction} NULLS FIRST LIMIT 4", keys=(0,), full=plain)
        yield Query(f"SELECT email, id FROM profiles ORDER BY email {direction}, id", sequence=True)
        yield Query(f"SELECT email, id FROM profiles ORDER BY email {direction} NULLS LAST, id LIMIT 290", sequence=True)
        yield Query(f"SELECT email, id FROM profiles ORDER BY email {direction} NULLS FIRST, id LIMIT 20", sequence=True)
        yield Query(f"SELECT id FROM profiles ORDER BY id {direction} LIMIT 12", sequence=True)
        yield Query(f"SELECT id FROM events WHERE metric_id = {order} ORDER BY datetime {direction}, id {direction} LIMIT 12", sequence=True)
        yield Query(f"SELECT id, datetime FROM events ORDER BY +datetime {direction}, id LIMIT 12", sequence=True)
        yield Query(f"SELECT lower(email), id FROM profiles ORDER BY lower(email) {direction}, id LIMIT 12", sequence=True)
        yield Query(
            f"SELECT joined_group_at, profile_id FROM list_profiles WHERE list_id = '{big}' ORDER BY joined_group_at {direction}, profile_id LIMIT 40",
            sequence=True,
        )
        members = f"SELECT joined_group_at, profile_id FROM list_profiles WHERE list_id = '{big}'"
        yield Query(f"{members} ORDER BY joined_group_at {direction} LIMIT 40", keys=(0,), full=members)
        two = f"SELECT joined_group_at, list_id, profile_id FROM list_profiles WHERE list_id IN ('{big}', '{lists[0]['id']}', '{lists[1]['id']}')"
        yield Query(f"{two} ORDER BY joined_group_at {direction} LIMIT 60", keys=(0,), full=two)
        everyone = "SELECT joined_group_at, list_id, profile_id FROM list_profiles"
        yield Query(f"{everyone} ORDER BY joined_group_at {direction} LIMIT 60", keys=(0,), full=everyone)
        some = f"SELECT datetime, id FROM events WHERE metric_id IN ({custom_id}, {refund_id}, {order})"
        yield Query(f"{some} ORDER BY datetime {direction} LIMIT 30", keys=(0,), full=some)
        yield Query(f"SELECT suppression_timestamp, id FROM profiles ORDER BY suppression_timestamp {direction}, id LIMIT 280", sequence=True)
        yield Query(f"SELECT created, id FROM profiles WHERE id IN ({listed(many)}) ORDER BY created {direction}", keys=(0,))
        yield Query(f"SELECT created FROM profiles WHERE id IN ({a}, {b}, {c}) ORDER BY created {direction}", sequence=True)
    for limit in (
        "LIMIT 0",
        "LIMIT -1",
        "LIMIT 1 + 2",
        "LIMIT 5 OFFSET 0",
        "LIMIT -1 OFFSET 290",
        "LIMIT 10 OFFSET 1000",
        "LIMIT 3, 5",
        "LIMIT '4'",
        "LIMIT 100",
        "LIMIT 101",
    ):
        yield Query(f"SELECT id FROM profiles ORDER BY id {limit}", sequence=True)
        yield Query(f"SELECT id FROM profiles {limit}", full="SELECT id FROM profiles")
        yield Query(f"SELECT id FROM profiles WHERE created > '2024-06-01' {limit}", full="SELECT id FROM profiles WHERE created > '2024-06-01'")
        yield Query(f"SELECT id FROM events WHERE metric_id = {order} {limit}", full=f"SELECT id FROM events WHERE metric_id = {order}")
        yield Query(
            f"SELECT id FROM events WHERE metric_id = {order} AND value > 50 {limit}", full=f"SELECT id FROM events WHERE metric_id = {order} AND value > 50"
        )
        yield Query(f"SELECT id FROM profiles WHERE email LIKE 'person1%' AND id > '01' {limit}", full="SELECT id FROM profiles WHERE email LIKE 'person1%'")
        yield Query(f"SELECT email FROM profiles WHERE email IN ('twin@example.com', 'TWIN@EXAMPLE.COM') {limit}", full="SELECT email FROM profiles")
    for limit in (0, -1, 4, 1000):
        yield Query("SELECT id FROM profiles WHERE external_id IS NOT NULL ORDER BY created, id LIMIT ?", (limit,), sequence=True)
        yield Query("SELECT id FROM events WHERE datetime >= ? LIMIT ?", ("2025-01-01", limit), full="SELECT id FROM events WHERE datetime >= ? AND ? NOT NULL")
    burst = "(SELECT datetime FROM events GROUP BY datetime ORDER BY count(*) DESC LIMIT 1)"
    yield Query(f"SELECT count(*), count(DISTINCT id) FROM events WHERE datetime = {burst}")
    yield Query(f"SELECT datetime, id FROM events WHERE datetime >= {burst} ORDER BY datetime LIMIT 1100", keys=(0,), full="SELECT datetime, id FROM events")
    yield Query(
        f"SELECT datetime, id FROM events WHERE datetime <= {burst} ORDER BY datetime DESC LIMIT 1100", keys=(0,), full="SELECT datetime, id FROM events"
    )


def groups(rows: Rows) -> Iterator[Query]:
    """DISTINCT, groups, aggregates, windows."""
    order, custom_id = rows.order, rows.custom_id
    yield Query("SELECT DISTINCT metric_id FROM events")
    yield Query("SELECT DISTINCT locale, title FROM profiles ORDER BY locale DESC, title", sequence=True)
    yield Query("SELECT DISTINCT created FROM profiles ORDER BY created", sequence=True)
    yield Query("SELECT DISTINCT datetime FROM events ORDER BY datetime DESC LIMIT 20", sequence=True)
    yield Query("SELECT DISTINCT joined_group_at FROM list_profiles")
    yield Query(
        "SELECT metric_id, count(*), count(profile_id), count(DISTINCT profile_id), sum(value), avg(value), "
        "min(datetime), max(datetime) FROM events GROUP BY metric_id"
    )
    yield Query("SELECT datetime, count(*) FROM events GROUP BY datetime HAVING count(*) > 1")
    yield Query("SELECT created, count(*) FROM profiles GROUP BY created ORDER BY created", sequence=True)
    yield Query(f"SELECT metric_id, count(*) FROM events GROUP BY metric_id HAVING metric_id = {order} OR metric_id = {custom_id}")
    yield Query("SELECT date(datetime), count(*) FROM events WHERE datetime BETWEEN '2025-01-01' AND '2025-03-01' GROUP BY 1 ORDER BY 1", sequence=True)
    yield Query("SELECT list_id, count(*) FROM list_profiles GROUP BY list_id ORDER BY list_id", sequence=True)
    yield Query("SELECT list_id, min(joined_group_at), max(joined_group_at) FROM list_profiles GROUP BY 1 HAVING count(*) > 1")
    for column in ("datetime", "timestamp", "value", "id", "metric_id"):
        for function in ("min", "max"):
            yield Query(f"SELECT {function}({column}) FROM events")
            yield Query(f"SELECT {function}({column}) FROM events WHERE metric_id = {order}")
            yield Query(f"SELECT {function}({column}) FROM events WHERE metric_id = 'none'")
    for column in ("created", "updated", "email", "last_event_date", "suppression_timestamp"):
        yield Query(f"SELECT min({column}) FROM profiles")
        yield Query(f"SELECT max({column}) FROM profiles WHERE first_name <> 'Anna'")
    yield Query("SELECT max(datetime), id FROM events WHERE metric_id = 'none'")
    yield Query("SELECT count(*), total(value), group_concat(DISTINCT value_currency) FROM events WHERE value_currency = 'EUR'")
    yield Query("SELECT count(*) FILTER (WHERE value > 10) FROM events")
    yield Query("SELECT id, row_number() OVER (ORDER BY datetime, id), lag(id) OVER (ORDER BY datetime, id) FROM events WHERE datetime < '2024-05-01'")
    yield Query("SELECT metric_id, id, sum(value) OVER (PARTITION BY metric_id ORDER BY datetime, id) FROM events WHERE datetime > '2026-01-15'")
    yield Query("SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY locale ORDER BY created DESC, id) AS n FROM profiles) WHERE n = 1")


def compounds(rows: Rows) -> Iterator[Query]:
    """CTEs, views, compounds."""
    order, refund_id = rows.order, rows.refund_id
    recent = f"SELECT * FROM events WHERE metric_id = {order} AND datetime >= '2025-06-01'"
    yield Query(f"WITH r AS ({recent}) SELECT count(*), sum(value) FROM r WHERE datetime < '2025-12-01'")
    yield Query(f"WITH r AS MATERIALIZED ({recent}) SELECT id FROM r WHERE datetime < '2025-12-01' ORDER BY datetime DESC, id LIMIT 9", sequence=True)
    yield Query(f"WITH r AS NOT MATERIALIZED ({recent}) SELECT x.id, y.id FROM r AS x JOIN r AS y ON x.profile_id = y.profile_id AND x.id < y.id")
    yield Query(f"WITH r AS ({recent}) SELECT (SELECT count(*) FROM r), (SELECT max(datetime) FROM r)")
    yield Query(
        "WITH RECURSIVE d(day) AS (VALUES ('2025-03-01') UNION ALL SELECT date(day, '+1 day') FROM d WHERE day < '2025-03-20') "
        "SELECT day, (SELECT count(*) FROM events WHERE datetime >= day AND datetime < date(day, '+1 day')) FROM d ORDER BY day",
        sequence=True,
    )
    view = f"CREATE TEMP VIEW recent_orders AS SELECT id, datetime AS at, value FROM events WHERE metric_id = {order} ORDER BY datetime DESC"
    for outer in (
        "SELECT * FROM recent_orders WHERE at > '2026-01-01'",
        "SELECT count(*) FROM recent_orders WHERE value > 40",
        "SELECT id FROM recent_orders WHERE at = '2026-01-01'",
    ):
        yield Query(outer, before=view, after="DROP VIEW recent_orders")
    yield Query("SELECT id FROM profiles WHERE first_name = 'Anna' UNION SELECT profile_id FROM events WHERE value > 200")
    yield Query(f"SELECT profile_id FROM events WHERE metric_id = {order} EXCEPT SELECT profile_id FROM events WHERE metric_id = {refund_id}")
    yield Query(f"SELECT profile_id FROM events WHERE metric_id = {order} INTERSECT SELECT id FROM profiles WHERE locale = 'en-US' ORDER BY 1", sequence=True)
    yield Query("SELECT id FROM lists UNION ALL SELECT id FROM segments LIMIT 16", full="SELECT id FROM lists UNION ALL SELECT id FROM segments")
    yield Query("SELECT name, created FROM lists UNION ALL SELECT name, created FROM segments ORDER BY created DESC, name LIMIT 9", sequence=True)
    yield Query("SELECT created FROM lists UNION SELECT created FROM segments ORDER BY 1", sequence=True)
    yield Query("SELECT * FROM (SELECT id, created FROM profiles ORDER BY created DESC, id LIMIT 30) WHERE created < '2026-02-01'")
    yield Query("SELECT count(*) FROM (SELECT DISTINCT profile_id FROM events LIMIT 50)")


def columns(rows: Rows) -> Iterator[Query]:
    """Names, JSON, costly and hidden columns, writing to own tables."""
    lists, order, big, joined = rows.lists, rows.order, rows.big, rows.joined
    yield Query(f"SELECT ListId, ProfileId, JoinedGroupAt FROM ListProfiles WHERE ListId = '{big}' ORDER BY JoinedGroupAt, ProfileId", sequence=True)
    yield Query(f"SELECT count(*) FROM ListProfiles WHERE ListId = '{big}' AND JoinedGroupAt >= '{joined}'")
    yield Query(f"SELECT profile_id FROM list_profiles WHERE list_id = '{big}' AND joined_group_at < '{joined}' AND email LIKE '%9@%'")
    yield Query("SELECT SegmentId, count(*) FROM SegmentProfiles GROUP BY 1")
    yield Query(
        "SELECT lp.ProfileId FROM ListProfiles lp JOIN list_profiles l2 ON l2.list_id = lp.ListId AND l2.profile_id = lp.ProfileId WHERE lp.ListId = ?",
        (lists[0]["id"],),
    )
    yield Query("SELECT id, event_properties ->> '$.OrderId' FROM events WHERE event_properties ->> '$.OrderId' IS NOT NULL AND datetime > '2026-02-01'")
    yield Query("SELECT id FROM profiles WHERE properties ->> '$.plan' = 'pro'")
    yield Query("SELECT p.id, j.key, j.value FROM profiles p, json_each(p.properties) j WHERE j.key = 'score' AND j.type <> 'array'")
    yield Query("SELECT id, json_array_length(subscriptions_email_marketing_suppression) FROM profiles WHERE suppression_reason IS NOT NULL")
    yield Query("SELECT name, profile_count FROM lists WHERE name LIKE '%list%'")
    yield Query("SELECT id, profile_count FROM lists WHERE id = ?", (big,))
    yield Query("SELECT id FROM segments WHERE profile_count > 5 AND is_active")
    yield Query("SELECT id, kx FROM profiles WHERE kx IS NULL AND created > '2026-01-01'")
    yield Query("SELECT count(*), count(kx), count(push_token) FROM list_profiles WHERE kx IS NOT 'a'")
    yield Query("SELECT timezone, {*accounts} FROM accounts WHERE id = public_api_key AND test_account")
    yield Query(
        "SELECT n, at FROM own ORDER BY n",
        before=f"CREATE TABLE own AS SELECT id AS n, datetime AS at FROM events WHERE metric_id = {order}",
        after="DROP TABLE own",
        sequence=True,
    )
    insert = "CREATE TABLE own(id TEXT PRIMARY KEY, at TEXT);"
    insert += "INSERT INTO own SELECT id, created FROM profiles WHERE created >= '2025-09-01' ORDER BY created LIMIT 1000;"
    yield Query("SELECT count(*), max(at) FROM own", before=insert, after="DROP TABLE own")
    yield Query("SELECT p.id, own.at FROM profiles p JOIN own ON own.id = p.id AND own.at = p.created", before=insert, after="DROP TABLE own")
