"""Profiles: upserts, imports, merges, and deletion for data privacy."""

from __future__ import annotations

from dataclasses import replace

from klaviyo_sql.model.procedure import Input, Procedure, Result, Way, own_table
from klaviyo_sql.model.table import Collection, Table, Type, WriteOnly
from klaviyo_sql.model.writing import Job, Many, One, Writes
from klaviyo_sql.tables import TABLES

_PLACE = ("address1", "address2", "city", "country", "region", "zip", "timezone", "ip", "latitude", "longitude")


def profile_inputs(prefix: str, *, external: bool = True) -> tuple[Input, ...]:
    """What a profile can be given: its identifiers, what it is called, where it is, its custom properties."""
    at = f"{prefix}." if prefix else ""
    attributes = f"{at}attributes"
    names = {"title": "The title or position.", "image": "The address of a picture.", "locale": "The locale, such as en-US.", "organization": "The company."}
    return (
        Input("profile_id", "The profile's id.", body=f"{at}id", names=("person_id",)),
        Input("email", "The email address.", body=f"{attributes}.email"),
        Input("phone_number", "The phone number in E.164, such as +15005550006.", body=f"{attributes}.phone_number"),
        Input("external_id", "The id that another system has for the profile.", body=f"{attributes}.external_id"),
        *((Input("anonymous_id", "The id of a visitor who is not known by name.", body=f"{attributes}.anonymous_id"),) if external else ()),
        Input("first_name", "The first name.", body=f"{attributes}.first_name"),
        Input("last_name", "The last name.", body=f"{attributes}.last_name"),
        *(Input(name, doc, body=f"{attributes}.{name}") for name, doc in names.items()),
        *(Input(name, f"Of the address: {name}.", body=f"{attributes}.location.{name}") for name in _PLACE),
    )


def patches(prefix: str) -> tuple[Input, ...]:
    """The three ways to change custom properties beside setting them; `prefix` is where `meta` stands."""
    at = f"{prefix}meta.patch_properties"
    return (
        Input("append_properties", "Values to append to custom properties that are arrays, as a JSON object.", Type.JSON, f"{at}.append", names=("append",)),
        Input("unappend_properties", "Values to take out of such, as a JSON object.", Type.JSON, f"{at}.unappend", names=("unappend",)),
        Input("unset_properties", "Custom properties to remove, as a JSON array of names.", Type.JSON, f"{at}.unset", names=("unset",)),
    )


_IDENTIFIERS = ("profile_id", "email", "phone_number", "external_id")
_UPSERT = (
    *(known for known in profile_inputs("", external=False)),
    Input("properties", "Custom properties, as a JSON object: those in it are set, others stay.", Type.JSON, "attributes.properties"),
    *patches(""),
)

_ERRORS = "get_errors_for_bulk_import_profiles_job"
_LISTS = Input("list_ids", "Lists that all of them join: an id, or a JSON array of ids.", Type.JSON, names=("list_id",))


def _import_table() -> Table:
    """The columns of profiles, with the lists beside them."""
    profiles = TABLES["profiles"]
    columns = tuple(replace(column, body=("id",)) if column.name == "id" else column for column in profiles.columns)
    lists = replace(_LISTS.column, place=WriteOnly(), type=Type.TEXT, body=("relationships", "lists"))
    many = Many(
        "bulk_import_profiles",
        "profiles",
        10_000,
        Job("get_bulk_import_profiles_job", _ERRORS),
        repeatable=True,
        least=1,
        most_bytes=100_000,
        around=("list_ids",),
    )
    source = profiles.source
    assert isinstance(source, Collection)  # noqa: S101 - profiles are
    return replace(profiles, name="bulk_import_profiles", columns=(*columns, lists), writes=Writes(insert_many=many), others=())


PROCEDURES = (
    Procedure(
        "create_or_update_profile",
        "Create a profile, or update the one that has the id, email, phone number or external id.",
        _UPSERT,
        (Way(own_table("create_or_update_profile", "A profile.", _UPSERT, Writes(insert=One("create_or_update_profile", repeatable=True, told=True)))),),
        results=(
            Result("email", "The email address.", ("attributes", "email")),
            Result("created", "When it was created.", ("attributes", "created"), Type.TIMESTAMP),
            Result("updated", "When it was changed.", ("attributes", "updated"), Type.TIMESTAMP),
        ),
        tells="id",
        one_at_least=_IDENTIFIERS,
        example="CALL create_or_update_profile(email => 'ada@example.com', first_name => 'Ada', properties => '{\"tier\": \"gold\"}');",
    ),
    Procedure(
        "bulk_import_profiles",
        "Create or update many profiles in one job, and add them to lists.",
        (
            Input(
                "profiles",
                "A JSON array of objects with the columns of profiles (email, first_name, properties …), or as Klaviyo writes profiles.",
                Type.JSON,
                required=True,
                names=("profile", "profiles_data"),
            ),
            _LISTS,
        ),
        (Way(_import_table(), each="profiles", column="email"),),
        notes=("One request for each 10,000 profiles, as far as 5 MB hold them. It sets values and clears none.",),
        example=(
            'CALL bulk_import_profiles(\'[{"email": "ada@example.com", "first_name": "Ada"}, {"email": "grace@example.com"}]\', '
            "list_ids => (SELECT id FROM lists LIMIT 1));"
        ),
    ),
    Procedure(
        "merge_profiles",
        "Merge a profile into another one, which keeps the events of both; the source is gone afterwards.",
        (
            Input("destination_id", "The profile that stays.", body="id", required=True),
            Input("source_id", "The profile that goes.", body="relationships.profiles", required=True),
        ),
        (
            Way(
                own_table(
                    "merge_profiles",
                    "A merge.",
                    (
                        Input("destination_id", "The profile that stays.", body="id"),
                        Input("source_id", "The profile that goes.", body="relationships.profiles"),
                    ),
                    Writes(insert=One("merge_profiles")),
                )
            ),
        ),
        tells="id",
        confirm="merge",
        notes=("Klaviyo carries it out some moments later; the source's id answers for a while.",),
        example=("CALL merge_profiles((SELECT id FROM profiles LIMIT 1), source_id => (SELECT id FROM profiles LIMIT 1 OFFSET 1), confirm => 'merge');"),
    ),
    Procedure(
        "request_profile_deletion",
        "Delete a profile for data privacy, with everything that Klaviyo knows of it.",
        (
            Input("profile_id", "The profile's id.", body="attributes.profile.data.id", names=("id",)),
            Input("email", "The email address.", body="attributes.profile.data.attributes.email"),
            Input("phone_number", "The phone number.", body="attributes.profile.data.attributes.phone_number"),
        ),
        (
            Way(
                own_table(
                    "request_profile_deletion",
                    "A deletion.",
                    (
                        Input("profile_id", "The profile's id.", body="attributes.profile.data.id"),
                        Input("email", "The email address.", body="attributes.profile.data.attributes.email"),
                        Input("phone_number", "The phone number.", body="attributes.profile.data.attributes.phone_number"),
                    ),
                    Writes(insert=One("request_profile_deletion", repeatable=True)),
                )
            ),
        ),
        confirm="delete",
        exactly_one=("profile_id", "email", "phone_number"),
        takes_away=True,
        notes=("Klaviyo carries it out later and does not tell when; every profile that matches goes.",),
        example="CALL request_profile_deletion(email => 'ada@example.com', confirm => 'delete');",
    ),
)
