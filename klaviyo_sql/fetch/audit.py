"""The audit file: every write that was sent, one JSON object a line, for whoever must account for what was changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from klaviyo_sql import errors
from klaviyo_sql.fetch.forking import renew_after_fork
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.request import Request
from klaviyo_sql.write.changes import CONCEALED, SECRETS


class Audit:
    """Appends to `path`, which only its owner may read: it holds what was written, and never the key. `account` is the account's name in the settings."""

    def __init__(self, path: Path, now: Callable[[], datetime], account: str | None) -> None:
        self._path = path
        self._now = now
        self._account = account
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        self._lock = threading.Lock()

    def check(self) -> None:
        """OperationalError when the file cannot be written to: a write that cannot be noted is not to be sent."""
        try:
            os.close(self._open())
        except OSError as error:
            raise errors.OperationalError(f"The audit file {str(self._path)!r} cannot be written to: {error.strerror}. Nothing was sent.") from None

    def write(self, request: Request, status: int | None, *, error: str | None = None) -> None:
        """Note a request with its body, and Klaviyo's status or what went wrong."""
        record: dict[str, Any] = {
            "at": timestamps.to_sql(self._now(), microseconds=True),
            "account": self._account,
            "operation": request.operation,
            "table": request.table or None,
            "method": request.method,
            "path": request.path,
            "body": _concealed(request.body),
            "file": request.upload and (request.upload.path or request.upload.name),
            "status": status,
            "error": error,
        }
        line = msgspec.json.encode(record) + b"\n"
        with self._lock:
            descriptor = self._open()
            try:
                os.write(descriptor, line)  # one write, so that lines of several processes do not mix
            finally:
                os.close(descriptor)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _concealed(value: Any) -> Any:
    """The body without what nobody is to read again, such as the key that webhooks are signed with."""
    if isinstance(value, dict):
        return {key: CONCEALED if key in SECRETS and inner is not None else _concealed(inner) for key, inner in value.items()}
    return [_concealed(inner) for inner in value] if isinstance(value, list) else value
