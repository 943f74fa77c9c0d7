"""Every column of every table over ODBC: its type, and its values against those of a connection of klaviyo_sql's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from klaviyo_sql.model.table import Column, Parameter, Table, Type
from klaviyo_sql.opening import opened
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.reports import REPORTS

from .conftest import Served

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


def asked(table: Table) -> str:
    """All of the table, the hidden columns too, with the arguments that it cannot be without."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
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
            assert [(row[3][1], row[4][1]) for row in columns["rows"]] == [(column.name, KINDS[column.type][0]) for column in table.columns if not column.hidden]
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


def odd(served: Served) -> None:
    """Give the first profile what is in no careful account."""
    account = served.sandbox.account
    attributes = next(iter(account.profiles.values()))["attributes"]
    attributes |= {"first_name": "Ада 👩🏽‍🚀 \U0001f3f3️‍🌈", "last_name": "", "title": LONG, "organization": "O'Neil; \"&\" \\ {x}\n\t"}
    account.changed()
