"""forms and their versions."""

from __future__ import annotations

from klaviyo_sql.model.table import Collection, Column, Detail, Example, Filter, FromParent, Parent, ParentId, Table, Type
from klaviyo_sql.tables.columns import boolean, linked, own_id, precise_time, text

_SLOW = "Klaviyo permits three requests a second and sixty a minute."

FORMS = Table(
    name="forms",
    doc="The sign-up forms, one row each.",
    source=Collection(resource="form", list="get_forms", get="get_form", most_gets=1, default_sort="created_at"),
    key=("id",),
    typical_rows=30,
    columns=(
        own_id("The form's id, six characters."),
        text("name", "The form's name.", filter="name"),
        text("status", "The status: draft or live.", filter="status"),
        boolean("ab_test", "1 when versions are tested against each other.", filter="ab_test"),
        precise_time("created_at", "When the form was made.", filter="created_at", sort="created_at"),
        precise_time("updated_at", "When the form last changed.", filter="updated_at", sort="updated_at"),
        Column(
            "definition",
            Detail(("definition",)),
            Type.JSON,
            "The versions with their steps and fields, as JSON; each row costs a request of its own, so SELECT * leaves it out: name it.",
            hidden=True,
        ),
    ),
    notes=(_SLOW, "definition costs one request a form; SELECT * leaves it out."),
    examples=(
        Example("Which forms are live?", "SELECT id, name, updated_at FROM forms WHERE status = 'live'"),
        Example("Which are tests?", "SELECT name FROM forms WHERE ab_test = 1"),
        Example(
            "How many versions are in one?",
            "SELECT name, json_array_length(definition, '$.versions') AS versions FROM forms WHERE id = (SELECT id FROM forms LIMIT 1)",
        ),
    ),
)

FORM_VERSIONS = Table(
    name="form_versions",
    doc="The versions of forms, one row each.",
    source=Collection(
        resource="form-version", list="get_versions_for_form", get="get_form_version", parent=Parent("forms", "form_id"), most_gets=3, default_sort="created_at"
    ),
    key=("id",),
    typical_rows=60,
    columns=(
        own_id("The version's id.", filter=None),
        linked("form_id", ParentId("form", "form"), "The form's id; without it every form is asked, one request each.", not_null=True),
        linked("form_name", FromParent("name"), "The form's name.", hidden=True),
        # Klaviyo fails at any(form_type, …), seen on a real account: one request for each value.
        text("form_type", "The kind of form: popup, flyout, embed, full_page or banner.", filter=Filter("form_type", never=frozenset({"any"}))),
        text("variation_name", "The version's name."),
        text("ab_test_variation_name", "The version's name in a test.", "ab_test", "variation_name"),
        text("status", "The status: draft or live.", filter="status"),
        precise_time("created_at", "When the version was made.", filter="created_at", sort="created_at"),
        precise_time("updated_at", "When the version last changed.", filter="updated_at", sort="updated_at"),
    ),
    notes=(_SLOW, "One request for each form: ask for a form_id or an id where you can."),
    examples=(
        Example("Which versions has each form?", "SELECT form_id, variation_name, form_type, status FROM form_versions ORDER BY form_id, created_at"),
        Example("How many of each kind are live?", "SELECT form_type, count(*) AS versions FROM form_versions WHERE status = 'live' GROUP BY form_type"),
        Example("Which has one form?", "SELECT id, variation_name FROM form_versions WHERE form_id = (SELECT form_id FROM form_versions LIMIT 1)"),
    ),
)
