"""Columns in few words: an attribute whose name is the column's, unless keys say otherwise, and the helpers that tables of links share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from klaviyo_sql.model.table import Attribute, Column, Filter, Id, Included, Place, Related, Type


def _attribute(name: str, type_: Type, doc: str, keys: tuple[str, ...], filter_: str | Filter | None, more: dict[str, Any]) -> Column:
    filters = () if filter_ is None else (Filter(filter_),) if isinstance(filter_, str) else (filter_,)
    return Column(name, Attribute(keys or (name,)), type_, doc, filters=filters, **more)


def text(name: str, doc: str, *keys: str, filter: str | Filter | None = None, **more: Any) -> Column:  # noqa: A002 - it is called so in Klaviyo
    """A text; Klaviyo compares texts in a case that it does not document, so a filter by its name alone is a superset."""
    return _attribute(name, Type.TEXT, doc, keys, filter, more)


def integer(name: str, doc: str, *keys: str, filter: str | Filter | None = None, **more: Any) -> Column:  # noqa: A002
    """A whole number."""
    return _attribute(name, Type.INTEGER, doc, keys, filter, more)


def real(name: str, doc: str, *keys: str, **more: Any) -> Column:
    """A number."""
    return _attribute(name, Type.REAL, doc, keys, None, more)


def boolean(name: str, doc: str, *keys: str, filter: str | None = None, **more: Any) -> Column:  # noqa: A002
    """0 or 1, which Klaviyo's filters answer exactly."""
    return _attribute(name, Type.BOOLEAN, doc, keys, Filter(filter, exact=True) if filter else None, more)


def json(name: str, doc: str, *keys: str, **more: Any) -> Column:
    """Anything as JSON text."""
    return _attribute(name, Type.JSON, doc, keys, None, more)


def time(name: str, doc: str, *keys: str, filter: str | Filter | None = None, **more: Any) -> Column:  # noqa: A002
    """An instant to the second; what Klaviyo compares may be finer than what it shows, so a filter is a superset."""
    return _attribute(name, Type.TIMESTAMP, doc, keys, filter, more)


def precise_time(name: str, doc: str, *keys: str, filter: str | Filter | None = None, **more: Any) -> Column:  # noqa: A002
    """An instant to the microsecond; a filter is a superset, because bounds are sent in whole seconds."""
    return _attribute(name, Type.TIMESTAMP_MICROSECONDS, doc, keys, filter, more)


def own_id(doc: str, *, name: str = "id", filter: str | None = "id") -> Column:  # noqa: A002
    """The resource's own id."""
    return Column(name, Id(), Type.TEXT, doc, filters=(Filter(filter, exact=True),) if filter else (), not_null=True)


def linked(name: str, place: Place, doc: str, *filters: Filter, **more: Any) -> Column:
    """A text in a place of its own, such as the id of what a row links to."""
    return Column(name, place, Type.TEXT, doc, filters=filters, **more)


def through(relation: str, resource: str, columns: Iterable[Column], *, leaving: Iterable[str] = ()) -> dict[str, Place]:
    """Where a resource's columns are when it is not read itself, but included by another; `leaving` names columns that are said otherwise."""
    places: dict[str, Place] = {}
    for column in columns:
        if column.name in leaving:
            continue
        if isinstance(column.place, Id):
            places[column.name] = Related(relation, resource)
        elif isinstance(column.place, Attribute):
            places[column.name] = Included(relation, resource, column.place)
    return places
