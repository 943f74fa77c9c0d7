"""Conversations, which are read from the profiles that they are with."""

from __future__ import annotations

from klaviyo_sql.sandbox.endpoints import ActionEndpoint, Call, Endpoint
from klaviyo_sql.sandbox.kinds import Kind, Relation, own, stored
from klaviyo_sql.sandbox.problems import RefusedError, invalid
from klaviyo_sql.sandbox.writing import receive, refuse_blank

KINDS = {
    "conversation": Kind(
        "conversation",
        "/api/conversations",
        stored("conversations"),
        "A conversation with id {id} does not exist.",
        relations=(Relation("profile", "profile elsewhere", own("profile_id"), many=False),),
    )
}


def _send(call: Call) -> None:
    """Nothing is sent to anybody: the message is written down, where tests find it."""
    write = receive(call)
    refuse_blank(write.attributes, "body")
    conversation_id = write.the_one("conversation")
    write.require("conversation", conversation_id, "/data/relationships/conversation/data/id")
    hierarchy = write.attributes.get("message_hierarchy")
    if hierarchy is not None and [item.get("message_format", "SMS") for item in hierarchy] != ["RCS", "SMS"]:
        raise RefusedError(invalid("An RCS message and then an SMS message are required.", pointer="/data/attributes/message_hierarchy"))
    call.account.conversation_messages.append({"conversation_id": conversation_id, **write.attributes})


ENDPOINTS: dict[str, Endpoint] = {"create_conversation_message": ActionEndpoint(_send)}
