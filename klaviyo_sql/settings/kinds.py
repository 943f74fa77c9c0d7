"""The kinds of values that settings have: which make sense, and how they are written in the environment and in the settings file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from klaviyo_sql import freshness
from klaviyo_sql.errors import InterfaceError

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})


class Kind:
    """A kind of values; everything below raises InterfaceError, which names the setting or the variable, for a value that makes no sense."""

    in_file: ClassVar[tuple[type, str] | None] = None
    """The type of value that the settings file must have for it, and what that is called; None: `taken` says what is wrong."""

    def taken(self, name: str, value: Any) -> Any:
        """The value as the connection has it; None when nothing is said."""
        return value or None

    def read(self, variable: str, text: str) -> Any:
        """The value that the text of a variable says, which `taken` has not looked at yet; None when it says nothing."""
        return text

    def check_in_file(self, name: str, value: Any) -> None:
        """Look at the type of a value of the settings file."""
        if self.in_file is not None and not isinstance(value, self.in_file[0]):
            raise InterfaceError(f"{name} must be {self.in_file[1]}")


class Text(Kind):
    """A text; an empty one says nothing."""

    in_file = (str, "a text")


class Server(Text):
    """The address of a server."""

    def taken(self, name: str, value: Any) -> Any:
        return value.rstrip("/") if value else None


class File(Text):
    """The path of a file."""

    def taken(self, name: str, value: Any) -> Any:
        return Path(value).expanduser() if value else None


class Copies(Kind):
    """The tables that are answered from local copies, and how fresh those must be."""

    def taken(self, name: str, value: Any) -> Any:
        return freshness.parsed(value)


@dataclass(frozen=True, slots=True)
class Flag(Kind):
    """Yes or no; `on` says how a variable switches it on."""

    in_file = (bool, "true or false")

    on: str

    def taken(self, name: str, value: Any) -> Any:
        return bool(value)

    def read(self, variable: str, text: str) -> Any:
        return flag(variable, text, self.on)


@dataclass(frozen=True, slots=True)
class Number(Kind):
    """A number of at least `least`; of a `whole` one arguments may have decimals, which are cut off."""

    least: float
    whole: bool = False

    def taken(self, name: str, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= self.least:
            raise InterfaceError(f"{name} must be a number of at least {self.least}, not {value!r}")
        return int(value) if self.whole else value

    def read(self, variable: str, text: str) -> Any:
        if not text.strip():
            return None
        try:
            number = float(text)
        except ValueError:
            raise InterfaceError(f"{variable} is {text.strip()!r}; set it to a number") from None
        if self.whole and not number.is_integer():
            raise InterfaceError(f"{variable} is {text!r}; set it to a whole number")
        return int(number) if self.whole else number


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of several words."""

    in_file = (str, "a text")

    words: tuple[str, ...]

    def taken(self, name: str, value: Any) -> Any:
        if value not in self.words:
            raise InterfaceError(f"{name} is {value!r}; it must be one of {', '.join(self.words)}")
        return value

    def read(self, variable: str, text: str) -> Any:
        word = text.strip().lower()
        return self.taken(variable, word) if word else None


def flag(name: str, text: str, on: str) -> bool:
    """Whether the text of a variable switches something on; InterfaceError, which says what does (`on`), when it says neither."""
    lowered = text.strip().lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise InterfaceError(f"{name} is {text!r}; set it to {on}, or to 0")
