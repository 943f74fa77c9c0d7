"""Refusals: the class says what kind of thing is wrong, the sentence what to do."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from klaviyo_sql import errors
from klaviyo_sql.fetch import Client
from klaviyo_sql.model.request import Request

from .conftest import KEY, Answers

EVENTS = Request("get_events", "GET", "/api/events", (("include", "profile"),), table="events")
Connect = Callable[..., Client]


def reasons(code: str, detail: str, **more: Any) -> dict[str, Any]:
    return {"errors": [{"id": "1", "status": 0, "code": code, "title": "Title.", "detail": detail, **more}]}


INVALID = reasons("invalid", "'nonsense' is not a field of event.", source={"parameter": "fields[event]"})

CASES = [
    (400, INVALID, errors.RequestRejected, ["'nonsense' is not a field of event", "[fields[event]]", "table events", "400"]),
    (400, reasons("not_authenticated", "Authentication failed."), errors.AuthenticationError, ["Authentication failed", "private key"]),
    (400, reasons("authentication_failed", "Incorrect key."), errors.AuthenticationError, ["Incorrect key"]),
    (401, reasons("not_authenticated", "Missing or invalid private key."), errors.AuthenticationError, ["invalid private key", "revoked"]),
    (403, reasons("permission_denied", "You lack it."), errors.PermissionDenied, ["You lack it", "events:read", "table events"]),
    (404, reasons("not_found", "No such event."), errors.RequestRejected, ["No such event", "/api/events"]),
    (405, reasons("method_not_allowed", "No."), errors.RequestRejected, ["405"]),
    (409, reasons("duplicate_profile", "It exists.", meta={"duplicate_profile_id": "01"}), errors.RequestRejected, ["It exists", "conflict"]),
    (410, reasons("gone", "Retired."), errors.OperationalError, ["Retired", "pip install --upgrade klaviyo-sql"]),
    (413, reasons("too_large", "Body."), errors.RequestRejected, ["body is too large", "IN (…)"]),
    (414, reasons("too_long", "URL."), errors.RequestRejected, ["URL is too large", "IN (…)"]),
    (501, reasons("not_implemented", "Never."), errors.OperationalError, ["501", "Never"]),
]


@pytest.mark.parametrize(("status", "body", "expected", "parts"), CASES, ids=[f"{case[0]}-{case[1]['errors'][0]['code']}" for case in CASES])
def test_a_refusal(connect: Connect, status: int, body: dict[str, Any], expected: type[errors.Error], parts: list[str]) -> None:
    server = Answers(httpx.Response(status, json=body))
    client = connect(server)
    with pytest.raises(errors.Error) as raised:
        client.send(EVENTS)
    assert type(raised.value) is expected
    for part in parts:
        assert part in str(raised.value)
    assert len(server.requests) == 1
    assert raised.value.__dict__ == {"status": status, "operation": "get_events", "errors": body["errors"]}
    assert [(record.status, record.error) for record in client.log] == [(status, str(raised.value))]
    assert pickle.loads(pickle.dumps(raised.value)).__dict__ == raised.value.__dict__  # noqa: S301


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 418])
@pytest.mark.parametrize("body", [b"", b"<html>blocked</html>", b"\xff\xfe", b'{"errors": 3}', b'{"errors": [3]}', b"[]", b"null"])
def test_a_refusal_without_reasons_still_is_one(connect: Connect, status: int, body: bytes) -> None:
    with pytest.raises(errors.DatabaseError, match="no body" if not body else "not Klaviyo's JSON"):
        connect(Answers(httpx.Response(status, content=body))).send(EVENTS)


def test_all_scopes_are_named(connect: Connect) -> None:
    request = Request("get_profiles_for_list", "GET", "/api/lists/X/profiles", table="list_profiles")
    with pytest.raises(errors.PermissionDenied, match="scopes lists:read and profiles:read"):
        connect(Answers(httpx.Response(403, json=reasons("permission_denied", "No")))).send(request)


def test_webhooks_are_for_apps(connect: Connect) -> None:
    with pytest.raises(errors.PermissionDenied, match="OAuth apps only"):
        connect(Answers(httpx.Response(403, json=reasons("permission_denied", "Advanced KDP")))).send(Request("get_webhooks", "GET", "/api/webhooks"))


def test_many_reasons_are_counted_not_cut_in_silence(connect: Connect) -> None:
    body = {"errors": [reasons("invalid", f"Row {n} is bad.", source={"pointer": f"/data/{n}"})["errors"][0] for n in range(10)]}
    with pytest.raises(errors.RequestRejected, match=r"Row 0 is bad \[/data/0\]\. Row 1 .* Row 2 .*\(And 7 more\.\)") as raised:
        connect(Answers(httpx.Response(400, json=body))).send(EVENTS)
    assert len(raised.value.errors) == 10  # type: ignore[attr-defined]


def test_a_redirect_is_not_followed(connect: Connect) -> None:
    server = Answers(httpx.Response(302, headers={"Location": "https://user:pw@login.example.com/?token=secret"}))
    with pytest.raises(errors.OperationalError, match=r"redirect to https://login\.example\.com \(302\)") as raised:
        connect(server).send(EVENTS)
    assert "secret" not in str(raised.value)
    assert len(server.requests) == 1


def test_a_server_that_repeats_the_key_is_not_quoted_with_it(connect: Connect) -> None:
    with pytest.raises(errors.AuthenticationError, match="pk_…") as raised:
        connect(Answers(httpx.Response(401, json=reasons("not_authenticated", f"Invalid key {KEY}.")))).send(EVENTS)
    assert KEY not in str(raised.value)
    assert KEY not in str(vars(raised.value))


def test_absence_may_be_an_answer_but_a_page_of_a_proxy_is_not(connect: Connect) -> None:
    absent = frozenset({404})
    reply = connect(Answers(httpx.Response(404, json=reasons("not_found", "No.")))).send(EVENTS, absent_statuses=absent)
    assert (reply.status, reply.cached) == (404, False)
    with pytest.raises(errors.OperationalError, match="not Klaviyo's JSON"):
        connect(Answers(httpx.Response(404, html="<h1>Not found</h1>"))).send(EVENTS, absent_statuses=absent)


def test_a_status_that_was_let_through_can_still_be_refused(connect: Connect) -> None:
    client = connect(Answers(httpx.Response(400, json=INVALID)))
    reply = client.send(EVENTS, absent_statuses=frozenset({400}))
    error = client.refused(EVENTS, reply)
    assert isinstance(error, errors.RequestRejected)
    assert "fields[event]" in str(error)
    assert reply.record.error == str(error)
