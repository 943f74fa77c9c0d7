"""DuckDB: live through ODBC, and on copies."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import klaviyo_sql

from .conftest import HOSTS, PROGRAMS, Place, Served, pyodbc

RECENT = "SELECT * FROM events ORDER BY datetime DESC LIMIT 50"


def duckdb(extension: str) -> list[str]:
    """The command for DuckDB's program; the test is skipped where it or its extension is not installed."""
    python = HOSTS / "bin" / "python"
    if not python.exists() or subprocess.run([python, "-c", f"import duckdb, duckdb_extension_{extension}"], capture_output=True, check=False).returncode:
        pytest.skip(f"DuckDB and its {extension} are not installed (.ci/run does that)")
    return [str(python), str(PROGRAMS / "duck.py")]


def test_live(served: Served, tmp_path: Path) -> None:
    pyodbc()
    told = served.place.told([*duckdb("odbc_scanner"), str(tmp_path), "klaviyo"], **served.variables)
    latest = served.sandbox.account.events[-3:][::-1]
    columns, rows = told["typed"]
    assert columns == [["id", "VARCHAR"], ["datetime", "TIMESTAMP"], ["value", "DOUBLE"], ["timestamp", "VARCHAR"]]
    assert [(row[0], row[3]) for row in rows] == [(event["id"], str(event["attributes"]["timestamp"])) for event in latest]
    assert told["cast"] == [[["latest", "BIGINT"]], [[str(latest[0]["attributes"]["timestamp"])]]]
    # It does not know the number under which the driver has integers of 64 bits, and takes all expressions for texts.
    assert "Unsupported ODBC column type" in told["integers"]
    assert told["expression"] == [[["count(*)", "VARCHAR"]], [["14"]]]


def test_copies(place: Place, own: klaviyo_sql.Connection, tmp_path: Path) -> None:
    command = duckdb("sqlite_scanner")
    (tmp_path / "catalog.db").write_bytes(place.catalog.read_bytes())
    done = place.command("query", "--sandbox", "--database", str(tmp_path / "copy.db"), f"DROP TABLE IF EXISTS e; CREATE TABLE e AS {RECENT}")
    assert done.returncode == 0, done.stderr
    for form in ("jsonl", "csv"):
        done = place.command("query", "--sandbox", "--format", form, RECENT)
        assert done.returncode == 0, done.stderr
        (tmp_path / f"events.{form}").write_text(done.stdout, encoding="utf-8")
    told = place.told([*command, str(tmp_path)])
    wanted = own.execute(f"SELECT id, datetime, value, timestamp FROM ({RECENT}) ORDER BY id").fetchall()
    for kind in ("copy", "jsonl", "csv"):
        columns, rows = told[kind]
        assert columns == [["id", "VARCHAR"], ["datetime", "TIMESTAMP"], ["value", "DOUBLE"], ["timestamp", "BIGINT"]], kind
        assert rows == [[str(value) for value in row] for row in wanted], kind
    # Its SQLite is its own and loads no extension.
    assert "no such module" in told["catalog"]
