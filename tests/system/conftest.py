"""The package as it is installed, and programs of others that load its extension; what is missing on a machine is skipped, and says so."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import klaviyo_sql
from klaviyo_sql.extension import build, data_source
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import SANDBOX_KEY, Sandbox, generate, serve
from klaviyo_sql.sandbox.entitlements import DEFAULT, WEBHOOKS

ROOT = Path(__file__).parents[2]
HOSTS = ROOT / ".hosts"
"""Where .ci/run puts the programs that are no packages of the system's."""
PROGRAMS = Path(__file__).parent / "programs"
WORKER = Path(__file__).parent / "worker.py"
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
PATIENCE = 300
"""Seconds after which a program is taken to hang."""


class Place(NamedTuple):
    """A folder with the package, the extension compiled in it, and a catalog."""

    folder: Path
    library: Path
    catalog: Path

    def environment(self, **variables: str) -> dict[str, str]:
        """That of a program whose queries the built-in account answers. 40 requests are enough for all tables but the large ones."""
        own = {"KLAVIYO_SQL_SANDBOX": "1", "KLAVIYO_SQL_MAX_REQUESTS": "40", "HOME": str(self.folder), "KLAVIYO_SQL_STATE_FOLDER": str(self.folder / "state")}
        return {**os.environ, **own, **variables}

    def command(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """klaviyo-sql itself."""
        environment = self.environment(PYTHONPATH=str(self.folder), **variables)
        return run([sys.executable, "-m", "klaviyo_sql", *arguments], environment, "", folder=self.folder)

    def ran(self, command: list[str], asked: str = "", **variables: str) -> str:
        """What a program prints, which has to end well."""
        done = run(command, self.environment(**variables), asked)
        assert done.returncode == 0, f"{done.stderr[-3000:]}\n{done.stdout[-1000:]}"
        return done.stdout

    def told(self, command: list[str], **variables: str) -> dict[str, Any]:
        """The same of one that prints JSON."""
        return dict(json.loads(self.ran(command, **variables).splitlines()[-1]))


class Served(NamedTuple):
    """An account behind a server of this process, which programs with the extension ask: what they send is seen, and what they wrote is there."""

    place: Place
    sandbox: Sandbox
    variables: dict[str, str]

    def steps(self, source: str, *steps: tuple[Any, ...], **variables: str) -> list[dict[str, Any]]:
        """What each step gives over ODBC; `source` is a data source of this account's, or a whole connection string."""
        command = [pyodbc(), str(PROGRAMS / "odbc_steps.py"), source if "=" in source else f"DSN={source}"]
        return list(json.loads(self.place.ran(command, json.dumps(steps), **self.variables, **variables)))

    def sent(self) -> list[str]:
        """The requests since this was asked last."""
        requests, self.sandbox.requests[:] = list(self.sandbox.requests), []
        return [request.operation or request.path for request in requests]


def run(command: list[str], environment: dict[str, str], asked: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", input=asked, env=environment, timeout=PATIENCE, check=False, cwd=folder)


def program(*names: str) -> str:
    """The first of these that there is; the test is skipped where there is none of them."""
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.skip(f"there is no {' or '.join(names)} on this machine")


def pyodbc() -> str:
    """A Python that has pyodbc, where ODBC has a driver for SQLite; the test is skipped elsewhere."""
    if next(data_source.drivers(), None) is None:
        pytest.skip("ODBC has no driver for SQLite (Debian: unixodbc libsqliteodbc)")
    python = program("/usr/bin/python3")
    if subprocess.run([python, "-c", "import pyodbc"], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} has no pyodbc (Debian: python3-pyodbc)")
    return python


def loading_python(environment: dict[str, str] | None = None) -> str:
    """Debian's Python, whose sqlite3 loads extensions, in this environment; the test is skipped where it does not."""
    python = program("/usr/bin/python3")
    if subprocess.run([python, "-c", "import sqlite3; sqlite3.Connection.enable_load_extension"], capture_output=True, check=False, env=environment).returncode:
        pytest.skip(f"the sqlite3 of {python} loads no extensions")
    return python


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("place")
    shutil.copytree(ROOT / "klaviyo_sql", folder / "klaviyo_sql", ignore=shutil.ignore_patterns(build.NAME, "klaviyo.python", "__pycache__"))
    made = Place(folder, folder / "klaviyo_sql" / "extension" / build.NAME, folder / "catalog.db")
    if (reason := build.lacking()) is not None:
        pytest.skip(reason)
    done = made.command("extension-path", "--build")
    assert done.returncode == 0, done.stderr
    done = made.command("catalog", str(made.catalog))
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def served(request: pytest.FixtureRequest, place: Place, tmp_path: Path) -> Iterator[Served]:
    """A small account for each test (or with as many events as it says), with a catalog and data sources that are the test's own."""
    clock = SimulatedClock(NOW)
    account = generate(seed=11, today=NOW.date(), profiles=60, events=getattr(request, "param", 400))
    sandbox = Sandbox(account, clock=clock, limits=False, visible_after=0, job_duration=0, entitlements=(*DEFAULT, WEBHOOKS))
    worker = tmp_path / "python"
    worker.write_text(f"#!/bin/sh\nexec {shlex.join((sys.executable, str(WORKER), str(place.folder), NOW.isoformat()))}\n", encoding="utf-8")
    worker.chmod(0o755)
    with serve(sandbox) as url:
        variables = {"KLAVIYO_API_URL": url, "KLAVIYO_API_KEY": SANDBOX_KEY, "KLAVIYO_SQL_SANDBOX": "0", "KLAVIYO_SQL_PYTHON": str(worker)}
        variables |= {"ODBCINI": str(tmp_path / "odbc.ini"), "KLAVIYO_SQL_MAX_REQUESTS": "1000"}
        if next(data_source.drivers(), None) is not None:
            done = place.command("odbc", "--install", "--catalog", str(tmp_path / "catalog.db"), ODBCINI=variables["ODBCINI"])
            assert done.returncode == 0, done.stderr
        yield Served(place, sandbox, variables)


@pytest.fixture(scope="session")
def own() -> Iterator[klaviyo_sql.Connection]:
    """This process's connection to an account with the same contents."""
    with klaviyo_sql.connect(sandbox=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def expected(own: klaviyo_sql.Connection) -> dict[str, Any]:
    """What every program of programs/ is to print."""
    members = "SELECT count(*) FROM lists l JOIN list_profiles m ON m.list_id = l.id WHERE l.name = ?"
    assert own.execute(members, ("Newsletter",)).fetchone()[0] > 0
    return {
        "lists": own.execute("SELECT count(*) FROM lists").fetchone()[0],
        "names": [row[0] for row in own.execute("SELECT name FROM lists ORDER BY name LIMIT 3")],
        "members": own.execute(members, ("Newsletter",)).fetchone()[0],
        "listed": True,
        "refused": True,
    }
