"""campaigns of all channels, their messages and what is in them.

Klaviyo lists the campaigns of one channel only, and leaves out archived ones unless asked for them: a scan of all is six chains of pages, read
side by side. What is inside campaigns is read from the same pages; the messages come along with them.
"""

from __future__ import annotations

from dataclasses import replace

from klaviyo_sql.model.table import (
    Attribute,
    Choice,
    Collected,
    Collection,
    Column,
    Element,
    ElementKind,
    ElementNumber,
    Elements,
    Elsewhere,
    Example,
    Filter,
    FromParent,
    Id,
    Included,
    Linked,
    Parent,
    ParentId,
    Place,
    Related,
    Table,
    Type,
)
from klaviyo_sql.tables.columns import json, linked, own_id, precise_time, text, through

_CHANNELS = ("email", "sms", "mobile_push")
_MESSAGES, _MESSAGE = "campaign-messages", "campaign-message"
_NOTE = "Klaviyo lists one channel, archived or not, at a time: conditions on channel and archived save requests, of the six that there are at least."


def _channel(*values: str) -> Column:
    return Column(
        "channel",
        Choice(values or _CHANNELS, by_id=Included(_MESSAGES, _MESSAGE, Attribute(("definition", "channel")))),
        Type.TEXT,
        "The campaign's channel: email, sms or mobile_push.",
        filters=(Filter("messages.channel", exact=True),),
    )


_ARCHIVED = Column(
    "archived", Choice((False, True), keys=("archived",)), Type.BOOLEAN, "1 when the campaign is archived.", filters=(Filter("archived", exact=True),)
)


def _source(*each: Linked | Elements) -> Collection:
    # Ten ids are ten requests; by filter they are six, whatever their number.
    return Collection(
        resource="campaign", list="get_campaigns", get="get_campaign", most_gets=6, default_sort="id", each=each, of="campaigns" if each else None
    )


def _campaigns(name: str, doc: str, rows: int, *channels: str) -> Table:
    return Table(
        name=name,
        doc=doc,
        source=_source(),
        key=("id",),
        typical_rows=rows,
        columns=(
            own_id("The campaign's id, 26 characters."),
            text("name", "The campaign's name."),
            _channel(*channels),
            text("status", "How far the campaign is, such as Draft, Scheduled, Sending, Sent or Cancelled.", filter="status"),
            _ARCHIVED,
            json("audiences_included", "The ids of the lists and segments that it goes to, as a JSON array.", "audiences", "included"),
            json("audiences_excluded", "The ids of the lists and segments that it spares, as a JSON array.", "audiences", "excluded"),
            json("send_options", "Options of the sending, as JSON, which depend on the channel."),
            json("tracking_options", "What is tracked and which parameters links have, as JSON, which depends on the channel."),
            text("send_strategy_method", "How it is sent: immediate, static, throttled, smart_send_time and so on.", "send_strategy", "method"),
            json("send_strategy", "When and how it is sent, as JSON, which depends on the method."),
            precise_time("created_at", "When the campaign was made.", filter="created_at", sort="created_at", not_null=True),
            precise_time("scheduled_at", "When somebody scheduled it.", filter="scheduled_at"),
            precise_time("updated_at", "When the campaign last changed.", filter="updated_at", sort="updated_at"),
            precise_time("send_time", "When it is or was sent."),
            Column(
                "tags",
                Collected("tags", "tag", ("name",)),
                Type.JSON,
                "Its tags, a JSON array of {id, name}, in the same requests.",
                hidden=True,
            ),
            Column(
                "messages",
                Collected(_MESSAGES, _MESSAGE, ("definition", "send_times")),
                Type.JSON,
                "Its messages, a JSON array of {id, definition, send_times}, in the same requests.",
                hidden=True,
            ),
        ),
        notes=(
            _NOTE if not channels else "Archived campaigns are asked for apart from the others.",
            "The hidden columns tags and messages come in the same requests, as the audiences do: who wants all of them for many campaigns takes "
            "json_each of these columns. A join with campaign_messages, campaign_tags or campaign_audiences reads the pages again for each of them.",
        ),
        examples=(
            Example("What was sent lately?", f"SELECT name, send_time FROM {name} WHERE status = 'Sent' ORDER BY send_time DESC LIMIT 10"),
            Example("How many are there of each status?", f"SELECT status, archived, count(*) AS campaigns FROM {name} GROUP BY 1, 2 ORDER BY 3 DESC"),
            Example(
                "What do they say, and with which tags?",
                "SELECT name, message.value ->> '$.definition.label' AS label, tags ->> '$[0].name' AS tag\n"
                f"FROM {name}, json_each(messages) AS message WHERE archived = 0 LIMIT 20",
            ),
        ),
    )


