"""The settings file: TOML, with the settings of connect(), named accounts, and columns of custom properties.

Every mistake is an error that names the file, the line, and the name that was probably meant. Values are not repeated, for they may be keys.
"""

from __future__ import annotations

import difflib
import functools
import os
import re
import stat
import tomllib
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from klaviyo_sql.errors import Error, InterfaceError
from klaviyo_sql.settings import accounts as account_settings
from klaviyo_sql.settings.accounts import AccountSettings

CONFIG = "KLAVIYO_SQL_CONFIG"
"""The environment variable that names another file."""
_SECTIONS = ("accounts", "properties")
_KEY = re.compile(r"pk_\w+")


@dataclass(frozen=True)
class SettingsFile:
    """What a settings file says; without a file, nothing. `properties` are columns by table, not looked at yet."""

    path: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    accounts: Mapping[str, AccountSettings] = field(default_factory=dict)
    default_account: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    text: str = field(default="", repr=False)

    def error(self, problem: str, *keys: str) -> InterfaceError:
        """The problem with the setting that these keys lead to, with the file and the line."""
        line = _line(self.text, keys)
        name = _KEY.sub("pk_…", ".".join(keys))
        at = f"line {line}" if line else "somewhere"
        return InterfaceError(f"In the settings file {self.path}, {at}{f' ({name})' if name else ''}: {problem.rstrip('.')}.")


def default_path(environment: Mapping[str, str]) -> Path:
    """Where the settings file is looked for when none is named."""
    base = environment.get("XDG_CONFIG_HOME") or ""
    folder = Path(base) if Path(base).is_absolute() else Path("~/.config").expanduser()
    return folder / "klaviyo-sql" / "config.toml"


def read(named: str | Path | None, environment: Mapping[str, str], known: Iterable[str], check: Callable[[Mapping[str, Any]], object]) -> SettingsFile:
    """The settings file: the one that is named, the one in KLAVIYO_SQL_CONFIG, or the one at its usual place, which need not be there.

    `known` are the settings that there are; `check` raises for a value that makes no sense. InterfaceError when the file cannot be read or has a
    mistake in it. A warning when it holds a key and others may read it.
    """
    chosen = named or environment.get(CONFIG)
    try:
        path = Path(chosen).expanduser() if chosen else default_path(environment)
        with path.open("rb") as file:
            others_read = _others_read(file.fileno())
            text = file.read().decode("utf-8-sig")
    except FileNotFoundError:
        if not chosen:
            return SettingsFile()
        raise InterfaceError(f"There is no settings file {chosen}.") from None
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise InterfaceError(f"The settings file {chosen or default_path(environment)} cannot be read: {reason}.") from None
    problem = None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem = str(error)
    if problem is not None:  # raised here, so that the exception does not hold the one that holds the file's text
        raise InterfaceError(f"The settings file {path} is not TOML: {_KEY.sub('pk_…', problem)}.")
    found = _Reader(SettingsFile(path, text=text), document, (*known, "default_account"), check).read()
    if others_read and (found.settings.get("api_key") or any(account.api_key for account in found.accounts.values())):
        warnings.warn(f"The settings file {path} holds a key, and other users of this machine can read it: chmod 600 {path}", UserWarning, stacklevel=2)
    return found


class _Reader:
    """Checks one document from its top to its bottom."""

    def __init__(self, blank: SettingsFile, document: Mapping[str, Any], known: tuple[str, ...], check: Callable[[Mapping[str, Any]], object]) -> None:
        self._blank = blank
        self._document = document
        self._known = known
        self._check = check

    def read(self) -> SettingsFile:
        for key in self._document:
            if key not in (*self._known, *_SECTIONS):
                raise self._unknown(key, (*self._known, *_SECTIONS), "setting", key)
        settings = {key: value for key, value in self._document.items() if key in self._known and key != "default_account"}
        for key, value in settings.items():
            self._checked(functools.partial(self._check, {key: value}), key)
        accounts = self._accounts(self._document.get("accounts", {}))
        default = self._document.get("default_account")
        if default is not None:
            if not isinstance(default, str):
                raise self._blank.error("default_account is the name of an account", "default_account")
            account = account_settings.named(accounts, default)
            if account is None:
                raise self._unknown(default, accounts, "account", "default_account")
            default = account.name
        properties = self._document.get("properties", {})
        if not isinstance(properties, Mapping):
            raise self._blank.error("properties is a section: [properties.profiles]", "properties")
        return SettingsFile(self._blank.path, settings, accounts, default, properties, self._blank.text)

    def _accounts(self, given: Any) -> dict[str, AccountSettings]:
        if not isinstance(given, Mapping):
            raise self._blank.error("accounts is made of sections: [accounts.shop_a]", "accounts")
        accounts: dict[str, AccountSettings] = {}
        for name, settings in given.items():
            for key in settings if isinstance(settings, Mapping) else ():
                if key not in account_settings.KEYS:
                    raise self._unknown(key, account_settings.KEYS, "setting of an account", "accounts", name, key)
            if account_settings.named(accounts, name):
                raise self._blank.error(f"there are two accounts {name}, for SQL ignores case", "accounts", name)
            accounts[name] = self._checked(functools.partial(account_settings.account, name, settings), "accounts", name)
        return accounts

    def _checked(self, check: Callable[[], Any], *keys: str) -> Any:
        try:
            return check()
        except Error as error:
            raise self._blank.error(str(error), *keys) from None

    def _unknown(self, name: str, known: Iterable[str], what: str, *keys: str) -> InterfaceError:
        return self._blank.error(unknown(name, known, what), *keys)


def unknown(name: str, known: Iterable[str], what: str) -> str:
    """The sentence about a name that is not known, with the nearest that is."""
    names = list(known)
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    there = f" There are {', '.join(names)}." if names else ""
    return f"there is no {what} {_KEY.sub('pk_…', name)}.{f' Did you mean {near[0]}?' if near else there}"


def _line(text: str, keys: tuple[str, ...]) -> int | None:
    """The line in which the setting begins, as far as a glance at the text tells: TOML has many ways to write the same."""
    best: tuple[int, int] | None = None
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("["):
            section = _dotted(stripped.strip("[] ").partition("]")[0])
            here = section
        elif "=" in stripped and not stripped.startswith("#"):
            here = (*section, *_dotted(stripped.partition("=")[0]))
        else:
            continue
        depth = next((n for n, (a, b) in enumerate(zip(here, keys, strict=False)) if a != b), min(len(here), len(keys)))
        if depth and depth == min(len(here), len(keys)) and (best is None or depth > best[0]):
            best = (depth, number)
    return best[1] if best else None


def _dotted(text: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r'"[^"]*"|\'[^\']*\'|[^.\s]+', text))


def _others_read(descriptor: int) -> bool:
    """Whether group or others may read the file; Windows has other means than modes."""
    return os.name == "posix" and bool(stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077)
