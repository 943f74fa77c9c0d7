"""What a kind of resource is: where it lives in the API, and which relationships it has.

Kinds refer to each other by name, since their subjects refer to each other in circles (a list has tags, a tag has lists).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.filter_grammar import Clause

Finder = Callable[[Account, str], Resource | None]
"""Reads one resource by id."""

Source = Callable[[Account, str, tuple[Clause, ...]], Iterable[Resource]]
"""The resources of a collection: of the account, of the parent with this id, and possibly only those that the clauses can let through."""


def stored(collection: str) -> Finder:
    """Finds among the resources that the account keeps by id under this name."""

    def find(account: Account, identifier: str) -> Resource | None:
        resources: dict[str, Resource] = getattr(account, collection)
        return resources.get(identifier)

    return find


def everything(collection: str) -> Source:
    """All resources that the account keeps by id under this name."""

    def source(account: Account, parent: str, clauses: tuple[Clause, ...]) -> Iterable[Resource]:
        resources: dict[str, Resource] = getattr(account, collection)
        return resources.values()

    return source


def children(collection: str, name: str) -> Source:
    """The resources that have the parent's id under this name."""

    def source(account: Account, parent: str, clauses: tuple[Clause, ...]) -> Iterable[Resource]:
        resources: dict[str, Resource] = getattr(account, collection)
        return [resources[identifier] for identifier in account.pointing(collection, name).get(parent, [])]

    return source


def own(name: str) -> Callable[[Account, Resource], Any]:
    """The id, or the ids, that a resource has under this name, outside of its attributes."""
    return lambda account, resource: resource[name]


def pointing(collection: str, name: str) -> Callable[[Account, Resource], list[str]]:
    """The ids of the resources that have the id of this one under that name."""
    return lambda account, resource: account.pointing(collection, name).get(resource["id"], [])


@dataclass(frozen=True, slots=True)
class Relation:
    """A relationship: its name, the name of the kind it leads to, and the ids at its other end.

    `shown` says when a resource has it: always (as links; with the ids when it is included); always with the ids; always, with the ids
    when there are any; only when there are any, or only when there are any and it is included; never, when it has an address alone.
    `links` says which addresses stand next to the ids; `page_links` whether a reply with what is at the other end has next and prev,
    as nulls.
    """

    name: str
    kind: str
    ids: Callable[[Account, Resource], Iterable[str] | str | None] = lambda account, resource: ()
    many: bool = True
    shown: Literal["always", "with ids", "with ids when filled", "when filled", "when filled and included", "never"] = "always"
    links: Literal["both", "related", "none"] = "both"
    page_links: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource type: its collection's path, how one is found by id, its relationships and its costly attributes."""

    type: str
    path: str
    find: Finder
    missing: str
    """What the 404 says, with `{id}`; Klaviyo words it differently for every type."""
    relations: tuple[Relation, ...] = ()
    additional: frozenset[str] = frozenset()
    """Attributes that are absent unless `additional-fields` asks for them."""
    computed: Callable[[Account, Resource], dict[str, Any]] | None = None
    """Additional attributes that the account does not store."""
    valid_id: Callable[[str], bool] = lambda identifier: True
    malformed: str = ""
    """What the 400 says of an id that is not even of the right shape."""
    malformed_pointer: str = "/data/id"
    readers: Mapping[str, Callable[[Account, Resource], Any]] = field(default_factory=dict)
    """How the filter and sort fields of its collections are read, where the name alone does not say it."""
    links: bool = True
    """Whether a resource has an address of its own."""
