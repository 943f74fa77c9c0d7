"""klaviyo-sql accounts, klaviyo-sql properties, and accounts in the other commands."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import klaviyo_sql
from klaviyo_sql.cli import exits
from klaviyo_sql.custom_properties.proposals import as_sql, as_toml, named, proposals

from .conftest import Run

SECRET = "pk_0123456789secret"  # noqa: S105 - nobody's
Open = Callable[..., klaviyo_sql.Connection]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "config.toml"
    file.touch(0o600)
    file.write_text(f"""
        default_account = "shop_b"
        [accounts.shop_a]
        api_key = "{SECRET}"
        base_url = "https://a.example"
        [accounts.shop_b]
        api_key_env = "SHOP_B_KEY"
        [accounts.shop_c]
        api_key_command = ["nobody-runs-this", "{SECRET}"]
        [properties.profiles]
        plan = "TEXT"
    """)
    monkeypatch.setenv("KLAVIYO_SQL_CONFIG", str(file))
    return file


def test_accounts_are_listed_without_their_keys(run: Run, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run("accounts", "--format", "csv")
    assert ended.code == exits.FINE
    assert list(csv.reader(io.StringIO(ended.out)))[1:] == [
        ["shop_a", "https://a.example", "yes", "settings", "0"],
        ["shop_b", "https://a.klaviyo.com", "no", "environment variable SHOP_B_KEY", "1"],
        ["shop_c", "https://a.klaviyo.com", "unknown", "command", "0"],
    ]
    assert SECRET not in ended.out + ended.err
    monkeypatch.setenv("SHOP_B_KEY", SECRET)
    assert '"key":"yes"' in run("accounts", "--format", "jsonl").out.splitlines()[1].replace(" ", "")


def test_without_accounts_it_says_where_they_would_be(run: Run) -> None:
    ended = run("accounts")
    assert ended.code == exits.FINE
    assert "config.toml" in ended.out


def test_the_account_of_a_query(run: Run, config: Path) -> None:
    sql = "SELECT count(*) FROM accounts; SELECT DISTINCT account FROM klaviyo_requests"
    assert run("query", "--sandbox", "--format", "csv", sql).out.split() == ["count(*)", "1", "account", "shop_b"]
    assert run("query", "--sandbox", "--account", "Shop_A", "--format", "csv", sql).out.split()[-1] == "shop_a"
    ended = run("query", "--account", "shop_x", "SELECT 1")
    assert ended.code != exits.FINE
    assert "There is no account shop_x" in ended.err
    ended = run("query", "SELECT count(*) FROM lists")
    assert "Account shop_b: There is no key: the environment variable SHOP_B_KEY is not set." in ended.err
    assert "shop_a.lists: once" in run("explain", "SELECT id FROM shop_a.lists").out


def test_tables_of_accounts(run: Run, config: Path) -> None:
    assert "shop_a, shop_b, shop_c, all_accounts have the same tables" in run("tables").out
    ended = run("tables", "shop_a.profiles", "--format", "csv")
    assert "plan" in [row[0] for row in csv.reader(io.StringIO(ended.out))]
    assert run("tables", "all_accounts.DailyMetrics", "--format", "csv").out.splitlines()[1].startswith("Account,")
    ended = run("tables", "shop_x.profiles")
    assert ended.code == exits.WRONG_USAGE
    assert "shop_a.profiles" in ended.err


def test_a_mistake_in_the_file_is_a_sentence(run: Run, config: Path) -> None:
    config.write_text("paralel = 3")
    for arguments in (("accounts",), ("tables",), ("query", "SELECT 1"), ("properties", "profiles")):
        ended = run(*arguments)
        assert ended.code != exits.FINE
        assert "line 1 (paralel): there is no setting paralel. Did you mean parallel?" in ended.err
        assert "Traceback" not in ended.err


def test_a_warning_is_a_sentence(run: Run, config: Path) -> None:
    config.chmod(0o644)
    ended = run("accounts")
    assert ended.err.startswith(f"klaviyo-sql: The settings file {config} holds a key")
    assert "UserWarning" not in ended.err


@pytest.mark.parametrize("arguments", [("profiles",), ("events",), ("events", "Placed Order"), ("events", "Placed Order", "--sample", "50")])
def test_what_is_proposed_can_be_used(run: Run, arguments: tuple[str, ...], tmp_path: Path) -> None:
    ended = run("properties", *arguments, "--sandbox", "--format", "toml")
    assert ended.code == exits.FINE, ended.err
    columns = tomllib.loads(ended.out)["properties"][arguments[0]]
    assert columns
    statement = run("properties", *arguments, "--sandbox", "--format", "sql").out
    listed = [row["column"] for row in json.loads(run("properties", *arguments, "--sandbox", "--format", "json").out)]
    assert listed == list(columns)
    with klaviyo_sql.connect(sandbox=True, properties={arguments[0]: columns}, autocommit=True) as connection:
        connection.execute(statement)
        for column in columns:
            (filled,) = connection.execute(f'SELECT count("{column}") FROM my_{arguments[0]}').fetchone() or (0,)
            assert filled > 0
            assert connection.execute(f'SELECT count("{column}") FROM {arguments[0]}').fetchone() == (filled,)


def test_few_requests_and_no_examples(run: Run) -> None:
    shown = run("properties", "profiles", "--sandbox")
    assert "[properties.profiles]" in shown.out
    assert "CREATE VIRTUAL TABLE my_profiles USING klaviyo(" in shown.out
    assert '"free"' in shown.out
    hidden = run("properties", "profiles", "--sandbox", "--no-examples")
    assert '"free"' not in hidden.out
    assert "examples" not in hidden.out
    with klaviyo_sql.connect(sandbox=True) as connection:
        connection.execute("SELECT properties FROM profiles ORDER BY created DESC LIMIT 100").fetchall()
        assert len(connection.requests) == 1


def test_wrong_usage_of_properties(run: Run) -> None:
    for arguments in (("lists",), ("profiles", "Placed Order"), ("events", "No Such Metric"), ("profiles", "--sample", "0")):
        ended = run("properties", *arguments, "--sandbox")
        assert ended.code == exits.WRONG_USAGE
        assert ended.err


def test_names_are_unique_and_stable() -> None:
    keys = [("Order Id",), ("order_id",), ("ORDER-ID",), ("email",), ("Größe",), ("2nd",), ("!",), ("a", "b"), ("a_b",)]
    names = named(keys, ("email",))
    assert names == {
        ("Order Id",): "order_id_3",
        ("order_id",): "order_id",
        ("ORDER-ID",): "order_id_2",
        ("email",): "email_property",
        ("Größe",): "größe",
        ("2nd",): "_2nd",
        ("!",): "property",
        ("a", "b"): "a_b_2",
        ("a_b",): "a_b",
    }
    assert named(keys[::-1], ("email",)) == names


def test_types_that_hold_every_value() -> None:
    first = {"i": 1, "r": 1, "m": 1, "b": True, "d": "2026-01-31", "t": "2026-01-31T08:00:00Z", "u": "2026-01-31"}
    second = {"i": 2, "r": 1.5, "m": "1", "b": False, "d": "2026-02-01", "t": "2026-01-31 08:00", "u": "2026-01-31T08:00Z"}
    sample = [first | {"n": None, "x": [1], "y": {}, "z": "2026-99-99"}, second | {"n": None, "x": {"a": 1}, "y": "text", "z": "2026-01-01"}]
    found = {proposal.column.name: proposal for proposal in proposals(sample, ())}
    assert {name: proposal.column.type.name for name, proposal in found.items()} == {
        "i": "INTEGER", "r": "REAL", "m": "TEXT", "b": "BOOLEAN", "d": "DATE", "t": "TIMESTAMP", "u": "TIMESTAMP",
        "x": "JSON", "x_a": "INTEGER", "y": "TEXT", "z": "TEXT",
    }  # fmt: skip
    assert (found["x_a"].filled, found["x_a"].sampled) == (1, 2)
    assert tomllib.loads(as_toml("profiles", found.values()))["properties"]["profiles"]["x_a"] == {"type": "INTEGER", "path": "$.x.a"}
    assert "x_a INTEGER '$.x.a'" in as_sql("profiles", found.values(), "own")
