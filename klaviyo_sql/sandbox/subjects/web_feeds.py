"""The feeds that emails take content from."""

from __future__ import annotations

import re

from klaviyo_sql.sandbox.account import Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, everything, stored
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.writing import CreateEndpoint, DeleteEndpoint, PatchEndpoint, Write, digits

KINDS = {"web-feed": Kind("web-feed", "/api/web-feeds", stored("web_feeds"), "A web feed with id `{id}` does not exist.")}

_NAME = re.compile(r"[0-9_A-z]+", re.ASCII)


def _check(write: Write, feed: Resource | None = None) -> None:
    """Everything that can be sent can be left out of a change, and nothing of it can be null."""
    for sent, value in write.attributes.items():
        if value is None:
            raise RefusedError(invalid("This may not be null.", pointer=f"/data/attributes/{sent}"))
    name, url = write.attributes.get("name"), write.attributes.get("url")
    if name is not None and _NAME.fullmatch(name) is None:
        raise RefusedError(invalid(f"'name' must match regex '^[0-9_A-z]+$' ({name!r} doesn't)", pointer="/data/attributes/name"))
    if url is not None and not url.startswith(("http://", "https://")):
        raise RefusedError(invalid("Enter a valid URL.", pointer="/data/attributes/url"))


ENDPOINTS: dict[str, Endpoint] = {
    "get_web_feeds": CollectionEndpoint("web-feed", everything("web_feeds")),
    "get_web_feed": ResourceEndpoint("web-feed"),
    # The status is null until the feed was fetched for the first time.
    "create_web_feed": CreateEndpoint("web-feed", "web_feeds", digits, defaults={"status": None}, stamps=("created", "updated"), check=_check),
    "update_web_feed": PatchEndpoint("web-feed", stamps=("updated",), check=_check),
    "delete_web_feed": DeleteEndpoint("web-feed", "web_feeds"),
}
