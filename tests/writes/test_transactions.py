"""Changes wait for COMMIT: what SQLite takes back is never sent, and what is sent is sent once."""

from __future__ import annotations

import pytest

import klaviyo_sql
from tests.writes.conftest import OpenWriting, outcomes, sandbox_of, sent, written


def names(connection: klaviyo_sql.Connection) -> set[str]:
    """The names of the account's lists, as they are in the account."""
    return {found["attributes"]["name"] for found in sandbox_of(connection).account.lists.values()}


def test_nothing_is_sent_before_commit(writing: klaviyo_sql.Connection) -> None:
    writing.execute("INSERT INTO lists (name) VALUES ('one')")
    assert sent(writing) == []
    writing.commit()
    assert written(writing) == ["POST /api/lists"]
    assert "one" in names(writing)


def test_a_rollback_sends_nothing(writing: klaviyo_sql.Connection) -> None:
    writing.execute("INSERT INTO lists (name) VALUES ('one')")
    writing.rollback()
    writing.commit()
    assert sent(writing) == []
    assert outcomes(writing) == []


def test_closing_sends_nothing(open_writing: OpenWriting) -> None:
    connection = open_writing()
    connection.execute("INSERT INTO lists (name) VALUES ('one')")
    sandbox = sandbox_of(connection)
    connection.close()
    assert sandbox.requests == []


