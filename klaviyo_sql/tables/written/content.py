"""Writing what messages are made of, and forms."""

from __future__ import annotations

from klaviyo_sql.model.writing import One, Whole, Writes
from klaviyo_sql.tables.written.declaring import Written, named, only, refused

_EDITORS = ("CODE|USER_DRAGGABLE|SYSTEM_DRAGGABLE", "CODE, USER_DRAGGABLE or SYSTEM_DRAGGABLE")
_ADDRESS = (r"https?://\S+|data:image/(?:png|jpe?g|gif);base64,\S+", "the URL of a PNG, JPEG or GIF, or a data URI with one (data:image/png;base64,…)")

CONTENT: dict[str, Written] = {
    "templates": Written(
        named(
            "template",
            patterns={"editor_type": _EDITORS},
            hints={"editor_type": "A template stays what its editor made of it."},
            notes=(
                "CODE and USER_DRAGGABLE templates have html, SYSTEM_DRAGGABLE ones a definition instead. Klaviyo tidies html up.",
                "Klaviyo makes no template by its API beyond 1,000, and does not delete one that a flow uses.",
            ),
        ),
    ),
    "universal_content": Written(
        named(
            "universal_content",
            hints=dict.fromkeys(("type", "content_type"), "It is in the definition, which is written as a whole."),
            notes=(
                "The definition is JSON of {content_type: 'block', type, data}; type is button, drop_shadow, horizontal_rule, html, image, spacer or text.",
            ),
        ),
        bodies={"content_type": "", "type": ""},
    ),
    "images": Written(
        Writes(
            insert=One("upload_image_from_url"),
            upload=("file", One("upload_image_from_file")),
            # Klaviyo replaces an image: what is not sent is put back to what it was at first.
            update=One("update_image", whole=(Whole("attributes", ("name", "hidden")),)),
            unique=("name",),
            created="updated_at",
            one_of=("import_from_url", "file"),
            patterns={"import_from_url": _ADDRESS},
            refused={"DELETE": "Klaviyo keeps images: UPDATE images SET hidden = 1 hides one."},
            hints={"image_url": "import_from_url is where Klaviyo gets a new image from."},
            notes=(
                "A new image comes from import_from_url, or from a file. Klaviyo takes 5 MB, 100 images a day by URL and 500 as files.",
                "An UPDATE of name or hidden sends both, because Klaviyo replaces them; the other is read before.",
                "A name that is there already gets a suffix.",
            ),
        ),
        added=(
            only("import_from_url", "attributes.import_from_url", "Where a new image comes from: a URL, or a data URI."),
            only("file", "attributes.file", "A new image itself: the path of a file on this machine, or a blob."),
        ),
    ),
    "forms": Written(
        named(
            "form",
            update=False,
            created="created_at",
            defaults={"status": "draft", "ab_test": 0},
            refused={"UPDATE": "Klaviyo changes forms in its own pages only: make a new one, and delete this one."},
            notes=("A new form is a draft; its definition is JSON of {versions: […]}. Klaviyo publishes it in its own pages.",),
        ),
    ),
    "form_versions": refused("versions are in the definition of their form: INSERT INTO forms (name, definition)."),
}
