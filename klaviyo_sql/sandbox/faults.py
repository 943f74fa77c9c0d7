"""Faults on demand: what a network and a busy service do to a client, deterministic and counted."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

FaultKind = Literal[
    "status",
    "throttle",
    "reset",
    "slow",
    "trickle",
    "truncated",
    "truncated_gzip",
    "short_length",
    "long_length",
    "broken_json",
    "bad_utf8",
    "html",
    "wrong_shape",
    "expired_cursor",
    "repeated_page",
    "short_page",
    "empty_page",
    "linked_to_itself",
    "linked_elsewhere",
]

_BEHIND_A_CURSOR = frozenset(("expired_cursor", "repeated_page"))
"""Faults of second and later pages alone."""

PASSING: tuple[FaultKind, ...] = (
    "status",
    "throttle",
    "reset",
    "truncated",
    "truncated_gzip",
    "broken_json",
    "bad_utf8",
    "html",
    "wrong_shape",
    "expired_cursor",
    "repeated_page",
    "short_page",
    "empty_page",
    "linked_to_itself",
)
"""Faults after which a client can still read every row once."""


@dataclass
class Fault:
    """Something that goes wrong with some requests.

    Of the requests that match (`operation`, an operation id; None: all) since it was added, it hits `times` (None: all that follow),
    starting with the `nth`. `hits` counts those that it hit. `headers` are added to the reply, as `Date` or another `Retry-After`.

    - `status`: answered with `status` and a body of JSON or HTML (`body`)
    - `throttle`: 429 with `Retry-After: retry_after`, without it when that is None
    - `reset`: the connection is dropped before the reply
    - `slow`: the reply comes `seconds` late
    - `trickle`: the body comes in small pieces, one every `seconds`
    - `truncated`: the connection is dropped in the middle of the body
    - `truncated_gzip`: half of the compressed body, complete as HTTP
    - `short_length`, `long_length`: Content-Length says less, or more, than the body has; after more the connection is closed
    - `broken_json`: 200 with a body that is cut short but complete as HTTP
    - `bad_utf8`: 200 with a byte in a text that is not UTF-8
    - `html`: 200 with an HTML page
    - `wrong_shape`: 200 with JSON that is no JSON:API document
    - `expired_cursor`: 400 for the page's cursor, now and whenever it is sent again (matches second and later pages)
    - `repeated_page`: the rows of the page before once more, with the link to the page after (matches second and later pages)
    - `short_page`: half as many rows as were asked for, though more follow
    - `empty_page`: no rows, and a link to a page that has them
    - `linked_to_itself`: the link to the next page leads to the same page
    - `linked_elsewhere`: the link to the next page leads to another host

    With `processed` the request takes effect although the reply says or means otherwise; it matters for writes.
    """

    kind: FaultKind
    operation: str | None = None
    nth: int = 1
    times: int | None = 1
    status: int = 503
    body: Literal["json", "html"] = "json"
    retry_after: int | None = 1
    seconds: float = 1.0
    processed: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    hits: int = field(default=0, init=False)
    matched: int = field(default=0, init=False)


@dataclass
class Storm:
    """Faults at random: `share` of all requests meet one of `kinds`, but the same request not more than `in_a_row` times running.

    What happens to a request depends on the `seed`, on its URL and on how often that was asked for, so that it is the same in every run, however threads
    come to be scheduled. `hits` counts by kind.
    """

    seed: int = 1
    share: float = 0.2
    in_a_row: int = 2
    kinds: Sequence[FaultKind] = PASSING
    hits: dict[str, int] = field(default_factory=dict, init=False)
    _asked: dict[str, tuple[int, int]] = field(default_factory=dict, init=False)

    def strike(self, url: str, *, behind_a_cursor: bool) -> Fault | None:
        """The fault that hits this request."""
        asked, running = self._asked.get(url, (0, 0))
        drawn = zlib.crc32(f"{self.seed} {asked} {url}".encode()) / 2**32
        struck = drawn < self.share and running < self.in_a_row
        self._asked[url] = (asked + 1, running + 1 if struck else 0)
        if not struck:
            return None
        kind = self.kinds[int(drawn / self.share * len(self.kinds))]
        if kind in _BEHIND_A_CURSOR and not behind_a_cursor:
            kind = "status"
        self.hits[kind] = self.hits.get(kind, 0) + 1
        return Fault(kind, status=(500, 502, 503, 524)[asked % 4], body="html" if asked % 2 else "json")


class Faults:
    """The faults that are on; when several could hit one request the first added one does, and all of them count it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._storm: Storm | None = None
        self._lock = threading.Lock()

    @property
    def any(self) -> bool:
        """Whether any fault is on."""
        return bool(self._faults) or self._storm is not None

    def add(self, fault: Fault) -> Fault:
        """Turn the fault on, and give it back to be asked for its `hits`."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def begin(self, storm: Storm) -> Storm:
        """Let the storm blow, in place of one that blew before."""
        with self._lock:
            self._storm = storm
        return storm

    def clear(self) -> None:
        """Turn all faults off."""
        with self._lock:
            self._faults.clear()
            self._storm = None

    def strike(self, operation_name: str | None, url: str = "", *, behind_a_cursor: bool = False) -> Fault | None:
        """The fault that hits this request."""
        struck: Fault | None = None
        with self._lock:
            for fault in self._faults:
                if fault.operation is not None and fault.operation != operation_name:
                    continue
                if fault.kind in _BEHIND_A_CURSOR and not behind_a_cursor:
                    continue
                fault.matched += 1
                due = fault.matched >= fault.nth and (fault.times is None or fault.matched < fault.nth + fault.times)
                if due and struck is None:
                    fault.hits += 1
                    struck = fault
            if struck is None and self._storm is not None:
                struck = self._storm.strike(url, behind_a_cursor=behind_a_cursor)
        return struck
