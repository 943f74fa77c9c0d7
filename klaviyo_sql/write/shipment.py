"""One request that carries out changes, and which of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from klaviyo_sql.errors import InternalError
from klaviyo_sql.model.request import Request
from klaviyo_sql.model.writing import Job
from klaviyo_sql.write.changes import Change


@dataclass(slots=True)
class Shipment:
    """One request, and the changes that it carries out: behind each element of the array at `array` in its body, or all behind one without an array.

    `job` is how the bulk job that it starts is followed. `creates` says that its rows are new, `looked` that they were looked for after a lost reply.
    `told`: they are to have what Klaviyo replies.
    """

    request: Request
    elements: list[list[Change]]
    array: tuple[str, ...] | None = None
    job: Job | None = None
    creates: bool = False
    looked: bool = False
    told: bool = False

    @property
    def changes(self) -> Iterator[Change]:
        """Every change that the request carries out."""
        return (change for behind in self.elements for change in behind)

    @property
    def is_many(self) -> bool:
        """Whether the request is made for many rows, even if it has only one."""
        return self.array is not None

    def only(self, numbers: Iterable[int]) -> Shipment:
        """The same with these elements alone."""
        chosen = list(numbers)
        if self.array is None or self.request.body is None:
            raise InternalError("a request for one row has no parts")
        inner: Any = self.request.body
        for key in self.array:
            inner = inner[key]
        body = _with_array(self.request.body, self.array, [inner[number] for number in chosen])
        return replace(self, request=replace(self.request, body=body), elements=[self.elements[number] for number in chosen])


def _with_array(document: dict[str, Any], path: tuple[str, ...], array: list[Any]) -> dict[str, Any]:
    key, *rest = path
    return {**document, key: _with_array(document[key], tuple(rest), array) if rest else array}
