"""flows, their actions and the messages of those."""

from __future__ import annotations

from dataclasses import replace

from klaviyo_sql.model.table import (
    Attribute,
    Choice,
    Collection,
    Column,
    Detail,
    Example,
    Filter,
    FromParent,
    Id,
    Linked,
    Parent,
    ParentId,
    Table,
    Type,
)
from klaviyo_sql.tables.columns import json, linked, own_id, text, through, time

_SLOW = "Klaviyo permits three requests a second and sixty a minute."

FLOWS = Table(
    name="flows",
    doc="The flows, archived ones too, one row each.",
    source=Collection(resource="flow", list="get_flows", get="get_flow", most_gets=1, default_sort="id"),
    key=("id",),
    typical_rows=60,
    columns=(
        own_id("The flow's id, six characters."),
        text("name", "The flow's name.", filter="name"),
        text("status", "The status: draft, manual or live.", filter="status"),
        Column("archived", Choice((False, True), keys=("archived",)), Type.BOOLEAN, "1 when the flow is archived.", filters=(Filter("archived", exact=True),)),
        text("trigger_type", "What starts it: Added to List, Date Based, Low Inventory, Metric, Price Drop or Unconfigured.", filter="trigger_type"),
        # Klaviyo refuses bounds in the future, and any order but that of the column that is filtered by: a page or two is read instead.
        time("created", "When the flow was made.", sort="created"),
        time("updated", "When the flow last changed.", sort="updated"),
        Column(
            "definition",
            Detail(("definition",), additional="definition"),
            Type.JSON,
            "Triggers, filters and actions, as JSON; each row costs a request of its own (3 a second, 60 a minute), so SELECT * leaves it out: name it.",
            hidden=True,
        ),
    ),
    notes=(_SLOW, "Archived flows are asked for apart from the others.", "definition costs one request a flow; SELECT * leaves it out."),
    examples=(
        Example("Which flows are live?", "SELECT id, name, trigger_type FROM flows WHERE status = 'live' AND archived = 0"),
        Example("How many of each kind are there?", "SELECT trigger_type, status, count(*) AS flows FROM flows GROUP BY 1, 2"),
        Example("What starts one?", "SELECT name, definition -> '$.triggers' AS triggers FROM flows WHERE id = (SELECT id FROM flows LIMIT 1)"),
    ),
)

# The type is inside the definition (send-email), while the filter wants SEND_EMAIL: it is not sent.
_ACTION_COLUMNS: tuple[Column, ...] = (
    linked("id", Id(), "The action's id.", Filter("id", exact=True), not_null=True),
    linked("flow_id", ParentId("flow", "flow"), "The id of the flow that the action is in.", not_null=True),
    text("type", "What the action does, such as send-email or time-delay.", "definition", "type"),
    json("definition", "The whole definition, as JSON, which depends on the type."),
    time("created", "When the action was made."),
    time("updated", "When the action last changed."),
    Column("archived", FromParent("archived"), Type.BOOLEAN, "1 when the flow is archived.", hidden=True),
)
_ACTIONS = Table(
    name="flow_actions",
    doc="The actions of flows, such as sending an email or waiting, one row each.",
    source=Collection(
        resource="flow-action",
        list="get_actions_for_flow",
        get="get_flow_action",
        parent=Parent("flows", "flow_id"),
        most_gets=3,
        default_sort="id",
        absent_statuses=frozenset({400, 404}),  # an id that is no number is answered with 400
    ),
    key=("id",),
    typical_rows=400,
    columns=_ACTION_COLUMNS,
    notes=(_SLOW, "All actions come along with the pages of flows, fifty flows in a request."),
    examples=(
        Example("What do flows do?", "SELECT type, count(*) AS actions FROM flow_actions GROUP BY type ORDER BY actions DESC"),
        Example("What does one flow do?", "SELECT id, type FROM flow_actions WHERE flow_id = (SELECT flow_id FROM flow_actions LIMIT 1)"),
        Example("Which flows send email?", "SELECT DISTINCT flows.name FROM flow_actions JOIN flows ON flows.id = flow_id WHERE type = 'send-email'"),
    ),
)
_ARCHIVED = FLOWS.columns[FLOWS.index("archived")]
FLOW_ACTIONS = replace(
    _ACTIONS,
    others=(
        _ACTIONS.read_otherwise(
            Collection(
                resource="flow", list="get_flows", get="get_flow", most_gets=1, default_sort="id", each=(Linked("flow-actions", "flow-action"),), of="flows"
            ),
            {
                **through("flow-actions", "flow-action", _ACTION_COLUMNS),
                "flow_id": (Id(), (Filter("id", exact=True),)),
                "archived": (_ARCHIVED.place, _ARCHIVED.filters),
            },
        ),
    ),
)


