"""Bulk jobs: taken as a whole or refused as a whole, then worked off row by row while the clock goes on.

A job is queued when it is created, is processing after a quarter of the sandbox's `job_duration`, has done its work after three quarters, and says so
at the end: so what it wrote can be read while it still says that it is processing, as recorded.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import Call, shown
from klaviyo_sql.sandbox.generation.identifiers import random_uuid
from klaviyo_sql.sandbox.problems import Problem, RefusedError, invalid
from klaviyo_sql.sandbox.writing import (
    Attributes,
    CreateEndpoint,
    DeleteEndpoint,
    PatchEndpoint,
    Write,
    receive,
    refuse_too_many,
    timed,
    to_the_microsecond,
)

_EXPIRES_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Row:
    """One resource object of a job's body, and where it stands there."""

    job: Resource
    sent: dict[str, Any]
    position: int
    pointer: str
    """Such as `/data/attributes/items/data/3`."""

    @property
    def attributes(self) -> Attributes:
        """What was sent; none when there was nothing."""
        found: Attributes = self.sent.get("attributes") or {}
        return found

    def linked(self, name: str) -> list[str] | None:
        """The ids that a relationship was sent with; None when it was not sent."""
        relationship = (self.sent.get("relationships") or {}).get(name)
        if relationship is None or "data" not in relationship:
            return None
        linkage = relationship["data"] or []
        return [item["id"] for item in (linkage if isinstance(linkage, list) else [linkage])]


@dataclass(frozen=True, slots=True)
class Failed:
    """A row that was refused when its turn came."""

    row: Row
    problem: Problem


@dataclass(frozen=True, slots=True)
class BulkJobEndpoint:
    """Creates a job of one kind.

    `rows` is the attribute that has them, of which there may be `most`. `work` does one row, and gives the id of what it wrote, or raises RefusedError.
    `check` may refuse the whole. `report` writes down at the end which ids came of it and what failed. `identify` makes the job's id, `attributes` are
    what it has besides the usual ones, `members` what it has besides its attributes.
    """

    kind: str
    rows: str
    most: int
    work: Callable[[Write, Row], str | None]
    check: Callable[[Write], None] | None = None
    identify: Callable[[Write], str] = timed
    report: Callable[[Account, Resource, list[str], list[Failed]], None] = lambda account, job, done, failed: errors_within(account, job, done, failed)
    attributes: Attributes | None = None
    members: Callable[[Write], dict[str, Any]] = lambda write: {"related_ids": []}

    def answer(self, call: Call) -> dict[str, Any]:
        write = receive(call)
        sent = write.attributes[self.rows]["data"]
        refuse_too_many(len(sent), self.most, f"/data/attributes/{self.rows}/data")
        if self.check is not None:
            self.check(write)
        attributes = {
            "status": "queued",
            "created_at": to_the_microsecond(call.now),
            "total_count": len(sent),
            "completed_count": 0,
            "failed_count": 0,
            "completed_at": None,
            "expires_at": to_the_microsecond(call.now + _EXPIRES_AFTER),
            **({"errors": []} if self.attributes is None else self.attributes),
        }
        job: Resource = {"type": self.kind, "id": self.identify(write), "attributes": attributes, **self.members(write)}
        call.account.jobs.setdefault(self.kind, {})[job["id"]] = job
        call.account.changed(events=False)
        rows = [Row(job, row, position, f"/data/attributes/{self.rows}/data/{position}") for position, row in enumerate(sent)]
        self._run(write, job, rows)
        return shown(call, self.kind, job)

    def _run(self, write: Write, job: Resource, rows: list[Row]) -> None:
        done: list[str] = []
        failed: list[Failed] = []

        def begin() -> None:
            settle(write.account, job, status="processing", **({"started_at": _later(write, 1)} if "started_at" in job["attributes"] else {}))

        def work() -> None:
            for row in rows:
                try:
                    identifier = self.work(write, row)
                except RefusedError as refusal:
                    failed.append(Failed(row, refusal.problems[0]))
                else:
                    if identifier is not None:
                        done.append(identifier)
            write.account.changed(events=False)

        def complete() -> None:
            self.report(write.account, job, done, failed)
            counts = {"completed_count": len(rows) - len(failed), "failed_count": len(failed)}
            settle(write.account, job, status="complete", completed_at=_later(write, 4), **counts)

        stages(write, begin, work, complete)


