"""Transactions, files, threads, interruption."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import klaviyo_sql
from klaviyo_sql import Connection, InterfaceError, Interrupted, OperationalError
from klaviyo_sql.sandbox import Account
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.reports import REPORTS

Open = Callable[..., Connection]


# Transactions on ordinary tables


def test_a_write_begins_a_transaction_and_rollback_takes_it_back(connection: Connection) -> None:
    connection.execute("CREATE TABLE own (x)")
    connection.commit()
    assert not connection.in_transaction
    connection.execute("INSERT INTO own VALUES (1)")
    assert connection.in_transaction
    connection.rollback()
    assert connection.execute("SELECT count(*) FROM own").fetchone() == (0,)


def test_commit_makes_it_permanent(tmp_path: Path, open_sandbox: Open) -> None:
    file = tmp_path / "own.db"
    first = open_sandbox(file)
    first.execute("CREATE TABLE own (x)")
    first.execute("INSERT INTO own VALUES (1)")
    other = open_sandbox(file)
    first.commit()
    assert other.execute("SELECT x FROM own").fetchall() == [(1,)]
    first.execute("INSERT INTO own VALUES (2)")
    assert other.execute("SELECT x FROM own").fetchall() == [(1,)]
    first.commit()
    assert other.execute("SELECT x FROM own").fetchall() == [(1,), (2,)]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO own VALUES (1)",
        "  insert into own values (1)",
        "-- a note\nINSERT INTO own VALUES (1)",
        "/* a note */ REPLACE INTO own VALUES (1)",
        "UPDATE own SET x = 1",
        "DELETE FROM own",
        "WITH n AS (SELECT 1) INSERT INTO own SELECT * FROM n",
    ],
)
def test_what_begins_a_transaction(connection: Connection, sql: str) -> None:
    connection.execute("CREATE TABLE own (x)")
    connection.commit()
    connection.execute(sql)
    assert connection.in_transaction


@pytest.mark.parametrize("sql", ["SELECT 1", "WITH n AS (SELECT 1) SELECT * FROM n", "SELECT count(*) FROM lists", "PRAGMA table_list", "EXPLAIN SELECT 1"])
def test_what_begins_none(connection: Connection, sql: str) -> None:
    connection.execute(sql).fetchall()
    assert not connection.in_transaction


def test_autocommit(tmp_path: Path, open_sandbox: Open) -> None:
    file = tmp_path / "own.db"
    first, other = open_sandbox(file, autocommit=True), open_sandbox(file)
    first.execute("CREATE TABLE own (x)")
    first.execute("INSERT INTO own VALUES (1)")
    assert not first.in_transaction
    assert other.execute("SELECT x FROM own").fetchall() == [(1,)]
    first.execute("BEGIN")
    first.execute("INSERT INTO own VALUES (2)")
    first.rollback()
    assert other.execute("SELECT x FROM own").fetchall() == [(1,)]


def test_the_context_manager_commits_and_closes(tmp_path: Path, open_sandbox: Open) -> None:
    file = tmp_path / "own.db"
    with open_sandbox(file) as connection:
        connection.execute("CREATE TABLE own (x)")
        connection.execute("INSERT INTO own VALUES (1)")
    with pytest.raises(InterfaceError):
        connection.execute("SELECT 1")
    assert open_sandbox(file).execute("SELECT x FROM own").fetchall() == [(1,)]


def test_the_context_manager_rolls_back_after_an_exception(tmp_path: Path, open_sandbox: Open) -> None:
    file = tmp_path / "own.db"
    with open_sandbox(file) as connection:
        connection.execute("CREATE TABLE own (x)")
        connection.execute("INSERT INTO own VALUES (1)")

    def fail() -> None:
        with open_sandbox(file) as connection:
            connection.execute("INSERT INTO own VALUES (2)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert open_sandbox(file).execute("SELECT x FROM own").fetchall() == [(1,)]


def test_closing_takes_back_what_was_not_committed(tmp_path: Path, open_sandbox: Open) -> None:
    file = tmp_path / "own.db"
    connection = open_sandbox(file)
    connection.execute("CREATE TABLE own (x)")
    connection.commit()
    connection.execute("INSERT INTO own VALUES (1)")
    connection.close()
    assert open_sandbox(file).execute("SELECT count(*) FROM own").fetchone() == (0,)


def test_constraints_are_integrity_errors(connection: Connection) -> None:
    connection.execute("CREATE TABLE own (x INTEGER PRIMARY KEY, y NOT NULL)")
    connection.execute("INSERT INTO own VALUES (1, 1)")
    for values in ("(1, 2)", "(2, NULL)"):
        with pytest.raises(klaviyo_sql.IntegrityError):
            connection.execute(f"INSERT INTO own VALUES {values}")


def test_a_transaction_holds_while_klaviyo_is_read(connection: Connection) -> None:
    connection.execute("CREATE TABLE own (id, name)")
    connection.execute("INSERT INTO own SELECT id, name FROM lists")
    assert connection.in_transaction
    assert connection.execute("SELECT count(*) FROM own").fetchone() == (14,)
    connection.rollback()
    assert connection.execute("SELECT count(*) FROM own").fetchone() == (0,)


# Files


def test_own_tables_persist_and_join_with_klaviyo_s(tmp_path: Path, open_sandbox: Open, account: Account) -> None:
    file = str(tmp_path / "own.db")
    chosen = sorted(account.lists)[:3]
    with open_sandbox(file) as connection:
        connection.execute("CREATE TABLE favourite (list_id TEXT)")
        connection.executemany("INSERT INTO favourite VALUES (?)", [(one,) for one in chosen])
    with open_sandbox(file) as connection:
        rows = connection.execute("SELECT l.id, l.name FROM favourite f JOIN lists l ON l.id = f.list_id ORDER BY 1").fetchall()
    assert rows == [(one, account.lists[one]["attributes"]["name"]) for one in chosen]


def test_views_on_klaviyo_s_tables_survive_reopening(tmp_path: Path, open_sandbox: Open, account: Account) -> None:
    file = tmp_path / "own.db"
    with open_sandbox(file) as connection:
        connection.execute("CREATE VIEW list_names AS SELECT name FROM lists")
        connection.execute("CREATE VIEW joined AS SELECT ProfileId, JoinedGroupAt FROM ListProfiles WHERE ListId = (SELECT min(id) FROM lists)")
    with open_sandbox(file) as connection:
        names = connection.execute("SELECT name FROM list_names").fetchall()
        assert sorted(names) == sorted((one["attributes"]["name"],) for one in account.lists.values())
        assert len(connection.execute("SELECT * FROM joined").fetchall()) == len(account.list_members[min(account.lists)])


def test_a_file_holds_nothing_of_the_account_or_the_key(tmp_path: Path, open_sandbox: Open) -> None:
    file = tmp_path / "own.db"
    with open_sandbox(file) as connection:
        connection.execute("CREATE TABLE own (x)")
        connection.execute("SELECT count(*) FROM lists").fetchall()
    with open_sandbox(file) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("own",)]


@pytest.mark.parametrize("where", ["missing/own.db", "."])
def test_a_file_that_cannot_be_opened(tmp_path: Path, open_sandbox: Open, where: str) -> None:
    with pytest.raises(OperationalError):
        open_sandbox(tmp_path / where).execute("CREATE TABLE own (x)")


def test_a_file_that_is_no_database(tmp_path: Path, open_sandbox: Open) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(klaviyo_sql.DatabaseError):
        open_sandbox(file).execute("SELECT * FROM sqlite_master").fetchall()


def test_a_locked_file_is_an_operational_error(tmp_path: Path, open_sandbox: Open) -> None:
    file = tmp_path / "own.db"
    first, second = open_sandbox(file), open_sandbox(file)
    first.execute("CREATE TABLE own (x)")
    first.execute("INSERT INTO own VALUES (1)")
    second.sqlite.set_busy_timeout(1)
    with pytest.raises(OperationalError, match="lock"):
        second.execute("INSERT INTO own VALUES (2)")


# Threads


def test_another_thread_may_use_an_idle_connection(connection: Connection) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: connection.execute("SELECT count(*) FROM lists").fetchone()).result() == (14,)


def test_another_thread_meets_a_busy_connection(connection: Connection) -> None:
    """While one thread waits for Klaviyo, the other is refused or served; it neither hangs nor breaks anything."""
    assert connection.sandbox is not None
    inside, go_on = threading.Event(), threading.Event()
    handle = connection.sandbox.handle

    def slow(*arguments: Any, **more: Any) -> Any:
        inside.set()
        assert go_on.wait(10)
        return handle(*arguments, **more)

    connection.sandbox.handle = slow  # type: ignore[method-assign]
    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(lambda: connection.execute("SELECT count(*) FROM lists").fetchone())
        assert inside.wait(10)
        threading.Timer(0.3, go_on.set).start()
        meanwhile = pool.submit(lambda: connection.execute("SELECT 1").fetchone())
        error = meanwhile.exception(10)
        assert error is None or isinstance(error, InterfaceError)
        assert reading.result(10) == (14,)
    assert connection.execute("SELECT 2").fetchone() == (2,)


def test_a_connection_for_each_of_eight_threads(open_sandbox: Open, account: Account) -> None:
    connections = [open_sandbox() for _ in range(8)]
    expected = (len(account.profiles), len(account.lists))

    def use(connection: Connection) -> tuple[int, int]:
        profiles = connection.execute("SELECT count(*) FROM profiles").fetchone()
        lists = connection.execute("SELECT count(*) FROM lists").fetchone()
        assert profiles is not None
        assert lists is not None
        return profiles[0], lists[0]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(use, connections)) == [expected] * 8


def test_many_connections_can_be_open_at_once() -> None:
    connections = [klaviyo_sql.connect(sandbox=True) for _ in range(12)]
    for connection in connections:
        assert connection.execute("SELECT count(*) FROM klaviyo_tables WHERE schema = 'main'").fetchone() == (len(TABLES) + len(REPORTS),)
        connection.close()


# Interruption


def test_interrupt_ends_a_long_scan(connection: Connection) -> None:
    """From another thread, in the middle of a scan; the connection is as good as before afterwards."""
    assert connection.sandbox is not None
    started = threading.Event()
    handle = connection.sandbox.handle

    def noticed(*arguments: Any, **more: Any) -> Any:
        started.set()
        return handle(*arguments, **more)

    connection.sandbox.handle = noticed  # type: ignore[method-assign]

    def stop() -> None:
        assert started.wait(10)
        connection.interrupt()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Interrupted):
        connection.execute("SELECT count(*) FROM events a, events b, events c").fetchall()
    thread.join()
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (14,)


def test_interrupt_ends_waiting_for_a_limit(account: Account) -> None:
    """With the real clock: Klaviyo asks to come back in half a minute, the user does not want to wait."""
    from klaviyo_sql.fetch import Limits
    from klaviyo_sql.model.clock import SystemClock
    from klaviyo_sql.sandbox import SANDBOX_KEY, SANDBOX_URL, Fault, Sandbox, SandboxTransport
    from klaviyo_sql.settings import from_environment

    clock = SystemClock()
    sandbox = Sandbox(account, clock=clock, limits=False)
    sandbox.faults.add(Fault("throttle", retry_after=30))
    settings = from_environment(api_key=SANDBOX_KEY, base_url=SANDBOX_URL)
    with Connection(settings, transport=SandboxTransport(sandbox), clock=clock, limits=Limits(clock), sandbox=sandbox) as connection:
        timer = threading.Timer(0.3, connection.interrupt)
        timer.start()
        with pytest.raises(Interrupted):
            connection.execute("SELECT count(*) FROM lists").fetchall()
        timer.join()
        assert len(sandbox.requests) == 1


def test_interrupting_nothing_does_nothing(connection: Connection) -> None:
    connection.interrupt()
    assert connection.execute("SELECT count(*) FROM lists").fetchone() == (14,)
