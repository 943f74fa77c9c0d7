"""The slicer as a value: whatever it is told, its slices and the part that the first chain keeps are the whole range, each key once."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from klaviyo_sql import contract
from klaviyo_sql.model.table import Filter, Type
from klaviyo_sql.plan.slices import Slice, Slicer, Slicing

RULE = contract.operation("get_events").filters["datetime"]
keys = st.integers(1_400_000_000, 1_800_000_000)


def slicing(low: int | None, high: int | None, *, descending: bool) -> Slicing:
    return Slicing(3, Type.TIMESTAMP, Filter("datetime", exact=True), RULE, (), 1_000, low, high, descending)


@given(
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.lists(keys, min_size=4, max_size=4, unique=True),
    st.integers(1, 1_000),
    st.integers(1, 20),
    st.integers(1, 6),
    st.lists(st.integers(0, 5_000), max_size=60),
)
def test_slices_cover_the_rest_once(
    descending: bool, with_low: bool, with_high: bool, points: list[int], rows: int, at_once: int, longest: int, found: list[int]
) -> None:
    low, first, last, high = sorted(points)
    if descending:
        first, last = last, first
    s = slicing(low if with_low else None, high if with_high else None, descending=descending)
    slicer = Slicer(s, until=low if descending else high, at_once=at_once, longest=longest)
    kept = slicer.begin(first, last, rows)
    if kept is None:
        return
    parts = [kept]
    answers = iter(found)
    given_out: list[Slice] = []
    for _ in range(10_000):
        part = slicer.next()
        if part is None:
            if slicer.done:
                break
            assert given_out, "a slicer that is not done and waits for nothing would never end"
            heard = given_out.pop(0)
            rows_found = next(answers, 900)
            slicer.hear(rows_found)
            if heard.low is not None and heard.high is not None:
                slicer.learn(rows_found, heard.high - heard.low)
            continue
        given_out.append(part)
        parts.append(part)
        if len(parts) > 3_000:
            break
    else:
        raise AssertionError("the slicer does not come to an end")
    for before, after in itertools.pairwise(parts):
        assert (before.low == after.high) if descending else (before.high == after.low)
    assert all(part.low is None or part.high is None or part.low < part.high for part in parts)
    if slicer.done:
        ends = (parts[-1].low, parts[0].high) if descending else (parts[0].low, parts[-1].high)
        assert ends == (s.low, s.high)
    inside = (kept.low is None or last >= kept.low) and (kept.high is None or last < kept.high)
    assert inside, "the chain keeps the page that it has read"
