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


@pytest.mark.parametrize("day", [date(2027, 1, 1), date(2027, 3, 14), date(2028, 2, 29)])
def test_another_day_moves_times_and_draws_the_same_names_and_numbers(day: date) -> None:
    now, then = (generate(seed=1, today=today, profiles=40, events=400) for today in (TODAY, day))

    def drawn(account: Account) -> list[Any]:
        return [
            account.account["id"],
            [(each["id"], each["attributes"]["name"]) for each in (*account.metrics.values(), *account.lists.values(), *account.segments.values())],
            [profile["attributes"]["email"] for profile in account.profiles.values()],
            [(each["id"], each["attributes"]["inventory_quantity"], each["attributes"]["price"]) for each in account.catalog_variants.values()],
            sorted(account.tags),
        ]

    assert drawn(now) == drawn(then)
    moved = [datetime.fromisoformat(account.events[-1]["attributes"]["datetime"]).date() for account in (now, then)]
    assert moved == [TODAY, day]


def test_a_catalog_has_variants_that_are_sold_out(account: Account) -> None:
    assert 0 in {variant["attributes"]["inventory_quantity"] for variant in account.catalog_variants.values()}


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


def test_what_belongs_to_something_belongs_to_what_exists(account: Account) -> None:
    for campaign in account.campaigns.values():
        audiences = campaign["attributes"]["audiences"]
        assert set(audiences["included"] + audiences["excluded"]) <= {*account.lists, *account.segments}
        assert account.pointing("campaign_messages", "campaign_id")[campaign["id"]]
    for message in account.campaign_messages.values():
        assert message["template_id"] is None or message["template_id"] in account.templates
        assert message["image_id"] is None or message["image_id"] in account.images
    for flow_message in account.flow_messages.values():
        action = account.flow_actions[flow_message["action_id"]]
        assert action["flow_id"] in account.flows
        assert flow_message["id"] in str(action["attributes"]["definition"])
    for variant in account.catalog_variants.values():
        assert variant["item_id"] in account.catalog_items
    for code in account.coupon_codes.values():
        assert code["coupon_id"] in account.coupons
        assert (code["attributes"]["status"] in ("ASSIGNED_TO_PROFILE", "USED")) == (code["profile_id"] is not None)
    for token in (*account.push_tokens.values(), *account.conversations.values()):
        assert token["profile_id"] in account.profiles
    for job in account.jobs["profile-bulk-import-job"].values():
        assert len(account.pointing("import_errors", "job_id").get(job["id"], [])) == job["attributes"]["failed_count"]
        assert set(job["profile_ids"]) <= set(account.profiles)
        assert set(job["list_ids"]) <= set(account.lists)
    for record in (*account.object_records.values(), *account.ingestion_logs.values(), *account.object_schemas.values()):
        assert record["type_id"] in account.object_types
    for metric_property in account.metric_properties.values():
        assert metric_property["metric_id"] in account.metrics
    for triggered in account.flow_triggers.values():
        assert set(triggered) <= set(account.flows)


def test_no_object_has_two_tags_of_an_exclusive_group(account: Account) -> None:
    exclusive = {identifier for identifier, group in account.tag_groups.items() if group["attributes"]["exclusive"]}
    assert exclusive
    for tags_of in (account.list_tags, account.segment_tags, account.campaign_tags, account.flow_tags):
        for tags in tags_of.values():
            groups = [account.tags[tag]["group_id"] for tag in tags if account.tags[tag]["group_id"] in exclusive]
            assert len(groups) == len(set(groups))


def test_events_speak_of_messages_that_were_sent(account: Account) -> None:
    for event in account.events:
        properties = event["attributes"]["event_properties"]
        message = properties.get("$message")
        if "$flow" in properties:
            assert account.flow_actions[account.flow_messages[message]["action_id"]]["flow_id"] == properties["$flow"]
        elif message is not None:
            campaign = account.campaigns[account.campaign_messages[message]["campaign_id"]]
            assert campaign["attributes"]["name"] == properties["Campaign Name"]
        assert ("$attributed_message" in properties) == (event["id"] in account.event_attributions)


def test_attributions_say_what_the_properties_say(account: Account) -> None:
    for event_id, (identifier,) in account.event_attributions.items():
        event = account.event(event_id)
        assert event is not None
        properties, attribution = event["attributes"]["event_properties"], account.attributions[identifier]
        assert attribution["flow_id"] == properties.get("$attributed_flow")
        assert properties["$attributed_message"] == (attribution["flow_message_id"] or attribution["campaign_message_id"])
        assert (attribution["flow_id"] is None) == (attribution["campaign_id"] is not None)
        if attribution["attributed_event_id"] is not None:
            source = account.event(attribution["attributed_event_id"])
            assert source is not None
            assert source["attributes"]["event_properties"]["$message"] == properties["$attributed_message"]
    flows = {attribution["flow_id"] for attribution in account.attributions.values()}
    assert None in flows
    assert len(flows) > 1


def test_every_collection_has_what_breaks_careless_software(account: Account) -> None:
    def attributes(resources: dict[str, Any], name: str) -> list[Any]:
        return [resource["attributes"][name] for resource in resources.values()]

    for resources, name in (
        (account.campaigns, "name"),
        (account.flows, "name"),
        (account.templates, "name"),
        (account.images, "name"),
        (account.forms, "name"),
        (account.catalog_items, "title"),
        (account.tags, "name"),
    ):
        names = attributes(resources, name)
        assert len(set(names)) < len(names), name
        assert set("'\"\\,[](){}%_+&\n\t") <= set("".join(names)), name
    for name in ("scheduled_at", "send_time", "tracking_options"):
        assert None in attributes(account.campaigns, name)
    assert {"", None} <= set(attributes(account.catalog_items, "description"))
    assert {None, 0} <= set(attributes(account.catalog_items, "price"))
    assert "" in attributes(account.images, "image_url")
    assert {attribute["channel"] for attribute in account.campaigns.values()} == {"email", "sms", "mobile_push"}
    assert len(set(attributes(account.campaigns, "status"))) >= 10
    assert set(attributes(account.flows, "trigger_type")) == {"Added to List", "Metric", "Unconfigured", "Date Based", "Price Drop", "Low Inventory"}
    assert None in attributes(account.coupon_codes, "expires_at")
    assert any(len(account.pointing("campaign_messages", "campaign_id")[campaign]) > 1 for campaign in account.campaigns)
    assert any(not codes for codes in (account.pointing("coupon_codes", "coupon_id").get(coupon) for coupon in account.coupons))


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
