"""Every report against itself: what a condition, an order or a choice of columns gives is what SQL makes of the whole answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any

import pytest

from klaviyo_sql import Connection
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.model.table import Column, Grouping, Parameter, Report, Statistic, Table
from klaviyo_sql.opening import opened
from klaviyo_sql.plan import pushdown
from klaviyo_sql.plan.constraints import Operator
from klaviyo_sql.sandbox import Sandbox
from klaviyo_sql.tables.reports import REPORTS

from . import truth

TABLES = [table for table in REPORTS.values() if isinstance(table.source, Report)]


def named(value: Any) -> str:
    return value.name if isinstance(value, Table) else str(value)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    clock = SimulatedClock(datetime.combine(truth.TODAY, time(18), tzinfo=UTC))
    with opened(":memory:", sandbox=Sandbox(truth.account(), clock=clock), autocommit=True, cache_seconds=1e6, max_wait=1e6) as made:
        for table in TABLES:
            names = ", ".join(f'"{column.name}"' for column in table.columns if not isinstance(column.place, Parameter))
            made.execute(f"CREATE TEMP TABLE whole_{table.name} AS SELECT {names} FROM {asked(table)}")
        yield made


def groupings(table: Table) -> list[Column]:
    return [column for column in table.columns if isinstance(column.place, Grouping)]


def asked(table: Table) -> str:
    """The call with every grouping that there is."""
    arguments = {column.name: "'last_90_days'" for column in table.columns if column.name == "timeframe"}
    arguments |= {column.name: "'weekly'" for column in table.columns if column.name == "interval"}
    grouped = ",".join(column.place.name for column in groupings(table) if isinstance(column.place, Grouping))
    arguments |= {column.name: f"'{grouped}'" for column in table.columns if column.name == "group_by"}
    return f"{table.name}({', '.join(arguments[column.name] for column in table.columns if column.name in arguments)})"


def compare(connection: Connection, table: Table, columns: str, rest: str = "") -> list[tuple[Any, ...]]:
    found = connection.execute(f"SELECT {columns} FROM {asked(table)} {rest}").fetchall()
    whole = connection.execute(f"SELECT {columns} FROM whole_{table.name} {rest}").fetchall()
    if "ORDER BY" in rest:
        assert found == whole, rest
    else:
        assert sorted(found, key=repr) == sorted(whole, key=repr), rest
    return found


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_each_condition_leaves_what_sql_leaves(table: Table, connection: Connection) -> None:
    number = next(column.name for column in table.columns if isinstance(column.place, Statistic))
    key = ", ".join(f'"{column.name}"' for column in groupings(table))
    compared = 0
    for column in groupings(table):
        values = connection.execute(f'SELECT DISTINCT "{column.name}" FROM whole_{table.name} WHERE "{column.name}" IS NOT NULL ORDER BY 1').fetchall()
        texts = ["'" + value.replace("'", "''") + "'" for (value,) in values]
        position = table.index(column.name)
        for operator in (Operator.EQUAL, Operator.IN):
            if not texts or not pushdown.takes(table, position, operator):
                continue
            for term in (f"= {texts[0]}", f"= {texts[-1]}") if operator is Operator.EQUAL else (f"IN ({texts[0]}, {texts[-1]}, 'none')",):
                compare(connection, table, f"{key}, {number}", f'WHERE "{column.name}" {term}')
                compared += 1
        assert compare(connection, table, f"{key}, {number}", f"WHERE \"{column.name}\" = 'nothing like that'") == []
    assert compared or not any(isinstance(column.place, Grouping) and column.place.filters for column in table.columns)


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_each_statistic_alone(table: Table, connection: Connection) -> None:
    key = ", ".join(f'"{column.name}"' for column in groupings(table))
    statistics = [column.name for column in table.columns if isinstance(column.place, Statistic)]
    for statistic in (statistics[0], statistics[len(statistics) // 2], statistics[-1]):
        compare(connection, table, f"{key}, {statistic}")
        compare(connection, table, f"{key}, {statistic}", f"ORDER BY {statistic} DESC, row_key LIMIT 5")
    compare(connection, table, "count(*), count(DISTINCT row_key)")


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_under_its_other_name(table: Table, connection: Connection) -> None:
    found = connection.execute(f"SELECT count(*) FROM {asked(table).replace(table.name, table.names[1])}").fetchall()
    assert found == connection.execute(f"SELECT count(*) FROM whole_{table.name}").fetchall() != [(0,)]
