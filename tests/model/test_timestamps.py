"""Instants in every form that ISO 8601 has, and texts that are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klaviyo_sql.model import timestamps

EIGHT = datetime(2026, 1, 31, 8, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)

zones = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=zones)  # noqa: DTZ001 - hypothesis adds the zones


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31", MIDNIGHT),
        ("20260131", MIDNIGHT),
        ("2026-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-W05-6", MIDNIGHT),
        ("2026W056", MIDNIGHT),
        ("2026-W05", datetime(2026, 1, 26, tzinfo=UTC)),
        ("2026-031", MIDNIGHT),
        ("2026031", MIDNIGHT),
        ("2024-366", datetime(2024, 12, 31, tzinfo=UTC)),
        ("2026-031T08:30", EIGHT),
        ("2026-01-31T08:30", EIGHT),
        ("2026-01-31 08:30", EIGHT),
        ("2026-01-31T08:30:00Z", EIGHT),
        ("2026-01-31T08:30:00.000Z", EIGHT),
        ("2026-01-31T08:30:00,0Z", EIGHT),
        ("2026-01-31T08:30:00.000000000Z", EIGHT),
        ("20260131T083000Z", EIGHT),
        ("20260131T0830Z", EIGHT),
        ("2026-01-31T10:30:00+02:00", EIGHT),
        ("2026-01-31T10:30:00+0200", EIGHT),
        ("2026-01-31T10:30:00+02", EIGHT),
        ("2026-01-31T10:30:00 +02:00", EIGHT),
        ("2026-01-31 08:30:00 Z", EIGHT),
        ("2026-01-30T22:30:00-10:00", EIGHT),
        ("2026-01-31T08", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        (" 2026-01-31 08:30:00\n", EIGHT),
        ("2026-01-31T08:30:00.25Z", EIGHT + timedelta(microseconds=250_000)),
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
        ("0001-01-01", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_forms_of_an_instant(text: str, instant: datetime) -> None:
    assert timestamps.parse(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "now", "yesterday", "2026-13-01", "2026-02-30", "2025-02-29", "2026-00-01", "2026-01-00", "31.1.2026", "1/31/2026", "2026-1-31", "26-01-31",
        "2026-01-31T25:00:00Z", "2026-01-31T08:60:00Z", "2026-01-31T08:30:61Z", "2026-01-31T08:30:00+25:00", "2026-01-31T", "T08:30:00Z", "08:30",
        "2026-W54-1", "2026-W01-8", "2026-000", "2025-366", "NaN", "12", "123", "1795000000", "2026-01-31T08:30:00Z Z",
        "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", "\uff12\uff10\uff12\uff16-01-31", "2026-01-31\0", "2026-01-31T08:30:00Zulu",
    ],
)  # fmt: skip
def test_texts_that_are_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        timestamps.parse(text)


def test_more_than_microseconds_is_refused_not_cut() -> None:
    with pytest.raises(ValueError, match="microseconds"):
        timestamps.parse("2026-01-31T08:30:00.1234567Z")


@given(instants)
def test_sql_text_round_trips(instant: datetime) -> None:
    assert timestamps.parse(timestamps.to_sql(instant, microseconds=True)) == instant
    assert timestamps.parse(timestamps.to_sql(instant)) == timestamps.floor(instant)


@given(instants)
def test_klaviyo_s_text_round_trips(instant: datetime) -> None:
    text = timestamps.to_klaviyo(instant)
    assert timestamps.parse(text) == instant
    assert text.endswith("Z")
    assert "+" not in text
    assert ("." in text) == bool(instant.microsecond)
    assert timestamps.from_klaviyo(text, microseconds=True) == timestamps.to_sql(instant, microseconds=True)


@given(instants)
def test_isoformat_is_understood(instant: datetime) -> None:
    assert timestamps.parse(instant.isoformat()) == instant
    assert timestamps.parse(instant.isoformat(" ")) == instant


@given(instants, instants)
def test_sql_texts_order_as_time_does(left: datetime, right: datetime) -> None:
    for microseconds in (False, True):
        first, second = (timestamps.to_sql(one, microseconds=microseconds) for one in (left, right))
        assert len(first) == len(second)
        if microseconds:
            assert (first < second) == (left < right)
        elif left <= right:
            assert first <= second


@given(instants, instants)
def test_compare_is_the_order_of_instants(left: datetime, right: datetime) -> None:
    expected = (left > right) - (left < right)
    assert timestamps.compare(left.isoformat(), timestamps.to_sql(right, microseconds=True)) == expected
    assert timestamps.compare(timestamps.to_klaviyo(left), right.isoformat()) == expected


@given(instants)
def test_floor_and_ceiling(instant: datetime) -> None:
    low, high = timestamps.floor(instant), timestamps.ceiling(instant)
    assert low <= instant <= high
    assert low.microsecond == high.microsecond == 0
    assert (low == high) == (instant.microsecond == 0)
    assert high - low in (timedelta(0), timedelta(seconds=1))


def test_the_ends_of_the_calendar() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert timestamps.ceiling(last) == last
    assert timestamps.to_sql(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01 00:00:00"
    assert timestamps.to_sql(datetime(987, 1, 1, tzinfo=UTC), microseconds=True) == "0987-01-01 00:00:00.000000"


@pytest.mark.parametrize(
    ("text", "seconds", "microseconds"),
    [
        ("2026-09-04T13:39:33+00:00", "2026-09-04 13:39:33", "2026-09-04 13:39:33.000000"),
        ("2026-09-04T13:39:33Z", "2026-09-04 13:39:33", "2026-09-04 13:39:33.000000"),
        ("2026-09-04 13:39:33+00:00", "2026-09-04 13:39:33", "2026-09-04 13:39:33.000000"),
        ("2026-09-04T13:38:44.935203+00:00", "2026-09-04 13:38:44", "2026-09-04 13:38:44.935203"),
        ("2026-09-04T13:38:44.935+00:00", "2026-09-04 13:38:44", "2026-09-04 13:38:44.935000"),
        ("2026-09-04T15:38:44+02:00", "2026-09-04 13:38:44", "2026-09-04 13:38:44.000000"),
        ("2026-09-04", "2026-09-04 00:00:00", "2026-09-04 00:00:00.000000"),
    ],
)
def test_klaviyo_s_texts_as_sql_sees_them(text: str, seconds: str, microseconds: str) -> None:
    assert timestamps.from_klaviyo(text) == seconds
    assert timestamps.from_klaviyo(text, microseconds=True) == microseconds


@pytest.mark.parametrize("text", ["", "soon", "2026-99-99T13:39:33", "13:39:33+00:00"])
def test_klaviyo_s_texts_that_are_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        timestamps.from_klaviyo(text)


@given(st.text(max_size=30))
def test_any_text_is_an_instant_or_a_value_error(text: str) -> None:
    try:
        instant = timestamps.parse(text)
    except ValueError:
        return
    assert instant.tzinfo is UTC


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_compare_is_an_order_for_texts_that_are_no_times(a: str, b: str, c: str) -> None:
    assert timestamps.compare(a, a) == 0
    assert timestamps.compare(a, b) == -timestamps.compare(b, a)


mixed = st.one_of(
    st.text(max_size=4),
    instants.map(lambda one: one.isoformat()),
    st.sampled_from(["2026", "2026-", "2026-01", "20260101", "2026-01-01", "x", "3"]),
)


@given(mixed, mixed, mixed)
def test_compare_never_contradicts_itself(a: str, b: str, c: str) -> None:
    """SQLite sorts and builds indexes by it: an order that is not transitive would lose rows."""
    if timestamps.compare(a, b) <= 0 and timestamps.compare(b, c) <= 0:
        assert timestamps.compare(a, c) <= 0
