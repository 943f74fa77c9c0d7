"""Refusals: the error objects that Klaviyo answers with, and the exception that carries them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One JSON:API error object; `parameter` or `pointer` says what part of the request it is about."""

    status: int
    code: str
    title: str
    detail: str
    parameter: str | None = None
    pointer: str = "/data/"
    meta: Mapping[str, Any] | None = None

    def render(self) -> dict[str, Any]:
        """The object as Klaviyo writes it, with a new id each time."""
        source = {"parameter": self.parameter} if self.parameter is not None else {"pointer": self.pointer}
        rendered: dict[str, Any] = {
            "id": str(uuid.UUID(int=random.getrandbits(128), version=4)),
            "status": self.status,
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "source": source,
        }
        # Recorded: the 400s and 409s carry these two (as empty lists, not objects, when there is nothing), the 401 and the 404s do not.
        if self.status in (400, 409):
            rendered |= {"links": [], "meta": dict(self.meta) if self.meta else []}
        return rendered


class RefusedError(Exception):
    """The request is answered with problems instead of data; all of them have the status of the first."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.detail for problem in problems))
        self.problems = problems

    @property
    def status(self) -> int:
        return self.problems[0].status

    def body(self) -> dict[str, Any]:
        return {"errors": [problem.render() for problem in self.problems]}


def invalid(detail: str, *, parameter: str | None = None, pointer: str = "/data/") -> Problem:
    """400: the request is malformed or asks for what the endpoint does not offer."""
    return Problem(400, "invalid", "Invalid input.", detail, parameter, pointer)


def not_found(detail: str, *, pointer: str = "/data/") -> Problem:
    """404."""
    return Problem(404, "not_found", "Not found.", detail, pointer=pointer)


def conflict(detail: str, *, code: str = "conflict", pointer: str = "/data", meta: Mapping[str, Any] | None = None) -> Problem:
    """409: what is there already, or still needed, stands in the way."""
    return Problem(409, code, "Conflict.", detail, pointer=pointer, meta=meta)


def not_imitated(detail: str) -> Problem:
    """501: Klaviyo has it, the sandbox does not; never an answer of Klaviyo's."""
    return Problem(501, "not_implemented", "Not implemented by the sandbox.", detail)


AUTHENTICATION_FAILED = Problem(401, "authentication_failed", "Incorrect authentication credentials.", "Incorrect authentication credentials.")
NOT_AUTHENTICATED = Problem(401, "not_authenticated", "Authentication credentials were not provided.", "Authentication credentials were not provided.")


SERVER_ERROR = Problem(500, "error", "A server error occurred.", "A server error occurred.")


def permission_denied(scopes: tuple[str, ...]) -> Problem:
    """403: the key lacks a scope."""
    detail = f"You do not have permission to perform this action. Required scopes: {', '.join(scopes)}."
    return Problem(403, "permission_denied", "You do not have permission to perform this action.", detail)


def throttled_body(seconds: int) -> dict[str, Any]:
    """The whole body of a 429, which has members in an order and shape of its own."""
    unit = "second" if seconds == 1 else "seconds"
    return {
        "errors": [
            {
                "meta": [],
                "code": "throttled",
                "detail": f"Request was throttled. Expected available in {seconds} {unit}.",
                "links": {"type": "https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling#rate-limits"},
                "id": str(uuid.UUID(int=random.getrandbits(128), version=4)),
                "source": {"pointer": "/data"},
                "status": 429,
                "title": "Request was throttled.",
            }
        ]
    }
