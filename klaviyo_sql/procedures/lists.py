"""Members of lists."""

from __future__ import annotations

from klaviyo_sql.model.procedure import Input, Procedure, Way, own_table
from klaviyo_sql.model.writing import Links, Writes

_LIST = Input("list_id", "The list.", required=True)
_PROFILES = Input(
    "profile_ids",
    "A profile's id, several with commas between, or a JSON array of ids.",
    required=True,
    names=("profile_id", "person_id", "person_ids"),
    listed=True,
)
_MEMBERS = own_table(
    "list_profiles",
    "Members of lists.",
    (_LIST, Input("profile_id", "The profile.", names=("id",))),
    Writes(links=Links("add_profiles_to_list", "remove_profiles_from_list", path="list_id", ids="profile_id")),
)

PROCEDURES = (
    Procedure(
        "add_list_profiles",
        "Add profiles to a list; that is no consent.",
        (_LIST, _PROFILES),
        (Way(_MEMBERS, each="profile_ids", column="profile_id"),),
        others=("add_profiles_to_list",),
        notes=("One request for each 1,000 profiles. The same as INSERT INTO list_profiles, at once.",),
        example="SELECT add_list_profiles((SELECT id FROM lists LIMIT 1), id) FROM profiles WHERE email LIKE 'person2_@example.com';",
    ),
    Procedure(
        "remove_list_profiles",
        "Take profiles off a list; their consent stays.",
        (_LIST, _PROFILES),
        (Way(_MEMBERS, "DELETE", each="profile_ids", column="profile_id"),),
        takes_away=True,
        others=("remove_profiles_from_list",),
        notes=("One request for each 1,000 profiles. The same as DELETE FROM list_profiles, at once.",),
        example="CALL remove_list_profiles((SELECT id FROM lists LIMIT 1), (SELECT id FROM profiles LIMIT 1));",
    ),
)
