"""ISO 8601 read a second time, for the truth: by one regular expression and integer arithmetic, sharing nothing with the product."""

from __future__ import annotations

import functools
import re
from datetime import date

_TIME = re.compile(
    r"""
    (?P<year>\d{4})
    (?:
        -?W(?P<week>\d{2})(?:-?(?P<weekday>[1-7]))?
      | -?(?P<ordinal>\d{3})(?!\d)
      | -(?P<month>\d{2})(?:-(?P<day>\d{2}))?
      | (?P<basic_month>\d{2})(?P<basic_day>\d{2})
    )?
    (?:[T\ ]
        (?P<hour>\d{2})(?::?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?)?
        \ *(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?)?
    )?
    """,
    re.VERBOSE,
)
_ATTOSECONDS = 10**18


@functools.lru_cache(maxsize=100_000)
def attoseconds(text: str) -> int | None:
    """The instant as a whole number of attoseconds since the year 1; None when the text names no instant."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    try:
        days = _days(found)
    except ValueError:
        return None
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 59:
        return None
    zone = found["zone"]
    offset = 0
    if zone and zone not in "Zz":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = (int(digits[:2]) * 60 + int(digits[2:])) * (-60 if zone[0] == "-" else 60)
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - offset
    return seconds * _ATTOSECONDS + int((found["fraction"] or "").ljust(18, "0")[:18])


def compare(left: str, right: str) -> int:
    """The collating sequence of time columns on the side of the truth."""
    first, second = attoseconds(left), attoseconds(right)
    if first is None or second is None:
        raise AssertionError(f"{left!r} and {right!r} are compared as times")
    return (first > second) - (first < second)


def canonical(text: str, *, microseconds: bool) -> str:
    """Klaviyo's text as SQL shows it."""
    instant = attoseconds(text)
    if instant is None:
        raise AssertionError(f"the account has {text!r} where a time should be")
    seconds, fraction = divmod(instant, _ATTOSECONDS)
    days, rest = divmod(seconds, 86_400)
    shown = f"{date.fromordinal(days)} {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{shown}.{fraction // 10**12:06d}" if microseconds else shown


def _days(found: re.Match[str]) -> int:
    year = int(found["year"])
    if found["week"]:
        fourth = date(year, 1, 4).toordinal()
        week = int(found["week"])
        if not 1 <= week <= 53:
            raise ValueError(week)
        first = fourth - (fourth - 1) % 7 + (week - 1) * 7
        if first + 3 > date(year, 12, 31).toordinal():
            raise ValueError(week)
        return first + int(found["weekday"] or 1) - 1
    if found["ordinal"]:
        start = date(year, 1, 1).toordinal()
        day = int(found["ordinal"])
        if not 1 <= day <= date(year, 12, 31).toordinal() - start + 1:
            raise ValueError(day)
        return start + day - 1
    month = found["month"] or found["basic_month"] or "1"
    day_text = found["day"] or found["basic_day"] or "1"
    return date(year, int(month), int(day_text)).toordinal()
