"""Klaviyo's rate limits, obeyed before Klaviyo has to say 429.

Klaviyo counts in fixed windows of a second, a minute and, for some operations, a day; where they start is not known, and a request is
counted when it arrives, which is some time between being sent and being answered. So a request counts here from its sending until a whole
window after its latest possible arrival: then no fixed window, wherever it starts, can hold more requests than Klaviyo allows.
"""

from __future__ import annotations

import heapq
import math
import re
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from klaviyo_sql import contract
from klaviyo_sql.fetch.forking import renew_after_fork
from klaviyo_sql.fetch.operations import described
from klaviyo_sql.model.clock import Clock, SystemClock
from klaviyo_sql.model.request import Request

MARGIN = 0.1
"""Seconds by which a window is taken longer than it is, since Klaviyo's servers do not tick as one clock."""

JOURNEY = 10.0
"""Seconds after which a request has arrived, though its reply may take longer: as long as connecting may take.

So a slow report does not count from its reply on. (By a simulated clock nothing can be said: it may run ahead of the thread that sends.)"""

SECOND, MINUTE, DAY = 1, 60, 86400

_SHORTEST = 0.001  # a wait below the resolution of the clock's floating point would never end
_WINDOW = re.compile(r"(\d+)\s*;\s*w\s*=\s*(\d+)")
_NAMES = {SECOND: "a second", MINUTE: "a minute", DAY: "a day"}


@dataclass(frozen=True, slots=True)
class Delay:
    """Not now: the seconds until it is worth asking again, and which limit says so."""

    seconds: float
    limit: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of one window of one operation.

    `rate` is the tier by the contract (an operation has a second, lower one for costly columns), `seconds` the window's length.
    `free_at` is when one more request may be sent, None when that is now.
    """

    operation: str
    rate: contract.Rate
    seconds: int
    limit: int
    used: int
    remaining: int
    free_at: datetime | None


class _Window:
    """The requests that may be in one window: a heap of their latest arrivals."""

    __slots__ = ("arrived", "limit", "seconds")

    def __init__(self, limit: int, seconds: int) -> None:
        self.limit = limit
        self.seconds = seconds
        self.arrived: list[float] = []

    def delay(self, now: float, traveling: int) -> float:
        """Seconds until one more fits, at the least: a request that is still on its way may turn out to arrive later."""
        while self.arrived and self.arrived[0] + self.seconds + MARGIN <= now:
            heapq.heappop(self.arrived)
        surplus = len(self.arrived) + traveling - self.limit
        if surplus < 0:
            return 0.0
        leaving = heapq.nsmallest(surplus + 1, self.arrived)[surplus] if surplus < len(self.arrived) else now
        return max(_SHORTEST, leaving + self.seconds + MARGIN - now)

    @property
    def words(self) -> str:
        return f"{self.limit} request{'' if self.limit == 1 else 's'} {_NAMES.get(self.seconds, f'in {self.seconds} s')}"


class _Meter:
    """The windows of one operation in one tier."""

    __slots__ = ("_journey", "_next", "empty_until", "traveling", "windows")

    def __init__(self, rate: contract.Rate, journey: float) -> None:
        self.windows = {SECOND: _Window(rate.burst, SECOND), MINUTE: _Window(rate.steady, MINUTE)}
        if rate.daily is not None:
            self.windows[DAY] = _Window(rate.daily, DAY)
        self.traveling: dict[int, float] = {}
        self.empty_until = 0.0
        self._journey = journey
        self._next = 0

    def delay(self, now: float) -> Delay | None:
        self._land(now)
        longest = max(self.windows.values(), key=lambda window: window.delay(now, len(self.traveling)))
        seconds = longest.delay(now, len(self.traveling))
        if self.empty_until - now > seconds:
            return Delay(self.empty_until - now, "the requests of the current window, by Klaviyo's RateLimit-Remaining")
        return Delay(seconds, longest.words) if seconds > 0 else None

    def depart(self, now: float) -> int:
        self._next += 1
        self.traveling[self._next] = now
        return self._next

    def arrive(self, number: int, at: float) -> None:
        if self.traveling.pop(number, None) is not None:
            for window in self.windows.values():
                heapq.heappush(window.arrived, at)

    def _land(self, now: float) -> None:
        # In the order of departure: the first that may still be traveling ends the search.
        while self.traveling:
            number, departed = next(iter(self.traveling.items()))
            if departed + self._journey > now:
                return
            self.arrive(number, departed + self._journey)


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that may be sent now; give it back with `Limits.answered` or `Limits.unsent`."""

    operation: str
    meter: _Meter
    number: int


