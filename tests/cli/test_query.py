"""klaviyo-sql query: what goes in, what comes out, and how it ends when something is wrong."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from klaviyo_sql.cli.parameters import value
from klaviyo_sql.cli.statements import split
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Fault, Sandbox, generate, serve

from .conftest import Run, completed, started

FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "


# What comes out


def test_a_table_by_default(run: Run) -> None:
    ended = run("query", "SELECT 'Zoë' AS name, 2 AS orders, NULL AS value")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "name  orders  value\n────  ──────  ─────\nZoë        2  NULL\n"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("csv", 'a,b\r\n1,"x,y"\r\n,z\r\n'),
        ("json", '[\n{"a":1,"b":"x,y"},\n{"a":null,"b":"z"}\n]\n'),
        ("jsonl", '{"a":1,"b":"x,y"}\n{"a":null,"b":"z"}\n'),
        ("markdown", "| a | b |\n| ---: | --- |\n| 1 | x,y |\n|  | z |\n"),
    ],
)
def test_other_formats(run: Run, name: str, expected: str) -> None:
    assert run("query", "SELECT 1 AS a, 'x,y' AS b UNION ALL SELECT NULL, 'z'", "--format", name).out == expected


def test_the_account(run: Run, server: str, account: Account) -> None:
    ended = run("query", "SELECT id, email, properties FROM profiles ORDER BY id", "--format", "jsonl")
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert [(row["id"], row["email"]) for row in rows] == [(key, account.profiles[key]["attributes"]["email"]) for key in sorted(account.profiles)]
    assert all(isinstance(row["properties"], str) for row in rows)
    assert ended.err == ""


def test_several_statements(run: Run) -> None:
    script = "CREATE TABLE own (a); -- a table; with a comment\nINSERT INTO own VALUES ('x;y'), (NULL); SELECT a FROM own; SELECT count(*) AS n FROM own;"
    assert run("query", script).out == "a\n────\nx;y\nNULL\n\nn\n─\n2\n"
    assert run("query", script, "--format", "csv").out == 'a\r\nx;y\r\n""\r\n\r\nn\r\n2\r\n'
    assert run("query", script, "--format", "jsonl").out == '{"a":"x;y"}\n{"a":null}\n{"n":2}\n'


def test_statements_are_cut_where_sqlite_ends_them() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END;"
    assert list(split(f"{trigger} SELECT ';' /* ; */ ; -- ;\n;; SELECT \"a;b\"; /* end */")) == [trigger, "SELECT ';' /* ; */ ;", 'SELECT "a;b";']
    assert list(split("SELECT 'open; SELECT 2")) == ["SELECT 'open; SELECT 2"]
    assert list(split(" -- nothing\n /* * */ ; ")) == []


def test_standard_input(run: Run) -> None:
    sql = "\ufeffSELECT 'é' AS a".encode()
    assert run("query", "-", stdin=sql).out == run("query", stdin=sql).out == "a\n─\né\n"
    assert run("query", stdin=b"SELECT '\xff'").err == "klaviyo-sql: The SQL on standard input is not UTF-8.\n"
    assert run("query", stdin=b" -- nothing").code == 2


def test_parameters(run: Run) -> None:
    sql = "SELECT typeof(?1) AS a, ?1 AS b, typeof(?2) AS c, ?2 AS d"
    assert run("query", sql, "--param", "-5", "--param", "007", "--format", "csv").out == "a,b,c,d\r\ninteger,-5,text,007\r\n"
    assert run("query", "SELECT :a || :b AS c; SELECT :a AS a", "--param", "a=x=y", "--param", "b=", "--format", "jsonl").out == '{"c":"x=y"}\n{"a":"x=y"}\n'
    assert run("query", "SELECT ? AS a", "--param", "=a=b", "--format", "jsonl").out == '{"a":"a=b"}\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10", 10), ("-1.5", -1.5), ("1.50", "1.50"), ("007", "007"), ("+15551234", "+15551234"), ("1e5", "1e5"), ("9" * 19, "9" * 19), ("", ""), ("nan", "nan")],
)
def test_parameters_are_numbers_where_that_loses_nothing(text: str, expected: object) -> None:
    assert value(text) == expected
    assert type(value(text)) is type(expected)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("SELECT :a, ?", "--param", "a=1", "--param", "2"), "--param has values with and without a name"),
        (("SELECT 1; SELECT ?", "--param", "2"), "give their parameters names"),
        (("SELECT :a, :b", "--param", "a=1"), "no value is given for the parameter :b"),
    ],
)
def test_parameters_that_make_no_sense(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    ended = run("query", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err


def test_the_users_own_database(run: Run, server: str, account: Account, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    email = next(profile["attributes"]["email"] for profile in account.profiles.values() if profile["attributes"]["email"])
    script = "CREATE TABLE orders (email, total); INSERT INTO orders VALUES (:email, 12)"
    assert run("query", script, "--param", f"email={email}", "--database", str(path)).code == 0
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT * FROM orders").fetchall() == [(email, 12)]
    database.close()
    joined = run("query", "SELECT p.email, o.total FROM orders o JOIN profiles p ON p.email = o.email", "--database", str(path), "--format", "csv")
    assert joined.out == f"email,total\r\n{email},12\r\n"


def test_output_to_a_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    assert run("query", "SELECT 'é' AS a", "--format", "csv", "--output", str(path)).out == ""
    assert path.read_bytes() == "a\r\né\r\n".encode()
    assert run("query", "SELECT nothing", "--output", str(path)).code == 2
    assert path.read_bytes() == "a\r\né\r\n".encode(), "a query that fails at once leaves the file alone"
    assert run("query", "CREATE TABLE a (b)", "--output", str(path)).code == 0
    assert path.read_bytes() == b""


def test_output_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    ended = run("query", "SELECT 1", "--output", str(tmp_path / "missing" / "rows.csv"))
    assert ended.code == 1
    assert ended.err.startswith("klaviyo-sql: ")
    assert "rows.csv cannot be written or read" in ended.err


def test_width(run: Run) -> None:
    assert run("query", "SELECT 'a text that is too long for that' AS a", "--width", "12").out == "a\n────────────\na text that…\n"


def test_requests(run: Run, server: str) -> None:
    ended = run("query", "SELECT name FROM lists LIMIT 12", "--requests", "--format", "csv")
    assert len(ended.out.splitlines()) == 13
    head, _, first, second, last = ended.err.splitlines()
    assert head.split() == ["operation", "status", "ms", "waited", "ms", "rows", "cached"]
    for row, rows in ((first, 10), (second, 4)):
        operation, status, _, _, count, cached = row.split()
        assert (operation, status, cached) == ("get_lists", "200", "no")
        assert int(count) <= rows
    assert last == "2 requests"


def test_writing_needs_to_be_asked_for(run: Run, server: str, sandbox: Sandbox) -> None:
    before = len(sandbox.requests)
    ended = run("query", "INSERT INTO profiles (email) VALUES ('new@example.com')")
    assert ended.code == 1
    assert "--write" in ended.err
    assert len(sandbox.requests) == before


# Rows come while they are read


def test_the_first_rows_arrive_before_the_last_are_made() -> None:
    slow = FOREVER + "SELECT i FROM n"
    with started("query", slow, "--format", "csv") as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(3)] == [b"i\r\n", b"1\r\n", b"2\r\n"]
        process.stdout.close()
        assert process.wait(20) == 141
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_a_reader_that_goes_away_is_no_failure() -> None:
    command = f'"{sys.executable}" -m klaviyo_sql query "{FOREVER} SELECT i FROM n" --format jsonl | head -1'
    ended = subprocess.run(["/bin/sh", "-c", command], capture_output=True, timeout=30, cwd=Path(__file__).parents[2])
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b'{"i":1}\n', b"")


def test_stopped_by_hand() -> None:
    with started("query", f"SELECT 'first' AS a; {FOREVER} SELECT count(*) FROM n", "--format", "csv") as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == [b"a\r\n", b"first\r\n"]  # so the second statement is about to run, or does
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        out, err = process.stdout.read(), process.stderr.read()
        process.wait(20)
    assert (process.returncode, out, err) == (130, b"", b"klaviyo-sql: stopped.\n")


def test_stopped_by_hand_while_klaviyo_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(Sandbox(generate(profiles=3000, events=0), latency=1.0)) as url:
        monkeypatch.setenv("KLAVIYO_API_URL", url)
        monkeypatch.setenv("KLAVIYO_API_KEY", SANDBOX_KEY)
        with started("query", "SELECT email FROM profiles", "--format", "csv") as process:
            assert process.stdout is not None
            assert process.stderr is not None
            rows = [process.stdout.readline() for _ in range(60)]
            process.send_signal(signal.SIGINT)  # many pages are still to come
            err = process.stderr.read()
            process.wait(20)
    assert (process.returncode, err) == (130, b"klaviyo-sql: stopped.\n")
    assert rows[0] == b"email\r\n"
    assert all(row.endswith(b"\r\n") for row in rows), "the rows until then are written"


def test_a_table_that_was_being_made_when_it_was_stopped(account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sandbox = Sandbox(account, limits=False)
    sandbox.faults.add(Fault("throttle", nth=3, times=None, retry_after=90))
    with serve(sandbox) as url:
        monkeypatch.setenv("KLAVIYO_API_URL", url)
        monkeypatch.setenv("KLAVIYO_API_KEY", SANDBOX_KEY)
        with started("query", "CREATE TABLE kept AS SELECT email FROM profiles", "--database", str(tmp_path / "own.db")) as process:
            while len(sandbox.requests) < 3 and process.poll() is None:
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"klaviyo-sql: stopped.\n")
    with sqlite3.connect(tmp_path / "own.db") as own:
        assert own.execute("SELECT name FROM sqlite_master").fetchall() == []
    own.close()


# Bounds


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (("--max-requests", "2"), "max_requests is 2"),
        (("--max-rows", "150"), "max_rows is 150"),
        (("--statement-timeout", "0.001"), "statement_timeout is 0.001 s"),
    ],
)
def test_bounds(run: Run, server: str, option: tuple[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run("query", "SELECT count(*) FROM profiles WHERE first_name <> 'x'", *option)
    assert (ended.code, ended.out) == (1, "")
    assert sentence in ended.err
    assert "Add a LIMIT, or raise" in ended.err or "add a LIMIT, or raise" in ended.err
    monkeypatch.setenv(f"KLAVIYO_SQL_{option[0][2:].replace('-', '_').upper()}", option[1])
    assert sentence in run("query", "SELECT count(*) FROM profiles WHERE first_name <> 'x'").err


@pytest.mark.parametrize("option", [("--max-requests", "0"), ("--max-rows", "x"), ("--statement-timeout", "-1")])
def test_bounds_that_make_no_sense(run: Run, option: tuple[str, str]) -> None:
    ended = run("query", "SELECT 1", *option)
    assert ended.code == 2
    assert option[0] in ended.err


# What goes wrong


def test_no_key(run: Run) -> None:
    ended = run("query", "SELECT * FROM lists")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "klaviyo-sql: There is no Klaviyo API key: set the environment variable KLAVIYO_API_KEY, or name a file that holds it with --key-file. "
        "With --sandbox the query runs on a built-in account instead.\n"
    )


def test_no_key_is_needed_where_klaviyo_is_not_asked(run: Run) -> None:
    assert run("query", "SELECT count(*) > 5 AS many FROM klaviyo_tables", "--format", "csv").out == "many\r\n1\r\n"


@pytest.mark.parametrize("more", [(), ("--debug",)])
def test_a_wrong_key(run: Run, server: str, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]) -> None:
    monkeypatch.setenv("KLAVIYO_API_KEY", "pk_this_is_wrong")
    ended = run("query", "SELECT * FROM lists", *more)
    assert (ended.code, ended.out) == (1, "")
    assert "klaviyo-sql: Klaviyo does not accept the API key (401)." in ended.err
    assert "this_is_wrong" not in ended.err
    assert ("Traceback" in ended.err) is bool(more)


def test_a_key_file(run: Run, server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KLAVIYO_API_KEY")
    path = tmp_path / "key"
    path.write_text(f"{SANDBOX_KEY}\n", encoding="utf-8")
    assert run("query", "SELECT id FROM accounts", "--key-file", str(path)).code == 0
    ended = run("query", "SELECT id FROM accounts", "--key-file", str(tmp_path / "none"))
    assert ended.code == 2
    assert "none cannot be read: No such file or directory." in ended.err


def test_no_server(run: Run, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLAVIYO_API_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(threading.Event, "wait", lambda self, timeout=None: None)
    ended = run("query", "SELECT * FROM lists")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("klaviyo-sql: Klaviyo cannot be reached at 127.0.0.1:9")


def test_an_address_that_would_show_the_key(run: Run, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLAVIYO_API_URL", "http://example.com")
    assert run("query", "SELECT 1").err.startswith("klaviyo-sql: KLAVIYO_API_URL must be https")


@pytest.mark.parametrize(
    ("sql", "code", "sentence"),
    [
        ("SELECT * FROM profile", 2, "There is no table profile. Did you mean profiles"),
        ("SELECT emial FROM profiles", 2, "There is no column emial. Did you mean email"),
        ("SELEC 1", 2, 'near "SELEC": syntax error'),
        ("SELECT 'open", 2, "unrecognized token"),
        ("SELECT * FROM events WHERE datetime > 'yesterday'", 1, "is compared with 'yesterday'"),
        ("SELECT ?", 2, ""),
        ("\0", 2, "NUL"),
        ("", 2, "The SQL is empty"),
    ],
)
def test_queries_that_make_no_sense(run: Run, server: str, sql: str, code: int, sentence: str) -> None:
    ended = run("query", sql)
    assert (ended.code, ended.out) == (code, "")
    assert sentence in ended.err
    assert ended.err.startswith("klaviyo-sql: ")
    assert ended.err.count("\n") == 1


def test_rows_before_a_failure_are_written(run: Run) -> None:
    ended = run("query", "SELECT 1 AS a; SELECT b", "--format", "csv")
    assert (ended.code, ended.out) == (2, "a\r\n1\r\n")


def test_a_sentence_holds_no_control_characters(run: Run) -> None:
    assert "\x1b" not in run("query", 'SELECT * FROM "a\x1b[2J"').err


# The program itself


def test_the_real_command(server: str) -> None:
    ended = completed("query", "--format", "csv", stdin=b"SELECT name FROM lists WHERE name LIKE '%code%'")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "name\r\nÜnïcode Freunde 🎉\r\n"


def test_pipes_are_utf8_whatever_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert completed("query", "SELECT 'é' AS a", "--format", "csv").out == "a\r\né\r\n"


def test_a_full_disk() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as full, started("query", "SELECT 1", stdout=full) as process:
        _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert err == b"klaviyo-sql: the output cannot be written or read: No space left on device.\n"
