"""What the sandbox imitates, one file per subject of Klaviyo's API."""

from __future__ import annotations

from klaviyo_sql.sandbox.endpoints import Endpoint
from klaviyo_sql.sandbox.kinds import Kind
from klaviyo_sql.sandbox.relationships import endpoints_of
from klaviyo_sql.sandbox.subjects import (
    accounts,
    back_in_stock,
    campaign_writing,
    campaigns,
    catalog_writing,
    catalogs,
    consent,
    conversations,
    coupons,
    custom_metrics,
    events,
    flow_writing,
    flows,
    form_writing,
    forms,
    image_writing,
    images,
    jobs,
    lists,
    metric_aggregates,
    metrics,
    object_records,
    object_relationships,
    object_writing,
    objects,
    profile_imports,
    profile_writing,
    profiles,
    push_tokens,
    reports,
    reviews,
    segments,
    tags,
    template_writing,
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
    campaign_writing,
    catalog_writing,
    consent,
    flow_writing,
    form_writing,
    image_writing,
    metric_aggregates,
    object_records,
    object_relationships,
    object_writing,
    profile_imports,
    profile_writing,
    reports,
    template_writing,
)


KINDS: dict[str, Kind] = {name: kind for subject in _KINDS_OF for name, kind in subject.KINDS.items()}
"""Every kind by name."""

ENDPOINTS: dict[str, Endpoint] = endpoints_of(KINDS) | {name: endpoint for subject in _ENDPOINTS_OF for name, endpoint in subject.ENDPOINTS.items()}
"""The imitated operations by operation id."""
