"""Limits that processes share: counted together, remembered, and never a reason to fail."""

from __future__ import annotations

import logging
import os
import signal
import stat
import struct
import subprocess
import sys
import textwrap
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from klaviyo_sql.fetch import claims, ledger_file
from klaviyo_sql.fetch.limits import JOURNEY, Admission, Delay, Limits, shared_limits
from klaviyo_sql.model.clock import SimulatedClock, SystemClock
from klaviyo_sql.model.request import Request
from klaviyo_sql.sandbox import SANDBOX_KEY, Account, Sandbox, serve

fcntl = pytest.importorskip("fcntl", reason="each process counts for itself here")

ROOT = Path(__file__).parents[2]
ACCOUNTS = Request("get_accounts", "GET", "/api/accounts")
PROFILES = Request("get_profiles", "GET", "/api/profiles")
EVENT_LIST = Request("get_events", "GET", "/api/events")
COSTLY = Request("get_profiles", "GET", "/api/profiles", (("additional-fields[profile]", "predictive_analytics"),))
REPORT = Request("query_flow_values", "POST", "/api/flow-values-reports")


@pytest.fixture(autouse=True)
def _nothing_told_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_file, "_told", set())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "limits"


@pytest.fixture
def process(folder: Path, clock: SimulatedClock) -> Callable[[], Limits]:
    """The limits as one more process has them: another process shares nothing but the file and the time."""
    clock.sleep(1_000_000)  # the machine has been up for a while
    return lambda: Limits(clock, journey=JOURNEY, folder=folder)


def admitted(limits: Limits, request: Request) -> Admission:
    verdict = limits.admit(request)
    assert isinstance(verdict, Admission)
    return verdict


def delayed(limits: Limits, request: Request) -> Delay:
    verdict = limits.admit(request)
    assert isinstance(verdict, Delay)
    return verdict


Process = Callable[[], Limits]


def test_processes_count_together(process: Process, clock: SimulatedClock) -> None:
    first, second = process(), process()
    for number in range(75):
        limits = (first, second)[number % 2]
        limits.answered(admitted(limits, PROFILES))
    for limits in (first, second, process()):
        assert delayed(limits, PROFILES).limit == "75 requests a second"
        assert limits.remaining("get_profiles")[0].used == 75
        admitted(limits, COSTLY)
    assert first.remaining("get_profiles")[2].used == 3
    clock.sleep(1.2)
    admitted(second, PROFILES)
    assert first.remaining("get_profiles")[1].used == 76


def test_what_never_left_is_not_counted_by_others_either(process: Process) -> None:
    first, second = process(), process()
    first.unsent(admitted(first, ACCOUNTS))
    admitted(second, ACCOUNTS)


def test_answers_are_known_to_others_when_no_more_are_under_way(process: Process, clock: SimulatedClock) -> None:
    """Writing is saved while more requests are to come; at the end of a scan others need not wait for longer than one that knows."""
    first, second = process(), process()
    sent = [admitted(first, PROFILES) for _ in range(75)]
    for one in sent:
        first.answered(one)
    clock.sleep(1.2)
    admitted(second, PROFILES)


def test_the_requests_of_a_dead_process_count_until_they_have_left_every_window(process: Process, clock: SimulatedClock) -> None:
    dead = process()
    admitted(dead, ACCOUNTS)
    del dead
    other = process()
    assert delayed(other, ACCOUNTS).pending
    clock.sleep(JOURNEY)
    assert delayed(other, ACCOUNTS).limit == "1 request a second"
    clock.sleep(1.2)
    admitted(other, ACCOUNTS)
    assert other.remaining("get_accounts")[1].used == 2


def test_a_day_is_remembered(process: Process, clock: SimulatedClock) -> None:
    """Nothing is left of the processes that sent, but the count of their day."""
    for _ in range(225):
        limits = process()
        while isinstance(verdict := limits.admit(REPORT), Delay):
            clock.sleep(verdict.seconds)
        limits.answered(verdict)
    clock.sleep(120)
    limits = process()
    delay = delayed(limits, REPORT)
    assert delay.limit == "225 requests a day"
    assert 70_000 < delay.seconds < 86_400
    assert [left.remaining for left in limits.remaining("query_flow_values")] == [1, 2, 0]
    clock.sleep(delay.seconds)
    admitted(process(), REPORT)


