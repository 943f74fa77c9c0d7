"""What programs that browse an account cost, through the extension: as many requests as in this program."""

from __future__ import annotations

from collections.abc import Callable

from plans.test_browsing import COUNT, LOOK, PREVIEW, REQUESTS

from .host import Host


def test_browsing_takes_as_many_requests(open_host: Callable[..., Host]) -> None:
    taken = {}
    for name in REQUESTS:
        host = open_host("plans", parallel=1, cache_seconds=0)
        found = []
        for sql in (PREVIEW, LOOK, COUNT):
            host.sandbox.requests.clear()
            host.execute(sql.format(name)).fetchall()
            found.append(len(list(host.sandbox.requests)))
        host.close()
        taken[name] = tuple(found)
    assert taken == REQUESTS


def test_schemas_send_nothing(open_host: Callable[..., Host]) -> None:
    host = open_host("plans")
    for name in REQUESTS:
        host.execute(f"SELECT * FROM pragma_table_xinfo('{name}')").fetchall()
        host.execute(f"EXPLAIN SELECT * FROM {name} LIMIT 10").fetchall()
    assert not list(host.sandbox.requests)
