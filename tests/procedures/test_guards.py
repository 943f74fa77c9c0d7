"""What is refused has sent nothing."""

from __future__ import annotations

from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql import errors
from klaviyo_sql.procedures import PROCEDURES
from klaviyo_sql.sqlite.explain import explain
from tests.conftest import Open
from tests.procedures.conftest import account_of, called, written
from tests.writes.conftest import OpenWriting

ACTING = [procedure for procedure in PROCEDURES.values() if not procedure.reads]

REFUSED = [
    ("CALL supress_profiles('a@example.com')", "Did you mean suppress_profiles"),
    ("CALL no_such_thing_at_all()", "no procedure no_such_thing_at_all"),
    ("CALL", "needs the name of a procedure"),
    ("CALL 'text'", "needs the name of a procedure"),
    ("CALL shop_a.suppress_profiles('a@example.com')", "account='shop_a'"),
    ("CALL suppress_profiles", "exactly one of emails, list_id, segment_id, and none was given"),
    ("CALL suppress_profiles 'a@example.com'", "stand in parentheses"),
    ("CALL suppress_profiles('a@example.com'", "do not match|in parentheses"),
    ("CALL suppress_profiles('a@example.com', , 'x')", "missing between commas"),
    ("CALL suppress_profiles(emails => )", "given no value"),
    ("CALL suppress_profiles('a@example.com', list_id => 'L')", "emails and list_id were given"),
    ("CALL suppress_profiles(list_id => 'L', segment_id => 'S')", "list_id and segment_id were given"),
    ("CALL suppress_profiles('a@example.com', emails => 'b@example.com')", "emails is given twice"),
    ("CALL suppress_profiles(emials => 'a@example.com')", "no input emials"),
    ("CALL suppress_profiles(list_id => 'L', 'a@example.com')", "without a name come before"),
    ("CALL suppress_profiles('nobody')", "takes an email address"),
    ("CALL suppress_profiles('[]')", "emails is empty"),
    ("CALL suppress_profiles('[\"a@example.com\"')", "begins like JSON"),
    ('CALL suppress_profiles(\'[{"type": "profile", "attributes": {"mail": "a@example.com"}}]\')', "attributes.mail"),
    ("CALL suppress_profiles(x'00')", "no blob"),
    ("SELECT * FROM suppress_profiles('a', 'b', 'c', 'd')", "too many arguments"),
    ("SELECT suppress_profiles('a@example.com', NULL, NULL, 'd')", "at most 3 values"),
    ("SELECT * FROM tag_lists('T')", "needs list_ids"),
    ("SELECT * FROM suppress_profiles WHERE emails = 'a@example.com' AND emails = 'b@example.com'", "emails is given twice"),
    ("CALL tag_lists('T')", "needs list_ids"),
    ("CALL tag_lists('T', NULL)", "needs list_ids"),
    ("CALL tag_lists('T', 'L', 'M')", "at most 2 values"),
    ("CALL subscribe_profiles('a@example.com')", "without a list Klaviyo does nothing"),
    ("CALL subscribe_profiles('a@example.com', 'L', historical_import => 1)", "needs consented_at"),
    ("CALL subscribe_profiles('a@example.com', 'L', consented_at => '2026-01-01')", "add historical_import"),
    ("CALL subscribe_profiles('a@example.com', 'L', historical_import => 1, consented_at => 'long ago')", "takes a time"),
    ("CALL subscribe_profiles('a@example.com', 'L', 'fax')", "'fax' is none"),
    ("CALL subscribe_profiles('a@example.com', 'L', 'sms')", "sms needs a phone_number"),
    ("CALL subscribe_profiles('[{\"channels\": \"email\"}]', 'L')", "needs an email or a phone_number"),
    ("CALL subscribe_profiles('+1', 'L')", "phone number in E.164"),
    ("CALL unsubscribe_profiles('a@example.com')", "every list, every campaign, every flow"),
    ("CALL unsubscribe_profiles('a@example.com', 'L', everywhere => 1)", "give one of them"),
    ("CALL create_event('Visited')", "at least one of profile_id, email"),
    ("CALL create_event(email => 'a@example.com')", "needs metric_name"),
    ("CALL create_event('Visited', email => 'a@example.com', time => 'soon')", "takes a time"),
    ("CALL create_event('Visited', email => 'a@example.com', properties => '[1]')", "JSON object"),
    ("CALL create_event('Visited', email => 'a@example.com', value => 'much')", "takes a number"),
    ('CALL bulk_create_events(\'[{"metric_name": "Visited", "profile_mail": "a@example.com"}]\')', "Did you mean profile_email"),
    ('CALL bulk_import_profiles(\'[{"emial": "a@example.com"}]\')', "Did you mean email"),
    ("CALL create_or_update_profile(first_name => 'Ada')", "at least one of profile_id, email"),
    ("CALL merge_profiles('A', 'B')", "confirm => 'merge'"),
    ("CALL request_profile_deletion(email => 'a@example.com')", "email => 'a@example.com', confirm => 'delete'"),
    ("CALL request_profile_deletion(email => 'a@example.com', confirm => 'yes')", "Add confirm => 'delete'"),
    ("CALL request_profile_deletion(email => 'a@example.com', profile_id => 'A', confirm => 'delete')", "exactly one"),
    ("SELECT request_profile_deletion(id) FROM (SELECT 'A' AS id)", "Add confirm => 'delete'"),
    ("CALL send_campaign('C')", r"CALL send_campaign\(campaign_id => 'C', confirm => 'send'\)"),
    ("CALL send_conversation_message('C', 'Hello')", "confirm => 'send'"),
    ("CALL cancel_campaign_send('C', 'stop')", "one of cancel, revert"),
    ("CALL render_template()", "needs template_id"),
    ("CALL upload_image('no such file.png')", "cannot be read"),
    ("CALL bulk_create_coupon_codes('A')", "needs its coupon"),
    ('CALL bulk_create_catalog_items(\'[{"external_id": "A"}]\')', "title"),
    ("CALL create_back_in_stock_subscription('V', '[\"FAX\"]', email => 'a@example.com')", "FAX"),
    ("CALL create_data_source_record('S', '[1]')", "JSON object"),
    ("CALL job_status('importing', 'J')", "one of import_profiles"),
]


