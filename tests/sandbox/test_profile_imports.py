"""Imports: refused whole for what the contract does not allow, row by row for the rest, and worked off while the clock goes on."""

from __future__ import annotations

from typing import Any

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account, Sandbox

from .conftest import Answer, Ask, asker
from .described import hold_against
from .writes import document, linkage, refusal

PLACE = "/data/attributes/profiles/data"
JOBS = "/api/profile-bulk-import-jobs"


def _job(*profiles: dict[str, Any], **relationships: Any) -> dict[str, Any]:
    return document("profile-bulk-import-job", {"profiles": {"data": list(profiles)}}, **relationships)


def _profile(identifier: str | None = None, meta: Any = None, **attributes: Any) -> dict[str, Any]:
    profile: dict[str, Any] = document("profile", attributes, identifier=identifier, meta=meta)["data"]
    return profile


def _attributes(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = answer.document["data"]["attributes"]
    return found


def test_a_job_is_queued_then_processing_then_complete(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    list_id = next(iter(fresh_account.lists))
    known = next(profile for profile in fresh_account.profiles.values() if profile["attributes"]["email"])
    number = len(fresh_account.profiles)
    rows = [
        _profile(email="First@example.com", first_name="First", properties={"a": [1]}),
        _profile(email=known["attributes"]["email"].upper(), last_name="Known", meta={"patch_properties": {"append": {"seen": 1}}}),
        _profile(known["id"], title="By id"),
        _profile(phone_number="+12025550100"),
    ]
    created = send(JOBS, _job(*rows, lists=linkage("list", [list_id])))
    assert created.status == 202
    hold_against("bulk_import_profiles", created.document)
    job_id = created.document["data"]["id"]
    assert created.document["data"]["relationships"]["lists"]["data"] == linkage("list", [list_id])
    waiting = {"status": "queued", "total_count": 4, "completed_count": 0, "failed_count": 0, "started_at": None, "completed_at": None}
    assert _attributes(created).items() >= waiting.items()
    assert _attributes(created)["expires_at"].startswith("2026-11-27T13:00:00")

    target = f"{JOBS}/{job_id}"
    clock.sleep(3)
    processing = _attributes(send(target))
    assert (processing["status"], processing["completed_count"], processing["completed_at"]) == ("processing", 0, None)
    assert processing["started_at"] is not None
    assert len(fresh_account.profiles) == number
    clock.sleep(5)
    # Done, and not yet said.
    assert _attributes(send(target))["status"] == "processing"
    assert len(fresh_account.profiles) == number + 2
    clock.sleep(3)
    complete = send(target)
    hold_against("get_bulk_import_profiles_job", complete.document)
    counts = {"status": "complete", "total_count": 4, "completed_count": 4, "failed_count": 0}
    assert _attributes(complete).items() >= counts.items()
    assert _attributes(complete)["completed_at"].startswith("2026-11-20T13:00:10")
    assert job_id in send(f'{JOBS}?filter=equals(status,"complete")').ids

    written = set(send(f"{target}/profiles").ids)
    assert written >= {known["id"]}
    assert len(written) == 3
    assert set(send(f"{target}/relationships/profiles").ids) == written
    assert send(f"{target}/import-errors").ids == []
    assert written <= set(fresh_account.list_members[list_id])
    attributes = fresh_account.profiles[known["id"]]["attributes"]
    assert (attributes["last_name"], attributes["title"], attributes["properties"]["seen"]) == ("Known", "By id", [1])


def test_rows_that_fail_fail_alone(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    first, second = [profile for profile in fresh_account.profiles.values() if profile["attributes"]["email"]][:2]
    before = dict(second["attributes"])
    rows = [
        _profile(email="good@example.com"),
        _profile(email="not an address", properties={"kept": [1, None]}),
        _profile(first_name="Nobody"),
        _profile(first["id"], email=second["attributes"]["email"]),
        _profile("NOBODY", email="x@example.com"),
        _profile(email="good@example.com", first_name="Again"),
    ]
    job_id = send(JOBS, _job(*rows)).document["data"]["id"]
    clock.sleep(11)
    assert _attributes(send(f"{JOBS}/{job_id}")).items() >= {"status": "complete", "total_count": 6, "completed_count": 2, "failed_count": 4}.items()
    answer = send(f"{JOBS}/{job_id}/import-errors?page[size]=100")
    hold_against("get_errors_for_bulk_import_profiles_job", answer.document)
    errors = {error["attributes"]["source"]["pointer"]: error["attributes"] for error in answer.document["data"]}
    assert set(errors) == {f"{PLACE}/1/attributes/email", f"{PLACE}/2/attributes", f"{PLACE}/3/attributes", f"{PLACE}/4/id"}
    assert errors[f"{PLACE}/1/attributes/email"] == {
        "code": "invalid",
        "title": "Invalid input.",
        "detail": "Invalid email address",
        "source": {"pointer": f"{PLACE}/1/attributes/email"},
        "original_payload": {"email": "not an address", "properties": {"kept": [1, None]}},
    }
    assert errors[f"{PLACE}/3/attributes"]["code"] == "duplicate_profile"
    assert second["attributes"] == before
    (written,) = send(f"{JOBS}/{job_id}/profiles").ids
    assert fresh_account.profiles[written]["attributes"]["first_name"] == "Again"
    assert not [profile for profile in fresh_account.profiles.values() if profile["attributes"]["email"] == "x@example.com"]


def test_what_is_refused_whole(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    jobs, profiles = set(fresh_account.jobs["profile-bulk-import-job"]), set(fresh_account.profiles)
    good = _profile(email="good@example.com")
    large = _profile(email="large@example.com", properties={"a": "x" * 100_000})
    assert refusal(send(JOBS, _job())) == (400, [PLACE])
    assert refusal(send(JOBS, _job(*[good] * 10_001))) == (400, [PLACE])
    assert refusal(send(JOBS, _job(good, large, good, large))) == (400, [f"{PLACE}/1", f"{PLACE}/3"])
    assert refusal(send(JOBS, _job(good, _profile(emial="x")))) == (400, [f"{PLACE}/1/attributes/emial"])
    lists = linkage("list", [next(iter(fresh_account.lists)), "NOPE01"])
    assert refusal(send(JOBS, _job(good, lists=lists))) == (404, ["/data/relationships/lists/data/1/id"])
    assert refusal(send(JOBS, b" " * 5_000_001)) == (413, ["/data"])
    clock.sleep(11)
    send("/api/accounts")
    assert (set(fresh_account.jobs["profile-bulk-import-job"]), set(fresh_account.profiles)) == (jobs, profiles)


def test_ten_thousand_profiles_in_a_job(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    number = len(fresh_account.profiles)
    rows = [_profile(email=f"bulk{position}@example.com", external_id=f"bulk-{position}", properties={"n": position}) for position in range(10_000)]
    job_id = send(JOBS, _job(*rows)).document["data"]["id"]
    clock.sleep(11)
    assert _attributes(send(f"{JOBS}/{job_id}"))["completed_count"] == 10_000
    assert len(fresh_account.profiles) == number + 10_000
    (found,) = send('/api/profiles?filter=equals(external_id,"bulk-9999")').document["data"]
    assert found["attributes"]["properties"] == {"n": 9999}


def test_the_duration_of_jobs_can_be_set(fresh_account: Account, clock: SimulatedClock) -> None:
    send = asker(Sandbox(fresh_account, clock=clock, limits=False, job_duration=0))
    job_id = send(JOBS, _job(_profile(email="now@example.com"))).document["data"]["id"]
    assert _attributes(send(f"{JOBS}/{job_id}"))["status"] == "complete"
