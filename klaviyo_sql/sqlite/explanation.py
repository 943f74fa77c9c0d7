"""What is told of a statement before it is run: the scans as a tree, what is written, and what both cost; as text, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from klaviyo_sql.model.request import Request

ROUND_TRIP = 0.2
"""Seconds that a request is taken to last; Klaviyo's pages take 0.15 to 0.3 s."""
_REQUESTS_SHOWN, _LINES_SHOWN, _LOOKUPS_SHOWN = 3, 40, 5


@dataclass(frozen=True, slots=True)
class Step:
    """One scan of one table.

    `requests` are those that are known beforehand, as a person reads them; `times` says how often the scan runs, `more` what follows the first
    requests. `exact` and `rechecked` name the columns whose conditions Klaviyo is sent. `likely` is how many requests
    it would be, and `seconds` how long they would take, if the table had `rows` rows.
    """

    table: str
    alias: str
    times: str
    requests: tuple[str, ...]
    least: int
    more: str
    exact: tuple[str, ...]
    rechecked: tuple[str, ...]
    ordered: bool
    limit: str
    likely: int
    seconds: float
    rows: int
    repeated: bool = False
    """Whether it runs inside other loops."""
    nothing: str | None = None
    before: tuple[str, ...] = ()
    """Requests that have to be made before these can be: they are the first of `requests`."""
    note: str = ""
    copy: str | None = None
    """How a materialized table is answered from its local copy."""


@dataclass(frozen=True, slots=True)
class Node:
    """A part of SQLite's plan: a scan of one of Klaviyo's tables, or `does`, what SQLite does itself; `inside` is run for it or within it."""

    does: str
    step: Step | None
    inside: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What a statement writes to one table: `requests` as they would be sent, or when the rows are not known without reading them, `ways` in which they would.

    `kind` is INSERT, UPDATE or DELETE.
    """

    table: str
    kind: str
    requests: tuple[Request, ...]
    ways: tuple[str, ...]
    lookups: tuple[tuple[str, Any], ...] = ()
    """Tables, and the ids that are looked up there before, a request each."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A statement's plan as a tree, all its scans in the order in which SQLite begins them, and what it writes.

    `least` requests and `seconds` are the fewest that it can take; `likely` and `likely_seconds` are for tables of a typical size.
    """

    tree: tuple[Node, ...]
    steps: tuple[Step, ...]
    least: int
    seconds: float
    likely: int
    likely_seconds: float
    writes: tuple[Written, ...] = ()
    calls: tuple[str, ...] = ()
    """What the procedures that it calls would send, as far as that does not depend on rows."""

    def __str__(self) -> str:
        return "\n".join(_text(self))


def _text(explanation: Explanation) -> Iterator[str]:
    if explanation.calls:
        yield "Would send, and sends nothing now:"
        yield from (f"  {call}" for call in explanation.calls)
    if not explanation.steps and not explanation.writes:
        if not explanation.calls:
            yield "No Klaviyo table is read: 0 requests."
        return
    if explanation.steps:
        yield from _branches(explanation.tree, "")
    for written in explanation.writes:
        yield from _writing_lines(written)
    plural = "" if explanation.least == 1 else "s"
    yield f"At least {explanation.least} request{plural}, {explanation.seconds:g} s at {ROUND_TRIP:g} s a request and within the limits."
    if explanation.likely > explanation.least:
        yield f"With tables of a typical size: about {explanation.likely:,} requests, {explanation.likely_seconds:,g} s."


def _writing_lines(written: Written) -> Iterator[str]:
    """What is said of one table that is written to."""
    if written.ways:
        yield f"{written.kind} of {written.table}: which rows is known when they are read; then"
        yield from (f"   {way}" for way in written.ways)
        return
    for name in dict.fromkeys(name for name, _ in written.lookups):
        ids = [str(given) for known, given in written.lookups if known == name]
        yield f"{name} is asked for {', '.join(ids[:_LOOKUPS_SHOWN])}{f' and {len(ids) - _LOOKUPS_SHOWN:,} more' if len(ids) > _LOOKUPS_SHOWN else ''}"
    count = len(written.requests)
    yield f"{written.kind} of {written.table}: {count:,} request{'' if count == 1 else 's'}"
    for request in written.requests[:_REQUESTS_SHOWN]:
        yield from (f"   {line}" for line in request.lines(_LINES_SHOWN))
    if count > _REQUESTS_SHOWN:
        yield f"   … and {count - _REQUESTS_SHOWN:,} more like these"


def _branches(nodes: Sequence[Node], indent: str) -> Iterator[str]:
    for node in nodes:
        last = node is nodes[-1]
        title, *lines = _lines(node)
        yield f"{indent}{'└─ ' if last else '├─ '}{title}"
        below = indent + ("   " if last else "│  ")
        bar = "│  " if node.inside else "   "
        yield from (f"{below}{bar}{line}" for line in lines)
        yield from _branches(node.inside, below)


def _lines(node: Node) -> Iterator[str]:
    """What is said of one node; the first line is its title."""
    step = node.step
    if step is None:
        yield f"SQLite: {node.does}"
        return
    yield f"{step.table}{f' AS {step.alias}' if step.alias.lower() != step.table.lower() else ''}: {step.times}"
    if step.nothing:
        yield f"no request: {step.nothing}"
        return
    if step.note:
        yield step.note
    if step.copy:
        yield step.copy
    yield from step.requests if len(step.requests) <= 4 else (*step.requests[:3], f"… and {len(step.requests) - 3} more like these")
    if step.more:
        yield f"then {step.more}"
    if step.exact:
        yield f"filtered by Klaviyo: {', '.join(step.exact)}"
    if step.rechecked:
        yield f"filtered by Klaviyo and checked again: {', '.join(step.rechecked)}"
    if step.ordered:
        yield "sorted by Klaviyo"
    if step.likely > step.least:
        yield f"about {step.likely:,} requests, {step.seconds:,g} s{'' if step.repeated else f', if that is {step.rows:,} rows'}"
    if step.limit:
        yield f"limit: {step.limit}"


def as_json(explanation: Explanation) -> str:
    """The explanation as a JSON object."""
    return msgspec.json.encode(explanation).decode()