@pytest.mark.parametrize(("sql", "says"), REFUSED, ids=[sql for sql, _ in REFUSED])
def test_what_makes_no_sense_is_refused_before_anything_is_sent(sql: str, says: str, writing: klaviyo_sql.Connection) -> None:
    with pytest.raises(errors.DatabaseError, match=says):
        writing.execute(sql).fetchall()
    assert len(writing.requests) == 0
    assert len(writing.writer.log) == 0


@pytest.mark.parametrize("procedure", ACTING, ids=lambda procedure: procedure.name)
def test_a_read_only_connection_refuses_before_anything_is_read(procedure: Any, connection: klaviyo_sql.Connection) -> None:
    for name in procedure.names:
        values = ", ".join("id" for _ in procedure.all_inputs)
        for sql in (f"SELECT {name}({values}) FROM profiles", f"SELECT x.status FROM profiles, {name}({values}) AS x", procedure.example):
            with pytest.raises(errors.ReadOnlyError, match=f"{procedure.name}|{name}"):
                connection.execute(sql).fetchall()
    assert len(connection.requests) == 0


def test_what_a_read_only_connection_explained_it_still_refuses(connection: klaviyo_sql.Connection) -> None:
    sql = "SELECT suppress_profiles('a@example.com')"
    explain(connection, sql)
    with pytest.raises(errors.ReadOnlyError):
        connection.execute(sql).fetchall()
    assert len(connection.requests) == 0


def test_a_read_only_connection_asks(open_sandbox: Open) -> None:
    connection = open_sandbox()
    template_id = next(iter(connection.sandbox.account.templates))
    assert called(connection, "CALL render_template(?)", (template_id,))["status"] == "done"


@pytest.mark.parametrize("what", ["SELECT suppress_profiles('a@example.com')", "SELECT * FROM suppress_profiles('a@example.com')"])
def test_no_view_and_no_trigger_acts(what: str, writing: klaviyo_sql.Connection) -> None:
    writing.execute(f"CREATE VIEW v AS {what}")
    writing.execute("CREATE TABLE t(x)")
    with pytest.raises(errors.ProgrammingError, match="unsafe use"):
        writing.execute("SELECT * FROM v").fetchall()
    writing.execute(f"CREATE TRIGGER g AFTER INSERT ON t BEGIN {what}; END")
    with pytest.raises(errors.ProgrammingError, match="unsafe use"):
        writing.execute("INSERT INTO t VALUES (1)")
    assert len(writing.requests) == 0


