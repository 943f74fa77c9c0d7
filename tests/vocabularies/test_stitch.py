"""The events of metrics that Stitch knew by their names, whatever ids they have in the account."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from klaviyo_sql import Connection
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account, Sandbox
from klaviyo_sql.sqlite.explain import explain

from .test_vocabularies import NOW, asked, rows

Open = Callable[..., Connection]

METRICS = {
    "bounce": "Bounced Email",
    "click": "Clicked Email",
    "dropped_email": "Dropped Email",
    "mark_as_spam": "Marked Email as Spam",
    "open": "Opened Email",
    "receive": "Received Email",
    "subscribe_list": "Subscribed to List",
    "unsub_list": "Unsubscribed from List",
    "unsubscribe": "Unsubscribed from Email Marketing",
    "update_email_preferences": "Updated Email Preferences",
}
COLUMNS = ["id", "uuid", "datetime", "timestamp", "event_properties", "statistic_id", "event_name", "person", "object"]


@pytest.fixture
def opened_with(account: Account, open_sandbox: Open) -> Callable[..., Connection]:
    """Connections to the account with other names of metrics: `{"Viewed Product": "Dropped Email"}`."""

    def open_one(names: dict[str, str], **given: Any) -> Connection:
        changed = copy.copy(account)
        changed.metrics = copy.deepcopy(account.metrics)
        for metric in changed.metrics.values():
            metric["attributes"]["name"] = names.get(metric["attributes"]["name"], metric["attributes"]["name"])
        changed.changed()
        return open_sandbox(sandbox=Sandbox(changed, clock=SimulatedClock(NOW)), **given)

    return open_one


@pytest.mark.parametrize("name", METRICS)
def test_the_events_of_one_metric(name: str, account: Account, opened_with: Callable[..., Connection]) -> None:
    there = METRICS[name] in {metric["attributes"]["name"] for metric in account.metrics.values()}
    connection = opened_with({} if there else {"Started Checkout": METRICS[name]})
    cursor = connection.execute(f"SELECT * FROM stitch.{name}")
    assert [column[0] for column in cursor.description or ()] == COLUMNS
    found = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in cursor}
    expected = rows(
        connection,
        "SELECT id, uuid, datetime, timestamp, event_properties, metric_id, metric_name, profile_id FROM events WHERE metric_name = ?",
        (METRICS[name],),
    )
    assert len(found) == len(expected) > 0
    profiles = {row[0]: row[1:] for row in rows(connection, "SELECT id, email, properties FROM profiles")}
    for *values, profile_id in expected:
        row = found[values[0]]
        assert [row[column] for column in COLUMNS[:-2]] == values
        assert row["object"] == "event"
        if profile_id is None:
            assert row["person"] is None
            continue
        person = json.loads(row["person"])
        assert (person["id"], person["email"]) == (profile_id, profiles[profile_id][0])
        assert person["properties"] == json.loads(profiles[profile_id][1])


def test_all_metrics_of_a_name_and_of_its_older_one(opened_with: Callable[..., Connection]) -> None:
    connection = opened_with({"Viewed Product": "Opened Email", "Refunded Order": "Unsubscribed"})
    for name, metrics in (("open", ("Opened Email",)), ("unsubscribe", ("Unsubscribed from Email Marketing", "Unsubscribed"))):
        marks = ",".join("?" * len(metrics))
        expected = rows(connection, f"SELECT id FROM events WHERE metric_id IN (SELECT id FROM metrics WHERE name IN ({marks})) ORDER BY id", metrics)
        assert rows(connection, f"SELECT id FROM stitch.{name} ORDER BY id") == expected
        ids = {id_ for (id_,) in rows(connection, f"SELECT DISTINCT statistic_id FROM stitch.{name}")}
        assert len(ids) == {"open": 3, "unsubscribe": 2}[name]


def test_filters_order_and_limit_are_those_of_events(connection: Connection) -> None:
    (metric,) = rows(connection, "SELECT id FROM metrics WHERE name = 'Opened Email'")[0]
    profile, event = rows(connection, "SELECT profile_id, id FROM events WHERE metric_id = ? AND profile_id IS NOT NULL LIMIT 1", (metric,))[0]
    connection.forget()
    for condition, values in (
        ("1", ()),
        ("datetime >= '2026-11-01' AND datetime < '2026-11-10'", ()),
        ("timestamp > 1793000000", ()),
        ("profile_id = ?", (profile,)),
        ("profile_id = ? AND datetime > '2026-01-01'", (profile,)),
        ("datetime > '2026-01-01' ORDER BY datetime DESC LIMIT 5", ()),
    ):
        expected = asked(connection, f"SELECT id, datetime FROM events WHERE metric_id = '{metric}' AND {condition}", values)
        found = asked(connection, f"SELECT id, datetime FROM stitch.open WHERE {condition}", values)
        assert found[0] == ("/api/metrics", "fields[metric]=name")
        assert found[1:] == expected
        pairs = [(table, f"{term} AND {condition}") for table, term in (("events", f"metric_id = '{metric}'"), ("stitch.open", "1"))]
        both = [rows(connection, f"SELECT id, uuid FROM {table} WHERE {where}", values) for table, where in pairs]
        assert both[0] == both[1]
        assert both[0] or "profile_id" in condition
    assert rows(connection, "SELECT id, event_name FROM stitch.open WHERE id = ?", (event,)) == [(event, "Opened Email")]
    assert rows(connection, "SELECT id FROM stitch.click WHERE id = ?", (event,)) == []
    assert rows(connection, "SELECT count(*) FROM stitch.click WHERE id IN (SELECT id FROM stitch.open)") == [(0,)]
    assert rows(connection, "SELECT count(*) FROM stitch.open WHERE statistic_id = ?", (metric,)) == rows(connection, "SELECT count(*) FROM stitch.open")


def test_another_metric_is_never_asked_for(connection: Connection) -> None:
    (other,) = rows(connection, "SELECT id FROM metrics WHERE name = 'Clicked Email'")[0]
    assert [path for path, _ in asked(connection, "SELECT id FROM stitch.open WHERE statistic_id = ?", (other,))] == ["/api/metrics"]
    assert asked(connection, "SELECT id FROM stitch.open WHERE datetime > '2026-01-02' AND datetime < '2026-01-01'") == []


def test_an_account_without_such_a_metric_has_no_rows(connection: Connection) -> None:
    assert asked(connection, "SELECT * FROM stitch.dropped_email") == [("/api/metrics", "fields[metric]=name")]
    assert rows(connection, "SELECT count(*) FROM stitch.dropped_email") == [(0,)]


def test_the_metrics_are_read_once_a_statement(open_sandbox: Open) -> None:
    connection = open_sandbox(cache_seconds=0)
    sql = "SELECT profiles.id FROM profiles JOIN stitch.open ON open.profile_id = profiles.id AND open.datetime > '2026-11-01' LIMIT 20"
    for _ in range(2):
        paths = [path for path, _ in asked(connection, sql)]
        assert paths.count("/api/metrics") == 1
    assert [path for path, _ in asked(connection, "SELECT (SELECT count(*) FROM stitch.open), (SELECT count(*) FROM stitch.click)")].count("/api/metrics") == 1


def test_a_metric_that_is_renamed_is_found_again(opened_with: Callable[..., Connection]) -> None:
    connection = opened_with({}, cache_seconds=0)
    assert connection.sandbox is not None
    before = rows(connection, "SELECT count(*) FROM stitch.unsubscribe")
    metric = next(one for one in connection.sandbox.account.metrics.values() if one["attributes"]["name"].startswith("Unsubscribed from Email"))
    metric["attributes"]["name"] = "Unsubscribed"
    connection.sandbox.account.changed()
    assert rows(connection, "SELECT count(*) FROM stitch.unsubscribe") == before != [(0,)]


def test_lists_and_exclusions(connection: Connection) -> None:
    assert rows(connection, "SELECT id, name, created, updated, list_type, object FROM stitch.lists") == rows(
        connection, "SELECT id, name, created, updated, 'list', 'list' FROM lists"
    )
    assert rows(connection, "SELECT id, person_count FROM stitch.lists LIMIT 2") == rows(connection, "SELECT id, profile_count FROM lists LIMIT 2")
    assert asked(connection, "SELECT * FROM stitch.lists")[0][1].startswith("fields[list]=created,name,updated&")
    assert rows(connection, "SELECT email, reason, timestamp, object FROM stitch.global_exclusions ORDER BY 1, 3") == rows(
        connection, "SELECT email, reason, timestamp, 'exclusion' FROM global_exclusions ORDER BY 1, 3"
    )


def test_explain_shows_that_the_metrics_come_first(connection: Connection) -> None:
    (step,) = explain(connection, "SELECT id FROM stitch.open WHERE datetime > '2026-11-01' ORDER BY datetime LIMIT 5").steps
    assert step.before == step.requests[:1] == ("GET /api/metrics?fields[metric]=name",)
    assert "equals(metric_id,<the id of Opened Email>)" in step.requests[1]
    assert step.ordered
    assert step.least == 2
    twice = explain(connection, "SELECT (SELECT count(*) FROM stitch.open), (SELECT count(*) FROM stitch.click)")
    assert [step.before for step in twice.steps] == [step.before, ()]
    assert connection.sandbox is not None
    assert connection.sandbox.requests == []


def test_every_account_has_its_own_metrics(open_sandbox: Open) -> None:
    connection = open_sandbox()
    connection.execute("CREATE TEMP VIEW opened AS SELECT id, person ->> '$.email' AS email FROM stitch.open")
    assert len(rows(connection, "SELECT * FROM opened")) == len(rows(connection, "SELECT id FROM stitch.open"))
