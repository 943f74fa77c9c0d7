"""Every shape of query that SQLite hands to a virtual table in a way of its own, once, with real and odd values."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from . import truth
from .oracle import Oracle, Query

_ODD_TEXTS = (
    "",
    " ",
    "'",
    '"',
    '"quoted, [odd]"@example.com',
    "\\",
    "\\\\",
    "a\\",
    '\\"',
    "[",
    "]",
    "[]",
    '["a"]',
    ",",
    "a,b",
    "(",
    ")",
    "%",
    "_",
    "+",
    "a+b%20c&d=e",
    "\U0001f389",
    "ß",
    "SS",
    "İ",
    "i̇",
    "null",
    "NULL",
    "true",
    "1",
    "0",
    "é",
    "e\u0301",
    "\t\n",
    "x" * 8000,
    "'; DROP TABLE x; --",
    "#",
    "?",
    "a/b",
    "..",
    ".",
    "%2F",
    "\ufffd",
    "\u200b",
    "5",
    "05",
    "5.0",
)


@functools.cache
def _columns(table: str) -> list[dict[str, object]]:
    """The rows of a table as dictionaries, in the order of the key."""
    names = [column.name for column in truth.TABLES[table].columns]
    return sorted((dict(zip(names, row, strict=True)) for row in truth.rows(truth.account(), table)), key=lambda row: json.dumps(list(row.values()))[:200])


def _quoted(value: object) -> str:
    return "NULL" if value is None else str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def _list(values: object) -> str:
    return ", ".join(map(_quoted, values))  # type: ignore[call-overload]


def _shapes() -> Iterator[Query]:
    profiles, events, lists, metrics = (_columns(name) for name in ("profiles", "events", "lists", "metrics"))
    profile, other, third = profiles[20], profiles[100], profiles[200]
    event = next(row for row in events if row["value"] and isinstance(row["value"], float) and row["profile_id"])
    metric = next(row for row in metrics if row["name"] == "Placed Order")
    custom = next(row for row in metrics if str(row["name"]).startswith("Custom"))
    refund = next(row for row in metrics if row["name"] == "Refunded Order")
    order, custom_id, refund_id = (_quoted(row["id"]) for row in (metric, custom, refund))
    a, b, c = (_quoted(row["id"]) for row in (profile, other, third))
    big = max(truth.account().list_members, key=lambda key: len(truth.account().list_members[key]))
    joined = sorted(truth.account().list_members[big].values())[150].replace("T", " ")[:19]
    many = [row["id"] for row in profiles][:150]
    thousand = [row["id"] for row in events][:1000]
    when, created, updated = str(event["datetime"]), str(profile["created"]), str(profile["updated"])

    # Equality
    for table, column, value in (
        ("profiles", "id", profile["id"]),
        ("profiles", "id", "nobody"),
        ("profiles", "email", profile["email"]),
        ("profiles", "email", "twin@example.com"),
        ("profiles", "email", "TWIN@example.com"),
        ("profiles", "external_id", "abc"),
        ("profiles", "phone_number", next(r["phone_number"] for r in profiles if r["phone_number"])),
        ("profiles", "first_name", "Anna"),
        ("profiles", "suppression_reason", "UNSUBSCRIBE"),
        ("profiles", "list_suppression_reason", "UNSUBSCRIBE"),
        ("profiles", "list_suppression_list_id", lists[0]["id"]),
        ("profiles", "location_city", "São Paulo"),
        ("profiles", "created", created),
        ("profiles", "updated", updated),
        ("events", "id", event["id"]),
        ("events", "id", "nonsense"),
        ("events", "metric_id", metric["id"]),
        ("events", "metric_id", "none"),
        ("events", "profile_id", event["profile_id"]),
        ("events", "datetime", when),
        ("events", "timestamp", event["timestamp"]),
        ("events", "value", event["value"]),
        ("events", "event_id", "4711"),
        ("lists", "id", lists[0]["id"]),
        ("lists", "id", "Zz9zZz"),
        ("lists", "name", "Newsletter"),
        ("lists", "name", "C++ fans + friends"),
        ("segments", "name", 'Bought "Classic Tee"'),
        ("segments", "is_active", 1),
        ("segments", "is_starred", 0),
        ("metrics", "id", metric["id"]),
        ("metrics", "name", "Viewed Product"),
        ("metrics", "integration_name", "API"),
        ("metrics", "integration_category", "eCommerce"),
        ("list_profiles", "list_id", big),
        ("list_profiles", "list_id", "nolist"),
        ("list_profiles", "profile_id", profile["id"]),
        ("list_profiles", "email", "twin@example.com"),
        ("segment_profiles", "profile_id", profile["id"]),
    ):
        yield Query(f"SELECT {{*{table}}} FROM {table} WHERE {column} = {_quoted(value)}")
        yield Query(f"SELECT {column}, count(*) FROM {table} WHERE ? = {column} GROUP BY 1", (value,))

    # Lists of values
    ids = _list([profile["id"], other["id"], "nobody", profile["id"], None])
    yield Query(f"SELECT id, email FROM profiles WHERE id IN ({ids})")
    yield Query("SELECT id FROM profiles WHERE id IN (?, ?, ?)", (profile["id"], None, third["id"]))
    yield Query("SELECT id FROM profiles WHERE id IN ()")
    yield Query("SELECT id FROM profiles WHERE id NOT IN ()")
    yield Query("SELECT id FROM profiles WHERE id IN (NULL)")
    yield Query(f"SELECT count(*) FROM profiles WHERE id NOT IN ({a}, {b})")
    yield Query(f"SELECT count(*) FROM profiles WHERE id NOT IN ({a}, NULL)")
    yield Query("SELECT count(*) FROM profiles WHERE external_id NOT IN ('abc', 'x')")
    yield Query(f"SELECT id FROM profiles WHERE id IN ({_list(many)})")
    yield Query(f"SELECT count(*), count(DISTINCT id) FROM profiles WHERE id IN ({','.join('?' * 150)})", tuple(many))
    yield Query(f"SELECT count(*) FROM events WHERE id IN ({_list(thousand)})")
    yield Query("SELECT count(*) FROM events WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(thousand[:60]),))
    yield Query("SELECT id, external_id FROM profiles WHERE external_id IN ('abc', 'ABC', 'Abc', '', NULL, '5')")
    yield Query("SELECT email FROM profiles WHERE email IN (SELECT value FROM json_each(?))", (json.dumps([row["email"] for row in profiles][:130]),))
    yield Query(f"SELECT id, metric_id FROM events WHERE metric_id IN ({custom_id}, {refund_id}, 'none', NULL)")
    yield Query("SELECT id FROM events WHERE metric_id IN (SELECT id FROM metrics WHERE integration_name = 'API' AND name <> 'Active on Site')")
    yield Query("SELECT count(*) FROM events WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order')")
    yield Query("SELECT count(*) FROM events WHERE metric_id NOT IN (SELECT id FROM metrics WHERE integration_name = 'Klaviyo')")
    yield Query("SELECT id, is_active FROM segments WHERE is_active IN (0, 1)")
    yield Query("SELECT id FROM segments WHERE is_active IN (1, 2, 'x', NULL)")
    yield Query("SELECT id FROM profiles WHERE suppression_reason IN ('UNSUBSCRIBE', 'HARD_BOUNCE', 'unsubscribe')")
    yield Query("SELECT id FROM profiles WHERE list_suppression_reason IN ('UNSUBSCRIBE') AND suppression_reason IS NULL")
    yield Query("SELECT count(*) FROM list_profiles WHERE list_id IN (SELECT id FROM lists WHERE name LIKE 'n%')")
    yield Query(f"SELECT list_id, profile_id FROM list_profiles WHERE list_id IN ({_list([row['id'] for row in lists[:4]])}) AND profile_id IN ({_list(many)})")
    yield Query(f"SELECT id FROM profiles WHERE (id, email) IN (VALUES ({a}, {_quoted(profile['email'])}), ({b}, 'x'))")
    yield Query(f"SELECT id FROM events WHERE (metric_id, profile_id) = ({_quoted(event['metric_id'])}, {_quoted(event['profile_id'])})")
    yield Query("SELECT id FROM events WHERE (datetime, id) > (?, ?) AND datetime < ?", (when, event["id"], "2025-01-01"))
    yield Query(f"SELECT name FROM lists WHERE name IN ({_list(row['name'] for row in lists)})")
    yield Query(f"SELECT name FROM lists WHERE id IN ({_list(row['id'] for row in lists)}) AND name IN ('Newsletter', 'newsletter', 'NEWSLETTER')")

    for nothing in ("SELECT id FROM metrics WHERE name = 'zz'", "SELECT value FROM json_each('[]')", "SELECT id FROM profiles WHERE 0", "SELECT NULL"):
        yield Query(f"SELECT count(*) FROM events WHERE metric_id IN ({nothing})")
        yield Query(f"SELECT count(*) FROM events WHERE metric_id NOT IN ({nothing})")
        yield Query(f"SELECT id FROM profiles WHERE id IN ({nothing}) OR email = 'twin@example.com'")
        yield Query(f"SELECT count(*) FROM list_profiles WHERE list_id IN ({nothing}) OR profile_id = {a}")
        yield Query(f"SELECT l.id, p.id FROM lists l LEFT JOIN profiles p ON p.id IN ({nothing})")
        yield Query(f"SELECT id FROM events WHERE datetime IN ({nothing}) OR timestamp IN ({nothing}) OR metric_id = {refund_id}")
    yield Query("SELECT count(*) FROM profiles WHERE email IN (SELECT id FROM empty)", before="CREATE TEMP TABLE empty(id TEXT)", after="DROP TABLE empty")

    # Ranges and patterns
    yield Query("SELECT id FROM profiles WHERE email BETWEEN 'person2' AND 'person4'")
    yield Query("SELECT id FROM profiles WHERE email > 'p' AND email >= 'person20' AND email < 'person3' AND email <= 'z'")
    yield Query("SELECT count(*) FROM events WHERE value BETWEEN 10 AND 50.5")
    yield Query("SELECT count(*) FROM events WHERE value > 10 AND value > 20 AND value <= 400 AND value < 300")
    yield Query("SELECT count(*) FROM events WHERE timestamp BETWEEN ? AND ?", (event["timestamp"], int(str(event["timestamp"])) + 86_400))
    for operator in ("<", "<=", ">", ">="):
        for value in (
            event["timestamp"],
            f"{event['timestamp']}",
            float(str(event["timestamp"])) + 0.5,
            "abc",
            "",
            "1_000",
            " 12 ",
            1e30,
            -1e30,
            2**63 - 1,
            None,
        ):
            yield Query(f"SELECT count(*), min(timestamp), max(timestamp) FROM events WHERE timestamp {operator} ?", (value,))
    for pattern in ("person1%", "PERSON1%", "%7@%", "twin_example.com", "%", "", "o'brien+tag%", "person%9@example.com"):
        yield Query("SELECT id, email FROM profiles WHERE email LIKE ?", (pattern,))
        yield Query(f"SELECT count(*) FROM profiles WHERE email LIKE {_quoted(pattern)} AND email IS NOT NULL")
        yield Query(f"SELECT count(*) FROM profiles WHERE email NOT LIKE {_quoted(pattern)}")
    yield Query(r"SELECT name FROM lists WHERE name LIKE '50\%\_off%' ESCAPE '\'")
    yield Query(r"SELECT name FROM lists WHERE name LIKE 'Back\\%' ESCAPE '\'")
    yield Query("SELECT id FROM profiles WHERE id GLOB '01H*'")
    yield Query("SELECT name FROM lists WHERE name GLOB 'N*' OR name GLOB '[[]A*'")
    yield Query("SELECT id FROM lists WHERE id LIKE ? || '%'", (str(lists[3]["id"])[:2],))
    for column, table in (("datetime", "events"), ("created", "profiles"), ("subscriptions_email_marketing_consent_timestamp", "profiles")):
        yield Query(f"SELECT count(*) FROM {table} WHERE {column} LIKE '2024-1%'")
        yield Query(f"SELECT count(*) FROM {table} WHERE {column} GLOB '2025-0[1-3]*'")
        yield Query(f"SELECT count(*) FROM {table} WHERE {column} LIKE ?", ("%-01 %",))

    # NULL
    for column in ("email", "first_name", "suppression_reason", "suppression_timestamp", "location_latitude", "updated", "kx", "id"):
        for test in ("IS NULL", "IS NOT NULL", "= NULL", "<> NULL", "IS ''", "IS NOT ''", "<> ''", "IS NOT DISTINCT FROM NULL"):
            if "''" not in test or column not in ("suppression_timestamp", "updated"):
                yield Query(f"SELECT id FROM profiles WHERE {column} {test}")
    for test in ("IS NULL", "IS NOT NULL", "IS ?", "IS NOT ?", "<> ?", "= ?"):
        yield Query(f"SELECT id FROM events WHERE profile_id {test}", (event["profile_id"],) * test.count("?"))
        yield Query(f"SELECT count(*) FROM events WHERE profile_id {test} AND metric_id IS NOT NULL", (None,) * test.count("?"))
    yield Query("SELECT id FROM profiles WHERE first_name IS last_name")
    yield Query("SELECT id FROM profiles WHERE coalesce(first_name, '') = ''")
    yield Query("SELECT id FROM profiles WHERE (? IS NULL OR email = ?)", (None, None))
    yield Query("SELECT id FROM profiles WHERE (?1 IS NULL OR email = ?1)", ("twin@example.com",))
    yield Query("SELECT id FROM events WHERE event_id IS NOT NULL AND value_currency IS NULL")

    # OR and NOT
    for term in (
        f"id = {a} OR id = {b}",
        f"id = {a} OR email = 'twin@example.com'",
        f"id = {a} OR id = {a}",
        f"email = 'twin@example.com' OR external_id = 'abc' OR id = {c}",
        f"id = {a} OR first_name = 'Anna'",
        f"id IN ({a}, {b}) OR created > '2026-01-01'",
        f"created < '2024-03-01' OR created > '2026-01-01' OR id = {a}",
        f"updated = '{updated}' OR created = '{created}'",
        f"(id = {a} AND email IS NOT NULL) OR (id = {b} AND email IS NULL) OR external_id = '5'",
        f"NOT (id = {a} OR id = {b})",
        "NOT (created > '2024-06-01' AND created < '2026-01-01')",
        "NOT created > '2024-06-01'",
        f"NOT id = {a} AND NOT id > 'f'",
        f"(id = {a} OR id = {b}) AND (email LIKE 'p%' OR email IS NULL)",
        "created = updated OR created = '2025-06-01'",
        f"id = {a} OR 1",
        f"id = {a} AND 0",
        "suppression_reason = 'UNSUBSCRIBE' OR list_suppression_reason = 'UNSUBSCRIBE'",
    ):
        yield Query(f"SELECT id, email FROM profiles WHERE {term}")
        yield Query(f"SELECT count(*) FROM profiles WHERE {term}")
    for term in (
        f"metric_id = {custom_id} OR metric_id = {refund_id}",
        f"metric_id = {custom_id} OR value = 3",
        f"metric_id = {custom_id} OR timestamp = {event['timestamp']}",
        f"metric_id = {custom_id} OR datetime = '{when}'",
        f"metric_id = {custom_id} OR profile_id = {_quoted(event['profile_id'])} OR id = {_quoted(event['id'])}",
        f"(metric_id = {order} AND datetime > '2026-01-01') OR (metric_id = {custom_id} AND datetime < '2024-09-01')",
        f"datetime = '{when}' OR datetime < '2024-04-01'",
        f"NOT metric_id = {order} AND datetime < '2024-06-01'",
        f"metric_id <> {order} AND datetime < '2024-06-01'",
    ):
        yield Query(f"SELECT id, metric_id, datetime FROM events WHERE {term}")

    # Collations, affinities, booleans
    yield Query("SELECT id FROM profiles WHERE email = 'TWIN@example.com' COLLATE NOCASE")
    yield Query("SELECT id FROM profiles WHERE email COLLATE NOCASE IN ('TWIN@example.com', 'person1@EXAMPLE.com')")
    yield Query("SELECT id FROM profiles WHERE id = lower(?) COLLATE NOCASE", (profile["id"],))
    yield Query("SELECT id FROM events WHERE metric_id = lower(?) COLLATE NOCASE AND datetime < '2024-08-01'", (metric["id"],))
    yield Query("SELECT name FROM lists WHERE name COLLATE NOCASE = 'NEWSLETTER' ORDER BY name COLLATE NOCASE")
    yield Query("SELECT id FROM lists WHERE created > '2025' COLLATE BINARY")
    for value in ("5", "'5'", "5.0", "'5.0'", "05", "'05'", "5e0", "x'35'", "TRUE"):
        yield Query(f"SELECT id, external_id FROM profiles WHERE external_id = {value}")
        yield Query(f"SELECT id FROM profiles WHERE external_id IN ({value}, 'abc')")
        yield Query(f"SELECT id FROM profiles WHERE id = {value} OR first_name = {value}")
    for value in (event["timestamp"], str(event["timestamp"]), float(str(event["timestamp"])), f" {event['timestamp']} ", f"{event['timestamp']}.0", "x", b"1"):
        yield Query("SELECT id FROM events WHERE timestamp = ?", (value,))
        yield Query("SELECT id FROM events WHERE timestamp IN (?, 5, 'x', NULL)", (value,))
    for value in (12, "12", "12.5", 12.5, "12.50", "a dozen", "1_2", "abc", 0, "0", -0.0):
        yield Query("SELECT id, value, typeof(value), value / 2 FROM events WHERE value = ?", (value,))
        yield Query("SELECT count(*) FROM events WHERE value < ?", (value,))
        yield Query("SELECT id, location_latitude, typeof(location_latitude) FROM profiles WHERE location_latitude > ?", (value,))
    for value in ("1", "'1'", "1.0", "2", "'x'", "0", "TRUE", "FALSE", "NULL", "-1", "0.5", "'true'", "''"):
        for column in ("is_active", "is_starred", "is_processing"):
            yield Query(f"SELECT id, name FROM segments WHERE {column} = {value}")
        yield Query(f"SELECT id FROM segments WHERE is_active >= {value}")
        yield Query(f"SELECT id FROM segments WHERE is_active IS {value}")
        yield Query(f"SELECT count(*) FROM profiles WHERE subscriptions_email_marketing_can_receive_email_marketing = {value}")
    for term in ("is_active", "NOT is_active", "is_active IS TRUE", "is_active IS NOT TRUE", "is_active AND is_starred", "is_active = is_starred"):
        yield Query(f"SELECT id FROM segments WHERE {term}")

    # Odd values
    for value in _ODD_TEXTS:
        yield Query("SELECT id FROM profiles WHERE external_id = ? OR first_name = ? OR last_name = ?", (value,) * 3)
        yield Query(f"SELECT id FROM profiles WHERE external_id = {_quoted(value)}")
        yield Query("SELECT id FROM profiles WHERE email IN (?, ?)", (value, "twin@example.com"))
        yield Query("SELECT id FROM profiles WHERE id = ?", (value,))
        yield Query("SELECT id FROM events WHERE id = ?", (value,))
        yield Query("SELECT id FROM lists WHERE name = ? OR id = ?", (value, value))
        yield Query("SELECT count(*) FROM events WHERE metric_id = ? OR profile_id = ?", (value, value))
        yield Query("SELECT count(*) FROM list_profiles WHERE list_id = ?", (value,))
        yield Query("SELECT id FROM metrics WHERE integration_name = ? OR id = ?", (value, value))
    for value in [row["name"] for row in lists] + [row["name"] for row in _columns("segments")]:
        yield Query("SELECT id, name FROM lists WHERE name = ? UNION ALL SELECT id, name FROM segments WHERE name = ?", (value, value))
    for row in profiles[:300]:
        if row["external_id"] and not str(row["external_id"]).startswith("customer"):
            yield Query("SELECT id, external_id FROM profiles WHERE external_id = ?", (row["external_id"],))

    # ORDER BY, LIMIT, OFFSET
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
        yield Query(f"SELECT created, id FROM profiles WHERE id IN ({_list(many)}) ORDER BY created {direction}", keys=(0,))
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

    # DISTINCT, groups, aggregates, windows
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

    # CTEs, views, compounds
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

    # Joins
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
    # Ordinary tables whose rows below the current one tell what comes next, or seem to.
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

    # Names, JSON, costly and hidden columns, writing to own tables
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

    # Contradictions
    for term in (
        f"id = {a} AND id = {b}",
        "created > '2026' AND created < '2025'",
        "created = '2025-06-01' AND created = '2025-06-02'",
        "email = 'a' AND email = 'b'",
        "created > NULL",
        "id = NULL",
        "created BETWEEN '2026' AND '2025'",
        f"id IN ({a}, {b}) AND id IN ({b}, {c}) AND id <> {c}",
        "created = '2025-06-01' AND created >= '2025-06-01' AND created <= '2025-06-01T00:00Z'",
        "external_id = 5 AND external_id = '5'",
        "external_id = 5.0 AND external_id = '5.0'",
    ):
        yield Query(f"SELECT id FROM profiles WHERE {term}")

    # More single instants than are asked for one by one
    for table, column in (("events", "datetime"), ("events", "timestamp"), ("profiles", "created"), ("list_profiles", "joined_group_at")):
        instants = sorted({row[column] for row in _columns(table)}, key=str)
        for number in (2, 19, 20, 21, 25, 60):
            some = instants[:: len(instants) // number][:number]
            yield Query(f"SELECT {column}, count(*) FROM {table} WHERE {column} IN ({_list(some)}) GROUP BY 1")
            yield Query(f"SELECT count(*) FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (json.dumps(some),))

    # Times: every ISO 8601 form of constants, at the borders of rows
    micro = next(row for row in profiles if row["suppression_timestamp"])
    yield from _times("events", "datetime", when)
    yield from _times("profiles", "created", "2024-12-31 23:59:59")
    yield from _times("profiles", "updated", "2025-01-01 00:00:00")
    yield from _times("profiles", "suppression_timestamp", str(micro["suppression_timestamp"]))
    yield from _times("profiles", "last_event_date", str(next(row["last_event_date"] for row in profiles if row["last_event_date"])))
    yield from _times("list_profiles", "joined_group_at", joined)
    yield from _times("lists", "created", str(lists[0]["created"]))
    yield from _times("segments", "updated", str(_columns("segments")[0]["updated"]))


def _times(table: str, column: str, text: str) -> Iterator[Query]:
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


_SHAPES = list(_shapes())


@pytest.mark.parametrize("form", ["'2025-06-01 00:00:00.0000001'", "?"])
@pytest.mark.parametrize("operator", ["=", "<", ">=", "<>"])
def test_a_time_finer_than_columns_are_is_refused_and_not_cut(oracle: Oracle, form: str, operator: str) -> None:
    bound = ("2025-06-01T00:00:00.1234567Z",) if form == "?" else ()
    for column in ("created", "suppression_timestamp"):
        with pytest.raises(AssertionError, match=r"time .*is compared with '.*', which is no"):
            oracle.check(Query(f"SELECT count(*) FROM profiles WHERE {column} {operator} {form}", bound), cached=False)


@pytest.mark.parametrize("number", range(len(_SHAPES)), ids=lambda number: f"{number}-{' '.join(_SHAPES[number].sql.split())[:70]}")
def test_the_answer_is_the_truth(oracle: Oracle, number: int) -> None:
    oracle.check(_SHAPES[number], cached=bool(number % 2))
