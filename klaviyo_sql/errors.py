"""The exceptions of PEP 249, and Klaviyo's refusals placed among them.

    Warning
    Error
    ├── InterfaceError                  the driver is used wrongly: a closed cursor, two threads at once
    └── DatabaseError
        ├── DataError                   a value cannot be what the column needs, such as a text that is no time
        ├── OperationalError            Klaviyo or the way to it: no server, garbage, too many failures
        │   ├── AuthenticationError     no key, a wrong key, a revoked key
        │   ├── PermissionDenied        the key lacks a scope, or the account lacks the product
        │   ├── RateLimitError          Klaviyo says 429 for longer than the driver may wait
        │   ├── BudgetExceeded          the statement needs more requests or rows than it may (max_requests, max_rows)
        │   ├── StatementTimeout        the statement took longer than it may (statement_timeout)
        │   ├── Interrupted             the statement was interrupted
        │   ├── OutcomeUnknown          a write was sent, and nobody knows whether it was carried out
        │   └── WriteFailed             rows could not be written; which and why is in klaviyo_writes
        ├── IntegrityError              a constraint of an ordinary SQLite table
        ├── InternalError               SQLite or this driver is at fault
        ├── ProgrammingError            the SQL is wrong: unknown table or column, syntax, wrong number of parameters
        │   └── RequestRejected         Klaviyo refuses the request as invalid (400, 404, 409 …)
        └── NotSupportedError           Klaviyo or SQLite cannot do that
            └── ReadOnlyError           a write on a connection that was not opened for writing

Messages are sentences that say what to do; no message holds a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any


class Warning(Exception):  # noqa: A001, N818 - the name is PEP 249's
    """Important warnings; exported because PEP 249 asks for it."""


class Error(Exception):
    """The base class of every exception that this package raises on purpose.

    After a reply of Klaviyo's, `status` is its HTTP status, `operation` the operation that was asked for, and `errors` what Klaviyo said: dicts
    with `code`, `title`, `detail`, `source`.
    """

    status: int | None = None
    operation: str | None = None
    account: str | None = None
    """The account that failed, by its name in the settings; None for an account without a name."""
    errors: Sequence[dict[str, Any]] = ()


class InterfaceError(Error):
    """The driver is used wrongly, as with a closed cursor."""


class DatabaseError(Error):
    """The base class of everything about the data or its source."""


class DataError(DatabaseError):
    """A value cannot be what its column needs."""


class OperationalError(DatabaseError):
    """Klaviyo could not be asked, or its answer could not be used."""


class AuthenticationError(OperationalError):
    """Klaviyo does not accept the key, or there is none."""


class PermissionDenied(OperationalError):  # noqa: N818 - reads as the sentence that it is
    """The key lacks a scope, or the account lacks the product."""


class RateLimitError(OperationalError):
    """Klaviyo's limit is used up for longer than the driver may wait; `returns_at` is when it is not any more."""

    returns_at: datetime | None = None


class BudgetExceeded(OperationalError):  # noqa: N818
    """The statement needs more requests or rows than `max_requests` or `max_rows` allow."""


class StatementTimeout(OperationalError):  # noqa: N818
    """The statement took longer than `statement_timeout`."""


class Interrupted(OperationalError):  # noqa: N818
    """The statement was interrupted before it ended."""


class OutcomeUnknown(OperationalError):  # noqa: N818
    """A write was sent, and its reply never came: it may have been carried out."""


class WriteFailed(OperationalError):  # noqa: N818
    """Rows could not be written. Klaviyo has no transactions: what was written before stays; the table klaviyo_writes tells of each row.

    `done`, `failed`, `unknown` and `not_sent` are how many rows that is true of.
    """

    done: int = 0
    failed: int = 0
    unknown: int = 0
    not_sent: int = 0


class IntegrityError(DatabaseError):
    """A constraint of an ordinary SQLite table does not hold."""


class InternalError(DatabaseError):
    """SQLite or the driver itself is at fault."""


class ProgrammingError(DatabaseError):
    """The SQL or its parameters are wrong."""


class RequestRejected(ProgrammingError):  # noqa: N818
    """Klaviyo refuses the request as invalid."""


class NotSupportedError(DatabaseError):
    """Neither Klaviyo nor SQLite can do that."""


class ReadOnlyError(NotSupportedError):
    """A write on a connection that was not opened for writing."""


def of_account(error: Error, account: str | None) -> Error:
    """The same exception, saying which of several accounts it is about."""
    if account is not None and error.account is None and not isinstance(error, Interrupted):
        error.account = account
        error.args = (f"Account {account}: {error}",)
    return error


def call_refused(procedure: str) -> NotSupportedError:
    """What a call of a procedure is told, on a connection that was not opened for writing."""
    return ReadOnlyError(
        f"{procedure} cannot be called: the connection is read-only. Open it for writing with klaviyo_sql.connect(write=True), with --write on the "
        "command line, or with KLAVIYO_SQL_WRITE=1."
    )


def write_refused(table: str) -> NotSupportedError:
    """What a write to one of the account's tables is told, on a connection that was not opened for writing."""
    return ReadOnlyError(
        f"{table} cannot be written to: the connection is read-only. Open it for writing with klaviyo_sql.connect(write=True), with --write on the "
        "command line, or with KLAVIYO_SQL_WRITE=1."
    )


def no_time(text: str) -> str:
    """What is said of a text that a time column is compared with and that is no time."""
    return f"a time column is compared with {text!r}, which is no time: write it in ISO 8601, such as '2026-01-31T08:30:00Z'"
