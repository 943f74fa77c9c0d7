"""What Klaviyo does not take, the sandbox does not take either."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from klaviyo_sql.contract import facts
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Sandbox
from klaviyo_sql.sandbox.entitlements import CONVERSATIONS, CUSTOM_OBJECTS, PUSH_TOKENS, WEBHOOKS
from klaviyo_sql.sandbox.subjects import ENDPOINTS

from .conftest import Ask, asker

ENTITLEMENTS = (CONVERSATIONS, CUSTOM_OBJECTS, PUSH_TOKENS, WEBHOOKS)


def _filtered(path: str, text: str) -> str:
    return f"{path}?filter={quote(text, safe='')}"


@pytest.mark.parametrize(
    ("target", "parameter"),
    [
        ("/api/profiles?page[size]=101", "page[size]"),
        ("/api/profiles?page[size]=0", "page[size]"),
        ("/api/profiles?page[size]=-1", "page[size]"),
        ("/api/profiles?page[size]=ten", "page[size]"),
        ("/api/profiles?page[size]=", "page[size]"),
        ("/api/events?page[size]=1001", "page[size]"),
        ("/api/lists?page[size]=11", "page[size]"),
        ("/api/segments?page[size]=11", "page[size]"),
        ("/api/metrics?page[size]=50", "page[size]"),
        ("/api/accounts?page[size]=1", "page[size]"),
        ("/api/accounts?page[cursor]=x", "page[cursor]"),
        ("/api/profiles?page[cursor]=nonsense", "page[cursor]"),
        ("/api/profiles?page[cursor]=", "page[cursor]"),
        ("/api/profiles?page[cursor]=WzEsMl0=", "page[cursor]"),
        ("/api/profiles?page[number]=2", "page[number]"),
        ("/api/profiles?limit=10", "limit"),
        ("/api/profiles?sort=last_event_date", "sort"),
        ("/api/profiles?sort=created,email", "sort"),
        ("/api/profiles?sort=", "sort"),
        ("/api/metrics?sort=name", "sort"),
        ("/api/events?sort=id", "sort"),
        ("/api/profiles?include=lists", "include"),
        ("/api/events?include=metric,profiles", "include"),
        ("/api/accounts?include=tags", "include"),
        ("/api/profiles?fields[profile]=email,nope", "fields[profile]"),
        ("/api/profiles?fields[profile]=", "fields[profile]"),
        ("/api/profiles?fields[profile]=joined_group_at", "fields[profile]"),
        ("/api/profiles?fields[event]=id", "fields[event]"),
        ("/api/events?fields[profile]=subscriptions", "fields[profile]"),
        ("/api/lists?fields[list]=profile_count", "fields[list]"),
        ("/api/lists?additional-fields[list]=profile_count", "additional-fields[list]"),
        ("/api/profiles?additional-fields[profile]=everything", "additional-fields[profile]"),
        ("/api/events?additional-fields[profile]=subscriptions", "additional-fields[profile]"),
        ("/api/profiles?page[size]=5&page[size]=6", "page[size]"),
        ("/api/accounts?filter=has(x)", "filter"),
        (_filtered("/api/profiles", 'equals(first_name,"Anna")'), "filter"),
        (_filtered("/api/profiles", 'contains(email,"example")'), "filter"),
        (_filtered("/api/profiles", "greater-or-equal(created,2026-01-01T00:00:00Z)"), "filter"),
        (_filtered("/api/profiles", 'greater-than(created,"2026-01-01T00:00:00Z")'), "filter"),
        (_filtered("/api/profiles", "equals(id,5)"), "filter"),
        (_filtered("/api/profiles", "any(id,[])"), "filter"),
        (_filtered("/api/profiles", 'any(id,"a")'), "filter"),
        (_filtered("/api/profiles", 'equals(id,["a"])'), "filter"),
        (_filtered("/api/profiles", 'any(id,["a",5])'), "filter"),
        ("/api/profiles?filter=greater-than(created,2026-01-01T00:00:00+00:00)", "filter"),
        (_filtered("/api/lists", "less-than(created,2026-01-01T00:00:00Z)"), "filter"),
        (_filtered("/api/lists", 'contains(name,"a")'), "filter"),
        (_filtered("/api/segments", 'equals(is_active,"true")'), "filter"),
        (_filtered("/api/segments", "equals(is_active,1)"), "filter"),
        (_filtered("/api/events", 'any(metric_id,["a"])'), "filter"),
        (_filtered("/api/events", "equals(datetime,2026-01-01T00:00:00Z)"), "filter"),
        (_filtered("/api/events", "greater-than(timestamp,2026-01-01T00:00:00Z)"), "filter"),
        (_filtered("/api/events", "has(attributions)"), "filter"),
        (_filtered("/api/events", "has(profile)") + "x", "filter"),
        (_filtered("/api/metrics", 'equals(name,"Placed Order")'), "filter"),
        (_filtered("/api/metrics", 'any(integration.name,["API"])'), "filter"),
    ],
)
def test_a_bad_parameter_is_named(ask: Ask, target: str, parameter: str) -> None:
    answer = ask(target)
    assert answer.status == 400
    error = answer.errors[0]
    assert error["source"] == {"parameter": parameter}
    assert (error["status"], error["code"], error["title"]) == (400, "invalid", "Invalid input.")
    assert error["detail"]
    assert len(error["id"]) == 36


def test_everything_wrong_is_told_at_once(ask: Ask) -> None:
    answer = ask("/api/profiles?page[size]=1000&sort=name&include=lists&nope=1")
    assert [error["source"]["parameter"] for error in answer.errors] == ["page[size]", "sort", "include", "nope"]


def test_a_member_filter_differs_between_lists_and_segments(ask: Ask, account: Account) -> None:
    condition = _filtered("", 'equals(profile_id,"x")')
    assert ask(f"/api/segments/{next(iter(account.segments))}/profiles{condition}").status == 200
    assert ask(f"/api/lists/{next(iter(account.lists))}/profiles{condition}").status == 400


def test_a_cursor_belongs_to_its_query(ask: Ask) -> None:
    following = ask("/api/profiles?sort=created&page[size]=10").document["links"]["next"]
    assert ask(following).status == 200
    assert ask(following.replace("sort=created", "sort=updated")).status == 400
    assert ask(following.replace("page%5Bsize%5D=10", "page%5Bsize%5D=20")).status == 200


@pytest.mark.parametrize("authorization", ["Klaviyo-API-Key wrong", "Bearer sandbox-key", "sandbox-key", "Klaviyo-API-Key "])
def test_a_wrong_key_is_refused(ask: Ask, authorization: str) -> None:
    answer = ask("/api/accounts", Authorization=authorization)
    assert answer.status == 401
    assert answer.errors[0]["code"] == "authentication_failed"
    assert answer.errors[0]["source"] == {"pointer": "/data/"}
    assert not any(name.startswith("RateLimit") for name in answer.headers)


def test_a_missing_key_is_refused(ask: Ask) -> None:
    assert ask("/api/accounts", Authorization=None).status == 401


@pytest.mark.parametrize(
    ("revision", "status"),
    [
        (None, 400),
        ("", 400),
        ("latest", 400),
        ("2026-07-32", 400),
        ("2027-01-15", 400),
        ("2026-07-15.pre", 400),
        ("2022-10-17", 410),
        ("2025-10-15", 200),
        ("2026-07-15", 200),
    ],
)
def test_the_revision_counts(ask: Ask, revision: str | None, status: int) -> None:
    assert ask("/api/accounts", revision=revision).status == status


def test_a_key_without_the_scope_is_refused(account: Account) -> None:
    ask = asker(Sandbox(account, limits=False, api_keys={SANDBOX_KEY: {"events:read", "profiles:read"}}))
    event_id = account.events[0]["id"]
    assert ask("/api/events?page[size]=1").status == 200
    assert ask(f"/api/events/{event_id}/profile").status == 200
    refused = ask(f"/api/events/{event_id}/metric")
    assert refused.status == 403
    assert refused.errors[0]["code"] == "permission_denied"
    assert "metrics:read" in refused.errors[0]["detail"]


def test_unknown_paths_and_methods(ask: Ask) -> None:
    assert ask("/api/nothing").status == 404
    assert ask("/").status == 404
    assert ask("/api/metrics", method="DELETE").status == 405
    assert ask("/api/lists/").status == 200


def test_every_operation_is_imitated() -> None:
    assert set(ENDPOINTS) == set(facts().operations)


def test_an_operation_that_is_not_imitated_says_so(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ENDPOINTS, "create_tag")
    answer = ask("/api/tags", {})
    assert answer.status == 501
    assert "create_tag" in answer.errors[0]["detail"]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"{", b"\xff", b'{"data":null}', b'{"data":{"type":"x"}}', b'{"data":[]}'])
def test_no_writing_operation_takes_just_any_body(account: Account, body: bytes) -> None:
    ask = asker(Sandbox(account, limits=False, entitlements=ENTITLEMENTS))
    version = account.version
    for name, operation in facts().operations.items():
        if operation.body is not None:
            answer = ask(operation.path.replace("{id}", "x"), body, method=operation.method)
            assert answer.status in (400, 404, 415), (name, answer)
    assert account.version == version


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/api/profiles/NOPE01", "A profile with id NOPE01 does not exist."),
        ("/api/profiles/NOPE01/lists", "A profile with id NOPE01 does not exist."),
        ("/api/lists/NOPE01", "A list with id `NOPE01` does not exist."),
        ("/api/lists/NOPE01/profiles", "A list with id `NOPE01` does not exist."),
        ("/api/lists/NOPE01/tags", "A list with id `NOPE01` does not exist."),
        ("/api/segments/NOPE01", "A segment with id `NOPE01` does not exist."),
        ("/api/segments/NOPE01/relationships/profiles", "A segment with id `NOPE01` does not exist."),
        ("/api/metrics/NOPE01", "Metric with id NOPE01 does not exist."),
        ("/api/accounts/NOPE01", "Account with id NOPE01 not found."),
        ("/api/events/7qWkC6JPz7g", "An event with id 7qWkC6JPz7g does not exist."),
    ],
)
def test_an_id_that_does_not_exist(ask: Ask, path: str, detail: str) -> None:
    answer = ask(path)
    assert answer.status == 404
    (error,) = answer.errors
    assert {**error, "id": ""} == {
        "id": "",
        "status": 404,
        "code": "not_found",
        "title": "Not found.",
        "detail": detail,
        "source": {"pointer": "/data/"},
    }


@pytest.mark.parametrize("suffix", ["", "/metric", "/profile"])
def test_an_event_id_that_cannot_be_one(ask: Ask, suffix: str) -> None:
    answer = ask(f"/api/events/NOPE01{suffix}")
    assert answer.status == 400
    assert answer.errors[0]["detail"] == "Invalid Event ID: 'NOPE01'"
    assert answer.errors[0]["source"] == {"pointer": "/data/id"}
