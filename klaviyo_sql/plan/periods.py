"""Days, weeks and months of the account's time zone, and the metric aggregate requests that cover them.

The rules are Skyvia's, whose users' queries must give the same answer here: only complete past periods; a range of dates is cut to the full
periods inside it; no range means the last year, a start alone one year from it.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from klaviyo_sql.model import timestamps
from klaviyo_sql.model.request import Request
from klaviyo_sql.plan.constraints import Bound, Unknown, Wanted, whole_day

_DAY = timedelta(days=1)
MEASUREMENTS = ("count", "sum_value", "unique")
LONGEST = timedelta(days=365)
"""The span of one request. Klaviyo allows a year and does not say whether a leap year's 366 days are one."""


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive periods, from the first day of the first to the day after the last."""

    interval: str
    start: date
    end: date

    @property
    def starts(self) -> list[date]:
        """The first day of each period."""
        days, day = [], self.start
        while day < self.end:
            days.append(day)
            day = following(self.interval, day)
        return days


def beginning(interval: str, day: date) -> date:
    """The first day of the period that the day is in; weeks begin on Monday."""
    if interval == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval == "month" else day


def following(interval: str, start: date, periods: int = 1) -> date:
    """The first day of the period that many later."""
    if interval == "month":
        year, month = divmod(start.year * 12 + start.month - 1 + periods, 12)
        return date(year, month + 1, 1)
    return start + timedelta(days=(7 if interval == "week" else 1) * periods)


def a_year_after(day: date) -> date:
    """The same day next year; 28 February for 29 February."""
    return _moved_year(day, 1)


def a_year_before(day: date) -> date:
    """The same day last year; 28 February for 29 February."""
    return _moved_year(day, -1)


def _moved_year(day: date, years: int) -> date:
    year = day.year + years
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))


# The calendar that periods are computed in leaves room at both ends, so that no step leads out of it.
_FIRST, _LAST = date(1900, 1, 1), date(9000, 1, 1)


def _inside(day: date) -> date:
    return min(max(day, _FIRST), _LAST)


def complete_periods(interval: str, wanted: Wanted, today: date) -> Span | None:
    """The full past periods that the conditions on the start column leave; None when there is none.

    A comparison bounds a range of days: `> '2023-01-01'` begins it on the second, `< '2023-02-05'` ends it with the fourth, and a period
    counts when all its days are inside. An equality picks the period that begins on that day.
    """
    first, last = _days(wanted, interval, today)
    start = beginning(interval, first)
    if start < first:
        start = following(interval, start)
    end = beginning(interval, min(last + _DAY, today))
    return Span(interval, start, end) if start < end else None


def _days(wanted: Wanted, interval: str, today: date) -> tuple[date, date]:
    """The first and the last day that the conditions leave, both included."""
    if wanted.values is not None:
        days = [_inside(value.date()) for value in wanted.values if isinstance(value, datetime) and value.time() == time.min]
        if not days:
            unknown = any(isinstance(value, Unknown) for value in wanted.values)
            return (a_year_before(today), today) if unknown else (today, _FIRST)
        return min(days), max(following(interval, beginning(interval, day)) - _DAY for day in days)
    first, last = _day(wanted.low, upper=False), _day(wanted.high, upper=True)
    if first is None:
        first = a_year_before(last + _DAY if last is not None and last < today else today)
    elif last is None:
        last = a_year_after(first) - _DAY
    return first, _LAST if last is None else last


def _day(bound: Bound | None, *, upper: bool) -> date | None:
    return None if bound is None or isinstance(bound.value, Unknown) else _inside(whole_day(bound, upper=upper).value.date())


def spans_of_a_year(span: Span, timezone: str) -> Iterator[Span]:
    """The span in pieces of at most a year, each beginning and ending with a period."""
    start = span.start
    while start < span.end:
        end = min(beginning(span.interval, start + LONGEST), span.end)
        if _is_too_long(start, end, timezone):
            end = beginning(span.interval, end - _DAY)
        yield Span(span.interval, start, end)
        start = end


def _is_too_long(start: date, end: date, timezone: str) -> bool:
    """Whether a change of the clocks makes an hour more than a year of 365 days, as time passes or as the clock on the wall shows it."""
    begins, ends = midnight(start, timezone), midnight(end, timezone)
    zone = ZoneInfo(timezone)
    on_the_wall = ends.astimezone(zone).replace(tzinfo=None) - begins.astimezone(zone).replace(tzinfo=None)
    return max(ends - begins, on_the_wall) > LONGEST


def midnight(day: date, timezone: str) -> datetime:
    """The instant at which the day begins in the time zone."""
    return datetime.combine(day, time.min, ZoneInfo(timezone)).astimezone(UTC)


def body(metric_id: str, span: Span, timezone: str, measurements: tuple[str, ...]) -> dict[str, Any]:
    """The body of POST /api/metric-aggregates for the periods of a span."""
    return body_between(metric_id, span.interval, midnight(span.start, timezone), midnight(span.end, timezone), timezone, measurements)


def body_between(metric_id: str, interval: str, start: datetime, end: datetime, timezone: str, measurements: tuple[str, ...]) -> dict[str, Any]:
    """The same from one instant to another; bounds as instants, so that nobody has to guess which zone they are in."""
    return {
        "data": {
            "type": "metric-aggregate",
            "attributes": {
                "metric_id": metric_id,
                "measurements": list(measurements),
                "interval": interval,
                "timezone": timezone,
                "filter": [
                    f"greater-or-equal(datetime,{timestamps.to_klaviyo(start)})",
                    f"less-than(datetime,{timestamps.to_klaviyo(end)})",
                ],
            },
        }
    }


def by_day(request: Request) -> Request:
    """The request of a metric aggregate, for days and for what adds up over them."""
    data = (request.body or {})["data"]
    attributes = {**data["attributes"], "interval": "day", "measurements": ["count", "sum_value"]}
    return replace(request, body={"data": {**data, "attributes": attributes}})
