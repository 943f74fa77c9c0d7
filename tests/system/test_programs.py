"""Programs in other languages: each loads the extension, asks the same questions, and tells the same answers as this process."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import HOSTS, PROGRAMS, Place, loading_python, program

JAR = Path("/usr/share/java/sqlite-jdbc.jar")
JNI = "/usr/lib/x86_64-linux-gnu/jni"


def test_the_sqlite3_shell(place: Place, expected: dict[str, Any]) -> None:
    sql = (
        "SELECT json_object('lists', (SELECT count(*) FROM lists), 'names', "
        "(SELECT json_group_array(name) FROM (SELECT name FROM lists ORDER BY name LIMIT 3)), "
        "'members', (SELECT count(*) FROM lists l JOIN list_profiles m ON m.list_id = l.id WHERE l.name = 'Newsletter'));"
    )
    command = [program("sqlite3"), "-batch", "-cmd", f".load {place.library}", str(place.catalog)]
    assert {**place.told([*command, sql]), "listed": True, "refused": True} == expected
    assert "events" in place.ran([*command, ".tables"]).split()
    done = subprocess.run([*command, "SELECT max(value) FROM events"], capture_output=True, text=True, env=place.environment(), check=False)
    assert done.returncode != 0
    assert "max_requests" in done.stderr


def test_the_sqlite3_of_debians_python(place: Place, expected: dict[str, Any]) -> None:
    assert place.told([loading_python(), "-I", str(PROGRAMS / "query.py"), str(place.library), str(place.catalog)]) == expected


def jdbc() -> list[str]:
    """The command for programs that use SQLite's JDBC driver; the test is skipped where there is none."""
    java = program("java")
    if not JAR.exists():
        pytest.skip("there is no sqlite-jdbc (Debian: libxerial-sqlite-jdbc-java)")
    return [java, f"-Djava.library.path={JNI}", f"-Dorg.sqlite.lib.path={JNI}", "-cp", str(JAR)]


def test_jdbc(place: Place, expected: dict[str, Any]) -> None:
    assert place.told([*jdbc(), str(PROGRAMS / "Query.java"), str(place.library), str(place.catalog)]) == expected


def test_node(place: Place, expected: dict[str, Any]) -> None:
    node = program("node")
    modules = HOSTS / "node_modules"
    if not (modules / "better-sqlite3" / "build" / "Release" / "better_sqlite3.node").exists():
        pytest.skip("better-sqlite3 is not installed (.ci/run does that)")
    assert place.told([node, str(PROGRAMS / "query.js"), str(place.library), str(place.catalog)], NODE_PATH=str(modules)) == expected


def test_php(place: Place, expected: dict[str, Any]) -> None:
    php = program("php")
    if "sqlite3" not in place.ran([php, "-m"]).split():
        pytest.skip("PHP has no sqlite3 (Debian: php-sqlite3)")
    command = [php, "-d", f"sqlite3.extension_dir={place.library.parent}", str(PROGRAMS / "query.php"), str(place.library), str(place.catalog)]
    assert place.told(command) == expected


def test_ruby(place: Place, expected: dict[str, Any]) -> None:
    ruby = program("ruby")
    if subprocess.run([ruby, "-e", "require 'sqlite3'"], capture_output=True, check=False).returncode:
        pytest.skip("Ruby has no sqlite3 (Debian: ruby-sqlite3)")
    assert place.told([ruby, str(PROGRAMS / "query.rb"), str(place.library), str(place.catalog)]) == expected


def test_perl(place: Place, expected: dict[str, Any]) -> None:
    perl = program("perl")
    if subprocess.run([perl, "-MDBD::SQLite", "-MJSON::PP", "-e", "1"], capture_output=True, check=False).returncode:
        pytest.skip("Perl has no DBD::SQLite (Debian: libdbd-sqlite3-perl)")
    assert place.told([perl, str(PROGRAMS / "query.pl"), str(place.library), str(place.catalog)]) == expected


def test_sqlalchemy(place: Place, expected: dict[str, Any]) -> None:
    python = program(str(HOSTS / "bin" / "python"))
    if subprocess.run([python, "-c", "import sqlalchemy"], capture_output=True, check=False).returncode:
        pytest.skip("SQLAlchemy is not installed (.ci/run does that)")
    assert place.told([python, str(PROGRAMS / "alchemy.py"), str(place.library), str(place.catalog)]) == expected


def test_sqlite_utils(place: Place, expected: dict[str, Any]) -> None:
    command = [program(str(HOSTS / "bin" / "sqlite-utils"), "sqlite-utils"), "query", str(place.catalog), "SELECT name FROM lists ORDER BY name LIMIT 3"]
    assert [row["name"] for row in json.loads(place.ran([*command, "--load-extension", str(place.library)]))] == expected["names"]


def test_datasette(place: Place, expected: dict[str, Any]) -> None:
    datasette = program(str(HOSTS / "bin" / "datasette"), "datasette")
    serve = [datasette, "serve", str(place.catalog), "--load-extension", str(place.library), "--setting", "sql_time_limit_ms", "60000"]
    # --get answers one request, without a port.
    answer = place.told([*serve, "--get", "/catalog.json?sql=select+name+from+lists+order+by+name+limit+3&_shape=objects"])
    assert [row["name"] for row in answer["rows"]] == expected["names"]
    table = place.told([*serve, "--get", "/catalog/lists.json?_shape=objects&_size=5"])
    assert len(table["rows"]) == 5
    listed = place.told([*serve, "--get", "/catalog.json"])
    assert {"lists", "events", "profiles"} <= {table["name"] for table in listed["tables"]}
