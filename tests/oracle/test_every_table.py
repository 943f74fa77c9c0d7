"""Every table against the truth, in the ways that its declaration says it can be asked: generated, so that no table and no column is left out."""

from __future__ import annotations

from typing import Any

import pytest

from klaviyo_sql import contract
from klaviyo_sql.model.table import Aggregates, Argument, Collection, Column, Detail, Table, Type
from klaviyo_sql.plan import pushdown
from klaviyo_sql.plan.constraints import Operator
from klaviyo_sql.tables import TABLES

from . import truth
from .contents import CONTENTS
from .oracle import Oracle, Query

COLLECTIONS = [table for table in TABLES.values() if isinstance(table.source, Collection)]
# Of these every column is asked for by the generated queries of test_shapes, a hundred columns over thousands of rows.
LARGE = ("profiles", "list_profiles", "segment_profiles", "events")
SMALL = [table for table in COLLECTIONS if table.name not in LARGE]


def named(value: Any) -> str:
    return value.name if isinstance(value, Table) else str(value)


def asked(table: Table) -> list[Column]:
    """The columns that hold something without being given it."""
    return [column for column in table.columns if not isinstance(column.place, Argument) or table.others]


def is_deep(table: Table) -> bool:
    """Whether the parents have parents themselves."""
    return table.source.parent is not None and TABLES[table.source.parent.table].source.parent is not None


def listed(columns: list[Column]) -> str:
    return ", ".join(f'"{column.name}"' for column in columns)


def texts_of(table: Table, column: Column) -> list[str]:
    """A few of the column's values as SQL writes them: the least, the greatest, one between, and those at the ends of pages."""
    position = table.columns.index(column)
    values = sorted({row[position] for row in truth.rows(truth.account(), table.name)} - {None}, key=lambda value: (str(type(value)), value))
    chosen = [values[0], values[len(values) // 2], values[-1]] if values else []
    return [literal(value) for value in dict.fromkeys(chosen)]


def literal(value: Any) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def test_the_truth_is_told_of_every_table() -> None:
    assert CONTENTS.keys() == {table.name for table in COLLECTIONS}
    assert {name for name in TABLES if isinstance(TABLES[name].source, Aggregates)} == {"daily_metrics", "weekly_metrics", "monthly_metrics"}


@pytest.mark.parametrize("table", COLLECTIONS, ids=named)
def test_there_is_something_to_be_told(table: Table) -> None:
    assert next(truth.rows(truth.account(), table.name), None) is not None


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("table", SMALL, ids=named)
def test_a_whole_table(table: Table, cached: bool, oracle: Oracle) -> None:
    oracle.check(Query(f"SELECT {listed(asked(table))} FROM {table.name}"), cached=cached)
    visible = [column for column in asked(table) if not column.hidden]
    oracle.check(Query(f"SELECT {listed(visible)} FROM {table.name} WHERE 1"), cached=cached)
    oracle.check(Query(f"SELECT count(*) FROM {table.name}"), cached=cached)


@pytest.mark.parametrize("table", SMALL, ids=named)
def test_each_column_alone(table: Table, oracle: Oracle) -> None:
    key = listed([table.columns[table.index(name)] for name in table.key])
    columns = asked(table)
    for column in columns[-2:] if is_deep(table) else columns[:12] + columns[-12:]:
        if isinstance(column.place, Detail) and table.typical_rows > 100:
            continue
        oracle.check(Query(f'SELECT {key}, "{column.name}" FROM {table.name}'), cached=True)


@pytest.mark.parametrize("table", SMALL, ids=named)
def test_rows_by_their_key(table: Table, oracle: Oracle) -> None:
    found = sorted(truth.rows(truth.account(), table.name), key=repr)
    positions = [table.index(name) for name in table.key]
    every = listed(asked(table))
    for row in (found[0], found[len(found) // 2], found[-1]):
        terms = [f'"{name}" = {literal(row[position])}' for name, position in zip(table.key, positions, strict=True)]
        oracle.check(Query(f"SELECT {every} FROM {table.name} WHERE {' AND '.join(terms)}"), cached=False)
        for term in terms:
            oracle.check(Query(f"SELECT {every} FROM {table.name} WHERE {term}"), cached=False)
    values = ", ".join(sorted({literal(row[positions[0]]) for row in found[:: max(1, len(found) // 8)]}))
    oracle.check(Query(f"SELECT {every} FROM {table.name} WHERE \"{table.key[0]}\" IN ({values}, 'none')"), cached=False)
    assert oracle.check(Query(f"SELECT * FROM {table.name} WHERE \"{table.key[0]}\" = 'none'"), cached=False) == []


@pytest.mark.parametrize("table", SMALL, ids=named)
def test_each_term_that_is_handed_over(table: Table, oracle: Oracle) -> None:
    every = listed([column for column in asked(table) if not isinstance(column.place, Detail)])
    for position, column in enumerate(table.columns):
        if column not in asked(table):
            continue
        # What Klaviyo is not asked for makes the same requests whatever the value; grandchildren are many requests.
        texts = texts_of(table, column)[: 3 if pushdown.is_pushed(table, position, Operator.EQUAL) else 1]
        if is_deep(table) and not pushdown.is_pushed(table, position, Operator.EQUAL):
            continue
        for operator in (operator for operator in Operator if pushdown.takes(table, position, operator)):
            if operator is Operator.NOT_NULL:
                terms = [f'"{column.name}" IS NOT NULL']
            elif operator is Operator.IN:
                terms = [f'"{column.name}" IN ({", ".join(texts)})'] if texts else []
            else:
                terms = [f'"{column.name}" {operator} {text}' for text in texts]
            for term in terms:
                oracle.check(Query(f"SELECT {every} FROM {table.name} WHERE {term}"), cached=True)
        if column.type is Type.TEXT and pushdown.takes(table, position, Operator.EQUAL):
            oracle.check(Query(f"SELECT {every} FROM {table.name} WHERE \"{column.name}\" = 'nothing like that'"), cached=True)


@pytest.mark.parametrize("table", SMALL, ids=named)
def test_orders_and_limits(table: Table, oracle: Oracle) -> None:
    key = [table.index(name) for name in table.key]
    columns = listed([table.columns[position] for position in key])
    for limit in (1, 7):
        oracle.check(Query(f"SELECT {columns} FROM {table.name} LIMIT {limit}", full=f"SELECT {columns} FROM {table.name}"), cached=False)
    for position, column in enumerate(table.columns):
        if not pushdown.sorts(table, position):
            continue
        for direction in ("", " DESC"):
            text = f'SELECT "{column.name}", {columns} FROM {table.name} ORDER BY "{column.name}"{direction}'
            oracle.check(Query(text, keys=(0,)), cached=False)
            oracle.check(Query(f"{text} LIMIT 5 OFFSET 2", keys=(0,), full=text), cached=False)


@pytest.mark.parametrize("table", [table for table in SMALL if len(table.names) > 1], ids=named)
def test_under_its_other_name(table: Table, oracle: Oracle) -> None:
    column = table.in_pascal_case().columns[table.index(table.key[0])].name
    oracle.check(Query(f"SELECT {column} FROM {table.names[1]}"), cached=True)


def test_no_operation_is_read_with_a_method_that_writes() -> None:
    for table in COLLECTIONS:
        for way in table.ways:
            assert contract.operation(way.source.list).method == "GET"
