"""Procedures in any program's SQLite: what they send, what is refused, and what they say when a call goes wrong half-way."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from procedures.test_guards import REFUSED

import klaviyo_sql
from klaviyo_sql import errors
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.procedures import PROCEDURES, SUBJECTS
from klaviyo_sql.sandbox import Sandbox, generate
from klaviyo_sql.sandbox.entitlements import CONVERSATIONS, DEFAULT, WEBHOOKS
from klaviyo_sql.statements.calls import rewritten
from tests.conftest import NOW, TODAY

from .conftest import Extension
from .gated import GatedSandbox
from .host import Host
from .programs import PATIENCE, Program, is_running, until
from .test_writes import rows, sent

Open = Callable[..., Host]
Start = Callable[..., Program]
NUMBERS = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {})"


@pytest.fixture
def open_twin() -> Iterator[Callable[..., klaviyo_sql.Connection]]:
    """Opens connections of the package's own to an account that is the same as that of the connections here."""
    twins: list[klaviyo_sql.Connection] = []

    def open_one(**settings: Any) -> klaviyo_sql.Connection:
        sandbox = Sandbox(generate(seed=11, today=TODAY, profiles=60, events=400), clock=SimulatedClock(NOW), entitlements=(*DEFAULT, WEBHOOKS, CONVERSATIONS))
        twins.append(opened(":memory:", sandbox=sandbox, **{"write": True, "config": False, "autocommit": True, "cache_seconds": 0, **settings}))
        return twins[-1]

    yield open_one
    for twin in twins:
        twin.close()


@pytest.fixture
def ordered(extension: Extension, monkeypatch: pytest.MonkeyPatch) -> Extension:
    """What programs find when they may write, each connection to a small account of its own in which no time passes."""
    monkeypatch.setenv("KLAVIYO_SQL_WRITE", "1")
    extension.order("writing", write=True, cache_seconds=0)
    extension.requests.clear()
    return extension


def test_a_function_acts_and_tells(host: Host) -> None:
    template = rows(host, "SELECT id FROM templates LIMIT 1")[0][0]
    made = rows(host, "SELECT clone_template(?, 'Second try')", template)[0][0]
    assert rows(host, "SELECT name FROM templates WHERE id = ?", made) == [("Second try",)]
    assert rows(host, "SELECT last_insert_id()") == [(made,)]
    assert sent(host) == ["clone_template"]


def test_a_statement_that_runs_again_calls_again_and_the_same_call_in_one_is_made_once(host: Host) -> None:
    template = rows(host, "SELECT id FROM templates LIMIT 1")[0][0]
    made = [rows(host, "SELECT clone_template(?, 'again')", template)[0][0] for _ in range(3)]
    assert len(set(made)) == 3
    rows(host, "CREATE TABLE three (x)")
    rows(host, "INSERT INTO three VALUES (1), (2), (3)")
    found = rows(host, "SELECT clone_template(?, 'once'), x FROM three", template)
    assert len(found) == 3
    assert len({identifier for identifier, _ in found}) == 1
    assert sent(host) == ["clone_template"] * 4


def test_a_function_returns_a_table(host: Host) -> None:
    assert rows(host, 'SELECT status, rows, operation FROM suppress_profiles(\'["a@example.org", "b@example.org"]\')') == [
        ("done", 2, "bulk_suppress_profiles")
    ]
    assert rows(host, "SELECT kind, table_name, status FROM klaviyo_writes") == [("CALL", "suppress_profiles", "done")] * 2
    assert rows(host, "SELECT rows, emails FROM SuppressProfiles WHERE emails = 'c@example.org'") == [(1, "c@example.org")]


def test_an_aggregate_gathers(host: Host) -> None:
    assert rows(host, "SELECT suppress_profiles(email) FROM profiles WHERE email IS NOT NULL")[0][0].startswith('{"rows":')
    assert sent(host) == ["bulk_suppress_profiles"]


# The same as in the package's own connections


