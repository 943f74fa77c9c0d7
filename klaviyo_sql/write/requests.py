"""Changed rows as the fewest requests: what may go together goes together, and what depends on something goes after it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import msgspec

from klaviyo_sql import contract
from klaviyo_sql.errors import DataError, InternalError, NotSupportedError
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.table import Linked, Related, Table
from klaviyo_sql.model.writing import Job, Links, Many, One
from klaviyo_sql.write.bodies import Template, body, body_path, form_body, form_template, template, unwritable
from klaviyo_sql.write.changes import Change, Conflict, Kind
from klaviyo_sql.write.schema import data

_ROOM = 2_000  # bytes of a body around its elements, with room to spare


@dataclass(slots=True)
class Shipment:
    """One request, and the changes that it carries out: behind each element of the array at `array` in its body, or all behind one without an array.

    `job` is how the bulk job that it starts is followed. `creates` says that its rows are new, `looked` that they were looked for after a lost reply.
    `told`: they are to have what Klaviyo replies.
    """

    request: Request
    elements: list[list[Change]]
    array: tuple[str, ...] | None = None
    job: Job | None = None
    creates: bool = False
    looked: bool = False
    told: bool = False

    @property
    def changes(self) -> Iterator[Change]:
        """Every change that the request carries out."""
        return (change for behind in self.elements for change in behind)

    @property
    def is_many(self) -> bool:
        """Whether the request is made for many rows, even if it has only one."""
        return self.array is not None

    def only(self, numbers: Iterable[int]) -> Shipment:
        """The same with these elements alone."""
        chosen = list(numbers)
        if self.array is None or self.request.body is None:
            raise InternalError("a request for one row has no parts")
        inner: Any = self.request.body
        for key in self.array:
            inner = inner[key]
        body = _with_array(self.request.body, self.array, [inner[number] for number in chosen])
        return replace(self, request=replace(self.request, body=body), elements=[self.elements[number] for number in chosen])


def _with_array(document: dict[str, Any], path: tuple[str, ...], array: list[Any]) -> dict[str, Any]:
    key, *rest = path
    return {**document, key: _with_array(document[key], tuple(rest), array) if rest else array}


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


def check(change: Change) -> None:
    """Look at one row by itself before it is put aside.

    DataError when a value cannot be taken or one is missing; NotSupportedError when such a row cannot be written at all.
    """
    table, writes = change.table, change.table.writes
    if writes is None or not writes.allows(change.kind):
        raise NotSupportedError(refused(table, change.kind))
    if change.kind is Kind.DELETE:
        return
    if writes.links is not None:
        _ends(table, writes.links, change)
        return
    if change.kind is Kind.INSERT and writes.one_of and not any(change.values.get(table.index(name)) is not None for name in writes.one_of):
        raise DataError(f"{table.name} needs {' or '.join(writes.one_of)}: nothing else tells one row from another")
    one, many = _ways(table, change.kind, change.conflict)
    document: dict[str, Any] = {}
    if (upload := _upload(change, change.values)) is not None:
        form_body(table, form_template(table, upload.operation, writes.upload[0]), change.values)  # type: ignore[index]
    elif one is not None:
        document = _document(change, change.values, template(table, one.operation), one, change.repeated)
    elif many is not None:
        around, values = _split(table, many, change.values)
        missing = [name for name in many.needs if around.get(table.index(name)) is None]
        if missing:
            raise DataError(f"{table.name} needs {' and '.join(missing)}: Klaviyo takes no row without")
        _envelope(table, many, around)
        document = _document(change, values, template(table, many.operation, many.key))
    if many is not None and many.most_bytes is not None:
        _fits(table, many.most_bytes, len(msgspec.json.encode(document)))


def _fits(table: Table, most_bytes: int, size: int) -> None:
    if size > most_bytes:
        raise DataError(f"{table.name}: one row is {size:,} bytes long, and Klaviyo takes at most {most_bytes:,}")


def takes(table: Table, kind: Kind, conflict: Conflict = Conflict.ABORT) -> frozenset[int]:
    """The positions of the columns that such a change can write; a link is written by the ids at its ends, a row is deleted by its key."""
    writes = table.writes
    if writes is None or kind is Kind.DELETE:
        return frozenset()
    if writes.links is not None:
        return frozenset(map(table.index, (writes.links.path, writes.links.ids)))
    one, many = _ways(table, kind, conflict)
    made = _made(table, one, many)
    looked_up = (table.index(lookup.column) for lookup in writes.lookups) if kind is Kind.INSERT else ()
    uploaded = (table.index(writes.upload[0]),) if kind is Kind.INSERT and writes.upload is not None else ()
    around = map(table.index, many.around if many is not None else ())
    return frozenset(made.paths if made is not None else ()).union(looked_up, uploaded, around)


def _upload(change: Change, values: Mapping[int, Any]) -> One | None:
    """What takes the file of a new row, if it has one."""
    writes = change.table.writes
    if writes is None or writes.upload is None or change.kind is not Kind.INSERT or values.get(change.table.index(writes.upload[0])) is None:
        return None
    return writes.upload[1]


def check_columns(table: Table, positions: Sequence[int]) -> None:
    """Look at an UPDATE of these columns, or at a DELETE if there are none, before a row is known; NotSupportedError when it cannot be carried out."""
    kind = Kind.UPDATE if positions else Kind.DELETE
    writes = table.writes
    if writes is None or not writes.allows(kind):
        raise NotSupportedError(refused(table, kind))
    if kind is Kind.DELETE:
        return
    one, many = _ways(table, kind, Conflict.ABORT)
    made = _made(table, one, many)
    for position in positions:
        if made is not None and not made.takes(position):
            raise NotSupportedError(unwritable(table, table.columns[position], made, is_new=False))
    names = [table.columns[position].name for position in positions]
    alone = [name for name in names if one is not None and name in one.alone]
    if alone and len(names) > 1:
        raise NotSupportedError(f"{table.name}.{alone[0]} is changed by itself: set it in an UPDATE of its own, before or after the one of the other columns.")


def repeated(table: Table, positions: Collection[int]) -> frozenset[int]:
    """What an UPDATE of these columns has to repeat, because Klaviyo replaces it as a whole together with one of them."""
    one = table.writes.update if table.writes is not None else None
    if one is None or not one.whole:
        return frozenset()
    paths = {position: body_path(table, table.columns[position]) or () for position in positions}
    found: set[int] = set()
    for whole in one.whole:
        root = tuple(whole.path.split("."))
        if any(path[: len(root)] == root and path != root for path in paths.values()):
            found |= {table.index(name) for name in whole.columns}
    return frozenset(found.difference(positions))


def ways(table: Table, kind: Kind, conflict: Conflict = Conflict.ABORT) -> list[str]:
    """How such changes are sent, for people: a sentence for each operation, with how many rows it takes."""
    writes = table.writes
    if writes is None or not writes.allows(kind):
        return []
    if writes.links is not None:
        name = writes.links.add if kind is Kind.INSERT else writes.links.remove
        return [] if name is None else [f"{_called(name)}: one request for up to {writes.links.most:,} {writes.links.ids} of each {writes.links.path}"]
    one, many = _ways(table, kind, conflict)
    found = []
    if many is not None:
        least = f", from {many.least} rows on" if one is not None and many.least > 1 else ""
        job = "; then its job is looked at until it is done" if many.job is not None else ""
        found.append(f"{_called(many.operation)}: one request for up to {many.most:,} rows and {many.megabytes} MB{least}{job}")
    if one is not None:
        found.append(f"{_called(one.operation)}: one request a row{', for fewer rows' if many is not None else ''}")
    return found


def _called(name: str) -> str:
    operation = contract.operation(name)
    return f"{operation.method} {operation.path}"


def refused(table: Table, kind: Kind) -> str:
    """Why a table takes no such statement, and what to do instead."""
    writes = table.writes
    if writes is None:
        return f"{table.name} cannot be written to: Klaviyo has no way to change it."
    if kind in writes.refused:
        return f"{kind} is not possible on {table.name}: {writes.refused[kind]}"
    return f"{kind} is not possible on {table.name}: Klaviyo has no such operation. What is possible: {', '.join(writes.kinds)}."


def stages(changes: Iterable[Change]) -> Iterator[list[Shipment]]:
    """The requests, in stages: those of one stage may be under way side by side; each stage is to be done before the next begins."""
    for group in _groups(changes):
        yield list(_shipments(group))


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
    one, many = _ways(table, group.kind, group.conflict)
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
        yield _of_one(table, _upload(row[0], values) or one, row, values)


def _ways(table: Table, kind: Kind, conflict: Conflict) -> tuple[One | None, Many | None]:
    """What writes one row, and what many."""
    writes = table.writes
    if writes is None:
        return None, None
    if kind is Kind.UPDATE:
        return writes.update, writes.update_many
    if kind is Kind.DELETE:
        return writes.delete, writes.delete_many
    if conflict is Conflict.REPLACE:
        if writes.replace is None and writes.replace_many is None:
            raise NotSupportedError(f"INSERT OR REPLACE is not possible on {table.name}: Klaviyo has no such operation. Use UPDATE for rows that are there.")
        return writes.replace, writes.replace_many
    return writes.insert, writes.insert_many


def _made(table: Table, one: One | None, many: Many | None) -> Template | None:
    """Where columns go in what writes a row, or in one of many."""
    if one is not None:
        return template(table, one.operation)
    return template(table, many.operation, many.key) if many is not None else None


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
        document = {"data": _document(first, values, template(table, one.operation), one, read)}
    repeatable = one.repeatable or operation.method in ("PATCH", "DELETE")
    request = Request(one.operation, operation.method, path, body=document, upload=upload, table=table.name, repeatable=repeatable)
    return Shipment(request, [row], job=one.job, creates=first.kind is Kind.INSERT and one.job is None, told=one.told)


def _with_id(path: str, change: Change) -> str:
    """The path with the row's id: of a key of several columns the last one."""
    if change.key is None:
        raise DataError(f"{change.table.name}: the row's id is not known")
    return re.sub(r"\{\w+\}", lambda _: quote(str(_id(change)), safe=""), path)


