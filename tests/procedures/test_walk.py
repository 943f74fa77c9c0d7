"""Every action of Klaviyo's is a procedure, every procedure is told of, and its example runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import klaviyo_sql
from klaviyo_sql import contract
from klaviyo_sql.model.procedure import plain
from klaviyo_sql.procedures import PROCEDURES, SUBJECTS, find
from klaviyo_sql.sandbox.entitlements import CONVERSATIONS, DEFAULT
from klaviyo_sql.session.introspection import operations_of
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.reports import REPORTS
from tests.procedures.conftest import written
from tests.writes.conftest import OpenWriting

ROWS = ("/api/images",)
"""What is a row of a table, though its operation is not called create_…."""


def test_every_action_of_the_contract_is_a_procedure_or_a_report() -> None:
    reached = {name for procedure in PROCEDURES.values() for name in operations_of(procedure)}
    asked = {table.source.operation for table in (*REPORTS.values(), *TABLES.values()) if hasattr(table.source, "operation")}
    for name, operation in contract.facts().operations.items():
        collections = {found.path for found in contract.facts().operations.values() if found.method == "GET"}
        is_action = operation.method == "POST" and "{" not in operation.path and (operation.path not in collections or "-jobs" in operation.path)
        if is_action and operation.path not in ROWS and not name.startswith(("create_object", "create_webhook", "create_data_source")):
            assert name in reached | asked or f"create_{operation.path}" in name, name


def test_no_two_procedures_and_no_two_inputs_have_the_same_name() -> None:
    names = [plain(name) for procedure in PROCEDURES.values() for name in procedure.names]
    different = {plain(name): procedure.name for procedure in PROCEDURES.values() for name in procedure.names}
    assert len({(name, different[name]) for name in names}) == len(set(names))
    tables = {name.lower() for table in (*TABLES.values(), *REPORTS.values()) for name in table.names}
    for procedure in PROCEDURES.values():
        assert not tables & {name.lower() for name in procedure.names}, procedure.name
        inputs = [plain(name) for known in procedure.all_inputs for name in (known.name, *known.names)]
        assert len(inputs) == len(set(inputs)), procedure.name
        for known in procedure.all_inputs:
            assert known.doc.endswith("."), (procedure.name, known.name)


@pytest.mark.parametrize("name", ["AddListProfiles", "CreateEvent", "CreateEventWithMetricAndProfile", "SuppressProfiles", "UnsuppressProfiles"])
def test_skyvias_procedures_have_its_names(name: str) -> None:
    assert find(name) is not None
    assert find(name.lower()) is find(name)


def test_an_event_with_metric_and_profile_takes_all_that_it_can_have() -> None:
    found = find("CreateEventWithMetricAndProfile")
    assert found is not None
    assert len(found.inputs) >= 27
    for name in ("metric_name", "metric_service", "person_id", "properties_person", "append", "unappend", "unset", "MetricService", "PersonId"):
        assert found.input(name) is not None, name


def test_the_examples_run_one_after_another(open_writing: OpenWriting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    connection = open_writing(options={"entitlements": (*DEFAULT, CONVERSATIONS)})
    for procedure in [found for subject in SUBJECTS.values() for found in subject]:
        before = len(written(connection))
        assert connection.execute(procedure.example).fetchall(), procedure.name
        assert len(written(connection)) > before or procedure.looks is not None, procedure.name


def test_the_documents_tell_of_every_procedure(connection: klaviyo_sql.Connection) -> None:
    folder = Path(__file__).resolve().parents[2] / "docs" / "procedures"
    for name, subject in connection.execute("SELECT name, subject FROM klaviyo_procedures"):
        assert f"## {name}\n" in (folder / f"{subject}.md").read_text(encoding="utf-8")


def test_the_guide_runs(open_writing: OpenWriting) -> None:
    connection = open_writing()
    guide = (Path(__file__).resolve().parents[2] / "docs" / "procedures.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sql\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    for statement in [found for block in blocks for found in block.split(";\n") if found.strip()]:
        assert connection.execute(statement).fetchall(), statement
    assert len(blocks) == 3