def _without_ids(found: list[tuple[Any, ...]], columns: list[str]) -> list[tuple[Any, ...]]:
    """The rows but for what is new each time."""
    return [tuple(value if name not in ("id", "job") else value is not None for name, value in zip(columns, row, strict=True)) for row in found]


def _both(host: Host, twin: klaviyo_sql.Connection, sql: str) -> None:
    """Carry out a statement on both: the rows are the same, and the requests."""
    before, twins = len(list(host.sandbox.requests)), len(twin.requests)
    cursor = twin.execute(sql)
    expected, columns = cursor.fetchall(), [column[0] for column in cursor.description or ()]
    assert _without_ids(rows(host, rewritten(sql)), columns) == _without_ids(expected, columns), sql
    made = [record.operation for record in list(host.sandbox.requests)[before:]]
    assert made == [record.operation for record in list(twin.requests)[twins:]], sql


def test_every_procedure_sends_and_returns_what_it_does_in_a_connection(
    open_writing: Open, open_twin: Callable[..., klaviyo_sql.Connection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    host, twin = open_writing(), open_twin()
    for procedure in [found for subject in SUBJECTS.values() for found in subject]:
        _both(host, twin, procedure.example.rstrip(";").replace("'picture.png'", f"'{tmp_path / 'picture.png'}'"))


COUNTED = [
    f"{NUMBERS.format(1000)} SELECT suppress_profiles('p' || n || '@example.org') FROM accounts, n",
    "SELECT suppress_profiles('a@example.org, b@example.org') AS told",
    f"SELECT rows FROM suppress_profiles((SELECT json_group_array('p' || n || '@example.org') FROM ({NUMBERS.format(250)} SELECT n FROM n)))",
    f"{NUMBERS.format(250)} SELECT rows FROM suppress_profiles WHERE emails = (SELECT json_group_array('p' || n || '@example.org') FROM n)",
    "SELECT tag_id, tag_campaigns(tag_id, campaign_id) FROM campaign_tags GROUP BY tag_id",
    "SELECT suppress_profiles(email) FROM profiles WHERE email = 'nobody@example.org'",
    "SELECT suppress_profiles(email), count(*) FROM profiles",
    "SELECT suppress_profiles(email) FROM profiles HAVING count(*) > 1000",
    "SELECT suppress_profiles(email) FROM profiles WHERE false",
    "SELECT suppress_profiles(NULL) FROM accounts",
    "SELECT p.rows, l.name FROM (SELECT id, name FROM lists LIMIT 3) AS l, suppress_profiles AS p WHERE p.list_id = l.id",
    "SELECT count(clone_template(id, 'x')) FROM (SELECT id FROM templates LIMIT 2)",
    "SELECT (SELECT suppress_profiles(email) FROM profiles WHERE email IS NOT NULL) AS told",
    "SELECT length(made.html) > 0 FROM templates, render_template AS made WHERE made.template_id = templates.id LIMIT 2",
]


@pytest.mark.parametrize("sql", COUNTED)
def test_a_statement_takes_as_many_requests_as_in_a_connection(sql: str, host: Host, open_twin: Callable[..., klaviyo_sql.Connection]) -> None:
    _both(host, open_twin(), sql)


def test_what_makes_no_sense_is_refused_in_the_same_words(host: Host, open_twin: Callable[..., klaviyo_sql.Connection]) -> None:
    twin, count = open_twin(), 0
    for sql, _ in REFUSED:
        try:
            select = rewritten(sql)
        except errors.ProgrammingError:
            continue  # refused before SQLite reads it, which is nothing that there is here
        if "unsuppress" in sql or "FROM (SELECT 'A'" in sql:
            continue
        with pytest.raises(errors.Error) as expected:
            twin.execute(sql).fetchall()
        with pytest.raises(apsw.Error) as said:
            rows(host, select)
        assert str(expected.value) in str(said.value), sql
        count += 1
    assert count > 35
    assert not list(host.sandbox.requests)
    assert rows(host, "SELECT count(*) FROM klaviyo_writes") == [(0,)]


def test_a_dry_run_shows_the_requests_and_sends_none(open_writing: Open, open_twin: Callable[..., klaviyo_sql.Connection]) -> None:
    host, twin = open_writing(dry_run=True), open_twin(dry_run=True)
    for sql in (
        "SELECT suppress_profiles('a@example.com') AS told",
        "SELECT * FROM suppress_profiles('a@example.com')",
        "SELECT clone_template('T', 'x') AS told",
        "SELECT suppress_profiles(email) AS told FROM profiles",
    ):
        _both(host, twin, sql)
    assert sent(host) == []


def test_the_audit_file_has_the_calls(open_writing: Open, tmp_path: Path) -> None:
    host = open_writing(audit_file=str(tmp_path / "audit.jsonl"))
    rows(host, "SELECT suppress_profiles('a@example.com')")
    assert "bulk_suppress_profiles" in (tmp_path / "audit.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (2**63 - 1, "9223372036854775807"),
        (-(2**63), "-9223372036854775808"),
        (0.1, "0.1"),
        (1e300, "1e300"),
        ('it\'s "so" ☃', None),
        (True, "1"),
    ],
)
def test_values_arrive_as_they_are(open_writing: Open, value: Any, told: str | None) -> None:
    host = open_writing(dry_run=True)
    body = rows(host, "SELECT request FROM create_event WHERE metric_name = 'Visited' AND email = 'a@example.com' AND properties = json_object('x', ?)", value)[
        0
    ][0]
    if told is not None:
        assert f'"x":{told}' in body or f'"x":{told.replace("e", "e+")}' in body
    else:
        assert json.dumps({"x": value}, separators=(",", ":")) in body


# What is refused


def test_a_connection_that_is_read_only_refuses_every_procedure(open_host: Open) -> None:
    host = open_host("writing")
    for name in [name for procedure in PROCEDURES.values() if not procedure.reads for name in procedure.names]:
        with pytest.raises(apsw.ReadOnlyError, match="KLAVIYO_SQL_WRITE=1"):
            rows(host, f"SELECT {name}('A')")
        for sql in (f"SELECT * FROM {name}('A')", f"SELECT x.status FROM profiles, {name} AS x WHERE x.status = profiles.id"):
            with pytest.raises(apsw.Error, match="KLAVIYO_SQL_WRITE=1"):
                rows(host, sql)
    assert not list(host.sandbox.requests)


def test_a_connection_that_is_read_only_asks(open_host: Open) -> None:
    host = open_host("writing")
    template = rows(host, "SELECT id FROM templates LIMIT 1")[0][0]
    assert rows(host, "SELECT status FROM render_template(?)", template) == [("done",)]
    assert rows(host, "SELECT length(render_template(?)) > 0", template) == [(1,)]


@pytest.mark.parametrize(
    "what", ["SELECT suppress_profiles('a@example.com')", "SELECT clone_template('T')", "SELECT * FROM suppress_profiles('a@example.com')"]
)
def test_no_view_no_trigger_and_no_column_acts(what: str, host: Host) -> None:
    rows(host, f"CREATE VIEW v AS {what}")
    rows(host, "CREATE TABLE t (x)")
    with pytest.raises(apsw.SQLError, match="unsafe use"):
        rows(host, "SELECT * FROM v")
    rows(host, f"CREATE TRIGGER g AFTER INSERT ON t BEGIN {what}; END")
    with pytest.raises(apsw.SQLError, match="unsafe use"):
        rows(host, "INSERT INTO t VALUES (1)")
    for column in ("DEFAULT (clone_template('T'))", "AS (clone_template('T'))", "CHECK (clone_template('T'))"):
        with pytest.raises(apsw.SQLError, match=r"unsafe use|non-deterministic|prohibited"):
            host.executescript(f"CREATE TABLE u (x, y {column}); INSERT INTO u (x) VALUES (1)")
        rows(host, "DROP TABLE IF EXISTS u")
    assert not list(host.sandbox.requests)


def test_rows_that_wait_for_commit_come_first(host: Host) -> None:
    rows(host, "BEGIN")
    rows(host, "INSERT INTO lists (name) VALUES ('new')")
    for sql in ("SELECT * FROM suppress_profiles('a@example.com')", "SELECT suppress_profiles('a@example.com')", "SELECT clone_template('T')"):
        with pytest.raises(apsw.SQLError, match="COMMIT or ROLLBACK first"):
            rows(host, sql)
    assert sent(host) == []
    rows(host, "COMMIT")
    rows(host, "SELECT suppress_profiles('a@example.com')")
    assert sent(host) == ["create_list", "bulk_suppress_profiles"]


def test_no_rollback_takes_a_call_back(host: Host) -> None:
    rows(host, "BEGIN")
    rows(host, "SAVEPOINT here")
    rows(host, "SELECT suppress_profiles('a@example.com')")
    assert sent(host) == ["bulk_suppress_profiles"]
    rows(host, "ROLLBACK TO here")
    rows(host, "INSERT INTO lists (name) VALUES ('gone')")
    rows(host, "ROLLBACK TO here")
    rows(host, "SELECT suppress_profiles('b@example.com')")
    rows(host, "ROLLBACK")
    assert sent(host) == ["bulk_suppress_profiles"] * 2


def test_what_takes_away_is_counted(open_writing: Open) -> None:
    host = open_writing(max_writes=3)
    for sql in (
        "SELECT * FROM suppress_profiles('a@example.com, b@example.com, c@example.com, d@example.com')",
        "SELECT suppress_profiles('a@example.com, b@example.com, c@example.com, d@example.com')",
        "SELECT suppress_profiles(value || '@example.com') FROM accounts, json_each('[1, 2, 3, 4]')",
    ):
        with pytest.raises(apsw.SQLError, match=r"4 rows.*KLAVIYO_SQL_MAX_WRITES=4"):
            rows(host, sql)
    assert sent(host) == []
    rows(host, "SELECT suppress_profiles('a@example.com, b@example.com, c@example.com')")
    assert sent(host) == ["bulk_suppress_profiles"]


# Aggregates that go wrong


def test_an_aggregate_whose_statement_fails_half_way_sends_nothing(host: Host) -> None:
    rows(host, "CREATE TABLE t (email, json)")
    rows(host, f"{NUMBERS.format(1200)} INSERT INTO t SELECT n || '@example.com', iif(n = 1100, '{{', '{{}}') FROM n")
    for _ in range(2):
        with pytest.raises(apsw.SQLError, match="malformed JSON"):
            rows(host, "SELECT suppress_profiles(t.email), sum(json_extract(json, '$.a')) FROM accounts, t")
    assert sent(host) == []
    assert rows(host, "SELECT count(*) FROM klaviyo_writes") == [(0,)]
    assert rows(host, "SELECT suppress_profiles(t.email) FROM accounts, t WHERE t.rowid < 3") == [('{"rows":2}',)]
    assert sent(host) == ["bulk_suppress_profiles"]


def test_an_aggregate_over_a_table_that_cannot_be_read_to_its_end_sends_nothing(open_writing: Open) -> None:
    host = open_writing(max_rows=10)
    with pytest.raises(apsw.SQLError, match="max_rows"):
        rows(host, "SELECT suppress_profiles(email) FROM profiles")
    assert sent(host) == []


def test_a_value_that_cannot_be_taken_keeps_the_whole_aggregate_back(host: Host) -> None:
    with pytest.raises(apsw.SQLError, match="'nobody'"):
        rows(host, 'SELECT suppress_profiles(value) FROM accounts, json_each(\'["a@example.com", "nobody"]\')')
    assert sent(host) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT suppress_profiles(email) FROM mine",
        "SELECT suppress_profiles(email) FROM mine GROUP BY email",
        "SELECT suppress_profiles('a@example.com'), json_extract('{', '$.a')",
        "SELECT suppress_profiles('a@example.com') FROM (SELECT 1)",
        "SELECT suppress_profiles('a@example.com') UNION ALL SELECT abs(-9223372036854775808)",
        "INSERT INTO mine SELECT suppress_profiles('a@example.com')",
    ],
)
def test_an_aggregate_of_which_nobody_knows_whether_it_failed_is_refused(host: Host, sql: str) -> None:
    rows(host, "CREATE TABLE mine (email)")
    rows(host, "INSERT INTO mine VALUES ('a@example.com'), ('b@example.com')")
    with pytest.raises(apsw.Error, match=r"needs a table of the account in its FROM here.*json_group_array"):
        rows(host, sql)
    assert not list(host.sandbox.requests)
    assert rows(host, "SELECT rows FROM suppress_profiles WHERE emails = (SELECT json_group_array(email) FROM mine)") == [(2,)]


