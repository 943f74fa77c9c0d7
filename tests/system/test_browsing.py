"""What programs ask that show which tables and columns there are, and previews of tables: counted at the server."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from klaviyo_sql.model.table import Choice, Collection, Detail, Table
from klaviyo_sql.tables import TABLES

from .conftest import HOSTS, PROGRAMS, ROOT, Served, program
from .test_programs import jdbc

METHODS = ("columns", "primaryKeys", "foreignKeys", "statistics", "rowIdColumns", "rowVerColumns")


def test_odbc_shows_tables_and_sends_nothing(served: Served) -> None:
    steps = [("tables",), ("columns",), ("getTypeInfo",), *((method, table) for table in TABLES for method in METHODS)]
    answers = served.steps("klaviyo", *steps)
    assert [answer["error"] for answer in answers if "error" in answer] == []
    assert TABLES.keys() <= {row[2][1] for row in answers[0]["rows"]}
    assert {(table.name, column.name) for table in TABLES.values() for column in table.columns if not column.hidden} <= {
        (row[2][1], row[3][1]) for row in answers[1]["rows"]
    }
    keys = {row[2][1]: len(answer["rows"]) for step, answer in zip(steps, answers, strict=True) if step[0] == "primaryKeys" for row in answer["rows"][:1]}
    assert keys == {table.name: len(table.key) for table in TABLES.values()}
    assert served.sent() == []


def test_jdbc_shows_tables_and_sends_nothing(served: Served) -> None:
    command = [*jdbc(), str(PROGRAMS / "Browse.java"), str(served.place.library), str(served.place.catalog)]
    told = served.place.told(command, **served.variables)
    assert told["tables"] >= len(TABLES)
    assert told["columns"] >= sum(not column.hidden for table in TABLES.values() for column in table.columns)
    # Of several columns of a key the driver shows the last.
    assert told["keys"] >= len(TABLES)
    assert served.sent() == []


@pytest.fixture
def datasette(served: Served, tmp_path: Path) -> list[str]:
    """As docs/hosts.md says that it is to be started, for the answer to one request."""
    section = (ROOT / "docs" / "hosts.md").read_text(encoding="utf-8").partition("## Datasette")[2]
    counting, serving = section.partition("```shell\n")[2].partition("```")[0].splitlines()
    shell, *asked, into, counts = shlex.split(counting)
    assert (shell, into) == ("sqlite3", ">")
    (tmp_path / "klaviyo.db").write_bytes(served.place.catalog.read_bytes())
    files = {name: str(tmp_path / name) for name in ("klaviyo.db", counts)}
    Path(files[counts]).write_text(served.place.ran([program(shell), *(files.get(word, word) for word in asked)]), encoding="utf-8")
    datasette, *options = shlex.split(serving.replace('"$(klaviyo-sql extension-path)"', shlex.quote(str(served.place.library))))
    return [program(str(HOSTS / "bin" / datasette), datasette), "serve", *(files.get(word, word) for word in options), "--get"]


def test_datasette_shows_tables_and_sends_nothing(datasette: list[str], served: Served) -> None:
    for page in ("/", "/klaviyo"):
        shown = served.place.ran([*datasette, page], **served.variables)
        assert "klaviyo" in shown
        assert served.sent() == []
    listed = served.place.told([*datasette, "/klaviyo.json"], **served.variables)
    assert TABLES.keys() <= {table["name"] for table in listed["tables"]}
    assert served.sent() == []


def test_datasette_reads_a_table_no_further_than_it_shows(datasette: list[str], served: Served) -> None:
    shown = json.loads(served.place.ran([*datasette, "/klaviyo/events.json?_shape=array"], **served.variables))
    assert len(shown) == 100
    assert served.sent() == ["get_events"]
    assert shown[-1]["id"] in served.place.ran([*datasette, "/klaviyo/events?_nocount=1"], **served.variables)
    assert served.sent() == ["get_events"]


@pytest.mark.parametrize("served", [2500], indirect=True)
def test_who_reads_the_first_rows_of_a_whole_table_pays_for_them_or_for_all(served: Served) -> None:
    """What programs do that show a table without a LIMIT: row by row, the driver reads no further."""
    sent = []
    for source in ("klaviyo_stream", "klaviyo"):
        (answer,) = served.steps(source, ("first", "SELECT * FROM events", 100))
        assert len(answer["rows"]) == 100
        sent.append(served.sent())
    first, whole = sent
    assert first == ["get_events"]
    assert set(whole) == {"get_events"}
    # A page has 1,000 rows; ranges of time that are read side by side make a few pages more of them.
    assert len(whole) >= 3


def ordinary() -> Iterator[Table]:
    """The tables whose rows are those of a list operation, which tells all that there is to tell, in one chain of pages."""
    for table in TABLES.values():
        source = table.source
        if not isinstance(source, Collection) or source.parent or source.each or source.distinct or table.others:
            continue
        if not any(isinstance(column.place, Detail | Choice) for column in table.columns):
            yield table


def test_a_preview_is_one_page(served: Served) -> None:
    tables = list(ordinary())
    assert {"profiles", "events", "metrics", "reviews", "templates"} <= {table.name for table in tables}
    told: list[dict[str, Any]] = served.steps(
        "klaviyo",
        *(
            step
            for table in tables
            for step in (
                ("execute", f"SELECT * FROM {table.name} LIMIT 100", []),
                ("execute", "SELECT count(*) FROM klaviyo_requests WHERE NOT cached", []),
                ("execute", "SELECT page_size FROM klaviyo_tables WHERE name = ?", [table.name]),
            )
        ),
    )
    before = 0
    for table, rows, count, page in zip(tables, told[::3], told[1::3], told[2::3], strict=True):
        requests, before = count["rows"][0][0][1] - before, count["rows"][0][0][1]
        size = page["rows"][0][0][1]
        # Of some tables nothing says how large their pages are.
        assert requests == max(1, ceil(len(rows["rows"]) / size)) if size else requests <= 2, table.name
