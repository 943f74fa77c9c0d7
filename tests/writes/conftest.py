"""Connections that may write, each on a small account of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql.fetch import RequestRecord
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Sandbox, generate
from tests.conftest import NOW, TODAY

OpenWriting = Callable[..., klaviyo_sql.Connection]


@pytest.fixture
def open_writing() -> Iterator[OpenWriting]:
    """Opens connections that may write; `options` are the arguments of Sandbox, what else is given those of connect()."""
    connections: list[klaviyo_sql.Connection] = []

    def open_one(*, options: dict[str, Any] | None = None, **given: Any) -> klaviyo_sql.Connection:
        sandbox = Sandbox(generate(seed=11, today=TODAY, profiles=60, events=400), clock=SimulatedClock(NOW), **(options or {}))
        given = {"write": True, "config": False, "autocommit": False, **given}
        connections.append(opened(":memory:", sandbox=sandbox, **given))
        return connections[-1]

    yield open_one
    for connection in connections:
        connection.close()


@pytest.fixture
def writing(open_writing: OpenWriting) -> klaviyo_sql.Connection:
    """One such connection."""
    return open_writing()


def sandbox_of(connection: klaviyo_sql.Connection) -> Sandbox:
    """The sandbox that answers the connection."""
    assert connection.sandbox is not None
    return connection.sandbox


def written(connection: klaviyo_sql.Connection) -> list[str]:
    """The requests that wrote, as `METHOD path`."""
    return [f"{record.method} {record.path}" for record in connection.requests if record.method != "GET"]


def sent(connection: klaviyo_sql.Connection) -> list[RequestRecord]:
    """Every request."""
    return list(connection.requests)


def outcomes(connection: klaviyo_sql.Connection) -> list[tuple[str, str, str]]:
    """What became of each row: kind, table, status."""
    rows = connection.execute("SELECT kind, table_name, status FROM klaviyo_writes ORDER BY number").fetchall()
    return [(str(kind), str(table), str(status)) for kind, table, status in rows]
