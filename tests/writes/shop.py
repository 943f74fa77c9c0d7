"""A connection that writes, with what it sent and what the account became of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import klaviyo_sql
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account
from tests.writes.conftest import sandbox_of

Sent = tuple[str, str, Any]


class Shop:
    """`run` executes statements and commits them; `account` is what is at Klaviyo's then."""

    def __init__(self, connection: klaviyo_sql.Connection, audit: Path) -> None:
        self.connection = connection
        self._audit = audit

    @property
    def account(self) -> Account:
        return sandbox_of(self.connection).account

    def run(self, sql: str, *parameters: Any) -> list[Sent]:
        """Method, path and body of each write that the statements sent; with a list of tuples the statement is executed for each."""
        before = len(self._lines())
        if parameters and isinstance(parameters[0], list):
            self.connection.executemany(sql, parameters[0])
        else:
            self.connection.execute(sql, parameters)
        self.connection.commit()
        return [(line["method"], line["path"], line["body"]) for line in self._lines()[before:]]

    def reads(self) -> list[str]:
        """The paths that were read so far, without those that follow jobs."""
        return [record.path for record in self.connection.requests if record.method == "GET" and "-jobs" not in record.path]

    def one(self, sql: str, *parameters: Any) -> Any:
        """The one value that a query returns."""
        (row,) = self.connection.execute(sql, parameters).fetchall()
        return row[0]

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._audit.read_text(encoding="utf-8").splitlines()] if self._audit.exists() else []


def attributes(sent: Iterable[Sent]) -> list[Any]:
    """The attributes of each body."""
    return [body["data"].get("attributes") for _, _, body in sent]


def named(resources: dict[str, Any], name: str, key: str = "name") -> dict[str, Any]:
    """The one resource with that name."""
    (found,) = [resource for resource in resources.values() if resource["attributes"].get(key) == name]
    return dict(found)


def pass_time(shop: Shop) -> None:
    """Ten minutes go by, and what Klaviyo does meanwhile is done."""
    clock = sandbox_of(shop.connection).clock
    assert isinstance(clock, SimulatedClock)
    clock.sleep(600)
    shop.connection.execute("SELECT id FROM accounts").fetchall()
