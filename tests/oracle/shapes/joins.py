"""Several tables in one query."""

from __future__ import annotations

from collections.abc import Iterator

from ..oracle import Query
from .rows import Rows


def joins(rows: Rows) -> Iterator[Query]:
    """Tables of Klaviyo with each other, and with a few rows of one's own."""
    lists, event, a, b, created = rows.lists, rows.event, rows.a, rows.b, rows.created
    yield Query("SELECT e.id, m.name FROM events e JOIN metrics m ON e.metric_id = m.id WHERE m.name = 'Refunded Order'")
    yield Query("SELECT m.name, count(*) FROM events e JOIN metrics m ON e.metric_id = m.id GROUP BY m.name")
    yield Query("SELECT m.name, count(e.id) FROM metrics m LEFT JOIN events e ON e.metric_id = m.id AND e.datetime > '2026-01-01' GROUP BY m.id")
    yield Query("SELECT m.id FROM metrics m LEFT JOIN events e ON e.metric_id = m.id WHERE e.id IS NULL")
    yield Query("SELECT e.id, p.email FROM events e LEFT JOIN profiles p ON p.id = e.profile_id WHERE e.datetime < '2024-04-20'")
    yield Query("SELECT e.id, p.email FROM events e LEFT JOIN profiles p ON p.id = e.profile_id AND p.created > '2025-03-01' AND p.last_name IS NOT NULL")
    yield Query("SELECT e.id, (SELECT p.email FROM profiles p WHERE p.id = e.profile_id AND p.updated < e.datetime) FROM events e WHERE e.value > 100")
    yield Query("SELECT e.id FROM events e WHERE EXISTS (SELECT 1 FROM profiles p WHERE p.id = e.profile_id AND p.email LIKE '%7%')")
    yield Query("SELECT e.id FROM events e WHERE NOT EXISTS (SELECT 1 FROM profiles p WHERE p.id = e.profile_id AND p.phone_number IS NULL)")
    yield Query("SELECT lp.list_id, p.id FROM list_profiles lp JOIN profiles p ON p.email = lp.email")
    yield Query("SELECT lp.list_id, p.id FROM list_profiles lp LEFT JOIN profiles p ON p.email = upper(lp.email)")
    yield Query("SELECT sp.segment_id, p.id FROM segment_profiles sp JOIN profiles p ON p.phone_number = sp.phone_number AND p.email IS NOT sp.email")
    yield Query("SELECT lp.list_id, sp.segment_id FROM list_profiles lp LEFT JOIN segment_profiles sp ON sp.profile_id = lp.profile_id AND sp.email = lp.email")
    yield Query("SELECT x.id, y.id FROM profiles x JOIN profiles y ON y.external_id = x.external_id OR y.id = x.id")
    yield Query("SELECT a.name, b.id FROM lists a LEFT JOIN segments b ON b.name = a.name")
    yield Query("SELECT e.id, m.name, l.name FROM events e JOIN metrics m ON m.id = e.metric_id LEFT JOIN lists l ON l.name = m.name WHERE e.value IS NOT NULL")
    yield Query("SELECT e.id, p.id FROM (SELECT * FROM events ORDER BY datetime DESC LIMIT 150) e LEFT JOIN profiles p ON p.id = e.profile_id")
    yield Query("SELECT e.id, p.email FROM events e RIGHT JOIN profiles p ON p.id = e.profile_id AND e.value > 300")
    yield Query("SELECT e.id, p.email FROM events e FULL JOIN profiles p ON p.id = e.profile_id AND e.value > 100 WHERE p.id IS NULL OR p.created > '2025'")
    yield Query(
        f"SELECT p.email, m.name, e.datetime FROM profiles p JOIN events e ON e.profile_id = p.id JOIN metrics m ON m.id = e.metric_id WHERE p.id IN ({a}, {b})"
    )
    yield Query(
        "SELECT l.name, p.email FROM lists l JOIN list_profiles lp ON lp.list_id = l.id "
        "JOIN profiles p ON p.id = lp.profile_id WHERE l.name IN ('VIP, Gold', 'Preview')"
    )
    yield Query("SELECT l.name, count(lp.profile_id) FROM lists l LEFT JOIN list_profiles lp ON lp.list_id = l.id GROUP BY l.id")
    yield Query("SELECT s.name, sp.profile_id FROM segments s JOIN segment_profiles sp ON sp.segment_id = s.id WHERE NOT s.is_active")
    yield Query("SELECT x.id, y.id FROM profiles x JOIN profiles y ON x.created = y.created AND x.id < y.id")
    yield Query("SELECT x.email, y.email FROM profiles x JOIN profiles y ON lower(x.email) = lower(y.email) AND x.id < y.id")
    yield Query("SELECT a.name, b.name FROM lists a JOIN lists b USING (created)")
    yield Query("SELECT a.name, b.name FROM lists a, lists b WHERE a.created < b.created AND a.opt_in_process = b.opt_in_process")
    yield Query("SELECT a.name, b.name FROM lists a LEFT JOIN segments b ON b.created > a.created AND b.created < a.updated")
    yield Query("SELECT count(*) FROM lists CROSS JOIN segments CROSS JOIN accounts")
    yield Query("SELECT lp.profile_id, sp.segment_id FROM list_profiles lp JOIN segment_profiles sp USING (profile_id) WHERE lp.list_id = ?", (lists[2]["id"],))
    temp = "CREATE TEMP TABLE wanted(profile_id TEXT, at TEXT COLLATE INSTANT, n INTEGER);"
    temp += f"INSERT INTO wanted VALUES ({a}, '{created.replace(' ', 'T')}Z', 1), "
    temp += f"({b}, '2025-01-01', {event['timestamp']}), ('nobody', NULL, NULL), (NULL, '2025-06-01T02:00:00+02:00', 3);"
    for joined_sql in (
        "SELECT w.profile_id, p.email FROM wanted w JOIN profiles p ON p.id = w.profile_id",
        "SELECT w.profile_id, p.email FROM wanted w LEFT JOIN profiles p ON p.id = w.profile_id",
        "SELECT p.id FROM profiles p WHERE p.id NOT IN (SELECT profile_id FROM wanted WHERE profile_id IS NOT NULL) AND p.first_name = 'Anna'",
        "SELECT w.at, p.id FROM wanted w JOIN profiles p ON p.created = w.at",
        "SELECT w.at, count(p.id) FROM wanted w LEFT JOIN profiles p ON p.created >= w.at GROUP BY w.at",
        "SELECT w.n, e.id FROM wanted w JOIN events e ON e.timestamp = w.n",
        "SELECT p.id FROM profiles p WHERE p.created IN (SELECT at FROM wanted)",
        "SELECT p.id FROM profiles p WHERE EXISTS (SELECT 1 FROM wanted w WHERE w.profile_id = p.id)",
        "SELECT w.n, (SELECT count(*) FROM events e WHERE e.profile_id = w.profile_id) FROM wanted w",
        "SELECT w.n, e.id FROM wanted w CROSS JOIN events e ON e.profile_id = w.profile_id",
    ):
        yield Query(joined_sql, before=temp, after="DROP TABLE wanted")


