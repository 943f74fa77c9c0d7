"""Retries: a read may be repeated whatever happened, a write only when it certainly was not carried out."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from klaviyo_sql import contract, errors
from klaviyo_sql.fetch import Client, retries
from klaviyo_sql.fetch.operations import is_read
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.model.request import Request

from .conftest import KEY, Answers

GET = Request("get_events", "GET", "/api/events", table="events")
REPORT = Request("query_metric_aggregates", "POST", "/api/metric-aggregates", body={"data": {}}, table="daily_metrics")
WRITE = Request("create_profile", "POST", "/api/profiles", body={"data": {}}, table="profiles")
Connect = Callable[..., Client]

FINE = httpx.Response(200, content=b'{"data":[]}')


def certificate_error() -> httpx.ConnectError:
    error = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError(1, "self-signed certificate")
    return error


# What happens, then how often it is tried of five times: by a read, by a write.
FAILURES = {
    "connection refused": (httpx.ConnectError("[Errno 111] Connection refused"), 3, 3),
    "name not resolved": (httpx.ConnectError("[Errno -2] Name or service not known"), 3, 3),
    "connecting takes too long": (httpx.ConnectTimeout("timed out"), 3, 3),
    "no connection free": (httpx.PoolTimeout("timed out"), 3, 3),
    "proxy refuses": (httpx.ProxyError("407 Proxy Authentication Required"), 3, 3),
    "certificate": (certificate_error(), 1, 1),
    "no answer": (httpx.ReadTimeout("timed out"), 5, 1),
    "request not taken": (httpx.WriteTimeout("timed out"), 5, 1),
    "connection reset": (httpx.ReadError("[Errno 104] Connection reset by peer"), 5, 1),
    "connection reset while writing": (httpx.WriteError("[Errno 32] Broken pipe"), 5, 1),
    "body cut off": (httpx.RemoteProtocolError("peer closed connection without sending complete message body"), 5, 1),
    "bad gzip": (httpx.DecodingError("Error -3 while decompressing data"), 5, 1),
    "not HTTP": (httpx.LocalProtocolError("Illegal header value"), 1, 1),
    "500": (httpx.Response(500), 5, 1),
    "502": (httpx.Response(502, html="<h1>Bad gateway</h1>"), 5, 1),
    "503": (httpx.Response(503), 5, 1),
    "504": (httpx.Response(504), 5, 1),
    "524": (httpx.Response(524), 5, 1),
    "501": (httpx.Response(501), 1, 1),
    "a page of a captive portal": (httpx.Response(200, html="<html>Please log in</html>"), 5, 1),
    "half a body": (httpx.Response(200, content=b'{"data":[{"id":'), 5, 1),
    "a list": (httpx.Response(200, json=[]), 5, 1),
}


@pytest.mark.parametrize("request_", [GET, REPORT, WRITE], ids=lambda request: request.operation)
@pytest.mark.parametrize("name", FAILURES)
def test_how_often_a_failure_is_tried(connect: Connect, name: str, request_: Request) -> None:
    failure, by_read, by_write = FAILURES[name]
    server = Answers(failure)
    client = connect(server)
    with pytest.raises(errors.OperationalError) as raised:
        client.send(request_)
    expected = by_write if request_ is WRITE else by_read
    assert len(server.requests) == expected
    (record,) = client.log
    assert record.retries == expected - 1
    assert record.error == str(raised.value)
    assert raised.value.operation == request_.operation  # type: ignore[attr-defined]
    # A write that may have been carried out says so.
    assert type(raised.value) in ((errors.OperationalError, errors.OutcomeUnknown) if request_ is WRITE else (errors.OperationalError,))
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("name", [name for name, (_, by_read, _) in FAILURES.items() if by_read > 1])
def test_a_failure_that_passes_is_not_seen(connect: Connect, clock: SimulatedClock, name: str) -> None:
    client = connect(Answers(FAILURES[name][0], FAILURES[name][0], FINE))
    assert client.send(GET).body == b'{"data":[]}'
    (record,) = client.log
    assert (record.retries, record.status, record.error) == (2, 200, None)
    assert clock.monotonic() == pytest.approx(0.999 * 1.5)
    assert record.waited_ms == pytest.approx(1498.5)


def test_an_empty_reply_is_garbage_for_a_read_and_fine_for_a_write(connect: Connect) -> None:
    for status in (200, 202, 204):
        assert connect(Answers(httpx.Response(status))).send(WRITE).status == status
    with pytest.raises(errors.OperationalError, match="was empty"):
        connect(Answers(httpx.Response(200))).send(GET)


@pytest.mark.parametrize("request_", [GET, WRITE], ids=lambda request: request.operation)
def test_429_is_repeated_for_reads_and_writes_after_retry_after_and_jitter(connect: Connect, clock: SimulatedClock, request_: Request) -> None:
    server = Answers(httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(200, json={"data": {}}))
    client = connect(server)
    client.send(request_)
    (record,) = client.log
    assert (record.retries, record.status) == (1, 200)
    assert clock.monotonic() == pytest.approx(7 + 0.999 * 0.5)
    assert record.waited_ms == pytest.approx(7499.5)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}, {"Retry-After": "soon"}])
def test_429_without_end_ends_with_max_wait(connect: Connect, clock: SimulatedClock, headers: dict[str, str]) -> None:
    server = Answers(httpx.Response(429, headers=headers))
    with pytest.raises(errors.RateLimitError, match=r"Klaviyo's limit for get_events \(table events\) .* 429 \d+ times"):
        connect(server, chance=lambda: 0.0).send(GET)
    assert clock.monotonic() <= 120
    assert len(server.requests) < 250


def test_a_retry_after_of_hours_is_an_error_at_once_that_says_when(connect: Connect) -> None:
    clock = SimulatedClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    server = Answers(httpx.Response(429, headers={"Retry-After": "7200"}))
    client = connect(server, clock=clock, chance=lambda: 0.0)
    with pytest.raises(errors.RateLimitError, match=r"until 2026-03-01 14:00:00 UTC, in 2 h 0 min, .*max_wait is 120 s.*429 once") as raised:
        client.send(GET)
    assert raised.value.returns_at == datetime(2026, 3, 1, 14, tzinfo=UTC)  # type: ignore[attr-defined]
    with pytest.raises(errors.RateLimitError):
        client.send(GET)
    assert len(server.requests) == 1  # the second one was not even sent
    assert clock.monotonic() == 0


def test_a_daily_limit_that_is_used_up_is_an_error_at_once(connect: Connect, clock: SimulatedClock) -> None:
    server = Answers(FINE)
    client = connect(server, cache_seconds=0)
    report = Request("query_flow_values", "POST", "/api/flow-values-reports", body={})
    for _ in range(225):
        client.send(report)
    clock.sleep(120)
    before = clock.monotonic()
    with pytest.raises(errors.RateLimitError, match="225 requests a day"):
        client.send(report)
    assert clock.monotonic() == before
    assert len(server.requests) == 225


def test_503_obeys_retry_after_within_max_wait(connect: Connect, clock: SimulatedClock) -> None:
    connect(Answers(httpx.Response(503, headers={"Retry-After": "20"}), FINE)).send(GET)
    assert clock.monotonic() == pytest.approx(20.4995)
    server = Answers(httpx.Response(503, headers={"Retry-After": "3600"}))
    with pytest.raises(errors.OperationalError, match=r"Klaviyo answered 503.* come back at 20"):
        connect(server).send(GET)
    assert len(server.requests) == 1


def test_the_sentences_at_the_end(connect: Connect) -> None:
    def said(answer: httpx.Response | Exception, request: Request = GET) -> str:
        with pytest.raises(errors.OperationalError) as raised:
            connect(Answers(answer)).send(request)
        return str(raised.value)

    assert said(httpx.Response(503)) == "get_events (table events) failed after 5 tries: Klaviyo answered 503."
    assert said(httpx.ConnectError("Name or service not known")) == (
        "Klaviyo cannot be reached at a.klaviyo.com: Name or service not known (get_events (table events), 3 tries)."
    )
    assert "not Klaviyo's JSON. Did a proxy or a captive portal answer" in said(httpx.Response(200, html="<p>hello</p>"))
    assert "cut off after 9 bytes" in said(httpx.Response(200, content=b'{"data":['))
    assert "The certificate of a.klaviyo.com is not trusted" in said(certificate_error())
    assert "did not answer in time" in said(httpx.ReadTimeout("timed out"))
    assert said(httpx.ReadTimeout("timed out"), WRITE).endswith("may have been carried out: look before it is sent again.")


def test_what_counts_as_a_read() -> None:
    reading_posts = {name for name, operation in contract.facts().operations.items() if operation.method != "GET" and is_read(name)}
    assert reading_posts == {
        "query_campaign_values",
        "query_flow_series",
        "query_flow_values",
        "query_form_series",
        "query_form_values",
        "query_metric_aggregates",
        "query_segment_series",
        "query_segment_values",
        "render_template",
    }
    assert all(is_read(name) for name, operation in contract.facts().operations.items() if operation.method == "GET")


def test_backoff_doubles_to_its_cap() -> None:
    assert [retries.backoff(failures, 1.0) for failures in (1, 2, 3, 6, 7, 8, 1000)] == [0.5, 1, 2, 16, 30, 30, 30]
    assert retries.backoff(5, 0.0) == 0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("12", 12),
        (" 1.5 ", 1.5),
        ("9" * 30, 366 * 86400),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("٣", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retries.retry_after(header, datetime(2026, 3, 1, 12, tzinfo=UTC)) == seconds
