"""executemany, plans and rehearsals, progress, and ^C: what is sent together, what is told, and what is never lost."""

from __future__ import annotations

import pytest

import klaviyo_sql
from klaviyo_sql.fetch.client import Client
from klaviyo_sql.sqlite.explain import explain
from klaviyo_sql.writer import Progress

from .conftest import OpenWriting, outcomes, sandbox_of, sent, written

INSERT = "INSERT INTO profiles (email) VALUES (?)"
PEOPLE = [(f"new{number}@example.com",) for number in range(25)]


@pytest.mark.parametrize("autocommit", [True, False])
def test_executemany_is_one_bulk(open_writing: OpenWriting, autocommit: bool) -> None:
    connection = open_writing(autocommit=autocommit)
    cursor = connection.executemany(INSERT, PEOPLE)
    if not autocommit:
        assert sent(connection) == []
        connection.commit()
    assert cursor.rowcount == 25
    assert written(connection) == ["POST /api/profile-bulk-import-jobs"]
    assert not connection.in_transaction
    emails = {profile["attributes"]["email"] for profile in sandbox_of(connection).account.profiles.values()}
    assert {email for (email,) in PEOPLE} <= emails


def test_executemany_with_autocommit_leaves_a_transaction_that_was_begun_open(open_writing: OpenWriting) -> None:
    connection = open_writing(autocommit=True)
    connection.execute("BEGIN")
    connection.executemany(INSERT, PEOPLE)
    assert connection.in_transaction
    assert sent(connection) == []
    connection.rollback()
    assert sent(connection) == []


def test_executemany_with_a_bad_row_sends_nothing(open_writing: OpenWriting) -> None:
    connection = open_writing(autocommit=True)
    connection.execute("CREATE TABLE own (a)")
    with pytest.raises(klaviyo_sql.DataError, match="email takes an email address"):
        connection.executemany(INSERT, [*PEOPLE, ("no email",)])
    assert not connection.in_transaction
    assert sent(connection) == []
    connection.executemany("INSERT INTO own VALUES (?)", [(1,), (2,)])
    assert connection.execute("SELECT count(*) FROM own").fetchone() == (2,)


def test_each_run_of_executemany_may_touch_as_many_rows_as_a_statement(open_writing: OpenWriting) -> None:
    connection = open_writing(max_writes=2)
    ids = [key for (key,) in connection.execute("SELECT id FROM profiles ORDER BY id LIMIT 5").fetchall()]
    connection.executemany("UPDATE profiles SET first_name = 'A' WHERE id = ?", [(key,) for key in ids])
    assert [request.method for request in connection.planned()] == ["PATCH"] * 5
    connection.rollback()
    before = len(written(connection))
    every = ", ".join(f"'{key}'" for key in ids)
    with pytest.raises(klaviyo_sql.ProgrammingError, match="would touch 5 rows"):
        connection.executemany(f"UPDATE profiles SET first_name = ? WHERE id IN ({every})", [("A",), ("B",)])
    connection.commit()
    assert len(written(connection)) == before


def test_a_statement_that_cannot_be_prepared_leaves_what_waits_alone(writing: klaviyo_sql.Connection) -> None:
    writing.execute("INSERT INTO tags (name) VALUES ('kept')")
    for wrong in ("SELECT nothing", "INSERT INTO tags (nothing) VALUES (1)"):
        with pytest.raises(klaviyo_sql.ProgrammingError):
            writing.execute(wrong)
    writing.commit()
    assert outcomes(writing) == [("INSERT", "tags", "done")]


def test_failed_rows_can_be_exported(open_writing: OpenWriting) -> None:
    connection = open_writing(on_error="continue", autocommit=True)
    (known,) = connection.execute("SELECT email FROM profiles WHERE email IS NOT NULL LIMIT 1").fetchone() or ("",)
    with pytest.raises(klaviyo_sql.WriteFailed) as failed:
        connection.executemany(INSERT, [("first@example.com",), (known,), ("last@example.com",)])
    assert (failed.value.done, failed.value.failed) == (2, 1)
    assert connection.execute("SELECT row FROM klaviyo_writes WHERE status = 'failed'").fetchall() == [(f'{{"email":"{known}"}}',)]
    assert [change.named for change in connection.writer.log if change.error] == [{"email": known}]


def test_plans_are_what_commit_sends(writing: klaviyo_sql.Connection) -> None:
    assert writing.planned() == []
    writing.executemany(INSERT, PEOPLE)
    (request,) = writing.planned()
    assert (request.method, request.path) == ("POST", "/api/profile-bulk-import-jobs")
    assert sent(writing) == []
    writing.commit()
    assert writing.planned() == []
    assert written(writing) == [f"{request.method} {request.path}"]


def test_progress_is_told(open_writing: OpenWriting) -> None:
    connection = open_writing(autocommit=True)
    told: list[Progress] = []
    connection.writer.progress = told.append
    connection.execute("INSERT INTO tags (name) VALUES ('a'), ('b'), ('c')")
    assert told == [Progress(3, answered) for answered in range(4)]
    told.clear()
    connection.executemany(INSERT, PEOPLE)
    assert told[:3] == [Progress(1), Progress(1, 1), Progress(1, 1, 1)]
    assert {progress.jobs for progress in told[2:]} == {1}


