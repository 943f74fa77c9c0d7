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
    Choice,
    Collected,
    Collection,
    Column,
    Detail,
    Element,
    ElementKind,
    ElementNumber,
    Elements,
    Elsewhere,
    FromParent,
    Id,
    Included,
    Latest,
    Linked,
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
WAYS = [way for table in COLLECTIONS for way in table.ways]
# Rows are the resources of one operation, and tell all of them.
WHOLE = [table for table in COLLECTIONS if not table.source.each and not table.source.distinct and table.name != "catalog_item_categories"]
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
    found = {column.place.keys for column in table.columns if isinstance(column.place, Attribute | Latest | Detail)}
    return found | {column.place.keys for column in table.columns if isinstance(column.place, Choice) and column.place.keys}


@pytest.mark.parametrize("table", WHOLE, ids=named)
def test_every_attribute_of_the_reply_is_in_some_column(table: Table) -> None:
    source = table.source
    assert isinstance(source, Collection)
    columns = read_by(table)
    for operation in (source.list, source.get):
        if operation is None:
            continue
        attributes = resource(operation)["properties"].get("attributes", {"properties": {}})
        missing = [".".join(path) for path in leaves(attributes) if not any(path[:length] in columns for length in range(1, len(path) + 1))]
        assert missing in ([], [""])


FREE = ("event_properties", "integration", "send_strategy", "status", "definition", "tracking_options")
"""Free JSON, and what the description has several shapes of: the fieldsets tell what may be in it."""


@pytest.mark.parametrize("table", WAYS, ids=named)
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
                    known = contract.operation(operation).fields[source.resource]
                    told = ".".join(column.place.keys) in known or column.place.keys[0] in ("event_properties", "integration")
                    assert column.place.keys[0] in FREE, "only free JSON may be read by keys that the contract does not list"
                    assert told, column.name
                    break
                assert key in schema["properties"], column.name
                schema = resolved(schema["properties"][key])


@pytest.mark.parametrize("table", WAYS, ids=named)
def test_operations_filters_sorts_and_includes_exist(table: Table) -> None:
    source = table.source
    assert isinstance(source, Collection)
    operation = contract.operation(source.list)
    assert operation.method == "GET"
    assert (source.parent is not None and source.parent.filter is None) == ("{" in operation.path)
    if source.get is not None:
        assert "{" in contract.operation(source.get).path
    known, sorts = dict(operation.filters), set(operation.sort)
    for sibling in WAYS:  # members of lists and segments share columns, not all filters and sorts; so do the ways of one table
        if sibling.name == table.name or (source.parent is not None and sibling.source.resource == source.resource):
            known |= contract.operation(sibling.source.list).filters
            sorts |= set(contract.operation(sibling.source.list).sort)
    for column in table.columns:
        assert all(filter_.field in known for filter_ in column.filters), column.name
        assert column.sort is None or column.sort in sorts, column.name
        place = column.place
        if isinstance(place, Related | Included | Collected) and not (isinstance(place, Related) and place.inlined):
            assert place.relation in operation.include or source.parent is not None, column.name
            assert place.resource in operation.fields or place.relation not in operation.include, column.name
        if isinstance(place, ParentId) and place.relation is not None:
            assert source.get is not None
            assert place.relation in contract.operation(source.get).include
        if isinstance(place, Choice):
            (filter_,) = column.filters
            assert filter_.exact
            assert set(place.values) <= set(operation.filters[filter_.field].enum or (False, True))
            assert place.keys is not None or place.by_id is not None or source.get is None
        if isinstance(place, Attribute | Latest) and place.additional:
            assert place.additional in operation.additional_fields[source.resource]
        if isinstance(place, Detail) and place.additional:
            assert source.get is not None
            assert place.additional in contract.operation(source.get).additional_fields[source.resource]
    assert source.default_sort is None or source.default_sort in operation.sort
    assert source.default_sort is not None or not operation.sort
    for each in source.each:
        if isinstance(each, Linked):
            assert each.relation in operation.include
            assert each.resource in operation.fields


_CAMPAIGNS = ("campaigns", "email_campaigns", "sms_campaigns", "push_campaigns")
UNUSED_FILTERS = {
    "segments": {"is_starred"},  # accepted and not applied
    **{name: {"integration.category"} for name in ("metrics", "integrations")},  # accepted, and returns nothing
    # Only `contains`, whose case and words are not documented: nothing in SQL means that.
    **{name: {"name"} for name in _CAMPAIGNS},
    "reviews": {"content"},
    "catalog_variants": {"title"},
    # What is in a category, and which categories an item is in, is catalog_item_categories.
    "catalog_items": {"title", "category.id"},
    "catalog_categories": {"name", "item.id"},
    # Bounds in the future are refused, and so is every other order: a page or two is read instead.
    "flows": {"created", "updated"},
    # Read with the flows, fifty in a request; what one flow or action has is a page at most.
    "flow_actions": {"action_type", "status", "created", "updated"},
    "flow_messages": {"name", "created", "updated"},
    "images": {"size"},  # bounds below 1 are refused
    "object_ingestion_logs": {"record_id"},  # takes another id than the rows have
}


