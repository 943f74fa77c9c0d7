"""How much of a resource is asked for: sparse fieldsets, additional fields and includes, no more than the columns need."""

from __future__ import annotations

from collections.abc import Iterable

from klaviyo_sql.contract import Operation
from klaviyo_sql.model.table import Attribute, Choice, Collected, Collection, Detail, Elements, Included, Latest, Linked, ParentId, Place, Related, Whole
from klaviyo_sql.plan import fieldsets


def place_in_reply(place: Place, *, by_id: bool) -> Place:
    """Where the value is in a reply of the list, or of the by-id operation."""
    if isinstance(place, Choice):
        if by_id and place.by_id is not None:
            return place.by_id
        return place if place.keys is None else Attribute(place.keys)
    if isinstance(place, ParentId) and by_id and place.relation is not None:
        return Related(place.relation, place.resource)
    return place


def parameters(source: Collection, operation: Operation, places: Iterable[Place], *, by_id: bool = False) -> dict[str, str]:
    """The query parameters that ask for what is in these places."""
    asked = _Asked(source, operation)
    owner = source.resource
    for each in source.each:
        if isinstance(each, Linked):
            asked.include(each.relation, each.resource)
            owner = each.resource
    for place in places:
        match place:
            case Attribute() | Latest():
                asked.attribute(source.resource, place.keys, place.additional)
            case Detail() if by_id:
                asked.attribute(source.resource, place.keys, place.additional)
            case Related(inlined=True):
                pass
            case Related(relation=relation, resource=resource):
                asked.include(relation, resource)
            case Collected(relation=relation, resource=resource, attributes=names):
                asked.include(relation, resource)
                for name in names:
                    asked.attribute(resource, (name,), None)
            case Included(relation=relation, resource=resource, place=Attribute(keys=keys)):
                asked.include(relation, resource)
                asked.attribute(resource, keys, None)
            case Included(relation=relation, resource=resource) | Whole(relation=relation, resource=resource):
                asked.include(relation, resource)
                asked.whole.add(resource)
            case _:
                pass
    for each in source.each:
        if isinstance(each, Elements):
            for _, keys in each.arrays:
                asked.attribute(owner, keys, each.additional)
    return asked.parameters()


class _Asked:
    """What is asked for so far."""

    def __init__(self, source: Collection, operation: Operation) -> None:
        self._operation = operation
        self._names: dict[str, set[str]] = {source.resource: set()}
        self._additional: dict[str, set[str]] = {}
        self._relations: set[str] = set()
        self.whole: set[str] = set()
        """Resources whose relationships are needed: a fieldset could leave them out."""

    def include(self, relation: str, resource: str) -> None:
        self._relations.add(relation)
        self._names.setdefault(resource, set())

    def attribute(self, resource: str, keys: tuple[str, ...], additional: str | None) -> None:
        self._names.setdefault(resource, set()).add(fieldsets.name_of(keys, self._operation.fields.get(resource, ())))
        if additional and additional in self._operation.additional_fields.get(resource, ()):
            self._additional.setdefault(resource, set()).add(additional)

    def parameters(self) -> dict[str, str]:
        found = {f"additional-fields[{resource}]": ",".join(sorted(names)) for resource, names in self._additional.items()}
        for resource, names in self._names.items():
            known = self._operation.fields.get(resource, ())
            if known and resource not in self.whole:
                found[f"fields[{resource}]"] = ",".join(fieldsets.compacted(frozenset(names), known)) or "id"
        if self._relations:
            found["include"] = ",".join(sorted(self._relations))
        return found
