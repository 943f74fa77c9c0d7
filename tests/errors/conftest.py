"""Replies made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from klaviyo_sql import Connection
from klaviyo_sql.fetch import Limits
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.settings import from_environment

KEY = "pk_0123456789abcdef0123456789abcdef01"


class Replies(httpx.MockTransport):
    """Answers by a function, and keeps the requests."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.requests: list[httpx.Request] = []

        def kept(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return answer(request)

        super().__init__(kept)


def document(data: Any, next_url: str | None = None) -> httpx.Response:
    """A page of Klaviyo's."""
    return httpx.Response(200, content=json.dumps({"data": data, "links": {"self": "", "next": next_url, "prev": None}}))


@pytest.fixture
def answered() -> Iterator[Callable[..., tuple[Connection, Replies]]]:
    """Opens a connection to a server that answers as the function says."""
    connections: list[Connection] = []

    def open_one(answer: Callable[[httpx.Request], httpx.Response], **given: Any) -> tuple[Connection, Replies]:
        clock = SimulatedClock()
        transport = Replies(answer)
        settings = from_environment(**{"api_key": KEY, "base_url": "https://a.klaviyo.com"} | given)
        connection = Connection(settings, transport=transport, clock=clock, limits=Limits(clock))
        connections.append(connection)
        return connection, transport

    yield open_one
    for connection in connections:
        connection.close()
