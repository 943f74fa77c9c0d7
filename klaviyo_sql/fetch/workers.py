"""Threads that send requests, so that whoever waits for rows can be interrupted, and several requests can be under way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from klaviyo_sql.fetch.forking import renew_after_fork

_IDLE_SECONDS = 30.0


Job = Callable[[], None]


class Workers:
    """At most `most` threads, made when they are needed and gone when they have been idle for a while.

    They are daemons: a request that nobody waits for any more does not keep the process from ending. Nor does it keep others from being sent: a
    thread that is busy with one does not count.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Start anew in a forked child, which has none of the parent's threads."""
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[tuple[Job, threading.Event]] = SimpleQueue()
        self._idle = 0
        self._threads = 0
        self._busy: dict[int, threading.Event] = {}

    def run(self, job: Job, unwanted: threading.Event) -> None:
        """Have a thread run the job, soon; the job keeps its exceptions to itself. `unwanted` is set when nobody waits for it any more."""
        with self._lock:
            self._jobs.put((job, unwanted))
            if self._idle >= self._jobs.qsize() or self._waited_for() >= self._most:
                return
            self._threads += 1
        threading.Thread(target=self._work, name="klaviyo-sql", daemon=True).start()

    def _waited_for(self) -> int:
        """The threads that are idle, or busy with what somebody waits for."""
        return self._threads - sum(unwanted.is_set() for unwanted in self._busy.values())

    def _work(self) -> None:
        me, jobs = threading.get_ident(), self._jobs
        while True:
            with self._lock:
                self._idle += 1
            try:
                found = jobs.get(timeout=_IDLE_SECONDS)
            except Empty:
                found = None
            with self._lock:
                self._idle -= 1
                if found is None:
                    if jobs.empty():
                        self._threads -= 1
                        return
                    continue
                self._busy[me] = found[1]
            found[0]()
            with self._lock:
                del self._busy[me]
                if self._threads > self._most:
                    # Another thread was made while this one was busy in vain.
                    self._threads -= 1
                    return
