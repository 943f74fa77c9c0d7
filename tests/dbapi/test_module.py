"""What the module itself promises."""

from __future__ import annotations

import inspect
from datetime import date, datetime, time

import pytest

import klaviyo_sql
from klaviyo_sql.settings import SETTINGS

PUBLIC = {
    "BINARY", "DATETIME", "NUMBER", "ROWID", "STRING", "AuthenticationError", "Binary", "BudgetExceeded", "Connection", "Cursor", "DataError", "DatabaseError",
    "Date", "DateFromTicks", "Error", "IntegrityError", "InterfaceError", "InternalError", "Interrupted", "NotSupportedError", "OperationalError",
    "OutcomeUnknown", "PermissionDenied", "ProgrammingError", "RateLimitError", "ReadOnlyError", "RequestRejected", "StatementTimeout", "Time", "TimeFromTicks",
    "Timestamp", "TimestampFromTicks", "Warning", "WriteFailed", "__version__", "apilevel", "connect", "paramstyle", "threadsafety",
}  # fmt: skip

CONNECT = [
    "database", "api_key", "base_url", "sandbox", "write", "autocommit", "timeout", "max_wait", "cache_seconds", "cache_bytes",
    "parallel", "max_requests", "max_rows", "statement_timeout", "share_limits", "counts", "count_requests", "materialized", "copy_file",
    "max_writes", "dry_run", "on_error", "job_timeout", "audit_file",
    "config",
    "account",
    "accounts",
    "properties",
]  # fmt: skip

TREE = {
    "Warning": Exception,
    "Error": Exception,
    "InterfaceError": klaviyo_sql.Error,
    "DatabaseError": klaviyo_sql.Error,
    "DataError": klaviyo_sql.DatabaseError,
    "OperationalError": klaviyo_sql.DatabaseError,
    "AuthenticationError": klaviyo_sql.OperationalError,
    "PermissionDenied": klaviyo_sql.OperationalError,
    "RateLimitError": klaviyo_sql.OperationalError,
    "BudgetExceeded": klaviyo_sql.OperationalError,
    "StatementTimeout": klaviyo_sql.OperationalError,
    "Interrupted": klaviyo_sql.OperationalError,
    "OutcomeUnknown": klaviyo_sql.OperationalError,
    "WriteFailed": klaviyo_sql.OperationalError,
    "IntegrityError": klaviyo_sql.DatabaseError,
    "InternalError": klaviyo_sql.DatabaseError,
    "ProgrammingError": klaviyo_sql.DatabaseError,
    "RequestRejected": klaviyo_sql.ProgrammingError,
    "NotSupportedError": klaviyo_sql.DatabaseError,
    "ReadOnlyError": klaviyo_sql.NotSupportedError,
}
PEP_249 = [
    "Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError", "IntegrityError", "InternalError", "ProgrammingError",
    "NotSupportedError",
]  # fmt: skip


def test_the_public_names_are_these() -> None:
    assert set(klaviyo_sql.__all__) == PUBLIC
    assert all(hasattr(klaviyo_sql, name) for name in PUBLIC)


def test_connect_takes_these() -> None:
    parameters = inspect.signature(klaviyo_sql.connect).parameters
    assert list(parameters) == CONNECT
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for name, parameter in parameters.items() if name != "database")


def test_connect_takes_every_setting() -> None:
    parameters = inspect.signature(klaviyo_sql.connect).parameters
    own = {"database", "sandbox", "autocommit", "config", "account", "accounts", "properties"}
    assert [name for name in parameters if name not in own] == list(SETTINGS)
    assert {parameters[name].default for name in SETTINGS} == {None}  # what is not given is looked for elsewhere


@pytest.mark.parametrize(("name", "base"), TREE.items())
def test_exceptions_stand_in_the_tree(name: str, base: type[Exception]) -> None:
    assert getattr(klaviyo_sql, name).__bases__ == (base,)


@pytest.mark.parametrize("name", PEP_249)
def test_connections_export_the_exceptions(name: str, connection: klaviyo_sql.Connection) -> None:
    assert getattr(connection, name) is getattr(klaviyo_sql, name)


def test_type_objects_differ_from_each_other() -> None:
    objects = [klaviyo_sql.STRING, klaviyo_sql.BINARY, klaviyo_sql.NUMBER, klaviyo_sql.DATETIME, klaviyo_sql.ROWID]
    assert all((left == right) == (left is right) for left in objects for right in objects)
    assert len(set(objects)) == 5


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("TEXT", klaviyo_sql.STRING),
        ("varchar(20)", klaviyo_sql.STRING),
        ("CLOB", klaviyo_sql.STRING),
        ("INTEGER", klaviyo_sql.NUMBER),
        ("REAL", klaviyo_sql.NUMBER),
        ("DOUBLE PRECISION", klaviyo_sql.NUMBER),
        ("NUMERIC(10, 2)", klaviyo_sql.NUMBER),
        ("BOOLEAN", klaviyo_sql.NUMBER),
        ("TIMESTAMP TEXT", klaviyo_sql.DATETIME),
        ("DATE TEXT", klaviyo_sql.DATETIME),
        ("datetime", klaviyo_sql.DATETIME),
        ("BLOB", klaviyo_sql.BINARY),
    ],
)
def test_declared_types_equal_one_type_object(declared: str, kind: object) -> None:
    objects = [klaviyo_sql.STRING, klaviyo_sql.BINARY, klaviyo_sql.NUMBER, klaviyo_sql.DATETIME, klaviyo_sql.ROWID]
    assert [one for one in objects if declared == one] == [kind]
    assert kind != "nothing of the kind"
    assert kind != None  # noqa: E711 - an expression's type code is None
    assert kind != 5


def test_constructors() -> None:
    assert klaviyo_sql.Date(2026, 1, 31) == date(2026, 1, 31)
    assert klaviyo_sql.Time(8, 30, 1) == time(8, 30, 1)
    assert klaviyo_sql.Timestamp(2026, 1, 31, 8, 30, 1) == datetime(2026, 1, 31, 8, 30, 1)  # noqa: DTZ001 - PEP 249's timestamps have no zone
    assert klaviyo_sql.Binary(b"x") == b"x"
    ticks = datetime(2026, 1, 31, 8, 30, 1).timestamp()  # noqa: DTZ001 - local time is what PEP 249 means
    assert klaviyo_sql.DateFromTicks(ticks) == date(2026, 1, 31)
    assert klaviyo_sql.TimeFromTicks(ticks) == time(8, 30, 1)
    assert klaviyo_sql.TimestampFromTicks(ticks) == datetime(2026, 1, 31, 8, 30, 1)  # noqa: DTZ001


def test_globals() -> None:
    assert (klaviyo_sql.apilevel, klaviyo_sql.threadsafety, klaviyo_sql.paramstyle) == ("2.0", 1, "qmark")
