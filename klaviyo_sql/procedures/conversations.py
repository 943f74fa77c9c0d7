"""Messages to people."""

from __future__ import annotations

from klaviyo_sql.model.procedure import Input, Procedure, Way, own_table
from klaviyo_sql.model.table import Type
from klaviyo_sql.model.writing import One, Writes

_INPUTS = (
    Input("conversation_id", "The conversation.", body="relationships.conversation", required=True),
    Input("body", "The text.", body="attributes.body", required=True, names=("text",)),
    Input("message_hierarchy", "The channels to try one after another, as a JSON array.", Type.JSON, "attributes.message_hierarchy"),
)

PROCEDURES = (
    Procedure(
        "send_conversation_message",
        "Write to the person of a conversation.",
        _INPUTS,
        (Way(own_table("send_conversation_message", "A message.", _INPUTS, Writes(insert=One("create_conversation_message")))),),
        tells="id",
        confirm="send",
        others=("create_conversation_message",),
        notes=("A person gets it. The account needs conversations to be enabled for the API.",),
        example="CALL send_conversation_message((SELECT id FROM conversations LIMIT 1), 'It is on its way.', confirm => 'send');",
    ),
)
