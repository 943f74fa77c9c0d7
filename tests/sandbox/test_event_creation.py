from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account, Sandbox

from .conftest import Ask, asker


@pytest.fixture
def sandbox(fresh_account: Account, clock: SimulatedClock) -> Sandbox:
    return Sandbox(fresh_account, clock=clock, limits=False)


@pytest.fixture
def ask(sandbox: Sandbox) -> Ask:
    return asker(sandbox)


def _event(**given: Any) -> dict[str, Any]:
    attributes = {
        "properties": {"sku": "A", "lines": [1, {"b": None}]},
        "metric": {"data": {"type": "metric", "attributes": {"name": 'Rated, "it"'}}},
        "profile": {"data": {"type": "profile", "attributes": {"email": "New.Person@example.com", "first_name": "Neu"}}},
        **given,
    }
    return {"data": {"type": "event", "attributes": attributes}}


def test_an_event_can_be_read_only_later(ask: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    before = {event["id"] for event in fresh_account.events}
    answer = ask("/api/events", _event(time="2026-11-19T10:00:00.75Z", value=3.5, value_currency="EUR", unique_id="u1"))
    assert (answer.status, answer.document) == (202, None)
    clock.sleep(4.9)
    assert set(ask("/api/events?page[size]=1000").ids) == before
    clock.sleep(0.2)
    found = ask("/api/events?page[size]=1000&sort=datetime&include=metric,profile").document
    assert [event["id"] for event in fresh_account.events] == [item["id"] for item in found["data"]]
    (new,) = [item for item in found["data"] if item["id"] not in before]
    assert new["attributes"]["datetime"] == "2026-11-19T10:00:00+00:00"
    assert new["attributes"]["timestamp"] == 1795082400
    assert new["attributes"]["event_properties"] == {
        "sku": "A",
        "lines": [1, {"b": None}],
        "$value_currency": "EUR",
        "$event_id": "u1",
        "$value": 3.5,
    }
    profile = fresh_account.profiles[new["relationships"]["profile"]["data"]["id"]]
    assert profile["attributes"]["email"] == "new.person@example.com"
    assert profile["attributes"]["first_name"] == "Neu"
    metric = fresh_account.metrics[new["relationships"]["metric"]["data"]["id"]]
    assert metric["attributes"]["integration"]["key"] == "api"
    assert metric["id"] in ask("/api/metrics").ids
    assert profile["id"] in ask("/api/profiles?page[size]=100").ids


def test_an_event_is_kept_once(ask: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    number = len(fresh_account.events)
    same_second: list[dict[str, Any]] = [_event(time="2026-11-19T10:00:00Z"), _event(time="2026-11-19T10:00:00.9Z")]
    same_id = [_event(time="2026-11-19T11:00:00Z", unique_id="u"), _event(time="2026-11-19T12:00:00Z", unique_id="u")]
    others = [_event(time="2026-11-19T13:00:00Z", unique_id="v"), _event(time="2026-11-19T13:00:00Z", unique_id="w")]
    for event in same_second + same_id + others:
        assert ask("/api/events", event).status == 202
    clock.sleep(6)
    ask("/api/metrics")
    assert len(fresh_account.events) == number + 4
    assert len({profile["attributes"]["email"] for profile in fresh_account.profiles.values() if profile["attributes"]["email"]}) == len(
        [profile for profile in fresh_account.profiles.values() if profile["attributes"]["email"]]
    )


def test_known_metrics_and_profiles_are_used(ask: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    metrics, profiles = set(fresh_account.metrics), set(fresh_account.profiles)
    known = next(profile for profile in fresh_account.profiles.values() if profile["attributes"]["email"])
    metric = {"data": {"type": "metric", "attributes": {"name": "Viewed Product"}}}
    by_id = {"data": {"type": "profile", "id": known["id"], "attributes": {}}}
    by_email = {"data": {"type": "profile", "attributes": {"email": known["attributes"]["email"].upper()}}}
    for number, profile in enumerate((by_id, by_email)):
        assert ask("/api/events", _event(metric=metric, profile=profile, unique_id=f"k{number}")).status == 202
    clock.sleep(6)
    ask("/api/metrics")
    assert (set(fresh_account.metrics), set(fresh_account.profiles)) == (metrics, profiles)
    newest = fresh_account.events[-2:]
    assert {event["profile_id"] for event in newest} == {known["id"]}
    names = [metric["attributes"]["name"] for metric in fresh_account.metrics.values()]
    assert names.count("Viewed Product") == 2
    assert {fresh_account.metrics[event["metric_id"]]["attributes"]["integration"]["key"] for event in newest} == {"api"}


Change = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (lambda event: event["data"].update(type="events"), "/data/type"),
        (lambda event: event["data"].pop("attributes"), "/data/attributes"),
        (lambda event: event["data"]["attributes"].pop("properties"), "/data/attributes/properties"),
        (lambda event: event["data"]["attributes"].pop("metric"), "/data/attributes/metric"),
        (lambda event: event["data"]["attributes"].pop("profile"), "/data/attributes/profile"),
        (
            lambda event: event["data"]["attributes"]["metric"]["data"]["attributes"].update(name="x" * 128),
            "/data/attributes/metric/data/attributes/name",
        ),
        (
            lambda event: event["data"]["attributes"]["profile"]["data"]["attributes"].pop("email"),
            "/data/attributes/profile/data/attributes",
        ),
        (lambda event: event["data"]["attributes"].update(time="soon"), "/data/attributes/time"),
        (lambda event: event["data"]["attributes"].update(time="2028-01-01T00:00:00Z"), "/data/attributes/time"),
        (lambda event: event["data"]["attributes"].update(value="3"), "/data/attributes/value"),
    ],
)
def test_bad_events_are_refused(ask: Ask, change: Change, pointer: str) -> None:
    event = copy.deepcopy(_event())
    change(event)
    answer = ask("/api/events", event)
    assert answer.status == 400
    assert answer.errors[0]["source"] == {"pointer": pointer}
