"""Connections: each for one at a time, as few as are used at once, and none kept open for nobody."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import klaviyo_sql
from klaviyo_sql import errors
from klaviyo_sql.fetch import connections
from klaviyo_sql.fetch.connections import Connections
from klaviyo_sql.sandbox import SANDBOX_KEY, Sandbox, generate, serve

TIMEOUT = httpx.Timeout(5)


@pytest.fixture
def pool() -> Iterator[Connections]:
    made = Connections(TIMEOUT)
    yield made
    made.close()


def test_each_is_for_one_at_a_time_and_the_last_used_comes_first(pool: Connections) -> None:
    with pool.one() as first:
        with pool.one() as second:
            assert second is not first
        with pool.one() as third:
            assert third is second
    with pool.one() as again:
        assert again is first
        with pool.one() as other:
            assert other is second


def test_one_is_given_back_by_whoever_fails(pool: Connections) -> None:
    with pytest.raises(httpx.ReadTimeout), pool.one() as first:
        raise httpx.ReadTimeout("silent")
    with pool.one() as again:
        assert again is first


def test_those_that_nobody_uses_any_more_are_closed(pool: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    with pool.one() as first, pool.one() as second, pool.one() as third:
        pass
    monkeypatch.setattr(connections, "_KEPT_SECONDS", -1.0)
    with pool.one() as used:
        assert used is first, "it was given back last"
        assert not used.is_closed
        assert second.is_closed
        assert third.is_closed


def test_closing_closes_those_in_use_too_and_no_more_are_given(pool: Connections) -> None:
    with pool.one() as kept, pool.one() as used:
        pool.close()
        assert kept.is_closed
        assert used.is_closed
    with pytest.raises(errors.InterfaceError, match="closed"), pool.one():
        pass
    pool.close()


def test_certificates_are_read_once_and_again_when_the_environment_names_others(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr(httpx, "create_ssl_context", lambda made=httpx.create_ssl_context: read.append(1) or made())
    connections._trusted.cache_clear()
    for _ in range(2):
        pool = Connections(TIMEOUT)
        with pool.one(), pool.one():
            assert len(read) == 1
        pool.close()
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    pool = Connections(TIMEOUT)
    with pool.one():
        assert len(read) == 2
    pool.close()
    connections._trusted.cache_clear()


def test_a_scan_opens_as_many_as_it_reads_side_by_side_and_what_follows_uses_one_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[Any] = []
    create = socket.create_connection

    def counted(*args: Any, **kwargs: Any) -> socket.socket:
        connected.append(args)
        return create(*args, **kwargs)

    monkeypatch.setattr(socket, "create_connection", counted)
    sandbox = Sandbox(generate(events=12_000, profiles=50), limits=False)
    with serve(sandbox) as url, klaviyo_sql.connect(api_key=SANDBOX_KEY, base_url=url, parallel=4, cache_seconds=0) as connection:
        for number in range(5):
            connection.execute("SELECT name FROM lists LIMIT 1").fetchall()
            assert len(connected) == 1, number
        assert len(connection.execute("SELECT id FROM events").fetchall()) == 12_000
        opened = len(connected)
        assert 2 <= opened <= 4
        for _ in range(10):
            connection.execute("SELECT name FROM lists LIMIT 1").fetchall()
        assert len(connected) == opened
