"""Generated queries: some hundreds in every run, as many as ORACLE_EXAMPLES says in a long one."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .oracle import Oracle, Query
from .strategies import queries

EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", "400"))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="ORACLE_EXAMPLES" not in os.environ,
    database=None,
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(query=queries(), cached=st.booleans())
def test_generated_queries_are_answered_with_the_truth(oracle: Oracle, query: Query, cached: bool) -> None:
    oracle.check(query, cached=cached)
