"""Every page once, every row once: whatever the order, the page size and the data."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from klaviyo_sql.contract import operation
from klaviyo_sql.sandbox import Account, Sandbox

from .conftest import Ask, asker, walk

Scan = Callable[[str], list[str]]


def _value(resource: dict[str, Any], field: str) -> Any:
    if field == "id":
        return resource["id"]
    value: Any = resource["attributes"]
    for part in field.split("."):
        value = [element[part] for element in value] if isinstance(value, list) else value[part]
    return max(value, default=None) if isinstance(value, list) else value


def _sorts(name: str) -> list[tuple[str, str | None]]:
    return [(name, None), *((name, sort) for sort in operation(name).sort)]


@pytest.mark.parametrize(("name", "sort"), [*_sorts("get_profiles"), *_sorts("get_lists"), *_sorts("get_segments"), *_sorts("get_events")])
def test_a_scan_gives_everything_once_and_in_order(scan: Scan, account: Account, name: str, sort: str | None) -> None:
    events = {event["id"]: event for event in account.events}
    truth = {"get_profiles": account.profiles, "get_lists": account.lists, "get_segments": account.segments, "get_events": events}[name]
    page = operation(name).page
    assert page is not None
    order = f"&sort={sort}" if sort else ""
    found = scan(f"{operation(name).path}?page[size]={page.max}{order}")
    assert len(found) == len(truth)
    assert set(found) == set(truth)
    if sort is None:
        assert found == scan(operation(name).path)
        return
    field = sort.removeprefix("-")
    values = [_value(truth[identifier], field) for identifier in found]
    if sort.startswith("-"):
        values.reverse()
    present = [value for value in values if value is not None]
    assert present == sorted(present)
    assert values[: len(present)] == present


def test_without_a_sort_events_do_not_come_by_time(scan: Scan, account: Account) -> None:
    found = scan("/api/events?page[size]=1000")
    by_time = [event["id"] for event in account.events]
    assert sum(left == right for left, right in zip(found, by_time, strict=True)) < 50


@pytest.mark.parametrize("size", [1, 7, 100])
def test_members_come_once_with_the_time_they_joined(ask: Ask, account: Account, size: int) -> None:
    list_id = next(list_id for list_id, members in account.list_members.items() if 20 < len(members) < 60)
    for path in (f"/api/lists/{list_id}/profiles", f"/api/lists/{list_id}/relationships/profiles"):
        for sort in ("", "&sort=joined_group_at", "&sort=-joined_group_at"):
            rows = [item for page in walk(ask, f"{path}?page[size]={size}{sort}") for item in page.document["data"]]
            assert sorted(row["id"] for row in rows) == sorted(account.list_members[list_id])
            if "relationships" in path:
                assert all(set(row) == {"type", "id"} for row in rows)
                continue
            joined = {row["id"]: row["attributes"]["joined_group_at"] for row in rows}
            assert joined == account.list_members[list_id]
            if sort:
                assert list(joined.values()) == sorted(joined.values(), reverse="-" in sort)


def test_large_and_empty_groups(scan: Scan, account: Account) -> None:
    sizes = {list_id: len(members) for list_id, members in account.list_members.items()}
    assert max(sizes.values()) > 250
    assert min(sizes.values()) == 0
    for list_id in (max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)):
        assert set(scan(f"/api/lists/{list_id}/profiles?page[size]=100")) == set(account.list_members[list_id])
    for segment_id, members in account.segment_members.items():
        assert set(scan(f"/api/segments/{segment_id}/relationships/profiles?page[size]=100")) == set(members)


def test_a_page_can_be_full_and_the_next_one_empty(ask: Ask, account: Account) -> None:
    list_id, members = next((list_id, members) for list_id, members in account.list_members.items() if 20 < len(members) <= 100)
    pages = list(walk(ask, f"/api/lists/{list_id}/profiles?page[size]={len(members)}"))
    assert [len(page.ids) for page in pages] == [len(members), 0]
    assert pages[-1].document["links"]["next"] is None


def test_lists_do_not_end_with_an_empty_page(ask: Ask, account: Account) -> None:
    half = len(account.lists) // 2
    assert len(account.lists) == 2 * half
    assert [len(page.ids) for page in walk(ask, f"/api/lists?page[size]={half}")] == [half, half]


def test_pages_lead_back_as_well(ask: Ask) -> None:
    for sort in ("created", "-created"):
        pages = list(walk(ask, f"/api/profiles?page[size]=60&sort={sort}&fields[profile]=created"))
        assert pages[0].document["links"]["prev"] is None
        for before, after in itertools.pairwise(pages):
            back = ask(after.document["links"]["prev"])
            assert back.ids == before.ids
            assert ask(back.document["links"]["next"]).ids == after.ids


def test_next_carries_every_parameter_and_the_host(ask: Ask) -> None:
    target = "http://127.0.0.1:5/api/events?page[size]=3&sort=-datetime&fields[event]=datetime&include=metric"
    target += "&filter=greater-than(datetime,2026-01-01T00:00:00%2B00:00)"
    links = ask(target).document["links"]
    common = "http://127.0.0.1:5/api/events?page%5Bsize%5D=3&sort=-datetime&fields%5Bevent%5D=datetime&include=metric"
    common += "&filter=greater-than%28datetime%2C2026-01-01T00%3A00%3A00%2B00%3A00%29"
    assert links["self"] == common
    assert links["next"].startswith(common + "&page%5Bcursor%5D=")
    second = ask(links["next"]).document["links"]
    assert second["next"].startswith(common + "&page%5Bcursor%5D=")
    assert second["next"] != links["next"]


def test_a_new_row_does_not_shift_the_pages(fresh_account: Account) -> None:
    ask = asker(Sandbox(fresh_account, limits=False))
    before = {event["id"] for event in fresh_account.events}
    pages = walk(ask, "/api/events?page[size]=50&sort=-datetime")
    found = next(pages).ids
    newest = fresh_account.events[-1]
    attributes = newest["attributes"] | {"timestamp": newest["attributes"]["timestamp"] + 60}
    fresh_account.add_event(newest | {"id": "7NewEventId", "attributes": attributes})
    found += [identifier for page in pages for identifier in page.ids]
    assert len(found) == len(before)
    assert set(found) == before
