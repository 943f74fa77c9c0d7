"""What a copy knows and what it cannot know: late events, the future, deletions, clocks, and other layouts."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

import klaviyo_sql
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Fault
from klaviyo_sql.sqlite.explain import explain

from .conftest import NOW, Asked, Shop


def ids(connection: klaviyo_sql.Connection, table: str = "events") -> set[str]:
    return {identifier for (identifier,) in connection.execute(f"SELECT id FROM {table}")}


def test_late_events_are_found_within_the_look_back_and_otherwise_when_all_is_read(shop: Shop) -> None:
    connection = shop.connect("events")
    shop.event(NOW - timedelta(minutes=1))
    ids(connection)
    within = shop.event(NOW - timedelta(minutes=60))
    beyond = shop.event(NOW - timedelta(minutes=62))
    assert within in ids(connection)
    assert beyond not in ids(connection)  # the limit that the documents name
    shop.pass_time(hours=23, minutes=59)
    assert beyond not in ids(connection)
    shop.pass_time(minutes=1)
    assert beyond in ids(connection)


def test_an_event_in_the_future_does_not_hide_those_of_the_present(shop: Shop) -> None:
    connection = shop.connect("events")
    future = shop.event(NOW + timedelta(days=300))
    assert future in ids(connection)
    present = shop.event(NOW + timedelta(minutes=1))
    assert {future, present} <= ids(connection)
    shop.pass_time(hours=2)
    assert shop.event(NOW + timedelta(minutes=90)) in ids(connection)


def test_deleted_rows_go_when_all_is_read(shop: Shop) -> None:
    connection = shop.connect("profiles")
    known = ids(connection, "profiles")
    gone = next(iter(shop.account.profiles))
    del shop.account.profiles[gone]
    shop.account.changed()
    assert gone in ids(connection, "profiles")
    ((done,),) = connection.execute("SELECT refresh('profiles', 'whole')")
    assert json.loads(done) == {"table": "profiles", "whole": True, "read": 129, "changed": 1, "rows": 129}
    assert ids(connection, "profiles") == known - {gone}


def test_members_who_left_are_found_at_the_age_that_was_named(shop: Shop) -> None:
    connection = shop.connect("list_profiles:max_age=1h")
    sql = "SELECT list_id, profile_id FROM list_profiles ORDER BY 1, 2"
    before = connection.execute(sql).fetchall()
    list_id, profile_id = before[0]
    del shop.account.list_members[list_id][profile_id]
    shop.account.changed()
    shop.pass_time(minutes=59)
    assert connection.execute(sql).fetchall() == before
    shop.pass_time(minutes=1)
    assert connection.execute(sql).fetchall() == before[1:]


def test_a_clock_that_goes_back_does_not_leave_the_copy_behind(shop: Shop, asked: Asked) -> None:
    ahead = SimulatedClock(NOW + timedelta(days=700))
    asked(shop.connect("events", clock=ahead), "SELECT count(*) FROM events")
    between = shop.event(NOW - timedelta(days=3))
    connection = shop.connect("events:max_age=1h")
    assert between in ids(connection)
    assert asked(connection, "SELECT count(*) FROM events")[1] == []


def test_what_changes_while_everything_is_read_is_found_by_the_next_delta(shop: Shop) -> None:
    """The newest row's time is no sign that all before it is there when reading took longer than the look-back."""
    connection = shop.connect("profiles:look_back=0", cache_seconds=0)
    sandbox = connection.sandbox
    assert sandbox is not None
    handle, calls = sandbox.handle, 0

    def changing(*arguments, **options):  # type: ignore[no-untyped-def]
        nonlocal calls
        reply = handle(*arguments, **options)
        calls += 1
        if calls == 1:  # the first page has been read: its first profile changes, and later one of the second page does
            first, last = min(shop.account.profiles), max(shop.account.profiles)
            for identifier, minutes in ((first, 1), (last, 30)):
                attributes = shop.account.profiles[identifier]["attributes"]
                attributes |= {"first_name": "Changed", "updated": (NOW + timedelta(minutes=minutes)).isoformat()}
            shop.account.changed()
            shop.pass_time(minutes=40)
        return reply

    sandbox.handle = changing  # type: ignore[method-assign]
    connection.execute("SELECT count(*) FROM profiles").fetchall()
    assert connection.execute("SELECT count(*) FROM profiles WHERE first_name = 'Changed'").fetchone() == (2,)


