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


def changed_table(sql: str) -> str | None:
    """The name, in lower case, of the table that an UPDATE or DELETE changes; None for other statements, and where a schema or a WITH comes before it."""
    head = _head(tokens.read(sql) or [])
    return head[-1].name if head else None


def reads_none(sql: str, key: Collection[str], columns: Collection[str]) -> bool:
    """Whether an UPDATE or DELETE certainly reads no more of its table than the columns of the key, and no other table; `columns` are all, in lower case.

    False where that cannot be told, as in a statement with another SELECT in it.
    """
    found = tokens.read(sql) or []
    head = _head(found)
    if not head or len(found) == len(head) or not found[len(head)].is_word("SET", "WHERE"):
        return False
    depth, sets = 0, False  # whether the name of a column that is set is to come
    for place, token in enumerate(found[len(head) :], len(head)):
        after = found[place + 1].text if place + 1 < len(found) else ""
        depth += (token.text == "(") - (token.text == ")")
        if sets:
            if token.kind not in ("word", "quoted") or after != "=" or token.name in key:
                return False
            sets = False
        elif token.is_word("SELECT", "FROM", "WITH", "RETURNING", "INDEXED", "AS") or (token.is_word("IN") and after != "("):
            return False
        elif token.is_word("SET") or (depth == 0 and token.text == ","):
            sets = True
        elif token.kind in ("word", "quoted") and token.name in columns and token.name not in key:
            return False
    return True


def _head(found: list[tokens.Token]) -> list[tokens.Token]:
    """What an UPDATE or DELETE begins with, up to the name of its table; nothing where a schema comes before that, and of other statements."""
    count = 0
    if found and found[0].is_word("UPDATE"):
        count = 4 if len(found) > 1 and found[1].is_word("OR") else 2
    elif len(found) > 1 and found[0].is_word("DELETE") and found[1].is_word("FROM"):
        count = 3
    if not count or len(found) < count or found[count - 1].kind not in ("word", "quoted") or (len(found) > count and found[count].text == "."):
        return []
    return found[:count]


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
