"""Queries made up from the tables, their relations and the values that are really in them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from klaviyo_sql.model.table import Argument, Column, Type

from . import truth
from .oracle import Query

Draw = Callable[[st.SearchStrategy[Any]], Any]

_FAVOURITES = {
    "profiles": (
        "id",
        "email",
        "phone_number",
        "external_id",
        "first_name",
        "created",
        "updated",
        "last_event_date",
        "location_city",
        "location_latitude",
        "subscriptions_email_marketing_consent",
        "subscriptions_email_marketing_consent_timestamp",
        "subscriptions_email_marketing_can_receive_email_marketing",
        "suppression_reason",
        "suppression_timestamp",
        "list_suppression_list_id",
        "list_suppression_reason",
        "list_suppression_timestamp",
        "predictive_analytics_historic_clv",
        "predictive_analytics_expected_date_of_next_order",
    ),
    "events": ("id", "metric_id", "profile_id", "datetime", "timestamp", "value", "value_currency", "event_id", "metric_id", "datetime", "profile_id"),
    "list_profiles": ("list_id", "profile_id", "joined_group_at", "email", "external_id", "created", "list_id", "joined_group_at", "suppression_reason"),
    "segment_profiles": ("segment_id", "profile_id", "joined_group_at", "email", "phone_number", "updated", "segment_id", "joined_group_at"),
}

# Tables with their aliases, and what links them; the first are read by their own conditions.
_SINGLE = (
    "accounts",
    "profiles",
    "profiles",
    "profiles",
    "lists",
    "lists",
    "list_profiles",
    "list_profiles",
    "segments",
    "segment_profiles",
    "metrics",
    "events",
    "events",
    "events",
)
_JOINS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("events", "metrics"), ("t0.metric_id = t1.id",)),
    (("metrics", "events"), ("t1.metric_id = t0.id",)),
    (("events", "profiles"), ("t0.profile_id = t1.id",)),
    (("profiles", "events"), ("t1.profile_id = t0.id",)),
    (("list_profiles", "lists"), ("t0.list_id = t1.id",)),
    (("lists", "list_profiles"), ("t1.list_id = t0.id",)),
    (("list_profiles", "profiles"), ("t0.profile_id = t1.id",)),
    (("list_profiles", "segment_profiles"), ("t0.profile_id = t1.profile_id",)),
    (("segment_profiles", "segments"), ("t0.segment_id = t1.id",)),
    (("lists", "lists"), ("t0.created < t1.created",)),
    (("lists", "segments"), ("t0.updated > t1.created",)),
    (("profiles", "profiles"), ("t0.created = t1.created",)),
    (("events", "metrics", "profiles"), ("t0.metric_id = t1.id", "t0.profile_id = t2.id")),
    (("lists", "list_profiles", "profiles"), ("t1.list_id = t0.id", "t2.id = t1.profile_id")),
)
_SMALL = frozenset(("accounts", "lists", "segments", "metrics"))
_SUBQUERIES = {
    "metric_id": "SELECT id FROM metrics WHERE {}",
    "profile_id": "SELECT id FROM profiles WHERE {}",
    "list_id": "SELECT id FROM lists WHERE {}",
    "segment_id": "SELECT id FROM segments WHERE {}",
    "list_suppression_list_id": "SELECT id FROM lists WHERE {}",
}
_OF = {"metric_id": "metrics", "profile_id": "profiles", "list_id": "lists", "segment_id": "segments", "list_suppression_list_id": "lists"}
_NUMBERS = (Type.INTEGER, Type.REAL, Type.BOOLEAN)
_ODD = ("", "%", "_", "'", '"', "\\", "[x]", "a,b", "+", "null", "5", "05", "5.0", "1_0", " 7", "é", "\U0001f389", "x" * 300, "..", "a/b", "0", "-1", "true")


@dataclass(frozen=True)
class Part:
    """A piece of SQL and what is bound in it, in the order of the text."""

    sql: str
    parameters: tuple[Any, ...] = ()

    def __add__(self, other: Part) -> Part:
        return Part(f"{self.sql} {other.sql}".strip(), self.parameters + other.parameters)


def joined(separator: str, parts: list[Part]) -> Part:
    """The pieces with a separator between them."""
    return Part(separator.join(part.sql for part in parts), tuple(value for part in parts for value in part.parameters))


@functools.cache
def columns(table: str) -> tuple[Column, ...]:
    """The columns that can be compared and shown: without JSON and arguments."""
    return tuple(column for column in truth.TABLES[table].columns if column.type is not Type.JSON and not isinstance(column.place, Argument))


@functools.cache
def values(table: str, name: str) -> tuple[Any, ...]:
    """Values that the column has, at most 150 of them, from all over."""
    position = truth.TABLES[table].index(name)
    found = sorted({row[position] for row in truth.rows(truth.account(), table)} - {None}, key=lambda value: (str(type(value)), value))
    return tuple(found[:: max(1, len(found) // 150)]) or (0 if truth.TABLES[table].columns[position].type in _NUMBERS else "2025-01-01 00:00:00",)


def column_of(draw: Draw, table: str) -> Column:
    """One of the table's columns, more often one that the planner has a use for."""
    favourites = _FAVOURITES.get(table)
    if favourites and draw(st.integers(0, 9)) < 8:
        name = draw(st.sampled_from(favourites))
        return truth.TABLES[table].columns[truth.TABLES[table].index(name)]
    return draw(st.sampled_from(columns(table)))


