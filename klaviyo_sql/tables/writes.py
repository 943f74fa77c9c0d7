"""What of the account can be written, as data: by table, Klaviyo's operations for a new row, a changed one and one that goes.

Sources: the contract's operations and bodies; how many rows one request takes is told by the descriptions of the bulk operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from klaviyo_sql.model.table import Column, Table, Type
from klaviyo_sql.model.writing import Job, Links, Lookup, Many, One, Writes
from klaviyo_sql.tables.written.campaigns import CAMPAIGNS
from klaviyo_sql.tables.written.catalogs import CATALOGS
from klaviyo_sql.tables.written.connections import CONNECTIONS
from klaviyo_sql.tables.written.content import CONTENT
from klaviyo_sql.tables.written.declaring import Written, named, only
from klaviyo_sql.tables.written.flows import FLOWS
from klaviyo_sql.tables.written.metrics import METRICS
from klaviyo_sql.tables.written.objects import OBJECTS
from klaviyo_sql.tables.written.people import PEOPLE

_JSON = Type.JSON


def writable(table: Table) -> Table:
    """The table with what can be written to it, if anything."""
    found = WRITTEN.get(table.name)
    if found is None:
        return table

    def written(way: Table) -> Table:
        return replace(way, columns=(*(_with_body(column, found.bodies) for column in way.columns), *found.added), writes=found.writes)

    return replace(written(table), others=tuple(map(written, table.others)))


def _with_body(column: Column, bodies: Mapping[str, str]) -> Column:
    return replace(column, body=tuple(filter(None, bodies[column.name].split(".")))) if column.name in bodies else column


_PROFILE_JOB = Job("get_bulk_import_profiles_job", "get_errors_for_bulk_import_profiles_job")
_BULK_PROFILES = Many("bulk_import_profiles", "profiles", 10_000, _PROFILE_JOB, repeatable=True, least=10, most_bytes=100_000, only_set=True)

_PATCHES = (
    only("append_properties", "meta.patch_properties.append", "Values to append to custom properties that are arrays, as a JSON object.", _JSON),
    only("unappend_properties", "meta.patch_properties.unappend", "Values to take out of custom properties that are arrays, as a JSON object.", _JSON),
    only("unset_properties", "meta.patch_properties.unset", "Custom properties to remove: a JSON array of their names.", _JSON),
)

_NOT_PROFILES = (
    "Klaviyo deletes profiles only as a request for data privacy, which cannot be taken back: request_profile_deletion(profile_id => …, confirm => 'delete')."
)


def _tagged(resource: str) -> Written:
    plural = f"{resource}s"
    return Written(Writes(links=Links(f"tag_{plural}", f"remove_tag_from_{plural}", path="tag_id", ids=f"{resource}_id", most=100)))


WRITTEN: dict[str, Written] = {
    "profiles": Written(
        Writes(
            insert=One("create_profile"),
            insert_many=_BULK_PROFILES,
            replace=One("create_or_update_profile", repeatable=True),
            replace_many=_BULK_PROFILES,
            update=One("update_profile"),
            update_many=_BULK_PROFILES,
            unique=("email", "phone_number", "external_id"),
            created="created",
            one_of=("email", "phone_number", "external_id"),
            refused={"DELETE": _NOT_PROFILES},
            notes=(
                "From ten rows on an INSERT or an UPDATE is one bulk job for up to 10,000 of them, which also updates profiles that are there already; "
                "below, each row is one request, and a profile that is there is an error. INSERT OR REPLACE updates in both cases, INSERT OR IGNORE never.",
                "An UPDATE of properties sets the keys that it has and leaves the others; unset_properties removes some.",
            ),
        ),
        added=_PATCHES,
    ),
    "lists": Written(named("list")),
    "list_profiles": Written(Writes(links=Links("add_profiles_to_list", "remove_profiles_from_list", path="list_id", ids="profile_id"))),
    "segments": Written(
        named(
            "segment",
            update=One("update_segment", alone=("is_active",)),
            hints={"is_active": "A new segment is active: UPDATE it afterwards, in a statement that sets nothing else."},
            notes=(
                "definition is JSON of {condition_groups: [{conditions: […]}]}; Klaviyo computes the members of a new segment within minutes.",
                "is_active is set in an UPDATE of its own, because Klaviyo takes it with nothing else.",
                "Klaviyo takes a hundred new segments and a hundred changes a day.",
            ),
        ),
    ),
    "events": Written(
        Writes(
            insert=One("create_event", repeatable=True),
            insert_many=Many("bulk_create_events", "events-bulk-create", 1000, repeatable=True, group="profile backfill", within="events"),
            once_by="event_id",
            defaults={"event_properties": "{}"},
            lookups=(Lookup("metric_id", "metrics", (("name", "metric_name"), ("integration_key", "metric_service"))),),
            refused={
                "UPDATE": "an event that happened cannot be changed.",
                "DELETE": "Klaviyo keeps events as long as their profile.",
            },
            notes=(
                "Klaviyo takes events at once and shows them some seconds later.",
                "A row without an event_id gets one, by which Klaviyo takes it only once.",
            ),
        ),
        bodies={
            "metric_name": "attributes.metric.data.attributes.name",
            "profile_id": "attributes.profile.data.id",
            "profile_email": "attributes.profile.data.attributes.email",
            "datetime": "attributes.time",
            "value": "attributes.value",
            "value_currency": "attributes.value_currency",
            "event_id": "attributes.unique_id",
            "event_properties": "attributes.properties",
        },
        added=(
            only("metric_service", "attributes.metric.data.attributes.service", "The integration that a new metric is said to be of (default: api)."),
            only("profile_phone_number", "attributes.profile.data.attributes.phone_number", "The phone number of the profile."),
            only("profile_external_id", "attributes.profile.data.attributes.external_id", "The external id of the profile."),
            only("profile_first_name", "attributes.profile.data.attributes.first_name", "The first name that the profile gets."),
            only("profile_last_name", "attributes.profile.data.attributes.last_name", "The last name that the profile gets."),
            only("profile_properties", "attributes.profile.data.attributes.properties", "Custom properties that the profile gets, as JSON.", _JSON),
            only("backfill", "attributes.backfill", "1 for history: no flow is started by it.", Type.BOOLEAN),
        ),
    ),
    "tags": Written(named("tag", created=None)),
    "tag_groups": Written(named("tag_group", created=None)),
    "list_tags": _tagged("list"),
    "segment_tags": _tagged("segment"),
    "campaign_tags": _tagged("campaign"),
    "flow_tags": _tagged("flow"),
    **CAMPAIGNS,
    **FLOWS,
    **CONTENT,
    **CATALOGS,
    **METRICS,
    **PEOPLE,
    **CONNECTIONS,
    **OBJECTS,
}
