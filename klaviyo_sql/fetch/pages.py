"""The pages of one chain: a request, its reply, its rows, the request for the next page."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import httpx

from klaviyo_sql.fetch.aggregates import Number, measurements_by_day, measurements_by_start
from klaviyo_sql.fetch.answers import aggregate_rows, report_rows
from klaviyo_sql.fetch.budget import Budget
from klaviyo_sql.fetch.client import Client, Reply
from klaviyo_sql.fetch.nested import is_nested, nested_decoder
from klaviyo_sql.fetch.refusals import reasons_in
from klaviyo_sql.fetch.rows import GarbageError, Row, decoder
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Measurement, PeriodStart
from klaviyo_sql.plan.chains import Aggregate, Answer, Chain, Counted
from klaviyo_sql.plan.periods import by_day, following

MORE_TRIES = 4
"""How often a reply is asked for again whose JSON is not what it should be."""
CACHED_PAGES = 16
"""Pages of one chain that are kept for the next query; a longer scan would only push out what is asked for more often."""

Send = Callable[..., Reply]
"""`Client.send` for one chain of one statement."""

_NOT_AGGREGATED = frozenset({400, 403, 404})
"""Statuses that mean that a metric's events have to be counted here."""


_POINTERS_TO_THE_ID = frozenset({"/data/id", "/data/attributes/id"})


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one reply, and the request for the next page (None: this was the last)."""

    rows: list[Row]
    following: Request | None
    size: int = 0
    """How many bytes of JSON the reply was."""
    kept: int = 0
    """How many bytes it was while nobody had read it."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A reply with a page of resources, not inflated and not decoded yet: that is for whoever uses the rows.

    Made where they are used, a page's rows are still in the processor's cache, in memory that the page before has left; and threads that only send and
    receive hardly compete for the interpreter.
    """

    client: Client
    chain: Chain
    request: Request
    reply: Reply

    def page(self) -> Page:
        """The page; GarbageError when it is none."""
        chain, reply = self.chain, self.reply
        decode = nested_decoder(chain.decoded, chain.each) if is_nested(chain.decoded, chain.each) else decoder(chain.decoded)
        try:
            body = reply.body
        except httpx.DecodingError as error:
            raise GarbageError(f"it could not be decompressed ({error})") from None
        page = (decode.single if chain.single else decode.page)(body, chain.constants)
        reply.record.rows = len(page.rows)
        return Page(page.rows, self.client.following(self.request, page.next_url) if page.next_url else None, len(body), len(reply.content))


def read(
    client: Client, chain: Chain, request: Request, budget: Budget, interrupted: Callable[[], bool], *, queue: object = None, cache: bool = True
) -> Page | Arrival:
    """One page of a chain, or the reply with it; the exceptions of `Client.send`, as are `budget`, `interrupted` and `queue`.

    A resource that does not exist is a page without rows, unless it was there at an earlier page.
    """
    send = functools.partial(client.send, absent_statuses=chain.absent_statuses, interrupted=interrupted, budget=budget, queue=queue)
    if chain.aggregate is not None:
        return Page(_periods(client, send, chain, chain.aggregate), None)
    if chain.answer is not None and chain.answer.start is not None:
        return Page(_aggregated(client, send, chain, chain.answer), None)
    if chain.answer is not None:
        return _reported(client, send, chain, chain.answer, request)
    if chain.counted is not None and request is chain.request:
        counted = _counted(send, chain, chain.counted)
        if counted is not None:
            return Page(counted, None)
    reply = send(request, cache=cache, packed=True)
    if 200 <= reply.status < 300:
        return Arrival(client, chain, request, reply)
    if request != chain.request or not _is_absent(reply):
        raise client.refused(request, reply)
    return Page([], None)


def _decoded(client: Client, send: Send, request: Request, decode: Callable[[bytes], Any], *, cache: bool = True) -> tuple[Reply, Any]:
    """The reply and what it decodes to, None when there is no such resource."""
    for cached in (cache, *[False] * MORE_TRIES):
        reply = send(request, cache=cached)
        if not 200 <= reply.status < 300:
            if not _is_absent(reply):
                raise client.refused(request, reply)
            return reply, None
        try:
            return reply, decode(reply.body)
        except GarbageError as error:
            garbage = client.garbage(request, str(error))
    raise garbage


def _is_absent(reply: Reply) -> bool:
    """Whether the reply says that there is no such resource: 404, or a 400 about the id in the path, which is how events answer nonsense."""
    if reply.status != 400:
        return True
    sources = [reason.get("source") for reason in reasons_in(reply.body)]
    return bool(sources) and all(isinstance(source, dict) and source.get("pointer") in _POINTERS_TO_THE_ID for source in sources)


def _counted(send: Send, chain: Chain, counted: Counted) -> list[Row] | None:
    """A row for each bucket that has events; None when Klaviyo does not aggregate the metric, or its buckets are others than those that were meant."""
    # 400 is a metric of the user's own making, 403 a key without the scope of metrics: the events themselves can still be read.
    reply = send(counted.request, absent_statuses=_NOT_AGGREGATED)
    if not 200 <= reply.status < 300:
        return None
    try:
        found = measurements_by_start(reply.body)
    except GarbageError:
        return None
    step = timedelta(hours=1) if counted.interval == "hour" else timedelta(days=1)
    rows = []
    for start, measured in sorted(found.items()):
        # Klaviyo may send buckets around the range, as long as nothing is in them.
        count = measured.get("count")
        if count == 0:
            continue
        if count is None or count != int(count) or not counted.start <= start < counted.end or (start - counted.start) % step:
            return None
        total = measured.get("sum_value")
        text = timestamps.to_sql(start)
        values: dict[str, Any] = {"metric": counted.metric, "start": text, "key": f"{counted.metric} {text}", "count": int(count)}
        values["sum_value"] = None if total is None else float(total)
        rows.append(tuple(values[what] if what else constant for what, constant in zip(counted.row, chain.constants, strict=True)))
    reply.record.rows = len(rows)
    return rows


def _aggregated(client: Client, send: Send, chain: Chain, answer: Answer) -> list[Row]:
    """All groups of a metric aggregate: the cursor of a page travels in the body, so that the window could not tell its pages apart."""
    request, rows, seen = chain.request, [], set()
    while True:
        reply, (page, cursor) = _decoded(client, send, request, lambda body: aggregate_rows(body, chain, answer), cache=not chain.fresh)
        reply.record.rows = len(page)
        rows += page
        if cursor is None:
            return rows
        if cursor in seen:
            raise client.garbage(request, "the link to the next page leads to one that was read before")
        seen.add(cursor)
        data = (chain.request.body or {})["data"]
        request = replace(request, body={"data": {**data, "attributes": {**data["attributes"], "page_cursor": cursor}}})


def _reported(client: Client, send: Send, chain: Chain, answer: Answer, request: Request) -> Page:
    """One page of a report."""
    reply, (rows, link) = _decoded(client, send, request, lambda body: report_rows(body, chain, answer), cache=not chain.fresh)
    reply.record.rows = len(rows)
    return Page(rows, client.following(request, link) if link else None, len(reply.body))


def _periods(client: Client, send: Send, chain: Chain, aggregate: Aggregate) -> list[Row]:
    """The periods of one metric aggregate."""
    span = aggregate.span
    reply, found = _decoded(client, send, chain.request, lambda body: measurements_by_day(body, aggregate.timezone))
    if found is None:
        return []
    starts = set(span.starts)
    if any(span.start <= day < span.end and day not in starts for day in found):
        found = _weeks_of_days(client, send, chain, aggregate)
    rows = [_period_row(chain, start, found[start]) for start in sorted(starts & found.keys())]
    reply.record.rows = len(rows)
    return rows


def _weeks_of_days(client: Client, send: Send, chain: Chain, aggregate: Aggregate) -> dict[date, dict[str, Number]]:
    """Weeks made of days, for an account whose weeks Klaviyo begins on another day: counts and sums add up, unique profiles do not."""
    span = aggregate.span
    if span.interval != "week":
        raise client.garbage(chain.request, f"its periods do not begin with the {span.interval}s of the account's time zone")
    request = by_day(chain.request)
    _, days = _decoded(client, send, request, lambda body: measurements_by_day(body, aggregate.timezone))
    weeks: dict[date, dict[str, Number]] = {}
    for start in span.starts:
        inside = [values for day, values in (days or {}).items() if start <= day < following("week", start)]
        weeks[start] = {name: sum(values.get(name) or 0 for values in inside) for name in ("count", "sum_value")} | {"unique": None}
    return weeks


def _period_row(chain: Chain, start: date, values: dict[str, Number]) -> Row:
    row: list[Any] = []
    for constant, column in zip(chain.constants, chain.decoded, strict=True):
        place = column.place
        if isinstance(place, PeriodStart):
            row.append(start.isoformat())
        elif isinstance(place, Measurement):
            number = values.get(place.name)
            row.append(None if number is None else float(number) if place.name == "sum_value" else int(number))
        else:
            row.append(constant)
    return tuple(row)
