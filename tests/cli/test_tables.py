"""klaviyo-sql tables: every table and column, without a key."""

from __future__ import annotations

import csv
import io
import json

import pytest

from klaviyo_sql.session.own_tables import OWN_TABLES
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.reports import REPORTS

from .conftest import Run


def test_the_list(run: Run) -> None:
    ended = run("tables")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == "name                       a second  a minute   page  description"
    assert [line.split()[0] for line in lines[1 : lines.index("")] if line[0] != " "] == [*TABLES, *REPORTS]
    assert "events                          350     3,500  1,000  Everything that profiles did and that was sent to them, one row an event." in lines
    long = lines.index("campaign_recipient_estimations")
    assert lines[long + 1].split()[:3] == ["10", "150", "-"]


def test_the_list_as_data(run: Run) -> None:
    rows = json.loads(run("tables", "--format", "json").out)
    assert [row["name"] for row in rows] == [*TABLES, *REPORTS]
    assert rows[1] == {
        "name": "profiles",
        "description": "The people of the account, one row each.",
        "requests_per_second": 75,
        "requests_per_minute": 750,
        "page_size": 100,
    }


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_described(run: Run, name: str) -> None:
    text = run("tables", name).out
    assert text.startswith(f"{name}: {TABLES[name].doc}\n")
    for column in TABLES[name].columns:
        assert f"\n{column.name} " in text
        assert f"    {column.doc}" in text
    for note in TABLES[name].notes:
        assert note in text


def test_a_description_tells_what_klaviyo_does(run: Run) -> None:
    text = run("tables", "profiles").out
    assert "created " in text
    assert "    When the profile was made.\n    rechecked: =  IN  >  >=  <  <=   sorted\n" in text
    assert "    The profile's id, 26 characters. Never NULL.\n    exact: =  IN\n" in text
    assert "Read with get_profiles: up to 100 rows a request, 75 requests a second and 750 a minute. The key needs profiles:read. Key: id.\n" in text


def test_columns_as_data(run: Run) -> None:
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(run("tables", "events", "--format", "csv").out, newline=""))}
    assert list(rows) == [column.name for column in TABLES["events"].columns]
    assert rows["datetime"]["exact"] == "=, IN, >, >=, <, <="
    assert (rows["datetime"]["type"], rows["datetime"]["sorted"], rows["uuid"]["exact"]) == ("timestamp", "1", "")
    assert run("tables", "lists", "--format", "markdown").out.startswith("| name | type |")


@pytest.mark.parametrize(("name", "title", "column"), [("monthlymetrics", "MonthlyMetrics", "MonthStartDate"), ("PROFILES", "profiles", "email")])
def test_names_in_either_style_and_any_case(run: Run, name: str, title: str, column: str) -> None:
    text = run("tables", name).out
    assert text.startswith(f"{title}: ")
    assert f"\n{column} " in text


@pytest.mark.parametrize("name", OWN_TABLES)
def test_the_tables_of_the_driver_are_described_too(run: Run, name: str) -> None:
    text = run("tables", name.upper()).out
    assert text.startswith(f"{name}: {OWN_TABLES[name].doc}\n")
    for column in OWN_TABLES[name].columns:
        assert f"\n{column.name} " in text
        assert f"    {column.doc}" in text
    described = json.loads(run("tables", name, "--format", "json").out)
    assert [(row["name"], row["description"]) for row in described] == [(column.name, column.doc) for column in OWN_TABLES[name].columns]
    assert name in run("tables").out
    assert f"Did you mean {name}" in run("tables", f"{name}s").err


def test_an_unknown_table(run: Run) -> None:
    ended = run("tables", "profile")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("klaviyo-sql: There is no table profile. Did you mean profiles")
    assert run("tables", "xyzzy").err == "klaviyo-sql: There is no table xyzzy. klaviyo-sql tables lists them all.\n"


@pytest.mark.parametrize("arguments", [(), ("events",), ("profiles",), ("MonthlyMetrics",), ("klaviyo_limits",)])
@pytest.mark.parametrize("width", [80, 120])
def test_it_fits(run: Run, arguments: tuple[str, ...], width: int) -> None:
    text = run("tables", *arguments, "--width", str(width)).out
    assert max(map(len, text.splitlines())) <= width


def test_functions_are_described_like_tables(run: Run) -> None:
    told = run("tables", "flow_series").out
    assert told.startswith("flow_series: How the messages of flows did")
    assert "225 a day" in told
    assert "interval" in told
