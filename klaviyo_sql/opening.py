"""Puts a connection together: settings, the way to Klaviyo or the sandbox, and SQLite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from klaviyo_sql.fetch import Limits
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.settings import from_environment
from klaviyo_sql.sqlite.connection import Connection

if TYPE_CHECKING:
    from klaviyo_sql.sandbox import Sandbox


def opened(database: str | Path, *, sandbox: bool | Sandbox, autocommit: bool, **given: Any) -> Connection:
    """A connection; with `sandbox` (or a Sandbox that was made before) it asks that, in this process, instead of Klaviyo."""
    if sandbox is False:
        return Connection(from_environment(**given), database=database, autocommit=autocommit)
    from klaviyo_sql import sandbox as sandboxes  # the account takes a moment to make

    chosen = sandboxes.Sandbox(clock=SimulatedClock()) if sandbox is True else sandbox
    if given.get("parallel") is None:
        given["parallel"] = 1  # in simulated time nothing is gained by asking for more at once
    settings = from_environment(**{**given, "api_key": sandboxes.SANDBOX_KEY, "base_url": sandboxes.SANDBOX_URL})
    return Connection(
        settings,
        database=database,
        autocommit=autocommit,
        transport=sandboxes.SandboxTransport(chosen),
        clock=chosen.clock,
        limits=Limits(chosen.clock),
        sandbox=chosen,
    )
