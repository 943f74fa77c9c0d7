from __future__ import annotations

from datetime import UTC, datetime

import pytest

from klaviyo_sql.sandbox.filter_grammar import Clause, FilterSyntaxError, Moment, parse

NOON = datetime(2026, 9, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ('equals(id,"a")', [Clause("equals", "id", "a")]),
        ("equals(id,'a')", [Clause("equals", "id", "a")]),
        (r'equals(name,"say \"hi\" \\ bye")', [Clause("equals", "name", 'say "hi" \\ bye')]),
        (r"equals(name,'it\'s')", [Clause("equals", "name", "it's")]),
        ('equals(name,"it\'s")', [Clause("equals", "name", "it's")]),
        ('equals(name,"a,b)[c](d")', [Clause("equals", "name", "a,b)[c](d")]),
        ('equals(name,"")', [Clause("equals", "name", "")]),
        ('equals(name,"ünï 🎉 100%_+")', [Clause("equals", "name", "ünï 🎉 100%_+")]),
        ('equals(name,"two\nlines")', [Clause("equals", "name", "two\nlines")]),
        ('any(id,["a","b,c"])', [Clause("any", "id", ("a", "b,c"))]),
        ("any(id,[1,2.5,-3])", [Clause("any", "id", (1, 2.5, -3))]),
        ("any(id,[])", [Clause("any", "id", ())]),
        ("has(profile)", [Clause("has", "profile")]),
        ("equals(archived,false)", [Clause("equals", "archived", False)]),
        ("greater-than(created,2026-09-03T12:00:00Z)", [Clause("greater-than", "created", Moment(NOON))]),
        ("greater-than(created,2026-09-03T14:00:00+02:00)", [Clause("greater-than", "created", Moment(NOON))]),
        ("less-than(created,2026-09-03T12:00:00.000)", [Clause("less-than", "created", Moment(NOON, naive=True))]),
        ('equals(a.b.c,"x"),has(profile)', [Clause("equals", "a.b.c", "x"), Clause("has", "profile")]),
        ('and(equals(a,"x"),has(profile))', [Clause("equals", "a", "x"), Clause("has", "profile")]),
        ('and(equals(a,"x"))', [Clause("equals", "a", "x")]),
        ('equals(Campaign Name,"x")', [Clause("equals", "Campaign Name", "x")]),
    ],
)
def test_reads(text: str, clauses: list[Clause]) -> None:
    assert list(parse(text)) == clauses


@pytest.mark.parametrize(
    "text",
    [
        "",
        "equals",
        "equals(",
        "equals(id)",
        "equals(id,)",
        "equals(id,word)",
        'equals(id,"a"',
        'equals(id,"a',
        'equals(id,"a"))',
        'equals(id,"a") ',
        ' equals(id,"a")',
        'equals(id, "a")',
        'equals("id","a")',
        'equals(id,"a"b")',
        'equals(id,"a"),',
        'or(equals(id,"a"),equals(id,"b"))',
        'not(equals(id,"a"))',
        'and(equals(id,"a")),equals(id,"b")',
        'and(and(equals(id,"a")))',
        "and()",
        'EQUALS(id,"a")',
        "any(id,[",
        'any(id,["a",])',
        'any(id,["a"',
        'any(id,[["a"]])',
        "has()",
        "greater-than(created,2026-13-03T12:00:00Z)",
        "greater-than(created,2026-09-03T12:00:00 00:00)",
        "greater-than(created,2026-09-03 12:00:00Z)",
        "greater-than(created,null)",
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(FilterSyntaxError):
        parse(text)
