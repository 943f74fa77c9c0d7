"""What a declaration of a SQL table is made of.

A column says its name, its place in Klaviyo's resource, its type and one sentence. A filter says how Klaviyo spells it and whether Klaviyo's
answer is exact. Operators, page sizes, sort names and rates are not repeated here: they are the contract's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from klaviyo_sql.model import timestamps


class Type(Enum):
    """How a value looks in SQL; the value is the declared SQLite type.

    Time columns are texts with TEXT affinity; the word TIMESTAMP in front is for tools that map declared types (ODBC, JDBC).
    """

    TEXT = "TEXT"
    INTEGER = "INTEGER"
    REAL = "REAL"
    BOOLEAN = "BOOLEAN"
    JSON = "TEXT /* JSON */"
    DATE = "DATE TEXT"
    TIMESTAMP = "TIMESTAMP TEXT"
    TIMESTAMP_MICROSECONDS = "TIMESTAMP TEXT /* microseconds */"

    @property
    def declared(self) -> str:
        """The type as it stands in the table's DDL."""
        return self.value.partition(" /*")[0]

    @property
    def is_instant(self) -> bool:
        """Whether values are instants."""
        return self in (Type.TIMESTAMP, Type.TIMESTAMP_MICROSECONDS)

    @property
    def collation(self) -> str:
        """How SQLite compares values: times and dates as instants, whatever the ISO 8601 form of the other side."""
        return timestamps.COLLATION if self.is_instant or self is Type.DATE else "BINARY"


@dataclass(frozen=True, slots=True)
class Id:
    """The resource's own id."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute, by the keys that lead to it; `additional` names the additional field that must be asked for."""

    keys: tuple[str, ...]
    additional: str | None = None


@dataclass(frozen=True, slots=True)
class Latest:
    """One key of the newest entry (by its `timestamp`) in an array of objects."""

    keys: tuple[str, ...]
    entry_key: str
    additional: str | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """An attribute that only the by-id operation returns, as an additional field: one more request per row."""

    keys: tuple[str, ...]
    additional: str


@dataclass(frozen=True, slots=True)
class Related:
    """The id of a to-one related resource, which Klaviyo promises only for relations named in `include`."""

    relation: str
    resource: str


@dataclass(frozen=True, slots=True)
class ParentId:
    """The id of the resource in whose path the rows are read."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A filter that no attribute answers to: the column is NULL unless a value is asked for, and then repeats that value."""


@dataclass(frozen=True, slots=True)
class PeriodStart:
    """The first day of the period that a row of a metric aggregate is of."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement of a metric aggregate, by Klaviyo's name for it."""

    name: str


Place = Id | Attribute | Latest | Detail | Related | ParentId | Argument | PeriodStart | Measurement


@dataclass(frozen=True, slots=True)
class Filter:
    """One of Klaviyo's filters that a column's constraints can be sent as.

    `exact` says that Klaviyo's answer is the rows that SQL means; otherwise it is a superset, checked again. An operator that the contract
    lists but that must not be sent is left out by not declaring the filter, with the reason beside the column.
    """

    field: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `sort` is Klaviyo's sort name where its order is SQLite's; `not_null` only where Klaviyo guarantees a value.

    A hidden column is left out of `SELECT *` and has to be named.
    """

    name: str
    place: Place
    type: Type
    doc: str
    filters: tuple[Filter, ...] = ()
    sort: str | None = None
    not_null: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Parent:
    """Where the ids in a child collection's path come from, and the column that holds them."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Rows are the resources of a list operation, one chain of pages each.

    `get` is the by-id operation, used for keys; `most_gets` says how many keys are worth a request each before reading the whole table is
    cheaper (None: always worth it). `default_sort` makes the pages of an unordered scan stable; a long scan is sorted by `cut_by`, a
    time that every row has, so that it can be cut into ranges that are read side by side. `absent_statuses` are the statuses by which
    `get` says that an id does not exist. `changes` names the time column in which everything new or changed shows; a local copy is kept fresh by it.
    """

    resource: str
    list: str
    get: str | None = None
    most_gets: int | None = None
    parent: Parent | None = None
    default_sort: str | None = None
    cut_by: str | None = None
    changes: str | None = None
    absent_statuses: frozenset[int] = frozenset({404})


@dataclass(frozen=True, slots=True)
class CountedCollection(Collection):
    """Rows stand for several resources where `operation`, a metric aggregate, counts them exactly; otherwise for one each."""

    operation: str = ""


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Rows are the complete past periods of metric aggregates: one request for each metric and year."""

    interval: str
    operation: str
    parent: Parent


@dataclass(frozen=True, slots=True)
class Example:
    """A question that the table answers, and the query that asks it."""

    question: str
    sql: str


@dataclass(frozen=True, slots=True)
class Table:
    """One SQL table. `typical_rows` is what the planner assumes of a middling shop's account; the key is unique and never NULL."""

    name: str
    doc: str
    source: Collection | Aggregates
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    typical_rows: int
    notes: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()

    def index(self, name: str) -> int:
        """The position of the column with this name; KeyError when there is none."""
        for position, column in enumerate(self.columns):
            if column.name == name:
                return position
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that the table answers to: its own, and for a multi-word one the PascalCase form."""
        return (self.name, pascal_case(self.name)) if "_" in self.name else (self.name,)

    def in_pascal_case(self) -> Table:
        """The same table as Skyvia's users write it: `DailyMetrics` with `MetricId`, `Date`, `Count` …"""
        columns = tuple(replace(column, name=pascal_case(column.name)) for column in self.columns)
        return replace(self, name=pascal_case(self.name), key=tuple(map(pascal_case, self.key)), columns=columns)


def pascal_case(name: str) -> str:
    """`unique_count` as `UniqueCount`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
