"""What programs that browse an account cost: the requests of a preview, of a look whether there is anything, and of a count, for each table.

One request is what a preview takes where rows are pages of a list. More are those of children, which are asked for by parent, and those of tables that have
fewer rows than the preview wants.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from plans.test_plans import NOW

from klaviyo_sql import Connection, contract
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.model.table import Collection
from klaviyo_sql.sandbox import Account, Sandbox
from klaviyo_sql.sandbox.entitlements import DEFAULT, WEBHOOKS
from klaviyo_sql.tables import TABLES

PREVIEW = "SELECT * FROM {} LIMIT 10"
LOOK = "SELECT EXISTS (SELECT 1 FROM {})"
COUNT = "SELECT count(*) FROM {}"
REQUESTS = {
    # table: (preview, look, count)
    "accounts": (1, 1, 1),
    "profiles": (1, 1, 5),
    "lists": (1, 1, 2),
    "list_profiles": (4, 2, 20),
    "segments": (1, 1, 2),
    "segment_profiles": (3, 2, 17),
    "metrics": (1, 1, 1),
    "integrations": (1, 1, 1),
    "events": (1, 1, 7),
    "daily_metrics": (3, 2, 17),
    "weekly_metrics": (3, 2, 17),
    "monthly_metrics": (3, 2, 17),
    "event_attributions": (1, 1, 7),
    "profile_lists": (4, 2, 20),
    "profile_segments": (3, 2, 17),
    "global_exclusions": (1, 1, 1),
    "list_exclusions": (1, 1, 1),
    "tags": (1, 1, 2),
    "tag_groups": (1, 1, 1),
    "list_tags": (1, 1, 2),
    "segment_tags": (1, 1, 2),
    "campaign_tags": (1, 1, 7),
    "flow_tags": (1, 1, 3),
    "campaigns": (1, 1, 7),
    "email_campaigns": (1, 1, 3),
    "sms_campaigns": (1, 1, 2),
    "push_campaigns": (2, 1, 2),
    "campaign_messages": (1, 1, 7),
    "campaign_message_templates": (11, 2, 153),
    "campaign_message_send_times": (1, 1, 7),
    "campaign_audiences": (1, 1, 7),
    "campaign_utm_params": (1, 1, 7),
    "campaign_recipient_estimations": (19, 3, 153),
    "campaign_recipient_estimation_jobs": (18, 3, 153),
    "campaign_send_jobs": (14, 2, 153),
    "flows": (1, 1, 3),
    "flow_actions": (1, 1, 3),
    "flow_messages": (14, 2, 215),
    "flow_message_templates": (61, 5, 363),
    "templates": (1, 1, 3),
    "universal_content": (1, 1, 1),
    "images": (1, 1, 3),
    "forms": (1, 1, 1),
    "form_versions": (8, 2, 25),
    "catalog_items": (1, 1, 3),
    "catalog_variants": (1, 1, 3),
    "catalog_categories": (1, 1, 1),
    "catalog_item_categories": (2, 2, 13),
    "coupons": (1, 1, 1),
    "coupon_codes": (2, 2, 4),
    "push_tokens": (1, 1, 2),
    "conversations": (1, 1, 5),
    "custom_metrics": (1, 1, 1),
    "custom_metric_metrics": (1, 1, 1),
    "mapped_metrics": (1, 1, 1),
    "metric_properties": (3, 2, 17),
    "catalog_item_bulk_create_jobs": (1, 1, 2),
    "catalog_item_bulk_create_job_items": (11, 4, 15),
    "catalog_item_bulk_update_jobs": (1, 1, 2),
    "catalog_item_bulk_update_job_items": (11, 5, 15),
    "catalog_item_bulk_delete_jobs": (1, 1, 2),
    "catalog_variant_bulk_create_jobs": (1, 1, 2),
    "catalog_variant_bulk_create_job_variants": (13, 4, 15),
    "catalog_variant_bulk_update_jobs": (1, 1, 2),
    "catalog_variant_bulk_update_job_variants": (15, 4, 15),
    "catalog_variant_bulk_delete_jobs": (1, 1, 2),
    "catalog_category_bulk_create_jobs": (1, 1, 2),
    "catalog_category_bulk_create_job_categories": (8, 4, 15),
    "catalog_category_bulk_update_jobs": (1, 1, 2),
    "catalog_category_bulk_update_job_categories": (14, 7, 15),
    "catalog_category_bulk_delete_jobs": (1, 1, 2),
    "coupon_code_bulk_create_jobs": (1, 1, 2),
    "coupon_code_bulk_create_job_coupon_codes": (13, 5, 15),
    "profile_suppression_bulk_create_jobs": (1, 1, 2),
    "profile_suppression_bulk_delete_jobs": (1, 1, 2),
    "profile_bulk_import_jobs": (1, 1, 1),
    "import_job_profiles": (3, 2, 26),
    "import_job_lists": (10, 3, 25),
    "import_job_errors": (11, 2, 26),
    "data_sources": (1, 1, 1),
    "object_types": (1, 1, 1),
    "object_schemas": (5, 2, 5),
    "object_type_relations": (5, 3, 5),
    "object_type_profile_relations": (5, 3, 5),
    "source_mappings": (14, 4, 14),
    "object_records": (2, 2, 6),
    "object_ingestion_logs": (3, 2, 7),
    "reviews": (1, 1, 2),
    "review_events": (1, 1, 2),
    "web_feeds": (1, 1, 2),
    "webhooks": (1, 1, 1),
    "webhook_topics": (1, 1, 1),
    "webhook_webhook_topics": (1, 1, 1),
    "tracking_settings": (1, 1, 1),
    "list_flow_triggers": (2, 1, 2),
    "segment_flow_triggers": (2, 1, 2),
    "metric_flow_triggers": (1, 1, 1),
}
SEVERAL_FIELDS = {"campaign_audiences", "campaign_utm_params"}
"""Tables whose rows are in an attribute beside the one that tells archived campaigns from others."""


@pytest.fixture
def browsed(account: Account, open_sandbox: Callable[..., Connection]) -> Connection:
    """A connection to an account that has everything; a page is asked for after the other, and none is remembered."""
    return open_sandbox(sandbox=Sandbox(account, clock=SimulatedClock(NOW), entitlements=(*DEFAULT, WEBHOOKS)), parallel=1, cache_seconds=0)


def test_there_is_every_table() -> None:
    assert REQUESTS.keys() == TABLES.keys()


@pytest.mark.parametrize("name", REQUESTS)
def test_browsing_takes_so_many_requests(name: str, browsed: Connection) -> None:
    assert browsed.sandbox is not None
    taken = []
    for sql in (PREVIEW, LOOK, COUNT):
        browsed.sandbox.requests.clear()
        browsed.execute(sql.format(name)).fetchall()
        taken.append(len(browsed.sandbox.requests))
    assert tuple(taken) == REQUESTS[name]


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if isinstance(table.source, Collection)])
def test_a_count_asks_for_the_largest_pages_and_no_more_than_ids(name: str, browsed: Connection) -> None:
    assert browsed.sandbox is not None
    browsed.execute(COUNT.format(name)).fetchall()
    for record in browsed.sandbox.requests:
        assert record.operation is not None
        page = contract.operation(record.operation).page
        if "page[cursor]" not in record.query and page is not None:
            assert record.query.get("page[size]", str(page.max)) == str(page.max)
        fields = {key: value for key, value in record.query.items() if key.startswith("fields[")}
        assert fields
        assert name in SEVERAL_FIELDS or not any("," in value for value in fields.values())
