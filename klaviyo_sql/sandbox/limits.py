"""Rate limits in fixed windows, per key and operation, with the headers that tell of them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

from klaviyo_sql.contract import Operation, Rate
from klaviyo_sql.sandbox.query import Query

_BURST_SECONDS, _STEADY_SECONDS, _DAILY_SECONDS = 1, 60, 86_400


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the request may pass, and the headers to answer with."""

    headers: dict[str, str]
    retry_after: int | None = None


def rate_of(operation: Operation, query: Query) -> Rate:
    """The rate that holds for a request: the lowest of those that its parameters move it to."""
    rates = [operation.rate]
    for lower in operation.lower_rates:
        if lower.value in (query.value(lower.parameter) or "").split(","):
            rates.append(lower.rate)
    return min(rates, key=lambda rate: (rate.steady, rate.burst))


class Limits:
    """Counts the requests of the current windows; a request that is turned away does not count."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._counts: dict[tuple[str, str, Rate, int], tuple[int, int]] = {}
        self._lock = threading.Lock()

    def check(self, key: str, operation_name: str, rate: Rate) -> Verdict:
        """Count one request, unless a window is full."""
        now = self._monotonic()
        windows = [(_BURST_SECONDS, rate.burst), (_STEADY_SECONDS, rate.steady)]
        if rate.daily is not None:
            windows.append((_DAILY_SECONDS, rate.daily))
        with self._lock:
            waits: list[float] = []
            counted: list[tuple[tuple[str, str, Rate, int], int, int]] = []
            for length, allowed in windows:
                place, window = (key, operation_name, rate, length), math.floor(now / length)
                then, count = self._counts.get(place, (window, 0))
                count = count if then == window else 0
                if count >= allowed:
                    waits.append((window + 1) * length - now)
                counted.append((place, window, count + 1))
            if waits:
                return Verdict({"Retry-After": (seconds := str(max(1, math.ceil(max(waits)))))}, int(seconds))
            for place, window, count in counted:
                self._counts[place] = (window, count)
        remaining = rate.burst - counted[0][2]
        # Recorded: remaining and reset describe the window of one second, and what is left of a second, in whole seconds, is 0.
        described = ", ".join([str(rate.burst), *(f"{allowed};w={length}" for length, allowed in windows)])
        return Verdict({"RateLimit-Limit": described, "RateLimit-Remaining": str(remaining), "RateLimit-Reset": "0"})
