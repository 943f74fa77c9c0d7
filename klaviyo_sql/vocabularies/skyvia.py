"""The objects of Skyvia's Klaviyo connector, with its PascalCase columns."""

from __future__ import annotations

from klaviyo_sql.model.table import pascal_case
from klaviyo_sql.vocabularies.vocabulary import Object, Vocabulary

_EMAIL = {"channel": ("email",)}
_SMS = {"channel": ("sms",)}
# The ids of template and image are told one campaign at a time, which asks for any channel.
_MESSAGE = {
    pascal_case(name): name
    for name in (
        "id",
        "campaign_id",
        "channel",
        "label",
        "subject",
        "preview_text",
        "from_email",
        "from_label",
        "reply_to_email",
        "cc_email",
        "bcc_email",
        "title",
        "body",
        "media_url",
        "definition",
        "send_times",
        "created_at",
        "updated_at",
    )
}

SKYVIA = Vocabulary(
    "skyvia",
    "Skyvia",
    (
        Object("Accounts", "accounts"),
        Object(
            "BulkProfiles",
            "profile_bulk_import_jobs",
            renamed={"profiles": "ProfilesData", "list_ids": "Relationships_ListData"},
            doc="Bulk imports of profiles: a row that is inserted is a job.",
        ),
        Object("CatalogCategories", "catalog_categories"),
        Object("CatalogItems", "catalog_items"),
        Object("CatalogVariants", "catalog_variants"),
        Object("CouponCodes", "coupon_codes"),
        Object("Coupons", "coupons"),
        Object("DailyMetrics", "daily_metrics"),
        Object("EmailCampaignMessages", "campaign_messages", _MESSAGE, part=_EMAIL, written=True, doc="The messages of email campaigns, one row each."),
        Object("EmailCampaigns", "email_campaigns"),
        Object("EmailCampaignTags", "campaign_tags", part=_EMAIL, doc="Which email campaign has which tag, one row for each pair."),
        Object("EventMetrics", "events", {"EventId": "id", "MetricId": "metric_id", "Datetime": "datetime"}, doc="Which metric each event is of."),
        Object("EventProfiles", "events", {"EventId": "id", "ProfileId": "profile_id", "Datetime": "datetime"}, doc="Which profile each event is of."),
        Object("FlowActions", "flow_actions"),
        Object("Flows", "flows"),
        Object("FlowTags", "flow_tags"),
        Object("GroupTags", "tags", {"TagGroupId": "tag_group_id", "TagId": "id", "TagName": "name"}, doc="Which tag is in which group."),
        Object("Images", "images"),
        Object("ImportBulkProfiles", "profile_bulk_import_jobs"),
        Object("ListProfiles", "list_profiles"),
        Object("Lists", "lists"),
        Object("ListTags", "list_tags"),
        Object("Metrics", "metrics"),
        Object("MonthlyMetrics", "monthly_metrics"),
        Object("Profiles", "profiles"),
        Object("SegmentProfiles", "segment_profiles"),
        Object("Segments", "segments"),
        Object("SegmentTags", "segment_tags"),
        Object("SMSCampaignMessages", "campaign_messages", _MESSAGE, part=_SMS, written=True, doc="The messages of SMS campaigns, one row each."),
        Object("SMSCampaigns", "sms_campaigns"),
        Object("SMSCampaignTags", "campaign_tags", part=_SMS, doc="Which SMS campaign has which tag, one row for each pair."),
        Object("TagGroups", "tag_groups"),
        Object("Tags", "tags"),
        Object("Templates", "templates"),
        Object("WeeklyMetrics", "weekly_metrics"),
    ),
    in_pascal_case=True,
    notes=(
        "BulkProfiles is inserted into: ProfilesData is a JSON array of profiles, Relationships_ListData one of lists. Read, it shows the jobs.",
        "ListProfiles takes INSERT as well, and all tables of tags can be written.",
    ),
)
