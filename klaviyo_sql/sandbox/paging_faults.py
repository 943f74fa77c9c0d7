"""Faults of paging: cursors that expired, pages that repeat, shrink or are empty, links that lead astray."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from klaviyo_sql.sandbox.faults import Fault
from klaviyo_sql.sandbox.problems import Problem

Pairs = tuple[tuple[str, str], ...]

EXPIRED = Problem(400, "invalid", "Invalid input.", "Invalid cursor provided.")
"""Recorded: neither the detail nor the source of Klaviyo's answer says which parameter it means."""

_CURSOR, _SIZE = "page[cursor]", "page[size]"


@dataclass
class PagingFaults:
    """What these faults have to remember from one request to the next."""

    _expired: set[str] = field(default_factory=set)
    _renamed: dict[str, str | None] = field(default_factory=dict)
    """The cursors that empty pages link to, and those that they stand for; None is the beginning."""
    _before: dict[str, Any] = field(default_factory=dict)
    """The rows of the page that gave out a cursor."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, pairs: Pairs) -> Pairs:
        """The parameters with the cursor that is meant."""
        if not self._renamed:
            return pairs
        named = dict(pairs)
        cursor = named.get(_CURSOR, "")
        if cursor not in self._renamed:
            return pairs
        meant = self._renamed[cursor]
        return tuple((name, meant if name == _CURSOR and meant is not None else value) for name, value in pairs if name != _CURSOR or meant is not None)

    def has_expired(self, pairs: Pairs, fault: Fault | None) -> bool:
        """Whether the cursor is one that expired, as it does now if the fault says so."""
        cursor = dict(pairs).get(_CURSOR)
        if cursor is None:
            return False
        if fault is not None and fault.kind == "expired_cursor":
            self._expired.add(cursor)
        return cursor in self._expired

    def question(self, fault: Fault | None, pairs: Pairs) -> Pairs:
        """The parameters as the fault understands them."""
        if fault is None or fault.kind != "short_page":
            return pairs
        return tuple((name, str(max(1, int(value) // 2)) if name == _SIZE and value.isdigit() else value) for name, value in pairs)

    def answer(self, fault: Fault | None, pairs: Pairs, body: bytes) -> bytes:
        """The page as the fault makes it."""
        document = msgspec.json.decode(body)
        links = document.get("links") or {}
        cursor = dict(pairs).get(_CURSOR)
        following = links.get("next")
        if following:
            given = dict(parse_qsl(urlsplit(following).query)).get(_CURSOR, "")
            self._before[given] = document["data"]
            self._expired.discard(given)  # given out anew: a cursor says where, not when
        if fault is None:
            return body
        if fault.kind == "short_page":
            links.update({name: _with(link, _SIZE, dict(pairs).get(_SIZE)) for name, link in links.items() if link})
        elif fault.kind == "linked_to_itself" and following:
            links["next"] = links["self"]
        elif fault.kind == "linked_elsewhere" and following:
            links["next"] = urlunsplit(urlsplit(following)._replace(scheme="https", netloc="elsewhere.invalid"))
        elif fault.kind == "repeated_page" and cursor in self._before:
            document["data"] = self._before[cursor]
        elif fault.kind == "empty_page" and isinstance(document.get("data"), list):
            with self._lock:
                name = f"again-{len(self._renamed)}"
                self._renamed[name] = cursor
            document["data"] = []
            links["next"] = _with(links["self"], _CURSOR, name)
        return msgspec.json.encode(document)


def _with(link: str, name: str, value: str | None) -> str:
    """The link with one parameter changed."""
    if value is None:
        return link
    parts = urlsplit(link)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != name]
    return urlunsplit(parts._replace(query=urlencode([*kept, (name, value)])))
