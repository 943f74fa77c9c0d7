"""What materialized tables ask of Klaviyo, and when: counted."""

from __future__ import annotations

from datetime import timedelta

import pytest

import klaviyo_sql

from .conftest import NOW, Asked, Shop

DASHBOARD = (
    "SELECT metrics.name, count(*), round(sum(value), 2) FROM events JOIN metrics ON metrics.id = events.metric_id "
    "WHERE datetime >= '2026-11-01' GROUP BY metrics.id ORDER BY 2 DESC, 1"
)


def test_the_second_run_of_a_dashboard_asks_at_most_twice(shop: Shop, asked: Asked) -> None:
    live = shop.connect()
    wanted, _ = asked(live, DASHBOARD)
    connection = shop.connect("events", "metrics", cache_seconds=0)
    first, loading = asked(connection, DASHBOARD)
    again, second = asked(connection, DASHBOARD)
    assert first == again == wanted
    assert len(loading) == 4  # 2,500 events are three pages, the metrics one
    assert [request.partition(" ")[0] for request in second] == ["get_events"]
    # Another process, a minute and a half later: the metrics have to be read again.
    shop.pass_time(seconds=90)
    _, third = asked(shop.connect("events", "metrics", cache_seconds=0), DASHBOARD)
    assert sorted(request.partition(" ")[0] for request in third) == ["get_events", "get_metrics"]


def test_a_delta_asks_from_the_look_back_before_the_newest_event(shop: Shop, asked: Asked) -> None:
    connection = shop.connect("events")
    asked(connection, "SELECT count(*) FROM events")
    newest = shop.event(NOW - timedelta(minutes=7))
    asked(connection, "SELECT count(*) FROM events")
    rows, requests = asked(connection, f"SELECT datetime FROM events WHERE id = '{newest}'")
    assert rows == [("2026-11-20 12:53:00",)]
    assert requests == ["get_events filter=greater-or-equal(datetime,2026-11-20T11:53:00Z)"]


def test_every_statement_asks_even_when_the_page_cache_knows_the_answer(shop: Shop, asked: Asked) -> None:
    connection = shop.connect("events")
    ((before,),), _ = asked(connection, "SELECT count(*) FROM events")
    for number in range(3):
        shop.event(NOW - timedelta(minutes=number))
        ((count,),), requests = asked(connection, "SELECT count(*) FROM events")
        assert count == before + number + 1
        assert len(requests) == 1


def test_a_statement_asks_once_however_often_it_scans(shop: Shop, asked: Asked) -> None:
    connection = shop.connect("events", "profiles")
    asked(connection, "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM profiles)")
    sql = (
        "SELECT count(*) FROM events AS a JOIN profiles ON profiles.id = a.profile_id "
        "WHERE a.datetime > '2026-11-15' AND EXISTS (SELECT 1 FROM events AS b WHERE b.profile_id = a.profile_id AND b.datetime < a.datetime)"
    )
    _, requests = asked(connection, sql)
    assert sorted(request.partition(" ")[0] for request in requests) == ["get_events", "get_profiles"]


def test_within_max_age_nothing_is_asked(shop: Shop, asked: Asked) -> None:
    connection = shop.connect("events:max_age=5m")
    ((before,),), _ = asked(connection, "SELECT count(*) FROM events")
    shop.event(NOW)
    assert asked(connection, "SELECT count(*) FROM events") == ([(before,)], [])
    shop.pass_time(minutes=5)
    ((count,),), requests = asked(connection, "SELECT count(*) FROM events")
    assert (count, len(requests)) == (before + 1, 1)


def test_profiles_come_by_updated(shop: Shop, asked: Asked) -> None:
    connection = shop.connect("profiles")
    asked(connection, "SELECT count(*) FROM profiles")
    identifier = shop.rename(17, "Renamed", NOW - timedelta(seconds=1))
    rows, requests = asked(connection, "SELECT id, updated FROM profiles WHERE first_name = 'Renamed'")
    assert rows == [(identifier, "2026-11-20 12:59:59")]
    assert len(requests) == 1
    assert requests[0].startswith("get_profiles filter=greater-than(updated,")


