"""ODBC, through the data sources that `klaviyo-sql odbc --install` makes: isql and pyodbc over SQLite's driver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql.extension import data_source

from .conftest import PROGRAMS, Place, program, pyodbc

TEXT, INTEGER, REAL, TIMESTAMP = -1, -5, 8, 93
"""ODBC's numbers of types; INTEGER is that of 64 bits."""


@pytest.fixture(scope="module")
def sources(place: Place) -> dict[str, str]:
    """The environment in which the data sources are found."""
    if next(data_source.drivers(), None) is None:
        pytest.skip("ODBC has no driver for SQLite (Debian: unixodbc libsqliteodbc)")
    file = place.folder / "odbc.ini"
    file.write_text("[other]\nDriver = x", encoding="utf-8")
    for _ in range(2):
        done = place.command("odbc", "--install", ODBCINI=str(file))
        assert done.returncode == 0, done.stderr
    sections = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("[")]
    assert sections == ["[other]", "[klaviyo]", "[klaviyo_stream]"]
    return {"ODBCINI": str(file)}


def test_isql(place: Place, sources: dict[str, str]) -> None:
    asked = "SELECT count(*), 5000000000 FROM lists\nhelp\n"
    said = place.ran([program("isql"), "klaviyo", "-b", "-d,"], asked, **sources)
    assert "14,5000000000" in said.replace(" ", "")
    assert ",events,TABLE," in said.replace(" ", "")


@pytest.mark.parametrize("streamed", [False, True])
def test_pyodbc(place: Place, sources: dict[str, str], streamed: bool, expected: dict[str, Any], own: klaviyo_sql.Connection) -> None:
    told = place.told([pyodbc(), str(PROGRAMS / "odbc.py"), "klaviyo_stream" if streamed else "klaviyo"], **sources)
    assert {"events", "profiles", "lists"} <= set(told["tables"])
    assert told["columns"].items() >= {"id": TEXT, "datetime": TIMESTAMP, "timestamp": INTEGER, "value": REAL, "event_properties": TEXT}.items()
    assert told["keys"] == ["id"]
    assert [name for (name,) in told["names"]] == expected["names"]
    assert told["parameters"] == [["Newsletter"]]
    # Row by row, the driver has no type for an expression.
    assert told["integers"] == [["14", "5000000000", "-5000000000"] if streamed else [14, 5000000000, -5000000000]]
    ((when, timestamp, value, identifier),) = told["event"]
    wanted = own.execute("SELECT datetime, timestamp, value FROM events WHERE id = ?", (identifier,)).fetchone()
    assert (when, timestamp, value) == (f"datetime {wanted[0]}", wanted[1], wanted[2])
    assert int(told["since"]) >= 1
    assert told["mine"] is False
    assert "max_requests" in told["refused"]


def test_the_doctor_tries_the_data_source(place: Place, sources: dict[str, str], tmp_path: Path) -> None:
    program("isql")
    done = place.command("doctor", "--sandbox", **sources)
    assert "ok      ODBC: the driver" in done.stdout, done.stdout
    cut = tmp_path / "odbc.ini"
    cut.write_text(Path(sources["ODBCINI"]).read_text(encoding="utf-8").replace("BigInt = 1\n", ""), encoding="utf-8")
    done = place.command("doctor", "--sandbox", ODBCINI=str(cut))
    assert done.returncode == 1
    assert "BROKEN  ODBC: the data source klaviyo has no BigInt = 1" in done.stdout


def test_without_a_driver_nothing_is_installed(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "odbc.ini"
    variables = {"ODBCSYSINI": str(tmp_path), "ODBCINI": str(file)}
    done = place.command("odbc", "--install", **variables)
    assert done.returncode == 1
    assert "ODBC has no driver for SQLite here" in done.stderr
    assert not file.exists()
    done = place.command("odbc", "--name", "shop", **variables)
    assert done.returncode == 0
    assert done.stdout.startswith("[shop]\n")
    assert f"LoadExt = {place.library}\nBigInt = 1\n" in done.stdout
    assert "[shop_stream]" in done.stdout
