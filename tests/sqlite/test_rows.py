"""Pages into rows: the fast way and the way that takes everything give the same, and the account's own values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klaviyo_sql import contract
from klaviyo_sql.fetch import rows as decoding
from klaviyo_sql.fetch.nested import is_nested
from klaviyo_sql.fetch.rows import GarbageError, decoder
from klaviyo_sql.model.table import Argument, Attribute, Collection, Column, Detail, Id, Latest, ParentId, Related, Table, Type
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Sandbox
from klaviyo_sql.sandbox.entitlements import DEFAULT, WEBHOOKS
from klaviyo_sql.tables import TABLES


def is_plain(table: Table) -> bool:
    """Whether the rows are the resources themselves, in a page that can be asked for without knowing more of the account."""
    source = table.source
    if not isinstance(source, Collection) or source.one or is_nested(table.columns, source.each):
        return False
    told = all(isinstance(column.place, Id | Attribute | Latest | Detail | Related | ParentId | Argument) for column in table.columns)
    return told and (source.parent is None or source.parent.table in ("lists", "segments"))


# The others are decoded as dictionaries at once.
COLLECTIONS = [table for table in TABLES.values() if is_plain(table)]
NAMES = [table.name for table in COLLECTIONS]


def slow(body: bytes, columns: tuple[Column, ...], constants: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """The way for replies whose types were not expected."""
    resources, _ = decoding._resources_as_dictionaries(body)
    return [decoding._row_of_dictionary(resource, columns, constants) for resource in resources]


def target(table: Table, account: Account) -> str:
    """Everything that the operation can tell."""
    source = table.source
    assert isinstance(source, Collection)
    operation = contract.operation(source.list)
    parameters = [f"additional-fields[{kind}]={','.join(names)}" for kind, names in operation.additional_fields.items() if kind == source.resource]
    related = sorted({column.place.relation for column in table.columns if isinstance(column.place, Related)})
    if related:
        parameters.append(f"include={','.join(related)}")
    if operation.page:
        parameters.append(f"page[size]={operation.page.max}")
    parent = next(iter(account.lists)) if table.name.startswith("list") else next(iter(account.segments))
    return f"{operation.path.replace('{id}', parent)}?{'&'.join(parameters)}"


def ask(account: Account, path: str) -> bytes:
    headers = {"Authorization": f"Klaviyo-API-Key {SANDBOX_KEY}", "revision": contract.facts().revision}
    response = Sandbox(account, limits=False, entitlements=(*DEFAULT, WEBHOOKS)).handle("GET", f"https://a.klaviyo.com{path}", headers)
    assert response.status == 200, response.body
    return response.body


def constants_of(columns: tuple[Column, ...]) -> tuple[Any, ...]:
    return tuple("known" if isinstance(column.place, ParentId | Argument) else None for column in columns)


def same(left: list[tuple[Any, ...]], right: list[tuple[Any, ...]], columns: tuple[Column, ...]) -> None:
    """Equal in value and kind; free JSON as documents, because the one is Klaviyo's text and the other is written anew."""
    assert len(left) == len(right)
    for first, second in zip(left, right, strict=True):
        for column, one, other in zip(columns, first, second, strict=True):
            if column.type is Type.JSON and isinstance(one, str) and isinstance(other, str):
                assert json.loads(one) == json.loads(other), column.name
            else:
                assert one == other, column.name
                assert type(one) is type(other), column.name


@pytest.mark.parametrize("table", COLLECTIONS, ids=NAMES)
def test_both_ways_agree_on_pages_of_the_account(table: Table, account: Account) -> None:
    body = ask(account, target(table, account))
    columns = table.columns
    fast = decoder(columns).page(body, constants_of(columns))
    assert fast.rows
    same(fast.rows, slow(body, columns, constants_of(columns)), columns)


@pytest.mark.parametrize("table", COLLECTIONS, ids=NAMES)
def test_each_column_alone_is_the_same_as_among_all(table: Table, account: Account) -> None:
    body = ask(account, target(table, account))
    whole = decoder(table.columns).page(body, constants_of(table.columns)).rows
    for position, column in enumerate(table.columns):
        alone = decoder((column,)).page(body, constants_of((column,))).rows
        assert [row[0] for row in alone] == [row[position] for row in whole], column.name