def test_a_savepoint_can_be_gone_back_to(writing: klaviyo_sql.Connection) -> None:
    writing.executescript("""
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
    assert {"one", "five"} <= names(writing)
    assert not {"two", "three", "four"} & names(writing)
    assert written(writing) == ["POST /api/lists", "POST /api/lists"]


def test_a_table_that_joins_a_transaction_inside_a_savepoint_is_gone_back_on(writing: klaviyo_sql.Connection) -> None:
    writing.executescript("BEGIN; SAVEPOINT a; SAVEPOINT b; INSERT INTO lists (name) VALUES ('one'); ROLLBACK TO a; COMMIT")
    assert sent(writing) == []


def test_a_statement_that_fails_halfway_leaves_nothing_of_itself(writing: klaviyo_sql.Connection) -> None:
    writing.execute("BEGIN")
    writing.execute("INSERT INTO lists (name) VALUES ('before')")
    with pytest.raises(klaviyo_sql.DataError, match=r"lists\.opt_in_process takes one of double_opt_in, single_opt_in, not 'wrong'"):
        writing.execute("INSERT INTO lists (name, opt_in_process) SELECT column1, column2 FROM (VALUES ('good', 'single_opt_in'), ('bad', 'wrong'))")
    writing.execute("INSERT INTO lists (name) VALUES ('after')")
    writing.commit()
    assert {"before", "after"} <= names(writing)
    assert "good" not in names(writing)


def test_without_a_transaction_each_statement_is_sent_when_it_ends(open_writing: OpenWriting) -> None:
    connection = open_writing(autocommit=True)
    connection.execute("INSERT INTO lists (name) VALUES ('one'), ('two')")
    assert written(connection) == ["POST /api/lists"] * 2
    connection.execute("UPDATE lists SET name = 'three' WHERE id = last_insert_id()")
    assert {"one", "three"} <= names(connection)


def test_a_commit_that_fails_takes_ordinary_tables_back_and_says_what_was_written(writing: klaviyo_sql.Connection) -> None:
    writing.execute("CREATE TABLE notes (text)")
    writing.commit()
    writing.execute("INSERT INTO notes VALUES ('x')")
    writing.execute("INSERT INTO lists (name) VALUES ('one')")
    writing.execute("UPDATE lists SET name = 'y' WHERE id = 'nobody'")
    writing.execute("INSERT INTO tags (name) VALUES ('never')")
    with pytest.raises(klaviyo_sql.WriteFailed, match=r"1 of 3 rows were written and stay written.*1 failed, 1 not sent.*lists has no row 'nobody'") as raised:
        writing.commit()
    assert (raised.value.done, raised.value.failed, raised.value.not_sent) == (1, 1, 1)
    assert writing.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    assert not writing.in_transaction
    assert [status for _, _, status in outcomes(writing)] == ["done", "failed", "not sent"]
    assert "one" in names(writing)


def test_the_order_of_what_depends_on_each_other_is_kept(writing: klaviyo_sql.Connection) -> None:
    account = sandbox_of(writing).account
    profile, other = list(account.profiles)[:2]
    known = next(iter(account.lists))
    members = set(account.list_members[known])
    writing.execute("DELETE FROM list_profiles WHERE list_id = ? AND profile_id = ?", (known, profile))
    writing.execute("INSERT INTO list_profiles (list_id, profile_id) VALUES (?, ?)", (known, profile))
    writing.execute("INSERT INTO list_profiles (list_id, profile_id) VALUES (?, ?)", (known, other))
    writing.execute("DELETE FROM list_profiles WHERE list_id = ? AND profile_id = ?", (known, other))
    writing.commit()
    assert set(account.list_members[known]) == (members | {profile}) - {other}
    assert len(written(writing)) == 3, "the two that are added go together"


def test_changes_of_one_row_become_one_request(writing: klaviyo_sql.Connection) -> None:
    profile = next(iter(sandbox_of(writing).account.profiles))
    writing.execute("UPDATE profiles SET first_name = 'A' WHERE id = ?", (profile,))
    writing.execute("UPDATE profiles SET last_name = 'B', first_name = 'C' WHERE id = ?", (profile,))
    writing.commit()
    assert written(writing) == [f"PATCH /api/profiles/{profile}"]
    attributes = sandbox_of(writing).account.profiles[profile]["attributes"]
    assert (attributes["first_name"], attributes["last_name"]) == ("C", "B")
    assert [status for _, _, status in outcomes(writing)] == ["done", "done"]


def test_a_read_only_connection_refuses_and_sends_nothing(open_writing: OpenWriting) -> None:
    connection = open_writing(write=False)
    for sql in (
        "INSERT INTO lists (name) VALUES ('one')",
        "UPDATE lists SET name = 'x' WHERE id = 'y'",
        "DELETE FROM lists WHERE id = 'y'",
        "INSERT INTO list_profiles (list_id, profile_id) VALUES ('a', 'b')",
    ):
        with pytest.raises(klaviyo_sql.ReadOnlyError, match=r"the connection is read-only.*KLAVIYO_SQL_WRITE=1"):
            connection.execute(sql)
    assert sent(connection) == []


def test_what_a_trigger_writes_waits_for_commit_as_well(writing: klaviyo_sql.Connection) -> None:
    writing.execute("CREATE TABLE notes (text)")
    writing.execute("CREATE TEMP TRIGGER copied AFTER INSERT ON notes BEGIN INSERT INTO lists (name) VALUES (new.text); END")
    writing.execute("INSERT INTO notes VALUES ('from a trigger')")
    assert sent(writing) == []
    writing.commit()
    assert "from a trigger" in names(writing)


def test_a_savepoint_of_one_account_leaves_the_changes_of_another(open_writing: OpenWriting) -> None:
    connection = open_writing(accounts={"shop_a": {"api_key": "pk_a"}, "shop_b": {"api_key": "pk_b"}}, account="shop_a")
    connection.executescript("""
        BEGIN;
        INSERT INTO lists (name) VALUES ('kept');
        SAVEPOINT a;
        INSERT INTO shop_b.lists (name) VALUES ('taken back');
        ROLLBACK TO a;
        RELEASE a;
        COMMIT;
    """)
    assert "kept" in names(connection)
    assert connection.execute("SELECT name FROM shop_b.lists WHERE name IN ('kept', 'taken back')").fetchall() == []
    assert written(connection) == ["POST /api/lists"]
