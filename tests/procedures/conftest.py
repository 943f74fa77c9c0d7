"""Connections that may write, and what is asked of them in every test."""

from __future__ import annotations

from typing import Any

import klaviyo_sql
from klaviyo_sql.sandbox import Account
from tests.writes.conftest import open_writing, sandbox_of, writing, written

__all__ = ["account_of", "bodies", "called", "open_writing", "writing", "written"]


def account_of(connection: klaviyo_sql.Connection) -> Account:
    """The account behind the connection, as it is."""
    return sandbox_of(connection).account


def called(connection: klaviyo_sql.Connection, sql: str, parameters: Any = ()) -> dict[str, Any]:
    """The one row that a call returns, by column."""
    cursor = connection.execute(sql, parameters)
    rows = cursor.fetchall()
    assert len(rows) == 1, rows
    assert cursor.description is not None
    return dict(zip([column[0] for column in cursor.description], rows[0], strict=True))


def bodies(connection: klaviyo_sql.Connection, sql: str, parameters: Any = ()) -> list[str]:
    """What a statement would send, from a connection with dry_run."""
    connection.execute(sql, parameters).fetchall()
    return [request.readable for request in connection.writer.rehearsed]
