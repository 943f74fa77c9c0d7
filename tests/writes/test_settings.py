"""Metrics, reviews, devices, settings and webhooks written through SQL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import klaviyo_sql
from tests.writes.conftest import OpenWriting, sandbox_of
from tests.writes.shop import Shop, attributes, named, pass_time


def test_a_segment_is_made_changed_switched_off_and_deleted(shop: Shop) -> None:
    definition = json.loads(shop.one("SELECT definition FROM segments LIMIT 1"))
    sent = shop.run("INSERT INTO skyvia.Segments (Name, Definition, IsStarred) VALUES ('S', ?, 1)", json.dumps(definition))
    assert attributes(sent) == [{"name": "S", "definition": definition, "is_starred": True}]
    segment = named(shop.account.segments, "S")["id"]
    shop.connection.execute("UPDATE segments SET name = 'S2' WHERE id = ?", (segment,))
    sent = shop.run("UPDATE skyvia.Segments SET IsActive = 0 WHERE Id = ?", segment)
    assert attributes(sent) == [{"name": "S2"}, {"is_active": False}]
    found = shop.account.segments[segment]["attributes"]
    assert (found["name"], found["is_active"]) == ("S2", False)
    shop.run("DELETE FROM segments WHERE id = ?", segment)
    assert segment not in shop.account.segments


def test_the_lists_of_a_profile(shop: Shop) -> None:
    profile = next(iter(shop.account.profiles))
    chosen = next(one for one, members in shop.account.list_members.items() if profile not in members)
    ((method, path, _),) = shop.run("INSERT INTO profile_lists (profile_id, list_id) VALUES (?, ?)", profile, chosen)
    assert (method, path) == ("POST", f"/api/lists/{chosen}/relationships/profiles")
    assert profile in shop.account.list_members[chosen]
    shop.run("DELETE FROM ProfileLists WHERE ProfileId = ? AND ListId = ?", profile, chosen)
    assert profile not in shop.account.list_members[chosen]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO profile_bulk_import_jobs (profiles, list_ids) VALUES (?, ?)",
        "INSERT INTO skyvia.BulkProfiles (ProfilesData, Relationships_ListData) VALUES (?, ?)",
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_profiles_are_imported_by_a_row(shop: Shop, sql: str, whole: bool) -> None:
    chosen = next(iter(shop.account.lists))
    people = [{"email": f"import{number}@example.com"} for number in range(3)]
    profiles = [{"type": "profile", "attributes": person} for person in people] if whole else people
    ((method, path, body),) = shop.run(sql, json.dumps(profiles), json.dumps([{"type": "list", "id": chosen}] if whole else [chosen]))
    assert (method, path) == ("POST", "/api/profile-bulk-import-jobs")
    assert body["data"]["attributes"]["profiles"]["data"] == [{"type": "profile", "attributes": person} for person in people]
    assert body["data"]["relationships"]["lists"]["data"] == [{"type": "list", "id": chosen}]
    made = [one["id"] for one in shop.account.profiles.values() if str(one["attributes"]["email"]).startswith("import")]
    assert len(made) == 3
    assert set(made) <= set(shop.account.list_members[chosen])
    assert shop.one("SELECT status FROM klaviyo_writes") == "done"


def test_a_row_of_profiles_of_which_some_fail_says_so(shop: Shop) -> None:
    profiles = json.dumps([{"email": "fine@example.com"}, {"email": "fine2@example.com", "phone_number": "+1"}])
    with pytest.raises(klaviyo_sql.WriteFailed, match="of what is in the job"):
        shop.run("INSERT INTO profile_bulk_import_jobs (profiles) VALUES (?)", profiles)


def test_a_device_is_told_and_forgotten(shop: Shop) -> None:
    profile = next(iter(shop.account.profiles))
    sql = "INSERT INTO push_tokens (token, platform, vendor, profile_id, metadata_os_name) VALUES ('t0k', 'ios', 'apns', ?, 'ios')"
    ((_, path, body),) = shop.run(sql, profile)
    assert path == "/api/push-tokens"
    assert body["data"]["attributes"] == {
        "token": "t0k",
        "platform": "ios",
        "vendor": "apns",
        "device_metadata": {"os_name": "ios"},
        "profile": {"data": {"type": "profile", "id": profile, "attributes": {}}},
    }
    shop.run("INSERT OR REPLACE INTO PushTokens (Token, Platform, Vendor, ProfileId, Background) VALUES ('t0k', 'ios', 'apns', ?, 'DENIED')", profile)
    pass_time(shop)
    token = named(shop.account.push_tokens, "t0k", "token")
    assert token["attributes"]["background"] == "DENIED"
    shop.run("DELETE FROM push_tokens WHERE id = ?", token["id"])
    assert token["id"] not in shop.account.push_tokens


def test_a_custom_metric_is_made_changed_and_deleted(shop: Shop) -> None:
    groups = [{"metric_id": next(iter(shop.account.metrics)), "metric_filters": None, "value_property": None}]
    sent = shop.run("INSERT INTO custom_metrics (name, aggregation_method, metric_groups) VALUES ('CM', 'count', ?)", json.dumps(groups))
    assert attributes(sent) == [{"name": "CM", "definition": {"aggregation_method": "count", "metric_groups": groups}}]
    metric = named(shop.account.custom_metrics, "CM")["id"]
    sent = shop.run("UPDATE CustomMetrics SET AggregationMethod = 'value' WHERE Id = ?", metric)
    assert attributes(sent)[0]["definition"]["aggregation_method"] == "value"
    assert [group["metric_id"] for group in attributes(sent)[0]["definition"]["metric_groups"]] == [groups[0]["metric_id"]]
    before = len(shop.reads())
    assert attributes(shop.run("UPDATE custom_metrics SET name = 'CM2' WHERE id = ?", metric)) == [{"name": "CM2"}]
    assert len(shop.reads()) == before
    shop.run("DELETE FROM custom_metrics WHERE id = ?", metric)
    assert metric not in shop.account.custom_metrics


def test_what_stands_for_what_is_mapped_and_cleared(shop: Shop) -> None:
    metric = next(iter(shop.account.metrics))
    ((method, path, body),) = shop.run("UPDATE mapped_metrics SET metric_id = ? WHERE id = 'started_checkout'", metric)
    assert (method, path) == ("PATCH", "/api/mapped-metrics/started_checkout")
    assert body["data"] == {"type": "mapped-metric", "id": "started_checkout", "relationships": {"metric": {"data": {"type": "metric", "id": metric}}}}
    assert shop.account.mapped_metrics["started_checkout"]["metric_id"] == metric
    ((_, _, body),) = shop.run("UPDATE MappedMetrics SET MetricId = NULL WHERE Id = 'started_checkout'")
    assert body["data"]["relationships"] == {"metric": {"data": None}}
    assert shop.account.mapped_metrics["started_checkout"]["metric_id"] is None
    assert shop.reads() == []


def test_a_review_is_published_and_rejected(shop: Shop) -> None:
    review = next(iter(shop.account.reviews))
    assert attributes(shop.run("UPDATE reviews SET status = 'featured' WHERE id = ?", review)) == [{"status": {"value": "featured"}}]
    sent = shop.run("UPDATE reviews SET status = 'rejected', rejection_reason = 'other', rejection_explanation = 'spam' WHERE id = ?", review)
    assert attributes(sent) == [{"status": {"value": "rejected", "rejection_reason": {"reason": "other", "status_explanation": "spam"}}}]
    assert shop.account.reviews[review]["attributes"]["status"]["value"] == "rejected"


def test_a_parameter_of_campaigns_keeps_that_of_flows(shop: Shop) -> None:
    own = next(iter(shop.account.tracking_settings))
    flow = shop.account.tracking_settings[own]["attributes"]["utm_source"]["flow"]
    value = {"type": "static", "value": "shop"}
    sent = shop.run("UPDATE tracking_settings SET utm_source_campaign = ? WHERE id = ?", json.dumps(value), own)
    assert attributes(sent) == [{"utm_source": {"campaign": value, "flow": flow}}]
    assert shop.account.tracking_settings[own]["attributes"]["utm_source"] == {"campaign": value, "flow": flow}
    before = len(shop.reads())
    assert attributes(shop.run("UPDATE TrackingSettings SET AutoAddParameters = 0 WHERE Id = ?", own)) == [{"auto_add_parameters": False}]
    assert len(shop.reads()) == before


def test_a_feed_is_made_changed_and_deleted(shop: Shop) -> None:
    shop.run("INSERT INTO web_feeds (name, url, request_method, content_type) VALUES ('F', 'https://example.com', 'get', 'json')")
    feed = named(shop.account.web_feeds, "F")["id"]
    assert attributes(shop.run("UPDATE WebFeeds SET ContentType = 'xml' WHERE Id = ?", feed)) == [{"content_type": "xml"}]
    assert shop.account.web_feeds[feed]["attributes"]["content_type"] == "xml"
    shop.run("DELETE FROM web_feeds WHERE id = ?", feed)
    assert feed not in shop.account.web_feeds


def test_a_webhook_is_made_changed_and_deleted(shop: Shop) -> None:
    topics = list(shop.account.webhook_topics)[:2]
    sql = "INSERT INTO webhooks (name, endpoint_url, secret_key, topic_ids) VALUES ('W', 'https://example.com/hook', 'a secret of some length', ?)"
    ((_, _, body),) = shop.run(sql, json.dumps(topics))
    assert [one["id"] for one in body["data"]["relationships"]["webhook-topics"]["data"]] == topics
    webhook = named(shop.account.webhooks, "W")["id"]
    sent = shop.run("UPDATE webhooks SET enabled = 0, topic_ids = ? WHERE id = ?", json.dumps(topics[:1]), webhook)
    assert attributes(sent) == [{"enabled": False}]
    assert shop.one("SELECT topic_id FROM webhook_webhook_topics WHERE webhook_id = ?", webhook) == topics[0]
    shop.run("DELETE FROM webhooks WHERE id = ?", webhook)
    assert webhook not in shop.account.webhooks


REFUSED = [
    ("UPDATE segments SET is_active = 0, name = 'x' WHERE id = 'y'", "an UPDATE of its own"),
    ("INSERT INTO segments (name, definition, is_active) VALUES ('x', '{}', 0)", "sets nothing else"),
    ("INSERT INTO segments (name, definition) VALUES ('x', '{}')", "needs 'condition_groups'"),
    ("INSERT INTO segment_profiles (segment_id, profile_id) VALUES ('x', 'y')", "computes who is in a segment"),
    ("DELETE FROM global_exclusions WHERE profile_id = 'x'", "unsuppress_profiles"),
    ('INSERT INTO skyvia.BulkProfiles (ProfilesData) VALUES (\'[{"mail": "x"}]\')', "takes no 'mail'"),
    ("INSERT INTO skyvia.BulkProfiles (Relationships_ListData) VALUES ('[\"x\"]')", "needs ProfilesData"),
    ("INSERT INTO push_tokens (token, platform, vendor) VALUES ('t', 'ios', 'apns')", "profile_id or profile_email"),
    ("INSERT INTO push_tokens (token, platform, vendor, profile_id) VALUES ('t', 'palm', 'apns', 'x')", "takes one of android, ios"),
    ("UPDATE push_tokens SET background = 'DENIED' WHERE id = 'x'", "INSERT the token once more"),
    ("INSERT INTO custom_metrics (name, aggregation_method, metric_groups) VALUES ('x', 'most', '[]')", "takes one of count, value"),
    ("INSERT INTO custom_metrics (name, aggregation_method) VALUES ('x', 'count')", "needs metric_groups"),
    ("UPDATE mapped_metrics SET metric_id = 'x' WHERE id = 'profit'", "has only the rows added_to_cart"),
    ("DELETE FROM mapped_metrics WHERE id = 'revenue'", "or NULL"),
    ("UPDATE reviews SET status = 'lost' WHERE id = 'x'", "takes one of rejected, featured"),
    ("UPDATE reviews SET status = 'rejected' WHERE id = 'x'", "needs 'rejection_reason'"),
    ("UPDATE reviews SET rating = 5 WHERE id = 'x'", "cannot be changed"),
    ("DELETE FROM reviews WHERE id = 'x'", "unpublished"),
    ("DELETE FROM tracking_settings WHERE id = 'x'", "always there"),
    ("INSERT INTO web_feeds (name, url, request_method, content_type) VALUES ('a-b', 'https://example.com', 'get', 'json')", "letters, digits and _"),
    ("INSERT INTO web_feeds (name, url, request_method, content_type) VALUES ('a', 'https://example.com', 'put', 'json')", "takes one of get, post"),
    ("INSERT INTO webhooks (name, endpoint_url, secret_key) VALUES ('W', 'https://example.com', 's')", "needs topic_ids"),
    ("INSERT INTO webhooks (name, endpoint_url, secret_key, topic_ids) VALUES ('W', 'http://example.com', 's', '[]')", "an https URL"),
    ("UPDATE webhooks SET endpoint_url = 'https://example.com/*****' WHERE id = 'x'", "masks it"),
    ("INSERT INTO webhook_webhook_topics (webhook_id, topic_id) VALUES ('x', 'y')", "topic_ids"),
    ("UPDATE accounts SET timezone = 'UTC' WHERE id = 'x'", "its own pages only"),
]


@pytest.mark.parametrize(("sql", "said"), REFUSED)
def test_what_is_wrong_is_refused_before_anything_is_sent(shop: Shop, sql: str, said: str) -> None:
    with pytest.raises((klaviyo_sql.DataError, klaviyo_sql.NotSupportedError), match=said):
        shop.connection.execute(sql)
    assert not list(shop.connection.requests)


def test_the_secret_of_a_webhook_is_sent_and_shown_nowhere(open_writing: OpenWriting, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    connection = open_writing(audit_file=path, options={"entitlements": ("webhooks",)})
    topic = next(iter(sandbox_of(connection).account.webhook_topics))
    connection.execute(
        "INSERT INTO webhooks (name, endpoint_url, secret_key, topic_ids) VALUES ('W', 'https://example.com/hook', 'hush, a secret of some length', ?)",
        (f'["{topic}"]',),
    )
    connection.commit()
    (row,) = connection.execute("SELECT row, status FROM klaviyo_writes").fetchall()
    assert row[1] == "done"
    assert "hush" not in row[0] + path.read_text()
    assert "(not shown)" in path.read_text()
