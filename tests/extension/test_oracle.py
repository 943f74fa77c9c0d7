"""The oracle's suites once more, through the extension: what they import is run with the oracle of this folder.

All of them take minutes: they are run in the long run that ORACLE_EXAMPLES asks for, and in every run a choice that has every table and many shapes.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.examples import LARGE
from oracle.oracle import Oracle, Query
from oracle.shapes import shapes
from oracle.strategies import queries
from oracle.test_every_table import SMALL

from klaviyo_sql.model.table import Table

if "ORACLE_EXAMPLES" in os.environ:
    from oracle.test_every_table import *  # noqa: F403
    from oracle.test_generated import *  # noqa: F403
    from oracle.test_period_tables import *  # noqa: F403
    from oracle.test_shapes import *  # noqa: F403

SHAPES = shapes()[::5]


@pytest.mark.parametrize("number", range(len(SHAPES)))
def test_a_shape_is_answered_with_the_truth(oracle: Oracle, number: int) -> None:
    oracle.check(SHAPES[number], cached=bool(number % 2))


@pytest.mark.parametrize("table", SMALL, ids=lambda table: table.name)
def test_a_table_is_what_it_is(oracle: Oracle, table: Table) -> None:
    oracle.check(Query(f"SELECT {{*{table.name}}} FROM {table.name}"), cached=True)


@settings(max_examples=100, suppress_health_check=LARGE)
@given(query=queries(), cached=st.booleans())
def test_a_generated_query_is_answered_with_the_truth(oracle: Oracle, query: Query, cached: bool) -> None:
    oracle.check(query, cached=cached)
