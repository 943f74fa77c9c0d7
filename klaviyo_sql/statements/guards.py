"""Statements that are refused before SQLite reads them."""

from __future__ import annotations

import re
from collections.abc import Collection

from klaviyo_sql.statements import tokens

_CHANGES = re.compile(r"\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*(?:UPDATE|DELETE|WITH)\b", re.IGNORECASE | re.DOTALL)


def is_unbounded(sql: str) -> bool:
    """Whether the statement is an UPDATE or a DELETE without a WHERE of its own, so that it would touch every row."""
    if not _CHANGES.match(sql):
        return False
    depth, changes = 0, False
    for token in tokens.read(sql) or ():
        if token.text == "(":
            depth += 1
        elif token.text == ")":
            depth -= 1
        elif depth == 0 and token.is_word("UPDATE", "DELETE"):
            changes = True
        elif (depth == 0 and token.is_word("WHERE")) or (depth == 0 and token.is_word("SELECT", "INSERT", "REPLACE") and not changes):
            return False
    return changes


def is_one_call(sql: str, names: Collection[str]) -> bool:
    """Whether the statement is a SELECT of one call of a function of these names, without a table, so that nothing comes after the call that could fail."""
    found = tokens.read(sql) or []
    if found and found[-1].text == ";":
        found = found[:-1]
    if len(found) < 4 or not found[0].is_word("SELECT") or found[1].name not in {name.lower() for name in names} or found[2].text != "(":
        return False
    depth = 0
    for place, token in enumerate(found[2:], 2):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0:
            rest = found[place + 1 :]
            if rest and rest[0].is_word("AS"):
                rest = rest[1:]
            return len(rest) <= 1 and all(alias.kind in ("word", "quoted") for alias in rest)
    return False
