"""What is refused is refused before anything is sent, in a sentence that names the way."""

from __future__ import annotations

import pytest

import klaviyo_sql
from tests.writes.conftest import OpenWriting, sandbox_of, sent, written

UNBOUNDED = [
    "UPDATE profiles SET first_name = 'x'",
    "DELETE FROM lists",
    "/* all of them */ DELETE FROM lists",
    "UPDATE lists SET name = (SELECT name FROM lists WHERE id = 'a')",
    "WITH few AS (SELECT 1 WHERE 1) DELETE FROM lists",
    "DELETE FROM list_profiles",
    "DELETE FROM Lists;",
]
REFUSED = [
    ("DELETE FROM profiles WHERE email = 'a@example.com'", "request_profile_deletion"),
    ("UPDATE events SET value = 1 WHERE id = 'x'", "cannot be changed"),
    ("DELETE FROM events WHERE datetime < '2020-01-01'", "as long as their profile"),
    ("UPDATE metrics SET name = 'x' WHERE id = 'y'", "with the first event of its name"),
    ("INSERT INTO daily_metrics (metric_id) VALUES ('x')", "Klaviyo counts events"),
    ("UPDATE list_profiles SET list_id = 'x' WHERE list_id = 'y'", "What is possible: INSERT, DELETE"),
    ("UPDATE profiles SET id = 'x' WHERE first_name = 'Ada'", "is Klaviyo's own to give"),
    ("UPDATE profiles SET created = '2020-01-01' WHERE first_name = 'Ada'", "cannot be changed. What an UPDATE can set: email"),
    ("UPDATE catalog_items SET external_id = 'x' WHERE title = 'y'", "cannot be changed"),
    ("INSERT INTO lists (id, name) VALUES ('x', 'y')", "is Klaviyo's own to give"),
    ("INSERT INTO lists (opt_in_process) VALUES ('single_opt_in')", "needs name"),
    ("INSERT INTO list_profiles (list_id) VALUES ('x')", "needs profile_id"),
    ("INSERT INTO list_profiles (list_id, profile_id, email) VALUES ('x', 'y', 'z')", "and nothing else"),
    ("INSERT INTO profiles (email, phone_number) VALUES ('a@example.com', '555-1234')", "E.164"),
    ("INSERT INTO profiles (email) VALUES ('nobody')", "an email address"),
    ("INSERT INTO profiles (email, properties) VALUES ('a@example.com', 'not json')", "takes JSON"),
    ("INSERT INTO profiles (email, properties) VALUES ('a@example.com', '[1]')", "a JSON object"),
    ("INSERT INTO profiles (email, location_latitude) VALUES ('a@example.com', 'north')", "a number"),
    ("INSERT INTO events (metric_name, profile_email, datetime) VALUES ('m', 'a@example.com', 'yesterday')", "a time"),
    ("INSERT INTO events (profile_email) VALUES ('a@example.com')", "needs metric_name"),
    ("INSERT INTO events (metric_name) VALUES ('m')", "needs profile"),
    ("INSERT INTO profiles (first_name) VALUES ('Ada')", "needs email or phone_number or external_id"),
    ("INSERT OR REPLACE INTO lists (name) VALUES ('x')", "OR REPLACE is not possible"),
]


@pytest.mark.parametrize("sql", UNBOUNDED)
def test_without_a_where_nothing_is_touched(writing: klaviyo_sql.Connection, sql: str) -> None:
    with pytest.raises(klaviyo_sql.ProgrammingError, match=r"without a WHERE would change every row.*WHERE true.*max_writes"):
        writing.execute(sql)
    assert sent(writing) == []


@pytest.mark.parametrize("sql", UNBOUNDED)
def test_the_second_time_as_well(writing: klaviyo_sql.Connection, sql: str) -> None:
    """A statement that SQLite has prepared already tells nothing of what it writes to."""
    for _ in range(3):
        with pytest.raises(klaviyo_sql.ProgrammingError, match="without a WHERE"):
            writing.execute(sql)
    assert sent(writing) == []


