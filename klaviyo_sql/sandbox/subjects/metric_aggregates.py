"""Metric aggregates: events of one metric counted, summed and counted by profile, in buckets of the requested time zone."""

from __future__ import annotations

import functools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from klaviyo_sql.contract import FilterRule, schemas
from klaviyo_sql.sandbox.account import Resource
from klaviyo_sql.sandbox.bodies import decode
from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, Endpoint
from klaviyo_sql.sandbox.filter_grammar import Clause, FilterSyntaxError, Moment, parse
from klaviyo_sql.sandbox.generation.moments import seconds_text
from klaviyo_sql.sandbox.problems import RefusedError, invalid, not_found, not_imitated
from klaviyo_sql.sandbox.query import complaint_about

# Recorded: Klaviyo knows time zones by an older list, without these.
_REFUSED_TIMEZONES = frozenset(("Factory", "Europe/Kyiv", "Pacific/Kanton"))
_SMALLEST_PAGE = 500
_ATTRIBUTES = "/data/attributes"
_MEASUREMENTS = ("count", "sum_value", "unique")
_INTERVALS = ("hour", "day", "week", "month")
_KNOWN = frozenset(("metric_id", "page_cursor", "measurements", "interval", "page_size", "by", "return_fields", "filter", "timezone", "sort"))


@dataclass(frozen=True, slots=True)
class _Question:
    metric_id: str
    measurements: tuple[str, ...]
    interval: str
    by: tuple[str, ...]
    zone: ZoneInfo
    start: datetime
    end: datetime
    conditions: tuple[Clause, ...]
    page_size: int


def query_metric_aggregates(call: Call) -> dict[str, Any]:
    """The answer to one question about one metric."""
    question = _read(call.body)
    if question.metric_id not in call.account.metrics:
        raise RefusedError(not_found(f"Metric with id {question.metric_id} does not exist."))
    events = call.account.events_of_metric(question.metric_id)
    first = bisect_left(events, question.start.timestamp(), key=_timestamp)
    last = bisect_left(events, question.end.timestamp(), key=_timestamp)
    starts = [int(start.timestamp()) for start in _bucket_starts(question)]
    groups = _grouped(question, events[first:last])
    if len(groups) > question.page_size:
        raise RefusedError(not_imitated("More groups than fit on a page."))
    rows = [{"dimensions": list(names), "measurements": _measure(question, starts, members)} for names, members in groups.items()]
    attributes = {"dates": [seconds_text(start) for start in starts], "data": rows}
    names = call.query.fields.get("metric-aggregate")
    if names is not None:
        attributes = {name: attributes[name] for name in names if name in attributes}
    # The id means nothing and is never the same.
    data = {"type": "metric-aggregate", "id": str(call.now.timestamp()).replace(".", "").ljust(18, "0"), "attributes": attributes}
    data["links"] = {"self": f"{call.origin}/api/metric-aggregates/"}
    return {"data": data, "links": {"self": call.link(call.query.pairs), "next": None, "prev": None}}


def _timestamp(event: Resource) -> int:
    timestamp: int = event["attributes"]["timestamp"]
    return timestamp


def _grouped(question: _Question, events: list[Resource]) -> dict[tuple[str, ...], list[Resource]]:
    wanted = {clause.field: clause.value for clause in question.conditions}
    groups: dict[tuple[str, ...], list[Resource]] = {} if question.by else {(): []}
    for event in events:
        properties = event["attributes"]["event_properties"]
        # An event without the property is in a group with an empty name.
        if all(_text(properties.get(field)) == value for field, value in wanted.items()):
            groups.setdefault(tuple(_text(properties.get(name)) for name in question.by), []).append(event)
    return groups


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _measure(question: _Question, starts: list[int], events: list[Resource]) -> dict[str, list[float]]:
    buckets: list[list[Resource]] = [[] for _ in starts]
    for event in events:
        buckets[bisect_right(starts, _timestamp(event)) - 1].append(event)
    return {measurement: [_measured(measurement, bucket) for bucket in buckets] for measurement in question.measurements}


def _measured(measurement: str, events: list[Resource]) -> float:
    if measurement == "count":
        return len(events)
    if measurement == "unique":
        return len({event["profile_id"] for event in events} - {None})
    values = (event["attributes"]["event_properties"].get("$value") for event in events)
    # What a sender wrote as text is no number to add up.
    total = math.fsum(value for value in values if isinstance(value, int | float))
    return int(total) if total.is_integer() else total


def _bucket_starts(question: _Question) -> Iterator[datetime]:
    """The instants at which buckets start, from the one that contains the start of the range to the last before its end."""
    zone = question.zone
    local = question.start.astimezone(zone)
    if question.interval == "hour":
        # Hours of the local clock, counted in elapsed time: a day of 25 hours has 25 of them.
        instant = question.start - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        while instant < question.end:
            yield instant
            instant += timedelta(hours=1)
        return
    day = local.date()
    if question.interval == "week":
        day -= timedelta(days=day.weekday())
    elif question.interval == "month":
        day = day.replace(day=1)
    while (instant := datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)) < question.end:
        yield instant
        day = _following(day, question.interval)


