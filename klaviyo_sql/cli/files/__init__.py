"""The files that `klaviyo-sql import` reads: each gives its columns and its rows, again and again, and takes rows that were rejected into a file of its kind."""

from __future__ import annotations

from pathlib import Path

from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.cli.files.comma_separated import CommaSeparated
from klaviyo_sql.cli.files.json_text import JsonArray, JsonLines, begins_with_an_array
from klaviyo_sql.cli.files.parquet import Parquet
from klaviyo_sql.cli.files.record import File

FORMATS = ("csv", "jsonl", "json", "parquet")
_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def opened(path: Path, format_name: str | None, delimiter: str | None) -> File:
    """The file, in the format that is named or that its ending tells; UsageError when it cannot be read or is none."""
    if not path.is_file():
        raise UsageError(f"There is no file {path}." if not path.exists() else f"{path} is no file that can be read twice: import takes a file.")
    found = format_name or _SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise UsageError(f"What {path} is cannot be told from its name: say --format {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
    if delimiter is not None and found != "csv":
        raise UsageError("--delimiter is for CSV files.")
    match found:
        case "csv":
            return CommaSeparated(path, delimiter)
        case "parquet":
            return Parquet(path)
        case "json" if format_name == "json" or begins_with_an_array(path):
            return JsonArray(path)
        case _:
            return JsonLines(path)
