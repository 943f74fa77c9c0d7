"""Short ways to write what writing requests send, and to say why they were refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .conftest import Answer


def document(kind: str, attributes: dict[str, Any] | None = None, *, identifier: str | None = None, meta: Any = None, **relationships: Any) -> dict[str, Any]:
    """A body with one resource; relationships are given as `lists=linkage("list", ids)`."""
    data: dict[str, Any] = {"type": kind}
    if identifier is not None:
        data["id"] = identifier
    if attributes is not None:
        data["attributes"] = attributes
    if relationships:
        data["relationships"] = {name: {"data": linked} for name, linked in relationships.items()}
    if meta is not None:
        data["meta"] = meta
    return {"data": data}


def linkage(kind: str, identifiers: Iterable[str]) -> list[dict[str, str]]:
    """Types and ids."""
    return [{"type": kind, "id": identifier} for identifier in identifiers]


def refusal(answer: Answer) -> tuple[int, list[str]]:
    """The status, and what each error points at."""
    assert {error["status"] for error in answer.errors} == {answer.status}
    return answer.status, [error["source"]["pointer"] for error in answer.errors]
