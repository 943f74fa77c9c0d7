"""klaviyo-sql cache, and --materialized."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run

COUNT = "SELECT count(*) AS n FROM events"


@pytest.fixture(autouse=True)
def copy_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "copies.db"
    monkeypatch.setenv("KLAVIYO_SQL_COPY_FILE", str(path))
    return path


def test_a_materialized_table_is_read_once_and_then_by_delta(run: Run, server: str) -> None:
    first = run("query", "--materialized", "events", "--requests", "--format", "json", COUNT)
    second = run("query", "--materialized", "events", "--requests", "--format", "json", COUNT)
    assert json.loads(first.out) == json.loads(second.out) == [{"n": 6000}]
    assert first.err.endswith("\n7 requests\n")
    assert second.err.endswith("\n1 request\n")


def test_explain_tells_of_the_copy(run: Run, server: str) -> None:
    run("query", "--materialized", "events", COUNT)
    ended = run("explain", "--materialized", "events:max_age=1h", COUNT)
    assert ended.out.splitlines()[1].strip().startswith("answered from the local copy (6,000 rows, ")
    assert ended.out.splitlines()[1].endswith("; nothing is asked within 60 min")
    assert ended.out.splitlines()[-1].startswith("At least 0 requests")


def test_refresh_status_and_clear(run: Run, server: str, copy_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("cache", "path").out == f"{copy_file}\n"
    assert run("cache", "refresh").err == (
        "klaviyo-sql: No table is materialized: name one, as in klaviyo-sql cache refresh events, or set KLAVIYO_SQL_MATERIALIZED.\n"
    )
    ended = run("cache", "refresh", "metrics", "--format", "json")
    assert json.loads(ended.out) == [{"table": "metrics", "whole": 1, "read": 16, "changed": 16, "rows": 16}]
    monkeypatch.setenv("KLAVIYO_SQL_MATERIALIZED", "events,metrics:max_age=1d")
    ended = run("cache", "refresh", "--format", "json")
    assert [(row["table"], row["changed"], row["rows"]) for row in json.loads(ended.out)] == [("events", 6000, 6000), ("metrics", 0, 16)]
    ended = run("cache", "refresh", "events", "--whole", "--format", "json")
    assert json.loads(ended.out) == [{"table": "events", "whole": 1, "read": 6000, "changed": 0, "rows": 6000}]
    status = run("cache", "status", "--format", "json")
    assert [(row["table_name"], row["rows"], row["max_age"]) for row in json.loads(status.out)] == [("events", 6000, 0.0), ("metrics", 16, 86400.0)]
    assert str(copy_file) in run("cache", "status").out
    assert run("cache", "clear", "events").out == "events: cleared\n"
    assert run("cache", "clear").out == "metrics: cleared\n"
    assert run("cache", "clear").out == "There is nothing to clear.\n"


def test_what_cannot_be_is_one_sentence(run: Run, server: str) -> None:
    for arguments, said in (
        (("query", "--materialized", "evnts", COUNT), "There is no table evnts that could be materialized"),
        (("query", "--materialized", "list_profiles", COUNT), "list_profiles:max_age=1h"),
        (("query", "--materialized", "events:maxage=1", COUNT), "does not understand 'maxage=1'"),
        (("cache", "refresh", "nothing"), "There is no table nothing"),
        (("cache", "clear", "nothing"), "There is no table nothing"),
    ):
        ended = run(*arguments)
        assert ended.code in (1, 2)
        assert said in ended.err
        assert ended.err.count("\n") == 1
