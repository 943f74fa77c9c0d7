"""What is written shows in materialized tables, however old they may be."""

from __future__ import annotations

from pathlib import Path

import klaviyo_sql
from tests.writes.conftest import OpenWriting, sandbox_of, sent


def test_a_copy_that_may_be_old_is_asked_again_after_a_write(open_writing: OpenWriting, tmp_path: Path) -> None:
    connection = open_writing(materialized="profiles:max_age=1d, lists:max_age=1d, tags:max_age=1d", copy_file=tmp_path / "copies.db")
    account = sandbox_of(connection).account
    profile, gone = next(iter(account.profiles)), next(iter(account.lists))

    def seen() -> tuple[object, ...]:
        names = connection.execute("SELECT count(*) FROM lists WHERE id = ?", (gone,)).fetchone()
        tags = connection.execute("SELECT count(*) FROM tags").fetchone()
        return (connection.execute("SELECT first_name FROM profiles WHERE id = ?", (profile,)).fetchone(), names, tags)

    seen()
    before = len(sent(connection))
    seen()
    assert len(sent(connection)) == before, "young enough"
    connection.execute("UPDATE profiles SET first_name = 'Written' WHERE id = ?", (profile,))
    connection.execute("DELETE FROM lists WHERE id = ?", (gone,))
    connection.commit()
    first_name, lists, tags = seen()
    assert first_name == ("Written",)
    assert lists == (0,)
    assert tags == (len(account.tags),)
    read = [record.table for record in sent(connection)[before:] if record.method == "GET"]
    assert "tags" not in read, "nothing was written that shows there"


def test_an_update_reads_the_account_and_not_a_copy_of_it(open_writing: OpenWriting, tmp_path: Path) -> None:
    connection = open_writing(materialized="profiles:max_age=1d", copy_file=tmp_path / "copies.db")
    account = sandbox_of(connection).account
    connection.execute("SELECT count(*) FROM profiles").fetchone()
    profile = next(iter(account.profiles))
    account.profiles[profile]["attributes"]["first_name"] = "Meanwhile"
    account.changed()
    connection.forget()
    connection.execute("UPDATE profiles SET last_name = first_name WHERE id = ?", (profile,))
    connection.commit()
    assert account.profiles[profile]["attributes"]["last_name"] == "Meanwhile"


def test_nothing_is_made_of_copies_that_are_not_there(writing: klaviyo_sql.Connection) -> None:
    writing.execute("INSERT INTO lists (name) VALUES ('a')")
    writing.commit()
    assert writing.execute("SELECT count(*) FROM klaviyo_copies").fetchone() == (0,)
