"""Flows, as far as lists, segments and metrics start them."""

from __future__ import annotations

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.kinds import Kind, Relation

KINDS = {
    "flow": Kind(
        "flow",
        "/api/flows",
        lambda account, identifier: account.flows.get(identifier),
        "A flow with id {id} does not exist.",
        relations=(Relation("flow-actions", "flow-action"), Relation("tags", "tag")),
    )
}


def _triggered(account: Account, resource: Resource) -> list[str]:
    return account.flow_triggers.get(resource["id"], [])


FLOW_TRIGGERS = Relation("flow-triggers", "flow", _triggered)
"""The relationship that lists, segments and metrics have to the flows that they start."""
