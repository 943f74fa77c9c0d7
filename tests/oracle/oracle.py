"""Runs a query on both sides and says how the answers differ."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import apsw

from klaviyo_sql import Connection
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Account, Sandbox
from klaviyo_sql.sandbox.entitlements import DEFAULT, WEBHOOKS
from klaviyo_sql.tables import TABLES

_SHOWN = 5
_REFUSE_NONSENSE = ("get_event", "get_flow_action", "get_flow_action_messages", "get_mapped_metric", "get_coupon")
_ABSENT_IS_AN_ANSWER = frozenset((400, 404))


@dataclass(frozen=True)
class Query:
    """A query and how its answer is to be compared.

    `sequence`: ORDER BY leaves no choice. `keys`: positions of the ORDER BY terms among the results, which leave ties. `full` is the query
    without its LIMIT, whose rows (a choice of) the answer has to be. `before` and `after` run on both sides around it.
    """

    sql: str
    parameters: tuple[Any, ...] = ()
    sequence: bool = False
    keys: tuple[int, ...] = ()
    full: str = ""
    full_parameters: tuple[Any, ...] | None = None
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        return f"{self.sql}\n-- {list(self.parameters)!r}"[:6000]


def connection(account: Account, cached: bool, **given: Any) -> Connection:
    """The account's tables, at noon and a bit of the account's last day."""
    clock = SimulatedClock(datetime.combine(account.today, time(18), tzinfo=UTC))
    # Webhooks are read as an OAuth app reads them.
    sandbox = Sandbox(account, clock=clock, entitlements=(*DEFAULT, WEBHOOKS))
    # The side without a cache reads with many requests at once, the other page after page.
    given = {"cache_seconds": 60.0 if cached else 0, "parallel": 1 if cached else 20, "max_wait": 10_000, **given}
    return opened(":memory:", sandbox=sandbox, autocommit=True, **given)


class Oracle:
    """Two connections to the account's tables, with and without a page cache, and the plain tables.

    `faulty` sandboxes answer some requests with errors, which says nothing of what was asked.
    """

    def __init__(self, account: Account, plain: apsw.Connection, opens: Callable[[bool], Connection] | None = None, *, faulty: bool = False) -> None:
        self.plain = plain
        self._faulty = faulty
        self._opens = opens or functools.partial(connection, account)
        self._connections: dict[bool, Connection] = {}

    def close(self) -> None:
        for opened_connection in self._connections.values():
            opened_connection.close()

    def check(self, query: Query, *, cached: bool) -> list[tuple[Any, ...]]:
        """The answer; AssertionError when it is not the truth, or when something was sent that Klaviyo refuses."""
        tables = self._connections.get(cached) or self._connections.setdefault(cached, self._opens(cached))
        sandbox = tables.sandbox
        assert sandbox is not None
        sandbox.requests.clear()
        if query.before:
            tables.executescript(query.before)
            self.plain.execute(_plainly(query.before))
        try:
            wanted = self.plain.execute(_plainly(query.sql), query.parameters).fetchall()
            full = (
                self.plain.execute(_plainly(query.full), query.parameters if query.full_parameters is None else query.full_parameters).fetchall()
                if query.full
                else wanted
            )
            try:
                got = tables.execute(_by_klaviyo(query.sql), query.parameters).fetchall()
            except Exception as error:
                raise AssertionError(f"{type(error).__name__}: {error}\n{query}") from error
        finally:
            if query.after:
                tables.executescript(query.after)
                self.plain.execute(query.after)
        difference = _difference(query, got, wanted, full)
        assert difference is None, f"{difference}\n{query}"
        refused = [record for record in sandbox.requests if not 200 <= record.status < 300 and not _is_absent(record)]
        assert self._faulty or not refused, f"Klaviyo refused {refused[:3]}\n{query}"
        return got


def _by_klaviyo(sql: str) -> str:
    for name in TABLES:
        sql = sql.replace(f"{{*{name}}}", "*")
    return sql


def _plainly(sql: str) -> str:
    """`{*profiles}` is the `*` of a table that has hidden columns, which a plain table cannot have."""
    for name, table in TABLES.items():
        sql = sql.replace(f"{{*{name}}}", ", ".join(f'"{column.name}"' for column in table.columns if not column.hidden))
    return sql


def _is_absent(record: Any) -> bool:
    """Whether it is the lookup of one id that does not exist."""
    return record.status in _ABSENT_IS_AN_ANSWER and (record.status == 404 or record.operation in _REFUSE_NONSENSE)


def _difference(query: Query, got: Sequence[Any], wanted: Sequence[Any], full: Sequence[Any]) -> str | None:
    left, right = [canonical(row) for row in got], [canonical(row) for row in wanted]
    if query.sequence and left != right:
        return _described("another sequence", left, right)
    if query.keys:
        keys = [[tuple(row[position] for position in query.keys) for row in rows] for rows in (left, right)]
        if keys[0] != keys[1]:
            return _described("another order", left, right)
    if len(left) != len(right):
        return _described(f"{len(left)} rows instead of {len(right)}", left, right)
    if query.full:
        strange = Counter(left) - Counter(canonical(row) for row in full)
        return f"rows that the query without its LIMIT has not: {list(strange)[:_SHOWN]}" if strange else None
    return None if Counter(left) == Counter(right) else _described("other rows", left, right)


def _described(kind: str, left: list[Any], right: list[Any]) -> str:
    more, less = list((Counter(left) - Counter(right)).elements()), list((Counter(right) - Counter(left)).elements())
    text = f"{kind}: {len(left)} rows, {len(right)} in truth; {len(more)} too many: {more[:_SHOWN]}; {len(less)} missing: {less[:_SHOWN]}"
    return text if more or less else f"{text}; got {left[:_SHOWN]}, in truth {right[:_SHOWN]}"


def canonical(row: Sequence[Any]) -> tuple[Any, ...]:
    """The row with what may differ levelled: the last digits of sums, and spaces and the order of keys in JSON."""
    return tuple(map(_canonical, row))


def _canonical(value: Any) -> Any:
    if isinstance(value, float):
        return ("REAL", f"{value:.9g}")
    if isinstance(value, int):
        return ("INTEGER", value)
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return ("JSON", json.dumps(json.loads(value), sort_keys=True))
        except ValueError:
            return value
    return value
