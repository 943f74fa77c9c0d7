"""Metric aggregates and reports: questions with arguments, held against the contract before anything is sent.

An argument that is not given has a default, which the rows repeat. A time without an offset is one of the time zone that the answer is in.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from klaviyo_sql import contract
from klaviyo_sql.errors import DataError
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Column, Grouping, Measurement, MetricQuestion, Parameter, Question, Report, Statistic, Table
from klaviyo_sql.plan import filters, periods
from klaviyo_sql.plan.chains import Answer, Chain, Plan
from klaviyo_sql.plan.constraints import Unknown, Wanted, combine
from klaviyo_sql.plan.scan import Scan, Today

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_HAS_OFFSET = re.compile(r"[T ].*(?:Z|[+-]\d{2}(?::?\d{2})?)\Z", re.IGNORECASE)
_LONGEST = {"hourly": timedelta(days=7), "daily": timedelta(days=60), "weekly": timedelta(weeks=52), "monthly": timedelta(weeks=52)}
_SHORT_FRAMES = ("today", "yesterday", "this_week", "last_week", "last_7_days")
_FRAMES = {"hourly": _SHORT_FRAMES, "daily": (*_SHORT_FRAMES, "this_month", "last_month", "last_30_days")}
"""The time frames that are not too long for an interval, where some are."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the answer to a question may depend on: the present, and what is read from the account when it matters."""

    now: datetime
    today: Callable[[], Today]
    revenue_metric: Callable[[], str]


def plan(scan: Scan, known: Known) -> Plan:
    """The plan of a question; DataError when it is one that Klaviyo does not answer."""
    table, source = scan.table, scan.table.source
    wanted = combine(table, scan.constraints)
    contradiction = next((entry.impossible for entry in wanted.values() if entry.impossible), None)
    if contradiction:
        return Plan(table, nothing=contradiction)
    given: dict[str, str] = {}
    for position, entry in wanted.items():
        place = table.columns[position].place
        if isinstance(place, Parameter) and entry.values is not None:
            if len(entry.values) != 1:
                return Plan(table, nothing=f"no value of {place.name} satisfies every condition on it")
            given[place.name] = str(entry.values[0])
            if isinstance(entry.values[0], Unknown) and not place.required:
                del given[place.name]
    if any(isinstance(value, Unknown) for entry in wanted.values() for value in entry.values or ()):
        # The query is only explained: the time is then as unknown as its ends.
        given = {name: value for name, value in given.items() if name not in ("since", "until", "timeframe")}
    for column in table.columns:
        if isinstance(column.place, Parameter) and column.place.required and column.place.name not in given:
            raise DataError(f"{table.name} needs {column.name}: {table.name}('…') or WHERE {column.name} = '…'.")
    chains: tuple[Chain, ...]
    if isinstance(source, MetricQuestion):
        chains = tuple(_metric_chains(scan, source, given, known))
    else:
        assert isinstance(source, Report)  # noqa: S101 - there are no others
        groupings = _groupings(table, source, given)
        ungrouped = next((column.name for column in _grouped_columns(table, wanted) if column.place.name not in groupings), None)  # type: ignore[union-attr]
        if ungrouped is not None:
            return Plan(table, nothing=f"{ungrouped} is NULL in every row, for group_by does not name it")
        chains = (_report_chain(scan, source, given, groupings, _filter(table, wanted), known),)
    return Plan(table, chains, sent=tuple(table.columns[position].name for position in wanted))


def _metric_chains(scan: Scan, source: MetricQuestion, given: dict[str, str], known: Known) -> Iterator[Chain]:
    """One chain for each year, each bucket whole in one of them."""
    table = scan.table
    interval = _one_of(table, "interval", given.get("interval", "day"), _described("MetricAggregateQuery")["interval"]["enum"])
    by = _listed(table, "by", given.get("by"), _described("MetricAggregateQuery")["by"]["items"]["enum"])
    timezone = _zone(table, given["timezone"]) if "timezone" in given else known.today().timezone
    since, until = (_instant(table, name, given.get(name), timezone) for name in ("since", "until"))
    if until is None and since is not None:
        until = min(_year_later(since, timezone), max(known.now, since + timedelta(seconds=1)))
    until = until or known.now
    since = since or _year_earlier(until, timezone)
    if since >= until:
        raise DataError(f"{table.name}: until must be later than since.")
    until = min(until, known.now)
    measured = {column.place.name for n, column in enumerate(table.columns) if n in scan.columns and isinstance(column.place, Measurement)}
    measurements = tuple(name for name in periods.MEASUREMENTS if name in measured) or ("count",)
    arguments = {
        "metric_id": given["metric_id"],
        "interval": interval,
        "by": given.get("by"),
        "timezone": timezone,
        "since": given.get("since") or timestamps.to_sql(since),
        "until": given.get("until") or timestamps.to_sql(until),
    }
    for start, end in _pieces(interval, since, until, timezone):
        body = periods.body_between(given["metric_id"], interval, start, end, timezone, measurements)
        if by:
            body["data"]["attributes"]["by"] = list(by)
        key = (given["metric_id"], interval, list(by), timezone)
        yield _chain(scan, source, body, arguments, Answer(by, interval, timezone, start, end, key))


