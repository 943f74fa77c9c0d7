"""klaviyo-sql query and explain with statements that write: what is sent, what is said, and how it ends."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest

import klaviyo_sql
from klaviyo_sql.cli.progress import Progress as Line
from klaviyo_sql.cli.written import Writing
from klaviyo_sql.fetch.client import Client
from klaviyo_sql.fetch.log import RequestLog
from klaviyo_sql.sandbox import Sandbox
from klaviyo_sql.writer import Progress

from .conftest import Run
from .writing_account import emails, known_email, own, writes  # noqa: F401 - a fixture

TWO = "INSERT INTO profiles (email) VALUES ('new1@example.com'), ('new2@example.com')"


def test_a_write_is_committed_and_summed_up(run: Run, own: Sandbox) -> None:  # noqa: F811
    ended = run("query", "--sandbox", "--write", TWO)
    assert (ended.code, ended.out, ended.err) == (0, "", "profiles: 2 rows inserted.\n2 writing requests.\n")
    assert {"new1@example.com", "new2@example.com"} <= emails(own)


def test_jobs_are_told(run: Run, own: Sandbox) -> None:  # noqa: F811
    rows = ", ".join(f"('new{number}@example.com')" for number in range(12))
    ended = run("query", "--sandbox", "--write", f"INSERT INTO profiles (email) VALUES {rows}")
    assert (ended.code, ended.err) == (0, "profiles: 12 rows inserted.\n1 writing request, 1 bulk job.\n")
    assert writes(own) == ["POST /api/profile-bulk-import-jobs"]
    later = run("query", "--sandbox", "--write", "--job-timeout", "0", f"INSERT INTO profiles (email) VALUES {rows}")
    assert later.err.startswith("profiles: 12 accepted, which Klaviyo carries out later.\n")


def test_a_script_with_transactions(run: Run, own: Sandbox) -> None:  # noqa: F811
    script = "BEGIN; INSERT INTO tags (name) VALUES ('a'); INSERT INTO tags (name) VALUES ('b'); COMMIT; SELECT kind, status FROM klaviyo_writes"
    ended = run("query", "--sandbox", "--write", "--format", "csv", script)
    assert (ended.code, ended.out) == (0, "kind,status\r\nINSERT,done\r\nINSERT,done\r\n")
    assert ended.err == "tags: 2 rows inserted.\n2 writing requests.\n"
    undone = run("query", "--sandbox", "--write", "BEGIN; INSERT INTO tags (name) VALUES ('c'); ROLLBACK")
    assert (undone.code, undone.err) == (0, "")
    assert len(writes(own)) == 2


@pytest.mark.parametrize(
    ("options", "script", "code", "sentence"),
    [
        ((), TWO, 1, "--write"),
        (("--write",), f"BEGIN; {TWO}", 2, "begins a transaction and does not end it"),
        (("--write",), f"BEGIN; {TWO}; SELECT nothing; COMMIT", 2, "The transaction was not committed: nothing of it was sent."),
        (("--write",), "DELETE FROM lists", 2, "without a WHERE"),
        (("--write", "--max-writes", "1"), "DELETE FROM list_profiles WHERE list_id = 'A' AND profile_id IN ('a', 'b')", 2, "--max-writes 2"),
        (("--write",), "INSERT INTO profiles (email) VALUES ('no email')", 1, "takes an email address"),
        (("--write", "--audit-file", "/nowhere/audit"), TWO, 1, "The audit file '/nowhere/audit' cannot be written to"),
        (("--dry-run",), TWO, 0, ""),
    ],
)
def test_what_is_refused_sends_nothing(run: Run, own: Sandbox, options: tuple[str, ...], script: str, code: int, sentence: str) -> None:  # noqa: F811
    ended = run("query", "--sandbox", *options, script)
    assert ended.code == code
    assert sentence in ended.err
    assert writes(own) == []


def test_a_dry_run_prints_the_requests(run: Run, own: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    sql = "INSERT INTO profiles (email, location_city) VALUES ('new@example.com', 'Zürich')"
    ended = run("query", "--sandbox", "--dry-run", sql)
    first, _, body = ended.out.partition("\n")
    assert (ended.code, ended.err, first) == (0, "", "POST /api/profiles")
    assert json.loads(body) == {"data": {"type": "profile", "attributes": {"email": "new@example.com", "location": {"city": "Zürich"}}}}
    assert '\n      "email": "new@example.com",\n' in body
    monkeypatch.setenv("KLAVIYO_SQL_DRY_RUN", "1")
    assert run("query", "--sandbox", "--write", sql).out == ended.out
    assert own.requests == []


def test_a_part_that_failed(run: Run, own: Sandbox) -> None:  # noqa: F811
    known = known_email(own)
    sql = f"INSERT INTO profiles (email) VALUES ('new1@example.com'), ('{known}'), ('new2@example.com')"
    stopped = run("query", "--sandbox", "--write", f"{sql}; SELECT 1 AS one")
    assert (stopped.code, stopped.out) == (1, "")
    assert stopped.err.startswith("profiles: 1 row inserted, 1 failed, 1 not sent.\n  1 row: Klaviyo refuses create_profile")
    assert "2 writing requests.\n" in stopped.err
    assert "klaviyo-sql: 1 of 3 rows were written and stay written, for Klaviyo has no transactions; 1 failed, 1 not sent." in stopped.err
    assert "new2@example.com" not in emails(own)


def test_failures_are_no_end_when_the_rest_is_to_go_on(run: Run, own: Sandbox) -> None:  # noqa: F811
    known = known_email(own)
    script = f"INSERT INTO profiles (email) VALUES ('{known}'), ('new@example.com'); SELECT row FROM klaviyo_writes WHERE status = 'failed'"
    ended = run("query", "--sandbox", "--write", "--on-error", "continue", "--format", "jsonl", script)
    assert ended.code == 1
    assert json.loads(json.loads(ended.out)["row"]) == {"email": known}
    assert "new@example.com" in emails(own)


def test_every_write_is_noted(run: Run, own: Sandbox, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "audit.jsonl"
    assert run("query", "--sandbox", "--write", "--audit-file", str(path), TWO).code == 0
    assert [json.loads(line)["path"] for line in path.read_text(encoding="utf-8").splitlines()] == ["/api/profiles", "/api/profiles"]


def test_stopped_by_hand_it_says_what_was_sent(run: Run, own: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    whole = Client.send
    calls = iter(range(10))

    def interrupted(client: Client, *given: object, **more: object) -> object:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return whole(client, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Client, "send", interrupted)
    ended = run("query", "--sandbox", "--write", "INSERT INTO tags (name) VALUES ('a'), ('b'), ('c')")
    assert ended.code == 130
    assert ended.err.startswith("tags: 1 row inserted, 1 sent, and nobody knows whether they were written, 1 not sent.\n")
    assert ended.err.endswith("klaviyo-sql: stopped.\n")
    assert writes(own) == ["POST /api/tags"]


@pytest.mark.parametrize("options", [("--max-writes", "-1"), ("--on-error", "ask"), ("--job-timeout", "-1"), ("--job-timeout", "nan")])
def test_options_that_make_no_sense(run: Run, options: tuple[str, str]) -> None:
    ended = run("query", "SELECT 1", *options)
    assert ended.code == 2
    assert options[0] in ended.err


def test_explain_shows_bodies_and_sends_nothing(run: Run, own: Sandbox) -> None:  # noqa: F811
    ended = run("explain", "--sandbox", "UPDATE lists SET name = 'B' WHERE id = 'ABCDEF'; BEGIN; COMMIT")
    assert ended.code == 0
    assert ended.out.startswith(
        "└─ lists: once\n      no request: its rows are named by their key\nUPDATE of lists: 1 request\n   PATCH /api/lists/ABCDEF\n   {\n"
    )
    (found,) = json.loads(run("explain", "--sandbox", "--format", "json", "DELETE FROM tags WHERE id = 'ABCDEF'").out)
    assert [(one["kind"], request["method"], request["path"]) for one in found["writes"] for request in one["requests"]] == [
        ("DELETE", "DELETE", "/api/tags/ABCDEF")
    ]
    refused = run("explain", "--sandbox", "DELETE FROM lists")
    assert (refused.code, refused.out) == (2, "")
    assert own.requests == []


def test_explain_cuts_long_bodies(run: Run, own: Sandbox) -> None:  # noqa: F811
    rows = ", ".join(f"('new{number}@example.com')" for number in range(500))
    ended = run("explain", "--sandbox", f"INSERT INTO profiles (email) VALUES {rows}")
    assert len(ended.out.splitlines()) < 50
    assert " more lines\n" in ended.out
    assert own.requests == []


def test_the_line_of_progress_tells_of_requests_and_jobs(own: Sandbox) -> None:  # noqa: F811
    with klaviyo_sql.connect(":memory:", sandbox=True, write=True, autocommit=True) as connection:
        writing = Writing(connection)
        assert writing.progress() == ""
        told: list[str] = []
        note = connection.writer.progress
        assert note is not None

        def tell(progress: Progress) -> None:
            note(progress)
            told.append(writing.progress())

        connection.writer.progress = tell
        connection.executemany("INSERT INTO profiles (email) VALUES (?)", [(f"new{number}@example.com",) for number in range(12)])
    assert told[:3] == ["0 of 1 request answered", "1 of 1 request answered", "1 of 1 request answered, 0 of 1 bulk job done"]


def test_the_line_of_progress_shows_what_is_being_written() -> None:
    stream = _Terminal()
    with Line(RequestLog(), stream, patience=0, interval=0.001) as progress:
        progress.note = lambda: "3 of 10 requests answered"
        while "3 of 10" not in stream.getvalue():
            time.sleep(0.001)
    assert "3 of 10 requests answered, 0 s" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True
