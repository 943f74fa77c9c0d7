"""Imports of up to ten thousand profiles: refused whole when the body is wrong, row by row when a profile is."""

from __future__ import annotations

import msgspec

from klaviyo_sql.sandbox.bulk_jobs import BulkJobEndpoint, Row, import_errors, import_identifier
from klaviyo_sql.sandbox.endpoints import Endpoint
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.subjects.jobs import IMPORT_JOB
from klaviyo_sql.sandbox.subjects.lists import join
from klaviyo_sql.sandbox.subjects.profile_writing import LARGEST_PROFILE, upsert
from klaviyo_sql.sandbox.writing import Write, to_the_second

MOST_PROFILES = 10_000


def _check(write: Write) -> None:
    for position, list_id in enumerate(write.linked("lists") or ()):
        write.require("list", list_id, f"/data/relationships/lists/data/{position}/id")
    if len(write.call.body) <= LARGEST_PROFILE:
        return
    encoder = msgspec.json.Encoder()
    problems = [
        invalid(f"A profile must not be larger than {LARGEST_PROFILE} bytes.", pointer=f"/data/attributes/profiles/data/{position}")
        for position, profile in enumerate(write.attributes["profiles"]["data"])
        if len(encoder.encode(profile)) > LARGEST_PROFILE
    ]
    if problems:
        raise RefusedError(*problems)


def _import(write: Write, row: Row) -> str:
    profile, _ = upsert(write.account, row.sent, write.call.now, "/data")
    for list_id in row.job["list_ids"]:
        if list_id in write.account.lists:
            join(write.account, list_id, profile["id"], to_the_second(write.call.now))
    identifier: str = profile["id"]
    return identifier


ENDPOINTS: dict[str, Endpoint] = {
    "bulk_import_profiles": BulkJobEndpoint(
        IMPORT_JOB,
        "profiles",
        MOST_PROFILES,
        _import,
        check=_check,
        identify=import_identifier,
        report=import_errors,
        attributes={"started_at": None},
        members=lambda write: {"list_ids": list(dict.fromkeys(write.linked("lists") or ())), "profile_ids": []},
    ),
}