def _following(day: date, interval: str) -> date:
    if interval == "month":
        return date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return day + timedelta(days=7 if interval == "week" else 1)


def _read(body: bytes) -> _Question:
    attributes = _decoded(body)
    if unknown := sorted(set(attributes) - _KNOWN):
        _refuse(f"{unknown[0]!r} is not a valid field for the resource 'metric-aggregate'.", unknown[0])
    if attributes.get("sort") is not None:
        _refuse("Invalid sort.", "sort")
    if attributes.get("page_cursor") is not None:
        raise RefusedError(not_imitated("page_cursor of metric aggregates."))
    metric_id = attributes.get("metric_id")
    if not isinstance(metric_id, str):
        _refuse("'metric_id' is a required field.", "metric_id")
    page_size = attributes.get("page_size")
    if page_size is None:
        page_size = _SMALLEST_PAGE
    if not isinstance(page_size, int) or isinstance(page_size, bool) or page_size < _SMALLEST_PAGE:
        _refuse(f"page_size must be an integer of at least {_SMALLEST_PAGE}.", "page_size")
    interval = attributes.get("interval") or "day"
    if interval not in _INTERVALS:
        _refuse(f"{interval!r} is not a valid interval.", "interval")
    zone = _zone(attributes.get("timezone"))
    by = _strings(attributes.get("by") or [], "by")
    for name in by:
        _check_dimension(name)
    measurements = _strings(attributes.get("measurements"), "measurements")
    if not measurements or set(measurements) - set(_MEASUREMENTS):
        _refuse(f"measurements must be a list of {', '.join(_MEASUREMENTS)}.", "measurements")
    start, end, conditions = _range(_strings(attributes.get("filter"), "filter"), zone, by)
    return _Question(str(metric_id), measurements, interval, by, zone, start, end, conditions, page_size)


def _decoded(body: bytes) -> dict[str, Any]:
    document = decode(body)
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or data.get("type") != "metric-aggregate":
        raise RefusedError(invalid("The type must be 'metric-aggregate'.", pointer="/data/type"))
    attributes = data.get("attributes")
    if not isinstance(attributes, dict):
        raise RefusedError(invalid("'attributes' is a required field.", pointer=_ATTRIBUTES))
    return attributes


def _refuse(detail: str, name: str) -> None:
    raise RefusedError(invalid(detail, pointer=f"{_ATTRIBUTES}/{name}"))


def _strings(value: Any, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        _refuse(f"'{name}' must be a list of strings.", name)
    return tuple(value)


@functools.cache
def _zone(name: Any) -> ZoneInfo:
    if name is None:
        return ZoneInfo("UTC")
    known = {"utc"} | available_timezones() - _REFUSED_TIMEZONES
    if name not in known:
        _refuse(f"{name!r} is not a valid timezone.", "timezone")
    return ZoneInfo("UTC" if name == "utc" else name)


@functools.cache
def _described_dimensions() -> frozenset[str]:
    described = schemas()["MetricAggregateQueryResourceObject"]["properties"]["attributes"]["properties"]["by"]["items"]["enum"]
    return frozenset(described)


def _check_dimension(name: str) -> None:
    if name not in _described_dimensions():
        _refuse(f"{name!r} is not a valid dimension.", "by")


def _range(filters: tuple[str, ...], zone: ZoneInfo, by: tuple[str, ...]) -> tuple[datetime, datetime, tuple[Clause, ...]]:
    rules = {"datetime": FilterRule(("greater-or-equal", "less-than"), "date-time")} | {name: FilterRule(("equals",), "string") for name in by}
    bounds: dict[str, datetime] = {}
    conditions: list[Clause] = []
    for text in filters:
        try:
            clauses = parse(text)
        except FilterSyntaxError as error:
            raise RefusedError(invalid(str(error), pointer=f"{_ATTRIBUTES}/filter")) from error
        for clause in clauses:
            if complaint := complaint_about(clause, rules):
                _refuse(complaint, "filter")
            if not isinstance(clause.value, Moment):
                conditions.append(clause)
                continue
            if clause.operator in bounds:
                _refuse("Only one bound on each side of datetime is allowed.", "filter")
            instant = clause.value.instant
            bounds[clause.operator] = instant.replace(tzinfo=zone).astimezone(UTC) if clause.value.naive else instant
    start, end = bounds.get("greater-or-equal"), bounds.get("less-than")
    if start is None or end is None:
        raise RefusedError(invalid("greater-or-equal and less-than on datetime are both required.", pointer=f"{_ATTRIBUTES}/filter"))
    if start >= end:
        _refuse("The range of datetime is empty.", "filter")
    if end.astimezone(zone).replace(tzinfo=None) > _one_year_after(start.astimezone(zone).replace(tzinfo=None)):
        _refuse("The range of datetime must not be longer than one year.", "filter")
    return start, end, tuple(conditions)


def _one_year_after(local: datetime) -> datetime:
    try:
        return local.replace(year=local.year + 1)
    except ValueError:
        return local.replace(year=local.year + 1, month=3, day=1)


ENDPOINTS: dict[str, Endpoint] = {"query_metric_aggregates": ActionEndpoint(query_metric_aggregates)}
