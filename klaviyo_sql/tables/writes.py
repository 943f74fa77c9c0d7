"""What of the account can be written, as data: by table, Klaviyo's operations for a new row, a changed one and one that goes.

Sources: the contract's operations and bodies; how many rows one request takes is told by the descriptions of the bulk operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from klaviyo_sql.model.table import Column, Table, Type, WriteOnly
from klaviyo_sql.model.writing import Job, Links, Lookup, Many, One, Writes

_JSON, _TEXT = Type.JSON, Type.TEXT


@dataclass(frozen=True, slots=True)
class Written:
    """How a table is written: where columns go in a body that are read from elsewhere, and columns that are only written."""

    writes: Writes
    bodies: Mapping[str, str] = field(default_factory=dict)
    added: tuple[Column, ...] = ()


def writable(table: Table) -> Table:
    """The table with what can be written to it, if anything."""
    found = WRITTEN.get(table.name)
    if found is None:
        return table
    columns = (*(_with_body(column, found.bodies) for column in table.columns), *found.added)
    others = tuple(replace(other, columns=(*other.columns, *found.added)) for other in table.others)
    return replace(table, columns=columns, others=others, writes=found.writes)


def _with_body(column: Column, bodies: Mapping[str, str]) -> Column:
    return replace(column, body=tuple(bodies[column.name].split("."))) if column.name in bodies else column


def _only(name: str, body: str, doc: str, type_: Type = _TEXT) -> Column:
    """A column that is only written, where `body` says; SELECT * leaves it out."""
    return Column(name, WriteOnly(), type_, f"{doc.rstrip('.')}; it is written and never read.", hidden=True, body=tuple(body.split(".")))


_PROFILE_JOB = Job("get_bulk_import_profiles_job", "get_errors_for_bulk_import_profiles_job")
_BULK_PROFILES = Many("bulk_import_profiles", "profiles", 10_000, _PROFILE_JOB, repeatable=True, least=10, most_bytes=100_000, only_set=True)

_PATCHES = (
    _only("append_properties", "meta.patch_properties.append", "Values to append to custom properties that are arrays, as a JSON object.", _JSON),
    _only("unappend_properties", "meta.patch_properties.unappend", "Values to take out of custom properties that are arrays, as a JSON object.", _JSON),
    _only("unset_properties", "meta.patch_properties.unset", "Custom properties to remove: a JSON array of their names.", _JSON),
)

_NOT_PROFILES = (
    "Klaviyo deletes profiles only as a request for data privacy, which cannot be taken back: request_profile_deletion(profile_id => …, confirm => 'delete')."
)


def _named(
    kind: str, *, update: bool = True, delete: bool = True, unique: tuple[str, ...] = ("name",), created: str | None = "created", **more: object
) -> Writes:
    """The usual three: create_…, update_… and delete_…, one request a row."""
    return Writes(
        insert=One(f"create_{kind}"),
        update=One(f"update_{kind}") if update else None,
        delete=One(f"delete_{kind}") if delete else None,
        unique=unique,
        created=created,
        **more,  # type: ignore[arg-type]
    )


def _catalog(kind: str, many: str, jobs: str, key: str) -> Writes:
    """Items, variants and categories of the catalog: one request a row, or a bulk job for a hundred."""

    def bulk(verb: str, *, repeatable: bool) -> Many:
        return Many(f"bulk_{verb}_{many}", key, 100, Job(f"get_bulk_{verb}_{jobs}_job"), repeatable=repeatable, least=5)

    return Writes(
        insert=One(f"create_{kind}"),
        insert_many=bulk("create", repeatable=False),
        update=One(f"update_{kind}"),
        update_many=bulk("update", repeatable=True),
        delete=One(f"delete_{kind}"),
        delete_many=bulk("delete", repeatable=True),
        unique=("external_id",),
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
    "lists": Written(_named("list")),
    "list_profiles": Written(Writes(links=Links("add_profiles_to_list", "remove_profiles_from_list", path="list_id", ids="profile_id"))),
    "segments": Written(_named("segment")),
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
            _only("metric_service", "attributes.metric.data.attributes.service", "The integration that a new metric is said to be of (default: api)."),
            _only("profile_phone_number", "attributes.profile.data.attributes.phone_number", "The phone number of the profile."),
            _only("profile_external_id", "attributes.profile.data.attributes.external_id", "The external id of the profile."),
            _only("profile_first_name", "attributes.profile.data.attributes.first_name", "The first name that the profile gets."),
            _only("profile_last_name", "attributes.profile.data.attributes.last_name", "The last name that the profile gets."),
            _only("profile_properties", "attributes.profile.data.attributes.properties", "Custom properties that the profile gets, as JSON.", _JSON),
            _only("backfill", "attributes.backfill", "1 for history: no flow is started by it.", Type.BOOLEAN),
        ),
    ),
    "catalog_items": Written(_catalog("catalog_item", "catalog_items", "catalog_items", "items")),
    "catalog_categories": Written(_catalog("catalog_category", "catalog_categories", "categories", "categories")),
    "catalog_variants": Written(
        _catalog("catalog_variant", "catalog_variants", "variants", "variants"),
        bodies={"item_id": "relationships.item"},
    ),
    "coupons": Written(_named("coupon", unique=("external_id",), created=None)),
    "coupon_codes": Written(
        Writes(
            insert=One("create_coupon_code"),
            insert_many=Many("bulk_create_coupon_codes", "coupon-codes", 1000, Job("get_bulk_create_coupon_codes_job"), least=5),
            update=One("update_coupon_code"),
            delete=One("delete_coupon_code"),
            unique=("unique_code",),
        ),
    ),
    "tags": Written(_named("tag", created=None)),
    "tag_groups": Written(_named("tag_group", created=None)),
    "list_tags": _tagged("list"),
    "segment_tags": _tagged("segment"),
    "campaign_tags": _tagged("campaign"),
    "flow_tags": _tagged("flow"),
}
