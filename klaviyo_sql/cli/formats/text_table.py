"""A table for people: numbers to the right, NULL and control characters visible, as wide as the terminal.

The first rows decide the widths, so that a table of any length is written as it comes. NULL is `NULL`, and a text that reads NULL has
quotes around it; a BLOB is as SQL writes it (x'00ff').
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from klaviyo_sql.cli.display import cut, visible, width
from klaviyo_sql.cli.terminal import Look

LOOK_AHEAD = 100
_GAP = "  "
_NARROWEST = 10
"""When texts had to be cut to fewer columns than this, every row becomes a block of its own."""


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
    yield _line([look.bold(_padded(name, size, right, look)) for name, size, right in zip(names, widths, numbers, strict=True)])
    yield _line([look.dim(look.line * size) for size in widths])
    for row in first:
        yield _row(row, widths, numbers, look)
    then_raise(failure)
    for row in rest:
        yield _row(row, widths, numbers, look)


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


def _fitted(wanted: list[int], numbers: list[bool], available: int | None) -> list[int] | None:
    """The widths in which everything fits: numbers whole, the longest texts cut first; None when there is not enough room."""
    if available is None:
        return wanted
    room = available - len(_GAP) * (len(wanted) - 1)
    if sum(wanted) <= room:
        return wanted
    room -= sum(size for size, number in zip(wanted, numbers, strict=True) if number)
    texts = sorted(size for size, number in zip(wanted, numbers, strict=True) if not number)
    limit = 0
    for position, size in enumerate(texts):
        limit = room // (len(texts) - position)
        if size > limit:
            break
        room -= size
    if limit < _NARROWEST:
        return None
    return [size if number else min(size, limit) for size, number in zip(wanted, numbers, strict=True)]


def _row(row: Sequence[Any], widths: list[int], numbers: list[bool], look: Look) -> str:
    cells = []
    for value, size, right in zip(row, widths, numbers, strict=True):
        cell = _padded(_text(value), size, right, look, whole=isinstance(value, int | float))
        cells.append(look.dim(cell) if value is None else cell)
    return _line(cells)


def _blocks(names: list[str], rows: Iterable[Sequence[Any]], number: int, look: Look) -> Iterator[str]:
    total = look.width or 0
    name_width = min(max(map(width, names)), total // 2)
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
