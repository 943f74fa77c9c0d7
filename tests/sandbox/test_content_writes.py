"""Templates, universal content, images and forms, written."""

from __future__ import annotations

import base64
import random
from typing import Any

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account

from .conftest import Ask
from .described import hold_against
from .writes import document, refusal

BODY = {"properties": {"css_class": None}, "styles": {"width": 600}}
DEFINITION = {"body": BODY, "styles": []}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\r\n\n\r--x\r\n"
SHOWN = {"show_on": "all", "visible_check": None}
HTML_BLOCK = {"content_type": "block", "type": "html", "data": {"content": "<p>1</p>", "display_options": SHOWN}}


def _patch(send: Ask, path: str, kind: str, identifier: str, attributes: dict[str, Any]) -> Any:
    return send(f"{path}/{identifier}", document(kind, attributes, identifier=identifier), method="PATCH")


# Templates


def _template(**attributes: Any) -> dict[str, Any]:
    return document("template", {"name": "T", "editor_type": "CODE", "html": "<p>{{ first_name }}</p>", **attributes})


@pytest.fixture
def template(send: Ask) -> str:
    created = send("/api/templates", _template(text="Hi {{ person.name|default:'friend' }}{{ nobody }}"))
    assert created.status == 201, created.document
    hold_against("create_template", created.document)
    return str(created.document["data"]["id"])


def test_a_template_is_created_changed_and_deleted(send: Ask, clock: SimulatedClock, fresh_account: Account, template: str) -> None:
    page = "<html><head></head><body><p>{{ first_name }}</p></body></html>"
    attributes = fresh_account.templates[template]["attributes"]
    assert (attributes["html"], attributes["amp"], attributes["definition"]) == (page, None, None)
    assert template in send("/api/templates?sort=-created").ids
    clock.sleep(60)
    changed = _patch(send, "/api/templates", "template", template, {"html": "<html><body>2</body></html>"})
    assert changed.status == 200, changed.document
    hold_against("update_template", changed.document)
    attributes = fresh_account.templates[template]["attributes"]
    assert (attributes["html"], attributes["name"]) == ("<html><head></head><body>2</body></html>", "T")
    assert attributes["updated"] > attributes["created"]
    assert send(f"/api/templates/{template}", method="DELETE").status == 204
    assert refusal(send(f"/api/templates/{template}", method="DELETE")) == (404, ["/data/"])


def test_a_template_of_blocks(send: Ask, fresh_account: Account) -> None:
    created = send("/api/templates?additional-fields[template]=definition", _template(editor_type="SYSTEM_DRAGGABLE", html=None, definition=DEFINITION))
    assert created.status == 201, created.document
    hold_against("create_template", created.document)
    template_id = created.document["data"]["id"]
    assert created.document["data"]["attributes"]["definition"]["template_id"] == template_id
    changed = _patch(send, "/api/templates", "template", template_id, {"definition": {**DEFINITION, "body": {**BODY, "styles": {"width": 500}}}})
    assert changed.status == 200
    assert fresh_account.templates[template_id]["attributes"]["definition"]["body"]["styles"] == {"width": 500}
    assert refusal(_patch(send, "/api/templates", "template", template_id, {"html": "<p>"})) == (400, ["/data/attributes/html"])


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"name": ""}, "name"),
        ({"editor_type": "WORD"}, "editor_type"),
        ({"html": None}, "html"),
        ({"editor_type": "USER_DRAGGABLE", "html": None}, "html"),
        ({"definition": DEFINITION}, "definition"),
        ({"editor_type": "SYSTEM_DRAGGABLE", "definition": DEFINITION}, "html"),
        ({"editor_type": "SYSTEM_DRAGGABLE", "html": None}, "definition"),
    ],
)
def test_templates_that_are_refused(send: Ask, fresh_account: Account, attributes: dict[str, Any], name: str) -> None:
    before = len(fresh_account.templates)
    assert refusal(send("/api/templates", _template(**attributes))) == (400, [f"/data/attributes/{name}"])
    assert len(fresh_account.templates) == before