class Limits:
    """The limits of one account, for all threads and all connections that use its key.

    Nothing here waits: `admit` says when, and who asks does the waiting. All methods may be called from any thread.
    """

    def __init__(self, clock: Clock | None = None, journey: float | None = None) -> None:
        """`journey` is by default JOURNEY, by any other clock than the machine's without end."""
        self._clock = clock or SystemClock()
        self._journey = (JOURNEY if isinstance(self._clock, SystemClock) else math.inf) if journey is None else journey
        self._meters: dict[tuple[str, contract.Rate], _Meter] = {}
        self._blocked: dict[str, float] = {}
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        # The parent's requests stay counted, for Klaviyo counts them too; their replies never come here.
        self._lock = threading.Lock()

    @property
    def clock(self) -> Clock:
        """The clock that the windows are measured by."""
        return self._clock

    def admit(self, request: Request) -> Admission | Delay:
        """Count the request as sent now, or say how long to wait before asking again."""
        with self._lock:
            now = self._clock.monotonic()
            meter = self._meter(request.operation, rate_of(request))
            delay = meter.delay(now)
            blocked = self._blocked.get(request.operation, now) - now
            if blocked > 0 and (delay is None or blocked > delay.seconds):
                return Delay(max(_SHORTEST, blocked), "Klaviyo's Retry-After")
            return delay or Admission(request.operation, meter, meter.depart(now))

    def answered(self, admission: Admission, headers: Mapping[str, str] | None = None) -> int | None:
        """The request came back, or was lost on the way: correct the windows by the headers; RateLimit-Remaining is returned.

        `RateLimit-Limit: 75, 75;w=1, 750;w=60` overrules the contract. Remaining and Reset tell of the one-second window (so in recorded
        replies); when nothing remains, nothing is sent before the reset.
        """
        headers = headers or {}
        limits = [(int(limit), int(seconds)) for limit, seconds in _WINDOW.findall(headers.get("ratelimit-limit", ""))]
        remaining, reset = _number(headers.get("ratelimit-remaining")), _number(headers.get("ratelimit-reset"))
        with self._lock:
            now = self._clock.monotonic()
            meter = admission.meter
            meter.arrive(admission.number, now)
            for limit, seconds in limits:
                if limit > 0 and seconds > 0:
                    window = meter.windows.get(seconds)
                    if window is None:
                        meter.windows[seconds] = _Window(limit, seconds)
                    else:
                        window.limit = limit
            if remaining == 0 and reset:
                meter.empty_until = max(meter.empty_until, now + reset)
        return remaining

    def unsent(self, admission: Admission) -> None:
        """The request never left this machine: it does not count."""
        with self._lock:
            admission.meter.traveling.pop(admission.number, None)

    def block(self, operation: str, seconds: float) -> None:
        """Send nothing of this operation for so long: Klaviyo said 429."""
        with self._lock:
            until = self._clock.monotonic() + seconds
            self._blocked[operation] = max(until, self._blocked.get(operation, until))

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that something was asked of so far, each once, in the order of their names."""
        with self._lock:
            return tuple(sorted({operation for operation, _ in self._meters}))

    def remaining(self, operation: str) -> tuple[Allowance, ...]:
        """What is left of every window of the operation, its lower tier last, once that was used; InternalError for an unknown operation."""
        usual = described(operation).rate
        with self._lock:
            now = self._clock.monotonic()
            self._meter(operation, usual)
            blocked = max(0.0, self._blocked.get(operation, now) - now)
            mine = [(rate, meter) for (name, rate), meter in self._meters.items() if name == operation]
            return tuple(
                self._allowance(operation, rate, meter, window, now, blocked)
                for rate, meter in sorted(mine, key=lambda pair: pair[0] != usual)
                for window in sorted(meter.windows.values(), key=lambda window: window.seconds)
            )

    def _allowance(self, operation: str, rate: contract.Rate, meter: _Meter, window: _Window, now: float, blocked: float) -> Allowance:
        meter.delay(now)
        traveling = len(meter.traveling)
        wait = max(window.delay(now, traveling), blocked)
        used = len(window.arrived) + traveling
        left = 0 if blocked else max(0, window.limit - used)
        free_at = self._clock.now() + timedelta(seconds=wait) if wait else None
        return Allowance(operation, rate, window.seconds, window.limit, used, left, free_at)

    def _meter(self, operation: str, rate: contract.Rate) -> _Meter:
        meter = self._meters.get((operation, rate))
        if meter is None:
            meter = self._meters[operation, rate] = _Meter(rate, self._journey)
        return meter


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
