"""What Klaviyo's official API description says of every operation, as values.

Generated from the OpenAPI document of one revision by tools/read_openapi.py. Page sizes, filters, sort and include names, fieldsets,
rates and scopes are stated here and nowhere else; a new revision is a new pair of files.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """Requests allowed in fixed windows: `burst` a second, `steady` a minute, `daily` a day where there is a daily cap."""

    burst: int
    steady: int
    daily: int | None = None


class LowerRate(msgspec.Struct, frozen=True):
    """The rate that holds instead when the query parameter named `parameter` lists `value`."""

    parameter: str
    value: str
    rate: Rate


class FilterRule(msgspec.Struct, frozen=True):
    """The operators that one filter field takes, and the type of its value (`string`, `date-time`, `number`, `none` …)."""

    operators: tuple[str, ...]
    type: str
    enum: tuple[str | int | float | bool, ...] = ()


class PageSize(msgspec.Struct, frozen=True):
    """`page[size]`: what Klaviyo uses when it is not sent, and the largest value that it takes."""

    default: int
    max: int


class Reply(msgspec.Struct, frozen=True):
    """The documented success status and the JSON schema of its body (None: no body)."""

    status: int
    schema: dict[str, Any] | None = None


class Operation(msgspec.Struct, frozen=True):
    """One endpoint with one method."""

    method: str
    path: str
    scopes: tuple[str, ...] = ()
    rate: Rate = Rate(1, 15)
    lower_rates: tuple[LowerRate, ...] = ()
    filters: dict[str, FilterRule] = {}
    filter_required: bool = False
    sort: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    fields: dict[str, tuple[str, ...]] = {}
    additional_fields: dict[str, tuple[str, ...]] = {}
    cursor: bool = False
    page: PageSize | None = None
    other_parameters: tuple[str, ...] = ()
    body: dict[str, Any] | None = None
    reply: Reply | None = None


class Facts(msgspec.Struct, frozen=True):
    """The whole description: the revision it is of, the server it names, and the operations by their operation id."""

    revision: str
    base_url: str
    operations: dict[str, Operation]


@functools.cache
def facts() -> Facts:
    """The description of the revision that this package speaks."""
    return msgspec.json.decode(_read("operations.json"), type=Facts)


@functools.cache
def schemas() -> dict[str, Any]:
    """The JSON schemas by name; a `$ref` inside one is the bare name of another, and `nullable` is OpenAPI 3.0's."""
    decoded: dict[str, Any] = msgspec.json.decode(_read("schemas.json"))
    return decoded


def operation(name: str) -> Operation:
    """The operation with this operation id, such as `get_events`; KeyError when there is none."""
    return facts().operations[name]


def _read(name: str) -> bytes:
    return resources.files(__package__).joinpath(name).read_bytes()
