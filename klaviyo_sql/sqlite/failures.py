"""SQLite's errors as PEP 249's, with what a person can do about them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable

import apsw

from klaviyo_sql import errors
from klaviyo_sql.model.table import Table
from klaviyo_sql.vocabularies import VOCABULARIES

_CLASSES: tuple[tuple[type[Exception], type[errors.Error]], ...] = (
    (apsw.BindingsError, errors.ProgrammingError),
    (apsw.CursorClosedError, errors.InterfaceError),
    (apsw.ConnectionClosedError, errors.InterfaceError),
    (apsw.ThreadingViolationError, errors.InterfaceError),
    (apsw.InterruptError, errors.Interrupted),
    (apsw.ConstraintError, errors.IntegrityError),
    (apsw.MismatchError, errors.DataError),
    (apsw.TooBigError, errors.DataError),
    (apsw.RangeError, errors.ProgrammingError),
    (apsw.MisuseError, errors.InterfaceError),
    (apsw.InternalError, errors.InternalError),
    (apsw.CorruptError, errors.DatabaseError),
    (apsw.SQLError, errors.ProgrammingError),
    (apsw.ReadOnlyError, errors.OperationalError),
    (apsw.Error, errors.OperationalError),
)

_NO_TABLE = re.compile(r"no such table: (?:main\.|temp\.)?(\S+)")
_NO_COLUMN = re.compile(r"no such column: (?:(\w+)\.)?(\w+)")
_BINDINGS = re.compile(r"statement uses (\d+) and there are (?:only )?(\d+)|Statement has (\d+) bindings but you didn't supply any")
_NOT_MODIFIED = re.compile(r"table (\S+) may not be modified")
_MESSAGE_OF_CLASS = re.compile(r"^\w+Error: ")


def translated(error: Exception, declared: Callable[[], Iterable[tuple[str, Iterable[Table]]]], *, write: bool = False) -> errors.Error:
    """The PEP 249 exception for one of apsw's; unknown tables and columns come with the nearest names.

    `declared` gives the schemas, each with its tables.
    """
    text = _MESSAGE_OF_CLASS.sub("", str(error)) or type(error).__name__
    class_ = next((ours for theirs, ours in _CLASSES if isinstance(error, theirs)), errors.DatabaseError)
    if found := _NO_TABLE.search(text):
        text = no_table(found[1], declared())
    elif found := _NO_COLUMN.search(text):
        names = _column_names(table for _, tables in declared() for table in tables)
        text = f"There is no column {found[0].partition(': ')[2]}.{_nearest(found[2], names)} The table klaviyo_columns lists them all."
    elif found := _NOT_MODIFIED.search(text):
        return errors.NotSupportedError(f"{found[1]} cannot be written to.") if write else errors.write_refused(found[1])
    elif found := _BINDINGS.search(text):
        text = f"The statement has {found[1] or found[3]} parameters and {found[2] or 0} values were given."
    elif class_ is errors.Interrupted:
        text = "The statement was interrupted."
    elif isinstance(error, apsw.ThreadingViolationError):
        text = "The connection is busy in another thread: open a connection for each thread."
    elif isinstance(error, apsw.CursorClosedError | apsw.ConnectionClosedError):
        text = "The cursor or its connection is closed."
    return class_(text)


def no_table(name: str, declared: Iterable[tuple[str, Iterable[Table]]]) -> str:
    """The sentence about a table that is not there, with the nearest that is; `declared` gives the schemas, each with its tables."""
    known = [(schema, list(tables)) for schema, tables in declared]
    schema, dot, _ = name.rpartition(".")
    if dot and schema.lower() not in ("main", *(found.lower() for found, _ in known)):
        if all(found == "main" or found in VOCABULARIES for found, _ in known):
            hint = _nearest(schema, list(VOCABULARIES))
            return f"There is no account or schema {schema}{f'.{hint}' if hint else f': accounts are sections of the settings file, [accounts.{schema}].'}"
        names = [found for found, _ in known]
        return f"There is no account or schema {schema}.{_nearest(schema, [*names, *VOCABULARIES])} There are {', '.join(names)}."
    return f"There is no table {name}.{_nearest(name, _table_names(known))} The table klaviyo_tables lists them all."


def _table_names(declared: Iterable[tuple[str, Iterable[Table]]]) -> list[str]:
    return [name if schema == "main" else f"{schema}.{name}" for schema, tables in declared for table in tables for name in table.names]


def _column_names(tables: Iterable[Table]) -> list[str]:
    return list(dict.fromkeys(column.name for table in tables for column in table.columns))


def _nearest(name: str, names: list[str]) -> str:
    by_lower = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.lower(), by_lower, n=2, cutoff=0.7)
    return f" Did you mean {' or '.join(by_lower[match] for match in close)}?" if close else ""
