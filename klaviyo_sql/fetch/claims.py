"""Which process is next at a limit that several use: the first of a process that has to wait claims the next free request.

In a process those who wait stand in a line (`line.py`); between processes nobody can ring a bell. So they note in the file that they wait, and until when that
note holds; who is not the first of them leaves as many requests free as there are before it. The note of a process that died ends by itself.
"""

from __future__ import annotations

import os

MOST = 8
"""Processes that can wait in order; more of them wait as it comes."""
GRACE = 0.5
"""Seconds after the moment at which the request is likely to be free that the claim still holds."""


class Claims:
    """Process ids in the order in which they wait, each with the time until which it is taken to wait."""

    __slots__ = ("entries",)

    def __init__(self) -> None:
        self.entries: tuple[tuple[int, float], ...] = ()

    def ahead(self, now: float) -> int:
        """How many other processes are before this one."""
        count, own = 0, os.getpid()
        for process, until in self.entries:
            if process == own:
                return count
            count += until > now
        return count

    def make(self, now: float, seconds: float) -> None:
        """This process waits for so many seconds: it keeps its place, or gets the last one."""
        own, until = os.getpid(), now + seconds + GRACE
        if any(process == own for process, _ in self.entries):
            self.entries = tuple((process, until if process == own else end) for process, end in self.entries)
            return
        alive = tuple((process, end) for process, end in self.entries if end > now)
        if len(alive) < MOST:
            self.entries = (*alive, (own, until))

    def drop(self) -> None:
        """This process waits no longer."""
        if self.entries:
            own = os.getpid()
            self.entries = tuple(entry for entry in self.entries if entry[0] != own)
