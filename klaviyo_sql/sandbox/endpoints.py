"""The generic ways to answer: a collection, one resource, the resource at the other end of a relationship.

A subject declares its endpoints as values of these classes; one pipeline (filter, sort, page, fieldsets, include, render) serves all.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from klaviyo_sql.contract import Operation
from klaviyo_sql.sandbox import cursor as cursors
from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.filter_grammar import Clause
from klaviyo_sql.sandbox.kinds import Kind, Source
from klaviyo_sql.sandbox.problems import RefusedError, invalid, not_found
from klaviyo_sql.sandbox.query import Query, join
from klaviyo_sql.sandbox.rendering import Renderer
from klaviyo_sql.sandbox.selection import COMPARISONS, Fields, Ordered, Page, Part, Reader, order_by


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed every check but those of its own endpoint."""

    account: Account
    kinds: Mapping[str, Kind]
    operation_name: str
    operation: Operation
    path: str
    origin: str
    id: str
    query: Query
    body: bytes
    now: datetime
    memory: Memory
    content_type: str
    visible_after: float
    """Seconds after which what is written asynchronously, without a job, can be read."""
    job_duration: float
    """Seconds after which a job is complete."""
    schedule: Callable[[float, Callable[[], None]], None]
    """Does something when that many seconds are over."""

    def link(self, pairs: tuple[tuple[str, str], ...]) -> str:
        """The address of this path with these parameters, on the host that the request came to."""
        query = join(pairs)
        return f"{self.origin}{self.path}{'?' if query else ''}{query}"

    def renderer(self) -> Renderer:
        """What writes the resources of the reply."""
        return Renderer(self.account, self.kinds, self.origin, self.query)

    def later(self, write: Callable[[], None]) -> None:
        """Does something after the delay with which Klaviyo's asynchronous writes become visible."""
        self.schedule(self.visible_after, write)


class Replied(NamedTuple):
    """A success reply with another status than the one that the contract names."""

    status: int
    document: dict[str, Any] | None


class Endpoint(Protocol):
    """Answers one operation of the contract."""

    def answer(self, call: Call) -> dict[str, Any] | Replied | None:
        """The body of the success reply, None for no body; RefusedError for anything else. The account's lock is held meanwhile."""


