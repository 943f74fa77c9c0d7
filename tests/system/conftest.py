"""The package as it is installed, and programs of others that load its extension; what is missing on a machine is skipped, and says so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import klaviyo_sql
from klaviyo_sql.extension import build

ROOT = Path(__file__).parents[2]
HOSTS = ROOT / ".hosts"
"""Where .ci/run puts the programs that are no packages of the system's."""
PROGRAMS = Path(__file__).parent / "programs"
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


def run(command: list[str], environment: dict[str, str], asked: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", input=asked, env=environment, timeout=PATIENCE, check=False, cwd=folder)


def program(*names: str) -> str:
    """The first of these that there is; the test is skipped where there is none of them."""
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.skip(f"there is no {' or '.join(names)} on this machine")


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
