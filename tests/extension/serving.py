"""A worker whose sessions ask the accounts that the tests know; it is run instead of the package's own.

python serving.py ORDERS REQUESTS: what a new session is to be is read from ORDERS, and every request is a line of REQUESTS.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import httpx

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from oracle import truth  # noqa: E402
from plans.test_plans import NOW, readable  # noqa: E402

from klaviyo_sql.extension.worker import main  # noqa: E402
from klaviyo_sql.model.clock import SimulatedClock  # noqa: E402
from klaviyo_sql.sandbox import Account, Response, Sandbox, generate  # noqa: E402
from klaviyo_sql.sandbox.entitlements import CONVERSATIONS, DEFAULT, WEBHOOKS  # noqa: E402
from klaviyo_sql.session.arrangement import Arrangement, arranged  # noqa: E402

ORDERS, REQUESTS = Path(sys.argv[-2]), Path(sys.argv[-1])


class LoggedSandbox(Sandbox):
    """Writes down every request, and how it was answered, before the answer is given."""

    def handle(self, method: str, url: str, headers: Any, body: bytes = b"", *, sleep: Callable[[float], None] | None = None) -> Response:
        response = super().handle(method, url, headers, body, sleep=sleep)
        operation = self.requests[-1].operation
        asks = method == "GET" or (operation or "").startswith("query_")
        line = readable(method, httpx.URL(url), body) if asks else f"{method} {httpx.URL(url).path}"
        record = {"line": line, "status": response.status, "operation": operation}
        with REQUESTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        return response


@functools.cache
def account(kind: str) -> Account:
    """As the fixtures of the suites make it."""
    if kind == "eventful":
        return truth.eventful()
    return truth.account() if kind == "oracle" else generate(seed=7, today=NOW.date(), profiles=420, events=6000)


def arrange(environment: Mapping[str, str]) -> Arrangement:
    """The session that is ordered; without an order, what the environment says."""
    orders = json.loads(ORDERS.read_text(encoding="utf-8")) if ORDERS.exists() else {}
    kind = orders.get("account")
    if kind is None:
        return arranged(sandbox=False)
    made = account(kind) if kind != "writing" else generate(seed=11, today=NOW.date(), profiles=60, events=400)
    now = datetime.combine(made.today, time(18), tzinfo=UTC) if kind in ("oracle", "eventful") else NOW
    entitlements = (*DEFAULT, WEBHOOKS, CONVERSATIONS) if kind == "writing" else (*DEFAULT, WEBHOOKS)
    sandbox = LoggedSandbox(made, clock=SimulatedClock(now), entitlements=entitlements)
    return arranged(sandbox=sandbox, **{"write": False, **orders["settings"]})  # the worker may have been started by a test that writes


if __name__ == "__main__":
    main(arrange)
