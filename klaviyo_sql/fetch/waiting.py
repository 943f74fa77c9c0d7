"""Waiting that can be interrupted."""

from __future__ import annotations

from collections.abc import Callable

from klaviyo_sql import errors
from klaviyo_sql.model.clock import Clock

SLICE = 0.05
"""Seconds between two looks at whether the statement was interrupted: too short to be felt, too long to cost anything."""


def wait(clock: Clock, seconds: float, interrupted: Callable[[], bool]) -> None:
    """Return when the seconds are over; errors.Interrupted as soon as `interrupted` says so.

    Every clock sleeps in slices, the simulated one too: it costs nothing there, and tests see the same moments as users do.
    """
    end = clock.monotonic() + seconds
    while True:
        stop_if(interrupted)
        left = end - clock.monotonic()
        if left <= 0:
            return
        clock.sleep(min(left, SLICE))


def stop_if(interrupted: Callable[[], bool]) -> None:
    """errors.Interrupted when `interrupted` says so."""
    if interrupted():
        raise errors.Interrupted("The statement was interrupted.")
