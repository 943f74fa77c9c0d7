"""Klaviyo's filter language, read into clauses.

```
filter := clause { "," clause } | "and(" clause { "," clause } ")"
clause := operator "(" field "," value ")" | "has(" field ")"
value  := "string" | 'string' | number | true | false | datetime | "[" value { "," value } "]"
```

There is no white space outside of strings, and no `or`, `not` or null.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

OPERATORS = frozenset(
    (
        "equals",
        "less-than",
        "less-or-equal",
        "greater-than",
        "greater-or-equal",
        "contains",
        "starts-with",
        "ends-with",
        "any",
        "contains-any",
        "contains-all",
        "has",
    )
)

_NAME = re.compile(r"[a-z][a-z-]*(?=\()")
_FIELD = re.compile(r"[^\s,()\"'\[\]]+(?: [^\s,()\"'\[\]]+)*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_BARE = re.compile(r"[^\s,()\"'\[\]]+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\Z")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?\Z")


class FilterSyntaxError(ValueError):
    """The text is not in the filter language."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A datetime as written; without an offset its meaning depends on the endpoint, so `naive` is kept."""

    instant: datetime
    naive: bool = False


Scalar = str | int | float | bool | Moment
Value = Scalar | tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition; `value` is a tuple for a list, and None for `has`."""

    operator: str
    field: str
    value: Value = None


def parse(text: str) -> tuple[Clause, ...]:
    """The clauses, all of which must hold; FilterSyntaxError says what is wrong and where."""
    reader = _Reader(text)
    if text.startswith("and("):
        reader.expect("and(")
        clauses = reader.clauses()
        reader.expect(")")
    else:
        clauses = reader.clauses()
    reader.end()
    return clauses


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def clauses(self) -> tuple[Clause, ...]:
        found = [self._clause()]
        while self._take(","):
            found.append(self._clause())
        return tuple(found)

    def expect(self, token: str) -> None:
        if not self._take(token):
            raise self._error(f"expected {token!r}")

    def end(self) -> None:
        if self._at != len(self._text):
            raise self._error("expected the end of the filter")

    def _take(self, token: str) -> bool:
        if self._text.startswith(token, self._at):
            self._at += len(token)
            return True
        return False

    def _match(self, pattern: re.Pattern[str], what: str) -> str:
        found = pattern.match(self._text, self._at)
        if not found:
            raise self._error(f"expected {what}")
        self._at = found.end()
        return found[0]

    def _clause(self) -> Clause:
        start = self._at
        operator = self._match(_NAME, "an operator")
        if operator not in OPERATORS:
            self._at = start
            raise self._error(f"unknown operator {operator!r}")
        self.expect("(")
        field = self._match(_FIELD, "a field")
        value: Value = None
        if operator != "has":
            self.expect(",")
            value = self._list() if self._take("[") else self._scalar()
        self.expect(")")
        return Clause(operator, field, value)

    def _list(self) -> tuple[Scalar, ...]:
        if self._take("]"):
            return ()
        values = [self._scalar()]
        while self._take(","):
            values.append(self._scalar())
        self.expect("]")
        return tuple(values)

    def _scalar(self) -> Scalar:
        if self._text[self._at : self._at + 1] in ('"', "'"):
            quoted = self._match(_STRING, "a closed string")
            return _ESCAPE.sub(r"\1", quoted[1:-1])
        start = self._at
        word = self._match(_BARE, "a value")
        if word in ("true", "false"):
            return word == "true"
        if _NUMBER.match(word):
            return float(word) if re.search(r"[.eE]", word) else int(word)
        if _DATETIME.match(word):
            try:
                instant = datetime.fromisoformat(word)
            except ValueError:
                self._at = start
                raise self._error(f"{word!r} is not a date") from None
            if instant.tzinfo is None:
                return Moment(instant.replace(tzinfo=UTC), naive=True)
            return Moment(instant.astimezone(UTC))
        self._at = start
        raise self._error(f"{word!r} is neither a quoted string nor a number, a boolean or a datetime")

    def _error(self, what: str) -> FilterSyntaxError:
        return FilterSyntaxError(f"Invalid filter: {what} at position {self._at} of {self._text!r}")
