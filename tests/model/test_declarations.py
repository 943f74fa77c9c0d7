"""Every declared table against the contract: what it names exists there, and what is there is declared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from klaviyo_sql import contract
from klaviyo_sql.model.table import (
    Aggregates,
    Argument,
    Attribute,
    Collection,
    Column,
    Detail,
    Id,
    Latest,
    Measurement,
    ParentId,
    PeriodStart,
    Related,
    Table,
    Type,
    pascal_case,
)
from klaviyo_sql.tables import TABLES

ALL = list(TABLES.values())
COLLECTIONS = [table for table in ALL if isinstance(table.source, Collection)]
COLUMNS = [(table, column) for table in ALL for column in table.columns]


def named(value: Any) -> str:
    return value.name if isinstance(value, Table | Column) else ""


# The contract's side


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with references followed and allOf put together."""
    while "$ref" in schema:
        schema = contract.schemas()[schema["$ref"]]
    if "allOf" not in schema:
        return schema
    whole: dict[str, Any] = {"properties": {}}
    for part in map(resolved, schema["allOf"]):
        for name, child in part.get("properties", {}).items():
            before = whole["properties"].get(name)
            whole["properties"][name] = {"allOf": [before, child]} if before else child
    return whole


def resource(operation: str) -> dict[str, Any]:
    """The schema of one resource in the reply of the operation."""
    reply = contract.operation(operation).reply
    assert reply is not None
    assert reply.schema is not None
    data = resolved(resolved(reply.schema)["properties"]["data"])
    return resolved(data["items"]) if "items" in data else data


