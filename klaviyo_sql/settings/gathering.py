"""What the user may set, and where it is read from: arguments first, then the environment, then the settings file."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from klaviyo_sql import contract, freshness
from klaviyo_sql.errors import InterfaceError
from klaviyo_sql.freshness import Freshness
from klaviyo_sql.settings import accounts as account_settings
from klaviyo_sql.settings import file as settings_file
from klaviyo_sql.settings.accounts import AccountSettings
from klaviyo_sql.settings.file import SettingsFile, unknown

API_KEY = "KLAVIYO_API_KEY"
API_URL = "KLAVIYO_API_URL"
WRITE = "KLAVIYO_SQL_WRITE"
MAX_REQUESTS = "KLAVIYO_SQL_MAX_REQUESTS"
MAX_ROWS = "KLAVIYO_SQL_MAX_ROWS"
STATEMENT_TIMEOUT = "KLAVIYO_SQL_STATEMENT_TIMEOUT"
SHARE_LIMITS = "KLAVIYO_SQL_SHARE_LIMITS"
STATE_FOLDER = "KLAVIYO_SQL_STATE_FOLDER"
COUNTS = "KLAVIYO_SQL_COUNTS"
MATERIALIZED = "KLAVIYO_SQL_MATERIALIZED"
COPY_FILE = "KLAVIYO_SQL_COPY_FILE"
MAX_WRITES = "KLAVIYO_SQL_MAX_WRITES"
DRY_RUN = "KLAVIYO_SQL_DRY_RUN"
AUDIT_FILE = "KLAVIYO_SQL_AUDIT_FILE"

VARIABLES: dict[str, str] = {
    "api_key": API_KEY,
    "base_url": API_URL,
    "write": WRITE,
    "max_requests": MAX_REQUESTS,
    "max_rows": MAX_ROWS,
    "statement_timeout": STATEMENT_TIMEOUT,
    "share_limits": SHARE_LIMITS,
    "counts": COUNTS,
    "materialized": MATERIALIZED,
    "copy_file": COPY_FILE,
    "max_writes": MAX_WRITES,
    "dry_run": DRY_RUN,
    "audit_file": AUDIT_FILE,
}
"""The settings that the environment has a variable for, which goes before the settings file."""

PARALLEL = 20
"""Requests of one scan under way at once: at 0.2 s a request a hundred a second, and as many connections as httpx handles well."""

COUNTING = ("rows", "aggregates", "aggregates+sums")
"""Where counts of events come from: the events; Klaviyo's metric aggregates; those, and sums of values as well."""

MOST_WRITES = 1000
"""Rows that one UPDATE or DELETE may touch unless more are allowed."""

ON_ERROR = ("stop", "continue")
"""What a row that cannot be written means for those behind it: they are not sent, or they are."""

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True)
class Settings:
    """The settings of one connection.

    `timeout` is the seconds that Klaviyo may stay silent, `max_wait` the most seconds that one request waits for a limit, `cache_seconds` how
    long a page is answered from memory (0: never), `cache_bytes` how much memory that may take, `parallel` how many requests of a
    scan may be under way at once. `max_requests` and `max_rows` bound what one statement sends and reads, `statement_timeout` its seconds;
    None is no bound. `counts` says where counts of events come from. `materialized` are the tables that are answered from a local copy, in `copy_file`
    (None: one for the account in the user's cache folder).
    `state_folder` is where the processes of this user keep what they must know of each other: how much of Klaviyo's limits is used (None: each
    counts for itself).
    `max_writes` is how many rows one UPDATE or DELETE may touch (0: any number), `dry_run` makes the requests of writes and sends none, `on_error` says whether
    rows behind one that cannot be written are sent, `job_timeout` how many seconds bulk jobs are waited for (None: until they are done), and `audit_file`
    where every write that is sent is noted.
    `accounts` are the named ones, and `account` is the one that tables without a schema are of (None: the one of
    `api_key`). `properties` are columns of custom properties by table, as arguments; those of the settings file are in `file`.
    """

    api_key: str | None = None
    base_url: str = ""
    write: bool = False
    timeout: float = 60.0
    max_wait: float = 120.0
    cache_seconds: float = 60.0
    cache_bytes: int = 32 * 2**20
    parallel: int = PARALLEL
    max_requests: int | None = None
    max_rows: int | None = None
    statement_timeout: float | None = None
    state_folder: Path | None = None
    counts: str = COUNTING[0]
    materialized: Mapping[str, Freshness] = field(default_factory=dict)
    copy_file: Path | None = None
    max_writes: int | None = MOST_WRITES
    dry_run: bool = False
    on_error: str = ON_ERROR[0]
    job_timeout: float | None = None
    audit_file: Path | None = None
    account: str | None = None
    accounts: Mapping[str, AccountSettings] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    file: SettingsFile = field(default_factory=SettingsFile)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        key = "set" if self.api_key else "not set"
        return f"Settings(base_url={self.base_url!r}, api_key {key}, write={self.write})"

    @property
    def usual_file(self) -> Path:
        """Where a settings file is looked for when none is named."""
        return settings_file.default_path(self.environment)

    def key_and_server(self, account: str | None) -> tuple[str | None, str, str | None]:
        """The key of an account and its server, and what to say when there is no key; the account's command is run for it."""
        if account is None:
            return self.api_key, self.base_url, None
        named = self.accounts[account]
        key, missing = named.key(self.environment)
        return key, named.base_url or self.base_url, missing


