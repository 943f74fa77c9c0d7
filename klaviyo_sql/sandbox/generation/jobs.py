"""Bulk jobs of the last seven days, of every kind and in every state, with what they did and what went wrong."""

from __future__ import annotations

import base64
from random import Random
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.generation.identifiers import random_uuid, ulid
from klaviyo_sql.sandbox.generation.moments import microseconds_text

_WEEK = 7 * 86_400
_JOBS = 13
"""Jobs of each kind: more than one page."""

_IMPORTS = 24
_STATUSES = ("complete", "complete", "processing", "complete", "queued", "cancelled")
_ERRORS = (
    ("invalid", "Invalid input.", "'price' must be a number.", "/data/attributes/items/data/{}/attributes/price"),
    ("duplicate", "Conflict.", 'There is a thing with this "external_id" already, 100%.', "/data/attributes/items/data/{}/attributes/external_id"),
    ("invalid", "Invalid input.", "Ünïcode is fine; this is not.", None),
)


def make_jobs(random: Random, account: Account, start: int, end: int) -> None:
    """Catalog jobs, coupon code jobs, suppressions and imports."""
    things = {"item": list(account.catalog_items), "variant": list(account.catalog_variants), "category": list(account.catalog_categories)}
    for thing, identifiers in things.items():
        for verb in ("create", "update", "delete"):
            _bulk_jobs(random, account, f"catalog-{thing}-bulk-{verb}-job", identifiers if verb != "delete" else [], end)
    _bulk_jobs(random, account, "coupon-code-bulk-create-job", list(account.coupon_codes), end)
    for verb in ("create", "delete"):
        _suppressions(random, account, f"profile-suppression-bulk-{verb}-job", end)
    _imports(random, account, end)


def _created(random: Random, end: int) -> int:
    return end - 60 - int((_WEEK - 120) * random.random())


def _bulk_jobs(random: Random, account: Account, kind: str, identifiers: list[str], end: int) -> None:
    jobs = account.jobs.setdefault(kind, {})
    for number in range(_JOBS):
        created, fraction = _created(random, end), random.randrange(1_000_000)
        identifier = ulid(random, created * 1000)
        status = _STATUSES[number % len(_STATUSES)]
        failed = number % 3 if status == "complete" else 0
        done = min(len(identifiers), number % 5) if status == "complete" else 0
        errors = [_error(random, place, number) for place in range(failed)]
        jobs[identifier] = {
            "type": kind,
            "id": identifier,
            "attributes": {
                "status": status,
                "created_at": microseconds_text(created, fraction),
                "total_count": done + failed if status == "complete" else 1 + number,
                "completed_count": done,
                "failed_count": failed,
                "completed_at": microseconds_text(created + 20, fraction) if status == "complete" else None,
                "errors": errors,
                "expires_at": microseconds_text(created + _WEEK, fraction),
            },
            "related_ids": random.sample(identifiers, k=done),
        }


def _error(random: Random, place: int, number: int) -> dict[str, Any]:
    code, title, detail, pointer = _ERRORS[(place + number) % len(_ERRORS)]
    source = {"pointer": pointer.format(place)} if pointer is not None else {"pointer": None}
    return {"id": random_uuid(random), "code": code, "title": title, "detail": detail, "source": source}


def _suppressions(random: Random, account: Account, kind: str, end: int) -> None:
    """Of single profiles, of a list, of a segment."""
    jobs = account.jobs.setdefault(kind, {})
    for number in range(_JOBS):
        created, fraction = _created(random, end), random.randrange(1_000_000)
        identifier = ulid(random, created * 1000)
        status = _STATUSES[number % len(_STATUSES)]
        done = number * 3 if status == "complete" else 0
        jobs[identifier] = {
            "type": kind,
            "id": identifier,
            "attributes": {
                "status": status,
                "created_at": microseconds_text(created, fraction),
                "total_count": done,
                "completed_count": max(0, done - 1),
                # Recorded: set while the job is still processing.
                "completed_at": microseconds_text(created, fraction + 1 if fraction < 999_999 else 0) if status in ("complete", "processing") else None,
                "skipped_count": min(done, 1),
            },
            "list_ids": [random.choice(list(account.lists))] if number % 3 == 1 else [],
            "segment_ids": [random.choice(list(account.segments))] if number % 3 == 2 else [],
        }


def _imports(random: Random, account: Account, end: int) -> None:
    jobs = account.jobs.setdefault("profile-bulk-import-job", {})
    profile_ids = list(account.profiles)
    for number in range(_IMPORTS):
        created, fraction = _created(random, end), random.randrange(1_000_000)
        packed = f"{account.account['id']}_maintenance.{random.getrandbits(24):06x}.{created}.{random.getrandbits(24):06x}"
        identifier = base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")
        status = ("complete", "processing", "complete", "queued")[number % 4]
        # The first import has profiles and errors for more than one page of a hundred.
        done = min(len(profile_ids), 130 if number == 0 else number % 7) if status == "complete" else 0
        failed = (120 if number == 0 else number % 5) if status == "complete" else 0
        jobs[identifier] = {
            "type": "profile-bulk-import-job",
            "id": identifier,
            "attributes": {
                "status": status,
                "created_at": microseconds_text(created, fraction),
                "total_count": done + failed if status == "complete" else 5,
                "completed_count": done,
                "failed_count": failed,
                "completed_at": microseconds_text(created + 40, 0) if status == "complete" else None,
                "expires_at": microseconds_text(created + _WEEK, fraction),
                "started_at": microseconds_text(created + 2, 0) if status != "queued" else None,
            },
            "list_ids": random.sample(list(account.lists), k=number % 3),
            "profile_ids": random.sample(profile_ids, k=done),
        }
        for place in range(failed):
            _import_error(random, account, jobs[identifier], place)


def _import_error(random: Random, account: Account, job: Resource, place: int) -> None:
    error = _error(random, place, place)
    payloads: tuple[dict[str, Any] | None, ...] = ({"email": f"not an address {place}", "properties": {"a": [1]}}, {}, None)
    attributes = {name: error[name] for name in ("code", "title", "detail", "source")} | {"original_payload": payloads[place % len(payloads)]}
    account.import_errors[error["id"]] = {"type": "import-error", "id": error["id"], "attributes": attributes, "job_id": job["id"]}
