"""One declared table on one engine, as a SQLite asks for it, whichever SQLite that is; and the place where a cursor stands in its rows."""

from __future__ import annotations

import functools
import itertools
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from klaviyo_sql import errors
from klaviyo_sql.engine import Engine
from klaviyo_sql.fetch.rows import Row
from klaviyo_sql.model.table import Table
from klaviyo_sql.model.writing import Lookup
from klaviyo_sql.plan.constraints import Constraint, Operator
from klaviyo_sql.plan.scan import Scan
from klaviyo_sql.session import copied_index, index
from klaviyo_sql.session.index import IndexInfo
from klaviyo_sql.session.pending import Pending
from klaviyo_sql.session.session import Known, Session
from klaviyo_sql.session.targets import Target, Targets
from klaviyo_sql.statements.names import quoted
from klaviyo_sql.unread import UnreadRows
from klaviyo_sql.write.changes import Change, Conflict, Kind
from klaviyo_sql.write.checking import check_columns
from klaviyo_sql.write.ways import refused, repeated

ROW_KEY = "row_key"
"""The column that a table with a key of several columns has for writing: SQLite changes rows of a table WITHOUT ROWID by one column only."""


def ddl(table: Table, *, row_key: bool = False) -> str:
    """The table as SQLite declares it, with the column `row_key` as its key or without.

    It is WITHOUT ROWID, keyed by Klaviyo's ids: SQLite merges the branches of an OR by row id, and an API has none.
    """
    columns = []
    for column in table.columns:
        parts = [quoted(column.name), column.type.declared]
        if column.hidden:
            parts.append("HIDDEN")  # SQLite cuts the word out of the type, and loses a collation that follows: times are never hidden
        if column.collation != "BINARY":
            parts.append(f"COLLATE {column.collation}")
        if column.not_null:
            parts.append("NOT NULL")
        columns.append(" ".join(parts))
    key = ", ".join(f'"{name}"' for name in table.key)
    if row_key:
        columns.append(f"{ROW_KEY} TEXT HIDDEN")
        key = ROW_KEY
    return f"CREATE TABLE x({', '.join(columns)}, PRIMARY KEY ({key})) WITHOUT ROWID"


def key_text(key: list[Any]) -> str:
    """The value of the column `row_key`: those of the key, as a JSON array."""
    return msgspec.json.encode(key).decode()


