"""Counts by rows and by Klaviyo: how many requests each takes, in Python and in the stock sqlite3 shell, and that all give the same answer.

    python benchmarks/counts.py [--events 200000]

The account is the sandbox's, in this process and once more in the extension's worker; nothing is timed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
from collections import Counter
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from extension import Shell

import klaviyo_sql
from klaviyo_sql.extension import build
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Sandbox, generate

QUERIES = {
    "orders of a year": "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '{last}-01-01' AND datetime < '{this}-01-01'",
    "… by month": "SELECT strftime('%Y-%m', datetime) AS month, count(*) FROM events\n"
    "WHERE metric_id = {order} AND datetime >= '{last}-01-01' AND datetime < '{this}-01-01' GROUP BY month",
    "emails received by hour": "SELECT strftime('%H', datetime) AS hour, count(*) FROM events\n"
    "WHERE metric_id IN (SELECT id FROM metrics WHERE name = 'Received Email') AND datetime >= '{last}-01-01' AND datetime < '{this}-01-01' GROUP BY hour",
    "four metrics by name": "SELECT metrics.name, count(*) FROM events JOIN metrics ON metrics.id = events.metric_id\n"
    "WHERE metrics.name LIKE '%Email' AND datetime >= '{last}-01-01' AND datetime < '{this}-01-01' GROUP BY metrics.id",
    "orders until now": "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '{last}-01-01'",
    "from half past nine": "SELECT count(*) FROM events WHERE metric_id = {order} AND datetime >= '{last}-01-01 09:30' AND datetime < '{this}-01-01'",
    "members of the longest list": "SELECT count(*) FROM list_profiles WHERE list_id = {list}",
}
PROFILES = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    sandbox = Sandbox(generate(events=given.events, profiles=PROFILES), limits=False)
    if given.worker:
        worker(sandbox)
        return
    account = sandbox.account
    order = next(identifier for identifier, metric in account.metrics.items() if metric["attributes"]["name"] == "Placed Order")
    longest = max(account.list_members, key=lambda identifier: len(account.list_members[identifier]))
    this = date.today().year  # noqa: DTZ011 - the sandbox's events end today
    print(f"{'query':<30}{'counts=rows':>14}{'counts=aggregates':>20}{'in the shell':>14}")
    with tempfile.TemporaryDirectory() as folder, closing(Shell(build.build(Path(folder) / build.NAME), environment(Path(folder), given.events))) as shell:
        for title, text in QUERIES.items():
            sql = text.format(order=f"'{order}'", list=f"'{longest}'", last=this - 1, this=this)
            (rows, read), (counts, counted) = (asked(sandbox, sql, setting) for setting in ("rows", "aggregates"))
            shown, sent = asked_in(shell, sql)
            assert rows == counts, title
            assert sorted("|".join(map(str, row)) for row in rows) == shown, title
            print(f"{title:<30}{read.total():>14}{counted.total():>20}{sent:>14}   {', '.join(f'{number} {name}' for name, number in counted.items())}")


def environment(folder: Path, events: int) -> dict[str, str]:
    """What a shell needs to have a worker that asks such an account, and lets Klaviyo count."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\nexec {shlex.join((sys.executable, str(Path(__file__).resolve()), '--worker', '--events', str(events)))}\n", encoding="utf-8")
    python.chmod(0o755)
    return {**os.environ, "KLAVIYO_SQL_PYTHON": str(python), "KLAVIYO_SQL_COUNTS": "aggregates", "KLAVIYO_SQL_STATE_FOLDER": str(folder)}


def worker(sandbox: Sandbox) -> None:
    """The extension's worker, whose sessions ask this sandbox; no page is remembered."""
    from klaviyo_sql.extension.worker import main
    from klaviyo_sql.session.arrangement import arranged

    main(lambda _: arranged(sandbox=sandbox, cache_seconds=0))


def asked_in(shell: Shell, sql: str) -> tuple[list[str], int]:
    """The lines of the answer, and how many requests it took."""
    count = "SELECT count(*) FROM klaviyo_requests;"
    before = int(shell.run(count))
    lines = sorted(shell.run(f"{sql};").splitlines())
    return lines, int(shell.run(count)) - before


def asked(sandbox: Sandbox, sql: str, counts: str) -> tuple[list[Any], Counter[str]]:
    """The answer, and how often each operation was asked for."""
    sandbox.requests.clear()
    connection: klaviyo_sql.Connection = opened(":memory:", sandbox=sandbox, autocommit=True, counts=counts)
    with connection:
        rows = sorted(connection.execute(sql).fetchall())
    return rows, Counter(str(record.operation) for record in sandbox.requests)


if __name__ == "__main__":
    main()
