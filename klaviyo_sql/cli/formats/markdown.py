"""A Markdown table, for GitHub and chats. NULL is an empty cell, a line break `<br>`, a BLOB as SQL writes it (x'00ff')."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from klaviyo_sql.cli.display import visible
from klaviyo_sql.cli.formats.look_ahead import ahead, are_numbers, then_raise
from klaviyo_sql.cli.terminal import Look

# What would end a cell, or become HTML, emphasis or a link.
_SPECIAL = re.compile(r"[\\|`*<\[]|&(?=#?\w+;)")
_LINE_BREAK = re.compile("\r\n|\r|\n")


def markdown(columns: Sequence[str], rows: Iterable[Sequence[Any]], look: Look) -> Iterator[str]:
    """The lines of the table; a column of numbers (judged by the first rows) is aligned right."""
    first, rest, failure = ahead(rows)
    yield _line(columns)
    yield "|" + "|".join(" ---: " if are_numbers(first, position) else " --- " for position in range(len(columns))) + "|\n"
    for row in first:
        yield _line(row)
    then_raise(failure)
    for row in rest:
        yield _line(row)


def _line(values: Sequence[Any]) -> str:
    return "| " + " | ".join(map(_cell, values)) + " |\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if not isinstance(value, str):
        return str(value)
    return "<br>".join(visible(_SPECIAL.sub(r"\\\g<0>", line)) for line in _LINE_BREAK.split(value))
