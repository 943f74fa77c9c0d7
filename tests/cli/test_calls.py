"""CALL on the command line."""

from __future__ import annotations

import pytest

from klaviyo_sql.cli.main import main


def test_a_call_with_write(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "CALL suppress_profiles('ada@example.com')", "--write", "--sandbox", "--format", "csv"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header == "status,id,rows,job,operation,request"
    assert row.startswith("done,,1,")


def test_a_call_without_write_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "CALL suppress_profiles('ada@example.com')", "--sandbox"]) != 0
    assert "--write" in capsys.readouterr().err


def test_a_call_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "CALL suppress_profiles('ada@example.com')", "--sandbox"]) == 0
    assert "POST /api/profile-suppression-bulk-create-jobs" in capsys.readouterr().out
