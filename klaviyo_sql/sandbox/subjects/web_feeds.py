"""The feeds that emails take content from."""

from __future__ import annotations

from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, everything, stored

KINDS = {"web-feed": Kind("web-feed", "/api/web-feeds", stored("web_feeds"), "A web feed with id `{id}` does not exist.")}

ENDPOINTS: dict[str, Endpoint] = {
    "get_web_feeds": CollectionEndpoint("web-feed", everything("web_feeds")),
    "get_web_feed": ResourceEndpoint("web-feed"),
}
