"""The client: what travels, what is kept, what is told, and what never is."""

from __future__ import annotations

import gzip
import logging
import os
import threading
import traceback
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from klaviyo_sql import contract, errors
from klaviyo_sql.fetch import Client, Limits
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.model.request import Request

from .conftest import KEY, Answers

FILTER = 'equals(metric_id,"X+Y é&=")'
EVENTS = Request("get_events", "GET", "/api/events", (("filter", FILTER), ("page[size]", "1000")), table="events")
REPORT = Request("query_metric_aggregates", "POST", "/api/metric-aggregates", body={"data": {"type": "metric-aggregate"}})
WRITE = Request("create_profile", "POST", "/api/profiles", body={"data": {"email": "a@example.com"}})
Connect = Callable[..., Client]


def fine(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"data": []})


def test_what_travels(connect: Connect) -> None:
    server = Answers(fine)
    client = connect(server)
    client.send(EVENTS)
    client.send(REPORT)
    get, post = server.requests
    assert get.url.raw_path.decode() == EVENTS.target
    assert str(get.url).startswith("https://a.klaviyo.com/api/events?")
    assert get.headers["authorization"] == f"Klaviyo-API-Key {KEY}"
    assert get.headers["revision"] == contract.facts().revision
    assert get.headers["accept"] == "application/vnd.api+json"
    assert get.headers["accept-encoding"] == "gzip"
    assert get.headers["user-agent"].startswith("klaviyo-sql/")
    assert "content-type" not in get.headers
    assert post.headers["content-type"] == "application/vnd.api+json"
    assert post.content == b'{"data":{"type":"metric-aggregate"}}'


def test_a_gzip_body_is_decompressed(connect: Connect) -> None:
    def packed(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(gzip.compress(b'{"data":[1]}')), headers={"Content-Encoding": "gzip"})

    reply = connect(httpx.MockTransport(packed)).send(EVENTS)
    assert reply.body == b'{"data":[1]}'
    assert reply.record.bytes == 12


# The key


@pytest.mark.parametrize("key", [None, "", "   ", "\n", "pk_secret\n", "pk_se cret", "pk_secrét", "pk_\x00secret"])
def test_a_key_that_cannot_be_one_is_not_sent(connect: Connect, key: str | None) -> None:
    server = Answers(fine)
    client = connect(server, api_key=key)
    with pytest.raises(errors.AuthenticationError) as raised:
        client.send(EVENTS)
    assert not server.requests
    assert "secr" not in str(raised.value)
    if not (key or "").strip():
        assert "KLAVIYO_API_KEY" in str(raised.value)
        assert "sandbox=True" in str(raised.value)


def test_the_key_is_shown_nowhere(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, content=request.headers["authorization"].encode())

    caplog.set_level(logging.DEBUG)
    client = connect(Answers(fine, httpx.ConnectError("no"), echo))
    shown = [repr(client.send(EVENTS)), repr(list(client.log)), repr(client), str(client), str(vars(client)), repr(client.limits.remaining("get_events"))]
    for request in (REPORT, WRITE):
        with pytest.raises(errors.AuthenticationError) as raised:
            client.send(request)
        shown.append("".join(traceback.TracebackException.from_exception(raised.value, capture_locals=True).format()))
    shown += [repr(list(client.log)), caplog.text]
    assert "get_events" in shown[1]
    for text in shown:
        assert KEY not in text


# The address


@pytest.mark.parametrize("url", ["https://a.klaviyo.com", "https://a.klaviyo.com/", "http://localhost:8080", "http://127.0.0.1:1/x/", "http://[::1]:9"])
def test_a_base_url_that_can_be_used(connect: Connect, url: str) -> None:
    server = Answers(fine)
    connect(server, base_url=url).send(EVENTS)
    assert str(server.requests[0].url) == url.rstrip("/") + EVENTS.target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.klaviyo.com",
        "ftp://a.klaviyo.com",
        "https://",
        "http://a.klaviyo.com",
        "http://10.0.0.1",
        "https://u:p@a.klaviyo.com",
        "https://a?b=c",
        "https://a:port",
        "https://[::1",
        "http://localhost.example.com",
    ],
)
def test_a_base_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(errors.InterfaceError, match="base_url"):
        Client(api_key=KEY, base_url=url)


