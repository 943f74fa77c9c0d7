"""Rows that are not just the resources of a page: what is linked to them, what is in their arrays, what of them is in other resources.

Here a page is decoded whole, into dictionaries: the resources of `included` are of several types, and are looked up by type and id.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from klaviyo_sql.fetch import property_values
from klaviyo_sql.fetch.rows import GarbageError, Page, Row, in_sql, newest
from klaviyo_sql.model.table import (
    Attribute,
    Collected,
    Column,
    Detail,
    Element,
    ElementKind,
    ElementNumber,
    Elements,
    Id,
    Included,
    Latest,
    Linked,
    Place,
    Property,
    Related,
    Whole,
)

Resource = dict[str, Any]


class _Found(NamedTuple):
    """What one row is of: the resource, the identifier of what is linked to it, an element with its kind and its number."""

    owner: Resource
    linked: Resource | None = None
    element: Any = None
    kind: str | None = None
    number: int = 0


def is_nested(columns: Sequence[Column], each: tuple[Linked | Elements, ...]) -> bool:
    """Whether rows are to be read here, and not straight from each resource."""
    return bool(each) or any(
        isinstance(column.place, Included | Collected | Whole) or (isinstance(column.place, Related) and column.place.inlined) for column in columns
    )


@dataclass(frozen=True, slots=True)
class NestedDecoder:
    """Replies into rows of exactly `columns`, in that order."""

    columns: tuple[Column, ...]
    each: tuple[Linked | Elements, ...]

    def page(self, body: bytes, constants: Sequence[Any]) -> Page:
        """The rows of a collection's page; GarbageError when it is none, or links to what it does not bring."""
        return self._decoded(body, constants, single=False)

    def single(self, body: bytes, constants: Sequence[Any]) -> Page:
        """The rows of a reply with one resource, or with null, which is none; GarbageError as with a page."""
        return self._decoded(body, constants, single=True)

    def _decoded(self, body: bytes, constants: Sequence[Any], *, single: bool) -> Page:
        try:
            document = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GarbageError(f"it is not JSON ({error})") from None
        if not isinstance(document, dict) or "data" not in document:
            raise GarbageError("it has no member named data")
        data = document["data"]
        resources = data if isinstance(data, list) else [] if data is None and single else [data]
        if not all(isinstance(resource, dict) and isinstance(resource.get("id"), str) for resource in resources):
            raise GarbageError("its data is not made of resources with ids")
        links = document.get("links")
        next_url = links.get("next") if isinstance(links, dict) else None
        if not isinstance(next_url, str | None):
            raise GarbageError("its link to the next page is no text")
        return Page(list(self._rows(resources, _Included(document.get("included")), constants)), next_url)

    def _rows(self, resources: Iterable[Resource], included: _Included, constants: Sequence[Any]) -> Iterator[Row]:
        linked = next((each.relation for each in self.each if isinstance(each, Linked)), None)
        cells = [_cell(column, constant, included, linked) for column, constant in zip(self.columns, constants, strict=True)]
        for resource in resources:
            found: Iterable[_Found] = (_Found(resource),)
            for each in self.each:
                found = _linked(found, each) if isinstance(each, Linked) else _elements(found, each, included)
            for one in found:
                yield tuple(cell(one) for cell in cells)


@functools.lru_cache(maxsize=256)
def nested_decoder(columns: tuple[Column, ...], each: tuple[Linked | Elements, ...]) -> NestedDecoder:
    """The decoder for these columns."""
    return NestedDecoder(columns, each)


class _Included:
    """The other resources that a reply brings, by type and id."""

    def __init__(self, resources: Any) -> None:
        found = resources if isinstance(resources, list) else []
        self._resources = {(resource.get("type"), resource.get("id")): resource for resource in found if isinstance(resource, dict)}

    def get(self, identifier: Resource | None) -> Resource | None:
        return None if identifier is None else self._resources.get((identifier.get("type"), identifier.get("id")))

    def demanded(self, identifier: Resource) -> Resource:
        """The resource, which has to be there: a row without it would be half a row."""
        found = self.get(identifier)
        if found is None:
            raise GarbageError(f"it links to the {identifier.get('type')} {identifier.get('id')}, which was asked for, and does not bring it")
        return found


