"""Ids in the shapes that Klaviyo gives them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from uuid import UUID

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS = tuple(first + second for first in _BASE58 for second in _BASE58)
_SHORT_FIRST = "RSTUVWXY"
_GREGORIAN_TO_UNIX = 0x01B21DD213814000


def ulid(random: Random, milliseconds: int) -> str:
    """26 characters, the first ten of which tell the time."""
    number = milliseconds << 80 | random.getrandbits(80)
    characters = []
    for _ in range(26):
        number, digit = divmod(number, 32)
        characters.append(_CROCKFORD[digit])
    return "".join(reversed(characters))


class ShortIds:
    """Six-character ids, as lists, segments, metrics and flows have; never the same twice."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._given: set[str] = set()

    def next(self) -> str:
        while True:
            identifier = self._random.choice(_SHORT_FIRST) + "".join(self._random.choices(_BASE58, k=5))
            if identifier not in self._given:
                self._given.add(identifier)
                return identifier


def event_ids(random: Random, count: int) -> Iterator[str]:
    """Eleven-character ids that say nothing about the order of the events."""
    # Five pairs out of 3,364 are 58 random bits: among the largest accounts that are generated a repetition is not to be expected,
    # and the set makes it impossible.
    given: set[str] = set()
    while len(given) < count:
        identifier = "7" + "".join(random.choices(_PAIRS, k=5))
        if identifier not in given:
            given.add(identifier)
            yield identifier


def time_uuid(seconds: int, node: int) -> str:
    """A version 1 UUID of that second, as events carry."""
    ticks = seconds * 10_000_000 + _GREGORIAN_TO_UNIX
    return f"{ticks & 0xFFFFFFFF:08x}-{ticks >> 32 & 0xFFFF:04x}-{ticks >> 48 & 0x0FFF | 0x1000:04x}-8001-{node:012x}"


def random_uuid(random: Random) -> str:
    """A version 4 UUID, as tags have."""
    return str(UUID(int=random.getrandbits(128), version=4))