def _pieces(interval: str, since: datetime, until: datetime, timezone: str) -> Iterator[tuple[datetime, datetime]]:
    """The range of the buckets that begin inside it, in pieces of at most a year that begin and end with a bucket."""
    if interval == "hour":
        start, end = (_next_hour(instant, timezone) for instant in (since, until))
        while start < end:
            piece = min(end, start + periods.LONGEST - _HOUR)  # an hour less, for a year on the wall may be an hour longer
            yield start, piece
            start = piece
        return
    first, last = (_next_period(interval, instant, timezone) for instant in (since, until))
    if first < last:
        for span in periods.spans_of_a_year(periods.Span(interval, first, last), timezone):
            yield periods.midnight(span.start, timezone), periods.midnight(span.end, timezone)


def _next_hour(instant: datetime, timezone: str) -> datetime:
    """The first beginning of an hour of the time zone that is not before the instant."""
    local = instant.astimezone(ZoneInfo(timezone))
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return instant + (_HOUR - into if into else timedelta())


def _next_period(interval: str, instant: datetime, timezone: str) -> date:
    """The first day of the first period that does not begin before the instant."""
    start = periods.beginning(interval, instant.astimezone(ZoneInfo(timezone)).date())
    return start if periods.midnight(start, timezone) >= instant else periods.following(interval, start)


def _grouped_columns(table: Table, wanted: dict[int, Wanted]) -> list[Column]:
    """The columns of groupings that conditions are sent of."""
    return [table.columns[position] for position in sorted(wanted) if isinstance(table.columns[position].place, Grouping)]


def _filter(table: Table, wanted: dict[int, Wanted]) -> str | None:
    """The conditions on groupings in Klaviyo's filter language, each on a grouping, so that a group is left out or whole; longer lists are SQLite's alone."""
    clauses = []
    for position, entry in sorted(wanted.items()):
        place = table.columns[position].place
        if not isinstance(place, Grouping) or place.filters is None or not entry.values or len(entry.values) > filters.MOST_VALUES:
            continue
        # What Klaviyo does not take in a filter, SQLite looks for in the rows.
        if all(value and (place.values is None or value in place.values) for value in entry.values):
            one, several = place.filters
            single = len(entry.values) == 1 and one != several
            clauses.append(filters.clause(one, place.name, entry.values[0]) if single else filters.clause(several, place.name, list(entry.values)))
    return ",".join(clauses) or None


def _groupings(table: Table, source: Report, given: dict[str, str]) -> tuple[str, ...]:
    """What the report is grouped by."""
    if "group_by" not in given:
        return source.groupings
    described = _described(contract.operation(source.operation).body["$ref"])  # type: ignore[index]  # reports have bodies
    groupings = _listed(table, "group_by", given["group_by"], described["group_by"]["items"]["enum"])
    missing = [name for name in source.required if name not in groupings]
    if missing or not groupings:
        raise DataError(f"{table.name} can only be grouped by {', '.join(source.required or source.groupings)} and others: add them to group_by.")
    if "form_version_id" in groupings and "form_id" not in groupings:
        raise DataError(f"{table.name} can be grouped by form_version_id only together with form_id: add form_id to group_by.")
    return groupings


def _report_chain(scan: Scan, source: Report, given: dict[str, str], groupings: tuple[str, ...], filter_: str | None, known: Known) -> Chain:
    table = scan.table
    described = _described(contract.operation(source.operation).body["$ref"])  # type: ignore[index]  # reports have bodies
    attributes: dict[str, Any] = {}
    arguments: dict[str, Any] = {name: given.get(name) for name in ("since", "until")}
    interval = None
    if source.series:
        interval = attributes["interval"] = arguments["interval"] = _one_of(table, "interval", given.get("interval", "daily"), described["interval"]["enum"])
    attributes["timeframe"] = _timeframe(table, given, interval, known)
    arguments["timeframe"] = attributes["timeframe"].get("key")
    if "group_by" in given:
        attributes["group_by"] = list(groupings)
    arguments["group_by"] = given.get("group_by", ",".join(groupings))
    if source.conversion:
        attributes["conversion_metric_id"] = arguments["conversion_metric_id"] = given.get("conversion_metric_id") or known.revenue_metric()
    used = {column.place.name for n, column in enumerate(table.columns) if n in scan.columns and isinstance(column.place, Statistic)}
    attributes["statistics"] = sorted(used) or [source.statistic]
    body = {"data": {"type": source.kind, "attributes": attributes}}
    timeframe = tuple(attributes["timeframe"].values())
    if filter_ is not None:
        attributes["filter"] = filter_
    return _chain(scan, source, body, arguments, Answer(groupings, interval, key=(timeframe, interval, groupings, arguments.get("conversion_metric_id"))))


