"""What Klaviyo has, as data: one file per subject, one declaration per SQL table."""

from __future__ import annotations

from klaviyo_sql.model.table import Table
from klaviyo_sql.tables.accounts import ACCOUNTS
from klaviyo_sql.tables.campaigns import CAMPAIGN_TABLES
from klaviyo_sql.tables.catalogs import CATALOG_TABLES
from klaviyo_sql.tables.connections import CONNECTION_TABLES
from klaviyo_sql.tables.coupons import COUPON_CODES, COUPONS
from klaviyo_sql.tables.custom_metrics import CUSTOM_METRIC_METRICS, CUSTOM_METRICS, MAPPED_METRICS, METRIC_PROPERTIES
from klaviyo_sql.tables.events import EVENT_ATTRIBUTIONS, EVENTS
from klaviyo_sql.tables.exclusions import GLOBAL_EXCLUSIONS, LIST_EXCLUSIONS
from klaviyo_sql.tables.flow_triggers import LIST_FLOW_TRIGGERS, METRIC_FLOW_TRIGGERS, SEGMENT_FLOW_TRIGGERS
from klaviyo_sql.tables.flows import FLOW_TABLES
from klaviyo_sql.tables.forms import FORM_VERSIONS, FORMS
from klaviyo_sql.tables.jobs import JOB_TABLES
from klaviyo_sql.tables.lists import LIST_PROFILES, LISTS
from klaviyo_sql.tables.memberships import PROFILE_LISTS, PROFILE_SEGMENTS
from klaviyo_sql.tables.metrics import DAILY_METRICS, INTEGRATIONS, METRICS, MONTHLY_METRICS, WEEKLY_METRICS
from klaviyo_sql.tables.objects import OBJECT_TABLES
from klaviyo_sql.tables.profiles import PROFILES
from klaviyo_sql.tables.push_tokens import CONVERSATIONS, PUSH_TOKENS
from klaviyo_sql.tables.reviews import REVIEW_EVENTS, REVIEWS
from klaviyo_sql.tables.segments import SEGMENT_PROFILES, SEGMENTS
from klaviyo_sql.tables.tags import CAMPAIGN_TAGS, FLOW_TAGS, LIST_TAGS, SEGMENT_TAGS, TAG_GROUPS, TAGS
from klaviyo_sql.tables.templates import IMAGES, TEMPLATES, UNIVERSAL_CONTENT
from klaviyo_sql.tables.writes import writable

TABLES: dict[str, Table] = {
    table.name: writable(table)
    for table in (
        ACCOUNTS,
        PROFILES,
        LISTS,
        LIST_PROFILES,
        SEGMENTS,
        SEGMENT_PROFILES,
        METRICS,
        INTEGRATIONS,
        EVENTS,
        DAILY_METRICS,
        WEEKLY_METRICS,
        MONTHLY_METRICS,
        EVENT_ATTRIBUTIONS,
        PROFILE_LISTS,
        PROFILE_SEGMENTS,
        GLOBAL_EXCLUSIONS,
        LIST_EXCLUSIONS,
        TAGS,
        TAG_GROUPS,
        LIST_TAGS,
        SEGMENT_TAGS,
        CAMPAIGN_TAGS,
        FLOW_TAGS,
        *CAMPAIGN_TABLES,
        *FLOW_TABLES,
        TEMPLATES,
        UNIVERSAL_CONTENT,
        IMAGES,
        FORMS,
        FORM_VERSIONS,
        *CATALOG_TABLES,
        COUPONS,
        COUPON_CODES,
        PUSH_TOKENS,
        CONVERSATIONS,
        CUSTOM_METRICS,
        CUSTOM_METRIC_METRICS,
        MAPPED_METRICS,
        METRIC_PROPERTIES,
        *JOB_TABLES,
        *OBJECT_TABLES,
        REVIEWS,
        REVIEW_EVENTS,
        *CONNECTION_TABLES,
        LIST_FLOW_TRIGGERS,
        SEGMENT_FLOW_TRIGGERS,
        METRIC_FLOW_TRIGGERS,
    )
}
"""Every table by its snake_case name."""
