"""klaviyo-sql demo: the tour works, shows what it promises and what it costs."""

from __future__ import annotations

import re

import pytest

from .conftest import Run


@pytest.fixture(scope="module")
def counts() -> list[int]:
    """The requests that the queries of the tour take: more would be a worse product."""
    return [2, 1, 3, 1, 4]


def test_the_tour(run: Run, counts: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ended = run("demo")
    assert (ended.code, ended.err) == (0, "")
    text = ended.out
    assert [int(found) for found in re.findall(r"^(\d+) requests?\b", text, re.MULTILINE)] == counts
    assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == ["1", "2", "3", "4", "5"]
    assert re.search(r"^Received Email +\d+ +\d+ +NULL$", text, re.MULTILINE)
    assert len(re.findall(r"^person\d+@example\.com  ", text, re.MULTILINE)) == 10
    assert len(re.findall(r"^\d{4}-\d\d-01 +\d+ +\d+  █+$", text, re.MULTILINE)) in (11, 12)  # whole months of the last year
    assert "    INSERT INTO care VALUES\n" in text
    assert re.findall(r"^INSERT +create_profile +done +(\S+)", text, re.MULTILINE) == ["ada.lovelace@example.com", "grace.hopper@example.com"]
    assert "  POST /api/profiles\n" in text
    assert re.search(r"^  GET /api/events\?filter=greater-or-equal\(datetime,", text, re.MULTILINE)
    assert '  POST /api/metric-aggregates {"data":' in text
    assert max(map(len, text.splitlines())) <= 80
    assert "export KLAVIYO_API_KEY=pk_...\n  klaviyo-sql query --requests" in text


def test_a_query_of_ones_own(run: Run) -> None:
    ended = run("demo", "SELECT count(*) AS profiles FROM profiles; SELECT 1 AS one")
    assert ended.code == 0
    found, _, rest = ended.out.partition("\n\n")
    assert found == "profiles\n────────\n    3000"
    assert rest.startswith("30 requests:\n  GET /api/profiles?page[size]=100&sort=id&fields[profile]=id\n")
    assert "  … and 25 more like these\n" in rest
    assert rest.endswith("one\n───\n  1\n\n0 requests.\n")


def test_a_query_that_makes_no_sense(run: Run) -> None:
    ended = run("demo", "SELECT * FROM event")
    assert ended.code == 2
    assert ended.err.startswith("klaviyo-sql: There is no table event. Did you mean events")
