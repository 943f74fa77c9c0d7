"""Writing what belongs to people besides themselves: devices, memberships seen from the profile, imports."""

from __future__ import annotations

from klaviyo_sql.model.table import Type
from klaviyo_sql.model.writing import Job, Links, One, Writes
from klaviyo_sql.tables.written.declaring import Written, only, refused

_COMPUTED = "Klaviyo computes who is in a segment, from its definition: UPDATE segments SET definition = '{…}'."
_SUPPRESSING = "suppress_profiles(email) and unsuppress_profiles(email) do that."
_PROFILE = "attributes.profile.data.attributes"
_TOKEN = One("create_push_token", repeatable=True)
_METADATA = (
    "device_id",
    "klaviyo_sdk",
    "sdk_version",
    "device_model",
    "os_name",
    "os_version",
    "manufacturer",
    "app_name",
    "app_version",
    "app_build",
    "app_id",
    "environment",
)

PEOPLE: dict[str, Written] = {
    "profile_lists": Written(
        Writes(
            links=Links("add_profiles_to_list", "remove_profiles_from_list", path="list_id", ids="profile_id"),
            notes=("The same as in list_profiles: adding gives no consent, removing takes none away.",),
        ),
    ),
    "segment_profiles": refused(_COMPUTED),
    "profile_segments": refused(_COMPUTED),
    "global_exclusions": refused(_SUPPRESSING),
    "list_exclusions": refused("subscribe_profiles and unsubscribe_profiles do that, with a list."),
    "conversations": refused("people begin conversations; send_conversation_message answers."),
    "push_tokens": Written(
        Writes(
            insert=_TOKEN,
            replace=_TOKEN,
            delete=One("delete_push_token"),
            unique=("token",),
            one_of=("profile_id", "profile_email", "profile_phone_number", "profile_external_id"),
            refused={"UPDATE": "INSERT the token once more: Klaviyo takes it as a change of the one that is there."},
            notes=("An INSERT needs a token, a platform, a vendor and whose it is; a token that is there is updated.",),
        ),
        bodies={
            "profile_id": "attributes.profile.data.id",
            "profile_email": f"{_PROFILE}.email",
            **{f"metadata_{key}": f"attributes.device_metadata.{key}" for key in _METADATA},
        },
        added=(
            only("profile_phone_number", f"{_PROFILE}.phone_number", "The phone number of the profile."),
            only("profile_external_id", f"{_PROFILE}.external_id", "The external id of the profile."),
        ),
    ),
    "profile_bulk_import_jobs": Written(
        Writes(
            insert=One("bulk_import_profiles", repeatable=True, job=Job("get_bulk_import_profiles_job", "get_errors_for_bulk_import_profiles_job")),
            refused=dict.fromkeys(("UPDATE", "DELETE"), "a job that has begun goes on to its end."),
            notes=(
                "An INSERT is one job for up to 10,000 profiles, which updates those that are there. INSERT INTO profiles makes such jobs by itself.",
                "profiles is a JSON array of profiles, each its attributes or as Klaviyo writes it, {type, attributes}; list_ids one of the lists' ids.",
            ),
        ),
        added=(
            only("profiles", "attributes.profiles.data", "The profiles to import, as a JSON array.", Type.JSON),
            only("list_ids", "relationships.lists", "The lists that they are added to, as a JSON array of ids.", Type.JSON),
        ),
    ),
}
