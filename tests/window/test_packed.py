"""Pages that stay compressed until they are used, from a server: the same rows, also when what was packed turns out to be broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest

import klaviyo_sql
from klaviyo_sql.fetch.bodies import Packed
from klaviyo_sql.fetch.client import Client, Reply
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Fault, Sandbox, generate, serve

SQL = "SELECT id, value FROM events"


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(today=date(2026, 11, 20), profiles=40, events=4_000)


@contextmanager
def connected(sandbox: Sandbox, parallel: int) -> Iterator[klaviyo_sql.Connection]:
    with serve(sandbox) as url, klaviyo_sql.connect(api_key=SANDBOX_KEY, base_url=url, parallel=parallel, config=False) as connection:
        yield connection


def all_ids(account: Account) -> list[str]:
    return sorted(event["id"] for event in account.events)


@pytest.mark.parametrize("parallel", [1, 20])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_page_that_cannot_be_inflated_is_asked_for_again(account: Account, parallel: int, nth: int) -> None:
    sandbox = Sandbox(account, limits=False)
    fault = sandbox.faults.add(Fault("truncated_gzip", "get_events", nth=nth))
    with connected(sandbox, parallel) as connection:
        assert sorted(row[0] for row in connection.execute(SQL)) == all_ids(account)
    assert fault.hits == 1


@pytest.mark.parametrize("parallel", [1, 20])
def test_pages_that_never_can_are_one_error(account: Account, parallel: int) -> None:
    sandbox = Sandbox(account, limits=False)
    sandbox.faults.add(Fault("truncated_gzip", "get_events", nth=2, times=None))
    with connected(sandbox, parallel) as connection, pytest.raises(klaviyo_sql.OperationalError, match="could not be decompressed"):
        connection.execute(SQL).fetchall()


@pytest.fixture
def replies(monkeypatch: pytest.MonkeyPatch) -> list[Reply]:
    """What clients receive from now on."""
    found: list[Reply] = []
    send = Client.send

    def noted(self: Client, *values: object, **options: object) -> Reply:
        found.append(send(self, *values, **options))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(Client, "send", noted)
    return found


def test_long_pages_stay_packed_and_short_ones_do_not(account: Account, replies: list[Reply]) -> None:
    with connected(Sandbox(account, limits=False), 1) as connection:
        connection.execute(SQL).fetchall()
        connection.execute("SELECT name FROM metrics").fetchall()
        log = dict(connection.execute("SELECT operation, max(bytes) FROM klaviyo_requests GROUP BY 1"))
    pages = [reply for reply in replies if isinstance(reply.content, Packed)]
    assert {reply.record.operation for reply in pages} == {"get_events"}
    assert len(pages) >= 4
    assert {reply.record.operation for reply in replies} == {"get_events", "get_metrics"}
    for reply in pages:
        assert len(reply.content) < len(reply.body) / 4
        assert reply.record.bytes == len(reply.body)
    assert log["get_events"] == max(len(reply.body) for reply in pages)


def test_what_is_remembered_is_remembered_packed(account: Account, replies: list[Reply]) -> None:
    sandbox = Sandbox(account, limits=False)
    with connected(sandbox, 1) as connection:
        first = connection.execute(SQL).fetchall()
        asked = len(sandbox.requests)
        assert connection.execute(SQL).fetchall() == first
        assert len(sandbox.requests) == asked
    remembered = [reply for reply in replies if reply.cached]
    assert len(remembered) >= 4
    assert sum(isinstance(reply.content, Packed) for reply in remembered) >= 4
    assert all(reply.record.bytes == len(reply.body) for reply in remembered)
