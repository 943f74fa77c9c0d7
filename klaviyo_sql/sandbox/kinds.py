"""What a kind of resource is: where it lives in the API, and which relationships it has.

Kinds refer to each other by name, since their subjects refer to each other in circles (a list has tags, a tag has lists).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from klaviyo_sql.sandbox.account import Account, Resource

Finder = Callable[[Account, str], Resource | None]
"""Reads one resource by id."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A relationship: its name, the name of the kind it leads to, and the ids at its other end.

    `shown` says when the reply has it: always (as links; with the ids when it is included), always with the ids, or only when it is
    included and not empty.
    """

    name: str
    kind: str
    ids: Callable[[Account, Resource], Iterable[str] | str | None] = lambda account, resource: ()
    many: bool = True
    shown: Literal["always", "with ids", "when filled"] = "always"


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
