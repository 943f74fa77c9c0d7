"""Puts a connection together: settings, the way to Klaviyo or the sandbox, and SQLite."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from klaviyo_sql import custom_properties
from klaviyo_sql.errors import Error, InterfaceError
from klaviyo_sql.fetch import Limits
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.model.table import Table
from klaviyo_sql.settings import Settings, gathered
from klaviyo_sql.settings_file import unknown
from klaviyo_sql.sqlite.connection import Connection
from klaviyo_sql.tables import TABLES

if TYPE_CHECKING:
    from klaviyo_sql.sandbox import Sandbox


def opened(database: str | Path, *, sandbox: bool | Sandbox | Mapping[str, Sandbox], autocommit: bool, **given: Any) -> Connection:
    """A connection; with `sandbox` (or a Sandbox that was made before) it asks that, in this process, instead of Klaviyo.

    Each named account has a sandbox of its own, made when it is first asked; a mapping gives those that were made before, by name, and the connection's own
    by the name "main".
    """
    if sandbox is False:
        settings = gathered(**given)
        return Connection(settings, database=database, autocommit=autocommit, tables=tables(settings))
    from klaviyo_sql import sandbox as sandboxes  # the account takes a moment to make

    made = dict(sandbox) if isinstance(sandbox, Mapping) else {"main": sandbox} if isinstance(sandbox, sandboxes.Sandbox) else {}
    clock = next((one.clock for one in made.values()), None) or SimulatedClock()
    if given.get("parallel") is None:
        given["parallel"] = 1  # in simulated time nothing is gained by asking for more at once
    settings = gathered(**{**given, "api_key": None, "base_url": None}, sandbox={"api_key": sandboxes.SANDBOX_KEY, "base_url": sandboxes.SANDBOX_URL})

    def sandbox_of(name: str) -> Sandbox:
        if name not in made:
            account = None if name == "main" else sandboxes.generate(seed=2 + list(settings.accounts).index(name))
            made[name] = sandboxes.Sandbox(account, clock=clock)
        return made[name]

    def reached(name: str) -> tuple[httpx.BaseTransport, Limits]:
        return sandboxes.SandboxTransport(sandbox_of(name)), Limits(clock)

    own = "main" if settings.account is None or "main" in made else settings.account
    transport, limits = reached(own)
    return Connection(
        settings,
        database=database,
        autocommit=autocommit,
        transport=transport,
        clock=clock,
        limits=limits,
        sandbox=made[own],
        tables=tables(settings),
        reach=reached,
    )


def tables(settings: Settings) -> dict[str, Table]:
    """The account's tables, with the columns of custom properties that the settings give them."""
    found = dict(TABLES)
    try:
        given = {
            name: {declared.name.lower(): declared for declared in custom_properties.from_mapping(columns)} for name, columns in settings.properties.items()
        }
    except Error as error:
        raise InterfaceError(f"properties: {error}.") from None
    file = settings.file
    for name, columns in file.properties.items():
        if not isinstance(columns, Mapping):
            raise file.error(f"columns are given by their names: [properties.{name}]", "properties", name)
        for column, value in columns.items():
            try:
                (declared,) = custom_properties.from_mapping({column: value})
                if declared.name.lower() not in given.get(name, {}):
                    found[name] = custom_properties.extended(_table(found, name), (declared,))
            except Error as error:
                raise file.error(str(error), "properties", name, column) from None
    for name, chosen in given.items():
        try:
            found[name] = custom_properties.extended(_table(found, name), chosen.values())
        except Error as error:
            raise InterfaceError(f"properties: {error}.") from None
    return found


def _table(known: Mapping[str, Table], name: str) -> Table:
    if name not in known:
        with_properties = [table.name for table in known.values() if custom_properties.holder(table)]
        raise InterfaceError(unknown(name, with_properties, "table"))
    return known[name]
