"""Where Klaviyo is: the base URL, and the links that may be followed from there."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

import httpx

from klaviyo_sql import errors

_KEPT = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "#")
_PORTS = {"http": 80, "https": 443}


class Address:
    """The server that every request goes to, and the only one that gets the key.

    `base_url` is `https://host[:port][/prefix]`. Plain http would show the key to the network, so it is for loopback hosts alone.
    InterfaceError when the URL is something else.
    """

    def __init__(self, base_url: str) -> None:
        try:
            parts = urlsplit(base_url.strip())
            self._origin = _origin(parts)
            self._url = httpx.URL(base_url.strip().rstrip("/"))
        except (ValueError, httpx.InvalidURL):
            raise errors.InterfaceError("base_url is not a URL such as https://a.klaviyo.com") from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise errors.InterfaceError("base_url must start with https:// and name a host, such as https://a.klaviyo.com")
        if parts.username is not None or parts.password is not None:
            raise errors.InterfaceError("base_url must not hold a user name or a password")
        if parts.query or parts.fragment:
            raise errors.InterfaceError("base_url must end with its host or path: it cannot have a query or a fragment")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise errors.InterfaceError(f"base_url must be https: over http the API key would travel in the clear to {parts.hostname}")
        self.host = parts.netloc
        self._prefix = parts.path.rstrip("/")

    def __str__(self) -> str:
        return f"{self._origin[0]}://{self.host}{self._prefix}"

    def url(self, target: str) -> httpx.URL:
        """The whole URL of a path and query that are percent-encoded already; they travel exactly so.

        Only what no URL can carry, a line break or a letter beyond ASCII in a path, is encoded here. RequestRejected when it is too long.
        """
        try:
            return self._url.copy_with(raw_path=quote(f"{self._prefix}{target}", safe=_KEPT).encode("ascii"))
        except httpx.InvalidURL:
            raise errors.RequestRejected("The request's URL is too long: ask for fewer ids or values at once in IN (…).") from None

    def followed(self, link: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The path and the decoded query parameters of a link that Klaviyo sent.

        OperationalError when the link leads to another scheme, host or port: the key goes to no server that a reply names.
        A `+` in the query is a space, as Klaviyo's own servers read it.
        """
        try:
            parts = urlsplit(link)
            relative = not parts.scheme and not parts.netloc
            elsewhere = not relative and _origin(parts) != self._origin
            parameters = tuple(parse_qsl(parts.query, keep_blank_values=True, errors="strict"))
        except ValueError:
            raise errors.OperationalError("Klaviyo's reply links to a next page by something that is not a URL.") from None
        if elsewhere or not parts.path.startswith("/"):
            there = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
            raise errors.OperationalError(
                f"Klaviyo's reply links to its next page at {there}, but this connection talks to {self} only: the link was not followed."
            )
        path = parts.path
        if self._prefix and path.startswith(f"{self._prefix}/"):
            path = path.removeprefix(self._prefix)
        return path, parameters


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
