"""What the extension and its worker say to each other. This is the one description of it; `source/message.h` is the other end.

There are two kinds of sockets, both pairs without a name, so that nobody else can connect.

**The control socket**, descriptor 3 of the worker, carries words of 12 bytes: kind, session, number, each an unsigned 32-bit integer in the machine's order.

    1  OPEN    a new connection; its session socket comes along (SCM_RIGHTS)
    2  CANCEL  end the request of that number, if it is still being answered

When it ends, the host has ended, and so does the worker.

**A session socket** carries frames: length (of what follows), kind (one byte), number, payload. Length and number are unsigned 32-bit integers, little end
first; the payload is one value in msgpack. Requests are answered in their order, each with one frame of the same number, except
CLOSE and DROP, which are not answered.

    H  HELLO     [protocol, SQLite's version number, the main database's file, whether it may write]  h  [protocol, the package's version]
    A  MORE      []                                                                                 a  [[name, kind] …]
                 kind: 0 read, 1 written, 2 a module of CREATE VIRTUAL TABLE whose tables are written
    T  TABLE     [module, schema, name, [argument …]]                                               t  [table, CREATE TABLE]
    P  PLAN      [table, [term …], [[column, descending] …], columns used (64 bits)]                p  [possible, [[argument, omit, list] …], cost, rows,
                 term: [column, operator, usable, is an IN, collation, value if it is known]            flags, ordered, agreement, lasting]
    S  SCAN      [cursor, table, begun, agreement, [value …], [[cursor, row] …], text or nil]       b  [state, [column …] or nil, times, [[value …] …]]
    N  NEXT      [cursor, row or nil]                                                               b  as above, without columns where they stay the same
    C  CLOSE     [cursor]
    F  CALL      [function, [value …]]                                                              v  value
    X  ACT       [procedure, begun, [value …]]                                                      v  value
    J  JOIN      [procedure, begun, group, text or nil]                                             v  nil
    G  GATHER    [group, [[value …] …]]                                                             v  nil
    E  END       [group, [[value …] …]]                                                             v  value
    D  DROP      [group]
    I  INSTANT   [text]                                                                             i  [key or nil, complaint or nil]
    U  UPDATE    [table, begun, conflict resolution, [value …]] as xUpdate has them; extension      v  nil
                 type 1 is a column that stays as it is
    B Y M R      [table, -1, begun]: begin, sync, commit, rollback                                  v  nil
    s r o        [table, number, begun]: savepoint, release, rollback to                            v  nil

Any request may be answered by `e` ERROR [SQLite's code, text] instead.

The text of a SCAN is that of the statement that runs, when it is the only one and the transaction writes to the table.

`begun` is nil, or says that a statement has begun: the texts of those that run and write, of which there is one as a rule. MORE is asked where named
accounts may be in the settings: it tells what there is beside the names in `source/names.h`. A SYNC that is cancelled
is answered all the same, for the answer says what was sent. So are an ACT, an END, and a SCAN of a procedure's table.

The rows of a procedure that gathers are a group: JOIN begins it, END calls the procedure for all of them, DROP forgets them. The text of JOIN is that of the
statement, when the host cannot tell its end from its failure: then nothing may be left of it that fails.

`lasting` says that PLAN is always answered like this, so that it need not be asked again. The values of SCAN stand in the order of the arguments that PLAN gave
out; those of an IN are arrays. The rows in SCAN are where the connection's other cursors stand, counted from the beginning of their scans: an inner loop will
be asked for what is below. A batch has rows of the columns in the order of the list that came last, and each stands for so many rows (`times`, as a rule 1).
Of a scan whose rows may only be counted the columns are at first those that are the same in all of them. When the host is asked for another column, it asks
for the rows from this one on: NEXT with the row's number. The state says what comes after the batch:

    0  LAST     nothing
    1  AT HAND  more rows that have been read: the host asks for them ahead, while it uses these
    2  ASK      more, which may take a request to Klaviyo: the host asks when it wants them, because a statement that ends here should not pay for them
"""

from __future__ import annotations

import socket
import struct
from enum import IntEnum
from typing import Any

import msgspec

PROTOCOL = 4

CONTROL = struct.Struct("=III")
OPEN, CANCEL = 1, 2

_HEADER = struct.Struct("<IBI")
_AFTER_LENGTH = 5

NO_CHANGE = 1
"""The extension type of a value that an UPDATE leaves alone."""


class After(IntEnum):
    """What comes after a batch."""

    LAST = 0
    AT_HAND = 1
    ASK = 2


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()


def frame(kind: str, number: int, content: Any) -> bytes:
    """A frame; OverflowError when a number has more than 64 bits."""
    payload = _encoder.encode(content)
    return _HEADER.pack(len(payload) + _AFTER_LENGTH, ord(kind), number) + payload


def content(payload: bytes) -> Any:
    """What a payload says; msgspec.DecodeError when it says nothing, as a text that is no UTF-8 does."""
    return _decoder.decode(payload)


class Incoming:
    """The frames of a session socket, one after the other."""

    def __init__(self, line: socket.socket) -> None:
        self._stream = line.makefile("rb", buffering=65536)

    def next(self) -> tuple[str, int, bytes] | None:
        """Kind, number and payload of the next frame; None at the end."""
        header = self._stream.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return None
        length, kind, number = _HEADER.unpack(header)
        payload = self._stream.read(length - _AFTER_LENGTH)
        return (chr(kind), number, payload) if len(payload) == length - _AFTER_LENGTH else None

    def close(self) -> None:
        """Nothing more is read."""
        self._stream.close()
