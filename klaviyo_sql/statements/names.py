"""Names as SQL has them."""

from __future__ import annotations


def quoted(name: str) -> str:
    """The name in quotes: it may have any character."""
    return '"' + name.replace('"', '""') + '"'
