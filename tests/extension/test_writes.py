"""Writing through the extension: what a transaction of any program's SQLite sends, and what it is told."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import apsw
import pytest

from klaviyo_sql.tables import TABLES

from .conftest import Extension
from .host import Host
from .programs import is_running, until

Open = Callable[..., Host]


def rows(host: Host, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return host.execute(sql, values).fetchall()


def sent(host: Host) -> list[str]:
    """The requests that wrote."""
    return [record.operation for record in host.sandbox.requests if not record.operation.startswith("get_")]


def names(host: Host) -> set[str]:
    return {name for (name,) in rows(host, "SELECT name FROM lists")}


def test_insert_update_delete(host: Host) -> None:
    rows(host, "INSERT INTO lists (name) VALUES ('one'), ('two')")
    assert {"one", "two"} <= names(host)
    made = rows(host, "SELECT last_insert_id()")[0][0]
    assert rows(host, "SELECT name FROM lists WHERE id = ?", made) == [("two",)]
    rows(host, "UPDATE lists SET name = name || ' and a half' WHERE id = ?", made)
    assert rows(host, "SELECT name FROM lists WHERE id = ?", made) == [("two and a half",)]
    rows(host, "DELETE FROM lists WHERE name = 'one'")
    assert "one" not in names(host)
    assert sent(host) == ["create_list", "create_list", "update_list", "delete_list"]
    became = rows(host, "SELECT kind, table_name, status FROM klaviyo_writes ORDER BY number")
    assert became == [(kind, "lists", "done") for kind in ("INSERT", "INSERT", "UPDATE", "DELETE")]
    assert rows(host, "SELECT count(*), count(DISTINCT statement) FROM klaviyo_writes") == [(4, 3)]


def test_unchanged_columns_are_not_sent(host: Host) -> None:
    (identifier, email), *_ = rows(host, "SELECT id, email FROM profiles WHERE email IS NOT NULL LIMIT 1")
    rows(host, "UPDATE profiles SET first_name = 'Ada' WHERE id = ?", identifier)
    assert rows(host, "SELECT first_name, email FROM profiles WHERE id = ?", identifier) == [("Ada", email)]
    assert rows(host, 'SELECT "row" FROM klaviyo_writes') == [('{"first_name":"Ada"}',)]


def test_what_klaviyo_replaces_as_a_whole_is_repeated(host: Host) -> None:
    ((identifier, excluded),) = rows(
        host, "SELECT id, audiences_excluded FROM campaigns WHERE status = 'Draft' AND json_array_length(audiences_excluded) > 0 LIMIT 1"
    )
    some_list = rows(host, "SELECT id FROM lists LIMIT 1")[0][0]
    rows(host, "UPDATE campaigns SET audiences_included = json_array(?) WHERE id = ?", some_list, identifier)
    assert rows(host, "SELECT audiences_included ->> 0, audiences_excluded FROM campaigns WHERE id = ?", identifier) == [(some_list, excluded)]


def test_links_are_written(host: Host) -> None:
    rows(host, "INSERT INTO lists (name) VALUES ('new')")
    ((some_list, profile),) = rows(host, "SELECT last_insert_id(), id FROM profiles LIMIT 1")
    rows(host, "INSERT INTO list_profiles (list_id, profile_id) VALUES (?, ?)", some_list, profile)
    question = "SELECT profile_id FROM list_profiles WHERE list_id = ?"
    assert rows(host, question, some_list) == [(profile,)]
    rows(host, "DELETE FROM ListProfiles WHERE ListId = ? AND ProfileId = ?", some_list, profile)
    assert rows(host, question, some_list) == []
    assert sent(host) == ["create_list", "add_profiles_to_list", "remove_profiles_from_list"]


def test_nothing_is_sent_before_commit_or_after_rollback(host: Host) -> None:
    rows(host, "BEGIN")
    rows(host, "INSERT INTO lists (name) VALUES ('one')")
    rows(host, "INSERT INTO tags (name) VALUES ('one')")
    assert sent(host) == []
    rows(host, "ROLLBACK")
    rows(host, "BEGIN")
    rows(host, "INSERT INTO lists (name) VALUES ('two')")
    assert sent(host) == []
    rows(host, "COMMIT")
    assert sent(host) == ["create_list"]
    assert names(host) & {"one", "two"} == {"two"}


def test_a_savepoint_can_be_gone_back_to(host: Host) -> None:
    host.executescript("""
        BEGIN;
        INSERT INTO lists (name) VALUES ('one');
        SAVEPOINT outer;
        INSERT INTO lists (name) VALUES ('two');
        INSERT INTO tags (name) VALUES ('a tag');
        SAVEPOINT inner;
        INSERT INTO lists (name) VALUES ('three');
        ROLLBACK TO inner;
        INSERT INTO lists (name) VALUES ('four');
        RELEASE inner;
        ROLLBACK TO outer;
        INSERT INTO lists (name) VALUES ('five');
        RELEASE outer;
        COMMIT;
    """)
    assert names(host) & {"one", "two", "three", "four", "five"} == {"one", "five"}
    assert sent(host) == ["create_list", "create_list"]


def test_a_table_that_joins_inside_a_savepoint_is_gone_back_on(host: Host) -> None:
    host.executescript("BEGIN; SAVEPOINT a; SAVEPOINT b; INSERT INTO lists (name) VALUES ('one'); ROLLBACK TO a; COMMIT")
    assert sent(host) == []


def test_a_statement_that_fails_halfway_leaves_nothing_of_itself(host: Host) -> None:
    rows(host, "BEGIN")
    rows(host, "INSERT INTO lists (name) VALUES ('before')")
    with pytest.raises(apsw.SQLError, match=r"lists\.opt_in_process takes one of double_opt_in, single_opt_in, not 'wrong'"):
        rows(host, "INSERT INTO lists (name, opt_in_process) SELECT column1, column2 FROM (VALUES ('good', 'single_opt_in'), ('bad', 'wrong'))")
    rows(host, "INSERT INTO lists (name) VALUES ('after')")
    rows(host, "COMMIT")
    assert names(host) & {"before", "good", "after"} == {"before", "after"}


def test_what_klaviyo_refuses_is_said_at_commit(host: Host) -> None:
    rows(host, "CREATE TABLE mine (x)")
    rows(host, "BEGIN")
    rows(host, "INSERT INTO mine VALUES (1)")
    rows(host, "DELETE FROM mine WHERE x = 2")
    rows(host, "INSERT INTO list_profiles (list_id, profile_id) VALUES ('NoSuch', '01ABCDEFGHJKMNPQRSTVWXYZ00')")
    with pytest.raises(apsw.SQLError, match="list_profiles"):
        rows(host, "COMMIT")
    rows(host, "ROLLBACK") if host.sqlite.in_transaction else None
    assert rows(host, "SELECT count(*) FROM mine") == [(0,)], "what was written to ordinary tables is taken back"
    assert rows(host, "SELECT status FROM klaviyo_writes") == [("failed",)]


@pytest.mark.parametrize("sql", ["DELETE FROM lists", "UPDATE lists SET name = 'x'", "WITH a AS (SELECT 1) DELETE FROM lists"])
def test_a_statement_without_where_is_refused(host: Host, sql: str) -> None:
    with pytest.raises(apsw.SQLError, match="An UPDATE or DELETE without a WHERE would change every row of lists"):
        rows(host, sql)
    assert sent(host) == []
    assert "WITH" in sql or not list(host.sandbox.requests), "nothing was read for it"
    rows(host, "INSERT INTO lists (name) VALUES ('one')")
    rows(host, "DELETE FROM lists WHERE name = 'one'")
    assert sent(host) == ["create_list", "delete_list"]


@pytest.mark.parametrize("transaction", [False, True])
def test_a_statement_touches_no_more_rows_than_it_may(open_writing: Open, transaction: bool) -> None:
    host = open_writing(max_writes=3)
    if transaction:
        rows(host, "BEGIN")
    with pytest.raises(apsw.SQLError, match="The DELETE of lists would touch more than 3 rows"):
        rows(host, "DELETE FROM lists WHERE true")
    for number in range(3):
        rows(host, "UPDATE lists SET name = ? WHERE id IN (SELECT id FROM lists LIMIT 2)", str(number))
    if transaction:
        rows(host, "COMMIT")
    assert set(sent(host)) == {"update_list"}


def test_conflicts_are_the_workers(host: Host) -> None:
    email = rows(host, "SELECT email FROM profiles WHERE email IS NOT NULL LIMIT 1")[0][0]
    with pytest.raises(apsw.Error):
        rows(host, "INSERT INTO profiles (email, first_name) VALUES (?, 'Ada')", email)
    rows(host, "INSERT OR REPLACE INTO profiles (email, first_name) VALUES (?, 'Ada')", email)
    assert rows(host, "SELECT first_name FROM profiles WHERE email = ?", email) == [("Ada",)]
    rows(host, "INSERT OR IGNORE INTO profiles (email, first_name) VALUES (?, 'Bea')", email)
    assert rows(host, "SELECT first_name FROM profiles WHERE email = ?", email) == [("Ada",)]


def test_tables_of_properties_are_written(host: Host) -> None:
    host.executescript("CREATE VIRTUAL TABLE temp.vip USING klaviyo(profiles, tier TEXT '$.loyalty_tier')")
    identifier = rows(host, "SELECT id FROM vip LIMIT 1")[0][0]
    rows(host, "UPDATE vip SET tier = 'iron' WHERE id = ?", identifier)
    assert rows(host, "SELECT tier FROM vip WHERE id = ?", identifier) == [("iron",)]
    host.executescript("DROP TABLE temp.vip")


def test_what_cannot_be_written_says_so(host: Host) -> None:
    for sql, said in (
        ("INSERT INTO metrics (name) VALUES ('x')", "metrics"),
        ("UPDATE lists SET created = '2026-01-01' WHERE name = 'none'", ""),
        ("INSERT INTO klaviyo_requests (number) VALUES (1)", "may not be modified"),
    ):
        if said:
            with pytest.raises(apsw.Error, match=said):
                rows(host, sql)
    assert sent(host) == []


@pytest.mark.parametrize("sql", ["INSERT INTO lists (name) VALUES ('x')", "UPDATE lists SET name = 'x' WHERE id = 'y'", "DELETE FROM lists WHERE id = 'y'"])
def test_a_connection_that_is_read_only_refuses(open_host: Open, sql: str) -> None:
    host = open_host("writing")
    with pytest.raises(apsw.ReadOnlyError, match=r"lists cannot be written to: the connection is read-only\..*KLAVIYO_SQL_WRITE=1"):
        rows(host, sql)
    assert not list(host.sandbox.requests)


LINKS = [name for name, table in TABLES.items() if len(table.key) > 1 and table.writes is not None]
"""Tables whose rows are told apart by a column of their own where they can be written to."""


@pytest.mark.parametrize("name", LINKS)
def test_every_column_is_read_where_writing_is_allowed(open_host: Open, open_writing: Open, name: str) -> None:
    sql = f"SELECT * FROM {name} LIMIT 20"
    assert rows(open_writing(), sql) == rows(open_host("writing"), sql)


def test_a_host_that_takes_a_connection_to_write_which_does_not(open_host: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = rows(open_host("writing"), "SELECT * FROM list_profiles ORDER BY 1, 2 LIMIT 50")
    monkeypatch.setenv("KLAVIYO_SQL_WRITE", "off")
    host = open_host("writing")
    assert rows(host, "SELECT * FROM list_profiles ORDER BY 1, 2 LIMIT 50") == plain
    assert plain
    host.sandbox.requests.clear()
    for sql in (
        "INSERT INTO list_profiles (list_id, profile_id) VALUES ('x', 'y')",
        "DELETE FROM list_profiles WHERE list_id = 'x'",
        "INSERT INTO lists (name) VALUES ('x')",
    ):
        with pytest.raises(apsw.ReadOnlyError, match="cannot be written to: the connection is read-only"):
            rows(host, sql)
    assert not list(host.sandbox.requests)


def test_a_worker_that_dies_takes_the_transaction_with_it(open_writing: Open, extension: Extension, program: Any) -> None:
    extension.order("writing", write=True, cache_seconds=0)
    host = program("""
        connection = opened()
        rows(connection, "BEGIN")
        rows(connection, "INSERT INTO lists (name) VALUES ('lost')")
        tell(worker=worker(connection))
        asked()
        for sql in ("INSERT INTO lists (name) VALUES ('half')", "INSERT INTO tags (name) VALUES ('half')", "COMMIT"):
            try:
                rows(connection, sql)
                tell(said=None)
            except sqlite3.Error as error:
                tell(said=str(error))
        if connection.in_transaction:
            rows(connection, "ROLLBACK")
        rows(connection, "INSERT INTO lists (name) VALUES ('kept')")
        tell(names=[name for name, in rows(connection, "SELECT name FROM lists WHERE name IN ('lost', 'half', 'kept')")])
    """)
    pid = host.told()["worker"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_running(pid), "the worker ends")
    host.answer()
    for _ in range(3):
        assert "worker process ended" in host.told()["said"]
    assert host.told() == {"names": ["kept"]}
    host.ended()


def test_a_host_that_ends_sends_nothing(open_writing: Open, extension: Extension, program: Any) -> None:
    extension.order("writing", write=True, cache_seconds=0)
    extension.requests.clear()
    host = program("""
        connection = opened()
        rows(connection, "BEGIN")
        rows(connection, "INSERT INTO lists (name) VALUES ('lost')")
        tell(worker=worker(connection))
        asked()
        os._exit(0)
    """)
    pid = host.told()["worker"]
    host.answer()
    host.ended()
    until(lambda: not is_running(pid), "the worker ends")
    assert not list(extension.requests)


def asked(host: Host, sql: str, *values: Any) -> list[str]:
    """The requests of a statement."""
    host.sandbox.requests.clear()
    rows(host, sql, *values)
    return [record.operation for record in host.sandbox.requests]


def test_rows_that_are_named_by_their_key_are_not_read(host: Host) -> None:
    some = [identifier for (identifier,) in rows(host, "SELECT id FROM profiles LIMIT 3")]
    assert asked(host, "UPDATE profiles SET first_name = 'Ada' WHERE id = ?", some[0]) == ["update_profile"]
    assert asked(host, "UPDATE OR ABORT `Profiles` SET first_name = 'B', last_name = upper(?) WHERE profiles.id = ?;", "x", some[0]) == ["update_profile"]
    assert asked(host, "UPDATE profiles SET first_name = 'C' WHERE id IN (?, ?) -- both", *some[:2]) == ["update_profile"] * 2
    assert rows(host, "SELECT first_name FROM profiles WHERE id IN (?, ?)", *some[:2]) == [("C",)] * 2
    lists = [identifier for (identifier,) in rows(host, "SELECT id FROM lists LIMIT 4")]
    assert asked(host, 'DELETE FROM "lists" WHERE id = ?', lists[0]) == ["delete_list"]
    assert asked(host, "DELETE FROM lists WHERE id IN (?, ?)", *lists[1:3]) == ["delete_list"] * 2
    assert not {identifier for (identifier,) in rows(host, "SELECT id FROM lists")} & set(lists[:3])


def test_a_transaction_of_rows_that_are_named_sends_what_it_writes(host: Host) -> None:
    some = [identifier for (identifier,) in rows(host, "SELECT id FROM profiles LIMIT 5")]
    host.sandbox.requests.clear()
    rows(host, "BEGIN")
    for identifier in some:
        rows(host, "UPDATE profiles SET first_name = ? WHERE id = ?", f"to {identifier}", identifier)
    assert not list(host.sandbox.requests)
    rows(host, "COMMIT")
    assert [record.operation for record in host.sandbox.requests] == ["update_profile"] * 5
    assert rows(host, "SELECT count(*) FROM profiles WHERE first_name = 'to ' || id") == [(5,)]


def test_a_row_that_is_named_and_not_there_is_klaviyos_error(host: Host) -> None:
    with pytest.raises(apsw.SQLError, match="profiles has no row '01ABCDEFGHJKMNPQRSTVWXYZ00'"):
        rows(host, "UPDATE profiles SET first_name = 'Ada' WHERE id = '01ABCDEFGHJKMNPQRSTVWXYZ00'")
    assert rows(host, "SELECT status FROM klaviyo_writes") == [("failed",)]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE lists SET name = name || '!' WHERE id = ?1",
        "UPDATE lists SET name = coalesce(\"name\", 'x') || '!' WHERE id = ?1",
        "UPDATE lists SET name = 'x' WHERE id = ?1 AND name <> 'never'",
        "UPDATE lists SET name = 'x' WHERE id = ?1 AND length(lists.name) > 0",
        "UPDATE lists SET name = 'x' WHERE id = (SELECT id FROM lists WHERE id = ?1)",
        "UPDATE lists SET name = mine.x FROM mine WHERE lists.id = ?1",
        "UPDATE lists SET name = 'x' WHERE id IN ones",
        "UPDATE lists SET name = 'x' WHERE id > ?1 AND id < ?1 || 'x' OR id = ?1",
        "UPDATE lists SET (name) = ('x') WHERE id = ?1",
        "WITH w AS (SELECT 1) UPDATE lists SET name = 'x' WHERE id = ?1",
    ],
)
def test_what_a_statement_looks_at_is_read(host: Host, sql: str) -> None:
    identifier = rows(host, "SELECT id FROM lists LIMIT 1")[0][0]
    rows(host, "CREATE TABLE mine AS SELECT 'x' AS x")
    rows(host, "CREATE TABLE ones AS SELECT ? AS x", identifier)
    before = {row[0]: row[1] for row in rows(host, "SELECT id, name FROM lists")}
    requests = asked(host, sql, *(identifier,) if "?1" in sql else ())
    assert requests[-1] == "update_list"
    assert requests[0].startswith("get_")
    changed = {row[0] for row in rows(host, "SELECT id, name FROM lists") if before[row[0]] != row[1]}
    assert changed == {identifier}
    gone = "NoSuch"
    if "?1" in sql:
        assert "update_list" not in asked(host, sql, gone)


def test_beside_another_statement_that_runs_rows_are_read(host: Host) -> None:
    identifier = rows(host, "SELECT id FROM lists LIMIT 1")[0][0]
    other = host.execute("SELECT id FROM profiles")
    next(other)
    assert asked(host, "UPDATE lists SET name = 'x' WHERE id = ?", identifier) == ["get_list", "update_list"]
    other.fetchall()
    assert asked(host, "UPDATE lists SET name = 'y' WHERE id = ?", identifier) == ["update_list"]


def test_a_trigger_of_the_programs_own_reads_what_it_changes(host: Host) -> None:
    identifier = rows(host, "SELECT id FROM lists LIMIT 1")[0][0]
    rows(host, "CREATE TABLE mine (id, name)")
    rows(host, "CREATE TEMP TRIGGER t AFTER UPDATE ON mine BEGIN UPDATE lists SET name = new.name WHERE id = new.id; END")
    rows(host, "INSERT INTO mine VALUES (?, 'a'), ('NoSuch', 'a')", identifier)
    rows(host, "UPDATE mine SET name = 'from a trigger' WHERE true")
    assert rows(host, "SELECT name FROM lists WHERE id = ?", identifier) == [("from a trigger",)]
    assert sent(host) == ["update_list"]


def test_tables_of_other_names_are_not_read_either(host: Host) -> None:
    identifier = rows(host, "SELECT id FROM profiles LIMIT 1")[0][0]
    host.executescript("CREATE VIRTUAL TABLE temp.vip USING klaviyo(profiles, tier TEXT '$.loyalty_tier')")
    assert asked(host, "UPDATE vip SET tier = 'iron' WHERE id = ?", identifier) == ["update_profile"]
    assert rows(host, "SELECT tier FROM vip WHERE id = ?", identifier) == [("iron",)]
    assert asked(host, "UPDATE vip SET tier = tier || '!' WHERE id = ?", identifier)[-1] == "update_profile"
    assert rows(host, "SELECT tier FROM vip WHERE id = ?", identifier) == [("iron!",)]
    host.executescript("DROP TABLE temp.vip")


def test_links_that_are_named_by_both_ids_are_read(host: Host) -> None:
    (link,) = rows(host, "SELECT list_id, profile_id FROM list_profiles LIMIT 1")
    requests = asked(host, "DELETE FROM list_profiles WHERE list_id = ? AND profile_id = ?", *link)
    assert requests[-1] == "remove_profiles_from_list"
    assert rows(host, "SELECT count(*) FROM list_profiles WHERE list_id = ? AND profile_id = ?", *link) == [(0,)]
    assert asked(host, "DELETE FROM list_profiles WHERE list_id = ? AND profile_id = ?", *link)[-1].startswith("get_")
