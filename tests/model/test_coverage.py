"""Everything that can be read is in some table: a walk over every GET of the contract."""

from __future__ import annotations

import re

import pytest

from klaviyo_sql import contract
from klaviyo_sql.model.table import Choice, Collected, Collection, Included, Linked, ParentId, Related
from klaviyo_sql.tables import TABLES

READS = {name: operation for name, operation in contract.facts().operations.items() if operation.method == "GET" and operation.path.startswith("/api/")}
WAYS = [way for table in TABLES.values() for way in table.ways]
SOURCES = [(way, way.source) for way in WAYS if isinstance(way.source, Collection)]
READ = {name for _, source in SOURCES for name in (source.list, source.get) if name is not None}


def relations_told() -> set[tuple[str, str]]:
    """The relationships that some table tells of: the resource that has one, and its name."""
    told = set()
    for way, source in SOURCES:
        resource = re.sub(r"^.*?/api/|/\{.*$", "", READS[source.list].path)
        own = f"{source.resource}s" if not source.resource.endswith("y") else f"{source.resource[:-1]}ies"
        for column in way.columns:
            place = column.place
            if isinstance(place, Choice):
                place = place.by_id
            if isinstance(place, Related | Included | Collected):
                told |= {(resource, place.relation), (own, place.relation)}
            if isinstance(place, ParentId) and place.relation is not None:
                told.add((own, place.relation))
        told |= {(own, each.relation) for each in source.each if isinstance(each, Linked)}
        # What is read in the path of a parent is the relation from there.
        found = re.fullmatch(r"/api/([a-z-]+)/\{\w+\}/(?:relationships/)?([a-z-]+)", READS[source.list].path)
        if found:
            told.add((found[1], found[2]))
    return told


EXCEPTIONS = {
    "get_account": "accounts has one row, which its list tells whole",
    "get_object_schema": "the versions of a type tell every schema",
    "get_source_mapping": "read from the schema",
    "get_object_record": "read from the type, whose records have all that it tells",
    "get_object_schema_relationships": "the relations of types are those of their schemas",
    "get_profile_schema_relationships": "the relations of types are those of their schemas",
    "get_conversation_for_profile": "the older name of conversations",
    "get_conversation_id_for_profile": "the older name of conversations",
    "get_catalog_variant": "a variant does not tell its item, the pages of items do",
}
"""What no table reads, with the reason: another operation tells the same."""

FROM_THE_OTHER_SIDE = {
    ("coupons", "coupon-codes"): ("coupon_codes", "coupon_id"),
    ("profiles", "push-tokens"): ("push_tokens", "profile_id"),
    ("tag-groups", "tags"): ("tags", "tag_group_id"),
}
"""Relations whose other end tells them: the table and the column."""


@pytest.mark.parametrize("name", sorted(READS))
def test_everything_that_can_be_read_is_in_a_table(name: str) -> None:
    path = READS[name].path
    if name in READ or name in EXCEPTIONS:
        return
    relation = re.fullmatch(r"/api/([a-z-]+)/\{\w+\}/(?:relationships/)?([a-z-]+)", path)
    assert relation is not None, f"no table reads {name}"
    if other := FROM_THE_OTHER_SIDE.get((relation[1], relation[2])):
        assert isinstance(TABLES[other[0]].columns[TABLES[other[0]].index(other[1])].place, Related)
        return
    assert (relation[1], relation[2]) in relations_told(), f"no table tells the {relation[2]} of {relation[1]}"


def test_the_exceptions_are_exceptions() -> None:
    assert not EXCEPTIONS.keys() & READ
    assert EXCEPTIONS.keys() <= READS.keys()
    assert len(EXCEPTIONS) <= 10
