"""Writes: how many requests each statement makes, against one request a row, and how much CPU a row takes in this process, the sandbox included.

    python benchmarks/writes.py [--rows 10000]

The account is the sandbox's, in this process. Requests that only ask how far a bulk job is are told apart.
"""

from __future__ import annotations

import argparse
import time

import klaviyo_sql
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Sandbox, generate

STATEMENTS = {
    "profiles, new": "INSERT INTO profiles (email, first_name) SELECT 'n' || i || '@example.com', 'N' || i FROM n",
    "events, new": "INSERT INTO events (metric_name, profile_email, value) SELECT 'Bench', 'n' || i || '@example.com', i FROM n",
    "members of a list": "INSERT INTO list_profiles (list_id, profile_id) SELECT '{list}', id FROM profiles WHERE email LIKE 'n%@example.com'",
    "members that go": "DELETE FROM list_profiles WHERE list_id = '{list}' AND profile_id IN (SELECT id FROM profiles WHERE email LIKE 'n%@example.com')",
    "profiles, one column": "UPDATE profiles SET last_name = 'X' WHERE email LIKE 'n%@example.com'",
    "emails suppressed": "SELECT suppress_profiles(email) FROM profiles WHERE email LIKE 'n%@example.com'",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    sandbox = Sandbox(generate(profiles=200, events=200), limits=False)
    known = next(iter(sandbox.account.lists))
    print(f"{'statement':<24}{'rows':>8}{'writing':>9}{'ratio':>8}{'jobs':>6}{'read':>7}{'CPU us a row':>14}")
    for title, text in STATEMENTS.items():
        connection: klaviyo_sql.Connection = opened(":memory:", sandbox=sandbox, write=True, config=False, autocommit=False, max_writes=0)
        with connection:
            connection.execute("CREATE TEMP TABLE n AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n", (rows,))
            connection.commit()
            began = time.process_time()
            cursor = connection.execute(text.format(list=known))
            if cursor.description is not None:
                cursor.fetchall()
            connection.commit()
            spent = time.process_time() - began
            wrote = sum(record.method != "GET" for record in connection.requests)
            jobs = sum("-jobs/" in record.path for record in connection.requests)
            read = len(connection.requests) - wrote - jobs
            statuses = connection.execute("SELECT status, count(*) FROM klaviyo_writes GROUP BY status").fetchall()
            assert {status for status, _ in statuses} <= {"done", "accepted"}, statuses
            count = sum(number for _, number in statuses)
        print(f"{title:<24}{count:>8,}{wrote:>9,}{count / wrote:>8,.0f}{jobs:>6}{read:>7,}{spent / count * 1e6:>14.0f}")


if __name__ == "__main__":
    main()