@pytest.mark.parametrize("base", ["https://a.klaviyo.com", "https://a.klaviyo.com/prefix"])
def test_the_next_page_is_asked_for_as_klaviyo_says(connect: Connect, base: str) -> None:
    client = connect(Answers(fine), base_url=base)
    page = ("page[cursor]", "bmV4dDo6aWQ6Ok5+/=")
    expected = Request("get_events", "GET", "/api/events", (*EVENTS.parameters, page), table="events")
    for link in (f"{base}{expected.target}", expected.target, f"{base}:443".replace("/prefix:443", ":443/prefix") + expected.target):
        following = client.following(EVENTS, link)
        assert following == expected
        assert following.table == "events"
        assert following.target == expected.target


def test_a_plus_in_a_link_is_a_space_and_an_empty_value_stays(connect: Connect) -> None:
    following = connect(Answers(fine)).following(EVENTS, "https://a.klaviyo.com/api/events?a=b+c%2Bd&e=")
    assert following.parameters == (("a", "b c+d"), ("e", ""))


@pytest.mark.parametrize(
    ("link", "named"),
    [
        ("https://evil.example/api/events", "https://evil.example"),
        ("http://a.klaviyo.com/api/events", "http://a.klaviyo.com"),
        ("https://a.klaviyo.com:444/api/events", "https://a.klaviyo.com:444"),
        ("https://a.klaviyo.com@evil.example/api/events", "https://evil.example"),
        ("https://a.klaviyo.com.evil.example/", "https://a.klaviyo.com.evil.example"),
        ("//evil.example/api/events", "evil.example"),
        ("javascript:alert(1)", "javascript"),
        ("https://a.klaviyo.com:x/", "not a URL"),
        ("https://[/", "not a URL"),
        ("https://a.klaviyo.com/api?x=%ff", "not a URL"),
        ("", "a.klaviyo.com"),
    ],
)
def test_a_link_to_elsewhere_is_not_followed(connect: Connect, link: str, named: str) -> None:
    server = Answers(fine)
    with pytest.raises(errors.OperationalError, match="next") as raised:
        connect(server).following(EVENTS, link)
    assert named in str(raised.value)
    assert not server.requests


def test_a_url_beyond_all_measure_is_refused_before_it_counts(connect: Connect) -> None:
    client = connect(Answers(fine))
    with pytest.raises(errors.RequestRejected, match="too long"):
        client.send(Request("get_events", "GET", "/api/events", (("filter", "x" * 70_000),)))
    assert not client.limits.operations


# The cache


def test_the_same_request_is_answered_from_the_cache_until_it_is_too_old(connect: Connect, clock: SimulatedClock) -> None:
    server = Answers(fine)
    client = connect(server)
    assert [client.send(EVENTS).cached for _ in range(3)] == [False, True, True]
    assert [client.send(REPORT).cached for _ in range(2)] == [False, True]
    assert not client.send(Request(**{**fields(EVENTS), "parameters": ()})).cached
    assert not client.send(Request(**{**fields(REPORT), "body": {"data": {}}})).cached
    assert client.limits.remaining("get_events")[1].used == 2
    clock.sleep(60)
    assert not client.send(EVENTS).cached
    client.forget()
    assert not client.send(EVENTS).cached
    assert not client.send(EVENTS, cache=False).cached
    assert [record.cached for record in client.log][:3] == [False, True, True]


def fields(request: Request) -> dict[str, object]:
    return {name: getattr(request, name) for name in ("operation", "method", "path", "parameters", "body", "table")}