def leaves(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every attribute that has no attributes of its own."""
    properties = resolved(schema).get("properties")
    if not properties:
        yield path
        return
    for name, child in properties.items():
        yield from leaves(child, (*path, name))


def read_by(table: Table) -> set[tuple[str, ...]]:
    return {column.place.keys for column in table.columns if isinstance(column.place, Attribute | Latest | Detail)}


@pytest.mark.parametrize("table", COLLECTIONS, ids=named)
def test_every_attribute_of_the_reply_is_in_some_column(table: Table) -> None:
    source = table.source
    assert isinstance(source, Collection)
    columns = read_by(table)
    for operation in (source.list, source.get):
        if operation is None:
            continue
        attributes = resource(operation)["properties"]["attributes"]
        missing = [".".join(path) for path in leaves(attributes) if not any(path[:length] in columns for length in range(1, len(path) + 1))]
        assert missing == []


@pytest.mark.parametrize("table", COLLECTIONS, ids=named)
def test_every_column_is_in_the_reply(table: Table) -> None:
    source = table.source
    assert isinstance(source, Collection)
    for column in table.columns:
        if isinstance(column.place, Attribute | Latest | Detail):
            operation = source.get if isinstance(column.place, Detail) else source.list
            assert operation is not None
            schema = resolved(resource(operation)["properties"]["attributes"])
            for key in column.place.keys:
                if schema.get("properties") is None:
                    assert column.place.keys[0] in ("event_properties", "integration"), "only free JSON may be read by keys that the contract does not list"
                    break
                assert key in schema["properties"], column.name
                schema = resolved(schema["properties"][key])


@pytest.mark.parametrize("table", COLLECTIONS, ids=named)
def test_operations_filters_sorts_and_includes_exist(table: Table) -> None:
    source = table.source
    assert isinstance(source, Collection)
    operation = contract.operation(source.list)
    assert operation.method == "GET"
    assert (source.parent is not None) == ("{id}" in operation.path)
    if source.get is not None:
        assert "{id}" in contract.operation(source.get).path
    known, sorts = dict(operation.filters), set(operation.sort)
    if source.parent is not None:  # members of lists and segments share columns, not all filters and sorts
        for sibling in ALL:
            if isinstance(sibling.source, Collection) and sibling.source.resource == source.resource:
                known |= contract.operation(sibling.source.list).filters
                sorts |= set(contract.operation(sibling.source.list).sort)
    for column in table.columns:
        assert all(filter_.field in known for filter_ in column.filters), column.name
        assert column.sort is None or column.sort in sorts, column.name
        if isinstance(column.place, Related):
            assert column.place.relation in operation.include
            assert column.place.resource in operation.fields
        if isinstance(column.place, Attribute | Latest) and column.place.additional:
            assert column.place.additional in operation.additional_fields[source.resource]
        if isinstance(column.place, Detail):
            assert source.get is not None
            assert column.place.additional in contract.operation(source.get).additional_fields[source.resource]
    assert source.default_sort is None or source.default_sort in operation.sort
    assert source.default_sort is not None or not operation.sort


UNUSED_FILTERS = {
    "profiles": set(),
    "lists": set(),
    "segments": {"is_starred"},  # accepted and not applied
    "metrics": {"integration.category"},  # accepted, and returns nothing
    "events": set(),
    "list_profiles": set(),
    "segment_profiles": set(),
    "accounts": set(),
}


@pytest.mark.parametrize("table", COLLECTIONS, ids=named)
def test_every_filter_of_klaviyo_is_some_column_s(table: Table) -> None:
    assert isinstance(table.source, Collection)
    declared = {filter_.field for column in table.columns for filter_ in column.filters}
    assert contract.operation(table.source.list).filters.keys() - declared == UNUSED_FILTERS[table.name]


UNUSED_SORTS = {
    # Texts are sorted by SQLite: how Klaviyo collates them is not documented. The newest of several entries is not what it sorts by.
    "profiles": {
        "id",
        "email",
        "subscriptions.email.marketing.list_suppressions.timestamp",
        "subscriptions.email.marketing.suppression.timestamp",
    },
    "lists": {"id", "name"},
    "segments": {"id", "name"},
}


@pytest.mark.parametrize("table", COLLECTIONS, ids=named)
def test_every_sort_of_klaviyo_is_some_column_s(table: Table) -> None:
    assert isinstance(table.source, Collection)
    declared = {column.sort for column in table.columns}
    assert {name.removeprefix("-") for name in contract.operation(table.source.list).sort} - declared == UNUSED_SORTS.get(table.name, set())


# The declaration's side


@pytest.mark.parametrize("table", ALL, ids=named)
def test_keys_and_parents_exist(table: Table) -> None:
    names = [column.name for column in table.columns]
    assert len(set(names)) == len(names)
    assert len(set(map(str.lower, names))) == len(names)
    for key in table.key:
        assert table.columns[table.index(key)].not_null
        assert not table.columns[table.index(key)].hidden
    parent = table.source.parent
    if parent is not None:
        assert parent.table in TABLES
        assert isinstance(table.columns[table.index(parent.column)].place, ParentId)
        assert table.key[0] == parent.column
    assert sum(isinstance(column.place, Id) for column in table.columns) == (0 if isinstance(table.source, Aggregates) else 1)
    assert table.typical_rows > 0


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=named)
def test_a_column_is_a_name_and_a_sentence(table: Table, column: Column) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", column.name)
    assert re.fullmatch(r"[A-Z0-9][^\n]*[^.\s]\.", column.doc) or re.match(r"single_opt_in|1 ", column.doc), column.doc
    assert ". " not in column.doc.replace("e.g. ", ""), "one sentence"


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=named)
def test_places_and_types_agree(table: Table, column: Column) -> None:
    place = column.place
    if isinstance(place, Id | Related | ParentId):
        assert column.type is Type.TEXT
    if isinstance(place, PeriodStart):
        assert column.type is Type.DATE
    if isinstance(place, Argument):
        assert column.hidden
        assert column.filters
        assert not column.not_null
    if isinstance(place, Measurement | PeriodStart):
        assert isinstance(table.source, Aggregates)
    if isinstance(place, Detail):
        assert column.hidden
    if isinstance(place, Attribute) and isinstance(table.source, Collection):
        schema = resolved(resource(table.source.list)["properties"]["attributes"])
        for key in place.keys:
            schema = resolved(schema.get("properties", {}).get(key, {}))
        declared = schema.get("type")
        kinds = {
            "boolean": {Type.BOOLEAN},
            "integer": {Type.INTEGER, Type.REAL},
            "number": {Type.REAL, Type.INTEGER},
            "object": {Type.JSON},
            "array": {Type.JSON},
        }
        if declared in kinds:
            assert column.type in kinds[declared], declared
        if schema.get("format") == "date-time":
            assert column.type.is_instant


@pytest.mark.parametrize("table", ALL, ids=named)
def test_a_table_is_a_name_and_sentences(table: Table) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*s", table.name)
    for text in (table.doc, *table.notes):
        assert text[0].isupper() or "_" in text.split()[0], text
        assert text.endswith(".")
        assert "\n" not in text


@pytest.mark.parametrize("table", ALL, ids=named)
def test_pascal_case(table: Table) -> None:
    assert table.names == ((table.name, pascal_case(table.name)) if "_" in table.name else (table.name,))
    pascal = table.in_pascal_case()
    assert [column.place for column in pascal.columns] == [column.place for column in table.columns]
    assert all(column.name[0].isupper() and "_" not in column.name for column in pascal.columns)
    assert pascal.key == tuple(map(pascal_case, table.key))


def test_pascal_case_of_names() -> None:
    assert [pascal_case(name) for name in ("unique_count", "id", "a_b_c", "month_start_date")] == ["UniqueCount", "Id", "ABC", "MonthStartDate"]


def test_an_unknown_column_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        TABLES["lists"].index("nothing")


def test_types_as_declared() -> None:
    assert {kind.declared for kind in Type} == {"TEXT", "INTEGER", "REAL", "BOOLEAN", "DATE TEXT", "TIMESTAMP TEXT"}
    assert [kind for kind in Type if kind.is_instant] == [Type.TIMESTAMP, Type.TIMESTAMP_MICROSECONDS]


def test_the_scopes_that_reading_needs() -> None:
    """A key that only reads is enough for every table."""
    for table in ALL:
        operation = table.source.list if isinstance(table.source, Collection) else table.source.operation
        assert all(scope.endswith(":read") for scope in contract.operation(operation).scopes)
