"""The sandbox behind a real HTTP/1.1 server, on the loopback interface only."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from klaviyo_sql.sandbox.api import Sandbox

_FAST_COMPRESSION = 1
_WORTH_COMPRESSING = 512
_PIECES = 100


@contextmanager
def serve(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve the sandbox while the block runs; gives the base URL, such as `http://127.0.0.1:40123`."""
    if not _is_loopback(host):
        raise ValueError(f"the sandbox is served on the loopback interface only, not on {host}")
    server = _Server((host, port), sandbox)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox-server", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.hang_up()
        server.server_close()
        thread.join()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


class _Server(ThreadingHTTPServer):
    # Threads are joined at the end, after their connections were closed, so that nothing is left behind.
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        super().__init__(address, _Handler)
        self.sandbox = sandbox
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that clients keep alive, which their threads would wait on for ever."""
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients of a server that breaks connections on purpose break them too."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "klaviyo-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    # Status line, headers and body leave in one piece.
    wbufsize = -1
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        headers = dict(self.headers.items())
        response = self.server.sandbox.handle(self.command, self.path, headers, body, sleep=time.sleep)
        if response.broken == "reset":
            self._drop()
            return
        payload = response.body
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        compressible = "Content-Encoding" not in response.headers and response.broken not in ("short_length", "long_length")
        if compressible and len(payload) >= _WORTH_COMPRESSING and "gzip" in self.headers.get("Accept-Encoding", ""):
            payload = gzip.compress(payload, _FAST_COMPRESSION)
            self.send_header("Content-Encoding", "gzip")
        length = len(payload) + {"short_length": -10, "long_length": 10}.get(response.broken, 0)
        self.send_header("Content-Length", str(max(0, length)))
        self.end_headers()
        if response.broken == "truncated":
            self.wfile.write(payload[: len(payload) // 2])
            self.wfile.flush()
            self.close_connection = True
            return
        if response.pause:
            self._trickle(payload, response.pause)
        self.wfile.write(b"" if response.pause else payload)
        self.wfile.flush()
        self.close_connection = self.close_connection or response.broken == "long_length"

    def _trickle(self, payload: bytes, pause: float) -> None:
        """The body in small pieces, for as long as the client listens and the server is up."""
        piece = max(1, len(payload) // _PIECES)
        for start in range(0, len(payload), piece):
            self.wfile.write(payload[start : start + piece])
            self.wfile.flush()
            time.sleep(pause)

    def _drop(self) -> None:
        # With a linger time of zero the connection is reset instead of closed in order.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _handle  # noqa: N815
