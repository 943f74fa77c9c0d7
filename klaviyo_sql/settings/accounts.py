"""What is set for one of several named accounts: where it is, and where its key comes from."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from klaviyo_sql.errors import InterfaceError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_RESERVED = frozenset({"main", "temp", "klaviyo", "all_accounts", "skyvia", "fivetran", "hevo", "dlh", "stitch"})
"""Schemas that are there already, or are names of other systems."""
_KEY_SOURCES = ("api_key", "api_key_env", "api_key_command")
KEYS = (*_KEY_SOURCES, "base_url")
_COMMAND_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """One named account. The key stands in `api_key`, in the environment variable `api_key_env`, or is printed by `api_key_command`."""

    name: str
    api_key: str | None = field(default=None, repr=False)
    api_key_env: str | None = None
    api_key_command: tuple[str, ...] = field(default=(), repr=False)
    base_url: str | None = None

    def key(self, environment: Mapping[str, str]) -> tuple[str | None, str]:
        """The key, and what to say when there is none; a command is run for it."""
        name = self.name
        if self.api_key:
            return self.api_key, ""
        if self.api_key_env:
            return environment.get(self.api_key_env) or None, f"There is no key: the environment variable {self.api_key_env} is not set."
        if self.api_key_command:
            return self._printed()
        return None, f"There is no key: give the account api_key, api_key_env or api_key_command in the section [accounts.{name}] of the settings."

    def key_is_there(self, environment: Mapping[str, str]) -> bool | None:
        """Whether there is a key; None when only its command knows."""
        if self.api_key_command:
            return None
        return bool(self.api_key or (self.api_key_env and environment.get(self.api_key_env)))

    @property
    def key_source(self) -> str:
        """Where the key comes from, without the key."""
        if self.api_key_env:
            return f"environment variable {self.api_key_env}"
        return "command" if self.api_key_command else "settings" if self.api_key else "nowhere"

    def _printed(self) -> tuple[str | None, str]:
        program = self.api_key_command[0]
        try:
            done = subprocess.run(self.api_key_command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=_COMMAND_SECONDS, check=False)
            key = done.stdout.decode("utf-8").strip()
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            reason = f"took longer than {_COMMAND_SECONDS:g} s" if isinstance(error, subprocess.TimeoutExpired) else f"failed ({type(error).__name__})"
            return None, f"There is no key: its api_key_command, {program}, {reason}."
        if done.returncode:
            return None, f"There is no key: its api_key_command, {program}, ended with the exit code {done.returncode}."
        return key or None, f"There is no key: its api_key_command, {program}, printed none."


def account(name: str, given: Any) -> AccountSettings:
    """The settings of one account from a mapping; InterfaceError, without any value, when they make no sense."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InterfaceError(f"an account cannot be named {name!r}: its name is a schema in SQL, so it is made of letters, digits and _, as shop_a is")
    lowered = name.lower()
    if lowered in _RESERVED or lowered.startswith(("sqlite_", "klaviyo_")):
        raise InterfaceError(f"an account cannot be named {name}: a schema has that name already; choose another, such as shop_{lowered}")
    if not isinstance(given, Mapping):
        raise InterfaceError(f"the account {name} has settings of its own, such as api_key_env")
    for key in ("api_key", "api_key_env", "base_url"):
        if key in given and (not isinstance(given[key], str) or not given[key].strip()):
            raise InterfaceError(f"{key} of the account {name} must be a text that is not empty")
    command = given.get("api_key_command", ())
    if isinstance(command, str) or not isinstance(command, list | tuple) or not all(isinstance(word, str) for word in command):
        raise InterfaceError(f'api_key_command of the account {name} must be a list of words, such as ["op", "read", "op://shop/key"]: no shell reads it')
    if "api_key_command" in given and not command:
        raise InterfaceError(f"api_key_command of the account {name} is empty")
    sources = [key for key in _KEY_SOURCES if key in given]
    if len(sources) > 1:
        raise InterfaceError(f"the account {name} has {' and '.join(sources)}: a key comes from one place")
    url = given.get("base_url")
    return AccountSettings(name, given.get("api_key"), given.get("api_key_env"), tuple(command), url.rstrip("/") if url else None)


def named(accounts: Mapping[str, AccountSettings], name: str) -> AccountSettings | None:
    """The account of that name, in whatever case it is written."""
    return next((found for known, found in accounts.items() if known.lower() == name.lower()), None)