def constant(draw: Draw, table: str, column: Column) -> Part:
    """A constant to compare the column with, bound or literal."""
    if draw(st.integers(0, 24)) == 0:
        value = None
    elif column.type.is_instant:
        value = _instant(draw, draw(st.sampled_from(values(table, column.name))))
    else:
        value = _value(draw, column, draw(st.sampled_from(values(table, column.name))))
    return Part("?", (value,)) if draw(st.booleans()) else Part(literal(value))


def literal(value: Any) -> str:
    """The value as SQL writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + value.replace("'", "''") + "'"


def _value(draw: Draw, column: Column, value: Any) -> Any:
    choice = draw(st.integers(0, 11))
    if choice <= 5:
        return value
    if choice == 6:
        return draw(st.sampled_from(_ODD))
    if choice == 7:
        return draw(st.sampled_from((0, 1, 2, -1, 5, 0.5, 1.0, 12, 10**12, 1e19)))
    if isinstance(value, str):
        return {8: value.upper(), 9: value.lower(), 10: value[: len(value) // 2], 11: value + "x"}[choice]
    return {8: str(value), 9: value + 1, 10: value - 0.5, 11: float(value)}[choice]


_MOVES = (0, 0, 0, 0, -1_000_000, 1_000_000, -1, 1, 500_000, 86_400_000_000, -30 * 86_400_000_000)


def _instant(draw: Draw, text: str) -> str:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(microseconds=draw(st.sampled_from(_MOVES)))
    form = draw(st.integers(0, 9))
    if form <= 2:
        return moment.isoformat().removesuffix("+00:00") + ("Z" if form else "")
    if form == 3:
        return moment.strftime("%Y-%m-%d %H:%M:%S")
    if form == 4:
        return moment.astimezone(timezone(timedelta(minutes=draw(st.sampled_from((60, -300, 330, 765)))))).isoformat(draw(st.sampled_from("T ")))
    return moment.strftime({5: "%Y-%m-%d", 6: "%Y-%m", 7: "%G-W%V-%u", 8: "%Y-%jT%H:%M", 9: "%Y%m%dT%H%M%SZ"}[form])


def term(draw: Draw, alias: str, table: str) -> Part:
    """One condition on one column."""
    column = column_of(draw, table)
    name = f'{alias}"{column.name}"'
    kind = draw(st.integers(0, 15))
    one = functools.partial(constant, draw, table, column)
    if kind <= 4:
        return Part(f"{name} {draw(st.sampled_from(('=', '=', '=', '<>', 'IS', 'IS NOT', '==')))}") + one()
    if kind <= 7:
        return Part(f"{name} {draw(st.sampled_from(('<', '<=', '>', '>=')))}") + one()
    if kind == 8:
        return one() + Part(f"{draw(st.sampled_from(('=', '<', '>=')))} {name}")
    if kind == 9:
        return Part(f"{name} {draw(st.sampled_from(('BETWEEN', 'NOT BETWEEN')))}") + one() + Part("AND") + one()
    if kind in (10, 11):
        listed = joined(", ", [one() for _ in range(draw(st.integers(0, 5)))])
        return Part(f"{name} {draw(st.sampled_from(('IN', 'IN', 'NOT IN')))} (") + listed + Part(")")
    if kind == 12:
        return Part(f"{name} {draw(st.sampled_from(('IS NULL', 'IS NOT NULL')))}")
    if kind == 13 and not column.type.is_instant:
        return Part(f"{name} =") + one() + Part("COLLATE NOCASE")
    if kind == 14:
        part = str(draw(st.sampled_from(values(table, column.name))))
        cut = draw(st.integers(0, len(part)))
        pattern = draw(st.sampled_from((part[:cut] + "%", "%" + part[cut:], part[:cut].upper() + "%", part[:cut] + "_" + part[cut + 1 :])))
        return Part(f"{name} LIKE") + (Part("?", (pattern,)) if draw(st.booleans()) else Part(literal(pattern)))
    if column.name in _SUBQUERIES:
        before, after = _SUBQUERIES[column.name].split("{}")
        return Part(f"{name} {draw(st.sampled_from(('IN', 'IN', 'NOT IN')))} ({before}") + term(draw, "", _OF[column.name]) + Part(after + ")")
    return Part(f"{name} IS NOT NULL")


def condition(draw: Draw, sources: list[tuple[str, str]], depth: int) -> Part:
    """Conditions under AND, OR and NOT."""
    kind = draw(st.integers(0, 9)) if depth else 0
    if kind <= 3:
        alias, table = draw(st.sampled_from(sources))
        return term(draw, alias, table)
    if kind == 4:
        return Part("NOT (") + condition(draw, sources, depth - 1) + Part(")")
    parts = [condition(draw, sources, depth - 1) for _ in range(draw(st.integers(2, 3)))]
    return Part("(") + joined(" AND " if kind <= 6 else " OR ", parts) + Part(")")


def _from(draw: Draw) -> tuple[Part, list[tuple[str, str]]]:
    if draw(st.integers(0, 3)):
        table = draw(st.sampled_from(_SINGLE))
        return Part(f"FROM {table}"), [("", table)]
    tables, links = draw(st.sampled_from(_JOINS))
    sources = [(f"t{n}.", table) for n, table in enumerate(tables)]
    found = Part(f"FROM {tables[0]} AS t0")
    for n, link in enumerate(links, 1):
        kind = draw(st.sampled_from(("JOIN", "JOIN", "LEFT JOIN")))
        found += Part(f"{kind} {tables[n]} AS t{n} ON {link}")
        if draw(st.integers(0, 3)) == 0:
            found += Part("AND") + term(draw, f"t{n}.", tables[n])
    return found, sources


def _narrow(draw: Draw, sources: list[tuple[str, str]]) -> Part:
    """What keeps the result of a join small: an equality or a short range on the first large table."""
    alias, table = next(((alias, table) for alias, table in sources if table not in _SMALL), sources[0])
    position = {"events": "datetime", "profiles": "created", "list_profiles": "joined_group_at", "segment_profiles": "joined_group_at"}.get(table, "created")
    start = datetime.fromisoformat(draw(st.sampled_from(values(table, position))))
    end = start + timedelta(days=draw(st.integers(0, 20)), seconds=1)
    return Part(f"{alias}{position} >= ? AND {alias}{position} < ?", (start.isoformat(" "), end.isoformat() + "Z"))


@st.composite
def queries(draw: Draw) -> Query:
    """A query, and how its answer is to be compared."""
    source, sources = _from(draw)
    wheres = [_narrow(draw, sources)] if len(sources) > 1 else []
    if len(sources) > 1 or draw(st.integers(0, 6)):
        wheres.append(condition(draw, sources, draw(st.integers(0, 3))))
    where = Part("WHERE") + joined(" AND ", wheres) if wheres else Part("")
    shown = []
    for _ in range(draw(st.integers(1, 4))):
        alias, table = draw(st.sampled_from(sources))
        shown.append((f'{alias}"{column_of(draw, table).name}"', alias, table))
    if draw(st.integers(0, 3)) == 0:
        return _grouped(draw, source, where, shown)
    names = list(dict.fromkeys(name for name, _, _ in shown))
    distinct = "DISTINCT " if draw(st.integers(0, 5)) == 0 else ""
    full = Part(f"SELECT {distinct}{', '.join(names)}") + source + where
    query, keys = full, ()
    if draw(st.booleans()):
        keys = tuple(draw(st.lists(st.integers(0, len(names) - 1), min_size=1, max_size=2, unique=True)))
        ways = [draw(st.sampled_from(("", " ASC", " DESC", " DESC", " DESC NULLS FIRST", " ASC NULLS LAST"))) for _ in keys]
        query += Part("ORDER BY " + ", ".join(names[key] + way for key, way in zip(keys, ways, strict=True)))
    if draw(st.integers(0, 2)):
        return Query(query.sql, query.parameters, keys=keys)
    limit = draw(st.sampled_from((0, 1, 2, 5, 10, 100, 101, 1000, -1)))
    offset = draw(st.sampled_from((None, None, 0, 1, 7, 100)))
    if draw(st.booleans()):
        query += Part("LIMIT ?" + (" OFFSET ?" if offset is not None else ""), (limit,) if offset is None else (limit, offset))
    else:
        query += Part(f"LIMIT {limit}" + (f" OFFSET {offset}" if offset is not None else ""))
    return Query(query.sql, query.parameters, keys=keys, full=full.sql, full_parameters=full.parameters)


def _grouped(draw: Draw, source: Part, where: Part, shown: list[tuple[str, str, str]]) -> Query:
    functions = []
    for name, _, _ in shown:
        function = draw(st.sampled_from(("count({})", "count(DISTINCT {})", "min({})", "max({})", "total({})")))
        functions.append(function.format(name))
    functions.append("count(*)")
    if draw(st.booleans()):
        query = Part(f"SELECT {', '.join(functions)}") + source + where
        return Query(query.sql, query.parameters)
    group = shown[0][0]
    query = Part(f"SELECT {group}, {', '.join(functions)}") + source + where + Part(f"GROUP BY {group}")
    if draw(st.booleans()):
        query += Part("HAVING count(*) > ?", (draw(st.integers(0, 3)),))
    if draw(st.booleans()):
        return Query((query + Part(f"ORDER BY {group} DESC")).sql, query.parameters, sequence=True)
    return Query(query.sql, query.parameters)
