"""profiles, and the profile columns that the member tables share."""

from __future__ import annotations

from klaviyo_sql.model.table import Argument, Attribute, Collection, Column, Example, Filter, Id, Latest, Table, Type

_TEXT, _REAL, _BOOLEAN, _JSON = Type.TEXT, Type.REAL, Type.BOOLEAN, Type.JSON
_TIME, _MICROSECONDS = Type.TIMESTAMP, Type.TIMESTAMP_MICROSECONDS

_SUBSCRIPTIONS = "subscriptions"
_PREDICTIVE = "predictive_analytics"
_EMAIL_MARKETING = (_SUBSCRIPTIONS, "email", "marketing")
_SUPPRESSION = (*_EMAIL_MARKETING, "suppression")
_LIST_SUPPRESSIONS = (*_EMAIL_MARKETING, "list_suppressions")


def _subscription(channel: str, key: str, type_: Type, doc: str) -> Column:
    keys = (_SUBSCRIPTIONS, *channel.split("."), key)
    return Column("_".join(keys), Attribute(keys, additional=_SUBSCRIPTIONS), type_, doc)


def _whatsapp(channel: str, kind: str) -> tuple[Column, ...]:
    """WhatsApp's three consents have one shape."""
    return (
        _subscription(channel, "consent", _TEXT, f"Consent to {kind} WhatsApp messages: SUBSCRIBED, UNSUBSCRIBED or NEVER_SUBSCRIBED."),
        _subscription(channel, "consent_timestamp", _MICROSECONDS, f"When consent to {kind} WhatsApp messages was given or withdrawn."),
        _subscription(channel, "can_receive", _BOOLEAN, f"1 when {kind} WhatsApp messages can be sent to the profile."),
        _subscription(channel, "phone_number", _TEXT, f"The phone number that {kind} WhatsApp messages go to."),
        _subscription(channel, "created_timestamp", _MICROSECONDS, f"When the {kind} WhatsApp consent record was made."),
        _subscription(channel, "last_updated", _MICROSECONDS, f"When the {kind} WhatsApp consent record last changed."),
        _subscription(channel, "valid_until", _MICROSECONDS, f"When the {kind} WhatsApp consent ends."),
        _subscription(channel, "metadata", _JSON, f"What else Klaviyo keeps of the {kind} WhatsApp consent, as JSON."),
    )


def _predictive(key: str, type_: Type, doc: str) -> Column:
    return Column(f"{_PREDICTIVE}_{key}", Attribute((_PREDICTIVE, key), additional=_PREDICTIVE), type_, doc)


def _location(key: str, doc: str) -> Column:
    return Column(f"location_{key}", Attribute(("location", key)), _TEXT, doc)


