"""Klaviyo's filter language: quoting, chunks, and every operator that stands in for another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klaviyo_sql.contract import FilterRule
from klaviyo_sql.model.table import Filter
from klaviyo_sql.plan import filters
from klaviyo_sql.plan.constraints import Bound, Unknown
from klaviyo_sql.sandbox import filter_grammar

EXACT, LOOSE = Filter("field", exact=True), Filter("field")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HALF = NOON + timedelta(microseconds=500_000)
ALL = ("greater-or-equal", "greater-than", "less-or-equal", "less-than")


def rule(*operators: str, type_: str = "date-time") -> FilterRule:
    return FilterRule(operators=operators, type=type_)


def clauses(filter_: Filter, operators: tuple[str, ...], low: Bound | None, high: Bound | None) -> tuple[str, ...] | None:
    pushed = filters.range_(filter_, rule(*operators), low, high)
    return pushed.clauses if pushed else None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", '"x"'),
        ("", '""'),
        ('say "hi"', '"say \\"hi\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("it's, (so) [it] is", '"it\'s, (so) [it] is"'),
        ("100% + 1 & æ 🎉", '"100% + 1 & æ 🎉"'),
        (5, "5"),
        (-2.5, "-2.5"),
        (True, "true"),
        (False, "false"),
        (NOON, "2026-01-31T12:00:00Z"),
        (HALF, "2026-01-31T12:00:00.500000Z"),
    ],
)
def test_literals(value: Any, text: str) -> None:
    assert filters.literal(value) == text


def test_clauses() -> None:
    assert filters.clause("equals", "name", "x") == 'equals(name,"x")'
    assert filters.clause("any", "id", ["a", "b"]) == 'any(id,["a","b"])'
    assert filters.clause("greater-than", "n", 5) == "greater-than(n,5)"


@given(st.text(max_size=40).filter(lambda text: "\0" not in text))
def test_any_text_survives_quoting(text: str) -> None:
    """The sandbox reads filters by a grammar of its own."""
    (clause,) = filter_grammar.parse(filters.clause("equals", "name", text))
    assert (clause.operator, clause.field, clause.value) == ("equals", "name", text)
    (clause,) = filter_grammar.parse(filters.clause("any", "name", [text, "b"]))
    assert clause.value == (text, "b")


# Ranges


@pytest.mark.parametrize(
    ("filter_", "operators", "low", "expected"),
    [
        (EXACT, ALL, Bound(NOON, True), "greater-or-equal(field,2026-01-31T12:00:00Z)"),
        (EXACT, ALL, Bound(NOON, False), "greater-than(field,2026-01-31T12:00:00Z)"),
        (EXACT, ALL, Bound(HALF, True), "greater-or-equal(field,2026-01-31T12:00:01Z)"),
        (EXACT, ALL, Bound(HALF, False), "greater-than(field,2026-01-31T12:00:00Z)"),
        (LOOSE, ALL, Bound(HALF, True), "greater-or-equal(field,2026-01-31T12:00:00Z)"),
        (LOOSE, ALL, Bound(HALF, False), "greater-than(field,2026-01-31T12:00:00Z)"),
        (LOOSE, ("greater-than",), Bound(NOON, True), "greater-than(field,2026-01-31T11:59:59Z)"),
        (LOOSE, ("greater-than",), Bound(NOON, False), "greater-than(field,2026-01-31T12:00:00Z)"),
        (EXACT, ("greater-than",), Bound(NOON, True), "greater-than(field,2026-01-31T11:59:59Z)"),
        (LOOSE, ("greater-or-equal",), Bound(NOON, False), "greater-or-equal(field,2026-01-31T12:00:00Z)"),
    ],
)
def test_lower_ends(filter_: Filter, operators: tuple[str, ...], low: Bound, expected: str) -> None:
    assert clauses(filter_, operators, low, None) == (expected,)


@pytest.mark.parametrize(
    ("filter_", "operators", "high", "expected"),
    [
        (EXACT, ALL, Bound(NOON, True), "less-or-equal(field,2026-01-31T12:00:00Z)"),
        (EXACT, ALL, Bound(NOON, False), "less-than(field,2026-01-31T12:00:00Z)"),
        (EXACT, ALL, Bound(HALF, True), "less-or-equal(field,2026-01-31T12:00:00Z)"),
        (EXACT, ALL, Bound(HALF, False), "less-than(field,2026-01-31T12:00:01Z)"),
        (LOOSE, ALL, Bound(NOON, True), "less-than(field,2026-01-31T12:00:01Z)"),
        (LOOSE, ALL, Bound(NOON, False), "less-than(field,2026-01-31T12:00:00Z)"),
        (LOOSE, ALL, Bound(HALF, False), "less-than(field,2026-01-31T12:00:01Z)"),
        (LOOSE, ("less-than",), Bound(NOON, True), "less-than(field,2026-01-31T12:00:01Z)"),
        (LOOSE, ("less-or-equal",), Bound(NOON, False), "less-or-equal(field,2026-01-31T12:00:00Z)"),
    ],
)
def test_upper_ends(filter_: Filter, operators: tuple[str, ...], high: Bound, expected: str) -> None:
    assert clauses(filter_, operators, None, high) == (expected,)


def test_an_end_that_klaviyo_cannot_be_asked_for_is_left_out() -> None:
    assert clauses(LOOSE, ("greater-than",), None, Bound(NOON, True)) is None
    pushed = filters.range_(EXACT, rule("greater-than"), Bound(NOON, False), Bound(NOON, True))
    assert pushed is not None
    assert pushed.clauses == ("greater-than(field,2026-01-31T12:00:00Z)",)
    assert not pushed.exact


def test_numbers() -> None:
    assert clauses(EXACT, ALL, Bound(5, True), Bound(7.5, False)) == ("greater-or-equal(field,5)", "less-than(field,8)")
    assert clauses(EXACT, ALL, Bound(4.5, True), Bound(7.5, True)) == ("greater-or-equal(field,5)", "less-or-equal(field,7)")
    assert clauses(EXACT, ALL, Bound(4.5, False), None) == ("greater-than(field,4)",)


def test_the_ends_of_the_calendar_do_not_overflow() -> None:
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert clauses(LOOSE, ("greater-than",), Bound(first, True), None) is not None
    assert clauses(LOOSE, ("less-than",), None, Bound(last, True)) is not None


_OPERATORS = {
    "greater-or-equal": lambda shown, value: shown >= value,
    "greater-than": lambda shown, value: shown > value,
    "less-or-equal": lambda shown, value: shown <= value,
    "less-than": lambda shown, value: shown < value,
}

microseconds = st.integers(0, 3_000_000).map(lambda n: NOON + timedelta(microseconds=n))


@given(
    held=microseconds,
    low=st.none() | st.builds(Bound, microseconds, st.booleans()),
    high=st.none() | st.builds(Bound, microseconds, st.booleans()),
    operators=st.sets(st.sampled_from(ALL)),
    exact=st.booleans(),
)
def test_a_filter_never_loses_a_row(held: datetime, low: Bound | None, high: Bound | None, operators: set[str], exact: bool) -> None:
    """Whatever operators there are: a value that lies in the range passes the clauses, however fine it is underneath what is shown."""
    shown = held.replace(microsecond=0)
    underneath = shown if exact else held
    pushed = filters.range_(EXACT if exact else LOOSE, rule(*operators), low, high)
    if pushed is None:
        return

    def lies_in(value: datetime) -> bool:
        above = low is None or value > low.value or (low.inclusive and value == low.value)
        return above and (high is None or value < high.value or (high.inclusive and value == high.value))

    parsed = [clause.removesuffix(")").replace("(field,", " ").split(" ") for clause in pushed.clauses]
    passes = all(_OPERATORS[operator](underneath, datetime.fromisoformat(value)) for operator, value in parsed)
    if lies_in(shown):
        assert passes
    elif pushed.exact:
        assert not passes


# Equalities


def test_equality_by_any_in_chunks() -> None:
    values = [f"id{number:03}" for number in range(250)]
    ways = filters.equality(EXACT, rule("any", "equals", type_="string"), values)
    assert ways is not None
    assert len(ways) == 3
    assert [way.clauses[0].count('"') // 2 for way in ways] == [100, 100, 50]
    assert all(way.exact for way in ways)


def test_one_value_is_equals_where_there_is_one() -> None:
    assert filters.equality(EXACT, rule("any", "equals", type_="string"), ["a"]) == [filters.Pushed(('equals(field,"a")',), True)]
    assert filters.equality(EXACT, rule("any", type_="string"), ["a"]) == [filters.Pushed(('any(field,["a"])',), True)]


def test_several_values_without_any_are_several_requests() -> None:
    assert filters.equality(LOOSE, rule("equals", type_="string"), ["a", "b"]) == [
        filters.Pushed(('equals(field,"a")',), False),
        filters.Pushed(('equals(field,"b")',), False),
    ]


def test_an_instant_without_equals_is_a_range() -> None:
    assert filters.equality(EXACT, rule(*ALL), [NOON]) == [
        filters.Pushed(("greater-or-equal(field,2026-01-31T12:00:00Z)", "less-or-equal(field,2026-01-31T12:00:00Z)"), True)
    ]


def test_booleans_are_sql_s_numbers() -> None:
    ways = filters.equality(EXACT, rule("any", "equals", type_="boolean"), [1])
    assert ways == [filters.Pushed(("equals(field,true)",), True)]
    ways = filters.equality(EXACT, rule("any", "equals", type_="boolean"), [0, 1, 2])
    assert ways is not None
    assert ways[0].clauses == ("any(field,[false,true])",)


@given(st.lists(st.text(max_size=400), max_size=300, unique=True))
def test_chunks_keep_every_value_once_and_in_order(values: list[str]) -> None:
    groups = filters.chunks(values)
    assert [value for group in groups for value in group] == values
    for group in groups:
        assert len(group) <= filters.MOST_VALUES
        assert len(group) == 1 or sum(len(filters.literal(value)) + 1 for value in group) <= filters.MOST_CHARACTERS
    assert all(groups) or not values


def test_presence() -> None:
    rules = {"metric": rule("has", type_="none"), "metric_id": rule("equals", type_="string")}
    declared = (Filter("metric_id", exact=True), Filter("metric"))
    pushed = filters.presence(declared, rules)
    assert pushed is not None
    assert pushed.clauses == ("has(metric)",)
    chosen = filters.value_filter(declared, rules)
    assert chosen is not None
    assert chosen[0].field == "metric_id"
    assert filters.presence(declared[:1], rules) is None


def test_what_is_not_known_yet_is_shown() -> None:
    assert filters.clause("equals", "id", Unknown("?1")) == "equals(id,?1)"
    assert clauses(LOOSE, ("greater-than",), Bound(Unknown("?"), True), None) == ("greater-than(field,?-1s)",)
