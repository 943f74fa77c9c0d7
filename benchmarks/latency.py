"""Scans of a server that takes 150 ms for every reply and has Klaviyo's limits: one chain of pages against slices read side by side.

    python benchmarks/latency.py [--events 200000] [--profiles 20000]

The server is the sandbox on loopback, in a process of its own. `one chain` is the loop that every client has to make without cutting: the same
driver with parallel=1, page after page. `requests` and `429` are counted by the server. The ratio is time, in the same run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import Any

LATENCY = 0.15


def serve(events: int, profiles: int, talk: Connection) -> None:
    """The server process: says its address, then its counts whenever it is asked."""
    from klaviyo_sql.sandbox import Sandbox, generate
    from klaviyo_sql.sandbox import serve as served

    sandbox = Sandbox(generate(events=events, profiles=profiles), latency=LATENCY)
    with served(sandbox) as url:
        talk.send(url)
        while talk.recv() == "count":
            talk.send((len(sandbox.requests), sum(record.status == 429 for record in sandbox.requests)))
            sandbox.requests.clear()


def scan(url: str, sql: str, parallel: int) -> tuple[int, float, float]:
    """Rows, seconds until the first, seconds in all."""
    import klaviyo_sql
    from klaviyo_sql.sandbox import SANDBOX_KEY

    with klaviyo_sql.connect(api_key=SANDBOX_KEY, base_url=url, parallel=parallel, cache_seconds=0) as connection:
        began = time.perf_counter()
        rows, first = 0, 0.0
        for _ in connection.execute(sql):
            rows += 1
            first = first or time.perf_counter() - began
        return rows, first, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--profiles", type=int, default=20_000)
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(arguments.events, arguments.profiles, there), daemon=True)
    server.start()
    url: Any = here.recv()

    def counts() -> tuple[int, int]:
        here.send("count")
        found: tuple[int, int] = here.recv()
        return found

    for sql in ("SELECT id FROM events LIMIT 1", "SELECT id FROM profiles LIMIT 1"):  # the server sorts its account once
        scan(url, sql, 1)
    counts()
    print(f"{'query':<48} {'parallel':>8} {'rows':>8} {'requests':>8} {'429':>4} {'first row s':>11} {'seconds':>8} {'ratio':>6}")
    for sql in (
        "SELECT id, datetime FROM events",
        "SELECT id, datetime FROM events ORDER BY datetime",
        "SELECT id, email FROM profiles",
        "SELECT list_id, profile_id FROM list_profiles",
        "SELECT id FROM events LIMIT 10",
        "SELECT id FROM events LIMIT 1500",
    ):
        chain = None
        for parallel in (1, 20):
            time.sleep(1.2)  # the limits of a second begin anew for each
            rows, first, seconds = scan(url, sql, parallel)
            time.sleep(LATENCY + 0.1)
            requests, refused = counts()
            chain = chain or seconds
            print(f"{sql:<48} {parallel:>8} {rows:>8,} {requests:>8} {refused:>4} {first:>11.2f} {seconds:>8.2f} {chain / seconds:>6.1f}", flush=True)
    here.send("stop")
    server.join(timeout=10)


if __name__ == "__main__":
    main()
