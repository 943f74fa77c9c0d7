"""What the contract says of a request's operation."""

from __future__ import annotations

from klaviyo_sql import contract, errors


def described(operation: str) -> contract.Operation:
    """The operation with this operation id; errors.InternalError when there is none, for only this package makes up requests."""
    try:
        return contract.operation(operation)
    except KeyError:
        raise errors.InternalError(f"Klaviyo's contract has no operation {operation!r}.") from None


def is_read(operation: str) -> bool:
    """Whether the operation changes nothing, judged by the contract: it needs no scope but `…:read`.

    So the POSTs that ask (metric aggregates, the reports, rendering a template) count as reads.
    """
    known = described(operation)
    return known.method == "GET" or (bool(known.scopes) and all(scope.endswith(":read") for scope in known.scopes))
