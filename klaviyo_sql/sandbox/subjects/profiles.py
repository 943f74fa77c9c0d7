"""Profiles, and profiles as members of lists and segments."""

from __future__ import annotations

from collections.abc import Iterable

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.filter_grammar import Clause
from klaviyo_sql.sandbox.kinds import Kind, Relation, pointing
from klaviyo_sql.sandbox.selection import Reader
from klaviyo_sql.sandbox.subjects.lists import lists_of
from klaviyo_sql.sandbox.subjects.segments import segments_of

_ADDITIONAL = frozenset(("subscriptions", "predictive_analytics"))
_GROUPS = (
    Relation("lists", "list", lambda account, resource: lists_of(account, resource["id"]), page_links=True),
    Relation("segments", "segment", lambda account, resource: segments_of(account, resource["id"]), page_links=True),
    Relation("push-tokens", "push-token", pointing("push_tokens", "profile_id")),
)


def _first_conversation(account: Account, resource: Resource) -> str | None:
    return next(iter(account.pointing("conversations", "profile_id").get(resource["id"], [])), None)


def _tokens(account: Account, resource: Resource) -> list[str]:
    identifiers = account.pointing("push_tokens", "profile_id").get(resource["id"], [])
    return [account.push_tokens[identifier]["attributes"]["token"] for identifier in identifiers]


def _find(account: Account, identifier: str) -> Resource | None:
    return account.profiles.get(identifier)


# Recorded: on profiles that come as members or as included resources the last relationship is in the singular, and not described.
KINDS = {
    "profile": Kind(
        "profile",
        "/api/profiles",
        _find,
        "A profile with id {id} does not exist.",
        relations=(*_GROUPS, Relation("conversations", "conversation", pointing("conversations", "profile_id"))),
        additional=_ADDITIONAL,
    ),
    "profile elsewhere": Kind(
        "profile",
        "/api/profiles",
        _find,
        "A profile with id {id} does not exist.",
        relations=(*_GROUPS, Relation("conversation", "conversation", _first_conversation, many=False)),
        additional=_ADDITIONAL,
        readers={"push_token": _tokens},
    ),
}


def _profiles(account: Account, parent: str, clauses: tuple[Clause, ...]) -> Iterable[Resource]:
    for clause in clauses:
        if clause.field == "id":
            identifiers = clause.value if isinstance(clause.value, tuple) else (clause.value,)
            return [account.profiles[identifier] for identifier in dict.fromkeys(identifiers) if isinstance(identifier, str) and identifier in account.profiles]
        if clause.field == "_kx":
            identifier = account.exchange_ids.get(str(clause.value))
            return [account.profiles[identifier]] if identifier in account.profiles else []
    return account.profiles.values()


def _members(account: Account, joined: dict[str, str], clauses: tuple[Clause, ...]) -> Iterable[Resource]:
    for profile in _profiles(account, "", tuple(clause for clause in clauses if clause.field == "_kx")):
        identifier = profile["id"]
        if identifier in joined:
            attributes = profile["attributes"] | {"joined_group_at": joined[identifier]}
            yield {"type": "profile", "id": identifier, "attributes": attributes}


def _of_list(account: Account, list_id: str, clauses: tuple[Clause, ...]) -> Iterable[Resource]:
    return _members(account, account.list_members.get(list_id, {}), clauses)


def _of_segment(account: Account, segment_id: str, clauses: tuple[Clause, ...]) -> Iterable[Resource]:
    return _members(account, account.segment_members.get(segment_id, {}), clauses)


_MEMBER_READERS: dict[str, Reader] = {"profile_id": lambda resource: resource["id"]}
_IGNORED = frozenset(("_kx",))  # The sources look it up: no attribute has it.


def _member_endpoint(parent: str, *, identifiers: bool) -> CollectionEndpoint:
    source = _of_list if parent == "list" else _of_segment
    return CollectionEndpoint(
        "profile elsewhere",
        source,
        parent=parent,
        readers=_MEMBER_READERS,
        ignored=_IGNORED,
        page_after_full=True,
        identifiers=identifiers,
    )


ENDPOINTS: dict[str, Endpoint] = {
    "get_profiles": CollectionEndpoint("profile", _profiles, ignored=_IGNORED),
    "get_profile": ResourceEndpoint("profile"),
    "get_profiles_for_list": _member_endpoint("list", identifiers=False),
    "get_profile_ids_for_list": _member_endpoint("list", identifiers=True),
    "get_profiles_for_segment": _member_endpoint("segment", identifiers=False),
    "get_profile_ids_for_segment": _member_endpoint("segment", identifiers=True),
}
