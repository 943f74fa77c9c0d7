"""Every column of every table over ODBC: its type, and its values against those of a connection of klaviyo_sql's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from klaviyo_sql.extension import data_source
from klaviyo_sql.model.table import Column, Parameter, Table, Type
from klaviyo_sql.opening import opened
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.reports import REPORTS
from klaviyo_sql.vocabularies import VOCABULARIES

from .conftest import Served, pyodbc

ALL = {**TABLES, **REPORTS}
LONG = "Длинный текст, 150 kB. " * 4000


def _when(value: str) -> list[Any]:
    """The driver's times have no zone; they are those of UTC."""
    return ["datetime", datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None).isoformat()]


# Of each type: ODBC's number of it, what pyodbc makes of it, and of a value.
_Kind = tuple[int, str, Callable[[Any], list[Any]]]
_TEXT: _Kind = (-1, "str", lambda value: ["str", value])
_TIME: _Kind = (93, "datetime", _when)
KINDS: dict[Type, _Kind] = {
    Type.TEXT: _TEXT,
    Type.JSON: _TEXT,
    Type.INTEGER: (-5, "int", lambda value: ["int", value]),
    # SQLite's own text of the number, which the driver takes, has 15 digits.
    Type.REAL: (8, "float", lambda value: ["float", float(f"{value:.15g}")]),
    Type.BOOLEAN: (-7, "bool", lambda value: ["bool", bool(value)]),
    Type.DATE: (91, "date", lambda value: ["date", date.fromisoformat(value).isoformat()]),
    Type.TIMESTAMP: _TIME,
    Type.TIMESTAMP_MICROSECONDS: _TIME,
}


def shown(column: Column, value: Any) -> list[Any]:
    """What ODBC is to give for what klaviyo_sql gives."""
    return ["NoneType", None] if value is None else KINDS[column.type][2](value)


def different(table: Table, found: list[list[Any]], expected: list[list[Any]]) -> list[tuple[Any, ...]]:
    """The first few values that are not as expected; a table is read in no order that is promised."""
    if len(found) != len(expected):
        return [(table.name, len(found), len(expected))]
    pairs = zip(sorted(found, key=repr), sorted(expected, key=repr), strict=True)
    return [
        (table.name, column.name, str(value)[:300], str(wanted)[:300])
        for row, wanted_row in pairs
        for column, value, wanted in zip(table.columns, row, wanted_row, strict=True)
        if value != wanted
    ][:5]


def listed(names: Iterable[str]) -> str:
    """As SQL lists columns."""
    return ", ".join(f'"{name}"' for name in names)


def asked(table: Table) -> str:
    """All of the table, the hidden columns too, with the arguments that it cannot be without."""
    columns = listed(column.name for column in table.columns)
    needed = [column for column in table.columns if isinstance(column.place, Parameter) and column.place.required]
    assert [column.name for column in needed] in ([], ["metric_id"]), table.name
    question = " WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order') AND since = '2026-01-01' AND until = '2026-11-01'" * bool(needed)
    return f"SELECT {columns} FROM {table.name}{question}"


@pytest.mark.parametrize("source", ["klaviyo", "klaviyo_stream"])
def test_every_column_of_every_table(source: str, served: Served) -> None:
    odd(served)
    answers = iter(served.steps(source, ("tables",), *(step for table in ALL.values() for step in (("columns", table.name), ("execute", asked(table), [])))))
    assert {row[2][1] for row in next(answers)["rows"]} == set(ALL)
    seen: Counter[tuple[Type, bool]] = Counter()
    empty = set()
    with opened(":memory:", sandbox=served.sandbox, autocommit=True) as own:
        for table in ALL.values():
            columns, answer = next(answers), next(answers)
            assert [(row[3][1], row[4][1]) for row in columns["rows"]] == [
                (column.name, KINDS[column.type][0]) for column in table.columns if not column.hidden
            ]
            assert "error" not in answer, (table.name, answer)
            assert answer["columns"] == [[column.name, KINDS[column.type][1]] for column in table.columns], table.name
            wanted = own.execute(asked(table)).fetchall()
            expected = [[shown(column, value) for column, value in zip(table.columns, row, strict=True)] for row in wanted]
            assert different(table, answer["rows"], expected) == []
            seen.update((column.type, value is None) for row in wanted for column, value in zip(table.columns, row, strict=True))
            if not wanted:
                empty.add(table.name)
    assert empty == set()
    assert {type_ for type_, _ in seen} == set(Type)


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_every_column_of_other_systems_names(vocabulary: str, served: Served, tmp_path: Path) -> None:
    pyodbc()
    file = tmp_path / "other.db"
    done = served.place.command("catalog", str(file), "--schema", vocabulary)
    assert done.returncode == 0, done.stderr
    source = f"Driver={next(data_source.drivers())};Database={file};LoadExt={served.place.library};BigInt=1"
    with opened(":memory:", sandbox=served.sandbox, autocommit=True) as own:
        tables = list(own.tables(vocabulary))
        asking = [f'SELECT {listed(column.name for column in table.columns)} FROM "{table.name}" ORDER BY {listed(table.key)} LIMIT 20' for table in tables]
        for table, sql, answer in zip(tables, asking, served.steps(source, *(("execute", sql, []) for sql in asking)), strict=True):
            assert "error" not in answer, (table.name, answer)
            assert answer["columns"] == [[column.name, KINDS[column.type][1]] for column in table.columns], table.name
            wanted = own.execute(sql.replace(' FROM "', f' FROM {vocabulary}."')).fetchall()
            expected = [[shown(column, value) for column, value in zip(table.columns, row, strict=True)] for row in wanted]
            assert different(table, answer["rows"], expected) == []


