"""What a copy needs at which age: without a network and without a file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from klaviyo_sql.copies.layout import layout
from klaviyo_sql.copies.need import Copy, Need, State, delta, need
from klaviyo_sql.freshness import Freshness
from klaviyo_sql.model.table import WriteOnly
from klaviyo_sql.tables import TABLES

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)


def copy_of(name: str, freshness: Freshness | None = None) -> Copy:
    return Copy(layout(TABLES[name], all_columns=False), freshness or Freshness())


def state_of(copy: Copy, *, age: float = 0.0, reread: float = 0.0, high: str | None = "2026-11-20 12:00:00") -> State:
    return State(copy.layout.name, copy.layout.fingerprint, 5, high, NOW - timedelta(seconds=age), NOW - timedelta(seconds=reread), 1)


@pytest.mark.parametrize(
    ("name", "freshness", "age", "reread", "wanted"),
    [
        ("events", Freshness(), 0, 0, Need.DELTA),
        ("events", Freshness(max_age=60), 59, 59, Need.NOTHING),
        ("events", Freshness(max_age=60), 60, 60, Need.DELTA),
        ("events", Freshness(), 10, 86_399, Need.DELTA),
        ("events", Freshness(), 10, 86_400, Need.WHOLE),
        ("events", Freshness(max_age=90_000), 10, 86_400, Need.WHOLE),
        ("metrics", Freshness(), 59, 59, Need.NOTHING),
        ("metrics", Freshness(), 60, 60, Need.WHOLE),
        # A clock that went back a little is no reason to doubt, one that went back further is.
        ("events", Freshness(), -299, -299, Need.DELTA),
        ("events", Freshness(max_age=60), -299, -299, Need.NOTHING),
        ("events", Freshness(max_age=60), -301, 0, Need.WHOLE),
        ("events", Freshness(max_age=60), 0, -301, Need.WHOLE),
    ],
)
def test_ages(name: str, freshness: Freshness, age: float, reread: float, wanted: Need) -> None:
    copy = copy_of(name, freshness)
    assert need(copy, state_of(copy, age=age, reread=reread), NOW) is wanted


def test_without_a_copy_or_with_another_layout_everything_is_read() -> None:
    copy = copy_of("events", Freshness(max_age=60))
    assert need(copy, None, NOW) is Need.WHOLE
    assert need(copy, replace(state_of(copy), layout="another"), NOW) is Need.WHOLE
    assert need(copy_of("events"), state_of(copy, high=None), NOW) is Need.WHOLE


def test_a_delta_begins_the_look_back_before_the_newest_row() -> None:
    for name, freshness, start in (
        ("events", Freshness(), "2026-11-20 11:00:00"),
        ("profiles", Freshness(), "2026-11-20 11:50:00"),
        ("events", Freshness(look_back=0), "2026-11-20 12:00:00"),
    ):
        copy = copy_of(name, freshness)
        (constraint,) = delta(copy, state_of(copy), NOW)
        assert constraint.value == start


def test_it_begins_before_the_present_whatever_the_copy_says() -> None:
    copy = copy_of("events")
    (constraint,) = delta(copy, state_of(copy, high="2027-06-01 00:00:00"), NOW)
    assert constraint.value == "2026-11-20 12:00:00"


def test_columns_that_cost_more_are_left_out_unless_asked_for() -> None:
    table = TABLES["profiles"]
    plain, everything = layout(table, all_columns=False), layout(table, all_columns=True)
    assert {table.columns[n].name for n in plain.columns} >= {"id", "email", "properties", "updated"}
    assert not any(table.columns[n].name.startswith(("predictive", "subscriptions", "suppression", "list_suppression")) for n in plain.columns)
    assert {column.name for column in table.columns} - {table.columns[n].name for n in everything.columns} == {
        "kx",
        *(column.name for column in table.columns if isinstance(column.place, WriteOnly)),
    }
    assert plain.fingerprint != everything.fingerprint
    lists = layout(TABLES["lists"], all_columns=True)
    assert TABLES["lists"].index("profile_count") not in lists.columns
