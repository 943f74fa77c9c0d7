"""Keys, scopes and refusals: what Klaviyo says no to, and what the user is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

import klaviyo_sql
from klaviyo_sql import AuthenticationError, Connection, OperationalError, PermissionDenied, RequestRejected
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Sandbox
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.reports import REPORTS

Open = Callable[..., Connection]

SCOPES = {
    "accounts": ["accounts:read"],
    "profiles": ["profiles:read"],
    "lists": ["lists:read"],
    "list_profiles": ["lists:read", "profiles:read"],
    "segments": ["segments:read"],
    "segment_profiles": ["profiles:read", "segments:read"],
    "metrics": ["metrics:read"],
    "events": ["events:read"],
    "daily_metrics": ["metrics:read"],
    "weekly_metrics": ["metrics:read"],
    "monthly_metrics": ["metrics:read"],
}


def limited(account: Account, scopes: set[str]) -> Sandbox:
    """A sandbox whose key has these scopes."""
    return Sandbox(account, clock=SimulatedClock(datetime(2026, 11, 20, 13, tzinfo=UTC)), api_keys={SANDBOX_KEY: scopes})


def test_a_wrong_key(account: Account, open_sandbox: Open) -> None:
    connection = open_sandbox(sandbox=Sandbox(account, clock=SimulatedClock(), api_keys={"another": None}))
    with pytest.raises(AuthenticationError, match="pk_…") as caught:
        connection.execute("SELECT * FROM lists").fetchall()
    assert "401" in str(caught.value)
    assert caught.value.status == 401  # type: ignore[attr-defined]
    assert connection.sandbox is not None
    assert len(connection.sandbox.requests) == 1


@pytest.mark.parametrize("key", [None, "", "  ", "\n"])
def test_no_key(key: str | None) -> None:
    with klaviyo_sql.connect(api_key=key, base_url="http://127.0.0.1:1") as connection:
        assert connection.execute("SELECT count(*) FROM klaviyo_tables WHERE schema = 'main'").fetchone() == (len(TABLES) + len(REPORTS),)
        with pytest.raises(AuthenticationError, match="KLAVIYO_API_KEY") as caught:
            connection.execute("SELECT * FROM lists").fetchall()
        assert "sandbox=True" in str(caught.value)
        assert list(connection.requests) == []


@pytest.mark.parametrize("key", ["pk_1 2", "pk_é", "pk_1\nX-Evil: 1", "pk_\0"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    with klaviyo_sql.connect(api_key=key, base_url="http://127.0.0.1:1") as connection:
        with pytest.raises(AuthenticationError) as caught:
            connection.execute("SELECT * FROM lists").fetchall()
        assert key not in str(caught.value)
        assert "Evil" not in str(caught.value)


def test_the_key_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, answered: Any) -> None:
    monkeypatch.setenv("KLAVIYO_API_KEY", "pk_fromtheenvironment")
    connection, transport = answered(lambda request: httpx.Response(401, json={"errors": []}), api_key=None)
    with pytest.raises(AuthenticationError):
        connection.execute("SELECT * FROM lists").fetchall()
    assert transport.requests[0].headers["Authorization"] == "Klaviyo-API-Key pk_fromtheenvironment"


@pytest.mark.parametrize(("table", "scopes"), SCOPES.items())
def test_a_missing_scope_is_named(account: Account, open_sandbox: Open, table: str, scopes: list[str]) -> None:
    for missing in scopes:
        connection = open_sandbox(sandbox=limited(account, {"accounts:read", "lists:read", "segments:read", "metrics:read", "profiles:read"} - {missing}))
        parent = {"list_profiles": " WHERE list_id = 'x'", "segment_profiles": " WHERE segment_id = 'x'"}.get(table, "")
        with pytest.raises(PermissionDenied) as caught:
            connection.execute(f"SELECT * FROM {table}{parent}").fetchall()
        assert missing in str(caught.value)
        assert "403" in str(caught.value)
        assert caught.value.status == 403  # type: ignore[attr-defined]


@pytest.mark.parametrize("table", TABLES)
def test_a_key_that_may_nothing(account: Account, open_sandbox: Open, table: str) -> None:
    """An error that names a scope, or the product that is lacking; never an empty table."""
    connection = open_sandbox(sandbox=limited(account, set()))
    with pytest.raises(PermissionDenied, match=r"403.*(:read|OAuth)"):
        connection.execute(f"SELECT count(*) FROM {table}").fetchall()


@pytest.mark.parametrize("table", ["webhooks", "webhook_topics", "webhook_webhook_topics"])
def test_webhooks_are_not_for_private_keys(connection: klaviyo_sql.Connection, table: str) -> None:
    with pytest.raises(PermissionDenied, match="opens webhooks to OAuth apps only"):
        connection.execute(f"SELECT * FROM {table}").fetchall()


def test_a_scope_is_missing_only_for_what_needs_it(account: Account, open_sandbox: Open) -> None:
    connection = open_sandbox(sandbox=limited(account, {"lists:read"}))
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (14,)


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 413, 414, 422])
def test_a_refusal_is_quoted(answered: Any, status: int) -> None:
    problem = {"id": "1", "status": status, "code": "invalid", "title": "Invalid.", "detail": "'created' cannot be so.", "source": {"parameter": "filter"}}
    connection, transport = answered(lambda request: httpx.Response(status, json={"errors": [problem]}))
    with pytest.raises(klaviyo_sql.DatabaseError) as caught:
        connection.execute("SELECT * FROM lists WHERE created > '2026-01-01'").fetchall()
    assert isinstance(caught.value, OperationalError if status == 410 else RequestRejected)
    text = str(caught.value)
    assert str(status) in text
    assert "'created' cannot be so" in text
    assert "lists" in text
    assert caught.value.status == status  # type: ignore[attr-defined]
    assert caught.value.errors == [problem]  # type: ignore[attr-defined]
    assert len(transport.requests) == 1


def test_a_refusal_for_the_key_may_be_a_400(answered: Any) -> None:
    problem = {"code": "not_authenticated", "title": "Authentication credentials were not provided.", "detail": "Missing or invalid private key."}
    connection, _ = answered(lambda request: httpx.Response(400, json={"errors": [problem]}))
    with pytest.raises(AuthenticationError):
        connection.execute("SELECT * FROM lists").fetchall()


@pytest.mark.parametrize("table", ["profiles", "lists", "segments", "metrics"])
def test_a_refused_key_lookup_is_no_missing_row(answered: Any, table: str) -> None:
    """404 is a row that is not there; 400 is something wrong, except about an event's id."""
    connection, _ = answered(lambda request: httpx.Response(400, json={"errors": [{"code": "invalid", "detail": "What?", "source": {"pointer": "/data/"}}]}))
    with pytest.raises(RequestRejected, match="What"):
        connection.execute(f"SELECT * FROM {table} WHERE id = 'x'").fetchall()


def test_a_nonsense_id_of_an_event_is_no_row(connection: Connection) -> None:
    assert connection.execute("SELECT * FROM events WHERE id = 'non sense/?#'").fetchall() == []


def test_the_connection_is_usable_after_a_refusal(answered: Any) -> None:
    replies = iter([httpx.Response(400, json={"errors": []}), httpx.Response(200, json={"data": [], "links": {"next": None}})])
    connection, _ = answered(lambda request: next(replies))
    with pytest.raises(RequestRejected):
        connection.execute("SELECT * FROM lists").fetchall()
    assert connection.execute("SELECT * FROM lists").fetchall() == []
