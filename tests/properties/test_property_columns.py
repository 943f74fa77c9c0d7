"""Columns of custom properties, compared with what SQLite makes of the plain JSON."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import apsw
import pytest

import klaviyo_sql
from klaviyo_sql import Connection, DataError, InterfaceError, ProgrammingError, custom_properties
from klaviyo_sql.fetch import rows as decoding
from klaviyo_sql.fetch.rows import decoder
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Account, Sandbox, generate
from klaviyo_sql.tables import TABLES

Open = Callable[..., Connection]

VALUES: list[Any] = [
    None, 0, 1, -7, 1.5, 2.0, 1e15, True, False, "", "1", "12.50", " 7 ", "x", "1e3", "-0", "+5", ".5", "5.", "0x1", "nan", "inf", "1_000", "٣", "007",
    2**63 - 1, -(2**63), 9007199254740993, [1, {"a": None}], [], {}, {"b": 'quo"te'},
    "2026-01-31T09:30:00+01:00", "2026-01-31", "O'Brien", "line\nbreak", "\U0001f389",
]  # fmt: skip
PATHS = [
    "$.v", "$.o.v", "$.a[0]", "$.a[1].v", "$.a[#-1]", '$."a.b"', '$."Order Id"', "$.Order Id", "$.order_id", '$."it\'s"', '$."[x]"',
    "$.ключ", '$."$odd"', "$.o.nowhere",
    "$.v.deeper", "$.v[0]", "$.a[9]", "$.a[#-9]", "$.a.key", "$.o[0]",
]  # fmt: skip
WEIRD = ['$."say \\"hi\\""', '$."back\\\\slash"', '$."tab\\\there"']


def properties_of(value: Any) -> dict[str, Any]:
    return {
        "v": value, "o": {"v": value}, "a": [value, {"v": value}, value], "a.b": value, "Order Id": value, "order_id": "another", "it's": value,
        "[x]": value, "ключ": value,
        "$odd": value, 'say "hi"': value, "back\\slash": value, "tab\there": value,
    }  # fmt: skip


@pytest.fixture(scope="module")
def mixed() -> Account:
    """An account in whose profiles and events every value stands at every path."""
    made = generate(seed=9, today=date(2026, 11, 20), profiles=3 * len(VALUES), events=4 * len(VALUES))
    for number, resource in enumerate([*made.profiles.values(), *made.events]):
        key = "properties" if "properties" in resource["attributes"] else "event_properties"
        kept = {name: value for name, value in resource["attributes"][key].items() if name.startswith("$")}
        resource["attributes"][key] = copy.deepcopy(properties_of(VALUES[number % len(VALUES)])) | kept
    made.changed()
    return made


@pytest.fixture
def connection(mixed: Account, open_sandbox: Open) -> Connection:
    return open_sandbox(sandbox=Sandbox(mixed, clock=SimulatedClock(datetime(2026, 11, 20, 13, tzinfo=UTC))), autocommit=True)


def expected(values: list[tuple[str, str]], path: str, declared: str) -> list[tuple[Any, ...]]:
    """What a plain table holds into which SQLite's own ->> has written."""
    plain = apsw.Connection(":memory:")
    plain.execute(f"CREATE TABLE truth(id TEXT, v {declared})")
    plain.executemany("INSERT INTO truth SELECT ?1, ?2 ->> ?3", [(key, text, path) for key, text in values])
    return plain.execute("SELECT id, v, typeof(v) FROM truth ORDER BY id").fetchall()


@pytest.mark.parametrize("table", ["profiles", "events"])
@pytest.mark.parametrize("declared", ["TEXT", "INTEGER", "REAL"])
def test_values_are_those_of_sqlites_own_operator(connection: Connection, mixed: Account, table: str, declared: str) -> None:
    key = "properties" if table == "profiles" else "event_properties"
    resources = list(mixed.profiles.values()) if table == "profiles" else mixed.events
    plain = [(resource["id"], json.dumps(resource["attributes"][key], ensure_ascii=False, separators=(",", ":"))) for resource in resources]
    columns = ", ".join(f"c{n} {declared} '{path.replace(chr(39), chr(39) * 2)}'" for n, path in enumerate(PATHS))
    connection.execute(f"CREATE VIRTUAL TABLE own USING klaviyo({table}, {columns})")
    for n, path in enumerate(PATHS):
        found = connection.execute(f"SELECT id, c{n}, typeof(c{n}) FROM own ORDER BY id").fetchall()
        assert found == expected(plain, path, declared), path


