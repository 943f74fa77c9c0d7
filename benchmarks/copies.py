"""A dashboard's query on live and on materialized tables: requests of the first and the second run, and the ratio of their times.

    python benchmarks/copies.py [--events 100000] [--profiles 5000]

The server is the sandbox on loopback with 150 ms for every reply and Klaviyo's limits, in a process of its own; `requests` are counted by it.
`live` is the same query without a copy, in the same run, with the page cache off for both. `plain` is the same query on ordinary SQLite tables
with the same rows and indexes, which is what local speed could be at best.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

from latency import LATENCY, serve

QUERIES = (
    "SELECT metric_id, count(*), sum(value) FROM events GROUP BY metric_id",
    "SELECT date(datetime), count(*), sum(value) FROM events WHERE datetime >= date('now', '-30 days') GROUP BY 1",
    "SELECT metrics.name, count(*), sum(value) FROM events JOIN metrics ON metrics.id = events.metric_id WHERE datetime >= date('now', '-30 days') GROUP BY 1",
    "SELECT location_country, count(*), sum(value) FROM events JOIN profiles ON profiles.id = events.profile_id\n"
    "WHERE datetime >= date('now', '-3 days') GROUP BY 1",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--profiles", type=int, default=5_000)
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(arguments.events, arguments.profiles, there), daemon=True)
    server.start()
    url: Any = here.recv()
    with tempfile.TemporaryDirectory() as folder:
        compare(url, Path(folder) / "copies.db", here)
    here.send("stop")
    server.join(timeout=10)


def compare(url: str, path: Path, server: Any) -> None:
    """Load the copies, and run each query live, on the copies, and on plain tables."""
    import apsw

    import klaviyo_sql
    from klaviyo_sql.model import timestamps
    from klaviyo_sql.sandbox import SANDBOX_KEY

    def timed(connection: Any, sql: str) -> tuple[int, float, list[Any]]:
        count(server)
        began = time.perf_counter()
        rows = connection.execute(sql).fetchall()
        seconds = time.perf_counter() - began
        time.sleep(LATENCY + 0.1)  # requests ahead of what was wanted are counted too
        return count(server), seconds, sorted(rows, key=repr)

    options: dict[str, Any] = {"api_key": SANDBOX_KEY, "base_url": url, "cache_seconds": 0, "max_wait": 600}
    with (
        klaviyo_sql.connect(**options) as live,
        klaviyo_sql.connect(**options, materialized="events,profiles,metrics", copy_file=path) as copied,
        klaviyo_sql.connect(**options, materialized="events:max_age=1h,profiles:max_age=1h,metrics:max_age=1h", copy_file=path) as young,
    ):
        print(f"{'first run':<34} {'requests':>8} {'seconds':>8}")
        for table in ("events", "profiles", "metrics"):
            requests, seconds, _ = timed(copied, f"SELECT count(*) FROM {table}")  # noqa: S608 - the names stand above
            print(f"{table + ' is loaded':<34} {requests:>8} {seconds:>8.2f}")
        plain = apsw.Connection(str(path))
        plain.create_collation(timestamps.COLLATION, timestamps.compare)
        print(f"\n{'':<34} {'requests':>8} {'seconds':>8} {'ratio to live':>13} {'ratio to plain':>14}")
        for sql in QUERIES:
            print(sql)
            live_requests, live_seconds, wanted = timed(live, sql)
            _, plain_seconds, _ = min((timed(plain, sql) for _ in range(3)), key=lambda run: run[1])
            print(f"{'  live':<34} {live_requests:>8} {live_seconds:>8.3f} {1.0:>13.1f}")
            for name, connection in (("  the second run: with a delta", copied), ("  … within max_age", young)):
                requests, seconds, rows = min((timed(connection, sql) for _ in range(3)), key=lambda run: run[1])
                assert [row[:2] for row in rows] == [row[:2] for row in wanted]
                print(f"{name:<34} {requests:>8} {seconds:>8.3f} {live_seconds / seconds:>13.1f} {seconds / plain_seconds:>14.1f}")
            print(f"{'  plain SQLite':<34} {0:>8} {plain_seconds:>8.3f} {live_seconds / plain_seconds:>13.1f} {1.0:>14.1f}", flush=True)
        plain.close()


def count(server: Any) -> int:
    """How many requests the server had since the last count."""
    server.send("count")
    return int(server.recv()[0])


if __name__ == "__main__":
    main()
