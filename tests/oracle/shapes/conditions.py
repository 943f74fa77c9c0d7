"""Conditions on one table."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..oracle import Query
from .rows import Rows, listed, quoted, rows_of

ODD_TEXTS = (
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


def equality(rows: Rows) -> Iterator[Query]:
    """A column and a value, either way round."""
    profiles, lists, profile, event, metric, big, when, created, updated = (
        rows.profiles,
        rows.lists,
        rows.profile,
        rows.event,
        rows.metric,
        rows.big,
        rows.when,
        rows.created,
        rows.updated,
    )
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
        yield Query(f"SELECT {{*{table}}} FROM {table} WHERE {column} = {quoted(value)}")
        yield Query(f"SELECT {column}, count(*) FROM {table} WHERE ? = {column} GROUP BY 1", (value,))


def lists(rows: Rows) -> Iterator[Query]:
    """IN and NOT IN: values, parameters, subqueries, nothing."""
    profiles, lists, profile, other, third, event, custom_id, refund_id, a, b, many, thousand, when = (
        rows.profiles,
        rows.lists,
        rows.profile,
        rows.other,
        rows.third,
        rows.event,
        rows.custom_id,
        rows.refund_id,
        rows.a,
        rows.b,
        rows.many,
        rows.thousand,
        rows.when,
    )
    ids = listed([profile["id"], other["id"], "nobody", profile["id"], None])
    yield Query(f"SELECT id, email FROM profiles WHERE id IN ({ids})")
    yield Query("SELECT id FROM profiles WHERE id IN (?, ?, ?)", (profile["id"], None, third["id"]))
    yield Query("SELECT id FROM profiles WHERE id IN ()")
    yield Query("SELECT id FROM profiles WHERE id NOT IN ()")
    yield Query("SELECT id FROM profiles WHERE id IN (NULL)")
    yield Query(f"SELECT count(*) FROM profiles WHERE id NOT IN ({a}, {b})")
    yield Query(f"SELECT count(*) FROM profiles WHERE id NOT IN ({a}, NULL)")
    yield Query("SELECT count(*) FROM profiles WHERE external_id NOT IN ('abc', 'x')")
    yield Query(f"SELECT id FROM profiles WHERE id IN ({listed(many)})")
    yield Query(f"SELECT count(*), count(DISTINCT id) FROM profiles WHERE id IN ({','.join('?' * 150)})", tuple(many))
    yield Query(f"SELECT count(*) FROM events WHERE id IN ({listed(thousand)})")
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
    yield Query(
        f"SELECT list_id, profile_id FROM list_profiles WHERE list_id IN ({listed([row['id'] for row in lists[:4]])}) AND profile_id IN ({listed(many)})"
    )
    yield Query(f"SELECT id FROM profiles WHERE (id, email) IN (VALUES ({a}, {quoted(profile['email'])}), ({b}, 'x'))")
    yield Query(f"SELECT id FROM events WHERE (metric_id, profile_id) = ({quoted(event['metric_id'])}, {quoted(event['profile_id'])})")
    yield Query("SELECT id FROM events WHERE (datetime, id) > (?, ?) AND datetime < ?", (when, event["id"], "2025-01-01"))
    yield Query(f"SELECT name FROM lists WHERE name IN ({listed(row['name'] for row in lists)})")
    yield Query(f"SELECT name FROM lists WHERE id IN ({listed(row['id'] for row in lists)}) AND name IN ('Newsletter', 'newsletter', 'NEWSLETTER')")

    for nothing in ("SELECT id FROM metrics WHERE name = 'zz'", "SELECT value FROM json_each('[]')", "SELECT id FROM profiles WHERE 0", "SELECT NULL"):
        yield Query(f"SELECT count(*) FROM events WHERE metric_id IN ({nothing})")
        yield Query(f"SELECT count(*) FROM events WHERE metric_id NOT IN ({nothing})")
        yield Query(f"SELECT id FROM profiles WHERE id IN ({nothing}) OR email = 'twin@example.com'")
        yield Query(f"SELECT count(*) FROM list_profiles WHERE list_id IN ({nothing}) OR profile_id = {a}")
        yield Query(f"SELECT l.id, p.id FROM lists l LEFT JOIN profiles p ON p.id IN ({nothing})")
        yield Query(f"SELECT id FROM events WHERE datetime IN ({nothing}) OR timestamp IN ({nothing}) OR metric_id = {refund_id}")
    yield Query("SELECT count(*) FROM profiles WHERE email IN (SELECT id FROM empty)", before="CREATE TEMP TABLE empty(id TEXT)", after="DROP TABLE empty")


def ranges_and_patterns(rows: Rows) -> Iterator[Query]:
    """BETWEEN, comparisons with values of every type, LIKE and GLOB."""
    lists, event = rows.lists, rows.event
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
        yield Query(f"SELECT count(*) FROM profiles WHERE email LIKE {quoted(pattern)} AND email IS NOT NULL")
        yield Query(f"SELECT count(*) FROM profiles WHERE email NOT LIKE {quoted(pattern)}")
    yield Query(r"SELECT name FROM lists WHERE name LIKE '50\%\_off%' ESCAPE '\'")
    yield Query(r"SELECT name FROM lists WHERE name LIKE 'Back\\%' ESCAPE '\'")
    yield Query("SELECT id FROM profiles WHERE id GLOB '01H*'")
    yield Query("SELECT name FROM lists WHERE name GLOB 'N*' OR name GLOB '[[]A*'")
    yield Query("SELECT id FROM lists WHERE id LIKE ? || '%'", (str(lists[3]["id"])[:2],))
    for column, table in (("datetime", "events"), ("created", "profiles"), ("subscriptions_email_marketing_consent_timestamp", "profiles")):
        yield Query(f"SELECT count(*) FROM {table} WHERE {column} LIKE '2024-1%'")
        yield Query(f"SELECT count(*) FROM {table} WHERE {column} GLOB '2025-0[1-3]*'")
        yield Query(f"SELECT count(*) FROM {table} WHERE {column} LIKE ?", ("%-01 %",))


def nulls(rows: Rows) -> Iterator[Query]:
    """What is NULL, is not, or is compared with it."""
    event = rows.event
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


def alternatives(rows: Rows) -> Iterator[Query]:
    """OR and NOT, of conditions that are sent and that are not."""
    event, order, custom_id, refund_id, a, b, c, when, created, updated = (
        rows.event,
        rows.order,
        rows.custom_id,
        rows.refund_id,
        rows.a,
        rows.b,
        rows.c,
        rows.when,
        rows.created,
        rows.updated,
    )
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
        f"metric_id = {custom_id} OR profile_id = {quoted(event['profile_id'])} OR id = {quoted(event['id'])}",
        f"(metric_id = {order} AND datetime > '2026-01-01') OR (metric_id = {custom_id} AND datetime < '2024-09-01')",
        f"datetime = '{when}' OR datetime < '2024-04-01'",
        f"NOT metric_id = {order} AND datetime < '2024-06-01'",
        f"metric_id <> {order} AND datetime < '2024-06-01'",
    ):
        yield Query(f"SELECT id, metric_id, datetime FROM events WHERE {term}")


def affinities(rows: Rows) -> Iterator[Query]:
    """Collations, affinities, booleans."""
    profile, event, metric = rows.profile, rows.event, rows.metric
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


def odd_values(rows: Rows) -> Iterator[Query]:
    """Texts that mean something to somebody on the way."""
    profiles, lists = rows.profiles, rows.lists
    for value in ODD_TEXTS:
        yield Query("SELECT id FROM profiles WHERE external_id = ? OR first_name = ? OR last_name = ?", (value,) * 3)
        yield Query(f"SELECT id FROM profiles WHERE external_id = {quoted(value)}")
        yield Query("SELECT id FROM profiles WHERE email IN (?, ?)", (value, "twin@example.com"))
        yield Query("SELECT id FROM profiles WHERE id = ?", (value,))
        yield Query("SELECT id FROM events WHERE id = ?", (value,))
        yield Query("SELECT id FROM lists WHERE name = ? OR id = ?", (value, value))
        yield Query("SELECT count(*) FROM events WHERE metric_id = ? OR profile_id = ?", (value, value))
        yield Query("SELECT count(*) FROM list_profiles WHERE list_id = ?", (value,))
        yield Query("SELECT id FROM metrics WHERE integration_name = ? OR id = ?", (value, value))
    for value in [row["name"] for row in lists] + [row["name"] for row in rows_of("segments")]:
        yield Query("SELECT id, name FROM lists WHERE name = ? UNION ALL SELECT id, name FROM segments WHERE name = ?", (value, value))
    for row in profiles[:300]:
        if row["external_id"] and not str(row["external_id"]).startswith("customer"):
            yield Query("SELECT id, external_id FROM profiles WHERE external_id = ?", (row["external_id"],))


def contradictions(rows: Rows) -> Iterator[Query]:
    """Conditions that no row meets, or hardly one."""
    a, b, c = rows.a, rows.b, rows.c
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
