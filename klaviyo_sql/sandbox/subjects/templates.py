"""Templates and universal content."""

from __future__ import annotations

from collections.abc import Iterable

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.filter_grammar import Clause
from klaviyo_sql.sandbox.kinds import Kind, everything, stored

KINDS = {
    "template": Kind(
        "template",
        "/api/templates",
        stored("templates"),
        "Template with id '{id}' does not exist",
        additional=frozenset(("definition",)),
    ),
    "template-universal-content": Kind(
        "template-universal-content",
        "/api/template-universal-content",
        stored("universal_content"),
        "A universal content with id `{id}` does not exist.",
    ),
}


def _listed(account: Account, parent: str, clauses: tuple[Clause, ...]) -> Iterable[Resource]:
    """Without the copies that messages have."""
    return [template for template in account.templates.values() if template["listed"]]


ENDPOINTS: dict[str, Endpoint] = {
    "get_templates": CollectionEndpoint("template", _listed),
    "get_template": ResourceEndpoint("template"),
    "get_all_universal_content": CollectionEndpoint("template-universal-content", everything("universal_content")),
    "get_universal_content": ResourceEndpoint("template-universal-content"),
}
