"""daily_metrics, weekly_metrics and monthly_metrics against a count of the events, by their rule for conditions on the date."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Sandbox

from . import periods, truth
from .examples import ONE_ORACLE, examples
from .oracle import Oracle, Query
from .periods import Counts, Term

# Time zones on both sides of UTC; clocks that change at 2, at midnight, by half an hour, and never; a day that is another one than UTC's.
WORLDS = {
    "New York": ("America/New_York", datetime(2026, 3, 15, 18, tzinfo=UTC)),
    "New York, before midnight": ("America/New_York", datetime(2026, 3, 2, 4, 59, 59, tzinfo=UTC)),
    "New York, after midnight": ("America/New_York", datetime(2026, 3, 2, 5, tzinfo=UTC)),
    "Auckland, tomorrow": ("Pacific/Auckland", datetime(2026, 1, 31, 12, tzinfo=UTC)),
    "Havana, no midnight": ("America/Havana", datetime(2026, 3, 12, 12, tzinfo=UTC)),
    "Lord Howe, half an hour": ("Australia/Lord_Howe", datetime(2026, 1, 1, 3, tzinfo=UTC)),
    "Kolkata": ("Asia/Kolkata", datetime(2025, 12, 29, 20, tzinfo=UTC)),
    "UTC, leap day": ("UTC", datetime(2024, 2, 29, 12, tzinfo=UTC)),
    "St. John's, years later": ("America/St_Johns", datetime(2030, 1, 1, 12, tzinfo=UTC)),
}


@functools.cache
def _counts(timezone: str) -> Counts:
    return Counts(periods.in_zone(timezone))


@functools.cache
def _plain() -> apsw.Connection:
    made = truth.generated()
    return truth.database({"metrics": list(truth.rows(made, "metrics"))})


def check(world: str, table: str, terms: list[Term], sql: str, parameters: tuple[Any, ...] = (), *, cached: bool = False, **how: Any) -> list[tuple[Any, ...]]:
    """The answer in that place at that time; AssertionError when it is not the truth."""
    timezone, now = WORLDS[world]
    counts = _counts(timezone)
    clock = SimulatedClock(now)
    oracle = Oracle(
        counts.account,
        _plain(),
        opens=lambda cached: opened(":memory:", sandbox=Sandbox(counts.account, clock=clock), autocommit=True, cache_seconds=60.0 if cached else 0),
    )
    try:
        counts.fill(_plain(), table, terms, now.astimezone(ZoneInfo(timezone)).date())
        return oracle.check(Query(sql, parameters, **how), cached=cached)
    finally:
        oracle.close()


def _condition(column: str, terms: list[Term]) -> tuple[str, tuple[Any, ...]]:
    parts: list[str] = []
    bound: list[Any] = []
    for operator, constants in terms:
        marks = {"IN": f"({', '.join('?' * len(constants))})", "BETWEEN": "? AND ?"}.get(operator, "?")
        parts.append(f"{column} {operator} {marks}")
        bound += constants
    return " AND ".join(parts), tuple(bound)


_CONDITIONS: tuple[list[Term], ...] = (
    [],
    [(">=", ("2025-01-01",)), ("<", ("2025-04-01",))],
    [(">", ("2024-12-25",)), ("<", ("2025-02-05",))],
    [(">=", ("2024-12-30",)), ("<=", ("2025-01-05",))],
    [("BETWEEN", ("2024-11-01", "2024-11-30"))],
    [("BETWEEN", ("2025-03-08", "2025-03-10"))],
    [("BETWEEN", ("2025-10-25", "2025-11-03"))],
    [("BETWEEN", ("2024-01-01", "2026-03-31"))],
    [("BETWEEN", ("2010-01-01", "2010-01-31"))],
    [(">", ("2024-02-28",)), ("<", ("2024-03-02",))],
    [("=", ("2024-02-29",))],
    [("=", ("2025-03-01",))],
    [("=", ("2025-03-03",))],
    [("=", ("2025-03-03T00:00:00Z",))],
    [("=", ("2025-03-03T12:00",))],
    [("=", ("2025-03-03T02:00+02:00",))],
    [("=", ("2099-01-01",))],
    [("=", (None,))],
    [("IN", ("2025-03-01", "2024-09-01", "2025-03-03", "2026-03-15", None))],
    [("IN", ("2025-03-03T12:00", "2025-01-06", "2025-09-01"))],
    [("<=", ("2025-09-01",)), ("<", ("2025-09-01T12:00",)), (">", ("2025-06-01",))],
    [("IN", ("2024-04-01", "2025-12-01", "2030-01-01"))],
    [("IN", ("2025-09-01", "2025-10-01")), (">", ("2025-09-01",))],
    [("=", ("2025-09-01",)), ("=", ("2025-10-01",))],
    [(">=", ("2024-05-01",))],
    [(">", ("2024-02-29",))],
    [(">=", ("2024-02-29",))],
    [(">=", ("2026-01-15",))],
    [(">", ("2030-05-05",))],
    [("<", ("2025-05-01",))],
    [("<", ("2026-03-08",))],
    [("<=", ("2025-05-31",))],
    [("<=", ("2024-02-29",))],
    [("<", ("2024-02-29",))],
    [("<", ("2099-01-01",))],
    [("<=", ("2026-03-14",))],
    [("<=", ("2026-03-15",))],
    [(">", ("2025-06-01T12:00:00",)), ("<", ("2025-08-31T12:00:00",))],
    [(">=", ("2025-06-01T02:00+02:00",)), ("<=", ("2025-08-31T00:00Z",))],
    [(">=", ("2025-W01",)), ("<", ("2025-W05-1",))],
    [(">=", ("2025",)), ("<", ("2026",))],
    [(">=", ("2025-05",)), (">", ("2025-05-10",)), ("<=", ("2025-09",)), ("<", ("2025-12",))],
    [(">", ("2025-05-10",)), ("<", ("2025-05-11",))],
    [(">", ("2025-06",)), ("<", ("2025-05",))],
    [(">", (None,))],
    [(">=", ("9999-06-01",))],
    [("<", ("9999-12-31",))],
    [(">", ("9999-12-31",))],
    [("BETWEEN", ("2026-03-01", "2026-03-31"))],
    [("BETWEEN", ("2025-12-29", "2026-01-11"))],
)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("table", periods.TABLES)
def test_conditions_on_the_date(world: str, table: str) -> None:
    column = periods.TABLES[table][1]
    metric_id = next(metric["id"] for metric in truth.generated().metrics.values() if metric["attributes"]["name"] == "Placed Order")
    failures = []
    for number, terms in enumerate(_CONDITIONS):
        condition, bound = _condition(column, terms)
        where = f"WHERE metric_id = ? AND {condition}" if condition else "WHERE metric_id = ?"
        try:
            check(world, table, terms, f"SELECT * FROM {table} {where}", (metric_id, *bound), cached=bool(number % 2))
        except AssertionError as error:
            failures.append(str(error))
    assert not failures, "\n\n".join(failures)


@pytest.mark.parametrize("table", periods.TABLES)
@pytest.mark.parametrize("operator", ["<", "<=", "=", ">=", ">"])
@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-02", "0001-06-01", "9999-01-01", "9999-12-30", "9999-12-31"])
def test_nothing_happened_at_the_ends_of_the_calendar(table: str, operator: str, day: str) -> None:
    if (operator[0], day[0]) not in ((">", "0"), ("<", "9")):
        rows = check("New York", table, [("=", (None,))], f"SELECT * FROM {table} WHERE {periods.TABLES[table][1]} {operator} '{day}' AND count > 0")
        assert rows == []


def test_a_month_counts_when_all_its_days_are_inside() -> None:
    """The example of Skyvia's users: one month of two whose first days are inside the range."""
    terms: list[Term] = [(">", ("2024-12-25",)), ("<", ("2025-02-05",))]
    rows = check(
        "New York",
        "monthly_metrics",
        terms,
        "SELECT DISTINCT MonthStartDate FROM MonthlyMetrics WHERE MonthStartDate > '2024-12-25' AND MonthStartDate < '2025-02-05'",
    )
    assert rows == [("2025-01-01",)]


