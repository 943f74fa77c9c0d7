"""templates, universal content and images: what messages are made of."""

from __future__ import annotations

from klaviyo_sql.model.table import Attribute, Choice, Collection, Column, Example, Filter, Table, Type
from klaviyo_sql.tables.columns import integer, json, own_id, precise_time, text, time

TEMPLATES = Table(
    name="templates",
    doc="The email templates, one row each; the copies that messages have are in campaign_message_templates and flow_message_templates.",
    source=Collection(resource="template", list="get_templates", get="get_template", most_gets=1, default_sort="id"),
    key=("id",),
    typical_rows=200,
    columns=(
        own_id("The template's id, six characters."),
        text("name", "The template's name.", filter="name"),
        text("editor_type", "The editor: CODE, USER_DRAGGABLE or SYSTEM_DRAGGABLE."),
        text("html", "The HTML, which can be large."),
        text("text", "The plain text."),
        text("amp", "The AMP version, where AMP is on."),
        time("created", "When the template was made.", filter="created", sort="created"),
        time("updated", "When the template last changed.", filter="updated", sort="updated"),
        Column(
            "definition",
            Attribute(("definition",), additional="definition"),
            Type.JSON,
            "The blocks of a template made by dragging, as JSON; it is large, so SELECT * leaves it out: name it.",
            hidden=True,
        ),
    ),
    notes=("Ten rows a request; html, text, amp and definition travel only when they are read.",),
    examples=(
        Example("Which templates changed lately?", "SELECT id, name, updated FROM templates ORDER BY updated DESC LIMIT 10"),
        Example("Which editor made them?", "SELECT editor_type, count(*) AS templates FROM templates GROUP BY editor_type"),
        Example("Which mention a link?", "SELECT name FROM templates WHERE html LIKE '%<%' LIMIT 5"),
    ),
)

UNIVERSAL_CONTENT = Table(
    name="universal_content",
    doc="Blocks and sections that several templates share, one row each.",
    source=Collection(resource="template-universal-content", list="get_all_universal_content", get="get_universal_content", most_gets=1, default_sort="id"),
    key=("id",),
    typical_rows=50,
    columns=(
        own_id("The content's id."),
        text("name", "The content's name.", filter="name"),
        text("content_type", "What it is: block or section.", "definition", "content_type", filter="definition.content_type"),
        text("type", "The kind of block, such as text, image or button.", "definition", "type", filter="definition.type"),
        json("definition", "The whole definition, as JSON."),
        time("created", "When it was made.", filter="created", sort="created"),
        time("updated", "When it last changed.", filter="updated", sort="updated"),
        text("screenshot_status", "Whether there is a screenshot, such as completed or stale."),
        text("screenshot_url", "The URL of the screenshot."),
    ),
    examples=(
        Example("What is shared?", "SELECT name, content_type, type FROM universal_content ORDER BY name"),
        Example("How many of each kind?", "SELECT type, count(*) AS blocks FROM universal_content GROUP BY type"),
        Example("Which changed last?", "SELECT name, updated FROM universal_content ORDER BY updated DESC LIMIT 5"),
    ),
)

IMAGES = Table(
    name="images",
    doc="The images of the account, hidden ones too, one row each.",
    source=Collection(resource="image", list="get_images", get="get_image", most_gets=1, default_sort="id"),
    key=("id",),
    typical_rows=500,
    columns=(
        own_id("The image's id, a number written as text."),
        text("name", "The image's name.", filter="name"),
        text("image_url", "Where the image is."),
        text("format", "The format: jpeg, png or gif.", filter="format"),
        # Klaviyo refuses bounds below 1, which are as good as none: sizes are compared by SQLite.
        integer("size", "The size in bytes."),
        Column("hidden", Choice((False, True), keys=("hidden",)), Type.BOOLEAN, "1 when the image is hidden.", filters=(Filter("hidden", exact=True),)),
        precise_time("updated_at", "When the image last changed.", filter="updated_at", sort="updated_at"),
    ),
    notes=("Hidden images are asked for apart from the others.",),
    examples=(
        Example("Which are the largest?", "SELECT name, size, image_url FROM images ORDER BY size DESC LIMIT 10"),
        Example("How much of each format?", "SELECT format, count(*) AS images, sum(size) AS bytes FROM images GROUP BY format"),
        Example("Which are hidden?", "SELECT id, name FROM images WHERE hidden = 1"),
    ),
)