def _id(change: Change) -> Any:
    names = change.table.key
    key = change.key or ()
    position = names.index("id") if "id" in names else names.index("Id") if "Id" in names else -1
    return key[position]


def _document(change: Change, values: Mapping[int, Any], made: Template, one: One | None = None, read: Container[int] = ()) -> dict[str, Any]:
    identifier = None if change.kind is Kind.INSERT else str(_id(change)) if change.key else ""
    clears = one.clears if one is not None else ()
    return body(change.table, made, values, identifier=identifier, is_new=change.kind is Kind.INSERT, repeated=read, clears=clears)


def _of_many(group: _Group, many: Many, one: One | None, rows: list[tuple[list[Change], dict[int, Any]]]) -> Iterator[Shipment]:
    found = _gathered(group, many, one, rows) if many.within is not None and one is not None else _each(group, many, rows)
    for part, envelope in found:
        yield _filled(group, many, part, envelope)


def _split(table: Table, many: Many, values: Mapping[int, Any]) -> tuple[dict[int, Any], dict[int, Any]]:
    """The values that stand around the elements of a request, and those that stand in one."""
    around = frozenset(map(table.index, many.around))
    return {at: value for at, value in values.items() if at in around}, {at: value for at, value in values.items() if at not in around}


def _envelope(table: Table, many: Many, around: Mapping[int, Any]) -> dict[str, Any]:
    """What stands in `data` around the elements."""
    return body(table, template(table, many.operation), around, is_new=True, whole=False) if around else {}


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
        ids.setdefault(str(_id(change)), []).append(change)
    every = list(ids)
    for start in range(0, len(every), many.most):
        part = every[start : start + many.most]
        linkage = [{"type": other.enum[0] if other else None, "id": one} for one in part]
        document = {"data": {"type": kind.enum[0] if kind else None, "relationships": {many.key: {"data": linkage}}}}
        request = Request(many.operation, operation.method, operation.path, body=document, table=group.table.name, repeatable=many.repeatable)
        yield Shipment(request, [ids[one] for one in part], ("data", "relationships", many.key, "data"), job=many.job)


