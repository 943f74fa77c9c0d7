"""Klaviyo's filter language: what is wanted of a column, as clauses.

    equals(metric_id,"X")    any(id,["a","b"])    greater-or-equal(datetime,2026-01-01T00:00:00Z)    has(profile)

A clause may let more rows through than SQL means, never fewer. Klaviyo's operators differ by field: profiles know only `>` and `<` on
`created`, lists only `>`. Times are compared to the second on the way in, and what Klaviyo compares them with may be finer than what it
shows, so a bound is widened until it cannot lose a row.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from klaviyo_sql.contract import FilterRule
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.table import Filter
from klaviyo_sql.plan.constraints import Bound, Unknown, Wanted

_SECOND = timedelta(seconds=1)
MOST_VALUES = 100
"""Values in one `any(...)`: a page's worth. Klaviyo publishes no cap; FACTS advises 50 to 100 and URLs under 8 kB."""
MOST_CHARACTERS = 4_000
"""Characters of values in one `any(...)`, before percent-encoding, which can triple those that are not letters or digits."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """Clauses that are sent together, whether Klaviyo's answer to them is exactly what was wanted of the column, and the values they ask for."""

    clauses: tuple[str, ...]
    exact: bool
    values: tuple[Any, ...] = field(default=(), compare=False)


