"""The two addresses that every relationship has, as far as the contract knows them: what is at its other end, and the ids of that alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from klaviyo_sql.contract import facts
from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, RelatedEndpoint
from klaviyo_sql.sandbox.filter_grammar import Clause
from klaviyo_sql.sandbox.kinds import Kind, Relation, Source


def endpoints_of(kinds: Mapping[str, Kind]) -> dict[str, Endpoint]:
    """The endpoints of all relationships of these kinds by operation id."""
    names = {operation.path: name for name, operation in facts().operations.items() if operation.method == "GET"}
    endpoints: dict[str, Endpoint] = {}
    for parent, kind in kinds.items():
        for relation in kind.relations:
            for identifiers, place in ((True, f"relationships/{relation.name}"), (False, relation.name)):
                name = names.get(f"{kind.path}/{{id}}/{place}")
                if name is not None:
                    endpoints[name] = _endpoint(kinds, parent, relation, identifiers=identifiers)
    return endpoints


def _endpoint(kinds: Mapping[str, Kind], parent: str, relation: Relation, *, identifiers: bool) -> Endpoint:
    if relation.many:
        source = _source(kinds[parent], kinds[relation.kind], relation)
        return CollectionEndpoint(relation.kind, source, parent=parent, identifiers=identifiers, page_links=relation.page_links)
    return RelatedEndpoint(parent, relation.kind, _one(relation), identifiers=identifiers)


def _source(parent: Kind, other: Kind, relation: Relation) -> Source:
    def source(account: Account, parent_id: str, clauses: tuple[Clause, ...]) -> Iterable[Resource]:
        resource = parent.find(account, parent_id)
        found = relation.ids(account, resource) if resource is not None else ()
        identifiers = (found,) if isinstance(found, str) else found or ()
        return [target for identifier in identifiers if (target := other.find(account, identifier)) is not None]

    return source


def _one(relation: Relation) -> Callable[[Account, Resource], str | None]:
    def identifier(account: Account, resource: Resource) -> str | None:
        found = relation.ids(account, resource)
        return found if isinstance(found, str) else None

    return identifier
