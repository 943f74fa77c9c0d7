"""The body of a reply, inflated in one go.

A page is a megabyte that comes as a tenth of it. Inflated piece by piece it would be put together from pieces that are each copied twice, in memory
that is new to the process every time; gzip says at its end how long the whole is, so one piece of memory of that size will do.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import httpx

_GZIP = 31  # zlib's number for: the largest window, and gzip's header and trailer
_LENGTH_BYTES = 4
_MOST_FOLD = 1_032
"""What deflate can make of a byte at the most: a length that claims more is no reason to reserve memory."""


def received(response: httpx.Response, between: Callable[[], None] = lambda: None) -> bytes:
    """The whole body of a reply that is being streamed; `between` is called after each piece that arrives, and may raise.

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
    try:
        return zlib.decompress(body, _GZIP, _length_inflated(body))
    except zlib.error as error:
        raise httpx.DecodingError(str(error), request=response.request) from error


def _length_inflated(body: bytes) -> int:
    """How long it will be, by its last bytes; a wrong length only costs time."""
    said = int.from_bytes(body[-_LENGTH_BYTES:], "little")
    return max(1, min(said, len(body) * _MOST_FOLD))
