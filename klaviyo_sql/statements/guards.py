"""Statements that are refused before SQLite reads them."""

from __future__ import annotations

import re

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
