"""Templates, universal content and images: what messages are made of."""

from __future__ import annotations

from random import Random
from typing import Any

from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.generation.identifiers import ShortIds
from klaviyo_sql.sandbox.generation.moments import microseconds_text, seconds_text
from klaviyo_sql.sandbox.generation.words import LONG_NAME, NASTY_TEXTS

_LARGE_HTML = "<p>Lorem ipsum &amp; dolor sit amet.</p>\n" * 250
_TEMPLATE_NAMES = ("Newsletter", "newsletter", "Newsletter", 'Weekend "Deals"', LONG_NAME, "Welcome 🎉", "", *NASTY_TEXTS)
_CONTENT = (
    ("Footer", "block", "text"),
    ("footer", "block", "html"),
    ("Shop button", "block", "button"),
    ("Line", "block", "horizontal_rule"),
    ('Hero "image", 50%', "block", "image"),
    ("Gap", "block", "spacer"),
    ("Old thing", "block", "unsupported"),
    ("Whole section", "section", "section"),
)
_IMAGE_FORMATS = ("jpeg", "png", "gif")


def make_templates(random: Random, account: Account, start: int, end: int) -> None:
    """Templates for three pages; `listed` is false for the copies that messages have, of which there are none yet."""
    ids = ShortIds(random)
    for number, name in enumerate(_TEMPLATE_NAMES):
        add_template(random, account, ids.next(), name, start + int((end - start) * random.random()), number, listed=True)


def add_template(random: Random, account: Account, identifier: str, name: str, created: int, number: int, *, listed: bool) -> str:
    """One more template; gives its id."""
    editor = ("CODE", "USER_DRAGGABLE", "SYSTEM_DRAGGABLE")[number % 3]
    html = f"<html><body><h1>{name}</h1>{_LARGE_HTML if number % 7 == 0 else ''}{{% unsubscribe %}}</body></html>"
    account.templates[identifier] = {
        "type": "template",
        "id": identifier,
        "attributes": {
            "name": name,
            "editor_type": editor,
            "html": html,
            "text": (f"{name}\n\n{{% unsubscribe %}}", "", None)[number % 3],
            "amp": "<html amp4email></html>" if number % 11 == 3 else None,
            "created": seconds_text(created),
            "updated": seconds_text(created + random.randrange(86_400)),
            "definition": _definition(identifier) if editor == "SYSTEM_DRAGGABLE" else None,
        },
        "listed": listed,
    }
    return identifier


def _definition(identifier: str) -> dict[str, Any]:
    body = {"id": f"{identifier}-body", "properties": {"css_class": None}, "styles": {"background_color": "#ffffff", "width": 600}, "sections": []}
    return {"id": f"{identifier}-definition", "template_id": identifier, "body": body, "styles": []}


def make_universal_content(random: Random, account: Account, start: int, end: int) -> None:
    """One of each sort; some without a definition or a screenshot."""
    for number, (name, content_type, kind) in enumerate(_CONTENT):
        identifier = f"{random.getrandbits(128):032x}"
        created = start + int((end - start) * random.random())
        data: Any = None
        display = {"show_on": "all", "visible_check": None}
        if kind in ("text", "html"):
            data = {"content": f"<p>{name}</p>", "display_options": display} | ({"styles": {"color": "#000000"}} if kind == "text" else {})
        account.universal_content[identifier] = {
            "type": "template-universal-content",
            "id": identifier,
            "attributes": {
                "name": name,
                "definition": {"content_type": content_type, "type": kind, "data": data} if number != 3 else None,
                "created": microseconds_text(created, random.randrange(1_000_000)),
                "updated": microseconds_text(created + 3600, 0 if number == 1 else random.randrange(1_000_000)),
                "screenshot_status": ("completed", "never_generated", "failed")[number % 3],
                "screenshot_url": f"https://images.example.com/content/{identifier}.png" if number % 3 == 0 else "",
            },
        }


def make_images(random: Random, account: Account, start: int, end: int) -> None:
    """Images for more than one page of a hundred, every fourth of them hidden, one without an address."""
    identifier = 366_000_000 + random.randrange(1_000_000)
    for number in range(140):
        identifier += random.randrange(1, 50)
        format_name = _IMAGE_FORMATS[number % len(_IMAGE_FORMATS)]
        name = NASTY_TEXTS[number // 8 % len(NASTY_TEXTS)] if number % 8 == 2 else f"photo-{number // 2}"
        account.images[str(identifier)] = {
            "type": "image",
            "id": str(identifier),
            "attributes": {
                "name": name,
                "image_url": f"https://images.example.com/{identifier}.{format_name}" if number != 5 else "",
                "format": format_name,
                "size": 0 if number == 5 else random.randrange(1, 5_000_000),
                "hidden": number % 4 == 3,
                "updated_at": seconds_text(start + int((end - start) * random.random())),
            },
        }