@pytest.mark.parametrize(
    ("table", "terms", "sql", "how"),
    [
        ("daily_metrics", [], "SELECT count(*), sum(count), sum(unique_count) FROM daily_metrics", {}),
        ("weekly_metrics", [], "SELECT m.name, sum(w.count) FROM weekly_metrics w JOIN metrics m ON m.id = w.metric_id GROUP BY m.id", {}),
        ("monthly_metrics", [], "SELECT * FROM monthly_metrics WHERE count > 40 ORDER BY sum_value DESC, metric_id, month_start_date", {"sequence": True}),
        ("monthly_metrics", [], "SELECT MetricId, MonthStartDate, Count, SumValue, UniqueCount FROM MonthlyMetrics", {}),
        ("daily_metrics", [], "SELECT Date, Count FROM DailyMetrics WHERE MetricId = 'unknown'", {}),
        (
            "daily_metrics",
            [],
            "SELECT max(count), min(date), max(date) FROM daily_metrics WHERE metric_id IN (SELECT id FROM metrics WHERE integration_name = 'Klaviyo')",
            {},
        ),
        (
            "daily_metrics",
            [],
            "SELECT metric_id, date FROM daily_metrics WHERE unique_count < count ORDER BY date DESC, metric_id LIMIT 20",
            {"sequence": True},
        ),
        ("daily_metrics", [], "SELECT strftime('%m', date), sum(count) FROM daily_metrics GROUP BY 1", {}),
        ("daily_metrics", [], "SELECT date, sum(count) FROM daily_metrics WHERE metric_id IS NOT NULL GROUP BY date HAVING sum(count) > 5", {}),
        ("daily_metrics", [], "SELECT date FROM daily_metrics WHERE metric_id IN () OR count > 100", {}),
        ("monthly_metrics", [], "SELECT count(*) FROM monthly_metrics WHERE metric_id IN ('unknown', '', NULL)", {}),
        ("monthly_metrics", [], "SELECT m.name, p.count FROM metrics m LEFT JOIN monthly_metrics p ON p.metric_id = m.id AND p.count > 30", {}),
        (
            "daily_metrics",
            [("=", ("2025-03-09",))],
            "SELECT m.name, p.count FROM metrics m LEFT JOIN daily_metrics p ON p.metric_id = m.id AND p.date = '2025-03-09'",
            {},
        ),
        (
            "weekly_metrics",
            [("IN", ("2024-12-30", "2025-12-29"))],
            "SELECT * FROM weekly_metrics WHERE week_start_date = '2024-12-30' OR week_start_date = '2025-12-29'",
            {},
        ),
        (
            "weekly_metrics",
            [("IN", ("2024-12-30", "2025-12-29"))],
            'SELECT * FROM weekly_metrics WHERE week_start_date IN (SELECT value FROM json_each(\'["2024-12-30", "2025-12-29"]\'))',
            {},
        ),
        (
            "monthly_metrics",
            [(">=", ("2025-01-01",)), ("<", ("2026-01-01",))],
            "WITH y AS (SELECT * FROM monthly_metrics WHERE month_start_date >= '2025-01-01' AND month_start_date < '2026-01-01') "
            "SELECT a.metric_id, a.month_start_date, b.count - a.count FROM y a JOIN y b ON b.metric_id = a.metric_id "
            "AND b.month_start_date = date(a.month_start_date, '+1 month')",
            {},
        ),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
@pytest.mark.parametrize("cached", [True, False])
def test_shapes_of_queries(table: str, terms: list[Term], sql: str, how: dict[str, Any], cached: bool) -> None:
    check("New York", table, terms, sql, cached=cached, **how)


_DAYS = (
    "2024-02-29",
    "2024-03-10",
    "2024-11-03",
    "2024-12-30",
    "2025-01-01",
    "2025-03-03",
    "2025-03-09",
    "2025-11-02",
    "2025-12-29",
    "2026-01-01",
    "2026-03-01",
    "2026-03-08",
    "2026-03-15",
)


@st.composite
def _constants(draw: Any) -> str | None:
    if draw(st.integers(0, 40)) == 0:
        return None
    if draw(st.booleans()):
        day = date.fromisoformat(draw(st.sampled_from(_DAYS))) + timedelta(days=draw(st.integers(-2, 2)))
    else:
        day = draw(st.dates(date(2023, 12, 1), date(2026, 5, 1)))
        day = day.replace(day=1) if draw(st.booleans()) else day - timedelta(days=day.weekday()) if draw(st.booleans()) else day
    form = draw(st.integers(0, 9))
    year, week, weekday = day.isocalendar()
    odd = {5: f"{day}T00:00:00Z", 6: f"{day} 12:00:00", 7: f"{day}T01:00:00+01:00", 8: f"{year}-W{week:02d}-{weekday}", 9: f"{day}T00:00:00.000001"}
    return odd.get(form, day.isoformat())


@st.composite
def _terms(draw: Any) -> list[Term]:
    found: list[Term] = []
    for _ in range(draw(st.integers(0, 3))):
        operator = draw(st.sampled_from((">", ">=", "<", "<=", ">=", "<", "=", "IN", "BETWEEN")))
        number = {"IN": draw(st.integers(1, 4)), "BETWEEN": 2}.get(operator, 1)
        found.append((operator, tuple(draw(_constants()) for _ in range(number))))
    return found


@examples(200, ONE_ORACLE)
@given(data=st.data(), terms=_terms(), world=st.sampled_from(sorted(WORLDS)), table=st.sampled_from(sorted(periods.TABLES)), cached=st.booleans())
def test_generated_conditions(data: st.DataObject, terms: list[Term], world: str, table: str, cached: bool) -> None:
    column = periods.TABLES[table][1]
    condition, bound = _condition(column, terms)
    wheres = [condition] if condition else []
    ids = sorted(truth.generated().metrics)
    some = data.draw(st.lists(st.sampled_from([*ids, "unknown"]), min_size=0, max_size=3))
    if some:
        wheres.append(f"metric_id IN ({', '.join('?' * len(some))})")
        bound += tuple(some)
    if data.draw(st.booleans()):
        wheres.append(
            data.draw(
                st.sampled_from(
                    ("count > 0", "sum_value > 100", "unique_count = 1", "count <> unique_count", "NOT sum_value", f"date({column}, '+1 day') > '2025-06-01'")
                )
            )
        )
    shown = data.draw(
        st.sampled_from(("*", f"{column}, metric_id", "count", "unique_count, sum_value", "sum(count), sum(sum_value), count(*), min(unique_count)"))
    )
    where = f" WHERE {' AND '.join(wheres)}" if wheres else ""
    check(world, table, terms, f"SELECT {shown} FROM {table}{where}", bound, cached=cached)
