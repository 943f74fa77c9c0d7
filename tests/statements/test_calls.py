"""Calls as the SELECT that SQLite reads."""

from __future__ import annotations

import pytest

from klaviyo_sql.statements.calls import end, is_call, mentions_call, rewritten


@pytest.mark.parametrize(
    ("call", "select"),
    [
        ("CALL tag_lists('T', 'L')", "SELECT * FROM tag_lists('T', 'L')"),
        ("call TagLists ( 'T' , 'L' ) ;", "SELECT * FROM tag_lists('T', 'L')"),
        ("EXEC tag_lists 'T', 'L'", "SELECT * FROM tag_lists('T', 'L')"),
        ("EXECUTE tag_lists @tag_id='T', @ListIds = 'L'", "SELECT * FROM tag_lists('T', 'L')"),
        ("CALL tag_lists(list_ids=>'L', TagId := 'T')", "SELECT * FROM tag_lists('T', 'L')"),
        ("CALL tag_lists(list_ids => ?, tag_id => ?)", "SELECT * FROM tag_lists(?2, ?1)"),
        ("CALL tag_lists(list_ids => ?5, tag_id => ?)", "SELECT * FROM tag_lists(?6, ?5)"),
        ("EXEC tag_lists @list_ids = ?, @tag_id = :tag", "SELECT * FROM tag_lists(:tag, ?1)"),
        ("CALL tag_lists(coalesce(NULL, 'T'), (SELECT a, b FROM c))", "SELECT * FROM tag_lists(coalesce(NULL, 'T'), (SELECT a, b FROM c))"),
        ("CALL suppress_profiles(segment_id => 'S')", "SELECT * FROM suppress_profiles(NULL, NULL, 'S')"),
        ("CALL suppress_profiles('a,b(c)' || \"d\")", "SELECT * FROM suppress_profiles('a,b(c)' || \"d\")"),
        ("CALL \"tag_lists\"('T', 'L') -- so\n", "SELECT * FROM tag_lists('T', 'L')"),
        ("/* one */ CALL tag_lists('T', /* two */ 'L')", "SELECT * FROM tag_lists('T', 'L')"),
        ("EXEC tag_lists ('T'), 'L'", "SELECT * FROM tag_lists(('T'), 'L')"),
        ("CALL tag_lists('T', 'L'); SELECT 1", "SELECT * FROM tag_lists('T', 'L'); SELECT 1"),
        ("CALL suppress_profiles(a = b)", "SELECT * FROM suppress_profiles(a = b)"),
        ("SELECT 'CALL me'", "SELECT 'CALL me'"),
        ("CREATE TABLE call(x)", "CREATE TABLE call(x)"),
    ],
)
def test_what_becomes_of_a_call(call: str, select: str) -> None:
    assert rewritten(call) == select


def test_behind_the_sixteenth_input_values_are_terms() -> None:
    text = rewritten("CALL create_or_update_profile(unset => ?, email => TRUE)")
    assert text == 'SELECT * FROM create_or_update_profile WHERE "given_email" IS +(TRUE) AND "unset_properties" IS +(?1)'


def test_where_a_call_ends() -> None:
    sql = " ; CALL tag_lists('a;b', x -- ;\n); SELECT 1"
    assert is_call(sql)
    assert sql[: end(sql)].endswith(");")
    assert mentions_call("SELECT 1; call x()")
    assert not mentions_call("SELECT call FROM klaviyo_procedures")
