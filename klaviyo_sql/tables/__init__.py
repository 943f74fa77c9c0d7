"""What Klaviyo has, as data: one file per subject, one declaration per SQL table."""

from __future__ import annotations

from klaviyo_sql.model.table import Table
from klaviyo_sql.tables.accounts import ACCOUNTS
from klaviyo_sql.tables.events import EVENTS
from klaviyo_sql.tables.lists import LIST_PROFILES, LISTS
from klaviyo_sql.tables.metrics import DAILY_METRICS, METRICS, MONTHLY_METRICS, WEEKLY_METRICS
from klaviyo_sql.tables.profiles import PROFILES
from klaviyo_sql.tables.segments import SEGMENT_PROFILES, SEGMENTS

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        ACCOUNTS,
        PROFILES,
        LISTS,
        LIST_PROFILES,
        SEGMENTS,
        SEGMENT_PROFILES,
        METRICS,
        EVENTS,
        DAILY_METRICS,
        WEEKLY_METRICS,
        MONTHLY_METRICS,
    )
}
"""Every table by its snake_case name."""
