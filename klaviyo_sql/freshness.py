"""How fresh a materialized table has to be, and the short text that says it: `events:max_age=5m:look_back=2h`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from klaviyo_sql.errors import InterfaceError

DAY = 86_400.0
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": DAY}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)\Z")
_NAME = re.compile(r"\w+\Z")
_AGES = ("max_age", "look_back", "reread_age")
_EXAMPLE = "write it as events:max_age=5m:look_back=2h:reread_age=1d, or as the name alone"


@dataclass(frozen=True, slots=True)
class Freshness:
    """The ages of one materialized table, in seconds; None leaves the choice to the table.

    Within `max_age` of the last request nothing is asked at all. `look_back` is how far before the newest row a delta begins, for what arrives
    late. After `reread_age` everything is read anew, which is what finds rows that are gone. `all_columns` copies costly columns as well.
    """

    max_age: float | None = None
    look_back: float | None = None
    reread_age: float = DAY
    all_columns: bool = False


def parsed(entries: str | Iterable[str]) -> dict[str, Freshness]:
    """The materialized tables by name, from texts such as `profiles` or `events:max_age=60` (one text may hold several, with commas between).

    InterfaceError when a text makes no sense.
    """
    texts = [entries] if isinstance(entries, str) else list(entries)
    found: dict[str, Freshness] = {}
    for text in texts:
        if not isinstance(text, str):
            raise InterfaceError(f"materialized takes the names of tables, not {text!r}: {_EXAMPLE}")
        for entry in filter(None, map(str.strip, text.split(","))):
            name, *options = (part.strip() for part in entry.split(":"))
            if not _NAME.match(name):
                raise InterfaceError(f"materialized does not understand {entry!r}: {_EXAMPLE}")
            found[name] = _freshness(entry, options)
    return found


def _freshness(entry: str, options: Iterable[str]) -> Freshness:
    ages: dict[str, float] = {}
    all_columns = False
    for option in options:
        name, _, value = option.partition("=")
        if name == "columns" and value == "all":
            all_columns = True
        elif name in _AGES and (duration := _DURATION.match(value)):
            ages[name] = float(duration[1]) * _UNITS[duration[2]]
        else:
            raise InterfaceError(f"materialized does not understand {option!r} in {entry!r}: {_EXAMPLE}; columns=all copies costly columns as well")
    return Freshness(ages.get("max_age"), ages.get("look_back"), ages.get("reread_age", DAY), all_columns)
