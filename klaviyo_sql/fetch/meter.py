"""The requests of one operation in one tier, and when one more may be sent: arithmetic, without a clock, a lock or a file.

Klaviyo counts in fixed windows of a second, a minute and, for some operations, a day; where they start is not known, and a request is
counted when it arrives, which is some time between being sent and being answered. So a request counts here from its sending until a whole
window after its latest possible arrival: then no fixed window, wherever it starts, can hold more requests than Klaviyo allows.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass

from klaviyo_sql import contract

MARGIN = 0.1
"""Seconds by which a window is taken longer than it is, since Klaviyo's servers do not tick as one clock."""

SECOND, MINUTE, DAY = 1, 60, 86400

NEVER = -math.inf
"""The latest arrival of a request that was not sent."""

_SHORTEST = 0.001  # a wait below the resolution of the clock's floating point would never end
_NAMES = {SECOND: "a second", MINUTE: "a minute", DAY: "a day"}


@dataclass(frozen=True, slots=True)
class Delay:
    """Not now: the seconds until it is worth asking again at the earliest, and which limit says so.

    `pending`: a request that is still on its way decides; its reply may come before or after those seconds. `refused`: Klaviyo itself said 429.
    """

    seconds: float
    limit: str
    pending: bool = False
    refused: bool = False


@dataclass(slots=True)
class Window:
    """So many requests in so many seconds."""

    limit: int
    seconds: int

    @property
    def words(self) -> str:
        return f"{self.limit} request{'' if self.limit == 1 else 's'} {_NAMES.get(self.seconds, f'in {self.seconds} s')}"


class Meter:
    """The windows of one operation in one tier.

    A request is a slot that holds its latest possible arrival. The slots can be kept in a file as they are; in memory the times are there once more,
    in order. A request that is never answered, because its process died, stays in its slot with the latest time at which it can have arrived.
    """

    __slots__ = ("_next", "_order", "changed", "empty_until", "slots", "windows")

    def __init__(self, rate: contract.Rate) -> None:
        self.windows = {SECOND: Window(rate.burst, SECOND), MINUTE: Window(rate.steady, MINUTE)}
        if rate.daily is not None:
            self.windows[DAY] = Window(rate.daily, DAY)
        # More than may be in any window, so that there is always one that has left them all.
        size = max(window.limit for window in self.windows.values()) + rate.burst
        self.slots = array("d", [NEVER]) * size
        self._next = 0
        self.empty_until = NEVER
        self.changed: dict[int, float] = {}
        """The slots that were written since somebody emptied this, with what they held before."""
        self._order = list(self.slots)

    @property
    def used(self) -> bool:
        """Whether anything was ever asked."""
        return self._order[-1] > NEVER

    def delay(self, now: float, share: float = 1.0, ahead: int = 0) -> Delay | None:
        """What the windows say of one more request; None: send it.

        `share` is how much of the limits is used, but for a day's; `ahead` is how many requests of others go first.
        """
        longest: Delay | None = None
        for window in self.windows.values():
            found = self.delay_of(window, now, share if window.seconds < DAY else 1.0, ahead)
            if found is not None and (longest is None or found.seconds > longest.seconds):
                longest = found
        if self.empty_until > now and (longest is None or self.empty_until - now > longest.seconds):
            return Delay(max(_SHORTEST, self.empty_until - now), "the requests of the current window, by Klaviyo's RateLimit-Remaining")
        return longest

    def delay_of(self, window: Window, now: float, share: float = 1.0, ahead: int = 0) -> Delay | None:
        """What one window says."""
        order = self._order
        count = self.count(window, now)
        surplus = count + ahead - max(1, int(min(window.limit, len(order)) * share))
        if surplus < 0:
            return None
        if surplus >= count:
            return Delay(_SHORTEST, window.words, pending=True)  # it is free, but others go first
        leaving = order[self._first(now - window.seconds - MARGIN) + surplus]
        # A request on its way may arrive up to `leaving`, and will not have arrived before it is answered, now at the earliest.
        return Delay(max(_SHORTEST, min(leaving, now) + window.seconds + MARGIN - now), window.words, pending=leaving > now)

    def count(self, window: Window, now: float) -> int:
        """How many requests may be in the window."""
        return self.since(now - window.seconds - MARGIN)

    def since(self, instant: float) -> int:
        """How many requests may have arrived after the instant."""
        return len(self._order) - self._first(instant)

    def depart(self, now: float, latest: float) -> int:
        """Count one more request, which will have arrived at `latest`, and give its slot."""
        slot = self._free(now)
        self._write(slot, latest)
        return slot

    def settle(self, slot: int, before: float, latest: float) -> None:
        """A request turns out to have arrived at `latest`, or NEVER, instead of `before`.

        Nothing happens when the slot holds something else by now: another request, or what another process made of the file.
        """
        if self.slots[slot] == before and latest < before:
            self._write(slot, latest)

    def correct(self, limit: int, seconds: int) -> None:
        """Klaviyo says that its window of so many seconds has another limit."""
        window = self.windows.get(seconds)
        if window is None:
            self.windows[seconds] = Window(limit, seconds)
        else:
            window.limit = limit

    def load(self, slots: array[float], empty_until: float, now: float) -> None:
        """Replace everything by what was kept elsewhere, and do again what was changed here in the meantime."""
        mine, changed = self.slots, self.changed
        self.slots, self._order, self.changed = slots, sorted(slots), {}
        self.empty_until = max(self.empty_until, empty_until)
        for slot, before in changed.items():
            if slots[slot] == before:
                self._write(slot, mine[slot])
            elif mine[slot] > NEVER:
                self._write(self._free(now), mine[slot])

    def land(self, now: float) -> None:
        """What would be on its way for ever has arrived now: nobody is left who could hear its reply."""
        for slot, latest in enumerate(self.slots):
            if latest == math.inf:
                self._write(slot, now)

    def _free(self, now: float) -> int:
        """A slot whose request has left all windows: nearly always the next one, for requests leave nearly in the order in which they came."""
        gone = now - max(self.windows) - MARGIN
        size = len(self.slots)
        for step in range(size):
            slot = (self._next + step) % size
            if self.slots[slot] <= gone:
                self._next = slot + 1
                return slot
        return self.slots.index(self._order[0])

    def _first(self, instant: float) -> int:
        return bisect_right(self._order, instant)

    def _write(self, slot: int, latest: float) -> None:
        del self._order[bisect_left(self._order, self.slots[slot])]
        insort(self._order, latest)
        self.changed.setdefault(slot, self.slots[slot])
        self.slots[slot] = latest
