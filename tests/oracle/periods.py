"""The period tables a second time: which periods a query is of, and what happened in them, counted event by event."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import apsw

from klaviyo_sql.sandbox import Account

from . import instants, truth

DAY = timedelta(days=1)
_A_DAY = 86_400 * 10**18
TABLES = {"daily_metrics": ("day", "date"), "weekly_metrics": ("week", "week_start_date"), "monthly_metrics": ("month", "month_start_date")}

Term = tuple[str, tuple[str | None, ...]]
"""An operator on the start column and its constants."""


def in_zone(timezone: str) -> Account:
    """The account of the oracle, somewhere else in the world."""
    made = truth.generated()
    attributes = {**made.account["attributes"], "timezone": timezone}
    return replace(made, account={**made.account, "attributes": attributes})


def start_of(interval: str, day: date) -> date:
    """The first day of the period."""
    if interval == "month":
        return date(day.year, day.month, 1)
    return day - DAY * day.weekday() if interval == "week" else day


def next_start(interval: str, start: date) -> date:
    """The first day of the period after it."""
    return start_of("month", start + 31 * DAY) if interval == "month" else start + DAY * (7 if interval == "week" else 1)


def starts(interval: str, terms: list[Term], today: date) -> list[date]:
    """The complete past periods that the conditions on the start column are about.

    Ranges are cut to whole days. Equalities pick the periods that begin on those days, if they are in the ranges; otherwise it is the periods
    whose days are all in them. A start alone goes on for a year, an end alone goes back a year, nothing at all is the year before today.
    """
    lows, highs, chosen = [], [], []
    for operator, constants in terms:
        if operator in ("=", "IN"):
            chosen.append({_instant(text) for text in constants if text is not None})
        elif None in constants:
            return []
        elif operator == "BETWEEN":
            lows.append((_instant(constants[0]), True))
            highs.append((_instant(constants[1]), True))
        else:
            (lows if operator[0] == ">" else highs).append((_instant(constants[0]), operator.endswith("=")))
    if any(low >= _instant(today.isoformat()) for low, _ in lows):
        return []
    first = max((_whole_day(low, 0 if inclusive and low % _A_DAY == 0 else 1) for low, inclusive in lows), default=None)
    last = min((_whole_day(high, 0 if inclusive and high % _A_DAY == 0 else -1) for high, inclusive in highs), default=None)
    if chosen:
        days = [date.fromordinal(instant // _A_DAY) for instant in set.intersection(*chosen) if instant % _A_DAY == 0]
        inside = [day for day in days if (first is None or day >= first) and (last is None or day <= last)]
        return sorted(day for day in inside if start_of(interval, day) == day and next_start(interval, day) <= today)
    if first is None:
        first = _year_from(last + DAY if last is not None and last < today else today, -1)
    elif last is None:
        last = _year_from(first, 1) - DAY
    end = last + DAY if last is not None and last < today else today
    found = []
    start = start_of(interval, first)
    while (following := next_start(interval, start)) <= end:
        if start >= first:
            found.append(start)
        start = following
    return found


def _instant(text: str | None) -> int:
    found = instants.attoseconds(text or "")
    assert found is not None
    return found


def _whole_day(instant: int, step: int) -> date:
    return date.fromordinal(instant // _A_DAY) + step * DAY


def _year_from(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 2, 28)


class Counts:
    """Every event of the account in the periods of its time zone."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.zone = ZoneInfo(account.account["attributes"]["timezone"])
        self._events: defaultdict[tuple[str, str, date], list[dict[str, Any]]] = defaultdict(list)
        for event in account.events:
            day = datetime.fromtimestamp(event["attributes"]["timestamp"], UTC).astimezone(self.zone).date()
            for interval in ("day", "week", "month"):
                self._events[interval, event["metric_id"], start_of(interval, day)].append(event)

    def rows(self, interval: str, found: list[date]) -> list[tuple[str, str, int, float, int]]:
        """The rows of all metrics in these periods, those without events too."""
        return [self._row(interval, metric_id, start) for metric_id in self.account.metrics for start in found]

    def _row(self, interval: str, metric_id: str, start: date) -> tuple[str, str, int, float, int]:
        events = self._events.get((interval, metric_id, start), [])
        total = math.fsum(event["attributes"]["event_properties"].get("$value") or 0 for event in events)
        people = {event["profile_id"] for event in events if event["profile_id"] is not None}
        return metric_id, start.isoformat(), len(events), total, len(people)

    def fill(self, plain: apsw.Connection, table: str, terms: list[Term], today: date) -> int:
        """Make the plain table hold the periods that these conditions are about; how many there are."""
        interval, _ = TABLES[table]
        found = starts(interval, terms, today)
        pascal = "".join(word.capitalize() for word in table.split("_"))
        declared = truth.TABLES[table]
        plain.execute(f"DROP TABLE IF EXISTS {table}; DROP TABLE IF EXISTS {pascal}")
        plain.execute(truth.declaration(declared, table))
        plain.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", self.rows(interval, found))
        plain.execute(truth.declaration(declared, pascal, lambda word: "".join(part.capitalize() for part in word.split("_"))))
        plain.execute(f"INSERT INTO {pascal} SELECT * FROM {table}")
        return len(found)
