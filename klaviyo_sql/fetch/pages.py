"""The pages of one chain: a request, its reply, its rows, the request for the next page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from klaviyo_sql.fetch.aggregates import Number, measurements_by_day
from klaviyo_sql.fetch.client import Client, Reply
from klaviyo_sql.fetch.refusals import reasons_in
from klaviyo_sql.fetch.rows import GarbageError, Row, decoder
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Measurement, PeriodStart
from klaviyo_sql.plan.periods import by_day, following
from klaviyo_sql.plan.scan import Aggregate, Chain

_MORE_TRIES = 4
"""How often a reply is asked for again whose JSON is not what it should be."""
_CACHED_PAGES = 16
"""Pages of one chain that are kept for the next query; a longer scan would only push out what is asked for more often."""


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one reply, and the request for the next page (None: this was the last)."""

    rows: list[Row]
    following: Request | None


def read(client: Client, chain: Chain, request: Request, number: int, interrupted: Callable[[], bool], queue: object = None) -> Page:
    """One page of a chain, its `number`-th from 1; the exceptions of `Client.send`, as are `interrupted` and `queue`.

    A resource that does not exist is a page without rows; a garbled reply is asked for again.
    """
    if chain.aggregate is not None:
        return Page(_periods(client, chain, chain.aggregate, interrupted, queue), None)
    decode = decoder(chain.decoded)
    decode_page = decode.single if chain.single else decode.page
    cache = number <= _CACHED_PAGES
    reply, page = _decoded(client, request, chain, lambda body: decode_page(body, chain.constants), interrupted, queue, cache=cache)
    if page is None:
        return Page([], None)
    reply.record.rows = len(page.rows)
    return Page(page.rows, client.following(request, page.next_url) if page.next_url else None)


def _decoded(
    client: Client, request: Request, chain: Chain, decode: Callable[[bytes], Any], interrupted: Callable[[], bool], queue: object, *, cache: bool = True
) -> tuple[Reply, Any]:
    """The reply and what it decodes to, None when there is no such resource."""
    for cached in (cache, *[False] * _MORE_TRIES):
        reply = client.send(request, absent_statuses=chain.absent_statuses, cache=cached, interrupted=interrupted, queue=queue)
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
    return bool(sources) and all(isinstance(source, dict) and source.get("pointer") == "/data/id" for source in sources)


def _periods(client: Client, chain: Chain, aggregate: Aggregate, interrupted: Callable[[], bool], queue: object) -> list[Row]:
    """The periods of one metric aggregate."""
    span = aggregate.span
    reply, found = _decoded(client, chain.request, chain, lambda body: measurements_by_day(body, aggregate.timezone), interrupted, queue)
    if found is None:
        return []
    starts = set(span.starts)
    if any(span.start <= day < span.end and day not in starts for day in found):
        found = _weeks_of_days(client, chain, aggregate, interrupted, queue)
    rows = [_period_row(chain, start, found[start]) for start in sorted(starts & found.keys())]
    reply.record.rows = len(rows)
    return rows


def _weeks_of_days(client: Client, chain: Chain, aggregate: Aggregate, interrupted: Callable[[], bool], queue: object) -> dict[date, dict[str, Number]]:
    """Weeks made of days, for an account whose weeks Klaviyo begins on another day: counts and sums add up, unique profiles do not."""
    span = aggregate.span
    if span.interval != "week":
        raise client.garbage(chain.request, f"its periods do not begin with the {span.interval}s of the account's time zone")
    request = by_day(chain.request)
    _, days = _decoded(client, request, chain, lambda body: measurements_by_day(body, aggregate.timezone), interrupted, queue)
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
