"""Tokens are SQLite's, and what is masked stays where it was."""

from __future__ import annotations

import pytest

from klaviyo_sql.statements import tokens


def test_tokens_have_their_places() -> None:
    sql = "SELECT a.\"b\"\"c\", 'it''s -- no' /* x */ FROM [t u] WHERE x>=?12 AND y = :name -- end"
    found = tokens.read(sql)
    assert found is not None
    assert [sql[token.start : token.end] for token in found] == [token.text for token in found]
    assert [token.text for token in found] == (
        ["SELECT", "a", ".", '"b""c"', ",", "'it''s -- no'", "FROM", "[t u]", "WHERE", "x", ">", "=", "?12", "AND", "y", "=", ":name"]
    )
    assert [token.name for token in found if token.kind in ("word", "quoted")][:3] == ["select", "a", 'b"c']


@pytest.mark.parametrize(
    ("sql", "masked"),
    [
        ("a = ?12", "a = ?  "),
        ("a = :b AND @c > $d", "a = ?  AND ?  > ? "),
        ("'?1 -- :a' -- :b", "'?1 -- :a'      "),
        ("/* ? */ ?", "        ?"),
        ("/* open", "       "),
    ],
)
def test_masked(sql: str, masked: str) -> None:
    assert tokens.masked(sql) == masked


@pytest.mark.parametrize("sql", ["'open", '"open', "a \\ b", "a\x00b", "a\xa0b", "#tmp", "{x}"])
def test_what_sqlite_would_not_take_is_not_read(sql: str) -> None:
    assert tokens.read(sql) is None
