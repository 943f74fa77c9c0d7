"""What the documents show is run: SQL and Python as it stands, commands on the sandbox, and the links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import klaviyo_sql
from klaviyo_sql.cli.main import main
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Sandbox, generate
from klaviyo_sql.sandbox.entitlements import DEFAULT, WEBHOOKS
from klaviyo_sql.tables import TABLES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "benchmarks" / "README.md"]
BLOCK = re.compile(r"^```(\w+(?: write)?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MAY_BE_EMPTY = ("'-1 hour'", "email = 'person7@example.com'", "strftime('%Y-01-01', 'now')", "'start of month', '-1 month'")
"""Questions whose answer is an empty one on some days: early in a year, or while it is the last day of a month where the shop is."""
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)[^)]*\)")


ACTING = ROOT / "docs" / "procedures"
"""What is shown there acts: tests/procedures runs it."""


def blocks(language: str) -> list[pytest.param]:
    return [
        pytest.param(text, id=f"{document.relative_to(ROOT)}:{number}")
        for document in DOCUMENTS
        if ACTING not in document.parents and document != ACTING.with_suffix(".md")
        for number, (kind, text) in enumerate(BLOCK.findall(document.read_text(encoding="utf-8")), 1)
        if kind == language
    ]


@pytest.fixture(scope="module")
def connection() -> klaviyo_sql.Connection:
    # Webhooks are read as an OAuth app reads them.
    return klaviyo_sql.connect(sandbox=Sandbox(clock=SimulatedClock(), entitlements=(*DEFAULT, WEBHOOKS)))


@pytest.fixture(scope="module")
def materialized() -> Iterator[klaviyo_sql.Connection]:
    with klaviyo_sql.connect(sandbox=True, materialized=("events", "metrics")) as connection:
        yield connection


@pytest.mark.parametrize("sql", [block for block in blocks("sql") if "= 'X'" not in block.values[0]])
def test_the_queries_of_the_documents_run_and_return_rows(sql: str, request: pytest.FixtureRequest) -> None:
    connection = request.getfixturevalue("materialized" if "klaviyo_copies" in sql else "connection")
    for statement in filter(str.strip, sql.split(";\n")):
        rows = connection.execute(statement).fetchall()
        assert rows or any(part in statement for part in MAY_BE_EMPTY), statement


@pytest.mark.parametrize("sql", [block for block in blocks("sql write") if "docs/extension.md" in str(block.id)])  # tests/writes runs the others
def test_what_the_documents_write_is_written(sql: str) -> None:
    with klaviyo_sql.connect(sandbox=True, write=True, autocommit=True, config=False) as connection:
        connection.executescript(sql)
        statuses = {row[0] for row in connection.execute("SELECT status FROM klaviyo_writes").fetchall()}
        assert statuses, "nothing was written"
        assert statuses <= {"done", "accepted"}


@pytest.mark.parametrize("source", blocks("python"))
def test_the_python_of_the_documents_runs(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {"__name__": "documented"}
    exec(compile(source, "document", "exec"), names)  # noqa: S102 - our own documents
    if "connect(" in source:
        printed = capsys.readouterr().out
        assert "Ada" in printed if "Ada" in source else printed.strip()


@pytest.mark.parametrize(
    "command",
    [line for block in blocks("sh") for line in block.values[0].splitlines() if line.startswith("klaviyo-sql")],
)
def test_the_commands_of_the_documents_run_on_the_sandbox(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (people,) = (text for kind, text in BLOCK.findall((ROOT / "docs" / "import.md").read_text(encoding="utf-8")) if kind == "csv")
    (tmp_path / "people.csv").write_text(people, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command.partition(" > ")[0], comments=True)[1:]
    if "--sandbox" not in words:
        words.append("--sandbox")
    assert main(words) == 0
    assert capsys.readouterr().out.strip()


def test_the_explanation_in_the_readme_is_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = next(line for line in readme.splitlines() if line.startswith("klaviyo-sql explain"))
    shown = next(text for kind, text in BLOCK.findall(readme) if kind == "text")
    assert main([*shlex.split(command)[1:], "--sandbox"]) == 0
    assert capsys.readouterr().out == shown


def test_the_query_that_travels_makes_the_request_that_is_shown() -> None:
    document = (ROOT / "docs" / "how-a-query-travels.md").read_text(encoding="utf-8")
    sql = next(text for kind, text in BLOCK.findall(document) if kind == "sql")
    shown = re.search(r"^    (GET .*?)\n\n", document, re.MULTILINE | re.DOTALL)
    assert shown
    connection = klaviyo_sql.connect(sandbox=True)
    connection.execute(sql).fetchall()
    made = [f"{record.method} {record.path}?{record.query}" for record in connection.requests]
    assert made == [re.sub(r"\n\s+", "", shown[1])]


def test_the_files_that_the_documents_name_exist() -> None:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for target in LINK.findall(text):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
    travels = (ROOT / "docs" / "how-a-query-travels.md").read_text(encoding="utf-8")
    for name in re.findall(r"`((?:\w+/)+(?:\w+\.py)?|\w+\.py)`", travels):
        assert (ROOT / "klaviyo_sql" / name).exists() or (ROOT / name).exists(), f"how-a-query-travels.md names {name}"


def test_every_table_has_three_questions_and_the_readme_names_it() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for table in TABLES.values():
        assert len(table.examples) >= 3, table.name
        assert f"`{table.name}`" in readme


def test_the_size_of_the_sandbox_is_what_the_readme_says() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    account = Sandbox(generate()).account
    assert f"{len(account.profiles):,} profiles" in readme
