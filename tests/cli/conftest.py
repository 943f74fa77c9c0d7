"""The command in this process and as a program of its own, and an account for it to ask."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from klaviyo_sql.cli.main import main
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Sandbox, serve

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _no_terminal_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in this process; `stdin` is what is piped into it."""

    def ended(*arguments: str, stdin: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="ascii"))
        code = main(arguments)
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return ended


@pytest.fixture(scope="session")
def sandbox(account: Account) -> Sandbox:
    """The account, answering at once."""
    return Sandbox(account, limits=False)


@pytest.fixture(scope="session")
def _served(sandbox: Sandbox) -> Iterator[str]:
    with serve(sandbox) as url:
        yield url


@pytest.fixture
def server(_served: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the account's server, and the environment that leads there."""
    monkeypatch.setenv("KLAVIYO_API_URL", _served)
    monkeypatch.setenv("KLAVIYO_API_KEY", SANDBOX_KEY)
    return _served


def started(*arguments: str, **options: object) -> subprocess.Popen[bytes]:
    """The real command, with pipes for its streams."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, "cwd": ROOT, "env": dict(os.environ)}
    return subprocess.Popen([sys.executable, "-m", "klaviyo_sql", *arguments], **{**pipes, **options})  # type: ignore[call-overload, no-any-return]


def completed(*arguments: str, stdin: bytes = b"") -> Ended:
    """The real command, at its end."""
    with started(*arguments, stdin=subprocess.PIPE) as process:
        out, err = process.communicate(stdin, timeout=30)
        return Ended(process.returncode, out.decode(), err.decode())
