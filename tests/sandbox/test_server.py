"""The HTTP server: connections, compression, the log, the end."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from klaviyo_sql.contract import facts
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Sandbox, serve

_HEADERS = {"Authorization": f"Klaviyo-API-Key {SANDBOX_KEY}", "revision": facts().revision}


def test_connections_are_kept_and_bodies_compressed(sandbox: Sandbox) -> None:
    with serve(sandbox) as url, httpx.Client(base_url=url, headers=_HEADERS, trust_env=False) as client:
        response = client.get("/api/events?page[size]=100")
        assert response.http_version == "HTTP/1.1"
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.headers["Content-Type"] == "application/vnd.api+json"
        plain = client.get("/api/events?page[size]=100", headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert plain.json() == response.json()
        assert response.json()["links"]["next"].startswith(f"{url}/api/events?")


def test_requests_are_logged(sandbox: Sandbox) -> None:
    with serve(sandbox) as url, httpx.Client(base_url=url, headers=_HEADERS, trust_env=False) as client:
        client.get("/api/profiles", params={"filter": 'equals(email,"a+b@example.com")', "page[size]": 5})
        client.get("/api/nothing")
    first, second = sandbox.requests
    assert (first.method, first.path, first.status, first.operation) == ("GET", "/api/profiles", 200, "get_profiles")
    assert first.query == {"filter": 'equals(email,"a+b@example.com")', "page[size]": "5"}
    assert first.at == sandbox.clock.now()
    assert (second.status, second.operation) == (404, None)
    sandbox.requests.clear()
    assert sandbox.requests == []


def test_many_at_once(sandbox: Sandbox, account: Account) -> None:
    with serve(sandbox) as url, httpx.Client(base_url=url, headers=_HEADERS, trust_env=False) as client, ThreadPoolExecutor(8) as pool:
        targets = [f"/api/events/{event['id']}" for event in account.events[:40]]
        answers = list(pool.map(lambda target: client.get(target).json()["data"]["id"], targets))
    assert answers == [event["id"] for event in account.events[:40]]


def test_the_end_leaves_nothing_behind(sandbox: Sandbox) -> None:
    before = set(threading.enumerate())
    client = httpx.Client(headers=_HEADERS, trust_env=False)
    with serve(sandbox) as url:
        assert client.get(f"{url}/api/metrics").status_code == 200
    assert set(threading.enumerate()) <= before  # others, of tests before this one, may end meanwhile
    with pytest.raises(httpx.TransportError):
        client.get(f"{url}/api/metrics")
    client.close()


def test_only_the_loopback_interface(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="loopback"), serve(sandbox, host="0.0.0.0"):  # noqa: S104
        pass
    with pytest.raises(ValueError, match="loopback"), serve(sandbox, host=socket.gethostname()):
        pass
