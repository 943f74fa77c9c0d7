"""What is known of one operation's limits, in this process and, with a file, in all processes of the machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from klaviyo_sql.contract import Rate
from klaviyo_sql.fetch.claims import Claims
from klaviyo_sql.fetch.ledger_file import Head, LedgerFile, file_in
from klaviyo_sql.fetch.line import Line
from klaviyo_sql.fetch.meter import NEVER, Delay, Meter
from klaviyo_sql.fetch.operations import described
from klaviyo_sql.model.clock import Clock

_EASING = 60.0
"""Seconds in which the pace goes from nothing to the whole limit, after Klaviyo said 429 though we had counted less."""
_SLOWEST = 0.1
_SHORTEST = 0.001  # a wait below the resolution of the clock's floating point would never end


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that may be sent now; give it back with `Limits.answered` or `Limits.unsent`."""

    operation: str
    rate: Rate
    slot: int
    departed: float
    latest: float


class Ledger:
    """The meters of an operation's tiers, until when Klaviyo wants to hear nothing of it, and who waits.

    What is read and changed together is read and changed in `open`. `lock` alone is enough to look at what this process knows.
    """

    def __init__(self, operation: str, clock: Clock, folder: Path | None = None) -> None:
        known = described(operation)
        self.operation = operation
        self.meters = {rate: Meter(rate) for rate in (known.rate, *(lower.rate for lower in known.lower_rates))}
        self.lines = {rate: Line[Admission]() for rate in self.meters}
        self.claims = {rate: Claims() for rate in self.meters}
        self.blocked_until = NEVER
        self.full_pace_at = NEVER
        """When the whole limit is used again; until then ever more of it."""
        self.under_way = 0
        """Requests of this process that were admitted and not given back."""
        self._clock = clock
        self._file = file_in(folder, operation, [len(meter.slots) for meter in self.meters.values()]) if folder else None
        self._known = self._head()
        self.lock = threading.Lock()

    def renew(self) -> None:
        """Start anew in a forked child: the parent keeps its own books, and its replies never come here."""
        self.lock = threading.Lock()
        self.under_way = 0
        now = self._clock.monotonic()
        for line in self.lines.values():
            line.renew()
        for meter in self.meters.values():
            meter.land(now)
            meter.changed.clear()
        if self._file is not None:
            self._file.renew()

    @contextmanager
    def open(self) -> Iterator[float]:
        """The present, and while the block runs the books are ours alone, up to date; what is changed is written down at the end."""
        with self.lock:
            file, locked = self._file, False
            try:
                locked = file is not None and file.lock()
                now = self._clock.monotonic()
                if file is not None and locked:
                    file.guarded(lambda file: self._read(file, now))
                yield now
            finally:
                if file is not None:
                    if locked:
                        file.guarded(lambda file: self._write(file, self._clock.monotonic()))
                    file.unlock()  # also when an interrupt came just after it was locked

    @contextmanager
    def noted(self) -> Iterator[float]:
        """The same for what others need not know at once: it is written down with the next that they need, or with the last that comes back."""
        with self.lock:
            self.under_way -= 1
            last = self.under_way <= 0
            if not last:
                yield self._clock.monotonic()
                return
        with self.open() as now:
            yield now

    def delay(self, rate: Rate, now: float) -> Delay | None:
        """How long one more request has to wait; None: it may go."""
        delay = self.meters[rate].delay(now, self.share(now), self.claims[rate].ahead(now))
        return self.blocked(now) if self.blocked_until > now + (delay.seconds if delay else 0.0) else delay

    def admit(self, rate: Rate, now: float, latest: float) -> Admission:
        """Count one more request as sent, which will have arrived at `latest`."""
        self.under_way += 1
        return Admission(self.operation, rate, self.meters[rate].depart(now, latest), now, latest)

    def claim(self, rate: Rate, now: float, delay: Delay | None) -> None:
        """The first in line waits so long, or no longer (None): what other processes must know to let it go in its turn."""
        if self._file is None:
            return
        if delay is not None and not delay.refused:
            self.claims[rate].make(now, delay.seconds)
        else:
            self.claims[rate].drop()

    def blocked(self, now: float) -> Delay | None:
        """How long Klaviyo wants to hear nothing of the operation."""
        seconds = self.blocked_until - now
        return Delay(max(_SHORTEST, seconds), "Klaviyo's Retry-After", refused=True) if seconds > 0 else None

    def block(self, now: float, seconds: float) -> None:
        """Klaviyo said 429: nothing for so long, and then, since others use the limit too, at half the pace, which grows again."""
        if now >= self.blocked_until:  # else it tells of the same crowd once more
            self.full_pace_at = now + seconds + _EASING * (1 - max(_SLOWEST, self.share(now) / 2))
        self.blocked_until = max(self.blocked_until, now + seconds)

    def share(self, now: float) -> float:
        """How much of the limits is used at present."""
        return min(1.0, max(_SLOWEST, 1 - (self.full_pace_at - now) / _EASING))

    def _head(self) -> Head:
        return Head(
            self.blocked_until,
            self.full_pace_at,
            tuple(meter.empty_until for meter in self.meters.values()),
            tuple(claims.entries for claims in self.claims.values()),
        )

    def _read(self, file: LedgerFile, now: float) -> None:
        found = file.read(now)
        if found is None:
            return
        head, slots = found
        self.blocked_until = max(self.blocked_until, head.blocked_until)
        self.full_pace_at = max(self.full_pace_at, head.full_pace_at)
        for meter, own, empty_until in zip(self.meters.values(), slots, head.empty_until, strict=True):
            meter.load(own, empty_until, now)
        for claims, entries in zip(self.claims.values(), head.claims, strict=True):
            claims.entries = entries
        self._known = head

    def _write(self, file: LedgerFile, now: float) -> None:
        meters, head = list(self.meters.values()), self._head()
        if file.is_void or head != self._known or any(meter.changed for meter in meters):
            file.write(head, [meter.slots for meter in meters], [list(meter.changed) for meter in meters], now)
            self._known = head
            for meter in meters:
                meter.changed.clear()
