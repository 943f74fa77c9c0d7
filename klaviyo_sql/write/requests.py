"""Changed rows as the fewest requests: what may go together goes together, and what depends on something goes after it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec

from klaviyo_sql import contract
from klaviyo_sql.errors import DataError, NotSupportedError
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Linked, Related, Table
from klaviyo_sql.model.writing import Links, Many, One
from klaviyo_sql.write.bodies import form_body, form_template, template
from klaviyo_sql.write.changes import Change, Conflict, Kind
from klaviyo_sql.write.documents import check_size, document_of, ends_of, envelope_of, id_of, split_around, upload_of
from klaviyo_sql.write.schema import data
from klaviyo_sql.write.shipment import Shipment
from klaviyo_sql.write.ways import operations_of, refused

_ROOM = 2_000  # bytes of a body around its elements, with room to spare

_Element = tuple[list[list[Change]], dict[str, Any]]
"""The rows behind an element of a request's array, and the element."""
_Rows = list[tuple[list[Change], dict[int, Any]]]
_Part = tuple[list[_Element], dict[str, Any]]
"""Elements of one request, and what the request has around them."""


def stages(changes: Iterable[Change]) -> Iterator[list[Shipment]]:
    """The requests, in stages: those of one stage may be under way side by side; each stage is to be done before the next begins."""
    for group in _groups(changes):
        yield list(_shipments(group))


@dataclass(slots=True)
class _Group:
    """Changes of one kind in one table."""

    table: Table
    kind: Kind
    conflict: Conflict
    changes: list[Change] = field(default_factory=list)

    def fits(self, change: Change) -> bool:
        if self.table is not change.table or self.kind is not change.kind or self.conflict is not change.conflict:
            return False
        return all(_alone(other) == _alone(change) for other in self.changes[-1:])


def _alone(change: Change) -> frozenset[str]:
    """The columns that it sets and that Klaviyo takes in a request of their own only."""
    one = change.table.writes.update if change.table.writes is not None and change.kind is Kind.UPDATE else None
    return frozenset(one.alone).intersection(change.named) if one is not None and one.alone else frozenset()


def _groups(changes: Iterable[Change]) -> list[_Group]:
    groups: list[_Group] = []
    for change in changes:
        for group in reversed(groups):
            if group.fits(change):
                group.changes.append(change)
                break
            if not _may_pass(change, group):
                groups.append(_Group(change.table, change.kind, change.conflict, [change]))
                break
        else:
            groups.append(_Group(change.table, change.kind, change.conflict, [change]))
    return groups


def _may_pass(change: Change, group: _Group) -> bool:
    """Whether the change may be carried out before the group, which came before it."""
    own, others = touches(change.table), touches(group.table)
    if change.kind is group.kind is Kind.INSERT:
        # A new row only needs what it refers to: a new profile may go before events, an event not before new profiles.
        return not change.table.writes.links and getattr(group.table.source, "resource", "") not in own  # type: ignore[union-attr]
    return not own & others


def touches(table: Table) -> frozenset[str]:
    """The kinds of resources that a row of the table is about."""
    source = table.source
    kinds = {getattr(source, "resource", table.name)}
    kinds |= {column.place.resource for column in table.columns if isinstance(column.place, Related)}
    kinds |= {each.resource for each in getattr(source, "each", ()) if isinstance(each, Linked)}
    if source.parent is not None:
        kinds.add(source.parent.column.removesuffix("_id").replace("_", "-"))
    return frozenset(kinds)


def _shipments(group: _Group) -> Iterator[Shipment]:
    table, writes = group.table, group.table.writes
    if writes is None:
        raise NotSupportedError(refused(table, group.kind))
    if writes.links is not None:
        yield from _of_links(group, writes.links)
        return
    one, many = operations_of(table, group.kind, group.conflict)
    rows = _rows(group)
    if many is not None and many.linked:
        yield from _of_ids(group, many)
        return
    if many is not None and (one is None or _is_worth(many, rows, group)):
        yield from _of_many(group, many, one, rows)
        return
    if one is None:
        raise NotSupportedError(refused(table, group.kind))
    for row, values in rows:
        yield _of_one(table, upload_of(row[0], values) or one, row, values)


