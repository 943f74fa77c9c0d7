"""Queries and the requests that they may make: the pairs of the .sql files in this folder.

A pair is a block of lines without an empty one: a comment that says what it shows, one query, and the requests, exactly and in order.

    -- a metric: the filter is Klaviyo's
    SELECT id FROM events WHERE metric_id = '{metric:Placed Order}' LIMIT 10;
    -- > GET /api/events?fields[event]=id&filter=equals(metric_id,"{metric:Placed Order}")&page[size]=10&sort=datetime

- `-- > nothing` says that nothing is sent, `-- > … x 3` that the same line comes three times.
- Parameters stand in the order of their names, decoded; the cursor of a following page is shown as `page[cursor]=…`. A body is shown as if its
  attributes were parameters.
- `-- @bind [1, "x"]` gives the values of parameters, `-- @before …` executes something first, whose requests do not count, `-- @with name=value`
  is an argument of connect(), `-- @fetch 1` takes that many rows instead of all, and `-- @unordered` lets the requests come in any order.
- Ids of the account: `{list:0}`, `{segment:0}`, `{profile:0}`, `{event:0}` by position, `{metric:Name}` by name, `{email:0}` of a profile,
  `{none:0}` for one that does not exist. Profiles, lists and segments are counted in the order of their ids. `{profile:0..149}` stands for several,
  quoted as SQL or as Klaviyo wants them. A request with `{each list}`, `{each segment}` or `{each metric}` stands for one for each of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from klaviyo_sql import Connection
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account, Response, Sandbox

FOLDER = Path(__file__).parent
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)


@dataclass(frozen=True)
class Pair:
    """A query and its requests."""

    file: str
    title: str
    sql: str
    requests: tuple[str, ...]
    directives: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return f"{self.file}: {self.title}"


def pairs(path: Path) -> Iterator[Pair]:
    """The pairs of one file."""
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip()):
        title: list[str] = []
        sql: list[str] = []
        requests: list[str] = []
        directives: list[tuple[str, str]] = []
        for line in block.splitlines():
            if line.startswith("-- > "):
                requests.append(line.removeprefix("-- > "))
            elif line.startswith("-- @"):
                name, _, value = line.removeprefix("-- @").partition(" ")
                directives.append((name, value))
            elif line.startswith("--"):
                title.append(line.removeprefix("--").strip())
            else:
                sql.append(line)
        if title and sql and requests:
            yield Pair(path.stem, " ".join(title), "\n".join(sql), tuple(requests), tuple(directives))
        elif sql or requests:
            raise ValueError(f"{path.name}: a pair has a comment, a query and requests, this one does not:\n{block}")


PAIRS = [pair for path in sorted(FOLDER.glob("*.sql")) for pair in pairs(path)]


class Names:
    """What the placeholders stand for in one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        profiles = sorted(account.profiles)
        self._lists: dict[str, list[str]] = {
            "profile": profiles,
            "list": sorted(account.lists),
            "segment": sorted(account.segments),
            "event": [event["id"] for event in account.events_in_order()],
            "email": self._known("email"),
            "phone": self._known("phone_number"),
            "external": self._known("external_id"),
            "kx": list(account.exchange_ids),
            "none": [f"NONE{number:04}" for number in range(2_000)],
            "metric": list(account.metrics),
        }

    def _known(self, attribute: str) -> list[str]:
        """Every value of the attribute that fits into SQL and filters without being escaped, in order."""
        values = {profile["attributes"][attribute] for profile in self._account.profiles.values()} - {None}
        return sorted(value for value in values if not set(value) & set("'\"\\"))

    def filled(self, text: str, quote: str) -> str:
        """The text with ids for placeholders; several are quoted."""

        def value(found: re.Match[str]) -> str:
            kind, which = found[1], found[2]
            values = self._lists[kind]
            if span := re.fullmatch(r"(\d+)\.\.(\d+)", which):
                chosen = values[int(span[1]) : int(span[2]) + 1]
                assert len(chosen) == int(span[2]) - int(span[1]) + 1, f"there are only {len(values)} of {kind}"
                return ",".join(f"{quote}{one}{quote}" for one in chosen)
            if which.isdigit():
                return values[int(which)]
            assert kind == "metric", found[0]
            return next(id_ for id_, metric in self._account.metrics.items() if metric["attributes"]["name"] == which)

        return re.sub(r"\{(\w+):([^}]+)\}", value, text)

    def expected(self, lines: tuple[str, ...]) -> list[str]:
        """The requests that the lines stand for."""
        requests: list[str] = []
        if lines == ("nothing",):
            return requests
        for line in lines:
            repeated = re.fullmatch(r"(.*) x (\d+)", line)
            text, times = (repeated[1], int(repeated[2])) if repeated else (line, 1)
            if each := re.search(r"\{each (\w+)\}", text):
                requests += [self.filled(text.replace(each[0], one), '"') for one in self._lists[each[1]]]
            else:
                requests += [self.filled(text, '"')] * times
        return requests