def gathered(
    *,
    config: str | Path | bool | None = None,
    account: str | None = None,
    accounts: Mapping[str, Any] | None = None,
    properties: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    sandbox: Mapping[str, str] | None = None,
    **given: Any,
) -> Settings:
    """The settings from everywhere: arguments (None: not given), the environment, and the settings file that `config` names (False: none is read).

    `sandbox` is the key and the server that every account has instead of its own. InterfaceError when something makes no sense.
    """
    variables = os.environ if environment is None else environment
    file = SettingsFile() if config is False else settings_file.read(config if config is not True else None, variables, _NAMES, _check)
    given = {name: value for name, value in given.items() if value is not None}
    everybody = dict(file.accounts)
    for name, settings in (accounts or {}).items():
        for key in settings if isinstance(settings, Mapping) else ():
            if key not in account_settings.KEYS:
                raise InterfaceError(f"account {name}: {unknown(str(key), account_settings.KEYS, 'setting of an account')}")
        known = account_settings.named(everybody, name) if isinstance(name, str) else None
        everybody.pop(known.name if known else "", None)
        everybody[name] = account_settings.account(name, settings)
    chosen = _chosen(account, everybody, file, own_key=bool(given.get("api_key") or (variables.get(API_KEY) and not sandbox)))
    if chosen is not None and given.get("base_url"):
        everybody[chosen] = replace(everybody[chosen], base_url=None)
    if sandbox is not None:
        given |= sandbox
        everybody = {name: AccountSettings(name, sandbox["api_key"]) for name in everybody}
    from_file = {name: value for name, value in file.settings.items() if name not in given and not variables.get(VARIABLES.get(name, ""))}
    settings = from_environment(**{**from_file, **given}, environment=variables)
    return replace(settings, account=chosen, accounts=everybody, properties=properties or {}, file=file, environment=variables)


def _chosen(account: str | None, accounts: Mapping[str, AccountSettings], file: SettingsFile, *, own_key: bool) -> str | None:
    """The account that tables without a schema are of."""
    if account is not None:
        found = account_settings.named(accounts, account)
        if found is None:
            where = f" The settings file is {file.path}." if file.path else ""
            raise InterfaceError(f"{unknown(account, accounts, 'account').capitalize()}{where}")
        return found.name
    if own_key:
        return None
    if file.default_account is not None and "api_key" in file.settings:
        raise file.error("the file has an api_key as well, and tables without a schema can only be of one account", "default_account")
    if file.default_account is not None or "api_key" in file.settings:
        return file.default_account
    return next(iter(accounts)) if len(accounts) == 1 else None


