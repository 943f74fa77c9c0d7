"""The oldest SQLite that the extension works with: the same rows as in this process, whichever headers the library was compiled with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import klaviyo_sql
from klaviyo_sql.extension import build

from .conftest import HOSTS, PROGRAMS, Place, loading_python, run

OLDEST = HOSTS / "sqlite-3.31"
"""Its headers, and it as a library (.ci/run makes them of a package that brings the source)."""

READING = (
    "SELECT id, name, created FROM lists ORDER BY id",
    "SELECT name FROM lists ORDER BY created DESC LIMIT 3 OFFSET 2",
    "SELECT id, email, created FROM profiles WHERE created >= date('now', '-20 days') ORDER BY id",
    "SELECT id, first_name FROM profiles WHERE id IN (SELECT id FROM profiles ORDER BY created LIMIT 7) ORDER BY id",
    "SELECT id FROM profiles WHERE email IN ('person1@example.com', 'person2@example.com', 'nobody', NULL) ORDER BY id",
    "SELECT id FROM profiles WHERE email = 'person3@example.com' OR id = (SELECT max(id) FROM profiles) ORDER BY id",
    "SELECT id, datetime, value FROM events WHERE datetime >= '2026-01-01' ORDER BY datetime DESC, id LIMIT 50 OFFSET 10",
    "SELECT count(*), round(sum(value), 2) FROM events WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order')",
    "SELECT m.name, count(*) FROM events e JOIN metrics m ON m.id = e.metric_id WHERE e.datetime > date('now', '-30 days') GROUP BY 1 ORDER BY 1",
    "SELECT l.name, count(p.profile_id) FROM lists l LEFT JOIN list_profiles p ON p.list_id = l.id GROUP BY l.id ORDER BY 1, 2",
    "SELECT e.id, p.email FROM (SELECT * FROM events ORDER BY datetime LIMIT 150) e JOIN profiles p ON p.id = e.profile_id ORDER BY 1",
    "SELECT name FROM segments WHERE is_active IS NOT NULL AND name LIKE '%e%' ORDER BY name",
    "SELECT json_extract(properties, '$.plan') AS plan, count(*) FROM profiles GROUP BY 1 ORDER BY 1",
    "SELECT count(*) FROM lists CROSS JOIN segments",
    'SELECT EmailCampaigns.name FROM "skyvia.EmailCampaigns" AS EmailCampaigns ORDER BY 1 LIMIT 5',
    "SELECT name FROM klaviyo_tables ORDER BY name",
    "SELECT created FROM profiles WHERE created < 'yesterday'",
    "SELECT nothing FROM profiles",
)
WRITING = (
    "SELECT count(*) FROM tags",
    "INSERT INTO tags (name) VALUES ('one'), ('two')",
    "BEGIN",
    "INSERT INTO tags (name) VALUES ('three')",
    "SAVEPOINT inner",
    "INSERT INTO tags (name) VALUES ('four')",
    "ROLLBACK TO inner",
    "UPDATE profiles SET first_name = 'Ada' WHERE email = 'person1@example.com'",
    "COMMIT",
    "BEGIN",
    "DELETE FROM tags WHERE name = 'one'",
    "ROLLBACK",
    "DELETE FROM tags WHERE name = 'two'",
    "DELETE FROM tags",
    "SELECT name FROM tags WHERE name IN ('one', 'two', 'three', 'four') ORDER BY name",
    "SELECT first_name FROM profiles WHERE email = 'person1@example.com'",
    "DELETE FROM list_profiles WHERE list_id = (SELECT min(list_id) FROM list_profiles) AND profile_id = "
    "(SELECT min(profile_id) FROM list_profiles WHERE list_id = (SELECT min(list_id) FROM list_profiles))",
    "SELECT count(*) FROM (SELECT suppress_profiles(email) FROM profiles WHERE email LIKE 'person1_@example.com')",
    "SELECT clone_template((SELECT min(id) FROM templates), 'Second try') IS NOT NULL",
    "SELECT count(*) FROM suppress_profiles WHERE list_id = (SELECT min(id) FROM lists)",
    "SELECT kind, table_name, status FROM klaviyo_writes ORDER BY 1, 2, 3",
)


@pytest.fixture(scope="session", params=["its own headers", "the headers of this machine"])
def library(request: pytest.FixtureRequest, place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension, beside a copy of the package that its worker imports."""
    if not (OLDEST / "libsqlite3.so.0").exists():
        pytest.skip("SQLite 3.31 is not there (.ci/run makes it)")
    if request.param != "its own headers":
        return place.library
    package = tmp_path_factory.mktemp("oldest") / "klaviyo_sql"
    shutil.copytree(place.folder / "klaviyo_sql", package, ignore=shutil.ignore_patterns("__pycache__"))
    library = package / "extension" / build.NAME
    library.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CPATH", str(OLDEST))
        return build.build(library)


def executed(place: Place, library: Path, statements: tuple[str, ...], **variables: str) -> list[object]:
    """What each of them gives in that SQLite."""
    environment = place.environment(LD_LIBRARY_PATH=str(OLDEST), KLAVIYO_SQL_MAX_REQUESTS="1000", **variables)
    done = run([loading_python(environment), "-I", str(PROGRAMS / "statements.py"), str(library), ":memory:"], environment, json.dumps(statements))
    assert done.returncode == 0, done.stderr
    version, told = json.loads(done.stdout)
    assert version.startswith("3.31.")
    return list(told)


def here(connection: klaviyo_sql.Connection, statements: tuple[str, ...]) -> list[object]:
    told: list[object] = []
    for sql in statements:
        try:
            cursor = connection.execute(sql.replace('"skyvia.EmailCampaigns"', "skyvia.EmailCampaigns"))
            told.append([list(row) for row in cursor.fetchall()] if cursor.description else [])
        except klaviyo_sql.Error as error:
            told.append(str(error))
    return told


def test_reading(place: Place, library: Path, own: klaviyo_sql.Connection) -> None:
    told, expected = executed(place, library, READING), here(own, READING)
    assert sum(len(rows) for rows in expected if isinstance(rows, list)) > 500
    for sql, found, wanted in zip(READING, told, expected, strict=True):
        if isinstance(wanted, str):
            assert isinstance(found, str)
        else:
            assert found == wanted, sql


def test_writing(place: Place, library: Path) -> None:
    with klaviyo_sql.connect(sandbox=True, write=True, autocommit=True) as connection:
        expected = here(connection, WRITING)
    told = executed(place, library, WRITING, KLAVIYO_SQL_WRITE="1")
    for sql, found, wanted in zip(WRITING, told, expected, strict=True):
        assert isinstance(found, str) == isinstance(wanted, str), (sql, found, wanted)
        if sql.startswith("SELECT"):
            assert found == wanted, sql
