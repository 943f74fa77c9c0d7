"""Two processes that ask at once, and what the server counts: requests, refusals (429), and how much of the limit was used.

    python benchmarks/limits.py [--processes 2]

The server is the sandbox with Klaviyo's limits, in real time. Each process makes the same query with the same key; once with limits that the
processes share, and once with limits that each counts for itself. Nothing is timed but the share: of what the limit of a second allows, and, where more
than a minute's was asked for, that of a minute, between the first and the last request.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import tempfile
from collections import Counter

EVENTS = 60
"""Events that each process asks for by id, ten a second."""
PROFILES = 15_000
"""A hundred in a page, 75 pages a second."""


def ask(url: str, query: str, folder: str, share: bool, expected: int, start: float) -> None:
    """A process that asks."""
    import os
    import time

    import klaviyo_sql
    from klaviyo_sql.sandbox import SANDBOX_KEY

    os.environ["KLAVIYO_SQL_STATE_FOLDER"] = folder
    with klaviyo_sql.connect(api_key=SANDBOX_KEY, base_url=url, cache_seconds=0, share_limits=share) as connection:
        time.sleep(max(0.0, start - time.time()))
        rows = connection.execute(query).fetchall()
        assert len(rows) == expected, f"{len(rows)} rows instead of {expected}"


def measured(name: str, operation: str, query: str, expected: int, share: bool, processes: int) -> None:
    """One line of the result."""
    import time

    from klaviyo_sql import contract
    from klaviyo_sql.model.clock import SystemClock
    from klaviyo_sql.sandbox import Sandbox, serve

    sandbox = Sandbox(ACCOUNT, clock=SystemClock())
    context = multiprocessing.get_context("spawn")
    with serve(sandbox) as url, tempfile.TemporaryDirectory() as folder:
        start = time.time() + 2 + processes
        clients = [context.Process(target=ask, args=(url, query, folder, share, expected, start)) for _ in range(processes)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
            assert client.exitcode == 0
    counted = [record for record in sandbox.requests if record.operation == operation]
    statuses = Counter(record.status for record in counted)
    rate = contract.operation(operation).rate
    seconds = (counted[-1].at - counted[0].at).total_seconds()
    allowed = min(rate.burst * math.ceil(seconds), rate.steady * math.ceil(seconds / 60))
    print(f"{name:<22} {'together' if share else 'each alone':<11} {len(counted):>8} {statuses[429]:>5} {statuses[200] / allowed:>15.0%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    ids = ", ".join(f"'{event['id']}'" for event in ACCOUNT.events_in_order()[:EVENTS])
    queries = (
        (f"{EVENTS} events by id", "get_event", f"SELECT id FROM events WHERE id IN ({ids})", EVENTS),  # noqa: S608 - ids of the sandbox
        (f"{PROFILES:,} profiles", "get_profiles", "SELECT id, email FROM profiles", PROFILES),
    )
    print(f"{arguments.processes} processes, {multiprocessing.cpu_count()} cores")
    print(f"{'query of each':<22} {'limits':<11} {'requests':>8} {'429':>5} {'share of limit':>15}")
    for name, operation, query, expected in queries:
        for share in (True, False):
            measured(name, operation, query, expected, share, arguments.processes)


if __name__ == "__main__":
    from klaviyo_sql.sandbox import generate

    ACCOUNT = generate(profiles=PROFILES, events=2_000)
    main()