def test_another_statement_that_is_under_way_does_not_stand_for_this_one(host: Host) -> None:
    rows(host, "CREATE TABLE mine (email)")
    rows(host, "INSERT INTO mine VALUES ('a@example.com'), ('b@example.com')")
    other = host.execute("SELECT id FROM profiles")
    next(other)
    for sql in ("SELECT suppress_profiles(email) FROM mine", "SELECT suppress_profiles(email) FROM profiles"):
        with pytest.raises(apsw.SQLError, match="needs a table of the account"):
            rows(host, sql)
    assert len(other.fetchall()) > 10
    assert sent(host) == []


# Whatever happens to processes


def test_a_worker_that_dies_during_a_call_leaves_it_unknown(program: Start, server: GatedSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLAVIYO_SQL_WRITE", "1")
    host = program("""
        connection = opened()
        for sql in (
            "SELECT suppress_profiles('a@example.com')",
            "SELECT create_event('Visited', NULL, 'a@example.com')",
            "SELECT status FROM suppress_profiles('a@example.com')",
        ):
            tell(pid=worker(connection))
            asked()
            try:
                rows(connection, sql)
                tell(said="nothing")
            except sqlite3.Error as error:
                tell(said=str(error))
        tell(count=rows(connection, "SELECT count(*) FROM lists")[0][0])
    """)
    for _ in range(3):
        server.gate.set()
        pid = host.told()["pid"]
        server.gate.clear()
        server.asked.clear()
        host.answer()
        assert server.asked.wait(PATIENCE)
        os.kill(pid, signal.SIGKILL)
        said = host.told()["said"]
        assert "the worker process ended during the statement" in said
        assert "Whether it was carried out, or a part of it, is not known: look in Klaviyo before you do it again." in said
    server.gate.set()
    assert host.told() == {"count": 14}
    host.ended()


def test_a_worker_that_died_before_a_call_has_sent_nothing(program: Start, ordered: Extension) -> None:
    host = program("""
        connection = opened()
        tell(pid=worker(connection))
        asked()
        for _ in range(2):
            try:
                tell(said=rows(connection, "SELECT status FROM suppress_profiles('a@example.com')"))
            except sqlite3.Error as error:
                tell(said=str(error))
    """)
    pid = host.told()["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_running(pid), "it is killed")
    host.answer()
    assert "The next statement starts another." in host.told()["said"]
    assert not list(ordered.requests)
    assert host.told() == {"said": [["done"]]}
    host.ended()


def test_an_interrupt_ends_a_call_and_says_what_became_of_it(program: Start, server: GatedSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLAVIYO_SQL_WRITE", "1")
    host = program("""
        connection = opened()
        emails = json.dumps([f"p{number}@example.com" for number in range(250)])
        tell(ready=True)

        def stop():
            asked()
            connection.interrupt()
            tell(interrupted=True)

        thread = threading.Thread(target=stop)
        thread.start()
        try:
            said = rows(connection, "SELECT * FROM suppress_profiles(?)", emails)
        except sqlite3.Error as error:
            said = str(error)
        thread.join()
        tell(said=said, statuses=rows(connection, "SELECT status, count(*), min(error) FROM klaviyo_writes GROUP BY 1"))
    """)
    server.gate.clear()
    host.told()
    assert server.asked.wait(PATIENCE)
    host.answer()
    assert host.told() == {"interrupted": True}
    server.gate.set()
    told = host.told()
    sent = sum(count for status, count, _ in told["statuses"] if status != "not sent")
    assert 100 <= sent <= 250
    assert told["said"] == f"The statement was interrupted. {sent} of 250 rows were sent, and klaviyo_writes tells what became of each."
    host.ended()


def test_a_fork_calls_nothing_on_what_it_inherited(program: Start, ordered: Extension) -> None:
    host = program("""
        connection = opened()
        worker(connection)
        child = os.fork()
        if not child:
            for sql in ("SELECT suppress_profiles('a@example.com')", "SELECT clone_template('T')", "SELECT * FROM suppress_profiles('a@example.com')"):
                try:
                    rows(connection, sql)
                    tell(said="nothing")
                except sqlite3.Error as error:
                    tell(said=str(error))
            os._exit(0)
        os.waitpid(child, 0)
        tell(found=rows(connection, "SELECT status FROM suppress_profiles('a@example.com')"))
    """)
    for _ in range(3):
        assert "belongs to the process that opened it" in host.told()["said"]
    assert host.told() == {"found": [["done"]]}
    host.ended()


def test_threads_call_on_connections_of_their_own(program: Start, ordered: Extension) -> None:
    host = program("""
        found = []

        def call(thread):
            connection = opened()
            for number in range(5):
                found.extend(rows(connection, "SELECT status, rows, emails FROM suppress_profiles(?)", f"t{thread}-{number}@example.com"))
            connection.close()

        threads = [threading.Thread(target=call, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tell(found=sorted(found))
    """)
    expected = sorted(["done", 1, f"t{thread}-{number}@example.com"] for thread in range(6) for number in range(5))
    assert host.told() == {"found": expected}
    host.ended()


def test_loading_starts_no_worker_and_the_first_call_does(program: Start, server: GatedSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLAVIYO_SQL_STATE_FOLDER", str(tmp_path / "state"))
    (tmp_path / "config.toml").write_text("", encoding="utf-8")
    monkeypatch.setenv("KLAVIYO_SQL_CONFIG", str(tmp_path / "config.toml"))
    host = program("""
        connection = opened()
        rows(connection, "SELECT 1")
        tell(log=os.path.exists(os.path.join(os.environ["KLAVIYO_SQL_STATE_FOLDER"], "extension.log")))
        try:
            rows(connection, "SELECT clone_template('T')")
            tell(said="nothing")
        except sqlite3.Error as error:
            tell(said=str(error))
        tell(log=os.path.exists(os.path.join(os.environ["KLAVIYO_SQL_STATE_FOLDER"], "extension.log")))
    """)
    assert host.told() == {"log": False}
    assert "read-only" in host.told()["said"]
    assert host.told() == {"log": True}
    host.ended()
    assert not server.asked.is_set()


def test_loading_starts_no_worker_where_writing_is_allowed(program: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLAVIYO_SQL_STATE_FOLDER", str(tmp_path / "state"))
    monkeypatch.setenv("KLAVIYO_SQL_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text("write = true\n", encoding="utf-8")
    host = program("""
        connection = opened()
        rows(connection, "SELECT 1")
        tell(log=os.path.exists(os.path.join(os.environ["KLAVIYO_SQL_STATE_FOLDER"], "extension.log")))
        tell(writes=rows(connection, "SELECT count(*) FROM klaviyo_writes"))
        tell(log=os.path.exists(os.path.join(os.environ["KLAVIYO_SQL_STATE_FOLDER"], "extension.log")))
    """)
    assert [host.told() for _ in range(3)] == [{"log": False}, {"writes": [[0]]}, {"log": True}]
    host.ended()