CAMPAIGNS = _campaigns("campaigns", "The campaigns of all channels, archived ones too, one row each.", 500)
EMAIL_CAMPAIGNS = _campaigns("email_campaigns", "The email campaigns, archived ones too, one row each.", 400, "email")
SMS_CAMPAIGNS = _campaigns("sms_campaigns", "The SMS campaigns, archived ones too, one row each.", 80, "sms")
PUSH_CAMPAIGNS = _campaigns("push_campaigns", "The campaigns of push notifications, archived ones too, one row each.", 20, "mobile_push")


# Messages: read with their campaigns; the ids of template and image are told only where one message, or one campaign's, are asked for.


def _content(name: str, doc: str, *keys: str) -> Column:
    return text(name, doc, "definition", "content", *(keys or (name,)))


_MESSAGE_COLUMNS: tuple[Column, ...] = (
    linked("id", Id(), "The message's id, 26 characters.", not_null=True),
    linked("campaign_id", ParentId("campaign", "campaign"), "The campaign's id.", not_null=True),
    Column("channel", Attribute(("definition", "channel")), Type.TEXT, "The channel: email, sms or mobile_push."),
    text("label", "What the message is called in Klaviyo.", "definition", "label"),
    _content("subject", "The subject of an email."),
    _content("preview_text", "What mailboxes show behind the subject."),
    _content("from_email", "The address that an email comes from."),
    _content("from_label", "The name that an email comes from."),
    _content("reply_to_email", "The address that answers go to."),
    _content("cc_email", "Who gets a copy."),
    _content("bcc_email", "Who gets a blind copy."),
    _content("title", "The title of a push notification."),
    _content("body", "The text of an SMS or of a push notification."),
    _content("media_url", "The URL of the picture of an SMS."),
    json("definition", "The whole definition, as JSON, which depends on the channel."),
    json("send_times", "When it is sent, a JSON array of {datetime, is_local}; empty for a draft."),
    precise_time("created_at", "When the message was made."),
    precise_time("updated_at", "When the message last changed."),
    linked("template_id", Related("template", "template"), "The id of its own copy of a template, one request for each campaign.", hidden=True),
    linked("image_id", Related("image", "image"), "The id of the image of a push notification, one request for each campaign.", hidden=True),
    Column("archived", FromParent("archived"), Type.BOOLEAN, "1 when the campaign is archived.", hidden=True),
)
_BY_CAMPAIGN = Collection(
    resource=_MESSAGE, list="get_messages_for_campaign", get="get_campaign_message", parent=Parent("campaigns", "campaign_id"), most_gets=20
)
_WITH_CAMPAIGN: dict[str, Place | tuple[Place, tuple[Filter, ...]]] = {
    **through(_MESSAGES, _MESSAGE, _MESSAGE_COLUMNS),
    "campaign_id": (Id(), (Filter("id", exact=True),)),
    "channel": (_channel().place, _channel().filters),
    "archived": (_ARCHIVED.place, _ARCHIVED.filters),
    "template_id": Elsewhere(),
    "image_id": Elsewhere(),
}
_MESSAGES_ALONE = Table(
    name="campaign_messages",
    doc="The messages of campaigns, one row each: variations of a test are messages of one campaign.",
    source=_BY_CAMPAIGN,
    key=("id",),
    typical_rows=600,
    columns=_MESSAGE_COLUMNS,
    notes=(
        _NOTE,
        "Messages come along with the pages of campaigns; template_id and image_id do not, and cost one request for each campaign or id that is asked for.",
    ),
    examples=(
        Example("What are the subjects of the emails?", "SELECT label, subject, preview_text FROM campaign_messages WHERE channel = 'email' LIMIT 20"),
        Example("Which campaigns have variations?", "SELECT campaign_id, count(*) AS messages FROM campaign_messages GROUP BY campaign_id HAVING messages > 1"),
        Example(
            "Which template has the message of one campaign?",
            "SELECT id, template_id FROM campaign_messages WHERE campaign_id = (SELECT id FROM campaigns WHERE status = 'Sent' LIMIT 1)",
        ),
    ),
)
CAMPAIGN_MESSAGES = replace(_MESSAGES_ALONE, others=(_MESSAGES_ALONE.read_otherwise(_source(Linked(_MESSAGES, _MESSAGE)), _WITH_CAMPAIGN),))


