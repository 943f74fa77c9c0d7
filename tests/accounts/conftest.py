"""A connection with two named accounts that differ, and one of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest

import klaviyo_sql
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Sandbox, generate

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)

OpenAccounts = Callable[..., klaviyo_sql.Connection]


@pytest.fixture(scope="session")
def accounts() -> dict[str, object]:
    """Accounts of different sizes, which share ids of profiles as no real ones do."""
    return {
        "main": generate(seed=3, today=TODAY, profiles=60, events=400),
        "shop_a": generate(seed=4, today=TODAY, profiles=130, events=1500),
        "shop_b": generate(seed=5, today=TODAY, profiles=220, events=2300),
    }


@pytest.fixture
def open_accounts(accounts: dict[str, object]) -> Iterator[OpenAccounts]:
    connections: list[klaviyo_sql.Connection] = []

    def open_one(sandboxes: dict[str, Sandbox] | None = None, **given: object) -> klaviyo_sql.Connection:
        clock = SimulatedClock(NOW)
        made = {name: Sandbox(account, clock=clock) for name, account in accounts.items()} | (sandboxes or {})  # type: ignore[arg-type]
        connection = opened(given.pop("database", ":memory:"), sandbox=made, autocommit=True, accounts={"shop_a": {}, "shop_b": {}}, **given)
        connections.append(connection)
        connection.made = made  # type: ignore[attr-defined]
        return connection

    yield open_one
    for connection in connections:
        connection.close()


@pytest.fixture
def connection(open_accounts: OpenAccounts) -> klaviyo_sql.Connection:
    return open_accounts()
