"""Counts of events with and without metric aggregates: how many requests each takes, and that both give the same answer.

    python benchmarks/counts.py [--events 200000]

The account is the sandbox's, in this process; nothing is timed.
"""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import date
from typing import Any

import klaviyo_sql
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
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    sandbox = Sandbox(generate(events=parser.parse_args().events), limits=False)
    order = next(identifier for identifier, metric in sandbox.account.metrics.items() if metric["attributes"]["name"] == "Placed Order")
    this = date.today().year  # noqa: DTZ011 - the sandbox's events end today
    print(f"{'query':<26}{'counts=rows':>14}{'counts=aggregates':>20}")
    for title, text in QUERIES.items():
        sql = text.format(order=f"'{order}'", last=this - 1, this=this)
        (rows, read), (counts, counted) = (asked(sandbox, sql, setting) for setting in ("rows", "aggregates"))
        assert rows == counts, title
        print(f"{title:<26}{read.total():>14}{counted.total():>20}   {', '.join(f'{number} {name}' for name, number in counted.items())}")


def asked(sandbox: Sandbox, sql: str, counts: str) -> tuple[list[Any], Counter[str]]:
    """The answer, and how often each operation was asked for."""
    sandbox.requests.clear()
    connection: klaviyo_sql.Connection = opened(":memory:", sandbox=sandbox, autocommit=True, counts=counts)
    with connection:
        rows = sorted(connection.execute(sql).fetchall())
    return rows, Counter(str(record.operation) for record in sandbox.requests)


if __name__ == "__main__":
    main()