def test_columns_may_come_in_any_order_and_twice(account: Account) -> None:
    table = TABLES["profiles"]
    columns = tuple(table.columns[table.index(name)] for name in ("suppression_reason", "email", "id", "email", "subscriptions_email_marketing_suppression"))
    body = ask(account, target(table, account))
    same(decoder(columns).page(body, (None,) * 5).rows, slow(body, columns, (None,) * 5), columns)


@pytest.mark.parametrize("table", COLLECTIONS, ids=NAMES)
def test_nulls_at_every_level_and_missing_keys(table: Table, account: Account) -> None:
    body = ask(account, target(table, account))
    document = json.loads(body)
    resource = document["data"][0]
    columns, constants = table.columns, constants_of(table.columns)

    def paths(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if isinstance(value, dict):
            for key, child in value.items():
                yield (*path, key)
                if len(path) < 5:
                    yield from paths(child, (*path, key))

    for path in paths(resource, ()):
        if path[0] == "id":
            continue
        for missing in (False, True):
            changed = json.loads(json.dumps(resource))
            place = changed
            for key in path[:-1]:
                place = place[key]
            if missing:
                del place[path[-1]]
            else:
                place[path[-1]] = None
            text = json.dumps({"data": [changed], "links": {"next": None}}).encode()
            same(decoder(columns).page(text, constants).rows, slow(text, columns, constants), columns)


odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**66), 2**66),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "5", "-1.5", "1e3", "nan", "inf", "true", "null", "2026-09-04T13:39:33+00:00", "2026-09-04", "soon", " 7 ", "1_000", "٣"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["a", "timestamp", "reason"]), st.sampled_from([None, "x", 1]), max_size=2),
    st.lists(st.dictionaries(st.sampled_from(["timestamp", "reason", "list_id"]), st.sampled_from([None, "2026-09-04T13:39:33+00:00", 1, "x"])), max_size=2),
)


