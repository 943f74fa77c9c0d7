"""The account itself."""

from __future__ import annotations

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind


def _find(account: Account, identifier: str) -> Resource | None:
    return account.account if account.account["id"] == identifier else None


KINDS = {"account": Kind("account", "/api/accounts", _find, "Account with id {id} not found.")}

ENDPOINTS: dict[str, Endpoint] = {
    "get_accounts": CollectionEndpoint("account", lambda account, parent, clauses: [account.account]),
    "get_account": ResourceEndpoint("account"),
}
