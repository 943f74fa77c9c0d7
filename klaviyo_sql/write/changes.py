"""Rows that are to be written, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from klaviyo_sql.model.table import Table

SECRETS = frozenset({"secret_key"})
"""Attributes that are sent and shown nowhere."""
CONCEALED = "(not shown)"


class Kind(StrEnum):
    """What happens to the row."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class Conflict(StrEnum):
    """What a row that cannot be written means for the others, in SQL's words: it ends the statement, is left out, or what is there is replaced."""

    ABORT = "ABORT"
    IGNORE = "IGNORE"
    REPLACE = "REPLACE"


class Status(StrEnum):
    """How far a row is. UNKNOWN: it was sent, and nobody knows whether it was carried out. ABSENT: what was to be deleted is not there."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DONE = "done"
    ABSENT = "absent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_SENT = "not sent"
    DRY_RUN = "dry run"


@dataclass(slots=True, eq=False)
class Change:
    """One row: `key` are the values of the table's key (None: not known yet), `values` what is to be written, by the position of the column.

    `repeated` are positions of values that nobody set: they were read, and are sent as they are beside what was set.
    `statement` counts the statements of the connection; `procedure` is the one that was called, if one was. What becomes of it is told by `status`, `error`,
    `operation`, `job`, by `key` for a new row, and by Klaviyo's `reply` where it is wanted.
    """

    table: Table
    kind: Kind
    key: tuple[Any, ...] | None
    values: Mapping[int, Any]
    conflict: Conflict = Conflict.ABORT
    repeated: frozenset[int] = frozenset()
    statement: int = 0
    owner: int = 0
    """Which of the connection's tables it was made through: accounts have tables of the same declaration."""
    number: int = 0
    status: Status = Status.WAITING
    operation: str = ""
    job: str | None = None
    error: str | None = None
    account: str | None = field(default=None)
    procedure: str | None = None
    reply: bytes | None = None

    def failed(self, error: str, status: Status = Status.FAILED) -> None:
        """The row could not be written."""
        self.status, self.error = status, error

    @property
    def shown(self) -> dict[str, Any]:
        """What is to be written, by the names of the columns, as it may be shown."""
        columns = self.table.columns
        return {columns[at].name: CONCEALED if (columns[at].body or ("",))[-1] in SECRETS else value for at, value in self.values.items()}

    @property
    def named(self) -> dict[str, Any]:
        """What is to be written, by the names of the columns."""
        return {self.table.columns[position].name: value for position, value in self.values.items()}
