"""One HTTP request to Klaviyo, as a value."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a request takes along: what it is called, and where it lies, or what is in it."""

    name: str
    path: str | None = None
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Request:
    """What is sent: the operation of the contract, its path with the ids in place, the query parameters in order, the JSON body.

    With an `upload` it is a form (multipart/form-data) instead: the body's keys are its fields, and the file is the field `file`.
    `table` is for the log and for messages; it does not travel. `repeatable` says of a write that sending it twice does what sending it once does.
    """

    operation: str
    method: str
    path: str
    parameters: tuple[tuple[str, str], ...] = ()
    body: dict[str, Any] | None = None
    upload: Upload | None = None
    table: str = field(default="", compare=False)
    repeatable: bool = field(default=False, compare=False)

    @functools.cached_property
    def target(self) -> str:
        """Path and query string, percent-encoded: `/api/events?filter=equals%28metric_id%2C%22X%22%29`."""
        query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.parameters)
        return f"{self.path}?{query}" if query else self.path

    def lines(self, most: int | None = None) -> Iterator[str]:
        """The method and the path as a person would write them, and the body as indented JSON; of that, at most so many lines."""
        yield f"{self.method} {unquote(self.path)}"
        if self.upload is not None:
            yield f"file: {self.upload.path or self.upload.name}"
        if self.body is None:
            return
        lines = json.dumps(self.body, indent=2, ensure_ascii=False).splitlines()
        shown = lines if most is None or len(lines) <= most + 1 else lines[:most]
        yield from shown
        if len(shown) < len(lines):
            yield f"… and {len(lines) - len(shown):,} more lines"

    @property
    def readable(self) -> str:
        """The request as a person would write it, not encoded: `GET /api/events?filter=equals(metric_id,"X")`."""
        query = "&".join(f"{name}={value}" for name, value in self.parameters)
        body = f" {json.dumps(self.body, separators=(',', ':'))}" if self.body is not None else ""
        file = f" file={self.upload.path or self.upload.name}" if self.upload is not None else ""
        return f"{self.method} {unquote(self.path)}{'?' if query else ''}{query}{body}{file}"