def test_what_a_template_cannot_become(send: Ask, template: str) -> None:
    for attributes in ({"editor_type": "USER_DRAGGABLE"}, {"definition": DEFINITION}, {"html": None}, {"name": " "}):
        (name,) = attributes
        assert refusal(_patch(send, "/api/templates", "template", template, attributes)) == (400, [f"/data/attributes/{name}"])


def test_a_thousand_templates_are_enough(send: Ask, fresh_account: Account, template: str) -> None:
    for number in range(1000):
        fresh_account.templates[f"t{number}"] = {**fresh_account.templates[template], "id": f"t{number}"}
    fresh_account.changed()
    assert refusal(send("/api/templates", _template())) == (400, ["/data"])
    assert refusal(send("/api/template-clone", document("template", {}, identifier=template))) == (400, ["/data"])


def test_a_template_is_cloned(send: Ask, fresh_account: Account, template: str) -> None:
    cloned = send("/api/template-clone", document("template", {"name": "Second"}, identifier=template))
    assert cloned.status == 201, cloned.document
    hold_against("clone_template", cloned.document)
    clone = fresh_account.templates[cloned.document["data"]["id"]]
    assert (clone["attributes"]["name"], clone["attributes"]["html"]) == ("Second", fresh_account.templates[template]["attributes"]["html"])
    assert refusal(send("/api/template-clone", document("template", {}, identifier="NOPE01"))) == (404, ["/data/id"])


def test_a_template_is_rendered(send: Ask, fresh_account: Account, template: str) -> None:
    rendered = send("/api/template-render", document("template", {"context": {"first_name": "Ada", "person": {}}}, identifier=template))
    assert rendered.status == 201, rendered.document
    hold_against("render_template", rendered.document)
    attributes = rendered.document["data"]["attributes"]
    assert (attributes["html"], attributes["text"]) == ("<html><head></head><body><p>Ada</p></body></html>", "Hi friend")
    named = send("/api/template-render", document("template", {"context": {"person": {"name": "Bo"}}}, identifier=template))
    assert named.document["data"]["attributes"]["text"] == "Hi Bo"
    assert "{{" in fresh_account.templates[template]["attributes"]["html"]
    assert refusal(send("/api/template-render", document("template", {}, identifier=template))) == (400, ["/data/attributes/context"])
    assert _patch(send, "/api/templates", "template", template, {"html": "{% if a %}b{% endif %}"}).status == 200
    assert send("/api/template-render", document("template", {"context": {}}, identifier=template)).status == 501
    assert _patch(send, "/api/templates", "template", template, {"html": "{% unsubscribe 'here' %}"}).status == 200
    assert send("/api/template-render", document("template", {"context": {}}, identifier=template)).status == 201


# Universal content


def test_universal_content(send: Ask, clock: SimulatedClock, fresh_account: Account) -> None:
    path, kind = "/api/template-universal-content", "template-universal-content"
    created = send(path, document(kind, {"name": "A", "definition": HTML_BLOCK}))
    assert created.status == 201, created.document
    hold_against("create_universal_content", created.document)
    content_id = created.document["data"]["id"]
    assert fresh_account.universal_content[content_id]["attributes"]["screenshot_status"] == "never_generated"
    clock.sleep(1)
    block = {**HTML_BLOCK, "data": {"content": "<p>2</p>", "display_options": SHOWN}}
    changed = _patch(send, path, kind, content_id, {"definition": block})
    assert changed.status == 200, changed.document
    hold_against("update_universal_content", changed.document)
    assert fresh_account.universal_content[content_id]["attributes"]["definition"]["data"]["content"] == "<p>2</p>"
    assert refusal(_patch(send, path, kind, content_id, {"name": ""})) == (400, ["/data/attributes/name"])
    assert refusal(_patch(send, path, kind, content_id, {"definition": None})) == (400, ["/data/attributes/definition"])
    odd = next(
        found["id"] for found in fresh_account.universal_content.values() if (found["attributes"]["definition"] or {}).get("type") in ("unsupported", "section")
    )
    assert refusal(_patch(send, path, kind, odd, {"definition": HTML_BLOCK})) == (400, ["/data/attributes/definition"])
    assert _patch(send, path, kind, odd, {"name": "Renamed"}).status == 200
    button = next(found["id"] for found in fresh_account.universal_content.values() if (found["attributes"]["definition"] or {}).get("type") == "button")
    assert refusal(_patch(send, path, kind, button, {"definition": HTML_BLOCK})) == (400, ["/data/attributes/definition/type"])
    assert send(f"{path}/{content_id}", method="DELETE").status == 204
    assert refusal(send(f"{path}/{content_id}", method="DELETE")) == (404, ["/data/"])
    wrong = {"content_type": "block", "type": "video", "data": None}
    assert refusal(send(path, document(kind, {"name": "A", "definition": wrong}))) == (400, ["/data/attributes/definition/type"])


