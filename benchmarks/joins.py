"""Joins: how many requests the inner loop makes, against one for each key that it is asked for.

    python benchmarks/joins.py

The account is the sandbox's, in this process; nothing is timed.
"""

from __future__ import annotations

from collections import Counter

import klaviyo_sql
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Sandbox, generate

FIRST = "(SELECT * FROM events ORDER BY datetime LIMIT 1000)"
QUERIES = {
    # title: (the keys that the inner loop is asked for, the join, the operations of the inner table)
    "1,000 events with their profiles": (
        "SELECT DISTINCT profile_id FROM {first}",
        "SELECT p.email FROM {first} e JOIN profiles p ON p.id = e.profile_id",
        ("get_profiles", "get_profile"),
    ),
    "… the first ten": (
        "SELECT DISTINCT profile_id FROM (SELECT profile_id FROM events LIMIT 10)",
        "SELECT p.email FROM events e JOIN profiles p ON p.id = e.profile_id LIMIT 10",
        ("get_profiles", "get_profile"),
    ),
    "… in a subquery for each": (
        "SELECT DISTINCT profile_id FROM {first}",
        "SELECT (SELECT email FROM profiles p WHERE p.id = e.profile_id) FROM {first} e",
        ("get_profiles", "get_profile"),
    ),
    "1,000 events with their metrics": (
        "SELECT DISTINCT metric_id FROM {first}",
        "SELECT m.name FROM {first} e JOIN metrics m ON m.id = e.metric_id",
        ("get_metrics", "get_metric"),
    ),
    "1,000 addresses of one's own": (
        "SELECT DISTINCT email FROM own",
        "SELECT p.id FROM own CROSS JOIN profiles p ON p.email = own.email",
        ("get_profiles", "get_profile"),
    ),
    "… one in fifty of them": (
        "SELECT DISTINCT email FROM own WHERE n % 50 = 0",
        "SELECT p.id FROM own CROSS JOIN profiles p ON p.email = own.email WHERE n % 50 = 0",
        ("get_profiles", "get_profile"),
    ),
}


def main() -> None:
    sandbox = Sandbox(generate(profiles=5000, events=20_000))
    with opened(":memory:", sandbox=sandbox, autocommit=True, cache_seconds=0) as connection:
        known = connection.execute("SELECT email, row_number() OVER () FROM profiles WHERE email IS NOT NULL LIMIT 1000").fetchall()
        connection.execute("CREATE TABLE own (email TEXT, n INTEGER)")
        connection.executemany("INSERT INTO own VALUES (?, ?)", known)
        print(f"{'join':<36}{'keys':>7}{'requests':>10}{'ratio':>8}")
        for title, (keys, join, operations) in QUERIES.items():
            asked = len(connection.execute(keys.format(first=FIRST)).fetchall())
            count = _sent(connection, sandbox, join.format(first=FIRST), operations)
            print(f"{title:<36}{asked:>7,}{count:>10,}{asked / count:>8.0f}")


def _sent(connection: klaviyo_sql.Connection, sandbox: Sandbox, sql: str, operations: tuple[str, ...]) -> int:
    """The requests that the inner table takes."""
    sandbox.requests.clear()
    connection.execute(sql).fetchall()
    counts = Counter(record.operation for record in sandbox.requests)
    return sum(counts[operation] for operation in operations)


if __name__ == "__main__":
    main()
