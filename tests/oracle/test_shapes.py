"""Every shape of query, once: the answer is the truth."""

from __future__ import annotations

import pytest

from .oracle import Oracle, Query
from .shapes import shapes

SHAPES = shapes()


@pytest.mark.parametrize("form", ["'2025-06-01 00:00:00.0000001'", "?"])
@pytest.mark.parametrize("operator", ["=", "<", ">=", "<>"])
def test_a_time_finer_than_columns_are_is_refused_and_not_cut(oracle: Oracle, form: str, operator: str) -> None:
    bound = ("2025-06-01T00:00:00.1234567Z",) if form == "?" else ()
    for column in ("created", "suppression_timestamp"):
        with pytest.raises(AssertionError, match=r"time .*is compared with '.*', which is no"):
            oracle.check(Query(f"SELECT count(*) FROM profiles WHERE {column} {operator} {form}", bound), cached=False)


@pytest.mark.parametrize("number", range(len(SHAPES)), ids=lambda number: f"{number}-{' '.join(SHAPES[number].sql.split())[:70]}")
def test_the_answer_is_the_truth(oracle: Oracle, number: int) -> None:
    oracle.check(SHAPES[number], cached=bool(number % 2))
