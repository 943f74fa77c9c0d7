"""The SQLite file that holds the copies of one account: who may open it, what it must be, and locks that die with their process.

The file is in WAL mode: whoever reads sees one state of a table until the end of the statement, whatever others write meanwhile. Beside it lie
empty lock files, one for each table, so that a table is refreshed by one connection at a time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import apsw

from klaviyo_sql import errors
from klaviyo_sql.copies.need import State
from klaviyo_sql.fetch.forking import renew_after_fork

FORMAT = 1
"""The version of what is in the file; a file of an older one is emptied."""
_APPLICATION = 0x4B53514C
_BUSY_MILLISECONDS = 60_000
_POLL_SECONDS = 0.05
_PARENTS: list[apsw.Connection | None] = []
"""Connections that a forked child has from its parent, kept so that nothing closes them."""
_STATE_DDL = """CREATE TABLE IF NOT EXISTS copies(
    name TEXT PRIMARY KEY, layout TEXT NOT NULL, rows INTEGER NOT NULL, high TEXT, refreshed_at REAL NOT NULL, reread_at REAL NOT NULL,
    serial INTEGER NOT NULL)"""


def default_path(account: str) -> Path:
    """Where the copies of an account lie when nothing else is said; `account` is the digest that tells accounts apart."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or _home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = _home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache")
    return base / "klaviyo-sql" / f"{account[:16]}.copies.db"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise errors.OperationalError("There is no home folder to keep the local copy in: name a file with copy_file.") from None


class _Busy(errors.OperationalError):
    """Somebody else holds the lock."""


