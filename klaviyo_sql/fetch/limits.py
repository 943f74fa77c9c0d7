"""Klaviyo's rate limits, obeyed before Klaviyo has to say 429."""

from __future__ import annotations

import hashlib
import math
import re
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from klaviyo_sql import contract
from klaviyo_sql.fetch.forking import renew_after_fork
from klaviyo_sql.fetch.ledger import Admission, Ledger
from klaviyo_sql.fetch.ledger_file import kept_in
from klaviyo_sql.fetch.line import Line
from klaviyo_sql.fetch.meter import MARGIN, NEVER, SECOND, Delay, Window
from klaviyo_sql.fetch.operations import described
from klaviyo_sql.model.clock import Clock, SystemClock
from klaviyo_sql.model.request import Request

JOURNEY = 10.0
"""Seconds after which a request has arrived, though its reply may take longer: as long as connecting may take.

So a slow report does not count from its reply on. (By a simulated clock nothing can be said: it may run ahead of the thread that sends.)"""

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


class Limits:
    """The limits of one account, for all threads and all connections that use its key.

    Nothing here waits: `admit` says when, and who asks does the waiting (`fetch/turns.py`). All methods may be called from any thread.
    """

    def __init__(self, clock: Clock | None = None, journey: float | None = None, folder: Path | None = None) -> None:
        """`journey` is by default JOURNEY, by any other clock than the machine's without end.

        `folder` is where all processes of the machine keep the books of this account together; None: this process counts alone.
        """
        self._clock = clock or SystemClock()
        self._journey = (JOURNEY if isinstance(self._clock, SystemClock) else math.inf) if journey is None else journey
        self._folder = folder
        self._ledgers: dict[str, Ledger] = {}
        self._lock = threading.Lock()
        renew_after_fork(self)

    def renew(self) -> None:
        # The parent's requests stay counted, for Klaviyo counts them too; their replies never come here.
        self._lock = threading.Lock()
        for ledger in self._ledgers.values():
            ledger.renew()

    @property
    def clock(self) -> Clock:
        """The clock that the windows are measured by."""
        return self._clock

    def line(self, request: Request) -> Line[Admission]:
        """The line of those who wait for the limit that the request falls under."""
        return self._ledger(request.operation).lines[rate_of(request)]

    def admit(self, request: Request) -> Admission | Delay:
        """Count the request as sent now, or say how long to wait before asking again; as many of those in line behind it as may go are sent along."""
        ledger, rate = self._ledger(request.operation), rate_of(request)
        with ledger.open() as now:
            delay = ledger.delay(rate, now)
            ledger.claim(rate, now, delay)
            if delay is not None:
                return delay
            latest = now + self._journey
            admission = ledger.admit(rate, now, latest)
            ledger.lines[rate].send_along(lambda: ledger.admit(rate, now, latest) if ledger.delay(rate, now) is None else None)
            return admission

    def unclaim(self, request: Request) -> None:
        """Nobody waits for `admit` any more: other processes need not wait for this one's turn."""
        ledger, rate = self._ledger(request.operation), rate_of(request)
        with ledger.open() as now:
            ledger.claim(rate, now, None)

    def delay(self, request: Request) -> Delay | None:
        """What `admit` would say, as far as this process knows; None: it would admit."""
        ledger = self._ledger(request.operation)
        with ledger.lock:
            return ledger.delay(rate_of(request), self._clock.monotonic())

    def answered(self, admission: Admission, headers: Mapping[str, str] | None = None) -> int | None:
        """The request came back, or was lost on the way: correct the windows by the headers; RateLimit-Remaining is returned.

        `RateLimit-Limit: 75, 75;w=1, 750;w=60` overrules the contract. Remaining and Reset tell of the one-second window (so in recorded
        replies); when nothing remains, nothing is sent before the reset. When less remains than we can have used, somebody else uses the limit too, and
        is counted with us.
        """
        headers = headers or {}
        limits = [(int(limit), int(seconds)) for limit, seconds in _WINDOW.findall(headers.get("ratelimit-limit", ""))]
        remaining, reset = _number(headers.get("ratelimit-remaining")), _number(headers.get("ratelimit-reset"))
        ledger = self._ledger(admission.operation)
        meter = ledger.meters[admission.rate]
        with ledger.noted() as now:
            meter.settle(admission.slot, admission.latest, now)
            for limit, seconds in limits:
                if limit > 0 and seconds > 0:
                    meter.correct(limit, seconds)
            if remaining == 0 and reset:
                meter.empty_until = max(meter.empty_until, now + reset)
            if remaining is not None and any(limit > 0 and seconds == SECOND for limit, seconds in limits):
                # Whatever Klaviyo had counted then was sent after this, at the earliest.
                ours = meter.since(admission.departed - SECOND - MARGIN)
                for _ in range(meter.windows[SECOND].limit - remaining - ours):
                    meter.depart(now, now)
        ledger.lines[admission.rate].stir()
        return remaining

    def unsent(self, admission: Admission) -> None:
        """The request never left this machine: it does not count."""
        ledger = self._ledger(admission.operation)
        with ledger.noted():
            ledger.meters[admission.rate].settle(admission.slot, admission.latest, NEVER)
        ledger.lines[admission.rate].stir()

    def block(self, operation: str, seconds: float) -> None:
        """Send nothing of this operation for so long: Klaviyo said 429."""
        ledger = self._ledger(operation)
        with ledger.open() as now:
            ledger.block(now, seconds)

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that something was asked of so far, each once, in the order of their names; also by other processes, as far as they are known."""
        if self._folder is not None:
            for name in kept_in(self._folder):
                if name in contract.facts().operations:
                    with self._ledger(name).open():
                        """Read what others wrote."""
        with self._lock:
            ledgers = list(self._ledgers.items())
        return tuple(sorted(operation for operation, ledger in ledgers if any(meter.used for meter in ledger.meters.values())))

    def remaining(self, operation: str) -> tuple[Allowance, ...]:
        """What is left of every window of the operation, its lower tier last, once that was used; InternalError for an unknown operation."""
        usual = described(operation).rate
        ledger = self._ledger(operation)
        with ledger.open() as now:
            return tuple(
                self._allowance(operation, rate, ledger, window, now)
                for rate, meter in ledger.meters.items()
                if rate == usual or meter.used
                for window in sorted(meter.windows.values(), key=lambda window: window.seconds)
            )

    def _allowance(self, operation: str, rate: contract.Rate, ledger: Ledger, window: Window, now: float) -> Allowance:
        meter = ledger.meters[rate]
        delay, blocked = meter.delay_of(window, now), ledger.blocked(now)
        if blocked is not None and (delay is None or blocked.seconds > delay.seconds):
            delay = blocked
        used = meter.count(window, now)
        left = 0 if blocked is not None else max(0, window.limit - used)
        free_at = self._clock.now() + timedelta(seconds=delay.seconds) if delay else None
        return Allowance(operation, rate, window.seconds, window.limit, used, left, free_at, delay.limit if delay else None)

    def _ledger(self, operation: str) -> Ledger:
        ledger = self._ledgers.get(operation)
        if ledger is None:
            with self._lock:
                ledger = self._ledgers.get(operation)
                if ledger is None:
                    ledger = self._ledgers[operation] = Ledger(operation, self._clock, self._folder)
        return ledger


def rate_of(request: Request) -> contract.Rate:
    """The rate that holds by the contract: the lowest whose costly parameter the request lists; InternalError for an unknown operation."""
    operation = described(request.operation)
    rates = [lower.rate for lower in operation.lower_rates for name, value in request.parameters if name == lower.parameter and lower.value in value.split(",")]
    return min(rates, key=lambda rate: (rate.steady, rate.burst), default=operation.rate)


_shared: dict[tuple[str, str, Path | None], Limits] = {}
_simulated: weakref.WeakValueDictionary[tuple[str, str, int], Limits] = weakref.WeakValueDictionary()


class _Registry:
    """The lock of the two tables above."""

    def __init__(self) -> None:
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        self.lock = threading.Lock()


_registry = _Registry()


def shared_limits(base_url: str, key_digest: str, clock: Clock, folder: Path | None = None) -> Limits:
    """The limits of this account in this process, the same for every connection, so that two of them do not overrun it together.

    They outlive the connections, for Klaviyo's windows do too. With `folder`, where the processes of the machine keep such things, they are those of all
    processes that use this key at this address, and outlive these too. Limits by another clock than the machine's live while somebody uses them.
    """
    with _registry.lock:
        if isinstance(clock, SystemClock):
            limits = _shared.get((base_url, key_digest, folder))
            if limits is None:
                # The name tells nothing of the key to whoever does not have it.
                account = hashlib.blake2b(base_url.encode(), key=key_digest.encode(), digest_size=16).hexdigest()
                limits = _shared[base_url, key_digest, folder] = Limits(clock, folder=folder and folder / "limits" / account)
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