# Images


def _data_uri(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _form(content: bytes | None, **fields: str) -> tuple[bytes, str]:
    edge = b"------edge"
    parts = [b'Content-Disposition: form-data; name="%s"\r\n\r\n%s' % (name.encode(), value.encode()) for name, value in fields.items()]
    if content is not None:
        parts.append(b'Content-Disposition: form-data; name="file"; filename="photo 1.png"\r\nContent-Type: image/png\r\n\r\n' + content)
    return b"".join(b"--" + edge + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + edge + b"--\r\n", f"multipart/form-data; boundary={edge.decode()}"


def test_images_from_an_address(send: Ask, fresh_account: Account) -> None:
    sent = document("image", {"import_from_url": "https://shop.example.com/a/b%20c.PNG?x=1"})
    created = send("/api/images", sent)
    assert created.status == 201, created.document
    hold_against("upload_image_from_url", created.document)
    attributes = fresh_account.images[created.document["data"]["id"]]["attributes"]
    assert (attributes["name"], attributes["format"], attributes["hidden"]) == ("b c", "png", False)
    assert "import_from_url" not in attributes
    # The same name twice gets a suffix.
    assert send("/api/images", sent).document["data"]["attributes"]["name"] == "b c_1"
    inline = send("/api/images", document("image", {"name": "I", "import_from_url": _data_uri(PNG), "hidden": True}))
    assert {name: inline.document["data"]["attributes"][name] for name in ("name", "format", "size", "hidden")} == {
        "name": "I",
        "format": "png",
        "size": len(PNG),
        "hidden": True,
    }
    assert inline.document["data"]["id"] in send("/api/images?filter=equals(hidden,true)&page[size]=100&sort=-updated_at").ids


@pytest.mark.parametrize(
    "address",
    [
        "ftp://shop.example.com/a.png",
        "shop.example.com/a.png",
        "https://shop.example.com/a.svg",
        "data:text/plain;base64,aGk=",
        "data:image/png,hi",
        "data:image/png;base64,%%%",
        _data_uri(b"hi"),
        _data_uri(PNG.ljust(5_000_001)),
    ],
    ids=lambda address: address[:40],
)
def test_images_that_are_refused(send: Ask, fresh_account: Account, address: str) -> None:
    before = len(fresh_account.images)
    assert refusal(send("/api/images", document("image", {"import_from_url": address}))) == (400, ["/data/attributes/import_from_url"])
    assert len(fresh_account.images) == before


@pytest.mark.parametrize("seed", range(20))
def test_a_file_arrives_as_it_is(send: Ask, seed: int) -> None:
    content = PNG + random.Random(seed).randbytes(5000)
    body, content_type = _form(content, name="Ünïcode", hidden="true")
    created = send("/api/image-upload", body, **{"Content-Type": content_type})
    assert created.status == 201, created.document
    hold_against("upload_image_from_file", created.document)
    attributes = created.document["data"]["attributes"]
    assert (attributes["name"], attributes["size"], attributes["format"], attributes["hidden"]) == ("Ünïcode", len(content), "png", True)


def test_files_that_are_refused(send: Ask) -> None:
    def upload(content: bytes | None, **fields: str) -> Any:
        body, content_type = _form(content, **fields)
        return send("/api/image-upload", body, **{"Content-Type": content_type})

    assert upload(PNG).document["data"]["attributes"]["name"] == "photo 1"
    assert refusal(upload(None, name="A")) == (400, ["/data/attributes/file"])
    assert refusal(upload(b"no image")) == (400, ["/data/attributes/file"])
    assert refusal(upload(PNG.ljust(5_000_001))) == (400, ["/data/attributes/file"])
    assert refusal(upload(PNG, hidden="perhaps")) == (400, ["/data/attributes/hidden"])
    assert refusal(upload(PNG, other="1")) == (400, ["/data/attributes/other"])
    assert refusal(upload(PNG.ljust(10_000_001))) == (413, ["/data"])
    assert refusal(send("/api/image-upload", {"data": {}})) == (415, ["/data"])


def test_a_change_of_an_image_replaces_it(send: Ask, fresh_account: Account) -> None:
    image_id = next(image["id"] for image in fresh_account.images.values() if image["attributes"]["hidden"])
    both = _patch(send, "/api/images", "image", image_id, {"name": "A", "hidden": True})
    assert both.status == 200, both.document
    hold_against("update_image", both.document)
    assert _patch(send, "/api/images", "image", image_id, {"name": "B"}).status == 200
    assert {name: fresh_account.images[image_id]["attributes"][name] for name in ("name", "hidden")} == {"name": "B", "hidden": False}
    assert refusal(_patch(send, "/api/images", "image", image_id, {"hidden": True})) == (400, ["/data/attributes/name"])
    assert send(f"/api/images/{image_id}", method="DELETE").status == 405


# Forms


def _form_of(*versions: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    sent = versions or ({"steps": [{"columns": []}, {"columns": []}], "type": "full_screen"},)
    return document("form", {"name": "F", "status": "draft", "ab_test": len(sent) > 1, "definition": {"versions": list(sent)}, **attributes})


def test_a_form_is_created_and_deleted(send: Ask, fresh_account: Account) -> None:
    created = send("/api/forms", _form_of())
    assert created.status == 201, created.document
    hold_against("create_form", created.document)
    form_id = created.document["data"]["id"]
    (version,) = created.document["data"]["attributes"]["definition"]["versions"]
    assert all(step["id"] for step in version["steps"])
    assert send(f"/api/forms/{form_id}").document["data"]["attributes"] == created.document["data"]["attributes"]
    assert send(f"/api/forms/{form_id}/form-versions").ids == [str(version["id"])]
    assert fresh_account.form_versions[str(version["id"])]["attributes"]["form_type"] == "full_page"
    assert send(f"/api/forms/{form_id}", method="DELETE").status == 204
    assert send(f"/api/forms/{form_id}").status == 404
    assert str(version["id"]) not in fresh_account.form_versions
    assert send(f"/api/forms/{form_id}", {}, method="PATCH").status == 405


def test_forms_that_are_refused(send: Ask) -> None:
    place = "/data/attributes/definition/versions"
    one_step = send("/api/forms", _form_of({"steps": [{"columns": []}]}))
    assert refusal(one_step) == (400, [f"{place}/0"])
    assert one_step.errors[0]["detail"] == "Versions must have at least two steps"
    assert refusal(send("/api/forms", _form_of(definition={"versions": []}))) == (400, [place])
    assert refusal(send("/api/forms", _form_of(status="live"))) == (400, ["/data/attributes/status"])
    assert refusal(send("/api/forms", _form_of(ab_test=True))) == (400, ["/data/attributes/ab_test"])
    assert refusal(send("/api/forms", _form_of(name=""))) == (400, ["/data/attributes/name"])