def _of_template(name: str, type_: Type, doc: str) -> Column:
    return Column(name, Included("template", "template", Attribute((name,))), type_, doc)


CAMPAIGN_MESSAGE_TEMPLATES = Table(
    name="campaign_message_templates",
    doc="The copies of templates that campaign messages have, one row for each message with one; templates does not list them.",
    source=Collection(
        resource=_MESSAGE,
        list="get_messages_for_campaign",
        get="get_campaign_message",
        parent=Parent("campaigns", "campaign_id"),
        most_gets=20,
        each=(Linked("template", "template"),),
    ),
    key=("message_id", "template_id"),
    typical_rows=500,
    columns=(
        linked("campaign_id", ParentId("campaign", "campaign"), "The campaign's id; without it every campaign is asked, one request each.", not_null=True),
        linked("message_id", Id(), "The message's id.", not_null=True),
        linked("template_id", Related("template", "template"), "The id of the copy.", not_null=True),
        _of_template("name", Type.TEXT, "The template's name."),
        _of_template("editor_type", Type.TEXT, "The editor: CODE, USER_DRAGGABLE or SYSTEM_DRAGGABLE."),
        _of_template("html", Type.TEXT, "The HTML."),
        _of_template("text", Type.TEXT, "The plain text."),
        _of_template("amp", Type.TEXT, "The AMP version, where AMP is on."),
        _of_template("created", Type.TIMESTAMP, "When the copy was made."),
        _of_template("updated", Type.TIMESTAMP, "When the copy last changed."),
        Column("archived", FromParent("archived"), Type.BOOLEAN, "1 when the campaign is archived.", hidden=True),
    ),
    notes=("One request for each campaign, ten a second and 150 a minute: ask for a campaign_id, or a message_id, where you can.",),
    examples=(
        Example(
            "What does one campaign look like?",
            "SELECT name, length(html) AS characters FROM campaign_message_templates\n"
            "WHERE campaign_id = (SELECT id FROM email_campaigns WHERE status = 'Sent' LIMIT 1)",
        ),
        Example("Which copies do the last campaigns have?", "SELECT message_id, template_id, name FROM campaign_message_templates LIMIT 5"),
        Example(
            "Which editor made the email of a message?",
            "SELECT editor_type FROM campaign_message_templates\n"
            "WHERE message_id = (SELECT id FROM campaign_messages WHERE channel = 'email' AND archived = 0 AND subject IS NOT NULL LIMIT 1)",
        ),
    ),
)

# What is inside campaigns and messages, an array each.

_OF_CAMPAIGN: tuple[Column, ...] = (
    linked("campaign_id", Id(), "The campaign's id.", Filter("id", exact=True), not_null=True),
    text("campaign_name", "The campaign's name.", "name"),
    _channel(),
    _ARCHIVED,
)