def test_the_cache_can_be_off(connect: Connect) -> None:
    for settings in ({"cache_seconds": 0}, {"cache_bytes": 0}):
        client = connect(Answers(fine), **settings)
        assert [client.send(EVENTS).cached for _ in range(2)] == [False, False]
        client.forget()
        client.garbage(EVENTS, "it is off")


def test_the_cache_is_bounded_by_bytes(connect: Connect) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b'{"%s"}' % (b"x" * int(request.url.params["page[size]"])))

    def sized(size: int, name: str = "") -> Request:
        return Request("get_events", "GET", "/api/events", (("page[size]", str(size)), ("name", name)))

    client = connect(Answers(page), cache_bytes=8000)
    assert [client.send(sized(997)).cached for _ in range(2)] == [False, False]  # 1001 bytes: over an eighth
    assert [client.send(sized(996)).cached for _ in range(2)] == [False, True]
    for n in range(8):
        client.send(sized(996, str(n)))
    assert not client.send(sized(996)).cached
    assert client.send(sized(996, "7")).cached


def test_refusals_absences_and_garbage_are_not_kept(connect: Connect) -> None:
    client = connect(Answers(httpx.Response(404, json={"errors": []})))
    assert [client.send(EVENTS, absent_statuses=frozenset({404})).cached for _ in range(2)] == [False, False]
    client = connect(Answers(fine))
    client.send(EVENTS)
    error = client.garbage(EVENTS, "data is a number.")
    assert type(error) is errors.OperationalError
    assert str(error) == "Klaviyo's reply to get_events (table events) cannot be used: data is a number."
    assert not client.send(EVENTS).cached


def test_a_write_is_not_kept_and_empties_the_cache(connect: Connect) -> None:
    client = connect(Answers(fine, fine, httpx.Response(202), httpx.Response(500), fine))
    client.send(EVENTS)
    assert client.send(EVENTS).cached
    assert not client.send(REPORT).cached
    assert not client.send(WRITE).cached
    with pytest.raises(errors.OperationalError):
        client.send(WRITE)
    assert not client.send(EVENTS).cached


