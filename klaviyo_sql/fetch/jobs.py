"""Bulk jobs, followed until they are done: Klaviyo carries them out some time after it has taken them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import msgspec

from klaviyo_sql import contract
from klaviyo_sql.fetch.budget import Budget
from klaviyo_sql.fetch.client import Client
from klaviyo_sql.fetch.refusals import element_of, said_in
from klaviyo_sql.fetch.waiting import SLICE
from klaviyo_sql.model.clock import Clock
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.writing import Job
from klaviyo_sql.write.changes import Change, Status
from klaviyo_sql.write.shipment import Shipment

_FIRST_LOOK, _SLOWER, _SLOWEST = 1.0, 2.0, 16.0  # seconds between two looks at a job, and how much they grow
_ENDED = frozenset({"complete", "completed", "cancelled", "canceled", "failed"})
_IDENTIFIERS = ("id", "email", "phone_number", "external_id", "unique_code")


class Jobs:
    """Looks how far bulk jobs are. `poll` is called while it waits, and raises to end that: the jobs go on at Klaviyo's.

    `ended` is told how many jobs there are, and how many of them have ended.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        poll: Callable[[], None],
        budget: Budget,
        patience: float | None,
        ended: Callable[[int, int], None] = lambda jobs, ended: None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._poll = poll
        self._budget = budget
        self._patience = patience
        self._ended = ended

    def follow(self, shipments: Iterable[Shipment]) -> None:
        """Wait until the jobs are done, for `patience` seconds at most (None: as long as it takes), and note what became of each row."""
        running = [shipment for shipment in shipments if shipment.job is not None and next(shipment.changes).job is not None]
        count = len(running)
        began, pause = self._clock.monotonic(), _FIRST_LOOK
        while running:
            self._ended(count, count - len(running))
            running = [shipment for shipment in running if not self._look(shipment)]
            if not running or (self._patience is not None and self._clock.monotonic() - began >= self._patience):
                return
            self._wait(pause)
            pause = min(pause * _SLOWER, _SLOWEST)

    def _wait(self, seconds: float) -> None:
        ends = self._clock.monotonic() + seconds
        while (left := ends - self._clock.monotonic()) > 0:
            self._poll()
            self._budget.check_time("")
            self._clock.sleep(min(left, SLICE))

    def _look(self, shipment: Shipment) -> bool:
        """Whether the job is done; its rows are told so then."""
        job, identifier = shipment.job, next(shipment.changes).job
        if job is None or identifier is None:
            return True
        attributes = self._read(job.get, identifier, shipment.request.table).get("data", {}).get("attributes", {})
        if str(attributes.get("status", "")).lower() not in _ENDED:
            return False
        failures = attributes.get("failed_count") or 0
        reasons = list(attributes.get("errors") or ())
        if failures and job.errors is not None:
            reasons = list(self._errors(job, identifier, shipment.request.table))
        if shipment.is_many:
            settle(shipment, failures, reasons, ended=str(attributes.get("status")))
        else:
            _settle_row(shipment, failures, reasons, ended=str(attributes.get("status")))
        return True

    def _errors(self, job: Job, identifier: str, table: str) -> Iterable[dict[str, Any]]:
        request: Request | None = self._request(job.errors or "", identifier, table)
        while request is not None:
            document = msgspec.json.decode(self._client.send(request, cache=False, budget=self._budget).body)
            for found in document.get("data", ()):
                yield found.get("attributes", {})
            following = (document.get("links") or {}).get("next")
            request = self._client.following(request, following) if following else None

    def _read(self, operation: str, identifier: str, table: str) -> dict[str, Any]:
        found = msgspec.json.decode(self._client.send(self._request(operation, identifier, table), cache=False, budget=self._budget).body)
        return found if isinstance(found, dict) else {}

    def _request(self, operation: str, identifier: str, table: str) -> Request:
        known = contract.operation(operation)
        path = re.sub(r"\{\w+\}", lambda _: quote(identifier, safe=""), known.path)
        return Request(operation, known.method, path, table=table)


def settle(shipment: Shipment, failures: int, reasons: list[dict[str, Any]], *, ended: str = "complete") -> None:
    """What became of the rows of a job that has ended: `failures` of them failed, for these reasons, as far as Klaviyo tells.

    A reason tells its row by the position in `source.pointer`, or by the identifiers in `original_payload`.
    """
    rows = shipment.elements
    blamed: set[int] = set()
    for reason in reasons:
        number = _position(reason, rows)
        if number is None:
            continue
        blamed.add(number)
        text = said_in(reason)
        for change in rows[number]:
            change.failed(text)
    if ended.startswith("cancel"):
        for change in shipment.changes:
            change.failed("The job was cancelled.", Status.UNKNOWN)
        return
    unexplained = failures - len(blamed)
    for number, behind in enumerate(rows):
        for change in behind:
            if number in blamed:
                continue
            if unexplained <= 0:
                change.status, change.error = Status.DONE, None
            elif failures >= len(rows):
                change.failed(f"Klaviyo's job {change.job} could not write it, and does not say why.")
            else:
                change.failed(f"Of the job {change.job} {unexplained} more rows failed, and Klaviyo does not say which.", Status.UNKNOWN)


def _settle_row(shipment: Shipment, failures: int, reasons: list[dict[str, Any]], *, ended: str) -> None:
    """What became of a row that is a whole job."""
    for change in shipment.changes:
        if ended.startswith("cancel"):
            change.failed("The job was cancelled.", Status.UNKNOWN)
        elif failures:
            told = "; ".join(dict.fromkeys(str(reason.get("detail") or reason.get("title")) for reason in reasons[:3])) or "Klaviyo does not say why"
            change.failed(f"{failures:,} of what is in the job {change.job} could not be written, and the rest was: {told}")
        else:
            change.status, change.error = Status.DONE, None


def _position(reason: dict[str, Any], rows: list[list[Change]]) -> int | None:
    found = element_of(reason)
    if found is not None and found < len(rows):
        return found
    payload = reason.get("original_payload")
    if not isinstance(payload, dict):
        return None
    flat = {**payload, **payload.get("attributes", {})} if isinstance(payload.get("attributes"), dict) else payload
    told = {name: flat[name] for name in _IDENTIFIERS if flat.get(name) is not None}
    for number, behind in enumerate(rows):
        own = {name.lower(): value for name, value in behind[0].named.items()}
        if told and any(own.get(name) == value for name, value in told.items()):
            return number
    return None
