"""Klaviyo's official Python SDK writes to the sandbox over a connection: its models make the bodies, and read the replies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from klaviyo_api import KlaviyoAPI
from openapi_client.exceptions import ApiException

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Sandbox, serve

from .writes import document, linkage

CONDITION = {"type": "profile-group-membership", "is_member": False, "group_ids": ["ABC123"]}
DEFINITION = {"condition_groups": [{"conditions": [CONDITION]}]}


@pytest.fixture
def client(fresh_sandbox: Sandbox) -> Iterator[KlaviyoAPI]:
    with serve(fresh_sandbox) as url:
        client = KlaviyoAPI(SANDBOX_KEY, max_retries=0, test_host=url)
        yield client
        client.api_client.rest_client.pool_manager.clear()


def _plain(reply: Any) -> dict[str, Any]:
    found: dict[str, Any] = reply if isinstance(reply, dict) else reply.to_dict()
    return found["data"]


def test_profiles(client: KlaviyoAPI, clock: SimulatedClock, fresh_account: Account) -> None:
    api = client.Profiles
    attributes = {"email": "sdk@example.com", "first_name": "S", "location": {"city": "Århus"}, "properties": {"a": [1]}}
    profile_id = _plain(api.create_profile(document("profile", attributes)))["id"]
    with pytest.raises(ApiException) as duplicate:
        api.create_profile(document("profile", {"email": "sdk@example.com"}))
    assert (duplicate.value.status, profile_id in str(duplicate.value.body)) == (409, True)
    meta = {"patch_properties": {"append": {"a": 2}}}
    api.update_profile(profile_id, document("profile", {"title": "T"}, identifier=profile_id, meta=meta))
    attributes = fresh_account.profiles[profile_id]["attributes"]
    # What is not given to the SDK it does not send: nothing was cleared.
    assert (attributes["title"], attributes["first_name"], attributes["location"]["city"], attributes["properties"]) == ("T", "S", "Århus", {"a": [1, 2]})
    assert _plain(api.create_or_update_profile(document("profile", {"email": "SDK@example.com", "last_name": "L"})))["id"] == profile_id
    other = _plain(api.create_or_update_profile(document("profile", {"external_id": "other"})))["id"]
    api.merge_profiles(document("profile-merge", None, identifier=profile_id, profiles=linkage("profile", [other])))
    clock.sleep(6)
    with pytest.raises(ApiException) as gone:
        api.get_profile(other)
    assert gone.value.status == 404
    client.Data_Privacy.request_profile_deletion(document("data-privacy-deletion-job", {"profile": document("profile", {"email": "sdk@example.com"})}))
    clock.sleep(6)
    client.Accounts.get_accounts()
    assert profile_id not in fresh_account.profiles


def test_imports(client: KlaviyoAPI, clock: SimulatedClock, fresh_account: Account) -> None:
    list_id = next(iter(fresh_account.lists))
    rows = [document("profile", {"email": email, "properties": {"n": 1}})["data"] for email in ("one@example.com", "bad", "two@example.com")]
    body = document("profile-bulk-import-job", {"profiles": {"data": rows}}, lists=linkage("list", [list_id]))
    job_id = _plain(client.Profiles.bulk_import_profiles(body))["id"]
    clock.sleep(11)
    done = _plain(client.Profiles.get_bulk_import_profiles_job(job_id))["attributes"]
    assert (done["status"], done["completed_count"], done["failed_count"]) == ("complete", 2, 1)
    (error,) = client.Profiles.get_errors_for_bulk_import_profiles_job(job_id).to_dict()["data"]
    assert error["attributes"]["original_payload"] == {"email": "bad", "properties": {"n": 1}}


def test_consent(client: KlaviyoAPI, clock: SimulatedClock, fresh_account: Account) -> None:
    list_id = _plain(client.Lists.create_list(document("list", {"name": "A"})))["id"]
    rows = {"data": [document("profile", {"email": "sdk@example.com", "subscriptions": {"email": {"marketing": {"consent": "SUBSCRIBED"}}}})["data"]]}
    body = document("profile-subscription-bulk-create-job", {"profiles": rows, "custom_source": "SDK"}, list={"type": "list", "id": list_id})
    client.Profiles.bulk_subscribe_profiles(body)
    clock.sleep(6)
    client.Accounts.get_accounts()
    (profile_id,) = fresh_account.list_members[list_id]
    emails = {"profiles": {"data": [document("profile", {"email": "sdk@example.com"})["data"]]}}
    for verb in ("suppress", "unsuppress"):
        kind = f"profile-suppression-bulk-{'create' if verb == 'suppress' else 'delete'}-job"
        job_id = _plain(getattr(client.Profiles, f"bulk_{verb}_profiles")(document(kind, emails)))["id"]
        clock.sleep(11)
        done = _plain(getattr(client.Profiles, f"get_bulk_{verb}_profiles_job")(job_id))["attributes"]
        assert (done["status"], done["completed_count"]) == ("complete", 1)
    rows = {"data": [document("profile", {"email": "sdk@example.com", "subscriptions": {"email": {"marketing": {"consent": "UNSUBSCRIBED"}}}})["data"]]}
    client.Profiles.bulk_unsubscribe_profiles(document("profile-subscription-bulk-delete-job", {"profiles": rows}))
    clock.sleep(6)
    client.Accounts.get_accounts()
    assert fresh_account.profiles[profile_id]["attributes"]["subscriptions"]["email"]["marketing"]["consent"] == "UNSUBSCRIBED"


def test_lists_and_segments(client: KlaviyoAPI, fresh_account: Account) -> None:
    list_id = _plain(client.Lists.create_list(document("list", {"name": "A"})))["id"]
    client.Lists.update_list(list_id, document("list", {"name": "B"}, identifier=list_id))
    assert fresh_account.lists[list_id]["attributes"]["name"] == "B"
    first, second = list(fresh_account.profiles)[:2]
    client.Lists.add_profiles_to_list(list_id, {"data": linkage("profile", [first, second])})
    client.Lists.remove_profiles_from_list(list_id, {"data": linkage("profile", [first])})
    assert set(fresh_account.list_members[list_id]) == {second}
    client.Lists.delete_list(list_id)
    assert list_id not in fresh_account.lists

    segment_id = _plain(client.Segments.create_segment(document("segment", {"name": "S", "definition": DEFINITION})))["id"]
    assert fresh_account.segments[segment_id]["attributes"]["definition"]["condition_groups"][0]["conditions"][0]["group_ids"] == ["ABC123"]
    client.Segments.update_segment(segment_id, document("segment", {"is_active": False}, identifier=segment_id))
    assert fresh_account.segments[segment_id]["attributes"]["is_active"] is False
    client.Segments.delete_segment(segment_id)
    assert segment_id not in fresh_account.segments


def test_events_tokens_and_waiting(client: KlaviyoAPI, clock: SimulatedClock, fresh_account: Account) -> None:
    number, tokens = len(fresh_account.events), set(fresh_account.push_tokens)
    profile, metric = document("profile", {"email": "sdk@example.com"}), document("metric", {"name": "From the SDK"})
    events = [document("event", {"properties": {"n": n}, "metric": metric, "unique_id": str(n)})["data"] for n in range(3)]
    group = {"type": "event-bulk-create", "attributes": {"profile": profile, "events": {"data": events}}}
    client.Events.bulk_create_events(document("event-bulk-create-job", {"events-bulk-create": {"data": [group]}}))
    client.Profiles.create_push_token(document("push-token", {"token": "sdk", "platform": "android", "vendor": "fcm", "profile": profile}))
    variant = {"type": "catalog-variant", "id": next(iter(fresh_account.catalog_variants))}
    waiting = document("back-in-stock-subscription", {"channels": ["EMAIL"], "profile": profile}, variant=variant)
    client.Catalogs.create_back_in_stock_subscription(waiting)
    clock.sleep(6)
    client.Accounts.get_accounts()
    assert len(fresh_account.events) == number + 3
    assert len(fresh_account.back_in_stock) == 1
    (token_id,) = set(fresh_account.push_tokens) - tokens
    client.Profiles.delete_push_token(token_id)
    assert set(fresh_account.push_tokens) == tokens