def literal(value: Any) -> str:
    """A value as the filter language writes it: strings quoted, instants in UTC with `Z`, booleans and numbers bare."""
    if isinstance(value, Unknown):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return timestamps.to_klaviyo(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return json.dumps(value)


def clause(operator: str, field: str, value: Any) -> str:
    """`operator(field,value)`; a list for `any`."""
    if isinstance(value, list | tuple):
        return f"{operator}({field},[{','.join(map(literal, value))}])"
    return f"{operator}({field},{literal(value)})"


def equality(filter_: Filter, rule: FilterRule, values: Sequence[Any]) -> list[Pushed] | None:
    """The ways to ask for each of the values: one entry per request that is needed; None when Klaviyo cannot be asked for them.

    With `any` that is one entry per chunk of values, otherwise one per value.
    """
    values = _as_booleans(values) if rule.type == "boolean" else values
    if not values or not _may_be_sent(rule, values):
        return None
    if "any" in rule.operators and len(values) > 1:
        return [Pushed((clause("any", filter_.field, chunk),), filter_.exact, chunk) for chunk in chunks(values)]
    if "equals" in rule.operators:
        return [Pushed((clause("equals", filter_.field, value),), filter_.exact, (value,)) for value in values]
    if "any" in rule.operators:
        return [Pushed((clause("any", filter_.field, values),), filter_.exact, tuple(values))]
    pushed = []
    for value in values:
        way = range_(filter_, rule, Bound(value, inclusive=True), Bound(value, inclusive=True))
        if way is None:
            return None
        pushed.append(replace(way, values=(value,)))
    return pushed


def _may_be_sent(rule: FilterRule, values: Sequence[Any]) -> bool:
    """Whether Klaviyo takes the values: of a listed few it refuses every other, which to SQL is only a value that no row has."""
    return not rule.enum or all(isinstance(value, Unknown) or value in rule.enum for value in values)


def range_(filter_: Filter, rule: FilterRule, low: Bound | None, high: Bound | None) -> Pushed | None:
    """The clauses for a range, as narrow as Klaviyo's operators allow; None when it has none that help."""
    ends = [_low(filter_, rule, low), _high(filter_, rule, high)]
    clauses = tuple(end for end in ends if end)
    if not clauses:
        return None
    meant = (low and ("greater-or-equal" if low.inclusive else "greater-than"), high and ("less-or-equal" if high.inclusive else "less-than"))
    return Pushed(clauses, filter_.exact and all(operator in rule.operators for operator in meant if operator))


def presence(filters: Iterable[Filter], rules: dict[str, FilterRule]) -> Pushed | None:
    """`has(field)` for IS NOT NULL, where a field knows it."""
    for filter_ in filters:
        rule = rules.get(filter_.field)
        if rule and "has" in rule.operators:
            return Pushed((f"has({filter_.field})",), filter_.exact)
    return None


def value_filter(filters: Iterable[Filter], rules: dict[str, FilterRule]) -> tuple[Filter, FilterRule] | None:
    """The filter of a column that takes values, with the rule that the contract has for it on this operation."""
    for filter_ in filters:
        rule = rules.get(filter_.field)
        if rule and rule.operators != ("has",):
            # A time that Klaviyo may know to the microsecond does not equal what it shows: a range around it is sent instead.
            never = filter_.never if filter_.exact or rule.type != "date-time" else filter_.never | {"equals", "any"}
            sent = tuple(operator for operator in rule.operators if operator not in never)
            return filter_, rule if sent == rule.operators else msgspec.structs.replace(rule, operators=sent)
    return None


def describes_range(wanted: Wanted) -> bool:
    """Whether there is a range to ask for."""
    return wanted.low is not None or wanted.high is not None


def chunks(values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The values in groups that fit one `any(...)`."""
    groups: list[list[Any]] = [[]]
    size = 0
    for value in values:
        length = len(literal(value)) + 1
        if groups[-1] and (len(groups[-1]) >= MOST_VALUES or size + length > MOST_CHARACTERS):
            groups.append([])
            size = 0
        groups[-1].append(value)
        size += length
    return [tuple(group) for group in groups]


def _as_booleans(values: Sequence[Any]) -> list[Any]:
    """SQL's 0 and 1; any other number equals no boolean."""
    return [value if isinstance(value, Unknown) else bool(value) for value in values if isinstance(value, Unknown) or value in (0, 1)]


def _low(filter_: Filter, rule: FilterRule, bound: Bound | None) -> str | None:
    """The clause for a lower end."""
    if bound is None or isinstance(bound.value, str):
        return None
    value, inclusive = bound.value, bound.inclusive
    if not isinstance(value, Unknown):
        # A value of whole seconds is at or after 0.5 exactly when it is at or after 1, and after 0.5 exactly when it is after 0.
        value = _up(value) if inclusive and filter_.exact else _down(value)
    order = ("greater-or-equal", "greater-than") if inclusive else ("greater-than", "greater-or-equal")
    operator = next((name for name in order if name in rule.operators), None)
    if operator is None:
        return None
    if inclusive and operator == "greater-than":
        value = _moved(value, -1)
    return clause(operator, filter_.field, value)


def _high(filter_: Filter, rule: FilterRule, bound: Bound | None) -> str | None:
    """The clause for an upper end."""
    if bound is None or isinstance(bound.value, str):
        return None
    value, inclusive = bound.value, bound.inclusive
    if not isinstance(value, Unknown):
        value = _down(value) if inclusive else _up(value)
    if inclusive and not filter_.exact:
        # What is shown as 12:00:00 may be 12:00:00.9 underneath.
        value, inclusive = _moved(value, 1), False
    order = ("less-or-equal", "less-than") if inclusive else ("less-than", "less-or-equal")
    operator = next((name for name in order if name in rule.operators), None)
    if operator is None:
        return None
    if inclusive and operator == "less-than":
        value = _moved(value, 1)
    return clause(operator, filter_.field, value)


def _down(value: Any) -> Any:
    return timestamps.floor(value) if isinstance(value, datetime) else math.floor(value)


def _up(value: Any) -> Any:
    return timestamps.ceiling(value) if isinstance(value, datetime) else math.ceil(value)


def _moved(value: Any, seconds: int) -> Any:
    """One second or one whole number on; at the end of the calendar a bound stays where it is."""
    if isinstance(value, Unknown):
        return Unknown(f"{value.text}{'+' if seconds > 0 else '-'}1s")
    if isinstance(value, datetime):
        try:
            return value + seconds * _SECOND
        except OverflowError:
            return value
    return value + seconds
