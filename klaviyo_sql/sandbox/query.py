"""The query string of a request, held against what the contract says of the operation."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote

from klaviyo_sql.contract import FilterRule, Operation
from klaviyo_sql.sandbox.filter_grammar import Clause, FilterSyntaxError, Moment, Value, parse
from klaviyo_sql.sandbox.problems import Problem, RefusedError, invalid

_NUMERIC_IDS = frozenset(("/api/images",))
"""Recorded: ids that are numbers may be given without quotes."""

_TYPED = re.compile(r"(fields|additional-fields)\[([a-z-]+)\]\Z")


@dataclass(frozen=True, slots=True)
class Query:
    """The parameters, read; `pairs` are the same as they came, decoded, for links that must carry them on."""

    pairs: tuple[tuple[str, str], ...] = ()
    clauses: tuple[Clause, ...] = ()
    sort: str | None = None
    include: tuple[str, ...] = ()
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    additional: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cursor: str | None = None
    size: int | None = None

    def value(self, name: str) -> str | None:
        """What the parameter of that name came with."""
        return dict(self.pairs).get(name)


def split(query_string: str) -> tuple[tuple[str, str], ...]:
    """Names and values, decoded; a `+` is a space, as everywhere on the web."""
    return tuple(parse_qsl(query_string, keep_blank_values=True, max_num_fields=100))


def join(pairs: tuple[tuple[str, str], ...]) -> str:
    """The pairs encoded again, the way Klaviyo writes them into links."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)


def read(operation: Operation, pairs: tuple[tuple[str, str], ...]) -> Query:
    """The query of a request; RefusedError with everything that is wrong with it."""
    return _Reading(operation, pairs).query()


class _Reading:
    def __init__(self, operation: Operation, pairs: tuple[tuple[str, str], ...]) -> None:
        self._operation = operation
        self._pairs = pairs
        self._problems: list[Problem] = []

    def query(self) -> Query:
        operation = self._operation
        clauses: tuple[Clause, ...] = ()
        sort: str | None = None
        include: tuple[str, ...] = ()
        fields: dict[str, tuple[str, ...]] = {}
        additional: dict[str, tuple[str, ...]] = {}
        cursor: str | None = None
        size: int | None = None
        seen: set[str] = set()
        for name, value in self._pairs:
            if name in seen:
                self._refuse(f"The parameter {name!r} is given more than once; lists are joined with commas.", name)
                continue
            seen.add(name)
            typed = _TYPED.match(name)
            if name == "filter" and operation.filters:
                clauses = self._filter(value)
            elif name == "sort" and operation.sort:
                sort = self._one_of(name, value, operation.sort)
            elif name == "include" and operation.include:
                include = self._several_of(name, value, frozenset(operation.include))
            elif name == "page[cursor]" and operation.cursor:
                cursor = value
            elif name == "page[size]" and operation.page is not None:
                size = self._size(value, operation.page.max)
            elif typed and typed[1] == "fields" and typed[2] in operation.fields:
                fields[typed[2]] = self._several_of(name, value, _allowed_fields(operation, typed[2]))
            elif typed and typed[1] == "additional-fields" and typed[2] in operation.additional_fields:
                additional[typed[2]] = self._several_of(name, value, frozenset(operation.additional_fields[typed[2]]))
            elif name not in operation.other_parameters:
                self._refuse(f"{name!r} is not a valid parameter for this endpoint.", name)
        if operation.filter_required and not clauses and "filter" not in seen:
            self._refuse("A filter is required.", "filter")
        if self._problems:
            raise RefusedError(*self._problems)
        return Query(self._pairs, clauses, sort, include, fields, additional, cursor, size)

    def _refuse(self, detail: str, parameter: str) -> None:
        self._problems.append(invalid(detail, parameter=parameter))

    def _one_of(self, parameter: str, value: str, allowed: tuple[str, ...]) -> str | None:
        if value in allowed:
            return value
        self._refuse(f"{value!r} is not a valid {parameter}. Allowed: {', '.join(allowed)}.", parameter)
        return None

    def _several_of(self, parameter: str, value: str, allowed: frozenset[str]) -> tuple[str, ...]:
        names = tuple(value.split(","))
        for name in names:
            if name not in allowed:
                self._refuse(f"{name!r} is not a valid value for {parameter}. Allowed: {', '.join(sorted(allowed))}.", parameter)
        return names

    def _size(self, value: str, largest: int) -> int | None:
        if re.fullmatch(r"\d{1,9}", value, re.ASCII) and 1 <= int(value) <= largest:
            return int(value)
        self._refuse(f"Page size must be an integer between 1 and {largest}.", "page[size]")
        return None

    def _filter(self, text: str) -> tuple[Clause, ...]:
        try:
            clauses = parse(text)
        except FilterSyntaxError as error:
            self._refuse(str(error), "filter")
            return ()
        if self._operation.path in _NUMERIC_IDS:
            clauses = tuple(_with_texts(clause) if clause.field == "id" else clause for clause in clauses)
        for clause in clauses:
            if complaint := complaint_about(clause, self._operation.filters):
                self._refuse(complaint, "filter")
        return clauses


def _with_texts(clause: Clause) -> Clause:
    values = clause.value if isinstance(clause.value, tuple) else (clause.value,)
    texts = tuple(str(value) if isinstance(value, int) and not isinstance(value, bool) else value for value in values if value is not None)
    return replace(clause, value=texts if isinstance(clause.value, tuple) else texts[0])


def complaint_about(clause: Clause, rules: Mapping[str, FilterRule]) -> str | None:
    """What is wrong with a clause under these rules; None when it is fine."""
    rule = rules.get(clause.field)
    if rule is None:
        return f"{clause.field!r} is not a filterable field. Allowed: {', '.join(sorted(rules))}."
    if clause.operator not in rule.operators:
        return f"{clause.operator!r} is not supported for {clause.field!r}. Allowed: {', '.join(rule.operators)}."
    if clause.operator == "has":
        return None
    several = clause.operator in ("any", "contains-any", "contains-all")
    if several != isinstance(clause.value, tuple):
        return f"{clause.operator!r} on {clause.field!r} takes {'a list' if several else 'a single value'}."
    values: tuple[Value, ...] = clause.value if isinstance(clause.value, tuple) else (clause.value,)
    if not values:
        return f"The list for {clause.field!r} must not be empty."
    for value in values:
        if not _fits(value, rule.type):
            return f"Invalid value for {clause.field!r}: a {rule.type} is expected."
        if rule.enum and value not in rule.enum:
            return f"Invalid value for {clause.field!r}. Allowed: {', '.join(map(str, rule.enum))}."
    return None


def _fits(value: Value, kind: str) -> bool:
    if kind == "date-time":
        return isinstance(value, Moment)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in ("number", "integer"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


@functools.cache
def _fields_of(fields: tuple[str, ...]) -> frozenset[str]:
    return frozenset(fields) | {"id"}


def _allowed_fields(operation: Operation, resource_type: str) -> frozenset[str]:
    return _fields_of(operation.fields[resource_type])
