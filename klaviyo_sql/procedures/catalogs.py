"""Many rows of the catalog in one job, and people who wait for an item."""

from __future__ import annotations

from dataclasses import replace

from klaviyo_sql.model.procedure import Input, Procedure, Way, own_table
from klaviyo_sql.model.table import Table, Type
from klaviyo_sql.model.writing import Many, One, Writes
from klaviyo_sql.procedures.people import profile_inputs
from klaviyo_sql.tables import TABLES


def _bulk(name: str, table: Table, many: Many | None) -> Table:
    """The columns of a table, each of whose rows goes into a job, even a single one."""
    assert many is not None  # noqa: S101 - the catalog's tables have jobs
    columns = tuple(replace(column, body=("id",)) if column.name == "id" else column for column in table.columns)
    return replace(table, name=name, columns=columns, others=(), writes=Writes(insert_many=replace(many, least=1)))


def _three(singular: str, plural: str, example: str) -> tuple[Procedure, ...]:
    """The three bulk procedures of items, variants or categories."""
    table = TABLES[f"catalog_{plural}"]
    writes = table.writes
    assert writes is not None  # noqa: S101
    described = f"A JSON array of objects with the columns of catalog_{plural}, or as Klaviyo writes them."
    note = "One request for each 100 of them, as far as 5 MB hold them."
    names = {verb: f"bulk_{verb}_catalog_{plural}" for verb in ("create", "update", "delete")}
    picked = f"(SELECT id FROM catalog_{plural} LIMIT 1)"  # noqa: S608 - an example, of our own words
    return (
        Procedure(
            names["create"],
            f"Create many {plural} of the catalog in one job.",
            (Input(plural, described, Type.JSON, required=True, names=(singular,)),),
            (Way(_bulk(names["create"], table, writes.insert_many), each=plural, column="external_id"),),
            notes=(note,),
            example=f"CALL {names['create']}({example});",
        ),
        Procedure(
            names["update"],
            f"Change many {plural} of the catalog in one job: the values that are given, in the rows of the ids that are given.",
            (Input(plural, described, Type.JSON, required=True, names=(singular,)),),
            (Way(_bulk(names["update"], table, writes.update_many), each=plural, column="id"),),
            notes=(note, "What is changed must be named by its id, such as $custom:::$default:::SKU-1."),
            example=f"CALL {names['update']}(json_array(json_object('id', {picked}, '{'name' if plural == 'categories' else 'title'}', 'New')));",
        ),
        Procedure(
            names["delete"],
            f"Delete many {plural} of the catalog in one job.",
            (Input("ids", "An id, or a JSON array of ids.", required=True, names=("id", plural, singular)),),
            (Way(_bulk(names["delete"], table, writes.delete_many), each="ids", column="id"),),
            takes_away=True,
            notes=(note,),
            example=f"CALL {names['delete']}({picked});",
        ),
    )


_STOCK = (
    Input("variant_id", "The variant that is waited for.", body="relationships.variant", required=True),
    Input("channels", "How the profile is told: a JSON array of EMAIL, SMS, PUSH, WHATSAPP.", Type.JSON, "attributes.channels", default='["EMAIL"]'),
    *(known for known in profile_inputs("attributes.profile.data") if known.name in ("profile_id", "email", "phone_number", "external_id")),
)

PROCEDURES = (
    *_three(
        "item",
        "items",
        '\'[{"external_id": "MUG-1", "title": "Mug", "description": "For tea.", "url": "https://shop.example.com/mug"}]\'',
    ),
    *_three(
        "variant",
        "variants",
        "json_array(json_object('external_id', 'MUG-1-RED', 'item_id', (SELECT id FROM catalog_items LIMIT 1), 'title', 'Red mug', 'description', 'Red.', "
        "'sku', 'MUG-R', 'inventory_quantity', 5, 'price', 9.5, 'url', 'https://shop.example.com/mug'))",
    ),
    *_three("category", "categories", '\'[{"external_id": "MUGS", "name": "Mugs"}]\''),
    Procedure(
        "create_back_in_stock_subscription",
        "Have Klaviyo tell a profile when a variant is there again.",
        _STOCK,
        (Way(own_table("create_back_in_stock_subscription", "Who waits.", _STOCK, Writes(insert=One("create_back_in_stock_subscription")))),),
        one_at_least=("profile_id", "email", "phone_number", "external_id"),
        example="CALL create_back_in_stock_subscription((SELECT id FROM catalog_variants LIMIT 1), email => 'ada@example.com');",
    ),
)