def own_tables(rows: Rows) -> Iterator[Query]:
    """Ordinary tables whose rows below the current one tell what comes next, or seem to; correlated subqueries."""
    metric = rows.metric
    many = "CREATE TEMP TABLE wanted AS SELECT email, id AS profile_id, row_number() OVER (ORDER BY id) AS n, first_name AS other FROM profiles;"
    many += "INSERT INTO wanted SELECT upper(email), NULL, n, profile_id FROM wanted WHERE n % 3 = 0; INSERT INTO wanted SELECT * FROM wanted WHERE n < 9;"
    many += "CREATE TEMP TABLE keyed(email TEXT PRIMARY KEY, profile_id) WITHOUT ROWID; INSERT OR IGNORE INTO keyed SELECT email, profile_id FROM wanted;"
    for joined_sql in (
        "SELECT w.n, p.id FROM wanted w CROSS JOIN profiles p ON p.email = w.email",
        "SELECT w.n, p.email FROM wanted w LEFT JOIN profiles p ON p.id = w.profile_id",
        "SELECT w.n, p.id FROM wanted w LEFT JOIN profiles p ON p.email = lower(w.email) WHERE w.n % 7 = 1",
        "SELECT w.n, (SELECT p.first_name FROM profiles p WHERE p.id = coalesce(w.profile_id, w.other)) FROM wanted w",
        "SELECT w.n, p.id FROM (SELECT * FROM wanted ORDER BY email DESC) w CROSS JOIN profiles p ON p.email = w.email",
        "SELECT w.n, v.n, p.id FROM wanted w JOIN wanted v ON v.n = w.n CROSS JOIN profiles p ON p.email = w.email AND p.id = v.other",
        "SELECT w.n, p.id FROM wanted w CROSS JOIN profiles p ON p.email = w.email AND p.created > '2025-06-01'",
        "SELECT k.profile_id, p.id FROM keyed k CROSS JOIN profiles p ON p.email = k.email",
        "SELECT w.n, lp.list_id FROM wanted w CROSS JOIN list_profiles lp ON lp.profile_id = w.profile_id WHERE w.n < 40",
        "SELECT w.n, m.name FROM wanted w CROSS JOIN metrics m ON m.name = w.other",
    ):
        yield Query(joined_sql, before=many, after="DROP TABLE wanted; DROP TABLE keyed")
    yield Query("SELECT id FROM profiles p WHERE EXISTS (SELECT 1 FROM events e WHERE e.profile_id = p.id AND e.value > 250) AND p.locale = 'en-US'")
    yield Query("SELECT name FROM metrics m WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.metric_id = m.id)")
    yield Query(
        "SELECT name, (SELECT max(datetime) FROM events e WHERE e.metric_id = m.id), "
        "(SELECT count(*) FROM events e WHERE e.metric_id = m.id AND value > 1) FROM metrics m"
    )
    yield Query("SELECT id FROM events WHERE datetime = (SELECT max(datetime) FROM events)")
    yield Query(
        "SELECT id FROM events e WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order') "
        "AND value > (SELECT avg(value) FROM events WHERE metric_id = e.metric_id)"
    )
    yield Query("SELECT name, CASE WHEN is_active THEN 'on' WHEN is_processing THEN 'busy' ELSE 'off' END FROM segments")
    yield Query("SELECT CASE metric_id WHEN ? THEN 1 ELSE 0 END AS k, count(*) FROM events GROUP BY k", (metric["id"],))
