"""The answers to questions, metric aggregates by dimension and reports, as rows: one for each group and period."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import msgspec

from klaviyo_sql.fetch.rows import GarbageError, Row, in_sql
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import BucketStart, Dimension, Grouping, Measurement, RowKey, Statistic
from klaviyo_sql.plan import periods
from klaviyo_sql.plan.chains import Answer, Chain


class _Group(msgspec.Struct):
    measurements: dict[str, list[int | float | None]]
    dimensions: list[str | None] = []


class _Aggregate(msgspec.Struct):
    dates: list[str]
    data: list[_Group]


class _Result(msgspec.Struct):
    groupings: dict[str, Any] = {}
    statistics: dict[str, Any] = {}


class _Report(msgspec.Struct):
    results: list[_Result]
    date_times: list[str] | None = None


class _AggregateData(msgspec.Struct):
    attributes: _Aggregate


class _ReportData(msgspec.Struct):
    attributes: _Report


class _Links(msgspec.Struct):
    next: str | None = None


class _AggregateReply(msgspec.Struct):
    data: _AggregateData
    links: _Links | None = None


class _ReportReply(msgspec.Struct):
    data: _ReportData
    links: _Links | None = None


_AGGREGATE = msgspec.json.Decoder(_AggregateReply)
_REPORT = msgspec.json.Decoder(_ReportReply)


def aggregate_rows(body: bytes, chain: Chain, answer: Answer) -> tuple[list[Row], str | None]:
    """The rows of a page of a metric aggregate, and the cursor of the next page, which belongs into the body; GarbageError when it is none."""
    try:
        reply = _AGGREGATE.decode(body)
        starts = [timestamps.parse(text) for text in reply.data.attributes.dates]
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise GarbageError(f"it is no metric aggregate ({error})") from None
    groups = reply.data.attributes.data
    names = [column.place.name for column in chain.decoded if isinstance(column.place, Measurement)]
    if not groups and not answer.groupings:
        groups = [_Group({name: [0] * len(starts) for name in names or ["count"]})]
    meant = _meant(answer)
    rows = []
    for group in groups:
        if len(group.dimensions) != len(answer.groupings) or any(len(values) != len(starts) for values in group.measurements.values()):
            raise GarbageError("its groups do not match its dates and dimensions")
        for place, start in enumerate(starts):
            values = {name: measured[place] for name, measured in group.measurements.items()}
            if start in meant:
                rows.append(_aggregate_row(chain, answer, group.dimensions, start, values))
            elif any(values.values()):
                raise GarbageError(f"one of its periods does not begin with a {answer.interval} of {answer.timezone}; ask for a shorter interval")
    link = reply.links.next if reply.links else None
    return rows, _cursor(link) if link else None


def _cursor(link: str) -> str:
    """The cursor in the link to the next page."""
    for name, value in parse_qsl(urlsplit(link).query):
        if name in ("page_cursor", "page[cursor]"):
            return value
    raise GarbageError("its link to the next page has no cursor")


def _meant(answer: Answer) -> set[datetime]:
    """The instants at which the buckets begin that were asked for."""
    assert answer.start is not None  # noqa: S101 - metric aggregates have a range
    assert answer.end is not None  # noqa: S101
    found, start = set(), answer.start
    if answer.interval == "hour":
        while start < answer.end:
            found.add(start)
            start += timedelta(hours=1)
        return found
    zone = ZoneInfo(answer.timezone)
    span = periods.Span(answer.interval or "", answer.start.astimezone(zone).date(), answer.end.astimezone(zone).date())
    return {periods.midnight(day, answer.timezone) for day in span.starts}


def _aggregate_row(chain: Chain, answer: Answer, dimensions: list[str | None], start: datetime, values: dict[str, Any]) -> Row:
    row: list[Any] = []
    for constant, column in zip(chain.constants, chain.decoded, strict=True):
        place = column.place
        if isinstance(place, BucketStart):
            row.append(_wall(start.astimezone(ZoneInfo(answer.timezone))) if place.local else timestamps.to_sql(start))
        elif isinstance(place, Measurement):
            row.append(in_sql(column.type, values.get(place.name)))
        elif isinstance(place, Dimension):
            if place.place is None:
                row.append(_json(dict(zip(answer.groupings, dimensions, strict=True))) if answer.groupings else None)
            else:
                row.append(dimensions[place.place] if place.place < len(dimensions) else None)
        elif isinstance(place, RowKey):
            row.append(_json([*answer.key, dimensions, timestamps.to_sql(start)]))
        else:
            row.append(constant)
    return tuple(row)


def report_rows(body: bytes, chain: Chain, answer: Answer) -> tuple[list[Row], str | None]:
    """The rows of a page of a report, and the link to the next page; GarbageError when it is none."""
    try:
        reply = _REPORT.decode(body)
        texts = reply.data.attributes.date_times if answer.interval else [""]
        # Klaviyo labels times of the account's clock +00:00.
        starts = [_wall(timestamps.parse(text)) if text else None for text in texts or ()]
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise GarbageError(f"it is no report ({error})") from None
    rows = []
    for result in reply.data.attributes.results:
        statistics = result.statistics
        if answer.interval is None:
            statistics = {name: [value] for name, value in statistics.items()}
        if any(not isinstance(values, list) or len(values) != len(starts) for values in statistics.values()):
            raise GarbageError("its statistics do not match its dates")
        rows += [
            _report_row(chain, answer, result.groupings, start, {name: values[n] for name, values in statistics.items()}) for n, start in enumerate(starts)
        ]
    return rows, reply.links.next if reply.links else None


def _report_row(chain: Chain, answer: Answer, groupings: dict[str, Any], start: str | None, statistics: dict[str, Any]) -> Row:
    row: list[Any] = []
    for constant, column in zip(chain.constants, chain.decoded, strict=True):
        place = column.place
        if isinstance(place, Grouping):
            row.append(in_sql(column.type, groupings.get(place.name)))
        elif isinstance(place, Statistic):
            row.append(in_sql(column.type, statistics.get(place.name)))
        elif isinstance(place, BucketStart):
            row.append(start)
        elif isinstance(place, RowKey):
            row.append(_json([*answer.key, groupings, start]))
        else:
            row.append(constant)
    return tuple(row)


def _wall(moment: datetime) -> str:
    """What the clock on the wall says."""
    return moment.replace(tzinfo=None).isoformat(" ", "seconds")


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
