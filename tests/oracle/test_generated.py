"""Generated queries: some hundreds in every run, as many as ORACLE_EXAMPLES says in a long one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from .examples import LARGE, examples
from .oracle import Oracle, Query
from .strategies import queries


@examples(400, LARGE)
@given(query=queries(), cached=st.booleans())
def test_generated_queries_are_answered_with_the_truth(oracle: Oracle, query: Query, cached: bool) -> None:
    oracle.check(query, cached=cached)
