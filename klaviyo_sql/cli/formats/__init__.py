"""The formats that rows are written in: each is a generator of text, so that no more rows are in memory than its look-ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from klaviyo_sql.cli.formats.comma_separated import comma_separated
from klaviyo_sql.cli.formats.json_text import json_array, json_lines
from klaviyo_sql.cli.formats.markdown import markdown
from klaviyo_sql.cli.formats.text_table import text_table
from klaviyo_sql.cli.terminal import Look

Row = Sequence[Any]
Format = Callable[[Sequence[str], Iterable[Row], Look], Iterator[str]]

FORMATS: dict[str, Format] = {
    "table": text_table,
    "csv": comma_separated,
    "json": json_array,
    "jsonl": json_lines,
    "markdown": markdown,
}
"""Every format by the name that --format takes."""

GAPS = {"table": "\n", "csv": "\r\n", "markdown": "\n"}
"""What stands between two results; in the other formats they follow each other directly."""
