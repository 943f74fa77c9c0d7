"""Times in the two forms that Klaviyo writes."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def seconds_text(timestamp: int) -> str:
    """`2026-09-04T13:39:33+00:00`."""
    year, month, day, hour, minute, second, *_ = time.gmtime(timestamp)
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}+00:00"


def microseconds_text(timestamp: int, microseconds: int) -> str:
    """`2026-09-04T13:38:44.935203+00:00`, with the decimals even when they are zero."""
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%dT%H:%M:%S}.{microseconds:06d}+00:00"
