"""A server that tests can hold up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from klaviyo_sql.model.clock import SystemClock
from klaviyo_sql.sandbox import Account, Response, Sandbox

from .programs import PATIENCE


class GatedSandbox(Sandbox):
    """A server that does not answer while the gate is shut."""

    def __init__(self, account: Account) -> None:
        super().__init__(account, clock=SystemClock(), limits=False)
        self.gate = threading.Event()
        self.gate.set()
        self.asked = threading.Event()

    def handle(self, method: str, url: str, headers: Any, body: bytes = b"", *, sleep: Callable[[float], None] | None = None) -> Response:
        self.asked.set()
        assert self.gate.wait(PATIENCE)
        return super().handle(method, url, headers, body, sleep=sleep)
