"""Days, weeks and months: which are complete, which lie in a range, and where they begin on the globe."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klaviyo_sql.plan import periods
from klaviyo_sql.plan.constraints import Bound, Wanted
from klaviyo_sql.plan.periods import Span, complete_periods

TODAY = date(2026, 11, 20)  # a Friday
days = st.dates(date(2015, 1, 1), date(2035, 12, 31))
intervals = st.sampled_from(["day", "week", "month"])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wanted(low: str | None = None, high: str | None = None, *, low_in: bool = True, high_in: bool = False, values: tuple[str, ...] | None = None) -> Wanted:
    return Wanted(
        values=None if values is None else tuple(map(at, values)),
        low=None if low is None else Bound(at(low), low_in),
        high=None if high is None else Bound(at(high), high_in),
    )


@pytest.mark.parametrize(
    ("interval", "day", "start"),
    [
        ("day", "2026-11-20", "2026-11-20"),
        ("week", "2026-11-20", "2026-11-16"),
        ("week", "2026-11-16", "2026-11-16"),
        ("week", "2026-11-15", "2026-11-09"),
        ("week", "2026-01-01", "2025-12-29"),
        ("month", "2026-11-20", "2026-11-01"),
        ("month", "2024-02-29", "2024-02-01"),
    ],
)
def test_beginnings(interval: str, day: str, start: str) -> None:
    assert periods.beginning(interval, date.fromisoformat(day)) == date.fromisoformat(start)


@pytest.mark.parametrize(
    ("interval", "start", "count", "then"),
    [
        ("day", "2024-02-28", 1, "2024-02-29"),
        ("day", "2025-02-28", 1, "2025-03-01"),
        ("week", "2025-12-29", 1, "2026-01-05"),
        ("month", "2025-12-01", 1, "2026-01-01"),
        ("month", "2025-11-01", 2, "2026-01-01"),
        ("month", "2024-02-01", 12, "2025-02-01"),
        ("month", "2024-02-01", 25, "2026-03-01"),
    ],
)
def test_what_follows(interval: str, start: str, count: int, then: str) -> None:
    assert periods.following(interval, date.fromisoformat(start), count) == date.fromisoformat(then)


def test_a_year_from_a_leap_day() -> None:
    assert periods.a_year_after(date(2024, 2, 29)) == date(2025, 2, 28)
    assert periods.a_year_before(date(2024, 2, 29)) == date(2023, 2, 28)
    assert periods.a_year_after(date(2023, 2, 28)) == date(2024, 2, 28)


@pytest.mark.parametrize(
    ("interval", "asked", "start", "end"),
    [
        # the seed documents' own example: full months inside a range
        ("month", wanted("2022-12-25", "2023-02-05", low_in=False), "2023-01-01", "2023-02-01"),
        ("month", wanted("2023-01-01", "2023-02-01"), "2023-01-01", "2023-02-01"),
        ("month", wanted("2023-01-01", "2023-01-31", high_in=True), "2023-01-01", "2023-02-01"),
        ("month", wanted("2023-01-01", "2023-04-01", low_in=False), "2023-02-01", "2023-04-01"),
        ("month", wanted("2023-01-01T00:00:01", "2023-04-01"), "2023-02-01", "2023-04-01"),
        ("week", wanted("2026-10-01", "2026-11-01"), "2026-10-05", "2026-10-26"),
        ("week", wanted("2026-10-05", "2026-10-11", high_in=True), "2026-10-05", "2026-10-12"),
        ("day", wanted("2026-10-01", "2026-10-01", high_in=True), "2026-10-01", "2026-10-02"),
        # nothing after the last complete one
        ("day", wanted("2026-11-18", "2027-01-01"), "2026-11-18", "2026-11-20"),
        ("week", wanted("2026-11-01", "2027-01-01"), "2026-11-02", "2026-11-16"),
        ("month", wanted("2026-09-01", "2027-01-01"), "2026-09-01", "2026-11-01"),
        # no range is the last year, a start alone a year from it, an end alone the year before it
        ("day", Wanted(), "2025-11-20", "2026-11-20"),
        ("week", Wanted(), "2025-11-24", "2026-11-16"),
        ("month", Wanted(), "2025-12-01", "2026-11-01"),
        ("month", wanted("2024-03-15"), "2024-04-01", "2025-03-01"),
        ("day", wanted("2024-02-29"), "2024-02-29", "2025-02-28"),
        ("day", wanted("2026-11-01"), "2026-11-01", "2026-11-20"),
        ("month", wanted(high="2024-01-01"), "2023-01-01", "2024-01-01"),
        ("day", wanted(high="2030-01-01"), "2025-11-20", "2026-11-20"),
        # equalities
        ("month", wanted(values=("2026-10-01",)), "2026-10-01", "2026-11-01"),
        ("month", wanted(values=("2026-08-01", "2026-10-01")), "2026-08-01", "2026-11-01"),
        ("week", wanted(values=("2026-10-05",)), "2026-10-05", "2026-10-12"),
    ],
)
def test_complete_periods(interval: str, asked: Wanted, start: str, end: str) -> None:
    assert complete_periods(interval, asked, TODAY) == Span(interval, date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("interval", "asked"),
    [
        ("day", wanted(values=("2026-11-20",))),
        ("day", wanted("2026-11-20")),
        ("day", wanted("2027-01-01", "2027-02-01")),
        ("week", wanted(values=("2026-11-16",))),
        ("month", wanted(values=("2026-11-01",))),
        ("month", wanted("2026-10-02", "2026-10-31", high_in=True)),
        ("month", wanted(values=("2026-10-01T08:00:00",))),
        ("week", wanted("2026-10-06", "2026-10-18")),
    ],
)
def test_no_complete_period(interval: str, asked: Wanted) -> None:
    assert complete_periods(interval, asked, TODAY) is None


@given(intervals, days, days, days)
def test_periods_are_whole_past_and_inside(interval: str, low: date, high: date, today: date) -> None:
    span = complete_periods(interval, wanted(low.isoformat(), high.isoformat()), today)
    if span is None:
        return
    assert low <= span.start < span.end <= min(high, today)
    assert all(periods.beginning(interval, start) == start for start in (*span.starts, span.end))
    # and not one too few
    assert span.start == low or periods.beginning(interval, span.start - timedelta(days=1)) < low
    assert periods.following(interval, span.end) > min(high, today)


@given(intervals, days, st.integers(1, 2_000))
def test_pieces_of_a_year_cover_the_span(interval: str, start: date, length: int) -> None:
    start = periods.beginning(interval, start)
    span = Span(interval, start, periods.beginning(interval, start + timedelta(days=length)))
    pieces = list(periods.spans_of_a_year(span, "America/New_York"))
    if span.start == span.end:
        assert pieces == []
        return
    assert pieces[0].start == span.start
    assert pieces[-1].end == span.end
    assert all(first.end == second.start for first, second in itertools.pairwise(pieces))
    assert all((piece.end - piece.start).days <= 365 for piece in pieces)
    assert [one for piece in pieces for one in piece.starts] == span.starts
    assert len(pieces) <= -(-(span.end - span.start).days // 330)


@pytest.mark.parametrize(
    ("day", "timezone", "instant"),
    [
        ("2026-01-01", "UTC", "2026-01-01T00:00:00"),
        ("2026-01-01", "America/New_York", "2026-01-01T05:00:00"),
        ("2026-07-01", "America/New_York", "2026-07-01T04:00:00"),
        ("2026-03-08", "America/New_York", "2026-03-08T05:00:00"),
        ("2026-03-09", "America/New_York", "2026-03-09T04:00:00"),
        ("2026-01-01", "Asia/Kathmandu", "2025-12-31T18:15:00"),
        ("2026-01-01", "Pacific/Kiritimati", "2025-12-31T10:00:00"),
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00"),  # its midnight was skipped: the day began at one o'clock summer time
        ("2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00"),
    ],
)
def test_midnights(day: str, timezone: str, instant: str) -> None:
    assert periods.midnight(date.fromisoformat(day), timezone) == at(instant)


@given(days, st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Havana", "UTC"]))
def test_midnight_is_the_first_instant_of_the_day(day: date, timezone: str) -> None:
    begins = periods.midnight(day, timezone).astimezone(ZoneInfo(timezone))
    before = (periods.midnight(day, timezone) - timedelta(seconds=1)).astimezone(ZoneInfo(timezone))
    assert before.date() < begins.date()
    assert begins.date() == day


def test_the_body_of_a_request() -> None:
    span = Span("month", date(2023, 1, 1), date(2023, 2, 1))
    assert periods.body("M", span, "America/New_York", ("count", "unique")) == {
        "data": {
            "type": "metric-aggregate",
            "attributes": {
                "metric_id": "M",
                "measurements": ["count", "unique"],
                "interval": "month",
                "timezone": "America/New_York",
                "filter": ["greater-or-equal(datetime,2023-01-01T05:00:00Z)", "less-than(datetime,2023-02-01T05:00:00Z)"],
            },
        }
    }
