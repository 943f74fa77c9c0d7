"""Named accounts as schemas, and all of them together, compared with what the accounts really hold."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import klaviyo_sql
from klaviyo_sql import Connection, InterfaceError, ProgrammingError, contract
from klaviyo_sql.engine import Engine
from klaviyo_sql.sandbox import Fault, Sandbox
from klaviyo_sql.sandbox.transport import SandboxTransport
from klaviyo_sql.sqlite.explain import explain
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.reports import REPORTS
from klaviyo_sql.vocabularies import VOCABULARIES

OpenAccounts = Callable[..., Connection]


def rows(connection: Connection, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
    return connection.execute(sql, parameters).fetchall()


def sent(connection: Connection, name: str) -> int:
    return len(connection.made[name].requests)  # type: ignore[attr-defined]


def test_each_account_has_all_tables(connection: Connection, accounts: dict[str, Any]) -> None:
    for schema, account in (("main", "main"), ("klaviyo", "main"), ("shop_a", "shop_a"), ("shop_b", "shop_b"), ("SHOP_B", "shop_b"), ('"shop_a"', "shop_a")):
        assert {row[0] for row in rows(connection, f"SELECT id FROM {schema}.profiles")} == set(accounts[account].profiles)
        assert rows(connection, f"SELECT id FROM {schema}.accounts") == [(accounts[account].account["id"],)]
    for table in (*TABLES.values(), *REPORTS.values()):
        for name in table.names:
            for schema in ("shop_a", "shop_b", "all_accounts"):
                cursor = connection.execute(f"SELECT * FROM {schema}.{name} LIMIT 0")
                own = [column[0] for column in connection.execute(f"SELECT * FROM {name} LIMIT 0").description or ()]
                first = ["account" if name == table.name else "Account"] if schema == "all_accounts" else []
                assert [column[0] for column in cursor.description or ()] == [*first, *own]


def test_reports_of_each_account_and_of_all(connection: Connection) -> None:
    own = {name: rows(connection, f"SELECT * FROM {name}.campaign_values('last_90_days')") for name in ("main", "shop_a", "shop_b")}
    assert own["main"] != own["shop_a"] != own["shop_b"]
    found = rows(connection, "SELECT account, * FROM all_accounts.campaign_values('last_90_days') WHERE account IN ('shop_a', 'shop_b')")
    assert sorted(row[2:] for row in found if row[0] == "shop_b") == sorted(own["shop_b"])
    assert len(found) == len(own["shop_a"]) + len(own["shop_b"]) > 0
    for name in ("shop_a", "shop_b"):
        metric = rows(connection, f"SELECT DISTINCT conversion_metric_id FROM {name}.campaign_values('last_90_days')")
        assert rows(connection, f"SELECT name FROM {name}.metrics WHERE id = ?", metric[0]) == [("Placed Order",)]
        assert rows(connection, "SELECT DISTINCT conversion_metric_id FROM all_accounts.campaign_values('last_90_days') WHERE account = ?", (name,)) == metric
        (days,) = rows(connection, f"SELECT sum(count) FROM {name}.metric_aggregates(?, 'day', '', 'UTC', '2026-01-01', '2026-11-01')", metric[0])
        (events,) = rows(
            connection, f"SELECT count(*) FROM {name}.events WHERE metric_id = ? AND datetime >= '2026-01-01' AND datetime < '2026-11-01'", metric[0]
        )
        assert days == events


def test_names_without_a_schema_are_the_connections_own(connection: Connection, accounts: dict[str, Any], tmp_path: Path) -> None:
    own = set(accounts["main"].profiles)
    assert {row[0] for row in rows(connection, "SELECT id FROM profiles")} == own
    connection.execute("CREATE VIEW own AS SELECT id FROM profiles")
    connection.execute("CREATE TEMP VIEW other AS SELECT id FROM profiles")
    connection.execute("CREATE TEMP VIEW of_a AS SELECT id FROM shop_a.profiles")
    assert {row[0] for row in rows(connection, "SELECT id FROM own")} == own
    assert {row[0] for row in rows(connection, "SELECT id FROM other")} == own
    assert {row[0] for row in rows(connection, "SELECT id FROM of_a")} == set(accounts["shop_a"].profiles)
    connection.execute(f"ATTACH '{tmp_path / 'crm.db'}' AS crm")
    connection.execute("CREATE TABLE crm.profiles (id)")
    assert {row[0] for row in rows(connection, "SELECT id FROM profiles")} == own
    assert rows(connection, "SELECT id FROM crm.profiles") == []


def test_the_account_that_is_chosen_is_the_connections_own(open_accounts: OpenAccounts, accounts: dict[str, Any]) -> None:
    connection = open_accounts({"main": Sandbox(accounts["shop_b"])}, account="shop_b")
    assert rows(connection, "SELECT count(*) FROM all_accounts.profiles WHERE account = 'shop_b'") == rows(connection, "SELECT count(*) FROM profiles")
    assert {record.account for record in connection.requests} == {"shop_b"}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM shp_a.profiles",
        "SELECT * FROM lists JOIN shp_a.profiles ON 1",
        "SELECT * FROM lists, shp_a.profiles",
        'SELECT id FROM "shp_a" . "profiles"',
        "SELECT id FROM /* of */ shp_a.Profiles -- there",
        "WITH x AS (SELECT id FROM shp_a.profiles) SELECT * FROM x",
        "CREATE TABLE own AS SELECT id FROM shp_a.profiles",
        "CREATE VIEW own AS SELECT id FROM shp_a.profiles",
        "INSERT INTO shp_a.lists (id) VALUES (1)",
        "EXPLAIN SELECT id FROM shp_a.profiles",
        "SELECT * FROM shp_a.klaviyo_requests",
        "SELECT * FROM temp.profiles",
    ],
)
def test_a_schema_that_is_not_there_is_an_error_and_not_the_own_account(connection: Connection, sql: str) -> None:
    with pytest.raises(ProgrammingError, match="There is no"):
        connection.execute(sql).fetchall()
    with pytest.raises(ProgrammingError, match="There is no"):
        connection.executescript(sql)
    assert sent(connection, "main") == 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT shp.events FROM (SELECT 1 AS events) AS shp",
        "SELECT shp.id FROM profiles AS shp",
        "SELECT 'FROM shp.profiles' AS text -- FROM shp.profiles",
        "SELECT profiles.id FROM profiles",
        "SELECT main.profiles.id FROM main.profiles",
        "SELECT shop_a.profiles.id FROM shop_a.profiles",
        "SELECT a.events FROM (SELECT 1 AS events) a, (SELECT 2 AS lists) b WHERE b.lists = 2 OR a.events",
    ],
)
def test_what_only_looks_like_a_schema_is_none(connection: Connection, sql: str) -> None:
    assert rows(connection, sql)


def test_the_nearest_names(connection: Connection) -> None:
    with pytest.raises(ProgrammingError, match=r"There is no account or schema shp_a\. Did you mean shop_a"):
        connection.execute("SELECT * FROM shp_a.profiles")
    with pytest.raises(ProgrammingError, match=r"There is no table shop_a\.profils\. Did you mean shop_a\.profiles"):
        connection.execute("SELECT * FROM shop_a.profils")


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("", ["shop_a", "shop_b"]),
        ("WHERE account = 'shop_a'", ["shop_a"]),
        ("WHERE account IN ('shop_b', 'nobody')", ["shop_b"]),
        ("WHERE account IN ('shop_b', 'shop_a')", ["shop_a", "shop_b"]),
        ("WHERE account = 'shop_a' AND account = 'shop_b'", []),
        ("WHERE account = 'SHOP_A'", []),
        ("WHERE account = NULL", []),
        ("WHERE account = ?", ["shop_b"]),
        ("WHERE account <> 'shop_a'", ["shop_b"]),
        ("WHERE account LIKE '%_A'", ["shop_a"]),
        ("WHERE account = (SELECT 'shop_' || 'a')", ["shop_a"]),
    ],
)
def test_the_account_pushes_down(connection: Connection, accounts: dict[str, Any], where: str, names: list[str]) -> None:
    found = rows(connection, f"SELECT account, id FROM all_accounts.profiles {where}", ("shop_b",) if "?" in where else ())
    assert sorted(found) == sorted((name, profile) for name in names for profile in accounts[name].profiles)
    if "<>" not in where and "LIKE" not in where:
        assert [name for name in ("shop_a", "shop_b") if sent(connection, name)] == names
    assert sent(connection, "main") == 0


@pytest.mark.parametrize("descending", ["", "DESC"])
@pytest.mark.parametrize("columns", ["account, id, datetime", "id, datetime, account", "id", "account"])
def test_an_order_over_all_accounts(connection: Connection, accounts: dict[str, Any], descending: str, columns: str) -> None:
    found = rows(connection, f"SELECT {columns}, datetime AS at FROM all_accounts.events ORDER BY datetime {descending} LIMIT 700")
    times = [event["attributes"]["datetime"][:19].replace("T", " ") for name in ("shop_a", "shop_b") for event in accounts[name].events]
    assert [row[-1] for row in found] == sorted(times, reverse=bool(descending))[:700]


def test_ids_that_two_accounts_share_are_two_rows(open_accounts: OpenAccounts, accounts: dict[str, Any]) -> None:
    connection = open_accounts({"shop_b": Sandbox(accounts["shop_a"])})
    profile = next(iter(accounts["shop_a"].profiles))
    event = accounts["shop_a"].events[0]["id"]
    metric = next(iter(accounts["shop_a"].metrics))
    for table, key in (("profiles", profile), ("events", event), ("metrics", metric)):
        assert rows(connection, f"SELECT account FROM all_accounts.{table} WHERE id = ? ORDER BY account", (key,)) == [("shop_a",), ("shop_b",)]
        assert rows(connection, f"SELECT account FROM all_accounts.{table} WHERE id = ? AND account = 'shop_b'", (key,)) == [("shop_b",)]
    joined = "SELECT count(*) FROM all_accounts.events e JOIN all_accounts.metrics m ON m.id = e.metric_id"
    once = len(accounts["shop_a"].events)
    assert rows(connection, joined) == [(4 * once,)]
    assert rows(connection, f"{joined} AND m.account = e.account") == [(2 * once,)]


def test_joins_between_accounts(connection: Connection, accounts: dict[str, Any]) -> None:
    emails = {name: {profile["attributes"]["email"] for profile in accounts[name].profiles.values()} - {None} for name in ("main", "shop_a", "shop_b")}
    both = "SELECT a.email FROM shop_a.profiles a JOIN shop_b.profiles b ON b.email = a.email"
    assert {row[0] for row in rows(connection, both)} == emails["shop_a"] & emails["shop_b"]
    own = "SELECT p.email FROM profiles p WHERE p.email IN (SELECT email FROM shop_b.profiles)"
    assert {row[0] for row in rows(connection, own)} == emails["main"] & emails["shop_b"]


def test_members_and_periods_of_all_accounts(connection: Connection, accounts: dict[str, Any]) -> None:
    found = rows(connection, "SELECT account, count(*) FROM all_accounts.list_profiles GROUP BY account ORDER BY account")
    assert found == [(name, sum(map(len, accounts[name].list_members.values()))) for name in ("shop_a", "shop_b")]
    metrics = "SELECT id FROM {}.metrics WHERE name = 'Placed Order'"
    for name in ("shop_a", "shop_b"):
        key = rows(connection, metrics.format(name))[0][0]
        apart = rows(connection, f"SELECT month_start_date, count FROM {name}.monthly_metrics WHERE metric_id = ? ORDER BY month_start_date", (key,))
        together = "SELECT month_start_date, count FROM all_accounts.monthly_metrics WHERE metric_id = ? AND account = ? ORDER BY month_start_date"
        assert rows(connection, together, (key, name)) == apart != []


def test_a_few_rows_are_asked_of_one_account_after_the_other(connection: Connection) -> None:
    assert len(rows(connection, "SELECT id FROM all_accounts.profiles LIMIT 5")) == 5
    assert (sent(connection, "shop_a"), sent(connection, "shop_b")) == (1, 0)


class Meeting(httpx.BaseTransport):
    """Lets a reply through when the other account has been asked as well."""

    def __init__(self, inner: httpx.BaseTransport, barrier: threading.Barrier) -> None:
        self._inner = inner
        self._barrier = barrier
        self._met = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not self._met:
            self._met = True
            self._barrier.wait(60)  # it breaks when the other account is asked only afterwards
        return self._inner.handle_request(request)


@pytest.mark.parametrize("order", ["", "ORDER BY datetime"])
def test_accounts_are_read_side_by_side(connection: Connection, accounts: dict[str, Any], order: str) -> None:
    barrier = threading.Barrier(2)
    connection.prepare("")
    for name in ("shop_a", "shop_b"):
        transport = Meeting(SandboxTransport(connection.made[name]), barrier)  # type: ignore[attr-defined]
        assert isinstance(connection.engine_of(name), Engine)
        connection.engine_of(name).client._transport = transport
    found = rows(connection, f"SELECT id FROM all_accounts.events {order}")
    assert len(found) == len(accounts["shop_a"].events) + len(accounts["shop_b"].events)


@pytest.mark.parametrize(
    "sql", ["SELECT count(*) FROM all_accounts.profiles", "SELECT id FROM all_accounts.profiles ORDER BY created", "SELECT id FROM shop_b.profiles"]
)
def test_a_failing_account_names_itself(connection: Connection, sql: str) -> None:
    connection.made["shop_b"].faults.add(Fault("status", status=403, times=None))  # type: ignore[attr-defined]
    with pytest.raises(klaviyo_sql.PermissionDenied, match=r"^Account shop_b: ") as told:
        rows(connection, sql)
    assert told.value.account == "shop_b"
    assert str(told.value).count("shop_b") == 1
    assert rows(connection, "SELECT count(*) FROM all_accounts.profiles WHERE account = 'shop_a'")


def test_keys_are_of_their_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_A_KEY", "pk_of_a")
    asked: list[tuple[str, str]] = []
    given = {"shop_a": {"api_key_env": "SHOP_A_KEY", "base_url": "https://a.example"}, "shop_b": {"api_key": "pk_of_b"}, "shop_c": {}}
    with klaviyo_sql.connect(api_key="pk_own", base_url="https://own.example", accounts=given, autocommit=True) as connection:

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append((request.url.host, request.headers["Authorization"]))
            return httpx.Response(200, json={"data": []})

        connection.session.reach = lambda _: (httpx.MockTransport(answer), None)
        connection.engine.client._connections._transport = httpx.MockTransport(answer)
        for schema in ("main", "shop_a", "shop_b"):
            rows(connection, f"SELECT name FROM {schema}.metrics")
        with pytest.raises(klaviyo_sql.AuthenticationError, match=r"Account shop_c: There is no key.*\[accounts\.shop_c\]"):
            rows(connection, "SELECT name FROM shop_c.metrics")
        seen = (
            repr(vars(connection))
            + repr(vars(connection.session))
            + repr(rows(connection, "SELECT * FROM klaviyo_requests"))
            + repr(connection.session.settings)
        )
    assert asked == [
        ("own.example", "Klaviyo-API-Key pk_own"),
        ("a.example", "Klaviyo-API-Key pk_of_a"),
        ("own.example", "Klaviyo-API-Key pk_of_b"),
    ]
    assert "pk_" not in seen


def test_requests_tell_the_account(connection: Connection) -> None:
    rows(connection, "SELECT count(*) FROM profiles")
    rows(connection, "SELECT count(*) FROM all_accounts.lists")
    found = rows(connection, "SELECT account, table_name FROM klaviyo_requests GROUP BY 1, 2 ORDER BY 1")
    assert found == [(None, "profiles"), ("shop_a", "lists"), ("shop_b", "lists")]
    numbers = rows(connection, "SELECT count(*), count(DISTINCT number), max(number) FROM klaviyo_requests")[0]
    assert len(set(numbers)) == 1


def test_the_tables_about_the_driver_know_schemas(connection: Connection) -> None:
    found = rows(connection, "SELECT schema, count(*) FROM klaviyo_tables GROUP BY schema ORDER BY schema")
    others = [(name, len(vocabulary.objects)) for name, vocabulary in VOCABULARIES.items()]
    assert found == sorted([*others, *((schema, len(TABLES) + len(REPORTS)) for schema in ("all_accounts", "main", "shop_a", "shop_b"))])
    pushed = "SELECT pushed, exact FROM klaviyo_columns WHERE schema = 'all_accounts' AND table_name = 'profiles' AND name = 'account'"
    assert rows(connection, pushed) == [("=, IN", 1)]
    assert [table.name for table in connection.tables("shop_a")] == [*TABLES, *REPORTS]
    with pytest.raises(ProgrammingError, match="shop_c"):
        connection.tables("shop_c")
    listed = rows(connection, "SELECT count(*) FROM shop_a.sqlite_schema")
    assert listed == [(sum(len(table.names) for table in (*TABLES.values(), *REPORTS.values())),)]


def test_nothing_is_set_up_for_accounts_that_are_not_asked(connection: Connection) -> None:
    rows(connection, "SELECT count(*) FROM profiles")
    assert set(connection.session.engines) == {None}
    rows(connection, "SELECT count(*) FROM shop_a.lists")
    assert set(connection.session.engines) == {None, "shop_a"}
    assert "shop_a.profiles" not in connection.virtual_tables


def test_explain_of_accounts(connection: Connection) -> None:
    one = explain(connection, "SELECT id FROM shop_a.lists")
    assert [step.table for step in one.steps] == ["shop_a.lists"]
    every = explain(connection, "SELECT id FROM all_accounts.lists")
    assert every.least == 2 * one.least
    assert "shop_a, shop_b" in every.steps[0].more
    assert explain(connection, "SELECT id FROM all_accounts.lists WHERE account = 'shop_b'").least == one.least
    assert explain(connection, "SELECT id FROM all_accounts.lists WHERE account = 'nobody'").least == 0
    assert sum(sent(connection, name) for name in ("main", "shop_a", "shop_b")) == 0


def test_the_accounts_tables_cannot_be_dropped(connection: Connection) -> None:
    for name in ("profiles", "klaviyo.profiles", "shop_a.profiles", 'IF EXISTS "shop_a"."lists"', "all_accounts.DailyMetrics"):
        with pytest.raises(ProgrammingError, match="cannot be dropped"):
            connection.execute(f"DROP TABLE {name}")
    connection.execute("CREATE TABLE profiles (id)")
    connection.execute("DROP TABLE profiles")
    assert rows(connection, "SELECT count(*) FROM profiles") != [(0,)]


def test_writes_are_refused_with_the_reason(connection: Connection) -> None:
    for sql in ("INSERT INTO shop_a.profiles (email) VALUES ('x')", "DELETE FROM shop_a.list_profiles", "UPDATE all_accounts.lists SET name = 'x'"):
        with pytest.raises(klaviyo_sql.ReadOnlyError, match="read-only"):
            connection.execute(sql)


def test_accounts_arguments_that_make_no_sense() -> None:
    for accounts in ({"main": {}}, {"shop a": {}}, {"shop_a": "pk_x"}, {"shop_a": {"api_key": 5}}):
        with pytest.raises(InterfaceError):
            klaviyo_sql.connect(accounts=accounts)  # type: ignore[arg-type]
    assert contract.facts().base_url


def test_a_budget_is_of_the_statement_and_not_of_each_account(open_accounts: OpenAccounts) -> None:
    connection = open_accounts(max_requests=3)
    with pytest.raises(klaviyo_sql.BudgetExceeded, match="3 requests"):
        rows(connection, "SELECT id FROM all_accounts.profiles")
    assert sent(connection, "shop_a") + sent(connection, "shop_b") == 3
    connection.max_requests = 2
    connection.forget()
    with pytest.raises(klaviyo_sql.BudgetExceeded):
        rows(connection, "SELECT id FROM shop_b.profiles")
    assert len(rows(connection, "SELECT id FROM shop_b.profiles WHERE id IN (SELECT id FROM shop_b.profiles LIMIT 5)")) == 5


def test_local_copies_are_of_the_own_account_alone(open_accounts: OpenAccounts, accounts: dict[str, Any], tmp_path: Path) -> None:
    connection = open_accounts(materialized=["profiles", "metrics"], copy_file=tmp_path / "copy.db", properties={"profiles": {"plan": "TEXT"}})
    for _ in range(2):
        assert {row[0] for row in rows(connection, "SELECT id FROM profiles")} == set(accounts["main"].profiles)
        assert {row[0] for row in rows(connection, "SELECT id FROM shop_a.profiles")} == set(accounts["shop_a"].profiles)
        assert len(rows(connection, "SELECT id FROM all_accounts.metrics")) == len(accounts["shop_a"].metrics) + len(accounts["shop_b"].metrics)
    connection.execute("CREATE VIRTUAL TABLE of_a USING klaviyo(shop_a.profiles, plan TEXT)")
    assert {row[0] for row in rows(connection, "SELECT id FROM of_a")} == set(accounts["shop_a"].profiles)
    plans = [profile["attributes"]["properties"].get("plan") for profile in accounts["main"].profiles.values()]
    assert sorted(str(row[0]) for row in rows(connection, "SELECT plan FROM profiles")) == sorted(map(str, plans))


def test_counts_are_of_the_account_that_is_named(open_accounts: OpenAccounts, accounts: dict[str, Any]) -> None:
    connection = open_accounts(counts="aggregates", properties={"events": {"items": {"type": "JSON", "path": "$.Items"}}})
    for schema, name in (("main", "main"), ("shop_a", "shop_a"), ("klaviyo", "main")):
        metric = next(iter(accounts[name].metrics))
        truth = sum(event["metric_id"] == metric and "2026-01-01" <= event["attributes"]["datetime"] < "2026-11-01" for event in accounts[name].events)
        for table in (f"{schema}.events", *(["events"] if name == "main" else [])):
            sql = f"SELECT count(*) FROM {table} WHERE metric_id = '{metric}' AND datetime >= '2026-01-01' AND datetime < '2026-11-01'"
            assert rows(connection, sql) == [(truth,)]
    assert any(record.operation == "query_metric_aggregates" for record in connection.requests)
    having = sum("Items" in event["attributes"]["event_properties"] for event in accounts["main"].events)
    assert rows(connection, "SELECT count(*) FROM events WHERE items IS NOT NULL") == [(having,)]
    assert rows(connection, "SELECT count(items) FROM events WHERE datetime >= '2020-01-01'") == [(having,)]
