"""All tables together: every operation that writes is reached by one, and what the pages show can be run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import klaviyo_sql
from klaviyo_sql import contract
from klaviyo_sql.model.table import Table
from klaviyo_sql.model.writing import Writes
from klaviyo_sql.tables import TABLES
from klaviyo_sql.tables.written.examples import EXAMPLES
from klaviyo_sql.write.bodies import template
from tests.writes.shop import Shop

WRITABLE = {name: table for name, table in TABLES.items() if table.writes is not None and table.writes.kinds}

NOT_TABLES = {
    "update_image_for_campaign_message": "UPDATE campaign_messages SET image_id says it in the message's own request.",
    "update_items_for_catalog_category": "UPDATE catalog_categories SET item_ids says it in the category's own request.",
    "update_categories_for_catalog_item": "UPDATE catalog_items SET category_ids says it in the item's own request.",
    "update_object_schema_relationship": "needs the id of the relation, which no operation tells.",
    "delete_object_schema_relationship": "needs the id of the relation, which no operation tells.",
    "update_profile_schema_relationship": "needs the id of the relation, which no operation tells.",
    "delete_profile_schema_relationship": "needs the id of the relation, which no operation tells.",
    "create_data_source_record": "one record is sent as the bulk operation's only one.",
}


def operations(writes: Writes) -> set[str]:
    """Every operation that a table is written with."""
    ones = (writes.insert, writes.replace, writes.update, writes.delete, writes.upload and writes.upload[1])
    manys = (writes.insert_many, writes.replace_many, writes.update_many, writes.delete_many)
    links = [one for one in (writes.links, writes.links and writes.links.other) if one is not None]
    return {way.operation for way in (*ones, *manys) if way is not None} | {name for one in links for name in (one.add, one.remove) if name is not None}


def test_every_operation_that_writes_rows_or_links_is_reached() -> None:
    reached = set().union(*(operations(table.writes) for table in WRITABLE.values() if table.writes is not None))
    singles = {
        name
        for name, operation in contract.facts().operations.items()
        if operation.method in ("PATCH", "DELETE") or (operation.method == "POST" and (name.startswith(("create_", "add_", "tag_")) or "{" in operation.path))
    }
    procedures = {
        "cancel_campaign_send",
        "create_campaign_clone",
        "create_back_in_stock_subscription",
        "create_conversation_message",
        "create_or_update_profile",
    }
    assert sorted(singles - reached - procedures) == sorted(NOT_TABLES)
    assert not NOT_TABLES.keys() & reached


@pytest.mark.parametrize("table", WRITABLE.values(), ids=WRITABLE)
def test_what_a_declaration_names_is_there(table: Table) -> None:
    writes = table.writes
    assert writes is not None
    for one in (writes.insert, writes.replace, writes.update):
        if one is None:
            continue
        made = template(table, one.operation)
        assert made.paths
        for name in (*one.alone, *one.clears, *(name for whole in one.whole for name in whole.columns)):
            assert made.takes(table.index(name)), name
    for name in (*writes.unique, *writes.one_of, *writes.defaults, *writes.patterns, *writes.hints):
        assert table.index(name) >= 0
    for names in (table, *table.others):
        for column in names.columns:
            assert column.doc
    assert table.in_pascal_case().writes is not None


def test_every_table_that_can_be_written_has_an_example() -> None:
    # Profiles have one schema, whose id the account alone knows.
    assert sorted(WRITABLE.keys() - {"object_type_profile_relations"}) == sorted(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_run(shop: Shop, name: str) -> None:
    for statement in EXAMPLES[name]:
        sent = shop.run(statement)
        assert sent, statement
    kinds = {statement.split()[0] for statement in EXAMPLES[name]}
    assert kinds <= {"INSERT", "UPDATE", "DELETE"}
    assert not shop.connection.execute("SELECT * FROM klaviyo_writes WHERE status NOT IN ('done', 'accepted', 'absent')").fetchall()


def test_what_the_guide_shows_runs(shop: Shop) -> None:
    guide = Path(__file__).resolve().parents[2] / "docs" / "writing.md"
    blocks = re.findall(r"^```sql write\n(.*?)^```$", guide.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        shop.connection.executescript(block)
        shop.connection.commit()
    assert [one["attributes"]["first_name"] for one in shop.account.profiles.values() if one["attributes"]["email"] == "ada@example.com"] == ["Ada"]


@pytest.mark.parametrize("name", sorted(TABLES.keys() - WRITABLE.keys()))
def test_what_cannot_be_written_is_refused(shop: Shop, name: str) -> None:
    column = next(column.name for column in TABLES[name].columns if not column.hidden)
    with pytest.raises(klaviyo_sql.Error, match=r"not possible|cannot be written|may not be modified"):
        shop.connection.execute(f"INSERT INTO {name} ({column}) VALUES ('x')")
    assert not list(shop.connection.requests)
