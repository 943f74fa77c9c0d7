"""The first rows of a result, from which a format that cannot wait for all of them judges the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

LOOK_AHEAD = 100


def ahead(rows: Iterable[Sequence[Any]]) -> tuple[list[Sequence[Any]], Iterator[Sequence[Any]], BaseException | None]:
    """The first rows, those that follow, and what stopped the first from coming, for `then_raise` after they were written."""
    rest = iter(rows)
    first: list[Sequence[Any]] = []
    try:
        for row in islice(rest, LOOK_AHEAD):
            first.append(row)
    except (Exception, KeyboardInterrupt) as error:
        return first, rest, error
    return first, rest, None


def then_raise(failure: BaseException | None) -> None:
    """Raise what stopped the rows, if anything."""
    if failure is not None:
        raise failure


def are_numbers(rows: Sequence[Sequence[Any]], position: int) -> bool:
    """Whether the column holds numbers, and NULL at most."""
    values = [row[position] for row in rows if row[position] is not None]
    return bool(values) and all(isinstance(value, int | float) for value in values)