def test_keys_that_no_decoder_can_have_are_found_as_well(connection: Connection) -> None:
    columns = ", ".join(f"c{n} TEXT '{path}'" for n, path in enumerate(WEIRD))
    connection.execute(f"CREATE VIRTUAL TABLE own USING klaviyo(profiles, v TEXT, {columns})")
    found = connection.execute("SELECT v, c0, c1, c2 FROM own").fetchall()
    assert any(row[0] for row in found)
    assert all(row[1:] == (row[0],) * 3 for row in found)


def test_mixed_values_take_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_resources_as_dictionaries", lambda _: pytest.fail("the slower way was taken"))
    declared = [custom_properties.from_sql(f"c{n} {name} '$.v'") for n, name in enumerate(custom_properties.TYPES)]
    table = custom_properties.extended(TABLES["events"], [*declared, custom_properties.from_sql("worth TEXT '$.\"$value\"'")])
    columns = tuple(table.columns[table.index(name)] for name in ("id", "c0", "c1", "c4", "event_properties", "value", "worth", "c5", "c6"))
    resources = [{"id": str(n), "attributes": {"event_properties": {"v": value, "$value": value}}} for n, value in enumerate(VALUES)]
    body = json.dumps({"data": [*resources, {"id": "none", "attributes": {"event_properties": None}}, {"id": "empty", "attributes": {}}]}).encode()
    found = decoder(columns).page(body, (None,) * len(columns)).rows
    assert len(found) == len(VALUES) + 2
    assert all(row[1] == row[6] for row in found)
    assert found[-1] == ("empty", *[None] * 8)
    monkeypatch.undo()
    assert [decoding._row_of_dictionary(json.loads(body)["data"][n], columns, (None,) * len(columns)) for n in range(len(found))] == [
        tuple(json.dumps(json.loads(cell), separators=(",", ":"), ensure_ascii=False) if n == 4 and cell is not None else cell for n, cell in enumerate(row))
        for row in found
    ]


def test_times_booleans_and_json(open_sandbox: Open, mixed: Account) -> None:
    times = {"v": "TIMESTAMP", "day": {"type": "DATE", "path": "$.v"}, "flag": {"type": "BOOLEAN", "path": "$.v"}, "raw": {"type": "JSON", "path": "$.v"}}
    connection = open_sandbox(sandbox=Sandbox(mixed, clock=SimulatedClock()), properties={"profiles": times}, autocommit=True)
    rows = connection.execute("SELECT v, raw FROM profiles").fetchall()
    assert ("2026-01-31 08:30:00", '"2026-01-31T09:30:00+01:00"') in rows
    assert ("2026-01-31 00:00:00", '"2026-01-31"') in rows
    assert ("x", '"x"') in rows
    assert sum(raw is None for _, raw in rows) == 3
    same = connection.execute("SELECT DISTINCT raw FROM profiles WHERE v = '2026-01-31T10:30:00+02:00'").fetchall()
    assert same == [('"2026-01-31T09:30:00+01:00"',)]
    later = {row[0] for row in connection.execute("SELECT raw FROM profiles WHERE v >= '2026-01-31' AND v < '2027'")}
    assert later == {'"2026-01-31T09:30:00+01:00"', '"2026-01-31"'}
    assert len(connection.execute("SELECT v FROM profiles ORDER BY v").fetchall()) == len(rows)
    assert connection.execute("SELECT DISTINCT flag FROM profiles WHERE raw IN ('true', 'false') ORDER BY 1").fetchall() == [(0,), (1,)]
    with pytest.raises(DataError, match="tomorrow"):
        connection.execute("SELECT v FROM profiles WHERE v > 'tomorrow'").fetchall()


def test_properties_beside_what_other_resources_tell(mixed: Account, open_sandbox: Open) -> None:
    declared = {f"c{n}": {"type": "TEXT", "path": path} for n, path in enumerate(PATHS)}
    connection = open_sandbox(sandbox=Sandbox(mixed), properties={"events": declared})
    names = ", ".join(declared)
    alone = connection.execute(f"SELECT id, {names} FROM events ORDER BY id").fetchall()
    beside = connection.execute(f"SELECT id, {names}, metric_name, campaign_id FROM events ORDER BY id").fetchall()
    assert [row[:-2] for row in beside] == alone
    assert all(row[-2] for row in beside)


