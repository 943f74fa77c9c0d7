"""What the extension has beside the tables that the suites ask: names, accounts, functions, copies, errors, times."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

import klaviyo_sql
from klaviyo_sql.model import timestamps
from klaviyo_sql.session.own_tables import OWN_TABLES
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.reports import REPORTS
from klaviyo_sql.vocabularies import VOCABULARIES

from .conftest import Extension
from .gated import GatedSandbox
from .host import Host

Open = Callable[..., Host]
ROOT = Path(__file__).parents[2]


def rows(host: Host, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return host.execute(sql, values).fetchall()


def test_every_name_is_registered_and_known(open_host: Open) -> None:
    host = open_host()
    names = [name for table in TABLES.values() for name in table.names]
    names += [*REPORTS, *OWN_TABLES]
    names += [f"{vocabulary.name}.{name}" for vocabulary in VOCABULARIES.values() for table in vocabulary.tables(TABLES).values() for name in table.names]
    for name in names:
        assert rows(host, f"SELECT name FROM pragma_table_xinfo('{name}')"), name
    assert not list(host.sandbox.requests)


def test_columns_are_those_of_the_adapter(open_host: Open, open_sandbox: Callable[..., klaviyo_sql.Connection]) -> None:
    host, connection = open_host(), open_sandbox()
    for name in (*TABLES, *REPORTS, *OWN_TABLES):
        question = f"SELECT name, type, \"notnull\", pk > 0, hidden FROM pragma_table_xinfo('{name}')"
        assert rows(host, question) == connection.execute(question).fetchall(), name


def test_names_in_the_header_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "generate_extension_names.py"), "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_other_systems_names(open_host: Open) -> None:
    host = open_host()
    assert rows(host, 'SELECT count(*) FROM "skyvia.Lists"') == rows(host, "SELECT count(*) FROM lists")


def test_own_tables_tell_of_the_connection(open_host: Open) -> None:
    host = open_host()
    rows(host, "SELECT count(*) FROM lists")
    found = rows(host, "SELECT operation, table_name FROM klaviyo_requests")
    assert found
    assert set(found) == {("get_lists", "lists")}
    assert rows(host, "SELECT count(*) FROM klaviyo_tables WHERE schema = 'main'") == [(len(TABLES) + len(REPORTS),)]
    assert rows(host, "SELECT a.name FROM klaviyo_tables a JOIN klaviyo_tables b ON b.name = a.name WHERE a.rowid = 0 AND a.schema = b.schema") == [
        (next(iter(TABLES)),)
    ]


def test_columns_of_custom_properties(open_host: Open, open_sandbox: Callable[..., klaviyo_sql.Connection]) -> None:
    host, connection = open_host(), open_sandbox()
    for one in (host, connection):
        one.executescript("CREATE VIRTUAL TABLE temp.vip USING klaviyo(profiles, tier TEXT '$.loyalty_tier', points INTEGER)")
    question = "SELECT id, tier, points FROM vip ORDER BY id LIMIT 50"
    assert rows(host, question) == connection.execute(question).fetchall()
    with pytest.raises(apsw.SQLError, match=r"The virtual table bad: .*there is no table profils"):
        host.executescript("CREATE VIRTUAL TABLE temp.bad USING klaviyo(profils)")
    host.executescript("DROP TABLE temp.vip")


def test_functions_that_return_tables(open_host: Open, open_sandbox: Callable[..., klaviyo_sql.Connection]) -> None:
    question = "SELECT * FROM metric_aggregates((SELECT id FROM metrics WHERE name = 'Placed Order'), 'month') ORDER BY 1, 2, 3"
    assert rows(open_host(), question) == open_sandbox().execute(question).fetchall() != []


def test_a_local_copy_answers(open_host: Open, tmp_path: Path) -> None:
    host = open_host(materialized=("events",), copy_file=str(tmp_path / "copies.db"), cache_seconds=0)
    assert rows(host, "SELECT count(*) FROM events") == [(6000,)]
    host.sandbox.requests.clear()
    assert rows(host, "SELECT count(*), min(datetime) FROM events WHERE value > 10")[0][0] > 0
    assert len(list(host.sandbox.requests)) == 1, "only what is new"
    assert rows(host, "SELECT refresh('events') ->> 'table'") == [("events",)]
    assert rows(host, "SELECT table_name, rows FROM klaviyo_copies") == [("events", 6000)]
    with pytest.raises(apsw.SQLError, match="lists is not materialized"):
        rows(host, "SELECT refresh('lists')")


def test_each_run_of_a_statement_sees_klaviyo_anew(open_host: Open) -> None:
    host = open_host(cache_seconds=0)
    requests = host.sandbox.requests
    for can_cache in (True, False):
        for _ in range(3):
            requests.clear()
            host.sqlite.cursor().execute("SELECT count(*) FROM lists", can_cache=can_cache).fetchall()
            assert len(list(requests)) == 2, "fourteen lists are two pages"


def test_an_inner_loop_remembers_as_long_as_the_statement_runs(open_host: Open) -> None:
    host = open_host(cache_seconds=0)
    host.executescript("CREATE TABLE names (name); INSERT INTO names SELECT name FROM metrics LIMIT 5; INSERT INTO names SELECT name FROM names")
    host.sandbox.requests.clear()
    found = rows(host, "SELECT (SELECT count(*) FROM metrics m WHERE m.name = names.name) FROM names")
    assert len(found) == 10
    assert len(list(host.sandbox.requests)) == 1


@pytest.mark.parametrize("rows_of_page", [400, 1000, 2300])
def test_an_inner_loop_looks_ahead_from_where_the_outer_one_stands(
    open_host: Open, open_sandbox: Callable[..., klaviyo_sql.Connection], rows_of_page: int
) -> None:
    """A page of the outer table comes in two batches, of which the worker may have made the second while the first is used."""
    question = (
        f"SELECT count(p.email) FROM (SELECT profile_id FROM events ORDER BY datetime LIMIT {rows_of_page}) e CROSS JOIN profiles p ON p.id = e.profile_id"
    )
    connection, host = open_sandbox(cache_seconds=0), open_host(cache_seconds=0, parallel=1)
    host.sandbox.requests.clear()
    assert rows(host, question) == connection.execute(question).fetchall()
    made = [record.operation for record in host.sandbox.requests]
    assert made == [record.operation for record in connection.requests]
    assert "get_profiles" in made


def test_a_budget_bounds_each_statement(open_host: Open) -> None:
    host = open_host(max_requests=2, cache_seconds=0)
    assert rows(host, "SELECT count(*) FROM lists")
    assert rows(host, "SELECT count(*) FROM lists"), "each statement has a budget of its own"
    with pytest.raises(apsw.SQLError, match=r"max_requests is 2"):
        rows(host, "SELECT count(*) FROM events")


def test_a_list_of_values_that_fills_the_socket(open_host: Open) -> None:
    host = open_host(cache_seconds=0)
    known = [value for (value,) in rows(host, "SELECT id FROM lists")]
    values = ",".join(f"('{number:030}')" for number in range(20_000))
    host.executescript(f"CREATE TABLE wanted (id); INSERT INTO wanted VALUES {values}; INSERT INTO wanted VALUES ('{known[0]}')")
    question = "SELECT count(*), count(DISTINCT l.id) FROM events e JOIN lists l ON l.id IN (SELECT id FROM wanted) WHERE e.datetime >= '2026-11-15'"
    events = rows(host, "SELECT count(*) FROM events WHERE datetime >= '2026-11-15'")[0][0]
    assert rows(host, question) == [(events, 1)]


def test_rows_are_asked_for_as_they_are_used(open_host: Open) -> None:
    host = open_host(cache_seconds=0, parallel=1)
    host.sandbox.requests.clear()
    scan = iter(host.execute("SELECT id FROM events"))
    for used, sent in ((1, 1), (998, 1), (1, 1), (1, 2)):
        for _ in range(used):
            next(scan)
        assert len(list(host.sandbox.requests)) == sent


@pytest.mark.parametrize(
    ("sql", "code", "said"),
    [
        ("SELECT * FROM events WHERE datetime > 'yesterday'", apsw.SQLITE_ERROR, "events.datetime is a time and is compared with 'yesterday', which is none"),
        ("SELECT * FROM events WHERE datetime NOT IN ('soon', 'late')", apsw.SQLITE_ERROR, "is no time"),
        ("SELECT * FROM metric_aggregates()", apsw.SQLITE_ERROR, "metric_aggregates needs metric_id"),
        ("DELETE FROM lists", apsw.SQLITE_READONLY, "lists cannot be written to: the connection is read-only"),
        ("INSERT INTO lists (name) VALUES ('x')", apsw.SQLITE_READONLY, "lists cannot be written to: the connection is read-only"),
        ("UPDATE list_profiles SET list_id = 'x'", apsw.SQLITE_ERROR, "table list_profiles may not be modified"),
    ],
)
def test_errors_keep_their_text_and_their_code(open_host: Open, sql: str, code: int, said: str) -> None:
    host = open_host()
    host.sandbox.requests.clear()
    with pytest.raises(apsw.Error) as raised:
        rows(host, sql)
    assert said in str(raised.value)
    assert raised.value.result == code
    assert "lists" not in sql or not list(host.sandbox.requests), "what is refused sends nothing"


TEXTS = (
    "2026-01-01", "2026-01-01 00:00:00", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00", "2026-01-01T01:00:00+01:00", "2026-01-01 00:00:00.000000",
    "2026-01-01 00:00:00.000001", "2026-01-01T00:00:00.5Z", "2025-12-31 23:59:59.999999", "20260101T000000Z", "2026-W01-4", "2026-001", "2026-01", "2026",
    "2025-12-31T24:00", "2026-02-29", "2024-02-29", "2026-02-30 00:00:00", "2026-13-01 00:00:00", "0000-01-01 00:00:00", "0001-01-01 00:00:00",
    "9999-12-31 23:59:59", "2026-01-01 24:00:00", "2026-01-01 00:00:60", "2026-01-01 00:00:00 ", " 2026-01-01", "2026-01-01t00:00:00z", "", "x", "ä", "🎉",
    "2026-01-01 00:00:00,5", "2026-01-01 00:00:00.0000001", "2026-01-01T00:00:00-00:00", "2026-1-1", "٢٠٢٦-01-01", "2026-01-01 00:00:00.00000a",
)  # fmt: skip


def test_times_are_compared_as_in_python(open_host: Open) -> None:
    host = open_host()
    for left, right in itertools.product(TEXTS, repeat=2):
        order = timestamps.compare(left, right)
        question = "SELECT (?1 COLLATE INSTANT_OR_TEXT < ?2) - (?1 COLLATE INSTANT_OR_TEXT > ?2), (?1 COLLATE INSTANT < ?2) - (?1 COLLATE INSTANT > ?2)"
        assert rows(host, question, left, right) == [(-order, -order)], (left, right)


def test_accounts_of_the_settings(extension: Extension, server: GatedSandbox, program: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[accounts.shop_a]\napi_key_env = "KLAVIYO_API_KEY"\n[accounts.shop_b]\napi_key_env = "KLAVIYO_API_KEY"\n', encoding="utf-8")
    file.chmod(0o600)
    monkeypatch.setenv("KLAVIYO_SQL_CONFIG", str(file))
    host = program("""
        connection = opened()
        tell(one=rows(connection, 'SELECT count(*) FROM "shop_a.lists"'), all=rows(connection, 'SELECT account, count(*) FROM "all_accounts.lists" GROUP BY 1'))
        try:
            rows(connection, 'SELECT count(*) FROM "shop_c.lists"')
        except sqlite3.Error as error:
            tell(said=str(error))
    """)
    assert host.told() == {"one": [[14]], "all": [["shop_a", 14], ["shop_b", 14]]}
    assert host.told() == {"said": "no such table: shop_c.lists"}
    host.ended()


def test_a_setting_that_makes_no_sense_is_an_error_and_no_crash(server: GatedSandbox, program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLAVIYO_SQL_MAX_REQUESTS", "many")
    host = program("""
        connection = opened()
        try:
            rows(connection, "SELECT count(*) FROM lists")
        except sqlite3.Error as error:
            tell(said=str(error))
    """)
    assert host.told() == {"said": "KLAVIYO_SQL_MAX_REQUESTS is 'many'; set it to a number"}
    host.ended()


def test_the_key_is_refused(server: GatedSandbox, program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLAVIYO_API_KEY", "pk_wrong_key_of_somebody")
    host = program("""
        connection = opened()
        try:
            rows(connection, "SELECT count(*) FROM lists")
        except sqlite3.Error as error:
            tell(said=str(error), code=getattr(error, "sqlite_errorcode", 23))
    """)
    told = host.told()
    assert told["code"] == 23
    assert "key" in told["said"]
    assert "pk_wrong" not in told["said"]
    host.ended()
