"""tags, tag groups, and what carries which tag.

The links are read from what is tagged, whose pages include the tags; when a tag is given, from the tag, which knows ids alone.
"""

from __future__ import annotations

from dataclasses import replace

from klaviyo_sql.model.table import (
    Attribute,
    Choice,
    Collection,
    Column,
    Elsewhere,
    Example,
    Filter,
    Id,
    Included,
    Linked,
    Parent,
    ParentId,
    Place,
    Related,
    Table,
    Type,
)
from klaviyo_sql.tables.columns import boolean, linked, own_id, text

TAGS = Table(
    name="tags",
    doc="The tags of the account, one row each.",
    source=Collection(resource="tag", list="get_tags", get="get_tag", most_gets=1, default_sort="id"),
    key=("id",),
    typical_rows=60,
    columns=(
        own_id("The tag's id, a UUID.", filter=None),
        text("name", "The tag's name.", filter="name"),
        linked("tag_group_id", Related("tag-group", "tag-group"), "The id of the group that the tag is in."),
        linked("tag_group_name", Included("tag-group", "tag-group", Attribute(("name",))), "The name of that group, which comes along.", hidden=True),
    ),
    notes=("Klaviyo permits three requests a second and sixty a minute.",),
    examples=(
        Example("Which tags are there, by group?", "SELECT tag_group_name, name FROM tags ORDER BY tag_group_name, name"),
        Example("Which tag has this name?", "SELECT id FROM tags WHERE name = (SELECT min(name) FROM tags)"),
        Example("How many tags has each group?", "SELECT tag_group_id, count(*) AS tags FROM tags GROUP BY tag_group_id"),
    ),
)

TAG_GROUPS = Table(
    name="tag_groups",
    doc="The groups that tags are in, one row each.",
    source=Collection(resource="tag-group", list="get_tag_groups", get="get_tag_group", most_gets=1, default_sort="id"),
    key=("id",),
    typical_rows=10,
    columns=(
        own_id("The group's id, a UUID.", filter=None),
        text("name", "The group's name.", filter="name"),
        boolean("exclusive", "1 when something can have one tag of the group at most.", filter="exclusive"),
        boolean("default", "1 for the group that tags are in when nothing is said.", filter="default"),
    ),
    examples=(
        Example("Which groups are there?", 'SELECT id, name, exclusive FROM tag_groups ORDER BY "default" DESC, name'),
        Example("Which is the default group?", 'SELECT id FROM tag_groups WHERE "default" = 1'),
        Example("Which tags are in groups?", "SELECT tag_groups.name, tags.name AS tag FROM tags JOIN tag_groups ON tag_groups.id = tags.tag_group_id"),
    ),
)


def tag_links(resource: str, of: str, list_: str, get: str, from_tag: str, rows: int, most_gets: int | None, *own: Column) -> Table:
    """The links of one kind of resource with its tags; `own` are columns of the resource that come along, or choose what is read."""
    key = f"{resource}_id"
    table = Table(
        name=f"{resource}_tags",
        doc=f"Which {resource} has which tag, one row for each pair.",
        source=Collection(resource=resource, list=list_, get=get, most_gets=most_gets, default_sort="id", each=(Linked("tags", "tag"),), of=of),
        key=(key, "tag_id"),
        typical_rows=rows,
        columns=(
            linked(key, Id(), f"The {resource}'s id.", Filter("id", exact=True), not_null=True),
            linked("tag_id", Related("tags", "tag"), "The tag's id.", not_null=True),
            linked("tag_name", Included("tags", "tag", Attribute(("name",))), "The tag's name."),
            linked(f"{resource}_name", Attribute(("name",)), f"The {resource}'s name."),
            *own,
        ),
        notes=(f"Read from the {of}, whose pages include their tags; with a tag_id alone, and no column but the ids, from the tag in one request.",),
        examples=(
            Example(f"Which tags has each {resource}?", f"SELECT {resource}_name, tag_name FROM {resource}_tags ORDER BY 1, 2"),
            Example("Which tags are used most?", f"SELECT tag_name, count(*) AS {of} FROM {resource}_tags GROUP BY tag_id ORDER BY 2 DESC LIMIT 5"),
            Example(
                f"Which {of} carry one tag?",
                f"SELECT {key} FROM {resource}_tags WHERE tag_id = (SELECT tag_id FROM {resource}_tags LIMIT 1)",
            ),
        ),
    )
    places: dict[str, Place] = {key: Id(), "tag_id": ParentId(), "tag_name": Elsewhere(), f"{resource}_name": Elsewhere()}
    places |= {column.name: Elsewhere() for column in own}
    by_tag = table.read_otherwise(
        Collection(resource=resource, list=from_tag, parent=Parent("tags", "tag_id")),
        places,
    )
    return replace(table, others=(by_tag,))


_CHANNEL = Column(
    "channel",
    Choice(("email", "sms", "mobile_push"), by_id=Included("campaign-messages", "campaign-message", Attribute(("definition", "channel")))),
    Type.TEXT,
    "The campaign's channel: email, sms or mobile_push.",
    filters=(Filter("messages.channel", exact=True),),
)
_CAMPAIGN_ARCHIVED = Column(
    "archived", Choice((False, True), keys=("archived",)), Type.BOOLEAN, "1 when the campaign is archived.", filters=(Filter("archived", exact=True),)
)
_FLOW_ARCHIVED = replace(_CAMPAIGN_ARCHIVED, doc="1 when the flow is archived.")

LIST_TAGS = tag_links("list", "lists", "get_lists", "get_list", "get_list_ids_for_tag", 60, 1)
SEGMENT_TAGS = tag_links("segment", "segments", "get_segments", "get_segment", "get_segment_ids_for_tag", 60, 1)
CAMPAIGN_TAGS = tag_links("campaign", "campaigns", "get_campaigns", "get_campaign", "get_campaign_ids_for_tag", 800, 6, _CHANNEL, _CAMPAIGN_ARCHIVED)
FLOW_TAGS = tag_links("flow", "flows", "get_flows", "get_flow", "get_flow_ids_for_tag", 60, 1, _FLOW_ARCHIVED)