def test_texts_true_and_false_are_booleans() -> None:
    column = custom_properties.extended(TABLES["profiles"], [custom_properties.from_sql("flag BOOLEAN")]).columns[25]
    body = json.dumps({"data": [{"id": "1", "attributes": {"properties": {"flag": value}}} for value in ("True", "false", "yes", True, 1, "0")]}).encode()
    assert [row[0] for row in decoder((column,)).page(body, (None,)).rows] == [1, 0, "yes", 1, 1, 0]


def test_big_numbers_lose_nothing_as_text() -> None:
    columns = custom_properties.extended(TABLES["profiles"], [custom_properties.from_sql("n TEXT"), custom_properties.from_sql("m INTEGER '$.n'")]).columns[
        25:27
    ]
    body = json.dumps({"data": [{"id": "1", "attributes": {"properties": {"n": value}}} for value in (10**30, -(10**400))]}).encode()
    assert decoder(columns).page(body, (None, None)).rows == [(str(10**30), 1e30), (str(-(10**400)),) * 2]


def test_conditions_on_other_columns_push_down_as_before(connection: Connection) -> None:
    connection.execute("CREATE VIRTUAL TABLE own USING klaviyo(profiles, v TEXT, deep TEXT '$.o.v')")
    assert connection.sandbox is not None
    key, email = connection.execute("SELECT id, email FROM profiles WHERE email IS NOT NULL LIMIT 1").fetchone() or ("", "")
    for sql, filters in (
        (f"SELECT v, deep FROM own WHERE id = '{key}' AND v IS v", None),
        (f"SELECT v, deep FROM own WHERE email = '{email}' AND v IS NOT 'nothing'", f'equals(email,"{email}")'),
    ):
        before = len(list(connection.requests))
        assert len(connection.execute(sql).fetchall()) == 1
        (record,) = list(connection.requests)[before:]
        assert filters is None or filters in record.query
        assert "fields[profile]=" in record.query
        assert "properties" in record.query
    assert (
        connection.execute("SELECT count(*) FROM own WHERE v = 'x'").fetchall()
        == connection.execute("SELECT count(*) FROM profiles WHERE properties ->> '$.v' = 'x'").fetchall()
    )


def test_a_limit_counts_after_conditions_on_properties(connection: Connection) -> None:
    connection.execute("CREATE VIRTUAL TABLE own USING klaviyo(events, v TEXT)")
    assert len(connection.execute("SELECT id FROM own WHERE v = 'x' ORDER BY datetime LIMIT 3").fetchall()) == 3
    assert connection.execute("SELECT v FROM own ORDER BY v DESC LIMIT 1").fetchall() == [("\U0001f389",)]


def test_tables_of_the_user(connection: Connection) -> None:
    connection.execute("CREATE VIRTUAL TABLE temp.vip USING klaviyo(profiles, \"Order Id\" TEXT '$.\"Order Id\"', order_id TEXT, [a, b] TEXT '$.v')")
    described = connection.execute('SELECT "Order Id", order_id, "a, b" FROM vip WHERE "a, b" = \'x\'').fetchall()
    assert described[0] == ("x", "another", "x")
    assert connection.execute("SELECT name FROM temp.sqlite_schema").fetchall() == [("vip",)]
    connection.execute("DROP TABLE vip")
    with pytest.raises(ProgrammingError, match="There is no table"):
        connection.execute("SELECT * FROM vip")
    for name in ("list_profiles", "segment_profiles", "ListProfiles"):
        connection.execute(f"CREATE VIRTUAL TABLE own USING klaviyo({name}, v TEXT)")
        assert connection.execute("SELECT count(*) FROM own WHERE v = 'x'").fetchone() != (0,)
        connection.execute("DROP TABLE own")


