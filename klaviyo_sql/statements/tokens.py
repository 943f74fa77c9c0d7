"""A statement's tokens as SQLite sees them, with their places in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\n\f\r]+)
    | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<blob>[xX]'[^']*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    | (?P<parameter>\?\d*|[:@$]\w[\w$]*)
    | (?P<number>0[xX][0-9a-fA-F_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<operator>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_NO_OPERATORS = frozenset("'\"`[\\#{}")


@dataclass(frozen=True, slots=True)
class Token:
    """A token that means something: `kind` is a group of the expression above, `end` the position after it."""

    kind: str
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords or names, given in capitals and not quoted."""
        return self.kind == "word" and self.text.upper() in words

    @property
    def name(self) -> str:
        """The name that the token spells, as SQLite compares names: unquoted, in lower case."""
        if self.kind != "quoted":
            return self.text.lower()
        closing = self.text[-1]
        return self.text[1:-1].replace(closing * 2, closing).lower()


def read(sql: str) -> list[Token] | None:
    """The tokens without spaces and comments; None when the text has something in it that SQLite would not take, or that is read in several ways."""
    tokens = []
    for found in _TOKEN.finditer(sql):
        kind = str(found.lastgroup)
        if kind == "operator" and (found[0] in _NO_OPERATORS or not " " < found[0] < "\x7f"):
            return None
        if kind not in ("space", "comment"):
            tokens.append(Token(kind, found[0], found.start(), found.end()))
    return tokens


def masked(sql: str) -> str:
    """The text, as long as before, without comments and with every parameter as `?`, which is all that other parsers of SQL know."""

    def mask(found: re.Match[str]) -> str:
        if found.lastgroup == "comment":
            return " " * len(found[0])
        return "?".ljust(len(found[0])) if found.lastgroup == "parameter" else found[0]

    return _TOKEN.sub(mask, sql)
