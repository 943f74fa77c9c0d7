"""What each procedure does to the account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql import errors
from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.entitlements import CONVERSATIONS, DEFAULT
from tests.procedures.conftest import account_of, called, written
from tests.writes.conftest import OpenWriting, sandbox_of


def _wait(connection: klaviyo_sql.Connection, seconds: float = 60.0) -> None:
    """Let the time pass that Klaviyo takes for what has no job to look at; a request makes the sandbox look at its clock."""
    sandbox_of(connection).clock.sleep(seconds)
    connection.forget()
    connection.execute("SELECT id FROM accounts").fetchall()


def _profile(account: Account, email: str) -> Resource:
    found = account.profile_with("email", email)
    assert found is not None, email
    return found


def _marketing(account: Account, email: str) -> dict[str, Any]:
    found: dict[str, Any] = _profile(account, email)["attributes"]["subscriptions"]["email"]["marketing"]
    return found


def _emails(account: Account, count: int) -> list[str]:
    return [email for profile in account.profiles.values() if (email := profile["attributes"].get("email"))][:count]


# Consent.


@pytest.mark.parametrize(
    "given",
    [
        "a@example.org",
        "a@example.org, b@example.org",
        '["a@example.org", "b@example.org"]',
        '[{"type": "profile", "attributes": {"email": "a@example.org"}}]',
        '{"data": [{"type": "profile", "attributes": {"email": "a@example.org"}}]}',
        '[{"email": "a@example.org"}]',
    ],
)
def test_suppress_and_unsuppress(given: str, writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    called(writing, "CALL SuppressProfiles(?)", (given,))
    assert [entry["reason"] for entry in _marketing(account, "a@example.org")["suppression"]] == ["USER_SUPPRESSED"]
    called(writing, "CALL UnsuppressProfiles(?)", (given,))
    assert _marketing(account, "a@example.org")["suppression"] == []
    assert [path.rpartition("/")[2] for path in written(writing)] == ["profile-suppression-bulk-create-jobs", "profile-suppression-bulk-delete-jobs"]


@pytest.mark.parametrize("group", ["list", "segment"])
def test_suppress_the_members_of_a_group(group: str, writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    members = getattr(account, f"{group}_members")
    group_id = next(identifier for identifier, found in members.items() if found)
    row = called(writing, f"CALL suppress_profiles({group}_id => ?)", (group_id,))
    assert (row["status"], row["rows"]) == ("done", 1)
    assert row["job"] is not None
    for profile_id in members[group_id]:
        entries = account.profiles[profile_id]["attributes"]["subscriptions"]["email"]["marketing"]["suppression"]
        assert "USER_SUPPRESSED" in [entry["reason"] for entry in entries] or not account.profiles[profile_id]["attributes"].get("email")


def test_subscribe_on_several_channels(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    list_id = next(identifier for identifier, found in account.lists.items() if found["attributes"]["opt_in_process"] == "single_opt_in")
    people = '["new@example.org", {"email": "both@example.org", "phone_number": "+15005550111", "channels": "email, sms"}]'
    row = called(writing, "CALL subscribe_profiles(?, ?, custom_source => 'Counter')", (people, list_id))
    assert (row["status"], row["rows"]) == ("accepted", 2)
    _wait(writing)
    assert _marketing(account, "new@example.org")["consent"] == "SUBSCRIBED"
    assert _profile(account, "both@example.org")["attributes"]["subscriptions"]["sms"]["marketing"]["consent"] == "SUBSCRIBED"
    assert {_profile(account, "new@example.org")["id"], _profile(account, "both@example.org")["id"]} <= set(account.list_members[list_id])


def test_historical_consent_needs_no_list(writing: klaviyo_sql.Connection) -> None:
    called(writing, "CALL subscribe_profiles('old@example.org', historical_import => 1, consented_at => '2024-05-01')")
    _wait(writing)
    found = _marketing(account_of(writing), "old@example.org")
    assert found["consent"] == "SUBSCRIBED"
    assert found["consent_timestamp"].startswith("2024-05-01")


def test_unsubscribe_everywhere_and_from_a_list(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    list_id, members = next((identifier, found) for identifier, found in account.list_members.items() if len(found) > 2)
    emails = [email for profile_id in members if (email := account.profiles[profile_id]["attributes"]["email"])]
    first, second = emails[:2]
    called(writing, "CALL unsubscribe_profiles(?, everywhere => 1)", (first,))
    called(writing, "CALL unsubscribe_profiles(upper(?), ?)", (second, list_id))
    _wait(writing)
    assert _marketing(account, first)["consent"] == "UNSUBSCRIBED"
    assert [entry["list_id"] for entry in _marketing(account, second)["list_suppressions"]].count(list_id) == 1


def _member_and_stranger(account: Account) -> tuple[str, str, str]:
    """A list, the address of somebody on it, and that of somebody who is not."""
    for list_id, members in account.list_members.items():
        inside = [found["attributes"]["email"] for found in account.profiles.values() if found["id"] in members and found["attributes"]["email"]]
        outside = [found["attributes"]["email"] for found in account.profiles.values() if found["id"] not in members and found["attributes"]["email"]]
        if inside and outside:
            return list_id, inside[0], outside[0]
    raise AssertionError


def test_who_is_not_on_the_list_is_not_unsubscribed_from_everything(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    list_id, member, stranger = _member_and_stranger(account)
    before = dict(_marketing(account, stranger))
    for sql in ("CALL unsubscribe_profiles(?1, ?2)", "SELECT unsubscribe_profiles(value, ?2) FROM json_each(?1)"):
        with pytest.raises(errors.ProgrammingError, match=f"1 of 2 are not on the list: {stranger}.*non_members => 'skip'"):
            writing.execute(sql, (f'["{member}", "{stranger}"]', list_id)).fetchall()
    assert written(writing) == []
    row = called(writing, "CALL unsubscribe_profiles(?, ?, non_members => 'skip')", (f"{member},{stranger}", list_id))
    assert row["rows"] == 1
    _wait(writing)
    assert _marketing(account, stranger) == before
    assert list_id in [entry["list_id"] for entry in _marketing(account, member)["list_suppressions"]]
    called(writing, "CALL unsubscribe_profiles(?, ?, non_members => 'everywhere')", (stranger, list_id))
    _wait(writing)
    assert _marketing(account, stranger)["consent"] == "UNSUBSCRIBED"


def test_nobody_is_left_when_all_are_skipped(writing: klaviyo_sql.Connection) -> None:
    list_id, _, stranger = _member_and_stranger(account_of(writing))
    assert writing.execute("CALL unsubscribe_profiles(?, ?, non_members => 'skip')", (stranger, list_id)).fetchall() == []
    assert written(writing) == []


# Lists and tags.


def test_members_of_lists(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    list_id, some = next(iter(account.lists)), list(account.profiles)[:3]
    called(writing, "CALL add_list_profiles(?, ?)", (list_id, ",".join(some)))
    assert set(some) <= set(account.list_members[list_id])
    called(writing, "CALL remove_list_profiles(?, json_array(?, ?))", (list_id, some[0], some[1]))
    assert set(some) & set(account.list_members[list_id]) == {some[2]}


@pytest.mark.parametrize("kind", ["list", "segment", "campaign", "flow"])
def test_tags(kind: str, writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    tagged: dict[str, list[str]] = getattr(account, f"{kind}_tags")
    tag_id = next(tag for tag, found in account.tags.items() if not account.tag_groups[found["group_id"]]["attributes"]["exclusive"])
    some = [identifier for identifier in getattr(account, f"{kind}s") if tag_id not in tagged.get(identifier, ())][:2]
    called(writing, f"CALL tag_{kind}s(?, ?)", (tag_id, ",".join(some)))
    assert all(tag_id in tagged[identifier] for identifier in some)
    called(writing, f"CALL untag_{kind}s(?, ?)", (tag_id, some[0]))
    assert [tag_id in tagged.get(identifier, ()) for identifier in some] == [False, True]
    assert written(writing) == [f"POST /api/tags/{tag_id}/relationships/{kind}s", f"DELETE /api/tags/{tag_id}/relationships/{kind}s"]


# People and events.


def test_create_or_update_profile(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    row = called(
        writing, "CALL create_or_update_profile(email => 'up@example.org', first_name => 'Ada', city => 'Paris', properties => '{\"tier\": \"gold\"}')"
    )
    assert row["id"] == _profile(account, "up@example.org")["id"]
    assert row["email"] == "up@example.org"
    called(writing, "CALL create_or_update_profile(email => 'up@example.org', unset => '[\"tier\"]', last_name => 'L')")
    attributes = _profile(account, "up@example.org")["attributes"]
    assert (attributes["first_name"], attributes["last_name"], attributes["location"]["city"], attributes["properties"]) == ("Ada", "L", "Paris", {})


def test_bulk_import_with_lists(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    list_id = next(iter(account.lists))
    people = (
        '[{"email": "i1@example.org", "first_name": "One", "properties": {"a": 1}}, '
        '{"type": "profile", "attributes": {"email": "i2@example.org", "location": {"city": "Rome"}}}]'
    )
    row = called(writing, "CALL bulk_import_profiles(?, ?)", (people, list_id))
    assert (row["status"], row["rows"]) == ("done", 2)
    one, two = (_profile(account, f"i{number}@example.org") for number in (1, 2))
    assert one["attributes"]["properties"] == {"a": 1}
    assert two["attributes"]["location"]["city"] == "Rome"
    assert {one["id"], two["id"]} <= set(account.list_members[list_id])


def test_merge_and_deletion(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    stays, goes, deleted = list(account.profiles)[:3]
    assert called(writing, "CALL merge_profiles(?, ?, 'merge')", (stays, goes))["id"] == stays
    assert called(writing, "CALL request_profile_deletion(?, confirm => 'delete')", (deleted,))["status"] == "accepted"
    _wait(writing, 600)
    assert stays in account.profiles
    assert goes not in account.profiles
    assert deleted not in account.profiles


def test_create_event_with_everything(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    row = called(
        writing,
        "CALL CreateEventWithMetricAndProfile(metric_name => 'Rode a Bus', metric_service => 'api', properties => '{\"line\": 7}', "
        "time => '2026-11-19T10:00:00Z', "
        "value => 2.5, value_currency => 'EUR', unique_id => 'bus-1', email => 'bus@example.org', phone_number => '+15005550123', external_id => 'X-1', "
        "first_name => 'Bus', last_name => 'Rider', organization => 'O', title => 'T', image => 'https://example.org/i.png', address1 => 'A', address2 => 'B', "
        "city => 'C', country => 'D', latitude => '1.5', longitude => '2.5', region => 'R', zip => '1000', timezone => 'UTC', "
        "properties_person => '{\"seat\": 3}', append => '{\"lines\": 7}')",
    )
    assert row["status"] == "accepted"
    _wait(writing)
    event = next(found for found in account.events if found["attributes"]["event_properties"].get("$event_id") == "bus-1")
    assert event["attributes"]["event_properties"]["line"] == 7
    assert event["attributes"]["event_properties"]["$value"] == 2.5
    profile = _profile(account, "bus@example.org")
    assert event["profile_id"] == profile["id"]
    assert (profile["attributes"]["external_id"], profile["attributes"]["location"]["zip"]) == ("X-1", "1000")
    assert profile["attributes"]["properties"]["seat"] == 3
    assert account.metrics[event["metric_id"]]["attributes"]["name"] == "Rode a Bus"


@pytest.mark.parametrize("identifier", ["profile_id", "email", "phone_number", "external_id", "anonymous_id"])
def test_create_event_by_each_identifier(identifier: str, writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    value = {"profile_id": next(iter(account.profiles)), "email": "id@example.org", "phone_number": "+15005550199"}.get(identifier, "some-id")
    before = len(account.events)
    assert called(writing, f"CALL create_event('Tested', {identifier} => ?)", (value,))["status"] == "accepted"
    _wait(writing)
    assert len(account.events) == before + 1


def test_bulk_create_events(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    before = len(account.events)
    events = (
        '[{"metric_name": "Visited", "profile_email": "v@example.org", "time": "2026-11-19T10:00:00Z", "value": 5, "properties": {"a": 1}}, '
        '{"metric_name": "Visited", "profile_email": "v@example.org", "time": "2026-11-19T11:00:00Z"}]'
    )
    assert called(writing, "CALL bulk_create_events(?)", (events,))["rows"] == 2
    _wait(writing)
    assert len(account.events) == before + 2
    assert written(writing) == ["POST /api/event-bulk-create-jobs"]


# Campaigns, templates, images.


def _draft(account: Account, channel: str) -> str:
    found = (campaign for campaign in account.campaigns.values() if campaign["attributes"]["status"] == "Draft" and campaign["channel"] == channel)
    return str(next(found)["id"])


def _message(account: Account, campaign_id: str) -> Resource:
    return next(message for message in account.campaign_messages.values() if message["campaign_id"] == campaign_id)


def test_a_campaign_gets_a_template_is_sent_and_is_cancelled(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    campaign_id = _draft(account, "email")
    for message in [found for found in account.campaign_messages.values() if found["campaign_id"] == campaign_id]:
        row = called(writing, "CALL assign_template(?, ?)", (message["id"], next(iter(account.templates))))
        assert row["id"] == message["id"]
        assert message["template_id"] is not None
    assert called(writing, "CALL send_campaign(?, confirm => 'send')", (campaign_id,))["status"] == "accepted"
    assert account.campaign_send_jobs[campaign_id]["attributes"]["status"] == "queued"
    assert called(writing, "CALL job_status('send_campaign', ?)", (campaign_id,))["status"] in ("queued", "processing")
    assert called(writing, "CALL cancel_campaign_send(?, 'revert')", (campaign_id,))["status"] == "done"
    assert account.campaigns[campaign_id]["attributes"]["status"] == "Draft"


def test_what_klaviyo_does_not_send_is_an_error(writing: klaviyo_sql.Connection) -> None:
    campaign_id = next(found["id"] for found in account_of(writing).campaigns.values() if found["attributes"]["status"] == "Sent")
    with pytest.raises(errors.WriteFailed, match="Sent"):
        called(writing, "CALL send_campaign(?, confirm => 'send')", (campaign_id,))
    assert writing.execute("SELECT status FROM klaviyo_writes").fetchall() == [("failed",)]


def test_clones(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    campaign, template = (called(writing, f"CALL clone_{kind}(?, 'Copy')", (next(iter(getattr(account, f"{kind}s"))),)) for kind in ("campaign", "template"))
    assert account.campaigns[campaign["id"]]["attributes"]["name"] == campaign["name"] == "Copy"
    assert account.templates[template["id"]]["attributes"]["name"] == template["name"] == "Copy"


def test_refresh_recipient_estimation_waits_for_the_number(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    campaign_id = _draft(account, "email")
    account.recipient_estimations.pop(campaign_id, None)
    assert called(writing, "CALL refresh_recipient_estimation(?)", (campaign_id,))["status"] == "done"
    assert campaign_id in account.recipient_estimations


def test_render_template(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    template_id, template = next(iter(account.templates.items()))
    template["attributes"] |= {"html": "<p>{{ first_name }}</p>", "editor_type": "CODE"}
    row = called(writing, 'SELECT * FROM render_template(?, \'{"first_name": "Ada"}\')', (template_id,))
    assert "Ada" in row["html"]
    assert len(writing.writer.log) == 0


def test_upload_image(writing: klaviyo_sql.Connection, tmp_path: Path) -> None:
    path = tmp_path / "shop.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    row = called(writing, "CALL upload_image(?, 'Our shop', 1)", (str(path),))
    attributes = account_of(writing).images[row["id"]]["attributes"]
    assert (attributes["name"], attributes["hidden"], attributes["size"]) == ("Our shop", True, 108)
    assert row["image_url"] == attributes["image_url"]


# Catalog, coupons, custom objects, conversations.


@pytest.mark.parametrize("kind", ["item", "variant", "category"])
def test_the_catalog(kind: str, writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    plural = "categories" if kind == "category" else f"{kind}s"
    known: dict[str, Resource] = getattr(account, f"catalog_{plural}")
    item_id = next(iter(account.catalog_items))
    new = {
        "item": '[{"external_id": "MUG-1", "title": "Mug", "description": "For tea.", "url": "https://shop.example.com/mug", "price": 9.5}]',
        "variant": f'[{{"external_id": "MUG-1", "item_id": "{item_id}", "title": "Mug", "description": "For tea.", "sku": "M", "inventory_quantity": 5, '
        '"price": 9.5, "url": "https://shop.example.com/mug"}]',
        "category": '[{"type": "catalog-category", "attributes": {"external_id": "MUG-1", "name": "Mug"}}]',
    }[kind]
    identifier, name = "$custom:::$default:::MUG-1", "name" if kind == "category" else "title"
    assert called(writing, f"CALL bulk_create_catalog_{plural}(?)", (new,))["status"] == "done"
    assert known[identifier]["attributes"][name] == "Mug"
    assert called(writing, f"CALL bulk_update_catalog_{plural}(json_object('id', ?, '{name}', 'Cup'))", (identifier,))["status"] == "done"
    assert known[identifier]["attributes"][name] == "Cup"
    assert called(writing, f"CALL bulk_delete_catalog_{plural}(?)", (identifier,))["status"] == "done"
    assert identifier not in known
    job = writing.execute("SELECT job FROM klaviyo_writes ORDER BY number LIMIT 1").fetchone()
    row = called(writing, f"CALL job_status('create_catalog_{plural}', ?)", job or ())
    assert (row["status"], row["total"], row["completed"], row["failed"]) == ("complete", 1, 1, 0)


def test_an_id_with_a_comma_is_one_id(writing: klaviyo_sql.Connection) -> None:
    with pytest.raises(errors.WriteFailed):
        called(writing, "CALL bulk_delete_catalog_items('$custom:::$default:::A,B')")
    assert writing.execute("SELECT json_extract(row, '$.id') FROM klaviyo_writes").fetchall() == [("$custom:::$default:::A,B",)]


def test_back_in_stock(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    variant_id = next(iter(account.catalog_variants))
    before = len(account.back_in_stock)
    assert called(writing, "CALL create_back_in_stock_subscription(?, email => 'w@example.org')", (variant_id,))["status"] == "accepted"
    _wait(writing)
    assert len(account.back_in_stock) == before + 1


def test_coupon_codes(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    coupon_id = next(iter(account.coupons))
    codes = '["SPRING-A", {"unique_code": "SPRING-B", "expires_at": "2027-01-01T00:00:00Z"}]'
    assert called(writing, "CALL bulk_create_coupon_codes(?, ?)", (codes, coupon_id))["rows"] == 2
    assert account.coupon_codes[f"{coupon_id}-SPRING-B"]["attributes"]["expires_at"].startswith("2027-01-01")
    assert f"{coupon_id}-SPRING-A" in account.coupon_codes


def test_records_of_custom_objects(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    source = next(iter(account.data_sources))
    assert called(writing, 'CALL create_data_source_record(?, \'{"id": "P-1"}\')', (source,))["status"] == "done"
    assert called(writing, 'CALL create_data_source_records(?, \'[{"id": "P-2"}, {"id": "P-3"}]\')', (source,))["rows"] == 2
    gone = list(account.object_records)[:2]
    assert called(writing, "CALL bulk_delete_object_records(json_array(?, ?))", gone)["rows"] == 2
    _wait(writing)
    assert not set(gone) & set(account.object_records)
    assert [path.rpartition("/")[2] for path in written(writing)] == [
        "data-source-record-create-jobs",
        "data-source-record-bulk-create-jobs",
        "object-record-bulk-delete-jobs",
    ]


def test_conversation_messages(open_writing: OpenWriting) -> None:
    connection = open_writing(options={"entitlements": (*DEFAULT, CONVERSATIONS)})
    account = account_of(connection)
    conversation = next(iter(account.conversations))
    called(connection, "CALL send_conversation_message(?, 'It is on its way.', confirm => 'send')", (conversation,))
    assert len(account.conversation_messages) == 1


def test_a_job_that_is_not_waited_for_can_be_asked_about(open_writing: OpenWriting) -> None:
    connection = open_writing(job_timeout=0)
    row = called(connection, "CALL suppress_profiles('a@example.org')")
    assert row["status"] == "accepted"
    assert called(connection, "CALL job_status('suppress_profiles', ?)", (row["job"],))["status"] in ("queued", "processing")
    _wait(connection)
    assert called(connection, "CALL job_status('suppress_profiles', ?)", (row["job"],))["status"] == "complete"
