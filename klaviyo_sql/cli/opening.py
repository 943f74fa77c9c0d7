"""The connection that a command asked for."""

from __future__ import annotations

import sys
import warnings
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import klaviyo_sql
from klaviyo_sql.cli.exits import UsageError

_STEPS_BETWEEN_LOOKS = 100_000


def connected(arguments: Namespace) -> klaviyo_sql.Connection:
    """A connection as the options of the command say.

    Every statement is committed by itself: what was sent to Klaviyo could not be taken back with the rest. A dry run may write, for it sends nothing.
    """
    dry_run = getattr(arguments, "dry_run", False)
    key_file = getattr(arguments, "key_file", None)
    with told():
        connection = klaviyo_sql.connect(
            getattr(arguments, "database", None) or ":memory:",
            api_key=_key(key_file) if key_file else None,
            sandbox=getattr(arguments, "sandbox", False),
            counts=getattr(arguments, "counts", None),
            count_requests=getattr(arguments, "count_requests", None),
            write=True if getattr(arguments, "write", False) or dry_run else None,
            max_writes=getattr(arguments, "max_writes", None),
            dry_run=dry_run or None,
            on_error=getattr(arguments, "on_error", None),
            job_timeout=getattr(arguments, "job_timeout", None),
            audit_file=getattr(arguments, "audit_file", None),
            materialized=getattr(arguments, "materialized", None) or None,
            copy_file=getattr(arguments, "copy_file", None),
            autocommit=True,
            max_requests=getattr(arguments, "max_requests", None),
            max_rows=getattr(arguments, "max_rows", None),
            statement_timeout=getattr(arguments, "statement_timeout", None),
            config=arguments.config,
            account=getattr(arguments, "account", None),
        )
    # Python notices ^C only between its own instructions, and SQLite can compute for minutes without any.
    connection.sqlite.set_progress_handler(lambda: False, _STEPS_BETWEEN_LOOKS)
    return connection


@contextmanager
def told() -> Iterator[None]:
    """Warnings about the settings are sentences on standard error, as all that the command says is."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        yield
    for warning in heard:
        print(f"klaviyo-sql: {warning.message}", file=sys.stderr)


def _key(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"The key file {path} cannot be read: {reason}.") from None
