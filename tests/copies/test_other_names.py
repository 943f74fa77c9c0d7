"""What other systems call the tables, and custom properties as columns, answered from local copies: the same rows, and no more requests."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql.sqlite.explain import explain
from klaviyo_sql.vocabularies import VOCABULARIES, Object

from .conftest import NOW, Asked, Shop

MATERIALIZED = ("profiles", "events", "metrics", "lists", "campaigns", "list_profiles:max_age=1h", "campaign_audiences:max_age=1h", "campaign_tags:max_age=1h")
BASES = {text.partition(":")[0] for text in MATERIALIZED}
OBJECTS = [(schema, made) for schema, vocabulary in VOCABULARIES.items() for made in vocabulary.objects if made.base in BASES]


def called(value: Any) -> str:
    return value.name if isinstance(value, Object) else str(value)


def held(connection: klaviyo_sql.Connection, schema: str, made: Object) -> list[str]:
    """The columns that the copy knows: what costs more, and what Klaviyo's other resources tell, is not among them."""
    table = next(table for table in connection.tables(schema) if table.name == made.name)
    view = connection.virtual_tables[f"{schema}.{made.name}"].view
    assert view is not None
    return [column.name for position, column in enumerate(table.columns) if view.holds([position])]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Any:
    shop = Shop(tmp_path_factory.mktemp("copies") / "copies.db")
    yield shop.connect(*MATERIALIZED), shop.connect()
    for connection in shop.connections:
        connection.close()


@pytest.mark.parametrize(("schema", "made"), OBJECTS, ids=called)
def test_the_rows_are_those_of_the_account(schema: str, made: Object, both: tuple[klaviyo_sql.Connection, klaviyo_sql.Connection]) -> None:
    copied, plain = both
    name = f"{schema}.{made.name}"
    copied.execute(f"SELECT 1 FROM {name} LIMIT 0")
    columns = held(copied, schema, made)
    assert len(columns) >= 2
    listed = ", ".join(f'"{column}"' for column in columns)
    (step,) = explain(copied, f"SELECT {listed} FROM {name}").steps
    assert (step.table, bool(step.copy)) == (name, True)
    expected = plain.execute(f"SELECT {listed} FROM {name}").fetchall()
    assert sorted(copied.execute(f"SELECT {listed} FROM {name}").fetchall(), key=repr) == sorted(expected, key=repr)
    assert expected or made.of_metrics
    for column in columns:
        for (value,) in plain.execute(f'SELECT DISTINCT "{column}" FROM {name} WHERE "{column}" IS NOT NULL LIMIT 2').fetchall():
            for term in (f'"{column}" = ?', f"\"{column}\" IN (?, 'nothing')" if isinstance(value, str) else f'"{column}" <= ?', f'"{column}" > ?'):
                if "IN" in term and any(word in column.lower() for word in ("time", "created", "updated", "joined", "_at", "date", "scheduled")):
                    continue
                sql = f"SELECT {listed} FROM {name} WHERE {term}"
                assert sorted(copied.execute(sql, (value,)).fetchall(), key=repr) == sorted(plain.execute(sql, (value,)).fetchall(), key=repr), (term, value)


def test_what_is_new_is_asked_for_once_whatever_the_tables_are_called(shop: Shop, asked: Asked) -> None:
    connection = shop.connect("events", "profiles")
    connection.execute("SELECT count(*) FROM events, profiles LIMIT 1").fetchall()
    new = shop.event(NOW - timedelta(minutes=1))
    found, requests = asked(
        connection,
        "SELECT event.id, person.email FROM fivetran.event JOIN fivetran.person ON person.id = event.person_id JOIN dlh.event AS e ON e.id = event.id",
    )
    assert new in {row[0] for row in found}
    assert sorted(request.split()[0] for request in requests) == ["get_events", "get_profiles"]


def test_a_column_that_the_copy_does_not_have_is_read_from_the_account(shop: Shop, asked: Asked) -> None:
    connection = shop.connect("events", "lists")
    connection.execute("SELECT count(*) FROM events").fetchall()
    found, requests = asked(connection, "SELECT person ->> '$.id' FROM stitch.open WHERE datetime >= '2026-11-01'")
    assert found
    assert [request.split()[0] for request in requests] == ["get_metrics", "get_events"]
    assert "greater-or-equal(datetime,2026-11-01" in requests[1]
    found, requests = asked(connection, "SELECT id, event_name FROM stitch.open WHERE datetime >= '2026-11-01'")
    assert {name for _, name in found} == {"Opened Email"}
    assert len(requests) == 1  # what is new; the metrics are in the page cache
    assert asked(connection, "SELECT count(*) FROM stitch.dropped_email") == ([(0,)], requests)


