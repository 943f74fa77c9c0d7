"""The account is the same every time, and has in it what breaks careless software."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from klaviyo_sql.sandbox import Account, Sandbox, generate

from .conftest import TODAY, asker


def _data(account: Account) -> dict[str, Any]:
    return {name: value for name, value in vars(account).items() if isinstance(value, dict | list) and not name.startswith("_")}


def test_a_seed_and_a_day_give_one_account() -> None:
    one, same, other, tomorrow = (
        _data(generate(seed, today, profiles=40, events=400)) for seed, today in ((1, TODAY), (1, TODAY), (2, TODAY), (1, date(2026, 11, 21)))
    )
    assert one == same
    assert one != other
    assert one != tomorrow


def test_sizes_are_kept_even_when_small() -> None:
    for profiles, events in ((0, 0), (1, 1), (3, 10), (20, 100)):
        account = generate(seed=3, today=TODAY, profiles=profiles, events=events)
        assert (len(account.profiles), len(account.events)) == (profiles, events)


def test_everything_that_is_linked_exists(account: Account) -> None:
    for event in account.events:
        assert event["metric_id"] in account.metrics
        assert event["profile_id"] is None or event["profile_id"] in account.profiles
    for members in (*account.list_members.values(), *account.segment_members.values()):
        assert set(members) <= set(account.profiles)
    for tags in (*account.list_tags.values(), *account.segment_tags.values()):
        assert set(tags) <= set(account.tags)
    assert set(account.list_members) == set(account.lists)
    assert set(account.segment_members) == set(account.segments)


def test_ids_have_klaviyos_shapes(account: Account) -> None:
    assert all(len(identifier) == 26 for identifier in account.profiles)
    assert all(len(identifier) == 6 for identifier in (*account.lists, *account.segments, *account.metrics, *account.flows))
    assert all(len(event["id"]) == 11 and len(event["attributes"]["uuid"]) == 36 for event in account.events)
    assert len({event["id"] for event in account.events}) == len(account.events)
    assert len({event["attributes"]["uuid"] for event in account.events}) == len(account.events)


def test_there_is_something_nasty_of_every_kind(account: Account) -> None:
    profiles = [profile["attributes"] for profile in account.profiles.values()]
    names = "".join(str(profile["first_name"]) + str(profile["last_name"]) for profile in profiles)
    assert set("'\"\\,[](){}%_+&\n\t") <= set(names)
    assert any(ord(character) > 0xFFFF for character in names)
    assert {None, ""} <= {profile["first_name"] for profile in profiles}
    folded = Counter(name.casefold() for name in {profile["first_name"] for profile in profiles if profile["first_name"]})
    assert max(folded.values()) > 1
    assert any(profile["email"] is None and profile["phone_number"] for profile in profiles)
    assert any(profile["email"] is None and profile["phone_number"] is None and profile["external_id"] for profile in profiles)
    assert len({type(profile["properties"].get("score")) for profile in profiles}) >= 7
    assert {str, float} <= {type(profile["location"]["latitude"]) for profile in profiles}
    assert {type(profile["predictive_analytics"]["total_clv"]) for profile in profiles} == {type(None), float}
    assert len(account.lists) > 10
    assert any(segment["attributes"]["is_processing"] for segment in account.segments.values())
    metric_names = [metric["attributes"]["name"] for metric in account.metrics.values()]
    assert len(set(metric_names)) < len(metric_names)
    assert any(metric["attributes"]["integration"] is None for metric in account.metrics.values())


def test_events_crowd_where_it_hurts(account: Account) -> None:
    times = Counter(event["attributes"]["timestamp"] for event in account.events)
    assert times.most_common(1)[0][1] > 1000
    zone = ZoneInfo(account.account["attributes"]["timezone"])
    local = {datetime.fromtimestamp(moment, zone) for moment in times}
    for year in (2025, 2026):
        assert datetime(year, 1, 1, tzinfo=zone) in local
        assert datetime(year - 1, 12, 31, 23, 59, 59, tzinfo=zone) in local
    # Both hours from one to two on the night on which the clocks go back.
    assert {moment.fold for moment in local if moment.date() == date(2026, 11, 1) and moment.hour == 1} == {0, 1}
    values = [event["attributes"]["event_properties"].get("$value") for event in account.events]
    assert {None, 0} <= {value for value in values if not value}
    assert max(len(str(event["attributes"]["event_properties"])) for event in account.events) > 4000
    assert account.events[-1]["attributes"]["datetime"] == "2026-11-20T12:00:00+00:00"


def test_a_sandbox_makes_its_account_when_it_is_needed_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Account] = []

    def make() -> Account:
        made.append(generate(seed=3, today=TODAY, profiles=5, events=20))
        return made[-1]

    monkeypatch.setattr("klaviyo_sql.sandbox.api.generate", make)
    ask = asker(sandbox := Sandbox())
    assert ask("/api/nothing").status == 404
    assert made == []
    assert ask("/api/accounts").status == 200
    assert made == [sandbox.account]