def stages(write: Write, begin: Callable[[], None], work: Callable[[], None], complete: Callable[[], None]) -> None:
    """Let a job begin, do its work and say that it is complete, each when its time has come."""
    duration = write.call.job_duration
    write.call.schedule(duration / 4, begin)
    write.call.schedule(duration * 3 / 4, work)
    write.call.schedule(duration, complete)


def settle(account: Account, job: Resource, **attributes: Any) -> None:
    """Give a job new attributes."""
    job["attributes"] = job["attributes"] | attributes
    account.changed(events=False)


def _later(write: Write, quarters: int) -> str:
    return to_the_microsecond(write.call.now + timedelta(seconds=write.call.job_duration * quarters / 4))


Work = Callable[[Write, Row], str | None]
"""Does one row of a job, and gives the id of what it wrote."""


def creating(endpoint: CreateEndpoint) -> Work:
    """Rows that are what could have been sent to be created one by one."""
    return lambda write, row: str(endpoint.create(Write(write.call, {"data": row.sent}))["id"])


def changing(endpoint: PatchEndpoint) -> Work:
    """Rows that are what could have been sent to change one resource."""

    def work(write: Write, row: Row) -> str:
        resource = write.require(endpoint.kind, row.sent["id"], "/data/id")
        endpoint.change(Write(write.call, {"data": row.sent}), resource)
        return str(resource["id"])

    return work


def deleting(endpoint: DeleteEndpoint) -> Work:
    """Rows that are ids of what is to be deleted; none of them is there to be linked to afterwards."""

    def work(write: Write, row: Row) -> None:
        endpoint.delete(write.call, write.require(endpoint.kind, row.sent["id"], "/data/id"))

    return work


def room_for(kinds: tuple[str, ...], most: int) -> Callable[[Write], None]:
    """A check that no more than so many jobs of these kinds wait or run at once."""

    def check(write: Write) -> None:
        running = sum(1 for kind in kinds for job in write.account.jobs.get(kind, {}).values() if job["attributes"]["status"] in ("queued", "processing"))
        if running >= most:
            raise RefusedError(invalid(f"{running} jobs are in progress; the maximum is {most}.", pointer="/data"))

    return check


def errors_within(account: Account, job: Resource, done: list[str], failed: list[Failed]) -> None:
    """Catalog and coupon jobs have their errors as an attribute, and what they wrote as a relationship."""
    job["related_ids"] = done
    errors = [
        {
            "id": random_uuid(account.random),
            "code": failure.problem.code,
            "title": failure.problem.title,
            "detail": failure.problem.detail,
            "source": {"pointer": _within(failure)},
        }
        for failure in failed
    ]
    settle(account, job, errors=errors)


def import_errors(account: Account, job: Resource, done: list[str], failed: list[Failed]) -> None:
    """Imports have a collection of errors, each with the row as it was sent, and the profiles that they wrote."""
    job["profile_ids"] = list(dict.fromkeys(done))
    for failure in failed:
        identifier = random_uuid(account.random)
        attributes = {
            "code": failure.problem.code,
            "title": failure.problem.title,
            "detail": failure.problem.detail,
            "source": {"pointer": _within(failure)},
            "original_payload": failure.row.attributes,
        }
        account.import_errors[identifier] = {"type": "import-error", "id": identifier, "attributes": attributes, "job_id": job["id"]}
    account.changed(events=False)


def _within(failure: Failed) -> str:
    """Where in the job's body the problem lies: its own place is said as if the row had been sent alone."""
    return failure.row.pointer + failure.problem.pointer.removeprefix("/data").rstrip("/")


def import_identifier(write: Write) -> str:
    """The long ids of imports: what queue they were put in, packed."""
    random = write.account.random
    packed = f"{write.account.account['id']}_maintenance.{random.getrandbits(24):06x}.{int(write.call.now.timestamp())}.{random.getrandbits(24):06x}"
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")
