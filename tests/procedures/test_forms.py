"""The ways to call a procedure: they are the same call."""

from __future__ import annotations

from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql import errors
from tests.procedures.conftest import account_of, called, written
from tests.writes.conftest import OpenWriting


def _list_and_profile(connection: klaviyo_sql.Connection) -> tuple[str, str]:
    """A list, and a profile that is not on it."""
    account = account_of(connection)
    for list_id, members in account.list_members.items():
        for profile_id in account.profiles:
            if profile_id not in members:
                return list_id, profile_id
    raise AssertionError


FORMS = [
    ("SELECT status FROM add_list_profiles(?, ?)", False),
    ("SELECT status FROM AddListProfiles(?1, ?2)", False),
    ("SELECT status FROM add_profiles_to_list WHERE list_id = ? AND profile_ids = ?", False),
    ("SELECT add_list_profiles(?, ?)", False),
    ("CALL add_list_profiles(?, ?)", False),
    ("call AddListProfiles ( ? , ? ) ;", False),
    ("CALL ADD_LIST_PROFILES(list_id => ?, profile_ids => ?)", False),
    ("CALL addlistprofiles(PersonId := ?2, ListId := ?1)", False),
    ("CALL skyvia.AddListProfiles(?, PersonId => ?)", False),
    ("EXEC AddListProfiles ?, ?", False),
    ("EXECUTE AddListProfiles(?, ?)", False),
    ("EXECUTE PROCEDURE add_list_profiles ?, ?", False),
    ("EXEC AddListProfiles @ListId = ?, @PersonId = ?", False),
    ("EXEC AddListProfiles ListId = ?, PersonId = ?", False),
    ("-- a comment\nCALL add_list_profiles(/* the list */ ?, ? -- the profile\n)", False),
    ("CALL add_list_profiles(:a, :b)", True),
    ("CALL add_list_profiles(profile_ids => :b, list_id => :a)", True),
]


@pytest.mark.parametrize(("sql", "named"), FORMS, ids=[sql for sql, _ in FORMS])
def test_every_form_makes_the_same_request(sql: str, named: bool, writing: klaviyo_sql.Connection) -> None:
    list_id, profile_id = _list_and_profile(writing)
    given: Any = {"a": list_id, "b": profile_id} if named else (list_id, profile_id)
    assert len(writing.execute(sql, given).fetchall()) == 1
    assert written(writing) == [f"POST /api/lists/{list_id}/relationships/profiles"]
    assert profile_id in account_of(writing).list_members[list_id]


def test_values_without_names_keep_their_places_when_the_inputs_are_named_in_another_order(writing: klaviyo_sql.Connection) -> None:
    list_id, profile_id = _list_and_profile(writing)
    assert called(writing, "CALL add_list_profiles(profile_ids => ?, list_id => ?)", (profile_id, list_id))["status"] == "done"
    assert profile_id in account_of(writing).list_members[list_id]


def test_values_are_expressions(writing: klaviyo_sql.Connection) -> None:
    list_id, profile_id = _list_and_profile(writing)
    called(writing, "CALL add_list_profiles((SELECT ? FROM accounts), json_array(?, upper(?)))", (list_id, profile_id, profile_id.lower()))
    assert profile_id in account_of(writing).list_members[list_id]


@pytest.mark.parametrize("by_name", [False, True])
def test_callproc(by_name: bool, writing: klaviyo_sql.Connection) -> None:
    list_id, profile_id = _list_and_profile(writing)
    cursor = writing.cursor()
    given: Any = {"ListId": list_id, "PersonId": profile_id} if by_name else [list_id, profile_id]
    assert cursor.callproc("AddListProfiles", given) == given
    assert cursor.fetchone() == ("done", None, 1, None, "add_profiles_to_list", None)
    assert profile_id in account_of(writing).list_members[list_id]


def test_callproc_takes_no_other_text_for_a_name(writing: klaviyo_sql.Connection) -> None:
    with pytest.raises(errors.ProgrammingError, match="no name of a procedure"):
        writing.cursor().callproc("tag_lists('a','b'); DROP TABLE x --")
    with pytest.raises(errors.ProgrammingError, match="no name of an input"):
        writing.cursor().callproc("tag_lists", {"tag_id) --": 1})


def test_executemany_calls_once_for_each(writing: klaviyo_sql.Connection) -> None:
    writing.cursor().executemany("CALL create_event('Visited', email => ?)", [("a@example.com",), ("b@example.com",)])
    assert written(writing) == ["POST /api/events"] * 2


def test_a_script_has_calls_and_other_statements(writing: klaviyo_sql.Connection) -> None:
    writing.executescript(
        "CREATE TABLE t(x); CALL create_event('a;b', email => 'a@example.com'); INSERT INTO t VALUES (1);; EXEC suppress_profiles 'c@example.com'"
    )
    assert written(writing) == ["POST /api/events", "POST /api/profile-suppression-bulk-create-jobs"]
    assert account_of(writing).profile_with("email", "c@example.com") is not None
    assert writing.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_several_statements_at_once_are_refused(writing: klaviyo_sql.Connection) -> None:
    with pytest.raises(errors.ProgrammingError, match="one statement"):
        writing.execute("CALL suppress_profiles('a@example.com'); SELECT 1")
    assert written(writing) == []


