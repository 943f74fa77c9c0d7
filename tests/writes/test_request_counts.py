"""How many requests writes make: the largest that Klaviyo takes, and no read that a WHERE does not need."""

from __future__ import annotations

from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql.model.request import Request
from tests.writes.conftest import OpenWriting, outcomes, sandbox_of, sent, written

NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "


def attributes(request: Request) -> dict[str, Any]:
    """The attributes in a request's body."""
    assert request.body is not None
    found: dict[str, Any] = request.body["data"]["attributes"]
    return found


def test_ten_thousand_profiles_are_one_job(writing: klaviyo_sql.Connection) -> None:
    writing.execute(NUMBERS.format(10_000) + "INSERT INTO profiles (email, first_name) SELECT 'n' || i || '@example.com', 'N' || i FROM n")
    writing.commit()
    assert written(writing) == ["POST /api/profile-bulk-import-jobs"]
    assert set(outcomes(writing)) == {("INSERT", "profiles", "done")}
    emails = {found["attributes"]["email"] for found in sandbox_of(writing).account.profiles.values()}
    assert {f"n{i}@example.com" for i in range(1, 10_001)} <= emails


def test_ten_thousand_events_are_ten_requests(writing: klaviyo_sql.Connection) -> None:
    before = len(sandbox_of(writing).account.events)
    writing.execute(
        NUMBERS.format(10_000) + "INSERT INTO events (metric_name, profile_email, value) SELECT 'Bulk', 'n' || (i % 700) || '@example.com', i FROM n",
    )
    writing.commit()
    assert written(writing) == ["POST /api/event-bulk-create-jobs"] * 10
    sandbox_of(writing).clock.sleep(60)
    writing.execute("SELECT 1 FROM accounts").fetchall()  # the sandbox carries out what is due when it is asked something
    assert len(sandbox_of(writing).account.events) == before + 10_000


def test_five_thousand_members_are_five_requests(open_writing: OpenWriting) -> None:
    connection = open_writing()
    account = sandbox_of(connection).account
    connection.execute(NUMBERS.format(5000) + "INSERT INTO profiles (email) SELECT 'n' || i || '@example.com' FROM n")
    connection.commit()
    known = next(iter(account.lists))
    before = len(written(connection))
    connection.execute("INSERT INTO list_profiles (list_id, profile_id) SELECT ?, id FROM profiles WHERE email LIKE 'n%@example.com'", (known,))
    connection.commit()
    assert written(connection)[before:] == [f"POST /api/lists/{known}/relationships/profiles"] * 5
    new = {found for found, profile in account.profiles.items() if str(profile["attributes"]["email"]).startswith("n")}
    assert len(new) == 5000
    assert new <= set(account.list_members[known])


@pytest.mark.parametrize(
    ("sql", "body"),
    [
        ("UPDATE profiles SET first_name = 'X' WHERE id = ?", {"first_name": "X"}),
        ("UPDATE profiles SET location_city = 'Oslo', last_name = NULL WHERE id IN (?)", {"last_name": None, "location": {"city": "Oslo"}}),
        ("UPDATE Profiles SET First_Name = upper('x') WHERE Id = ?", {"first_name": "X"}),
        ("UPDATE main.profiles SET first_name = 'X' WHERE id = ?", {"first_name": "X"}),
        ("UPDATE profiles AS p SET first_name = 'X' WHERE p.id = ?", {"first_name": "X"}),
    ],
)
def test_one_column_of_one_profile_is_one_patch_and_no_read(open_writing: OpenWriting, sql: str, body: dict[str, Any]) -> None:
    rehearsing = open_writing(dry_run=True)
    rehearsing.execute(sql, ("01ABC",))
    rehearsing.commit()
    (request,) = rehearsing.writer.rehearsed
    assert (request.method, request.path, attributes(request)) == ("PATCH", "/api/profiles/01ABC", body)
    assert sent(rehearsing) == []
    connection = open_writing()
    profile = next(iter(sandbox_of(connection).account.profiles))
    connection.execute(sql, (profile,))
    connection.commit()
    assert [f"{record.method} {record.path}" for record in sent(connection)] == [f"PATCH /api/profiles/{profile}"]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE profiles SET first_name = 'X' WHERE id = ?1 AND EXISTS (SELECT 1 FROM profiles WHERE id = 'nobody')",
        "UPDATE profiles SET first_name = 'X' WHERE id = ?1 AND EXISTS (SELECT 1 FROM people WHERE id = 'nobody')",
        "UPDATE profiles SET first_name = 'X' WHERE id = ?1 AND email = 'nobody@example.com'",
        "UPDATE profiles SET first_name = 'X' WHERE id = ?1 AND id = 'nobody'",
        "UPDATE profiles SET first_name = 'X' WHERE id IN (SELECT id FROM lists WHERE id = ?1)",
        "DELETE FROM list_profiles WHERE list_id = 'x' AND profile_id = ?1 AND joined_group_at > '2999-01-01'",
        "DELETE FROM lists WHERE id = ?1 AND name = 'no such name'",
    ],
)
def test_what_has_to_be_read_is_read(writing: klaviyo_sql.Connection, sql: str) -> None:
    """No row fits, and only reading tells."""
    writing.execute("CREATE TEMP VIEW people AS SELECT id FROM profiles")
    account = sandbox_of(writing).account
    known = next(iter(account.lists)) if "DELETE FROM lists" in sql else next(iter(account.profiles))
    writing.execute(sql, (known,))
    writing.commit()
    assert written(writing) == []


