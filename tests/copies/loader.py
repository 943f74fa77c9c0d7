"""A process of its own that loads a copy from a served sandbox: `python -m tests.copies.loader URL FILE`.

It prints `waiting` when it begins, and what it has found when it is done.
"""

from __future__ import annotations

import sys

import klaviyo_sql
from klaviyo_sql.sandbox import SANDBOX_KEY


def main(url: str, path: str) -> None:
    with klaviyo_sql.connect(api_key=SANDBOX_KEY, base_url=url, materialized="events", copy_file=path, parallel=1, cache_seconds=0) as connection:
        print("waiting", flush=True)
        print(connection.execute("SELECT count(*), count(DISTINCT id) FROM events").fetchone(), connection.requests.written, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
