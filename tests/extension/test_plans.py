"""The plan suite once more, through the extension: the same queries make the same requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from plans.test_plans import PAIRS, Names, Pair

from klaviyo_sql.sandbox import Account

from .host import Host

# Statements are not read before SQLite reads them: what a scan of the events finds out by itself is in another file.
TAKEN = [pair for pair in PAIRS if pair.file != "counts"]


@pytest.mark.parametrize("pair", TAKEN, ids=[pair.name for pair in TAKEN])
def test_a_query_makes_the_same_requests(pair: Pair, account: Account, open_host: Callable[..., Host]) -> None:
    names = Names(account)
    given: dict[str, Any] = {}
    for directive, text in pair.directives:
        if directive == "with":
            name, _, value = text.partition("=")
            given[name] = float(value) if value.isdigit() else value
    host = open_host("plans", **given)
    bindings: Any = ()
    fetched = 1_000_000
    for directive, text in pair.directives:
        if directive == "before":
            host.execute(names.filled(text, "'")).fetchall()
        elif directive == "bind":
            bindings = json.loads(names.filled(text, '"'))
        elif directive == "fetch":
            fetched = int(text)
    requests = host.sandbox.requests
    requests.clear()
    cursor = host.execute(names.filled(pair.sql, "'"), bindings)
    rows = iter(cursor)
    for _ in range(fetched):
        if next(rows, None) is None:
            break
    made, expected = [record.line for record in requests], names.expected(pair.requests)
    if ("unordered", "") in pair.directives:
        made, expected = sorted(made), sorted(expected)
    assert made == expected
    assert {record.status for record in requests} <= {200, 404}, "a request was refused"
