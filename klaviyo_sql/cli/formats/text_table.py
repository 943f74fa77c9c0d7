"""A table for people: numbers to the right, NULL and control characters visible, as wide as the terminal.

The first rows decide the widths, so that a table of any length is written as it comes. NULL is `NULL`, and a text that reads NULL has
quotes around it; a BLOB is as SQL writes it (x'00ff').
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from klaviyo_sql.cli.display import cut, visible, width
from klaviyo_sql.cli.formats.look_ahead import ahead, are_numbers, then_raise
from klaviyo_sql.cli.terminal import Look

_GAP = "  "
_SHORT = 26
"""Texts up to here, such as ids and times, are never cut: a part of them is of no use."""
_NARROWEST = 10
"""When the others had to be cut to fewer columns than this, every row becomes a block of its own."""


def text_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], look: Look) -> Iterator[str]:
    """The lines of the table; where the columns cannot fit, a block for each row, with a line for each column."""
    first, rest, failure = ahead(rows)
    names = [visible(name) for name in columns]
    numbers = [are_numbers(first, position) for position in range(len(names))]
    wanted = [max([width(name), *(width(_text(row[position])) for row in first)]) for position, name in enumerate(names)]
    widths = _fitted(wanted, numbers, look.width)
    if widths is None:
        yield from _blocks(names, first, 0, look)
        then_raise(failure)
        yield from _blocks(names, rest, len(first), look)
        return
    head = [_padded(name, size, right, look) for name, size, right in zip(names, widths, numbers, strict=True)]
    yield _line([look.bold(name) for name in (*head[:-1], head[-1].rstrip())])
    yield _line([look.dim(look.line * size) for size in widths])
    for row in first:
        yield _row(row, widths, numbers, look)
    then_raise(failure)
    for row in rest:
        yield _row(row, widths, numbers, look)


def _fitted(wanted: list[int], numbers: list[bool], available: int | None) -> list[int] | None:
    """The widths in which everything fits, the longest texts cut first; None when there is not enough room."""
    if available is None:
        return wanted
    room = available - len(_GAP) * (len(wanted) - 1)
    if sum(wanted) <= room:
        return wanted
    kept = [number or size <= _SHORT for size, number in zip(wanted, numbers, strict=True)]
    limit = _limit([size for size, keep in zip(wanted, kept, strict=True) if not keep], room - sum(itertools.compress(wanted, kept)))
    return [size if keep else min(size, limit) for size, keep in zip(wanted, kept, strict=True)] if limit >= _NARROWEST else None


def _limit(sizes: list[int], room: int) -> int:
    """The size that all must be cut to, so that together they take the room."""
    limit = 0
    for position, size in enumerate(sorted(sizes)):
        limit = room // (len(sizes) - position)
        if size > limit:
            break
        room -= size
    return limit


def _row(row: Sequence[Any], widths: list[int], numbers: list[bool], look: Look) -> str:
    cells = []
    for value, size, right in zip(row, widths, numbers, strict=True):
        cell = _padded(_text(value), size, right, look, whole=isinstance(value, int | float))
        cells.append(look.dim(cell) if value is None else cell)
    return _line(cells)


def _blocks(names: list[str], rows: Iterable[Sequence[Any]], number: int, look: Look) -> Iterator[str]:
    total = look.width or 0
    name_width = max(map(width, names))
    room = max(total - name_width - len(_GAP), _NARROWEST)
    for count, row in enumerate(rows, number + 1):
        title = f"{look.line * 2} {count} "
        yield look.dim(title + look.line * (total - len(title))) + "\n"
        for name, value in zip(names, row, strict=True):
            text = cut(_text(value), room, look.mark)
            yield f"{look.bold(_padded(name, name_width, False, look))}{_GAP}{look.dim(text) if value is None else text}".rstrip() + "\n"


def _line(cells: list[str]) -> str:
    return _GAP.join(cells).rstrip() + "\n"


def _padded(text: str, size: int, right: bool, look: Look, *, whole: bool = False) -> str:
    """The text at that width. Where nothing is cut, and for numbers, of which a part would be a lie, a longer one sticks out."""
    if look.width is not None and not whole:
        text = cut(text, size, look.mark)
    space = " " * (size - width(text))
    return f"{space}{text}" if right else f"{text}{space}"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}'" if value == "NULL" else visible(value)
    if value is None:
        return "NULL"
    return f"x'{value.hex()}'" if isinstance(value, bytes) else str(value)
