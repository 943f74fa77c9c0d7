"""Scans of a server that takes 150 ms for every reply and has Klaviyo's limits: one chain of pages against slices read side by side.

    python benchmarks/latency.py [--events 200000] [--profiles 50000] [--runs 3]

The server is the sandbox on loopback, in a process of its own. There are two chains, which read page after page: `SDK` is the official SDK's loop,
with the largest pages and only the fields that are read, and `chain` is the same driver with parallel=1, whose own work is the same as that of `cut`, the
driver as it is. `requests` and `429` are counted by the server; the SDK's are the replies that it got. `to SDK` and `to chain` are the times of the two
chains in the same run against this one. `possible` is the time that the limits and the latency leave: one round trip for the first page, then as many pages
in a round trip as there may be requests under way, a round trip being as long as the chain's were, and no more requests in a second than the limit of a
second; `share` is that against the time taken. Each query is run once before it is measured, so that the server has sorted and rendered its rows, and the
server's garbage collector is told that the account stays: walking through it would make replies late, which all wait for. Each scan and each loop runs in a
process of its own, and has asked for something else before, for which modules, certificates and the SDK's models are loaded.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import gc
import math
import multiprocessing
import os
import time
from multiprocessing.connection import Connection
from typing import Any

from klaviyo_sql import contract
from klaviyo_sql.sandbox import SANDBOX_KEY
from klaviyo_sql.settings import PARALLEL

LATENCY = 0.15
SECOND, MINUTE = 1.2, 61.0
"""Pauses after which the limits of a second and of a minute begin anew, so that each scan has all of them."""
MANY = 3_000
"""Requests a minute that all scans of a table do not use up."""
QUERIES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("SELECT id FROM events LIMIT 10", "get_events", {}),
    ("SELECT id FROM events LIMIT 1500", "get_events", {}),
    ("SELECT id FROM events WHERE value > 10 LIMIT 1500", "get_events", {}),
    ("SELECT id, datetime FROM events", "get_events", {"fields_event": ["datetime"], "page_size": 1000}),
    ("SELECT id, datetime FROM events ORDER BY datetime", "get_events", {"fields_event": ["datetime"], "page_size": 1000, "sort": "datetime"}),
    ("SELECT id, email FROM profiles", "get_profiles", {"fields_profile": ["email"], "page_size": 100}),
)
"""The statement, the operation that it reads, and what the SDK's loop asks for the same; nothing where a loop is no comparison."""


def serve(events: int, profiles: int, talk: Connection) -> None:
    """The server process: says its address, then its counts whenever it is asked."""
    from klaviyo_sql.sandbox import Sandbox, generate
    from klaviyo_sql.sandbox import serve as served

    sandbox = Sandbox(generate(events=events, profiles=profiles), latency=LATENCY)
    with served(sandbox) as url:
        talk.send(url)
        while (said := talk.recv()) != "stop":
            if said == "settle":
                gc.collect()
                gc.freeze()
            requests = [record for record in sandbox.requests if record.operation != "get_accounts"]
            talk.send((len(requests), sum(record.status == 429 for record in requests)))
            sandbox.requests.clear()


def scan(url: str, key: str, sql: str, parallel: int) -> tuple[int, float, float]:
    """Rows, seconds until the first, seconds in all."""
    import klaviyo_sql

    with klaviyo_sql.connect(api_key=key, base_url=url, parallel=parallel, cache_seconds=0) as connection:
        connection.execute("SELECT id FROM accounts").fetchall()
        began = time.perf_counter()
        rows, first = 0, 0.0
        for _ in connection.execute(sql):
            rows += 1
            first = first or time.perf_counter() - began
        return rows, first, time.perf_counter() - began


