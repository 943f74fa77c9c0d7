"""One generated account for the tests that read, and connections to sandboxes that keep what they were sent."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest

import klaviyo_sql
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Account, Sandbox, generate

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)

# The same examples in every run, and none kept from a run before: a failure is there for everybody.
hypothesis.settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("repeatable")

# What a shell runs in the background ignores Ctrl-C, and so would the programs that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

Open = Callable[..., klaviyo_sql.Connection]


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, _state_folder: Path) -> None:
    """What the environment says of Klaviyo is somebody else's, and so is what other processes did."""
    for name in [name for name in os.environ if name.startswith("KLAVIYO_")]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KLAVIYO_SQL_STATE_FOLDER", str(_state_folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(_state_folder))


@pytest.fixture(scope="session")
def _state_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="session")
def account() -> Account:
    """An account that nobody changes: 420 profiles, 6,000 events, 14 lists, 12 segments, 16 metrics."""
    return generate(seed=7, today=TODAY, profiles=420, events=6000)


@pytest.fixture
def open_sandbox(account: Account) -> Iterator[Open]:
    """Opens connections, each on a sandbox of its own (`connection.sandbox`) over the shared account; closes them at the end.

    `sandbox` takes another Sandbox, `options` the arguments of Sandbox, `database` and what else is given those of connect().
    """
    connections: list[klaviyo_sql.Connection] = []

    def open_one(database: Any = ":memory:", *, sandbox: Sandbox | None = None, options: dict[str, Any] | None = None, **given: Any) -> klaviyo_sql.Connection:
        chosen = sandbox or Sandbox(account, clock=SimulatedClock(NOW), **(options or {}))
        connection = opened(database, sandbox=chosen, autocommit=given.pop("autocommit", False), **given)
        connections.append(connection)
        return connection

    yield open_one
    for connection in connections:
        connection.close()


@pytest.fixture
def connection(open_sandbox: Open) -> klaviyo_sql.Connection:
    """A connection to a sandbox of its own."""
    return open_sandbox()
