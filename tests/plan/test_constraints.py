"""What SQL asks of a column: intersections, contradictions, affinities."""

from __future__ import annotations

import operator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klaviyo_sql.errors import DataError
from klaviyo_sql.plan.constraints import NOT_COMPARABLE, Bound, Constraint, Operator, Unknown, Wanted, combine, comparable
from klaviyo_sql.tables import TABLES

EVENTS, PROFILES, SEGMENTS = TABLES["events"], TABLES["profiles"], TABLES["segments"]
EQUAL, IN, GREATER, GREATER_OR_EQUAL, LESS, LESS_OR_EQUAL, NOT_NULL = Operator
TIMESTAMP = EVENTS.index("timestamp")
WHEN = EVENTS.index("datetime")
METRIC = EVENTS.index("metric_id")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wants(*terms: tuple[int, Operator, Any]) -> Wanted:
    (found,) = combine(EVENTS, [Constraint(*term) for term in terms]).values()
    return found


def test_nothing_is_asked() -> None:
    assert combine(EVENTS, []) == {}


def test_columns_are_kept_apart() -> None:
    assert combine(EVENTS, [Constraint(METRIC, EQUAL, "M"), Constraint(WHEN, GREATER, "2026-01-01")]) == {
        METRIC: Wanted(values=("M",)),
        WHEN: Wanted(low=Bound(at("2026-01-01"), False)),
    }


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ([(GREATER, 5), (GREATER_OR_EQUAL, 5)], Wanted(low=Bound(5, False))),
        ([(GREATER_OR_EQUAL, 5), (GREATER_OR_EQUAL, 7)], Wanted(low=Bound(7, True))),
        ([(LESS, 5), (LESS_OR_EQUAL, 5)], Wanted(high=Bound(5, False))),
        ([(LESS, 5), (LESS_OR_EQUAL, 4)], Wanted(high=Bound(4, True))),
        ([(GREATER_OR_EQUAL, 5), (LESS_OR_EQUAL, 5)], Wanted(low=Bound(5, True), high=Bound(5, True))),
        ([(EQUAL, 5)], Wanted(values=(5,))),
        ([(IN, (5, 6, 5))], Wanted(values=(5, 6))),
        ([(IN, (5, None, 6))], Wanted(values=(5, 6))),
        ([(IN, (5, 6, 7)), (IN, (7, 6, 9))], Wanted(values=(6, 7))),
        ([(IN, (5, 6, 7)), (EQUAL, 6)], Wanted(values=(6,))),
        ([(NOT_NULL, None)], Wanted(not_null=True)),
    ],
)
def test_intersections(terms: list[tuple[Operator, Any]], found: Wanted) -> None:
    assert wants(*((TIMESTAMP, *term) for term in terms)) == found


def test_values_outside_the_range_are_dropped() -> None:
    found = wants((TIMESTAMP, IN, (1, 5, 9)), (TIMESTAMP, GREATER, 1), (TIMESTAMP, LESS, 9))
    assert found.values == (5,)
    assert found.impossible is None


@pytest.mark.parametrize(
    "terms",
    [
        [(GREATER, 5), (LESS, 5)],
        [(GREATER_OR_EQUAL, 5), (LESS, 5)],
        [(GREATER, 6), (LESS, 5)],
        [(EQUAL, 5), (EQUAL, 6)],
        [(EQUAL, 5), (GREATER, 5)],
        [(IN, ())],
        [(IN, (None,))],
        [(EQUAL, None)],
        [(GREATER, None)],
        [(IN, (1, 2)), (IN, (3,))],
    ],
)
def test_contradictions(terms: list[tuple[Operator, Any]]) -> None:
    assert wants(*((TIMESTAMP, *term) for term in terms)).impossible


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        ("email", "a", "a"),
        ("email", 5, "5"),
        ("email", True, "1"),
        ("email", 1.5, NOT_COMPARABLE),
        ("email", b"a", NOT_COMPARABLE),
        ("email", None, None),
        ("location_latitude", "1.5", 1.5),
        ("location_latitude", " 3 ", 3),
        ("location_latitude", "1_000", NOT_COMPARABLE),
        ("location_latitude", "nan", NOT_COMPARABLE),
        ("location_latitude", "inf", NOT_COMPARABLE),
        ("location_latitude", "0x10", NOT_COMPARABLE),
        ("location_latitude", "north", NOT_COMPARABLE),
        ("location_latitude", float("inf"), NOT_COMPARABLE),
        ("created", "2026-01-31T10:00:00+02:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("created", None, None),
    ],
)
def test_affinities(column: str, value: Any, found: Any) -> None:
    assert comparable(PROFILES, PROFILES.columns[PROFILES.index(column)], value) == found


@pytest.mark.parametrize("value", ["yesterday", "", 12, 1.5, b"2026-01-01x"])
def test_what_is_no_time(value: Any) -> None:
    with pytest.raises(DataError, match=r"profiles\.created"):
        comparable(PROFILES, PROFILES.columns[PROFILES.index("created")], value)


def test_what_sqlite_alone_can_compare_narrows_nothing() -> None:
    assert wants((TIMESTAMP, GREATER, "x"), (TIMESTAMP, LESS, 5)) == Wanted(high=Bound(5, False))
    assert wants((METRIC, IN, ("M", 1.5))) == Wanted()


def test_what_is_not_known_yet_contradicts_nothing() -> None:
    unknown = Unknown()
    assert wants((TIMESTAMP, GREATER, unknown), (TIMESTAMP, LESS, 5)).impossible is None
    assert wants((TIMESTAMP, EQUAL, unknown), (TIMESTAMP, GREATER, 5)).values == (unknown,)
    assert wants((METRIC, EQUAL, unknown), (METRIC, EQUAL, "M")).impossible is None


_HOLDS = {EQUAL: operator.eq, GREATER: operator.gt, GREATER_OR_EQUAL: operator.ge, LESS: operator.lt, LESS_OR_EQUAL: operator.le}
numbers = st.integers(0, 6)
terms = st.one_of(
    st.tuples(st.sampled_from(sorted(_HOLDS)), numbers),
    st.tuples(st.just(IN), st.lists(numbers, max_size=4).map(tuple)),
)


@given(st.lists(terms, min_size=1, max_size=5), numbers)
def test_a_value_is_wanted_when_every_term_holds(given_terms: list[tuple[Operator, Any]], value: int) -> None:
    found = wants(*((TIMESTAMP, *term) for term in given_terms))
    holds = all(value in asked if kind is IN else _HOLDS[kind](value, asked) for kind, asked in given_terms)
    in_range = (found.low is None or value > found.low.value or (found.low.inclusive and value == found.low.value)) and (
        found.high is None or value < found.high.value or (found.high.inclusive and value == found.high.value)
    )
    kept = not found.impossible and (found.values is None or value in found.values) and in_range
    assert kept == holds
