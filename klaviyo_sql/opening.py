"""Puts a connection together: settings, the way to Klaviyo or the sandbox, and SQLite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klaviyo_sql.session.arrangement import arranged
from klaviyo_sql.sqlite.connection import Connection

if TYPE_CHECKING:
    from klaviyo_sql.sandbox import Sandbox


def opened(database: str | Path, *, sandbox: bool | Sandbox | Mapping[str, Sandbox], autocommit: bool, **given: Any) -> Connection:
    """A connection; with `sandbox` (or a Sandbox that was made before) it asks that, in this process, instead of Klaviyo.

    Each named account has a sandbox of its own, made when it is first asked; a mapping gives those that were made before, by name, and the connection's own
    by the name "main".
    """
    way = arranged(sandbox=sandbox, **given)
    return Connection(
        way.settings,
        database=database,
        autocommit=autocommit,
        transport=way.transport,
        clock=way.clock,
        limits=way.limits,
        sandbox=way.sandbox,
        tables=way.tables,
        reach=way.reach,
    )
