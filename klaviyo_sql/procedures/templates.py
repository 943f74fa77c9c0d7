"""What is done with templates, and images from files."""

from __future__ import annotations

from klaviyo_sql.model.procedure import Input, Procedure, Result, Way, own_table
from klaviyo_sql.model.table import Type
from klaviyo_sql.model.writing import One, Writes

_TEMPLATE = Input("template_id", "The template.", body="id", required=True, names=("id",))
_NAME = Input("name", "What the copy is called; Klaviyo finds a name by default.", body="attributes.name", names=("new_name",))
_CONTEXT = Input("context", "The values of its variables, as a JSON object.", Type.JSON, "attributes.context", default="{}")

_IMAGE = (
    Input("file", "The path of an image on this machine: PNG, JPEG or GIF, at most 5 MB.", required=True, names=("path",)),
    Input("name", "What it is called; by default as the file is.", body="attributes.name"),
    Input("hidden", "1 to keep it out of the library that people see.", Type.BOOLEAN, "attributes.hidden"),
)
_UPLOAD = One("upload_image_from_file", told=True)

PROCEDURES = (
    Procedure(
        "upload_image",
        "Upload an image from a file.",
        _IMAGE,
        (Way(own_table("upload_image", "An image.", _IMAGE, Writes(insert=_UPLOAD, upload=("file", _UPLOAD)))),),
        results=(
            Result("name", "What it is called.", ("attributes", "name")),
            Result("image_url", "Where it is.", ("attributes", "image_url")),
        ),
        tells="id",
        others=("upload_image_from_file",),
        notes=("An image from an address or a data URI is an INSERT INTO images.",),
        example="CALL upload_image('picture.png', name => 'Our shop');",
    ),
    Procedure(
        "clone_template",
        "Make a copy of a template.",
        (_TEMPLATE, _NAME),
        (Way(own_table("clone_template", "A template.", (_TEMPLATE, _NAME), Writes(insert=One("clone_template", told=True)))),),
        results=(Result("name", "What the copy is called.", ("attributes", "name")),),
        tells="id",
        example="CALL clone_template((SELECT id FROM templates LIMIT 1), 'Second try');",
    ),
    Procedure(
        "render_template",
        "Fill in a template's variables; nothing is kept.",
        (_TEMPLATE, _CONTEXT),
        (Way(own_table("render_template", "A template.", (_TEMPLATE, _CONTEXT), Writes(insert=One("render_template", told=True)))),),
        results=(
            Result("name", "The template's name.", ("attributes", "name")),
            Result("html", "The HTML.", ("attributes", "html")),
            Result("text", "The plain text.", ("attributes", "text")),
        ),
        tells="html",
        reads=True,
        example='SELECT html, text FROM render_template((SELECT id FROM templates LIMIT 1), \'{"first_name": "Ada"}\');',
    ),
)
