"""The same changes twice: on the account's tables, and on plain SQLite tables that hold the same rows. Afterwards both hold the same."""

from __future__ import annotations

import sqlite3
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Sandbox, generate
from tests.conftest import NOW, TODAY

from .examples import examples

TABLES = {
    "profiles": ("id", "email", "first_name", "last_name", "organization", "location_city", "title"),
    "lists": ("id", "name", "opt_in_process"),
    "list_profiles": ("list_id", "profile_id"),
    "tags": ("id", "name"),
}
CASCADES = "CREATE TRIGGER gone AFTER DELETE ON lists BEGIN DELETE FROM list_profiles WHERE list_id = old.id; END"


class Pair:
    """The account, and its plain copy."""

    def __init__(self) -> None:
        sandbox = Sandbox(generate(seed=5, today=TODAY, profiles=40, events=40), clock=SimulatedClock(NOW))
        self.account = opened(":memory:", sandbox=sandbox, write=True, config=False, autocommit=False, max_writes=0, max_wait=10_000)
        self.copy = sqlite3.connect(":memory:", isolation_level=None)
        for table, columns in TABLES.items():
            self.copy.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            self.copy.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", self.rows(table))
        self.copy.execute(CASCADES)

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        self.account.forget()
        return sorted(self.account.execute(f"SELECT {', '.join(TABLES[table])} FROM {table}").fetchall(), key=repr)

    def close(self) -> None:
        self.account.close()
        self.copy.close()


_SEED = Pair()
PEOPLE, LISTS, TAGS = ([row[0] for row in _SEED.rows(table)] for table in ("profiles", "lists", "tags"))
NAMES = sorted({row[2].replace("'", "''") for row in _SEED.rows("profiles") if row[2]})
EMAILS = [row[1].replace("'", "''") for row in _SEED.rows("profiles") if row[1]]
_SEED.close()

text = st.sampled_from(["A", "b c", "", "it''s", "Zoë", "50%", "{}", "2026-01-01"])
person, member_list = st.sampled_from([*PEOPLE, "01NOBODY"]), st.sampled_from([*LISTS, "NOLIST"])
name, email = st.sampled_from(NAMES), st.sampled_from(EMAILS)


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> str:
    """A condition on profiles."""
    simple = [
        f"id = '{draw(person)}'",
        f"id IN ('{draw(person)}', '{draw(person)}', '{draw(person)}')",
        f"id NOT IN ('{draw(person)}', '{draw(person)}')",
        f"id > '{draw(person)}'",
        f"email = '{draw(email)}'",
        f"email IN ('{draw(email)}', '{draw(email)}')",
        "email IS NULL",
        "email LIKE '%1%'",
        f"first_name = '{draw(name)}'",
        f"first_name BETWEEN '{draw(name)}' AND '{draw(name)}'",
        "last_name IS NULL",
        "location_city IS NOT NULL",
        "length(first_name) > 4",
        f"id IN (SELECT profile_id FROM list_profiles WHERE list_id = '{draw(member_list)}')",
        f"EXISTS (SELECT 1 FROM list_profiles WHERE profile_id = profiles.id AND list_id = '{draw(member_list)}')",
        f"EXISTS (SELECT 1 FROM profiles AS other WHERE other.id = '{draw(person)}')",
        f"(SELECT count(*) FROM list_profiles WHERE profile_id = profiles.id) > {draw(st.integers(0, 3))}",
    ]
    condition = draw(st.sampled_from(simple))
    if depth and draw(st.booleans()):
        other = draw(conditions(depth=depth - 1))
        condition = f"({condition}) {draw(st.sampled_from(['AND', 'OR', 'AND NOT']))} ({other})"
    return condition


@st.composite
def changes(draw: st.DrawFn) -> str:
    """One statement that changes rows, with the same meaning on both sides; new rows have their names to be told by."""
    kind = draw(st.integers(0, 7))
    if kind <= 3:
        column = st.sampled_from(["first_name", "last_name", "organization", "location_city", "title"])
        value = st.one_of(
            text.map(lambda found: f"'{found}'"), st.just("NULL"), st.just("upper(first_name)"), st.just("coalesce(last_name, 'none') || '!'"), st.just("title")
        )
        sets = draw(st.dictionaries(column, value, min_size=1, max_size=3))
        return f"UPDATE profiles SET {', '.join(f'{key} = {new}' for key, new in sets.items())} WHERE {draw(conditions())}"
    if kind == 4:
        return f"DELETE FROM list_profiles WHERE list_id = '{draw(member_list)}' AND profile_id IN (SELECT id FROM profiles WHERE {draw(conditions(depth=1))})"
    if kind == 5:
        wanted = draw(member_list)
        return (
            f"INSERT INTO list_profiles (list_id, profile_id) SELECT lists.id, profiles.id FROM lists, profiles WHERE lists.id = '{wanted}' AND "
            f"profiles.first_name >= '{draw(name)}' AND NOT EXISTS "
            f"(SELECT 1 FROM list_profiles AS known WHERE known.list_id = lists.id AND known.profile_id = profiles.id)"
        )
    if kind == 6:
        which = f"id = '{draw(member_list)}'" if draw(st.booleans()) else "name LIKE 'N%' OR opt_in_process = 'x'"
        return f"DELETE FROM lists WHERE {which}"
    which = draw(st.sampled_from([f"id IN ('{draw(member_list)}', '{draw(member_list)}')", "name > 'M'", "length(name) < 8"]))
    return f"UPDATE lists SET name = name || '{draw(st.sampled_from(['x', 'yz']))}' WHERE {which}"


@st.composite
def transactions(draw: st.DrawFn) -> list[str]:
    """One change that is carried out, among others that are taken back."""
    kept, taken_back = draw(changes()), draw(changes())
    return draw(
        st.sampled_from(
            [
                ["BEGIN", kept, "COMMIT"],
                ["BEGIN", "SAVEPOINT a", taken_back, "ROLLBACK TO a", kept, "RELEASE a", "COMMIT"],
                ["BEGIN", kept, "SAVEPOINT a", taken_back, "ROLLBACK TO a", "COMMIT"],
                ["BEGIN", kept, "ROLLBACK"],
            ]
        )
    )


def _run(pair: Pair, statements: list[str]) -> None:
    for statement in statements:
        pair.account.execute(statement)
        pair.copy.execute(statement)


@examples(60)
@given(st.lists(transactions(), min_size=1, max_size=4))
def test_the_account_is_changed_as_a_plain_table_is(steps: list[list[str]]) -> None:
    pair = Pair()
    try:
        for statements in steps:
            _run(pair, statements)
            for table, columns in TABLES.items():
                expected = sorted(pair.copy.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall(), key=repr)
                assert pair.rows(table) == expected, statements
    finally:
        pair.close()
