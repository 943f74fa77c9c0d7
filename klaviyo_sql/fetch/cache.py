"""Replies that may be read again within a minute, so that a join or a repeated query costs Klaviyo's limits once."""

from __future__ import annotations

import threading

import msgspec
from cachetools import TTLCache

from klaviyo_sql.fetch.bodies import Body
from klaviyo_sql.fetch.forking import renew_after_fork
from klaviyo_sql.model.clock import Clock
from klaviyo_sql.model.request import Request

_LARGEST_SHARE = 8  # one body takes an eighth of the cache at most, so that a large page doesn't push everything else out

_Question = tuple[str, str, bytes]


class ReplyCache:
    """Bodies by the exact request, as they came, for `seconds`, in `size` bytes altogether; the least recently used leave first.

    Zero seconds or zero bytes switch it off. `generation` counts how often it was emptied: a body that was asked for before
    is not put in afterwards, or a read that a write overtook would be seen again.
    """

    def __init__(self, *, seconds: float, size: int, clock: Clock) -> None:
        self._seconds = seconds
        self._size = size
        self._clock = clock
        self._bodies: TTLCache[_Question, tuple[int, Body]] | None = None
        self.generation = 0
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        # Emptied too: the thread that held the lock in the parent may have been in the middle of a change.
        self._lock = threading.Lock()
        if self._seconds > 0 and self._size > 0:
            self._bodies = TTLCache(self._size, self._seconds, self._clock.monotonic, lambda reply: len(reply[1]))

    def get(self, request: Request) -> tuple[int, Body] | None:
        """The status and the body, or None."""
        if self._bodies is None:
            return None
        with self._lock:
            found: tuple[int, Body] | None = self._bodies.get(_question(request))
            return found

    def put(self, request: Request, status: int, body: Body, generation: int) -> None:
        """Keep the body, unless it is too large or the cache was emptied since `generation`."""
        if self._bodies is None or len(body) > self._size // _LARGEST_SHARE:
            return
        with self._lock:
            if generation == self.generation:
                self._bodies[_question(request)] = (status, body)

    def discard(self, request: Request) -> None:
        """Drop this request's body, if it is there."""
        if self._bodies is not None:
            with self._lock:
                self._bodies.pop(_question(request), None)

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self.generation += 1
            if self._bodies is not None:
                self._bodies.clear()


def _question(request: Request) -> _Question:
    return request.method, request.target, b"" if request.body is None else msgspec.json.encode(request.body)
