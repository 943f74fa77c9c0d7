"""Tags on lists, segments, campaigns and flows."""

from __future__ import annotations

from klaviyo_sql.model.procedure import Input, Procedure, Way, own_table
from klaviyo_sql.model.writing import Links, Writes

_TAG = Input("tag_id", "The tag.", required=True)


def _pair(resource: str) -> tuple[Procedure, Procedure]:
    plural = f"{resource}s"
    ids = Input(
        f"{resource}_ids",
        f"A {resource}'s id, several with commas between, or a JSON array of ids.",
        required=True,
        names=(f"{resource}_id", "ids"),
        listed=True,
    )
    links = Links(f"tag_{plural}", f"remove_tag_from_{plural}", path="tag_id", ids=f"{resource}_id", most=100)
    table = own_table(f"{resource}_tags", f"Tags of {plural}.", (_TAG, Input(f"{resource}_id", f"The {resource}.", names=("id",))), Writes(links=links))
    inputs = (_TAG, ids)
    notes = ("One request for each 100 of them.",)
    picked = f"(SELECT id FROM tags LIMIT 1), (SELECT id FROM {plural} LIMIT 1)"  # noqa: S608 - an example, of our own words
    return (
        Procedure(
            f"tag_{plural}",
            f"Put a tag on {plural}.",
            inputs,
            (Way(table, each=ids.name, column=f"{resource}_id"),),
            notes=notes,
            example=f"CALL tag_{plural}({picked});",
        ),
        Procedure(
            f"untag_{plural}",
            f"Take a tag off {plural}.",
            inputs,
            (Way(table, "DELETE", each=ids.name, column=f"{resource}_id"),),
            takes_away=True,
            others=(f"remove_tag_from_{plural}",),
            notes=notes,
            example=f"CALL untag_{plural}({picked});",
        ),
    )


PROCEDURES = tuple(procedure for resource in ("list", "segment", "campaign", "flow") for procedure in _pair(resource))
