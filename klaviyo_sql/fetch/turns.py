"""Waiting for one's turn at a limit: in line first, then for the limit itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from klaviyo_sql.fetch.ledger import Admission
from klaviyo_sql.fetch.limits import Limits
from klaviyo_sql.fetch.meter import Delay
from klaviyo_sql.fetch.waiting import SLICE, stop_if, wait
from klaviyo_sql.model.request import Request


@dataclass(slots=True)
class Patience:
    """How long a request may wait for what Klaviyo asks of it.

    `most` bounds every single wait, and all those together that Klaviyo's refusals cost (`spent`). Standing in line is no refusal, nor is a window that
    lets others go first: the pace is Klaviyo's, and everybody's turn comes.
    """

    most: float
    spent: float = 0.0

    def is_over(self, delay: Delay) -> bool:
        """Whether the delay is more than may be waited."""
        return (self.spent if delay.refused else 0.0) + delay.seconds > self.most


def admitted(limits: Limits, request: Request, queue: object, patience: Patience, interrupted: Callable[[], bool]) -> Admission | Delay:
    """The request's admission, as soon as it is its turn; the delay when that is more than the patience.

    `queue` is whoever sends many requests, such as a scan: queues take turns. errors.Interrupted as soon as `interrupted` says so. Whoever is not
    first waits by the machine's own time, for that is what other threads take, until it is sent along or becomes first; and it keeps an eye on the
    limit, because the first may be more patient.
    """
    line, clock = limits.line(request), limits.clock
    place = line.join(queue)
    verdict: Admission | Delay | None = None
    try:
        while True:
            stop_if(interrupted)
            place.bell.clear()
            if place.ticket is not None:
                verdict = place.ticket
                return verdict
            first = line.is_first(place)
            if not first and place.bell.wait(SLICE):
                continue
            verdict = limits.admit(request) if first else limits.delay(request)
            if isinstance(verdict, Admission):
                return verdict
            if verdict is not None and patience.is_over(verdict):
                return verdict
            if not first:
                continue
            if verdict is None or verdict.pending:
                place.bell.wait(SLICE)
                continue
            began = clock.monotonic()
            try:
                wait(clock, verdict.seconds, interrupted)
            finally:
                if verdict.refused:
                    patience.spent += clock.monotonic() - began
    finally:
        if line.is_first(place) and not isinstance(verdict, Admission):
            limits.unclaim(request)
        line.leave(place)
        if place.ticket is not None and verdict is not place.ticket:
            limits.unsent(place.ticket)  # it came too late