def _timeframe(table: Table, given: dict[str, str], interval: str | None, known: Known) -> dict[str, str]:
    """Klaviyo's time frame: by its name, or from one local time to another."""
    if "timeframe" in given and ("since" in given or "until" in given):
        raise DataError(f"{table.name} takes a timeframe, or since and until, not both.")
    if "since" not in given:
        if "until" in given:
            raise DataError(f"{table.name} needs since where until is given.")
        named = given.get("timeframe", "last_7_days" if interval == "hourly" else "last_30_days")
        _one_of(table, "timeframe", named, contract.schemas()["Timeframe"]["properties"]["key"]["enum"])
        frames = _FRAMES.get(interval or "")
        if frames and named not in frames:
            raise DataError(f"The timeframe {named} is too long for the interval {interval}, which takes {', '.join(frames)}, or since and until.")
        return {"key": named}
    today = known.today()
    zone = ZoneInfo(today.timezone)
    since, until = (_instant(table, name, given.get(name), today.timezone) for name in ("since", "until"))
    assert since is not None  # noqa: S101 - it is given
    start = since.astimezone(zone).replace(tzinfo=None)
    end = datetime.combine(today.day + _DAY, time()) if until is None else until.astimezone(zone).replace(tzinfo=None)
    if start >= end:
        raise DataError(f"{table.name}: until must be later than since.")
    if datetime.combine(periods.a_year_after(start.date()), start.time()) < end:
        raise DataError(f"{table.name} covers a year at most: bring since and until closer together.")
    if interval is not None and end - start > _LONGEST[interval]:
        raise DataError(f"{table.name} covers {_LONGEST[interval].days} days at most where the interval is {interval}.")
    # Klaviyo takes no notice of the offset: these are times of the account's own clock.
    return {"start": f"{start.isoformat(timespec='seconds')}+00:00", "end": f"{end.isoformat(timespec='seconds')}+00:00"}


def _chain(scan: Scan, source: Question, body: dict[str, Any], arguments: dict[str, Any], answer: Answer) -> Chain:
    operation = contract.operation(source.operation)
    columns = tuple(dict.fromkeys(scan.columns))
    decoded = tuple(scan.table.columns[n] for n in columns)
    return Chain(
        request=Request(source.operation, operation.method, operation.path, body=body, table=scan.table.name),
        columns=columns,
        decoded=decoded,
        constants=tuple(arguments.get(column.place.name) if isinstance(column.place, Parameter) else None for column in decoded),
        answer=answer,
        fresh=scan.fresh,
    )


@functools.cache
def _described(name: str) -> dict[str, Any]:
    """What the contract says of the attributes of a body."""
    schemas = contract.schemas()
    resource = schemas[schemas[name]["properties"]["data"]["$ref"]]
    attributes: dict[str, Any] = resource["properties"]["attributes"]["properties"]
    return attributes


def _one_of(table: Table, name: str, value: str, choices: list[str]) -> str:
    if value not in choices:
        raise DataError(f"{table.name} has no {name} {value!r}; there are {', '.join(choices)}.")
    return value


def _listed(table: Table, name: str, text: str | None, choices: list[str]) -> tuple[str, ...]:
    """Names separated by commas, or a JSON array of them, each once."""
    if text is None or not text.strip():
        return ()
    names: Any = text.split(",")
    if text.lstrip().startswith("["):
        try:
            names = json.loads(text)
        except ValueError:
            names = None
        if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
            raise DataError(f"{table.name}: {name} is a list of names separated by commas, or a JSON array of texts; {text!r} is neither.")
    return tuple(dict.fromkeys(_one_of(table, name, one.strip(), choices) for one in names))


def _zone(table: Table, name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DataError(f"{table.name}: {name!r} is no time zone; write it as in 'Europe/Berlin' or 'UTC'.") from None
    return name


def _instant(table: Table, name: str, text: str | None, timezone: str) -> datetime | None:
    """The instant of an argument; without an offset it is a time of the time zone."""
    if text is None:
        return None
    try:
        instant = timestamps.parse(text)
    except ValueError:
        raise DataError(f"{table.name}: {name} is {text!r}, which is no time; write it in ISO 8601, such as '2026-01-31' or '2026-01-31T08:30:00Z'.") from None
    if _HAS_OFFSET.search(text.strip()):
        return instant
    return instant.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def _year_later(instant: datetime, timezone: str) -> datetime:
    local = instant.astimezone(ZoneInfo(timezone))
    return datetime.combine(periods.a_year_after(local.date()), local.time(), local.tzinfo).astimezone(UTC)


def _year_earlier(instant: datetime, timezone: str) -> datetime:
    """The beginning of a year of 365 days that ends with the day before the instant, or with the instant's own if that has begun: one request."""
    last = (instant - timedelta(seconds=1)).astimezone(ZoneInfo(timezone)).date()
    return periods.midnight(last + _DAY - periods.LONGEST, timezone)
