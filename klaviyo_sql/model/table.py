"""What a declaration of a SQL table is made of.

A column says its name, its place in Klaviyo's resource, its type and one sentence. A filter says how Klaviyo spells it and whether Klaviyo's
answer is exact. Operators, page sizes, sort names and rates are not repeated here: they are the contract's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from klaviyo_sql.model import timestamps
from klaviyo_sql.model.writing import Writes


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
class Property(Attribute):
    """A value inside an attribute of free JSON: `path` leads to it by keys and array positions, negative ones from the end.

    What is there is anybody's: any type, in any row. Klaviyo cannot filter by it or sort by it.
    """

    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Latest:
    """One key of the newest entry (by its `timestamp`) in an array of objects."""

    keys: tuple[str, ...]
    entry_key: str
    additional: str | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """An attribute that only the by-id operation returns, as an additional field if it has the name of one: one more request per row."""

    keys: tuple[str, ...]
    additional: str | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """The id of a related resource, which Klaviyo promises only for relations named in `include`.

    Of a to-many relation it is the first one; in a table of links along that relation, the one that the row is of. `inlined` says that the
    operation cannot include the relation, and always tells its ids.
    """

    relation: str
    resource: str
    inlined: bool = False


@dataclass(frozen=True, slots=True)
class Included:
    """A place in the related resource itself, which comes along with `include`; NULL where there is none."""

    relation: str
    resource: str
    place: Attribute | Related


@dataclass(frozen=True, slots=True)
class Collected:
    """Everything at the other end of a to-many relation, as a JSON array of objects with the id and these attributes."""

    relation: str
    resource: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """The resource at the other end of a to-one relation, as one JSON object of its id and its attributes; NULL where there is none."""

    relation: str
    resource: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value in every row."""

    value: str


@dataclass(frozen=True, slots=True)
class Element:
    """A place in the element that the row is of, in a table of the elements of arrays; without keys the element itself."""

    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ElementKind:
    """Which of several arrays the element is in."""


@dataclass(frozen=True, slots=True)
class ElementNumber:
    """The position of the element in its array, from 1."""


@dataclass(frozen=True, slots=True)
class ParentId:
    """The id of the resource in whose path the rows are read; with a relation, the by-id operation tells it as well."""

    relation: str | None = None
    resource: str = ""


@dataclass(frozen=True, slots=True)
class FromParent:
    """A column of the parent's own table, by its name there: conditions on it choose the parents that are read."""

    column: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter that Klaviyo requires, or without which it leaves rows out: a chain of pages for each of the values, unless a condition picks some.

    `keys` lead to the attribute that repeats the value, if there is one; `by_id` is where the by-id reply tells it.
    """

    values: tuple[str | bool, ...]
    keys: tuple[str, ...] | None = None
    by_id: Attribute | Included | None = None


@dataclass(frozen=True, slots=True)
class Argument:
    """A filter that no attribute answers to: the column is NULL unless a value is asked for, and then repeats that value.

    Where a table can be read in several ways, a way in which a column is an argument is taken only when its value is asked for.
    """


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What this way of reading the table does not tell, while another does."""


@dataclass(frozen=True, slots=True)
class WriteOnly:
    """What can be written and not read: the column is NULL in every row."""


@dataclass(frozen=True, slots=True)
class AccountName:
    """The name of the account that the row is of, in a table over several accounts; there are `count` of them."""

    count: int


@dataclass(frozen=True, slots=True)
class PeriodStart:
    """The first day of the period that a row of a metric aggregate is of."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement of a metric aggregate, by Klaviyo's name for it."""

    name: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a question is asked with: given by a condition of equality, or as an argument in the order of these columns; repeated by each row."""

    name: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Grouping:
    """What a report is grouped by, by Klaviyo's name for it; NULL where it is not grouped by that.

    `filters` are the operators by which it can be filtered: for one value, and for several; `values` the only ones that Klaviyo lets a filter name.
    """

    name: str
    filters: tuple[str, str] | None = None
    values: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Statistic:
    """A number of a report, by Klaviyo's name for it."""

    name: str


@dataclass(frozen=True, slots=True)
class BucketStart:
    """When the period begins that a row is of: the instant in UTC, or with `local` what the clock on the wall says."""

    local: bool = False