class WatchedSandbox(Sandbox):
    """A sandbox that keeps every request as a person would read it, with its body."""

    def handle(self, method: str, url: str, headers: Any, body: bytes = b"", *, sleep: Callable[[float], None] | None = None) -> Response:
        self.seen.append(readable(method, httpx.URL(url), body))
        return super().handle(method, url, headers, body, sleep=sleep)

    @property
    def seen(self) -> list[str]:
        return self.__dict__.setdefault("_seen", [])


def readable(method: str, url: httpx.URL, body: bytes) -> str:
    """The request in one line: parameters by name, decoded, the cursor left out."""
    parameters = dict(url.params)
    if "page[cursor]" in parameters:
        parameters["page[cursor]"] = "…"
    if body:
        data = json.loads(body)["data"]
        assert data.keys() == {"type", "attributes"}
        parameters |= {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in data["attributes"].items()}
    query = "&".join(f"{name}={value}" for name, value in sorted(parameters.items()))
    return f"{method} {unquote(url.path)}{'?' if query else ''}{query}"


def run(pair: Pair, account: Account, open_one: Callable[..., Connection]) -> list[str]:
    """The requests that the query makes on a connection of its own."""
    names = Names(account)
    sandbox = WatchedSandbox(account, clock=SimulatedClock(NOW))
    given = {
        name: float(value) if value.isdigit() else value
        for directive, text in pair.directives
        if directive == "with"
        for name, _, value in [text.partition("=")]
    }
    connection = open_one(sandbox=sandbox, **given)
    bindings: Any = ()
    fetched: int | None = None
    for directive, text in pair.directives:
        if directive == "before":
            cursor = connection.execute(names.filled(text, "'"))
            if cursor.description:
                cursor.fetchall()
        elif directive == "bind":
            bindings = json.loads(names.filled(text, '"'))
        elif directive == "fetch":
            fetched = int(text)
        else:
            assert directive in ("with", "unordered"), f"what is @{directive}?"
    sandbox.seen.clear()
    cursor = connection.execute(names.filled(pair.sql, "'"), bindings)
    if cursor.description:
        cursor.fetchmany(fetched if fetched is not None else 1_000_000)
    assert {record.status for record in sandbox.requests} <= {200, 404}, "a request was refused"
    return list(sandbox.seen)


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.name for pair in PAIRS])
def test_a_query_makes_these_requests(pair: Pair, account: Account, open_sandbox: Callable[..., Connection]) -> None:
    made, expected = run(pair, account, open_sandbox), Names(account).expected(pair.requests)
    if ("unordered", "") in pair.directives:
        made, expected = sorted(made), sorted(expected)
    assert made == expected


def test_titles_are_unique() -> None:
    assert len({pair.name for pair in PAIRS}) == len(PAIRS)


def test_there_are_enough_pairs() -> None:
    assert len(PAIRS) >= 80
