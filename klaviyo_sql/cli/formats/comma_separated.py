"""CSV as RFC 4180 has it: a header, CRLF, quotes where they are needed. NULL is nothing, an empty text is `""`, a BLOB is base64."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from klaviyo_sql.cli.display import harmless
from klaviyo_sql.cli.terminal import Look

_NEEDS_QUOTES = re.compile('[",\r\n]|^ | $|^$')


def comma_separated(columns: Sequence[str], rows: Iterable[Sequence[Any]], look: Look) -> Iterator[str]:
    """The lines of a CSV file; on a terminal, control characters in them are shown as escapes."""
    yield _line(columns, look)
    for values in rows:
        yield _line(values, look)


def _line(values: Sequence[Any], look: Look) -> str:
    line = ",".join(map(_field, values))
    if not line:
        line = '""'  # readers skip empty lines, and a row would be lost
    return f"{harmless(line) if look.terminal else line}\r\n"


def _field(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"' if _NEEDS_QUOTES.search(value) else value
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)
