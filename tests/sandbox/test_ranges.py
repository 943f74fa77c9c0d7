"""Ranges of the field that a collection is sorted by, which are parts of one order: the same rows as the filter alone lets through."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from klaviyo_sql.sandbox import Account, Sandbox

from .conftest import Ask, asker, walk

Scan = Callable[[str], list[str]]
BOUNDS = (
    "greater-than({0},2026-03-01T00:00:00Z)",
    "less-than({0},2026-03-01T12:30:00Z)",
    "greater-than({0},2025-12-01T00:00:00Z),less-than({0},2026-06-01T00:00:00Z)",
    "greater-than({0},2026-06-01T00:00:00Z),less-than({0},2025-12-01T00:00:00Z)",
    "greater-than({0},2040-01-01)",
)


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize(("path", "field"), [("/api/events", "datetime"), ("/api/profiles", "created"), ("/api/profiles", "updated")])
@pytest.mark.parametrize("direction", ["", "-"])
def test_a_range_is_a_part_of_the_order(path: str, field: str, direction: str, bounds: str, scan: Scan) -> None:
    text = quote(bounds.format(field), safe="")
    found = scan(f"{path}?sort={direction}{field}&page[size]=37&filter={text}")
    assert sorted(found) == sorted(scan(f"{path}?filter={text}"))
    every = scan(f"{path}?sort={direction}{field}")
    assert found == [identifier for identifier in every if identifier in set(found)]


@pytest.mark.parametrize("operators", [("greater-or-equal", "less-than"), ("greater-than", "less-or-equal")])
def test_neighbors_share_no_row_and_lose_none(operators: tuple[str, str], scan: Scan, account: Account) -> None:
    middle = account.events_in_order()[len(account.events) // 2]["attributes"]["datetime"].replace("+00:00", "Z")
    parts = [scan(f"/api/events?sort=datetime&filter={quote(f'{operator}(datetime,{middle})', safe='')}") for operator in operators]
    assert sorted(parts[0] + parts[1]) == sorted(event["id"] for event in account.events)


def test_times_that_are_not_written_alike_are_compared_as_times(fresh_account: Account) -> None:
    """Their texts have another order than they have, so a range of them is not a part of it."""
    profiles = list(fresh_account.profiles.values())
    profiles[0]["attributes"]["created"] = "2026-03-01T23:30:00-05:00"
    fresh_account.changed()
    ask = asker(Sandbox(fresh_account, limits=False))

    def found(bound: str) -> set[str]:
        return {identifier for page in walk(ask, f"/api/profiles?sort=created&filter={quote(bound, safe='')}") for identifier in page.ids}

    assert profiles[0]["id"] in found("greater-than(created,2026-03-02T04:00:00Z)")
    assert profiles[0]["id"] not in found("less-than(created,2026-03-02T04:00:00Z)")


def test_what_is_remembered_of_a_reply_is_forgotten_when_the_account_changes(fresh_account: Account) -> None:
    ask: Ask = asker(Sandbox(fresh_account, limits=False))
    target = "/api/events?page[size]=1&sort=-datetime&include=metric&fields[metric]=name"
    first = ask(target).document
    event = fresh_account.event(first["data"][0]["id"])
    assert event is not None
    event["attributes"]["event_properties"] = {"changed": True}
    fresh_account.metrics[event["metric_id"]]["attributes"]["name"] = "Renamed"
    fresh_account.changed()
    second = ask(target).document
    assert second["data"][0]["attributes"]["event_properties"] == {"changed": True}
    assert second["included"][0]["attributes"]["name"] == "Renamed"
    other = ask(f"{target}&fields[event]=timestamp").document
    assert list(other["data"][0]["attributes"]) == ["timestamp"]
