"""Other programs that load the extension: Python's own sqlite3, where it can, and the stock shell."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

_PRELUDE = """\
import json, os, sqlite3, sys, threading

def opened(database=":memory:"):
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    connection.enable_load_extension(True)
    connection.load_extension(LIBRARY)
    return connection

def rows(connection, sql, *values):
    return connection.execute(sql, values).fetchall()

def worker(connection):
    return json.loads(rows(connection, "SELECT klaviyo_worker()")[0][0])["pid"]

def tell(**told):
    print(json.dumps(told), flush=True)

def asked():
    return sys.stdin.readline().strip()

"""
PATIENCE = 120
"""Seconds after which something that should have happened is not waited for any more."""


@cache
def python() -> str:
    """A Python whose sqlite3 can load extensions; the test is skipped where there is none."""
    question = "import sqlite3, sys; sys.exit(not hasattr(sqlite3.Connection, 'enable_load_extension'))"
    for path in dict.fromkeys((sys.executable, "/usr/bin/python3", *filter(None, (shutil.which("python3"),)))):
        if Path(path).exists() and subprocess.run([path, "-I", "-c", question], check=False).returncode == 0:
            return path
    return ""


class Program:
    """A program of Python's that has the extension; what it tells are lines of JSON."""

    def __init__(self, library: Path, script: str, *, wrapper: Iterable[str] = (), **options: Any) -> None:
        if not python():
            pytest.skip("no Python here has an sqlite3 that loads extensions")
        text = f"LIBRARY = {str(library)!r}\n{_PRELUDE}{textwrap.dedent(script)}"
        command = [*wrapper, python(), "-I", "-c", text]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)

    def told(self) -> dict[str, Any]:
        """The next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(PATIENCE)
            assert self.process.stderr is not None
            raise AssertionError(f"the program ended ({self.process.returncode}): {self.process.stderr.read()[-3000:]}")
        return dict(json.loads(line))

    def answer(self, text: str = "") -> None:
        """What it reads next."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def ended(self) -> str:
        """What it wrote to standard error, once it has ended well."""
        _, errors = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, errors[-3000:]
        return errors

    def close(self) -> None:
        """End it, however it stands."""
        self.process.kill()
        self.process.communicate()


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait for something that happens in another process."""
    ends = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < ends, f"it did not happen: {what}"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether there is such a process, which has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False
