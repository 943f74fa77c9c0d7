"""Parquet, through the extra `import`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.cli.files.record import REASON, Record

_ROWS_AT_ONCE = 10_000


class Parquet:
    """A Parquet file, read some thousands of rows at a time; NULL and NaN say nothing of their column."""

    describes = "Parquet"

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise UsageError('Parquet files need pyarrow: pip install "klaviyo-sql[import]". CSV and JSON need nothing.') from None
        self._arrow = pyarrow
        try:
            self._schema = pyarrow.parquet.read_schema(path)
        except pyarrow.ArrowInvalid:
            raise UsageError(f"{path} is no Parquet file.") from None
        self.columns: list[str] = list(self._schema.names)
        if len(set(self.columns)) < len(self.columns):
            raise UsageError(f"{path} has two columns of one name: give them different names.")

    def __iter__(self) -> Iterator[Record]:
        number = 0
        with self._arrow.parquet.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    number += 1
                    values = {name: value for name, value in row.items() if value is not None and not (isinstance(value, float) and math.isnan(value))}
                    yield Record(number, values, row)

    @contextmanager
    def rejects(self, path: Path) -> Iterator[_Rejects]:
        """A file with the same columns, and the reason in a last one."""
        rejects = _Rejects(self._arrow, path, self._schema)
        try:
            yield rejects
        finally:
            rejects.close()


class _Rejects:
    def __init__(self, arrow: Any, path: Path, schema: Any) -> None:
        self._arrow = arrow
        self._path = path
        names = [name for name in schema.names if name != REASON]
        self._schema = arrow.schema([*(schema.field(name) for name in names), arrow.field(REASON, arrow.string())])
        self._rows: list[dict[str, Any]] = []
        self._writer: Any = None

    def write(self, record: Record, reason: str) -> None:
        self._rows.append({**record.raw, REASON: reason})
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if self._writer is None:
            self._writer = self._arrow.parquet.ParquetWriter(self._path, self._schema)
        self._writer.write_table(self._arrow.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []

    def close(self) -> None:
        if self._rows:
            self._flush()
        if self._writer is not None:
            self._writer.close()
