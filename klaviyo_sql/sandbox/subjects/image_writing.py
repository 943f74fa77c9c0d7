"""Uploading images, from an address, from a data URI or as a file, and changing them; there is no way to delete one."""

from __future__ import annotations

import base64
import binascii
from email.message import Message
from email.parser import BytesParser
from pathlib import PurePosixPath
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from klaviyo_sql.sandbox import bodies
from klaviyo_sql.sandbox.account import Resource
from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, Endpoint
from klaviyo_sql.sandbox.problems import Problem, RefusedError, invalid
from klaviyo_sql.sandbox.writing import Attributes, CreateEndpoint, PatchEndpoint, Write, digits, refuse_blank, told

LARGEST_IMAGE = 5_000_000
_LARGEST_REQUEST = 10_000_000
"""Both in bytes; as a data URI an image is larger by a third."""

_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif"}
_EXTENSIONS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", "": "jpeg"}
"""Of addresses, behind which the sandbox does not look."""

_SUPPORTED = "Supported image formats: jpeg, png, gif."


def _format(content: bytes, pointer: str) -> str:
    if len(content) > LARGEST_IMAGE:
        raise RefusedError(invalid(f"The image has {len(content)} bytes; the maximum is {LARGEST_IMAGE}.", pointer=pointer))
    for signature, name in _SIGNATURES.items():
        if content.startswith(signature):
            return name
    raise RefusedError(invalid(f"This is not an image. {_SUPPORTED}", pointer=pointer))


def _decoded(address: str, pointer: str) -> bytes:
    head, comma, content = address.partition(",")
    if not (comma and head.startswith("data:image/") and head.endswith(";base64")):
        raise RefusedError(invalid("A base-64 encoded data URI of an image is expected.", pointer=pointer))
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error as error:
        raise RefusedError(invalid("The data URI is not base-64 encoded.", pointer=pointer)) from error


def _import(write: Write, image: Resource) -> None:
    pointer = "/data/attributes/import_from_url"
    address = write.attributes["import_from_url"]
    attributes = image["attributes"]
    name = attributes.get("name")
    if address.startswith("data:"):
        content = _decoded(address, pointer)
        _describe(write.call, image, name or "image", _format(content, pointer), len(content))
        return
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RefusedError(invalid("Enter a valid URL.", pointer=pointer))
    file = PurePosixPath(unquote(parts.path))
    known = _EXTENSIONS.get(file.suffix.lower())
    if known is None:
        raise RefusedError(invalid(f"'{file.suffix}' is not supported. {_SUPPORTED}", pointer=pointer))
    _describe(write.call, image, name or file.stem or "image", known, write.account.random.randrange(1, LARGEST_IMAGE))


def _describe(call: Call, image: Resource, name: str, format_name: str, size: int) -> None:
    """The same name twice gets a suffix."""
    taken = {other["attributes"]["name"] for other in call.account.images.values()}
    given, number = name, 0
    while given in taken:
        number += 1
        given = f"{name}_{number}"
    address = f"https://images.example.com/{image['id']}.{format_name}"
    image["attributes"] |= {"name": given, "image_url": address, "format": format_name, "size": size}


def _replace(write: Write, image: Resource, attributes: Attributes) -> None:
    """Recorded: unlike all other changes this is a replacement, so that an image that is not said to be hidden again is shown."""
    refuse_blank({"name": write.attributes.get("name")}, "name")
    attributes["hidden"] = bool(write.attributes.get("hidden"))


_CREATE = CreateEndpoint(
    "image",
    "images",
    digits,
    defaults={"name": None, "hidden": False},
    stamps=("updated_at",),
    complete=_import,
    unstored=frozenset(("import_from_url",)),
    largest=_LARGEST_REQUEST,
)


def _upload(call: Call) -> dict[str, Any] | None:
    fields, name = _form(call)
    content = fields.get("file")
    if content is None:
        raise RefusedError(invalid("'file' is a required field.", pointer="/data/attributes/file"))
    hidden = fields.get("hidden", b"false").decode("utf-8", "replace").lower()
    if hidden not in ("true", "false"):
        raise RefusedError(invalid("This must be true or false.", pointer="/data/attributes/hidden"))
    format_name = _format(content, "/data/attributes/file")
    given = fields.get("name", b"").decode("utf-8", "replace").strip() or PurePosixPath(name).stem or "image"

    def complete(write: Write, image: Resource) -> None:
        _describe(call, image, given, format_name, len(content))

    creation = CreateEndpoint("image", "images", digits, stamps=("updated_at",), complete=complete)
    return told(call, "image", creation.create(Write(call, {"data": {"attributes": {"hidden": hidden == "true"}}})))


def _form(call: Call) -> tuple[dict[str, bytes], str]:
    """The fields of a form that was sent, and what the file in it was called; RefusedError."""
    if len(call.body) > _LARGEST_REQUEST:
        raise RefusedError(bodies.too_large(len(call.body), _LARGEST_REQUEST))
    message = BytesParser().parsebytes(b"Content-Type: " + call.content_type.encode("latin-1", "replace") + b"\r\n\r\n" + call.body)
    if message.get_content_type() != "multipart/form-data" or not message.is_multipart():
        detail = "A multipart/form-data body is expected."
        raise RefusedError(Problem(415, "unsupported_media_type", "Unsupported media type.", detail, pointer="/data"))
    fields: dict[str, bytes] = {}
    file = ""
    for part in cast(list[Message], message.get_payload()):
        name = part.get_param("name", header="content-disposition")
        if name not in ("file", "name", "hidden"):
            raise RefusedError(invalid(f"{name!r} is not a valid field.", pointer=f"/data/attributes/{name}"))
        fields[name] = cast(bytes, part.get_payload(decode=True))
        file = (part.get_filename() or "") if name == "file" else file
    return fields, file


ENDPOINTS: dict[str, Endpoint] = {
    "upload_image_from_url": _CREATE,
    "upload_image_from_file": ActionEndpoint(_upload),
    "update_image": PatchEndpoint("image", stamps=("updated_at",), apply=_replace),
}
