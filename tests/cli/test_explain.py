"""klaviyo-sql explain: what it says is what the query then does."""

from __future__ import annotations

import json
import re

import pytest

import klaviyo_sql
from klaviyo_sql.cli.main import main
from klaviyo_sql.sandbox import Sandbox
from klaviyo_sql.sqlite.explain import explain

QUERIES = [
    "SELECT * FROM accounts",
    "SELECT email FROM profiles ORDER BY created DESC LIMIT 10",
    "SELECT email FROM profiles WHERE email IN ('person1@example.com', 'person2@example.com')",
    "SELECT name FROM metrics WHERE id = 'ABCDEF'",
    "SELECT id, value FROM events WHERE metric_id = 'ABCDEF' AND datetime >= '2026-01-01T00:00:00+01:00' LIMIT 10",
    "SELECT * FROM events WHERE datetime > '2026-02-01' AND datetime < '2026-01-01'",
    "SELECT count FROM monthly_metrics WHERE metric_id = 'ABCDEF'",
    "SELECT count FROM daily_metrics WHERE metric_id IN ('ABCDEF', 'GHIJKL') AND date >= '2024-01-01' AND date < '2026-01-01'",
    "SELECT name, profile_count FROM lists WHERE id = 'ABCDEF'",
]


@pytest.mark.parametrize("sql", QUERIES)
def test_the_requests_that_are_foretold_are_made(sql: str) -> None:
    connection = klaviyo_sql.connect(sandbox=True)
    foretold = explain(connection, sql)
    assert connection.requests.written == 0
    connection.execute(sql).fetchall()
    made = [f"{record.method} {record.path}{'?' if record.query and record.method == 'GET' else ' '}{record.query}".strip() for record in connection.requests]
    said = [request for step in foretold.steps for request in step.requests]
    if "metrics" in sql and "FROM metrics" not in sql:
        # The body of an aggregate is cut to days of a time zone that is not known before; their number is.
        assert [re.sub(r" .*", "", text) for text in made] == [re.sub(r" .*", "", text) for text in said]
    else:
        assert made == said
    assert len(made) == foretold.least


def test_nothing_is_sent_for_a_join_and_both_sides_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    connection = klaviyo_sql.connect(sandbox=True)
    sql = "SELECT m.name, count(*) FROM events e JOIN metrics m ON m.id = e.metric_id WHERE e.datetime >= date('now', '-7 days') GROUP BY 1"
    explanation = explain(connection, sql)
    assert [step.table for step in explanation.steps] == ["events", "metrics"]
    assert explanation.steps[0].exact == ("datetime",)
    assert re.search(r"greater-or-equal\(datetime,\d{4}-\d\d-\d\dT00:00:00Z\)", explanation.steps[0].requests[0])
    assert explanation.steps[1].times == "for the rows of e: read whole as soon as two different ones are wanted"
    assert isinstance(connection.sandbox, Sandbox)
    assert connection.sandbox.requests == []


def test_what_runs_inside_what_is_a_tree() -> None:
    connection = klaviyo_sql.connect(sandbox=True)
    recent = "(SELECT * FROM events ORDER BY datetime LIMIT 1000)"
    sql = f"SELECT p.email, (SELECT count(*) FROM lists) FROM {recent} e JOIN profiles p ON p.id = e.profile_id ORDER BY 1"
    explanation = explain(connection, sql)
    shape = [re.sub(r"(─ \S+( AS \S+)?:).*", r"\1", line) for line in str(explanation).splitlines() if "─ " in line]
    assert shape == [
        "├─ SQLite:",
        "│  └─ events:",
        "├─ SQLite:",
        "│  └─ profiles AS p:",
        "├─ SQLite:",
        "│  └─ lists:",
        "└─ SQLite:",
    ]
    assert [step.table for step in explanation.steps] == ["events", "profiles", "lists"]
    profiles = explanation.steps[1]
    assert profiles.times == "for the rows of e: a request for each 100 different values, as they wait in its pages"
    assert profiles.likely == 10
    assert explanation.likely == sum(step.likely for step in explanation.steps) > explanation.least == 3


@pytest.mark.parametrize(
    ("sql", "times"),
    [
        ("SELECT * FROM lists l CROSS JOIN segments s", "once, and from memory for each row of l"),
        (
            "SELECT * FROM list_profiles l JOIN profiles p ON p.email = l.email",
            "for the rows of l: a request for each 100 different values, as they wait in its pages",
        ),
        ("SELECT (SELECT count(*) FROM events e WHERE e.profile_id = p.id) FROM profiles p", "for each row of p"),
        ("SELECT * FROM lists WHERE created > '2026-01-01' AND created < '2025-01-01'", "never"),
    ],
)
def test_how_often_a_scan_runs(sql: str, times: str) -> None:
    assert explain(klaviyo_sql.connect(sandbox=True), sql).steps[-1].times == times


def test_a_child_table_tells_of_its_parents(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--sandbox", "SELECT profile_id FROM list_profiles"]) == 0
    out = capsys.readouterr().out
    assert "GET /api/lists?fields[list]=id" in out
    assert "GET /api/lists/<list>/profiles" in out
    assert "asked of each" in out


def test_limits_make_seconds() -> None:
    connection = klaviyo_sql.connect(sandbox=True)
    metrics = ", ".join(f"'M{n:05}'" for n in range(70))
    explanation = explain(connection, f"SELECT count FROM daily_metrics WHERE metric_id IN ({metrics})")
    assert explanation.least == 71
    assert explanation.seconds >= 60, "the seventieth aggregate has to wait for the next minute"
    assert "60 a minute" in explanation.steps[0].limit


def test_json_and_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--sandbox", "--format", "json", "SELECT name FROM metrics WHERE id = ?", "--param", "ABCDEF"]) == 0
    (explanation,) = json.loads(capsys.readouterr().out)
    assert explanation["least"] == 1
    assert explanation["steps"][0]["requests"] == ["GET /api/metrics/ABCDEF?fields[metric]=name"]


def test_a_query_without_klaviyo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--sandbox", "SELECT 1"]) == 0
    assert capsys.readouterr().out == "No Klaviyo table is read: 0 requests.\n"


@pytest.mark.parametrize("sql", ["SELECT * FROM profile", "SELECT * FROM events WHERE datetime > 'soon'", "SELEC 1"])
def test_what_cannot_run_cannot_be_explained(sql: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--sandbox", sql]) in (1, 2)
    assert capsys.readouterr().err.startswith("klaviyo-sql: ")
