"""What Klaviyo refuses, as the exception that says what to do about it.

Every exception from here, and every other that follows a reply, has the attributes `status` (int, or None without a reply), `operation` and
`errors`: Klaviyo's error objects as dicts with `code`, `title`, `detail`, `source`, and `meta` where Klaviyo sends it.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from klaviyo_sql import errors
from klaviyo_sql.fetch.operations import described
from klaviyo_sql.model.request import Request

_ELEMENT = re.compile(r"/data/(\d+)(?=/|\Z)")
_SHOWN = 3  # a refused batch can have a thousand errors: the exception's `errors` has them all, its sentence the first few

_Raised = TypeVar("_Raised", bound=errors.Error)


def told(error: _Raised, request: Request, status: int | None = None, reasons: list[dict[str, Any]] | None = None, **more: object) -> _Raised:
    """The same exception with `status`, `operation` and `errors` on it, and whatever else is worth reading by a program."""
    error.__dict__.update(status=status, operation=request.operation, errors=reasons or [], **more)
    return error


def subject(request: Request) -> str:
    """What the request is for, as sentences name it: `get_events (table events)`."""
    return f"{request.operation} (table {request.table})" if request.table else request.operation


def reasons_in(body: bytes) -> list[dict[str, Any]]:
    """The error objects of a reply's body; none when the body is something else."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []
    listed = decoded.get("errors") if isinstance(decoded, dict) else None
    return [reason for reason in listed if isinstance(reason, dict)] if isinstance(listed, list) else []


def said_in(reason: dict[str, Any]) -> str:
    """What an error object says, in words."""
    return str(reason.get("detail") or reason.get("title") or reason.get("code") or "no reason given")


def element_of(reason: dict[str, Any]) -> int | None:
    """Which element of the array in a request's body an error object is about, by its pointer (`/data/attributes/profiles/data/3/…`)."""
    source = reason.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    found = _ELEMENT.search(pointer) if isinstance(pointer, str) else None
    return None if found is None else int(found[1])


def is_about_the_cursor(error: BaseException, request: Request) -> bool:
    """Whether Klaviyo refuses a page because it does not take the cursor (any more): 400, `Invalid cursor provided.`"""
    if not isinstance(error, errors.RequestRejected) or error.status != 400:
        return False
    told_of = (str(reason.get(name, "")) for reason in error.errors for name in ("detail", "source"))
    return any(name == "page[cursor]" for name, _ in request.parameters) and any("cursor" in text.lower() for text in told_of)


def refusal(request: Request, status: int, body: bytes, location: str = "") -> errors.Error:
    """The exception for a reply that is neither a success nor worth repeating; `location` is where a redirect leads."""
    reasons = reasons_in(body)
    about = subject(request)
    said = _quoted(reasons) or f" {_unlike(body)}"
    error: errors.Error
    if 300 <= status < 400:
        where = f" to {location}" if location else ""
        text = f"The server answered {about} with a redirect{where} ({status}); it is not followed, for the key would go along: is base_url right?"
        error = errors.OperationalError(text)
    elif status == 401 or (status == 400 and any("authenticat" in str(reason.get("code", "")) for reason in reasons)):
        error = errors.AuthenticationError(
            f"Klaviyo does not accept the API key ({status}).{said} Check that it is a private key (pk_…), complete, and not revoked."
        )
    elif status == 403:
        error = errors.PermissionDenied(f"Klaviyo does not permit {about} ({status}).{said} {_permission(request)}")
    elif status == 410:
        error = errors.OperationalError(
            f"Klaviyo has retired the API revision that this version speaks ({status}, {about}).{said} Upgrade it: pip install --upgrade klaviyo-sql."
        )
    elif status == 404:
        error = errors.RequestRejected(f"Klaviyo does not know what {about} asks for, {request.path} ({status}).{said}")
    elif status == 409:
        error = errors.RequestRejected(f"Klaviyo refuses {about} because it conflicts with what is there already ({status}).{said}")
    elif status in (413, 414):
        what = "body" if status == 413 else "URL"
        error = errors.RequestRejected(
            f"Klaviyo refuses {about} because its {what} is too large ({status}).{said} Ask for less at once: fewer ids or values in IN (…), fewer rows."
        )
    elif status < 500:
        error = errors.RequestRejected(f"Klaviyo refuses {about} as invalid ({status}).{said}")
    else:
        error = errors.OperationalError(f"Klaviyo failed at {about} ({status}).{said}")
    return told(error, request, status, reasons)


def _quoted(reasons: list[dict[str, Any]]) -> str:
    sentences = []
    for reason in reasons[:_SHOWN]:
        text = said_in(reason).strip()
        source = reason.get("source")
        place = (source.get("parameter") or source.get("pointer") or source.get("header")) if isinstance(source, dict) else None
        sentences.append(f" {text.rstrip('.')}{f' [{place}]' if place else ''}.")
    more = len(reasons) - _SHOWN
    return "".join(sentences) + (f" (And {more} more.)" if more > 0 else "")


def _unlike(body: bytes) -> str:
    if not body.strip():
        return "The reply has no body."
    return "The reply is not Klaviyo's JSON: did a proxy or a firewall answer, or is base_url wrong?"


def _permission(request: Request) -> str:
    scopes = described(request.operation).scopes
    if any(scope.startswith("webhooks:") for scope in scopes):
        return "Klaviyo opens webhooks to OAuth apps only, not to private keys."
    if not scopes:
        return "The account may lack the product."
    named = " and ".join(scopes)
    plural = "s" if len(scopes) > 1 else ""
    return f"The key needs the scope{plural} {named} (make a key that has {'them' if plural else 'it'}), or the account lacks the product."
