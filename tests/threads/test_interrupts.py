"""Interrupts: heard wherever a statement waits, and the connection is as good as before. Nothing is timed: what interrupts is the waiting itself."""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from klaviyo_sql import Connection, Interrupted
from klaviyo_sql.fetch import Limits
from klaviyo_sql.model.clock import SystemClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import SANDBOX_KEY, SANDBOX_URL, Account, Fault, Sandbox, SandboxTransport, generate
from klaviyo_sql.settings import from_environment

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def shop() -> Account:
    return generate(today=TODAY, profiles=400, events=2_000)


_PATHS = {"get_profiles": r"/api/profiles", "get_list": r"/api/lists/\w+"}


class Stuck(Sandbox):
    """A sandbox that does not answer the `nth` request of an operation until it is `released`, and says `when` it came to that."""

    def __init__(self, account: Account, operation: str, nth: int) -> None:
        super().__init__(account, clock=SystemClock(), limits=False)
        self.operation, self.nth = operation, nth
        self.released = threading.Event()
        self.when: Callable[[], None] = lambda: None
        self._came = 0
        self._counting = threading.Lock()

    def handle(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        path = url.split("?")[0].removeprefix(SANDBOX_URL)
        with self._counting:
            matches = re.fullmatch(_PATHS[self.operation], path) is not None
            self._came += matches
            stuck = matches and self._came == self.nth
        if stuck:
            self.when()
            self.released.wait(60)
        return super().handle(method, url, *arguments, **options)


@pytest.fixture
def stuck(shop: Account) -> Iterator[Callable[..., tuple[Connection, Stuck]]]:
    made: list[tuple[Connection, Stuck]] = []

    def connect(operation: str, nth: int, parallel: int) -> tuple[Connection, Stuck]:
        sandbox = Stuck(shop, operation, nth)
        connection = opened(":memory:", sandbox=sandbox, autocommit=True, parallel=parallel, cache_seconds=0)
        made.append((connection, sandbox))
        return connection, sandbox

    yield connect
    for connection, sandbox in made:
        sandbox.released.set()
        connection.close()


STATEMENTS = {
    "a scan": ("get_profiles", 3, "SELECT count(*) FROM profiles"),
    "details": ("get_list", 3, "SELECT name, profile_count FROM lists"),
    "a join": ("get_profiles", 2, "SELECT p.email FROM events e CROSS JOIN profiles p ON p.id = e.profile_id"),
    "CREATE TABLE AS": ("get_profiles", 3, "CREATE TABLE kept AS SELECT * FROM profiles"),
    "a subquery": ("get_profiles", 2, "SELECT name FROM lists WHERE (SELECT count(email) FROM profiles) > 0"),
}


@pytest.mark.parametrize("parallel", [1, 20])
@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("how", ["interrupt()", "^C"])
def test_a_statement_is_interrupted_while_klaviyo_is_silent(how: str, statement: str, parallel: int, stuck: Any, shop: Account) -> None:
    operation, nth, sql = STATEMENTS[statement]
    connection, sandbox = stuck(operation, nth, parallel)
    sandbox.when = connection.interrupt if how == "interrupt()" else lambda: signal.raise_signal(signal.SIGINT)
    with pytest.raises(Interrupted if how == "interrupt()" else KeyboardInterrupt):
        connection.execute(sql).fetchall()
    assert not sandbox.released.is_set(), "the reply was not waited for"
    assert not connection.in_transaction
    assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'kept'").fetchall() == []
    assert connection.execute("SELECT count(*) FROM metrics").fetchone() == (len(shop.metrics),)
    sandbox.released.set()
    assert connection.execute("SELECT count(*) FROM profiles").fetchone() == (400,)


def test_a_cursor_that_is_closed_waits_for_nobody(stuck: Any, shop: Account) -> None:
    connection, sandbox = stuck("get_profiles", 3, 20)
    arrived = threading.Event()
    sandbox.when = arrived.set
    cursor = connection.execute("SELECT id FROM profiles WHERE first_name <> 'x'")
    cursor.fetchmany(150)
    assert arrived.wait(60)
    cursor.close()
    assert not sandbox.released.is_set()
    assert connection.execute("SELECT count(*) FROM metrics").fetchone() == (len(shop.metrics),)


class Waited(SystemClock):
    """A clock that tells of the first sleep."""

    def __init__(self) -> None:
        self.when: Callable[[], None] = lambda: None
        self.slept = threading.Event()

    def sleep(self, seconds: float) -> None:
        if not self.slept.is_set():
            self.slept.set()
            self.when()
        super().sleep(min(seconds, 0.01))


WAITS = {
    "a limit": lambda sandbox: None,
    "Retry-After of a 429": lambda sandbox: sandbox.faults.add(Fault("throttle", "get_list", retry_after=60)),
    "Retry-After of a 503": lambda sandbox: sandbox.faults.add(Fault("status", "get_list", headers={"Retry-After": "60"})),
}


@pytest.mark.parametrize("what", WAITS)
@pytest.mark.parametrize("how", ["interrupt()", "^C"])
def test_a_statement_is_interrupted_while_it_waits(how: str, what: str, shop: Account) -> None:
    clock = Waited()
    sandbox = Sandbox(shop, clock=clock, limits=False)
    WAITS[what](sandbox)
    settings = from_environment(api_key=SANDBOX_KEY, base_url=SANDBOX_URL, environment={})
    with Connection(settings, transport=SandboxTransport(sandbox), clock=clock, limits=Limits(clock), sandbox=sandbox, autocommit=True) as connection:
        clock.when = connection.interrupt if how == "interrupt()" else lambda: signal.raise_signal(signal.SIGINT)
        with pytest.raises(Interrupted if how == "interrupt()" else KeyboardInterrupt):
            # One a second by the machine's clock, fifteen a minute: the second has to wait.
            connection.execute("SELECT name, profile_count FROM lists").fetchall()
        assert clock.slept.is_set()
        assert sum(record.operation == "get_list" for record in sandbox.requests) <= 2
        assert connection.execute("SELECT count(*) FROM metrics").fetchone() == (len(shop.metrics),)


def test_wherever_python_notices_an_interrupt_no_table_is_kept_in_part(shop: Account) -> None:
    """^C at every call that SQLite makes of a table, one after the other: a statement is done, or it has done nothing."""
    connection = opened(":memory:", sandbox=Sandbox(shop, limits=False), autocommit=True)
    for nth in range(1, 1_000):
        calls = 0

        def noticed(frame: Any, event: str, argument: Any, nth: int = nth) -> None:
            nonlocal calls
            if frame.f_code.co_filename.endswith("virtual_tables.py"):
                calls += 1
                if calls == nth:
                    raise KeyboardInterrupt

        before = sys.gettrace()
        sys.settrace(noticed)
        try:
            connection.execute("CREATE TABLE kept AS SELECT id, name FROM metrics")
        except KeyboardInterrupt:
            sys.settrace(before)
            if connection.execute("SELECT name FROM sqlite_master").fetchall():
                assert connection.execute("SELECT count(*) FROM kept").fetchone() == (len(shop.metrics),), nth
                connection.execute("DROP TABLE kept")
        else:
            sys.settrace(before)
            break
    assert nth > 3 * len(shop.metrics)
    assert connection.execute("SELECT count(*) FROM kept").fetchone() == (len(shop.metrics),)
    connection.close()
