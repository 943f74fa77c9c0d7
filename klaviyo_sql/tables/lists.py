"""lists and their members."""

from __future__ import annotations

from klaviyo_sql.model.table import Attribute, Collection, Column, Detail, Example, Filter, Id, Parent, ParentCount, ParentId, Table, Type
from klaviyo_sql.tables.profiles import MEMBER_COLUMNS

LISTS = Table(
    name="lists",
    doc="The lists that profiles are added to, one row each.",
    source=Collection(resource="list", list="get_lists", get="get_list", most_gets=1, default_sort="id"),
    key=("id",),
    typical_rows=50,
    columns=(
        Column("id", Id(), Type.TEXT, "The list's id, six characters.", filters=(Filter("id", exact=True),), not_null=True),
        Column("name", Attribute(("name",)), Type.TEXT, "The list's name.", filters=(Filter("name"),)),
        Column("created", Attribute(("created",)), Type.TIMESTAMP, "When the list was made.", filters=(Filter("created"),), sort="created"),
        Column("updated", Attribute(("updated",)), Type.TIMESTAMP, "When the list last changed.", filters=(Filter("updated"),), sort="updated"),
        Column("opt_in_process", Attribute(("opt_in_process",)), Type.TEXT, "single_opt_in or double_opt_in."),
        Column(
            "profile_count",
            Detail(("profile_count",), additional="profile_count"),
            Type.INTEGER,
            "How many profiles are in the list; each row costs a request of its own (1 a second, 15 a minute), so SELECT * leaves it out: name it.",
            hidden=True,
        ),
    ),
    notes=("profile_count costs one request a list at 15 a minute; SELECT * leaves it out.",),
    examples=(
        Example("Which lists are there?", "SELECT id, name, opt_in_process FROM lists ORDER BY name"),
        Example("Which lists changed this year?", "SELECT name, updated FROM lists WHERE updated >= strftime('%Y-01-01', 'now')"),
        Example("How many profiles are in one list?", "SELECT name, profile_count FROM lists WHERE id = (SELECT id FROM lists WHERE name = 'Newsletter')"),
    ),
)

LIST_PROFILES = Table(
    name="list_profiles",
    doc="Which profiles are in which list, with the profile's own columns.",
    source=Collection(
        resource="profile",
        list="get_profiles_for_list",
        parent=Parent("lists", "list_id"),
        default_sort="joined_group_at",
        cut_by="joined_group_at",
        count=ParentCount("profile_count"),
    ),
    key=("list_id", "profile_id"),
    typical_rows=200_000,
    columns=(
        Column("list_id", ParentId(), Type.TEXT, "The list's id; without it every list is read.", not_null=True),
        *MEMBER_COLUMNS,
    ),
    notes=("Without a list_id the lists are read first, and then the members of each.",),
    examples=(
        Example(
            "Who joined one list in the last month?",
            "SELECT email, joined_group_at FROM list_profiles\n"
            "WHERE list_id = (SELECT id FROM lists WHERE name = 'Newsletter') AND joined_group_at >= date('now', '-1 month')\n"
            "ORDER BY joined_group_at DESC",
        ),
        Example(
            "Is this address on the list?",
            "SELECT profile_id, joined_group_at FROM list_profiles\n"
            "WHERE list_id = (SELECT id FROM lists WHERE name = 'Newsletter') AND email = 'person7@example.com'",
        ),
        Example(
            "How many members has each list?",
            "SELECT lists.name, count(*) AS members FROM lists JOIN list_profiles ON list_profiles.list_id = lists.id GROUP BY lists.id ORDER BY members DESC",
        ),
    ),
)
