"""A scan of 200,000 events from a server on loopback: rows a second, client CPU and memory, against two other ways to read the same pages.

    python benchmarks/scan.py [--events 200000] [--columns 8] [--clients klaviyo_sql,httpx]

The server is the sandbox in a process of its own, without limits and latency, so what is compared is the clients' work. Each client runs in a
process of its own; `ratio` is its CPU time against that of klaviyo_sql in the same run. Memory is the resident size of the process while rows are
read: a client that streams ends with as much as it had after the first tenth. All but the first read one page after the other. The account is
read once before anything is measured, so that the server has sorted and rendered it; then the server's garbage collector is told that the account stays,
through which it would walk again and again, on the machine that the clients share with it.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

EVENTS = 200_000


def serve_events(events: int, ready: Connection) -> None:
    """The server process: says its address, serves until the other side closes."""
    from klaviyo_sql.sandbox import Sandbox, generate, serve

    with serve(Sandbox(generate(events=events), limits=False)) as url:
        ready.send(url)
        while ready.recv() == "settle":
            gc.collect()
            gc.freeze()
            ready.send("settled")


def one_chain(url: str, key: str, columns: int) -> Iterator[Any]:
    """The product with parallel=1, page after page as the other clients."""
    return klaviyo_sql_rows(url, key, columns, parallel=1)


def klaviyo_sql_rows(url: str, key: str, columns: int, parallel: int = 20) -> Iterator[Any]:
    """The product: SELECT from the virtual table, rows as Python tuples."""
    import klaviyo_sql

    names = {2: "id, datetime", 8: "id, datetime, timestamp, metric_id, profile_id, value, event_properties, uuid"}[columns]
    with klaviyo_sql.connect(api_key=key, base_url=url, parallel=parallel) as connection:
        yield from connection.execute(f"SELECT {names} FROM events")  # noqa: S608 - the names are above


def httpx_rows(url: str, key: str, columns: int) -> Iterator[Any]:
    """What a careful script does: httpx, the largest pages, json."""
    import httpx

    headers = {"Authorization": f"Klaviyo-API-Key {key}", "revision": "2026-07-15"}
    following: str | None = f"{url}/api/events?page[size]=1000&sort=datetime&include=metric,profile&fields[metric]=id&fields[profile]=id"
    if columns == 2:
        following = f"{url}/api/events?page[size]=1000&sort=datetime&fields[event]=datetime"
    with httpx.Client(headers=headers, timeout=60) as client:
        while following:
            page = json.loads(client.get(following).content)
            for event in page["data"]:
                attributes = event["attributes"]
                if columns == 2:
                    yield event["id"], attributes["datetime"]
                    continue
                related = event["relationships"]
                yield (
                    event["id"],
                    attributes["datetime"],
                    attributes["timestamp"],
                    related["metric"]["data"]["id"],
                    (related["profile"]["data"] or {}).get("id"),
                    attributes["event_properties"].get("$value"),
                    attributes["event_properties"],
                    attributes["uuid"],
                )
            following = page["links"]["next"]


def sdk_rows(url: str, key: str, columns: int) -> Iterator[Any]:
    """The official SDK's loop, with the same largest pages."""
    from urllib.parse import parse_qs, urlsplit

    from klaviyo_api import KlaviyoAPI

    sdk = KlaviyoAPI(key, max_delay=1, max_retries=1)
    sdk.api_client.configuration.host = url
    cursor: str | None = ""
    include = {} if columns == 2 else {"include": ["metric", "profile"], "fields_metric": ["id"], "fields_profile": ["id"]}
    while cursor is not None:
        page = sdk.Events.get_events(sort="datetime", page_size=1000, **include, **({"page_cursor": cursor} if cursor else {}))
        page = page if isinstance(page, dict) else page.to_dict()
        yield from page["data"]
        following = page["links"].get("next")
        cursor = parse_qs(urlsplit(following).query)["page[cursor]"][0] if following else None


CLIENTS: dict[str, Callable[[str, str, int], Iterator[Any]]] = {
    "klaviyo_sql": klaviyo_sql_rows,
    "one chain": one_chain,
    "httpx": httpx_rows,
    "SDK": sdk_rows,
}


def resident_megabytes() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - not a file on a disk
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measured(name: str, url: str, key: str, columns: int, events: int, result: Connection) -> None:
    """The client process: reads everything once, samples its memory on the way."""
    samples = []
    started, cpu = time.perf_counter(), time.process_time()
    count = 0
    for _ in CLIENTS[name](url, key, columns):
        count += 1
        if count % (events // 10) == 0:
            samples.append(resident_megabytes())
    result.send((count, time.perf_counter() - started, time.process_time() - cpu, samples))


def main() -> None:
    from klaviyo_sql.sandbox import SANDBOX_KEY  # not by the clients, whose imports are measured

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--columns", type=int, choices=(2, 8), default=8)
    parser.add_argument("--clients", type=lambda text: text.split(","), default=list(CLIENTS), help=f"of {', '.join(CLIENTS)}")
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve_events, args=(arguments.events, there), daemon=True)
    server.start()
    url = here.recv()
    print(f"{arguments.events:,} events, {arguments.columns} columns, {os.cpu_count()} cores")
    print(f"{'client':<14} {'rows':>9} {'rows/s':>9} {'CPU µs/row':>11} {'ratio':>6} {'MB at 10 %':>11} {'at 50 %':>8} {'at end':>8}")
    ours = None
    for _ in klaviyo_sql_rows(url, SANDBOX_KEY, arguments.columns):
        pass
    here.send("settle")
    here.recv()
    for name in arguments.clients:
        receiving, sending = context.Pipe(duplex=False)
        client = context.Process(target=measured, args=(name, url, SANDBOX_KEY, arguments.columns, arguments.events, sending))
        client.start()
        count, seconds, cpu, samples = receiving.recv()
        client.join()
        assert count == arguments.events, f"{name} read {count} rows"
        ours = ours or cpu
        memory = f"{samples[0]:>11.1f} {samples[4]:>8.1f} {samples[-1]:>8.1f}"
        print(f"{name:<14} {count:>9,} {count / seconds:>9,.0f} {cpu / count * 1e6:>11.1f} {cpu / ours:>6.2f} {memory}", flush=True)
    here.send("done")
    server.join(timeout=10)


if __name__ == "__main__":
    main()