class Served:
    """A table as it is known to a SQLite."""

    def __init__(self, known: Known, session: Session, *, targets: Targets | None = None, row_keys: bool | None = None) -> None:
        """`targets` tell what a statement that writes needs to know; without them SQLite does not tell, and what it asks for is all there is to go by.

        `row_keys`: tables of several keys have the column `row_key` (default: where the session may write).
        """
        self.name = known.name
        self.table = known.table
        self.engine = known.engine
        self.view = known.view
        self.copies = session.copies
        self.statement = session.statement
        self.pending = session.pending
        self.targets = targets
        self._keyed = known.keyed
        self._row_keys = session.pending is not None if row_keys is None else row_keys
        self._sql_name = self.name.rpartition(".")[2]
        self._known: dict[tuple[str, Any], Row] = {}

    @property
    def declaration(self) -> str:
        """The table as SQLite declares it."""
        return ddl(self.table, row_key=self.has_row_key)

    @property
    def has_row_key(self) -> bool:
        """Whether rows are told apart by a column `row_key`, so that they can be written where that is allowed."""
        return self._row_keys and (self._keyed or self.table.writes is not None) and len(self.table.key) > 1

    @property
    def row_key(self) -> int | None:
        """The position of the column `row_key`, if the table has it."""
        return len(self.table.columns) if self.has_row_key else None

    # Reading

    def agree(self, info: IndexInfo) -> bool:
        """Fill in SQLite's index information for one way to scan the table; False when that way is impossible.

        DataError when a time column is compared with a literal that is no time.
        """
        view, target = self.view, self.target()
        if (
            target is not None
            or view is None
            or not copied_index.agree(info, self.table, view, self.engine.tables, self.copies.row_count(view.copy), self.name)
        ):
            reads = self.targets.reads(self._sql_name) if self.targets is not None and self.row_key is not None else None
            needed = self._needed(target)
            is_known = self.targets is not None or self.pending is None
            return index.agree(info, self.table, self.engine.tables, self.name, target=needed, row_key=self.row_key, reads=reads, keyed=not is_known)
        return True

    def pages(self, agreed: str, values: tuple[Any, ...], standing: Standing) -> Iterator[list[Row]]:
        """The rows of a scan as it was agreed on, with the values of this run, in lists that are not empty."""
        agreement = index.read(agreed)
        if agreement.presumed_rows:
            rows = _presumed(agreement, values)
            return iter([rows] if rows else [])
        if agreement.copied and self.view is not None:
            return self.copies.pages(self.view, agreement.columns, agreement.constraints(values), agreement.scan_order)
        scanner = self.statement.scanner(self.engine, self.table, agreed)
        return scanner.pages(agreement.constraints(values), functools.partial(self.statement.waiting, standing))

    # Writing

    def target(self) -> Target | None:
        """What the statement that is being prepared does with the table, when it changes rows of it."""
        return self.targets.of(self._sql_name) if self.targets is not None else None

    def _needed(self, target: Target | None) -> index.Needed | None:
        """What a statement that changes rows needs to know of them: the key, what its expressions read, and what an update must repeat."""
        if target is None:
            return None
        key = [self.table.index(name) for name in self.table.key]
        reads = {position for position, column in enumerate(self.table.columns) if column.name.lower() in target.reads}
        columns = tuple(sorted(reads.union(key, self._repeated(target))))
        return index.Needed(columns, frozenset(key), presumable=target.alone)

    def _repeated(self, target: Target) -> frozenset[int]:
        """The columns that an update repeats, because Klaviyo would put them back to what they were at first."""
        return repeated(self.table, [position for position, column in enumerate(self.table.columns) if column.name.lower() in target.sets])

    def repeated(self) -> frozenset[int]:
        """The columns that the statement has to repeat, if it updates rows of the table."""
        writes, target = self.table.writes, self.target()
        return self._repeated(target) if target is not None and writes is not None and writes.update is not None and writes.update.whole else frozenset()

    def refuse(self) -> None:
        """Refuse, before a row is read, a statement that changes rows and cannot: one without a WHERE, or that sets what cannot be written.

        ProgrammingError, NotSupportedError.
        """
        target = self.target()
        if target is None or self.targets is None:
            return
        check_columns(self.table, [position for position, column in enumerate(self.table.columns) if column.name.lower() in target.sets])
        if self.targets.unbounded:
            raise self.unbounded()

    def unbounded(self) -> errors.ProgrammingError:
        """What a statement without a WHERE is told."""
        return errors.ProgrammingError(
            f"An UPDATE or DELETE without a WHERE would change every row of {self.table.name}. Say which rows; if all are meant, write WHERE "
            "true, and allow as many with max_writes."
        )

    def writable(self) -> Pending:
        """Where changes wait; ReadOnlyError, NotSupportedError, ProgrammingError when none is taken."""
        if self.pending is None:
            raise errors.write_refused(self.table.name)
        if not isinstance(self.engine, Engine):
            raise errors.NotSupportedError(f"{self.name} cannot be written to: write to the table of one account.")
        if self.table.writes is None:
            raise errors.NotSupportedError(refused(self.table, Kind.INSERT))
        self.refuse()
        return self.pending

    def insert(self, values: Mapping[int, Any], conflict: Conflict, rehearsed: dict[tuple[str, Any], None] | None = None) -> None:
        """A new row, by the positions of its columns; while a statement is rehearsed, `rehearsed` takes what would be looked up."""
        self._add(Kind.INSERT, None, self._completed({position: value for position, value in values.items() if value is not None}, rehearsed), conflict)

    def update(self, row: Any, values: Mapping[int, Any], conflict: Conflict) -> None:
        """Changed columns of the row with that key, as SQLite has it."""
        key = self._key(row)
        known = {self.table.index(name): value for name, value in zip(self.table.key, key, strict=True)}
        changed = {
            position: value for position, value in values.items() if position < len(self.table.columns) and not (position in known and known[position] == value)
        }
        if self.targets is not None:
            self._add(Kind.UPDATE, key, changed, conflict, self.repeated())
            return
        # Nobody knew before which columns would have to be repeated: they are read now, as they are.
        again = repeated(self.table, list(changed))
        self._add(Kind.UPDATE, key, changed | self._read_again(known, tuple(sorted(again))), conflict, again)

    def _read_again(self, key: Mapping[int, Any], columns: tuple[int, ...]) -> dict[int, Any]:
        """Columns of the row with that key; none of a row that is gone, which Klaviyo says when it is changed."""
        if not columns:
            return {}
        terms = tuple(Constraint(position, Operator.EQUAL, value) for position, value in key.items())
        row = next(self.engine.scan(Scan(self.table, columns, terms)), None)
        return dict(zip(columns, row, strict=False)) if row is not None else {}

    def delete(self, row: Any, conflict: Conflict) -> None:
        """The row with that key goes."""
        self._add(Kind.DELETE, self._key(row), {}, conflict)

    def _key(self, row: Any) -> tuple[Any, ...]:
        return tuple(msgspec.json.decode(row)) if self.row_key is not None else (row,)

    def _add(self, kind: Kind, key: tuple[Any, ...] | None, values: dict[int, Any], conflict: Conflict, repeated: frozenset[int] = frozenset()) -> None:
        if self.pending is None:
            raise errors.write_refused(self.table.name)
        # Whether the statement can be carried out was looked at when it began: here is only this row.
        account = self.engine.account if isinstance(self.engine, Engine) else None
        self.pending.add(id(self), Change(self.table, kind, key, values, conflict, repeated, account=account))

    def _completed(self, values: dict[int, Any], rehearsed: dict[tuple[str, Any], None] | None) -> dict[int, Any]:
        """The values of a new row with those that it must have, and what is to be looked up."""
        writes, table = self.table.writes, self.table
        if writes is None:
            return values
        for name, value in writes.defaults.items():
            values.setdefault(table.index(name), value)
        if writes.once_by is not None:
            values.setdefault(table.index(writes.once_by), uuid.uuid4().hex)
        for lookup in writes.lookups:
            given = values.pop(table.index(lookup.column), None)
            if given is not None and rehearsed is not None:
                rehearsed[lookup.table, given] = None
                values |= {table.index(to): f"<{told} of {given} in {lookup.table}>" for told, to in lookup.tells}
            elif given is not None:
                found = self._looked_up(lookup, given)
                values |= {table.index(to): value for (_, to), value in zip(lookup.tells, found, strict=True) if value is not None}
        return values

    def _looked_up(self, lookup: Lookup, given: Any) -> Row:
        """What a table tells of an id; DataError when it has no such row."""
        key = (lookup.table, given)
        if key not in self._known:
            known = self.engine.tables[lookup.table]
            columns = tuple(known.index(told) for told, _ in lookup.tells)
            row = next(self.engine.scan(Scan(known, columns, (Constraint(known.index("id"), Operator.EQUAL, given),))), None)
            if row is None:
                raise errors.DataError(f"{self.table.name}.{lookup.column}: there is no {given!r} in {lookup.table}")
            self._known[key] = row[: len(columns)]
        return self._known[key]


