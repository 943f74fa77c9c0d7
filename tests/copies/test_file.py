"""The file: whose it is, what it must be, and what is left of it when a process dies."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

import klaviyo_sql
from klaviyo_sql.copies import default_path
from klaviyo_sql.sandbox import SANDBOX_KEY, Sandbox, serve

from .conftest import Asked, Shop

ROOT = Path(__file__).parents[2]
COUNT = "SELECT count(*) FROM events"


def tables(path: Path) -> set[str]:
    with apsw.Connection(str(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_the_file_is_for_its_owner_alone(shop: Shop, asked: Asked) -> None:
    shop.path.touch(0o644)
    asked(shop.connect("events"), COUNT)
    for file in shop.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_the_key_is_nowhere_in_the_file_nor_in_its_name(shop: Shop, asked: Asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    connection = shop.connect("events")
    asked(connection, COUNT)
    connection.close()
    key = SANDBOX_KEY.encode()
    assert not any(key in file.read_bytes() for file in shop.path.parent.iterdir())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with klaviyo_sql.connect(api_key="pk_someone", materialized="events") as other, klaviyo_sql.connect(api_key="pk_else", materialized="events") as another:
        paths = {other.copies.file.path, another.copies.file.path}
        assert len(paths) == 2
        assert not any("someone" in str(path) or "else" in str(path) for path in paths)
        assert not any(path.exists() for path in paths)  # nothing is made before it is needed


def test_the_copies_of_the_sandbox_in_this_process_go_with_the_connection() -> None:
    connection = klaviyo_sql.connect(sandbox=True, materialized="metrics")
    connection.execute("SELECT count(*) FROM metrics").fetchall()
    path = connection.copies.file.path
    assert path.exists()
    connection.close()
    assert not path.exists()


@pytest.mark.parametrize("content", [b"this is no database, but somebody wrote it" * 50, b""])
def test_garbage_under_a_name_that_was_given_is_left_alone(shop: Shop, asked: Asked, content: bytes) -> None:
    shop.path.write_bytes(content)
    connection = shop.connect("events")
    if content:
        with pytest.raises(klaviyo_sql.OperationalError, match=r"not a file of local copies.*copy_file"):
            connection.execute(COUNT).fetchall()
        assert shop.path.read_bytes() == content
    else:
        assert asked(connection, COUNT)[0] == [(2500,)]


def test_another_database_is_left_alone(shop: Shop) -> None:
    with apsw.Connection(str(shop.path)) as other:
        other.execute("CREATE TABLE orders(total)")
    mode = stat.S_IMODE(shop.path.stat().st_mode)
    with pytest.raises(klaviyo_sql.OperationalError, match="not a file of local copies"):
        shop.connect("events").execute(COUNT).fetchall()
    assert tables(shop.path) == {"orders"}
    assert stat.S_IMODE(shop.path.stat().st_mode) == mode


def test_garbage_in_the_place_of_the_default_file_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shop: Shop) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    with serve(Sandbox(shop.account, limits=False)) as url, klaviyo_sql.connect(api_key=SANDBOX_KEY, base_url=url, materialized="metrics") as connection:
        path = connection.copies.file.path
        if sys.platform != "darwin":
            assert path.is_relative_to(tmp_path)
            path.parent.mkdir(parents=True)
            path.write_bytes(b"garbage" * 100)
        assert connection.execute("SELECT count(*) FROM metrics").fetchone() == (16,)
    assert default_path("a" * 64).name == "aaaaaaaaaaaaaaaa.copies.db"


def test_a_file_of_another_key_or_of_a_newer_version_is_refused(shop: Shop, asked: Asked) -> None:
    asked(shop.connect("events"), COUNT)
    other = klaviyo_sql.connect(api_key="pk_other", base_url="http://127.0.0.1:9", materialized="events", copy_file=shop.path)
    with other, pytest.raises(klaviyo_sql.OperationalError, match="made with another key"):
        other.execute(COUNT).fetchall()
    with apsw.Connection(str(shop.path)) as file:
        file.pragma("user_version", 999)
    with pytest.raises(klaviyo_sql.OperationalError, match="newer klaviyo-sql"):
        shop.connect("events").execute(COUNT).fetchall()


def test_a_file_of_an_older_version_is_emptied(shop: Shop, asked: Asked) -> None:
    asked(shop.connect("events"), COUNT)
    with apsw.Connection(str(shop.path)) as file:
        file.execute("CREATE TABLE of_the_old_version(x)")
        file.pragma("user_version", 0)
    rows, requests = asked(shop.connect("events"), COUNT)
    assert rows == [(2500,)]
    assert len(requests) == 3
    assert "of_the_old_version" not in tables(shop.path)


@pytest.mark.parametrize("path", ["/proc/nowhere/copies.db", "a-file/copies.db", "."])
def test_a_path_that_cannot_be_written_is_named(shop: Shop, tmp_path: Path, path: str) -> None:
    (tmp_path / "a-file").touch()
    with pytest.raises(klaviyo_sql.OperationalError, match=r"The local copy .* cannot be written: .*copy_file"):
        shop.connect("events", copy_file=tmp_path / path).execute(COUNT).fetchall()


def test_a_copy_with_other_columns_is_made_anew(shop: Shop, asked: Asked) -> None:
    asked(shop.connect("events"), COUNT)
    with apsw.Connection(str(shop.path)) as file:
        file.execute("UPDATE copies SET layout = 'of another version'; ALTER TABLE events DROP COLUMN value_currency")
    rows, requests = asked(shop.connect("events"), "SELECT count(value_currency) FROM events")
    assert rows[0][0] > 0
    assert len(requests) == 3


def test_clear_drops_copies_and_the_next_query_makes_them_again(shop: Shop, asked: Asked) -> None:
    connection = shop.connect("events", "metrics")
    asked(connection, "SELECT count(*) FROM events, metrics")
    size = connection.copies.file.bytes
    assert connection.copies.clear("events") == ["events"]
    assert connection.copies.file.bytes < size
    assert tables(shop.path) >= {"metrics"}
    assert "events" not in tables(shop.path)
    rows, requests = asked(connection, COUNT)
    assert (rows, len(requests)) == ([(2500,)], 3)
    assert connection.copies.clear() == ["events", "metrics"]


@pytest.fixture
def served(shop: Shop) -> Iterator[tuple[Sandbox, str]]:
    sandbox = Sandbox(shop.account, limits=False)
    with serve(sandbox) as url:
        yield sandbox, url


def started(url: str, path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.copies.loader", url, str(path)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


class Gate:
    """Holds the sandbox's replies back from the `nth` request on, until it is opened."""

    def __init__(self, sandbox: Sandbox, nth: int) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        handle, lock, calls = sandbox.handle, threading.Lock(), 0

        def guarded(*arguments, **options):  # type: ignore[no-untyped-def]
            nonlocal calls
            with lock:
                calls += 1
                number = calls
            if number >= nth and not self.open.is_set():
                self.reached.set()
                self.open.wait(60)
            return handle(*arguments, **options)

        sandbox.handle = guarded  # type: ignore[method-assign]


