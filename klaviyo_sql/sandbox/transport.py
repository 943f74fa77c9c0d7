"""The sandbox as an httpx transport: requests are answered in process, without a socket."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from klaviyo_sql.sandbox.api import Response, Sandbox

SANDBOX_URL = "https://sandbox.invalid"
"""A base URL for clients that use the transport: no machine can have this name, so nothing reaches the network by mistake."""


_PIECES = 100


class SandboxTransport(httpx.BaseTransport):
    """Hands every request of an httpx client to a sandbox; faults become the exceptions that a socket would have caused."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.sandbox.handle(request.method, str(request.url), dict(request.headers), request.read())
        if response.broken == "reset":
            raise httpx.ReadError("[Errno 104] Connection reset by peer", request=request)
        headers = {**response.headers, "Content-Length": str(len(response.body))}
        if response.broken or response.pause:
            return httpx.Response(response.status, headers=headers, stream=_Delivery(self.sandbox, response, request))
        return httpx.Response(response.status, headers=headers, stream=httpx.ByteStream(response.body))


class _Delivery(httpx.SyncByteStream):
    """A body that does not come whole, or not at once."""

    def __init__(self, sandbox: Sandbox, response: Response, request: httpx.Request) -> None:
        self._sandbox = sandbox
        self._response = response
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        body = self._response.body
        if self._response.pause:
            piece = max(1, len(body) // _PIECES)
            for start in range(0, len(body), piece):
                self._sandbox.clock.sleep(self._response.pause)
                yield body[start : start + piece]
            return
        if self._response.broken == "short_length":
            yield body[:-10]
            return
        received = len(body) if self._response.broken == "long_length" else len(body) // 2
        yield body[:received]
        detail = f"peer closed connection without sending complete message body (received {received} bytes, expected {received + 10})"
        raise httpx.RemoteProtocolError(detail, request=self._request)