CAMPAIGN_AUDIENCES = Table(
    name="campaign_audiences",
    doc="The lists and segments that campaigns go to, and those that they spare, one row each.",
    source=_source(Elements((("included", ("audiences", "included")), ("excluded", ("audiences", "excluded"))))),
    key=("campaign_id", "kind", "audience_id"),
    typical_rows=1000,
    columns=(
        *_OF_CAMPAIGN,
        Column("kind", ElementKind(), Type.TEXT, "The side that the audience is on: included or excluded.", not_null=True),
        linked("audience_id", Element(), "The id of a list or of a segment.", not_null=True),
    ),
    notes=(_NOTE,),
    examples=(
        Example("How many audiences have campaigns?", "SELECT campaign_name, kind, count(*) AS audiences FROM campaign_audiences GROUP BY campaign_id, kind"),
        Example(
            "Which lists are written to most?",
            "SELECT lists.name, count(*) AS campaigns FROM campaign_audiences JOIN lists ON lists.id = audience_id\n"
            "WHERE kind = 'included' GROUP BY lists.id ORDER BY campaigns DESC",
        ),
        Example(
            "Which segments are spared?",
            "SELECT DISTINCT segments.name FROM campaign_audiences JOIN segments ON segments.id = audience_id WHERE kind = 'excluded'",
        ),
    ),
)

CAMPAIGN_UTM_PARAMS = Table(
    name="campaign_utm_params",
    doc="The tracking parameters that campaigns set themselves, one row each; tracking_settings has those of the account.",
    source=_source(Elements((("custom_tracking_params", ("tracking_options", "custom_tracking_params")),))),
    key=("campaign_id", "number"),
    typical_rows=500,
    columns=(
        *_OF_CAMPAIGN,
        Column("number", ElementNumber(), Type.INTEGER, "Which of the campaign's parameters it is, from 1.", not_null=True),
        linked("name", Element(("name",)), "The parameter's name, such as utm_source."),
        linked("type", Element(("type",)), "The kind of value: static or dynamic."),
        linked("value", Element(("value",)), "The value, or what it is made of when it is dynamic."),
    ),
    notes=(_NOTE,),
    examples=(
        Example("Which sources are used?", "SELECT value, count(*) AS campaigns FROM campaign_utm_params WHERE name = 'utm_source' GROUP BY value"),
        Example("Which campaigns set what?", "SELECT campaign_name, name, value FROM campaign_utm_params ORDER BY campaign_id, number LIMIT 20"),
        Example("Which parameters are dynamic?", "SELECT DISTINCT name, value FROM campaign_utm_params WHERE type = 'dynamic'"),
    ),
)

CAMPAIGN_MESSAGE_SEND_TIMES = Table(
    name="campaign_message_send_times",
    doc="When campaign messages are sent, one row for each message and time; drafts have none.",
    source=_source(Linked(_MESSAGES, _MESSAGE), Elements((("send_times", ("send_times",)),))),
    key=("message_id", "number"),
    typical_rows=600,
    columns=(
        *_OF_CAMPAIGN,
        linked("message_id", Related(_MESSAGES, _MESSAGE), "The message's id.", not_null=True),
        Column("number", ElementNumber(), Type.INTEGER, "Which of the message's times it is, from 1.", not_null=True),
        Column("datetime", Element(("datetime",)), Type.TIMESTAMP, "When the message is sent."),
        Column("is_local", Element(("is_local",)), Type.BOOLEAN, "1 when that is the time where the recipient is."),
    ),
    notes=(_NOTE,),
    examples=(
        Example("What is sent next?", "SELECT campaign_name, datetime FROM campaign_message_send_times ORDER BY datetime DESC LIMIT 10"),
        Example("What goes by the recipient's clock?", "SELECT campaign_name, datetime FROM campaign_message_send_times WHERE is_local = 1"),
        Example("How many a month?", "SELECT strftime('%Y-%m', datetime) AS month, count(*) AS messages FROM campaign_message_send_times GROUP BY month"),
    ),
)

