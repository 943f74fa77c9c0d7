"""Plans as values: what is taken from SQLite, what a plan says of it, and requests that the contract allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from klaviyo_sql import Connection, contract
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Aggregates, Argument, Choice, Collection, Column, FromParent, Table, Type
from klaviyo_sql.plan import planning, pushdown
from klaviyo_sql.plan.chains import Plan
from klaviyo_sql.plan.constraints import Constraint, Operator
from klaviyo_sql.plan.scan import Order, Scan, Today
from klaviyo_sql.sandbox.entitlements import DEFAULT, WEBHOOKS
from klaviyo_sql.tables import TABLES


def today() -> Today:
    return Today("America/New_York", date(2026, 11, 20))


TERMS = [(table, position, operator) for table in TABLES.values() for position in range(len(table.columns)) for operator in Operator]
PUSHED = [(table, position, operator) for table, position, operator in TERMS if pushdown.is_pushed(table, position, operator)]


def sample(column: Column, operator: Operator, table: Table | None = None) -> Any:
    """A value that the column may be compared with; the date is a Monday and the first of a month."""
    few = _few(column, table) if table is not None else ()
    if few:
        return few[:2] if operator is Operator.IN else few[0]
    kinds: dict[Type, Any] = {Type.DATE: "2025-09-01", Type.INTEGER: 1_790_000_000, Type.REAL: 1.5, Type.BOOLEAN: 1}
    value = "2026-10-01 08:30:00" if column.type.is_instant else kinds.get(column.type, "some text")
    return (value, value[:-1] + "1" if isinstance(value, str) else 0) if operator is Operator.IN else value


def _few(column: Column, table: Table) -> tuple[Any, ...]:
    """The values of which Klaviyo takes no others; one of them, where all of them would be what nobody asked for."""
    if isinstance(column.place, Choice):
        values = tuple(int(value) if isinstance(value, bool) else value for value in column.place.values)
        return values[:1] if len(values) <= 2 else values
    for way in table.ways:
        if isinstance(way.source, Collection):
            rules = contract.operation(way.source.list).filters
            found = [rules[filter_.field].enum for filter_ in way.columns[table.columns.index(column)].filters if filter_.field in rules]
            if any(found):
                return found[0]
    return ()


def name(term: Any) -> str:
    return term.name if isinstance(term, Table) else str(term)


@pytest.mark.parametrize("table", TABLES.values(), ids=name)
def test_a_term_that_is_not_taken_is_nothing_else(table: Table) -> None:
    for _, position, operator in (term for term in TERMS if term[0] is table):
        said = f"{table.columns[position].name} {operator}"
        if not pushdown.takes(table, position, operator):
            assert not pushdown.is_pushed(table, position, operator), said
            assert not pushdown.is_exact(table, position, operator), said
            assert not pushdown.answers_alone(table, position, operator), said
        if pushdown.is_exact(table, position, operator):
            assert pushdown.is_pushed(table, position, operator), said
        if isinstance(table.columns[position].place, Argument) and not table.others and pushdown.takes(table, position, operator):
            assert pushdown.answers_alone(table, position, operator), f"{said}: no row has the value, so nobody but the scan can check it"


def requests(plan: Plan) -> Iterator[Request]:
    if plan.parents is not None and plan.chains_of is not None:
        yield from requests(plan.parents)
        yield from (chain.request for chain in plan.chains_of((("PARENT",),)))
    yield from (chain.request for chain in plan.chains)


def is_allowed(request: Request) -> None:
    """Everything in the request is in the contract."""
    operation = contract.operation(request.operation)
    assert request.method == operation.method
    assert "{" in operation.path or request.path == operation.path
    assert list(request.parameters) == sorted(request.parameters)
    for parameter, value in request.parameters:
        if parameter == "page[size]":
            assert operation.page is not None
            assert 1 <= int(value) <= operation.page.max
        elif parameter == "sort":
            assert value in operation.sort
        elif parameter == "include":
            assert set(value.split(",")) <= set(operation.include)
        elif parameter.startswith("additional-fields["):
            assert set(value.split(",")) <= set(operation.additional_fields[parameter[18:-1]])
        elif parameter.startswith("fields["):
            assert set(value.split(",")) <= {*operation.fields[parameter[7:-1]], "id"}
        else:
            assert parameter == "filter"


@pytest.mark.parametrize(("table", "position", "operator"), PUSHED, ids=name)
def test_a_pushed_term_is_in_the_request(table: Table, position: int, operator: Operator) -> None:
    value = sample(table.columns[position], operator, table)
    plan = planning.plan(Scan(table, (position,), (Constraint(position, operator, value),)), TABLES, today)
    made = list(requests(plan))
    assert made
    for request in made:
        is_allowed(request)
    # Another way to read the table may be cheaper than the one that can be asked for the term.
    assert table.columns[position].name in (*plan.sent, *plan.rechecked) or table.others
    bare = list(requests(planning.plan(Scan(table, (position,)), TABLES, today)))
    place = table.columns[position].place
    # A choice of one is no choice; a parent's column is compared here where Klaviyo has no filter for it.
    assert made != bare or isinstance(place, Choice | FromParent) or table.others


@pytest.mark.parametrize("table", TABLES.values(), ids=name)
def test_every_column_can_be_read_alone_and_with_all(table: Table) -> None:
    for columns in (*((position,) for position in range(len(table.columns))), tuple(range(len(table.columns))), ()):
        plan = planning.plan(Scan(table, columns), TABLES, today)
        for request in requests(plan):
            is_allowed(request)
        chains = plan.chains or plan.chains_of((("PARENT",),))  # type: ignore[misc]
        for chain in chains:
            assert chain.columns[: len(columns)] == columns
            assert len(chain.decoded) == len(chain.constants) == len(chain.columns)


@pytest.mark.parametrize("table", TABLES.values(), ids=name)
def test_orders_are_klaviyo_s(table: Table) -> None:
    for position, column in enumerate(table.columns):
        if not pushdown.sorts(table, position):
            continue
        for descending in (False, True):
            plan = planning.plan(Scan(table, (), (), Order(position, descending), limit=3), TABLES, today)
            for chain in plan.chains:
                assert ("sort", f"-{column.sort}" if descending else column.sort) in chain.request.parameters
                assert position in chain.columns
    if isinstance(table.source, Aggregates):
        assert not any(pushdown.sorts(table, position) for position in range(len(table.columns)))


@pytest.mark.parametrize("key", ["../accounts", "a/b", "a?b=c", "a#b", "%2e%2e", "..", ".", "", " ", "é", "a\nb", "a\0b"], ids=ascii)
@pytest.mark.parametrize("table", ["profiles", "events", "lists", "segments", "metrics", "list_profiles", "segment_profiles"])
def test_ids_never_lead_to_another_path(connection: Connection, table: str, key: str) -> None:
    column = TABLES[table].key[0]
    assert connection.execute(f"SELECT 1 FROM {table} WHERE {column} = ?", (key,)).fetchall() == []
    assert connection.sandbox is not None
    allowed = {"get_profile", "get_event", "get_list", "get_segment", "get_metric", "get_profiles_for_list", "get_profiles_for_segment"}
    allowed |= {"get_profiles", "get_events", "get_lists", "get_segments", "get_metrics"}
    assert {record.operation for record in connection.sandbox.requests} <= allowed


def test_a_contradiction_needs_no_day() -> None:
    def unasked() -> Today:
        raise AssertionError

    table = TABLES["daily_metrics"]
    plan = planning.plan(Scan(table, (0,), (Constraint(1, Operator.EQUAL, "2026-01-01"), Constraint(1, Operator.EQUAL, "2026-01-02"))), TABLES, unasked)
    assert plan.nothing
    assert plan.chains == ()


@pytest.mark.parametrize("table", [table for table in TABLES.values() if not isinstance(table.source, Aggregates)], ids=name)
def test_the_sandbox_takes_every_pushed_term(open_sandbox: Callable[..., Connection], table: Table) -> None:
    """Strict as Klaviyo is: a filter that it would refuse is an error here."""
    connection = open_sandbox(options={"limits": False, "entitlements": (*DEFAULT, WEBHOOKS)})
    assert connection.sandbox is not None
    parent = {"list_profiles": "list_id = 'x'", "segment_profiles": "segment_id = 'x'"}.get(table.name, "1")
    if parent != "1":
        source = connection.sandbox.account.lists if "list" in table.name else connection.sandbox.account.segments
        parent = parent.replace("'x'", f"'{next(iter(source))}'")
    for declared, position, operator in PUSHED:
        column = declared.columns[position]
        if declared is not table or (table.source.parent and table.source.parent.column == column.name):
            continue
        value = sample(column, operator)
        asked = f"{operator} {value!r}"
        if operator is Operator.NOT_NULL:
            asked = "IS NOT NULL"
        connection.execute(f'SELECT 1 FROM {table.name} WHERE {parent} AND "{column.name}" {asked} LIMIT 1').fetchall()
    refused = {(record.operation, record.status) for record in connection.sandbox.requests if record.status not in (200, 404)}
    assert refused <= {(way.source.get, 400) for way in table.ways if 400 in way.source.absent_statuses}
