"""push tokens and conversations: how profiles are reached besides email and SMS."""

from __future__ import annotations

from klaviyo_sql.model.table import Attribute, Collection, Column, Example, Filter, Id, Included, Linked, Related, Table, Type
from klaviyo_sql.tables.columns import linked, own_id, text, time

_METADATA = (
    ("device_id", "The device's id."),
    ("klaviyo_sdk", "The Klaviyo SDK in the app, such as swift or android."),
    ("sdk_version", "The version of that SDK."),
    ("device_model", "The model of the device."),
    ("os_name", "The operating system, such as ios or android."),
    ("os_version", "The version of the operating system."),
    ("manufacturer", "Who made the device."),
    ("app_name", "The app's name."),
    ("app_version", "The app's version."),
    ("app_build", "The app's build."),
    ("app_id", "The app's id."),
    ("environment", "The environment: debug or release."),
)

PUSH_TOKENS = Table(
    name="push_tokens",
    doc="The tokens by which push notifications reach devices, one row each.",
    # There is no order to ask for.
    source=Collection(resource="push-token", list="get_push_tokens", get="get_push_token", most_gets=20),
    key=("id",),
    typical_rows=5_000,
    columns=(
        own_id("The token's id."),
        linked("profile_id", Related("profile", "profile"), "The id of the profile whose device it is.", Filter("profile.id", exact=True)),
        linked("profile_email", Included("profile", "profile", Attribute(("email",))), "The email address of that profile, which comes along.", hidden=True),
        text("token", "The token itself."),
        text("platform", "The platform: android or ios.", filter="platform"),
        text("vendor", "Who delivers: apns or fcm."),
        text("enablement_status", "Whether notifications are allowed, such as AUTHORIZED or DENIED.", filter="enablement_status"),
        text("background", "Whether the app may be refreshed in the background."),
        time("created", "When the token was made."),
        text("recorded_date", "When the app last reported the token."),
        *(text(f"metadata_{key}", doc, "metadata", key) for key, doc in _METADATA),
    ),
    notes=("Accounts without push notifications answer with an error that says so (403).",),
    examples=(
        Example("Which devices are there?", "SELECT platform, enablement_status, count(*) AS tokens FROM push_tokens GROUP BY 1, 2"),
        Example("Which tokens has one profile?", "SELECT token, vendor FROM push_tokens WHERE profile_id = (SELECT profile_id FROM push_tokens LIMIT 1)"),
        Example("Whose are they?", "SELECT profile_email, metadata_device_model FROM push_tokens WHERE platform = 'ios' LIMIT 10"),
    ),
)

CONVERSATIONS = Table(
    name="conversations",
    doc="The conversations with profiles by SMS, WhatsApp or Instagram, one row each.",
    source=Collection(
        resource="profile",
        list="get_profiles",
        get="get_profile",
        most_gets=1,
        default_sort="id",
        cut_by="created",
        each=(Linked("conversations", "conversation"),),
        of="profiles",
    ),
    key=("id",),
    typical_rows=2_000,
    columns=(
        linked("id", Related("conversations", "conversation"), "The conversation's id.", not_null=True),
        linked("profile_id", Id(), "The profile's id.", Filter("id", exact=True), not_null=True),
        linked("channel", Included("conversations", "conversation", Attribute(("channel",))), "The channel: instagram, sms or whatsapp."),
        text("profile_email", "The profile's email address.", "email", filter="email"),
        Column("profile_created", Attribute(("created",)), Type.TIMESTAMP, "When the profile was made.", sort="created"),
    ),
    notes=("Klaviyo lists the conversations of profiles only: they are read with the pages of all profiles, a hundred profiles in a request.",),
    examples=(
        Example("How many are there in each channel?", "SELECT channel, count(*) AS conversations FROM conversations GROUP BY channel"),
        Example("With whom?", "SELECT profile_email, channel FROM conversations LIMIT 10"),
        Example("Which has one profile?", "SELECT id, channel FROM conversations WHERE profile_id = (SELECT profile_id FROM conversations LIMIT 1)"),
    ),
)