def test_an_expression_reads_only_what_it_needs(writing: klaviyo_sql.Connection) -> None:
    account = sandbox_of(writing).account
    profile = next(iter(account.profiles))
    name = account.profiles[profile]["attributes"]["first_name"]
    writing.execute("UPDATE profiles SET first_name = first_name || '!' WHERE id = ?", (profile,))
    writing.commit()
    read, wrote = sent(writing)
    assert (read.method, read.query) == ("GET", "fields[profile]=first_name")
    assert wrote.method == "PATCH"
    assert account.profiles[profile]["attributes"]["first_name"] == f"{name}!"


def test_a_member_that_is_named_by_both_ids_goes_without_a_read(writing: klaviyo_sql.Connection) -> None:
    account = sandbox_of(writing).account
    known = next(found for found, members in account.list_members.items() if len(members) > 5)
    members = list(account.list_members[known])[:3]
    writing.execute(f"DELETE FROM list_profiles WHERE list_id = ? AND profile_id IN ({', '.join('?' * 3)})", (known, *members))
    writing.commit()
    assert [f"{record.method} {record.path}" for record in sent(writing)] == [f"DELETE /api/lists/{known}/relationships/profiles"]
    assert not set(members) & set(account.list_members[known])


def test_rows_that_are_named_by_a_query_of_other_tables_are_not_read_again(writing: klaviyo_sql.Connection) -> None:
    writing.execute("CREATE TABLE wanted (id TEXT, name TEXT)")
    profiles = list(sandbox_of(writing).account.profiles)[:5]
    writing.executemany("INSERT INTO wanted VALUES (?, ?)", [(profile, f"N{n}") for n, profile in enumerate(profiles)])
    writing.commit()
    writing.execute("UPDATE profiles SET first_name = 'X' WHERE id IN (SELECT id FROM wanted)")
    writing.commit()
    assert [record.method for record in sent(writing)] == ["PATCH"] * 5


def test_many_updates_are_one_job_unless_one_clears_a_value(writing: klaviyo_sql.Connection) -> None:
    account = sandbox_of(writing).account
    writing.execute("UPDATE profiles SET first_name = 'X' WHERE true")
    writing.commit()
    assert written(writing) == ["POST /api/profile-bulk-import-jobs"]
    assert {found["attributes"]["first_name"] for found in account.profiles.values()} == {"X"}
    writing.execute("UPDATE profiles SET first_name = NULL WHERE true")
    writing.commit()
    assert len(written(writing)) == 1 + len(account.profiles)
    assert {found["attributes"]["first_name"] for found in account.profiles.values()} == {None}


def test_executemany_is_one_job(writing: klaviyo_sql.Connection) -> None:
    writing.executemany("INSERT INTO profiles (email) VALUES (?)", [(f"n{i}@example.com",) for i in range(50)])
    writing.commit()
    assert written(writing) == ["POST /api/profile-bulk-import-jobs"]


def test_a_body_is_never_larger_than_klaviyo_takes(writing: klaviyo_sql.Connection) -> None:
    text = "x" * 9_000
    writing.execute(
        NUMBERS.format(1000) + "INSERT INTO profiles (email, properties) SELECT 'n' || i || '@example.com', json_object('text', ?) FROM n",
        (text,),
    )
    writing.commit()
    assert written(writing) == ["POST /api/profile-bulk-import-jobs"] * 2
    assert set(outcomes(writing)) == {("INSERT", "profiles", "done")}


def test_one_row_that_is_too_large_is_refused_before_anything_is_sent(writing: klaviyo_sql.Connection) -> None:
    with pytest.raises(klaviyo_sql.DataError, match=r"one row is 120,.* bytes long, and Klaviyo takes at most 100,000"):
        writing.execute(
            NUMBERS.format(20) + "INSERT INTO profiles (email, properties) SELECT 'n' || i || '@example.com', json_object('text', ?) FROM n",
            ("x" * 120_000,),
        )
    writing.commit()
    assert sent(writing) == []
