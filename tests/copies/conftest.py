"""An account that a test may change, and connections to it that share a file of copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Account, Sandbox, generate

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)


class Shop:
    """A sandbox whose account and clock a test moves by hand."""

    def __init__(self, path: Path) -> None:
        self.account: Account = generate(seed=5, today=TODAY, profiles=130, events=2500)
        self.clock = SimulatedClock(NOW)
        self.path = path
        self.connections: list[klaviyo_sql.Connection] = []
        self._made = 0

    def connect(self, *materialized: str, clock: SimulatedClock | None = None, **given: Any) -> klaviyo_sql.Connection:
        sandbox = Sandbox(self.account, clock=clock or self.clock)
        given = {"copy_file": self.path, **given}
        connection = opened(":memory:", sandbox=sandbox, autocommit=True, materialized=materialized, **given)
        self.connections.append(connection)
        return connection

    def event(self, at: datetime, metric: int = 0) -> str:
        """One event more, of that time."""
        self._made += 1
        identifier = f"NewEvents{1 + self._made // 9}{1 + self._made % 9}"
        attributes = self.account.events[0]["attributes"] | {"datetime": at.isoformat(), "timestamp": int(at.timestamp())}
        self.account.add_event({**self.account.events[0], "id": identifier, "attributes": attributes})
        return identifier

    def rename(self, position: int, name: str, at: datetime) -> str:
        """Give one profile another first name, at that time; its id."""
        profile = list(self.account.profiles.values())[position]
        profile["attributes"] |= {"first_name": name, "updated": at.isoformat()}
        self.account.changed()
        return str(profile["id"])

    def pass_time(self, **time: float) -> datetime:
        """Let time pass; the present then."""
        self.clock.sleep(timedelta(**time).total_seconds())
        return self.clock.now()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "copies.db")
    yield made
    for connection in made.connections:
        connection.close()


Asked = Callable[[klaviyo_sql.Connection, str], tuple[list[tuple[Any, ...]], list[str]]]


@pytest.fixture
def asked() -> Asked:
    """The rows of a query, and the requests that reached the sandbox for it, as `operation filter`."""

    def ask(connection: klaviyo_sql.Connection, sql: str) -> tuple[list[tuple[Any, ...]], list[str]]:
        before = connection.requests.written
        rows = connection.execute(sql).fetchall()
        made = [record for record in connection.requests if record.number > before and not record.cached]
        return rows, [" ".join([record.operation, *(part for part in record.query.split("&") if part.startswith("filter="))]) for record in made]

    return ask