def test_a_call_in_a_join_is_made_once_for_the_same_values(writing: klaviyo_sql.Connection) -> None:
    template_id = next(iter(account_of(writing).templates))
    before = len(account_of(writing).templates)
    rows = writing.execute("SELECT lists.id, copy.id FROM lists CROSS JOIN clone_template(?) AS copy", (template_id,)).fetchall()
    assert len(rows) > 3
    assert len({row[1] for row in rows}) == 1
    assert len(account_of(writing).templates) == before + 1


def test_a_call_for_each_row_of_a_table(writing: klaviyo_sql.Connection) -> None:
    writing.execute("CREATE TABLE t(name)")
    writing.execute("INSERT INTO t VALUES ('One'), ('Two')")
    template_id = next(iter(account_of(writing).templates))
    rows = writing.execute("SELECT made.name FROM t, clone_template(?, t.name) AS made ORDER BY 1", (template_id,)).fetchall()
    assert rows == [("One",), ("Two",)]
    assert written(writing) == ["POST /api/template-clone"] * 2


def test_a_function_returns_what_there_is_to_know(writing: klaviyo_sql.Connection) -> None:
    template_id = next(iter(account_of(writing).templates))
    (made,) = writing.execute("SELECT clone_template(?, 'Mine')", (template_id,)).fetchone() or ("",)
    assert account_of(writing).templates[made]["attributes"]["name"] == "Mine"
    assert writing.execute("SELECT last_insert_id()").fetchone() == (made,)


def test_an_aggregate_gathers_by_group(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    some = list(account.profiles)[:6]
    lists = list(account.lists)[:2]
    writing.execute("CREATE TABLE t(list_id, profile_id)")
    writing.executemany("INSERT INTO t VALUES (?, ?)", [(lists[number % 2], profile_id) for number, profile_id in enumerate(some)])
    rows = writing.execute("SELECT add_list_profiles(list_id, profile_id) FROM t GROUP BY list_id").fetchall()
    assert rows == [('{"rows":3}',)] * 2
    assert sorted(written(writing)) == sorted(f"POST /api/lists/{list_id}/relationships/profiles" for list_id in lists)


def test_an_aggregate_leaves_nulls_out_and_sends_nothing_for_no_rows(writing: klaviyo_sql.Connection) -> None:
    assert writing.execute("SELECT suppress_profiles(NULL)").fetchall() == [('{"rows":0}',)]
    assert writing.execute("SELECT suppress_profiles(email) FROM (SELECT 'x' AS email) WHERE false").fetchall() == [('{"rows":0}',)]
    assert written(writing) == []


def test_rows_that_a_cursor_fetches_one_by_one_are_sent_group_by_group(writing: klaviyo_sql.Connection) -> None:
    cursor = writing.execute("SELECT suppress_profiles(email) FROM (SELECT 1 AS n, 'a@example.com' AS email UNION ALL SELECT 2, 'b@example.com') GROUP BY n")
    assert cursor.fetchone() is not None
    assert account_of(writing).profile_with("email", "a@example.com") is not None
    cursor.fetchall()
    assert account_of(writing).profile_with("email", "b@example.com") is not None
    assert len(written(writing)) == 2


def test_the_log_tells_of_calls(writing: klaviyo_sql.Connection) -> None:
    called(writing, "CALL suppress_profiles('a@example.com, b@example.com')")
    rows = writing.execute("SELECT kind, table_name, status, json_extract(row, '$.email') FROM klaviyo_writes ORDER BY number").fetchall()
    assert rows == [("CALL", "suppress_profiles", "done", "a@example.com"), ("CALL", "suppress_profiles", "done", "b@example.com")]


def test_what_is_refused_in_part_is_told_by_row(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    item_id = next(iter(account.catalog_items))
    items = f'[{{"id": "{item_id}", "title": "New"}}, {{"id": "$custom:::$default:::none", "title": "None"}}]'
    with pytest.raises(errors.WriteFailed, match="1 of 2 rows"):
        called(writing, "CALL bulk_update_catalog_items(?)", (items,))
    assert account.catalog_items[item_id]["attributes"]["title"] == "New"
    assert writing.execute("SELECT status FROM klaviyo_writes ORDER BY number").fetchall() == [("done",), ("failed",)]


def test_more_than_sixteen_values_and_null_among_them(open_writing: OpenWriting) -> None:
    connection = open_writing(dry_run=True)
    row = called(
        connection,
        "CALL create_or_update_profile(email => 'a@example.com', unset_properties => '[\"tier\"]', zip => NULL, properties => '{\"a\": true}', timezone => ?)",
        ("UTC",),
    )
    assert row["status"] == "dry run"
    assert '"unset":["tier"]' in row["request"]
    assert '"location":{"timezone":"UTC"}' in row["request"]


def test_null_behind_the_sixteenth_value_of_a_table_function_is_refused(writing: klaviyo_sql.Connection) -> None:
    values = ", ".join(["NULL", "'a@example.com'", *["NULL"] * 18])
    with pytest.raises(errors.ProgrammingError, match="CALL create_or_update_profile"):
        writing.execute(f"SELECT * FROM create_or_update_profile({values})").fetchall()
    assert written(writing) == []


def test_the_table_of_procedures(connection: klaviyo_sql.Connection) -> None:
    row = connection.execute(
        "SELECT call, operations, confirm, changes, gathers, json_extract(inputs, '$[0].name'), scopes FROM klaviyo_procedures WHERE name = 'send_campaign'"
    ).fetchone()
    assert row == ("send_campaign(campaign_id, confirm => 'send')", "send_campaign", "send", 1, 0, "campaign_id", "campaigns:write")
    assert len(connection.requests) == 0
