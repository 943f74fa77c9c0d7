"""The body of a reply: inflated in one go, at once or when somebody reads it.

A page is a megabyte that comes as a tenth of it. Inflated piece by piece it would be put together from pieces that are each copied twice, in memory
that is new to the process every time; gzip says at its end how long the whole is, so one piece of memory of that size will do. Inflated where it is
decoded, it is in the processor's cache then, in the memory that the page before it has left, and those that wait take a tenth.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import httpx

_GZIP = 31  # zlib's number for: the largest window, and gzip's header and trailer
_LENGTH_BYTES = 4
_MOST_FOLD = 1_032
"""What deflate can make of a byte at the most: a length that claims more is no reason to reserve memory."""
_WORTH_BYTES = 16 * 1024
"""How long a compressed body is at least that is left so. What answers instead of Klaviyo, such as a captive portal, says less, and is looked at at once."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A body as it came, gzip; nobody has looked whether it can be inflated."""

    sent: bytes

    def __len__(self) -> int:
        """The bytes that it takes as it is."""
        return len(self.sent)

    @property
    def size(self) -> int:
        """How many bytes it will be, by its last ones; a wrong length only costs time."""
        said = int.from_bytes(self.sent[-_LENGTH_BYTES:], "little")
        return max(1, min(said, len(self.sent) * _MOST_FOLD))

    def inflated(self) -> bytes:
        """What was packed; httpx.DecodingError when it is no gzip, or not whole."""
        try:
            return zlib.decompress(self.sent, _GZIP, self.size)
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from error


Body = bytes | Packed


def received(response: httpx.Response, between: Callable[[], None] = lambda: None, *, packed: bool = False) -> Body:
    """The whole body of a reply that is being streamed; `between` is called after each piece that arrives, and may raise. A long one may stay `packed`.

    httpx.DecodingError when it is not what its Content-Encoding says, or ends too early.
    """
    # A transport in this process gives its replies whole.
    compressed = not response.is_stream_consumed and response.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip")
    pieces = []
    for piece in response.iter_raw() if compressed else response.iter_bytes():
        pieces.append(piece)
        between()
    body = b"".join(pieces)
    if not compressed or not body:
        return body
    return Packed(body) if packed and len(body) >= _WORTH_BYTES else Packed(body).inflated()


def inflated(body: Body) -> bytes:
    """The body to be read; httpx.DecodingError when it was packed and is no gzip."""
    return body if isinstance(body, bytes) else body.inflated()


def size(body: Body) -> int:
    """How many bytes it is when it is read."""
    return len(body) if isinstance(body, bytes) else body.size
