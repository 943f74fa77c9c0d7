"""What programs that browse an account cost, through the extension: as many requests as in this program."""

from __future__ import annotations

from collections.abc import Callable

import apsw
import pytest
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


def test_counts_have_a_bound_and_previews_have_none(open_host: Callable[..., Host]) -> None:
    host = open_host("plans", count_requests=3, cache_seconds=0)
    with pytest.raises(apsw.SQLError, match=r"The rows of events are only counted, and that has taken 3 requests.*or raise count_requests"):
        host.execute("SELECT count(*) FROM events").fetchall()
    assert len(list(host.sandbox.requests)) == 3
    assert len(host.execute("SELECT * FROM events LIMIT 10").fetchall()) == 10
    assert len(host.execute("SELECT id FROM events").fetchall()) == 6000
    assert host.execute("SELECT count(*) FROM (SELECT id FROM metrics LIMIT 3) CROSS JOIN list_profiles WHERE list_id = 'NONE00'").fetchall() == [(0,)]
