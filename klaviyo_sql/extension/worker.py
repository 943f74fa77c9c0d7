"""The worker process of the loadable extension: one for each host process, a thread for each of its connections."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from klaviyo_sql.extension import wire
from klaviyo_sql.extension.conversation import Arrange, Conversation
from klaviyo_sql.extension.settings import arranged, log_file

_CONTROL = 3
_LONGEST_LOG = 2**20

_log = logging.getLogger("klaviyo_sql.extension")


def main(arrange: Arrange = arranged, control: int = _CONTROL) -> None:
    """Serve the host's connections until it ends; `arrange` tells how each session reaches Klaviyo."""
    with socket.socket(fileno=control) as words:
        path = log_file(os.environ)
        Worker(arrange, path, lambda: _write_to(path)).serve(words)
    # Threads may still be waiting for Klaviyo, and nobody is there any more to hear what comes.
    os._exit(0)


class Worker:
    """The connections of one host process."""

    def __init__(self, arrange: Arrange, log: Path | None, ready: Callable[[], None]) -> None:
        """`log` is the file that standard error goes to once it is `ready`; before that, the host says what was written last if there is no answer."""
        self._arrange = arrange
        self._log = log
        self._ready = ready
        self._conversations: dict[int, Conversation] = {}

    def serve(self, control: socket.socket) -> None:
        """Hear of new connections and of requests that are cancelled, until there is nobody to say so."""
        while True:
            try:
                word, descriptors, _, _ = socket.recv_fds(control, wire.CONTROL.size, 1)
                while word and len(word) < wire.CONTROL.size:
                    word += control.recv(wire.CONTROL.size - len(word))
            except OSError:
                return
            if not word:
                return
            kind, session, number = wire.CONTROL.unpack(word)
            if kind == wire.OPEN and descriptors:
                self._open(session, descriptors[0])
            elif kind == wire.CANCEL and (found := self._conversations.get(session)):
                found.cancel(number)

    def _open(self, session: int, descriptor: int) -> None:
        line = socket.socket(fileno=descriptor)
        line.setblocking(True)
        conversation = Conversation(line, self._arrange, self._log, self._ready)
        self._conversations[session] = conversation

        def run() -> None:
            try:
                conversation.run()
            except Exception:
                _log.exception("a connection ended")
            finally:
                self._conversations.pop(session, None)

        threading.Thread(target=run, name=f"connection {session}", daemon=True).start()


def _write_to(path: Path | None) -> None:
    """Let everything that is written to standard error go to the log; where none can be written, nowhere."""
    target = os.devnull
    if path is not None:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if path.exists() and path.stat().st_size > _LONGEST_LOG:
                path.replace(path.with_suffix(".log.1"))
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
            target = str(path)
    descriptor = os.open(target, os.O_WRONLY | os.O_APPEND)
    sys.stderr.flush()
    os.dup2(descriptor, 2)
    os.close(descriptor)
    logging.basicConfig(stream=sys.stderr, format=f"%(asctime)s [{os.getpid()}] %(levelname)s %(name)s: %(message)s", level=logging.WARNING, force=True)


if __name__ == "__main__":
    main()
