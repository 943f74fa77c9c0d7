"""Faults on demand: what a network and a busy service do to a client, deterministic and counted."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal

FaultKind = Literal["status", "throttle", "reset", "slow", "truncated", "broken_json", "html", "wrong_shape"]


@dataclass
class Fault:
    """Something that goes wrong with some requests.

    Of the requests that match (`operation`, an operation id; None: all) since it was added, it hits `times` (None: all that follow),
    starting with the `nth`. `hits` counts those that it hit.

    - `status`: answered with `status` and a body of JSON or HTML (`body`)
    - `throttle`: 429 with `Retry-After: retry_after`
    - `reset`: the connection is dropped before the reply
    - `slow`: the reply comes `seconds` late
    - `truncated`: the connection is dropped in the middle of the body
    - `broken_json`: 200 with a body that is cut short but complete as HTTP
    - `html`: 200 with an HTML page
    - `wrong_shape`: 200 with JSON that is no JSON:API document

    With `processed` the request takes effect although the reply says or means otherwise; it matters for writes.
    """

    kind: FaultKind
    operation: str | None = None
    nth: int = 1
    times: int | None = 1
    status: int = 503
    body: Literal["json", "html"] = "json"
    retry_after: int = 1
    seconds: float = 1.0
    processed: bool = False
    hits: int = field(default=0, init=False)
    matched: int = field(default=0, init=False)


class Faults:
    """The faults that are on; when several could hit one request the first added one does, and all of them count it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        """Turn the fault on, and give it back to be asked for its `hits`."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Turn all faults off."""
        with self._lock:
            self._faults.clear()

    def strike(self, operation_name: str | None) -> Fault | None:
        """The fault that hits this request."""
        struck: Fault | None = None
        with self._lock:
            for fault in self._faults:
                if fault.operation is not None and fault.operation != operation_name:
                    continue
                fault.matched += 1
                due = fault.matched >= fault.nth and (fault.times is None or fault.matched < fault.nth + fault.times)
                if due and struck is None:
                    fault.hits += 1
                    struck = fault
        return struck