def test_many_that_are_sent_along_are_written_at_once(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = process(), process()
    written: list[int] = []
    pwrite = os.pwrite

    def counted(file: int, data: bytes, position: int) -> int:
        written.append(position)
        return pwrite(file, data, position)

    settled = admitted(first, EVENT_LIST)
    line = first.line(EVENT_LIST)
    places = [line.join(first) for _ in range(10)]
    monkeypatch.setattr(os, "pwrite", counted)
    last = admitted(first, EVENT_LIST)
    assert len(written) == 2, "the head, and the slots that follow one another"
    assert all(place.ticket for place in places[1:])
    assert second.remaining("get_events")[0].used == 11
    for admission in (settled, last, *(place.ticket for place in places[1:])):
        assert admission is not None
        first.unsent(admission)
    assert second.remaining("get_events")[0].used == 0


def test_what_klaviyo_refuses_is_refused_to_all(process: Process, clock: SimulatedClock) -> None:
    first, second = process(), process()
    first.remaining("query_flow_values")
    second.block("query_flow_values", 7200)
    for limits in (first, second, process()):
        assert delayed(limits, REPORT) == Delay(7200, "Klaviyo's Retry-After", refused=True)
    clock.sleep(7201)
    admitted(process(), REPORT)


def test_what_others_used_is_seen(process: Process) -> None:
    admitted(process(), PROFILES)
    admitted(process(), ACCOUNTS)
    assert process().operations == ("get_accounts", "get_profiles")


def test_a_day_outlives_the_machine_being_off(process: Process, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calendar = 2_000_000_000.0
    monkeypatch.setattr(ledger_file.time, "time", lambda: calendar)
    limits = process()
    for _ in range(2):
        limits.answered(admitted(limits, REPORT))
        limits.clock.sleep(100)
    monkeypatch.setattr(ledger_file, "_start_of_machine", lambda: b"another start..."[:16])
    # An hour later by the calendar, ten minutes after the start by the machine's own clock.
    monkeypatch.setattr(ledger_file.time, "time", lambda: calendar + 3600)
    clock = SimulatedClock()
    clock.sleep(600)
    after = Limits(clock, journey=JOURNEY, folder=folder)
    assert [left.used for left in after.remaining("query_flow_values")] == [0, 0, 2]
    clock.sleep(86_400 - 3600 + 1000)
    assert [left.used for left in after.remaining("query_flow_values")] == [0, 0, 0]


@pytest.mark.parametrize("step", [-1e9, 1e9], ids=["back", "on"])
def test_a_calendar_that_is_set_while_the_machine_runs_changes_nothing(process: Process, monkeypatch: pytest.MonkeyPatch, step: float) -> None:
    monkeypatch.setattr(ledger_file, "_start_of_machine", lambda: b"the only start.."[:16])
    admitted(process(), ACCOUNTS)
    there = ledger_file.time.time()
    monkeypatch.setattr(ledger_file.time, "time", lambda: there + step)
    delayed(process(), ACCOUNTS)


@pytest.mark.parametrize("step", [-1e9, 1e9], ids=["back", "on"])
def test_a_calendar_that_is_set_while_the_machine_is_off_blocks_for_a_day_at_most(
    process: Process, folder: Path, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    admitted(process(), REPORT)
    there = ledger_file.time.time()
    monkeypatch.setattr(ledger_file.time, "time", lambda: there + step)
    monkeypatch.setattr(ledger_file, "_start_of_machine", lambda: b"another start..."[:16])
    after = process()
    assert after.remaining("query_flow_values")[2].used in (0, 1)
    clock.sleep(86_500)
    assert after.remaining("query_flow_values")[2].used == 0


# Whose turn it is among processes


@pytest.fixture
def becomes(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """What is done from now on is done by the process of this number."""
    return lambda number: monkeypatch.setattr(claims.os, "getpid", lambda: number)


def test_processes_that_wait_are_served_in_turn(process: Process, clock: SimulatedClock, becomes: Callable[[int], None]) -> None:
    """Whoever was just served and wants more goes behind the other, however quick it is."""
    limits = {number: process() for number in (1, 2, 3)}
    served: list[int] = []
    for _ in range(300):
        for number in limits:  # the first is always the quickest
            becomes(number)
            verdict = limits[number].admit(ACCOUNTS)
            if isinstance(verdict, Admission):
                limits[number].answered(verdict)
                served.append(number)
        clock.sleep(0.2)
    assert len(served) >= 15
    assert served[:15] == [1, 2, 3] * 5


def test_a_process_that_waits_takes_nothing_from_what_is_free_for_others(process: Process, clock: SimulatedClock, becomes: Callable[[int], None]) -> None:
    first, second = process(), process()
    becomes(1)
    for _ in range(75):
        first.answered(admitted(first, PROFILES))
    delayed(first, PROFILES)
    becomes(2)
    clock.sleep(1.2)
    for _ in range(74):
        second.answered(admitted(second, PROFILES))
    assert delayed(second, PROFILES).seconds > 1
    becomes(1)
    admitted(first, PROFILES)


def test_a_process_that_dies_or_leaves_while_it_waits_is_not_waited_for(process: Process, clock: SimulatedClock, becomes: Callable[[int], None]) -> None:
    first, second = process(), process()
    becomes(1)
    first.answered(admitted(first, ACCOUNTS))
    delayed(first, ACCOUNTS)
    first.unclaim(ACCOUNTS)
    clock.sleep(1.2)
    becomes(2)
    second.answered(admitted(second, ACCOUNTS))
    becomes(1)
    delayed(first, ACCOUNTS)  # and dies
    becomes(2)
    clock.sleep(1.2)
    assert delayed(second, ACCOUNTS).pending
    clock.sleep(0.5)
    admitted(second, ACCOUNTS)


# Files that are not what they should be


def the_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: b"not ours",
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda content: bytes(len(content)),
        lambda content: b"\xff" * len(content),
        lambda content: content[:20] + b"!" + content[21:],
    ],
    ids=["empty", "short", "cut", "longer", "zeros", "ones", "a bit of the head"],
)
def test_garbage_is_written_anew(process: Process, folder: Path, spoil: Callable[[bytes], bytes]) -> None:
    first = process()
    admitted(first, ACCOUNTS)
    path = the_file(folder)
    path.write_bytes(spoil(path.read_bytes()))
    delayed(first, ACCOUNTS)  # who knows keeps what it knows,
    delayed(process(), ACCOUNTS)  # and tells the others
    path.write_bytes(spoil(path.read_bytes()))
    other = process()
    admitted(other, ACCOUNTS)
    delayed(first, ACCOUNTS)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, -1e300])
