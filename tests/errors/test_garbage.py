"""Networks and servers that fail: recovered from where that is right, and told where it is not."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import klaviyo_sql
from klaviyo_sql import Connection, OperationalError, RateLimitError
from klaviyo_sql.sandbox import Account, Fault

Open = Callable[..., Connection]

PASSING = {
    "500": lambda: Fault("status", status=500),
    "502 as HTML": lambda: Fault("status", status=502, body="html"),
    "503": lambda: Fault("status", status=503),
    "524": lambda: Fault("status", status=524, body="html"),
    "reset": lambda: Fault("reset"),
    "truncated": lambda: Fault("truncated"),
    "broken_json": lambda: Fault("broken_json"),
    "html": lambda: Fault("html"),
    "wrong_shape": lambda: Fault("wrong_shape"),
    "429": lambda: Fault("throttle", retry_after=2),
}
LASTING = {name: make for name, make in PASSING.items() if name != "429"}


def struck(fault: Fault, **changes: Any) -> Fault:
    for name, value in changes.items():
        setattr(fault, name, value)
    return fault


@pytest.mark.parametrize("nth", [1, 3, 5], ids=["first page", "third page", "last page"])
@pytest.mark.parametrize("kind", PASSING)
def test_a_failure_that_passes_costs_no_row(connection: Connection, account: Account, kind: str, nth: int) -> None:
    assert connection.sandbox is not None
    fault = connection.sandbox.faults.add(struck(PASSING[kind](), nth=nth))
    rows = connection.execute("SELECT id FROM profiles").fetchall()
    assert fault.hits == 1
    assert sorted(rows) == sorted((id_,) for id_ in account.profiles)


@pytest.mark.parametrize("kind", ["500", "reset", "broken_json", "html", "wrong_shape", "429"])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM metrics WHERE id = (SELECT min(id) FROM metrics)",
        "SELECT sum(count) FROM monthly_metrics WHERE month_start_date >= '2026-01-01'",
        "SELECT timezone FROM accounts",
        "SELECT count(*) FROM list_profiles",
        "SELECT count(*) FROM (SELECT profile_count FROM lists)",
    ],
)
def test_every_kind_of_scan_recovers(open_sandbox: Open, kind: str, sql: str) -> None:
    expected = open_sandbox().execute(sql).fetchall()
    for nth in (1, 2):
        connection = open_sandbox()
        assert connection.sandbox is not None
        fault = connection.sandbox.faults.add(struck(PASSING[kind](), nth=nth))
        assert connection.execute(sql).fetchall() == expected
        assert fault.hits <= 1


@pytest.mark.parametrize("kind", LASTING)
def test_a_failure_that_lasts_is_told(connection: Connection, kind: str) -> None:
    assert connection.sandbox is not None
    connection.sandbox.faults.add(struck(LASTING[kind](), times=None))
    with pytest.raises(OperationalError) as caught:
        connection.execute("SELECT id FROM profiles").fetchall()
    text = str(caught.value)
    assert "profiles" in text
    assert "\n" not in text
    assert 1 < len(connection.sandbox.requests) <= 10
    connection.sandbox.faults.clear()
    assert connection.execute("SELECT count(*) FROM profiles").fetchone() == (420,)


def test_a_failure_midway_does_not_pass_for_the_end(connection: Connection) -> None:
    assert connection.sandbox is not None
    connection.sandbox.faults.add(Fault("html", nth=3, times=None))
    cursor = connection.execute("SELECT id FROM profiles")
    assert len(cursor.fetchmany(200)) == 200
    with pytest.raises(OperationalError):
        cursor.fetchall()


def test_rows_before_a_failure_are_not_repeated_after_it(connection: Connection, account: Account) -> None:
    assert connection.sandbox is not None
    for nth in (2, 3, 4):
        connection.sandbox.faults.add(Fault("reset", nth=nth))
    rows = connection.execute("SELECT id FROM events").fetchall()
    assert rows == [(event["id"],) for event in account.events_in_order()]


# Limits


def test_a_short_wait_is_waited(connection: Connection) -> None:
    assert connection.sandbox is not None
    connection.sandbox.faults.add(Fault("throttle", retry_after=30, times=2))
    before = connection.sandbox.clock.monotonic()
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (14,)
    assert connection.sandbox.clock.monotonic() - before >= 60


def test_hours_are_not_waited(connection: Connection) -> None:
    assert connection.sandbox is not None
    connection.sandbox.faults.add(Fault("throttle", retry_after=4 * 3600))
    before = connection.sandbox.clock.monotonic()
    with pytest.raises(RateLimitError) as caught:
        connection.execute("SELECT count(*) FROM lists").fetchall()
    text = str(caught.value)
    assert "4 h" in text
    assert "2026-11-20 17:00" in text
    assert "max_wait" in text
    assert connection.sandbox.clock.monotonic() - before < 5
    assert len(connection.sandbox.requests) == 1
    with pytest.raises(RateLimitError):
        connection.execute("SELECT count(*) FROM lists").fetchall()
    assert len(connection.sandbox.requests) == 1
    assert connection.execute("SELECT count(*) FROM segments").fetchone() == (12,)


def test_429_for_ever_ends(connection: Connection) -> None:
    assert connection.sandbox is not None
    connection.sandbox.faults.add(Fault("throttle", retry_after=1, times=None))
    with pytest.raises(RateLimitError, match="429"):
        connection.execute("SELECT count(*) FROM lists").fetchall()
    assert len(connection.sandbox.requests) < 200


def test_a_429_without_a_usable_retry_after(answered: Any) -> None:
    replies = iter([httpx.Response(429, headers={"Retry-After": "soon"}), httpx.Response(429), httpx.Response(200, json={"data": [], "links": {"next": None}})])
    connection, transport = answered(lambda request: next(replies))
    assert connection.execute("SELECT * FROM lists").fetchall() == []
    assert len(transport.requests) == 3


def test_no_429_of_our_own_making(connection: Connection) -> None:
    """Tables at the lowest limits, over the simulated clock: the client keeps to them by itself."""
    assert connection.sandbox is not None
    connection.execute("SELECT profile_count FROM lists").fetchall()
    connection.execute("SELECT count(*) FROM daily_metrics").fetchall()
    connection.execute("SELECT count(predictive_analytics_total_clv) FROM profiles").fetchall()
    assert {record.status for record in connection.sandbox.requests} == {200}


# No server at all


def test_a_server_that_is_down() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    from klaviyo_sql.fetch import Limits
    from klaviyo_sql.model.clock import SimulatedClock
    from klaviyo_sql.settings import from_environment

    clock = SimulatedClock()
    settings = from_environment(api_key="pk_secretsecret", base_url=f"http://127.0.0.1:{port}")
    with Connection(settings, clock=clock, limits=Limits(clock)) as connection:
        with pytest.raises(OperationalError, match=f"127.0.0.1:{port}") as caught:
            connection.execute("SELECT * FROM lists").fetchall()
        assert "secret" not in str(caught.value)
        assert connection.execute("SELECT count(*) FROM klaviyo_requests WHERE error IS NOT NULL").fetchone() == (1,)


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout("slow"), httpx.ConnectTimeout("slow"), httpx.RemoteProtocolError("cut"), httpx.WriteError("gone"), httpx.ProxyError("no")]
)
def test_exceptions_of_the_network(answered: Any, error: Exception) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    connection, transport = answered(fail)
    with pytest.raises(OperationalError) as caught:
        connection.execute("SELECT * FROM lists").fetchall()
    assert "lists" in str(caught.value)
    assert 1 < len(transport.requests) <= 5


# Links


def page(ids: list[str], next_url: str | None) -> httpx.Response:
    data = [{"type": "list", "id": one, "attributes": {"name": one}} for one in ids]
    return httpx.Response(200, json={"data": data, "links": {"self": "", "next": next_url}})


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/api/lists?page[cursor]=2",
        "http://a.klaviyo.com/api/lists?page[cursor]=2",
        "https://a.klaviyo.com:8443/api/lists?page[cursor]=2",
        "https://a.klaviyo.com.evil.example/api/lists",
        "https://a.klaviyo.com@evil.example/api/lists",
        "//evil.example/api/lists",
        "https://[::1",
        "javascript:alert(1)",
    ],
)
def test_a_link_to_another_server_is_not_followed(answered: Any, link: str) -> None:
    connection, transport = answered(lambda request: page(["A"], link))
    with pytest.raises(OperationalError, match="link") as caught:
        connection.execute("SELECT id FROM lists").fetchall()
    assert len(transport.requests) == 1
    assert "\n" not in str(caught.value)


def test_a_redirect_is_not_followed(answered: Any) -> None:
    connection, transport = answered(lambda request: httpx.Response(302, headers={"Location": "https://evil.example/login?k=1"}))
    with pytest.raises(OperationalError, match=r"evil\.example") as caught:
        connection.execute("SELECT id FROM lists").fetchall()
    assert "k=1" not in str(caught.value)
    assert len(transport.requests) == 1


@pytest.mark.parametrize("length", [1, 3])
def test_pages_that_lead_in_a_circle(answered: Any, length: int) -> None:
    def turn(request: httpx.Request) -> httpx.Response:
        now = int(request.url.params.get("page[cursor]", "0"))
        return page([f"L{now}"], f"https://a.klaviyo.com/api/lists?page[cursor]={now % length + 1}")

    connection, transport = answered(turn)
    with pytest.raises(OperationalError, match="read before"):
        connection.execute("SELECT id FROM lists").fetchall()
    assert len(transport.requests) <= length + 3


def test_an_empty_page_with_a_link_is_not_the_end(answered: Any) -> None:
    replies = iter([page([], "https://a.klaviyo.com/api/lists?page[cursor]=2"), page(["A"], None)])
    connection, _ = answered(lambda request: next(replies))
    assert connection.execute("SELECT id FROM lists").fetchall() == [("A",)]


# Bodies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"data": null}',
        b'{"data": 5}',
        b'{"data": ["x"]}',
        b'{"data": [null]}',
        b'{"data": [], "links": {"next": 5}}',
        b'{"data": [{"id": "A"}',
        b"<html></html>",
        b"\xff\xfe",
        b'{"data": "\xff"}',
        b'{"data": [{"type": "list"}]}',
        b'{"data": [{"type": "list", "id": null}]}',
    ],
)
def test_bodies_that_are_no_page(answered: Any, body: bytes) -> None:
    connection, transport = answered(lambda request: httpx.Response(200, content=body))
    with pytest.raises(OperationalError) as caught:
        connection.execute("SELECT id, name FROM lists").fetchall()
    assert "lists" in str(caught.value)
    assert len(transport.requests) > 1


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"dates": []},
        {"dates": ["2026-10-01T04:00:00+00:00"], "data": [{"dimensions": [], "measurements": {"count": []}}]},
        {"dates": ["never"], "data": [{"dimensions": [], "measurements": {"count": [1]}}]},
        {
            "dates": ["2026-10-01T04:00:00+00:00"],
            "data": [{"dimensions": ["a"], "measurements": {"count": [1]}}, {"dimensions": ["b"], "measurements": {"count": [1]}}],
        },
    ],
)
def test_aggregates_that_are_none(answered: Any, attributes: dict[str, Any]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"data": [{"type": "account", "id": "A", "attributes": {"timezone": "America/New_York"}}]})
        return httpx.Response(200, content=json.dumps({"data": {"type": "metric-aggregate", "id": "1", "attributes": attributes}}))

    connection, _ = answered(answer)
    with pytest.raises(OperationalError):
        connection.execute("SELECT count FROM monthly_metrics WHERE metric_id = 'X' AND month_start_date = '2025-10-01'").fetchall()


@pytest.mark.parametrize("timezone", [None, "", "Mars/Olympus", "../../etc/passwd"])
def test_an_account_without_a_usable_time_zone(answered: Any, timezone: str | None) -> None:
    connection, _ = answered(lambda request: httpx.Response(200, json={"data": [{"type": "account", "id": "A", "attributes": {"timezone": timezone}}]}))
    with pytest.raises(OperationalError, match="time zone"):
        connection.execute("SELECT count FROM monthly_metrics WHERE metric_id = 'X'").fetchall()


def test_rows_that_come_in_another_order_than_asked_for(answered: Any) -> None:
    data = [{"type": "list", "id": one, "attributes": {"created": f"2026-01-0{day}T00:00:00+00:00"}} for one, day in (("A", 2), ("B", 1))]
    connection, _ = answered(lambda request: httpx.Response(200, json={"data": data, "links": {"next": None}}))
    with pytest.raises(klaviyo_sql.OperationalError, match=r"ORDER BY \+created"):
        connection.execute("SELECT id FROM lists ORDER BY created").fetchall()
    assert connection.execute("SELECT id FROM lists ORDER BY +created").fetchall() == [("B",), ("A",)]