def test_in_a_transaction_that_has_begun_to_write_as_well(writing: klaviyo_sql.Connection) -> None:
    writing.execute("INSERT INTO lists (name) VALUES ('one')")
    with pytest.raises(klaviyo_sql.ProgrammingError, match="without a WHERE"):
        writing.execute("DELETE FROM lists")
    assert sent(writing) == []
    writing.commit()
    assert written(writing) == ["POST /api/lists"]


def test_an_ordinary_table_may_be_emptied(writing: klaviyo_sql.Connection) -> None:
    writing.executescript("CREATE TABLE notes (text); INSERT INTO notes VALUES ('x'); DELETE FROM notes")
    assert writing.execute("SELECT count(*) FROM notes").fetchone() == (0,)


@pytest.mark.parametrize(("sql", "said"), REFUSED)
def test_what_cannot_be_is_refused_before_anything_is_sent(writing: klaviyo_sql.Connection, sql: str, said: str) -> None:
    with pytest.raises((klaviyo_sql.DataError, klaviyo_sql.NotSupportedError), match=said):
        writing.execute(sql)
    writing.rollback()
    assert sent(writing) == []


def test_too_many_rows_are_counted_and_none_is_written(open_writing: OpenWriting) -> None:
    connection = open_writing(max_writes=10)
    many = len(sandbox_of(connection).account.profiles)
    connection.execute("INSERT INTO lists (name) VALUES ('stays')")
    with pytest.raises(klaviyo_sql.ProgrammingError, match=f"would touch {many} rows, and one statement may touch 10.*max_writes={many}"):
        connection.execute("UPDATE profiles SET first_name = 'x' WHERE true")
    connection.commit()
    assert written(connection) == ["POST /api/lists"]


def test_too_many_rows_without_a_transaction(open_writing: OpenWriting) -> None:
    connection = open_writing(max_writes=10, autocommit=True)
    with pytest.raises(klaviyo_sql.ProgrammingError, match="may touch 10"):
        connection.execute("UPDATE profiles SET first_name = 'x' WHERE true")
    assert written(connection) == []
    assert not any(found["attributes"]["first_name"] == "x" for found in sandbox_of(connection).account.profiles.values())


def test_any_number_may_be_allowed(open_writing: OpenWriting) -> None:
    connection = open_writing(max_writes=0)
    connection.execute("UPDATE profiles SET first_name = 'x' WHERE true")
    connection.commit()
    assert all(found["attributes"]["first_name"] == "x" for found in sandbox_of(connection).account.profiles.values())


def test_a_dry_run_makes_the_requests_and_sends_none(open_writing: OpenWriting) -> None:
    connection = open_writing(dry_run=True)
    connection.execute("INSERT INTO lists (name) VALUES ('one')")
    connection.execute("UPDATE profiles SET first_name = NULL WHERE id = '01ABC'")
    connection.commit()
    assert sent(connection) == []
    assert [request.readable for request in connection.writer.rehearsed] == [
        'POST /api/lists {"data":{"type":"list","attributes":{"name":"one"}}}',
        'PATCH /api/profiles/01ABC {"data":{"type":"profile","id":"01ABC","attributes":{"first_name":null}}}',
    ]
    assert connection.execute("SELECT DISTINCT status FROM klaviyo_writes").fetchall() == [("dry run",)]


def test_more_requests_than_the_statement_may_send_are_not_begun(open_writing: OpenWriting) -> None:
    connection = open_writing(max_requests=2)
    connection.execute("INSERT INTO lists (name) VALUES ('a'), ('b'), ('c')")
    with pytest.raises(klaviyo_sql.BudgetExceeded, match="needs at least 3 requests"):
        connection.commit()
    assert sent(connection) == []
    assert connection.execute("SELECT DISTINCT status FROM klaviyo_writes").fetchall() == [("not sent",)]
