"""What the sandbox imitates, one file per subject of Klaviyo's API."""

from __future__ import annotations

from klaviyo_sql.sandbox.endpoints import Endpoint
from klaviyo_sql.sandbox.kinds import Kind
from klaviyo_sql.sandbox.relationships import endpoints_of
from klaviyo_sql.sandbox.subjects import (
    accounts,
    back_in_stock,
    campaign_writes,
    campaigns,
    catalog_writes,
    catalogs,
    consent,
    conversations,
    coupons,
    custom_metrics,
    events,
    flow_writes,
    flows,
    form_writes,
    forms,
    image_writes,
    images,
    jobs,
    lists,
    metric_aggregates,
    metrics,
    object_records,
    object_relationships,
    object_writes,
    objects,
    profile_imports,
    profile_writing,
    profiles,
    push_tokens,
    reports,
    reviews,
    segments,
    tags,
    template_writes,
    templates,
    tracking_settings,
    web_feeds,
    webhooks,
)

_KINDS_OF = (
    accounts,
    campaigns,
    catalogs,
    conversations,
    coupons,
    custom_metrics,
    events,
    flows,
    forms,
    images,
    jobs,
    lists,
    metrics,
    objects,
    profiles,
    push_tokens,
    reviews,
    segments,
    tags,
    templates,
    tracking_settings,
    web_feeds,
    webhooks,
)
_ENDPOINTS_OF = (
    *_KINDS_OF,
    back_in_stock,
    campaign_writes,
    catalog_writes,
    consent,
    flow_writes,
    form_writes,
    image_writes,
    metric_aggregates,
    object_records,
    object_relationships,
    object_writes,
    profile_imports,
    profile_writing,
    reports,
    template_writes,
)


KINDS: dict[str, Kind] = {name: kind for subject in _KINDS_OF for name, kind in subject.KINDS.items()}
"""Every kind by name."""

ENDPOINTS: dict[str, Endpoint] = endpoints_of(KINDS) | {name: endpoint for subject in _ENDPOINTS_OF for name, endpoint in subject.ENDPOINTS.items()}
"""The imitated operations by operation id."""
