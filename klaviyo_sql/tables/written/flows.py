"""Writing flows and their actions."""

from __future__ import annotations

from klaviyo_sql.model.writing import One, Writes
from klaviyo_sql.tables.written.declaring import Written, named, refused

_STATUS = ("draft|manual|live", "draft, manual or live")
_IN_DEFINITION = "Change it in the definition, which is written as a whole."
_TRIGGERS = "what starts a flow is in its definition, which only a new flow is given."

FLOWS: dict[str, Written] = {
    "flows": Written(
        named(
            "flow",
            patterns={"status": _STATUS},
            hints=dict.fromkeys(("name", "definition"), "Klaviyo changes only the status of a flow that is there; single actions are changed in flow_actions."),
            notes=(
                "A new flow is a draft. Its definition is JSON of triggers, profile_filter, actions with a temporary_id each, and entry_action_id.",
                "UPDATE sets the status, of the flow and of all its actions: draft, manual or live. A live flow writes to people.",
                "Klaviyo takes a hundred new flows a day.",
            ),
        ),
    ),
    "flow_actions": Written(
        Writes(
            update=One("update_flow_action"),
            delete=One("delete_flow_action"),
            refused={"INSERT": "actions are made with their flow: INSERT INTO flows (name, definition)."},
            hints={"type": _IN_DEFINITION, "flow_id": "An action stays in its flow."},
            notes=("The definition is written as a whole: UPDATE flow_actions SET definition = json_set(definition, '$.data.…', …) changes a part of it.",),
        ),
        bodies={"type": ""},
    ),
    "flow_messages": refused("messages are in the definition of their action: UPDATE flow_actions SET definition = …"),
    "flow_message_templates": refused("UPDATE flow_actions SET definition = … names another template.", "UPDATE templates changes it by its id."),
    "list_flow_triggers": refused(_TRIGGERS),
    "segment_flow_triggers": refused(_TRIGGERS),
    "metric_flow_triggers": refused(_TRIGGERS),
}
