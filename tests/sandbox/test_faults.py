"""Faults, in process and over a real connection."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from klaviyo_sql.contract import facts
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import SANDBOX_KEY, SANDBOX_URL, Account, Fault, Sandbox, SandboxTransport, serve

_HEADERS = {"Authorization": f"Klaviyo-API-Key {SANDBOX_KEY}", "revision": facts().revision}


@pytest.fixture(params=["in process", "over a connection"])
def client(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[httpx.Client]:
    if request.param == "in process":
        with httpx.Client(transport=SandboxTransport(sandbox), base_url=SANDBOX_URL, headers=_HEADERS) as client:
            yield client
    else:
        with serve(sandbox) as url, httpx.Client(base_url=url, headers=_HEADERS, trust_env=False) as client:
            yield client


@pytest.mark.parametrize("status", [500, 502, 503, 504, 524])
@pytest.mark.parametrize("body", ["json", "html"])
def test_a_status(client: httpx.Client, sandbox: Sandbox, status: int, body: str) -> None:
    sandbox.faults.add(Fault("status", status=status, body="html" if body == "html" else "json"))
    response = client.get("/api/metrics")
    assert response.status_code == status
    if body == "html":
        assert response.headers["Content-Type"].startswith("text/html")
        assert "<html>" in response.text
    else:
        assert response.json()["errors"][0]["status"] == status
    assert client.get("/api/metrics").status_code == 200


def test_throttling(client: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("throttle", retry_after=7))
    response = client.get("/api/metrics")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert "RateLimit-Limit" not in response.headers
    assert response.json()["errors"][0]["code"] == "throttled"


def test_a_dropped_connection(client: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("reset"))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.get("/api/metrics")
    assert sandbox.requests[-1].status == 0
    assert client.get("/api/metrics").status_code == 200


def test_a_truncated_body(client: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("truncated"))
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/api/metrics")
    assert client.get("/api/metrics").status_code == 200


def test_broken_json(client: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("broken_json"))
    response = client.get("/api/metrics")
    assert response.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_html_and_other_shapes(client: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("html"))
    assert client.get("/api/metrics").headers["Content-Type"].startswith("text/html")
    sandbox.faults.add(Fault("wrong_shape"))
    response = client.get("/api/metrics")
    assert response.status_code == 200
    assert not isinstance(response.json()["data"], list | dict)


def test_slowness_is_time_of_the_clock_in_process(sandbox: Sandbox, clock: SimulatedClock) -> None:
    sandbox.faults.add(Fault("slow", seconds=30))
    with httpx.Client(transport=SandboxTransport(sandbox), base_url=SANDBOX_URL, headers=_HEADERS) as client:
        assert client.get("/api/metrics").status_code == 200
        assert clock.monotonic() == 30


def test_slowness_is_real_over_a_connection(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("slow", seconds=0.4))
    with serve(sandbox) as url, httpx.Client(base_url=url, headers=_HEADERS, trust_env=False) as client, pytest.raises(httpx.ReadTimeout):
        client.get("/api/metrics", timeout=0.1)


def test_which_requests_are_hit(sandbox: Sandbox) -> None:
    with httpx.Client(transport=SandboxTransport(sandbox), base_url=SANDBOX_URL, headers=_HEADERS) as client:
        fault = sandbox.faults.add(Fault("status", operation="get_lists", nth=2, times=2))
        paths = ["/api/lists", "/api/metrics", "/api/lists", "/api/metrics", "/api/lists", "/api/lists"]
        assert [client.get(path).status_code for path in paths] == [200, 200, 503, 200, 503, 200]
        assert (fault.matched, fault.hits) == (4, 2)
        forever = sandbox.faults.add(Fault("status", times=None, status=500))
        assert {client.get(path).status_code for path in paths} == {500}
        assert forever.hits == 6
        sandbox.faults.clear()
        assert client.get("/api/lists").status_code == 200


def test_a_write_can_take_effect_although_the_reply_is_lost(fresh_account: Account, clock: SimulatedClock) -> None:
    sandbox = Sandbox(fresh_account, clock=clock, limits=False)
    profile = {"data": {"type": "profile", "attributes": {"external_id": "x"}}}
    attributes = {"properties": {}, "metric": {"data": {"type": "metric", "attributes": {"name": "M"}}}, "profile": profile}
    number = len(fresh_account.events)
    with httpx.Client(transport=SandboxTransport(sandbox), base_url=SANDBOX_URL, headers=_HEADERS) as client:
        for processed in (False, True):
            sandbox.faults.add(Fault("reset", processed=processed))
            with pytest.raises(httpx.ReadError):
                client.post("/api/events", json={"data": {"type": "event", "attributes": attributes}})
            clock.sleep(10)
            client.get("/api/metrics")
            assert len(fresh_account.events) == number + processed
