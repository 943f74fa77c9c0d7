"""Text as a terminal shows it: how wide it is, without what could harm the terminal, cut to fit."""

from __future__ import annotations

import re
import unicodedata

# C0 and C1 controls move the cursor or change colors; U+2028 and U+2029 break lines; U+202A to U+202E and U+2066 to U+2069 turn the text around.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_CONTROL_BUT_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_INVISIBLE = ("Mn", "Me", "Cf")


def visible(text: str) -> str:
    """The text on one line, with escapes such as `\\n` and `\\x1b` where it had control characters."""
    return text if text.isascii() and text.isprintable() else _CONTROL.sub(_escaped, text)


def harmless(text: str) -> str:
    """The text with its lines and tabs, and escapes for every other control character."""
    return _CONTROL_BUT_LINES.sub(_escaped, text)


def width(text: str) -> int:
    """How many columns of a terminal the text takes; emoji that are joined from several may take fewer."""
    return len(text) if text.isascii() else sum(map(_width, text))


def cut(text: str, columns: int, mark: str = "…") -> str:
    """The text in at most so many columns, ending in the mark when something is missing."""
    if len(text) <= columns and (text.isascii() or width(text) <= columns):
        return text
    taken, end = len(mark), 0
    for character in text:
        taken += _width(character)
        if taken > columns:
            break
        end += 1
    return f"{text[:end]}{mark}"


def _width(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in _INVISIBLE:
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
