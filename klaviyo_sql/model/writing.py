"""What a declaration says of writing: which of Klaviyo's operations an INSERT, an UPDATE and a DELETE become.

What a body looks like, which attributes it takes, which of them are required and of what type is the contract's, and not repeated here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MEGABYTES_OF_A_BODY = 5
"""Klaviyo takes no larger body (in megabytes of 10**6 bytes)."""


@dataclass(frozen=True, slots=True)
class Job:
    """How a bulk job is followed: the operation that tells how far it is, and the one that lists its errors (None: the job itself tells them)."""

    get: str
    errors: str | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """What Klaviyo replaces as a whole, or may: an update that sets anything at `path` of the body sends all these columns.

    Those that it does not set are read before, and sent as they are.
    """

    path: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class One:
    """One request for each row.

    `repeatable` says that sending it twice does what sending it once does, so that it may be sent again when its outcome is not known. `alone` are columns
    that Klaviyo takes in a request of their own only, `clears` columns of related ids that it takes away when they are NULL. `job` is what it starts. `told`
    says that what Klaviyo replies is wanted.
    """

    operation: str
    repeatable: bool = False
    whole: tuple[Whole, ...] = ()
    alone: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()
    job: Job | None = None
    told: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    """One request for many rows: they stand in `attributes.<key>.data`, at most `most` of them and as many as fit into `megabytes`.

    It is taken from `least` rows on. `most_bytes` is how large one of them may be. `group` are body paths of a row that all of one element share, in whose
    array `within` the rest stands (events are grouped by their profile). `only_set` says that it cannot clear a value. With `linked` it is the rows' ids that
    are sent, in `relationships.<key>.data`. `around` are columns that stand beside the array and not in its elements, such as the id of what all rows of a
    request belong to: rows that differ in them go into different requests. Those of them in `needs` every row must have, although the contract does not say so.
    """

    operation: str
    key: str
    most: int
    job: Job | None = None
    repeatable: bool = False
    least: int = 2
    most_bytes: int | None = None
    only_set: bool = False
    group: str | None = None
    within: str | None = None
    linked: bool = False
    around: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    megabytes: int = MEGABYTES_OF_A_BODY


@dataclass(frozen=True, slots=True)
class Links:
    """Rows are links: the ids at one end go into one request for each id at the other, at most `most` of them.

    `path` is the column whose value stands in the request's path, `ids` the one whose values are in the body. `other` links from the other end, and is taken
    where that is fewer requests. `meta` is what a new link tells of itself: Klaviyo's names, and the columns. Links without `remove` stay.
    """

    add: str
    remove: str | None
    path: str
    ids: str
    most: int = 1000
    other: Links | None = None
    meta: tuple[tuple[str, str], ...] = ()

    def renamed(self, name: Callable[[str], str]) -> Links:
        """The same for a table whose columns have other names."""
        meta = tuple((key, name(column)) for key, column in self.meta)
        return replace(self, path=name(self.path), ids=name(self.ids), meta=meta, other=self.other and self.other.renamed(name))


@dataclass(frozen=True, slots=True)
class Lookup:
    """A column that Klaviyo does not take, but others that a table tells of it: the id of a metric, of which events are written by its name."""

    column: str
    table: str
    tells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Writes:
    """What can be written to a table, and for what cannot the sentence that names the way: by "INSERT", "UPDATE" or "DELETE".

    `replace` is what INSERT OR REPLACE sends. `unique` are the columns that tell a new object from all others, by which it is looked for when the outcome
    of creating it is not known; `created` is the column that tells when. `once_by` is the column of a text that Klaviyo takes a row by only once: a random one
    if none is given. Of `one_of` a new row needs at least one. `defaults` are values of columns that a new row must have.

    `upload` is a column that takes a file, and what is sent instead of `insert` where it is given. `patterns` are what texts must look like that the contract
    says no more of: a regular expression, and what it means in words. `fixed` are places in the body of a new row (`*`: every element) where nothing else may
    stand: the messages of SMS campaigns are SMS. `hints` say of columns that cannot be written what to do instead.
    """

    insert: One | None = None
    insert_many: Many | None = None
    replace: One | None = None
    replace_many: Many | None = None
    update: One | None = None
    update_many: Many | None = None
    delete: One | None = None
    delete_many: Many | None = None
    links: Links | None = None
    unique: tuple[str, ...] = ()
    created: str | None = None
    once_by: str | None = None
    one_of: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    lookups: tuple[Lookup, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    upload: tuple[str, One] | None = None
    patterns: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)

    def allows(self, kind: str) -> bool:
        """Whether the table takes an INSERT, an UPDATE or a DELETE."""
        ways = {"INSERT": self.insert or self.insert_many, "UPDATE": self.update or self.update_many, "DELETE": self.delete or self.delete_many}
        return bool(ways[kind]) or (self.links is not None and (kind == "INSERT" or (kind == "DELETE" and self.links.remove is not None)))

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the table takes of INSERT, UPDATE and DELETE."""
        return tuple(kind for kind in ("INSERT", "UPDATE", "DELETE") if self.allows(kind))

    def renamed(self, name: Callable[[str], str]) -> Writes:
        """The same for a table whose columns have other names."""

        def one(way: One | None) -> One | None:
            if way is None:
                return None
            whole = tuple(Whole(found.path, tuple(map(name, found.columns))) for found in way.whole)
            return replace(way, whole=whole, alone=tuple(map(name, way.alone)), clears=tuple(map(name, way.clears)))

        def many(way: Many | None) -> Many | None:
            return way and replace(way, around=tuple(map(name, way.around)), needs=tuple(map(name, way.needs)))

        return replace(
            self,
            insert=one(self.insert),
            insert_many=many(self.insert_many),
            replace=one(self.replace),
            replace_many=many(self.replace_many),
            update=one(self.update),
            update_many=many(self.update_many),
            delete=one(self.delete),
            delete_many=many(self.delete_many),
            links=self.links and self.links.renamed(name),
            unique=tuple(map(name, self.unique)),
            created=self.created and name(self.created),
            one_of=tuple(map(name, self.one_of)),
            once_by=self.once_by and name(self.once_by),
            defaults={name(column): value for column, value in self.defaults.items()},
            lookups=tuple(replace(lookup, column=name(lookup.column), tells=tuple((told, name(to)) for told, to in lookup.tells)) for lookup in self.lookups),
            upload=self.upload and (name(self.upload[0]), self.upload[1]),
            patterns={name(column): pattern for column, pattern in self.patterns.items()},
            hints={name(column): hint for column, hint in self.hints.items()},
        )
