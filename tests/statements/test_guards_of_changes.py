"""What the text of a statement tells of the rows that it changes."""

from __future__ import annotations

import pytest

from klaviyo_sql.statements.guards import changed_table, is_one_call, reads_none

KEY, COLUMNS = {"id"}, {"id", "name", "created", "other name"}


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("UPDATE lists SET name = 'x'", "lists"),
        ("update or ignore [Lists] set name = 1", "lists"),
        ('/* a */ DELETE FROM "skyvia.Lists" -- b', "skyvia.lists"),
        ("DELETE FROM temp.lists", None),
        ("WITH w AS (SELECT 1) DELETE FROM lists", None),
        ("INSERT INTO lists (name) VALUES ('UPDATE lists SET')", None),
        ("SELECT 1", None),
        ("", None),
        ("UPDATE", None),
        ("UPDATE 'lists' SET name = 1", None),
        ("DELETE FROM lists WHERE name = 'not closed", None),
    ],
)
def test_the_table_that_is_changed(sql: str, table: str | None) -> None:
    assert changed_table(sql) == table


@pytest.mark.parametrize(
    ("sql", "certain"),
    [
        ("UPDATE lists SET name = 'x' WHERE id = 'a'", True),
        ("UPDATE lists SET name = max(1, ?), \"other name\" = :name WHERE lists.id IN ('a', ?2);", True),
        ("DELETE FROM lists WHERE id = 'a' OR ID IN ('name', 'b')", True),
        ("DELETE FROM lists WHERE id = 'a' /* name */ -- created", True),
        ("UPDATE lists SET name = name", False),
        ("UPDATE lists SET name = 'x', name = [Other Name] WHERE id = 'a'", False),
        ("UPDATE lists SET id = 'b' WHERE id = 'a'", False),
        ("UPDATE lists SET (name, created) = (1, 2) WHERE id = 'a'", False),
        ("UPDATE lists SET 'name' = 1 WHERE id = 'a'", False),
        ("UPDATE lists AS l SET name = 1 WHERE id = 'a'", False),
        ("UPDATE lists INDEXED BY name SET name = 1 WHERE id = 'a'", False),
        ("UPDATE lists SET name = 1 FROM mine WHERE id = 'a'", False),
        ("UPDATE lists SET name = (SELECT 1) WHERE id = 'a'", False),
        ("UPDATE lists SET name = 1 WHERE id IN mine", False),
        ("UPDATE lists SET name = 1 WHERE id = 'a' RETURNING id", False),
        ("DELETE FROM lists WHERE CREATED > 1 AND id = 'a'", False),
        ("DELETE FROM lists", False),
        ("DELETE FROM main.lists WHERE id = 'a'", False),
        ("SELECT id FROM lists WHERE id = 'a'", False),
    ],
)
def test_what_reads_no_more_than_the_key(sql: str, certain: bool) -> None:
    assert reads_none(sql, KEY, COLUMNS) is certain


@pytest.mark.parametrize(
    ("sql", "is_one"),
    [
        ("SELECT f('a')", True),
        ('/* x */ select F(g(1), (2)) AS "told";', True),
        ("SELECT f('a') told", True),
        ("SELECT f('a'), 1", False),
        ("SELECT f('a') FROM t", False),
        ("SELECT f('a') + abs(x)", False),
        ("SELECT f('a') WHERE g()", False),
        ("SELECT (f('a'))", False),
        ("SELECT DISTINCT f('a')", False),
        ("SELECT f('a') UNION ALL SELECT g()", False),
        ("SELECT g('a')", False),
        ("VALUES (f('a'))", False),
    ],
)
def test_a_select_of_one_call(sql: str, is_one: bool) -> None:
    assert is_one_call(sql, ("f", "OtherName")) is is_one
