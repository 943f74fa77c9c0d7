"""A Klaviyo of a few lines, a clock that only waiting moves, and clients that talk to the one by the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from klaviyo_sql.fetch import Client, Limits
from klaviyo_sql.model.clock import SimulatedClock

KEY = "pk_0123456789abcdef0123456789abcdef01"


class Answers(httpx.BaseTransport):
    """Gives the listed answers one after the other, the last one forever; an answer may be an exception."""

    def __init__(self, *answers: httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        answer = self.answers[min(len(self.requests), len(self.answers) - 1)]
        self.requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            # A response is read once; the last answer is given again and again.
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def connect(clock: SimulatedClock) -> Callable[..., Client]:
    """Makes a client of the transport, with limits of its own, and chances that are always the highest."""

    def made(transport: httpx.BaseTransport, **settings: Any) -> Client:
        settings = {"api_key": KEY, "base_url": "https://a.klaviyo.com", "clock": clock, "chance": lambda: 0.999} | settings
        settings.setdefault("limits", Limits(settings["clock"]))
        return Client(transport=transport, **settings)

    return made
