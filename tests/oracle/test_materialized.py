"""The same generated queries on materialized tables: a copy answers as Klaviyo does, at first and after the account has changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klaviyo_sql import Connection
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Account, Sandbox, generate

from . import truth
from .examples import LARGE, examples
from .oracle import Oracle, Query
from .strategies import queries

TABLES = ("accounts", "profiles", "lists", "list_profiles:max_age=1h", "segments", "segment_profiles:max_age=1h", "metrics", "events")
_SETTINGS = examples(200, LARGE)


def materialized(account: Account, all_columns: bool) -> Connection:
    """Every collection from copies: with all columns, and with scans of costly columns going to Klaviyo."""
    clock = SimulatedClock(datetime.combine(account.today, time(18), tzinfo=UTC))
    tables = [f"{table}:columns=all" if all_columns else table for table in TABLES]
    return opened(":memory:", sandbox=Sandbox(account, clock=clock), autocommit=True, cache_seconds=0, materialized=tables)


@pytest.fixture(scope="module")
def copied() -> Iterator[Oracle]:
    made = truth.account()
    found = Oracle(made, truth.database(truth.contents(made)), lambda all_columns: materialized(made, all_columns))
    yield found
    found.close()


@pytest.fixture(scope="module")
def changed() -> Iterator[Oracle]:
    """Copies that were made before the account changed, and have to find out; the truth is of afterwards."""
    made = truth.odd(generate(seed=7, today=truth.TODAY, profiles=300, events=3000))
    both = {all_columns: materialized(made, all_columns) for all_columns in (True, False)}
    for connection in both.values():
        for name in ("profiles", "events"):
            connection.execute(f"SELECT refresh('{name}')").fetchall()
    now = datetime.combine(truth.TODAY, time(18), tzinfo=UTC)
    profiles = list(made.profiles.values())
    for number, profile in enumerate(profiles[30:60]):
        attributes = profile["attributes"]
        attributes["first_name"] = f"Changed {number}"
        attributes["location"]["city"] = None
        attributes["updated"] = (now - timedelta(seconds=number)).isoformat()
    for number, event in enumerate(made.events[100:140]):
        late = now - timedelta(minutes=number)
        attributes = event["attributes"] | {"datetime": late.isoformat(), "timestamp": int(late.timestamp())}
        made.events.append({**event, "id": f"NewEvents{1 + number // 9}{1 + number % 9}", "attributes": attributes})
    made.changed()
    found = Oracle(made, truth.database(truth.contents(made)), both.__getitem__)
    yield found
    found.close()


@_SETTINGS
@given(query=queries(), all_columns=st.booleans())
def test_generated_queries_on_copies_are_answered_with_the_truth(copied: Oracle, query: Query, all_columns: bool) -> None:
    copied.check(query, cached=all_columns)


@_SETTINGS
@given(query=queries(), all_columns=st.booleans())
def test_they_are_after_the_account_has_changed(changed: Oracle, query: Query, all_columns: bool) -> None:
    changed.check(query, cached=all_columns)
