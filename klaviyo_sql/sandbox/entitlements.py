"""What an account or a key must be entitled to, beyond scopes, before some operations are answered."""

from __future__ import annotations

from klaviyo_sql.sandbox.problems import Problem

WEBHOOKS = "webhooks"
"""Advanced KDP, or the token of an OAuth app: without it webhooks and their topics are not even read. Private keys do not have it."""

PUSH_TOKENS = "push tokens"
CUSTOM_OBJECTS = "custom objects"
"""Both: recorded without it are replies without data to reads, and 403 to creating the first."""

CONVERSATIONS = "conversations"
"""Sending messages into conversations, which Klaviyo enables for an account when it is asked to."""

DEFAULT = frozenset((PUSH_TOKENS, CUSTOM_OBJECTS))

_DENIED = "You do not have permission to perform this action."
_NO_WEBHOOKS = Problem(403, "permission_denied", _DENIED, "You must have Advanced KDP enabled to use this endpoint.")
_CREATIONS = {
    "create_push_token": (PUSH_TOKENS, Problem(403, "forbidden", "Forbidden.", "Company is not able to process push tokens", pointer="/data")),
    "create_conversation_message": (CONVERSATIONS, Problem(403, "permission_denied", _DENIED, "The account is not enabled for conversation messages.")),
    "create_object_type": (CUSTOM_OBJECTS, Problem(403, "forbidden", "Forbidden.", "Entitlement to create object type not found.", pointer="/data")),
}


def missing_entitlement(operation_name: str, path: str, entitlements: frozenset[str]) -> Problem | None:
    """Why an operation is refused to somebody with these entitlements; None when it is not."""
    if path.startswith("/api/webhook"):
        return None if WEBHOOKS in entitlements else _NO_WEBHOOKS
    needed, problem = _CREATIONS.get(operation_name, (None, None))
    return None if needed is None or needed in entitlements else problem
