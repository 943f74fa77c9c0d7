"""An account of its own for each test that writes: --sandbox asks it, and the test looks into it afterwards."""

from __future__ import annotations

from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Sandbox, generate
from tests.conftest import NOW, TODAY


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The account that --sandbox leads to, in simulated time."""
    sandbox = Sandbox(generate(seed=11, today=TODAY, profiles=60, events=400), clock=SimulatedClock(NOW))

    def connect(database: Any, **given: Any) -> klaviyo_sql.Connection:
        assert given.pop("sandbox"), "these tests ask nobody else"
        return opened(database, sandbox=sandbox, autocommit=given.pop("autocommit"), **given)

    monkeypatch.setattr(klaviyo_sql, "connect", connect)
    return sandbox


def writes(sandbox: Sandbox) -> list[str]:
    """The requests that wrote, as the account saw them."""
    return [f"{record.method} {record.path}" for record in sandbox.requests if record.method != "GET"]


def emails(sandbox: Sandbox) -> set[str]:
    """The email addresses that the account has."""
    return {profile["attributes"]["email"] for profile in sandbox.account.profiles.values()}


def known_email(sandbox: Sandbox) -> str:
    """An email address that the account has, and that stands in SQL as it is."""
    return min(email for email in emails(sandbox) if email and "'" not in email)
