"""A worker whose answers are spoiled: python lying.py SEED ORDERS REQUESTS. What the host does with them has to be an error, or an answer, and nothing else."""

from __future__ import annotations

import random
import sys

from serving import arrange  # beside this file; it finds the package

from klaviyo_sql.extension import conversation
from klaviyo_sql.extension.worker import main

_CHANCE = random.Random(int(sys.argv[1]))
_HEADER = 9
_true_answer = conversation.Conversation._answer


def spoiled(self: conversation.Conversation, kind: str, number: int, payload: bytes) -> bytes:
    """A true answer with some bytes changed, cut off or put in; of every second request it stays true, so that later ones are reached."""
    answer = bytearray(_true_answer(self, kind, number, payload))
    if kind == "H" or _CHANCE.random() < 0.5:
        return bytes(answer)
    content = answer[_HEADER:]
    for _ in range(_CHANCE.randint(1, 4)):
        at = _CHANCE.randrange(len(content) + 1)
        match _CHANCE.randrange(4):
            case 0:
                del content[at:]
            case 1:
                content[at:at] = _CHANCE.randbytes(_CHANCE.randint(1, 9))
            case 2:
                content[at : at + 1] = bytes([_CHANCE.randrange(256)])
            case _:
                content[at : at + 1] = bytes([_CHANCE.choice((0xC0, 0xC3, 0x90, 0xDC, 0xDD, 0xDB, 0xC6, 0xCF, 0xD3, 0xCB))])
    kind_byte = answer[4] if _CHANCE.random() < 0.9 else _CHANCE.choice(b"abehiptv")
    return (len(content) + 5).to_bytes(4, "little") + bytes([kind_byte]) + number.to_bytes(4, "little") + bytes(content)


if __name__ == "__main__":
    conversation.Conversation._answer = spoiled  # type: ignore[method-assign]
    main(arrange)
