"""Klaviyo's rate limits, obeyed before Klaviyo has to say 429."""

from __future__ import annotations

import math
import re
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from klaviyo_sql import contract
from klaviyo_sql.fetch.forking import renew_after_fork
from klaviyo_sql.fetch.line import Line
from klaviyo_sql.fetch.meter import NEVER, Delay, Meter, Window
from klaviyo_sql.fetch.operations import described
from klaviyo_sql.model.clock import Clock, SystemClock
from klaviyo_sql.model.request import Request

JOURNEY = 10.0
"""Seconds after which a request has arrived, though its reply may take longer: as long as connecting may take.

So a slow report does not count from its reply on. (By a simulated clock nothing can be said: it may run ahead of the thread that sends.)"""

_SHORTEST = 0.001  # a wait below the resolution of the clock's floating point would never end
_WINDOW = re.compile(r"(\d+)\s*;\s*w\s*=\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of one window of one operation.

    `rate` is the tier by the contract (an operation has a second, lower one for costly columns), `seconds` the window's length.
    `free_at` is when one more request may be sent, None when that is now; `reason` is why not now.
    """

    operation: str
    rate: contract.Rate
    seconds: int
    limit: int
    used: int
    remaining: int
    free_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that may be sent now; give it back with `Limits.answered` or `Limits.unsent`."""

    operation: str
    meter: Meter
    slot: int
    departed: float
    latest: float


class _Ledger:
    """What is known of one operation: the meters of its tiers, and until when Klaviyo wants to hear nothing of it."""

    def __init__(self, operation: str) -> None:
        known = described(operation)
        self.meters = {rate: Meter(rate) for rate in (known.rate, *(lower.rate for lower in known.lower_rates))}
        self.lines = {rate: Line() for rate in self.meters}
        self.blocked_until = NEVER
        self.renew()

    def renew(self) -> None:
        self.lock = threading.Lock()
        for line in self.lines.values():
            line.renew()

    @contextmanager
    def open(self) -> Iterator[None]:
        """While the block runs, what is known is known to nobody else."""
        with self.lock:
            yield

    def delay(self, meter: Meter, now: float) -> Delay | None:
        delay = meter.delay(now)
        blocked = self.blocked_until - now
        if blocked > 0 and (delay is None or blocked > delay.seconds):
            return Delay(max(_SHORTEST, blocked), "Klaviyo's Retry-After", refused=True)
        return delay


class Limits:
    """The limits of one account, for all threads and all connections that use its key.

    Nothing here waits: `admit` says when, and who asks does the waiting (`fetch/turns.py`). All methods may be called from any thread.
    """

    def __init__(self, clock: Clock | None = None, journey: float | None = None) -> None:
        """`journey` is by default JOURNEY, by any other clock than the machine's without end."""
        self._clock = clock or SystemClock()
        self._journey = (JOURNEY if isinstance(self._clock, SystemClock) else math.inf) if journey is None else journey
        self._ledgers: dict[str, _Ledger] = {}
        self._lock = threading.Lock()
        renew_after_fork(self)

    def renew(self) -> None:
        # The parent's requests stay counted, for Klaviyo counts them too; their replies never come here.
        self._lock = threading.Lock()
        now = self._clock.monotonic()
        for ledger in self._ledgers.values():
            ledger.renew()
            for meter in ledger.meters.values():
                meter.land(now)

    @property
    def clock(self) -> Clock:
        """The clock that the windows are measured by."""
        return self._clock

    def line(self, request: Request) -> Line:
        """The line of those who wait for the limit that the request falls under."""
        return self._ledger(request.operation).lines[rate_of(request)]

    def admit(self, request: Request) -> Admission | Delay:
        """Count the request as sent now, or say how long to wait before asking again."""
        ledger, rate = self._ledger(request.operation), rate_of(request)
        with ledger.open():
            now = self._clock.monotonic()
            meter = ledger.meters[rate]
            delay = ledger.delay(meter, now)
            if delay is not None:
                return delay
            latest = now + self._journey
            return Admission(request.operation, meter, meter.depart(now, latest), now, latest)

    def delay(self, request: Request) -> Delay | None:
        """What `admit` would say, as far as this process knows; None: it would admit."""
        ledger, rate = self._ledger(request.operation), rate_of(request)
        with ledger.lock:
            return ledger.delay(ledger.meters[rate], self._clock.monotonic())

    def answered(self, admission: Admission, headers: Mapping[str, str] | None = None) -> int | None:
        """The request came back, or was lost on the way: correct the windows by the headers; RateLimit-Remaining is returned.

        `RateLimit-Limit: 75, 75;w=1, 750;w=60` overrules the contract. Remaining and Reset tell of the one-second window (so in recorded
        replies); when nothing remains, nothing is sent before the reset.
        """
        headers = headers or {}
        limits = [(int(limit), int(seconds)) for limit, seconds in _WINDOW.findall(headers.get("ratelimit-limit", ""))]
        remaining, reset = _number(headers.get("ratelimit-remaining")), _number(headers.get("ratelimit-reset"))
        ledger, meter = self._ledger(admission.operation), admission.meter
        with ledger.open():
            now = self._clock.monotonic()
            meter.settle(admission.slot, admission.latest, now)
            for limit, seconds in limits:
                if limit > 0 and seconds > 0:
                    meter.correct(limit, seconds)
            if remaining == 0 and reset:
                meter.empty_until = max(meter.empty_until, now + reset)
        self._stir(ledger, meter)
        return remaining

    def unsent(self, admission: Admission) -> None:
        """The request never left this machine: it does not count."""
        ledger = self._ledger(admission.operation)
        with ledger.open():
            admission.meter.settle(admission.slot, admission.latest, NEVER)
        self._stir(ledger, admission.meter)

    def block(self, operation: str, seconds: float) -> None:
        """Send nothing of this operation for so long: Klaviyo said 429."""
        ledger = self._ledger(operation)
        with ledger.open():
            ledger.blocked_until = max(ledger.blocked_until, self._clock.monotonic() + seconds)

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that something was asked of so far, each once, in the order of their names."""
        with self._lock:
            ledgers = list(self._ledgers.items())
        return tuple(sorted(operation for operation, ledger in ledgers if any(meter.used for meter in ledger.meters.values())))

    def remaining(self, operation: str) -> tuple[Allowance, ...]:
        """What is left of every window of the operation, its lower tier last, once that was used; InternalError for an unknown operation."""
        usual = described(operation).rate
        ledger = self._ledger(operation)
        with ledger.open():
            now = self._clock.monotonic()
            return tuple(
                self._allowance(operation, rate, ledger, window, now)
                for rate, meter in ledger.meters.items()
                if rate == usual or meter.used
                for window in sorted(meter.windows.values(), key=lambda window: window.seconds)
            )

    def _allowance(self, operation: str, rate: contract.Rate, ledger: _Ledger, window: Window, now: float) -> Allowance:
        meter = ledger.meters[rate]
        delay = meter.delay_of(window, now)
        blocked = ledger.blocked_until - now
        if blocked > (delay.seconds if delay else 0):
            delay = Delay(blocked, "Klaviyo's Retry-After", refused=True)
        used = meter.count(window, now)
        left = 0 if blocked > 0 else max(0, window.limit - used)
        free_at = self._clock.now() + timedelta(seconds=delay.seconds) if delay else None
        return Allowance(operation, rate, window.seconds, window.limit, used, left, free_at, delay.limit if delay else None)

    def _ledger(self, operation: str) -> _Ledger:
        ledger = self._ledgers.get(operation)
        if ledger is None:
            with self._lock:
                ledger = self._ledgers.get(operation)
                if ledger is None:
                    ledger = self._ledgers[operation] = _Ledger(operation)
        return ledger

    @staticmethod
    def _stir(ledger: _Ledger, meter: Meter) -> None:
        for rate, one in ledger.meters.items():
            if one is meter:
                ledger.lines[rate].stir()


def rate_of(request: Request) -> contract.Rate:
    """The rate that holds by the contract: the lowest whose costly parameter the request lists; InternalError for an unknown operation."""
    operation = described(request.operation)
    rates = [lower.rate for lower in operation.lower_rates for name, value in request.parameters if name == lower.parameter and lower.value in value.split(",")]
    return min(rates, key=lambda rate: (rate.steady, rate.burst), default=operation.rate)


_shared: dict[tuple[str, str], Limits] = {}
_simulated: weakref.WeakValueDictionary[tuple[str, str, int], Limits] = weakref.WeakValueDictionary()


class _Registry:
    """The lock of the two tables above."""

    def __init__(self) -> None:
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        self.lock = threading.Lock()


_registry = _Registry()


def shared_limits(base_url: str, key_digest: str, clock: Clock) -> Limits:
    """The limits of this account in this process, the same for every connection, so that two of them do not overrun it together.

    They outlive the connections, for Klaviyo's windows do too. Limits by another clock than the machine's live while somebody uses them.
    """
    with _registry.lock:
        if isinstance(clock, SystemClock):
            limits = _shared.get((base_url, key_digest))
            if limits is None:
                limits = _shared[base_url, key_digest] = Limits(clock)
            return limits
        # The limits hold their clock, so its id stays its own as long as the entry is there.
        name = (base_url, key_digest, id(clock))
        simulated = _simulated.get(name)
        if simulated is None:
            simulated = _simulated[name] = Limits(clock)
        return simulated


def _number(text: str | None) -> int | None:
    stripped = (text or "").strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() else None
