"""Page cursors: a place in an ordered result, opaque to the client, that survives insertions before and after it."""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass

import msgspec

SortKey = tuple[bool, str | int | float, str]
"""What rows are ordered by: whether the value is missing (those come last), the value, the id."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The row that the page starts behind (`forward`) or ends before."""

    key: SortKey
    forward: bool


class _Encoded(msgspec.Struct, array_like=True):
    missing: bool
    value: str | int | float
    id: str
    forward: bool
    query: int


def encode(cursor: Cursor, query: str) -> str:
    """The text that goes into `page[cursor]`; `query` names what the cursor belongs to."""
    missing, value, identifier = cursor.key
    packed = msgspec.json.encode(_Encoded(missing, value, identifier, cursor.forward, zlib.crc32(query.encode())))
    return base64.urlsafe_b64encode(packed).decode()


def decode(text: str, query: str) -> Cursor:
    """The cursor; ValueError when the text is none, or belongs to another path, filter or sort."""
    try:
        packed = msgspec.json.decode(base64.b64decode(text.encode(), altchars=b"-_", validate=True), type=_Encoded)
    except (binascii.Error, msgspec.DecodeError, UnicodeError) as error:
        raise ValueError("not a cursor") from error
    if packed.query != zlib.crc32(query.encode()):
        raise ValueError("a cursor of another query")
    return Cursor((packed.missing, packed.value, packed.id), packed.forward)
