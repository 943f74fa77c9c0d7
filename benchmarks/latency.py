"""Scans of a server that takes 150 ms for every reply and has Klaviyo's limits: one chain of pages against slices read side by side.

    python benchmarks/latency.py [--events 200000] [--profiles 50000] [--runs 3]

The server is the sandbox on loopback, in a process of its own. `one chain` is the loop that every client has to make without cutting: the same
driver with parallel=1, page after page. `requests` and `429` are counted by the server. `ratio` is time against the chain's in the same run.
`possible` is the time that the limits and the latency leave: one round trip for the first page, then as many pages in a round trip as there may be
requests under way, a round trip being as long as the chain's were, and no more requests in a second than the limit of a second; `share` is that
against the time taken. Each query is run once before it is measured, so that the server has sorted and rendered its rows.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import time
from multiprocessing.connection import Connection
from typing import Any

from klaviyo_sql import contract
from klaviyo_sql.settings import PARALLEL

LATENCY = 0.15
SECOND, MINUTE = 1.2, 61.0
"""Pauses after which the limits of a second and of a minute begin anew, so that each scan has all of them."""
MANY = 3_000
"""Requests a minute that all scans of a table do not use up."""
QUERIES = (
    ("SELECT id FROM events LIMIT 10", "get_events"),
    ("SELECT id FROM events LIMIT 1500", "get_events"),
    ("SELECT id FROM events WHERE value > 10 LIMIT 1500", "get_events"),
    ("SELECT id, datetime FROM events", "get_events"),
    ("SELECT id, datetime FROM events ORDER BY datetime", "get_events"),
    ("SELECT id, email FROM profiles", "get_profiles"),
)


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


def possible(operation: str, pages: int, round_trip: float, parallel: int) -> float:
    """The seconds that limits and latency leave for so many pages."""
    by_latency = round_trip * (1 + math.ceil((pages - 1) / parallel))
    by_limit = round_trip + (pages - 1) // contract.operation(operation).rate.burst
    return max(by_latency, by_limit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--profiles", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3, help="how often each scan is read side by side")
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

    def measured(sql: str, operation: str, parallel: int) -> tuple[int, float, float, int, int]:
        time.sleep(SECOND if contract.operation(operation).rate.steady > MANY else MINUTE)
        rows, first, seconds = scan(url, sql, parallel)
        time.sleep(LATENCY + 0.1)  # what was sent in vain arrives as well
        return rows, first, seconds, *counts()

    print(f"{os.cpu_count()} cores for server and client, {arguments.events:,} events, {arguments.profiles:,} profiles, {LATENCY * 1000:.0f} ms a request")
    print(f"{'query':<50} {'parallel':>8} {'rows':>8} {'requests':>8} {'429':>4} {'first row s':>11} {'seconds':>8} {'ratio':>6} {'possible':>9} {'share':>6}")
    for sql, operation in QUERIES:
        measured(sql, operation, PARALLEL)
        rows, first, chain, requests, refused = measured(sql, operation, 1)
        row(sql, 1, rows, requests, refused, first, chain, 1.0)
        least = possible(operation, requests, chain / requests, PARALLEL)
        for _ in range(1 if "LIMIT" in sql else arguments.runs):
            rows, first, seconds, requests, refused = measured(sql, operation, PARALLEL)
            row(sql, PARALLEL, rows, requests, refused, first, seconds, chain / seconds, None if "LIMIT" in sql else least)
    here.send("stop")
    server.join(timeout=10)


def row(sql: str, parallel: int, rows: int, requests: int, refused: int, first: float, seconds: float, ratio: float, least: float | None = None) -> None:
    """One line of the report."""
    share = "" if least is None else f"{least:>9.2f} {least / seconds:>6.0%}"
    print(f"{sql:<50} {parallel:>8} {rows:>8,} {requests:>8} {refused:>4} {first:>11.2f} {seconds:>8.2f} {ratio:>6.1f} {share}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
