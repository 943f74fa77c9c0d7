"""Joins: an inner loop looks ahead in the pages of the outer ones, and what was read stays for the statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time

import pytest

from klaviyo_sql import Connection
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Account, Sandbox, generate

TODAY = date(2026, 3, 15)
Open = Callable[..., Connection]


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(11, TODAY, profiles=2500, events=4000)


@pytest.fixture
def connect(account: Account) -> Iterator[Open]:
    """A connection without a page cache: what is not asked twice is remembered by the statement."""
    connections = []

    def one(**given: object) -> Connection:
        sandbox = Sandbox(account, clock=SimulatedClock(datetime.combine(TODAY, time(18), tzinfo=UTC)))
        connections.append(opened(":memory:", sandbox=sandbox, autocommit=True, **({"parallel": 20, "cache_seconds": 0} | given)))
        return connections[-1]

    yield one
    for connection in connections:
        connection.close()


def sent(connection: Connection) -> Counter[str]:
    assert connection.sandbox is not None
    return Counter(record.operation for record in connection.sandbox.requests)


@pytest.mark.parametrize("parallel", [1, 20])
def test_a_thousand_events_with_their_profiles_take_a_request_for_each_hundred_profiles(connect: Open, parallel: int) -> None:
    connection = connect(parallel=parallel)
    sql = "SELECT e.profile_id, p.email FROM (SELECT * FROM events ORDER BY datetime LIMIT 1000) e JOIN profiles p ON p.id = e.profile_id"
    found = {profile for profile, _ in connection.execute(sql)}
    assert len(found) > 500
    assert sent(connection) == {"get_events": 1, "get_profiles": -(-len(found) // 100)}


def test_a_join_with_a_limit_takes_a_request_for_each_table(connect: Open) -> None:
    connection = connect()
    assert len(connection.execute("SELECT p.email FROM events e JOIN profiles p ON p.id = e.profile_id LIMIT 10").fetchall()) == 10
    assert sent(connection) == {"get_events": 1, "get_profiles": 1}


def test_a_correlated_subquery_looks_ahead_as_well(connect: Open) -> None:
    connection = connect()
    rows = connection.execute("SELECT id, (SELECT email FROM profiles p WHERE p.id = e.profile_id) FROM events e WHERE datetime < '2025-04-01'").fetchall()
    assert len(rows) > 300
    assert sent(connection)["get_profile"] == 0
    assert sent(connection)["get_profiles"] <= len(rows) / 100 + sent(connection)["get_events"]


def test_a_condition_that_stays_goes_along(connect: Open) -> None:
    connection = connect()
    sql = "SELECT p.email FROM events e JOIN profiles p ON p.id = e.profile_id AND p.created > '2025-06-01' WHERE e.datetime < '2025-08-01' LIMIT 50"
    assert len(connection.execute(sql).fetchall()) == 50
    assert connection.sandbox is not None
    asked = [record.query["filter"] for record in connection.sandbox.requests if record.operation == "get_profiles"]
    assert asked
    assert all("any(id," in filter_ and "greater-than(created," in filter_ for filter_ in asked)


def test_other_columns_that_many_values_can_be_asked_of(connect: Open) -> None:
    connection = connect()
    members = connection.execute("SELECT count(DISTINCT email) FROM list_profiles").fetchone()
    pages = sent(connection)["get_profiles_for_list"]
    rows = connection.execute("SELECT lp.list_id, p.id FROM list_profiles lp JOIN profiles p ON p.email = lp.email").fetchall()
    assert len(rows) >= members[0] > 300
    assert sent(connection)["get_profiles"] <= pages


@pytest.fixture
def cared(connect: Open) -> Connection:
    """A connection with a table `care` of the email addresses of a thousand profiles, which is not asked for anything yet."""
    known = connect(parallel=1).execute("SELECT email, row_number() OVER (), 'note ' || id FROM profiles WHERE email IS NOT NULL LIMIT 1000").fetchall()
    connection = connect()
    connection.execute("CREATE TABLE care (mail TEXT, n INTEGER, note TEXT)")
    connection.executemany("INSERT INTO care VALUES (?, ?, ?)", known)
    return connection


JOINED = [
    "SELECT care.n, p.id FROM care CROSS JOIN profiles p ON p.email = care.mail",
    "SELECT care.n, (SELECT id FROM profiles p WHERE p.email = care.mail) FROM care",
    "SELECT care.n, p.id FROM (SELECT * FROM care ORDER BY mail DESC) care CROSS JOIN profiles p ON p.email = care.mail",
    "WITH own AS (SELECT mail, n FROM care) SELECT own.n, p.id FROM own LEFT JOIN profiles p ON p.email = own.mail",
    'SELECT care.n, p.id FROM main."care" CROSS JOIN profiles p ON p.email = lower(care."mail")',
]


@pytest.mark.parametrize("sql", JOINED)
def test_a_thousand_rows_of_an_ordinary_table_take_a_request_for_each_hundred(cared: Connection, sql: str) -> None:
    rows = cared.execute(sql).fetchall()
    assert sorted(n for n, _ in rows) == list(range(1, 1001))
    assert None not in {id_ for _, id_ in rows}
    assert sent(cared) == {"get_profiles": 10}


def test_one_row_of_an_ordinary_table_takes_one_request(cared: Connection) -> None:
    assert len(cared.execute(JOINED[0] + " LIMIT 1").fetchall()) == 1
    assert sent(cared) == {"get_profiles": 1}


def test_rows_of_an_ordinary_table_that_are_not_looked_up_cost_no_request(cared: Connection) -> None:
    wanted = cared.execute("SELECT count(*) FROM care WHERE n % 100 = 3").fetchone()[0]
    rows = cared.execute(JOINED[0] + " WHERE care.n % 100 = 3").fetchall()
    assert (len(rows), sent(cared)) == (wanted, {"get_profiles": 10}), "as many as there are rows: what was read ahead was for nothing, and not read further"


def test_an_ordinary_table_that_has_the_text_by_chance_costs_nothing_more(cared: Connection) -> None:
    cared.execute("CREATE TABLE other AS SELECT mail, note AS n FROM care ORDER BY mail")
    rows = cared.execute("SELECT care.n, p.id FROM care CROSS JOIN profiles p ON p.email = care.mail WHERE EXISTS (SELECT 1 FROM other)").fetchall()
    assert len(rows) == 1000
    assert sent(cared)["get_profiles"] <= 20


def test_two_joins_by_two_columns_of_an_ordinary_table(cared: Connection) -> None:
    cared.execute("UPDATE care SET note = substr(note, 6)")  # the id
    sql = "SELECT care.n, p.id, l.email FROM care CROSS JOIN profiles p ON p.email = care.mail LEFT JOIN list_profiles l ON l.profile_id = care.note"
    alone = {id_ for (id_,) in cared.execute("SELECT profile_id FROM list_profiles")}
    assert cared.sandbox is not None
    cared.sandbox.requests.clear()
    rows = cared.execute(sql).fetchall()
    assert {n for n, _, _ in rows} == set(range(1, 1001))
    assert {id_ for _, id_, email in rows if email is not None} <= alone
    assert sent(cared)["get_profiles"] == 10


def test_two_keys_of_an_ordinary_table(cared: Connection) -> None:
    cared.execute("UPDATE care SET note = substr(note, 6)")
    rows = cared.execute("SELECT care.n FROM care CROSS JOIN profiles p ON p.email = care.mail CROSS JOIN profiles q ON q.id = care.note").fetchall()
    assert len(rows) == 1000
    assert sent(cared)["get_profiles"] <= 21, "ten for each of the two"
    assert "get_profile" not in sent(cared)


def test_what_an_ordinary_table_says_is_not_in_the_way_of_writing_it(cared: Connection) -> None:
    cared.execute("UPDATE care SET note = (SELECT id FROM profiles p WHERE p.email = care.mail)")
    assert sent(cared) == {"get_profiles": 10}
    assert cared.execute("SELECT count(*) FROM care JOIN profiles p ON p.id = care.note AND p.email = care.mail").fetchone() == (1000,)
    cared.execute("DROP TABLE care")


def test_a_small_table_is_read_whole_when_several_of_its_rows_are_wanted(connect: Open) -> None:
    connection = connect()
    assert connection.execute("SELECT m.name FROM events e JOIN metrics m ON m.id = e.metric_id WHERE e.datetime < '2025-04-01'").fetchall()
    assert "get_metric" not in sent(connection)
    assert sent(connection)["get_metrics"] == 1


def test_an_inner_loop_without_a_condition_is_read_once(connect: Open) -> None:
    connection = connect()
    one = connect()
    one.execute("SELECT name FROM segments").fetchall()
    connection.execute("SELECT l.name, s.name FROM lists l CROSS JOIN segments s").fetchall()
    assert sent(connection)["get_segments"] == sent(one)["get_segments"]


def test_the_next_statement_asks_again(connect: Open) -> None:
    connection = connect()
    for times in (1, 2):
        connection.execute("SELECT p.email FROM events e JOIN profiles p ON p.id = e.profile_id LIMIT 10").fetchall()
        assert sent(connection) == {"get_events": times, "get_profiles": times}


def test_statements_that_run_at_the_same_time_keep_apart(connect: Open) -> None:
    connection = connect()
    sql = "SELECT e.id, p.email FROM events e JOIN profiles p ON p.id = e.profile_id WHERE e.datetime < '2025-04-01'"
    alone = connection.execute(sql).fetchall()
    left, right = connection.execute(sql), connection.execute(sql)
    both = [(left.fetchone(), right.fetchone()) for _ in alone]
    assert [row for row, _ in both] == [row for _, row in both] == alone


def test_a_value_of_another_case_is_another_value(connect: Open) -> None:
    connection = connect()
    assert connection.execute("SELECT p.id FROM list_profiles lp JOIN profiles p ON p.email = upper(lp.email)").fetchall() == []


def test_the_first_pages_of_an_ordered_union_are_asked_for_side_by_side(connect: Open) -> None:
    # With a window of one, each chain is asked when its turn comes; no chain is asked for more than its rows need.
    ids = [row[0] for row in connect().execute("SELECT id FROM metrics LIMIT 5")]
    sql = f"SELECT id, datetime FROM events WHERE metric_id IN ({','.join('?' * 5)}) ORDER BY datetime DESC LIMIT 20"
    answers = []
    for parallel in (1, 20):
        connection = connect(parallel=parallel)
        answers.append(connection.execute(sql, ids).fetchall())
        assert sent(connection) == {"get_events": 5}
    assert answers[0] == answers[1]
    assert answers[0] == sorted(answers[0], key=lambda row: row[1], reverse=True)


@pytest.mark.parametrize("join", ["JOIN", "LEFT JOIN"])
def test_campaigns_with_what_is_inside_them(connection: Connection, join: str) -> None:
    inside = {"campaign_messages": "m.id", "campaign_tags": "t.tag_id", "campaign_audiences": "a.audience_id"}
    joined = " ".join(f"{join} {table} {column[0]} ON {column[0]}.campaign_id = c.id" for table, column in inside.items())
    found = connection.execute(f"SELECT c.id, {', '.join(inside.values())} FROM campaigns c {joined}").fetchall()
    # The page of one campaign list after the other: a batch of keys for the first of them, which is six lists, and then all that is left in one pass.
    counts = Counter(record.table for record in connection.requests)
    assert set(counts) == {"campaigns", *inside}
    assert all(count <= 6 + 7 for count in counts.values())
    parts = connection.execute(
        "SELECT c.id, m.value ->> '$.id', t.value ->> '$.id', a.value FROM campaigns c, json_each(c.messages) m, json_each(c.tags) t, "
        "(SELECT campaign_id AS id, audience_id AS value FROM campaign_audiences) a WHERE a.id = c.id"
    ).fetchall()
    assert Counter(parts) == Counter(row for row in found if None not in row)


def test_all_of_campaigns_in_one_pass(connection: Connection) -> None:
    assert connection.sandbox is not None
    campaigns = len(connection.execute("SELECT id, messages, tags, audiences_included, audiences_excluded FROM campaigns").fetchall())
    assert campaigns > 100
    assert len(list(connection.requests)) == 7 <= 6 * -(-campaigns // 100)


def test_what_only_one_owner_at_a_time_tells_is_not_read_ahead(connection: Connection) -> None:
    for sql in (
        "SELECT profiles.id, list_id FROM profiles LEFT JOIN profile_lists ON profile_id = profiles.id LIMIT 3",
        "SELECT c.id, m.template_id FROM campaigns c LEFT JOIN campaign_messages m ON m.campaign_id = c.id LIMIT 3",
    ):
        before = len(list(connection.requests))
        assert len(connection.execute(sql).fetchall()) == 3
        assert len(list(connection.requests)) - before <= 4, sql