class CopyFile:
    """The file, opened when it is first needed.

    `path` is one that the user chose: nothing is overwritten there that is not a file of copies. Without it, the file is the account's in the cache
    folder or, if `temporary`, one in a folder of its own that goes with the object. `poll` is called while a lock is waited for, and raises to
    end the wait.
    """

    def __init__(self, path: Path | None, account: str, *, temporary: bool, poll: Callable[[], None]) -> None:
        self._path = path
        self._named = path is not None
        self._temporary = temporary
        self._own_folder: weakref.finalize[..., CopyFile] | None = None
        self._account = account
        self._poll = poll
        self._writer: apsw.Connection | None = None
        self._readers: list[apsw.Connection] = []
        renew_after_fork(self)

    def renew(self) -> None:
        """Open the file anew in a forked child, which may neither use nor close its parent's connections."""
        _PARENTS.extend((*self._readers, self._writer))
        if self._own_folder is not None:
            self._own_folder.detach()  # the folder is the parent's as well
        self._writer, self._readers = None, []

    @property
    def path(self) -> Path:
        """Where the file is, or will be."""
        if self._path is None and self._temporary:
            folder = tempfile.mkdtemp(prefix="klaviyo-sql-")
            self._own_folder = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self._path = Path(folder) / "copies.db"
        elif self._path is None:
            self._path = default_path(self._account)
        return self._path

    @property
    def exists(self) -> bool:
        """Whether there is a file already."""
        return (self._path is not None or not self._temporary) and self.path.exists()

    def close(self) -> None:
        """Close what is open, and remove a folder that nobody named."""
        writer, readers = self._writer, self._readers
        self._writer, self._readers = None, []
        for connection in (*readers, *([writer] if writer else [])):
            connection.close(True)
        if self._own_folder is not None:
            self._own_folder()

    def reader(self) -> apsw.Connection:
        """A connection in a read transaction of its own, which sees the file as it is now; give it back with `give_back`."""
        self._opened()
        connection = self._readers.pop() if self._readers else self._connected()
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM copies").fetchall()  # the first read fixes what is seen
        return connection

    def give_back(self, connection: apsw.Connection) -> None:
        """End the read transaction; a connection on which something still runs is left to whoever holds it."""
        with contextlib.suppress(apsw.Error):
            if connection.in_transaction:
                connection.execute("COMMIT")
            if connection.txn_state() == apsw.SQLITE_TXN_NONE:
                self._readers.append(connection)

    @property
    def writer(self) -> apsw.Connection:
        """The one connection of this object that writes."""
        return self._opened()

    @contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """A write transaction: all of it or nothing."""
        writer = self.writer
        with self._telling():
            writer.execute("BEGIN IMMEDIATE")
            try:
                yield writer
                writer.execute("COMMIT")
            except BaseException:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                raise

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the lock of that name, alone among all connections of all processes of the machine; it ends with the process that holds it."""
        path = self.path.with_name(f"{self.path.name}.{name}.lock")
        with self._telling():
            _made(path)
            lock = apsw.Connection(str(path))
        try:
            while True:
                try:
                    with self._telling():
                        lock.execute("BEGIN EXCLUSIVE")
                    break
                except _Busy:
                    self._poll()
                    time.sleep(_POLL_SECONDS)
            yield
        finally:
            lock.close(True)

    def state(self, name: str, connection: apsw.Connection | None = None) -> State | None:
        """What is known of the copy of one table; None when there is none."""
        return self.states(connection).get(name)

    def states(self, connection: apsw.Connection | None = None) -> dict[str, State]:
        """What is known of every copy in the file."""
        rows = (connection or self.writer).execute("SELECT name, layout, rows, high, refreshed_at, reread_at, serial FROM copies ORDER BY name")
        return {
            str(name): State(str(name), layout, count, high, datetime.fromtimestamp(refreshed_at, UTC), datetime.fromtimestamp(reread_at, UTC), serial)
            for name, layout, count, high, refreshed_at, reread_at, serial in rows
        }

    def shrink(self) -> None:
        """Give the room of what was dropped back to the system; left for another time when somebody is reading."""
        with contextlib.suppress(apsw.BusyError, apsw.LockedError):
            self.writer.execute("VACUUM")
            self.writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    @property
    def bytes(self) -> int:
        """The size of the file and of what is not merged into it yet."""
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """SQLite's errors and the system's as sentences that name the file."""
        try:
            yield
        except apsw.BusyError:
            raise _Busy(f"The local copy {self.path} has been busy for too long: is another program writing to it?") from None
        except apsw.FullError:
            raise errors.OperationalError(f"There is no room left for the local copy {self.path}: free some, or name another file with copy_file.") from None
        except (apsw.CorruptError, apsw.NotADBError):
            raise errors.OperationalError(f"The local copy {self.path} is damaged: delete the file, and it is made again.") from None
        except apsw.Error as error:
            raise errors.OperationalError(f"The local copy {self.path} cannot be used: {error}. Name another file with copy_file.") from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise errors.OperationalError(f"The local copy {self.path} cannot be written: {reason}. Name another file with copy_file.") from None

    def _opened(self) -> apsw.Connection:
        if self._writer is None:
            with self._telling():
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.lock("opening"), self._telling():
                self._writer = self._prepared()
        return self._writer

    def _prepared(self) -> apsw.Connection:
        """The file, made or checked."""
        _made(self.path)
        connection = apsw.Connection(str(self.path))
        try:
            ours, version = self._kind(connection)
        except (apsw.NotADBError, apsw.CorruptError):
            ours, version = False, 0
        if not ours:
            connection.close(True)
            if self._named:
                raise errors.OperationalError(f"{self.path} is not a file of local copies, and is left as it is: name another file with copy_file.")
            remove(self.path)
            _made(self.path)
            connection = apsw.Connection(str(self.path))
            version = 0
        if version > FORMAT:
            connection.close(True)
            raise errors.OperationalError(f"The local copy {self.path} was made by a newer klaviyo-sql: name another file with copy_file, or remove it.")
        if os.name == "posix" and stat.S_IMODE(self.path.stat().st_mode) & 0o077:
            self.path.chmod(0o600)
        _configure(connection)
        connection.pragma("journal_mode", "wal")
        with connection:
            if version < FORMAT:
                _empty(connection)
            connection.pragma("application_id", _APPLICATION)
            connection.pragma("user_version", FORMAT)
            connection.execute(_STATE_DDL)
            connection.execute("CREATE TABLE IF NOT EXISTS account(digest TEXT NOT NULL)")
            found = connection.execute("SELECT digest FROM account").get
            if found is None:
                connection.execute("INSERT INTO account VALUES (?)", (self._account,))
        if found is not None and found != self._account:
            connection.close(True)
            raise errors.OperationalError(
                f"The local copy {self.path} was made with another key, maybe of another account: name another file with copy_file, or remove it."
            )
        return connection

    def _kind(self, connection: apsw.Connection) -> tuple[bool, int]:
        """Whether the file is empty or one of copies, and the version of its format."""
        application = connection.pragma("application_id")
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
        return application == _APPLICATION or (application == 0 and tables == 0), int(connection.pragma("user_version"))

    def _connected(self) -> apsw.Connection:
        connection = apsw.Connection(str(self.path))
        _configure(connection)
        return connection


def _configure(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(_BUSY_MILLISECONDS)
    connection.pragma("synchronous", "normal")


def remove(path: Path) -> None:
    """Delete a file of copies and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def _made(path: Path) -> None:
    """Make the file if there is none, for its owner alone; SQLite gives the files beside it the same permissions."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _empty(connection: apsw.Connection) -> None:
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall():
        connection.execute(f'DROP TABLE "{name}"')