def from_environment(
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    write: bool | None = None,
    timeout: float = 60.0,
    max_wait: float = 120.0,
    cache_seconds: float = 60.0,
    cache_bytes: int = 32 * 2**20,
    parallel: int | None = None,
    max_requests: int | None = None,
    max_rows: int | None = None,
    statement_timeout: float | None = None,
    share_limits: bool | None = None,
    counts: str | None = None,
    materialized: str | Iterable[str] | None = None,
    copy_file: str | Path | None = None,
    max_writes: int | None = None,
    dry_run: bool | None = None,
    on_error: str | None = None,
    job_timeout: float | None = None,
    audit_file: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The settings, with what is not given taken from the environment; InterfaceError when a value makes no sense."""
    variables = os.environ if environment is None else environment
    max_requests = _whole(MAX_REQUESTS, variables) if max_requests is None else max_requests
    max_rows = _whole(MAX_ROWS, variables) if max_rows is None else max_rows
    statement_timeout = _number(STATEMENT_TIMEOUT, variables) if statement_timeout is None else statement_timeout
    max_writes = _whole(MAX_WRITES, variables) if max_writes is None else max_writes
    for name, value, least in (
        ("timeout", timeout, 0.001),
        ("max_wait", max_wait, 0),
        ("cache_seconds", cache_seconds, 0),
        ("cache_bytes", cache_bytes, 0),
        ("parallel", PARALLEL if parallel is None else parallel, 1),
        ("max_requests", 1 if max_requests is None else max_requests, 1),
        ("max_rows", 1 if max_rows is None else max_rows, 1),
        ("statement_timeout", 1 if statement_timeout is None else statement_timeout, 0.001),
        ("max_writes", MOST_WRITES if max_writes is None else max_writes, 0),
        ("job_timeout", 0 if job_timeout is None else job_timeout, 0),
    ):
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
            raise InterfaceError(f"{name} must be a number of at least {least}, not {value!r}")
    share = flag(SHARE_LIMITS, variables.get(SHARE_LIMITS) or "1", "1 to share limits with other processes") if share_limits is None else bool(share_limits)
    counting = counts if counts is not None else variables.get(COUNTS, "").strip().lower() or COUNTING[0]
    if counting not in COUNTING:
        raise InterfaceError(f"{'counts' if counts is not None else COUNTS} is {counting!r}; it must be one of {', '.join(COUNTING)}")
    if on_error is not None and on_error not in ON_ERROR:
        raise InterfaceError(f"on_error is {on_error!r}; it must be one of {', '.join(ON_ERROR)}")
    named = copy_file or variables.get(COPY_FILE)
    audited = audit_file or variables.get(AUDIT_FILE)
    return Settings(
        api_key=api_key or variables.get(API_KEY) or None,
        base_url=(base_url or variables.get(API_URL) or contract.facts().base_url).rstrip("/"),
        write=flag(WRITE, variables.get(WRITE, ""), "1 to allow writes") if write is None else bool(write),
        timeout=timeout,
        max_wait=max_wait,
        cache_seconds=cache_seconds,
        cache_bytes=int(cache_bytes),
        parallel=PARALLEL if parallel is None else int(parallel),
        max_requests=None if max_requests is None else int(max_requests),
        max_rows=None if max_rows is None else int(max_rows),
        statement_timeout=statement_timeout,
        state_folder=state_folder(variables) if share else None,
        counts=counting,
        materialized=freshness.parsed(variables.get(MATERIALIZED, "") if materialized is None else materialized),
        copy_file=Path(named).expanduser() if named else None,
        max_writes=MOST_WRITES if max_writes is None else int(max_writes) or None,
        dry_run=flag(DRY_RUN, variables.get(DRY_RUN, ""), "1 to send no writes") if dry_run is None else bool(dry_run),
        on_error=on_error or ON_ERROR[0],
        job_timeout=job_timeout,
        audit_file=Path(audited).expanduser() if audited else None,
    )


def _number(name: str, variables: Mapping[str, str]) -> float | None:
    text = variables.get(name, "").strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise InterfaceError(f"{name} is {text!r}; set it to a number") from None


def _whole(name: str, variables: Mapping[str, str]) -> int | None:
    number = _number(name, variables)
    if number is not None and not number.is_integer():
        raise InterfaceError(f"{name} is {variables[name]!r}; set it to a whole number")
    return None if number is None else int(number)


def flag(name: str, text: str, on: str) -> bool:
    """Whether the text of a variable switches something on; InterfaceError, which says what does (`on`), when it says neither."""
    lowered = text.strip().lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise InterfaceError(f"{name} is {text!r}; set it to {on}, or to 0")


def state_folder(variables: Mapping[str, str]) -> Path | None:
    """The folder that is named, or the usual one for what programs remember; None where there is no home."""
    if named := variables.get(STATE_FOLDER):
        return Path(named).absolute()
    usual = Path(variables.get("XDG_STATE_HOME", ""))
    try:
        return (usual if usual.is_absolute() else Path("~/.local/state").expanduser()) / "klaviyo-sql"
    except RuntimeError:
        return None


_NAMES = tuple(name for name in inspect.signature(from_environment).parameters if name != "environment")
"""The settings that the file can have: those of connect()."""


def _check(settings: Mapping[str, Any]) -> None:
    """InterfaceError when a value of the settings file makes no sense."""
    for name in ("api_key", "base_url", "counts", "copy_file", "on_error", "audit_file"):
        if name in settings and not isinstance(settings[name], str):
            raise InterfaceError(f"{name} must be a text")
    for name in ("write", "share_limits", "dry_run"):
        if not isinstance(settings.get(name, False), bool):
            raise InterfaceError(f"{name} must be true or false")
    from_environment(**settings, environment={})
