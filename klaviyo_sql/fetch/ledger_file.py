"""The books of one operation in a file, which the processes of a machine keep together.

The file is as long as it will ever be: a head, and behind it the slots of each meter. Whoever reads or writes holds the system's lock on it, which
ends with the process that has it, however that ends. Writing is a few bytes a request, the head first: a process that dies in between has
not sent the request yet. What makes no sense, because somebody else wrote it, is written anew; and whatever goes wrong with the file, the
process counts by itself.

Times are the machine's steady clock. It begins anew when the machine is started, so the head says by which start it counts, and how far
that was from the calendar's time; after another start the times are moved by what lies in between.
"""

from __future__ import annotations

import logging
import math
import os
import stat
import struct
import time
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from klaviyo_sql.fetch.claims import MOST

try:
    import fcntl
except ImportError:  # Windows: every process counts for itself
    fcntl = None  # type: ignore[assignment]

_FORMAT = b"klavlim1"
_HEAD = struct.Struct("=8s16sdQdd")
"""Format, start of the machine, its distance from the calendar's time, generation, blocked until, full pace at."""
_METER = struct.Struct("=d" + MOST * "Qd")
"""Empty until, and the claims."""
_CHECK = struct.Struct("=I")
_UNKNOWN = bytes(16)
_STEP = 60.0
_LONGEST = 366 * 86400.0
_PATIENCE = 0.5
"""Seconds to try for the lock. Nobody holds it for longer than a moment, but for a process that was stopped in just that moment."""
_PAUSE = 2.0
"""Seconds without further tries after that."""
_AHEAD = 60.0
"""Seconds that a request may be ahead of the present at most: as long as it may be on its way, and more."""

_log = logging.getLogger("klaviyo_sql")
_told: set[str] = set()


@dataclass(frozen=True, slots=True)
class Head:
    """What is in the file before the slots, in the times of the steady clock; the tuples have an entry for each meter."""

    blocked_until: float
    full_pace_at: float
    empty_until: tuple[float, ...]
    claims: tuple[tuple[tuple[int, float], ...], ...]


