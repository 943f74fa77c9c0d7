"""Those who wait for one limit stand in a line, of which only the first asks whether it may go: nobody is overtaken for ever.

Queues take turns, and within one who came first goes first: a short query is not behind the twenty requests that a long one has waiting. When there is room for
more than the first, those behind it are sent along, in the same order: each would need the books opened and two changes of threads otherwise.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Ticket = TypeVar("Ticket")


class Place(Generic[Ticket]):
    """Somebody's place in a line; the bell rings when it is worth looking up. With a ticket one may go, and stands in line no more."""

    __slots__ = ("bell", "queue", "ticket")

    def __init__(self, queue: object) -> None:
        self.queue = queue
        self.bell = threading.Event()
        self.ticket: Ticket | None = None


class Line(Generic[Ticket]):
    """Who waits, in the order in which they go. All methods may be called from any thread."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Start anew in a forked child, which has none of the threads that wait."""
        self._lock = threading.Lock()
        self._first: Place[Ticket] | None = None
        self._queues: dict[int, deque[Place[Ticket]]] = {}
        """The places behind the first, by the identity of what they wait for; the queue whose turn is next comes first."""

    def join(self, queue: object) -> Place[Ticket]:
        """A place at the end of the queue."""
        place: Place[Ticket] = Place(queue)
        with self._lock:
            if self._first is None:
                self._first = place
            else:
                self._queues.setdefault(id(queue), deque()).append(place)
        return place

    def is_first(self, place: Place[Ticket]) -> bool:
        """Whether it is this one's turn."""
        return self._first is place

    def leave(self, place: Place[Ticket]) -> None:
        """Give the place up, served or not; the next one is called."""
        with self._lock:
            if place is self._first:
                self._first = self._after(place)
                if self._first is not None:
                    self._first.bell.set()
                return
            waiting = self._queues.get(id(place.queue))
            if waiting is not None and place in waiting:
                waiting.remove(place)
                if not waiting:
                    del self._queues[id(place.queue)]

    def send_along(self, ticket: Callable[[], Ticket | None]) -> None:
        """Give tickets to those behind the first, as long as there are both."""
        if not self._queues:
            return
        with self._lock:
            place = self._first
            while place is not None and self._queues and (given := ticket()) is not None:
                place = self._after(place)
                assert place is not None  # noqa: S101 - the queues that there are have somebody waiting
                place.ticket = given
                place.bell.set()

    def stir(self) -> None:
        """Something has changed that the first may be waiting for."""
        first = self._first
        if first is not None:
            first.bell.set()

    def __len__(self) -> int:
        with self._lock:
            return (self._first is not None) + sum(map(len, self._queues.values()))

    def _after(self, place: Place[Ticket]) -> Place[Ticket] | None:
        """The next one: its queue goes behind the others, and the queue that comes first then has its turn."""
        same = self._queues.pop(id(place.queue), None)
        if same is not None:
            self._queues[id(place.queue)] = same
        for name, waiting in self._queues.items():
            following = waiting.popleft()
            if not waiting:
                del self._queues[name]
            return following
        return None
