"""Klaviyo's official Python SDK, of the same revision, drives the sandbox over a connection.

Its replies are pydantic models made from Klaviyo's description, so that every call is a check of the reply's shape as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from klaviyo_api import KlaviyoAPI
from openapi_client.exceptions import ApiException, NotFoundException

from klaviyo_sql.contract import operation
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Fault, Sandbox, serve

from .conftest import Ask, asker, walk
from .operations import FILTERS, READS, ids, path

Document = dict[str, Any]


@pytest.fixture(scope="module")
def sandbox(account: Account) -> Sandbox:
    return Sandbox(account, limits=False)


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> Iterator[KlaviyoAPI]:
    with serve(sandbox) as url:
        client = KlaviyoAPI(SANDBOX_KEY, max_retries=1, test_host=url)
        yield client
        client.api_client.rest_client.pool_manager.clear()


@pytest.fixture(scope="module")
def entitled(account: Account) -> Iterator[tuple[KlaviyoAPI, Ask]]:
    """A client that may read webhooks as well, and a way around it."""
    sandbox = Sandbox(account, limits=False, entitlements=("webhooks",))
    with serve(sandbox) as url:
        client = KlaviyoAPI(SANDBOX_KEY, max_retries=1, test_host=url)
        yield client, asker(sandbox)
        client.api_client.rest_client.pool_manager.clear()


def _plain(reply: Any) -> Document:
    # With sparse fieldsets the SDK gives dictionaries instead of models.
    document: Document = reply if isinstance(reply, dict) else reply.to_dict()
    return document


def _all(method: Callable[..., Any], *given: Any, **named: Any) -> list[Document]:
    rows: list[Document] = []
    cursor: str | None = None
    while True:
        document = _plain(method(*given, **named, **({"page_cursor": cursor} if cursor else {})))
        rows += document["data"]
        following = document["links"].get("next")
        if not following:
            return rows
        cursor = parse_qs(urlsplit(following).query)["page[cursor]"][0]


@pytest.mark.parametrize("name", READS)
def test_every_read(entitled: tuple[KlaviyoAPI, Ask], account: Account, name: str) -> None:
    client, ask = entitled
    described = operation(name)
    method = _method(client, name)
    for identifier in ids(account, name, most=2):
        for condition in FILTERS.get(name, [None]):
            given = {"filter": condition, "page_size": described.page.max if described.page else None, "include": list(described.include)}
            named = {parameter: value for parameter, value in given.items() if value}
            place = (identifier,) if identifier else ()
            target = path(name, identifier) + (f"?filter={quote(condition)}" if condition else "")
            truth = ask(target).document["data"]
            if isinstance(truth, list):
                wanted = [resource for page in walk(ask, target) for resource in page.document["data"]]
                assert sorted(row["id"] for row in _all(method, *place, **named)) == sorted(row["id"] for row in wanted)
            elif truth is not None:  # The SDK's models refuse nothing at the other end of a relationship, which live replies do have.
                assert _plain(method(*place, **named))["data"]["id"] == truth["id"]


def _method(client: KlaviyoAPI, name: str) -> Callable[..., Any]:
    (found,) = [getattr(getattr(client, group), name) for group in dir(client) if hasattr(getattr(client, group), name)]
    method: Callable[..., Any] = found
    return method


@pytest.mark.parametrize(
    ("name", "statistic"),
    [
        ("query_campaign_values", "open_rate"),
        ("query_flow_values", "conversion_value"),
        ("query_flow_series", "opens"),
        ("query_form_values", "submit_rate"),
        ("query_form_series", "submits"),
        ("query_segment_values", "total_members"),
        ("query_segment_series", "members_added"),
    ],
)
def test_every_report(client: KlaviyoAPI, account: Account, name: str, statistic: str) -> None:
    attributes: dict[str, Any] = {"statistics": [statistic], "timeframe": {"start": "2026-10-01T00:00:00+00:00", "end": "2026-10-29T00:00:00+00:00"}}
    if "campaign" in name or "flow" in name:
        attributes["conversion_metric_id"] = next(iter(account.metrics))
    if "series" in name:
        attributes["interval"] = "daily"
    kind = operation(name).path.removeprefix("/api/").removesuffix("s")
    document = _plain(_method(client, name)({"data": {"type": kind, "attributes": attributes}}))
    found = document["data"]["attributes"]
    assert found["results"]
    assert ("date_times" in found) == ("series" in name)


def test_the_account(client: KlaviyoAPI, account: Account) -> None:
    (found,) = _all(client.Accounts.get_accounts)
    assert found["attributes"]["timezone"] == "America/New_York"
    assert _plain(client.Accounts.get_account(account.account["id"]))["data"]["id"] == account.account["id"]


def test_profiles(client: KlaviyoAPI, account: Account) -> None:
    profiles = _all(client.Profiles.get_profiles, page_size=100, sort="-created")
    assert [profile["id"] for profile in profiles] != list(account.profiles)
    assert {profile["id"] for profile in profiles} == set(account.profiles)
    profile_id = profiles[0]["id"]
    additional = ["subscriptions", "predictive_analytics"]
    document = _plain(client.Profiles.get_profile(profile_id, additional_fields_profile=additional, include=["lists", "segments"]))
    marketing = document["data"]["attributes"]["subscriptions"]["email"]["marketing"]
    truth = account.profiles[profile_id]["attributes"]["subscriptions"]["email"]["marketing"]
    assert marketing["consent"] == truth["consent"]
    lists = {found["id"] for found in _all(client.Profiles.get_lists_for_profile, profile_id)}
    segments = {found["id"] for found in _all(client.Profiles.get_segments_for_profile, profile_id)}
    assert {found["id"] for found in document["included"]} == lists | segments


def test_a_filter_with_everything_in_it(client: KlaviyoAPI, account: Account) -> None:
    email = next(profile["attributes"]["email"] for profile in account.profiles.values() if "+" in (profile["attributes"]["email"] or ""))
    (found,) = _all(client.Profiles.get_profiles, filter=f'any(email,["{email}","nobody"])', fields_profile=["email"])
    assert found["attributes"] == {"email": email}


@pytest.mark.parametrize("group", ["Lists", "Segments"])
def test_groups(client: KlaviyoAPI, account: Account, group: str) -> None:
    api, kind = getattr(client, group), group[:-1].lower()
    groups, members, tags = (
        (account.lists, account.list_members, account.list_tags) if group == "Lists" else (account.segments, account.segment_members, account.segment_tags)
    )
    found = _all(getattr(api, f"get_{kind}s"), sort="name", include=["tags", "flow-triggers"])
    assert [item["attributes"]["name"] for item in found] == sorted(item["attributes"]["name"] for item in groups.values())
    for identifier in groups:
        counted = _plain(getattr(api, f"get_{kind}")(identifier, **{f"additional_fields_{kind}": ["profile_count"]}))
        assert counted["data"]["attributes"]["profile_count"] == len(members[identifier])
        ids = _all(getattr(api, f"get_profile_ids_for_{kind}"), identifier, page_size=100)
        assert {item["id"] for item in ids} == set(members[identifier])
        assert {tag["id"] for tag in _all(getattr(api, f"get_tags_for_{kind}"), identifier)} == set(tags[identifier])
    largest = max(members, key=lambda identifier: len(members[identifier]))
    joined = _all(getattr(api, f"get_profiles_for_{kind}"), largest, page_size=100, fields_profile=["joined_group_at"], sort="joined_group_at")
    assert {item["id"]: item["attributes"]["joined_group_at"] for item in joined} == members[largest]


def test_metrics(client: KlaviyoAPI, account: Account) -> None:
    assert {metric["id"] for metric in _all(client.Metrics.get_metrics)} == set(account.metrics)
    metric_id = next(iter(account.metrics))
    assert _plain(client.Metrics.get_metric(metric_id))["data"]["attributes"] == account.metrics[metric_id]["attributes"]


def test_events(client: KlaviyoAPI, account: Account) -> None:
    events = _all(client.Events.get_events, page_size=1000, sort="datetime", filter="less-than(datetime,2026-01-01T00:00:00Z)")
    truth = [event for event in account.events if event["attributes"]["datetime"] < "2026-01-01"]
    assert [event["id"] for event in events] == [event["id"] for event in truth]
    assert [event["attributes"]["event_properties"] for event in events] == [event["attributes"]["event_properties"] for event in truth]
    event = next(event for event in truth if event["profile_id"] is not None)
    document = _plain(client.Events.get_event(event["id"], include=["metric", "profile"]))
    assert {item["id"] for item in document["included"]} == {event["metric_id"], event["profile_id"]}
    assert _plain(client.Events.get_metric_for_event(event["id"]))["data"]["id"] == event["metric_id"]
    assert _plain(client.Events.get_profile_for_event(event["id"]))["data"]["id"] == event["profile_id"]


def test_metric_aggregates(client: KlaviyoAPI, account: Account) -> None:
    metric_id = next(iter(account.metrics))
    attributes = {
        "metric_id": metric_id,
        "measurements": ["count"],
        "interval": "month",
        "timezone": "America/New_York",
        "filter": ["greater-or-equal(datetime,2026-01-01T00:00:00)", "less-than(datetime,2026-11-01T00:00:00)"],
    }
    document = _plain(client.Metrics.query_metric_aggregates({"data": {"type": "metric-aggregate", "attributes": attributes}}))
    found = document["data"]["attributes"]
    assert len(found["dates"]) == 10
    truth = [event for event in account.events_of_metric(metric_id) if "2026-01-01T05" <= event["attributes"]["datetime"] < "2026-11-01T04"]
    assert sum(found["data"][0]["measurements"]["count"]) == len(truth)


def test_an_event_is_created(fresh_account: Account, clock: SimulatedClock) -> None:
    sandbox = Sandbox(fresh_account, clock=clock, limits=False)
    profile = {"data": {"type": "profile", "attributes": {"email": "sdk@example.com"}}}
    metric = {"data": {"type": "metric", "attributes": {"name": "From the SDK"}}}
    attributes = {"properties": {"a": 1}, "metric": metric, "profile": profile, "unique_id": "1"}
    with serve(sandbox) as url:
        client = KlaviyoAPI(SANDBOX_KEY, max_retries=1, test_host=url)
        client.Events.create_event({"data": {"type": "event", "attributes": attributes}})
        clock.sleep(6)
        assert "From the SDK" in {metric["attributes"]["name"] for metric in _all(client.Metrics.get_metrics)}
        client.api_client.rest_client.pool_manager.clear()


def test_errors_are_understood(client: KlaviyoAPI) -> None:
    with pytest.raises(NotFoundException, match="A list with id `NOPE01` does not exist"):
        client.Lists.get_list("NOPE01")
    with pytest.raises(ApiException) as bad:
        client.Profiles.get_profiles(filter='contains(email,"x")')
    assert bad.value.status == 400


def test_throttling_is_waited_out(client: KlaviyoAPI, sandbox: Sandbox) -> None:
    fault = sandbox.faults.add(Fault("throttle", operation="get_metric", retry_after=1))
    metric_id = next(iter(sandbox.account.metrics))
    sandbox.requests.clear()
    assert _plain(client.Metrics.get_metric(metric_id))["data"]["id"] == metric_id
    assert fault.hits == 1
    refused, answered = sandbox.requests
    assert (refused.status, answered.status) == (429, 200)
    assert (answered.at - refused.at).total_seconds() >= 1
