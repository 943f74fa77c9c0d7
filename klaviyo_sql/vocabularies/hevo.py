"""The objects of Hevo's Klaviyo pipeline."""

from __future__ import annotations

from klaviyo_sql.vocabularies.vocabulary import Object, Vocabulary, same


def _audience(kind: str) -> Object:
    return Object(
        f"audience_{kind}_v2",
        "campaign_audiences",
        same("campaign_id", "audience_id", "campaign_name", "channel", "archived"),
        part={"kind": (kind,)},
        doc=f"The lists and segments that campaigns have {kind}, one row for each pair.",
    )


HEVO = Vocabulary(
    "hevo",
    "Hevo",
    (
        Object("profile_v2", "profiles"),
        Object("event_v2", "events"),
        Object("metric_v2", "metrics"),
        Object("list_v2", "lists"),
        Object("segment_v2", "segments"),
        Object("flow_v2", "flows"),
        Object("profile_list_v2", "profile_lists"),
        Object("profile_segment_v2", "profile_segments"),
        Object("flow_action_v2", "flow_actions"),
        Object("flow_messages_v2", "flow_messages"),
        Object("campaign_v2", "campaigns"),
        Object("campaign_messages_v2", "campaign_messages"),
        Object("campaign_message_template_v2", "campaign_message_templates"),
        Object("campaign_utm_param_v2", "campaign_utm_params"),
        _audience("included"),
        _audience("excluded"),
        Object("campaign_message_send_time_v2", "campaign_message_send_times"),
        Object("campaign_recipient_estimation_v2", "campaign_recipient_estimations"),
    ),
)
