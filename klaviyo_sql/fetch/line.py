"""Those who wait for one limit stand in a line, of which only the first asks whether it may go: nobody is overtaken for ever.

Queues take turns, and within one who came first goes first: a short query is not behind the twenty requests that a long one has waiting.
"""

from __future__ import annotations

import threading
from collections import deque


class Place:
    """Somebody's place in a line; the bell rings when it is worth looking up."""

    __slots__ = ("bell", "queue")

    def __init__(self, queue: object) -> None:
        self.queue = queue
        self.bell = threading.Event()


class Line:
    """Who waits, in the order in which they go. All methods may be called from any thread."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Start anew in a forked child, which has none of the threads that wait."""
        self._lock = threading.Lock()
        self._first: Place | None = None
        self._queues: dict[int, deque[Place]] = {}
        """The places behind the first, by the identity of what they wait for; the queue whose turn is next comes first."""

    def join(self, queue: object) -> Place:
        """A place at the end of the queue."""
        place = Place(queue)
        with self._lock:
            if self._first is None:
                self._first = place
            else:
                self._queues.setdefault(id(queue), deque()).append(place)
        return place

    def is_first(self, place: Place) -> bool:
        """Whether it is this one's turn."""
        return self._first is place

    def leave(self, place: Place) -> None:
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

    def stir(self) -> None:
        """Something has changed that the first may be waiting for."""
        first = self._first
        if first is not None:
            first.bell.set()

    def __len__(self) -> int:
        with self._lock:
            return (self._first is not None) + sum(map(len, self._queues.values()))

    def _after(self, place: Place) -> Place | None:
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