@pytest.mark.parametrize("source", ["klaviyo", "klaviyo_stream"])
def test_values_at_the_ends_of_what_there_is(source: str, served: Served) -> None:
    profiles = sorted(served.sandbox.account.profiles.values(), key=lambda profile: str(profile["id"]))
    for profile in profiles:
        profile["attributes"]["properties"] = {}
    # The first row has no value at all, from which the driver could tell a type.
    for number, profile in enumerate(profiles[1 : 1 + len(EXTREMES)]):
        profile["attributes"]["properties"] = {"odbc": dict(zip("wrbtdsn", EXTREMES[number], strict=True))}
    served.sandbox.account.changed()
    columns = "w INTEGER '$.odbc.w', r REAL '$.odbc.r', b BOOLEAN '$.odbc.b', t TIMESTAMP '$.odbc.t', d DATE '$.odbc.d', s TEXT '$.odbc.s', n JSON '$.odbc.n'"
    create = ("execute", f"CREATE VIRTUAL TABLE extremes USING klaviyo(profiles, {columns})", [])
    select = ("execute", f"SELECT w, r, b, t, d, s, n FROM extremes ORDER BY id LIMIT {len(EXTREMES) + 2}", [])
    empty = ("execute", "SELECT id, w FROM extremes WHERE s = ?", [""])
    _, answer, found = served.steps(source, create, select, empty)
    assert answer["columns"] == [[name, kind] for name, kind in zip("wrbtdsn", ("int", "float", "bool", "datetime", "date", "str", "str"), strict=True)]
    nothing = [["NoneType", None]] * 7
    assert answer["rows"] == [nothing, *READ, nothing]
    assert found["rows"] == [[["str", profiles[2]["id"]], ["int", -(2**31) - 1]]]


@pytest.mark.parametrize(("source", "count"), [("klaviyo", 60), ("klaviyo_stream", "60")])
def test_expressions_have_the_type_of_the_first_row(source: str, count: object, served: Served) -> None:
    """A trap of the driver's, which the documents tell of: where types differ, CAST."""
    rows = served.steps(
        source,
        ("execute", "SELECT count(*) FROM profiles", []),
        ("execute", "SELECT count(*) FROM profiles WHERE id <> ?", ["x"]),
        ("execute", "SELECT * FROM (SELECT 0 AS a UNION ALL SELECT 2.5) WHERE a <> ?", [7]),
        ("execute", "SELECT CAST(a AS REAL) FROM (SELECT 0 AS a UNION ALL SELECT 2.5) WHERE a <> ?", [7]),
        ("execute", "SELECT a FROM (SELECT NULL AS a UNION ALL SELECT 5000000000) WHERE a IS NOT ?", [7]),
    )
    values = [[value for (value,) in answer["rows"]] for answer in rows]
    assert values == [
        # Row by row, and without parameters, all of them are texts.
        [[type(count).__name__, count]],
        [["int", 60]],
        [["int", 0], ["int", 2]],
        [["float", 0.0], ["float", 2.5]],
        [["NoneType", None], ["str", "5000000000"]],
    ]


EXTREMES = [
    (2**31, 0.1, True, "2026-03-01T12:30:45+02:00", "2026-02-28", "Ада 👩🏽‍🚀 🏳️‍🌈", {"a": [1, None, "ё"]}),
    (-(2**31) - 1, -1e300, False, "2026-03-01T12:30:45.678901+00:00", "1969-12-31", "", []),
    (2**53 + 1, 5e-324, True, "1969-12-31T23:59:59Z", "2038-01-20", LONG, {"long": LONG}),
    (2**63 - 1, 123456789.125, False, "2038-01-20T00:00:00Z", "9999-12-31", "'\";{}\\\t\n", "text"),
    (-(2**63), 0.0, None, None, None, " ", 0),
]
"""What profiles have: integers, reals, booleans, times, dates, texts, JSON."""
READ = [
    [
        ["int", 2**31],
        ["float", 0.1],
        ["bool", True],
        ["datetime", "2026-03-01T10:30:45"],
        ["date", "2026-02-28"],
        ["str", EXTREMES[0][5]],
        ["str", '{"a":[1,null,"ё"]}'],
    ],
    [
        ["int", -(2**31) - 1],
        ["float", -1e300],
        ["bool", False],
        ["datetime", "2026-03-01T12:30:45.678901"],
        ["date", "1969-12-31"],
        ["str", ""],
        ["str", "[]"],
    ],
    [
        ["int", 2**53 + 1],
        ["float", 5e-324],
        ["bool", True],
        ["datetime", "1969-12-31T23:59:59"],
        ["date", "2038-01-20"],
        ["str", LONG],
        ["str", f'{{"long":"{LONG}"}}'],
    ],
    [
        ["int", 2**63 - 1],
        ["float", 123456789.125],
        ["bool", False],
        ["datetime", "2038-01-20T00:00:00"],
        ["date", "9999-12-31"],
        ["str", EXTREMES[3][5]],
        ["str", '"text"'],
    ],
    [["int", -(2**63)], ["float", 0.0], ["NoneType", None], ["NoneType", None], ["NoneType", None], ["str", " "], ["str", "0"]],
]
"""The same over ODBC."""


def odd(served: Served) -> None:
    """Give the first profile what is in no careful account."""
    account = served.sandbox.account
    attributes = next(iter(account.profiles.values()))["attributes"]
    attributes |= {"first_name": "Ада 👩🏽‍🚀 \U0001f3f3️‍🌈", "last_name": "", "title": LONG, "organization": 'O\'Neil; "&" \\ {x}\n\t'}
    account.changed()
