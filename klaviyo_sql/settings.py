"""What the user may set, and where it is read from: arguments first, then the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from klaviyo_sql import contract, freshness
from klaviyo_sql.errors import InterfaceError
from klaviyo_sql.freshness import Freshness

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

PARALLEL = 20
"""Requests of one scan under way at once: at 0.2 s a request a hundred a second, and as many connections as httpx handles well."""

COUNTING = ("rows", "aggregates", "aggregates+sums")
"""Where counts of events come from: the events; Klaviyo's metric aggregates; those, and sums of values as well."""

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

    def __repr__(self) -> str:
        key = "set" if self.api_key else "not set"
        return f"Settings(base_url={self.base_url!r}, api_key {key}, write={self.write})"


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
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The settings, with what is not given taken from the environment; InterfaceError when a value makes no sense."""
    variables = os.environ if environment is None else environment
    max_requests = _whole(MAX_REQUESTS, variables) if max_requests is None else max_requests
    max_rows = _whole(MAX_ROWS, variables) if max_rows is None else max_rows
    statement_timeout = _number(STATEMENT_TIMEOUT, variables) if statement_timeout is None else statement_timeout
    for name, value, least in (
        ("timeout", timeout, 0.001),
        ("max_wait", max_wait, 0),
        ("cache_seconds", cache_seconds, 0),
        ("cache_bytes", cache_bytes, 0),
        ("parallel", PARALLEL if parallel is None else parallel, 1),
        ("max_requests", 1 if max_requests is None else max_requests, 1),
        ("max_rows", 1 if max_rows is None else max_rows, 1),
        ("statement_timeout", 1 if statement_timeout is None else statement_timeout, 0.001),
    ):
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= least:
            raise InterfaceError(f"{name} must be a number of at least {least}, not {value!r}")
    share = _flag(SHARE_LIMITS, variables.get(SHARE_LIMITS) or "1", "1 to share limits with other processes") if share_limits is None else bool(share_limits)
    counting = counts if counts is not None else variables.get(COUNTS, "").strip().lower() or COUNTING[0]
    if counting not in COUNTING:
        raise InterfaceError(f"{'counts' if counts is not None else COUNTS} is {counting!r}; it must be one of {', '.join(COUNTING)}")
    named = copy_file or variables.get(COPY_FILE)
    return Settings(
        api_key=api_key or variables.get(API_KEY) or None,
        base_url=(base_url or variables.get(API_URL) or contract.facts().base_url).rstrip("/"),
        write=_flag(WRITE, variables.get(WRITE, ""), "1 to allow writes") if write is None else bool(write),
        timeout=timeout,
        max_wait=max_wait,
        cache_seconds=cache_seconds,
        cache_bytes=int(cache_bytes),
        parallel=PARALLEL if parallel is None else int(parallel),
        max_requests=None if max_requests is None else int(max_requests),
        max_rows=None if max_rows is None else int(max_rows),
        statement_timeout=statement_timeout,
        state_folder=_state_folder(variables) if share else None,
        counts=counting,
        materialized=freshness.parsed(variables.get(MATERIALIZED, "") if materialized is None else materialized),
        copy_file=Path(named).expanduser() if named else None,
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


def _flag(name: str, text: str, on: str) -> bool:
    lowered = text.strip().lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise InterfaceError(f"{name} is {text!r}; set it to {on}, or to 0")


def _state_folder(variables: Mapping[str, str]) -> Path | None:
    """The folder that is named, or the usual one for what programs remember; None where there is no home."""
    if named := variables.get(STATE_FOLDER):
        return Path(named).absolute()
    usual = Path(variables.get("XDG_STATE_HOME", ""))
    try:
        return (usual if usual.is_absolute() else Path("~/.local/state").expanduser()) / "klaviyo-sql"
    except RuntimeError:
        return None