# The order matters: of the columns from the 64th on, SQLite tells only that some are used, so they must be cheap to read together. They are all
# of `subscriptions` here; predictive_analytics, which has a lower limit, comes before.
#
# Klaviyo compares these in a case that it does not document, so its answer is a superset. The sort by email is not declared: its collation
# is not documented either.
PROFILE_ATTRIBUTES: tuple[Column, ...] = (
    Column("email", Attribute(("email",)), _TEXT, "The email address.", filters=(Filter("email"),)),
    Column("phone_number", Attribute(("phone_number",)), _TEXT, "The phone number in E.164 form.", filters=(Filter("phone_number"),)),
    Column("external_id", Attribute(("external_id",)), _TEXT, "The id of the person in your own system.", filters=(Filter("external_id"),)),
    Column("first_name", Attribute(("first_name",)), _TEXT, "The first name."),
    Column("last_name", Attribute(("last_name",)), _TEXT, "The last name."),
    Column("organization", Attribute(("organization",)), _TEXT, "The company or organization of the person."),
    Column("locale", Attribute(("locale",)), _TEXT, "The locale, such as en-US."),
    Column("title", Attribute(("title",)), _TEXT, "The job title."),
    Column("image", Attribute(("image",)), _TEXT, "The URL of the person's picture."),
    # Klaviyo's filters on these are strict (> and <) and what it compares may be finer than the seconds that it shows: a superset.
    Column("created", Attribute(("created",)), _TIME, "When the profile was made.", filters=(Filter("created"),), sort="created"),
    Column("updated", Attribute(("updated",)), _TIME, "When the profile's attributes last changed.", filters=(Filter("updated"),), sort="updated"),
    Column("last_event_date", Attribute(("last_event_date",)), _TIME, "When the profile's newest event happened."),
    _location("address1", "First line of the address."),
    _location("address2", "Second line of the address."),
    _location("city", "The city."),
    _location("country", "The country, free text."),
    Column(
        "location_latitude", Attribute(("location", "latitude")), _REAL, "Degrees north; Klaviyo may hold a text here, which stays a text when it is no number."
    ),
    Column(
        "location_longitude",
        Attribute(("location", "longitude")),
        _REAL,
        "Degrees east; Klaviyo may hold a text here, which stays a text when it is no number.",
    ),
    _location("region", "The region or state."),
    _location("zip", "The postal code."),
    _location("timezone", "The IANA time zone."),
    _location("ip", "The IP address last seen."),
    Column("properties", Attribute(("properties",)), _JSON, "The custom properties as JSON: properties ->> '$.key' reads one."),
    _predictive("historic_clv", _REAL, "What the person has spent so far, in the account's currency."),
    _predictive("predicted_clv", _REAL, "What the person is expected to spend in the next year, in the account's currency."),
    _predictive("total_clv", _REAL, "Historic and predicted spending together."),
    _predictive("historic_number_of_orders", _REAL, "How many orders the person has placed."),
    _predictive("predicted_number_of_orders", _REAL, "How many orders are expected in the next year."),
    _predictive("average_days_between_orders", _REAL, "The average number of days between the person's orders."),
    _predictive("average_order_value", _REAL, "The average value of the person's orders, in the account's currency."),
    _predictive("churn_probability", _REAL, "The probability from 0 to 1 that the person will not order again."),
    _predictive("expected_date_of_next_order", _TIME, "When the next order is expected."),
    _predictive("ranked_channel_affinity", _JSON, "The channels that the person answers to, best first, as a JSON array."),
    _subscription("email.marketing", "consent", _TEXT, "Consent to email marketing: SUBSCRIBED, UNSUBSCRIBED or NEVER_SUBSCRIBED."),
    _subscription("email.marketing", "consent_timestamp", _MICROSECONDS, "When consent to email marketing was given or withdrawn."),
    _subscription("email.marketing", "can_receive_email_marketing", _BOOLEAN, "1 when the profile is not suppressed; it can be 1 without any consent."),
    _subscription("email.marketing", "last_updated", _MICROSECONDS, "When the email marketing consent record last changed."),
    _subscription("email.marketing", "method", _TEXT, "How consent to email marketing was given."),
    _subscription("email.marketing", "method_detail", _TEXT, "Where consent to email marketing was given, such as a form or list id."),
    _subscription("email.marketing", "custom_method_detail", _TEXT, "The source of consent that the sender of the consent named."),
    _subscription("email.marketing", "double_optin", _BOOLEAN, "1 when consent to email marketing was confirmed by a second step."),
    _subscription("email.marketing", "suppression", _JSON, "The global suppressions, a JSON array of {reason, timestamp}; [] means not suppressed."),
    _subscription("email.marketing", "list_suppressions", _JSON, "The suppressions of single lists, a JSON array of {list_id, reason, timestamp}."),
    Column(
        "suppression_reason",
        Latest(_SUPPRESSION, "reason", additional=_SUBSCRIPTIONS),
        _TEXT,
        "Why email is suppressed (the newest entry): HARD_BOUNCE, INVALID_EMAIL, SPAM_COMPLAINT, UNSUBSCRIBE or USER_SUPPRESSED; else NULL.",
        filters=(Filter(".".join((*_SUPPRESSION, "reason"))),),
    ),
    Column(
        "suppression_timestamp",
        Latest(_SUPPRESSION, "timestamp", additional=_SUBSCRIPTIONS),
        _MICROSECONDS,
        "When the newest global email suppression began; NULL when not suppressed.",
        filters=(Filter(".".join((*_SUPPRESSION, "timestamp"))),),
    ),
    Column(
        "list_suppression_list_id",
        Latest(_LIST_SUPPRESSIONS, "list_id", additional=_SUBSCRIPTIONS),
        _TEXT,
        "The list of the newest suppression of a single list.",
        filters=(Filter(".".join((*_LIST_SUPPRESSIONS, "list_id"))),),
    ),
    Column(
        "list_suppression_reason",
        Latest(_LIST_SUPPRESSIONS, "reason", additional=_SUBSCRIPTIONS),
        _TEXT,
        "The reason of the newest suppression of a single list.",
        filters=(Filter(".".join((*_LIST_SUPPRESSIONS, "reason"))),),
    ),
    Column(
        "list_suppression_timestamp",
        Latest(_LIST_SUPPRESSIONS, "timestamp", additional=_SUBSCRIPTIONS),
        _MICROSECONDS,
        "When the newest suppression of a single list began.",
        filters=(Filter(".".join((*_LIST_SUPPRESSIONS, "timestamp"))),),
    ),
    _subscription("email.open_tracking", "consent", _TEXT, "Consent to the tracking of email opens."),
    _subscription("email.open_tracking", "consent_timestamp", _MICROSECONDS, "When consent to open tracking was given or withdrawn."),
    _subscription("email.open_tracking", "can_receive", _BOOLEAN, "1 when opens may be tracked."),
    _subscription("email.open_tracking", "created_timestamp", _MICROSECONDS, "When the open tracking consent record was made."),
    _subscription("email.open_tracking", "last_updated", _MICROSECONDS, "When the open tracking consent record last changed."),
    _subscription("email.open_tracking", "valid_until", _MICROSECONDS, "When consent to open tracking ends."),
    _subscription("email.open_tracking", "metadata", _JSON, "What else Klaviyo keeps of the open tracking consent, as JSON."),
    _subscription("sms.marketing", "consent", _TEXT, "Consent to SMS marketing: SUBSCRIBED, UNSUBSCRIBED or NEVER_SUBSCRIBED."),
    _subscription("sms.marketing", "consent_timestamp", _MICROSECONDS, "When consent to SMS marketing was given or withdrawn."),
    _subscription("sms.marketing", "can_receive_sms_marketing", _BOOLEAN, "1 when SMS marketing can be sent to the profile."),
    _subscription("sms.marketing", "last_updated", _MICROSECONDS, "When the SMS marketing consent record last changed."),
    _subscription("sms.marketing", "method", _TEXT, "How consent to SMS marketing was given."),
    _subscription("sms.marketing", "method_detail", _TEXT, "Where consent to SMS marketing was given."),
    _subscription("sms.transactional", "consent", _TEXT, "Consent to transactional SMS: SUBSCRIBED, UNSUBSCRIBED or NEVER_SUBSCRIBED."),
    _subscription("sms.transactional", "consent_timestamp", _MICROSECONDS, "When consent to transactional SMS was given or withdrawn."),
    _subscription("sms.transactional", "can_receive_sms_transactional", _BOOLEAN, "1 when transactional SMS can be sent to the profile."),
    _subscription("sms.transactional", "last_updated", _MICROSECONDS, "When the transactional SMS consent record last changed."),
    _subscription("sms.transactional", "method", _TEXT, "How consent to transactional SMS was given."),
    _subscription("sms.transactional", "method_detail", _TEXT, "Where consent to transactional SMS was given."),
    _subscription("mobile_push.marketing", "consent", _TEXT, "Consent to push notifications: SUBSCRIBED, UNSUBSCRIBED or NEVER_SUBSCRIBED."),
    _subscription("mobile_push.marketing", "consent_timestamp", _MICROSECONDS, "When consent to push notifications was given or withdrawn."),
    _subscription("mobile_push.marketing", "can_receive_push_marketing", _BOOLEAN, "1 when push notifications can be sent to the profile."),
    *_whatsapp("whatsapp.marketing", "marketing"),
    *_whatsapp("whatsapp.transactional", "transactional"),
    *_whatsapp("whatsapp.conversational", "conversational"),
)

