"""Faults of writes: whether it was processed is one thing, whether the reply says so another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from klaviyo_sql.contract import facts
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import SANDBOX_KEY, SANDBOX_URL, Account, Fault, Sandbox, SandboxTransport, Storm, serve

from .writes import document, linkage

_HEADERS = {"Authorization": f"Klaviyo-API-Key {SANDBOX_KEY}", "revision": facts().revision}
_LIST = document("list", {"name": "A list, once"})


@pytest.fixture(params=["in process", "over a connection"])
def client(request: pytest.FixtureRequest, fresh_sandbox: Sandbox) -> Iterator[httpx.Client]:
    if request.param == "in process":
        with httpx.Client(transport=SandboxTransport(fresh_sandbox), base_url=SANDBOX_URL, headers=_HEADERS) as client:
            yield client
    else:
        with serve(fresh_sandbox) as url, httpx.Client(base_url=url, headers=_HEADERS, trust_env=False) as client:
            yield client


def _lists(account: Account) -> int:
    return [resource["attributes"]["name"] for resource in account.lists.values()].count("A list, once")


@pytest.mark.parametrize("kind", ["reset", "status", "throttle", "html", "wrong_shape"])
@pytest.mark.parametrize("processed", [False, True])
def test_before_and_after_it_was_processed(client: httpx.Client, fresh_sandbox: Sandbox, fresh_account: Account, kind: Any, processed: bool) -> None:
    fault = fresh_sandbox.faults.add(Fault(kind, operation="create_list", status=504, processed=processed))
    if kind == "reset":
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            client.post("/api/lists", json=_LIST)
    else:
        response = client.post("/api/lists", json=_LIST)
        assert response.status_code == {"status": 504, "throttle": 429}.get(kind, response.status_code)
    assert fault.hits == 1
    assert _lists(fresh_account) == processed
    assert client.post("/api/lists", json=_LIST).status_code == 201
    assert _lists(fresh_account) == 1 + processed


@pytest.mark.parametrize("kind", ["truncated", "long_length", "broken_json", "trickle", "slow"])
def test_a_reply_that_is_spoiled_on_the_way_was_processed(client: httpx.Client, fresh_sandbox: Sandbox, fresh_account: Account, kind: Any) -> None:
    fresh_sandbox.faults.add(Fault(kind, operation="create_list", seconds=0.001))
    try:
        client.post("/api/lists", json=_LIST)
    except httpx.RemoteProtocolError:
        assert kind in ("truncated", "long_length")
    assert _lists(fresh_account) == 1


def test_writes_without_a_reply_body(client: httpx.Client, fresh_sandbox: Sandbox, fresh_account: Account) -> None:
    list_id = next(iter(fresh_account.lists))
    fresh_account.list_members[list_id] = {}
    target = f"/api/lists/{list_id}/relationships/profiles"
    first, second = list(fresh_account.profiles)[:2]
    fresh_sandbox.faults.add(Fault("reset", operation="add_profiles_to_list", processed=True))
    fresh_sandbox.faults.add(Fault("status", operation="remove_profiles_from_list", status=502))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.post(target, json={"data": linkage("profile", [first])})
    assert set(fresh_account.list_members[list_id]) == {first}
    assert client.post(target, json={"data": linkage("profile", [first, second])}).status_code == 204
    gone = {"data": linkage("profile", [first])}
    assert client.request("DELETE", target, json=gone).status_code == 502
    assert set(fresh_account.list_members[list_id]) == {first, second}
    answered = client.request("DELETE", target, json=gone)
    assert (answered.status_code, answered.content) == (204, b"")
    assert set(fresh_account.list_members[list_id]) == {second}


def test_a_job_whose_reply_is_lost_runs(client: httpx.Client, fresh_sandbox: Sandbox, fresh_account: Account, clock: SimulatedClock) -> None:
    before = set(fresh_account.jobs["profile-bulk-import-job"])
    fresh_sandbox.faults.add(Fault("status", operation="bulk_import_profiles", status=500, processed=True))
    rows = [document("profile", {"email": "once@example.com"})["data"]]
    body = document("profile-bulk-import-job", {"profiles": {"data": rows}})
    assert client.post("/api/profile-bulk-import-jobs", json=body).status_code == 500
    (job_id,) = set(fresh_account.jobs["profile-bulk-import-job"]) - before
    clock.sleep(11)
    assert client.get(f"/api/profile-bulk-import-jobs/{job_id}").json()["data"]["attributes"]["completed_count"] == 1


def test_in_a_storm_a_write_that_is_answered_was_processed_once(fresh_sandbox: Sandbox, fresh_account: Account) -> None:
    with httpx.Client(transport=SandboxTransport(fresh_sandbox), base_url=SANDBOX_URL, headers=_HEADERS) as client:
        storm = fresh_sandbox.faults.begin(Storm(seed=3, share=0.4, kinds=("status", "throttle", "reset", "html", "wrong_shape")))
        created = 0
        for _ in range(60):
            try:
                response = client.post("/api/lists", json=_LIST)
            except httpx.ReadError:
                continue
            created += response.status_code == 201
        assert sum(storm.hits.values()) == 60 - created > 0
    assert _lists(fresh_account) == created > 0


def test_the_log_has_what_was_sent(client: httpx.Client, fresh_sandbox: Sandbox) -> None:
    response = client.post("/api/lists", json=_LIST)
    seen = fresh_sandbox.requests[-1]
    assert (seen.method, seen.operation, seen.status, seen.body) == ("POST", "create_list", 201, response.request.content)