def test_a_load_that_fails_leaves_nothing_and_a_delta_that_fails_what_was(shop: Shop, asked: Asked) -> None:
    connection = shop.connect("events", cache_seconds=0)
    sandbox = connection.sandbox
    assert sandbox is not None
    sandbox.faults.add(Fault("status", status=403, nth=2))
    with pytest.raises(klaviyo_sql.PermissionDenied):
        ids(connection)
    assert connection.execute("SELECT rows, refreshed_at FROM klaviyo_copies").fetchall() == [(None, None)]
    sandbox.faults.clear()
    known = ids(connection)
    assert known == {event["id"] for event in shop.account.events}
    newest = shop.event(NOW)
    sandbox.faults.add(Fault("status", status=403))
    with pytest.raises(klaviyo_sql.PermissionDenied):
        ids(connection)
    sandbox.faults.clear()
    assert ids(connection) == known | {newest}


def test_the_age_is_visible(shop: Shop) -> None:
    connection = shop.connect("events:max_age=1h", "profiles")
    sql = "SELECT table_name, rows, refreshed_at, age, reread_age, max_age, look_back, reread_after FROM klaviyo_copies"
    assert connection.execute(sql).fetchall() == [
        ("events", None, None, None, None, 3600.0, 3600.0, 86400.0),
        ("profiles", None, None, None, None, 0.0, 600.0, 86400.0),
    ]
    ids(connection)
    shop.pass_time(minutes=3)
    assert connection.execute(sql).fetchall()[0] == ("events", 2500, "2026-11-20 13:00:00", 180.0, 180.0, 3600.0, 3600.0, 86400.0)
    connection.execute("SELECT refresh('events')").fetchall()
    assert connection.execute("SELECT age, reread_age FROM klaviyo_copies").fetchall()[0] == (0.0, 180.0)


def test_refresh_says_what_it_did_and_what_it_cannot_do(shop: Shop) -> None:
    connection = shop.connect("events")
    assert json.loads(connection.execute("SELECT refresh('events')").fetchone()[0])["whole"] is True  # type: ignore[index]
    shop.event(NOW)
    done = json.loads(connection.execute("SELECT refresh('Events')").fetchone()[0])  # type: ignore[index]
    assert (done["whole"], done["changed"], done["rows"]) == (False, 1, 2501)
    for call, said in (
        ("refresh('profiles')", "profiles is not materialized.*KLAVIYO_SQL_MATERIALIZED"),
        ("refresh('nothing')", "There is no table nothing"),
        ("refresh()", "takes the name"),
        ("refresh('events', 'all')", "takes the name"),
        ("refresh(NULL)", "takes the name"),
    ):
        with pytest.raises(klaviyo_sql.Error, match=said):
            connection.execute(f"SELECT {call}").fetchall()


def test_explain_says_that_the_copy_answers_and_what_is_asked_first(shop: Shop) -> None:
    connection = shop.connect("events", "metrics")
    sql = "SELECT metrics.name, count(*) FROM events JOIN metrics ON metrics.id = events.metric_id GROUP BY 1"
    before = explain(connection, sql)
    assert [step.copy for step in before.steps] == ["answered from the local copy (there is none yet), after everything is read"] * 2
    assert connection.requests.written == 0
    connection.execute(sql).fetchall()
    sent = connection.requests.written
    shop.pass_time(seconds=30)
    after = {step.table: step for step in explain(connection, sql).steps}
    assert after["metrics"].requests == ()
    assert after["metrics"].copy == "answered from the local copy (16 rows, 30 s old); nothing is asked within 60 s"
    assert after["events"].copy == "answered from the local copy (2,500 rows, 30 s old), after what is new or changed is read"
    (request,) = after["events"].requests
    connection.execute(sql).fetchall()
    (record,) = [record for record in connection.requests if record.number > sent]
    assert request == f"GET {record.path}?{record.query}"
    twice = explain(connection, "SELECT 1 FROM events AS a JOIN events AS b ON b.id = a.id")
    assert [step.least for step in twice.steps] == [1, 0]
    assert "local copy" in str(twice)


def test_an_ordered_query_with_a_limit_is_answered_by_an_index(shop: Shop) -> None:
    connection = shop.connect("events")
    wanted = sorted((event["attributes"]["datetime"][:19].replace("T", " ") for event in shop.account.events), reverse=True)[:10]
    found = connection.execute("SELECT datetime FROM events ORDER BY datetime DESC LIMIT 10").fetchall()
    assert [value for (value,) in found] == wanted
    assert '"order":[3,true]' in str(connection.execute("EXPLAIN QUERY PLAN SELECT datetime FROM events ORDER BY datetime DESC LIMIT 10").fetchall())


def test_a_load_counts_for_the_statement_that_needs_it(shop: Shop) -> None:
    connection = shop.connect("events", cache_seconds=0, max_requests=2)
    with pytest.raises(klaviyo_sql.OperationalError, match="max_requests"):
        ids(connection)
    assert connection.execute("SELECT rows FROM klaviyo_copies").fetchall() == [(None,)]
    connection.max_requests = 3
    assert len(ids(connection)) == 2500
    connection.max_requests = 1
    assert len(ids(connection)) == 2500
