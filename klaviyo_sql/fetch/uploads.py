"""What travels behind a request's headers: its JSON, or a form with a file in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from klaviyo_sql import errors
from klaviyo_sql.model.request import Request, Upload


def body_of(request: Request) -> dict[str, Any]:
    """The body, as arguments for httpx. OperationalError when the file cannot be read; nothing was sent then."""
    if request.upload is not None:
        fields = {name: _plain(value) for name, value in (request.body or {}).items() if value is not None}
        return {"data": fields, "files": {"file": (request.upload.name, _content(request.upload))}}
    return {} if request.body is None else {"content": msgspec.json.encode(request.body)}


def _plain(value: Any) -> str:
    """A value as a form has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _content(upload: Upload) -> bytes:
    if upload.content is not None:
        return upload.content
    try:
        return Path(upload.path or "").read_bytes()
    except OSError as error:
        raise errors.OperationalError(f"The file {upload.path!r} cannot be read: {error.strerror}. It was not sent.") from None
