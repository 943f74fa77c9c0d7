"""JSON: an array of objects, or an object a line. NULL is null, a BLOB base64; columns that hold JSON stay the texts that they are in SQL."""

from __future__ import annotations

import json
import math
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from klaviyo_sql.cli.terminal import Look

# A terminal obeys these, and the encoder leaves them as they are.
_C1 = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def json_array(columns: Sequence[str], rows: Iterable[Sequence[Any]], look: Look) -> Iterator[str]:
    """One array, with one object on each line."""
    separator = "[\n"
    for line in _objects(columns, rows, look):
        yield separator + line
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def json_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]], look: Look) -> Iterator[str]:
    """One object a line."""
    for line in _objects(columns, rows, look):
        yield f"{line}\n"


def unique(names: Sequence[str]) -> list[str]:
    """The names with `_2`, `_3` … after those that were there before, since an object would keep only the last of them."""
    taken = set(names)
    seen: set[str] = set()
    result = []
    for name in names:
        chosen, number = name, 1
        while chosen in seen or (number > 1 and chosen in taken):
            number += 1
            chosen = f"{name}_{number}"
        seen.add(chosen)
        result.append(chosen)
    return result


def _objects(columns: Sequence[str], rows: Iterable[Sequence[Any]], look: Look) -> Iterator[str]:
    keys = [f"{json.dumps(name, ensure_ascii=False)}:" for name in unique(columns)]
    for row in rows:
        line = "{" + ",".join([key + _encoded(value) for key, value in zip(keys, row, strict=True)]) + "}"
        yield _C1.sub(lambda found: f"\\u{ord(found[0]):04x}", line) if look.terminal else line


def _encoded(value: Any) -> str:
    if isinstance(value, float) and math.isinf(value):
        return "9e999" if value > 0 else "-9e999"  # JSON has no infinity; readers make one of a number that is too large
    if isinstance(value, bytes):
        value = b64encode(value).decode()
    return json.dumps(value, ensure_ascii=False)
