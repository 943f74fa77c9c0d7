"""What writing looks like, for the page of each table: statements that can be run as they are, one after the other."""

from __future__ import annotations

_FIRST = "(SELECT id FROM {0} LIMIT 1)"


def _tag(kind: str) -> tuple[str, ...]:
    return (
        f"INSERT OR IGNORE INTO {kind}_tags ({kind}_id, tag_id)\nSELECT {kind}s.id, tags.id FROM (SELECT id FROM {kind}s LIMIT 3) AS {kind}s, "
        "(SELECT id FROM tags WHERE name = 'important') AS tags",
        f"DELETE FROM {kind}_tags WHERE {kind}_id = {_FIRST.format(f'{kind}s')} AND tag_id = (SELECT id FROM tags WHERE name = 'important')",
    )


def _campaign(table: str, definition: str) -> tuple[str, ...]:
    return (
        f"INSERT INTO {table} (name, audiences_included, messages) SELECT 'Spring', json_array(id),\n"
        f"  '[{{\"definition\": {definition}}}]'\nFROM lists WHERE name = 'Newsletter'",
        f"UPDATE {table} SET name = 'Spring sale', send_strategy = '{{\"method\": \"immediate\"}}' WHERE name = 'Spring'",
        f"DELETE FROM {table} WHERE name = 'Spring sale'",
    )


_EMAIL = '{"channel": "email", "label": "First", "content": {"subject": "Hello", "from_email": "shop@example.com", "from_label": "Shop"}}'
_WAIT = '{"temporary_id": "wait", "type": "time-delay", "data": {"unit": "days", "value": 1}, "links": {"next": null}}'
_ITEM = "external_id, title, description, url, price"

