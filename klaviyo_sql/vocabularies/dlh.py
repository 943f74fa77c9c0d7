"""The objects of DLH's warehouse tables for Klaviyo."""

from __future__ import annotations

from klaviyo_sql.vocabularies.vocabulary import Object, Vocabulary, same

DLH = Vocabulary(
    "dlh",
    "DLH",
    (
        Object("campaign", "campaigns"),
        Object("campaign_message", "campaign_messages"),
        Object("campaign_message_template", "campaign_message_templates"),
        Object("catalog_category", "catalog_categories"),
        Object("catalog_item", "catalog_items"),
        Object("catalog_variant", "catalog_variants"),
        Object("coupon", "coupons"),
        Object("coupon_code", "coupon_codes"),
        Object("event", "events"),
        Object("event_metric", "events", same("metric_id", "datetime", event_id="id"), doc="Which metric each event is of."),
        Object("event_profile", "events", same("profile_id", "datetime", event_id="id"), doc="Which profile each event is of."),
        Object("flow", "flows"),
        Object("image", "images"),
        Object("lists", "lists"),
        Object("list_profile", "list_profiles"),
        Object("list_tag", "list_tags"),
        Object("metric", "metrics"),
        Object("profile", "profiles"),
        Object("profile_global_exclusion", "global_exclusions"),
        Object("profile_list_exclusion", "list_exclusions"),
        Object("segment", "segments"),
        Object("segment_profile", "segment_profiles"),
        Object("segment_tag", "segment_tags"),
        Object("tag", "tags"),
        Object("tag_group", "tag_groups"),
        Object("template", "templates"),
    ),
    notes=("Rows that were deleted in Klaviyo are gone here as well; its warehouse kept them.",),
)
