"""What is done with campaigns and their messages."""

from __future__ import annotations

from typing import Any

from klaviyo_sql.model.procedure import Input, Procedure, Result, Way, own_table
from klaviyo_sql.model.writing import Job, One, Writes

_CAMPAIGN = Input("campaign_id", "The campaign.", body="id", required=True, names=("id",))
_NEW_NAME = Input("new_name", "What the copy is called; Klaviyo finds a name by default.", body="attributes.new_name", names=("name",))
_MESSAGE = Input("message_id", "The campaign's message.", body="id", required=True, names=("id", "campaign_message_id"))
_TEMPLATE = Input("template_id", "The template, of which Klaviyo makes a copy.", body="relationships.template", required=True)
_ACTION = Input(
    "action",
    "cancel: it is not sent; revert: it is a draft again.",
    body="attributes.action",
    default="cancel",
    choices=("cancel", "revert"),
)


def _one(name: str, inputs: tuple[Input, ...], operation: str, **more: Any) -> Way:
    return Way(own_table(name, "A campaign.", inputs, Writes(insert=One(operation, **more))))


PROCEDURES = (
    Procedure(
        "send_campaign",
        "Send a campaign: at once, or at the time that it is scheduled for.",
        (_CAMPAIGN,),
        (_one("send_campaign", (_CAMPAIGN,), "send_campaign", told=True),),
        confirm="send",
        notes=("Nothing calls back what was sent.",),
        example="CALL send_campaign((SELECT id FROM campaigns WHERE status = 'Draft' AND channel = 'sms' LIMIT 1), confirm => 'send');",
    ),
    Procedure(
        "cancel_campaign_send",
        "Cancel the sending of a campaign, or make it a draft again.",
        (_CAMPAIGN, _ACTION),
        (
            Way(
                own_table("cancel_campaign_send", "A campaign.", (_ACTION,), Writes(update=One("cancel_campaign_send"))),
                "UPDATE",
                key="campaign_id",
            ),
        ),
        example="CALL cancel_campaign_send((SELECT id FROM campaigns WHERE status = 'Preparing to send' AND channel = 'sms' LIMIT 1), 'revert');",
    ),
    Procedure(
        "clone_campaign",
        "Make a copy of a campaign, a draft.",
        (_CAMPAIGN, _NEW_NAME),
        (_one("clone_campaign", (_CAMPAIGN, _NEW_NAME), "create_campaign_clone", told=True),),
        results=(Result("name", "What the copy is called.", ("attributes", "name")),),
        tells="id",
        others=("create_campaign_clone",),
        example="CALL clone_campaign((SELECT id FROM campaigns LIMIT 1), 'Spring again');",
    ),
    Procedure(
        "refresh_recipient_estimation",
        "Have Klaviyo count anew to how many a campaign would go, and wait until it has.",
        (_CAMPAIGN,),
        (
            _one(
                "refresh_recipient_estimation",
                (_CAMPAIGN,),
                "refresh_campaign_recipient_estimation",
                repeatable=True,
                job=Job("get_campaign_recipient_estimation_job"),
            ),
        ),
        others=("refresh_campaign_recipient_estimation",),
        notes=("The table campaign_recipient_estimations has the number afterwards.",),
        example="CALL refresh_recipient_estimation((SELECT id FROM campaigns WHERE status = 'Draft' LIMIT 1));",
    ),
    Procedure(
        "assign_template",
        "Give a message of a campaign a copy of a template.",
        (_MESSAGE, _TEMPLATE),
        (_one("assign_template", (_MESSAGE, _TEMPLATE), "assign_template_to_campaign_message", repeatable=True),),
        tells="id",
        others=("assign_template_to_campaign_message",),
        notes=("Later changes of the template do not reach the copy, which the table templates does not show.",),
        example=(
            "CALL assign_template((SELECT message.id FROM campaigns JOIN campaign_messages AS message ON message.campaign_id = campaigns.id "
            "WHERE campaigns.status = 'Draft' AND campaigns.channel = 'email' LIMIT 1), template_id => (SELECT id FROM templates LIMIT 1));"
        ),
    ),
)
