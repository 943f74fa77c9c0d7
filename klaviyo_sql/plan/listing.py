"""Tables whose rows are listed, planned: chains of pages, or requests by id."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from klaviyo_sql import contract
from klaviyo_sql.contract import Operation
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Argument, Choice, Collection, Column, Constant, Detail, FromParent, Id, Parent, ParentId, Related, Table
from klaviyo_sql.plan import filters, pushdown, representation
from klaviyo_sql.plan.chains import Chain, Check, Plan, Row
from klaviyo_sql.plan.children import can_be_an_id, of_children
from klaviyo_sql.plan.constraints import Bound, Operator, Unknown, Wanted, in_sql
from klaviyo_sql.plan.cost import estimate
from klaviyo_sql.plan.scan import Scan
from klaviyo_sql.plan.slices import Slicing, slicing

_LONG = 4
"""Pages that a chain must be likely to have for it to be cut."""
_MOST_RANGES = 20
"""Single instants asked for in a request each; more are asked for as one range."""


def plan(scan: Scan, source: Collection, wanted: dict[int, Wanted], tables: dict[str, Table], of_parents: Callable[[Scan], Plan]) -> Plan:
    """The plan of a scan of a table whose rows are listed; `of_parents` plans the reading of those that it is listed by."""
    return _Collection(scan, source, wanted, tables, of_parents).plan()


@dataclass(slots=True)
class _Collection:
    """The planning of one scan of a list operation."""

    scan: Scan
    source: Collection
    wanted: dict[int, Wanted]
    tables: dict[str, Table]
    of_parents: Callable[[Scan], Plan]
    sent: list[str] = field(default_factory=list)
    rechecked: list[str] = field(default_factory=list)
    inexact: bool = False

    def plan(self) -> Plan:
        table = self.scan.table
        self.inexact = bool(self.source.each) or self.source.distinct  # so many resources need not have so many rows
        keys = self._keys()
        if keys is not None:
            chains = tuple(self._by_id(key) for key in keys if can_be_an_id(key))
            id_column = next(column.name for column in table.columns if isinstance(column.place, Id))
            others = [table.columns[column].name for column in self.wanted if not isinstance(table.columns[column].place, Id)]
            return Plan(table, chains, order=self.scan.order, sent=(id_column,), rechecked=tuple(others))
        ways = self._ways()
        if not all(ways):
            return Plan(table, nothing="no value that is asked for is one that there is")
        checks = self._checks()
        plan = Plan(table, order=self.scan.order, sent=tuple(self.sent), rechecked=tuple(self.rechecked))
        parent = self.source.parent
        if parent and (parent.filter is None or not self._filters_for(parent)):
            used = self._columns(checks)
            return of_children(plan, self.scan, self.wanted, self.tables, self.of_parents, lambda parents: self._chains(ways, checks, parents), used)
        return replace(plan, chains=self._chains(ways, checks, None))

    def _filters_for(self, parent: Parent) -> bool:
        """Whether a condition gives the filter without which nothing can be listed."""
        return any(self.scan.table.columns[column].name in self.sent for column in self.wanted if self._is_required(column, parent))

    def _is_required(self, column: int, parent: Parent) -> bool:
        return any(filter_.field in (parent.filter, *parent.instead) for filter_ in self.scan.table.columns[column].filters)

    def _keys(self) -> tuple[Any, ...] | None:
        """The ids that are worth a request each; None when the list is to be read."""
        table = self.scan.table
        if not pushdown.reads_by_id(table) or any(self._is_argument(column) for column in self.wanted):
            return None
        wanted = next((entry for column, entry in self.wanted.items() if isinstance(table.columns[column].place, Id)), None)
        if wanted is None or wanted.values is None:
            return None
        columns = table.columns
        if any(isinstance(columns[column].place, FromParent) for column in (*self.scan.columns, *self.wanted)):
            return None
        # What only the by-id operation knows costs a request a row anyway, which brings the other columns along.
        most = None if any(isinstance(columns[column].place, Detail) for column in self.scan.columns) else self.source.most_gets
        return wanted.values if most is None or len(wanted.values) <= most else None

    def _is_argument(self, column: int) -> bool:
        return isinstance(self.scan.table.columns[column].place, Argument)

    def _ways(self) -> list[tuple[_Way, ...]]:
        """For each constrained column that Klaviyo can be asked about, the ways to ask: one request per combination."""
        operation = contract.operation(self.source.list)
        found: list[tuple[_Way, ...]] = [
            _choices(column.place, column, position, self.wanted.get(position))
            for position, column in enumerate(self.scan.table.columns)
            if isinstance(column.place, Choice)
        ]
        for position, wanted in self.wanted.items():
            column = self.scan.table.columns[position]
            if isinstance(column.place, ParentId | Choice):
                self.sent.append(column.name)
                continue
            if isinstance(column.place, FromParent):
                self.rechecked.append(column.name)
                self.inexact = True
                continue
            ways = self._ways_of(position, column, wanted, operation)
            if ways is None:
                self.inexact = True
                continue
            (self.sent if all(way.pushed.exact for way in ways) else self.rechecked).append(column.name)
            self.inexact = self.inexact or not all(way.pushed.exact for way in ways)
            found.append(ways)
        # Two columns in chunks would multiply the requests: the shorter one stays, SQLite checks the other.
        several = sorted((ways for ways in found if len(ways) > 1 and ways[0].droppable), key=len)
        for ways in several[1:]:
            found.remove(ways)
            self.inexact = True
        return found

    def _ways_of(self, position: int, column: Column, wanted: Wanted, operation: Operation) -> tuple[_Way, ...] | None:
        chosen = filters.value_filter(column.filters, operation.filters)
        if wanted.values is not None:
            if isinstance(column.place, Argument):
                assert chosen is not None  # noqa: S101 - takes() offers an argument only where it has a filter
                # A request for each value, so that each row knows the one it answers to.
                each = [filters.equality(*chosen, (value,)) or [] for value in wanted.values]
                return tuple(_Way(pushed, position, constant=pushed.values[0]) for pushed in itertools.chain.from_iterable(each))
            if chosen is None:
                return None
            instants = [value for value in wanted.values if not isinstance(value, str | Unknown)]
            by_range = not {"equals", "any"} & set(chosen[1].operators)
            if by_range and len(wanted.values) > 1 and len(instants) == len(wanted.values) and (not chosen[0].exact or len(instants) > _MOST_RANGES):
                hull = filters.range_(*chosen, Bound(min(instants), inclusive=True), Bound(max(instants), inclusive=True))
                return (_Way(replace(hull, exact=False), position),) if hull else None
            found = filters.equality(*chosen, wanted.values)
            if found is None:
                return None
            # An inexact answer to one chunk may hold rows that another chunk is asked for: each keeps its own values only.
            apart = len(found) == 1 or chosen[0].exact
            unique = isinstance(column.place, Id) and chosen[0].exact and not self.source.each
            return tuple(
                _Way(
                    pushed,
                    position,
                    constant=pushed.values[0] if isinstance(column.place, Related) and len(pushed.values) == 1 else None,
                    values=None if apart else frozenset(pushed.values),
                    droppable=not apart or "any" in chosen[1].operators,
                    most_rows=len(pushed.values) if unique else None,
                )
                for pushed in found
            )
        if filters.describes_range(wanted):
            ranged = filters.range_(*chosen, wanted.low, wanted.high) if chosen else None
            return (_Way(ranged, position),) if ranged else None
        present = filters.presence(column.filters, operation.filters)
        return (_Way(present, position),) if present else None

    def _checks(self) -> tuple[Check, ...]:
        """What Klaviyo's answer does not settle on time columns, which SQLite is told not to look at again."""
        checks = []
        for position, wanted in self.wanted.items():
            column = self.scan.table.columns[position]
            if column.type.is_instant and column.name not in self.sent:
                check = _check(column, position, wanted)
                if check:
                    checks.append(check)
        return tuple(checks)

    def _chains(self, ways: Sequence[tuple[_Way, ...]], checks: tuple[Check, ...], parents: Sequence[Row] | None) -> tuple[Chain, ...]:
        return tuple(self._chain(combination, checks, parents) for combination in itertools.product(*ways))

    def _chain(self, ways: tuple[_Way, ...], checks: tuple[Check, ...], parents: Sequence[Row] | None) -> Chain:
        operation = contract.operation(self.source.list)
        constants = {way.position: way.constant for way in ways if way.constant is not None}
        own = tuple(Check(way.position, values=way.values) for way in ways if way.values is not None)
        most_rows = min((way.most_rows for way in ways if way.most_rows is not None), default=None)
        cut = self._slicing(operation, ways) if most_rows is None else None
        columns = self._columns((*checks, *own), cut)
        clauses = self._with_always(itertools.chain.from_iterable(way.pushed.clauses for way in ways))
        path = operation.path
        if parents is not None and self.source.parent is not None:
            ids = [row[0] for row in parents]
            if self.source.parent.filter is None:
                path = _with_id(path, ids[0])
                constants |= self._of_parent(columns, parents[0])
            else:
                several = "any" in operation.filters[self.source.parent.filter].operators and len(ids) > 1
                clauses.append(filters.clause(*(("any", self.source.parent.filter, ids) if several else ("equals", self.source.parent.filter, ids[0]))))
        parameters = self._representation(operation, columns, constants)
        if clauses:
            parameters["filter"] = ",".join(clauses)
        if operation.page:
            parameters["page[size]"] = str(self._page_size(operation))
        sort = self._sort(operation, cut)
        if sort:
            parameters["sort"] = sort
        details = [self.scan.table.columns[column].place for column in columns]
        return self._finished(
            self.source.list,
            path,
            parameters,
            columns,
            constants,
            checks=(*checks, *own),
            single=self.source.one,
            absent_statuses=self._absent_statuses() if path != operation.path else frozenset(),
            most_rows=most_rows,
            slicing=cut,
            detail=next((place for place in details if isinstance(place, Detail)), None),
        )

    def _with_always(self, clauses: Iterable[str]) -> list[str]:
        """The clauses behind those that the source always has, which are left out where a clause says more by the same operator and field."""
        pushed = list(clauses)
        beginnings = {clause.partition(",")[0] for clause in pushed}
        return [*(clause for clause in self.source.always if clause.partition(",")[0] not in beginnings), *pushed]

    def _absent_statuses(self) -> frozenset[int]:
        """The statuses by which the operation says that there is no such parent, or nothing of it."""
        assert self.source.parent is not None  # noqa: S101 - asked only of children
        parent = self.tables[self.source.parent.table].source
        return frozenset({404}) | (parent.absent_statuses if isinstance(parent, Collection) else frozenset())

    def _of_parent(self, columns: tuple[int, ...], parent: Row) -> dict[int, Any]:
        """What is known from the parent's row: its id, and the columns that come along in the order in which the table declares them."""
        carried = iter(parent[1:])
        values: dict[str, Any] = {}
        known: dict[int, Any] = {}
        for n, column in enumerate(self.scan.table.columns):
            if isinstance(column.place, FromParent) and (n in columns or n in self.wanted):
                if column.place.column not in values:
                    values[column.place.column] = next(carried, None)
                known[n] = values[column.place.column]
            elif isinstance(column.place, ParentId):
                known[n] = parent[0]
        return known

    def _slicing(self, operation: Operation, ways: tuple[_Way, ...]) -> Slicing | None:
        """How a chain can be cut that is likely to be long: by the column that it is sorted by. A page that is sized by a LIMIT stays alone."""
        order = self.scan.order
        name = self.scan.table.columns[order.column].sort if order else self.source.cut_by
        if not self.scan.cut or name is None or operation.page is None or self._page_size(operation) < operation.page.max:
            return None
        if self._estimated_rows() < _LONG * operation.page.max:
            return None
        position = next(n for n, column in enumerate(self.scan.table.columns) if column.sort == name)
        column = self.scan.table.columns[position]
        others = tuple(self._with_always(itertools.chain.from_iterable(way.pushed.clauses for way in ways if way.position != position)))
        found = slicing(
            column,
            position,
            filters.value_filter(column.filters, operation.filters),
            self.wanted.get(position, Wanted()),
            others,
            operation.page.max,
        )
        if found is None:
            return None
        return replace(found, descending=bool(order and order.descending), limit=None if self.inexact else self.scan.limit)

    def _estimated_rows(self) -> float:
        """How many rows one chain is likely to have: a key's row is not worth cutting, nor what a person did."""
        terms = []
        for position, wanted in self.wanted.items():
            if wanted.values is not None:
                terms.append((position, Operator.EQUAL))
            terms += [(position, Operator.GREATER) for bound in (wanted.low, wanted.high) if bound is not None]
        parents = self.tables[self.source.parent.table].typical_rows if self.source.parent else 1
        known = any(isinstance(self.scan.table.columns[position].place, ParentId) for position, _ in terms)
        rows = estimate(self.scan.table, terms, self.tables).rows
        return rows if known else rows / parents

    def _by_id(self, key: Any) -> Chain:
        assert self.source.get is not None  # noqa: S101 - _keys() gives keys only then
        operation = contract.operation(self.source.get)
        checks = tuple(
            check
            for position, wanted in self.wanted.items()
            if self.scan.table.columns[position].type.is_instant and (check := _check(self.scan.table.columns[position], position, wanted))
        )
        checks += tuple(
            Check(position, values=frozenset(map(_choice_in_sql, column.place.values)))
            for position, column in enumerate(self.scan.table.columns)
            if isinstance(column.place, Choice) and len(column.place.values) == 1
        )
        if self.source.of_metrics:
            checks += tuple(
                Check(position, values=frozenset(wanted.values or ()))
                for position, wanted in self.wanted.items()
                if isinstance(self.scan.table.columns[position].place, Related) and wanted.values is not None
            )
        columns = self._columns(checks)
        return self._finished(
            self.source.get,
            _with_id(operation.path, key),
            self._representation(operation, columns, {}, by_id=True),
            columns,
            {},
            by_id=True,
            checks=checks,
            single=True,
            absent_statuses=self.source.absent_statuses,
        )

    def _finished(
        self, operation: str, path: str, parameters: dict[str, str], columns: tuple[int, ...], known: dict[int, Any], *, by_id: bool = False, **more: Any
    ) -> Chain:
        table = self.scan.table
        known = known | {n: place.value for n in columns if isinstance(place := table.columns[n].place, Constant)}
        decoded = tuple(
            replace(table.columns[n], place=Argument() if n in known else representation.place_in_reply(table.columns[n].place, by_id=by_id)) for n in columns
        )
        request = Request(operation, "GET", path, tuple(sorted(parameters.items())), table=table.name)
        constants = tuple(known.get(column) for column in columns)
        return Chain(request, columns, decoded, constants, each=self.source.each, fresh=self.scan.fresh, **more)

    def _columns(self, checks: Iterable[Check], cut: Slicing | None = None) -> tuple[int, ...]:
        """The columns that rows must have: those that SQLite reads, those that are checked, and those that sort or cut them."""
        order = (self.scan.order.column,) if self.scan.order else (cut.column,) if cut else ()
        table = self.scan.table
        ids = tuple(n for n, column in enumerate(table.columns) if isinstance(column.place, Id) or (self.source.distinct and column.name in table.key))
        return tuple(dict.fromkeys((*self.scan.columns, *(check.column for check in checks), *order, *ids)))

    def _representation(self, operation: Operation, columns: tuple[int, ...], known: dict[int, Any], *, by_id: bool = False) -> dict[str, str]:
        places = [representation.place_in_reply(self.scan.table.columns[n].place, by_id=by_id) for n in columns if n not in known]
        return representation.parameters(self.source, operation, places, by_id=by_id)

    def _page_size(self, operation: Operation) -> int:
        assert operation.page is not None  # noqa: S101 - asked only then
        if self.scan.limit is None or self.inexact:
            return operation.page.max
        return max(1, min(self.scan.limit, operation.page.max))

    def _sort(self, operation: Operation, cut: Slicing | None) -> str | None:
        order = self.scan.order
        if order is not None:
            sort = self.scan.table.columns[order.column].sort
            return f"-{sort}" if order.descending else sort
        if cut is not None:
            return self.source.cut_by
        return self.source.default_sort if self.source.default_sort in operation.sort else None


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to ask Klaviyo about one column: the clauses, and what a row of the answer is known to have."""

    pushed: filters.Pushed
    position: int
    constant: Any = None
    values: frozenset[Any] | None = None
    droppable: bool = False
    most_rows: int | None = None


def _check(column: Column, position: int, wanted: Wanted) -> Check | None:
    """The conditions on a time column, in the texts that its rows have."""
    low, high = (_bound_in_sql(column, bound) for bound in (wanted.low, wanted.high))
    values = None
    if wanted.values is not None:
        values = frozenset(in_sql(column, value) for value in wanted.values if not isinstance(value, Unknown))
        low = high = None
    if values is None and low is None and high is None:
        return None
    return Check(position, values, low, high)


def _bound_in_sql(column: Column, bound: Bound | None) -> Bound | None:
    if bound is None or isinstance(bound.value, Unknown):
        return None
    return Bound(in_sql(column, bound.value), bound.inclusive)


def _choices(choice: Choice, column: Column, position: int, wanted: Wanted | None) -> tuple[_Way, ...]:
    """A way for each value that is wanted of those that there are."""
    values: Iterable[Any] = choice.values
    if wanted is not None and wanted.values is not None:
        unknown = tuple(value for value in wanted.values if isinstance(value, Unknown))
        values = unknown or tuple(value for value in choice.values if _choice_in_sql(value) in wanted.values)
    field_ = column.filters[0].field
    ways = []
    for value in values:
        pushed = filters.Pushed((filters.clause("equals", field_, value),), exact=True)
        in_rows = _choice_in_sql(value)
        # Where the rows repeat the value, they are held to it, so that a filter that is not applied makes no row come twice.
        if choice.keys is None or isinstance(value, Unknown):
            ways.append(_Way(pushed, position, constant=in_rows))
        else:
            ways.append(_Way(pushed, position, values=frozenset({in_rows})))
    return tuple(ways)


def _choice_in_sql(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _with_id(path: str, value: Any) -> str:
    """The operation's path with the id in its place, percent-encoded."""
    return re.sub(r"\{\w+\}", lambda _: quote(str(value), safe=""), path)
