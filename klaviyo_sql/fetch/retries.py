"""Which failures may be repeated, how often, and after how long: pure functions.

A read may be repeated whatever happened. A write may only be repeated when it certainly was not carried out: when Klaviyo answered 429,
or when no connection came about. (Klaviyo's own clients repeat 429 and 503/504 with exponential backoff, other 5xx for reads alone.)
"""

from __future__ import annotations

import enum
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

BASE = 0.5
"""Seconds that the first backoff takes at most."""

FACTOR = 2.0
"""How much longer each backoff may take than the one before."""

CAP = 30.0
"""Seconds that no backoff exceeds."""

PASSING_STATUSES = frozenset({500, 502, 503, 504, 520, 521, 522, 523, 524})
"""The server errors that often are gone at the next try; 520 to 524 come from the content network in front of Klaviyo."""

_CONNECTION_TRIES = 3  # a name that cannot be resolved or a refused connection seldom heals within seconds: say so soon
_LONGEST = 366 * 86400.0  # a Retry-After beyond a year is taken as a year: dates have an end


class Trouble(enum.Enum):
    """The ways in which a request can fail without Klaviyo refusing it."""

    CERTIFICATE = "the certificate is not accepted"
    UNREACHABLE = "no connection came about, so nothing was sent"
    LOST = "the connection broke, or stayed silent, after the request was sent"
    GARBAGE = "the reply is not Klaviyo's JSON"
    UNAVAILABLE = "a server error that may pass"
    BROKEN = "the request could not be put into HTTP"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed try: its kind, what happened in words, and what the reply said, if there was one."""

    trouble: Trouble
    text: str
    status: int | None = None
    body: bytes = b""
    retry_after: float | None = None


def may_repeat(trouble: Trouble, *, read: bool) -> bool:
    """Whether a failed request may be sent again."""
    if trouble in (Trouble.CERTIFICATE, Trouble.BROKEN):
        return False
    return read or trouble is Trouble.UNREACHABLE


def tries(trouble: Trouble, attempts: int) -> int:
    """How many tries the failure is worth when `attempts` are allowed."""
    return min(attempts, _CONNECTION_TRIES) if trouble is Trouble.UNREACHABLE else attempts


def backoff(failures: int, chance: float) -> float:
    """Seconds to wait after so many failures (1: the first), `chance` in [0, 1): full jitter, so that clients don't come back in step."""
    return chance * min(CAP, BASE * FACTOR ** min(failures - 1, 30))


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or as an HTTP date; None when it is missing or makes no sense."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), _LONGEST)
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return min(max(0.0, (instant - now).total_seconds()), _LONGEST)


def now_by(date: str | None, ours: datetime) -> datetime:
    """The instant by the clock that wrote the reply's Date header, which a Retry-After date is to be held against; ours when there is none."""
    try:
        instant = parsedate_to_datetime(date or "")
    except ValueError:
        return ours
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


def classified(error: httpx.TransportError | httpx.DecodingError) -> Failure:
    """The failure that an exception of httpx stands for."""
    said = str(error) or type(error).__name__
    if isinstance(error, httpx.DecodingError):
        return Failure(Trouble.GARBAGE, f"the reply could not be decompressed ({said})")
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
        return Failure(Trouble.BROKEN, said)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError):
        return Failure(Trouble.CERTIFICATE if _is_certificate(error) else Trouble.UNREACHABLE, said)
    if isinstance(error, httpx.TimeoutException):
        return Failure(Trouble.LOST, "Klaviyo did not answer in time")
    return Failure(Trouble.LOST, f"the connection broke ({said})")


def _is_certificate(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return "CERTIFICATE_VERIFY_FAILED" in str(error)
