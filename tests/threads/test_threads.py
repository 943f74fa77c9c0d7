"""Threads and processes: connections side by side, one connection handed on, and a fork in the middle of a scan."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql import InterfaceError
from klaviyo_sql.model.clock import SystemClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Sandbox, generate, serve

TODAY = date(2026, 11, 20)
PROFILES, EVENTS = 700, 6_500
SQL = "SELECT id FROM events ORDER BY datetime"
OTHER = "SELECT id FROM profiles ORDER BY created"


@pytest.fixture(scope="module")
def shop() -> Account:
    return generate(today=TODAY, profiles=PROFILES, events=EVENTS)


@pytest.fixture(scope="module")
def url(shop: Account) -> Iterator[str]:
    with serve(Sandbox(shop, limits=False)) as found:
        yield found


def connected(url: str, **given: Any) -> klaviyo_sql.Connection:
    return klaviyo_sql.connect(base_url=url, api_key=SANDBOX_KEY, cache_seconds=0, **given)


def read(url: str, sql: str) -> list[str]:
    """The ids that a query gives on a connection of its own; run in other threads and processes."""
    with connected(url) as connection:
        return [id_ for (id_,) in connection.execute(sql)]


def test_connections_in_threads_side_by_side(url: str, shop: Account) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda sql: read(url, sql), [SQL, OTHER, SQL, OTHER]))
    events = {event["id"] for event in shop.events}
    for result, ids in zip(results, [events, set(shop.profiles), events, set(shop.profiles)], strict=True):
        assert len(result) == len(ids)
        assert set(result) == ids
    assert results[0] == results[2]


def test_connections_in_threads_share_the_limits_of_their_key(shop: Account) -> None:
    sandbox = Sandbox(shop)
    with serve(sandbox) as url, ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: read(url, "SELECT id FROM metrics"), range(12)))
    assert all(len(result) == len(shop.metrics) for result in results)
    assert {record.status for record in sandbox.requests} == {200}


def test_a_connection_is_handed_from_thread_to_thread(url: str, shop: Account) -> None:
    def elsewhere(job: Any) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(job).result()

    connection = elsewhere(lambda: connected(url))
    cursor = elsewhere(lambda: connection.execute(SQL))
    first = elsewhere(lambda: cursor.fetchmany(1_500))
    second = cursor.fetchmany(1_500)
    rest = elsewhere(cursor.fetchall)
    assert len({*first, *second, *rest}) == len(first) + len(second) + len(rest) == len(shop.events)
    elsewhere(connection.close)


def test_two_threads_at_once_on_one_connection_are_told(shop: Account) -> None:
    asked, over = threading.Event(), threading.Event()

    class Slow(Sandbox):
        def handle(self, *arguments: Any, **options: Any) -> Any:
            asked.set()
            over.wait(60)
            return super().handle(*arguments, **options)

    connection = opened(":memory:", sandbox=Slow(shop, clock=SystemClock(), limits=False), autocommit=True)
    with ThreadPoolExecutor(1) as pool:
        count = pool.submit(lambda: connection.execute("SELECT count(*) FROM metrics").fetchone())
        assert asked.wait(60)
        with pytest.raises(InterfaceError, match="busy in another thread"):
            connection.execute("SELECT count(*) FROM lists")
        over.set()
        assert count.result() == (len(shop.metrics),)
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (len(shop.lists),)
    connection.close()


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
while_threads_run = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


def in_child(url: str, inherited: klaviyo_sql.Connection, cursor: klaviyo_sql.Cursor, shop: Account) -> str:
    """What a forked child finds; an empty text when all is as it should be."""
    uses = [
        cursor.fetchone,
        cursor.fetchall,
        lambda: cursor.execute("SELECT 1"),
        lambda: inherited.execute("SELECT 1"),
        lambda: inherited.execute("SELECT count(*) FROM lists"),
        inherited.cursor,
        inherited.commit,
        inherited.interrupt,
    ]
    for number, use in enumerate(uses):
        try:
            use()
        except InterfaceError as error:
            if "belongs to the process that opened it" not in str(error):
                return f"use {number}: {error}"
        else:
            return f"use {number} was allowed"
    cursor.close()
    inherited.close()
    inherited.close()
    mine = read(url, SQL)
    return "" if len(mine) == len(set(mine)) == len(shop.events) else f"{len(mine)} rows"


@needs_fork
@while_threads_run
@pytest.mark.parametrize("database", ["memory", "file"])
def test_a_fork_in_the_middle_of_a_scan(url: str, shop: Account, database: str, tmp_path: Any) -> None:
    connection = connected(url, database=":memory:" if database == "memory" else tmp_path / "own.db")
    connection.execute("CREATE TABLE own AS SELECT 1 AS n")
    connection.execute("INSERT INTO own VALUES (2)")
    cursor = connection.execute(SQL)
    first = cursor.fetchmany(2_500)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(writing, in_child(url, connection, cursor, shop).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    rest = cursor.fetchall()
    with open(reading) as told:  # noqa: PTH123 - a pipe
        said = told.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert said == ""
    assert [id_ for (id_,) in first + rest] == read(url, SQL)
    assert connection.execute("SELECT count(*) FROM own").fetchone() == (2,)
    connection.commit()
    connection.close()


@while_threads_run
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes_of_a_pool(method: str, url: str, shop: Account) -> None:
    with connected(url) as connection:
        cursor = connection.execute(SQL)
        cursor.fetchmany(1_500)
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
            results = list(pool.map(read, [url] * 3, [SQL, OTHER, SQL]))
        assert 1_500 + len(cursor.fetchall()) == len(shop.events)
    assert [len(set(result)) for result in results] == [len(shop.events), len(shop.profiles), len(shop.events)]
    assert results[0] == results[2]
