"""The reply of POST /api/metric-aggregates as one row of measurements for each period."""

from __future__ import annotations

from datetime import date
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
    """The measurements of each bucket, by the local date that it begins on; GarbageError when the reply is something else.

    `dates` are the instants at which buckets begin, in UTC whatever time zone was asked for; a reply without groups has zeros everywhere.
    """
    try:
        attributes = _DECODER.decode(body).data.attributes
        zone = ZoneInfo(timezone)
        days = [timestamps.parse(text).astimezone(zone).date() for text in attributes.dates]
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise GarbageError(f"it is no metric aggregate ({error})") from None
    if len(attributes.data) > 1:
        raise GarbageError("it has several groups where one was asked for")
    measured = attributes.data[0].measurements if attributes.data else {}
    if any(len(values) != len(days) for values in measured.values()):
        raise GarbageError("its measurements do not match its dates")
    return {day: {name: values[position] for name, values in measured.items()} for position, day in enumerate(days)}