EXAMPLES: dict[str, tuple[str, ...]] = {
    "profiles": (
        "INSERT INTO profiles (email, first_name, properties) VALUES ('ada@example.com', 'Ada', '{\"plan\": \"gold\"}')",
        "UPDATE profiles SET last_name = 'Lovelace', properties = '{\"plan\": \"silver\"}', unset_properties = '[\"trial\"]' WHERE email = 'ada@example.com'",
        "INSERT OR REPLACE INTO profiles (email, first_name) VALUES ('ada@example.com', 'Augusta')",
    ),
    "lists": (
        "INSERT INTO lists (name, opt_in_process) VALUES ('Guests', 'single_opt_in')",
        "UPDATE lists SET name = 'Visitors' WHERE name = 'Guests'",
        "DELETE FROM lists WHERE name = 'Visitors'",
    ),
    "list_profiles": (
        "INSERT INTO list_profiles (list_id, profile_id)\nSELECT (SELECT id FROM lists WHERE name = 'Newsletter'), id\n"
        "FROM profiles ORDER BY created DESC LIMIT 10",
        "DELETE FROM list_profiles\nWHERE list_id = (SELECT id FROM lists WHERE name = 'Newsletter') AND profile_id = (SELECT id FROM profiles LIMIT 1)",
    ),
    "profile_lists": (
        "INSERT INTO profile_lists (profile_id, list_id)\nVALUES ((SELECT id FROM profiles LIMIT 1), (SELECT id FROM lists WHERE name = 'Newsletter'))",
    ),
    "segments": (
        "INSERT INTO segments (name, definition) SELECT 'A copy', definition FROM segments LIMIT 1",
        "UPDATE segments SET is_starred = 1 WHERE name = 'A copy'",
        "DELETE FROM segments WHERE name = 'A copy'",
    ),
    "events": (
        "INSERT INTO events (metric_name, profile_email, value, event_properties)\nVALUES ('Called us', 'ada@example.com', 12.5, '{\"topic\": \"delivery\"}')",
    ),
    "campaigns": _campaign("campaigns", _EMAIL),
    "email_campaigns": _campaign("email_campaigns", _EMAIL),
    "sms_campaigns": _campaign("sms_campaigns", '{"content": {"body": "Hello"}}'),
    "push_campaigns": _campaign("push_campaigns", '{"notification_type": "standard", "content": {"title": "Hello", "body": "You"}}'),
    "campaign_messages": (
        "UPDATE campaign_messages SET subject = 'Only today'\nWHERE id = (SELECT id FROM campaign_messages WHERE campaign_id = (SELECT id FROM email_campaigns "
        "WHERE status = 'Draft' LIMIT 1) LIMIT 1)",
    ),
    "flows": (
        'INSERT INTO flows (name, definition)\nVALUES (\'Wait\', \'{"triggers": [], "profile_filter": null, "entry_action_id": "wait", "actions": ['
        + _WAIT
        + "]}')",
        "UPDATE flows SET status = 'manual' WHERE name = 'Wait'",
        "DELETE FROM flows WHERE name = 'Wait'",
    ),
    "flow_actions": (
        "UPDATE flow_actions SET definition = json_set(definition, '$.data.value', 3)\n"
        "WHERE id = (SELECT id FROM flow_actions WHERE type = 'time-delay' LIMIT 1)",
    ),
    "templates": (
        "INSERT INTO templates (name, editor_type, html) VALUES ('Plain', 'CODE', '<html><body>Hello</body></html>')",
        "UPDATE templates SET html = replace(html, 'Hello', 'Welcome') WHERE name = 'Plain'",
        "DELETE FROM templates WHERE name = 'Plain'",
    ),
    "universal_content": (
        'INSERT INTO universal_content (name, definition)\nVALUES (\'Imprint\', \'{"content_type": "block", "type": "html", "data": {"content": '
        '"<p>…</p>", "display_options": {}}}\')',
        "UPDATE universal_content SET name = 'Legal' WHERE name = 'Imprint'",
        "DELETE FROM universal_content WHERE name = 'Legal'",
    ),
    "images": (
        "INSERT INTO images (name, import_from_url) VALUES ('banner', 'https://shop.example.com/banner.png')",
        "UPDATE images SET hidden = 1 WHERE name = 'banner'",
    ),
    "forms": (
        'INSERT INTO forms (name, definition)\nVALUES (\'Sign up\', \'{"versions": [{"name": "V1", "type": "popup", "steps": [{"name": "Ask", "columns": []}, '
        '{"name": "Thank", "columns": []}]}]}\')',
        "DELETE FROM forms WHERE name = 'Sign up'",
    ),
    "catalog_items": (
        f"INSERT INTO catalog_items ({_ITEM}) VALUES ('MUG-1', 'Mug', 'For tea', 'https://shop.example.com/mug', 9.5)",
        "UPDATE catalog_items SET price = 8 WHERE id = '$custom:::$default:::MUG-1'",
        "DELETE FROM catalog_items WHERE id = '$custom:::$default:::MUG-1'",
    ),
    "catalog_variants": (
        f"INSERT INTO catalog_variants ({_ITEM}, sku, inventory_quantity, item_id)\n"
        "SELECT 'MUG-1-RED', 'Red mug', 'For tea', 'https://shop.example.com/mug', 9.5, 'M1R', 12, id FROM catalog_items LIMIT 1",
        "UPDATE catalog_variants SET inventory_quantity = 11 WHERE id = '$custom:::$default:::MUG-1-RED'",
        "DELETE FROM catalog_variants WHERE id = '$custom:::$default:::MUG-1-RED'",
    ),
    "catalog_categories": (
        "INSERT INTO catalog_categories (external_id, name) VALUES ('kitchen', 'Kitchen')",
        "UPDATE catalog_categories SET name = 'Kitchen and table' WHERE id = '$custom:::$default:::kitchen'",
        "DELETE FROM catalog_categories WHERE id = '$custom:::$default:::kitchen'",
    ),
    "catalog_item_categories": (
        "DELETE FROM catalog_item_categories\nWHERE item_id = (SELECT item_id FROM catalog_item_categories LIMIT 1) AND category_id = (SELECT category_id FROM "
        "catalog_item_categories LIMIT 1)",
    ),
    "coupons": (
        "INSERT INTO coupons (external_id, description) VALUES ('MAY_5', '5% off')",
        "UPDATE coupons SET description = '5% off in May' WHERE id = 'MAY_5'",
        "DELETE FROM coupons WHERE id = 'MAY_5'",
    ),
    "coupon_codes": (
        "INSERT INTO coupon_codes (coupon_id, unique_code, expires_at) SELECT id, 'SPRING-1', datetime('now', '+30 days') FROM coupons LIMIT 1",
        "UPDATE coupon_codes SET expires_at = datetime('now', '+60 days') WHERE coupon_id = (SELECT id FROM coupons LIMIT 1) AND unique_code = 'SPRING-1'",
    ),
    "tags": (
        "INSERT INTO tags (name) VALUES ('vip only')",
        "UPDATE tags SET name = 'vip' WHERE name = 'vip only'",
        "DELETE FROM tags WHERE name = 'vip'",
    ),
    "tag_groups": (
        "INSERT INTO tag_groups (name, exclusive) VALUES ('Seasons', 1)",
        "UPDATE tag_groups SET name = 'Season' WHERE name = 'Seasons'",
        "DELETE FROM tag_groups WHERE name = 'Season'",
    ),
    "list_tags": _tag("list"),
    "segment_tags": _tag("segment"),
    "campaign_tags": _tag("campaign"),
    "flow_tags": _tag("flow"),
    "push_tokens": (
        "INSERT INTO push_tokens (token, platform, vendor, profile_id) SELECT 'a1b2c3', 'ios', 'apns', id FROM profiles LIMIT 1",
        "DELETE FROM push_tokens WHERE id = (SELECT id FROM push_tokens LIMIT 1)",
    ),
    "profile_bulk_import_jobs": (
        'INSERT INTO profile_bulk_import_jobs (profiles, list_ids)\nSELECT \'[{"email": "grace@example.com"}]\', json_array(id)\n'
        "FROM lists WHERE name = 'Newsletter'",
    ),
    "custom_metrics": (
        "INSERT INTO custom_metrics (name, aggregation_method, metric_groups)\nSELECT 'Calls', 'count', json_array(json_object('metric_id', id))\n"
        "FROM metrics LIMIT 1",
        "UPDATE custom_metrics SET aggregation_method = 'value' WHERE name = 'Calls'",
        "DELETE FROM custom_metrics WHERE name = 'Calls'",
    ),
    "mapped_metrics": (
        "UPDATE mapped_metrics SET metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order') WHERE id = 'ordered_product'",
        "UPDATE mapped_metrics SET metric_id = NULL WHERE id = 'cancelled_sales'",
    ),
    "reviews": (
        "UPDATE reviews SET status = 'featured' WHERE id = (SELECT id FROM reviews WHERE rating = 5 LIMIT 1)",
        "UPDATE reviews SET status = 'rejected', rejection_reason = 'unrelated' WHERE id = (SELECT id FROM reviews WHERE rating = 1 LIMIT 1)",
    ),
    "web_feeds": (
        "INSERT INTO web_feeds (name, url, request_method, content_type) VALUES ('News', 'https://shop.example.com/news', 'get', 'json')",
        "UPDATE web_feeds SET content_type = 'xml' WHERE name = 'News'",
        "DELETE FROM web_feeds WHERE name = 'News'",
    ),
    "webhooks": (
        "INSERT INTO webhooks (name, endpoint_url, secret_key, topic_ids)\n"
        "SELECT 'Sent', 'https://shop.example.com/hook', 'a long secret of yours', json_array(id) FROM webhook_topics LIMIT 1",
        "UPDATE webhooks SET enabled = 0 WHERE name = 'Sent'",
        "DELETE FROM webhooks WHERE name = 'Sent'",
    ),
    "tracking_settings": ('UPDATE tracking_settings SET auto_add_parameters = 1, utm_source_campaign = \'{"type": "static", "value": "shop"}\' WHERE true',),
    "data_sources": (
        "INSERT INTO data_sources (title, description) VALUES ('Fleet', 'Our boats')",
        "DELETE FROM data_sources WHERE title = 'Fleet'",
    ),
    "object_types": (
        'INSERT INTO object_types (title, properties)\nVALUES (\'Boat\', \'[{"id": 1, "name": "name", "type": "string"}]\')',
        "DELETE FROM object_types WHERE title = 'Boat'",
    ),
    "object_schemas": (
        'INSERT INTO object_types (title, properties) VALUES (\'Car\', \'[{"id": 1, "name": "name", "type": "string"}]\')',
        "UPDATE object_schemas SET description = 'What we lend' WHERE object_type_id = (SELECT id FROM object_types WHERE title = 'Car')",
    ),
    "source_mappings": (
        "UPDATE source_mappings SET property_mappings = '[]'\nWHERE object_schema_id = (SELECT object_schema_id FROM source_mappings LIMIT 1)",
    ),
    "object_records": (
        'INSERT INTO object_records (data_source_id, record_properties) SELECT id, \'{"name": "Otter"}\' FROM data_sources LIMIT 1',
        "DELETE FROM object_records WHERE object_type_id = (SELECT object_type_id FROM object_records LIMIT 1)",
    ),
    "object_type_relations": (
        "INSERT INTO object_type_relations (schema_id, related_schema_id, relation_name)\n"
        "SELECT one.current_schema_id, other.current_schema_id, 'is beside' FROM object_types AS one JOIN object_types AS other ON one.id < other.id\n"
        "WHERE one.current_schema_id IS NOT NULL AND other.current_schema_id IS NOT NULL LIMIT 1",
    ),
}
