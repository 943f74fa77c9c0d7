"""profile_lists and profile_segments: which groups a profile is in, read from the profile or from the groups."""

from __future__ import annotations

from dataclasses import replace

from klaviyo_sql.model.table import Attribute, Collection, Column, Example, Filter, FromParent, Id, Parent, ParentId, Table, Type
from klaviyo_sql.tables.columns import linked


def _groups(resource: str, from_profile: str, from_group: str, *own: tuple[str, Type, str]) -> Table:
    """One row for a profile and a group that it is in.

    One profile's groups are one slow request (one a second in the long run); without a profile the members of the groups are read, a
    hundred in a request and many requests at once.
    """
    groups, key, name = f"{resource}s", f"{resource}_id", f"profile_{resource}s"
    columns = tuple(Column(f"{resource}_{attribute}", Attribute((attribute,)), type_, doc) for attribute, type_, doc in own)
    table = Table(
        name=name,
        doc=f"Which {groups} each profile is in, one row for each pair.",
        source=Collection(resource=resource, list=from_profile, parent=Parent("profiles", "profile_id")),
        key=("profile_id", key),
        typical_rows=200_000,
        columns=(
            linked("profile_id", ParentId(), "The profile's id.", not_null=True),
            linked(key, Id(), f"The {resource}'s id.", not_null=True),
            *columns,
        ),
        notes=(
            f"With a profile_id it is one request (three a second, sixty a minute); without, the members of every {resource} are read, a hundred in a request.",
            f"{resource}_profiles is the same from the other side, with the columns of the profiles and joined_group_at.",
        ),
        examples=(
            Example(
                f"Which {groups} is one profile in?",
                f"SELECT {resource}_name FROM {name} WHERE profile_id = (SELECT profile_id FROM {resource}_profiles LIMIT 1)",
            ),
            Example(f"In how many {groups} are profiles?", f"SELECT profile_id, count(*) AS {groups} FROM {name} GROUP BY profile_id ORDER BY 2 DESC LIMIT 10"),
            Example(
                f"Who is in which {resource}?",
                f"SELECT profiles.email, {name}.{resource}_name FROM {name} JOIN profiles ON profiles.id = profile_id LIMIT 10",
            ),
        ),
    )
    by_group = table.read_otherwise(
        Collection(resource="profile", list=from_group, parent=Parent(groups, key), default_sort="joined_group_at"),
        {
            "profile_id": (Id(), (Filter("profile_id", exact=True),)),
            key: ParentId(),
            **{column.name: FromParent(attribute) for column, (attribute, _, _) in zip(columns, own, strict=True)},
        },
    )
    return replace(table, others=(by_group,))


PROFILE_LISTS = _groups(
    "list",
    "get_lists_for_profile",
    "get_profiles_for_list",
    ("name", Type.TEXT, "The list's name."),
    ("created", Type.TIMESTAMP, "When the list was made."),
    ("updated", Type.TIMESTAMP, "When the list last changed."),
    ("opt_in_process", Type.TEXT, "How profiles come into the list: single_opt_in or double_opt_in."),
)
PROFILE_SEGMENTS = _groups(
    "segment",
    "get_segments_for_profile",
    "get_profiles_for_segment",
    ("name", Type.TEXT, "The segment's name."),
    ("definition", Type.JSON, "The segment's conditions, as JSON."),
    ("created", Type.TIMESTAMP, "When the segment was made."),
    ("updated", Type.TIMESTAMP, "When the segment last changed."),
    ("is_active", Type.BOOLEAN, "1 when Klaviyo keeps the members up to date."),
    ("is_processing", Type.BOOLEAN, "1 while Klaviyo computes the members."),
    ("is_starred", Type.BOOLEAN, "1 when somebody starred the segment."),
)
