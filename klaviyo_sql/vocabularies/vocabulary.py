"""What a vocabulary is made of: objects, each a table of the account under another name, with other names for its columns, or only a part of it.

Nothing is copied: an object is a declaration of the same resources, so that it is planned and read as the table is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from klaviyo_sql.model.table import Choice, Collection, Column, ElementKind, Elements, Id, Linked, ParentId, Property, Table, Type, pascal_case, with_properties
from klaviyo_sql.model.writing import Writes


@dataclass(frozen=True, slots=True)
class Object:
    """A table of the account, `base`, under another name.

    `columns` are the only ones that it has, each name with the base's, and the base's that are `kept`, for who names them; without `columns` it has all,
    some of which are `renamed`, from the base's name. Such a choice of columns can be read; with `written` it can be written as well. `part` leaves only the
    rows with these values, in columns that choose what is read (`Choice`, `ElementKind`); `of_metrics` only those of the metrics with these names. `added`
    are columns of its own.
    Property columns that the user declared come last, their names with the prefix `properties`.
    """

    name: str
    base: str
    columns: Mapping[str, str] | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    part: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    written: bool = False
    of_metrics: tuple[str, ...] = ()
    added: tuple[Column, ...] = ()
    properties: str = ""
    doc: str | None = None

    def table(self, tables: Mapping[str, Table], system: str, spelled: Callable[[str], str]) -> Table:
        """The declaration, over the account's tables; `spelled` writes the names that are not given as the system writes them."""
        base = tables[self.base]
        names = self._names(base, spelled)
        ways = [self._way(way, names) for way in base.ways if all(isinstance(_place(way, column), Choice | ElementKind) for column in self.part)]
        doc = f"{self.doc or base.doc} {system}'s name for {self.base if not self.part and not self.of_metrics else f'a part of {self.base}'}."
        return replace(ways[0], doc=doc, examples=(), others=tuple(replace(way, doc=doc, examples=()) for way in ways[1:]))

    def origin(self, tables: Mapping[str, Table], spelled: Callable[[str], str]) -> Origin:
        """Where the rows of its table come from."""
        theirs = {name: own for own, name in self._names(tables[self.base], spelled).items()}
        table = self.table(tables, "", spelled)
        return Origin(self.base, tuple(theirs.get(column.name) for column in table.columns), self.part, self.of_metrics)

    def _names(self, base: Table, spelled: Callable[[str], str]) -> dict[str, str]:
        """The names of the columns by those of the base, in the order of the object."""
        if self.columns is None:
            names = {column.name: self.renamed.get(column.name) or spelled(column.name) for column in base.columns if not _is_property(column)}
        else:
            names = {own: theirs for theirs, own in self.columns.items()}
        names |= {name: spelled(name) for name in (*self.kept, *_needed(base, self.part)) if name not in names}
        taken = {name.lower() for name in names.values()} | {column.name.lower() for column in self.added}
        for column in filter(_is_property, base.columns):
            name = column.name if column.name.lower().startswith(self.properties) else self.properties + column.name
            while name.lower() in taken:
                name = f"property_{name}"
            taken.add(name.lower())
            names[column.name] = name
        return names

    def _way(self, way: Table, names: Mapping[str, str]) -> Table:
        """One way to read the base, as a way to read the object."""
        columns = [self._column(way.columns[way.index(own)], name) for own, name in names.items()]
        properties = [column for column in columns if _is_property(column)]
        own = [column for column in columns if not _is_property(column)]
        source = way.source
        if source.parent is not None and source.parent.column in names:
            source = replace(source, parent=replace(source.parent, column=names[source.parent.column]))
        if isinstance(source, Collection):
            source = replace(source, each=tuple(map(self._elements, source.each)), of_metrics=self.of_metrics)
        key = tuple(names[name] for name in way.key if name in names)
        writes = way.writes
        if writes is not None and self.columns is not None and not self.written:
            sentence = f"it shows some columns of {self.base}: write to {self.base}."
            writes = Writes(refused=dict.fromkeys(("INSERT", "UPDATE", "DELETE"), sentence))
        writes = writes.renamed(lambda name: names.get(name, name)) if writes is not None else None
        return replace(way, name=self.name, source=source, key=key, columns=with_properties((*own, *self.added), properties), writes=writes)

    def _column(self, column: Column, name: str) -> Column:
        chosen = self.part.get(column.name)
        place = replace(column.place, values=chosen) if chosen is not None and isinstance(column.place, Choice) else column.place
        hidden = column.hidden
        if self.columns is not None and not _is_property(column):
            # A hidden time would lose its collating sequence.
            hidden = name not in self.columns and not column.type.is_instant and column.type is not Type.DATE
        return replace(column, name=name, place=place, hidden=hidden)

    def _elements(self, each: Linked | Elements) -> Linked | Elements:
        """The arrays of the part."""
        kinds = {kind for kinds in self.part.values() for kind in kinds}
        if not isinstance(each, Elements) or not kinds & {kind for kind, _ in each.arrays}:
            return each
        return replace(each, arrays=tuple(array for array in each.arrays if array[0] in kinds))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the rows of an object come from: those of the table `base` that have the values of `part` and are of these metrics.

    `columns` are the base's names for the object's columns, in their order; None for what the base has no column of.
    """

    base: str
    columns: tuple[str | None, ...]
    part: Mapping[str, tuple[str, ...]]
    of_metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The objects of another system: `name` is the schema in SQL, `system` what the system is called."""

    name: str
    system: str
    objects: tuple[Object, ...]
    in_pascal_case: bool = False
    notes: tuple[str, ...] = ()
    """What is different from the system, for its page."""

    def tables(self, tables: Mapping[str, Table]) -> dict[str, Table]:
        """The declarations by their names, over the tables of an account."""
        return {found.name: found for found in (made.table(tables, self.system, self._spelled) for made in self.objects)}

    def origin(self, table: Table, tables: Mapping[str, Table]) -> Origin:
        """Where the rows of one of its tables come from, under whichever of its names."""
        made = next(made for made in self.objects if table.name in (made.name, pascal_case(made.name)))
        return made.origin(tables, self._spelled)

    @property
    def _spelled(self) -> Callable[[str], str]:
        return pascal_case if self.in_pascal_case else str


def same(*names: str, **others: str) -> dict[str, str]:
    """Columns that are called as in the base, and those that are not: `same("metric_id", event_id="id")`."""
    return {name: name for name in names} | others


def _needed(base: Table, part: Iterable[str]) -> list[str]:
    """The columns without which a way to read the base cannot be planned, or rows not told apart."""
    found: dict[str, None] = {}
    for way in base.ways:
        source = way.source
        for column in way.columns:
            sorted_by = isinstance(source, Collection) and source.cut_by is not None and column.sort == source.cut_by
            fixed = column.name in part and isinstance(column.place, ElementKind)
            if isinstance(column.place, Id | ParentId | Choice) or sorted_by or (column.name in base.key and not fixed):
                found[column.name] = None
    return list(found)


def _is_property(column: Column) -> bool:
    return isinstance(column.place, Property)


def _place(way: Table, name: str) -> object:
    return way.columns[way.index(name)].place
