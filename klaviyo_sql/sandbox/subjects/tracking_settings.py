"""How links are tagged where a message does not say it itself: one setting, with the id of the account."""

from __future__ import annotations

from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, everything, stored

KINDS = {"tracking-setting": Kind("tracking-setting", "/api/tracking-settings", stored("tracking_settings"), "Tracking settings for id `{id}` do not exist.")}

ENDPOINTS: dict[str, Endpoint] = {
    "get_tracking_settings": CollectionEndpoint("tracking-setting", everything("tracking_settings")),
    "get_tracking_setting": ResourceEndpoint("tracking-setting"),
}
