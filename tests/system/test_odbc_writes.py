"""Writing over ODBC: what is sent and when, what becomes of it in the account, and what a program is told."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Served

pytestmark = pytest.mark.parametrize("source", ["klaviyo", "klaviyo_stream"])

Step = tuple[Any, ...]
HISTORY: Step = ("execute", "SELECT kind, table_name, status FROM klaviyo_writes ORDER BY number", [])


def run(sql: str, *parameters: Any) -> Step:
    return ("execute", sql, list(parameters))


def values(answer: dict[str, Any]) -> list[list[Any]]:
    return [[value for _, value in row] for row in answer["rows"]]


def names(served: Served) -> list[str]:
    """Those of the lists that tests make."""
    return sorted(name for made in served.sandbox.account.lists.values() if (name := made["attributes"]["name"]).startswith("odbc"))


def writes(served: Served) -> list[str]:
    return [operation for operation in served.sent() if not operation.startswith("get_")]


def first_email(served: Served) -> str:
    return str(next(profile["attributes"]["email"] for profile in served.sandbox.account.profiles.values() if profile["attributes"].get("email")))


def test_each_statement_by_itself(source: str, served: Served) -> None:
    email = first_email(served)
    answers = served.steps(
        source,
        ("autocommit", True),
        run("INSERT INTO lists (name) VALUES (?)", "odbc 👩🏽‍🚀 one"),
        run("SELECT last_insert_id()"),
        run("INSERT INTO lists (name) VALUES ('odbc two'), ('odbc three')"),
        ("executemany", "INSERT INTO lists (name) VALUES (?)", [["odbc four"], ["odbc five"]]),
        run("UPDATE lists SET name = ? WHERE name = ?", "odbc 2", "odbc two"),
        run("DELETE FROM lists WHERE name = ?", "odbc three"),
        run("UPDATE profiles SET first_name = ?, location_latitude = ?, properties = ? WHERE email = ?", "Ада", 12.5, '{"big":9007199254740993}', email),
        HISTORY,
        KLAVIYO_SQL_WRITE="1",
    )
    assert [answer["error"] for answer in answers if "error" in answer] == []
    assert names(served) == ["odbc 2", "odbc five", "odbc four", "odbc 👩🏽‍🚀 one"]
    lists = {made["attributes"]["name"]: made["id"] for made in served.sandbox.account.lists.values()}
    assert values(answers[2]) == [[lists["odbc 👩🏽‍🚀 one"]]]
    assert [answers[position]["changed"] for position in (1, 3, 5, 6, 7)] == [1, 2, 1, 1, 1]
    (profile,) = (one["attributes"] for one in served.sandbox.account.profiles.values() if one["attributes"].get("email") == email)
    assert (profile["first_name"], profile["location"]["latitude"]) == ("Ада", 12.5)
    assert profile["properties"]["big"] == 2**53 + 1
    kinds = ["INSERT"] * 5 + ["UPDATE", "DELETE"]
    assert values(answers[8]) == [*([kind, "lists", "done"] for kind in kinds), ["UPDATE", "profiles", "done"]]
    assert writes(served) == ["create_list"] * 5 + ["update_list", "delete_list", "update_profile"]


def test_transactions(source: str, served: Served) -> None:
    answers = served.steps(
        source,
        ("autocommit", False),
        run("INSERT INTO lists (name) VALUES (?)", "odbc kept"),
        run("SELECT name FROM lists WHERE name = 'odbc kept'"),
        ("commit",),
        run("SELECT name FROM lists WHERE name = 'odbc kept'"),
        run("INSERT INTO lists (name) VALUES (?)", "odbc forgotten"),
        run("DELETE FROM lists WHERE name = ?", "odbc kept"),
        ("rollback",),
        run("INSERT INTO lists (name) VALUES (?)", "odbc never"),
        KLAVIYO_SQL_WRITE="1",
    )
    assert [answer["error"] for answer in answers if "error" in answer] == []
    # Nothing is sent before the commit, and nothing of what is open when the program ends.
    assert (values(answers[2]), values(answers[4])) == ([], [["odbc kept"]])
    assert names(served) == ["odbc kept"]
    assert writes(served) == ["create_list"]


def test_what_klaviyo_refuses(source: str, served: Served) -> None:
    answers = served.steps(
        source,
        ("autocommit", True),
        run("INSERT INTO lists (name) VALUES (?)", ""),
        run("INSERT INTO profiles (email) VALUES (?)", "no address"),
        run("UPDATE lists SET name = 'odbc all'"),
        run("BEGIN"),
        run("INSERT INTO lists (name) VALUES (?)", "odbc first"),
        run("INSERT INTO lists (name) VALUES (?)", ""),
        run("COMMIT"),
        run("SELECT count(*) FROM klaviyo_writes WHERE status = 'failed' AND error LIKE '%may not be blank%'"),
        run("INSERT INTO lists (name) VALUES (?)", "odbc after"),
        KLAVIYO_SQL_WRITE="1",
    )
    errors = [answer.get("error") for answer in answers]
    for position, text in (
        (1, "Klaviyo refuses create_list (table lists) as invalid (400). This may not be blank [/data/attributes/name]. (1)"),
        (2, "profiles.email takes an email address, not 'no address'"),
        (3, "An UPDATE or DELETE without a WHERE would change every row of lists."),
        (7, "1 of 2 rows were written and stay written, for Klaviyo has no transactions; 1 failed. Klaviyo refuses create_list"),
    ):
        assert errors[position] is not None
        state, said = errors[position]
        assert state == "HY000"
        assert text in said
        errors[position] = None
    assert not any(errors)
    assert [[int(value) for value in row] for row in values(answers[8])] == [[2]]
    assert names(served) == ["odbc after", "odbc first"]


def test_a_commit_that_failed_leaves_the_driver_in_a_transaction_that_is_over(source: str, served: Served) -> None:
    """A trap of the driver's, which the documents tell of: BEGIN and a rollback bring the two together again."""
    blank = run("INSERT INTO lists (name) VALUES (?)", "")
    answers = served.steps(
        source,
        ("autocommit", False),
        blank,
        ("commit",),
        ("rollback",),
        run("BEGIN"),
        ("rollback",),
        run("INSERT INTO lists (name) VALUES (?)", "odbc forgotten"),
        ("rollback",),
        run("INSERT INTO lists (name) VALUES (?)", "odbc kept"),
        ("commit",),
        KLAVIYO_SQL_WRITE="1",
    )
    failed = {position: answer["error"][1] for position, answer in enumerate(answers) if "error" in answer}
    assert failed.keys() == {2, 3}
    assert "may not be blank" in failed[2]
    assert "no transaction is active" in failed[3]
    assert names(served) == ["odbc kept"]


def test_nothing_is_written_unless_that_is_allowed(source: str, served: Served) -> None:
    statements = [run("INSERT INTO lists (name) VALUES (?)", "odbc"), run("DELETE FROM lists WHERE name = ?", "Newsletter"), run("UPDATE lists SET name = 'x'")]
    answers = served.steps(source, ("autocommit", True), *statements, run("SELECT count(*) FROM klaviyo_writes"))
    for answer in answers[1:4]:
        state, said = answer["error"]
        assert state == "HY000"
        assert "lists cannot be written to: the connection is read-only." in said
        assert "KLAVIYO_SQL_WRITE=1. (8)" in said
    assert [[int(value) for value in row] for row in values(answers[4])] == [[0]]
    assert served.sent() == []
