"""What a report was asked for: the body of the request held against the contract, and the time frame in the account's own clock.

Times here are those of the account's time zone without an offset: Klaviyo ignores offsets in time frames, and labels local midnights `+00:00`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from klaviyo_sql.contract import FilterRule, schemas
from klaviyo_sql.sandbox.bodies import decode
from klaviyo_sql.sandbox.endpoints import Call
from klaviyo_sql.sandbox.filter_grammar import Clause, FilterSyntaxError, parse
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.query import complaint_about

_ATTRIBUTES = "/data/attributes"
_MOST_ITEMS = 100
_DAY = timedelta(days=1)
_LONGEST = timedelta(days=366)
# A time frame by name that ends today has a day more than its name says (recorded: eight days in last_7_days).
_LONGEST_BY_INTERVAL = {"hourly": timedelta(days=8), "daily": timedelta(days=61), "weekly": _LONGEST, "monthly": timedelta(weeks=53)}
CHANNELS = ("email", "sms", "push-notification", "whatsapp")


@dataclass(frozen=True, slots=True)
class ReportRules:
    """What one kind of report demands beyond the contract."""

    groupings: tuple[str, ...]
    """What the results are grouped by unless the request says it."""
    required: tuple[str, ...]
    """What must be among the groupings if there are any."""
    filters: Mapping[str, FilterRule]


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A report request that passed; `starts` are the beginnings of the buckets, one for a report of values."""

    statistics: tuple[str, ...]
    groupings: tuple[str, ...]
    conditions: tuple[Clause, ...]
    conversion_metric_id: str
    zone: ZoneInfo
    start: datetime
    end: datetime
    starts: tuple[datetime, ...]
    series: bool

    def admits(self, values: Mapping[str, Any]) -> bool:
        """Whether a group with these values passes the filter; a value may be a list."""
        for clause in self.conditions:
            found = values.get(clause.field)
            have = set(found if isinstance(found, list) else [found])
            wanted = set(clause.value if isinstance(clause.value, tuple) else (clause.value,))
            if not (wanted <= have if clause.operator == "contains-all" else wanted & have):
                return False
        return True


def read_request(call: Call, kind: str, rules: ReportRules) -> ReportRequest:
    """The request; RefusedError with what is wrong with it."""
    attributes = _attributes(call.body, kind)
    described = _described(call)
    if unknown := sorted(set(attributes) - set(described["properties"])):
        _refuse(f"{unknown[0]!r} is not a valid field for the resource '{kind}'.", unknown[0])
    for name in described["required"]:
        if attributes.get(name) in (None, [], {}):
            _refuse(f"'{name}' is a required field.", name)
    statistics = _choices(attributes["statistics"], described, "statistics")
    groupings = _groupings(attributes.get("group_by"), described, rules)
    conversion = attributes.get("conversion_metric_id")
    if conversion in call.account.custom_metrics:
        _refuse(f"Metric {conversion} does not support querying for values data.", "conversion_metric_id")
    if conversion is not None and conversion not in call.account.metrics:
        _refuse(f"A metric with id {conversion} does not exist.", "conversion_metric_id")
    zone = ZoneInfo(call.account.account["attributes"]["timezone"])
    start, end = _timeframe(attributes["timeframe"], call.now.astimezone(zone).replace(tzinfo=None))
    interval = attributes.get("interval")
    if interval is not None and interval not in _LONGEST_BY_INTERVAL:
        _refuse(f"{interval!r} is not a valid interval.", "interval")
    if interval is not None and end - start > _LONGEST_BY_INTERVAL[interval]:
        _refuse(f"The timeframe is too long for the interval {interval!r}.", "timeframe")
    starts = (start,) if interval is None else tuple(_bucket_starts(start, end, interval))
    conditions = _conditions(attributes.get("filter"), rules)
    return ReportRequest(statistics, groupings, conditions, conversion or "", zone, start, end, starts, interval is not None)


def _attributes(body: bytes, kind: str) -> dict[str, Any]:
    document = decode(body)
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or data.get("type") != kind:
        raise RefusedError(invalid(f"The type must be '{kind}'.", pointer="/data/type"))
    attributes = data.get("attributes")
    if not isinstance(attributes, dict):
        raise RefusedError(invalid("'attributes' is a required field.", pointer=_ATTRIBUTES))
    return attributes


def _described(call: Call) -> dict[str, Any]:
    """The contract's schema of the attributes."""
    schema: dict[str, Any] = call.operation.body or {}
    schema = schemas()[schema["$ref"]]["properties"]["data"]
    described: dict[str, Any] = schemas()[schema["$ref"]]["properties"]["attributes"]
    return described


