"""Instants: read from any ISO 8601 text, written as one fixed-width UTC text that orders as time does.

SQL sees `YYYY-MM-DD HH:MM:SS`, with six decimals in the columns where Klaviyo sends microseconds; Klaviyo sees
`YYYY-MM-DDTHH:MM:SSZ`, never an offset, because a `+` in a query string that somebody forgets to encode becomes a space.
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, date, datetime, timedelta

COLLATION = "INSTANT"
"""The collating sequence of time columns: SQLite compares them as instants in every expression, whatever the ISO 8601 form."""

COLLATION_OF_ANYTHING = "INSTANT_OR_TEXT"
"""The same for columns that may also hold texts that are no times: these come after all times."""

_REDUCED = re.compile(r"(\d{4})(?:-(\d{2}))?\Z")
_ORDINAL = re.compile(r"(\d{4})-?(\d{3})(?=\Z|[T ])")
_TRAILING_OFFSET = re.compile(r"\s+(?=(?:[+-]\d{2}:?\d{2}|[+-]\d{2}|Z)\Z)", re.IGNORECASE)
_END_OF_DAY = re.compile(r"(?<=[T ])24(?=(?::?00(?::?00(?:[.,]0+)?)?)?(?:Z|[+-]|\Z))")
_TOO_FINE = re.compile(r"[.,][0-9]{6}0*[1-9]")
_CANONICAL = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{6})?\Z")
_ONE_SECOND = timedelta(seconds=1)


def parse(text: str, *, cut: bool = False) -> datetime:
    """The instant that an ISO 8601 text names, in UTC; ValueError when it names none.

    An instant is no finer than microseconds: more decimals are an error, or cut off when `cut` is true.

    Taken: calendar, week (`2026-W01-1`) and ordinal (`2026-123`) dates, basic and extended forms, a year or a month alone (their first instant),
    `T` or a space before the time, hours alone, 24:00, decimals behind `.` or `,`, `Z` or an offset, in either case. Without an offset it is UTC.
    """
    stripped = _TRAILING_OFFSET.sub("", text.strip()).upper()
    if not cut and _TOO_FINE.search(stripped):
        raise ValueError(f"{text!r} is finer than microseconds")
    if found := _REDUCED.match(stripped):
        return datetime(int(found[1]), int(found[2] or 1), 1, tzinfo=UTC)
    if found := _ORDINAL.match(stripped):
        day = date(int(found[1]), 1, 1) + timedelta(days=int(found[2]) - 1)
        if day.year != int(found[1]) or found[2] == "000":
            raise ValueError(f"{text!r} is not an ISO 8601 time")
        stripped = day.isoformat() + stripped[found.end() :]
    stripped, ends_the_day = _END_OF_DAY.subn("00", stripped)
    try:
        instant = datetime.fromisoformat(stripped) + timedelta(days=ends_the_day)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not an ISO 8601 time") from None


def to_sql(instant: datetime, *, microseconds: bool = False) -> str:
    """The text that SQL sees: `YYYY-MM-DD HH:MM:SS` in UTC, with `.ffffff` when asked."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f" if microseconds else "%Y-%m-%d %H:%M:%S").rjust(26 if microseconds else 19, "0")


def to_klaviyo(instant: datetime) -> str:
    """The text that Klaviyo's filters take: `YYYY-MM-DDTHH:MM:SSZ`, with decimals only where there are any."""
    text = instant.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{text}Z"


def from_klaviyo(text: str, *, microseconds: bool = False) -> str:
    """Klaviyo's text as SQL sees it; ValueError when it is no time.

    Klaviyo writes `2026-09-04T13:39:33+00:00` (some columns with microseconds); some replies had a space for the `T`.
    """
    length = len(text)
    if not microseconds:
        if (length == 25 and text.endswith("+00:00")) or (length == 20 and text[19] == "Z"):
            return f"{text[:10]} {text[11:19]}"
    elif length == 32 and text.endswith("+00:00"):
        return f"{text[:10]} {text[11:26]}"
    return to_sql(parse(text, cut=True), microseconds=microseconds)


def floor(instant: datetime) -> datetime:
    """The last whole second that is not after the instant."""
    return instant.replace(microsecond=0)


def ceiling(instant: datetime) -> datetime:
    """The first whole second that is not before the instant; in the last second of the calendar, the instant itself."""
    if not instant.microsecond:
        return instant
    try:
        return floor(instant) + _ONE_SECOND
    except OverflowError:  # the last second of the calendar
        return instant


def compare(left: str, right: str) -> int:
    """-1, 0 or 1 as the instant `left` is before, at or after `right`; texts that are no times come after all times, in their own order."""
    if len(left) == len(right) and _CANONICAL.match(left) and _CANONICAL.match(right):
        return (left > right) - (left < right)
    first, second = _rank(left), _rank(right)
    return (first > second) - (first < second)


@functools.lru_cache(maxsize=4096)
def _rank(text: str) -> tuple[int, datetime, str]:
    """Where the text stands in the order of `compare`; remembered, because a scan compares each of its rows with the same constants."""
    try:
        return 0, parse(text), ""
    except ValueError:
        return 1, datetime.max.replace(tzinfo=UTC), text