def _is_worth(many: Many, rows: Sequence[tuple[list[Change], dict[int, Any]]], group: _Group) -> bool:
    """Whether the rows go together: a bulk job overwrites what is there, and some cannot clear values."""
    if len(rows) < many.least or (group.kind is Kind.INSERT and group.conflict is Conflict.IGNORE):
        return False
    return not many.only_set or all(value is not None for _, values in rows for value in values.values())


def _rows(group: _Group) -> list[tuple[list[Change], dict[int, Any]]]:
    """The rows with what is to be written to them: changes of the same row become one."""
    if group.kind is Kind.INSERT:
        return [([change], dict(change.values)) for change in group.changes]
    found: dict[tuple[Any, ...] | None, tuple[list[Change], dict[int, Any]]] = {}
    for change in group.changes:
        row, values = found.setdefault(change.key, ([], {}))
        row.append(change)
        # What an earlier change set stays set, although this one has read what was there before.
        values.update({position: value for position, value in change.values.items() if position not in change.repeated or position not in values})
    return list(found.values())


def _of_one(table: Table, one: One, row: list[Change], values: dict[int, Any]) -> Shipment:
    operation = contract.operation(one.operation)
    first = row[0]
    path, document, upload = operation.path, None, None
    if first.kind is not Kind.INSERT:
        path = _with_id(path, first)
    if first.kind is Kind.INSERT and table.writes is not None and table.writes.upload is not None and one is table.writes.upload[1]:
        document, upload = form_body(table, form_template(table, one.operation, table.writes.upload[0]), values)
    elif operation.body is not None:
        read = frozenset(position for position in values if all(position in change.repeated or position not in change.values for change in row))
        document = {"data": document_of(first, values, template(table, one.operation), one, read)}
    repeatable = one.repeatable or operation.method in ("PATCH", "DELETE")
    request = Request(one.operation, operation.method, path, body=document, upload=upload, table=table.name, repeatable=repeatable)
    return Shipment(request, [row], job=one.job, creates=first.kind is Kind.INSERT and one.job is None, told=one.told)


def _with_id(path: str, change: Change) -> str:
    """The path with the row's id: of a key of several columns the last one."""
    if change.key is None:
        raise DataError(f"{change.table.name}: the row's id is not known")
    return re.sub(r"\{\w+\}", lambda _: quote(str(id_of(change)), safe=""), path)


def _of_many(group: _Group, many: Many, one: One | None, rows: list[tuple[list[Change], dict[int, Any]]]) -> Iterator[Shipment]:
    found = _gathered(group, many, one, rows) if many.within is not None and one is not None else _each(group, many, rows)
    for part, envelope in found:
        yield _filled(group, many, part, envelope)


def _filled(group: _Group, many: Many, part: list[_Element], envelope: Mapping[str, Any]) -> Shipment:
    """The request for these elements."""
    operation = contract.operation(many.operation)
    kind = data(many.operation).get("type")
    attributes = {**envelope.get("attributes", {}), many.key: {"data": [element for _, element in part]}}
    inner = {**envelope, "type": kind.enum[0] if kind else None, "attributes": attributes}
    request = Request(many.operation, operation.method, operation.path, body={"data": inner}, table=group.table.name, repeatable=many.repeatable)
    elements = [[change for row in rows for change in row] for rows, _ in part]
    return Shipment(request, elements, ("data", "attributes", many.key, "data"), job=many.job, creates=group.kind is Kind.INSERT)


def _of_ids(group: _Group, many: Many) -> Iterator[Shipment]:
    """Requests with nothing but the ids of rows."""
    operation = contract.operation(many.operation)
    kind = data(many.operation).get("type")
    items = data(many.operation).at(("relationships", many.key, "data"))
    other = items.items.get("type") if items is not None else None
    ids: dict[str, list[Change]] = {}
    for change in group.changes:
        ids.setdefault(str(id_of(change)), []).append(change)
    every = list(ids)
    for start in range(0, len(every), many.most):
        part = every[start : start + many.most]
        linkage = [{"type": other.enum[0] if other else None, "id": one} for one in part]
        document = {"data": {"type": kind.enum[0] if kind else None, "relationships": {many.key: {"data": linkage}}}}
        request = Request(many.operation, operation.method, operation.path, body=document, table=group.table.name, repeatable=many.repeatable)
        yield Shipment(request, [ids[one] for one in part], ("data", "relationships", many.key, "data"), job=many.job)