_EXCHANGE_ID = Column(
    "kx",
    Argument(),
    _TEXT,
    "The exchange id (_kx) from a tracked link: give it to find its profile; NULL when it is not given.",
    filters=(Filter("_kx", exact=True),),
    hidden=True,
)
_PUSH_TOKEN = Column(
    "push_token",
    Argument(),
    _TEXT,
    "A push token: give it to find its profile among the members; NULL when it is not given.",
    filters=(Filter("push_token", exact=True),),
    hidden=True,
)

PROFILES = Table(
    name="profiles",
    doc="The people of the account, one row each.",
    source=Collection(resource="profile", list="get_profiles", get="get_profile", most_gets=1, default_sort="id", cut_by="created", changes="updated"),
    key=("id",),
    typical_rows=100_000,
    columns=(
        Column("id", Id(), _TEXT, "The profile's id, 26 characters.", filters=(Filter("id", exact=True),), not_null=True),
        _EXCHANGE_ID,
        *PROFILE_ATTRIBUTES,
    ),
    notes=(
        "Columns that begin with predictive_analytics_ move the scan to a lower limit (10 requests a second, 150 a minute).",
        "Filters on created and updated are sent one second wider than asked, because Klaviyo has only > and <, and are checked again.",
    ),
    examples=(
        Example("Who are the ten newest profiles?", "SELECT email, first_name, created FROM profiles ORDER BY created DESC LIMIT 10"),
        Example(
            "Who changed in the last day, with one custom property?",
            "SELECT id, email, properties ->> '$.plan' AS plan FROM profiles WHERE updated >= datetime('now', '-1 day')",
        ),
        Example(
            "Who cannot be emailed, and why?",
            "SELECT email, suppression_reason, suppression_timestamp FROM profiles\n"
            "WHERE suppression_timestamp >= '2020-01-01' ORDER BY suppression_timestamp DESC LIMIT 20",
        ),
    ),
)

MEMBER_COLUMNS: tuple[Column, ...] = (
    Column("profile_id", Id(), _TEXT, "The member's profile id.", filters=(Filter("profile_id", exact=True),), not_null=True),
    Column(
        "joined_group_at",
        Attribute(("joined_group_at",)),
        _TIME,
        "When the profile joined.",
        filters=(Filter("joined_group_at"),),
        sort="joined_group_at",
        not_null=True,
    ),
    _EXCHANGE_ID,
    _PUSH_TOKEN,
    *PROFILE_ATTRIBUTES,
)
"""What a member of a list or a segment is: when it joined, and the profile's own columns."""
