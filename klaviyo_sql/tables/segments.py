"""segments and their members."""

from __future__ import annotations

from klaviyo_sql.model.table import Attribute, Collection, Column, Detail, Example, Filter, Id, Parent, ParentCount, ParentId, Table, Type
from klaviyo_sql.tables.profiles import MEMBER_COLUMNS

SEGMENTS = Table(
    name="segments",
    doc="The segments whose members Klaviyo computes from conditions, one row each.",
    source=Collection(resource="segment", list="get_segments", get="get_segment", most_gets=1, default_sort="id"),
    key=("id",),
    typical_rows=50,
    columns=(
        Column("id", Id(), Type.TEXT, "The segment's id, six characters.", filters=(Filter("id", exact=True),), not_null=True),
        Column("name", Attribute(("name",)), Type.TEXT, "The segment's name.", filters=(Filter("name"),)),
        Column("definition", Attribute(("definition",)), Type.JSON, "The conditions, as JSON: an array condition_groups, all of which must hold."),
        Column("created", Attribute(("created",)), Type.TIMESTAMP, "When the segment was made.", filters=(Filter("created"),), sort="created"),
        Column("updated", Attribute(("updated",)), Type.TIMESTAMP, "When the segment last changed.", filters=(Filter("updated"),), sort="updated"),
        Column(
            "is_active", Attribute(("is_active",)), Type.BOOLEAN, "1 when Klaviyo keeps the members up to date.", filters=(Filter("is_active", exact=True),)
        ),
        Column("is_processing", Attribute(("is_processing",)), Type.BOOLEAN, "1 while Klaviyo computes the members."),
        # Klaviyo accepts equals(is_starred, …) and does not apply it (seen on a real account), so it is not sent.
        Column("is_starred", Attribute(("is_starred",)), Type.BOOLEAN, "1 when somebody starred the segment."),
        Column(
            "profile_count",
            Detail(("profile_count",), additional="profile_count"),
            Type.INTEGER,
            "How many profiles are in the segment; each row costs a request of its own (1 a second, 15 a minute), so SELECT * leaves it out: name it.",
            hidden=True,
        ),
    ),
    notes=(
        "profile_count costs one request a segment at 15 a minute; SELECT * leaves it out.",
        "Members of a new segment appear minutes after it is made, sometimes while is_processing is already 0.",
    ),
    examples=(
        Example("Which segments are computed now?", "SELECT id, name, updated FROM segments WHERE is_active = 1 ORDER BY updated DESC"),
        Example("What defines a segment?", "SELECT name, definition FROM segments WHERE name LIKE 'Win%'"),
        Example("How many conditions has each?", "SELECT name, json_array_length(definition, '$.condition_groups') AS condition_groups FROM segments"),
    ),
)

SEGMENT_PROFILES = Table(
    name="segment_profiles",
    doc="Which profiles are in which segment, with the profile's own columns.",
    source=Collection(
        resource="profile",
        list="get_profiles_for_segment",
        parent=Parent("segments", "segment_id"),
        default_sort="joined_group_at",
        cut_by="joined_group_at",
        count=ParentCount("profile_count"),
    ),
    key=("segment_id", "profile_id"),
    typical_rows=200_000,
    columns=(
        Column("segment_id", ParentId(), Type.TEXT, "The segment's id; without it every segment is read.", not_null=True),
        *MEMBER_COLUMNS,
    ),
    notes=("Without a segment_id the segments are read first, and then the members of each.",),
    examples=(
        Example(
            "Who is in one segment?",
            "SELECT email, first_name FROM segment_profiles WHERE segment_id = (SELECT id FROM segments ORDER BY name LIMIT 1) LIMIT 10",
        ),
        Example(
            "Who entered it lately?",
            "SELECT profile_id, joined_group_at FROM segment_profiles\n"
            "WHERE segment_id = (SELECT id FROM segments ORDER BY name LIMIT 1) ORDER BY joined_group_at DESC LIMIT 10",
        ),
        Example(
            "Which profiles are in both of two segments?",
            "WITH two AS MATERIALIZED (SELECT id FROM segments WHERE name IN ('Engaged (90 days)', 'CA, NY & TX'))\n"
            "SELECT profile_id FROM segment_profiles WHERE segment_id IN (SELECT id FROM two) GROUP BY profile_id HAVING count(*) = 2",
        ),
    ),
)