def test_a_table_in_a_file_is_there_again(open_sandbox: Open, mixed: Account, tmp_path: Path) -> None:
    def opened_again() -> Connection:
        return open_sandbox(tmp_path / "shop.db", sandbox=Sandbox(mixed, clock=SimulatedClock()), autocommit=True)

    with opened_again() as first:
        first.execute("CREATE VIRTUAL TABLE vip USING klaviyo(profiles, v TEXT, deep TEXT '$.o.v')")
        first.execute("CREATE VIEW seen AS SELECT v FROM vip WHERE v = 'x'")
        count = len(first.execute("SELECT * FROM seen").fetchall())
    with opened_again() as second:
        assert second.execute("SELECT * FROM seen").fetchall() == [("x",)] * count != []
        second.execute("CREATE TABLE own (v)")
        assert second.execute("SELECT count(*) FROM own JOIN vip USING (v)").fetchall() == [(0,)]
    with opened(tmp_path / "shop.db", sandbox=Sandbox(mixed, clock=SimulatedClock()), autocommit=True, accounts={"shop_a": {}}) as third:
        third.execute("CREATE VIRTUAL TABLE of_a USING klaviyo(shop_a.profiles, v TEXT)")
    with opened_again() as fourth, pytest.raises(ProgrammingError, match="of_a: there is no account shop_a in the settings"):
        fourth.execute("SELECT * FROM of_a")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("", "begins with a table"),
        ("profile, v TEXT", "there is no table profile"),
        ("lists, v TEXT", "has no custom properties"),
        ("profiles, v", "NAME TYPE 'PATH'"),
        ("profiles, v TXT", "Did you mean TEXT"),
        ("profiles, v VARCHAR(20)", "NAME TYPE 'PATH'"),
        ("profiles, v TEXT 'v'", "must begin with \\$"),
        ("profiles, v TEXT '$'", "key of a property"),
        ("profiles, v TEXT '$[0]'", "key of a property"),
        ("profiles, v TEXT '$.a[x]'", "cannot be read at '\\[x\\]'"),
        ("profiles, v TEXT '$.a[#-0]'", "#-0"),
        ("profiles, v TEXT '$..a'", "cannot be read"),
        ("profiles, EMAIL TEXT", "has a column email already"),
        ("profiles, Tier TEXT, tier TEXT", "SQLite ignores case"),
        ("profiles, 'v' TEXT", "NAME TYPE 'PATH'"),
    ],
)
def test_a_declaration_that_is_wrong_is_refused_with_a_sentence(connection: Connection, arguments: str, says: str) -> None:
    with pytest.raises(ProgrammingError, match=f"The virtual table vip: .*{says}"):
        connection.execute(f"CREATE VIRTUAL TABLE vip USING klaviyo({arguments})")
    assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchall() == [(0,)]


def test_columns_from_arguments(open_sandbox: Open, mixed: Account) -> None:
    given = {"profiles": {"v": "TEXT"}, "events": {"sku": {"type": "TEXT", "path": "$.a[1].v"}}}
    connection = open_sandbox(sandbox=Sandbox(mixed, clock=SimulatedClock()), properties=given)
    assert connection.execute("SELECT name FROM pragma_table_info('events') ORDER BY cid DESC LIMIT 1").fetchall() == [("sku",)]
    assert connection.execute("SELECT description FROM klaviyo_columns WHERE name = 'sku' AND table_name = 'events'").fetchall() == [
        ("The custom property event_properties ->> '$.a[1].v'.",)
    ]
    assert connection.execute("SELECT count(*) FROM events e JOIN profiles p ON p.id = e.profile_id WHERE e.sku = 'x' AND p.v = 'x'").fetchone() is not None
    for properties in ({"profile": {"v": "TEXT"}}, {"profiles": {"v": "TXT"}}, {"profiles": {"v": 5}}, {"profiles": "v"}, {"profiles": {"email": "TEXT"}}):
        with pytest.raises(InterfaceError):
            klaviyo_sql.connect(sandbox=True, properties=properties)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [*PATHS, *WEIRD, '$."".x', "$.a[0][1].b[#-2]"])
def test_a_path_is_written_as_it_is_read(text: str) -> None:
    steps = custom_properties.path(text)
    assert custom_properties.path(custom_properties.written(steps)) == steps


def test_columns_that_the_settings_get_later_do_not_break_a_table(open_sandbox: Open, mixed: Account) -> None:
    connection = open_sandbox(sandbox=Sandbox(mixed, clock=SimulatedClock()), properties={"profiles": {"v": "TEXT", "own": {"type": "TEXT", "path": "$.v"}}})
    connection.execute("CREATE VIRTUAL TABLE vip USING klaviyo(profiles, V TEXT '$.order_id')")
    assert set(connection.execute("SELECT v FROM vip")) == {("another",)}
    assert connection.execute("SELECT count(own) FROM vip").fetchone() == connection.execute("SELECT count(v) FROM profiles").fetchone()
    with pytest.raises(ProgrammingError, match="There is no account or schema shop_z"):
        connection.execute("CREATE VIRTUAL TABLE other USING klaviyo(shop_z.profiles, v TEXT)")
