"""The reply of POST /api/metric-aggregates as one row of measurements for each period."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from klaviyo_sql.fetch.rows import GarbageError
from klaviyo_sql.model import timestamps

Number = int | float | None


class _Group(msgspec.Struct):
    measurements: dict[str, list[Number]]
    dimensions: list[str] = []


class _Attributes(msgspec.Struct):
    dates: list[str]
    data: list[_Group]


class _Data(msgspec.Struct):
    attributes: _Attributes


class _Reply(msgspec.Struct):
    data: _Data


_DECODER = msgspec.json.Decoder(_Reply)


def measurements_by_day(body: bytes, timezone: str) -> dict[date, dict[str, Number]]:
    """The measurements of each bucket, by the local date that it begins on; GarbageError when the reply is something else."""
    zone = ZoneInfo(timezone)
    return {start.astimezone(zone).date(): measured for start, measured in measurements_by_start(body).items()}


def measurements_by_start(body: bytes) -> dict[datetime, dict[str, Number]]:
    """The measurements of each bucket, by the instant that it begins at, in UTC; GarbageError when the reply is something else.

    `dates` are the instants at which buckets begin, in UTC whatever time zone was asked for; a reply without groups has zeros everywhere.
    """
    try:
        attributes = _DECODER.decode(body).data.attributes
        starts = [timestamps.parse(text) for text in attributes.dates]
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise GarbageError(f"it is no metric aggregate ({error})") from None
    if len(attributes.data) > 1:
        raise GarbageError("it has several groups where one was asked for")
    measured = attributes.data[0].measurements if attributes.data else {}
    if any(len(values) != len(starts) for values in measured.values()):
        raise GarbageError("its measurements do not match its dates")
    return {start: {name: values[position] for name, values in measured.items()} for position, start in enumerate(starts)}
