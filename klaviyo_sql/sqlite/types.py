"""PEP 249's type objects and constructors."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from datetime import time as clock_time
from decimal import Decimal
from typing import Any
from uuid import UUID

from klaviyo_sql.errors import DataError, ProgrammingError
from klaviyo_sql.model import timestamps


class TypeObject:
    """Equal to the declared types that it stands for, as `description`'s type codes are compared by PEP 249.

    A type code is the declared type of the column, `None` for an expression.
    """

    def __init__(self, name: str, *words: str) -> None:
        self.name = name
        self._words = words

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TypeObject):
            return self.name == other.name
        return isinstance(other, str) and other.upper().startswith(self._words)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return self.name


STRING = TypeObject("STRING", "TEXT", "VARCHAR", "CHAR", "CLOB")
BINARY = TypeObject("BINARY", "BLOB", "BINARY")
NUMBER = TypeObject("NUMBER", "INT", "BIGINT", "SMALLINT", "TINYINT", "REAL", "FLOA", "DOUB", "NUM", "DEC", "BOOL")
DATETIME = TypeObject("DATETIME", "TIMESTAMP", "DATE", "TIME")
ROWID = TypeObject("ROWID", "ROWID")

Date = date
Time = clock_time
Timestamp = datetime
Binary = bytes


def DateFromTicks(ticks: float) -> date:  # noqa: N802 - PEP 249's name
    """The local date at that many seconds since the epoch."""
    return Date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> clock_time:  # noqa: N802
    """The local time of day at that many seconds since the epoch."""
    return Time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime:  # noqa: N802
    """The local date and time at that many seconds since the epoch."""
    return Timestamp(*time.localtime(ticks)[:6])


def bound(value: Any) -> Any:
    """A parameter as SQLite takes it; ProgrammingError for a type that it cannot take, DataError for a number of more than 64 bits.

    Datetimes become UTC texts as time columns have them (those without a zone are taken as UTC), dates and times ISO 8601, Decimal and UUID text.
    """
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise DataError(f"the number {value} has more than 64 bits, which SQLite cannot hold: bind it as text")
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        return timestamps.to_sql(aware, microseconds=bool(aware.microsecond))
    if isinstance(value, date | clock_time):
        return value.isoformat()
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise ProgrammingError(f"a parameter of type {type(value).__name__} cannot be bound: use str, int, float, bytes, date, datetime, Decimal, UUID or None")
