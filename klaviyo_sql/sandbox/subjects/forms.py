"""Sign-up forms and their versions."""

from __future__ import annotations

from klaviyo_sql.sandbox.endpoints import Call, CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, children, everything, own, pointing, stored
from klaviyo_sql.sandbox.problems import SERVER_ERROR, RefusedError

_NO_FORM = "A form with id `{id}` does not exist."

KINDS = {
    # Recorded: in lists and as an included resource a form has the ids of its versions; asked for by id it has a definition instead.
    "form": Kind(
        "form",
        "/api/forms",
        stored("forms"),
        _NO_FORM,
        relations=(Relation("form-versions", "form-version", pointing("form_versions", "form_id"), shown="with ids"),),
        additional=frozenset(("definition",)),
    ),
    "form by id": Kind("form", "/api/forms", stored("forms"), _NO_FORM),
    "form-version": Kind(
        "form-version",
        "/api/form-versions",
        stored("form_versions"),
        "A form version with id `{id}` does not exist.",
        relations=(Relation("form", "form", own("form_id"), many=False, shown="with ids"),),
    ),
}


def _check_form_type(call: Call) -> None:
    """Recorded: a list of form types is described, and breaks the server."""
    if any(clause.field == "form_type" and clause.operator == "any" for clause in call.query.clauses):
        raise RefusedError(SERVER_ERROR)


_VERSIONS = children("form_versions", "form_id")

ENDPOINTS: dict[str, Endpoint] = {
    "get_forms": CollectionEndpoint("form", everything("forms")),
    "get_form": ResourceEndpoint("form by id"),
    "get_form_version": ResourceEndpoint("form-version"),
    # Recorded: a last page has no links to others, not even as nulls.
    "get_versions_for_form": CollectionEndpoint("form-version", _VERSIONS, parent="form", check=_check_form_type, page_links=False),
    "get_version_ids_for_form": CollectionEndpoint("form-version", _VERSIONS, parent="form", check=_check_form_type, page_links=False, identifiers=True),
}