def _definition(name: str, doc: str) -> Column:
    return text(name, doc, "definition", name)


FLOW_MESSAGES = Table(
    name="flow_messages",
    doc="The messages that flows send, one row each.",
    source=Collection(
        resource="flow-message",
        list="get_flow_action_messages",
        get="get_flow_message",
        parent=Parent("flow_actions", "flow_action_id"),
        most_gets=3,
        default_sort="id",
    ),
    key=("id",),
    typical_rows=150,
    columns=(
        own_id("The message's id, six characters."),
        linked("flow_action_id", ParentId("flow-action", "flow-action"), "The id of the action that sends it.", not_null=True),
        linked("flow_id", FromParent("flow_id"), "The id of the flow: with it, only that flow's actions are asked."),
        linked("action_type", FromParent("type"), "What the action does, such as send-email.", hidden=True),
        text("channel", "The channel, such as Email."),
        _definition("name", "The message's name."),
        _definition("subject_line", "The subject of an email."),
        _definition("preview_text", "What mailboxes show behind the subject."),
        _definition("from_email", "The address that an email comes from."),
        _definition("from_label", "The name that an email comes from."),
        _definition("reply_to_email", "The address that answers go to."),
        _definition("body", "The text of an SMS or of a push notification."),
        _definition("template_id", "The id of its own copy of a template."),
        json("definition", "The whole definition, as JSON, which depends on the channel."),
        time("created", "When the message was made."),
        time("updated", "When the message last changed."),
    ),
    notes=(_SLOW, "One request for each action of each flow: ask for a flow_id, a flow_action_id or an id where you can."),
    examples=(
        Example(
            "What does one flow send?",
            "SELECT id, name, subject_line FROM flow_messages WHERE flow_id = (SELECT flow_id FROM flow_actions WHERE type = 'send-email' LIMIT 1)",
        ),
        Example(
            "What does one action send?",
            "SELECT channel, name, template_id FROM flow_messages\nWHERE flow_action_id = (SELECT id FROM flow_actions WHERE type = 'send-email' LIMIT 1)",
        ),
        Example("How many messages has each flow?", "SELECT flow_id, count(*) AS messages FROM flow_messages GROUP BY flow_id ORDER BY messages DESC"),
    ),
)


def _of_template(name: str, type_: Type, doc: str) -> Column:
    return Column(name, Attribute((name,)), type_, doc)


FLOW_MESSAGE_TEMPLATES = Table(
    name="flow_message_templates",
    doc="The copies of templates that flow messages have, one row for each message with one; templates does not list them.",
    source=Collection(resource="template", list="get_template_for_flow_message", parent=Parent("flow_messages", "message_id"), one=True),
    key=("message_id",),
    typical_rows=150,
    columns=(
        linked("message_id", ParentId(), "The message's id; without it every flow message is asked, one request each.", not_null=True),
        linked("flow_id", FromParent("flow_id"), "The id of the flow."),
        linked("template_id", Id(), "The id of the copy.", not_null=True),
        _of_template("name", Type.TEXT, "The template's name."),
        _of_template("editor_type", Type.TEXT, "The editor: CODE, USER_DRAGGABLE or SYSTEM_DRAGGABLE."),
        _of_template("html", Type.TEXT, "The HTML."),
        _of_template("text", Type.TEXT, "The plain text."),
        _of_template("amp", Type.TEXT, "The AMP version, where AMP is on."),
        _of_template("created", Type.TIMESTAMP, "When the copy was made."),
        _of_template("updated", Type.TIMESTAMP, "When the copy last changed."),
    ),
    notes=(_SLOW, "One request for each message: ask for a message_id or a flow_id where you can."),
    examples=(
        Example(
            "What do the emails of one flow look like?",
            "SELECT name, length(html) AS characters FROM flow_message_templates\n"
            "WHERE flow_id = (SELECT flow_id FROM flow_actions WHERE type = 'send-email' LIMIT 1)",
        ),
        Example("Which editor made them?", "SELECT editor_type, count(*) AS messages FROM flow_message_templates GROUP BY editor_type"),
        Example(
            "Which template has one message?",
            "SELECT template_id FROM flow_message_templates WHERE message_id = (SELECT message_id FROM flow_message_templates LIMIT 1)",
        ),
    ),
)

FLOW_TABLES = (FLOWS, FLOW_ACTIONS, FLOW_MESSAGES, FLOW_MESSAGE_TEMPLATES)
