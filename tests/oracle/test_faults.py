"""Generated queries while Klaviyo and the network fail at random: the answers are the truth all the same.

Some hundreds in every run, as many as ORACLE_EXAMPLES says in a long one. A storm depends on its seed and on what is asked, not on threads,
so that what fails fails again.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klaviyo_sql import Connection
from klaviyo_sql.sandbox import Storm

from . import truth
from .examples import LARGE, examples
from .oracle import Oracle, Query, connection
from .strategies import queries

STORMS: list[Storm] = []


def opens(cached: bool) -> Connection:
    """A connection whose sandbox has its storm from the first request on."""
    made = connection(truth.account(), cached)
    assert made.sandbox is not None
    STORMS.append(made.sandbox.faults.begin(Storm()))
    return made


@pytest.fixture(scope="module")
def stormy() -> Iterator[Oracle]:
    found = Oracle(truth.account(), truth.database(truth.contents(truth.account())), opens, faulty=True)
    yield found
    found.close()


@examples(350, LARGE)
@given(query=queries(), cached=st.booleans(), seed=st.integers(1, 1_000))
def test_generated_queries_are_answered_with_the_truth_whatever_fails(stormy: Oracle, query: Query, cached: bool, seed: int) -> None:
    for storm in STORMS:
        storm.seed = seed
    stormy.check(query, cached=cached)


def test_the_storms_had_every_kind_of_fault() -> None:
    met = {kind for storm in STORMS for kind in storm.hits}
    assert met == set(Storm().kinds)
