"""The connections to Klaviyo that stay open, each used by one thread at a time.

A pool of httpx asks all its idle connections whether they still live, for every request and after every reply; each answer is a system call for which the
thread gives up the interpreter, and has to wait for it again. So each connection is a pool by itself here, and the one that was used last is used first: short
queries keep one connection warm, not twenty.
"""

from __future__ import annotations

import functools
import os
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from klaviyo_sql import errors

_KEPT_SECONDS = 5.0
"""How long a connection stays open that nobody uses: less than servers keep theirs, so that hardly one is used while its server closes it."""


class Connections:
    """As many connections as are used at once, made when they are needed; all methods may be called from any thread.

    With a `transport` they are of it, and it stays open, for others may use it.
    """

    def __init__(self, timeout: httpx.Timeout, transport: httpx.BaseTransport | None = None) -> None:
        self._timeout = timeout
        self._transport = transport
        self._idle: deque[tuple[httpx.Client, float]] = deque()
        """Those that nobody uses, and since when; the last one last."""
        self._busy: set[httpx.Client] = set()
        self._parents: list[httpx.Client] = []
        self.is_closed = False
        """Whether no more are given."""
        self.renew()

    def renew(self) -> None:
        """Start anew in a forked child: the parent's connections are the parent's."""
        self._lock = threading.Lock()
        self._parents += self._all()  # kept, not closed: closing would say goodbye on the parent's connections
        self._idle.clear()
        self._busy.clear()

    @contextmanager
    def one(self) -> Iterator[httpx.Client]:
        """A connection of one's own, for as long as the block lasts.

        InterfaceError when they are closed, OperationalError when what the environment says of proxies and certificates cannot be used.
        """
        connection = self._taken() or self._made()
        try:
            yield connection
        finally:
            with self._lock:
                if connection in self._busy:
                    self._busy.remove(connection)
                    self._idle.append((connection, time.monotonic()))

    def close(self) -> None:
        """Close all, also those in use."""
        with self._lock:
            self.is_closed = True
            connections = self._all()
            self._idle.clear()
            self._busy.clear()
        self._close(connections)

    def _taken(self) -> httpx.Client | None:
        """The connection that was used last, if nobody uses it; those that were not used for long are closed."""
        stale = []
        with self._lock:
            if self.is_closed:
                raise closed()
            found = self._idle.pop()[0] if self._idle else None
            if found is not None:
                self._busy.add(found)
            oldest = time.monotonic() - _KEPT_SECONDS
            while self._idle and self._idle[0][1] < oldest:
                stale.append(self._idle.popleft()[0])
        self._close(stale)
        return found

    def _made(self) -> httpx.Client:
        try:
            made = httpx.Client(
                transport=self._transport,
                verify=_trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")) if self._transport is None else True,
                timeout=self._timeout,
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_KEPT_SECONDS),
                follow_redirects=False,
                http2=False,
            )
        except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
            raise errors.OperationalError(
                f"The connection cannot be set up ({type(error).__name__}): look at HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR."
            ) from None  # without its text, for a proxy's URL may hold a password
        with self._lock:
            if not self.is_closed:
                self._busy.add(made)
                return made
        self._close([made])
        raise closed()

    def _close(self, connections: list[httpx.Client]) -> None:
        if self._transport is None:
            for connection in connections:
                connection.close()

    def _all(self) -> list[httpx.Client]:
        return [*self._busy, *(connection for connection, _ in self._idle)]


def closed() -> errors.InterfaceError:
    """The exception for whoever wants something of a connection that is closed."""
    return errors.InterfaceError("The connection to Klaviyo is closed.")


@functools.cache
def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:
    """The certificates that these two environment variables name, else certifi's: read once, which takes longer than most queries are planned in."""
    return httpx.create_ssl_context()