def _identifiers(resource: Resource, relation: str) -> list[Resource]:
    """What a resource is linked to; GarbageError when the reply leaves it out, or some of it."""
    relationships = resource.get("relationships")
    if not isinstance(relationships, dict):
        raise GarbageError("its resources have no relationships, which were asked for")
    relationship = relationships.get(relation)
    if relationship is None:
        return []
    if not isinstance(relationship, dict) or "data" not in relationship:
        raise GarbageError(f"it does not tell the {relation} of its resources, which were asked for")
    links = relationship.get("links")
    if isinstance(links, dict) and links.get("next"):
        raise GarbageError(f"it tells only some of the {relation} of a resource")
    data = relationship["data"]
    identifiers = [] if data is None else data if isinstance(data, list) else [data]
    if not all(isinstance(identifier, dict) and isinstance(identifier.get("id"), str) for identifier in identifiers):
        raise GarbageError(f"its {relation} are not made of ids")
    return identifiers


def _linked(found: Iterable[_Found], each: Linked) -> Iterator[_Found]:
    for one in found:
        for identifier in _identifiers(one.owner, each.relation):
            yield one._replace(linked=identifier)


def _elements(found: Iterable[_Found], each: Elements, included: _Included) -> Iterator[_Found]:
    for one in found:
        resource = one.owner if one.linked is None else included.demanded(one.linked)
        for kind, keys in each.arrays:
            array = _at(resource.get("attributes"), keys)
            if array is None:
                continue
            if not isinstance(array, list):
                raise GarbageError(f"{'.'.join(keys)} is no array")
            for number, element in enumerate(array, 1):
                yield one._replace(element=element, kind=kind, number=number)


def _at(value: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _cell(column: Column, constant: Any, included: _Included, linked: str | None) -> Callable[[_Found], Any]:
    """What reads the column from what a row is of."""
    place, type_ = column.place, column.type
    if isinstance(place, Id):
        return lambda found: found.owner["id"]
    if isinstance(place, Property):
        keys, convert = property_values.keys_of(place), property_values.reader(place, type_)
        return lambda found: convert(_at(found.owner.get("attributes"), keys))
    if isinstance(place, Attribute | Detail | Latest | Related | Included):
        read = _reader(place, included, linked)
        return lambda found: in_sql(type_, read(found))
    if isinstance(place, Collected):
        relation, names = place.relation, place.attributes
        return lambda found: in_sql(type_, [_summary(included.demanded(identifier), names) for identifier in _identifiers(found.owner, relation)])
    if isinstance(place, Whole):
        of = _other(place.relation, included, linked)
        return lambda found: None if (resource := of(found)) is None else in_sql(type_, {"id": resource["id"]} | (resource.get("attributes") or {}))
    if isinstance(place, Element):
        keys = place.keys
        return lambda found: in_sql(type_, _at(found.element, keys))
    if isinstance(place, ElementKind):
        return lambda found: found.kind
    if isinstance(place, ElementNumber):
        return lambda found: found.number
    return lambda found: constant


def _reader(place: Place, included: _Included, linked: str | None) -> Callable[[_Found], Any]:
    match place:
        case Latest(keys=keys, entry_key=entry_key):
            return lambda found: newest(_at(found.owner.get("attributes"), keys), entry_key)
        case Attribute(keys=keys) | Detail(keys=keys):
            return lambda found: _at(found.owner.get("attributes"), keys)
        case Related(relation=relation, inlined=inlined):
            if relation == linked:
                return lambda found: found.linked["id"] if found.linked else None
            if inlined:
                return lambda found: _told_id(found.owner, relation)
            return lambda found: (_first(found.owner, relation) or {}).get("id")
        case Included(relation=relation, place=inner):
            of = _other(relation, included, linked)
            if isinstance(inner, Related):
                other = inner.relation
                return lambda found: None if (resource := of(found)) is None else _told_id(resource, other)
            keys = inner.keys
            return lambda found: None if (resource := of(found)) is None else _at(resource.get("attributes"), keys)
    raise AssertionError(place)


def _other(relation: str, included: _Included, linked: str | None) -> Callable[[_Found], Resource | None]:
    """The resource at the other end: the one that the row is of has to be there, another one may be gone."""
    if relation == linked:
        return lambda found: included.demanded(found.linked) if found.linked else None
    return lambda found: included.get(_first(found.owner, relation))


def _told_id(resource: Resource, relation: str) -> str | None:
    """The id at the other end of a relation that nobody can ask for: the resource tells it or not."""
    data = _at(resource.get("relationships"), (relation, "data"))
    found = data[0] if isinstance(data, list) and data else data
    return found.get("id") if isinstance(found, dict) else None


def _summary(resource: Resource, names: tuple[str, ...]) -> dict[str, Any]:
    return {"id": resource["id"]} | {name: _at(resource.get("attributes"), (name,)) for name in names}


def _first(resource: Resource, relation: str) -> Resource | None:
    """What one relation leads to; a resource without any relation may have no relationships at all."""
    return next(iter(_identifiers(resource, relation)), None) if "relationships" in resource else None
