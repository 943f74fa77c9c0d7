"""How links are tagged where a message does not say it itself: one setting, with the id of the account."""

from __future__ import annotations

from klaviyo_sql.sandbox.account import Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, everything, stored
from klaviyo_sql.sandbox.writing import Attributes, PatchEndpoint, Write

KINDS = {"tracking-setting": Kind("tracking-setting", "/api/tracking-settings", stored("tracking_settings"), "Tracking settings for id `{id}` do not exist.")}


def _merge(write: Write, setting: Resource, attributes: Attributes) -> None:
    """A parameter has two halves, of which one alone can be sent."""
    for name, sent in write.attributes.items():
        known = setting["attributes"].get(name)
        if isinstance(sent, dict):
            attributes[name] = {"flow": None, "campaign": None} | (known or {}) | sent


ENDPOINTS: dict[str, Endpoint] = {
    "get_tracking_settings": CollectionEndpoint("tracking-setting", everything("tracking_settings")),
    "get_tracking_setting": ResourceEndpoint("tracking-setting"),
    "update_tracking_setting": PatchEndpoint("tracking-setting", apply=_merge),
}
