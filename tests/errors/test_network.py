"""Real sockets: certificates that nobody vouches for, handshakes that break, bodies that do not come whole, and what is sent then: nothing twice that
could do harm, and never the key."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trustme

import klaviyo_sql
from klaviyo_sql import OperationalError
from klaviyo_sql.fetch import Limits
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Fault, Sandbox, serve
from klaviyo_sql.settings import from_environment
from klaviyo_sql.sqlite.connection import Connection

KEY = "pk_0123456789abcdef0123456789abcdef01"
PAGE = b'{"data":[{"type":"list","id":"A","attributes":{"name":"Newsletter"}}],"links":{"self":"","next":null,"prev":null}}'


@contextmanager
def listening(serve_one: Callable[[socket.socket, int], None]) -> Iterator[tuple[int, list[int]]]:
    """A server on a loopback port that treats each connection as the function does, which is told its number from 1."""
    accepted: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                accepted.append(1)
                with connection:
                    connection.settimeout(20)
                    try:
                        serve_one(connection, len(accepted))
                    except OSError:  # the client went away, or refused the certificate
                        continue

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1], accepted
        finally:
            server.shutdown(socket.SHUT_RDWR)
            server.close()
            thread.join(20)


def connected(base_url: str, key: str = KEY, **given: Any) -> Connection:
    """A connection that waits between its tries by a simulated clock."""
    clock = SimulatedClock()
    settings = from_environment(api_key=key, base_url=base_url, environment={}, parallel=1, **given)
    return Connection(settings, clock=clock, limits=Limits(clock), autocommit=True)


def answer(connection: socket.socket) -> bytes:
    """Read a request and answer it with a page; what was received."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return received
        received += piece
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE)
    return received


def reset(connection: socket.socket) -> None:
    """Drop the connection instead of closing it in order."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def context(authority: trustme.CA) -> ssl.SSLContext:
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(found)
    return found


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


def test_a_certificate_that_nobody_vouches_for_gets_no_key(context: ssl.SSLContext) -> None:
    heard: list[bytes] = []

    def one(connection: socket.socket, number: int) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            heard.append(answer(secured))

    with listening(one) as (port, accepted), connected(f"https://127.0.0.1:{port}") as connection:
        with pytest.raises(OperationalError) as caught:
            connection.execute("SELECT name FROM lists").fetchall()
        text = str(caught.value)
        assert f"The certificate of 127.0.0.1:{port} is not trusted, so the key was not sent" in text
        assert "SSL_CERT_FILE" in text
        assert KEY not in text
        assert len(accepted) == 1, "it is not tried again"
        ((error,),) = connection.execute("SELECT error FROM klaviyo_requests").fetchall()
        assert error == text
    assert heard == []


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("how", ["reset", "closed", "no TLS"])
def test_a_handshake_that_breaks_is_tried_again(context: ssl.SSLContext, how: str) -> None:
    def one(connection: socket.socket, number: int) -> None:
        if number > 2:
            with context.wrap_socket(connection, server_side=True) as secured:
                answer(secured)
            return
        connection.recv(64)
        if how == "reset":
            reset(connection)
        elif how == "no TLS":
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(one) as (port, accepted), connected(f"https://127.0.0.1:{port}") as connection:
        assert connection.execute("SELECT name FROM lists").fetchall() == [("Newsletter",)]
        assert len(accepted) == 3


@pytest.mark.usefixtures("trusted")
def test_handshakes_that_always_break_are_one_error(context: ssl.SSLContext) -> None:
    def one(connection: socket.socket, number: int) -> None:
        connection.recv(64)
        reset(connection)

    with listening(one) as (port, accepted), connected(f"https://127.0.0.1:{port}") as connection:
        with pytest.raises(OperationalError, match=rf"cannot be reached at 127\.0\.0\.1:{port}"):
            connection.execute("SELECT name FROM lists").fetchall()
        assert len(accepted) == 3


@pytest.mark.usefixtures("trusted")
def test_a_connection_that_is_lost_in_the_middle_of_a_body(context: ssl.SSLContext) -> None:
    def one(connection: socket.socket, number: int) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            if number == 3:
                answer(secured)
                return
            secured.recv(65536)
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE[:40])
            if number == 1:
                reset(secured)

    with listening(one) as (port, accepted), connected(f"https://127.0.0.1:{port}") as connection:
        assert connection.execute("SELECT name FROM lists").fetchall() == [("Newsletter",)]
        assert len(accepted) == 3


FAULTS = {
    "reset": {"kind": "reset"},
    "truncated": {"kind": "truncated"},
    "truncated gzip": {"kind": "truncated_gzip"},
    "too short a length": {"kind": "short_length"},
    "too long a length": {"kind": "long_length"},
    "not UTF-8": {"kind": "bad_utf8"},
    "trickle": {"kind": "trickle", "seconds": 0.001},
}


@pytest.mark.parametrize("parallel", [1, 20])
@pytest.mark.parametrize("fault", FAULTS)
def test_bodies_that_do_not_come_whole(account: Account, fault: str, parallel: int) -> None:
    sandbox = Sandbox(account, limits=False)
    struck = [sandbox.faults.add(Fault(operation="get_profiles", nth=nth, **FAULTS[fault])) for nth in (1, 3)]  # type: ignore[arg-type]
    with serve(sandbox) as url:
        settings = from_environment(api_key=SANDBOX_KEY, base_url=url, environment={}, parallel=parallel)
        clock = SimulatedClock()
        with Connection(settings, clock=clock, limits=Limits(clock), autocommit=True) as connection:
            rows = connection.execute("SELECT id FROM profiles").fetchall()
    assert sorted(rows) == sorted((id_,) for id_ in account.profiles)
    assert [fault.hits for fault in struck] == [1, 1]


def test_a_body_that_trickles_for_ever_is_given_up(account: Account) -> None:
    """A server that sends a byte now and then is never silent; five times the timeout is enough for a whole reply."""
    sandbox = Sandbox(account, limits=False)
    sandbox.faults.add(Fault("trickle", "get_lists", seconds=0.02, times=None))
    with serve(sandbox) as url:
        settings = from_environment(api_key=SANDBOX_KEY, base_url=url, environment={}, timeout=0.1)
        clock = SimulatedClock()
        with Connection(settings, clock=clock, limits=Limits(clock), autocommit=True) as connection:
            with pytest.raises(klaviyo_sql.OperationalError, match=r"get_lists \(table lists\) failed after \d tries: Klaviyo did not answer in time"):
                connection.execute("SELECT name FROM lists").fetchall()
            sandbox.faults.clear()
