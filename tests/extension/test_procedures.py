"""Procedures in any program's SQLite: what they send, what is refused, and what they say when a call goes wrong half-way."""

from __future__ import annotations

from collections.abc import Callable

from .host import Host
from .test_writes import rows, sent

Open = Callable[..., Host]
NUMBERS = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {})"


def test_a_function_acts_and_tells(host: Host) -> None:
    template = rows(host, "SELECT id FROM templates LIMIT 1")[0][0]
    made = rows(host, "SELECT clone_template(?, 'Second try')", template)[0][0]
    assert rows(host, "SELECT name FROM templates WHERE id = ?", made) == [("Second try",)]
    assert rows(host, "SELECT last_insert_id()") == [(made,)]
    assert sent(host) == ["clone_template"]


def test_a_statement_that_runs_again_calls_again_and_the_same_call_in_one_is_made_once(host: Host) -> None:
    template = rows(host, "SELECT id FROM templates LIMIT 1")[0][0]
    made = [rows(host, "SELECT clone_template(?, 'again')", template)[0][0] for _ in range(3)]
    assert len(set(made)) == 3
    rows(host, "CREATE TABLE three (x)")
    rows(host, "INSERT INTO three VALUES (1), (2), (3)")
    found = rows(host, "SELECT clone_template(?, 'once'), x FROM three", template)
    assert len(found) == 3
    assert len({identifier for identifier, _ in found}) == 1
    assert sent(host) == ["clone_template"] * 4


def test_a_function_returns_a_table(host: Host) -> None:
    assert rows(host, 'SELECT status, rows, operation FROM suppress_profiles(\'["a@example.org", "b@example.org"]\')') == [
        ("done", 2, "bulk_suppress_profiles")
    ]
    assert rows(host, "SELECT kind, table_name, status FROM klaviyo_writes") == [("CALL", "suppress_profiles", "done")] * 2
    assert rows(host, "SELECT rows, emails FROM SuppressProfiles WHERE emails = 'c@example.org'") == [(1, "c@example.org")]


def test_an_aggregate_gathers(host: Host) -> None:
    assert rows(host, "SELECT suppress_profiles(email) FROM profiles WHERE email IS NOT NULL")[0][0].startswith('{"rows":')
    assert sent(host) == ["bulk_suppress_profiles"]
