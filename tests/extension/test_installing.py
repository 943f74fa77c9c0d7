"""From an installed package to rows in the stock shell: the path, the catalog, the doctor."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import klaviyo_sql
from klaviyo_sql.extension import build

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, as it is installed where there is no compiler; some tests build the extension into it."""
    folder = tmp_path_factory.mktemp("site")
    left_out = shutil.ignore_patterns(build.NAME, "klaviyo.python")
    shutil.copytree(ROOT / "klaviyo_sql", folder / "klaviyo_sql", ignore=left_out)
    return folder


def command(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command of that copy."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "", "ODBCINI": str(folder / "odbc.ini"), **variables}
    return subprocess.run(
        [sys.executable, "-m", "klaviyo_sql", *arguments], capture_output=True, text=True, cwd=folder, env=environment, check=False, stdin=subprocess.DEVNULL
    )


def built(folder: Path) -> str:
    """The path of the extension, compiled for that copy."""
    if (reason := build.lacking()) is not None:
        pytest.skip(reason)
    done = command(folder, "extension-path", "--build")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def shell(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The stock shell."""
    path = shutil.which("sqlite3")
    if path is None:
        pytest.skip("there is no sqlite3 shell")
    return subprocess.run([path, "-batch", *arguments], capture_output=True, text=True, env={**os.environ, **variables}, check=False, stdin=subprocess.DEVNULL)


def without(folder: Path) -> None:
    """Take the extension out of that copy."""
    (folder / "klaviyo_sql" / "extension" / build.NAME).unlink(missing_ok=True)


def test_without_the_extension_the_command_says_what_to_do(installed: Path) -> None:
    without(installed)
    done = command(installed, "extension-path")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "The extension was not built when klaviyo-sql was installed" in done.stderr
    assert "klaviyo-sql extension-path --build" in done.stderr


def test_without_a_compiler_building_says_what_to_do(installed: Path) -> None:
    done = command(installed, "extension-path", "--build", CC="/nonexistent/cc")
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be built: /nonexistent/cc cannot be run" in done.stderr


def test_the_stock_shell_needs_nothing_but_the_path(installed: Path) -> None:
    path = built(installed)
    assert command(installed, "extension-path").stdout.strip() == path
    assert Path(path) == installed / "klaviyo_sql" / "extension" / build.NAME
    done = shell("-cmd", f".load {path}", ":memory:", "SELECT count(*) FROM lists; SELECT klaviyo_worker() ->> 'python'", KLAVIYO_SQL_SANDBOX="1")
    assert done.stdout.splitlines() == ["14", sys.executable], done.stderr
    done = shell("-cmd", f".load {path.removesuffix('.so')}", ":memory:", "SELECT count(*) > 90 FROM klaviyo_tables", KLAVIYO_SQL_SANDBOX="1")
    assert done.stdout.splitlines() == ["1"], done.stderr


def test_a_library_that_knows_no_python_says_what_to_do(installed: Path) -> None:
    path = built(installed)
    (installed / "klaviyo_sql" / "extension" / "klaviyo.python").unlink()
    done = shell("-cmd", f".load {path}", ":memory:", "SELECT count(*) FROM lists", KLAVIYO_SQL_SANDBOX="1")
    assert "run klaviyo-sql extension-path once" in done.stderr
    # In a virtual environment it finds the one that it lies in.
    (installed / "pyvenv.cfg").write_text("", encoding="utf-8")
    (installed / "bin").mkdir()
    (installed / "bin" / "python").symlink_to(sys.executable)
    wrapped = installed / "bin" / "python"
    wrapped.unlink()
    wrapped.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    wrapped.chmod(0o755)
    done = shell("-cmd", f".load {path}", ":memory:", "SELECT count(*) FROM lists", KLAVIYO_SQL_SANDBOX="1")
    assert done.stdout.splitlines() == ["14"], done.stderr
    (installed / "pyvenv.cfg").unlink()
    shutil.rmtree(installed / "bin")


def test_a_catalog_lists_the_tables_of_a_schema(installed: Path, tmp_path: Path) -> None:
    path = built(installed)
    file = tmp_path / "catalog.db"
    with sqlite3.connect(file) as own:
        own.execute("CREATE TABLE mine (x)")
    own.close()
    for _ in range(2):
        done = command(installed, "catalog", str(file))
        assert done.returncode == 0, done.stderr
    done = shell(
        "-cmd", f".load {path}", str(file), "SELECT count(*) FROM list_tags; SELECT name FROM lists WHERE name = 'Newsletter'", KLAVIYO_SQL_SANDBOX="1"
    )
    assert done.stdout.splitlines() == ["19", "Newsletter"], done.stderr
    done = shell(str(file), ".tables")
    assert {"mine", "events", "list_profiles", "metrics"} <= set(done.stdout.split())
    with klaviyo_sql.connect(file, sandbox=True) as connection:
        assert connection.execute("SELECT count(*) FROM list_tags").fetchall() == [(19,)]


def test_a_catalog_leaves_a_table_of_ones_own_alone(installed: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.db"
    own = sqlite3.connect(file)
    own.execute("CREATE TABLE events (mine)")
    own.close()
    done = command(installed, "catalog", str(file))
    assert done.returncode == 2
    assert "has a table events of its own" in done.stderr
    assert command(installed, "catalog", str(tmp_path / "x.db"), "--schema", "shop_x").returncode == 2


def test_the_doctor_checks_every_link(installed: Path) -> None:
    without(installed)
    done = command(installed, "doctor", KLAVIYO_API_URL="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "BROKEN  key: there is none: set KLAVIYO_API_KEY" in done.stdout
    assert "BROKEN  extension: The extension was not built" in done.stdout
    built(installed)
    done = command(installed, "doctor", "--sandbox")
    assert done.returncode == 0, done.stdout
    assert "Klaviyo: answers for " in done.stdout


@pytest.mark.parametrize(("python", "reason"), [("/nonexistent/python", "cannot be started with /nonexistent/python"), ("/bin/false", "process ")])
def test_the_doctor_tells_of_a_python_that_is_none(python: str, reason: str, installed: Path) -> None:
    """A process that ends at once has ended before it is asked, or while it is."""
    built(installed)
    done = command(installed, "doctor", "--sandbox", KLAVIYO_SQL_PYTHON=python)
    assert done.returncode == 1
    (line,) = (line for line in done.stdout.splitlines() if line[8:].startswith("extension:"))
    assert line.startswith(f"BROKEN  extension: klaviyo: the worker {reason}")
    assert line.endswith(f"KLAVIYO_SQL_PYTHON is {python}: unset it, or let it name {sys.executable}.")
