"""Templates, universal content, images and forms written through SQL."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

import klaviyo_sql
from tests.writes.shop import Shop, attributes, named

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
BLOCK = {"content_type": "block", "type": "html", "data": {"content": "<p>x</p>", "display_options": {}}}


def test_a_template_is_made_changed_and_deleted(shop: Shop) -> None:
    sent = shop.run("INSERT INTO templates (name, editor_type, html) VALUES ('Fresh', 'CODE', '<html><body>a</body></html>')")
    assert sent[0][:2] == ("POST", "/api/templates")
    assert attributes(sent) == [{"name": "Fresh", "editor_type": "CODE", "html": "<html><body>a</body></html>"}]
    template = named(shop.account.templates, "Fresh")
    sent = shop.run("UPDATE skyvia.Templates SET Text = NULL, Name = 'Fresher' WHERE Id = ?", template["id"])
    assert attributes(sent) == [{"name": "Fresher", "text": None}]
    assert shop.account.templates[template["id"]]["attributes"]["name"] == "Fresher"
    assert shop.run("DELETE FROM templates WHERE id = ?", template["id"])[0][0] == "DELETE"
    assert template["id"] not in shop.account.templates
    assert shop.reads() == []


def test_universal_content_is_made_changed_and_deleted(shop: Shop) -> None:
    sent = shop.run("INSERT INTO universal_content (name, definition) VALUES ('Mine', ?)", json.dumps(BLOCK))
    assert attributes(sent) == [{"name": "Mine", "definition": BLOCK}]
    content = named(shop.account.universal_content, "Mine")
    assert attributes(shop.run("UPDATE UniversalContent SET Name = 'Ours' WHERE Id = ?", content["id"])) == [{"name": "Ours"}]
    assert shop.account.universal_content[content["id"]]["attributes"]["name"] == "Ours"
    shop.run("DELETE FROM universal_content WHERE id = ?", content["id"])
    assert content["id"] not in shop.account.universal_content


@pytest.mark.parametrize("address", ["https://example.com/a.png", "data:image/png;base64," + base64.b64encode(PNG).decode()], ids=["url", "data"])
def test_an_image_comes_from_an_address(shop: Shop, address: str) -> None:
    sent = shop.run("INSERT INTO skyvia.Images (Name, ImportFromUrl, Hidden) VALUES ('pic', ?, 1)", address)
    assert sent[0][:2] == ("POST", "/api/images")
    assert attributes(sent) == [{"name": "pic", "hidden": True, "import_from_url": address}]
    assert named(shop.account.images, "pic")["attributes"]["hidden"] is True


@pytest.mark.parametrize("as_path", [True, False], ids=["path", "blob"])
def test_an_image_comes_from_a_file(shop: Shop, tmp_path: Path, as_path: bool) -> None:
    file = tmp_path / "banner.png"
    file.write_bytes(PNG)
    ((method, path, body),) = shop.run("INSERT INTO images (name, file, hidden) VALUES ('up', ?, 1)", str(file) if as_path else PNG)
    assert (method, path, body) == ("POST", "/api/image-upload", {"name": "up", "hidden": True})
    stored = named(shop.account.images, "up")["attributes"]
    assert (stored["format"], stored["size"], stored["hidden"]) == ("png", len(PNG), True)


def test_a_file_without_a_name_is_called_as_it_is(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "banner.png").write_bytes(PNG)
    shop.run("INSERT INTO images (file) VALUES (?)", str(tmp_path / "banner.png"))
    assert named(shop.account.images, "banner")


def test_an_update_of_an_image_keeps_what_it_does_not_set(shop: Shop) -> None:
    image = next(image for image in shop.account.images.values() if image["attributes"]["hidden"])
    name = image["attributes"]["name"]
    assert attributes(shop.run("UPDATE images SET name = 'other' WHERE id = ?", image["id"])) == [{"name": "other", "hidden": True}]
    assert attributes(shop.run("UPDATE Images SET Hidden = 0 WHERE Id = ?", image["id"])) == [{"name": "other", "hidden": False}]
    assert shop.account.images[image["id"]]["attributes"]["name"] == "other" != name
    before = len(shop.reads())
    assert attributes(shop.run("UPDATE images SET name = 'both', hidden = 1 WHERE id = ?", image["id"])) == [{"name": "both", "hidden": True}]
    assert len(shop.reads()) == before


def test_a_form_is_made_and_deleted(shop: Shop) -> None:
    steps = [{"name": name, "columns": []} for name in ("Opt in", "Thanks")]
    definition = {"versions": [{"name": "V1", "type": "popup", "steps": steps}]}
    sent = shop.run("INSERT INTO forms (name, definition) VALUES ('Sign up', ?)", json.dumps(definition))
    assert sent[0][:2] == ("POST", "/api/forms")
    assert {**attributes(sent)[0], "definition": None} == {"name": "Sign up", "status": "draft", "ab_test": False, "definition": None}
    form = named(shop.account.forms, "Sign up")
    assert shop.run("DELETE FROM Forms WHERE Id = ?", form["id"])[0][:2] == ("DELETE", f"/api/forms/{form['id']}")
    assert form["id"] not in shop.account.forms


REFUSED: list[tuple[str, tuple[Any, ...], str]] = [
    ("INSERT INTO templates (name, editor_type) VALUES ('x', 'WORD')", (), "CODE, USER_DRAGGABLE or SYSTEM_DRAGGABLE"),
    ("INSERT INTO templates (name, html) VALUES ('x', 'y')", (), "needs editor_type"),
    ("UPDATE templates SET editor_type = 'CODE' WHERE id = 'x'", (), "stays what its editor made of it"),
    ('INSERT INTO universal_content (name, definition) VALUES (\'x\', \'{"content_type": "block", "type": "song"}\')', (), "takes one of button"),
    ("UPDATE universal_content SET type = 'html' WHERE id = 'x'", (), "in the definition"),
    ("INSERT INTO images (name) VALUES ('x')", (), "import_from_url or file"),
    ("INSERT INTO images (import_from_url) VALUES ('ftp://example.com/x.png')", (), "the URL of a PNG"),
    ("INSERT INTO images (import_from_url, image_url) VALUES ('https://example.com/x.png', 'y')", (), "where Klaviyo gets a new image from"),
    ("INSERT INTO images (file) VALUES ('/nowhere/at/all.png')", (), "cannot be read: No such file"),
    ("INSERT INTO images (file) VALUES (?)", (b"no image",), "PNG, JPEG or GIF"),
    ("INSERT INTO images (file) VALUES (?)", (PNG + b"\0" * 5_000_000,), "at most 5,000,000"),
    ("DELETE FROM images WHERE id = 'x'", (), "hidden = 1"),
    ("INSERT INTO forms (name, definition, status) VALUES ('x', '{\"versions\": []}', 'live')", (), "takes one of draft"),
    ("INSERT INTO forms (name, definition) VALUES ('x', '{}')", (), "needs 'versions'"),
    ("UPDATE forms SET name = 'x' WHERE id = 'x'", (), "make a new one"),
    ("DELETE FROM form_versions WHERE id = 'x'", (), "in the definition of their form"),
]


@pytest.mark.parametrize(("sql", "parameters", "said"), REFUSED, ids=[f"{sql[:60]} {said}" for sql, _, said in REFUSED])
def test_what_is_wrong_is_refused_before_anything_is_sent(shop: Shop, sql: str, parameters: tuple[Any, ...], said: str) -> None:
    with pytest.raises((klaviyo_sql.DataError, klaviyo_sql.NotSupportedError), match=said):
        shop.connection.execute(sql, parameters)
    assert not list(shop.connection.requests)
