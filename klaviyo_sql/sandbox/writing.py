"""The generic ways to write: create, change and delete a resource, and link resources to each other.

A subject declares its writes as values of these classes. The body is held against the contract first (`bodies.py`), whatever the subject refuses
beyond that is its `check`, and what follows from a write for other resources is its `complete`, `apply` or `after`. Resources are changed by giving
them new attributes, never by writing into the old ones, which a reply may be made of at this moment.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from klaviyo_sql.sandbox import bodies
from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import Call, require, shown
from klaviyo_sql.sandbox.generation.identifiers import ShortIds, random_uuid, ulid
from klaviyo_sql.sandbox.generation.moments import microseconds_text, seconds_text
from klaviyo_sql.sandbox.problems import RefusedError, invalid, not_found

Attributes = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    """One writing request whose body the contract allows."""

    call: Call
    document: dict[str, Any]

    @property
    def account(self) -> Account:
        return self.call.account

    @property
    def data(self) -> dict[str, Any]:
        """The resource object that was sent."""
        found: dict[str, Any] = self.document["data"]
        return found

    @property
    def attributes(self) -> Attributes:
        """Its attributes; none when it has none."""
        found: Attributes = self.data.get("attributes") or {}
        return found

    def linked(self, name: str) -> list[str] | None:
        """The ids that a relationship was sent with, one or several; None when it was not sent."""
        relationship = (self.data.get("relationships") or {}).get(name)
        if relationship is None or "data" not in relationship:
            return None
        linkage = relationship["data"] or []
        return [item["id"] for item in (linkage if isinstance(linkage, list) else [linkage])]

    def the_one(self, name: str) -> str:
        """The id that a relationship was sent with, which has to be there; RefusedError."""
        identifiers = self.linked(name)
        if not identifiers:
            raise RefusedError(invalid(f"The relationship {name!r} is required.", pointer=f"/data/relationships/{name}/data"))
        return identifiers[0]

    def require_linked(self, name: str, kind_name: str) -> list[str]:
        """The ids that a relationship was sent with, each once and each of a resource; none when it was not sent. RefusedError with 404."""
        identifiers = list(dict.fromkeys(self.linked(name) or []))
        for identifier in identifiers:
            self.require(kind_name, identifier, f"/data/relationships/{name}/data")
        return identifiers

    def require(self, kind_name: str, identifier: str, pointer: str) -> Resource:
        """The resource that the body names; RefusedError with 404 when there is none."""
        kind = self.call.kinds[kind_name]
        found = kind.find(self.account, identifier)
        if found is None:
            raise RefusedError(not_found(kind.missing.format(id=identifier), pointer=pointer))
        return found


def receive(call: Call, *, largest: int = bodies.LARGEST_BODY) -> Write:
    """The request with its body read and held against the contract; RefusedError."""
    return Write(call, bodies.read(call, largest=largest))


Identify = Callable[[Write], str]
"""Gives the new resource its id."""


def short(collection: str) -> Identify:
    """Six-character ids, as lists, segments, metrics, flows and templates have."""

    def identify(write: Write) -> str:
        taken = getattr(write.account, collection)
        given = ShortIds(write.account.random)
        return next(identifier for identifier in iter(given.next, "") if identifier not in taken)

    return identify


def timed(write: Write) -> str:
    """26 characters that begin with the time, as profiles and campaigns have."""
    return ulid(write.account.random, int(write.call.now.timestamp() * 1000))


def uuid(write: Write) -> str:
    """A UUID, as tags have."""
    return random_uuid(write.account.random)


def digits(write: Write) -> str:
    """A number, as images and flow actions have."""
    return str(write.account.random.randrange(100_000_000, 1_000_000_000))


def to_the_second(moment: datetime) -> str:
    """How lists, segments, profiles and metrics tell the time."""
    return seconds_text(int(moment.timestamp()))


def to_the_microsecond(moment: datetime) -> str:
    """How campaigns, catalogs and jobs tell it."""
    return microseconds_text(int(moment.timestamp()), moment.microsecond)


@dataclass(frozen=True, slots=True)
class CreateEndpoint:
    """Makes a resource of what was sent.

    `defaults` are the attributes that nobody needs to send, and that null means as well; `stamps` are set to now. `check` may refuse; `complete` may change
    what was sent into what is stored, set the ids of what it belongs to, and write elsewhere. `unstored` are what is sent and never read again.
    """

    kind: str
    collection: str
    identify: Identify
    defaults: Mapping[str, Any] = field(default_factory=dict)
    stamps: tuple[str, ...] = ()
    moment: Callable[[datetime], str] = to_the_second
    check: Callable[[Write], None] | None = None
    complete: Callable[[Write, Resource], None] | None = None
    unstored: frozenset[str] = frozenset()
    largest: int = bodies.LARGEST_BODY

    def answer(self, call: Call) -> dict[str, Any] | None:
        return told(call, self.kind, self.create(receive(call, largest=self.largest)))

    def create(self, write: Write) -> Resource:
        """The new resource, which is there from now on; RefusedError."""
        if self.check is not None:
            self.check(write)
        now = self.moment(write.call.now)
        sent = {name: value for name, value in write.attributes.items() if name not in self.unstored and (value is not None or name not in self.defaults)}
        attributes = {**copy.deepcopy(dict(self.defaults)), **sent, **dict.fromkeys(self.stamps, now)}
        resource: Resource = {"type": write.call.kinds[self.kind].type, "id": self.identify(write), "attributes": attributes}
        if self.complete is not None:
            self.complete(write, resource)
        getattr(write.account, self.collection)[resource["id"]] = resource
        write.account.changed(events=False)
        return resource


@dataclass(frozen=True, slots=True)
class PatchEndpoint:
    """Changes the attributes that were sent, null among them; the others stay.

    `stamps` are set to now. `check` may refuse; `apply` gets the new attributes before they are the resource's, and may change them or write elsewhere.
    """

    kind: str
    stamps: tuple[str, ...] = ()
    moment: Callable[[datetime], str] = to_the_second
    check: Callable[[Write, Resource], None] | None = None
    apply: Callable[[Write, Resource, Attributes], None] | None = None
    unstored: frozenset[str] = frozenset()
    largest: int = bodies.LARGEST_BODY

    def answer(self, call: Call) -> dict[str, Any] | None:
        write = receive(call, largest=self.largest)
        resource = require(call, self.kind)
        self.change(write, resource)
        return told(call, self.kind, resource)

    def change(self, write: Write, resource: Resource) -> None:
        """Give the resource its new attributes; RefusedError."""
        if self.check is not None:
            self.check(write, resource)
        sent = {name: value for name, value in write.attributes.items() if name not in self.unstored}
        attributes = {**resource["attributes"], **sent, **dict.fromkeys(self.stamps, self.moment(write.call.now))}
        if self.apply is not None:
            self.apply(write, resource, attributes)
        resource["attributes"] = attributes
        write.account.changed(events=False)


@dataclass(frozen=True, slots=True)
class DeleteEndpoint:
    """Takes a resource away; `check` may refuse, `after` takes away what went with it."""

    kind: str
    collection: str
    check: Callable[[Call, Resource], None] | None = None
    after: Callable[[Call, Resource], None] | None = None

    def answer(self, call: Call) -> None:
        self.delete(call, require(call, self.kind))

    def delete(self, call: Call, resource: Resource) -> None:
        """Take this one away; RefusedError."""
        if self.check is not None:
            self.check(call, resource)
        del getattr(call.account, self.collection)[resource["id"]]
        if self.after is not None:
            self.after(call, resource)
        call.account.changed(events=False)


@dataclass(frozen=True, slots=True)
class LinkEndpoint:
    """Adds, takes away or replaces what a resource is linked to, by a list of types and ids.

    `change` gets the resource of the path and the ids, each once, all of which exist; an id that does not is a 404 that points at it, and
    nothing is changed then. `most` is how many may be sent; none at all may be sent to what replaces everything.
    """

    parent: str
    other: str
    change: Callable[[Write, Resource, list[str]], None]
    most: int | None = None
    replaces: bool = False

    def answer(self, call: Call) -> None:
        write = receive(call)
        parent = require(call, self.parent)
        linkage = write.document["data"] or []
        items = linkage if isinstance(linkage, list) else [linkage]
        if items or not self.replaces:
            refuse_too_many(len(items), self.most, "/data")
        place = "/data/{}/id" if isinstance(linkage, list) else "/data/id"
        kind = call.kinds[self.other]
        unknown = [
            not_found(kind.missing.format(id=item["id"]), pointer=place.format(position))
            for position, item in enumerate(items)
            if kind.find(call.account, item["id"]) is None
        ]
        if unknown:
            raise RefusedError(*unknown)
        self.change(write, parent, list(dict.fromkeys(item["id"] for item in items)))
        call.account.changed(events=False)


def refuse_too_many(number: int, most: int | None, pointer: str) -> None:
    """RefusedError when a list has more elements than Klaviyo takes, or none at all."""
    if number == 0:
        raise RefusedError(invalid("At least one is required.", pointer=pointer))
    if most is not None and number > most:
        raise RefusedError(invalid(f"{number} were sent; the maximum is {most}.", pointer=pointer))


def refuse_blank(attributes: Attributes, name: str) -> None:
    """RefusedError when an attribute that may be left out is sent as null or as nothing but spaces."""
    if name in attributes and not (attributes[name] or "").strip():
        raise RefusedError(invalid("This may not be blank.", pointer=f"/data/attributes/{name}"))


def told(call: Call, kind: str, resource: Resource) -> dict[str, Any] | None:
    """The reply, where the contract has one."""
    reply = call.operation.reply
    return shown(call, kind, resource) if reply is not None and reply.schema is not None else None
