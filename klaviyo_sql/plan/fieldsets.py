"""Sparse fieldsets: the names by which Klaviyo is asked for attributes, in as few words as it takes."""

from __future__ import annotations

import functools


def name_of(keys: tuple[str, ...], known: tuple[str, ...]) -> str:
    """The longest dotted path to the attribute that the operation's fieldset knows."""
    for length in range(len(keys), 0, -1):
        name = ".".join(keys[:length])
        if name in known:
            return name
    return keys[0]


@functools.lru_cache(maxsize=1024)
def compacted(names: frozenset[str], known: tuple[str, ...]) -> tuple[str, ...]:
    """The fieldset in as few words as it takes: an object whose keys are all wanted is named once, which keeps URLs short."""
    left = set(names)
    objects = {name.rpartition(".")[0] for name in known if "." in name}
    for parent in sorted(objects & set(known), key=lambda name: -name.count(".")):
        start = f"{parent}."
        keys = {name for name in known if name.startswith(start) and "." not in name[len(start) :]}
        if parent in left or keys <= left:
            left = {name for name in left if not name.startswith(start)} | {parent}
    return tuple(sorted(left))
