"""The settings of the extension: those of the command line, from the environment and the settings file; it has no arguments."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from klaviyo_sql import settings
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.session.arrangement import Arrangement
from klaviyo_sql.session.arrangement import arranged as arranged_with

if TYPE_CHECKING:
    from klaviyo_sql.sandbox import Sandbox

SANDBOX = "KLAVIYO_SQL_SANDBOX"
"""1 lets the built-in account answer instead of Klaviyo: no key, no network."""

_making = threading.Lock()
_made: list[Sandbox] = []


def arranged(environment: Mapping[str, str]) -> Arrangement:
    """How a session reaches Klaviyo; InterfaceError when a setting makes no sense. All sessions of a process ask the same sandbox."""
    if not settings.flag(SANDBOX, environment.get(SANDBOX, ""), "1 for the built-in account"):
        return arranged_with(sandbox=False)
    from klaviyo_sql.sandbox import Sandbox

    with _making:
        if not _made:
            _made.append(Sandbox(clock=SimulatedClock()))
    return arranged_with(sandbox=_made[0])


def log_file(environment: Mapping[str, str]) -> Path | None:
    """Where the worker's log is; None where there is no home."""
    folder = settings.state_folder(environment)
    return folder / "extension.log" if folder else None
