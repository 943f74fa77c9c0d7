"""The list of what the user may set: each setting of a connection with its default, the kind of its values, and the environment variable for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from klaviyo_sql import contract
from klaviyo_sql.freshness import Freshness
from klaviyo_sql.settings import file as settings_file
from klaviyo_sql.settings.accounts import AccountSettings
from klaviyo_sql.settings.file import SettingsFile
from klaviyo_sql.settings.kinds import Choice, Copies, File, Flag, Kind, Number, Server, Text

API_KEY = "KLAVIYO_API_KEY"
API_URL = "KLAVIYO_API_URL"
MATERIALIZED = "KLAVIYO_SQL_MATERIALIZED"

PARALLEL = 20
"""Requests of one scan under way at once: at 0.2 s a request a hundred a second, and as many connections as httpx handles well."""

COUNTING = ("rows", "aggregates", "aggregates+sums")
"""Where counts come from: the rows; Klaviyo, where it counts them (metric aggregates, profile_count); there, and sums of values as well."""

MOST_WRITES = 1000
"""Rows that one UPDATE or DELETE may touch unless more are allowed."""

ON_ERROR = ("stop", "continue")
"""What a row that cannot be written means for those behind it: they are not sent, or they are."""


class Setting(NamedTuple):
    """How a setting is read: the kind of its values, and the environment variable that goes before the settings file, if it has one."""

    kind: Kind
    variable: str | None = None


def _taking(kind: Kind, variable: str | None = None) -> dict[str, Setting]:
    return {"setting": Setting(kind, variable)}


@dataclass(frozen=True)
class Settings:
    """The settings of one connection: this is the list of them all, with what each takes and the environment's variable for it.

    `timeout` is the seconds that Klaviyo may stay silent, `max_wait` the most seconds that one request waits for a limit, `cache_seconds` how
    long a page is answered from memory (0: never), `cache_bytes` how much memory that may take, `parallel` how many requests of a
    scan may be under way at once. `max_requests` and `max_rows` bound what one statement sends and reads, `statement_timeout` its seconds;
    None is no bound. `counts` says where counts come from, `count_requests` bounds what a scan sends of which no row is read.
    `materialized` are the tables that are answered from a local copy, in `copy_file` (None: one for the account in the user's cache folder).
    With `share_limits` the processes of this user count their requests together; `state_folder` is where they keep what they must know of each other
    (None: each counts for itself).
    `max_writes` is how many rows one UPDATE or DELETE may touch (0: any number), `dry_run` makes the requests of writes and sends none, `on_error` says whether
    rows behind one that cannot be written are sent, `job_timeout` how many seconds bulk jobs are waited for (None: until they are done), and `audit_file`
    where every write that is sent is noted.
    `accounts` are the named ones, and `account` is the one that tables without a schema are of (None: the one of
    `api_key`). `properties` are columns of custom properties by table, as arguments; those of the settings file are in `file`.
    """

    api_key: str | None = field(default=None, metadata=_taking(Text(), API_KEY))
    base_url: str = field(default_factory=lambda: contract.facts().base_url, metadata=_taking(Server(), API_URL))
    write: bool = field(default=False, metadata=_taking(Flag("1 to allow writes"), "KLAVIYO_SQL_WRITE"))
    timeout: float = field(default=60.0, metadata=_taking(Number(0.001)))
    max_wait: float = field(default=120.0, metadata=_taking(Number(0)))
    cache_seconds: float = field(default=60.0, metadata=_taking(Number(0)))
    cache_bytes: int = field(default=32 * 2**20, metadata=_taking(Number(0, whole=True)))
    parallel: int = field(default=PARALLEL, metadata=_taking(Number(1, whole=True)))
    max_requests: int | None = field(default=None, metadata=_taking(Number(1, whole=True), "KLAVIYO_SQL_MAX_REQUESTS"))
    max_rows: int | None = field(default=None, metadata=_taking(Number(1, whole=True), "KLAVIYO_SQL_MAX_ROWS"))
    statement_timeout: float | None = field(default=None, metadata=_taking(Number(0.001), "KLAVIYO_SQL_STATEMENT_TIMEOUT"))
    share_limits: bool = field(default=True, metadata=_taking(Flag("1 to share limits with other processes"), "KLAVIYO_SQL_SHARE_LIMITS"))
    counts: str = field(default=COUNTING[0], metadata=_taking(Choice(COUNTING), "KLAVIYO_SQL_COUNTS"))
    count_requests: int | None = field(default=None, metadata=_taking(Number(1, whole=True), "KLAVIYO_SQL_COUNT_REQUESTS"))
    materialized: Mapping[str, Freshness] = field(default_factory=dict, metadata=_taking(Copies(), MATERIALIZED))
    copy_file: Path | None = field(default=None, metadata=_taking(File(), "KLAVIYO_SQL_COPY_FILE"))
    max_writes: int = field(default=MOST_WRITES, metadata=_taking(Number(0, whole=True), "KLAVIYO_SQL_MAX_WRITES"))
    dry_run: bool = field(default=False, metadata=_taking(Flag("1 to send no writes"), "KLAVIYO_SQL_DRY_RUN"))
    on_error: str = field(default=ON_ERROR[0], metadata=_taking(Choice(ON_ERROR)))
    job_timeout: float | None = field(default=None, metadata=_taking(Number(0)))
    audit_file: Path | None = field(default=None, metadata=_taking(File(), "KLAVIYO_SQL_AUDIT_FILE"))
    state_folder: Path | None = None
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


SETTINGS: dict[str, Setting] = {one.name: one.metadata["setting"] for one in fields(Settings) if "setting" in one.metadata}
"""Every setting that is an argument of connect(), and may stand in the settings file."""