@pytest.mark.parametrize("procedure", [procedure for procedure in ACTING if "SELECT id" not in procedure.example], ids=lambda procedure: procedure.name)
def test_a_dry_run_shows_the_requests_and_sends_none(procedure: Any, open_writing: OpenWriting, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    connection = open_writing(dry_run=True)
    connection.execute(procedure.example).fetchall()
    assert len(connection.writer.rehearsed) == 1 or procedure.gathers
    assert written(connection) == []


def test_a_dry_run_tells_the_body(open_writing: OpenWriting) -> None:
    connection = open_writing(dry_run=True)
    body = (
        'POST /api/profile-suppression-bulk-create-jobs {"data":{"type":"profile-suppression-bulk-create-job","attributes":{"profiles":{"data":'
        '[{"type":"profile","attributes":{"email":"a@example.com"}}]}}}}'
    )
    assert called(connection, "CALL suppress_profiles('a@example.com')")["request"] == body
    (told,) = connection.execute("SELECT suppress_profiles('a@example.com')").fetchone() or ("",)
    assert body.replace('"', '\\"') in told
    assert len(connection.requests) == 0


def test_explain_shows_what_would_be_sent(connection: klaviyo_sql.Connection) -> None:
    explanation = explain(connection, "CALL tag_lists('T', '[\"A\", \"B\"]')")
    assert explanation.calls == ('POST /api/tags/T/relationships/lists {"data":[{"type":"list","id":"A"},{"type":"list","id":"B"}]}',)
    assert "sends nothing now" in str(explanation)
    gathered = explain(connection, "SELECT suppress_profiles(email) FROM profiles WHERE email = 'a@example.com'")
    assert gathered.calls == ("suppress_profiles: as few requests as the rows that are read fit into",)
    assert gathered.least == 1
    dependent = explain(connection, "CALL clone_campaign((SELECT id FROM campaigns LIMIT 1))")
    assert dependent.calls == ("clone_campaign: a call for each row that is read",)
    assert len(connection.requests) == 0


def test_rows_that_wait_for_commit_come_first(writing: klaviyo_sql.Connection) -> None:
    writing.execute("INSERT INTO profiles(email) VALUES ('new@example.com')")
    for sql in ("CALL suppress_profiles('new@example.com')", "SELECT suppress_profiles('new@example.com')"):
        with pytest.raises(errors.ProgrammingError, match="COMMIT or ROLLBACK first"):
            writing.execute(sql).fetchall()
    assert len(writing.requests) == 0
    writing.commit()
    called(writing, "CALL suppress_profiles('new@example.com')")
    assert written(writing) == ["POST /api/profiles", "POST /api/profile-suppression-bulk-create-jobs"]


def test_what_takes_away_is_counted(open_writing: OpenWriting) -> None:
    connection = open_writing(max_writes=3)
    for sql in (
        "CALL suppress_profiles('a@example.com, b@example.com, c@example.com, d@example.com')",
        "SELECT suppress_profiles(value || '@example.com') FROM json_each('[1, 2, 3, 4]')",
    ):
        with pytest.raises(errors.ProgrammingError, match=r"4 rows.*max_writes=4"):
            connection.execute(sql).fetchall()
    assert len(connection.requests) == 0
    called(connection, "CALL suppress_profiles('a@example.com, b@example.com, c@example.com')")


def test_an_aggregate_whose_statement_fails_half_way_sends_nothing(writing: klaviyo_sql.Connection) -> None:
    """SQLite ends the aggregate then as it ends one that has seen all rows."""
    writing.execute("CREATE TABLE t(email, json)")
    writing.execute("INSERT INTO t VALUES ('a@example.com', '{}'), ('b@example.com', '{'), ('c@example.com', '{}')")
    with pytest.raises(errors.ProgrammingError, match="malformed JSON"):
        writing.execute("SELECT suppress_profiles(email), sum(json_extract(json, '$.a')) FROM t").fetchall()
    writing.execute("SELECT 1").fetchall()
    assert len(writing.requests) == 0
    assert account_of(writing).profile_with("email", "a@example.com") is None


def test_an_aggregate_over_a_table_that_cannot_be_read_to_its_end_sends_nothing(open_writing: OpenWriting) -> None:
    connection = open_writing(max_rows=10)
    with pytest.raises(errors.BudgetExceeded):
        connection.execute("SELECT suppress_profiles(email) FROM profiles").fetchall()
    assert written(connection) == []


def test_a_value_that_cannot_be_taken_keeps_the_whole_aggregate_back(writing: klaviyo_sql.Connection) -> None:
    with pytest.raises(errors.DataError, match="'nobody'"):
        writing.execute('SELECT suppress_profiles(value) FROM json_each(\'["a@example.com", "nobody"]\')').fetchall()
    assert len(writing.requests) == 0