@dataclass(frozen=True, slots=True)
class Dimension:
    """The value of one dimension of a metric aggregate, by its place among those asked for, from 0; without a place all of them by name, as JSON."""

    place: int | None = None


@dataclass(frozen=True, slots=True)
class RowKey:
    """What sets the row of an answer apart from all others: the arguments, the group and the period."""


Place = (
    Id
    | Attribute
    | Latest
    | Detail
    | Related
    | Included
    | Collected
    | Whole
    | Constant
    | Element
    | ElementKind
    | ElementNumber
    | ParentId
    | FromParent
    | Choice
    | Argument
    | Elsewhere
    | WriteOnly
    | AccountName
    | PeriodStart
    | Measurement
    | Parameter
    | Grouping
    | Statistic
    | BucketStart
    | Dimension
    | RowKey
)


@dataclass(frozen=True, slots=True)
class Filter:
    """One of Klaviyo's filters that a column's constraints can be sent as.

    `exact` says that Klaviyo's answer is the rows that SQL means; otherwise it is a superset, checked again. An operator that the contract
    lists but that must not be sent is in `never`, or the filter is not declared; the reason is beside the column.
    """

    field: str
    exact: bool = False
    never: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `sort` is Klaviyo's sort name where its order is SQLite's; `not_null` only where Klaviyo guarantees a value.

    A hidden column is left out of `SELECT *` and has to be named. `body` is where its value goes in the body of a write, from `data` on, where
    that is not where it is read from.
    """

    name: str
    place: Place
    type: Type
    doc: str
    filters: tuple[Filter, ...] = ()
    sort: str | None = None
    not_null: bool = False
    hidden: bool = False
    body: tuple[str, ...] | None = None

    @property
    def collation(self) -> str:
        """How SQLite compares values of the column: times among custom properties may stand beside texts that are none, which is no error."""
        collation = self.type.collation
        return timestamps.COLLATION_OF_ANYTHING if collation == timestamps.COLLATION and isinstance(self.place, Property) else collation


@dataclass(frozen=True, slots=True)
class Parent:
    """Whose ids a child collection is read by, and the column that holds them: in the path, or in the filter named here, a hundred at once.

    Klaviyo requires that filter, or one of those in `instead`.
    """

    table: str
    column: str
    filter: str | None = None
    instead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Linked:
    """One row for each resource at the other end of a to-many relation, which is included."""

    relation: str
    resource: str


@dataclass(frozen=True, slots=True)
class Elements:
    """One row for each element of arrays among the attributes: what `ElementKind` says of each array, and the keys that lead to it."""

    arrays: tuple[tuple[str, tuple[str, ...]], ...]
    additional: str | None = None


@dataclass(frozen=True, slots=True)
class MetricCount:
    """Rows of one metric, from one instant to another: a metric aggregate tells how many there are.

    `metric` is the relation to the metric, and `time` Klaviyo's name for the instant.
    """

    metric: str
    time: str


@dataclass(frozen=True, slots=True)
class ParentCount:
    """Rows of one parent: this column of the parent's table tells how many there are."""

    column: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Rows are the resources of a list operation, one chain of pages each; with `each`, what is in them: first links, then elements of those.

    `get` is the by-id operation, used for keys; `most_gets` says how many keys are worth a request each before reading the whole table is
    cheaper (None: always worth it). `default_sort` makes the pages of an unordered scan stable; a long scan is sorted by `cut_by`, a
    time that every row has, so that it can be cut into ranges that are read side by side. `absent_statuses` are the statuses by which
    `get` says that an id does not exist. `changes` names the time column in which everything new or changed shows; a local copy is kept fresh by it.
    `one` says that the reply is one resource, not a page of them. `always` are clauses that every request has: they leave out only resources that have
    no rows. `of` is the table of the resources, when rows are what is in them: with `each`, or with `distinct`, which makes one row of all resources that
    have the same values in the table's key, and none of those that have no value there. `of_metrics` are the names of metrics: rows are only those of
    metrics that are called so in the account. `count` says what else than the rows tells how many there are.
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
    one: bool = False
    each: tuple[Linked | Elements, ...] = ()
    always: tuple[str, ...] = ()
    of: str | None = None
    distinct: bool = False
    of_metrics: tuple[str, ...] = ()
    count: MetricCount | ParentCount | None = None


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
class Question:
    """Rows are the answer to a question that is asked with arguments, not resources that are listed."""

    operation: str
    parent: None = None