def test_times_that_are_none_do_no_harm_for_longer_than_a_window(process: Process, folder: Path, clock: SimulatedClock, value: float) -> None:
    admitted(process(), ACCOUNTS)
    path = the_file(folder)
    content = path.read_bytes()
    path.write_bytes(content[:-16] + struct.pack("=d", value) + content[-8:])
    limits = process()
    assert limits.remaining("get_accounts")[1].used <= 2
    clock.sleep(130)
    limits.answered(admitted(limits, ACCOUNTS))
    assert limits.remaining("get_accounts")[1].used == 1


def test_a_file_that_is_deleted_is_made_anew(process: Process, folder: Path) -> None:
    first = process()
    admitted(first, ACCOUNTS)
    the_file(folder).unlink()
    delayed(first, ACCOUNTS)
    delayed(process(), ACCOUNTS)


def unusable_parent(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file where the folder should be")


def a_link(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder.parent / "elsewhere").write_bytes(b"somebody's")
    for name in ("get_accounts.16", "get_profiles.825.160"):
        (folder / name).symlink_to(folder.parent / "elsewhere")


def a_folder(folder: Path) -> None:
    for name in ("get_accounts.16", "get_profiles.825.160"):
        (folder / name).mkdir(parents=True)


@pytest.mark.parametrize("make", [unusable_parent, a_link, a_folder])
def test_where_nothing_can_be_kept_each_process_counts_alone_and_says_so_once(
    process: Process, folder: Path, caplog: pytest.LogCaptureFixture, make: Callable[[Path], None]
) -> None:
    make(folder)
    limits = process()
    limits.answered(admitted(limits, ACCOUNTS))
    delayed(limits, ACCOUNTS)
    limits.answered(admitted(limits, PROFILES))
    limits.block("get_profiles", 5)
    delayed(limits, PROFILES)
    assert "get_accounts" in limits.operations
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "counts the requests of this process alone" in record.getMessage()
    if make is a_link:
        assert (folder.parent / "elsewhere").read_bytes() == b"somebody's"


def test_a_write_that_fails_in_between_is_no_error(process: Process, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    limits = process()
    sent = admitted(limits, ACCOUNTS)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ledger_file.os, "pwrite", full)
    limits.answered(sent)
    delayed(limits, ACCOUNTS)
    assert len(caplog.records) == 1


def test_a_process_that_is_stopped_while_it_has_the_lock_holds_up_nobody(
    process: Process, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ledger_file, "_PATIENCE", 0.01)
    monkeypatch.setattr(ledger_file, "_PAUSE", 0.0)
    limits = process()
    limits.remaining("get_profiles")
    with the_file(folder).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for _ in range(3):
            admitted(limits, PROFILES)
    assert len(caplog.records) == 1
    # What was counted alone in between is told to the others later.
    admitted(limits, PROFILES)
    assert process().remaining("get_profiles")[0].used == 4


def test_without_locks_each_process_counts_alone(process: Process, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_file, "fcntl", None)
    admitted(process(), ACCOUNTS)
    admitted(process(), ACCOUNTS)
    assert not folder.exists()


def test_the_files_are_for_the_user_alone_and_do_not_tell_the_key(tmp_path: Path) -> None:
    key = "pk_0123456789abcdef0123456789abcdef01"
    limits = shared_limits("https://a.klaviyo.com", "0123456789abcdef" * 4, SystemClock(), tmp_path / "state")
    limits.answered(admitted(limits, ACCOUNTS))
    paths = sorted((tmp_path / "state").rglob("*"))
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o700, 0o700, 0o600]
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    for path in paths:
        assert key not in str(path)
        assert "0123456789abcdef" not in str(path)
    other = shared_limits("http://localhost:1", "0123456789abcdef" * 4, SystemClock(), tmp_path / "state")
    other.answered(admitted(other, ACCOUNTS))
    assert len(list((tmp_path / "state" / "limits").iterdir())) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_counts_together_with_its_parent(process: Process) -> None:
    limits = process()
    for _ in range(3):
        admitted(limits, PROFILES)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            for _ in range(2):
                limits.answered(admitted(limits, PROFILES))
            code = 0 if limits.remaining("get_profiles")[0].used == 5 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert limits.remaining("get_profiles")[0].used == 5


