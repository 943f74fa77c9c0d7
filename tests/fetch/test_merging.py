"""Sorted sequences as one: in order, nothing lost, and no page asked for before it is needed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from klaviyo_sql.fetch.merging import merged, sort_key

Rows = list[tuple[Any, ...]]


def in_pages(rows: Rows, size: int, asked: list[int], name: int) -> Iterator[Rows]:
    for start in range(0, len(rows), size):
        asked.append(name)
        yield rows[start : start + size]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_the_rows_are_those_of_all_in_order(seed: int, descending: bool) -> None:
    chance = random.Random(seed)
    sequences = []
    for name in range(chance.randint(1, 6)):
        values = [chance.choice([None, *range(chance.choice([3, 100]))]) for _ in range(chance.randint(0, 40))]
        sequences.append([(name, value) for value in sorted(values, key=sort_key, reverse=descending)])
    pages = list(merged([(in_pages(rows, chance.randint(1, 9), [], n), 1) for n, rows in enumerate(sequences)], descending=descending))
    assert all(pages)
    found = [row for page in pages for row in page]
    assert [sort_key(value) for _, value in found] == sorted((sort_key(value) for rows in sequences for _, value in rows), reverse=descending)
    assert sorted(found, key=repr) == sorted((row for rows in sequences for row in rows), key=repr)


def test_a_page_is_asked_for_when_the_one_before_is_used_up() -> None:
    asked: list[int] = []
    sequences = [([(1,), (2,), (3,), (4,)], 2), ([(10,), (11,), (12,)], 1), ([], 1)]
    found = merged([(in_pages(rows, size, asked, n), 0) for n, (rows, size) in enumerate(sequences)], descending=False)
    assert next(found) == [(1,), (2,)]
    assert asked == [0, 1]
    assert next(found) == [(3,), (4,)]
    assert asked == [0, 1, 0]
    assert next(found) == [(10,)]
    assert asked == [0, 1, 0]


def test_pages_without_rows_are_passed_over() -> None:
    assert list(merged([(iter([[], [(1,)], [], [(2,)]]), 0), (iter([[]]), 0)], descending=False)) == [[(1,)], [(2,)]]