@dataclass(frozen=True, slots=True)
class MetricQuestion(Question):
    """Events of one metric, counted by period and dimensions."""


@dataclass(frozen=True, slots=True)
class Report(Question):
    """Statistics by group and, of `series`, by period.

    `kind` is Klaviyo's word for the body; `groupings` are what is grouped by unless the question says it, `required` what must be among them if it does.
    `statistic` is asked for where none is read; `conversion` says that a metric has to be named that counts as success.
    """

    kind: str = ""
    groupings: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    statistic: str = ""
    series: bool = False
    conversion: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """A question that the table answers, and the query that asks it."""

    question: str
    sql: str


@dataclass(frozen=True, slots=True)
class Table:
    """One SQL table. `typical_rows` is what the planner assumes of a middling shop's account; the key is unique and never NULL.

    `others` are other ways to read the same rows: tables with the same columns in the same order, whose places, filters and source differ.
    """

    name: str
    doc: str
    source: Collection | Aggregates | Question
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    typical_rows: int
    notes: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    others: tuple[Table, ...] = ()
    writes: Writes | None = field(default=None, compare=False, repr=False)
    ways: tuple[Table, ...] = field(init=False, compare=False, repr=False)
    """Every way to read the table, its own first, each as a table that has no others."""

    def __hash__(self) -> int:
        """Of the name and the number of columns, for it is asked for every row that is written."""
        return hash((self.name, len(self.columns)))

    def __post_init__(self) -> None:
        object.__setattr__(self, "ways", (replace(self, others=()), *self.others) if self.others else (self,))

    def index(self, name: str) -> int:
        """The position of the column with this name; KeyError when there is none."""
        for position, column in enumerate(self.columns):
            if column.name == name:
                return position
        raise KeyError(name)

    @property
    def index_of_parent(self) -> int:
        """The position of the column with the parent's id; ValueError for a table without a parent."""
        if self.source.parent is None:
            raise ValueError(f"{self.name} has no parent")
        column = self.source.parent.column
        return next(n for n, found in enumerate(self.columns) if found.name in (column, pascal_case(column)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names that the table answers to: its own, and for a multi-word one the PascalCase form."""
        return (self.name, pascal_case(self.name)) if "_" in self.name else (self.name,)

    def in_pascal_case(self) -> Table:
        """The same table as Skyvia's users write it: `DailyMetrics` with `MetricId`, `Date`, `Count` …"""
        columns = tuple(replace(column, name=pascal_case(column.name)) for column in self.columns)
        others = tuple(other.in_pascal_case() for other in self.others)
        writes = self.writes and self.writes.renamed(pascal_case)
        return replace(self, name=pascal_case(self.name), key=tuple(map(pascal_case, self.key)), columns=columns, others=others, writes=writes)

    def read_otherwise(self, source: Collection, columns: Mapping[str, Place | tuple[Place, tuple[Filter, ...]]]) -> Table:
        """Another way to read the table: where its columns are then, and the filters that it has for them; a column that is not named is as it was."""

        def placed(column: Column) -> Column:
            if column.name not in columns:
                return column
            given = columns[column.name]
            place, filters = given if isinstance(given, tuple) else (given, ())
            return replace(column, place=place, filters=filters, sort=None)

        return replace(self, source=source, columns=tuple(map(placed, self.columns)), others=())


def with_properties(columns: Iterable[Column], properties: Iterable[Column]) -> tuple[Column, ...]:
    """The columns, with property columns before the first that Klaviyo returns only when it is asked for it, or else at the end.

    SQLite tells of the first 63 columns whether they are read, and of all others whether any is: behind those, a property would be read with everything
    that costs more.
    """
    own = tuple(columns)
    place = next((n for n, column in enumerate(own) if isinstance(column.place, Attribute | Latest) and column.place.additional), len(own))
    return (*own[:place], *properties, *own[place:])


def pascal_case(name: str) -> str:
    """`unique_count` as `UniqueCount`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
