"""Files that are sent as they are: looked at before anything is sent, and read again when their turn comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from klaviyo_sql.errors import DataError
from klaviyo_sql.model.request import Upload

LARGEST_IMAGE = 5_000_000
"""Klaviyo takes no larger image (in bytes)."""

_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif"}


def image(name: str, value: Any) -> Upload:
    """The image that a column is given: the path of a file, or a blob. DataError when it is none that Klaviyo takes."""
    if isinstance(value, bytes | bytearray | memoryview):
        content = bytes(value)
        return Upload(f"image.{_format(name, content[:16], len(content), 'the blob')}", content=content)
    if not isinstance(value, str) or not value:
        raise DataError(f"{name} takes the path of an image, or a blob with one, not {value!r}")
    path = Path(value).expanduser()
    try:
        with path.open("rb") as file:
            beginning = file.read(16)
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        raise DataError(f"{name}: the file {value!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    _format(name, beginning, size, repr(value))
    return Upload(path.name, path=str(path))


def _format(name: str, beginning: bytes, size: int, what: str) -> str:
    found = next((kind for signature, kind in _SIGNATURES.items() if beginning.startswith(signature)), None)
    if found is None:
        raise DataError(f"{name}: {what} is no image that Klaviyo takes: PNG, JPEG or GIF")
    if size > LARGEST_IMAGE:
        raise DataError(f"{name}: {what} has {size:,} bytes, and Klaviyo takes images of at most {LARGEST_IMAGE:,}")
    return found
