"""The sandbox as an httpx transport: requests are answered in process, without a socket."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from klaviyo_sql.sandbox.api import Response, Sandbox

SANDBOX_URL = "https://sandbox.invalid"
"""A base URL for clients that use the transport: no machine can have this name, so nothing reaches the network by mistake."""


class SandboxTransport(httpx.BaseTransport):
    """Hands every request of an httpx client to a sandbox; faults become the exceptions that a socket would have caused."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.sandbox.handle(request.method, str(request.url), dict(request.headers), request.read())
        if response.broken == "reset":
            raise httpx.ReadError("[Errno 104] Connection reset by peer", request=request)
        headers = {**response.headers, "Content-Length": str(len(response.body))}
        if response.broken == "truncated":
            return httpx.Response(response.status, headers=headers, stream=_CutShort(response, request))
        return httpx.Response(response.status, headers=headers, content=response.body)


class _CutShort(httpx.SyncByteStream):
    def __init__(self, response: Response, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        body = self._response.body
        received = len(body) // 2
        yield body[:received]
        detail = f"peer closed connection without sending complete message body (received {received} bytes, expected {len(body)})"
        raise httpx.RemoteProtocolError(detail, request=self._request)