_Element = tuple[list[list[Change]], dict[str, Any]]
"""The rows behind an element of a request's array, and the element."""


_Rows = list[tuple[list[Change], dict[int, Any]]]
_Part = tuple[list[_Element], dict[str, Any]]
"""Elements of one request, and what the request has around them."""


def _each(group: _Group, many: Many, rows: _Rows) -> Iterator[_Part]:
    """Each row as an element, as many at a time as a request takes; rows that agree in what stands around them go together."""
    made = template(group.table, many.operation, many.key)
    alike: defaultdict[bytes, _Rows] = defaultdict(list)
    for row, values in rows:
        around, own = _split(group.table, many, values)
        alike[msgspec.json.encode(sorted(around.items()))].append((row, own))
    for encoded, found in alike.items():
        envelope = _envelope(group.table, many, dict(msgspec.json.decode(encoded)))
        for part in _parts((([row], _document(row[0], values, made)) for row, values in found), many):
            yield part, envelope


def _gathered(group: _Group, many: Many, one: One, rows: _Rows) -> Iterator[_Part]:
    """Rows that share something, such as the profile that events are of, as one element, with the rest of each in an array."""
    made = template(group.table, one.operation)
    shared = (many.group or "").split()
    together: defaultdict[bytes, list[_Element]] = defaultdict(list)
    for row, values in rows:
        document = _document(row[0], values, made)
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
            _fits(behind[0][0].table, many.most_bytes, size)
        if part and (len(part) >= many.most or length + size > many.megabytes * 10**6 - _ROOM):
            yield part
            part, length = [], 0
        part.append((behind, document))
        length += size
    if part:
        yield part


def _ends(table: Table, links: Links, change: Change) -> tuple[Any, Any]:
    """The ids at both ends of a link."""
    names = (links.path, links.ids)
    if change.kind is Kind.DELETE and change.key is not None:
        key = dict(zip(table.key, change.key, strict=True))
        return key[names[0]], key[names[1]]
    named = change.named
    told = {column for _, column in links.meta}
    for name, value in named.items():
        if name not in names and name not in told and value is not None:
            raise NotSupportedError(f"{table.name}.{name} cannot be written: a row is the link of {names[0]} with {names[1]}, and nothing else.")
    for name in (*names, *(column for key, column in links.meta if key in data(links.add).items.at(("meta",)).required)):  # type: ignore[union-attr]
        if named.get(name) is None:
            raise DataError(f"{table.name} needs {name}: a row is the link of {names[0]} with {names[1]}")
    return named[names[0]], named[names[1]]


def _of_links(group: _Group, links: Links) -> Iterator[Shipment]:
    ends = [(change, dict(zip((links.path, links.ids), _ends(group.table, links, change), strict=True))) for change in group.changes]
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
