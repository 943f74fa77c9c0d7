"""What filters let through, held against the account."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import pytest

from klaviyo_sql.sandbox import Account

from .conftest import Ask

Resource = dict[str, Any]
Find = Callable[[str, str], set[str]]


@pytest.fixture
def find(scan: Callable[[str], list[str]]) -> Find:
    return lambda path, text: set(scan(f"{path}?filter={quote(text, safe='')}"))


def _ids(resources: Iterable[Resource], passes: Callable[[Resource], bool]) -> set[str]:
    return {resource["id"] for resource in resources if passes(resource)}


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_dates_of_profiles_are_strict(find: Find, account: Account) -> None:
    profiles = list(account.profiles.values())
    for name in ("created", "updated"):
        moment = profiles[len(profiles) // 2]["attributes"][name]
        later = _ids(profiles, lambda profile, name=name, moment=moment: profile["attributes"][name] > moment)
        earlier = _ids(profiles, lambda profile, name=name, moment=moment: profile["attributes"][name] < moment)
        assert later
        assert earlier
        assert find("/api/profiles", f"greater-than({name},{moment})") == later
        assert find("/api/profiles", f"less-than({name},{moment.replace('+00:00', 'Z')})") == earlier
        assert find("/api/profiles", f"greater-than({name},{moment}),less-than({name},{moment})") == set()


def test_a_bound_with_decimals_lies_between_seconds(find: Find, account: Account) -> None:
    moment = next(iter(account.profiles.values()))["attributes"]["created"][:19]
    with_it = find("/api/profiles", f"less-than(created,{moment}.5Z)")
    assert with_it - find("/api/profiles", f"less-than(created,{moment}Z)") == _ids(
        account.profiles.values(), lambda profile: profile["attributes"]["created"][:19] == moment
    )


@pytest.mark.parametrize("field", ["email", "phone_number", "external_id", "id"])
def test_identifiers_of_profiles(find: Find, account: Account, field: str) -> None:
    profiles = list(account.profiles.values())
    values = {profile["id"]: profile["id"] if field == "id" else profile["attributes"][field] for profile in profiles}
    known = [identifier for identifier, value in values.items() if value is not None]
    assert find("/api/profiles", f"equals({field},{_quoted(values[known[0]])})") == {known[0]}
    several = known[1:60:7]
    listed = ",".join(_quoted(values[identifier]) for identifier in several)
    assert find("/api/profiles", f'any({field},[{listed},"unknown"])') == set(several)
    for identifier in known:
        if set(values[identifier]) & set("+%,'\"\\"):
            assert find("/api/profiles", f"equals({field},{_quoted(values[identifier])})") == {identifier}


def test_emails_and_names_compare_without_case_but_ids_do_not(find: Find, account: Account) -> None:
    profile = next(profile for profile in account.profiles.values() if profile["attributes"]["email"])
    assert find("/api/profiles", f"equals(email,{_quoted(profile['attributes']['email'].upper())})") == {profile["id"]}
    assert find("/api/profiles", f"equals(id,{_quoted(profile['id'].lower())})") == set()
    assert find("/api/lists", 'equals(name,"NEWSLETTER")') == _ids(account.lists.values(), lambda found: found["attributes"]["name"].lower() == "newsletter")


@pytest.mark.parametrize("path", ["/api/lists", "/api/segments"])
def test_every_nasty_name_finds_itself(find: Find, account: Account, path: str) -> None:
    groups = account.lists if path == "/api/lists" else account.segments
    for group in groups.values():
        name = group["attributes"]["name"]
        assert find(path, f"equals(name,{_quoted(name)})") == _ids(
            groups.values(), lambda found, name=name: found["attributes"]["name"].casefold() == name.casefold()
        )
    some = list(groups.values())[2:7]
    names = [group["attributes"]["name"] for group in some]
    assert {group["id"] for group in some} <= find(path, f"any(name,[{','.join(map(_quoted, names))}])")


def test_any_entry_of_a_suppression_counts(find: Find, account: Account) -> None:
    def entries(profile: Resource, kind: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = profile["attributes"]["subscriptions"]["email"]["marketing"][kind]
        return found

    profiles = list(account.profiles.values())
    prefix = "subscriptions.email.marketing"
    reasons = {entry["reason"] for profile in profiles for entry in entries(profile, "suppression")}
    assert reasons == {"HARD_BOUNCE", "INVALID_EMAIL", "SPAM_COMPLAINT", "UNSUBSCRIBE", "USER_SUPPRESSED"}
    assert any(len(entries(profile, "suppression")) > 1 for profile in profiles)
    for reason in reasons:
        assert find("/api/profiles", f"equals({prefix}.suppression.reason,'{reason}')") == _ids(
            profiles, lambda profile, reason=reason: any(entry["reason"] == reason for entry in entries(profile, "suppression"))
        )
    assert find("/api/profiles", f"greater-than({prefix}.suppression.timestamp,2000-01-01T00:00:00Z)") == _ids(
        profiles, lambda profile: bool(entries(profile, "suppression"))
    )
    exact = next(entries(profile, "suppression")[0]["timestamp"] for profile in profiles if entries(profile, "suppression"))
    owner = find("/api/profiles", f"less-or-equal({prefix}.suppression.timestamp,{exact})")
    assert owner - find("/api/profiles", f"less-than({prefix}.suppression.timestamp,{exact})")
    list_id = next(entry["list_id"] for profile in profiles for entry in entries(profile, "list_suppressions"))
    assert find("/api/profiles", f'equals({prefix}.list_suppressions.list_id,"{list_id}")') == _ids(
        profiles, lambda profile: any(entry["list_id"] == list_id for entry in entries(profile, "list_suppressions"))
    )


def test_is_starred_is_taken_and_does_nothing(find: Find, account: Account) -> None:
    assert find("/api/segments", "equals(is_starred,true)") == set(account.segments)
    active = _ids(account.segments.values(), lambda segment: segment["attributes"]["is_active"])
    assert set() < active < set(account.segments)
    assert find("/api/segments", "equals(is_active,true),equals(is_starred,false)") == active
    assert find("/api/segments", "any(is_active,[true,false])") == set(account.segments)


def test_metrics_are_found_by_integration_but_not_by_category(find: Find, account: Account) -> None:
    of_api = _ids(account.metrics.values(), lambda metric: (metric["attributes"]["integration"] or {}).get("name") == "API")
    assert of_api
    assert find("/api/metrics", 'equals(integration.name,"API")') == of_api
    assert find("/api/metrics", 'equals(integration.category,"API")') == set()


def test_events_by_metric_profile_and_time(find: Find, account: Account) -> None:
    events = account.events
    busy = max(account.profiles, key=lambda profile_id: len(account.events_of_profile(profile_id)))
    metric_id = account.events_of_profile(busy)[0]["metric_id"]
    assert find("/api/events", f'equals(profile_id,"{busy}")') == _ids(events, lambda event: event["profile_id"] == busy)
    assert find("/api/events", f'equals(metric_id,"{metric_id}"),equals(profile_id,"{busy}")') == _ids(
        events, lambda event: event["profile_id"] == busy and event["metric_id"] == metric_id
    )
    # Both bounds in the middle of the burst: more events in one second than a page holds.
    seconds = [event["attributes"]["timestamp"] for event in events]
    crowded = max(set(seconds), key=seconds.count)
    assert seconds.count(crowded) > 1000
    moment = next(event["attributes"]["datetime"] for event in events if event["attributes"]["timestamp"] == crowded)
    bounds: list[tuple[str, Callable[[int], bool]]] = [
        ("greater-than", lambda second: second > crowded),
        ("greater-or-equal", lambda second: second >= crowded),
        ("less-than", lambda second: second < crowded),
        ("less-or-equal", lambda second: second <= crowded),
    ]
    for operator, holds in bounds:
        truth = _ids(events, lambda event, holds=holds: holds(event["attributes"]["timestamp"]))
        assert find("/api/events", f"{operator}(datetime,{moment})") == truth
        assert find("/api/events", f"{operator}(timestamp,{crowded})") == truth
    assert len(find("/api/events", f"and(greater-or-equal(datetime,{moment}),less-or-equal(datetime,{moment}))")) == seconds.count(crowded)


def test_events_of_deleted_profiles_have_no_profile(find: Find, ask: Ask, account: Account) -> None:
    orphans = _ids(account.events, lambda event: event["profile_id"] is None)
    assert orphans
    assert find("/api/events", "has(profile)") == {event["id"] for event in account.events} - orphans
    assert find("/api/events", "has(metric)") == {event["id"] for event in account.events}
    answer = ask(f"/api/events/{next(iter(orphans))}/profile")
    assert (answer.status, answer.document["data"]) == (200, None)


def test_members_by_identifiers_and_time(find: Find, account: Account) -> None:
    list_id = max(account.list_members, key=lambda list_id: len(account.list_members[list_id]))
    joined = account.list_members[list_id]
    moment = sorted(joined.values())[len(joined) // 2]
    path = f"/api/lists/{list_id}/profiles"
    assert find(path, f"greater-or-equal(joined_group_at,{moment})") == {member for member, when in joined.items() if when >= moment}
    assert find(path, f"less-than(joined_group_at,{moment})") == {member for member, when in joined.items() if when < moment}
    member = next(member for member in joined if account.profiles[member]["attributes"]["email"])
    email = account.profiles[member]["attributes"]["email"]
    assert find(path, f"equals(email,{_quoted(email)})") == {member}
    assert find(path, 'equals(push_token,"x")') == set()
    segment_id = max(account.segment_members, key=lambda segment_id: len(account.segment_members[segment_id]))
    inside = next(iter(account.segment_members[segment_id]))
    outside = next(profile_id for profile_id in account.profiles if profile_id not in account.segment_members[segment_id])
    path = f"/api/segments/{segment_id}/relationships/profiles"
    assert find(path, f'any(profile_id,["{inside}","{outside}"])') == {inside}


def test_the_exchange_id_leads_to_its_profile(find: Find, account: Account) -> None:
    exchange_id, profile_id = next(iter(account.exchange_ids.items()))
    assert find("/api/profiles", f'equals(_kx,"{exchange_id}")') == {profile_id}
    assert find("/api/profiles", 'equals(_kx,"other")') == set()


def test_a_plus_that_nobody_encoded_is_a_space(ask: Ask) -> None:
    assert ask('/api/profiles?filter=equals(email,"o\'brien+tag9@exämple.com")').ids == []
    assert len(ask('/api/profiles?filter=equals(email,"o\'brien%2Btag9@exämple.com")').ids) == 1