def test_explain_shows_the_metrics_that_are_looked_up(shop: Shop) -> None:
    connection = shop.connect("events")
    (step,) = explain(connection, "SELECT id FROM stitch.open").steps
    assert step.copy
    assert step.before == step.requests[:1] == ("GET /api/metrics?fields[metric]=name",)
    assert len(step.requests) == step.least == 2


ODD: list[Any] = [
    None,
    0,
    5,
    -7,
    1.5,
    2.0,
    1e15,
    True,
    False,
    "",
    "5",
    "5.0",
    " 5 ",
    "x",
    2**63 - 1,
    [1],
    {},
    {"a": 1},
    "2026-01-31T09:30:00+01:00",
    "2026-02-01",
]
TYPES = ("TEXT", "INTEGER", "REAL", "BOOLEAN", "JSON", "TIMESTAMP")
TERMS = ("= 5", "= '5'", "> 1", "< 'x'", "IN (5, 'x', 1)", "IS NULL", "IS NOT NULL", "= 1.5")
TIMES = ("= '2026-01-31T08:30:00Z'", ">= '2026-01-31'", "< '2026-02-01'", "IN ('2026-02-01', '2026-01-31T08:30:00Z')", "IS NULL", "IS NOT NULL")


def test_property_columns_are_in_the_copy_as_they_are_in_the_account(shop: Shop, asked: Asked) -> None:
    for number, profile in enumerate(shop.account.profiles.values()):
        profile["attributes"]["properties"] = {"v": copy.deepcopy(ODD[number % len(ODD)])}
    for number, event in enumerate(shop.account.events):
        event["attributes"]["event_properties"] = {"v": copy.deepcopy(ODD[number % len(ODD)])}
    shop.account.changed()
    declared = {f'the "{type_}"': {"type": type_, "path": "$.v"} for type_ in TYPES}
    plain = shop.connect(properties={"profiles": declared, "events": declared})
    copied = shop.connect("profiles", "events", properties={"profiles": declared, "events": declared})
    for table in ("profiles", "events", "fivetran.person", "fivetran.event"):
        prefix = {"fivetran.person": "custom_", "fivetran.event": "property_"}.get(table, "")
        names = [f'"{prefix}the ""{type_}"""' for type_ in TYPES]
        copied.execute(f"SELECT count(*) FROM {table}").fetchall()
        every = ", ".join(["id", *names, *(f"typeof({name})" for name in names)])
        found, requests = asked(copied, f"SELECT {every} FROM {table} ORDER BY id")
        assert found == plain.execute(f"SELECT {every} FROM {table} ORDER BY id").fetchall()
        assert len(requests) == 1
        assert "datetime" in requests[0] or "updated" in requests[0]
        for name in names:
            for term in TIMES if "TIMESTAMP" in name else TERMS:
                sql = f"SELECT id FROM {table} WHERE {name} {term} ORDER BY id"
                assert copied.execute(sql).fetchall() == plain.execute(sql).fetchall(), sql
            sql = f"SELECT id FROM {table} ORDER BY {name}, id"
            assert copied.execute(sql).fetchall() == plain.execute(sql).fetchall(), sql


def test_another_declaration_reads_the_copy_anew(shop: Shop, asked: Asked) -> None:
    first = shop.connect("profiles", properties={"profiles": {"tier": "TEXT"}})
    first.execute("SELECT count(*) FROM profiles").fetchall()
    first.close()
    second = shop.connect("profiles", properties={"profiles": {"tier": "TEXT", "plan": "TEXT"}})
    profile = next(iter(shop.account.profiles.values()))
    profile["attributes"]["properties"]["plan"] = "gold"
    found, requests = asked(second, "SELECT plan FROM profiles WHERE plan IS NOT NULL")
    assert ("gold",) in found
    assert len(requests) == 2  # both pages
    assert asked(second, "SELECT plan FROM profiles WHERE plan = 'gold'")[0] == [("gold",)]
