"""How many requests it takes."""

from __future__ import annotations

import klaviyo_sql
from tests.procedures.conftest import account_of, called, written
from tests.writes.conftest import OpenWriting


def _numbers(count: int) -> str:
    return f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count})"


def test_a_thousand_addresses_are_suppressed_in_ten_requests(writing: klaviyo_sql.Connection) -> None:
    rows = writing.execute(f"{_numbers(1000)} SELECT suppress_profiles('p' || n || '@example.org') FROM n").fetchall()
    assert rows == [('{"rows":1000}',)]
    assert written(writing) == ["POST /api/profile-suppression-bulk-create-jobs"] * 10
    profile = account_of(writing).profile_with("email", "p1000@example.org")
    assert profile is not None
    assert [found["reason"] for found in profile["attributes"]["subscriptions"]["email"]["marketing"]["suppression"]] == ["USER_SUPPRESSED"]
    assert writing.execute("SELECT count(*) FROM klaviyo_writes WHERE status = 'done'").fetchone() == (1000,)


def test_a_json_array_takes_as_many_requests(open_writing: OpenWriting) -> None:
    connection = open_writing()
    row = connection.execute(f"{_numbers(250)} SELECT json_group_array('p' || n || '@example.org') FROM n").fetchone()
    rows = connection.execute("CALL suppress_profiles(?)", row or ()).fetchall()
    assert len(written(connection)) == 3
    assert sorted(found[2] for found in rows) == [50, 100, 100]  # one row for each job


def test_five_thousand_members_are_added_in_five_requests(open_writing: OpenWriting) -> None:
    connection = open_writing()
    account = account_of(connection)
    sample = next(iter(account.profiles.values()))
    for number in range(5000):
        identifier = f"01ZZ{number:022d}"
        account.profiles[identifier] = sample | {"id": identifier, "attributes": sample["attributes"] | {"email": f"m{number}@example.org"}}
    account.changed(events=False)
    list_id = next(iter(account.lists))
    before = len(account.list_members[list_id])
    connection.execute("CREATE TABLE t(id)")
    connection.executemany("INSERT INTO t VALUES (?)", [(f"01ZZ{number:022d}",) for number in range(5000)])
    connection.execute("SELECT add_list_profiles(?, id) FROM t", (list_id,)).fetchall()
    assert written(connection) == [f"POST /api/lists/{list_id}/relationships/profiles"] * 5
    assert len(account.list_members[list_id]) == before + 5000


def test_two_thousand_events_in_two_requests_and_people_in_one_job(writing: klaviyo_sql.Connection) -> None:
    event = "json_object('metric_name', 'Visited', 'profile_email', 'v' || n || '@example.org', 'event_id', 'e' || n)"
    writing.execute(f"{_numbers(2000)} SELECT bulk_create_events({event}) FROM n").fetchall()
    assert written(writing) == ["POST /api/event-bulk-create-jobs"] * 2
    writing.execute(f"{_numbers(500)} SELECT bulk_import_profiles(json_object('email', 'i' || n || '@example.org')) FROM n").fetchall()
    assert written(writing)[2:] == ["POST /api/profile-bulk-import-jobs"]


def test_subscriptions_of_two_lists_are_two_requests(writing: klaviyo_sql.Connection) -> None:
    lists = list(account_of(writing).lists)[:2]
    writing.execute(
        f"{_numbers(40)} SELECT subscribe_profiles('s' || n || '@example.org', iif(n % 2, ?, ?), historical_import, consented_at) FROM n, "
        "(SELECT NULL AS historical_import, NULL AS consented_at)",
        lists,
    ).fetchall()
    assert written(writing) == ["POST /api/profile-subscription-bulk-create-jobs"] * 2


def test_three_hundred_people_unsubscribe_in_three_requests_of_a_hundred(writing: klaviyo_sql.Connection) -> None:
    writing.execute(f"{_numbers(300)} SELECT unsubscribe_profiles('s' || n || '@example.org', NULL, NULL, 1) FROM n").fetchall()
    assert written(writing) == ["POST /api/profile-subscription-bulk-delete-jobs"] * 3


def test_records_and_codes_and_tags_in_chunks(writing: klaviyo_sql.Connection) -> None:
    source, coupon = next(iter(account_of(writing).data_sources)), next(iter(account_of(writing).coupons))
    writing.execute(f"{_numbers(501)} SELECT create_data_source_records(?, json_object('id', 'r' || n)) FROM n", (source,)).fetchall()
    assert written(writing) == ["POST /api/data-source-record-bulk-create-jobs"] * 2
    row = called(writing, f"{_numbers(30)} SELECT bulk_create_coupon_codes('CODE-' || n, ?) AS told FROM n", (coupon,))
    assert row == {"told": '{"rows":30}'}
    assert written(writing)[2:] == ["POST /api/coupon-code-bulk-create-jobs"]