def test_a_read_that_a_write_overtakes_is_not_kept(connect: Connect) -> None:
    clients: list[Client] = []

    def slow(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/events" and len(clients[0].log) == 0:
            clients[0].send(WRITE)
        return httpx.Response(200, json={})

    clients.append(connect(Answers(slow)))
    assert [clients[0].send(EVENTS).cached for _ in range(3)] == [False, False, True]


# The log


def test_the_log(connect: Connect, clock: SimulatedClock) -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        clock.sleep(0.25)
        return httpx.Response(200, json={"data": []}, headers={"RateLimit-Limit": "350, 350;w=1", "RateLimit-Remaining": "349"})

    client = connect(Answers(slow))
    started = clock.now()
    reply = client.send(EVENTS)
    reply.record.rows = 12
    client.send(EVENTS)
    client.send(REPORT)
    client.send(WRITE)
    events, again, report, write = client.log
    assert (events.number, events.started_at, events.operation, events.table, events.method) == (1, started, "get_events", "events", "GET")
    assert (events.path, events.query) == ("/api/events", f"filter={FILTER}&page[size]=1000")
    assert (events.status, events.rows, events.bytes, events.retries, events.cached) == (200, 12, 11, 0, False)
    assert (events.remaining, events.waited_ms, events.error) == (349, 0, None)
    assert events.milliseconds == pytest.approx(250)
    assert (again.number, again.cached, again.milliseconds, again.bytes, again.status) == (2, True, 0, 11, 200)
    assert report.query == '{"data":{"type":"metric-aggregate"}}'
    assert write.query == ""


def test_the_log_is_bounded(connect: Connect) -> None:
    client = connect(Answers(fine), log_size=3)
    for _ in range(5):
        client.send(EVENTS)
    assert [record.number for record in client.log] == [3, 4, 5]
    assert (len(client.log), client.log.written) == (3, 5)


def test_waiting_for_a_limit_is_told(connect: Connect) -> None:
    client = connect(Answers(fine), cache_seconds=0)
    accounts = Request("get_accounts", "GET", "/api/accounts")
    client.send(accounts)
    assert client.send(accounts).record.waited_ms == pytest.approx(1100)


# Ends


def test_an_interruption_is_heard_while_waiting(connect: Connect, clock: SimulatedClock) -> None:
    client = connect(Answers(httpx.Response(429, headers={"Retry-After": "60"})), interrupted=lambda: clock.monotonic() > 3)
    with pytest.raises(errors.Interrupted):
        client.send(EVENTS)
    assert clock.monotonic() == pytest.approx(3.05, abs=0.06)
    (record,) = client.log
    assert record.error == "The statement was interrupted."
    assert record.waited_ms == pytest.approx(3050, abs=60)


def test_an_interruption_is_heard_before_sending_and_between_tries(connect: Connect, clock: SimulatedClock) -> None:
    server = Answers(httpx.Response(503))
    with pytest.raises(errors.Interrupted):
        connect(server, interrupted=lambda: True).send(EVENTS)
    assert not server.requests
    with pytest.raises(errors.Interrupted):
        connect(server, interrupted=lambda: len(server.requests) == 2).send(EVENTS)
    assert len(server.requests) == 2


def test_a_closed_client_sends_nothing_and_leaves_a_lent_transport_open(connect: Connect) -> None:
    class Lent(Answers):
        closed = False

        def close(self) -> None:
            self.closed = True

    server = Lent(fine)
    client = connect(server)
    client.send(EVENTS)
    client.close()
    client.close()
    assert not server.closed
    with pytest.raises(errors.InterfaceError, match="closed"):
        client.send(EVENTS)


def test_a_proxy_setting_that_cannot_be_used_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch, clock: SimulatedClock) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://user:password@proxy:1")
    client = Client(api_key=KEY, base_url="https://a.klaviyo.com", clock=clock)
    with pytest.raises(errors.OperationalError, match="HTTPS_PROXY") as raised:
        client.send(EVENTS)
    assert "password" not in str(raised.value)


# Threads and processes


def test_eight_threads_stay_within_the_limits(connect: Connect, clock: SimulatedClock) -> None:
    seen: list[float] = []
    lists = Request("get_profile", "GET", "/api/profiles/1", (("include", "lists"),))
    client = connect(Answers(lambda request: seen.append(clock.monotonic()) or fine(request)), cache_seconds=0, max_wait=1e9)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(10):
                client.send(lists)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(seen) == len(client.log) == 80
    assert [record.number for record in client.log] == list(range(1, 81))
    for phase in range(20):
        assert max(Counter((at + phase / 20) // 1 for at in seen).values()) <= 1
        assert max(Counter((at + phase * 3) // 60 for at in seen).values()) <= 15


def test_clients_of_one_account_share_its_limits(clock: SimulatedClock) -> None:
    def made(key: str) -> Client:
        return Client(api_key=key, base_url="https://a.klaviyo.com", clock=clock, transport=Answers(fine))

    first, second, other = made(KEY), made(KEY), made("pk_other")
    assert first.limits is second.limits
    assert first.limits is not other.limits


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_starts_sound_though_the_parent_was_busy() -> None:
    client = Client(api_key=KEY, base_url="https://a.klaviyo.com", transport=Answers(fine), limits=Limits())
    client.send(EVENTS)
    locks = [client._connections._lock, client.limits._lock, client._cache._lock, client.log._lock]
    for lock in locks:
        lock.acquire()  # as a thread of the parent may hold them at the moment of the fork
    try:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = 0 if not client.send(EVENTS).cached and client.limits.remaining("get_events")[1].used == 2 else 2
            finally:
                os._exit(code)
    finally:
        for lock in locks:
            lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert client.send(EVENTS).cached
