"""Images; the hidden ones come only when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import Call, CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.filter_grammar import Clause
from klaviyo_sql.sandbox.kinds import Kind, stored
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.subjects.campaigns import only_asked

KINDS = {"image": Kind("image", "/api/images", stored("images"), "Not found.")}


def _images(account: Account, parent: str, clauses: tuple[Clause, ...]) -> Iterable[Resource]:
    return only_asked(account.images.values(), "hidden", clauses)


def _check_size(call: Call) -> None:
    """Recorded: greater-than(size,0) is refused."""
    for clause in call.query.clauses:
        if clause.field == "size" and isinstance(clause.value, int | float) and clause.value < 1:
            raise RefusedError(invalid("Invalid value for 'size': a positive integer is expected.", parameter="filter"))


ENDPOINTS: dict[str, Endpoint] = {
    "get_images": CollectionEndpoint("image", _images, check=_check_size),
    "get_image": ResourceEndpoint("image"),
}