class Standing:
    """Where a cursor stands in the rows of its scan: the page at hand, and the row in it.

    A plain class with slots, because a row costs an attribute or two of it and cursor tricks were measured to bring nothing. Of rows that may only be
    counted, `_positions` has no columns but those that are the same in all of them, until another is read.
    """

    __slots__ = ("_all_positions", "_at", "_keys", "_page", "_positions", "_row", "_unread")

    def __init__(self) -> None:
        self._page: list[Row] = []
        self._at = 0
        self._row: Row | None = None
        self._positions: dict[int, int] = {}
        """Where in the row each column is that can be read as it is."""
        self._all_positions: dict[int, int] = {}
        """Where in the row each column is."""
        self._unread: UnreadRows | None = None
        """The rows, as long as they may only be counted."""
        self._keys: tuple[int, ...] = ()
        """Where in the row the key is, of a table with a column `row_key`."""

    def take_up(self, table: Served, agreed: str, pages: Iterator[list[Row]]) -> None:
        """The rows that come have the columns that were agreed on."""
        agreement = index.read(agreed)
        self._positions = self._all_positions = {column: position for position, column in enumerate(agreement.columns)}
        self._unread = pages if isinstance(pages, UnreadRows) else None
        if self._unread is not None:
            self._positions = {column: self._all_positions[column] for column in agreement.fixed or ()}
        if table.row_key is not None:
            self._keys = tuple(self._all_positions[position] for position in map(table.table.index, table.table.key) if position in self._all_positions)

    def reads(self) -> bool:
        """A row is read that might only have been counted; False when that was known, so that what is asked for is not there."""
        if self._unread is None:
            return False
        self._page, self._at = self._unread.reading(self._page, self._at)
        self._row = self._page[self._at]
        self._positions, self._unread = self._all_positions, None
        return True

    @property
    def key(self) -> str:
        """The value of the column `row_key`: those of the key, as a JSON array."""
        return key_text([self._row[position] for position in self._keys])  # type: ignore[index]  # there is a row

    def below(self, value: str) -> list[str]:
        """The texts that stand below the value in its column, in the rest of the page; none when no column of the row has it."""
        row = self._row
        if row is None:
            return []
        for position in self._positions.values():
            if row[position] == value:
                return [text for following in self._page[self._at + 1 :] if isinstance(text := following[position], str)]
        return []


def _presumed(agreement: index.Agreement, values: tuple[Any, ...]) -> list[Row]:
    """The rows that a statement names by their keys, without asking whether they are there: Klaviyo says so when they are changed."""
    given: dict[int, list[Any]] = {}
    for (column, operator, _), value in zip(agreement.terms, values, strict=True):
        found = sorted((one for one in value or () if one is not None), key=str) if operator is Operator.IN else [value] if value is not None else []
        given[column] = [one for one in found if one in given[column]] if column in given else found
    return list(itertools.product(*(given[column] for column in agreement.columns)))
