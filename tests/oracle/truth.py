"""The account as plain rows in a plain SQLite database: what every query has to answer.

Only names, types and places of columns come from the declarations. The values are read from the account's resources here, by code that knows
nothing of the planner, of pages or of decoding.
"""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import apsw

from klaviyo_sql.model.table import Argument, Attribute, Choice, Column, Detail, Id, Included, Latest, Table, Type, WriteOnly
from klaviyo_sql.sandbox import Account, generate
from klaviyo_sql.tables import TABLES

from . import instants
from .contents import CONTENTS, Of

TODAY = date(2026, 3, 15)
Rows = list[tuple[Any, ...]]

_DECLARED = {
    Type.TEXT: "TEXT",
    Type.INTEGER: "INTEGER",
    Type.REAL: "REAL",
    Type.BOOLEAN: "BOOLEAN",
    Type.JSON: "TEXT",
    Type.DATE: "DATE TEXT COLLATE INSTANT",
    Type.TIMESTAMP: "TIMESTAMP TEXT COLLATE INSTANT",
    Type.TIMESTAMP_MICROSECONDS: "TIMESTAMP TEXT COLLATE INSTANT",
}


@functools.cache
def generated() -> Account:
    """A small account, as it is generated."""
    return generate(seed=7, today=TODAY, profiles=300, events=3000)


@functools.cache
def eventful() -> Account:
    """An account with metrics and lists that have more rows than a page."""
    return generate(seed=7, today=TODAY, profiles=300, events=9000)


def longest(members: dict[str, dict[str, str]]) -> str:
    """The list or segment with the most members, which are more than a page."""
    return max(members, key=lambda identifier: len(members[identifier]))


@functools.cache
def account() -> Account:
    """The account of the oracle: the generated one, made nastier by hand."""
    return odd(generate(seed=7, today=TODAY, profiles=300, events=3000))


def odd(made: Account) -> Account:
    """The same account, with values that a careful sender would not send."""
    profiles = list(made.profiles.values())
    for position, changes in _ODD_PROFILES.items():
        attributes = profiles[position]["attributes"]
        for keys, value in changes.items():
            *path, last = keys.split(".")
            inner = attributes
            for key in path:
                inner = inner[key]
            inner[last] = copy.deepcopy(value)
    # Numbers that came as texts, ids that came as numbers, on the same page as ordinary events.
    for position, properties in _ODD_EVENTS.items():
        made.events[position]["attributes"]["event_properties"].update(properties)
    made.changed()
    return made


_ODD_PROFILES: dict[int, dict[str, Any]] = {
    11: {"email": "Twin@Example.com", "external_id": "Abc", "first_name": "5"},
    12: {"email": "twin@example.com", "external_id": "abc", "first_name": "05"},
    13: {"email": "TWIN@EXAMPLE.COM", "external_id": "5", "first_name": "5.0"},
    14: {"external_id": "05", "organization": "x" * 8000},
    15: {"external_id": "5.0", "location.latitude": "12", "location.longitude": "-7"},
    16: {"location.latitude": "north of here", "location.longitude": ""},
    17: {"external_id": "", "email": '"quoted, [odd]"@example.com'},
    18: {"external_id": "a+b%20c&d=e", "first_name": "\U0001f389"},
    19: {"subscriptions.email.marketing.suppression": [], "location.latitude": 12, "location.longitude": 0},
    20: {"created": "2025-06-01T00:00:00+00:00", "updated": "2025-06-01T00:00:00+00:00"},
    21: {"created": "2024-12-31T23:59:59+00:00", "updated": "2025-01-01T00:00:00+00:00"},
}
_ODD_EVENTS: dict[int, dict[str, Any]] = {
    40: {"$value": "12.50"},
    41: {"$value": "12"},
    42: {"$value": 12},
    43: {"$value": "a dozen"},
    44: {"$value": None, "$event_id": 4711},
    45: {"$value_currency": None},
    46: {"$event_id": 'it\'s "odd" \\ [x], 100%_+'},
}


def rows(made: Account, name: str) -> Iterator[tuple[Any, ...]]:
    """The rows of one table, in no particular order."""
    table = TABLES[name]
    for of in CONTENTS[name](made):
        yield tuple(_value(column, of) for column in table.columns)


def _value(column: Column, of: Of) -> Any:
    if column.name in of.given:
        return _in_sql(column.type, of.given[column.name])
    match column.place:
        case Id():
            return of.resource["id"]
        case Argument() | WriteOnly():
            return None
        case Included(relation=relation, place=Attribute(keys=keys)):
            other = of.included[relation]
            return None if other is None else _in_sql(column.type, _at(other["attributes"], keys))
        case Attribute(keys=keys) | Detail(keys=keys) | Choice(keys=tuple() as keys):
            return _in_sql(column.type, _at(of.resource["attributes"], keys))
        case Latest(keys=keys, entry_key=key):
            entries = _at(of.resource["attributes"], keys) or []
            newest = max(entries, key=lambda entry: instants.attoseconds(entry["timestamp"]) or 0, default={})
            return _in_sql(column.type, newest.get(key))
    raise AssertionError(column)


def _at(value: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _in_sql(type_: Type, value: Any) -> Any:
    if value is None:
        return None
    if type_ is Type.JSON:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if type_.is_instant:
        return instants.canonical(value, microseconds=type_ is Type.TIMESTAMP_MICROSECONDS)
    if type_ is Type.BOOLEAN:
        return int(value)
    # A plain table's affinity makes numbers of texts that are numbers, and texts of numbers.
    return value


def database(contents: dict[str, Rows]) -> apsw.Connection:
    """A plain database with these rows, under every name of each table."""
    connection = apsw.Connection(":memory:")
    connection.create_collation("INSTANT", instants.compare)
    for name, found in contents.items():
        table = TABLES[name]
        connection.execute(declaration(table, name))
        connection.executemany(f"INSERT INTO {name} VALUES ({','.join('?' * len(table.columns))})", found)
        if "_" in name:
            pascal = "".join(word.capitalize() for word in name.split("_"))
            connection.execute(declaration(table, pascal, lambda word: "".join(part.capitalize() for part in word.split("_"))))
            connection.execute(f"INSERT INTO {pascal} SELECT * FROM {name}")
    return connection


def declaration(table: Table, name: str, spelled: Callable[[str], str] = str) -> str:
    """CREATE TABLE for the plain table."""
    columns = [f'"{spelled(column.name)}" {_DECLARED[column.type]}{" NOT NULL" if column.not_null else ""}' for column in table.columns]
    key = ", ".join(f'"{spelled(column)}"' for column in table.key)
    return f"CREATE TABLE {name}({', '.join(columns)}, PRIMARY KEY ({key})) WITHOUT ROWID"


def contents(made: Account) -> dict[str, Rows]:
    """All rows of the tables that are collections."""
    return {name: list(rows(made, name)) for name in CONTENTS}
