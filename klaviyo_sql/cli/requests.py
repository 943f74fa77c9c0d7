"""The requests that a query took, for people: as a table, or as lines that read like the requests themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from klaviyo_sql.cli.display import cut, visible
from klaviyo_sql.cli.formats.text_table import text_table
from klaviyo_sql.cli.progress import counted
from klaviyo_sql.cli.terminal import Look
from klaviyo_sql.fetch.log import RequestLog, RequestRecord

_COLUMNS = ("operation", "status", "ms", "waited ms", "rows", "cached")
_SHOWN = 5
_CACHED = " (from the cache)"
_FIELDS = re.compile(r"(?:^|(?<=&)|&)((?:additional-)?fields\[[\w-]+\]=[^&]*)")


def since(log: RequestLog, number: int) -> list[RequestRecord]:
    """The requests after the one with this number."""
    return [record for record in log if record.number > number]


def as_table(records: Sequence[RequestRecord], look: Look) -> Iterator[str]:
    """One line a request, and their sum."""
    rows = [
        (
            record.operation,
            record.status if record.status is not None else visible(record.error or "no reply"),
            round(record.milliseconds),
            round(record.waited_ms),
            record.rows,
            "yes" if record.cached else "no",
        )
        for record in records
    ]
    if rows:
        yield from text_table(_COLUMNS, rows, look)
    yield f"{summary(records)}\n"


def summary(records: Sequence[RequestRecord]) -> str:
    """`3 requests (1 from the cache)`."""
    cached = sum(record.cached for record in records)
    return counted(len(records), "request") + (f" ({cached:,} from the cache)" if cached else "")


def as_lines(records: Sequence[RequestRecord], look: Look, width: int) -> Iterator[str]:
    """How many there were, and the first of them, cut to the width."""
    yield f"{summary(records)}{':' if records else '.'}\n"
    for record in records[:_SHOWN]:
        note = _CACHED if record.cached else ""
        yield look.dim(cut(f"  {described(record)}", width - len(note), look.mark) + note) + "\n"
    if len(records) > _SHOWN:
        yield look.dim(f"  {look.mark} and {len(records) - _SHOWN:,} more like these") + "\n"


def described(record: RequestRecord) -> str:
    """The request as `GET /api/events?page[size]=1000`; one that reads by POST with its body behind it."""
    separator = "?" if record.method == "GET" else " "
    # The columns come last: what is asked for is more telling than what is told of it, where the line is cut.
    fields = "".join(f"&{part}" for part in _FIELDS.findall(record.query)) if record.method == "GET" else ""
    query = f"{_FIELDS.sub('', record.query)}{fields}".lstrip("&") if fields else record.query
    target = f"{record.path}{separator}{query}" if query else record.path
    return visible(f"{record.method} {target}")