class LedgerFile:
    """One file, opened when it is first needed; only its owner may use it, one thread at a time.

    `lock` says whether the file can be used now. An OSError in between ends its use for this process, with a warning in the log.
    """

    def __init__(self, path: Path, sizes: Sequence[int]) -> None:
        """`sizes` is how many slots each meter has."""
        self.path = path
        self._sizes = sizes
        self._head_size = _HEAD.size + _METER.size * len(sizes) + _CHECK.size
        self._size = self._head_size + 8 * sum(sizes)
        self.is_void = True
        """Whether all of it has to be written."""
        self._file: int | None = None
        self._useless = fcntl is None
        self._generation = -1
        self._idle_until = 0.0

    def renew(self) -> None:
        """A forked child opens it anew, for a lock belongs to parent and child together otherwise."""
        self._close()

    def lock(self) -> bool:
        """Lock it, if that is possible."""
        if self._useless:
            return False
        now = time.monotonic()
        if now < self._idle_until:
            return False
        locked = False
        try:
            locked = self._locked(now)
        except OSError as error:
            self._give_up(error)
        return locked

    def unlock(self) -> None:
        """Let others go on."""
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def guarded(self, action: Callable[[LedgerFile], None]) -> None:
        """Do something with the file, if it is still there."""
        if self._file is not None:
            try:
                action(self)
            except OSError as error:
                self._give_up(error)

    def read(self, now: float) -> tuple[Head, list[array[float]]] | None:
        """What others wrote since the last time: the head and the slots; None when that is nothing, or nothing that makes sense."""
        assert self._file is not None  # noqa: S101 - it is locked
        head = os.pread(self._file, self._head_size, 0)
        format_, start, distance, generation, blocked_until, full_pace_at = self._unpacked(head)
        if format_ == _FORMAT and start == _start_of_machine() and generation == self._generation:
            return None
        self.is_void = True
        body = os.pread(self._file, self._size + 1, 0)
        if format_ != _FORMAT or len(body) != self._size:
            if body:
                _log.info("%s is not a file of klaviyo_sql's limits, and is written anew", self.path)
            return None
        present = time.time() - now
        # Where the system does not tell its starts apart, the calendar does.
        same_start = start == _start_of_machine() and (start != _UNKNOWN or abs(distance - present) < _STEP)
        shift = 0.0 if same_start else distance - present
        slots, position = [], self._head_size
        for size in self._sizes:
            values = array("d", body[position : position + 8 * size])
            position += 8 * size
            slots.append(values if same_start and _is_sound(values, now) else array("d", [_sound(value + shift, now) for value in values]))
        empty_until, claims = [], []
        for until, *waiting in _METER.iter_unpack(body[_HEAD.size : self._head_size - _CHECK.size]):
            empty_until.append(_sound(until + shift, now, _AHEAD))
            pairs = zip(waiting[::2], waiting[1::2], strict=True)
            claims.append(tuple((process, _sound(end, now, _AHEAD)) for process, end in pairs if process) if same_start else ())
        self._generation = generation
        self.is_void = not same_start
        found = Head(_sound(blocked_until + shift, now, _LONGEST), _sound(full_pace_at + shift, now, _LONGEST), tuple(empty_until), tuple(claims))
        return found, slots

    def write(self, head: Head, slots: Sequence[array[float]], changed: Sequence[Sequence[int]], now: float) -> None:
        """Write the head and the slots that changed, or everything when what is there is void."""
        assert self._file is not None  # noqa: S101 - it is locked
        generation = (self._generation + 1) % 2**63
        packed = _HEAD.pack(_FORMAT, _start_of_machine(), time.time() - now, generation, head.blocked_until, head.full_pace_at)
        for until, claims in zip(head.empty_until, head.claims, strict=True):
            waiting = [value for claim in claims for value in claim]
            packed += _METER.pack(until, *waiting, *[0] * (2 * MOST - len(waiting)))
        packed += _CHECK.pack(zlib.crc32(packed))
        if self.is_void:
            # Not a moment in which the head belongs to something that is not there.
            os.pwrite(self._file, bytes(len(packed)), 0)
            os.pwrite(self._file, b"".join(values.tobytes() for values in slots), len(packed))
            os.ftruncate(self._file, self._size)
            os.pwrite(self._file, packed, 0)
        else:
            os.pwrite(self._file, packed, 0)
            position = len(packed)
            for values, numbers in zip(slots, changed, strict=True):
                for start, end in _stretches(numbers):
                    os.pwrite(self._file, values[start:end].tobytes(), position + 8 * start)
                position += 8 * len(values)
        self._generation = generation
        self.is_void = False

    def _unpacked(self, head: bytes) -> tuple[bytes, bytes, float, int, float, float]:
        """The fields of the head, if it is one."""
        if len(head) != self._head_size or _CHECK.unpack(head[-_CHECK.size :])[0] != zlib.crc32(head[: -_CHECK.size]):
            return b"", b"", 0.0, -1, 0.0, 0.0
        format_, start, distance, generation, blocked_until, full_pace_at = _HEAD.unpack(head[: _HEAD.size])
        return format_, start, distance, generation, blocked_until, full_pace_at

    def _locked(self, now: float) -> bool:
        if self._file is not None:
            found = os.fstat(self._file)
            if found.st_nlink == 0:
                self._close()  # somebody has deleted it
            elif found.st_size != self._size:
                self._generation = -1
        if self._file is None:
            self._open()
        assert self._file is not None  # noqa: S101 - opened above
        pause = 0.0001
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() - now > _PATIENCE:
                    self._idle_until = time.monotonic() + _PAUSE
                    _tell(str(self.path), "%s is held by another process; for the moment klaviyo_sql counts the requests of this process alone", self.path)
                    return False
                time.sleep(pause)
                pause = min(2 * pause, 0.005)

    def _open(self) -> None:
        for folder in (*reversed(self.path.parents),):
            # Not with parents=True, which would give those in between other rights.
            folder.mkdir(mode=0o700, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        found = os.fstat(self._file)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{self.path} is not a file of this user")

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._generation = -1

    def _give_up(self, error: OSError) -> None:
        self._useless = True
        try:
            self._close()
        except OSError:
            self._file = None
        _tell(str(self.path.parent), "klaviyo_sql cannot share its limits with other processes (%s); it counts the requests of this process alone", error)


def file_in(folder: Path, operation: str, sizes: Sequence[int]) -> LedgerFile:
    """The file of an operation; another version of the contract, with other limits, has another file."""
    return LedgerFile(folder / f"{operation}.{'.'.join(map(str, sizes))}", sizes)


def kept_in(folder: Path) -> list[str]:
    """The operations that have a file there."""
    try:
        return sorted({path.name.partition(".")[0] for path in folder.iterdir()})
    except OSError:
        return []


def _stretches(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where numbers that follow one another begin and end."""
    start = end = -1
    for number in sorted(numbers):
        if number != end:
            if start >= 0:
                yield start, end
            start = number
        end = number + 1
    if start >= 0:
        yield start, end


def _tell(about: str, text: str, *values: object) -> None:
    """A warning, once."""
    if about not in _told:
        _told.add(about)
        _log.warning(text, *values)


def _is_sound(values: array[float], now: float) -> bool:
    """Whether all of them are times until about now, or -inf; a sum shows the NaN that max() may pass by."""
    return max(values) <= now + _AHEAD and not math.isnan(sum(values))


def _sound(value: float, now: float, ahead: float = _AHEAD) -> float:
    """The time, but nothing that is no time, and nothing further ahead than makes sense."""
    return -math.inf if math.isnan(value) else min(value, now + ahead)


@cache
def _start_of_machine() -> bytes:
    """What is another after every start of the machine, as far as the system tells."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        return bytes.fromhex(text.strip().replace("-", ""))[:16].ljust(16, b"\0")
    except (OSError, ValueError):
        return _UNKNOWN
