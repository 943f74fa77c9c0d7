"""Resources as JSON:API objects: sparse fieldsets, additional fields, links, relationships, `included`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

import msgspec

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.kinds import Kind, Relation
from klaviyo_sql.sandbox.query import Query

_WITH_IDS = frozenset(("with ids", "with ids when filled", "when filled"))

Attributes = dict[str, Any]
Projection = Callable[[Attributes], Attributes]


class Renderer:
    """Writes the resources of one reply; everything that does not depend on the resource is settled once per reply."""

    def __init__(self, account: Account, kinds: Mapping[str, Kind], origin: str, query: Query) -> None:
        self._account = account
        self._kinds = kinds
        self._origin = origin
        self._query = query

    @property
    def shape(self) -> Hashable:
        """All that the look of a resource depends on, apart from the account: replies of equal shape have equal objects."""
        fields, additional = self._query.fields, self._query.additional
        return self._origin, self._query.include, tuple(sorted(fields.items())), tuple(sorted(additional.items()))

    def data(self, kind: Kind, resources: Iterable[Resource], *, include: bool = True) -> list[dict[str, Any]]:
        """The objects of the resources; relationships named by `include=` have the ids of their other end."""
        named = frozenset(self._query.include) if include else frozenset()
        project = self._projection(kind)
        prefix = f"{self._origin}{kind.path}/"
        relations = [
            (
                relation,
                relation.name,
                f"/relationships/{relation.name}/",
                f"/{relation.name}/",
                relation.name in named or relation.shown in _WITH_IDS,
            )
            for relation in kind.relations
            if relation.shown != "never" and (relation.shown != "when filled and included" or relation.name in named)
        ]
        sparing = [relation for relation in kind.relations if relation.links != "both"]
        resource_type = kind.type
        rendered = []
        for resource in resources:
            identifier = resource["id"]
            place = prefix + identifier
            item: dict[str, Any] = {"type": resource_type, "id": identifier}
            if "attributes" in resource:
                item["attributes"] = project(resource["attributes"])
                if kind.computed is not None:
                    item["attributes"] |= self._computed(kind, resource)
            if relations:
                relationships: dict[str, Any] = {}
                for relation, name, own, related, included in relations:
                    links = {"self": place + own, "related": place + related}
                    if not included:
                        relationships[name] = {"links": links}
                        continue
                    linkage = self._linkage(relation, resource)
                    if linkage or relation.shown in ("always", "with ids"):
                        relationships[name] = {"data": linkage, "links": links}
                    elif relation.shown == "with ids when filled":
                        relationships[name] = {"data": linkage, "links": links} if name in named else {"links": links}
                for relation in sparing:
                    if (relationship := relationships.get(relation.name)) is not None:
                        _spare(relationship, relation)
                if relationships:
                    item["relationships"] = relationships
            if kind.links:
                item["links"] = {"self": place + "/"}
            rendered.append(item)
        return rendered

    def included(self, kind: Kind, resources: Iterable[Resource], known: dict[Any, msgspec.Raw]) -> list[msgspec.Raw]:
        """The resources at the other end of the included relationships, each once, as JSON; `known` keeps them for the next reply of this shape."""
        given: set[tuple[str, str]] = set()
        rendered: list[msgspec.Raw] = []
        resources = list(resources)
        for name in self._query.include:
            relation = next(relation for relation in kind.relations if relation.name == name)
            other = self._kinds[relation.kind]
            for resource in resources:
                for identifier in _ids(relation, self._account, resource):
                    place = (other.type, identifier)
                    if place in given:
                        continue
                    given.add(place)
                    item = known.get((relation.kind, identifier))
                    if item is None and (target := other.find(self._account, identifier)) is not None:
                        item = known[relation.kind, identifier] = msgspec.Raw(msgspec.json.encode(self.data(other, [target], include=False)[0]))
                    if item is not None:
                        rendered.append(item)
        return rendered

    def identifiers(self, kind: Kind, resources: Iterable[Resource]) -> list[dict[str, Any]]:
        """Types and ids alone, as the relationship endpoints answer."""
        return [{"type": kind.type, "id": resource["id"]} for resource in resources]

    def _linkage(self, relation: Relation, resource: Resource) -> Any:
        other = self._kinds[relation.kind].type
        identifiers = [{"type": other, "id": identifier} for identifier in _ids(relation, self._account, resource)]
        if relation.many:
            return identifiers
        return identifiers[0] if identifiers else None

    def _projection(self, kind: Kind) -> Projection:
        asked = frozenset(self._query.additional.get(kind.type, ()))
        hidden = kind.additional - asked
        names = self._query.fields.get(kind.type)
        if names is None:
            return _without(hidden) if hidden else dict
        # Recorded: what additional-fields asks for comes whether or not the fieldset names it, whole unless the fieldset narrows it.
        tops = {name.partition(".")[0] for name in names}
        wanted = [name for name in names if name.partition(".")[0] not in hidden]
        wanted += [name for name in sorted(asked) if name not in tops]
        return _only(tuple(wanted))

    def _computed(self, kind: Kind, resource: Resource) -> Attributes:
        asked = self._query.additional.get(kind.type, ())
        if not asked or kind.computed is None:
            return {}
        return {name: value for name, value in kind.computed(self._account, resource).items() if name in asked}


def _spare(relationship: dict[str, Any], relation: Relation) -> None:
    """Take away the links that this relationship does not have."""
    if relation.links == "none":
        del relationship["links"]
    else:
        del relationship["links"]["self"]


def _without(hidden: frozenset[str]) -> Projection:
    return lambda attributes: {name: value for name, value in attributes.items() if name not in hidden}


def _only(names: tuple[str, ...]) -> Projection:
    if all("." not in name for name in names):
        return lambda attributes: {name: attributes[name] for name in names if name in attributes}
    tree: dict[str, Any] = {}
    for name in sorted(names, key=lambda name: name.count(".")):
        branch = tree
        *parents, leaf = name.split(".")
        for parent in parents:
            following = branch.setdefault(parent, {})
            if following is None:
                break
            branch = following
        else:
            # None: the whole value, which a path into it cannot narrow again.
            branch[leaf] = None
    return lambda attributes: _pruned(attributes, tree)


def _pruned(value: Mapping[str, Any], tree: Mapping[str, Any]) -> dict[str, Any]:
    pruned: dict[str, Any] = {}
    for name, branch in tree.items():
        if name in value:
            inner = value[name]
            pruned[name] = _pruned(inner, branch) if branch is not None and isinstance(inner, dict) else inner
    return pruned


def _ids(relation: Relation, account: Account, resource: Resource) -> Iterable[str]:
    found = relation.ids(account, resource)
    if found is None:
        return ()
    return (found,) if isinstance(found, str) else found