def _refuse(detail: str, name: str) -> NoReturn:
    raise RefusedError(invalid(detail, pointer=f"{_ATTRIBUTES}/{name}"))


def _choices(value: Any, described: dict[str, Any], name: str) -> tuple[str, ...]:
    allowed = described["properties"][name]["items"]["enum"]
    if not isinstance(value, list):
        _refuse(f"'{name}' must be a list.", name)
    for item in value:
        if item not in allowed:
            _refuse(f"{item!r} is not a valid choice for '{name}'.", name)
    return tuple(dict.fromkeys(value))


def _groupings(value: Any, described: dict[str, Any], rules: ReportRules) -> tuple[str, ...]:
    if value is None:
        return rules.groupings
    groupings = _choices(value, described, "group_by")
    if missing := [name for name in rules.required if name not in groupings]:
        _refuse(f"{', '.join(missing)} must be among the groupings.", "group_by")
    return groupings


def _conditions(text: Any, rules: ReportRules) -> tuple[Clause, ...]:
    if text is None:
        return ()
    try:
        clauses = parse(text if isinstance(text, str) else "")
    except FilterSyntaxError as error:
        _refuse(str(error), "filter")
    seen: set[str] = set()
    for clause in clauses:
        if complaint := complaint_about(clause, rules.filters):
            _refuse(complaint, "filter")
        if clause.field in seen:
            _refuse(f"Only one filter on {clause.field!r} is allowed.", "filter")
        if isinstance(clause.value, tuple) and len(clause.value) > _MOST_ITEMS:
            _refuse(f"A list may have {_MOST_ITEMS} items at most.", "filter")
        seen.add(clause.field)
    return clauses


def _timeframe(value: Any, now: datetime) -> tuple[datetime, datetime]:
    if not isinstance(value, dict):
        _refuse("'timeframe' must have a key, or a start and an end.", "timeframe")
    if "key" in value:
        frame = _named_frames(now).get(value["key"])
        if frame is None:
            _refuse(f"{value['key']!r} is not a valid timeframe.", "timeframe/key")
        return frame
    start, end = _local(value.get("start"), "start"), _local(value.get("end"), "end")
    if start >= end:
        _refuse("The timeframe ends before it starts.", "timeframe")
    if end - start > _LONGEST:
        _refuse("The timeframe must not be longer than one year.", "timeframe")
    return start, end


def _local(text: Any, name: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except (TypeError, ValueError):
        _refuse(f"{text!r} is not a datetime.", f"timeframe/{name}")


@functools.lru_cache(8)
def _named_frames(now: datetime) -> Mapping[str, tuple[datetime, datetime]]:
    """The time frames by name. That `last_3_months` and `last_12_months` are whole months is the sandbox's own reading."""
    today = datetime.combine(now.date(), time())
    week = today - timedelta(days=today.weekday())
    month = today.replace(day=1)
    year = month.replace(month=1)
    return {
        "today": (today, now),
        "yesterday": (today - _DAY, today),
        "this_week": (week, now),
        "last_week": (week - 7 * _DAY, week),
        "this_month": (month, now),
        "last_month": (_months_before(month, 1), month),
        "this_year": (year, now),
        "last_year": (year.replace(year=year.year - 1), year),
        "last_7_days": (today - 7 * _DAY, now),
        "last_30_days": (today - 30 * _DAY, now),
        "last_90_days": (today - 90 * _DAY, now),
        "last_365_days": (today - 365 * _DAY, now),
        "last_3_months": (_months_before(month, 3), month),
        "last_12_months": (_months_before(month, 12), month),
    }


def _months_before(month: datetime, count: int) -> datetime:
    years, index = divmod(month.month - 1 - count, 12)
    return month.replace(year=month.year + years, month=index + 1)


def _bucket_starts(start: datetime, end: datetime, interval: str) -> list[datetime]:
    """From the start of the bucket that the time frame begins in; weeks begin on Mondays."""
    if interval == "hourly":
        first, step = start.replace(minute=0, second=0, microsecond=0), timedelta(hours=1)
    else:
        first, step = datetime.combine(start.date(), time()), _DAY
    if interval == "weekly":
        first, step = first - timedelta(days=first.weekday()), 7 * _DAY
    elif interval == "monthly":
        first = first.replace(day=1)
    starts = []
    while first < end:
        starts.append(first)
        first = _months_before(first, -1) if interval == "monthly" else first + step
    return starts
