"""The values of --param: for `?` in their order, or for `:name` as name=VALUE."""

from __future__ import annotations

import re
from collections.abc import Sequence

from klaviyo_sql.cli.exits import UsageError

Value = str | int | float
_NAMED = re.compile(r"[:@$]?([A-Za-z_]\w*)=(.*)", re.DOTALL)
_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d*)\.\d+")


def given(texts: Sequence[str], statements: int) -> dict[str, Value] | list[Value]:
    """The parameters as the statements take them; UsageError when both kinds are mixed, or values without names meet several statements."""
    named: dict[str, Value] = {}
    positional: list[Value] = []
    for text in texts:
        if found := _NAMED.fullmatch(text):
            named[found[1]] = value(found[2])
        else:
            positional.append(value(text.removeprefix("=")))
    if named and positional:
        raise UsageError("--param has values with and without a name: give all of them as name=VALUE, or none (a value that holds a = is written =VALUE).")
    if positional and statements > 1:
        raise UsageError("There are several statements: give their parameters names, as in --param since=2026-01-01 for :since.")
    return named or positional


def value(text: str) -> Value:
    """A number where the text is how a number is written, else the text: `007`, `+15551234` and `1e5` stay texts."""
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and repr(number := float(text)) == text:
        return number
    return text
