"""klaviyo-sql itself: help, version, mistakes, what a terminal sees while it waits."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime

import pytest

from klaviyo_sql import __version__
from klaviyo_sql.cli import query
from klaviyo_sql.cli.arguments import parser
from klaviyo_sql.cli.progress import Progress
from klaviyo_sql.cli.terminal import look
from klaviyo_sql.fetch.log import RequestLog, RequestRecord

from .conftest import Run, completed

COMMANDS = ("query", "tables", "explain", "demo", "sandbox")


def test_version(run: Run) -> None:
    assert run("--version").out == completed("--version").out == f"klaviyo-sql {__version__}\n"


def test_help_teaches(run: Run) -> None:
    ended = run("--help")
    assert ended.code == 0
    for word in (*COMMANDS, "KLAVIYO_API_KEY", "KLAVIYO_API_URL", "KLAVIYO_SQL_WRITE", "--key-file", "130", "141"):
        assert word in ended.out
    assert run().code == 2
    assert run().err == ended.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(run: Run, command: str) -> None:
    ended = run(command, "--help")
    assert ended.code == 0
    assert f"examples:\n  klaviyo-sql {command}" in ended.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("quary",), "invalid choice"),
        (("query", "SELECT 1", "--formt", "csv"), "unrecognized arguments"),
        (("query", "SELECT 1", "--format", "xml"), "invalid choice: 'xml'"),
        (("query", "SELECT 1", "--width", "-1"), "invalid whole number value"),
        (("query", "SELECT 1", "--requ"), "unrecognized arguments: --requ"),
        (("SELECT name FROM lists",), 'SQL comes after the command query: klaviyo-sql query "SELECT …".'),
    ],
)
def test_mistakes(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("klaviyo-sql")
    assert sentence in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [("--api-key", "pk_secret"), ("--api-key=pk_secret",), ("--key", "pk_secret"), ("pk_secret",)])
def test_a_key_on_the_command_line_is_refused_and_not_repeated(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run("query", "SELECT 1", *arguments)
    assert ended.code == 2
    assert "pk_secret" not in ended.err
    assert "set KLAVIYO_API_KEY" in ended.err


def test_a_fault_of_its_own_is_a_sentence_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(arguments: object) -> int:
        raise ZeroDivisionError("pk_secret_key")

    monkeypatch.setattr(query, "run", broken)
    monkeypatch.setenv("KLAVIYO_API_KEY", "pk_secret_key")
    ended = run("query", "SELECT 1")
    assert ended.code == 1
    assert ended.err == "klaviyo-sql: klaviyo-sql itself is at fault (ZeroDivisionError: pk_…). Please report it with what --debug shows.\n"
    debugged = run("query", "SELECT 1", "--debug").err
    assert "Traceback" in debugged
    assert "pk_secret_key" not in debugged


def test_options_of_the_readme_are_known() -> None:
    arguments = parser().parse_args(["query", "-", "--sandbox", "--write", "--database", "a.db", "--param", "a=1", "--output", "b", "--requests"])
    assert (arguments.command, arguments.sql, arguments.format, arguments.param) == ("query", "-", "table", ["a=1"])


class Terminal(io.StringIO):
    """A stream that says that a person looks on."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def _log() -> RequestLog:
    log = RequestLog()
    for rows in (1000, 500):
        log.append(RequestRecord(datetime(2026, 1, 1, tzinfo=UTC), "get_events", "events", "GET", "/api/events", "", rows=rows))
    return log


def test_progress_on_a_terminal() -> None:
    terminal = Terminal()
    with Progress(_log(), terminal, patience=0.05, interval=0.01) as progress:
        _until(lambda: "read from Klaviyo" in terminal.getvalue())
        assert terminal.getvalue().startswith("\r\x1b[K2 requests, 1,500 rows read from Klaviyo, ")
        progress.clear()
        shown = terminal.getvalue()
        assert shown.endswith("\r\x1b[K")
        progress.clear()
        assert terminal.getvalue() == shown
        _until(lambda: len(terminal.getvalue()) > len(shown))
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_no_progress_where_nobody_looks_or_nothing_can_be_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    with Progress(_log(), pipe, patience=0, interval=0.001) as progress:
        time.sleep(0.05)
        progress.clear()
    assert pipe.getvalue() == ""
    monkeypatch.setenv("TERM", "dumb")
    with Progress(_log(), terminal := Terminal(), patience=0, interval=0.001):
        time.sleep(0.05)
    assert terminal.getvalue() == ""


def test_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(Terminal()).color
    assert not look(io.StringIO()).color
    monkeypatch.setenv("NO_COLOR", "1")
    assert not look(Terminal()).color
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "dumb")
    assert not look(Terminal()).color


def test_widths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    assert look(Terminal()).width == 70
    assert look(Terminal(), 0).width is None
    assert look(io.StringIO()).width is None
    assert look(io.StringIO(), 50).width == 50


def _until(holds: object) -> None:
    assert callable(holds)
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)