def sdk_loop(url: str, key: str, operation: str, asked: dict[str, Any]) -> tuple[int, int, float, float]:
    """Rows, pages, seconds until the first row, seconds in all, of the official SDK's loop."""
    from urllib.parse import parse_qs, urlsplit

    from klaviyo_api import KlaviyoAPI

    sdk = KlaviyoAPI(key, max_delay=1, max_retries=1)
    sdk.api_client.configuration.host = url
    ask = getattr(sdk.Events if operation == "get_events" else sdk.Profiles, operation)
    sdk.Accounts.get_accounts()
    ask(**{**asked, "page_size": 1})  # each kind of reply has models of its own, which take seconds
    began = time.perf_counter()
    rows, pages, first = 0, 0, 0.0
    cursor: str | None = ""
    while cursor is not None:
        page = ask(**asked, **({"page_cursor": cursor} if cursor else {}))
        page = page if isinstance(page, dict) else page.to_dict()
        rows, pages, first = rows + len(page["data"]), pages + 1, first or time.perf_counter() - began
        following = page["links"].get("next")
        cursor = parse_qs(urlsplit(following).query)["page[cursor]"][0] if following else None
    return rows, pages, first, time.perf_counter() - began


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
    alone = concurrent.futures.ProcessPoolExecutor(1, context, max_tasks_per_child=1)
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(arguments.events, arguments.profiles, there), daemon=True)
    server.start()
    url: Any = here.recv()

    def counts(saying: str = "count") -> tuple[int, int]:
        here.send(saying)
        found: tuple[int, int] = here.recv()
        return found

    def rest(operation: str) -> None:
        time.sleep(SECOND if contract.operation(operation).rate.steady > MANY else MINUTE)

    def measured(sql: str, operation: str, parallel: int) -> tuple[int, float, float, int, int]:
        rest(operation)
        rows, first, seconds = alone.submit(scan, url, SANDBOX_KEY, sql, parallel).result()
        time.sleep(LATENCY + 0.1)  # what was sent in vain arrives as well
        return rows, first, seconds, *counts()

    print(f"{os.cpu_count()} cores for server and client, {arguments.events:,} events, {arguments.profiles:,} profiles, {LATENCY * 1000:.0f} ms a request")
    heads = f"{'rows':>8} {'requests':>8} {'429':>4} {'first row s':>11} {'seconds':>8} {'to SDK':>6} {'to chain':>8} {'possible':>9} {'share':>6}"
    print(f"{'query':<50} {'client':>6} {heads}")
    for sql, operation, asked in QUERIES:
        measured(sql, operation, PARALLEL)
        counts("settle")
        sdk = None
        if asked:
            rest(operation)
            rows, requests, first, sdk = alone.submit(sdk_loop, url, SANDBOX_KEY, operation, asked).result()
            row(sql, "SDK", rows, requests, counts()[1], first, sdk)
        rows, first, chain, requests, refused = measured(sql, operation, 1)
        row(sql, "chain", rows, requests, refused, first, chain, sdk)
        least = possible(operation, requests, chain / requests, PARALLEL)
        for _ in range(arguments.runs if asked else 1):
            rows, first, seconds, requests, refused = measured(sql, operation, PARALLEL)
            row(sql, "cut", rows, requests, refused, first, seconds, sdk, chain, least if asked else None)
    alone.shutdown()
    here.send("stop")
    server.join(timeout=10)


def row(
    sql: str,
    client: str,
    rows: int,
    requests: int,
    refused: int,
    first: float,
    seconds: float,
    sdk: float | None = None,
    chain: float | None = None,
    least: float | None = None,
) -> None:
    """One line of the report; `sdk` and `chain` are what the loops took, `least` what is possible."""
    ratios = f"{'' if sdk is None else f'{sdk / seconds:.1f}':>6} {'' if chain is None else f'{chain / seconds:.1f}':>8}"
    share = "" if least is None else f"{least:>9.2f} {least / seconds:>6.0%}"
    print(f"{sql:<50} {client:>6} {rows:>8,} {requests:>8} {refused:>4} {first:>11.2f} {seconds:>8.2f} {ratios} {share}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
