"""What can happen to processes, connections and descriptors while the extension is in use."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from klaviyo_sql.sandbox import SANDBOX_KEY

from .conftest import Extension
from .gated import GatedSandbox
from .host import Host
from .programs import PATIENCE, Program, is_running, until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes in /proc")


@pytest.mark.parametrize("calls", [False, True])
def test_a_thousand_connections_leave_nothing_behind(
    program: Callable[..., Program], server: GatedSandbox, monkeypatch: pytest.MonkeyPatch, calls: bool
) -> None:
    if calls:
        monkeypatch.setenv("KLAVIYO_SQL_WRITE", "1")
        monkeypatch.setenv("KLAVIYO_SQL_DRY_RUN", "1")
    host = program(
        f"calls = {calls}\n"
        + textwrap.dedent("""
        def memory(pid):
            return int(open(f"/proc/{pid}/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        first = opened()
        workers = {worker(first)}
        for number in range(1000):
            connection = opened()
            rows(connection, "SELECT name FROM metrics LIMIT 1" if number % 50 == 0 else "SELECT count(*) FROM klaviyo_requests")
            if calls:
                rows(connection, "SELECT suppress_profiles(value) FROM klaviyo_writes, json_each(?)", '["a@example.com", "b@example.com"]')
                rows(connection, "SELECT clone_template('T', 'x'), request FROM suppress_profiles('a@example.com')")
            workers.add(worker(connection))
            connection.close()
            if number in (299, 999):
                pid = min(workers)
                tell(workers=len(workers), descriptors=len(os.listdir("/proc/self/fd")), memory=memory("self"), of_worker=memory(pid), pid=pid)
        asked()
    """)
    )
    early, late = host.told(), host.told()
    assert early["workers"] == late["workers"] == 1
    assert early["descriptors"] == late["descriptors"]
    assert late["memory"] - early["memory"] < 4 * 2**20
    assert late["of_worker"] - early["of_worker"] < 16 * 2**20
    until(lambda: len(list(Path(f"/proc/{late['pid']}/fd").iterdir())) <= 12, "the worker closes what it had for the connections")
    children = Path(f"/proc/{host.process.pid}/task/{host.process.pid}/children").read_text(encoding="utf-8")
    assert children == "", "the host has a child that it does not know"
    host.answer()
    host.ended()
    until(lambda: not is_running(late["pid"]), "the worker ends with the host")


def test_the_worker_ends_when_the_host_is_killed(program: Callable[..., Program], server: GatedSandbox) -> None:
    host = program("""
        connection = opened()
        tell(pid=worker(connection))
        asked()
    """)
    pid = host.told()["pid"]
    host.process.kill()
    until(lambda: not is_running(pid), "the worker ends with the host")


def test_a_worker_that_is_killed_is_an_error_and_then_there_is_another(program: Callable[..., Program], server: GatedSandbox) -> None:
    host = program("""
        connection = opened()
        scan = connection.execute("SELECT id FROM events")
        count = len(scan.fetchmany(10))
        tell(pid=worker(connection), count=count)
        asked()
        try:
            count += len(scan.fetchall())
            tell(said="nothing", count=count)
        except sqlite3.Error as error:
            tell(said=str(error), count=count)
        tell(count=rows(connection, "SELECT count(*) FROM lists")[0][0], pid=worker(connection))
        other = opened()
        tell(pid=worker(other), count=rows(other, "SELECT count(*) FROM metrics")[0][0])
    """)
    first = host.told()
    os.kill(first["pid"], signal.SIGKILL)
    until(lambda: not is_running(first["pid"]), "it is killed")
    host.answer()
    said = host.told()["said"]
    assert "The worker process ended" in said or "the worker process ended during the statement" in said
    again, other = host.told(), host.told()
    assert again["count"] == 14
    assert again["pid"] == other["pid"] != first["pid"]
    host.ended()


def test_a_fork_leaves_the_parent_its_worker_and_gets_its_own(program: Callable[..., Program], server: GatedSandbox) -> None:
    host = program("""
        connection = opened()
        scan = connection.execute("SELECT id FROM events")
        scan.fetchone()
        mine = worker(connection)
        child = os.fork()
        if not child:
            try:
                rows(connection, "SELECT count(*) FROM lists")
                said = "nothing"
            except sqlite3.Error as error:
                said = str(error)
            own = opened()
            tell(said=said, other=worker(own) != mine, count=rows(own, "SELECT count(*) FROM lists")[0][0])
            own.close()
            os._exit(0)
        os.waitpid(child, 0)
        tell(same=worker(connection) == mine, left=len(scan.fetchall()))
    """)
    child, parent = host.told(), host.told()
    assert "belongs to the process that opened it" in child["said"]
    assert child["other"]
    assert child["count"] == 14
    assert parent == {"same": True, "left": 5999}
    host.ended()


def test_threads_have_connections_of_their_own_and_one_worker(program: Callable[..., Program], server: GatedSandbox) -> None:
    host = program("""
        found, workers = [], set()

        def ask():
            connection = opened()
            workers.add(worker(connection))
            for _ in range(5):
                found.append(rows(connection, "SELECT count(*), min(id), max(datetime) FROM events WHERE datetime >= '2026-09-01'"))
            connection.close()

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tell(answers=len(found), different=len(set(map(str, found))), workers=len(workers), count=found[0][0][0])
    """)
    told = host.told()
    assert told.pop("count") > 100
    assert told == {"answers": 40, "different": 1, "workers": 1}
    host.ended()


def test_an_interrupt_ends_a_statement_that_waits(program: Callable[..., Program], server: GatedSandbox) -> None:
    host = program("""
        connection = opened()
        pid = worker(connection)
        tell(ready=True)

        def stop():
            asked()
            connection.interrupt()

        threading.Thread(target=stop).start()
        try:
            rows(connection, "SELECT count(*) FROM profiles")
            tell(said="nothing")
        except sqlite3.Error as error:
            tell(said=str(error))
        asked()
        tell(count=rows(connection, "SELECT count(*) FROM lists")[0][0], same=worker(connection) == pid)
    """)
    server.gate.clear()
    host.told()
    assert server.asked.wait(PATIENCE)
    host.answer()
    assert host.told() == {"said": "interrupted"}
    server.gate.set()
    host.answer()
    assert host.told() == {"count": 14, "same": True}
    host.ended()


def test_a_progress_handler_ends_a_statement_that_waits(program: Callable[..., Program], server: GatedSandbox) -> None:
    host = program("""
        connection = opened()
        over = threading.Event()
        connection.set_progress_handler(over.is_set, 1000)
        tell(ready=True)

        def stop():
            asked()
            over.set()

        threading.Thread(target=stop).start()
        try:
            rows(connection, "SELECT count(*) FROM profiles")
            tell(said="nothing")
        except sqlite3.Error as error:
            tell(said=str(error))
    """)
    server.gate.clear()
    host.told()
    assert server.asked.wait(PATIENCE)
    host.answer()
    assert host.told() == {"said": "interrupted"}
    server.gate.set()
    host.ended()


def test_a_worker_that_hangs_can_be_interrupted(program: Callable[..., Program], server: GatedSandbox) -> None:
    host = program("""
        connection = opened()
        statement = "SELECT count(*) FROM klaviyo_requests WHERE number > 0"
        rows(connection, statement)
        tell(pid=worker(connection))
        asked()
        over = threading.Event()

        def stop():
            while not over.wait(0.01):
                connection.interrupt()

        thread = threading.Thread(target=stop)
        thread.start()
        try:
            rows(connection, statement)
            said = "nothing"
        except sqlite3.Error as error:
            said = str(error)
        over.set()
        thread.join()
        tell(said=said)
        asked()
        tell(count=rows(connection, "SELECT count(*) FROM lists")[0][0])
    """)
    pid = host.told()["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        host.answer()
        assert host.told() == {"said": "interrupted"}
    finally:
        os.kill(pid, signal.SIGCONT)
    host.answer()
    assert host.told() == {"count": 14}
    host.ended()


def test_the_worker_has_nothing_of_the_host(program: Callable[..., Program], server: GatedSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "open in the host"
    secret.write_text("x", encoding="utf-8")
    monkeypatch.setenv("KLAVIYO_SQL_STATE_FOLDER", str(tmp_path / "state"))
    host = program(f"""
        kept = os.open({str(secret)!r}, os.O_RDONLY)
        os.set_inheritable(kept, True)
        connection = opened()
        tell(pid=worker(connection))
        asked()
    """)
    pid = host.told()["pid"]
    links = {int(link.name): str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    assert str(secret) not in links.values()
    assert links[0] == links[1] == "/dev/null"
    assert links[2] == str(tmp_path / "state" / "extension.log")
    assert (tmp_path / "state" / "extension.log").stat().st_mode & 0o777 == 0o600
    assert SANDBOX_KEY.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert os.getsid(pid) != os.getsid(host.process.pid), "^C in the host's terminal would end it"
    host.answer()
    host.ended()


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ("/nonexistent/python", "cannot be started with /nonexistent/python: No such file or directory. KLAVIYO_SQL_PYTHON"),
        ("/bin/true", "the worker process "),  # ended during the statement, or does not take a connection: as it dies
        ("no package", "No module named"),
    ],
)
def test_a_python_that_is_none(
    program: Callable[..., Program], server: GatedSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, python: str, said: str
) -> None:
    if python == "no package":
        wrapper = tmp_path / "python"
        wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n', encoding="utf-8")
        wrapper.chmod(0o755)
        python = str(wrapper)
    monkeypatch.setenv("KLAVIYO_SQL_PYTHON", python)
    host = program("""
        connection = opened()
        for _ in range(2):
            try:
                rows(connection, "SELECT count(*) FROM lists")
                tell(said="nothing")
            except sqlite3.Error as error:
                tell(said=str(error))
        tell(others=rows(connection, "SELECT 1 + 1"))
    """)
    assert said in host.told()["said"]
    assert said in host.told()["said"]
    assert host.told() == {"others": [[2]]}
    host.ended()


def test_loading_it_twice(program: Callable[..., Program], server: GatedSandbox) -> None:
    host = program("""
        connection = opened()
        before = rows(connection, "SELECT count(*) FROM lists")
        connection.load_extension(LIBRARY)
        tell(same=rows(connection, "SELECT count(*) FROM lists") == before)
    """)
    assert host.told() == {"same": True}
    host.ended()


def test_control_c_in_the_shell(extension: Extension, server: GatedSandbox) -> None:
    shell = shutil.which("sqlite3")
    if shell is None:
        pytest.skip("there is no sqlite3 shell")
    mine, its = pty.openpty()
    server.gate.clear()
    process = subprocess.Popen([shell, "-interactive"], stdin=its, stdout=its, stderr=its, start_new_session=True, preexec_fn=lambda: _own_terminal(its))
    os.close(its)
    heard = ""

    def hear(wanted: str) -> None:
        nonlocal heard
        while wanted not in heard:
            assert select.select([mine], [], [], PATIENCE)[0], heard
            heard += os.read(mine, 4096).decode(errors="replace")
        heard = heard.partition(wanted)[2]

    try:
        hear("sqlite>")
        os.write(mine, f".load '{extension.library}'\nSELECT 'was ' || count(*) FROM profiles;\n".encode())
        assert server.asked.wait(PATIENCE)
        os.write(mine, b"\x03")
        hear("nterrupt")
        server.gate.set()
        os.write(mine, b"SELECT 'there are ' || count(*) FROM lists;\n")
        hear("there are 14")
        os.write(mine, b".quit\n")
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()
        os.close(mine)


def _own_terminal(terminal: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


def test_connections_of_one_program_are_apart(open_host: Callable[..., Host]) -> None:
    first, second = open_host(), open_host()
    first.execute("SELECT count(*) FROM lists").fetchall()
    assert first.execute("SELECT count(*) > 0 FROM klaviyo_requests").fetchall() == [(1,)]
    assert second.execute("SELECT count(*) FROM klaviyo_requests").fetchall() == [(0,)]
