"""Many requests side by side, by real threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import klaviyo_sql
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Sandbox, generate
from klaviyo_sql.sandbox.faults import Fault
from tests.conftest import TODAY
from tests.writes.conftest import outcomes, written


@contextmanager
def connected(sandbox: Sandbox, **given: object) -> Iterator[klaviyo_sql.Connection]:
    connection = opened(":memory:", sandbox=sandbox, write=True, config=False, autocommit=False, parallel=20, **given)
    try:
        yield connection
    finally:
        connection.close()


def fresh(**options: object) -> Sandbox:
    return Sandbox(generate(seed=11, today=TODAY, profiles=60, events=60), limits=False, **options)  # type: ignore[arg-type]


def test_each_row_is_written_once() -> None:
    sandbox = fresh()
    with connected(sandbox) as connection:
        connection.executemany("INSERT INTO lists (name) VALUES (?)", [(f"list {i}",) for i in range(60)])
        connection.commit()
        assert written(connection) == ["POST /api/lists"] * 60
        names = sorted(found["attributes"]["name"] for found in sandbox.account.lists.values() if found["attributes"]["name"].startswith("list "))
        assert names == sorted(f"list {i}" for i in range(60))
        keys = [row[0] for row in connection.execute("SELECT key FROM klaviyo_writes").fetchall()]
        assert len(set(keys)) == 60
        told = dict(connection.execute("SELECT row ->> 'name', key FROM klaviyo_writes").fetchall())
        assert {key: sandbox.account.lists[key]["attributes"]["name"] for key in keys} == {key: name for name, key in told.items()}


def test_one_that_fails_keeps_those_from_being_sent_that_were_not() -> None:
    sandbox = fresh()
    sandbox.faults.add(Fault("status", "create_list", nth=5, times=None, status=400))
    with connected(sandbox) as connection:
        connection.executemany("INSERT INTO lists (name) VALUES (?)", [(f"list {i}",) for i in range(200)])
        with pytest.raises(klaviyo_sql.WriteFailed):
            connection.commit()
        told = [status for _, _, status in outcomes(connection)]
        there = {found["attributes"]["name"] for found in sandbox.account.lists.values()}
        assert told.count("done") == sum(f"list {i}" in there for i in range(200)) == 4
        assert told.count("failed") + told.count("not sent") == 196
        assert told.count("not sent") > 100


def test_an_interrupt_tells_what_is_known_of_each_row() -> None:
    sandbox = fresh(latency=0.02)
    with connected(sandbox) as connection:
        connection.executemany("INSERT INTO lists (name) VALUES (?)", [(f"list {i}",) for i in range(2000)])
        begun = threading.Event()
        handle = sandbox.handle

        def seen(*arguments: object, **named: object) -> object:
            begun.set()
            return handle(*arguments, **named)  # type: ignore[arg-type]

        sandbox.handle = seen  # type: ignore[method-assign, assignment]
        waiting = threading.Thread(target=lambda: (begun.wait(), connection.interrupt()))
        waiting.start()
        with pytest.raises(klaviyo_sql.Interrupted):
            connection.commit()
        waiting.join()
        told = connection.execute("SELECT row ->> 'name', status FROM klaviyo_writes").fetchall()
        there = {found["attributes"]["name"] for found in sandbox.account.lists.values()}
        assert {name for name, status in told if status == "done"} <= there
        assert not {name for name, status in told if status in ("failed", "not sent")} & there
        assert sum(status == "not sent" for _, status in told) > 0
        assert connection.execute("SELECT count(*) FROM tags").fetchone() == (len(sandbox.account.tags),), "the connection goes on"
