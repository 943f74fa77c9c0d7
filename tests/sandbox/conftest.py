"""One small account for all tests of the sandbox that only read, and short ways to ask for things."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import pytest

from klaviyo_sql.contract import facts
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Sandbox, generate

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    document: Any

    @property
    def ids(self) -> list[str]:
        return [item["id"] for item in self.document["data"]]

    @property
    def errors(self) -> list[dict[str, Any]]:
        return list(self.document["errors"])


Ask = Callable[..., Answer]


def asker(sandbox: Sandbox) -> Ask:
    """A function that sends one request to the sandbox in process."""

    def ask(target: str, body: Any = None, *, method: str | None = None, **headers: str | None) -> Answer:
        sent: dict[str, str | None] = {"Authorization": f"Klaviyo-API-Key {SANDBOX_KEY}", "revision": facts().revision, **headers}
        url = target if target.startswith("http") else f"https://a.klaviyo.com{target}"
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        kept = {name: value for name, value in sent.items() if value is not None}
        response = sandbox.handle(method or ("GET" if body is None else "POST"), url, kept, content)
        return Answer(response.status, response.headers, json.loads(response.body) if response.body else None)

    return ask


def walk(ask: Ask, target: str) -> Iterator[Answer]:
    """The pages of a collection, by their next links."""
    following: str | None = target
    while following is not None:
        page = ask(following)
        assert page.status == 200, page.document
        yield page
        following = page.document["links"].get("next")


@pytest.fixture(scope="session")
def account() -> Account:
    return generate(seed=7, today=TODAY, profiles=420, events=6000)


@pytest.fixture
def fresh_account() -> Account:
    """An account of its own, for tests that write."""
    return generate(seed=8, today=TODAY, profiles=30, events=200)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW)


@pytest.fixture
def sandbox(account: Account, clock: SimulatedClock) -> Sandbox:
    return Sandbox(account, clock=clock, limits=False)


@pytest.fixture
def ask(sandbox: Sandbox) -> Ask:
    return asker(sandbox)


@pytest.fixture
def scan(ask: Ask) -> Callable[[str], list[str]]:
    """Reads a collection to its end and gives the ids in the order in which they came."""
    return lambda target: [identifier for page in walk(ask, target) for identifier in page.ids]


@pytest.fixture
def fresh_sandbox(fresh_account: Account, clock: SimulatedClock) -> Sandbox:
    return Sandbox(fresh_account, clock=clock, limits=False)


@pytest.fixture
def send(fresh_sandbox: Sandbox) -> Ask:
    """Asks a sandbox whose account is the test's own."""
    return asker(fresh_sandbox)
