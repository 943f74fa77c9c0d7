"""Flows, their actions and their messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import Call, CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.filter_grammar import Clause, Moment
from klaviyo_sql.sandbox.kinds import Kind, Relation, own, pointing, stored
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.subjects.campaigns import only_asked
from klaviyo_sql.sandbox.subjects.flow_writing import definition_of

_ACTION_ID = re.compile(r"\d{1,18}", re.ASCII)
_DATES = ("created", "updated")


def _triggered(account: Account, resource: Resource) -> list[str]:
    return account.flow_triggers.get(resource["id"], [])


FLOW_TRIGGERS = Relation("flow-triggers", "flow", _triggered)
"""The relationship that lists, segments and metrics have to the flows that they start."""


KINDS = {
    "flow": Kind(
        "flow",
        "/api/flows",
        stored("flows"),
        "A flow with id {id} does not exist.",
        relations=(
            Relation("flow-actions", "flow-action", pointing("flow_actions", "flow_id")),
            Relation("tags", "tag", lambda account, resource: account.flow_tags.get(resource["id"], [])),
        ),
        additional=frozenset(("definition",)),
        computed=definition_of,
    ),
    "flow-action": Kind(
        "flow-action",
        "/api/flow-actions",
        stored("flow_actions"),
        "An action with id {id} does not exist.",
        relations=(
            Relation("flow", "flow", own("flow_id"), many=False, shown="with ids"),
            Relation("flow-messages", "flow-message", pointing("flow_messages", "action_id")),
        ),
        valid_id=lambda identifier: _ACTION_ID.fullmatch(identifier) is not None,
        malformed="Invalid flow action ID: '{id}'",
        # The filter and the sort want SEND_EMAIL of what the definition calls send-email.
        readers={
            "action_type": lambda account, resource: resource["attributes"]["definition"]["type"].upper().replace("-", "_"),
            "status": lambda account, resource: resource["attributes"]["definition"].get("data", {}).get("status"),
        },
    ),
    "flow-message": Kind(
        "flow-message",
        "/api/flow-messages",
        stored("flow_messages"),
        "A flow message with id {id} does not exist.",
        relations=(
            Relation("flow-action", "flow-action", own("action_id"), many=False, shown="with ids"),
            Relation("template", "template", own("template_id"), many=False, shown="with ids"),
            # Recorded, and not described.
            Relation("image", "image", many=False),
        ),
        readers={"name": lambda account, resource: resource["attributes"]["definition"]["name"]},
    ),
}


# As the reply to creating it tells of it.
KINDS["flow created"] = replace(KINDS["flow"], additional=frozenset(), computed=None)


def _flows(account: Account, parent: str, clauses: tuple[Clause, ...]) -> Iterable[Resource]:
    # What comes without a clause on `archived` is not documented: here the narrower of the two readings.
    return only_asked(account.flows.values(), "archived", clauses)


def _check_dates(call: Call) -> None:
    """Recorded: bounds must not lie in the future, and only what is filtered by may be sorted by."""
    sort = (call.query.sort or "").removeprefix("-")
    for clause in call.query.clauses:
        if clause.field not in _DATES:
            continue
        if isinstance(clause.value, Moment) and clause.value.instant > call.now:
            raise RefusedError(invalid(f"The date for {clause.field!r} must not be in the future.", parameter="filter"))
        if sort and sort != clause.field:
            raise RefusedError(invalid(f"The sort must be the field of the date filter, {clause.field!r}.", parameter="sort"))


ENDPOINTS: dict[str, Endpoint] = {
    "get_flows": CollectionEndpoint("flow", _flows, check=_check_dates),
    "get_flow": ResourceEndpoint("flow"),
    "get_flow_action": ResourceEndpoint("flow-action"),
    "get_flow_message": ResourceEndpoint("flow-message"),
}