@pytest.mark.parametrize("parallel", [1, 4])
def test_interrupted_by_hand_it_is_told_what_was_sent(open_writing: OpenWriting, monkeypatch: pytest.MonkeyPatch, parallel: int) -> None:
    connection = open_writing(autocommit=True, parallel=parallel)
    whole = Client.send
    calls = iter(range(100))

    def interrupted(client: Client, *given: object, **more: object) -> object:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return whole(client, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Client, "send", interrupted)
    with pytest.raises(KeyboardInterrupt):
        connection.execute("INSERT INTO tags (name) VALUES ('a'), ('b'), ('c'), ('d'), ('e'), ('f')")
    statuses = [status for _, _, status in outcomes(connection)]
    assert statuses.count("unknown") == 1
    assert statuses.count("done") == sum(record.method == "POST" for record in sandbox_of(connection).requests)
    assert set(statuses) <= {"done", "unknown", "not sent"}
    assert not connection.in_transaction


# explain


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO profiles (email, location_city) VALUES ('new@example.com', 'Bern'), ('other@example.com', 'Biel')",
        "UPDATE lists SET name = 'B' WHERE id = {list}",
        "DELETE FROM lists WHERE id = {list}",
        "INSERT INTO list_profiles (list_id, profile_id) VALUES ({list}, {profile})",
        "DELETE FROM list_profiles WHERE list_id = {list} AND profile_id = {profile}",
        "INSERT INTO skyvia.Tags (Name) VALUES ('new')",
    ],
)
def test_what_is_foretold_is_sent(open_writing: OpenWriting, sql: str) -> None:
    connection = open_writing(autocommit=True)
    account = sandbox_of(connection).account
    sql = sql.format(list=f"'{next(iter(account.lists))}'", profile=f"'{next(iter(account.profiles))}'")
    explanation = explain(connection, sql)
    assert sandbox_of(connection).requests == []
    assert list(connection.writer.log) == []
    foretold = [f"{request.method} {request.path}" for one in explanation.writes for request in one.requests]
    assert explanation.least == len(foretold)
    connection.execute(sql)
    assert [f"{record.method} {record.path}" for record in connection.requests] == foretold


def test_rows_that_have_to_be_read_are_foretold_by_their_ways(writing: klaviyo_sql.Connection) -> None:
    explanation = explain(writing, "INSERT OR REPLACE INTO profiles (email) SELECT email FROM profiles WHERE created > '2026-01-01'")
    assert [step.table for step in explanation.steps] == ["profiles"]
    (one,) = explanation.writes
    assert (one.table, one.kind, one.requests) == ("profiles", "INSERT", ())
    assert one.ways[0].startswith("POST /api/profile-bulk-import-jobs: one request for up to 10,000 rows and 5 MB, from 10 rows on")
    assert one.ways[1] == "POST /api/profile-import: one request a row, for fewer rows"
    assert "which rows is known when they are read" in str(explanation)
    assert sandbox_of(writing).requests == []


def test_explain_takes_back_what_it_rehearses(writing: klaviyo_sql.Connection) -> None:
    writing.execute("INSERT INTO tags (name) VALUES ('waits')")
    explain(writing, "INSERT INTO tags (name) VALUES ('rehearsed')")
    assert [request.body for request in writing.planned()] == [{"data": {"type": "tag", "attributes": {"name": "waits"}}}]
    writing.commit()
    assert outcomes(writing) == [("INSERT", "tags", "done")]


def test_ids_that_are_looked_up_are_foretold(writing: klaviyo_sql.Connection) -> None:
    explanation = explain(writing, "INSERT INTO events (metric_id, profile_email) VALUES ('ABCDEF', 'a@example.com')")
    assert explanation.least == 2
    assert str(explanation).startswith("metrics is asked for ABCDEF\nINSERT of events: 1 request\n   POST /api/events\n")
    assert sandbox_of(writing).requests == []


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("DELETE FROM lists", "without a WHERE"),
        ("DELETE FROM profiles WHERE id = 'X'", "request_profile_deletion"),
        ("INSERT INTO profiles (email) VALUES ('no email')", "email takes an email address"),
        ("UPDATE profiles SET created = '2026-01-01' WHERE id = 'X'", "created cannot be changed"),
    ],
)
def test_what_would_be_refused_is_refused_by_explain(writing: klaviyo_sql.Connection, sql: str, sentence: str) -> None:
    with pytest.raises(klaviyo_sql.Error, match=sentence):
        explain(writing, sql)
    assert sandbox_of(writing).requests == []
    assert writing.planned() == []


def test_a_connection_that_only_reads_explains_what_a_statement_would_read(open_writing: OpenWriting) -> None:
    connection = open_writing(write=False)
    explanation = explain(connection, "UPDATE lists SET name = 'B' WHERE name = 'A'")
    assert [one.ways for one in explanation.writes] == [("PATCH /api/lists/{id}: one request a row",)]
    assert sandbox_of(connection).requests == []


def test_a_failure_of_the_machine_leaves_no_row_that_was_sent_as_not_sent(open_writing: OpenWriting, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = open_writing(autocommit=True, parallel=4)
    whole = Client.send
    calls = iter(range(100))

    def failing(client: Client, *given: object, **more: object) -> object:
        reply = whole(client, *given, **more)  # type: ignore[arg-type]
        if next(calls) == 0:
            raise OSError(28, "No space left on device")
        return reply

    monkeypatch.setattr(Client, "send", failing)
    with pytest.raises(OSError, match="No space left"):
        connection.execute("INSERT INTO tags (name) VALUES ('a'), ('b'), ('c'), ('d'), ('e'), ('f')")
    statuses = [status for _, _, status in outcomes(connection)]
    sent_rows = sum(record.method == "POST" for record in sandbox_of(connection).requests)
    assert statuses.count("done") + statuses.count("unknown") >= sent_rows
    assert "unknown" in statuses
