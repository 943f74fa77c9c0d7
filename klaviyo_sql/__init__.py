"""A Klaviyo account as a database, through PEP 249.

import klaviyo_sql
with klaviyo_sql.connect() as connection:
    for row in connection.execute("SELECT email FROM profiles ORDER BY created DESC LIMIT 10"):
        print(row)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from klaviyo_sql.errors import (
    AuthenticationError,
    BudgetExceeded,
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    Interrupted,
    NotSupportedError,
    OperationalError,
    OutcomeUnknown,
    PermissionDenied,
    ProgrammingError,
    RateLimitError,
    ReadOnlyError,
    RequestRejected,
    StatementTimeout,
    Warning,  # noqa: A004 - the name is PEP 249's
    WriteFailed,
)
from klaviyo_sql.sqlite.connection import Connection
from klaviyo_sql.sqlite.cursor import Cursor
from klaviyo_sql.sqlite.types import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)
from klaviyo_sql.version import VERSION

__version__ = VERSION

apilevel = "2.0"
threadsafety = 1
"""Threads may share the module, not a connection."""
paramstyle = "qmark"
"""Named parameters (`:name`, with a mapping) are taken as well."""


def connect(
    database: str | Path = ":memory:",
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    sandbox: bool = False,
    write: bool | None = None,
    autocommit: bool = False,
    timeout: float | None = None,
    max_wait: float | None = None,
    cache_seconds: float | None = None,
    cache_bytes: int | None = None,
    parallel: int | None = None,
    max_requests: int | None = None,
    max_rows: int | None = None,
    statement_timeout: float | None = None,
    share_limits: bool | None = None,
    counts: str | None = None,
    count_requests: int | None = None,
    materialized: str | Iterable[str] | None = None,
    copy_file: str | Path | None = None,
    max_writes: int | None = None,
    dry_run: bool | None = None,
    on_error: str | None = None,
    job_timeout: float | None = None,
    audit_file: str | Path | None = None,
    config: str | Path | bool | None = None,
    account: str | None = None,
    accounts: Mapping[str, Mapping[str, object]] | None = None,
    properties: Mapping[str, Mapping[str, object]] | None = None,
) -> Connection:
    """A connection to a Klaviyo account, with ordinary SQLite tables beside its tables.

    `database` is the SQLite file for ordinary tables. `api_key` is a private key (default: KLAVIYO_API_KEY), `base_url` the server (default:
    KLAVIYO_API_URL, else Klaviyo's). `sandbox=True` answers from a built-in account instead: no key, no network, and limits that pass in simulated
    time. `write` allows writing (default: KLAVIYO_SQL_WRITE). `timeout` is the seconds that Klaviyo may stay silent, `max_wait` the most seconds that a
    request waits for a limit, `cache_seconds` how long a page is answered from memory (0: never), `cache_bytes` the memory for that,
    `parallel` how many requests of one scan may be under way at once (default: 20; the sandbox has no latency to hide: 1).
    `share_limits` lets the processes of this user that have the same key count their requests together, in small files in a state folder (default:
    KLAVIYO_SQL_SHARE_LIMITS, else yes). `counts` says where counts of events and of members come from (default: KLAVIYO_SQL_COUNTS, else
    "rows"): "aggregates" has Klaviyo count wherever that is exact, "aggregates+sums" has it add up values too; docs/counting-events.md tells when.

    Four bounds stop a statement that costs more than was meant; by default there are none. `max_requests` bounds the requests that it sends
    (KLAVIYO_SQL_MAX_REQUESTS), `max_rows` the rows that it reads from Klaviyo (KLAVIYO_SQL_MAX_ROWS): BudgetExceeded. `statement_timeout` bounds
    the seconds from its start to its last row (KLAVIYO_SQL_STATEMENT_TIMEOUT): StatementTimeout. `count_requests` bounds the requests of each scan
    whose rows are only counted (KLAVIYO_SQL_COUNT_REQUESTS): BudgetExceeded.

    `materialized` names the tables that are answered from a local copy, such as `("events:max_age=1m", "profiles")` (default:
    KLAVIYO_SQL_MATERIALIZED), and `copy_file` where the copies lie (default: KLAVIYO_SQL_COPY_FILE, else a file for the account in the
    user's cache folder).

    Of writing: `max_writes` is how many rows one UPDATE or DELETE may touch (1,000; 0: any number; KLAVIYO_SQL_MAX_WRITES), `dry_run` makes the requests and
    sends none (`connection.writer.rehearsed` has them; KLAVIYO_SQL_DRY_RUN), `on_error` is "stop" or "continue" when a row cannot be written, `job_timeout` the
    seconds that bulk jobs are waited for (until they are done; 0: not at all), and `audit_file` where every write is noted (KLAVIYO_SQL_AUDIT_FILE).

    What is not given comes from the environment, then from the settings file: `config` names another than ~/.config/klaviyo-sql/config.toml (False: none).
    `accounts` are named accounts, each a schema such as `shop_a`, with `api_key`, `api_key_env` or `api_key_command`, and `base_url`; `account` is the one
    that tables without a schema are of. `properties` are columns of custom properties: {"profiles": {"tier": {"type": "TEXT", "path": "$.loyalty.tier"}}}.

    InterfaceError when an argument makes no sense. Nothing is sent: a wrong key shows with the first query.
    """
    given = dict(locals())  # every argument by its name: `settings.SETTINGS` says what each takes
    from klaviyo_sql.opening import opened  # the sandbox, the server and the adapter are put together there

    return opened(**given)


__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "AuthenticationError",
    "Binary",
    "BudgetExceeded",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "Interrupted",
    "NotSupportedError",
    "OperationalError",
    "OutcomeUnknown",
    "PermissionDenied",
    "ProgrammingError",
    "RateLimitError",
    "ReadOnlyError",
    "RequestRejected",
    "StatementTimeout",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "WriteFailed",
    "__version__",
    "apilevel",
    "connect",
    "paramstyle",
    "threadsafety",
]
