"""The shape of replies: fieldsets, additional fields, links, relationships, included resources."""

from __future__ import annotations

from typing import Any

from klaviyo_sql.sandbox import Account

from .conftest import Ask


def _first(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer.document["data"][0]
    return found


def test_costly_attributes_come_only_when_asked_for(ask: Ask) -> None:
    attributes = _first(ask("/api/profiles?page[size]=1"))["attributes"]
    assert "email" in attributes
    assert not {"subscriptions", "predictive_analytics"} & set(attributes)
    attributes = _first(ask("/api/profiles?page[size]=1&additional-fields[profile]=subscriptions"))["attributes"]
    assert "subscriptions" in attributes
    assert "predictive_analytics" not in attributes


def test_a_part_of_a_costly_attribute_does_not_come_by_itself(ask: Ask) -> None:
    target = "/api/profiles?page[size]=1&fields[profile]=id,email,subscriptions.email.marketing.consent"
    assert set(_first(ask(target))["attributes"]) == {"email"}
    attributes = _first(ask(f"{target}&additional-fields[profile]=subscriptions"))["attributes"]
    assert set(attributes) == {"email", "subscriptions"}
    assert list(attributes["subscriptions"]) == ["email"]
    assert list(attributes["subscriptions"]["email"]["marketing"]) == ["consent"]


def test_additional_fields_come_whether_or_not_the_fieldset_names_them(ask: Ask) -> None:
    attributes = _first(ask("/api/profiles?page[size]=1&fields[profile]=email&additional-fields[profile]=subscriptions"))["attributes"]
    assert list(attributes) == ["email", "subscriptions"]
    assert "click_tracking" in attributes["subscriptions"]["email"]


def test_dotted_fields_narrow_objects(ask: Ask, account: Account) -> None:
    for item in ask("/api/profiles?page[size]=50&fields[profile]=location.city,location.latitude").document["data"]:
        location = account.profiles[item["id"]]["attributes"]["location"]
        assert item["attributes"] == {"location": {"city": location["city"], "latitude": location["latitude"]}}
    whole = _first(ask("/api/profiles?page[size]=1&fields[profile]=location.city,location"))
    assert len(whole["attributes"]["location"]) == 10


def test_attributes_come_in_the_order_asked_for(ask: Ask) -> None:
    item = _first(ask("/api/events?page[size]=1&fields[event]=uuid,datetime,timestamp"))
    assert list(item["attributes"]) == ["uuid", "datetime", "timestamp"]


def test_attributes_are_those_of_the_account(ask: Ask, account: Account) -> None:
    event = account.events[17]
    assert ask(f"/api/events/{event['id']}").document["data"]["attributes"] == event["attributes"]
    metric = next(iter(account.metrics.values()))
    assert ask(f"/api/metrics/{metric['id']}").document["data"]["attributes"] == metric["attributes"]
    assert ask("/api/accounts").document["data"][0]["attributes"] == account.account["attributes"]


def test_relationships_are_links_until_they_are_included(ask: Ask, account: Account) -> None:
    event = account.events[17]
    place = f"https://a.klaviyo.com/api/events/{event['id']}"
    links = {"self": f"{place}/relationships/metric/", "related": f"{place}/metric/"}
    item = ask(f"/api/events/{event['id']}").document["data"]
    assert set(item["relationships"]) == {"profile", "metric"}
    assert item["relationships"]["metric"] == {"links": links}
    assert item["links"] == {"self": f"{place}/"}
    document = ask(f"/api/events/{event['id']}?include=metric&fields[metric]=name").document
    assert document["data"]["relationships"]["metric"] == {"data": {"type": "metric", "id": event["metric_id"]}, "links": links}
    assert "data" not in document["data"]["relationships"]["profile"]
    (metric,) = document["included"]
    assert metric["attributes"] == {"name": account.metrics[event["metric_id"]]["attributes"]["name"]}
    assert list(metric["relationships"]) == ["flow-triggers"]


def test_included_resources_come_once(ask: Ask, account: Account) -> None:
    document = ask("/api/events?page[size]=200&include=metric,profile&fields[profile]=email&fields[metric]=name").document
    given = [(item["type"], item["id"]) for item in document["included"]]
    assert len(given) == len(set(given))
    events = {event["id"]: event for event in account.events}
    wanted = {("metric", events[item["id"]]["metric_id"]) for item in document["data"]}
    wanted |= {("profile", events[item["id"]]["profile_id"]) for item in document["data"]} - {("profile", None)}
    assert set(given) == wanted


def test_included_is_there_even_when_nothing_is(ask: Ask, account: Account) -> None:
    untagged = next(list_id for list_id, tags in account.list_tags.items() if not tags)
    document = ask(f"/api/lists/{untagged}?include=tags").document
    assert document["included"] == []
    assert document["data"]["relationships"]["tags"]["data"] == []
    assert "included" not in ask(f"/api/lists/{untagged}").document


def test_tags_and_flows_of_groups(ask: Ask, account: Account) -> None:
    for path, groups, tagged in (
        ("/api/lists", account.lists, account.list_tags),
        ("/api/segments", account.segments, account.segment_tags),
    ):
        for identifier in groups:
            found = ask(f"{path}/{identifier}/tags")
            assert sorted(found.ids) == sorted(tagged[identifier])
            assert set(found.document["links"]) == {"self"}
            item = ask(f"{path}/{identifier}?include=tags,flow-triggers").document["data"]
            assert [tag["id"] for tag in item["relationships"]["tags"]["data"]] == tagged[identifier]
            flows = [flow["id"] for flow in item["relationships"]["flow-triggers"]["data"]]
            assert flows == account.flow_triggers.get(identifier, [])


def test_attributions_lead_from_an_order_to_the_message_before_it(ask: Ask, account: Account) -> None:
    event_id, attribution_ids = next(iter(account.event_attributions.items()))
    document = ask(f"/api/events/{event_id}?include=attributions").document
    linkage = document["data"]["relationships"]["attributions"]["data"]
    assert [item["id"] for item in linkage] == attribution_ids
    relationships = document["included"][0]["relationships"]
    assert relationships["event"]["data"]["id"] == event_id
    assert account.event(relationships["attributed-event"]["data"]["id"]) is not None
    plain = next(event["id"] for event in account.events if event["id"] not in account.event_attributions)
    assert "attributions" not in ask(f"/api/events/{plain}?include=attributions").document["data"]["relationships"]


def test_the_number_of_members_comes_only_when_asked_for_one_group(ask: Ask, account: Account) -> None:
    for path, members in (("/api/lists", account.list_members), ("/api/segments", account.segment_members)):
        for identifier, inside in members.items():
            kind = "list" if path == "/api/lists" else "segment"
            plain = ask(f"{path}/{identifier}").document["data"]["attributes"]
            assert "profile_count" not in plain
            counted = ask(f"{path}/{identifier}?additional-fields[{kind}]=profile_count").document["data"]["attributes"]
            assert counted == plain | {"profile_count": len(inside)}


def test_groups_of_a_profile(ask: Ask, account: Account) -> None:
    profile_id = next(iter(account.profiles))
    lists = {list_id for list_id, members in account.list_members.items() if profile_id in members}
    segments = {segment_id for segment_id, members in account.segment_members.items() if profile_id in members}
    assert set(ask(f"/api/profiles/{profile_id}/lists").ids) == lists
    assert set(ask(f"/api/profiles/{profile_id}/segments").ids) == segments
    document = ask(f"/api/profiles/{profile_id}?include=lists,segments").document
    assert {item["id"] for item in document["included"]} == lists | segments


def test_the_other_ends_of_an_event(ask: Ask, account: Account) -> None:
    event = next(event for event in account.events if event["profile_id"] is not None)
    assert ask(f"/api/events/{event['id']}/metric").document["data"]["id"] == event["metric_id"]
    profile = ask(f"/api/events/{event['id']}/profile?additional-fields[profile]=predictive_analytics").document["data"]
    assert profile["id"] == event["profile_id"]
    assert "predictive_analytics" in profile["attributes"]