class Memory:
    """The order of the last few queries, so that the pages of one scan do not each filter and sort everything again."""

    def __init__(self, capacity: int = 24) -> None:
        self._capacity = capacity
        self._known: OrderedDict[Any, Ordered] = OrderedDict()
        self._until: dict[Any, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def recall(self, key: Any, make: Callable[[], Ordered]) -> Ordered:
        """The remembered order, or a new one."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        made = make()
        self._remember(key, made)
        return made

    def recall_growing(
        self,
        key: Any,
        known: tuple[int, int],
        make: Callable[[], Ordered],
        grown: Callable[[Ordered, tuple[int, int]], Ordered | None],
    ) -> Ordered:
        """The remembered order with what was added since, or a new one; `known` says up to where it is true now."""
        with self._lock:
            ordered = self._known.get(key)
            until = self._until.get(key)
        if ordered is not None and until is not None:
            if until == known:
                return self._remember(key, ordered, known)
            more = grown(ordered, until)
            if more is not None:
                return self._remember(key, more, known)
        return self._remember(key, make(), known)

    def _remember(self, key: Any, made: Ordered, known: tuple[int, int] | None = None) -> Ordered:
        with self._lock:
            self._known[key] = made
            self._known.move_to_end(key)
            if known is not None:
                self._until[key] = known
            while len(self._known) > self._capacity:
                forgotten, _ = self._known.popitem(last=False)
                self._until.pop(forgotten, None)
        return made


@dataclass(frozen=True, slots=True)
class CollectionEndpoint:
    """Several resources: all of a type, or those that belong to a parent.

    `page_size` is for collections that are paged although the contract lets nobody choose the size. `page_after_full` is the habit
    of answering a full last page with a link to an empty one. `identifiers` answers types and ids alone. `check` refuses what the
    contract allows and Klaviyo does not.
    """

    kind: str
    source: Source
    parent: str | None = None
    readers: Mapping[str, Reader] = field(default_factory=dict)
    without_case: frozenset[str] = frozenset(("name", "email", "integration.name"))
    ignored: frozenset[str] = frozenset()
    page_size: int | None = None
    page_after_full: bool = False
    identifiers: bool = False
    page_links: bool = True
    check: Callable[[Call], None] | None = None
    grows: bool = False
    """Whether this is about events, whose order is not made anew when one is added or when other things change."""

    def answer(self, call: Call) -> dict[str, Any]:
        if self.check is not None:
            self.check(call)
        if self.parent is not None:
            require(call, self.parent)
        part = self._part(call)
        links: dict[str, Any] = {"self": call.link(call.query.pairs)}
        if call.operation.cursor:
            page = self._page(call, part, links)
            if not self.page_links:
                links = {name: link for name, link in links.items() if link is not None}
        else:
            page = part.page(None, part.end - part.start, descending=(call.query.sort or "").startswith("-"))
            if self.page_links:
                links |= {"next": None, "prev": None}
        renderer, kind = call.renderer(), call.kinds[self.kind]
        if self.identifiers:
            return {"data": renderer.identifiers(kind, page.resources), "links": links}
        # What a resource looks like may have changed although the order did not.
        shape = (call.account.version, renderer.shape)
        rendered = page.ordered.rendered(shape, page.positions, lambda resources: renderer.data(kind, resources))
        body: dict[str, Any] = {"data": rendered}
        if call.query.include:
            body["included"] = renderer.included(kind, page.resources, page.ordered.included(shape))
        return body | {"links": links}

    def _part(self, call: Call) -> Part:
        """What the filter lets through. Ranges of the sort field are parts of one order, which is not made anew for each."""
        query = call.query
        sort = (query.sort or "").removeprefix("-")
        rule = call.operation.filters.get(sort)
        ranges = tuple(clause for clause in query.clauses if clause.field == sort and clause.operator in COMPARISONS) if rule is not None else ()
        if rule is not None and ranges and sort not in self.ignored and sort not in self.without_case:
            others = tuple(clause for clause in query.clauses if clause not in ranges)
            part = self._ordered(call, others, sort).between(ranges, rule.type)
            if part is not None:
                return part
        return self._ordered(call, query.clauses, sort).whole

    def _ordered(self, call: Call, clauses: tuple[Clause, ...], sort: str) -> Ordered:
        account = call.account
        readers = {name: functools.partial(read, account) for name, read in call.kinds[self.kind].readers.items()}
        fields = Fields(readers | dict(self.readers), self.without_case, self.ignored)
        key = order_by(fields.reader(sort) if sort else None)

        def passing(resources: Iterable[Resource]) -> Iterable[Resource]:
            for clause in clauses:
                predicate = fields.predicate(clause, call.operation.filters[clause.field])
                if predicate is not None:
                    resources = list(filter(predicate, resources))
            return resources

        def make() -> Ordered:
            return Ordered(passing(self.source(account, call.id, clauses)), key)

        query = (call.operation_name, call.id, clauses, sort)
        if not self.grows:
            return call.memory.recall((account.version, len(account.profiles), len(account.events), *query), make)

        def grown(ordered: Ordered, known: Any) -> Ordered | None:
            added = account.events_since(known)
            return None if added is None else ordered.with_added(passing(added), key)

        return call.memory.recall_growing((len(account.events) - account.events_known[1], *query), account.events_known, make, grown)

    def _page(self, call: Call, part: Part, links: dict[str, Any]) -> Page:
        query = call.query
        size = query.size or (call.operation.page.default if call.operation.page else None) or self.page_size or part.end - part.start or 1
        belongs_to = f"{call.path}?{query.value('filter')}&{query.sort}"
        place = None
        if query.cursor is not None:
            try:
                place = cursors.decode(query.cursor, belongs_to)
            except ValueError as error:
                raise RefusedError(invalid(f"Invalid page cursor: {error}.", parameter="page[cursor]")) from error
        descending = (query.sort or "").startswith("-")
        page = part.page(place, size, descending=descending)
        kept = tuple(pair for pair in query.pairs if pair[0] != "page[cursor]")

        def towards(key: cursors.SortKey, *, forward: bool) -> str:
            return call.link((*kept, ("page[cursor]", cursors.encode(cursors.Cursor(key, forward), belongs_to))))

        full = len(page.positions) == size
        follows = page.after or (self.page_after_full and full)
        links["next"] = towards(page.ends[1], forward=True) if page.positions and follows else None
        links["prev"] = towards(page.ends[0], forward=False) if page.positions and page.before else None
        return page


@dataclass(frozen=True, slots=True)
class ResourceEndpoint:
    """One resource by its id."""

    kind: str

    def answer(self, call: Call) -> dict[str, Any]:
        return shown(call, self.kind, require(call, self.kind))


def shown(call: Call, kind_name: str, resource: Resource) -> dict[str, Any]:
    """The body of a reply with this one resource."""
    kind, renderer = call.kinds[kind_name], call.renderer()
    body: dict[str, Any] = {"data": renderer.data(kind, [resource])[0]}
    if call.query.include:
        body["included"] = renderer.included(kind, [resource], {})
    return body | {"links": {"self": call.link(call.query.pairs)}}


@dataclass(frozen=True, slots=True)
class RelatedEndpoint:
    """The one resource at the other end of a relationship, or its type and id alone; null where there is none."""

    parent: str
    kind: str
    id: Callable[[Account, Resource], str | None]
    identifiers: bool = False

    def answer(self, call: Call) -> dict[str, Any]:
        kind = call.kinds[self.kind]
        identifier = self.id(call.account, require(call, self.parent))
        resource = kind.find(call.account, identifier) if identifier is not None else None
        if resource is None:
            # Recorded: without any links.
            return {"data": None}
        renderer = call.renderer()
        rendered = renderer.identifiers(kind, [resource]) if self.identifiers else renderer.data(kind, [resource])
        return {"data": rendered[0], "links": {"self": call.link(call.query.pairs)}}


@dataclass(frozen=True, slots=True)
class ActionEndpoint:
    """An operation that is a function of its own, as the ones that take a body are."""

    act: Callable[[Call], dict[str, Any] | Replied | None]

    def answer(self, call: Call) -> dict[str, Any] | Replied | None:
        return self.act(call)


def require(call: Call, kind_name: str) -> Resource:
    """The resource whose id is in the path; RefusedError as Klaviyo answers for an id that it does not have, or that cannot be one."""
    kind, identifier = call.kinds[kind_name], call.id
    if not kind.valid_id(identifier):
        raise RefusedError(invalid(kind.malformed.format(id=identifier), pointer=kind.malformed_pointer))
    found = kind.find(call.account, identifier)
    if found is None:
        raise RefusedError(not_found(kind.missing.format(id=identifier)))
    return found