@pytest.mark.parametrize("table", WHOLE, ids=named)
def test_every_filter_of_klaviyo_is_some_column_s(table: Table) -> None:
    assert isinstance(table.source, Collection)
    declared = {filter_.field for column in table.columns for filter_ in column.filters}
    if table.source.parent is not None:
        declared.add(table.source.parent.filter or "")
    assert contract.operation(table.source.list).filters.keys() - declared == UNUSED_FILTERS.get(table.name, set())


UNUSED_SORTS = {
    # Texts are sorted by SQLite: how Klaviyo collates them is not documented. The newest of several entries is not what it sorts by.
    "profiles": {
        "id",
        "email",
        "subscriptions.email.marketing.list_suppressions.timestamp",
        "subscriptions.email.marketing.suppression.timestamp",
    },
    **{name: {"id", "name"} for name in ("lists", "segments", "tags", "tag_groups", "templates", "universal_content")},
    # Where rows without a value come is not documented.
    **{name: {"id", "name", "scheduled_at"} for name in _CAMPAIGNS},
    "flows": {"id", "name", "status", "trigger_type"},
    "flow_actions": {"id", "action_type", "status", "created", "updated"},
    "flow_messages": {"id", "name", "created", "updated"},
    "images": {"id", "name", "format", "size"},
    "catalog_categories": {"created"},  # which is no attribute
    "web_feeds": {"name"},
    "reviews": {"rating"},
}


@pytest.mark.parametrize("table", WHOLE, ids=named)
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
    for way in table.ways:
        assert [(column.name, column.type, column.doc) for column in way.columns] == [(column.name, column.type, column.doc) for column in table.columns]
        parent = way.source.parent
        if parent is not None:
            assert parent.table in TABLES
            place = way.columns[way.index_of_parent].place
            assert isinstance(place, ParentId if parent.filter is None else Related)
            for column in way.columns:
                if isinstance(column.place, FromParent):
                    carried = TABLES[parent.table].columns[TABLES[parent.table].index(column.place.column)]
                    assert carried.type is column.type
        else:
            assert not any(isinstance(column.place, ParentId | FromParent) for column in way.columns)
        ids = sum(isinstance(column.place, Id) for column in way.columns)
        assert ids <= 1
        assert ids == 1 or isinstance(way.source, Aggregates) or way.source.one or way.source.distinct
        assert isinstance(way.source, Aggregates) or not way.source.of_metrics, "only other systems mean metrics by their names"
        each = way.source.each if isinstance(way.source, Collection) else ()
        elements = [column for column in way.columns if isinstance(column.place, Element | ElementKind | ElementNumber)]
        assert bool(elements) == any(isinstance(one, Elements) for one in each)
    assert bool(table.others) or not any(isinstance(column.place, Elsewhere) for column in table.columns)
    assert table.typical_rows > 0


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=named)
def test_a_column_is_a_name_and_a_sentence(table: Table, column: Column) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", column.name)
    assert re.fullmatch(r"[A-Z0-9][^\n]*[^.\s]\.", column.doc) or re.match(r"single_opt_in|1 ", column.doc), column.doc
    # SQLite cuts HIDDEN out of the type, and with it the collation that stands behind.
    assert not (column.hidden and column.type.is_instant)
    assert ". " not in column.doc.replace("e.g. ", ""), "one sentence"


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=named)
def test_places_and_types_agree(table: Table, column: Column) -> None:
    place = column.place
    if isinstance(place, Id | Related | ParentId):
        assert column.type is Type.TEXT
    if isinstance(place, PeriodStart):
        assert column.type is Type.DATE
    if isinstance(place, Argument):
        assert column.hidden or table.others
        assert column.filters
        assert not column.not_null
    if isinstance(place, Measurement | PeriodStart):
        assert isinstance(table.source, Aggregates)
    if isinstance(place, Detail):
        assert column.hidden
    if isinstance(place, Attribute) and isinstance(table.source, Collection) and table.name not in ("mapped_metrics", "webhook_topics"):
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
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*s", table.name) or table.name == "universal_content"
    for text in (table.doc, *table.notes):
        assert text[0].isupper() or "_" in text.split()[0] or text.startswith("definition "), text
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
