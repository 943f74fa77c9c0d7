"""Lists, the lists of one profile, and who is put on them and taken off."""

from __future__ import annotations

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import Call, CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, stored
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.subjects.flows import FLOW_TRIGGERS
from klaviyo_sql.sandbox.writing import (
    Attributes,
    CreateEndpoint,
    DeleteEndpoint,
    LinkEndpoint,
    PatchEndpoint,
    Write,
    refuse_blank,
    short,
    to_the_second,
)

KINDS = {
    "list": Kind(
        "list",
        "/api/lists",
        stored("lists"),
        "A list with id `{id}` does not exist.",
        relations=(
            Relation("profiles", "profile elsewhere", lambda account, resource: account.list_members.get(resource["id"], {})),
            Relation("tags", "tag", lambda account, resource: account.list_tags.get(resource["id"], [])),
            FLOW_TRIGGERS,
        ),
        additional=frozenset(("profile_count",)),
        computed=lambda account, resource: {"profile_count": len(account.list_members.get(resource["id"], {}))},
    )
}


def lists_of(account: Account, profile_id: str) -> list[str]:
    """The ids of the lists that a profile is on."""
    return [list_id for list_id, members in account.list_members.items() if profile_id in members]


def _check_name(write: Write) -> None:
    refuse_blank(write.attributes, "name")


def _opt_in(write: Write, resource: Resource) -> None:
    if resource["attributes"]["opt_in_process"] is None:
        resource["attributes"]["opt_in_process"] = write.account.opt_in_process


def _keep_opt_in(write: Write, resource: Resource, attributes: Attributes) -> None:
    if attributes["opt_in_process"] is None:
        raise RefusedError(invalid("This may not be null.", pointer="/data/attributes/opt_in_process"))


def _forget(call: Call, resource: Resource) -> None:
    call.account.list_members.pop(resource["id"], None)
    call.account.list_tags.pop(resource["id"], None)


def join(account: Account, list_id: str, profile_id: str, now: str) -> None:
    """Put a profile on a list; who is on it already has been there since then."""
    account.list_members.setdefault(list_id, {}).setdefault(profile_id, now)


def _add(write: Write, resource: Resource, profile_ids: list[str]) -> None:
    for profile_id in profile_ids:
        join(write.account, resource["id"], profile_id, to_the_second(write.call.now))


def _remove(write: Write, resource: Resource, profile_ids: list[str]) -> None:
    members = write.account.list_members.get(resource["id"], {})
    for profile_id in profile_ids:
        members.pop(profile_id, None)


MOST_MEMBERS = 1000
"""How many profiles one request puts on a list or takes off."""

ENDPOINTS: dict[str, Endpoint] = {
    "get_lists": CollectionEndpoint("list", everything("lists")),
    "get_list": ResourceEndpoint("list"),
    "create_list": CreateEndpoint(
        "list",
        "lists",
        short("lists"),
        defaults={"opt_in_process": None},
        stamps=("created", "updated"),
        check=_check_name,
        complete=_opt_in,
    ),
    "update_list": PatchEndpoint("list", stamps=("updated",), check=lambda write, resource: _check_name(write), apply=_keep_opt_in),
    "delete_list": DeleteEndpoint("list", "lists", after=_forget),
    "add_profiles_to_list": LinkEndpoint("list", "profile", _add, MOST_MEMBERS),
    "remove_profiles_from_list": LinkEndpoint("list", "profile", _remove, MOST_MEMBERS),
}
