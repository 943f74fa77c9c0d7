"""The text that says how fresh a copy has to be."""

from __future__ import annotations

from pathlib import Path

import pytest

import klaviyo_sql
from klaviyo_sql.errors import InterfaceError
from klaviyo_sql.freshness import Freshness, parsed
from klaviyo_sql.settings import from_environment


def test_names_and_ages() -> None:
    assert parsed("events:max_age=5m:look_back=2h:reread_age=7d, profiles:columns=all") == {
        "events": Freshness(300.0, 7200.0, 604_800.0),
        "profiles": Freshness(all_columns=True),
    }
    assert parsed(("events", "metrics:max_age=1.5")) == {"events": Freshness(), "metrics": Freshness(1.5)}
    assert parsed("") == {}


@pytest.mark.parametrize("text", ["events:age=5", "events:max_age=5x", "events:max_age", "ev ents", "events:columns=some", "events:max_age=-1", ":max_age=5"])
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InterfaceError, match="max_age=5m"):
        parsed(text)


def test_only_texts_are_taken() -> None:
    with pytest.raises(InterfaceError, match="names of tables"):
        parsed([7])  # type: ignore[list-item]


def test_the_environment_is_read_and_arguments_win() -> None:
    environment = {"KLAVIYO_SQL_MATERIALIZED": "events", "KLAVIYO_SQL_COPY_FILE": "there.db"}
    found = from_environment(environment=environment)
    assert found.materialized == {"events": Freshness()}
    assert found.copy_file == Path("there.db")
    found = from_environment(environment=environment, materialized=("profiles",), copy_file="here.db")
    assert list(found.materialized) == ["profiles"]
    assert found.copy_file == Path("here.db")


@pytest.mark.parametrize(
    ("materialized", "said"),
    [
        ("evnts", "There is no table evnts"),
        ("daily_metrics", "daily_metrics cannot be materialized"),
        ("DailyMetrics", "daily_metrics cannot be materialized"),
        ("list_profiles", "only with an age.*list_profiles:max_age=1h"),
    ],
)
def test_what_cannot_be_right_is_refused(materialized: str, said: str) -> None:
    with pytest.raises(InterfaceError, match=said):
        klaviyo_sql.connect(sandbox=True, materialized=materialized)
