"""Whatever happens to a write on its way: no row twice, none lost without a word, and what is told of it is true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import klaviyo_sql
from klaviyo_sql.sandbox import Sandbox
from klaviyo_sql.sandbox.faults import Fault
from tests.writes.conftest import OpenWriting, outcomes, sandbox_of, sent, written

FAULTS = {
    "reset before": Fault("reset"),
    "reset after": Fault("reset", processed=True),
    "503 before": Fault("status", status=503),
    "503 after": Fault("status", status=503, processed=True),
    "500 after": Fault("status", status=500, processed=True),
    "429": Fault("throttle"),
    "429 three times": Fault("throttle", times=3),
    "half a body": Fault("truncated", processed=True),
    "broken JSON": Fault("broken_json", processed=True),
    "a web page": Fault("html", processed=True),
    "another shape": Fault("wrong_shape", processed=True),
    "reset twice after": Fault("reset", processed=True, times=2),
    "down": Fault("status", status=503, times=None),
    "gone silent": Fault("reset", processed=True, times=None),
}


@dataclass(frozen=True)
class Case:
    """A write of one or several rows, the operation that carries it out, and how often each row is there afterwards."""

    sql: tuple[str, ...]
    operation: str
    there: Callable[[Sandbox], Counter[str]]
    rows: tuple[str, ...]


def lists(sandbox: Sandbox) -> Counter[str]:
    return Counter(found["attributes"]["name"] for found in sandbox.account.lists.values())


def tags(sandbox: Sandbox) -> Counter[str]:
    return Counter(found["attributes"]["name"] for found in sandbox.account.tags.values())


def segments(sandbox: Sandbox) -> Counter[str]:
    return Counter(found["attributes"]["name"] for found in sandbox.account.segments.values())


def emails(sandbox: Sandbox) -> Counter[str]:
    return Counter(str(found["attributes"]["email"]) for found in sandbox.account.profiles.values())


def values(sandbox: Sandbox) -> Counter[str]:
    return Counter(str(found["attributes"]["event_properties"].get("mark")) for found in sandbox.account.events)


def items(sandbox: Sandbox) -> Counter[str]:
    return Counter(found["attributes"]["external_id"] for found in sandbox.account.catalog_items.values())


def codes(sandbox: Sandbox) -> Counter[str]:
    return Counter(found["attributes"]["unique_code"] for found in sandbox.account.coupon_codes.values())


DEFINITION = '{"condition_groups":[{"conditions":[{"type":"profile-group-membership","is_member":true,"group_ids":["L1"],"timeframe_filter":null}]}]}'
CASES = {
    "a list": Case(("INSERT INTO lists (name) VALUES ('new')",), "create_list", lists, ("new",)),
    "a segment": Case((f"INSERT INTO segments (name, definition) VALUES ('new', '{DEFINITION}')",), "create_segment", segments, ("new",)),
    "a tag": Case(("INSERT INTO tags (name) VALUES ('new')",), "create_tag", tags, ("new",)),
    "a profile": Case(("INSERT INTO profiles (email) VALUES ('new@example.com')",), "create_profile", emails, ("new@example.com",)),
    "a profile, replaced": Case(
        ("INSERT OR REPLACE INTO profiles (email) VALUES ('new@example.com')",), "create_or_update_profile", emails, ("new@example.com",)
    ),
    "profiles in bulk": Case(
        ("INSERT INTO profiles (email) SELECT 'n' || value || '@example.com' FROM json_each('[1,2,3,4,5,6,7,8,9,10,11]')",),
        "bulk_import_profiles",
        emails,
        tuple(f"n{i}@example.com" for i in range(1, 12)),
    ),
    "an event": Case(
        ("INSERT INTO events (metric_name, profile_email, event_properties) VALUES ('m', 'a@example.com', '{\"mark\": 1}')",), "create_event", values, ("1",)
    ),
    "events in bulk": Case(
        (
            "INSERT INTO events (metric_name, profile_email, event_properties) "
            "SELECT 'm', 'a@example.com', json_object('mark', value) FROM json_each('[1,2,3,4,5]')",
        ),
        "bulk_create_events",
        values,
        tuple("12345"),
    ),
    "an item": Case(
        ("INSERT INTO catalog_items (external_id, title, description, url) VALUES ('new', 't', 'd', 'https://example.com/')",),
        "create_catalog_item",
        items,
        ("new",),
    ),
    "items in bulk": Case(
        (
            "INSERT INTO catalog_items (external_id, title, description, url) "
            "SELECT 'n' || value, 't', 'd', 'https://example.com/' FROM json_each('[1,2,3,4,5,6]')",
        ),
        "bulk_create_catalog_items",
        items,
        tuple(f"n{i}" for i in range(1, 7)),
    ),
}


def patient(open_writing: OpenWriting) -> klaviyo_sql.Connection:
    return open_writing(max_wait=600.0)


def run(connection: klaviyo_sql.Connection, case: Case) -> klaviyo_sql.Error | None:
    """Write, and let what Klaviyo carries out later be carried out; what was raised, if anything was."""
    raised = None
    try:
        for sql in case.sql:
            connection.execute(sql)
        connection.commit()
    except klaviyo_sql.Error as error:
        raised = error
    sandbox = sandbox_of(connection)
    sandbox.faults.clear()
    sandbox.clock.sleep(300)
    connection.forget()
    connection.execute("SELECT count(*) FROM accounts").fetchall()
    return raised


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", CASES)
def test_a_new_row_is_there_once_or_not_at_all_and_what_is_told_is_true(open_writing: OpenWriting, name: str, fault: str) -> None:
    case, given = CASES[name], FAULTS[fault]
    connection = patient(open_writing)
    sandbox = sandbox_of(connection)
    struck = sandbox.faults.add(
        Fault(given.kind, case.operation, times=given.times, status=given.status, processed=given.processed),
    )
    raised = run(connection, case)
    assert struck.hits
    there = case.there(sandbox)
    told = [status for _, _, status in outcomes(connection)]
    assert len(told) == len(case.rows)
    assert set(told) <= {"done", "accepted", "failed", "unknown", "not sent"}
    for row, status in zip(case.rows, told, strict=True):
        assert there[row] <= 1, "never twice"
        if status in ("done", "accepted"):
            assert there[row] == 1, f"{status}, and it is not there"
        elif status in ("failed", "not sent"):
            assert there[row] == 0, f"{status}, and it is there"
    assert (raised is None) == (set(told) <= {"done", "accepted"}), "what was not written is never passed over"
    if raised is not None and "unknown" in told:
        assert not isinstance(raised, klaviyo_sql.ProgrammingError)
    if given.times is not None and "bulk" not in name:
        assert raised is None, "one lost reply of one row is made good"


CHANGES = {
    "a list": ("UPDATE lists SET name = 'changed' WHERE id = ?", "update_list", "lists"),
    "a profile": ("UPDATE profiles SET first_name = 'changed' WHERE id = ?", "update_profile", "profiles"),
    "a tag": ("UPDATE tags SET name = 'changed' WHERE id = ?", "update_tag", "tags"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", CHANGES)
def test_an_update_is_repeated_until_it_is_known(open_writing: OpenWriting, name: str, fault: str) -> None:
    sql, operation, collection = CHANGES[name]
    given = FAULTS[fault]
    connection = patient(open_writing)
    sandbox = sandbox_of(connection)
    key = next(iter(getattr(sandbox.account, collection)))
    sandbox.faults.add(Fault(given.kind, operation, times=given.times, status=given.status, processed=given.processed))
    connection.execute(sql, (key,))
    if given.times is None:
        with pytest.raises(klaviyo_sql.WriteFailed):
            connection.commit()
        assert outcomes(connection)[0][2] == "unknown"
        return
    connection.commit()
    assert outcomes(connection)[0][2] == "done"
    assert "changed" in getattr(sandbox.account, collection)[key]["attributes"].values()


@pytest.mark.parametrize("fault", [name for name, given in FAULTS.items() if given.times is not None])
def test_a_row_that_goes_is_gone(open_writing: OpenWriting, fault: str) -> None:
    given = FAULTS[fault]
    connection = patient(open_writing)
    sandbox = sandbox_of(connection)
    key = next(iter(sandbox.account.lists))
    sandbox.faults.add(Fault(given.kind, "delete_list", times=given.times, status=given.status, processed=given.processed))
    connection.execute("DELETE FROM lists WHERE id = ?", (key,))
    connection.commit()
    assert key not in sandbox.account.lists
    assert outcomes(connection)[0][2] in ("done", "absent")


@pytest.mark.parametrize("fault", [name for name, given in FAULTS.items() if given.times is not None])
def test_members_are_added_once(open_writing: OpenWriting, fault: str) -> None:
    given = FAULTS[fault]
    connection = patient(open_writing)
    account = sandbox_of(connection).account
    key = next(iter(account.lists))
    sandbox_of(connection).faults.add(Fault(given.kind, "add_profiles_to_list", times=given.times, status=given.status, processed=given.processed))
    connection.execute("INSERT INTO list_profiles (list_id, profile_id) SELECT ?, id FROM profiles", (key,))
    connection.commit()
    assert set(account.list_members[key]) == set(account.profiles)
    assert {status for _, _, status in outcomes(connection)} == {"done"}


def test_a_namesake_is_not_taken_for_the_new_row(open_writing: OpenWriting) -> None:
    """A list of that name was there before: the new one is made, and once."""
    connection = patient(open_writing)
    sandbox = sandbox_of(connection)
    known = next(iter(sandbox.account.lists.values()))["attributes"]["name"]
    sandbox.faults.add(Fault("reset", "create_list"))
    connection.execute("INSERT INTO lists (name) VALUES (?)", (known,))
    connection.commit()
    assert lists(sandbox)[known] == 2
    assert outcomes(connection)[-1][2] == "done"


def test_no_key_ends_it_and_says_what_was_not_sent(open_writing: OpenWriting) -> None:
    connection = open_writing(options={"api_keys": {"another": None}})
    connection.execute("INSERT INTO lists (name) VALUES ('a'), ('b')")
    with pytest.raises(klaviyo_sql.AuthenticationError):
        connection.commit()
    assert {status for _, _, status in outcomes(connection)} == {"failed", "not sent"}


def test_a_missing_scope_is_told(open_writing: OpenWriting) -> None:
    connection = open_writing(options={"api_keys": {"sandbox-key": {"lists:read"}}})
    connection.execute("INSERT INTO lists (name) VALUES ('a')")
    with pytest.raises(klaviyo_sql.PermissionDenied, match="lists:write"):
        connection.commit()
    assert lists(sandbox_of(connection))["a"] == 0


def test_rows_of_a_job_that_fail_are_told_one_by_one(open_writing: OpenWriting) -> None:
    connection = open_writing()
    sandbox = sandbox_of(connection)
    people = [profile["attributes"] for profile in sandbox.account.profiles.values()]
    email = next(found["email"] for found in people if found["email"] and not found["phone_number"])
    phone = next(found["phone_number"] for found in people if found["phone_number"] and found["email"] != email)
    rows = [(f"n{i}@example.com", None) for i in range(20)]
    rows[7] = (email, phone)  # of two people
    connection.executemany("INSERT INTO profiles (email, phone_number) VALUES (?, ?)", rows)
    with pytest.raises(klaviyo_sql.WriteFailed, match=r"19 of 20 rows were written.*1 failed.*already exists"):
        connection.commit()
    assert written(connection) == ["POST /api/profile-bulk-import-jobs"]
    failed = connection.execute("SELECT number, row ->> 'email', job IS NOT NULL FROM klaviyo_writes WHERE status = 'failed'").fetchall()
    assert failed == [(8, email, 1)]
    assert [status for _, _, status in outcomes(connection)].count("done") == 19
    assert {f"n{i}@example.com" for i in range(20) if i != 7} <= set(emails(sandbox))


def test_a_job_is_not_waited_for_longer_than_it_may(open_writing: OpenWriting) -> None:
    connection = open_writing(job_timeout=0)
    connection.executemany("INSERT INTO profiles (email) VALUES (?)", [(f"n{i}@example.com",) for i in range(20)])
    connection.commit()
    assert [f"{record.method} {record.path}" for record in sent(connection)] == ["POST /api/profile-bulk-import-jobs"]
    assert {status for _, _, status in outcomes(connection)} == {"accepted"}


def test_a_conflict_is_passed_over_when_sql_says_so(writing: klaviyo_sql.Connection) -> None:
    account = sandbox_of(writing).account
    known = next(found["attributes"]["email"] for found in account.profiles.values() if found["attributes"]["email"])
    writing.execute("INSERT OR IGNORE INTO profiles (email, first_name) VALUES ('a1@example.com', 'A'), (?, 'never'), ('a2@example.com', 'A')", (known,))
    writing.commit()
    assert [status for _, _, status in outcomes(writing)] == ["done", "failed", "done"]
    assert {"a1@example.com", "a2@example.com"} <= set(emails(sandbox_of(writing)))
    assert not any(found["attributes"]["first_name"] == "never" for found in account.profiles.values())


def test_a_conflict_ends_the_transaction_otherwise(open_writing: OpenWriting) -> None:
    connection = open_writing()
    known = next(found["attributes"]["email"] for found in sandbox_of(connection).account.profiles.values() if found["attributes"]["email"])
    connection.execute("INSERT INTO profiles (email) VALUES ('a1@example.com'), (?), ('a2@example.com')", (known,))
    with pytest.raises(klaviyo_sql.WriteFailed, match=r"1 of 3 rows were written.*1 failed, 1 not sent"):
        connection.commit()
    assert [status for _, _, status in outcomes(connection)] == ["done", "failed", "not sent"]


def test_the_others_go_on_when_they_are_to(open_writing: OpenWriting) -> None:
    connection = open_writing(on_error="continue")
    known = next(found["attributes"]["email"] for found in sandbox_of(connection).account.profiles.values() if found["attributes"]["email"])
    connection.execute("INSERT INTO profiles (email) VALUES ('a1@example.com'), (?), ('a2@example.com')", (known,))
    with pytest.raises(klaviyo_sql.WriteFailed, match=r"2 of 3 rows were written.*1 failed"):
        connection.commit()
    assert [status for _, _, status in outcomes(connection)] == ["done", "failed", "done"]


def test_a_request_that_is_refused_for_one_link_says_so_of_each(open_writing: OpenWriting) -> None:
    account = sandbox_of(connection := open_writing()).account
    key, known = next(iter(account.lists)), list(account.profiles)[:5]
    rows = [(key, profile) for profile in (*known[:2], "01NOBODY", *known[2:])]
    connection.executemany("INSERT INTO list_profiles (list_id, profile_id) VALUES (?, ?)", rows)
    with pytest.raises(klaviyo_sql.WriteFailed):
        connection.commit()
    assert "done" not in {status for _, _, status in outcomes(connection)}
    going = open_writing(on_error="continue")
    account = sandbox_of(going).account
    rows = [(key, profile) for profile in (*known[:2], "01NOBODY", *known[2:])]
    going.executemany("INSERT INTO list_profiles (list_id, profile_id) VALUES (?, ?)", rows)
    with pytest.raises(klaviyo_sql.WriteFailed, match="5 of 6 rows were written"):
        going.commit()
    assert set(known) <= set(account.list_members[key])
    assert going.execute("SELECT row ->> 'profile_id' FROM klaviyo_writes WHERE status = 'failed'").fetchall() == [("01NOBODY",)]


def test_the_audit_file_has_every_write_and_no_key(open_writing: OpenWriting, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    connection = open_writing(audit_file=path)
    connection.execute("INSERT INTO lists (name) VALUES ('a')")
    connection.execute("UPDATE lists SET name = 'b' WHERE id = 'nobody'")
    with pytest.raises(klaviyo_sql.WriteFailed):
        connection.commit()
    text = path.read_text()
    assert text.count("\n") == len(written(connection)) == 2
    assert '"operation":"create_list"' in text
    assert '"status":404' in text
    assert "sandbox-key" not in text
    assert path.stat().st_mode & 0o077 == 0


def test_an_audit_file_that_cannot_be_written_keeps_everything_from_being_sent(open_writing: OpenWriting, tmp_path: Path) -> None:
    connection = open_writing(audit_file=f"{tmp_path}/missing/audit.jsonl")
    connection.execute("INSERT INTO lists (name) VALUES ('a')")
    with pytest.raises(klaviyo_sql.OperationalError, match=r"audit file .* cannot be written to.*Nothing was sent"):
        connection.commit()
    assert sent(connection) == []
