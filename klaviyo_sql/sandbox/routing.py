"""Which operation of the contract a method and a path mean."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from urllib.parse import unquote

from klaviyo_sql.contract import Operation, facts
from klaviyo_sql.sandbox.problems import Problem, RefusedError, not_found


@dataclass(frozen=True, slots=True)
class Route:
    """The operation, and the id in its path (empty where there is none)."""

    name: str
    operation: Operation
    id: str = ""


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], dict[str, tuple[str, Operation]]], ...]:
    by_path: dict[str, dict[str, tuple[str, Operation]]] = {}
    for name, operation in facts().operations.items():
        by_path.setdefault(operation.path, {})[operation.method] = (name, operation)
    # Fixed paths before those with an id in the same place.
    ordered = sorted(by_path.items(), key=lambda item: (item[0].count("{"), item[0]))
    return tuple((re.compile(re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(path)) + "/?"), methods) for path, methods in ordered)


@functools.lru_cache(4096)
def route(method: str, path: str) -> Route:
    """The route; RefusedError with 404 or 405 when the contract has none. A slash at the end, as links have it, changes nothing."""
    for pattern, methods in _patterns():
        if found := pattern.fullmatch(path):
            if method not in methods:
                raise RefusedError(Problem(405, "method_not_allowed", "Method not allowed.", f"Method '{method}' not allowed."))
            name, operation = methods[method]
            return Route(name, operation, unquote(found[1]) if found.groups() else "")
    raise RefusedError(not_found("The requested resource could not be found."))