@pytest.mark.parametrize("table", COLLECTIONS, ids=NAMES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_both_ways_agree_on_odd_types(table: Table, data: st.DataObject) -> None:
    """A page with something unexpected anywhere: whichever way it takes, no value is lost and none is changed."""
    columns = tuple(column for column in table.columns if not isinstance(column.place, ParentId | Argument))
    chosen = tuple(data.draw(st.lists(st.sampled_from(columns), min_size=1, max_size=4, unique_by=lambda column: column.name)))
    resource: dict[str, Any] = {"type": "x", "id": "X", "attributes": {}, "relationships": {}}
    for column in chosen:
        place = column.place
        if isinstance(place, Attribute | Latest | Detail):
            inside = resource["attributes"]
            for key in place.keys[:-1]:
                inside = inside.setdefault(key, {}) if isinstance(inside.get(key, {}), dict) else {}
            inside[place.keys[-1]] = data.draw(odd)
        elif isinstance(place, Related):
            resource["relationships"][place.relation] = {"data": data.draw(st.sampled_from([None, {"type": "x", "id": "R"}]))}
    text = json.dumps({"data": [resource], "links": {"next": None}}).encode()
    same(decoder(chosen).page(text, (None,) * len(chosen)).rows, slow(text, chosen, (None,) * len(chosen)), chosen)


def one(table: str, name: str) -> tuple[Column]:
    return (TABLES[table].columns[TABLES[table].index(name)],)


def read(column: tuple[Column], attributes: dict[str, Any]) -> Any:
    body = json.dumps({"data": [{"id": "X", "attributes": attributes}]}).encode()
    ((value,),) = decoder(column).page(body, (None,)).rows
    return value


@pytest.mark.parametrize(
    ("held", "seen"),
    [(1.5, 1.5), (2, 2.0), ("2.5", 2.5), ("north", "north"), (None, None), (True, 1.0), ({"a": 1}, '{"a":1}'), ("", ""), ("nan", "nan")],
)
def test_numbers(held: Any, seen: Any) -> None:
    value = read(one("profiles", "location_latitude"), {"location": {"latitude": held}})
    assert value == seen
    assert type(value) is type(seen)


@pytest.mark.parametrize(("held", "seen"), [("a", "a"), (None, None), (5, "5"), (True, "true"), (1.5, "1.5"), (["a"], '["a"]'), ({}, "{}")])
def test_texts(held: Any, seen: Any) -> None:
    assert read(one("profiles", "email"), {"email": held}) == seen


@pytest.mark.parametrize(("held", "seen"), [(True, 1), (False, 0), (None, None), (1, 1), ("yes", "yes")])
def test_booleans(held: Any, seen: Any) -> None:
    value = read(one("segments", "is_active"), {"is_active": held})
    assert value == seen
    assert type(value) is type(seen)


@pytest.mark.parametrize(
    ("held", "seen"),
    [(5, 5), (2**63 - 1, 2**63 - 1), (-(2**63), -(2**63)), (2**63, 2.0**63), (-(2**70), -(2.0**70)), (10**400, str(10**400)), (5.0, 5), (2.0**63, 2.0**63)],
)
def test_whole_numbers_have_64_bits_as_sqlite_has_them(held: Any, seen: Any) -> None:
    value = read(one("events", "timestamp"), {"timestamp": held})
    assert value == seen
    assert type(value) is type(seen)


@pytest.mark.parametrize(("held", "seen"), [("2026-09-04T13:39:33+00:00", "2026-09-04 13:39:33"), ("soon", "soon"), (5, "5"), (None, None)])
def test_times(held: Any, seen: Any) -> None:
    assert read(one("profiles", "created"), {"created": held}) == seen


def test_free_json_stays_as_klaviyo_sent_it() -> None:
    body = b'{"data":[{"id":"X","attributes":{"properties":{ "b":1.50, "a":[1 ,2],"big":123456789012345678901234567890}}}]}'
    assert decoder(one("profiles", "properties")).page(body, (None,)).rows == [('{ "b":1.50, "a":[1 ,2],"big":123456789012345678901234567890}',)]


def test_the_newest_of_several_entries() -> None:
    column = one("profiles", "suppression_reason")

    def reason(*entries: Any) -> Any:
        return read(column, {"subscriptions": {"email": {"marketing": {"suppression": list(entries)}}}})

    assert reason() is None
    assert reason({"reason": "A", "timestamp": "2026-01-01T00:00:00+00:00"}, {"reason": "B", "timestamp": "2025-01-01T00:00:00+00:00"}) == "A"
    assert reason({"reason": "A", "timestamp": "2026-01-01T00:00:00+02:00"}, {"reason": "B", "timestamp": "2025-12-31T23:00:00Z"}) == "B"
    assert reason({"reason": "A", "timestamp": None}) == "A"
    assert reason({"reason": "A"}, {"reason": "B", "timestamp": "2025-01-01T00:00:00Z"}) == "B"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"5", b"null", b'{"links":{}}', b'{"data":[5]}', b'{"data":{"id":"X"},"links":{"next":7}}', b'{"data":[{"id":"X"}', b"\xff"]
)
def test_what_is_no_page(body: bytes) -> None:
    with pytest.raises(GarbageError):
        decoder(one("profiles", "email")).page(body, (None,))


def test_a_decoder_is_made_once(account: Account) -> None:
    columns = TABLES["lists"].columns
    assert decoder(columns) is decoder(tuple(columns))


def test_what_sql_shows_is_what_the_account_holds(connection: Any, account: Account) -> None:
    """Through everything: SQL, requests, sandbox, decoder."""
    for id_, email, city, score in connection.execute("SELECT id, email, location_city, properties FROM profiles"):
        attributes = account.profiles[id_]["attributes"]
        assert email == attributes["email"]
        assert city == (attributes["location"] or {}).get("city")
        assert json.loads(score) == attributes["properties"]
    held = {event["id"]: event for event in account.events}
    for id_, metric_id, profile_id, timestamp, properties in connection.execute("SELECT id, metric_id, profile_id, timestamp, event_properties FROM events"):
        event = held.pop(id_)
        assert (metric_id, profile_id, timestamp) == (event["metric_id"], event["profile_id"], event["attributes"]["timestamp"])
        assert json.loads(properties) == event["attributes"]["event_properties"]
    assert held == {}
