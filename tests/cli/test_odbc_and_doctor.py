"""klaviyo-sql odbc, and what the doctor says of each link that is broken, on a machine whose programs are stand-ins."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from klaviyo_sql.cli import doctor
from klaviyo_sql.extension import build, data_source, installed

from .conftest import Run

Says = Callable[..., tuple[int, str]]


class Machine:
    """One that has a driver for SQLite, an extension, an isql, and a data source with its catalog."""

    def __init__(self, folder: Path) -> None:
        self.library = folder / "site" / build.NAME
        self.catalog = folder / "catalog.db"
        self.drivers = folder / "odbcinst.ini"
        self.sources = folder / "odbc.ini"
        self.programs = folder / "bin"
        for made in (self.library.parent, self.programs):
            made.mkdir()
        for made in (self.library, self.catalog):
            made.touch()
        self.drivers.write_text("[SQLite3]\nDriver = libsqlite3odbc.so\n", encoding="utf-8")
        data_source.install(data_source.sources("klaviyo", driver="SQLite3", catalog=self.catalog, library=self.library), self.sources)
        self.program("isql", "echo answers,1")

    def program(self, name: str, script: str) -> None:
        """Put one there that does this."""
        (self.programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (self.programs / name).chmod(0o755)

    def replace(self, old: str, new: str) -> None:
        """Change the data sources by hand."""
        text = self.sources.read_text(encoding="utf-8")
        assert old in text
        self.sources.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setattr(installed, "LIBRARY", made.library)
    monkeypatch.setattr(installed, "NOTE", made.library.parent / "klaviyo.python")
    monkeypatch.setenv("ODBCSYSINI", str(tmp_path))
    monkeypatch.setenv("ODBCINI", str(made.sources))
    monkeypatch.setenv("PATH", str(made.programs))
    return made


@pytest.fixture
def says(run: Run, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Says:
    """The exit code, and what is said of one link; those that ask Klaviyo and load the extension are fine."""
    for link in ("_klaviyo", "_extension"):
        monkeypatch.setattr(doctor, link, lambda _: "fine")

    def line(link: str = "ODBC") -> tuple[int, str]:
        ended = run("doctor", "--sandbox")
        (said,) = (one for one in ended.out.splitlines() if one[8:].startswith(f"{link}: "))
        return ended.code, said

    return line


def test_a_chain_that_holds(says: Says) -> None:
    assert says() == (0, "ok      ODBC: the driver SQLite3, the data source klaviyo")


def test_without_a_driver(says: Says, machine: Machine) -> None:
    machine.drivers.unlink()
    assert says() == (0, f"--      ODBC: there is no driver for SQLite; programs that use ODBC need one ({data_source.HOW}).")


def test_without_a_data_source(says: Says, machine: Machine) -> None:
    machine.sources.write_text("[other]\nDriver = SQLite3\n", encoding="utf-8")
    assert says() == (0, "--      ODBC: the driver is SQLite3; no data source has the extension: klaviyo-sql odbc --install makes one.")


def test_a_data_source_with_an_extension_that_is_gone(says: Says, machine: Machine) -> None:
    gone = f"/gone/{build.NAME}"
    machine.replace(str(machine.library), gone)
    install = f"klaviyo-sql odbc --install --name klaviyo lets it load {machine.library}."
    assert says() == (1, f"BROKEN  ODBC: the data source klaviyo loads {gone}, which is not there: {install}")


def test_a_data_source_with_the_extension_of_another_installation(says: Says, machine: Machine) -> None:
    other = machine.programs / build.NAME
    other.touch()
    machine.replace(str(machine.library), str(other))
    install = f"klaviyo-sql odbc --install --name klaviyo lets it load {machine.library}."
    assert says() == (0, f"--      ODBC: the data source klaviyo loads {other}, another one: {install}")


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("Driver = SQLite3", "Driver = Lite", "the data source klaviyo names the driver Lite, which is not installed"),
        ("Driver = SQLite3", "", "the data source klaviyo names the driver (none), which is not installed"),
        ("BigInt = 1\nTimeout = 10000\nStepAPI", "StepAPI", "the data source klaviyo_stream has no BigInt = 1, so large integers come out wrong"),
        ("BigInt = 1", "BigInt = 0", "the data source klaviyo has no BigInt = 1, so large integers come out wrong"),
    ],
)
def test_a_data_source_that_somebody_changed(old: str, new: str, wrong: str, says: Says, machine: Machine) -> None:
    machine.replace(old, new)
    assert says() == (1, f"BROKEN  ODBC: {wrong}: klaviyo-sql odbc --install --name klaviyo makes it anew.")


def test_a_driver_whose_file_is_gone(says: Says, machine: Machine) -> None:
    machine.drivers.write_text("[sqlite3]\nDriver = /gone/libsqlite3odbc.so\n", encoding="utf-8")
    wrong = f"the driver of the data source klaviyo is /gone/libsqlite3odbc.so, which is not there: install it ({data_source.HOW})."
    assert says() == (1, f"BROKEN  ODBC: {wrong}")


def test_without_the_catalog(says: Says, machine: Machine) -> None:
    machine.catalog.unlink()
    wrong = f"the data source klaviyo names {machine.catalog}, which is not there: klaviyo-sql catalog '{machine.catalog}' makes it."
    assert says() == (1, f"BROKEN  ODBC: {wrong}")


def test_without_isql(says: Says, machine: Machine) -> None:
    (machine.programs / "isql").unlink()
    assert says() == (0, "--      ODBC: the data source klaviyo is complete; there is no isql to try it with.")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "echo; echo '[S1000][SQLite]klaviyo: there is no key. (1)'; echo '[ISQL]ERROR: Could not SQLPrepare' >&2; exit 1",
            "[S1000][SQLite]klaviyo: there is no key. (1)",
        ),
        ("echo '[ISQL]ERROR: Could not SQLConnect' >&2; exit 1", "[ISQL]ERROR: Could not SQLConnect"),
        ("exit 3", "it says nothing."),
    ],
)
def test_what_isql_says_first_is_the_reason(script: str, said: str, says: Says, machine: Machine) -> None:
    machine.program("isql", script)
    assert says() == (1, f"BROKEN  ODBC: isql klaviyo does not reach the tables: {said}")


def test_what_the_shell_says(says: Says, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert says("sqlite3 shell") == (0, "--      sqlite3 shell: there is none on PATH; other programs can load the extension.")
    machine.program("sqlite3", "echo 'Error: in prepare, klaviyo: the worker cannot be started with /gone: No such file or directory.' >&2; exit 1")
    wrong = "BROKEN  sqlite3 shell: klaviyo: the worker cannot be started with /gone: No such file or directory."
    assert says("sqlite3 shell") == (1, wrong)
    monkeypatch.setenv("KLAVIYO_SQL_PYTHON", "/gone")
    assert says("sqlite3 shell") == (1, f"{wrong} KLAVIYO_SQL_PYTHON is /gone: unset it, or let it name {sys.executable}.")


def test_a_library_that_is_not_there(run: Run, machine: Machine) -> None:
    machine.library.unlink()
    for arguments in (("odbc",), ("odbc", "--install")):
        ended = run(*arguments)
        assert (ended.code, ended.out) == (1, "")
        assert "The extension was not built when klaviyo-sql was installed" in ended.err
        assert "klaviyo-sql extension-path --build builds it now." in ended.err


def test_installing(run: Run, machine: Machine) -> None:
    machine.sources.write_text("[other]\nDriver = x\n", encoding="utf-8")
    machine.catalog.unlink()
    arguments = ("odbc", "--install", "--name", "shop", "--catalog", str(machine.catalog))
    ended = run(*arguments)
    assert (ended.code, ended.out) == (0, "")
    assert f"The data sources shop and shop_stream are in {machine.sources}. Try: isql shop" in ended.err
    text = machine.sources.read_text(encoding="utf-8")
    assert text.startswith("[other]\nDriver = x\n\n[shop]\n")
    assert f"Database = {machine.catalog}\nLoadExt = {machine.library}\nBigInt = 1\n" in text
    assert machine.catalog.stat().st_size > 0
    assert run(*arguments).code == 0
    assert machine.sources.read_text(encoding="utf-8") == text
    printed = run(*(argument for argument in arguments if argument != "--install"))
    assert printed.code == 0
    assert text.endswith(printed.out)


def test_installing_where_it_cannot_be_done(run: Run, machine: Machine, tmp_path: Path) -> None:
    machine.sources.chmod(0o444)
    ended = run("odbc", "--install", "--catalog", str(machine.catalog))
    assert ended.code == 1
    assert f"{machine.sources} cannot be written (it is read-only): put what klaviyo-sql odbc prints into a file that ODBCINI names." in ended.err
    ended = run("odbc", "--install", "--catalog", str(tmp_path / "a;b.db"))
    assert ended.code == 2
    assert "cannot be named in a data source" in ended.err
    machine.drivers.unlink()
    ended = run("odbc", "--install")
    assert ended.code == 1
    assert f"ODBC has no driver for SQLite here: install one ({data_source.HOW})." in ended.err
