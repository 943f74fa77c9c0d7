"""What a session is made of: the settings, the tables that they declare, and the way to Klaviyo or to the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from klaviyo_sql import custom_properties
from klaviyo_sql.errors import Error, InterfaceError
from klaviyo_sql.fetch import Limits
from klaviyo_sql.model.clock import Clock, SimulatedClock
from klaviyo_sql.model.table import Table
from klaviyo_sql.session.session import Reach
from klaviyo_sql.settings import Settings, gathered
from klaviyo_sql.settings.file import unknown
from klaviyo_sql.tables import TABLES

if TYPE_CHECKING:
    from klaviyo_sql.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The settings, the tables by their names, and how Klaviyo is reached; None is the usual way."""

    settings: Settings
    tables: Mapping[str, Table]
    transport: httpx.BaseTransport | None = None
    clock: Clock | None = None
    limits: Limits | None = None
    sandbox: Sandbox | None = None
    reach: Reach | None = None


def arranged(*, sandbox: bool | Sandbox | Mapping[str, Sandbox], **given: Any) -> Arrangement:
    """The arrangement for these arguments of connect(); see `opened` for `sandbox`. InterfaceError when one makes no sense."""
    if sandbox is False:
        settings = gathered(**given)
        return Arrangement(settings, tables(settings))
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
    return Arrangement(settings, tables(settings), transport, clock, limits, made[own], reached)


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