def test_a_process_that_is_killed_while_it_loads_leaves_nothing_half(shop: Shop, served: tuple[Sandbox, str]) -> None:
    sandbox, url = served
    gate = Gate(sandbox, nth=2)
    with started(url, shop.path) as process:
        assert gate.reached.wait(60)
        process.kill()
    with apsw.Connection(str(shop.path)) as file:
        assert file.execute("SELECT count(*) FROM copies").get == 0
    gate.open.set()
    # Neither is a lock left, nor a row.
    with started(url, shop.path) as process:
        out, _ = process.communicate(timeout=60)
    assert out == "waiting\n(2500, 2500) 3\n"
    assert not any(name.startswith("incoming") for name in tables(shop.path))


def test_of_two_processes_that_begin_together_one_loads(shop: Shop, served: tuple[Sandbox, str]) -> None:
    sandbox, url = served
    gate = Gate(sandbox, nth=2)
    with started(url, shop.path) as one:
        assert gate.reached.wait(60)  # the first is in the middle
        with started(url, shop.path) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "waiting\n"
            gate.open.set()
            assert one.communicate(timeout=60)[0].endswith("(2500, 2500) 3\n")
            # The other waits for it, and asks for no more than what is new since.
            count, _, requests = other.communicate(timeout=60)[0].strip().rpartition(" ")
            assert count == "(2500, 2500)"
            assert int(requests) <= 1


def test_a_connection_that_waited_for_another_takes_what_that_one_read(shop: Shop, served: tuple[Sandbox, str]) -> None:
    sandbox, url = served
    options: dict[str, Any] = {"api_key": SANDBOX_KEY, "base_url": url, "copy_file": shop.path, "cache_seconds": 0, "parallel": 1}
    gate = Gate(sandbox, nth=2)
    counts: list[tuple[Any, int]] = []

    def count(materialized: str) -> None:
        with klaviyo_sql.connect(**options, materialized=materialized) as connection:
            counts.append((connection.execute(COUNT).fetchone(), connection.requests.written))

    threads = [threading.Thread(target=count, args=("events:max_age=1h",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert gate.reached.wait(60)
    gate.open.set()
    for thread in threads:
        thread.join(60)
    assert sorted(counts) == [((2500,), 0), ((2500,), 0), ((2500,), 3)]


def test_a_load_can_be_interrupted_and_so_can_the_wait_for_it(shop: Shop, served: tuple[Sandbox, str]) -> None:
    sandbox, url = served
    options: dict[str, Any] = {"api_key": SANDBOX_KEY, "base_url": url, "copy_file": shop.path, "cache_seconds": 0, "materialized": "events"}
    gate = Gate(sandbox, nth=1)
    ended: list[str] = []

    def count(connection: klaviyo_sql.Connection) -> None:
        try:
            connection.execute(COUNT).fetchone()
        except klaviyo_sql.Interrupted:
            ended.append("interrupted")

    with klaviyo_sql.connect(**options) as loading, klaviyo_sql.connect(**options) as waiting:
        loader = threading.Thread(target=count, args=(loading,))
        loader.start()
        assert gate.reached.wait(60)
        waiter = threading.Thread(target=count, args=(waiting,))
        waiter.start()
        # An interrupt before the statement has begun means nothing, so it is repeated until it is heard.
        for connection, thread in ((waiting, waiter), (loading, loader)):
            for _ in range(1_000):
                connection.interrupt()
                thread.join(0.05)
                if not thread.is_alive():
                    break
        assert ended == ["interrupted", "interrupted"]
        gate.open.set()
        assert waiting.execute(COUNT).fetchone() == (2500,)
        assert loading.execute(COUNT).fetchone() == (2500,)