def _each(group: _Group, many: Many, rows: _Rows) -> Iterator[_Part]:
    """Each row as an element, as many at a time as a request takes; rows that agree in what stands around them go together."""
    made = template(group.table, many.operation, many.key)
    alike: defaultdict[bytes, _Rows] = defaultdict(list)
    for row, values in rows:
        around, own = split_around(group.table, many, values)
        alike[msgspec.json.encode(sorted(around.items()))].append((row, own))
    for encoded, found in alike.items():
        envelope = envelope_of(group.table, many, dict(msgspec.json.decode(encoded)))
        for part in _parts((([row], document_of(row[0], values, made)) for row, values in found), many):
            yield part, envelope


def _gathered(group: _Group, many: Many, one: One, rows: _Rows) -> Iterator[_Part]:
    """Rows that share something, such as the profile that events are of, as one element, with the rest of each in an array."""
    made = template(group.table, one.operation)
    shared = (many.group or "").split()
    together: defaultdict[bytes, list[_Element]] = defaultdict(list)
    for row, values in rows:
        document = document_of(row[0], values, made)
        common = {name: document["attributes"].get(name) for name in shared}
        together[msgspec.json.encode(common)].append(([row], document))
    array = data(many.operation).at(("attributes", many.key, "data"))
    kind = array.items.get("type") if array is not None else None
    for part in _parts((element for found in together.values() for element in found), many):
        elements: list[_Element] = []
        before: dict[str, Any] | None = None
        for behind, document in part:
            common = {name: value for name, value in document["attributes"].items() if name in shared}
            rest = {**document, "attributes": {name: value for name, value in document["attributes"].items() if name not in shared}}
            if common != before:
                elements.append(([], {"type": kind.enum[0] if kind else None, "attributes": {**common, str(many.within): {"data": []}}}))
                before = common
            elements[-1][0].extend(behind)
            elements[-1][1]["attributes"][many.within]["data"].append(rest)
        yield elements, {}


def _parts(elements: Iterable[_Element], many: Many) -> Iterator[list[_Element]]:
    """As many elements at a time as one request takes."""
    part: list[_Element] = []
    length = 0
    for behind, document in elements:
        size = len(msgspec.json.encode(document)) + 1
        if many.most_bytes is not None:
            check_size(behind[0][0].table, many.most_bytes, size)
        if part and (len(part) >= many.most or length + size > many.megabytes * 10**6 - _ROOM):
            yield part
            part, length = [], 0
        part.append((behind, document))
        length += size
    if part:
        yield part


def _of_links(group: _Group, links: Links) -> Iterator[Shipment]:
    ends = [(change, dict(zip((links.path, links.ids), ends_of(group.table, links, change), strict=True))) for change in group.changes]
    if links.other is not None and len({str(end[links.ids]) for _, end in ends}) < len({str(end[links.path]) for _, end in ends}):
        links = links.other
    name = links.add if group.kind is Kind.INSERT else links.remove
    if name is None:
        raise NotSupportedError(refused(group.table, group.kind))
    operation = contract.operation(name)
    items = data(name).items
    kind = items.get("type")
    grouped: defaultdict[str, dict[str, list[Change]]] = defaultdict(dict)
    for change, end in ends:
        grouped[str(end[links.path])].setdefault(str(end[links.ids]), []).append(change)
    for at, found in grouped.items():
        ids = list(found)
        for start in range(0, len(ids), links.most):
            part = ids[start : start + links.most]
            path = re.sub(r"\{\w+\}", lambda _, at=at: quote(at, safe=""), operation.path)  # type: ignore[misc]
            document = {"data": [{"type": kind.enum[0] if kind else None, "id": one, **_meta(links, found[one][0])} for one in part]}
            request = Request(name, operation.method, path, body=document, table=group.table.name, repeatable=not links.meta)
            yield Shipment(request, [found[one] for one in part], ("data",))


def _meta(links: Links, change: Change) -> dict[str, Any]:
    """What a new link tells of itself."""
    found = {key: str(change.named[column]) for key, column in links.meta if change.named.get(column) is not None}
    return {"meta": found} if found else {}
