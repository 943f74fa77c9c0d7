"""A statement that is run only to see what it would ask Klaviyo."""

from __future__ import annotations

from typing import Any


class Rehearsal:
    """While it is `on`, scans are noted here and return no rows: a statement is run without asking Klaviyo anything."""

    def __init__(self) -> None:
        self.on = False
        self.looking = False
        """Whether a statement is prepared only to see what it would do: it may be one that the connection would refuse."""
        self.scans: dict[str, tuple[Any, ...]] = {}
        """The values of the first run of each scan, by what was agreed on it."""
        self.calls: list[str] = []
        """What procedures would send, as a person reads it."""
        self.lookups: dict[tuple[str, Any], None] = {}
        """The tables and ids that would be looked up for rows that are written."""

    def begin(self) -> None:
        """A statement is about to be rehearsed; whoever begins sets `on` back."""
        self.scans.clear()
        self.lookups.clear()
        self.on = True
