"""The API key: checked once, sent in one header, shown nowhere."""

from __future__ import annotations

import hashlib

import httpx

from klaviyo_sql import errors

_MISSING = "There is no Klaviyo API key: set KLAVIYO_API_KEY or pass api_key=…, or use sandbox=True to try it out without an account."
_MASK = "pk_…"


class Key:
    """A private API key, given away to nobody but the requests that it signs: variables and headers shown by a debugger don't have it.

    A bad key is no error before somebody wants to send: tables can be listed and described without one.
    """

    __slots__ = ("_missing", "_text")

    def __init__(self, text: str | None, missing: str | None = None) -> None:
        """`missing` is what to say when there is no key."""
        self._text = text or ""
        self._missing = missing or _MISSING

    def __repr__(self) -> str:
        return "Key(…)" if self._text else "Key(None)"

    def check(self) -> None:
        """AuthenticationError when there is no key, or one that no header can carry."""
        if not self._text:
            raise errors.AuthenticationError(self._missing)
        if not self._text.strip():
            raise errors.AuthenticationError(f"The Klaviyo API key is blank. {self._missing}")
        if not self._text.isascii() or not self._text.isprintable() or " " in self._text:
            raise errors.AuthenticationError(
                "The Klaviyo API key has a space, a line break or another character that no key has: copy it again, the key alone."
            )

    def sign(self, request: httpx.Request) -> httpx.Request:
        """The same request with the key in its Authorization header, which httpx shows as `[secure]`."""
        request.headers["Authorization"] = f"Klaviyo-API-Key {self._text}"
        return request

    @property
    def digest(self) -> str:
        """What tells accounts apart without telling the key: its SHA-256."""
        return hashlib.sha256(self._text.encode("utf-8", "surrogatepass")).hexdigest()

    def concealed(self, text: str) -> str:
        """The text with the key masked, for sentences that quote a server: a server may repeat what it was sent."""
        return text.replace(self._text, _MASK) if self._text.strip() else text

    def concealed_in(self, body: bytes) -> bytes:
        """The body with the key masked, for replies that are quoted and handed on with an exception."""
        return body.replace(self._text.encode(), _MASK.encode())
