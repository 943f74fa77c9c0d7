"""Writing campaigns with their messages, and messages."""

from __future__ import annotations

from klaviyo_sql.model.writing import One, Whole, Writes
from klaviyo_sql.tables.written.declaring import Written, named, refused

_SENDING = "send_campaign(campaign_id) sends a campaign, cancel_campaign_send takes that back."


def _campaigns(channel: str | None) -> Written:
    fixed = {"attributes.campaign-messages.data.*.attributes.definition.channel": channel} if channel is not None else {}
    writes = named(
        "campaign",
        # Whether the side that is not sent stays is not documented.
        update=One("update_campaign", whole=(Whole("attributes.audiences", ("audiences_included", "audiences_excluded")),)),
        created="created_at",
        fixed=fixed,
        hints={
            "channel": "The messages of a new campaign tell its channel.",
            "status": _SENDING,
            "scheduled_at": _SENDING,
            "send_time": "send_strategy tells when; it is written as JSON.",
            "messages": "Change them in campaign_messages.",
            "tags": "Tags are rows of campaign_tags.",
            "archived": "Klaviyo archives campaigns in its own pages only.",
        },
        notes=(
            "A new campaign is a draft with at least one message: messages is a JSON array of {definition}, such as "
            '[{"definition": {"channel": "email", "label": "…", "content": {"subject": "…", "from_email": "…", "from_label": "…"}}}]'
            + (f"; the channel may be left out, and is {channel}." if channel else "; all are of one channel."),
            _SENDING,
            "An UPDATE of one side of the audiences sends the other as well, and reads it before.",
        ),
    )
    return Written(writes, bodies={"messages": "attributes.campaign-messages.data"})


_AUDIENCES = "the audiences are columns of campaigns: UPDATE campaigns SET audiences_included = '[…]'."
_ASSIGNING = "assign_template(message_id, template_id) copies a template into a message."

CAMPAIGNS: dict[str, Written] = {
    "campaigns": _campaigns(None),
    "email_campaigns": _campaigns("email"),
    "sms_campaigns": _campaigns("sms"),
    "push_campaigns": _campaigns("mobile_push"),
    "campaign_messages": Written(
        Writes(
            # What of a definition stays that is not sent is not documented: it is sent whole.
            update=One("update_campaign_message", whole=(Whole("attributes.definition", ("definition",)),)),
            refused={
                "INSERT": "messages are made with their campaign: INSERT INTO campaigns (…, messages).",
                "DELETE": "Klaviyo deletes messages with their campaign only.",
            },
            hints={
                "template_id": _ASSIGNING,
                "campaign_id": "A message stays in its campaign.",
                "channel": "A message stays in its channel.",
                "media_url": "Set image_id.",
                "send_times": "The campaign's send_strategy tells when.",
            },
            notes=("An UPDATE of a part of the definition reads the definition, and sends it whole with that part changed.", _ASSIGNING),
        ),
        bodies={"channel": "", "media_url": ""},
    ),
    "campaign_message_templates": refused(_ASSIGNING, "UPDATE templates changes the copy as well, by its template_id."),
    "campaign_message_send_times": refused("the send_strategy of the campaign tells when it is sent."),
    "campaign_audiences": refused(_AUDIENCES),
    "campaign_utm_params": refused("they are in tracking_options: UPDATE campaigns SET tracking_options = '{…}'."),
    "campaign_recipient_estimations": refused("Klaviyo computes them: refresh_recipient_estimation(campaign_id)."),
    "campaign_recipient_estimation_jobs": refused("refresh_recipient_estimation(campaign_id) starts one."),
    "campaign_send_jobs": refused(_SENDING),
}
