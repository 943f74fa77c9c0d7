"""Events that came in bursts: how cutting a scan copes with times that are not alike, against one chain of pages.

    python benchmarks/bursts.py [--events 100000]

The server is the sandbox on loopback, in a process of its own, with 150 ms for every reply and Klaviyo's limits. Its events are moved to other times of the
same two years: `evenly`; `growing`, ten times as many at the end as at the beginning; `campaigns`, four of five within an hour after a campaign each week;
`imported`, four of five within six hours. `chain` reads page after page; `requests` are counted by the server, and `ratio` is the chain's time to this one's.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from random import Random
from typing import Any

LATENCY = 0.15
DAY, YEARS = 86_400, 2 * 365 * 86_400
ORDERS = {"as they come": "", "in order": " ORDER BY datetime"}

SHAPES: dict[str, Callable[[Random], float]] = {
    "evenly": lambda random: random.random() * YEARS,
    "growing": lambda random: YEARS * (random.random() * 99 + 1) ** 0.5 / 10,
    "campaigns": lambda random: (
        random.random() * YEARS if random.random() < 0.2 else random.randrange(YEARS // DAY // 7) * 7 * DAY + 3 * DAY + random.random() * 3600
    ),
    "imported": lambda random: random.random() * YEARS if random.random() < 0.2 else YEARS / 2 + random.random() * 6 * 3600,
}
"""When an event came, in seconds since the first could."""


def serve(events: int, shape: str, talk: Connection) -> None:
    """The server process: says its address, then the number of requests whenever it is asked."""
    from klaviyo_sql.sandbox import Sandbox, generate
    from klaviyo_sql.sandbox import serve as served

    account = generate(events=events)
    first = int(datetime.combine(account.today, datetime.min.time(), UTC).timestamp()) - YEARS
    random = Random(7)
    for event in account.events:
        at = first + int(SHAPES[shape](random))
        event["attributes"] |= {"timestamp": at, "datetime": datetime.fromtimestamp(at, UTC).isoformat()}
    sandbox = Sandbox(account, latency=LATENCY)
    with served(sandbox) as url:
        talk.send(url)
        while talk.recv() == "count":
            talk.send(sum(record.operation == "get_events" for record in sandbox.requests))
            sandbox.requests.clear()
            gc.collect()
            gc.freeze()


def scan(url: str, key: str, order: str, parallel: int) -> tuple[int, float]:
    """Rows and seconds."""
    import klaviyo_sql

    with klaviyo_sql.connect(api_key=key, base_url=url, parallel=parallel, cache_seconds=0) as connection:
        connection.execute("SELECT id FROM accounts").fetchall()
        began = time.perf_counter()
        return len(connection.execute(f"SELECT id, datetime FROM events{order}").fetchall()), time.perf_counter() - began  # noqa: S608 - the orders are above


def main() -> None:
    from klaviyo_sql.sandbox import SANDBOX_KEY

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    print(f"{arguments.events:,} events")
    print(f"{'events came':<12} {'rows are wanted':<16} {'requests':>8} {'seconds':>8} {'ratio':>6}")
    for shape in SHAPES:
        here, there = context.Pipe()
        server = context.Process(target=serve, args=(arguments.events, shape, there), daemon=True)
        server.start()
        url: Any = here.recv()

        def measured(order: str, parallel: int, url: str = url, here: Any = here) -> tuple[float, int]:
            here.send("count")
            here.recv()
            time.sleep(1.2)  # the limit of a second begins anew
            rows, seconds = scan(url, SANDBOX_KEY, order, parallel)
            assert rows == arguments.events, f"{rows} rows"
            here.send("count")
            return seconds, here.recv()

        measured("", 20)  # the server sorts and renders
        chain, requests = measured("", 1)
        print(f"{shape:<12} {'chain':<16} {requests:>8} {chain:>8.2f} {1:>6.1f}", flush=True)
        for title, order in ORDERS.items():
            seconds, requests = measured(order, 20)
            print(f"{'':<12} {title:<16} {requests:>8} {seconds:>8.2f} {chain / seconds:>6.1f}", flush=True)
        here.send("stop")
        server.join(timeout=10)


if __name__ == "__main__":
    main()
