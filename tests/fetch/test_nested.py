"""Rows of links, of elements and of included resources: what becomes of each kind of reply, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from klaviyo_sql.fetch.nested import is_nested, nested_decoder
from klaviyo_sql.fetch.rows import GarbageError
from klaviyo_sql.model.table import Attribute, Collected, Column, Element, ElementKind, ElementNumber, Elements, Id, Included, Linked, Place, Related, Type

TAGS = (Linked("tags", "tag"),)


def column(name: str, place: Place, kind: Type = Type.TEXT) -> Column:
    return Column(name, place, kind, "A column.")


ID = column("id", Id())
TAG_ID = column("tag_id", Related("tags", "tag"))
TAG_NAME = column("tag_name", Included("tags", "tag", Attribute(("name",))))


def owner(relationships: Any = None, attributes: Any = None, id_: str = "L1") -> dict[str, Any]:
    found: dict[str, Any] = {"type": "list", "id": id_}
    if relationships is not None:
        found["relationships"] = relationships
    if attributes is not None:
        found["attributes"] = attributes
    return found


def tag(number: int) -> dict[str, Any]:
    return {"type": "tag", "id": f"T{number}", "attributes": {"name": f"tag {number}"}}


def to(*numbers: int, **more: Any) -> dict[str, Any]:
    return {"data": [{"type": "tag", "id": f"T{number}"} for number in numbers], **more}


def page(data: Any, *included: Any, links: Any = None) -> bytes:
    return json.dumps({"data": data, "included": included, "links": links}).encode()


def rows(body: bytes, columns: tuple[Column, ...], each: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    return nested_decoder(columns, each).page(body, (None,) * len(columns)).rows


def test_a_row_for_each_link() -> None:
    body = page([owner({"tags": to(1, 2)}), owner({"tags": to()}, id_="L2"), owner({"tags": to(2)}, id_="L3")], tag(1), tag(2))
    assert rows(body, (ID, TAG_ID, TAG_NAME), TAGS) == [("L1", "T1", "tag 1"), ("L1", "T2", "tag 2"), ("L3", "T2", "tag 2")]


def test_what_is_linked_is_found_by_type_and_id() -> None:
    other = {"type": "flow", "id": "T1", "attributes": {"name": "no tag"}}
    assert rows(page([owner({"tags": to(1)})], other, tag(1)), (TAG_NAME,), TAGS) == [("tag 1",)]


def test_an_absent_relation_is_no_link() -> None:
    assert rows(page([owner({})]), (ID, TAG_ID), TAGS) == []
    assert rows(page([owner({"tags": {"data": None}})]), (ID, TAG_ID), TAGS) == []


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (owner(), "no relationships"),
        (owner({"tags": {"links": {"related": "x"}}}), "does not tell the tags"),
        (owner({"tags": to(1, links={"next": "https://x"})}), "only some of the tags"),
        (owner({"tags": {"data": ["T1"]}}), "not made of ids"),
        (owner({"tags": {"data": [{"type": "tag"}]}}), "not made of ids"),
    ],
)
def test_links_that_are_left_out_are_refused(resource: Any, said: str) -> None:
    """A page that does not tell what it was asked for would be a table with rows missing."""
    with pytest.raises(GarbageError, match=said):
        rows(page([resource], tag(1)), (ID, TAG_ID), TAGS)


def test_a_link_to_what_does_not_come_along_is_refused_where_it_is_read() -> None:
    body = page([owner({"tags": to(1)})])
    assert rows(body, (ID, TAG_ID), TAGS) == [("L1", "T1")]
    with pytest.raises(GarbageError, match="tag T1"):
        rows(body, (TAG_NAME,), TAGS)


def test_elements_with_their_kind_and_number() -> None:
    each = (Elements((("included", ("audiences", "included")), ("excluded", ("audiences", "excluded")))),)
    columns = (ID, column("kind", ElementKind()), column("number", ElementNumber(), Type.INTEGER), column("audience", Element()))
    body = page([owner(attributes={"audiences": {"included": ["A", "B"], "excluded": None}}), owner(attributes={"audiences": None}), owner(attributes=None)])
    assert rows(body, columns, each) == [("L1", "included", 1, "A"), ("L1", "included", 2, "B")]
    with pytest.raises(GarbageError, match="no array"):
        rows(page([owner(attributes={"audiences": {"included": "A"}})]), columns, each)


def test_elements_of_what_is_linked() -> None:
    each = (*TAGS, Elements((("times", ("times",)),)))
    one = tag(1) | {"attributes": {"times": [{"at": "2026-01-01T00:00:00+00:00", "local": True}, {}]}}
    columns = (ID, TAG_ID, column("at", Element(("at",)), Type.TIMESTAMP), column("local", Element(("local",)), Type.BOOLEAN))
    assert rows(page([owner({"tags": to(1)})], one), columns, each) == [("L1", "T1", "2026-01-01 00:00:00", 1), ("L1", "T1", None, None)]


def test_one_related_resource() -> None:
    columns = (
        ID,
        column("metric_id", Related("metric", "metric")),
        column("name", Included("metric", "metric", Attribute(("name",)))),
        column("flow", Included("metric", "metric", Related("flow", "flow"))),
    )
    metric = {"type": "metric", "id": "M1", "attributes": {"name": "Opened"}, "relationships": {"flow": {"data": {"type": "flow", "id": "F1"}}}}
    linked = {"metric": {"data": {"type": "metric", "id": "M1"}}}
    assert is_nested(columns, ())
    assert rows(page([owner(linked)], metric), columns) == [("L1", "M1", "Opened", "F1")]
    assert rows(page([owner(linked)], metric | {"relationships": {"flow": {"links": {}}}}), columns) == [("L1", "M1", "Opened", None)]
    # What is gone leaves its id; without any relation there may be no relationships.
    assert rows(page([owner(linked), owner({"metric": {"data": None}}), owner()]), columns) == [
        ("L1", "M1", None, None),
        ("L1", None, None, None),
        ("L1", None, None, None),
    ]


def test_everything_linked_as_one_value() -> None:
    columns = (ID, column("tags", Collected("tags", "tag", ("name",)), Type.JSON))
    found = rows(page([owner({"tags": to(2, 1)}), owner({"tags": to()})], tag(1), tag(2)), columns)
    assert [json.loads(value) for _, value in found] == [[{"id": "T2", "name": "tag 2"}, {"id": "T1", "name": "tag 1"}], []]


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"{}", b'{"data": 5}', b'{"data": ["x"]}', b'{"data": [{"id": 1}]}', b'{"data": null}', b"\xff", b'{"data": [], "links": {"next": 5}}'],
)
def test_what_is_no_page(body: bytes) -> None:
    with pytest.raises(GarbageError):
        rows(body, (ID,), TAGS)


def test_one_resource_or_none() -> None:
    decode = nested_decoder((ID, TAG_ID), TAGS).single
    assert decode(page(owner({"tags": to(1)}), tag(1)), (None, None)).rows == [("L1", "T1")]
    assert decode(b'{"data": null}', (None, None)).rows == []
    assert decode(page(owner({"tags": to(1)}), links={"next": None}), (None, None)).next_url is None
