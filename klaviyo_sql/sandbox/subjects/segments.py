"""Segments, and the segments of one profile."""

from __future__ import annotations

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import Call, CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, everything, stored
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.subjects.flows import FLOW_TRIGGERS
from klaviyo_sql.sandbox.writing import Attributes, CreateEndpoint, DeleteEndpoint, PatchEndpoint, Write, refuse_blank, short

KINDS = {
    "segment": Kind(
        "segment",
        "/api/segments",
        stored("segments"),
        "A segment with id `{id}` does not exist.",
        relations=(
            Relation("profiles", "profile elsewhere", lambda account, resource: account.segment_members.get(resource["id"], {})),
            Relation("tags", "tag", lambda account, resource: account.segment_tags.get(resource["id"], [])),
            FLOW_TRIGGERS,
        ),
        additional=frozenset(("profile_count",)),
        computed=lambda account, resource: {"profile_count": len(account.segment_members.get(resource["id"], {}))},
    )
}


def segments_of(account: Account, profile_id: str) -> list[str]:
    """The ids of the segments that a profile is in."""
    return [segment_id for segment_id, members in account.segment_members.items() if profile_id in members]


def _check(write: Write) -> None:
    refuse_blank(write.attributes, "name")
    definition = write.attributes.get("definition")
    if definition is not None and not (definition["condition_groups"] and all(group["conditions"] for group in definition["condition_groups"])):
        raise RefusedError(invalid("At least one condition is required in every group.", pointer="/data/attributes/definition/condition_groups"))


def _process(write: Write, resource: Resource) -> None:
    """Members are computed by Klaviyo in its own time, and not at all here: a new definition leaves those that were."""
    if resource["attributes"]["is_starred"] is None:
        resource["attributes"]["is_starred"] = False

    def done() -> None:
        resource["attributes"] = resource["attributes"] | {"is_processing": False}
        write.account.changed(events=False)

    write.call.schedule(write.call.job_duration, done)


def _check_change(write: Write, resource: Resource) -> None:
    _check(write)
    if write.attributes.get("is_active") is False and len(write.attributes) > 1:
        raise RefusedError(invalid("A segment is deactivated alone, without any other change.", pointer="/data/attributes/is_active"))
    for name, value in write.attributes.items():
        if value is None:
            raise RefusedError(invalid("This may not be null.", pointer=f"/data/attributes/{name}"))


def _change(write: Write, resource: Resource, attributes: Attributes) -> None:
    if "definition" in write.attributes:
        attributes["is_processing"] = True
        _process(write, resource)


def _forget(call: Call, resource: Resource) -> None:
    call.account.segment_members.pop(resource["id"], None)
    call.account.segment_tags.pop(resource["id"], None)


ENDPOINTS: dict[str, Endpoint] = {
    "get_segments": CollectionEndpoint(
        "segment",
        everything("segments"),
        # Recorded: accepted, and segments that are not starred come as well.
        ignored=frozenset(("is_starred",)),
    ),
    "get_segment": ResourceEndpoint("segment"),
    "create_segment": CreateEndpoint(
        "segment",
        "segments",
        short("segments"),
        defaults={"is_active": True, "is_processing": True, "is_starred": False},
        stamps=("created", "updated"),
        check=_check,
        complete=_process,
    ),
    "update_segment": PatchEndpoint("segment", stamps=("updated",), check=_check_change, apply=_change),
    "delete_segment": DeleteEndpoint("segment", "segments", after=_forget),
}