CAMPAIGN_RECIPIENT_ESTIMATIONS = Table(
    name="campaign_recipient_estimations",
    doc="How many people campaigns are estimated to reach, one row for each campaign that has an estimation.",
    source=Collection(resource="campaign-recipient-estimation", list="get_campaign_recipient_estimation", parent=Parent("campaigns", "campaign_id"), one=True),
    key=("campaign_id",),
    typical_rows=400,
    columns=(
        linked("campaign_id", ParentId(), "The campaign's id; without it every campaign is asked, one request each.", not_null=True),
        Column("estimated_recipient_count", Attribute(("estimated_recipient_count",)), Type.INTEGER, "How many people it is estimated to reach."),
        Column("campaign_name", FromParent("name"), Type.TEXT, "The campaign's name."),
    ),
    notes=(
        "One request for each campaign, ten a second and 150 a minute.",
        "A campaign without an estimation has no row: on some accounts that is every campaign.",
    ),
    examples=(
        Example("Which reach most?", "SELECT campaign_name, estimated_recipient_count FROM campaign_recipient_estimations ORDER BY 2 DESC LIMIT 10"),
        Example(
            "How many does one reach?",
            "SELECT estimated_recipient_count FROM campaign_recipient_estimations\n"
            "WHERE campaign_id = (SELECT campaign_id FROM campaign_recipient_estimations LIMIT 1)",
        ),
        Example("How many have an estimation?", "SELECT count(*) AS campaigns FROM campaign_recipient_estimations"),
    ),
)


def _jobs(name: str, list_: str, resource: str, doc: str) -> Table:
    return Table(
        name=name,
        doc=doc,
        source=Collection(resource=resource, list=list_, parent=Parent("campaigns", "campaign_id"), one=True),
        key=("campaign_id",),
        typical_rows=400,
        columns=(
            linked("campaign_id", ParentId(), "The campaign's id, which is the job's as well; without it every campaign is asked.", not_null=True),
            text("status", "How far the job is: queued, processing, complete or cancelled."),
        ),
        notes=("One request for each campaign, ten a second and 150 a minute; a campaign without such a job has no row.",),
        examples=(
            Example("How far are they?", f"SELECT status, count(*) AS jobs FROM {name} GROUP BY status"),
            Example("How far is one?", f"SELECT status FROM {name} WHERE campaign_id = (SELECT campaign_id FROM {name} LIMIT 1)"),
            Example("Of which campaigns?", f"SELECT campaigns.name, {name}.status FROM {name} JOIN campaigns ON campaigns.id = campaign_id LIMIT 10"),
        ),
    )


CAMPAIGN_SEND_JOBS = _jobs("campaign_send_jobs", "get_campaign_send_job", "campaign-send-job", "How far the sending of campaigns is, one row each.")
CAMPAIGN_RECIPIENT_ESTIMATION_JOBS = _jobs(
    "campaign_recipient_estimation_jobs",
    "get_campaign_recipient_estimation_job",
    "campaign-recipient-estimation-job",
    "How far the estimations of recipients are, one row each.",
)

CAMPAIGN_TABLES = (
    CAMPAIGNS,
    EMAIL_CAMPAIGNS,
    SMS_CAMPAIGNS,
    PUSH_CAMPAIGNS,
    CAMPAIGN_MESSAGES,
    CAMPAIGN_MESSAGE_TEMPLATES,
    CAMPAIGN_MESSAGE_SEND_TIMES,
    CAMPAIGN_AUDIENCES,
    CAMPAIGN_UTM_PARAMS,
    CAMPAIGN_RECIPIENT_ESTIMATIONS,
    CAMPAIGN_RECIPIENT_ESTIMATION_JOBS,
    CAMPAIGN_SEND_JOBS,
)