def test_many_threads_of_two_at_once_lose_no_request(process: Process) -> None:
    both = process(), process()

    def work(limits: Limits) -> None:
        for _ in range(30):
            limits.answered(admitted(limits, PROFILES))
            limits.clock.sleep(0.1)

    threads = [threading.Thread(target=work, args=(both[number % 2],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for limits in (*both, process()):
        assert limits.remaining("get_profiles")[1].used == 240


# Real processes, by the machine's own clock

PROGRAM = textwrap.dedent("""
    import sys, klaviyo_sql
    ids = sys.argv[1].split(",")
    with klaviyo_sql.connect(cache_seconds=0) as connection:
        query = f"SELECT count(*) FROM events WHERE id IN ({','.join('?' * len(ids))})"
        print(connection.execute(query, ids).fetchone()[0])
""")


@pytest.fixture
def served(account: Account, tmp_path: Path) -> Iterator[tuple[Sandbox, Callable[[list[str]], subprocess.Popen[bytes]]]]:
    """A server with limits in real time, and processes that ask it for events by id: 10 a second."""
    sandbox = Sandbox(account, clock=SystemClock())
    processes: list[subprocess.Popen[bytes]] = []
    with serve(sandbox) as url:
        environment = {**os.environ, "KLAVIYO_API_KEY": SANDBOX_KEY, "KLAVIYO_API_URL": url, "KLAVIYO_SQL_STATE_FOLDER": str(tmp_path)}

        def start(ids: list[str]) -> subprocess.Popen[bytes]:
            one = subprocess.Popen([sys.executable, "-c", PROGRAM, ",".join(ids)], stdout=subprocess.PIPE, cwd=ROOT, env=environment)
            processes.append(one)
            return one

        yield sandbox, start
        for one in processes:
            one.kill()
            one.communicate()


def statuses(sandbox: Sandbox) -> Counter[int]:
    return Counter(record.status for record in sandbox.requests)


def test_two_processes_stay_within_the_limits_together(account: Account, served: tuple[Sandbox, Callable[[list[str]], subprocess.Popen[bytes]]]) -> None:
    sandbox, start = served
    ids = [event["id"] for event in account.events_in_order()][:36]
    first, second = start(ids[:18]), start(ids[18:])
    assert first.communicate(timeout=60)[0] == b"18\n"
    assert second.communicate(timeout=60)[0] == b"18\n"
    assert statuses(sandbox) == {200: 36}


def test_a_process_that_is_killed_leaves_the_limits_sound(account: Account, served: tuple[Sandbox, Callable[[list[str]], subprocess.Popen[bytes]]]) -> None:
    sandbox, start = served
    ids = [event["id"] for event in account.events_in_order()][:130]
    victim, other = start(ids[:100]), start(ids[100:115])
    pause = threading.Event()
    while len(sandbox.requests) < 12 and victim.poll() is None:
        pause.wait(0.01)
    assert victim.poll() is None
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    assert other.communicate(timeout=60)[0] == b"15\n"
    third = start(ids[115:])
    assert third.communicate(timeout=60)[0] == b"15\n"
    assert statuses(sandbox).keys() == {200}