def test_a_column_that_the_copy_does_not_hold_is_asked_for(shop: Shop, asked: Asked) -> None:
    connection = shop.connect("profiles")
    asked(connection, "SELECT count(*) FROM profiles")
    wanted, _ = asked(shop.connect(), "SELECT id, subscriptions_email_marketing_consent FROM profiles ORDER BY id")
    found, requests = asked(connection, "SELECT id, subscriptions_email_marketing_consent FROM profiles ORDER BY id")
    assert found == wanted
    assert len(requests) == 2  # 130 profiles are two pages
    # With columns=all they are copied as well, and the copy is made anew for it.
    everything = shop.connect("profiles:columns=all")
    asked(everything, "SELECT count(*) FROM profiles")
    found, requests = asked(everything, "SELECT id, subscriptions_email_marketing_consent FROM profiles ORDER BY id")
    assert found == wanted
    assert len(requests) == 1
    # An argument is a question to Klaviyo, never to a copy.
    _, requests = asked(everything, "SELECT id FROM profiles WHERE kx = 'nobody'")
    assert requests == ['get_profiles filter=equals(_kx,"nobody")']
    _, requests = asked(shop.connect("lists"), "SELECT name, profile_count FROM lists WHERE name = 'Newsletter'")
    assert "get_list" in {request.partition(" ")[0] for request in requests}


def test_the_first_load_is_made_once_for_all_connections(shop: Shop, asked: Asked) -> None:
    asked(shop.connect("events"), "SELECT count(*) FROM events")
    _, requests = asked(shop.connect("events"), "SELECT count(*) FROM events")
    assert len(requests) == 1


def test_what_only_compares_contradictions_asks_nothing_twice(shop: Shop, asked: Asked) -> None:
    connection = shop.connect("events")
    rows, _ = asked(connection, "SELECT id FROM events WHERE datetime > '2026-01-02' AND datetime < '2026-01-01'")
    assert rows == []
    with pytest.raises(klaviyo_sql.DataError, match=r"events\.datetime is a time and is compared with 'soon'"):
        connection.execute("SELECT id FROM events WHERE datetime > 'soon'").fetchall()
    with pytest.raises(klaviyo_sql.DataError, match=r"events\.datetime is a time and is compared with 'soon'"):
        connection.execute("SELECT id FROM events WHERE datetime > ?", ("soon",)).fetchall()


def test_pascal_case_names_have_the_same_copy(shop: Shop, asked: Asked) -> None:
    connection = shop.connect("list_profiles:max_age=1h")
    wanted, _ = asked(connection, "SELECT list_id, profile_id FROM list_profiles ORDER BY 1, 2")
    found, requests = asked(connection, "SELECT ListId, ProfileId FROM ListProfiles ORDER BY 1, 2")
    assert found == wanted
    assert requests == []


def test_a_materialized_table_is_still_no_table_to_write_to(shop: Shop) -> None:
    connection = shop.connect("profiles")
    with pytest.raises(klaviyo_sql.ReadOnlyError):
        connection.execute("DELETE FROM profiles")


def test_scripts_and_interleaved_statements_ask_for_themselves(shop: Shop, asked: Asked) -> None:
    connection = shop.connect("events")
    ((before,),), _ = asked(connection, "SELECT count(*) FROM events")
    connection.execute("CREATE TABLE counts(n)")
    shop.event(NOW)
    connection.executescript("INSERT INTO counts SELECT count(*) FROM events; INSERT INTO counts SELECT count(*) FROM events")
    assert connection.execute("SELECT n FROM counts").fetchall() == [(before + 1,), (before + 1,)]
    # A statement that has begun sees one state to its end, while others come and go.
    slow = connection.execute("SELECT id FROM events UNION ALL SELECT id FROM events")
    seen = 1 if slow.fetchone() else 0
    shop.event(NOW)
    assert connection.execute("SELECT count(*) FROM events").fetchone() == (before + 2,)
    assert seen + len(slow.fetchall()) == 2 * (before + 1)
    connection.executemany("INSERT INTO counts SELECT count(*) + ? FROM events", [(0,), (0,)])
    assert connection.execute("SELECT max(n) FROM counts").fetchone() == (before + 2,)
