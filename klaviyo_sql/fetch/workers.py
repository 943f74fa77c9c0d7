"""Threads that send requests, so that whoever waits for rows can be interrupted, and several requests can be under way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from klaviyo_sql.fetch.forking import renew_after_fork

_IDLE_SECONDS = 30.0


class Workers:
    """At most `most` threads, made when they are needed and gone when they have been idle for a while.

    They are daemons: a request that nobody waits for any more does not keep the process from ending.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Start anew in a forked child, which has none of the parent's threads."""
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._idle = 0
        self._threads = 0

    def run(self, job: Callable[[], None]) -> None:
        """Have a thread run the job, soon; the job keeps its exceptions to itself."""
        with self._lock:
            self._jobs.put(job)
            if self._idle >= self._jobs.qsize() or self._threads >= self._most:
                return
            self._threads += 1
        threading.Thread(target=self._work, name="klaviyo-sql", daemon=True).start()

    def _work(self) -> None:
        jobs = self._jobs
        while True:
            with self._lock:
                self._idle += 1
            try:
                job = jobs.get(timeout=_IDLE_SECONDS)
            except Exception:
                job = None
            with self._lock:
                self._idle -= 1
                if job is None:
                    if jobs.empty():
                        self._threads -= 1
                        return
                    continue
            job()
